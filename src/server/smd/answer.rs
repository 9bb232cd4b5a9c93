//! Answers in SMD's forms.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use serde::Serialize;

use super::SmdState;
use crate::server::common::Problem;

const JSON: (HeaderName, HeaderValue) = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));

/// The URI of something created.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Uri {
    #[serde(rename = "URI")]
    pub(super) uri: String,
}

impl Uri {
    /// A path below [`super::BASE`].
    pub(super) fn new(path: &str) -> Self {
        Self { uri: format!("{}/{path}", super::BASE) }
    }
}

/// 200 with a document.
pub(super) fn json<T: Serialize>(document: &T) -> Response {
    with(StatusCode::OK, document)
}

/// 200 with a document that is serialised already.
pub(super) fn bytes(document: Vec<u8>) -> Response {
    ([JSON], document).into_response()
}

fn with<T: Serialize>(status: StatusCode, document: &T) -> Response {
    match serde_json::to_vec(document) {
        Ok(mut text) => {
            text.push(b'\n');
            (status, [JSON], text).into_response()
        }
        Err(error) => {
            tracing::error!(error = %error, "an answer could not be written as JSON");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be written").into_response()
        }
    }
}

/// 201 with a `Location`.
pub(super) fn created<T: Serialize>(location: &str, document: &T) -> Response {
    let mut response = with(StatusCode::CREATED, document);
    // A location is made of xnames, labels and addresses, none of which can break a header.
    if let Ok(value) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// 201 with the list of URIs, at the one that was created or at the collection; 204 where nothing was.
pub(super) fn created_all(collection: &str, uris: &[Uri]) -> Response {
    match uris {
        [] => no_content(),
        [one] => created(&one.uri, &uris),
        _ => created(&Uri::new(collection).uri, &uris),
    }
}

/// 204 as SMD sends it: with a media type and nothing of it.
pub(super) fn no_content() -> Response {
    (StatusCode::NO_CONTENT, [JSON]).into_response()
}

/// 200 with SMD's count of deleted entries.
pub(super) fn deleted(count: usize) -> Response {
    let noun = if count == 1 { "entry" } else { "entries" };
    json(&serde_json::json!({"code": 0, "message": format!("deleted {count} {noun}")}))
}

/// 200 with SMD's report that something was done.
pub(super) fn message(text: impl Into<String>) -> Response {
    json(&serde_json::json!({"code": 0, "message": text.into()}))
}

/// 404 as plain text: there is no such route.
pub async fn not_found() -> Response {
    let text = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (StatusCode::NOT_FOUND, text, "404 page not found\n").into_response()
}

/// The methods of one path; every other one is 405 and told which are allowed. HEAD is among the others: SMD does not
/// answer it, while axum would.
pub(super) fn resource(allow: &'static str, methods: MethodRouter<SmdState>) -> MethodRouter<SmdState> {
    let refuse = move || async move { method_not_allowed(allow) };
    let methods = if allow.contains("GET") { methods.head(refuse) } else { methods };
    methods.fallback(refuse)
}

fn method_not_allowed(allow: &'static str) -> Response {
    let mut response = Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("allow {allow}")).into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}
