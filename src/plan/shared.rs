//! What an owned object holds that is not ours: members of a group and documents of a cloud-init entry that somebody
//! else put there. An object that is given up while it holds any of that stays, without what was ours.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::document::FieldClass;
use super::field_diff::FieldDiff;
use super::fields::{Fields, same, value};
use super::members;
use crate::model::{Kind, Object, ObjectKey};
use crate::store::LedgerEntry;

/// The field of a group whose elements are owned one by one.
const MEMBERS: &str = "members";
/// The documents of a cloud-init entry. A file owns those that it gives.
const DOCUMENTS: [&str; 3] = ["userdata", "metadata", "vendordata"];

/// What is in an object that is given up.
pub(super) struct Parts {
    /// What is ours and goes, and what is not and stays.
    pub(super) fields: Vec<FieldDiff>,
    /// Members of others.
    pub(super) foreign_members: Vec<String>,
}

/// The parts of an object that the inventory no longer has; none when nothing in it is of others, so that it can go as
/// a whole.
pub(super) fn parts(key: &ObjectKey, entry: &LedgerEntry, live: &Object) -> Option<Parts> {
    let text = live.to_json();
    let actual = Fields::parse(&text)?;
    let last = Fields::parse(&entry.doc).unwrap_or_default();
    match key.kind {
        Kind::Group => members_of(&last, &actual),
        Kind::CloudInit | Kind::CloudInitSecure => documents_of(&last, &actual),
        _ => None,
    }
}

fn members_of(last: &Fields<'_>, live: &Fields<'_>) -> Option<Parts> {
    let foreign_members = members::foreign(None, last.get(MEMBERS), live.get(MEMBERS));
    if foreign_members.is_empty() {
        return None;
    }
    let removed = members::common(last.get(MEMBERS), live.get(MEMBERS));
    let fields = (!removed.is_empty()).then(|| FieldDiff {
        name: MEMBERS.to_owned(),
        class: FieldClass::Intent,
        last: None,
        live: None,
        want: None,
        added: Vec::new(),
        removed,
    });
    Some(Parts { fields: fields.into_iter().collect(), foreign_members })
}

fn documents_of(last: &Fields<'_>, live: &Fields<'_>) -> Option<Parts> {
    let present =
        DOCUMENTS.into_iter().filter_map(|name| Some((name, live.get(name).filter(|text| !same(None, Some(*text)))?)));
    let fields: Vec<FieldDiff> = present
        .map(|(name, text)| {
            let known = last.get(name);
            FieldDiff {
                name: name.to_owned(),
                class: if known.is_some() { FieldClass::Released } else { FieldClass::Left },
                last: known.map(value),
                live: Some(value(text)),
                want: None,
                added: Vec::new(),
                removed: Vec::new(),
            }
        })
        .collect();
    let of_others = fields.iter().any(|field| field.class == FieldClass::Left);
    of_others.then_some(Parts { fields, foreign_members: Vec::new() })
}

/// The members of a live group that neither the inventory nor the ledger names.
pub(super) fn foreign_members(
    key: &ObjectKey,
    want: &Fields<'_>,
    last: Option<&Fields<'_>>,
    live: &Fields<'_>,
) -> Vec<String> {
    if key.kind != Kind::Group || want.get(MEMBERS) == live.get(MEMBERS) {
        return Vec::new();
    }
    members::foreign(want.get(MEMBERS), last.and_then(|last| last.get(MEMBERS)), live.get(MEMBERS))
}

/// The owned fields of a group where nothing is pruned: as wanted, and with the members that were ours, are there, and
/// are no longer wanted. Those stay ours, so that they go once pruning is on.
pub(super) fn keep_members(wanted: Arc<str>, last: &str, live: &str) -> (Arc<str>, Vec<String>) {
    let read = |text| Fields::parse(text).and_then(|fields: Fields<'_>| fields.get(MEMBERS)).map(str::to_owned);
    let (want, last, live) = (read(&wanted), read(last), read(live));
    let mut kept = members::common(last.as_deref(), live.as_deref());
    let named = members::common(want.as_deref(), want.as_deref());
    kept.retain(|member| named.binary_search(member).is_err());
    let Some(mut fields) = serde_json::from_str::<Map<String, Value>>(&wanted).ok().filter(|_| !kept.is_empty()) else {
        return (wanted, Vec::new());
    };
    let mut all: Vec<&String> = named.iter().chain(&kept).collect();
    all.sort_unstable();
    fields.insert(MEMBERS.to_owned(), all.into_iter().map(String::as_str).collect());
    (Value::Object(fields).to_string().into(), kept)
}
