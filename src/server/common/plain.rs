//! Answers in plain text, which the original services give where no handler of theirs has a say.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// A status and a line of text.
pub fn text(status: StatusCode, line: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{line}\n")).into_response()
}
