//! The built-in target: this program's own store. A plan is one transaction, all or nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Observed, Outcome, Run, Target, TargetError, Work};
use crate::clock;
use crate::model::{EthernetInterface, Object, ObjectKey, Timestamp};
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
            lost: self.store.lost(),
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
            let changes = work.writes.into_iter().map(|write| change(write, at)).collect();
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
