//! Whom a write is attributed to.

use crate::store::Author;

/// The author of what comes over a REST API.
#[must_use]
pub fn api() -> Author {
    Author("api".into())
}
