//! The document.

use axum::http::{Method, Uri};
use serde_json::{Map, Value, json};

use super::{Answer, Api, Failure, Named, Operation, Parameter, Query, Route};

/// The OpenAPI document of an API.
#[must_use]
pub fn document(api: &Api) -> Value {
    let paths: Map<String, Value> = api.routes().map(|route| (route.0.to_owned(), path_item(api, route))).collect();
    let servers: Vec<_> =
        api.prefixes.iter().map(|prefix| json!({"url": if prefix.is_empty() { "/" } else { prefix }})).collect();
    let schemas: Map<String, Value> = api.schemas().map(named).chain(problem(api.failure)).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": api.title,
            "description": api.description,
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": servers,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "jwt"},
            },
        },
    })
}

/// As it is sent and checked in.
pub(super) fn text(api: &Api) -> String {
    format!("{:#}\n", document(api))
}

fn named(Named(name, description, schema): &Named) -> (String, Value) {
    let mut schema = schema.json();
    if !description.is_empty() {
        schema["description"] = (*description).into();
    }
    ((*name).to_owned(), schema)
}

/// What every failure of a room that tells problems is.
fn problem(failure: Failure) -> Option<(String, Value)> {
    let schema = json!({
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string", "description": "The name of the status."},
            "detail": {"type": "string", "description": "What was wrong with this request."},
            "status": {"type": "integer"},
        },
        "required": ["type", "title", "detail", "status"],
    });
    (failure == Failure::Problem).then(|| ("Problem".to_owned(), schema))
}

fn path_item(api: &Api, Route(path, operations): &Route) -> Value {
    let mut item: Map<String, Value> = operations
        .iter()
        .map(|operation| (operation.method.to_ascii_lowercase(), described(api, path, operation)))
        .collect();
    let parameters: Vec<_> =
        api.parameters.iter().filter(|one| path.contains(&format!("{{{}}}", one.0))).map(in_path).collect();
    if !parameters.is_empty() {
        item.insert("parameters".to_owned(), parameters.into());
    }
    Value::Object(item)
}

fn in_path(Parameter(name, description, example): &Parameter) -> Value {
    let schema = json!({"type": "string"});
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema, "example": example})
}

fn in_query(Query(name, schema, description): &Query) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema.json()})
}

fn described(api: &Api, path: &str, operation: &Operation) -> Value {
    let (security, asks) = security(api, path, operation);
    let mut described = json!({
        "operationId": identifier(path, operation.method),
        "summary": operation.summary,
        "security": security,
        "responses": responses(api, operation, asks),
    });
    if !operation.query.is_empty() {
        described["parameters"] = operation.query.iter().map(in_query).collect();
    }
    if let Some(body) = &operation.body {
        let mut content = json!({"schema": body.schema.json()});
        if let Ok(example) = serde_json::from_str::<Value>(body.example) {
            content["example"] = example;
        }
        described["requestBody"] = json!({"required": true, "content": {"application/json": content}});
    }
    described
}

/// What the room's rule asks for, and whether it asks: nothing, or a token.
fn security(api: &Api, path: &str, operation: &Operation) -> (Value, bool) {
    let (method, uri) = (operation.method.parse::<Method>(), api.sample(path).parse::<Uri>());
    let asks = !method.is_ok_and(|method| uri.is_ok_and(|uri| (api.is_open)(&method, &uri)));
    let ways = if asks { json!([{"bearer": []}, {"cookie": []}]) } else { json!([]) };
    (ways, asks)
}

fn responses(api: &Api, operation: &Operation, asks: bool) -> Value {
    let failure = |what: &str| match api.failure {
        Failure::Problem => {
            let schema = json!({"$ref": "#/components/schemas/Problem"});
            json!({"description": what, "content": {"application/problem+json": {"schema": schema}}})
        }
        Failure::Text => json!({"description": what, "content": text_content("text/plain")}),
    };
    let mut responses = Map::new();
    for answer in operation.answers {
        let (status, response) = match answer {
            Answer::Json(status, schema) => (
                status,
                json!({"description": reason(*status), "content": {"application/json": {"schema": schema.json()}}}),
            ),
            Answer::Text(status, media) => {
                (status, json!({"description": reason(*status), "content": text_content(media)}))
            }
            Answer::Empty(status) => (status, json!({"description": reason(*status)})),
            Answer::Fails(status, what) => (status, failure(what)),
        };
        add(&mut responses, &status.to_string(), response);
    }
    if asks {
        let refused = json!({"description": "There is no good token.", "content": text_content("text/plain")});
        responses.insert("401".to_owned(), refused);
    }
    responses.insert("default".to_owned(), failure("What is wrong with the request, or with us."));
    Value::Object(responses)
}

/// Answers of one status with several media types are one response.
fn add(responses: &mut Map<String, Value>, status: &str, response: Value) {
    match (responses.get_mut(status).and_then(|old| old.get_mut("content")), &response["content"]) {
        (Some(Value::Object(old)), Value::Object(new)) => old.extend(new.clone()),
        _ => drop(responses.insert(status.to_owned(), response)),
    }
}

fn text_content(media: &str) -> Value {
    json!({media: {"schema": {"type": "string"}}})
}

fn reason(status: u16) -> &'static str {
    match status {
        201 => "It was created.",
        202 => "It was accepted.",
        204 => "It was done, and there is nothing to say.",
        _ => "It was done.",
    }
}

/// A name made of method and path, such as `getGroupsLabelMembers`.
fn identifier(path: &str, method: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(method.to_ascii_lowercase(), |name, word| name + &word[..1].to_ascii_uppercase() + &word[1..])
}
