//! Objects that wait for a secret: what can be planned of them without it.
//!
//! Nobody knows what a missing secret would be, so in its place is taken what is there, or what was last applied where nothing
//! is there. What differs then differs whatever
//! the secret is, and is shown. Where nothing differs it is not known whether anything changes, and nothing is claimed:
//! a remark says so. No such object is written, and `apply` refuses a plan with any of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::address;
use super::document::{FieldClass, PlanChange, Remark, Severity};
use super::judge::{Outcome, Verdict};
use crate::desired::{Desired, DesiredObject, Unresolved};
use crate::model::{Object, ObjectKey};
use crate::store::Ledger;

/// The key of the mapping that stands for a secret.
const REFERENCE: &str = "$secret";

/// The objects that wait, with what is known in the place of what is missing. `live` is in the order of its keys.
pub(super) fn filled(
    desired: &Desired,
    ledger: &Ledger,
    live: &[(ObjectKey, Object)],
) -> BTreeMap<ObjectKey, DesiredObject> {
    let fill_one = |(key, object): (&ObjectKey, &DesiredObject)| {
        let there = live.binary_search_by(|(known, _)| known.cmp(key)).ok().map(|place| live[place].1.to_json());
        let known = there.or_else(|| ledger.entries.get(key).map(|entry| entry.doc.to_string()));
        let known: Value = known.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let mut doc: Value = serde_json::from_str(&object.doc).unwrap_or_default();
        fill(&mut doc, &known);
        (key.clone(), DesiredObject { doc: doc.to_string().into(), ..object.clone() })
    };
    desired.waiting.iter().map(fill_one).collect()
}

/// Puts the texts of `known` in the place of references. One that has no text for its counterpart stays: it differs.
fn fill(tree: &mut Value, known: &Value) {
    match (tree, known) {
        (tree @ Value::Object(_), Value::String(text)) if tree.get(REFERENCE).is_some() => {
            *tree = Value::String(text.clone());
        }
        (Value::Object(tree), Value::Object(known)) => {
            for (key, value) in tree {
                fill(value, known.get(key).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(tree), Value::Array(known)) => {
            tree.iter_mut().zip(known).for_each(|(value, known)| fill(value, known));
        }
        _ => {}
    }
}

/// What can be told of an object that waits; none where that is nothing.
pub(super) fn settled(mut outcome: Outcome<'_>) -> Option<Outcome<'_>> {
    outcome.ledger = None;
    // That it is already there would be a claim about the secret.
    outcome.fields.retain(|field| field.class != FieldClass::Recorded);
    let told = match outcome.verdict {
        Verdict::InSync => false,
        Verdict::Adopt => outcome.refused,
        Verdict::Update => !outcome.fields.is_empty(),
        _ => true,
    };
    told.then_some(outcome)
}

/// One remark for each secret that is missing. `lines` are those of the plan.
pub(super) fn remarks<'d>(
    desired: &'d Desired,
    lines: &'d [&'d [PlanChange]; 2],
) -> impl Iterator<Item = Remark> + use<'d> {
    desired.unresolved.iter().map(|missing| {
        let object = missing.key.to_string();
        let changes = lines.iter().flat_map(|lines| lines.iter()).any(|line| line.address == object);
        let Unresolved { reason, .. } = missing;
        let message = match changes {
            true => format!("{reason}; apply needs it"),
            false => format!("{reason}; without it nobody knows whether anything changes, and apply needs it"),
        };
        let origin = Some(address::place(&missing.origin));
        Remark { severity: Severity::Warning, code: "secret.missing".into(), object, message, origin }
    })
}

/// The names of the secrets for which an object waits.
pub(super) fn secrets(desired: &Desired, key: &ObjectKey) -> Vec<Arc<str>> {
    let missing = desired.unresolved.iter().filter(|missing| missing.key == *key);
    missing.map(|missing| missing.secret.as_str().into()).collect()
}
