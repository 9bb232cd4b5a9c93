//! One owned object compared field by field: as desired (D), as last applied (L), as it is (A).
//!
//! | D and L | A and L | the field | written |
//! |---|---|---|---|
//! | same | same | does not appear | |
//! | differ | same | intent | D |
//! | same | differ | drift | D, when drift is put back |
//! | differ | differ, A same as D | recorded | |
//! | differ | differ, A differs from D | conflict | D |
//! | D only | differs from D | intent | D |
//! | L only | same | released | emptied, where it can be |
//! | L only | differ | left | |
//!
//! Members of a group are compared one by one in the same way, so that those whom somebody else added stay. The
//! information of a component endpoint is ours only as far as we say something of it.

use serde_json::Value;

use super::document::FieldClass;
use super::field_diff::FieldDiff;
use super::fields::{Fields, contains, same, value};
use super::members;
use crate::model::{Kind, Object};

/// The fields in which an owned object differs, in the order of their names, released ones last.
///
/// `live_text` is the canonical form of `live`; the caller has it already.
pub(super) fn owned(desired: &Fields<'_>, last: &Fields<'_>, live: &Object, live_text: &Fields<'_>) -> Vec<FieldDiff> {
    let kind = live.kind();
    let mut diffs = Vec::new();
    for (name, want) in desired.iter() {
        let (known, actual) = (last.get(name), live_text.get(name));
        if want == actual.unwrap_or_default() && known == Some(want) {
            continue;
        }
        if is_set(kind, name) {
            diffs.extend(members::owned(name, want, known, actual));
            continue;
        }
        let matches_live = |text: Option<&str>| match (text, info(live, name)) {
            (Some(text), Some(info)) => contains(&info, &value(text)),
            (text, _) => same(text, actual),
        };
        let class = match (same(Some(want), known), matches_live(Some(want))) {
            (true, true) => continue,
            (true, false) => FieldClass::Drift,
            // A field that is owned for the first time and already right needs no line of its own.
            (false, true) => FieldClass::Recorded,
            // What we never applied is no value of ours that somebody else could have changed: it is the default that
            // the service gave the object when it was made.
            (false, false) if known.is_none() || matches_live(known) => FieldClass::Intent,
            (false, false) => FieldClass::Conflict,
        };
        diffs.push(FieldDiff::scalar(name, class, known, actual, Some(want)));
    }
    for (name, known) in last.iter().filter(|(name, _)| desired.get(name).is_none()) {
        let actual = live_text.get(name);
        let class = match (same(None, actual), same(Some(known), actual)) {
            (true, _) => FieldClass::Recorded,
            (false, true) => FieldClass::Released,
            (false, false) => FieldClass::Left,
        };
        diffs.push(FieldDiff::scalar(name, class, Some(known), actual, None));
    }
    diffs
}

/// The fields in which an object that is not ours differs from what it should be.
pub(super) fn foreign(desired: &Fields<'_>, live: &Object, live_text: &Fields<'_>) -> Vec<FieldDiff> {
    let nothing = Fields::default();
    let mut diffs = owned(desired, &nothing, live, live_text);
    diffs.retain(|diff| diff.class != FieldClass::Recorded);
    for diff in &mut diffs {
        diff.class = FieldClass::Intent;
    }
    diffs
}

/// True for a field whose elements are owned one by one.
fn is_set(kind: Kind, name: &str) -> bool {
    kind == Kind::Group && name == "members"
}

/// The live tree of a field of which we own a part only.
fn info(live: &Object, name: &str) -> Option<Value> {
    match live {
        Object::ComponentEndpoint(endpoint) if name == "info" => Some(endpoint.info.tree()),
        _ => None,
    }
}
