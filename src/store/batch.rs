//! What a run of decisions comes to, before any of it is stored: the next snapshot, and the rows that make it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::intern::Interner;
use super::secrets::Secrets;
use super::unreadable::Unreadable;
use super::{ApplyRecord, Author, LedgerChange, LedgerEntry, StoreError, TargetId};
use crate::model::{Kind, Object, ObjectKey, Record, Table};
use crate::snapshot::{Change, Snapshot};

/// What one decision wants written.
pub(super) struct Effects {
    pub(super) author: Author,
    pub(super) changes: Vec<Change>,
    pub(super) ledger: Vec<(TargetId, LedgerChange)>,
    pub(super) history: Option<(TargetId, ApplyRecord)>,
}

/// The row of an object that was changed; without an object it is deleted.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) object: Option<Object>,
    pub(super) revision: u64,
    pub(super) writer: Author,
}

/// The row of a record that was changed; without a record it is deleted.
#[derive(Debug)]
pub(super) struct RecordRow {
    pub(super) record: Option<Record>,
    pub(super) revision: u64,
    pub(super) writer: Author,
}

/// The row of an owned object, and which of the batch's applies wrote it.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) entry: LedgerEntry,
    pub(super) apply: Option<usize>,
}

/// The decisions of one transaction. A row that several of them change is stored once, as the last one left it.
#[derive(Debug)]
pub(super) struct Batch {
    /// What the batch starts from, which is what is stored.
    pub(super) base: Snapshot,
    /// The newest state with everything in the batch; what the next decision sees.
    pub(super) snapshot: Snapshot,
    pub(super) rows: BTreeMap<ObjectKey, Row>,
    pub(super) records: BTreeMap<(Table, Arc<str>), RecordRow>,
    /// Nothing in the place of an entry means that the object is owned no longer.
    pub(super) ledger: BTreeMap<(TargetId, ObjectKey), Option<Owned>>,
    pub(super) history: Vec<(TargetId, ApplyRecord)>,
    /// The states with changed components that the decisions led to, while there are subscriptions to them.
    pub(super) steps: Vec<Arc<Snapshot>>,
}

impl Batch {
    /// An empty batch over a published snapshot.
    pub(super) fn new(current: &Snapshot) -> Self {
        Self {
            base: current.clone(),
            snapshot: current.clone(),
            rows: BTreeMap::new(),
            records: BTreeMap::new(),
            ledger: BTreeMap::new(),
            history: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// True when there is nothing to store.
    pub(super) fn is_empty(&self) -> bool {
        self.snapshot.revision == self.base.revision
    }

    /// Adds a decision whole, or not at all. Changes that change nothing are left out; a decision that comes to nothing
    /// does not raise the revision.
    ///
    /// # Errors
    ///
    /// [`StoreError::SecretsKey`] when something of a secret kind has to be stored and cannot be encrypted.
    pub(super) fn add(
        &mut self,
        effects: Effects,
        secrets: &Secrets,
        unreadable: &Unreadable,
        interner: &mut Interner,
    ) -> Result<(), StoreError> {
        let Effects { author, changes, ledger, history } = effects;
        let mut next = self.snapshot.clone();
        next.revision += 1;
        let revision = next.revision;
        let mut rows = Vec::with_capacity(changes.len());
        let mut records = Vec::new();
        let mut row = |key, object| rows.push((key, Row { object, revision, writer: author.clone() }));
        for change in changes {
            match change {
                Change::Put(object) => {
                    let object = interner.share_boot_config(object);
                    if !next.holds(&object) {
                        let key = object.key();
                        if key.kind.is_secret() {
                            secrets.usable()?;
                        }
                        next.apply(&Change::Put(object.clone()));
                        row(key, Some(object));
                    }
                }
                Change::Delete(key) => {
                    // The stored row has the canonical spelling of the identifier, whatever the caller wrote.
                    if let Some(present) = next.object(&key) {
                        let key = present.key();
                        next.apply(&Change::Delete(key.clone()));
                        row(key, None);
                    } else if unreadable.contains(&key) {
                        row(key, None);
                    }
                }
                Change::PutRecord(record) => {
                    if !next.records.holds(&record) {
                        let key = (record.table(), record.id().into());
                        let stored = RecordRow { record: Some(record.clone()), revision, writer: author.clone() };
                        next.apply(&Change::PutRecord(record));
                        records.push((key, stored));
                    }
                }
                Change::DeleteRecord(table, id) => {
                    // As with objects, the stored row has the canonical spelling.
                    if let Some(present) = next.records.get(table, &id) {
                        let key = (table, present.id().into());
                        next.apply(&Change::DeleteRecord(table, id));
                        records.push((key, RecordRow { record: None, revision, writer: author.clone() }));
                    }
                }
            }
        }
        for (_, change) in &ledger {
            match change {
                LedgerChange::Own(key, _) if key.kind.is_secret() => secrets.usable()?,
                // An object that cannot be read is not in the snapshot, so that no plan can delete it: it goes when
                // its owner gives it up.
                LedgerChange::Forget(key) if unreadable.contains(key) && next.object(key).is_none() => {
                    row(key.clone(), None);
                }
                LedgerChange::Own(..) | LedgerChange::Forget(_) => {}
            }
        }
        if rows.is_empty() && records.is_empty() && ledger.is_empty() && history.is_none() {
            return Ok(());
        }
        let apply = history.is_some().then_some(self.history.len());
        self.history.extend(history);
        for (target, change) in ledger {
            let (key, owned) = match change {
                LedgerChange::Own(key, entry) => (key, Some(Owned { entry, apply })),
                LedgerChange::Forget(key) => (key, None),
            };
            self.ledger.insert((target, key), owned);
        }
        if !next.records.subscriptions.is_empty() && rows.iter().any(|(key, _)| key.kind == Kind::Component) {
            self.steps.push(Arc::new(next.clone()));
        }
        self.rows.extend(rows);
        self.records.extend(records);
        self.snapshot = next;
        Ok(())
    }
}
