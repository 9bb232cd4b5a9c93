//! The verb and the fields of a line: what the objects of a node, taken together, come to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::changes::{Address, is_principal};
use super::compare::FieldDiff;
use super::document::{FieldChange, FieldClass, Subject, Verb};
use super::facts;
use super::fields::Fields;
use super::judge::{Outcome, Verdict};
use crate::desired::Desired;
use crate::model::Kind;
use crate::store::Ledger;

/// The groups of every node, by xname.
#[derive(Default)]
pub(super) struct Groups {
    wanted: BTreeMap<String, Vec<Arc<str>>>,
    last: BTreeMap<String, Vec<Arc<str>>>,
}

impl Groups {
    /// Reads them from the group objects.
    pub(super) fn of(desired: &Desired, ledger: &Ledger) -> Self {
        let mut groups = Self::default();
        for (key, object) in desired.objects.iter().filter(|(key, _)| key.kind == Kind::Group) {
            collect(&mut groups.wanted, &key.id, &object.doc);
        }
        for (key, entry) in ledger.entries.iter().filter(|(key, _)| key.kind == Kind::Group) {
            collect(&mut groups.last, &key.id, &entry.doc);
        }
        groups
    }
}

fn collect(groups: &mut BTreeMap<String, Vec<Arc<str>>>, label: &Arc<str>, doc: &str) {
    let members = Fields::parse(doc).and_then(|fields| fields.get("members"));
    let members: Vec<String> = members.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    for member in members {
        groups.entry(member).or_default().push(label.clone());
    }
}

/// What happens to the subject of a line.
pub(super) fn verb(subject: Subject, parts: &[&Outcome<'_>]) -> Verb {
    let principal = parts.iter().find(|part| is_principal(part));
    let principal = if subject == Subject::Node { principal } else { parts.first() };
    match principal.map(|part| part.verdict) {
        Some(Verdict::Create) if parts.len() == 1 || subject == Subject::Node => return Verb::Create,
        Some(Verdict::Recreate { .. }) => return Verb::Recreate,
        Some(Verdict::Delete) if parts.len() == 1 || subject == Subject::Node => return Verb::Delete,
        _ => {}
    }
    if subject == Subject::Boot
        && let Some((old, new)) = rekeyed(parts)
    {
        return if boots_the_same(old, new) { Verb::Replace } else { Verb::Update };
    }
    let has = |verdict| parts.iter().any(|part| part.verdict == verdict);
    let all = |verdict| parts.iter().all(|part| part.verdict == verdict);
    let changes = parts.iter().any(|part| part.writes());
    if replaces_interface(parts) {
        Verb::Replace
    } else if principal.is_some_and(|part| is_principal(part) && part.renamed()) {
        Verb::Rename
    } else if has(Verdict::AdoptAndChange) {
        Verb::AdoptAndChange
    } else if all(Verdict::Adopt) {
        Verb::Adopt
    } else if !changes && parts.iter().all(|part| is_settled(part)) {
        Verb::Record
    } else {
        Verb::Update
    }
}

/// True when the ledger is told and nothing else happens.
fn is_settled(part: &Outcome<'_>) -> bool {
    part.verdict == Verdict::Adopt || part.fields.iter().all(|field| field.class == FieldClass::Recorded)
}

/// True when a node loses one interface and gets another.
pub(super) fn replaces_interface(parts: &[&Outcome<'_>]) -> bool {
    !facts::replaced(parts).is_empty()
}

/// The boot entry that goes and the one that comes, when a line has one of each.
pub(super) fn rekeyed<'p, 'a>(parts: &[&'p Outcome<'a>]) -> Option<(&'p Outcome<'a>, &'p Outcome<'a>)> {
    let [first, second] = *parts else { return None };
    let (old, new) = if first.verdict == Verdict::Delete { (first, second) } else { (second, first) };
    (old.verdict == Verdict::Delete && new.verdict == Verdict::Create).then_some((old, new))
}

/// True when both boot the same thing.
pub(super) fn boots_the_same(old: &Outcome<'_>, new: &Outcome<'_>) -> bool {
    facts::boot_config(old).is_some() && facts::boot_config(old) == facts::boot_config(new)
}

/// The fields of a line of the changes.
pub(super) fn fields(address: &Address, verb: Verb, parts: &[&Outcome<'_>], groups: &Groups) -> Vec<FieldChange> {
    let (subject, id) = address;
    let mut fields = match verb {
        Verb::Create | Verb::Recreate => facts::created(parts),
        Verb::Delete => Vec::new(),
        _ => differences(parts),
    };
    facts::sort(&mut fields);
    let known = if verb == Verb::Delete { &groups.last } else { &groups.wanted };
    if *subject == Subject::Node
        && matches!(verb, Verb::Create | Verb::Recreate | Verb::Delete)
        && let Some(labels) = known.get(&**id)
    {
        let labels = Some(Value::from_iter(labels.iter().map(|label| &**label)));
        let mut field = facts::field("/groups", FieldClass::Intent);
        *(if verb == Verb::Delete { &mut field.last } else { &mut field.want }) = labels;
        fields.push(field);
    }
    if verb == Verb::Rename
        && let Some(part) = parts.iter().find(|part| is_principal(part))
    {
        let mut field = facts::field("/name", FieldClass::Intent);
        let last = part.sides.entry.map(|entry| Value::from(&*entry.name));
        (field.last, field.live) = (last.clone(), last);
        field.want = part.sides.desired.map(|desired| Value::from(&*desired.name));
        fields.insert(0, field);
    }
    fields
}

/// The fields of a line of the drift.
pub(super) fn drift(address: &Address, parts: &[&Outcome<'_>]) -> Vec<FieldChange> {
    let mut fields = Vec::new();
    for part in parts {
        if part.verdict == (Verdict::Recreate { drift: true }) {
            let mut field = facts::field(&facts::place_of(part), FieldClass::Drift);
            field.sensitive = part.sides.key.kind.is_secret();
            let gone = if address.0 == Subject::Node { part.sides.key.to_string() } else { "present".to_owned() };
            (field.last, field.want) = (Some(Value::from(&*gone)), Some(Value::from(gone)));
            fields.push(field);
        }
        let drifted = part.fields.iter().filter(|field| field.class == FieldClass::Drift);
        fields.extend(drifted.map(|diff| shown(part, diff)));
    }
    fields
}

fn differences(parts: &[&Outcome<'_>]) -> Vec<FieldChange> {
    let mut fields = Vec::new();
    let replaced = facts::replaced(parts);
    for (old, new) in &replaced {
        fields.extend(facts::replacement(old, new));
    }
    let is_replaced =
        |part: &Outcome<'_>| replaced.iter().any(|(old, new)| [old, new].iter().any(|o| o.sides.key == part.sides.key));
    let boots: Vec<&Outcome<'_>> =
        parts.iter().copied().filter(|part| part.sides.key.kind == Kind::BootParams).collect();
    let boot = rekeyed(&boots);
    if let Some((old, new)) = boot {
        fields.extend(facts::replacement(old, new));
    }
    for part in parts.iter().filter(|part| !is_replaced(part)) {
        match part.verdict {
            _ if boot.is_some() && part.sides.key.kind == Kind::BootParams => {}
            Verdict::Create | Verdict::Recreate { drift: false } => fields.extend(facts::part(part, true)),
            Verdict::Delete => fields.extend(facts::part(part, false)),
            _ => {
                let differing = part.fields.iter().filter(|field| field.class != FieldClass::Drift);
                fields.extend(differing.map(|diff| shown(part, diff)));
            }
        }
    }
    fields
}

/// A difference as the document shows it. Of a secret, only that it changed.
fn shown(part: &Outcome<'_>, diff: &FieldDiff) -> FieldChange {
    let mut field = facts::field(&format!("{}/{}", facts::prefix(part), diff.name), diff.class);
    if part.sides.key.kind.is_secret() {
        field.sensitive = true;
        field.want = Some(Value::from("changed"));
        return field;
    }
    (field.last, field.live, field.want) = (diff.last.clone(), diff.live.clone(), diff.want.clone());
    (field.added, field.removed) = (diff.added.clone(), diff.removed.clone());
    field
}
