//! What a write makes of a live object: the fields that differ are put in, all others stay.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::FieldClass;
use super::field_diff::FieldDiff;
use super::nouns;
use super::rules::Rules;
use crate::model::{Object, ObjectKey};

/// Settles which released fields go: a field that the object cannot be without is left.
pub(super) fn release(key: &ObjectKey, live: &Object, fields: &mut [FieldDiff], rules: &Rules) {
    for field in fields.iter_mut().filter(|field| field.class == FieldClass::Released) {
        field.want = nouns::default_value(key, &field.name);
        let alone = [(field.name.clone(), field.want.clone())];
        if nouns::merged(key, live, alone, rules.created).is_err() {
            field.class = FieldClass::Left;
        } else if field.want == field.live {
            field.class = FieldClass::Recorded;
        }
    }
}

/// True for a difference that a write settles.
pub(super) fn is_written(field: &FieldDiff, rules: &Rules) -> bool {
    match field.class {
        FieldClass::Intent | FieldClass::Conflict | FieldClass::Released => true,
        FieldClass::Drift => rules.correct_drift,
        FieldClass::Recorded | FieldClass::Left => false,
    }
}

/// The live object with the differing fields put in.
///
/// # Errors
///
/// As [`nouns::merged`].
pub(super) fn after(key: &ObjectKey, live: &Object, fields: &[FieldDiff], rules: &Rules) -> Result<Object, String> {
    let mut values = Vec::new();
    let mut set: Option<BTreeSet<String>> = None;
    for field in fields.iter().filter(|field| is_written(field, rules)) {
        if field.added.is_empty() && field.removed.is_empty() {
            values.push((field.name.clone(), field.want.clone()));
            continue;
        }
        let set = set.get_or_insert_with(|| match live {
            Object::Group(group) => group.members.iter().map(ToString::to_string).collect(),
            _ => BTreeSet::new(),
        });
        set.extend(field.added.iter().cloned());
        set.retain(|element| field.removed.binary_search(element).is_err());
    }
    if let Some(set) = set {
        values.push(("members".to_owned(), Some(Value::from_iter(set))));
    }
    nouns::merged(key, live, values, rules.created)
}
