//! What is stored: leases before they are acknowledged, many in one write, and the rest now and then.
//!
//! One write is under way at a time; what comes meanwhile goes into the next. A lease that cannot be stored is
//! acknowledged all the same: it lasts minutes, it is in memory, and machines go on booting without a database.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{Dhcp, Keep};
use crate::clock;
use crate::model::{Table, Timestamp};
use crate::snapshot::Change;

/// The most answers that wait to be stored. A client whose answer finds no room asks again.
const WAITING: usize = 16_384;

/// The most changes of one write.
const BATCH: usize = 4096;

/// How often that is stored which no answer waits for.
const UPKEEP: Duration = Duration::from_secs(5);

/// How long an ended lease is remembered, so that its machine gets the same address again: a day.
const REMEMBERED: i64 = 24 * 3600 * 1_000_000;

/// Leases that ended before this moment are forgotten.
pub(super) fn forgotten_before(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(REMEMBERED))
}

/// The change that forgets a lease.
pub(super) fn delete(ip: Ipv4Addr) -> Change {
    Change::DeleteRecord(Table::DhcpLease, ip.to_string().into())
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
        let mut next_upkeep = Instant::now() + UPKEEP;
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                _ = timeout_at(next_upkeep, waiting.recv_many(&mut batch, BATCH)) => {}
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
            if ending || Instant::now() >= next_upkeep {
                changes.extend(dhcp.upkeep(clock::now()));
                next_upkeep = Instant::now() + UPKEEP;
            }
            if !changes.is_empty() {
                report((self.keep)(changes).await.err());
            }
            for (socket, bytes, to) in replies {
                super::socket::send(&socket, &bytes, to);
            }
            if ending {
                return;
            }
        }
    }
}
