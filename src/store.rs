//! Durable state: one database, one writer, and the snapshots published from it.
//!
//! Reads never come here: servers answer from the [`Snapshot`] a reader loads, which takes no lock and waits for
//! nothing. Every write is a *decision*: a function that sees the newest state, checks what it has to check and names
//! its changes. Decisions run one after the other, so a check and its write cannot be torn apart; those that wait
//! together are committed in one transaction, and a snapshot is published only after its transaction is durable.
//!
//! Only this room names sqlx.

mod ledger;

use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;

pub use ledger::{ApplyRecord, Ledger, LedgerChange, LedgerEntry, Provenance, TargetId};

use crate::snapshot::{BootView, Change, Snapshot};

/// Who makes a write, as drift reports it: `ochami-sync apply`, `api sub=admin`, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author(pub Arc<str>);

/// What a decision came to: the answer for the caller, the changes of objects, and what an apply records with them.
#[derive(Debug)]
pub struct Decision<T> {
    /// Handed back once the changes are durable.
    pub answer: T,
    /// Committed together, in this order.
    pub changes: Vec<Change>,
    /// Changes of what an inventory owns, committed in the same transaction.
    pub ledger: Vec<(TargetId, LedgerChange)>,
    /// The line of history that an apply leaves.
    pub history: Option<ApplyRecord>,
}

impl<T> Decision<T> {
    /// A decision that changes objects only.
    pub fn new(answer: T, changes: Vec<Change>) -> Self {
        Self { answer, changes, ledger: Vec::new(), history: None }
    }
}

/// Why a write did not happen. Nothing of it is stored in either case.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The decision itself refused.
    #[error("refused")]
    Refused(E),
    /// The database did not take it.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Faults of the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The writer has stopped, because the program is shutting down.
    #[error("the store is closed")]
    Closed,
}

/// Hands out the newest whole snapshot; for code of the API role.
#[derive(Clone)]
pub struct SnapshotReader(Arc<ArcSwap<Snapshot>>);

impl SnapshotReader {
    /// The newest snapshot, without waiting.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }
}

/// Hands out the newest boot view, and nothing else; for code of the boot role.
#[derive(Clone)]
pub struct BootReader(Arc<ArcSwap<BootView>>);

impl BootReader {
    /// The newest boot view, without waiting.
    #[must_use]
    pub fn load(&self) -> Arc<BootView> {
        self.0.load_full()
    }
}

/// A handle on the store; cheap to clone.
#[derive(Clone)]
pub struct Store {
    snapshots: SnapshotReader,
    boot_views: BootReader,
    writing: Arc<Mutex<()>>,
}

impl Store {
    /// A store that forgets everything with its last handle, for tests.
    #[must_use]
    pub fn in_memory() -> Self {
        let snapshot = Arc::new(Snapshot::default());
        let boot = snapshot.boot.clone();
        Self {
            snapshots: SnapshotReader(Arc::new(ArcSwap::new(snapshot))),
            boot_views: BootReader(Arc::new(ArcSwap::new(boot))),
            writing: Arc::default(),
        }
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.load()
    }

    /// A reader for code of the API role.
    #[must_use]
    pub fn snapshots(&self) -> SnapshotReader {
        self.snapshots.clone()
    }

    /// A reader for code of the boot role.
    #[must_use]
    pub fn boot_views(&self) -> BootReader {
        self.boot_views.clone()
    }

    /// Runs a decision against the newest state and makes its changes durable. A decision without changes, ledger
    /// changes and history touches no row and publishes nothing.
    ///
    /// # Errors
    ///
    /// [`WriteError::Refused`] with the decision's own error, [`WriteError::Unavailable`] when the database fails.
    #[expect(clippy::unused_async, reason = "the durable writer waits for its transaction")]
    pub async fn write<T, E>(
        &self,
        _author: Author,
        decide: impl FnOnce(&Snapshot) -> Result<Decision<T>, E> + Send + 'static,
    ) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let _guard = self.writing.lock().map_err(|_| StoreError::Closed)?;
        let current = self.snapshot();
        let decision = decide(&current).map_err(WriteError::Refused)?;
        if !decision.changes.is_empty() {
            let mut next = Snapshot::clone(&current);
            next.revision += 1;
            for change in &decision.changes {
                next.apply(change);
            }
            self.boot_views.0.store(next.boot.clone());
            self.snapshots.0.store(Arc::new(next));
        }
        Ok(decision.answer)
    }
}
