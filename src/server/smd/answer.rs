//! Answers in SMD's forms.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

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

/// 200 for one that was deleted by its name.
pub(super) fn deleted() -> Response {
    done("deleted 1 entry")
}

/// 200 with SMD's count of what was in a collection that was deleted; it says `entries` even of one.
pub(super) fn cleared(count: usize) -> Response {
    done(&format!("deleted {count} entries"))
}

/// 200 with SMD's count of what was put into a collection.
pub(super) fn stored(count: usize) -> Response {
    done(&format!("Created or modified {count} entries"))
}

/// 200 with SMD's report that something was done.
pub(super) fn done(message: &str) -> Response {
    json(&serde_json::json!({"code": 0, "message": message}))
}

/// 404 for the deletion of a collection that is empty.
pub(super) fn nothing_to_delete() -> Problem {
    Problem::not_found("no entries to delete")
}

/// 400 for a patch that sets nothing.
pub(super) fn nothing_to_patch() -> Problem {
    Problem::bad_request("Request must have at least one patch field.")
}
