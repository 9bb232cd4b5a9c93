//! The built-in target: this program's own store. A plan is one transaction, all or nothing.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::{Observed, Outcome, Run, Target, TargetError, Work};
use crate::clock;
use crate::model::{EthernetInterface, Kind, Object, ObjectKey, Timestamp, Xname};
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

    async fn observe(&self, cluster_id: &str) -> Result<Observed, TargetError> {
        let ledger = self.store.ledger(&self.id(cluster_id)).await?;
        Ok(Observed {
            live: self.store.snapshot(),
            ledger,
            unreadable: Vec::new(),
            incomplete: self.store.incomplete(),
            services: BTreeMap::from([("store".to_owned(), "builtin".to_owned())]),
        })
    }

    async fn apply(&self, run: Run, _observed: &Observed, work: Work) -> Result<Outcome, TargetError> {
        let written = work.writes.len() as u64;
        if work.writes.is_empty() && work.ledger.is_empty() {
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
            check_unchanged(snapshot, &work.writes)?;
            let own = work.writes.iter().map(|write| &write.ledger).chain(&work.ledger);
            let ledger: Vec<(TargetId, LedgerChange)> =
                own.map(|change| (decided_for.clone(), change.clone())).collect();
            let mut changes: Vec<Change> = work.writes.into_iter().map(|write| change(write, at)).collect();
            changes.extend(leave_partitions(snapshot, &changes));
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

/// Holds the plan against the state it is about to change: no object may differ from what the plan was made of.
fn check_unchanged(snapshot: &Snapshot, writes: &[Write]) -> Result<(), ObjectKey> {
    let stale = writes.iter().find(|write| snapshot.object(&write.key) != write.before);
    stale.map_or(Ok(()), |write| Err(write.key.clone()))
}

/// The change of the snapshot that a write means. Interfaces carry the moment of their last change, as in SMD.
fn change(write: Write, at: Timestamp) -> Change {
    match write.object {
        Some(Object::EthernetInterface(interface)) => {
            let interface = EthernetInterface { last_update: at, ..Arc::unwrap_or_clone(interface) };
            Change::Put(Object::EthernetInterface(Arc::new(interface)))
        }
        Some(object) => Change::Put(object),
        None => Change::Delete(write.key),
    }
}

/// Components that are deleted drop out of their partitions, which no inventory describes, as a real SMD has it.
fn leave_partitions(snapshot: &Snapshot, changes: &[Change]) -> Vec<Change> {
    let component = |change: &Change| match change {
        Change::Delete(key) if key.kind == Kind::Component => key.id.parse().ok(),
        _ => None,
    };
    let gone: HashSet<Xname> = changes.iter().filter_map(component).collect();
    if gone.is_empty() { Vec::new() } else { snapshot.leave_partitions(|id| gone.contains(id)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Component, Partition, Record};
    use crate::plan::Action;
    use crate::store::Author;

    #[tokio::test]
    async fn a_component_that_a_plan_deletes_leaves_its_partition() {
        let store = Store::in_memory();
        let ids: [Xname; 2] = ["x1c0s0b0n0", "x1c0s0b0n1"].map(|id| id.parse().unwrap());
        let components = ids.clone().map(|id| Object::Component(Arc::new(Component::bare(id))));
        let partition = Partition {
            name: "p1".parse().unwrap(),
            description: String::new(),
            tags: Vec::new(),
            members: ids.iter().cloned().collect(),
        };
        let mut changes = components.clone().map(Change::Put).to_vec();
        changes.push(Change::PutRecord(Record::Partition(Arc::new(partition))));
        let author = Author("test".into());
        store.write(author.clone(), move |_| Ok::<_, ()>(Decision::new((), changes))).await.unwrap();

        let [doomed, _] = components;
        let write = Write {
            op: "o1".to_owned(),
            action: Action::Delete,
            key: doomed.key(),
            object: None,
            ledger: LedgerChange::Forget(doomed.key()),
            before: Some(doomed),
            owner: None,
        };
        let target = Builtin::new(store.clone());
        let observed = target.observe("demo").await.unwrap();
        let run = Run { plan: "p".to_owned(), cluster_id: "demo".to_owned(), inventory: "i".to_owned(), author };
        target.apply(run, &observed, Work { writes: vec![write], ledger: Vec::new() }).await.unwrap();
        let snapshot = store.snapshot();
        assert_eq!(snapshot.partition_of(&ids[0]), None);
        assert_eq!(snapshot.partition_of(&ids[1]).unwrap().members.len(), 1);
    }
}
