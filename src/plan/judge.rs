//! What is to be done with one object: the table of desired (D), last applied (L) and live (A).
//!
//! | D | L | A | verdict |
//! |---|---|---|---|
//! | yes | | | create |
//! | yes | yes | | recreate: it was deleted outside |
//! | yes | yes | yes | in sync, or an update field by field |
//! | yes | | equal | adopt: it becomes ours without a write |
//! | yes | | differs | adopt and change, with `adopt: always`; refused otherwise |
//! | | yes | yes | delete, or keep; give up, when others put something into it |
//! | | yes | | forget |
//! | | | yes | unmanaged: never touched |

use std::sync::Arc;

use super::compare;
use super::document::FieldClass;
use super::field_diff::FieldDiff;
use super::fields::Fields;
use super::fingerprint::{Digest, digest};
use super::rules::Rules;
use super::writing::{after, is_written, release};
use super::{nouns, shared};
use crate::desired::DesiredObject;
use crate::inventory::Adopt;
use crate::model::{Kind, Object, ObjectKey};
use crate::store::{LedgerChange, LedgerEntry};

/// The three sides of one object.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) key: &'a ObjectKey,
    pub(super) desired: Option<&'a DesiredObject>,
    pub(super) entry: Option<&'a LedgerEntry>,
    pub(super) live: Option<&'a Object>,
    /// True when a secret of what is desired is missing.
    pub(super) waits: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    InSync,
    Create,
    /// Deleted outside. It is drift when the inventory did not change meanwhile.
    Recreate {
        drift: bool,
    },
    Update,
    Adopt,
    AdoptAndChange,
    Delete,
    /// What is ours goes; the object stays, because others put something into it.
    Release,
    Keep,
    Forget,
    Unmanaged,
    Unreadable,
}

/// A verdict and what follows from it.
pub(super) struct Outcome<'a> {
    pub(super) sides: Sides<'a>,
    pub(super) verdict: Verdict,
    pub(super) fields: Vec<FieldDiff>,
    /// The object as it will be, when it is written.
    pub(super) after: Option<Object>,
    pub(super) ledger: Option<LedgerChange>,
    /// True for an adoption that `sync.adopt` does not allow; nothing is written then.
    pub(super) refused: bool,
    /// Why the object cannot be judged.
    pub(super) fault: Option<String>,
    /// Members of a group that are not ours.
    pub(super) foreign: Vec<String>,
    /// Members of a group that the inventory no longer has and that stay ours, because nothing is pruned.
    pub(super) kept: Vec<String>,
    /// The number of its write, once they are ordered.
    pub(super) op: Option<usize>,
    /// What it is and what it will be, once it is known to be told.
    pub(super) digests: Digests,
}

/// The content of an object before and after.
#[derive(Clone, Copy, Default)]
pub(super) struct Digests {
    pub(super) live: Option<Digest>,
    pub(super) after: Option<Digest>,
}

impl Outcome<'_> {
    /// True when the object is created, changed or deleted.
    pub(super) fn writes(&self) -> bool {
        self.after.is_some() || self.verdict == Verdict::Delete
    }

    /// Takes the digests, each once: hashing is a good part of the work of a large plan.
    pub(super) fn hash(&mut self, key: Option<&[u8; 32]>) {
        if matches!(self.verdict, Verdict::Unmanaged | Verdict::Keep | Verdict::Forget) {
            return;
        }
        let live = self.sides.live.map(|object| digest(object, key));
        let after = match (&self.after, self.verdict) {
            (_, Verdict::Delete) => None,
            // What it will be is not known before its secret is.
            (Some(_), _) if self.sides.waits => None,
            (Some(object), _) => Some(digest(object, key)),
            (None, _) => live,
        };
        self.digests = Digests { live, after };
    }

    /// True when the name that people use changed while the object stayed.
    pub(super) fn renamed(&self) -> bool {
        matches!((self.sides.desired, self.sides.entry), (Some(d), Some(l)) if d.name != l.name)
    }
}

/// Judges one object.
pub(super) fn judge<'a>(sides: Sides<'a>, rules: &Rules) -> Outcome<'a> {
    let plain = |verdict| Outcome {
        sides,
        verdict,
        fields: Vec::new(),
        after: None,
        ledger: None,
        refused: false,
        fault: None,
        foreign: Vec::new(),
        kept: Vec::new(),
        op: None,
        digests: Digests::default(),
    };
    match (sides.desired, sides.entry, sides.live) {
        (Some(desired), entry, None) => {
            // What was only about to be created was not deleted by anybody.
            let entry = entry.filter(|entry| !entry.is_intended());
            absent(plain(Verdict::Create), desired, entry, rules)
        }
        (Some(desired), None, Some(live)) => adoption(plain(Verdict::Adopt), desired, live, rules),
        (Some(desired), Some(entry), Some(live)) => owned(plain(Verdict::InSync), desired, entry, live, rules),
        (None, Some(_), Some(_)) if !(rules.prune && rules.complete) => plain(Verdict::Keep),
        (None, Some(_), None) if !rules.complete => plain(Verdict::Keep),
        (None, Some(entry), Some(live)) => {
            let ledger = Some(LedgerChange::Forget(sides.key.clone()));
            given_up(Outcome { ledger, ..plain(Verdict::Delete) }, entry, live, rules)
        }
        (None, Some(_), None) => {
            Outcome { ledger: Some(LedgerChange::Forget(sides.key.clone())), ..plain(Verdict::Forget) }
        }
        (None, None, Some(_)) => plain(Verdict::Unmanaged),
        (None, None, None) => plain(Verdict::InSync),
    }
}

/// An owned object that the inventory no longer has: it goes, but not with what others put into it.
fn given_up<'a>(mut outcome: Outcome<'a>, entry: &LedgerEntry, live: &Object, rules: &Rules) -> Outcome<'a> {
    let key = outcome.sides.key;
    let Some(parts) = shared::parts(key, entry, live) else { return outcome };
    outcome.verdict = Verdict::Release;
    (outcome.fields, outcome.foreign) = (parts.fields, parts.foreign_members);
    release(key, live, &mut outcome.fields, rules);
    if !outcome.fields.iter().any(|field| is_written(field, rules)) {
        return outcome;
    }
    match after(key, live, &outcome.fields, rules) {
        Ok(object) => {
            outcome.after = Some(object);
            outcome
        }
        Err(fault) => unreadable(outcome, fault),
    }
}

fn own(key: &ObjectKey, desired: &DesiredObject, doc: &Arc<str>, rules: &Rules) -> LedgerChange {
    let entry = LedgerEntry {
        doc: doc.clone(),
        owner: desired.owner.clone(),
        name: desired.name.clone(),
        origin: desired.origin.to_string().into(),
        apply: rules.apply,
    };
    LedgerChange::Own(key.clone(), entry)
}

/// The ledger's change where the object itself needs none. That a line moved within a file is not worth a write.
fn remember(
    key: &ObjectKey,
    desired: &DesiredObject,
    doc: &Arc<str>,
    entry: &LedgerEntry,
    rules: &Rules,
) -> Option<LedgerChange> {
    let known = entry.doc == *doc && entry.name == desired.name && entry.owner == desired.owner;
    (!known).then(|| own(key, desired, doc, rules))
}

/// Where the inventory changes an object and drift is only reported, what somebody else changed of that object goes back
/// all the same: a commit that touches an object says what the whole of it should be, and half of each would be neither.
/// Members of a group are owned one by one, so each of them is a whole by itself.
fn settle(fields: &mut [FieldDiff]) {
    let is_set = |field: &FieldDiff| !field.added.is_empty() || !field.removed.is_empty();
    let touched = |field: &FieldDiff| matches!(field.class, FieldClass::Intent | FieldClass::Conflict);
    if fields.iter().any(|field| touched(field) && !is_set(field)) {
        let drift = fields.iter_mut().filter(|field| field.class == FieldClass::Drift && !is_set(field));
        drift.for_each(|field| field.class = FieldClass::Conflict);
    }
}

fn unreadable(mut outcome: Outcome<'_>, fault: String) -> Outcome<'_> {
    outcome.verdict = Verdict::Unreadable;
    outcome.fault = Some(fault);
    outcome.ledger = None;
    outcome
}

fn absent<'a>(
    mut outcome: Outcome<'a>,
    desired: &DesiredObject,
    entry: Option<&LedgerEntry>,
    rules: &Rules,
) -> Outcome<'a> {
    let key = outcome.sides.key;
    if let Some(entry) = entry {
        let drift = entry.doc == desired.doc;
        outcome.verdict = Verdict::Recreate { drift };
        if drift && !rules.correct_drift {
            outcome.ledger = remember(key, desired, &desired.doc, entry, rules);
            return outcome;
        }
    }
    match nouns::fresh(key, &desired.doc, rules.created) {
        Ok(object) => {
            outcome.after = Some(object);
            outcome.ledger = Some(own(key, desired, &desired.doc, rules));
            outcome
        }
        Err(fault) => unreadable(outcome, fault),
    }
}

fn adoption<'a>(mut outcome: Outcome<'a>, desired: &DesiredObject, live: &Object, rules: &Rules) -> Outcome<'a> {
    let key = outcome.sides.key;
    let text = live.to_json();
    let (Some(want), Some(actual)) = (Fields::parse(&desired.doc), Fields::parse(&text)) else {
        return unreadable(outcome, "its fields are no JSON object".to_owned());
    };
    outcome.foreign = shared::foreign_members(key, &want, None, &actual);
    outcome.fields = compare::foreign(&want, live, &actual);
    if outcome.fields.is_empty() {
        outcome.refused = rules.adopt == Adopt::Never;
    } else {
        outcome.verdict = Verdict::AdoptAndChange;
        outcome.refused = rules.adopt != Adopt::Always;
        if !outcome.refused {
            match after(key, live, &outcome.fields, rules) {
                Ok(object) => outcome.after = Some(object),
                Err(fault) => return unreadable(outcome, fault),
            }
        }
    }
    outcome.ledger = (!outcome.refused).then(|| own(key, desired, &desired.doc, rules));
    outcome
}

fn owned<'a>(
    mut outcome: Outcome<'a>,
    desired: &DesiredObject,
    entry: &LedgerEntry,
    live: &Object,
    rules: &Rules,
) -> Outcome<'a> {
    let key = outcome.sides.key;
    let text = live.to_json();
    let mut doc = desired.doc.clone();
    if key.kind == Kind::Group && !(rules.prune && rules.complete) {
        (doc, outcome.kept) = shared::keep_members(doc, &entry.doc, &text);
    }
    let (Some(want), Some(actual)) = (Fields::parse(&doc), Fields::parse(&text)) else {
        return unreadable(outcome, "its fields are no JSON object".to_owned());
    };
    let parsed = (entry.doc != doc).then(|| Fields::parse(&entry.doc).unwrap_or_default());
    let last = parsed.as_ref().unwrap_or(&want);
    outcome.foreign = shared::foreign_members(key, &want, Some(last), &actual);
    outcome.fields = compare::owned(&want, last, live, &actual);
    outcome.ledger = remember(key, desired, &doc, entry, rules);
    if outcome.fields.is_empty() {
        return outcome;
    }
    outcome.verdict = Verdict::Update;
    release(key, live, &mut outcome.fields, rules);
    if !rules.correct_drift {
        settle(&mut outcome.fields);
    }
    match after(key, live, &outcome.fields, rules) {
        Ok(object) => {
            let changes = outcome.fields.iter().any(|field| is_written(field, rules));
            if changes {
                outcome.after = Some(object);
                outcome.ledger = Some(own(key, desired, &doc, rules));
            }
            outcome
        }
        Err(fault) => unreadable(outcome, fault),
    }
}
