//! The built-in target: this program's own store. A plan is one transaction, all or nothing.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Observed, Outcome, Run, Target, TargetError, Work};
use crate::clock;
use crate::desired::Desired;
use crate::model::{EthernetInterface, Kind, Object, ObjectKey, Table, Timestamp, Xname};
use crate::plan::Write;
use crate::snapshot::{Change, Snapshot};
use crate::store::{ApplyRecord, Decision, LedgerChange, Store, TargetId, WriteError};

/// The store as a target.
#[derive(Clone)]
pub struct Builtin {
    store: Store,
}

impl Builtin {
    /// The target that applies to `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Target for Builtin {
    fn id(&self, cluster_id: &str) -> TargetId {
        TargetId(format!("{cluster_id}/builtin").into())
    }

    fn is_transactional(&self) -> bool {
        true
    }

    async fn observe(&self, desired: &Desired) -> Result<Observed, TargetError> {
        let ledger = self.store.ledger(&self.id(&desired.cluster_id)).await?;
        Ok(Observed {
            live: self.store.snapshot(),
            ledger,
            unreadable: Vec::new(),
            lost: self.store.lost(),
            notes: Vec::new(),
            incomplete: self.store.incomplete(),
            services: ["smd", "bss", "cloud_init"].map(|service| (service.to_owned(), "builtin".to_owned())).into(),
        })
    }

    async fn apply(&self, run: Run, _observed: &Observed, work: Work) -> Result<Outcome, TargetError> {
        let written = work.writes.len() as u64;
        if work.writes.is_empty() && work.ledger.is_empty() && work.moved.is_empty() {
            return Ok(Outcome::default());
        }
        let target = self.id(&run.cluster_id);
        let at = clock::now();
        let history = ApplyRecord {
            number: 0,
            at,
            plan: run.plan.clone(),
            author: run.author.0.to_string(),
            inventory: run.inventory.clone(),
            writes: written,
            result: "applied".to_owned(),
        };
        let decided_for = target.clone();
        let decide = move |snapshot: &Snapshot| -> Result<Decision<()>, ObjectKey> {
            let changes = work.writes.iter().map(|write| change(snapshot, write, at)).collect::<Result<Vec<_>, _>>()?;
            let left = left_behind(snapshot, &changes);
            let changes = changes.into_iter().chain(left).collect();
            let own = work.writes.into_iter().map(|write| write.ledger).chain(work.ledger);
            let mut ledger = work.moved;
            ledger.extend(own.map(|change| (decided_for.clone(), change)));
            Ok(Decision { answer: (), changes, ledger, history: Some((decided_for, history)) })
        };
        match self.store.write(run.author, decide).await {
            Ok(()) => {}
            Err(WriteError::Refused(key)) => return Err(TargetError::Stale { key }),
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
        let apply = self.store.last_apply(&target).await?.map_or(0, |record| record.number);
        Ok(Outcome { apply, written, failures: Vec::new() })
    }
}

/// What the services and the nodes change by themselves while a cluster runs. No inventory owns any of it.
const VOLATILE: [&str; 4] = ["state", "flag", "software_status", "last_update"];

/// The change of the snapshot that a write means, made of the state that it is about to change. Interfaces carry the
/// moment of their last change, as in SMD.
///
/// # Errors
///
/// The object, when something of it that is ours or about to change differs from what the plan was made of.
fn change(snapshot: &Snapshot, write: &Write, at: Timestamp) -> Result<Change, ObjectKey> {
    let now = snapshot.object(&write.key);
    let object = if now == write.before {
        write.object.clone()
    } else {
        let (Some(before), Some(now)) = (&write.before, &now) else { return Err(write.key.clone()) };
        rebased(before, now, write).ok_or_else(|| write.key.clone())?
    };
    Ok(match object {
        Some(Object::EthernetInterface(interface)) => {
            let interface = EthernetInterface { last_update: at, ..Arc::unwrap_or_clone(interface) };
            Change::Put(Object::EthernetInterface(Arc::new(interface)))
        }
        Some(object) => Change::Put(object),
        None => Change::Delete(write.key.clone()),
    })
}

/// What a write makes of an object that changed after the plan was made: the fields of the write, and everything else
/// as it is by now. None when the plan no longer holds. A delete holds as long as nothing but volatile fields changed.
fn rebased(before: &Object, now: &Object, write: &Write) -> Option<Option<Object>> {
    let (before, mut fields) = (before.fields(), now.fields());
    let after = write.object.as_ref().map(Object::fields);
    let owned: Map<String, Value> = match &write.ledger {
        LedgerChange::Own(_, entry) => serde_json::from_str(&entry.doc).ok()?,
        LedgerChange::Forget(_) => Map::new(),
    };
    let concerns = |name: &str| match &after {
        _ if VOLATILE.contains(&name) => false,
        Some(after) => owned.contains_key(name) || before.get(name) != after.get(name),
        None => true,
    };
    let names: BTreeSet<String> = before.keys().chain(fields.keys()).cloned().collect();
    if names.iter().any(|name| concerns(name) && before.get(name) != fields.get(name)) {
        return None;
    }
    let Some(after) = after else { return Some(None) };
    let changed: Vec<&String> =
        before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name)).collect();
    for name in changed {
        match after.get(name) {
            Some(value) => drop(fields.insert(name.clone(), value.clone())),
            None => drop(fields.remove(name)),
        }
    }
    Object::from_fields(&write.key, fields).ok().map(Some)
}

/// Components that are deleted drop out of their partitions and lose their reservations, none of which an inventory
/// describes, as a real SMD has it.
fn left_behind(snapshot: &Snapshot, changes: &[Change]) -> Vec<Change> {
    let component = |change: &Change| match change {
        Change::Delete(key) if key.kind == Kind::Component => key.id.parse().ok(),
        _ => None,
    };
    let gone: HashSet<Xname> = changes.iter().filter_map(component).collect();
    if gone.is_empty() {
        return Vec::new();
    }
    let released = gone.iter().map(|id| Change::DeleteRecord(Table::Reservation, id.as_str().into()));
    snapshot.leave_partitions(|id| gone.contains(id)).into_iter().chain(released).collect()
}

#[cfg(test)]
mod tests;
