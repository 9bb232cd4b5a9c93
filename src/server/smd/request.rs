//! What handlers take out of a request.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::Extensions;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::server::common::Problem;
use crate::store::Author;

/// The parameters of the path; 400 as a problem when they are not UTF-8.
pub(super) struct PathOf<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(value) = Path::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
        Ok(Self(value))
    }
}

/// Who makes the request, as the provenance of what it writes.
pub(super) struct By(pub(super) Author);

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(author(&parts.extensions)))
    }
}

/// The author of a write that comes in through this API.
fn author(_extensions: &Extensions) -> Author {
    Author("api".into())
}
