//! What no router may take: nonsense, identifiers that are none, and changes of what is not there.

use axum::Router;
use serde_json::{Value, json};

use super::super::{Api, Operation, Schema};
use super::{Answered, ask, is_failure, operations};

/// Whatever is sent to any operation, the answer is never our fault, and a refusal has the room's one form.
pub(crate) async fn survives_nonsense(api: &Api, router: &Router) {
    for (path, operation) in operations(api) {
        let sample = api.sample(path);
        for body in bodies(operation) {
            let shown = format!("{} {path} with {:.200}", operation.method, String::from_utf8_lossy(&body));
            is_no_fault_of_ours(api, &shown, &ask(router, operation.method, &sample, body).await);
        }
        for uri in uris(api, path, operation) {
            // What no URI can be is refused before any router sees it.
            if uri.parse::<axum::http::Uri>().is_ok() {
                let body = operation.body.map_or("", |body| body.example);
                let answered = ask(router, operation.method, &uri, body).await;
                is_no_fault_of_ours(api, &format!("{} {uri:.200}", operation.method), &answered);
            }
        }
    }
}

fn is_no_fault_of_ours(api: &Api, what: &str, answered: &Answered) {
    assert!((200..500).contains(&answered.status), "{what}: {} {}", answered.status, answered.text());
    if answered.status >= 400 && !(answered.status == 404 && answered.body == b"404 page not found\n") {
        is_failure(api, answered).unwrap_or_else(|why| panic!("{what}: {} {}{why}", answered.status, answered.text()));
    }
}

/// Bodies that are no JSON, no object, too deep, and the example with each of its values replaced by what it is not.
fn bodies(operation: &Operation) -> Vec<Vec<u8>> {
    let deep = |open: &str| open.repeat(20_000).into_bytes();
    let mut bodies: Vec<Vec<u8>> =
        ["", "{", "[]", "{}", "null", "7", "\"x\"", "[null]", "[[]]", "[{}]", "{} {}", "{\"\":0}", "\u{feff}{}"]
            .map(|text| text.as_bytes().to_vec())
            .into();
    bodies.extend([b"{\"ID\":\"\xff\"}".to_vec(), b"\0".to_vec(), deep("["), deep("{\"a\":")]);
    let Some(body) = operation.body else { return bodies };
    let example: Value = serde_json::from_str(body.example).unwrap();
    let mut pointers = Vec::new();
    leaves(&example, String::new(), &mut pointers);
    let huge = "9".repeat(400);
    for pointer in pointers {
        for wrong in [
            json!(null),
            json!(-1),
            json!(1.5),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(true),
            json!(""),
            json!("\0"),
            json!("é\u{202e}{{x}}%00"),
            json!("x".repeat(70_000)),
            json!([]),
            json!([[]]),
            json!({}),
            json!({"": [1]}),
        ] {
            let mut changed = example.clone();
            *changed.pointer_mut(&pointer).unwrap() = wrong;
            bodies.push(changed.to_string().into_bytes());
        }
        // Numbers beyond all types cannot be had as values.
        let mut changed = example.clone();
        *changed.pointer_mut(&pointer).unwrap() = json!("HUGE");
        for number in [huge.as_str(), "1e999", "-1e999"] {
            bodies.push(changed.to_string().replace("\"HUGE\"", number).into_bytes());
        }
    }
    bodies
}

/// Pointers to every value within a value.
fn leaves(value: &Value, at: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                leaves(member, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), pointers);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                leaves(item, format!("{at}/{index}"), pointers);
            }
        }
        _ => {}
    }
    pointers.push(at);
}

/// The path with each of its parameters, and with each key of its query, made nonsense.
fn uris(api: &Api, path: &str, operation: &Operation) -> Vec<String> {
    let long = "x".repeat(5_000);
    let nonsense = ["x", "-1", "%00", "%ff", "%2e%2e%2f", "99999999999999999999", "*", "!", ",", "%20", &long];
    let mut uris = Vec::new();
    for parameter in api.parameters.iter().filter(|parameter| path.contains(&format!("{{{}}}", parameter.0))) {
        uris.extend(nonsense.map(|word| api.sample(&path.replace(&format!("{{{}}}", parameter.0), word))));
    }
    let sample = api.sample(path);
    for query in operation.query {
        uris.extend(nonsense.map(|word| format!("{sample}?{}={word}", query.0)));
        uris.extend([format!("{sample}?{}", query.0), format!("{sample}?{0}={1}&{0}=!{1}", query.0, "1")]);
    }
    uris.extend(["?", "?&&&=", "?%ff=%ff", "?a=b=c"].map(|query| format!("{sample}{query}")));
    uris
}

/// Bodies in which one identifier or address is none are refused. `kinds` are the names of the schemas of such.
pub(crate) async fn refuses_what_cannot_be(
    api: &Api,
    kinds: &[&str],
    prepared: impl AsyncFn(&str, &Operation) -> Router,
) {
    let (mut taken, mut tried) = (Vec::new(), 0);
    for (path, operation) in operations(api) {
        let Some(body) = operation.body else { continue };
        let example: Value = serde_json::from_str(body.example).unwrap();
        let mut pointers = Vec::new();
        of_kinds(api, &body.schema, &example, kinds, String::new(), &mut pointers);
        for pointer in pointers {
            for wrong in ["nonsens0", "zz:zz:zz:zz:zz:zz", "999.1.1.1", "x1000c0s0b0n0/../x", "x1 c0", "\u{212a}"] {
                let router = prepared(path, operation).await;
                let mut changed = example.clone();
                *changed.pointer_mut(&pointer).unwrap() = wrong.into();
                let answered = ask(&router, operation.method, &api.sample(path), changed.to_string()).await;
                tried += 1;
                if !(400..500).contains(&answered.status) {
                    taken.push(format!("{} {path} {pointer} {wrong:?}: {}", operation.method, answered.status));
                }
            }
        }
    }
    assert!(tried > 0, "no body has any of {kinds:?}");
    assert!(taken.is_empty(), "{taken:#?}");
}

/// Pointers to the values whose schemas have one of those names.
fn of_kinds(api: &Api, schema: &Schema, value: &Value, kinds: &[&str], at: String, found: &mut Vec<String>) {
    match schema {
        Schema::Of(name) if kinds.contains(name) => found.push(at),
        Schema::Of(name) => {
            if let Some(named) = api.schemas().find(|named| named.0 == *name) {
                of_kinds(api, &named.2, value, kinds, at, found);
            }
        }
        Schema::List(items) => {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                of_kinds(api, items, item, kinds, format!("{at}/{index}"), found);
            }
        }
        Schema::Object(fields) => {
            for field in *fields {
                if let Some(member) = value.get(field.name) {
                    of_kinds(api, &field.schema, member, kinds, format!("{at}/{}", field.name), found);
                }
            }
        }
        _ => {}
    }
}

/// Where nothing is, nothing can be changed or deleted; operations of those paths may say that it is done all the same.
pub(crate) async fn refuses_what_is_not_there(api: &Api, empty: &Router, forgiving: &[&str]) {
    let mut done = Vec::new();
    for (path, operation) in operations(api).filter(|(_, operation)| ["PATCH", "DELETE"].contains(&operation.method)) {
        let body = operation.body.map_or("", |body| body.example);
        let answered = ask(empty, operation.method, &api.sample(path), body).await;
        if !(400..500).contains(&answered.status) && !forgiving.contains(&path) {
            done.push(format!("{} {path}: {}", operation.method, answered.status));
        }
    }
    assert!(done.is_empty(), "done to what is not there: {done:#?}");
}
