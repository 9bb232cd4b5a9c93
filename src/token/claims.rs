//! What a token says: the claims of RFC 7519 that are written and read here.

use serde::{Deserialize, Serialize};

/// The longest subject. It goes into logs and into the history of every object, so it stays a name.
pub(super) const SUBJECT_LIMIT: usize = 256;

/// The claims of a token of ours.
#[derive(Serialize)]
pub(super) struct Minted<'a> {
    pub(super) iss: &'a str,
    pub(super) aud: &'a [String],
    pub(super) sub: &'a str,
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
    pub(super) jti: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) scope: &'a str,
}

/// The claims that are looked at in a token of anybody. Times are seconds since 1970-01-01 UTC and need not be whole.
#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) iss: Option<String>,
    pub(super) aud: Option<Audience>,
    pub(super) sub: Option<String>,
    pub(super) nbf: Option<f64>,
    pub(super) exp: Option<f64>,
}

/// One audience or a list, which Hydra leaves empty.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    /// Whether one of them is wanted.
    pub(super) fn any(&self, wanted: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(name) => wanted(name),
            Self::Many(names) => names.iter().any(|name| wanted(name)),
        }
    }
}

/// Whether a subject is fit to be written into logs and history.
pub(super) fn is_subject(subject: &str) -> bool {
    !subject.is_empty() && subject.chars().count() <= SUBJECT_LIMIT && !subject.chars().any(char::is_control)
}
