//! The verb and the fields of a line: what the objects of a node, taken together, come to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::address::{Address, is_principal};
use super::document::{FieldChange, FieldClass, Foreign, Subject, Verb};
use super::facts::{self, Side};
use super::field_diff::FieldDiff;
use super::fields::Fields;
use super::judge::{Outcome, Verdict};
use super::moves;
use crate::desired::Desired;
use crate::model::{Kind, Object};
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
pub(super) fn verb(address: &Address, parts: &[&Outcome<'_>]) -> Verb {
    let (subject, id) = address;
    let principal = parts.iter().find(|part| is_principal(part) && part.sides.key.id == *id);
    let all = |verdict| !parts.is_empty() && parts.iter().all(|part| part.verdict == verdict);
    // A node lives and dies with its component; anything else only as a whole.
    let life = |wanted: fn(Verdict) -> bool| match subject {
        Subject::Node => principal.is_some_and(|part| wanted(part.verdict)),
        _ => parts.iter().all(|part| wanted(part.verdict)),
    };
    if life(|verdict| verdict == Verdict::Create) {
        return if moves::former(id, parts).is_some() { Verb::Replace } else { Verb::Create };
    }
    if life(|verdict| matches!(verdict, Verdict::Recreate { .. })) {
        return Verb::Recreate;
    }
    if life(|verdict| verdict == Verdict::Delete) {
        return Verb::Delete;
    }
    if all(Verdict::Release) {
        return Verb::Release;
    }
    if *subject == Subject::Boot
        && parts.len() == 2
        && let Some((old, new)) = rekeyed(parts)
    {
        return if boots_the_same(old, new) { Verb::Replace } else { Verb::Update };
    }
    let has = |verdict| parts.iter().any(|part| part.verdict == verdict);
    let changes = parts.iter().any(|part| part.writes());
    if !moves::replaced(id, parts).is_empty() {
        Verb::Replace
    } else if principal.is_some_and(|part| part.renamed()) {
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

/// The boot entry that comes and the one in the place of which it comes, when a line has such a pair.
pub(super) fn rekeyed<'p, 'a>(parts: &[&'p Outcome<'a>]) -> Option<(&'p Outcome<'a>, &'p Outcome<'a>)> {
    let of = |verdict| parts.iter().copied().filter(move |part| part.verdict == verdict);
    let new = of(Verdict::Create).next()?;
    let old = of(Verdict::Delete).find(|old| boots_the_same(old, new)).or_else(|| of(Verdict::Delete).next())?;
    Some((old, new))
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
        _ => differences(id, parts),
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
    if matches!(verb, Verb::Rename | Verb::Replace) {
        let mut principals: Vec<_> = parts.iter().filter(|part| is_principal(part)).collect();
        principals.sort_by_key(|part| part.sides.key.id == *id);
        if let (Some(old), Some(new)) = (principals.first(), principals.last()) {
            let names = [old.sides.entry.map(|entry| &entry.name), new.sides.desired.map(|desired| &desired.name)];
            fields.splice(0..0, another("/name", names));
            fields.splice(0..0, another("/xname", [Some(&old.sides.key.id), Some(&new.sides.key.id)]));
        }
    }
    fields
}

/// The field of a text of which there is now another one; none where it is the same.
fn another(path: &str, [old, new]: [Option<&Arc<str>>; 2]) -> Option<FieldChange> {
    if old == new {
        return None;
    }
    let mut field = facts::field(path, FieldClass::Intent);
    field.last = old.map(|text| Value::from(&**text));
    field.live.clone_from(&field.last);
    field.want = new.map(|text| Value::from(&**text));
    Some(field)
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

fn differences(id: &str, parts: &[&Outcome<'_>]) -> Vec<FieldChange> {
    if moves::former(id, parts).is_some() {
        return moved_node(parts);
    }
    let mut pairs = moves::replaced(id, parts);
    let boots: Vec<&Outcome<'_>> =
        parts.iter().copied().filter(|part| part.sides.key.kind == Kind::BootParams).collect();
    pairs.extend(rekeyed(&boots));
    let mut fields: Vec<FieldChange> =
        pairs.iter().flat_map(|(old, new)| facts::replacement(&[*old], &[*new])).collect();
    let is_told = |part: &Outcome<'_>| {
        pairs.iter().any(|(old, new)| [old, new].iter().any(|told| told.sides.key == part.sides.key))
    };
    for part in parts.iter().filter(|part| !is_told(part)) {
        match part.verdict {
            _ if moves::arrives(id, part) => fields.extend(facts::part(part, Side::After)),
            _ if moves::leaves(id, part) => fields.extend(facts::part(part, Side::Before)),
            Verdict::Create | Verdict::Recreate { drift: false } => fields.extend(facts::part(part, Side::After)),
            Verdict::Delete => fields.extend(facts::part(part, Side::Before)),
            _ => fields.extend(intended(part)),
        }
    }
    fields
}

/// What is different about a node at its new place: the objects that come against those that go, those that go along
/// as they were and as they will be.
fn moved_node(parts: &[&Outcome<'_>]) -> Vec<FieldChange> {
    let comes_or_goes = |part: &Outcome<'_>| matches!(part.verdict, Verdict::Create | Verdict::Delete);
    let of = |without: Verdict| -> Vec<&Outcome<'_>> {
        let known =
            |part: &&&Outcome<'_>| part.verdict != without && (comes_or_goes(part) || moves::moved(part).is_some());
        parts.iter().filter(known).copied().collect()
    };
    let mut fields = facts::replacement(&of(Verdict::Create), &of(Verdict::Delete));
    let others = parts.iter().filter(|part| !comes_or_goes(part) && moves::moved(part).is_none());
    fields.extend(others.flat_map(|part| intended(part)));
    fields
}

/// An object that may not become ours, with nothing told of the other objects of its line.
pub(super) fn foreign(part: &Outcome<'_>) -> Foreign {
    Foreign { object: part.sides.key.to_string(), fields: intended(part).collect() }
}

fn intended(part: &Outcome<'_>) -> impl Iterator<Item = FieldChange> {
    part.fields.iter().filter(|field| field.class != FieldClass::Drift).map(|diff| shown(part, diff))
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
    if part.sides.key.kind == Kind::CloudInitGroup && diff.name == "content" {
        decode(part, &mut field);
    }
    (field.added, field.removed) = (diff.added.clone(), diff.removed.clone());
    field
}

/// Shows the files of a group as the texts that they are, each by the encoding that stands beside it.
fn decode(part: &Outcome<'_>, field: &mut FieldChange) {
    let encoding = |doc: Option<&str>| -> String {
        let encoding = doc.and_then(Fields::parse).and_then(|fields| fields.get("encoding").map(str::to_owned));
        encoding.map(|text| text.trim_matches('"').to_owned()).unwrap_or_default()
    };
    let live = match part.sides.live {
        Some(Object::CloudInitGroup(group)) => group.encoding.clone(),
        _ => String::new(),
    };
    let last = encoding(part.sides.entry.map(|entry| &*entry.doc));
    let want = encoding(part.sides.desired.map(|desired| &*desired.doc));
    for (side, encoding) in [(&mut field.last, last), (&mut field.live, live), (&mut field.want, want)] {
        *side = side.take().map(|content| facts::readable(content, &encoding));
    }
}
