//! Error bodies: RFC 9457 (once RFC 7807) problem documents, in the shape that SMD and BSS send.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer that says what was wrong: status, and a sentence for whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// What went wrong, naming the thing; shown to the client, so never a secret.
    pub detail: String,
}

impl Problem {
    /// A problem of that status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }

    /// 400: the request is wrong as it stands.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: there is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 409: it clashes with what is there.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // The trailing newline is what the original services send.
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "detail": self.detail,
            "status": self.status.as_u16(),
        });
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], format!("{body}\n")).into_response()
    }
}

impl<E: Into<Self>> From<crate::store::WriteError<E>> for Problem {
    fn from(error: crate::store::WriteError<E>) -> Self {
        match error {
            crate::store::WriteError::Refused(error) => error.into(),
            crate::store::WriteError::Unavailable(error) => {
                tracing::error!(error = %error, "a write was not stored");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "the store does not take writes at the moment; try again")
            }
        }
    }
}
