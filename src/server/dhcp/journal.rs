//! What is stored: leases before they are acknowledged, many in one write, and the rest now and then, in portions, because
//! whoever waits for a lease waits for what is written with it.
//!
//! One write is under way at a time; what comes meanwhile goes into the next. A lease that cannot be stored is
//! acknowledged all the same: it lasts minutes, it is in memory, and machines go on booting without a database. What could
//! not be stored is stored with what no answer waits for.

use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{Dhcp, Keep};
use crate::clock;
use crate::model::Timestamp;
use crate::snapshot::Change;

/// The most answers that wait to be stored. A client whose answer finds no room asks again.
const WAITING: usize = 16_384;

/// The most changes of one write.
const BATCH: usize = 4096;

/// How often that is stored which no answer waits for.
const UPKEEP: Duration = Duration::from_secs(5);

/// The most of it in one write. Thousands of unknown machines that are seen at once would take tens of milliseconds.
const PORTION: usize = 64;

/// How long an ended lease is remembered, so that its machine gets the same address again: a day.
const REMEMBERED: i64 = 24 * 3600 * 1_000_000;

/// Leases that ended before this moment are forgotten.
pub(super) fn forgotten_before(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(REMEMBERED))
}

/// A change and the answer that waits for it.
struct Waiting {
    change: Change,
    reply: Option<(Arc<UdpSocket>, Vec<u8>, SocketAddrV4)>,
}

/// What waits to be stored.
pub(super) struct Journal {
    queue: mpsc::Sender<Waiting>,
    waiting: Mutex<mpsc::Receiver<Waiting>>,
    keep: Keep,
}

impl Journal {
    pub(super) fn new(keep: Keep) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        Self { queue, waiting: Mutex::new(waiting), keep }
    }

    /// Stores a change, then sends the answer. False when there is no room.
    pub(super) fn push(&self, change: Change, reply: Option<(Arc<UdpSocket>, Vec<u8>, SocketAddrV4)>) -> bool {
        self.queue.try_send(Waiting { change, reply }).is_ok()
    }

    /// Stores until `shutdown`, and then what still waits.
    pub(super) async fn run(&self, dhcp: &Dhcp, report: &impl Fn(Option<String>), shutdown: &CancellationToken) {
        let mut waiting = self.waiting.lock().await;
        let mut upkeep = Upkeep { next: Instant::now() + UPKEEP, left: 0 };
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                _ = timeout_at(upkeep.at(), waiting.recv_many(&mut batch, BATCH)) => {}
            }
            let ending = shutdown.is_cancelled();
            while ending && let Ok(one) = waiting.try_recv() {
                batch.push(one);
            }
            let (mut changes, mut replies) = (Vec::new(), Vec::new());
            for one in batch {
                changes.push(one.change);
                replies.extend(one.reply);
            }
            changes.extend(upkeep.changes(dhcp, Instant::now(), ending));
            if !changes.is_empty() {
                let stored = (self.keep)(changes.clone()).await;
                dhcp.settle(&changes, stored.is_ok());
                upkeep.settle(stored.is_ok());
                report(stored.err());
            }
            for (socket, bytes, to) in replies {
                if let Err(error) = socket.send_to(&bytes, to).await {
                    tracing::debug!(to = %to, error = %error, "an answer could not be sent");
                }
            }
            if ending {
                return;
            }
        }
    }
}

/// When that is stored which no answer waits for.
struct Upkeep {
    /// The next look at what there is.
    next: Instant,
    /// How many changes were found by the last one and are not stored yet. What has come since waits for the next look, so
    /// that a flood of new machines cannot keep the disk busy for ever.
    left: usize,
}

impl Upkeep {
    /// When there is something to do, if no lease has to be stored before.
    fn at(&self) -> Instant {
        if self.left > 0 { Instant::now() } else { self.next }
    }

    /// What goes into the write of this moment: a portion, and the whole of it at the end.
    fn changes(&mut self, dhcp: &Dhcp, now: Instant, ending: bool) -> Vec<Change> {
        if ending || now >= self.next {
            self.left = dhcp.review(clock::now());
            self.next = now + UPKEEP;
        }
        let most = if ending { self.left } else { self.left.min(PORTION) };
        self.left -= most;
        dhcp.upkeep(clock::now(), most)
    }

    /// Takes note of what became of a write: what is left waits for the next look when it failed, because each try holds
    /// up the answers that wait for their own leases.
    fn settle(&mut self, is_stored: bool) {
        if !is_stored {
            self.left = 0;
        }
    }
}

#[cfg(test)]
mod tests;
