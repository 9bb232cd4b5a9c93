//! How one field of an object differs.

use serde_json::Value;

use super::document::FieldClass;
use super::fields::value;

/// A field that differs.
#[derive(Clone)]
pub(super) struct FieldDiff {
    pub(super) name: String,
    pub(super) class: FieldClass,
    pub(super) last: Option<Value>,
    pub(super) live: Option<Value>,
    pub(super) want: Option<Value>,
    /// For sets, the elements that are to be added and removed; `want` is the whole set then.
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
}

impl FieldDiff {
    /// A difference of one value.
    pub(super) fn scalar(
        name: &str,
        class: FieldClass,
        last: Option<&str>,
        live: Option<&str>,
        want: Option<&str>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            class,
            last: last.map(value),
            live: live.map(value),
            want: want.map(value),
            added: Vec::new(),
            removed: Vec::new(),
        }
    }
}
