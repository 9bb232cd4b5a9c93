//! What hands out published state. A reader takes no lock and waits for nothing.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::snapshot::{BootView, Snapshot};

/// Hands out the newest whole snapshot; for code of the API role.
#[derive(Clone)]
pub struct SnapshotReader {
    newest: Arc<ArcSwap<Snapshot>>,
    revisions: watch::Sender<u64>,
}

impl SnapshotReader {
    pub(super) fn new(snapshot: Snapshot) -> Self {
        let revisions = watch::Sender::new(snapshot.revision);
        Self { newest: Arc::new(ArcSwap::from_pointee(snapshot)), revisions }
    }

    pub(super) fn publish(&self, snapshot: Snapshot) {
        let revision = snapshot.revision;
        self.newest.store(Arc::new(snapshot));
        self.revisions.send_replace(revision);
    }

    /// The newest snapshot, without waiting.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.newest.load_full()
    }

    /// Tells when there is a newer snapshot. Whoever is slow sees the newest and not every one before it.
    #[must_use]
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.revisions.subscribe()
    }
}

/// Hands out the newest boot view, and nothing else; for code of the boot role.
#[derive(Clone)]
pub struct BootReader(Arc<ArcSwap<BootView>>);

impl BootReader {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        Self(Arc::new(ArcSwap::new(snapshot.boot.clone())))
    }

    pub(super) fn publish(&self, snapshot: &Snapshot) {
        self.0.store(snapshot.boot.clone());
    }

    /// The newest boot view, without waiting.
    #[must_use]
    pub fn load(&self) -> Arc<BootView> {
        self.0.load_full()
    }
}
