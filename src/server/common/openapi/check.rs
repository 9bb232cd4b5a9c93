//! Holds a room's table equal to what the room does; for the tests of the rooms.

mod capitals;
mod hostile;

use std::collections::BTreeSet;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) use capitals::reads_names_in_any_capitals;
pub(crate) use hostile::{refuses_what_cannot_be, refuses_what_is_not_there, survives_nonsense};

use super::{Answer, Api, Failure, Operation, Route, Schema, document};

/// What came back.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) media: String,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(300).collect()
    }
}

/// Sends one request to a router, past all sockets.
pub(crate) async fn ask(router: &Router, method: &str, uri: &str, body: impl Into<Body>) -> Answered {
    let request = Request::builder().method(method).uri(uri).body(body.into()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let media = response.headers().get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap()).to_owned();
    let status = response.status().as_u16();
    Answered { status, media, body: to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec() }
}

fn operations(api: &Api) -> impl Iterator<Item = (&'static str, &'static Operation)> {
    api.routes().flat_map(|Route(path, operations)| operations.iter().map(|operation| (*path, operation)))
}

/// The document can be read by itself: every reference leads somewhere, every name in braces is explained, operations
/// have names of their own, and examples are what their schemas want.
pub(crate) fn is_sound(api: &Api) {
    let whole = document(api);
    let mut names = BTreeSet::new();
    for (path, operation) in operations(api) {
        let name = whole["paths"][path][operation.method.to_ascii_lowercase()]["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "two operations are called {name}");
        assert!(!api.sample(path).contains('{'), "{path} has a parameter that is not explained");
        if let Some(body) = operation.body {
            let example = serde_json::from_str(body.example).unwrap_or_else(|error| panic!("{path}: {error}"));
            fits(api, &body.schema, &example)
                .unwrap_or_else(|why| panic!("example of {} {path}: {why}", operation.method));
        }
    }
    let mut references = Vec::new();
    collect(&whole, &mut references);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(whole.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let used = whole.to_string();
    for named in api.schemas() {
        assert!(used.contains(&format!("schemas/{}\"", named.0)), "nothing uses the schema {}", named.0);
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "$ref" => references.push(text.clone()),
                    _ => collect(member, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

/// The table and the router have the same paths, and each path the same methods. HEAD may follow GET, as HTTP has it.
pub(crate) async fn equals_router(api: &Api, router: &Router) {
    let mut routed = paths_of(router);
    // Catches what is asked for at the prefix itself, and is no route.
    routed.retain(|path| !api.prefixes.contains(&path.as_str()));
    let whole = |path: &str| api.prefixes.iter().map(|prefix| format!("{prefix}{path}")).collect::<Vec<_>>();
    let listed: BTreeSet<String> = api.routes().flat_map(|Route(path, _)| whole(path)).collect();
    // Names in braces may differ, places may not.
    let shape = |path: &String| {
        let segments = path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
        segments.collect::<Vec<_>>().join("/")
    };
    let (routed, listed): (BTreeSet<_>, BTreeSet<_>) =
        (routed.iter().map(shape).collect(), listed.iter().map(shape).collect());
    let missing: Vec<_> = routed.difference(&listed).collect();
    assert!(missing.is_empty(), "give the table of `{}` lines for {missing:#?}", api.name);
    let surplus: Vec<_> = listed.difference(&routed).collect();
    assert!(surplus.is_empty(), "nothing routes these lines of the table of `{}`: {surplus:#?}", api.name);
    for Route(path, listed) in api.routes() {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
            let answer = ask(router, method, &api.sample(path), "{}").await;
            let has = |method: &str| listed.iter().any(|operation| operation.method == method || operation.is_any);
            if has(method) {
                assert_ne!(answer.status, 405, "{method} {path} is in the table");
                let is_unrouted = answer.status == 404 && answer.body == b"404 page not found\n";
                assert!(!is_unrouted, "{method} {path} is in the table and not routed");
            } else if !(method == "HEAD" && has("GET")) {
                assert_eq!(answer.status, 405, "{method} {path} is not in the table: {}", answer.text());
            }
        }
    }
}

/// The paths of a router, which only its debug text tells. What is there for everything else is left out.
fn paths_of(router: &Router) -> BTreeSet<String> {
    let text = format!("{router:?}");
    let paths = text.split("RouteId(").filter_map(|piece| piece.split_once("): \"")?.1.split('"').next());
    let found: BTreeSet<String> = paths
        .filter(|path| *path != "/" && !path.contains("{*"))
        .map(|path| path.trim_end_matches('/').to_owned())
        .collect();
    assert!(found.len() > 2, "the router's debug text is of another form: {text:.300}");
    found
}

/// The answer is one of those that the table has for the operation, in its media type and of its schema.
pub(crate) fn is_listed(api: &Api, path: &str, operation: &Operation, answered: &Answered) -> Result<(), String> {
    let what = || format!("{} {path}: {} {} {}", operation.method, answered.status, answered.media, answered.text());
    let media = answered.media.split(';').next().unwrap_or_default();
    for answer in operation.answers {
        match answer {
            Answer::Json(status, schema) if *status == answered.status && media == "application/json" => {
                let mut documents = serde_json::Deserializer::from_slice(&answered.body).into_iter::<Value>();
                let document = documents.next().ok_or_else(what)?.map_err(|error| format!("{}: {error}", what()))?;
                if documents.next().is_some() {
                    return Err(format!("{}: more than one document", what()));
                }
                return fits(api, schema, &document).map_err(|why| format!("{}: {why}", what()));
            }
            Answer::Text(status, listed) if *status == answered.status && media == *listed => return Ok(()),
            Answer::Empty(status) if *status == answered.status && answered.body.is_empty() => return Ok(()),
            Answer::Fails(status, _) if *status == answered.status => {
                return is_failure(api, answered).map_err(|why| what() + &why);
            }
            _ => {}
        }
    }
    Err(format!("{}: not in the table", what()))
}

/// A failure is one problem document, or one line of text, whichever the room has.
fn is_failure(api: &Api, answered: &Answered) -> Result<(), String> {
    let media = answered.media.split(';').next().unwrap_or_default();
    match api.failure {
        Failure::Problem if media == "application/problem+json" => {
            let problem: Value = serde_json::from_slice(&answered.body).map_err(|error| error.to_string())?;
            let is_whole = problem["detail"].is_string() && problem["status"] == answered.status;
            if is_whole { Ok(()) } else { Err(": half a problem".to_owned()) }
        }
        Failure::Text if media == "text/plain" || answered.body.is_empty() => Ok(()),
        _ => Err(": told in another form than failures are".to_owned()),
    }
}

/// Whether a value is what a schema wants. Members that the schema does not name are a mistake.
pub(crate) fn fits(api: &Api, schema: &Schema, value: &Value) -> Result<(), String> {
    let want = |is: bool| if is { Ok(()) } else { Err(format!("{value} is not {schema:?}")) };
    match schema {
        Schema::Anything => Ok(()),
        Schema::Text | Schema::Format(_) | Schema::Pattern(_) => want(value.is_string()),
        Schema::Words(words) => want(value.as_str().is_some_and(|text| words().contains(&text))),
        Schema::Whole => want(value.is_i64() || value.is_u64()),
        Schema::Truth => want(value.is_boolean()),
        Schema::Null => want(value.is_null()),
        Schema::Of(name) => {
            let named = api.schemas().find(|named| named.0 == *name);
            fits(api, &named.ok_or_else(|| format!("no schema {name}"))?.2, value)
                .map_err(|why| format!("{name}: {why}"))
        }
        Schema::List(items) => value
            .as_array()
            .ok_or_else(|| format!("{value} is no list"))?
            .iter()
            .try_for_each(|item| fits(api, items, item)),
        Schema::Map(values) => value
            .as_object()
            .ok_or_else(|| format!("{value} is no object"))?
            .values()
            .try_for_each(|one| fits(api, values, one)),
        Schema::Either(schemas) => {
            let whys: Vec<_> = schemas.iter().map(|schema| fits(api, schema, value)).collect();
            if whys.iter().any(Result::is_ok) { Ok(()) } else { Err(format!("{whys:?}")) }
        }
        Schema::Object(fields) => {
            let members = value.as_object().ok_or_else(|| format!("{value} is no object"))?;
            for (name, member) in members {
                let field =
                    fields.iter().find(|field| field.name == name).ok_or_else(|| format!("no member {name}"))?;
                fits(api, &field.schema, member).map_err(|why| format!("{name}: {why}"))?;
            }
            let missing = fields.iter().find(|field| field.is_required && !members.contains_key(field.name));
            missing.map_or(Ok(()), |field| Err(format!("{} is missing", field.name)))
        }
    }
}

/// The operations that read, with what they answer.
pub(crate) async fn reads(api: &Api, router: &Router) -> Vec<(&'static str, String)> {
    let mut answers = Vec::new();
    for (path, operation) in operations(api).filter(|(_, operation)| operation.method == "GET") {
        let answered = ask(router, operation.method, &api.sample(path), "").await;
        answers.push((path, String::from_utf8_lossy(&answered.body).into_owned()));
    }
    answers
}

/// Runs every operation with its example against a router that `prepared` makes for it, and holds the answer to the
/// table.
pub(crate) async fn answers_as_listed(api: &Api, prepared: impl AsyncFn(&str, &Operation) -> Router) {
    let mut faults = Vec::new();
    for (path, operation) in operations(api) {
        let router = prepared(path, operation).await;
        let answered =
            ask(&router, operation.method, &api.sample(path), operation.body.map_or("", |body| body.example)).await;
        faults.extend(is_listed(api, path, operation, &answered).err());
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Members that a schema names are read: one of them that holds what it cannot is refused.
pub(crate) async fn reads_what_it_lists(api: &Api, prepared: impl AsyncFn(&str, &Operation) -> Router) {
    let mut unread = Vec::new();
    for (path, operation) in operations(api) {
        let Some(body) = operation.body else { continue };
        let Some(fields) = members(api, &body.schema) else { continue };
        let example: Value = serde_json::from_str(body.example).unwrap();
        for field in fields.iter().filter(|field| !field.is_read_only && !matches!(field.schema, Schema::Anything)) {
            let router = prepared(path, operation).await;
            let mut changed = example.clone();
            changed[field.name] = wrong_for(api, field);
            let answered = ask(&router, operation.method, &api.sample(path), changed.to_string()).await;
            if !(400..500).contains(&answered.status) {
                unread.push(format!("{} {path}: {}: {}", operation.method, field.name, answered.status));
            }
        }
    }
    assert!(unread.is_empty(), "nothing reads these members: {unread:#?}");
}

/// What the field cannot hold, whatever it is.
fn wrong_for(api: &Api, field: &super::Field) -> Value {
    if members(api, &field.schema).is_some() { json!(7) } else { json!({"": [[7]]}) }
}

fn members(api: &Api, schema: &Schema) -> Option<&'static [super::Field]> {
    match schema {
        Schema::Object(fields) => Some(fields),
        Schema::Of(name) => members(api, &api.schemas().find(|named| named.0 == *name)?.2),
        Schema::Either(schemas) => members(api, schemas.first()?),
        _ => None,
    }
}
