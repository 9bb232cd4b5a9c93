//! Where snapshots appear.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::broadcast;

use super::health::Health;
use super::{BootReader, SnapshotReader};
use crate::snapshot::Snapshot;

/// How many steps wait for who follows them. Who is further behind misses the oldest.
const STEPS: usize = 4096;

/// What a store keeps from its beginning to its end, whatever database is behind it: what readers hold, and its health.
#[derive(Clone)]
pub(super) struct Publisher {
    pub(super) snapshots: SnapshotReader,
    pub(super) boot_views: BootReader,
    pub(super) health: Health,
    /// Where the states go that decisions led to one after the other, of which only the last one of a commit is published.
    pub(super) steps: broadcast::Sender<Arc<Snapshot>>,
    /// True while nodes are told what was served before the database was opened, because it has nothing to boot.
    holding: Arc<AtomicBool>,
}

impl Publisher {
    /// Publishes a first snapshot.
    pub(super) fn new(snapshot: Snapshot, health: Health) -> Self {
        let boot_views = BootReader::new(&snapshot);
        let steps = broadcast::Sender::new(STEPS);
        Self { snapshots: SnapshotReader::new(snapshot), boot_views, health, steps, holding: Arc::default() }
    }

    /// Publishes what a database holds that was opened late. With nothing in it to boot, nodes go on with what there was.
    pub(super) fn switch(&self, snapshot: Snapshot) {
        let (nodes, before) = (snapshot.boot.components.len(), self.snapshots.load().boot.components.len());
        tracing::warn!(components = nodes, components.before = before, "the database is open and is served");
        let had_something = !self.boot_views.load().boot_params.is_empty();
        let holds = had_something && snapshot.boot.boot_params.is_empty();
        self.holding.store(holds, Ordering::Relaxed);
        self.health.set_holding(holds);
        self.publish(snapshot);
    }

    /// Publishes a snapshot. Called by one thread at a time: the writer's, or the one that opens the database before there
    /// is a writer.
    pub(super) fn publish(&self, snapshot: Snapshot) {
        if !snapshot.boot.boot_params.is_empty() && self.holding.swap(false, Ordering::Relaxed) {
            self.health.set_holding(false);
        }
        if !self.holding.load(Ordering::Relaxed) {
            self.boot_views.publish(&snapshot);
        }
        self.snapshots.publish(snapshot);
    }
}
