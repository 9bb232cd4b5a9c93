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
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::FutureExt as _;

    use super::*;
    use crate::model::{DhcpLease, MacAddr, Record, Records, Table};
    use crate::server::dhcp::BootSettings;
    use crate::server::dhcp::request::Request;
    use crate::store::Store;

    fn lease(last: u8) -> Change {
        let lease = DhcpLease { ip: [10, 0, 0, last].into(), mac: None, expires: Timestamp(i64::MAX) };
        Change::PutRecord(Record::DhcpLease(Arc::new(lease)))
    }

    async fn sockets() -> (Arc<UdpSocket>, UdpSocket, SocketAddrV4) {
        let ours = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let SocketAddr::V4(to) = client.local_addr().unwrap() else { panic!("an IPv4 socket") };
        (ours, client, to)
    }

    fn dhcp(keep: Keep) -> Arc<Dhcp> {
        let flags = BootSettings { boot_url: None, boot_port: 80, boot_reachable: true, tftp: true };
        Dhcp::new(Store::in_memory().boot_views(), flags, &Records::default(), keep)
    }

    /// Pushes one lease with an answer, waits for the answer, and tells what was reported until the end.
    async fn answered(keep: Keep) -> Vec<Option<String>> {
        let (dhcp, (ours, client, to)) = (dhcp(keep), sockets().await);
        assert!(dhcp.journal.push(lease(1), Some((ours, b"ack".to_vec(), to))));
        let (reports, shutdown) = (std::sync::Mutex::new(Vec::new()), CancellationToken::new());
        let (mut buffer, deadline) = ([0; 8], Duration::from_secs(20));
        let report = |reason| reports.lock().unwrap().push(reason);
        let waiting = async {
            let length = tokio::time::timeout(deadline, client.recv(&mut buffer)).await.unwrap().unwrap();
            shutdown.cancel();
            length
        };
        let ((), length) = tokio::join!(dhcp.run(report, &shutdown), waiting);
        assert_eq!(&buffer[..length], b"ack");
        reports.into_inner().unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_sent_when_its_lease_is_stored() {
        let stored = Arc::new(AtomicBool::new(false));
        let flag = stored.clone();
        let keep: Keep = Arc::new(move |changes| {
            assert_eq!(changes, [lease(1)]);
            let flag = flag.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                flag.store(true, Ordering::SeqCst);
                Ok(())
            }
            .boxed()
        });
        assert_eq!(answered(keep).await, [None]);
        assert!(stored.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_lease_that_cannot_be_stored_is_acknowledged_and_reported() {
        let keep: Keep = Arc::new(|_| async { Err("the disk is full".to_owned()) }.boxed());
        // Once for the answer, and once for the last try at the shutdown.
        assert_eq!(answered(keep).await, vec![Some("the disk is full".to_owned()); 2]);
    }

    /// Stores nothing, and notes of how many changes each write was.
    fn counting() -> (Keep, Arc<std::sync::Mutex<Vec<usize>>>) {
        let writes = Arc::new(std::sync::Mutex::new(Vec::new()));
        let sink = writes.clone();
        let keep: Keep = Arc::new(move |changes| {
            sink.lock().unwrap().push(changes.len());
            async { Ok(()) }.boxed()
        });
        (keep, writes)
    }

    #[tokio::test]
    async fn what_waits_at_a_shutdown_is_stored_in_one_write() {
        let (keep, writes) = counting();
        let (dhcp, shutdown) = (dhcp(keep), CancellationToken::new());
        for last in 0..100 {
            assert!(dhcp.journal.push(lease(last), None));
        }
        shutdown.cancel();
        dhcp.run(|_| {}, &shutdown).await;
        assert_eq!(*writes.lock().unwrap(), [100]);
    }

    /// Lets so many unknown machines be seen.
    fn see(dhcp: &Dhcp, machines: std::ops::Range<u16>) {
        for number in machines {
            let mut bytes = vec![0; 240];
            bytes[..3].copy_from_slice(&[1, 1, 6]);
            bytes[28] = 2;
            bytes[32..34].copy_from_slice(&number.to_be_bytes());
            bytes[236..240].copy_from_slice(&dhcproto::v4::MAGIC);
            bytes.extend([53, 1, 1, 255]);
            let request = Request::read(&bytes).unwrap();
            dhcp.sightings.lock().unwrap().note(&request, &"boot".into(), None, clock::now());
        }
    }

    #[tokio::test]
    async fn leases_wait_for_a_portion_of_the_upkeep_and_a_flood_for_the_next_look() {
        let dhcp = dhcp(Arc::new(|_| async { Ok(()) }.boxed()));
        let start = Instant::now();
        let mut upkeep = Upkeep { next: start + UPKEEP, left: 0 };
        let portion = u16::try_from(PORTION).unwrap();
        see(&dhcp, 0..2 * portion + 1);
        assert_eq!(upkeep.changes(&dhcp, start, false), [], "it is not time yet");
        let mut lengths = Vec::new();
        for number in 0..4 {
            lengths.push(upkeep.changes(&dhcp, start + UPKEEP, false).len());
            see(&dhcp, 1000 + number..1001 + number);
        }
        assert_eq!(lengths, [PORTION, PORTION, 1, 0]);
        assert!(upkeep.at() > start + UPKEEP, "it rests until the next look");
        assert_eq!(upkeep.changes(&dhcp, start + 2 * UPKEEP, false).len(), 4);
    }

    #[tokio::test]
    async fn what_could_not_be_stored_is_stored_once_it_can_be() {
        let (full, written) = (Arc::new(AtomicBool::new(true)), Arc::new(std::sync::Mutex::new(Vec::new())));
        let (is_full, sink) = (full.clone(), written.clone());
        let keep: Keep = Arc::new(move |changes| {
            let failed = is_full.load(Ordering::SeqCst).then(|| "the disk is full".to_owned());
            if failed.is_none() {
                sink.lock().unwrap().extend(changes);
            }
            async { failed.map_or(Ok(()), Err) }.boxed()
        });
        let dhcp = dhcp(keep);
        see(&dhcp, 0..1);
        let listed = dhcp.upkeep(clock::now(), 1);
        dhcp.settle(&listed, true);
        // The node comes to its own address while the disk is full, and another machine gets a lease.
        dhcp.sightings.lock().unwrap().arrived(MacAddr([2, 0, 0, 0, 0, 0]));
        assert!(dhcp.journal.push(lease(1), None));
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        dhcp.run(|_| {}, &shutdown).await;
        assert_eq!(*written.lock().unwrap(), []);
        full.store(false, Ordering::SeqCst);
        dhcp.run(|_| {}, &shutdown).await;
        let id = |text: &str| text.to_owned().into();
        // Nothing is known here of the lease that was only pushed, so the store is not to know it either.
        let gone = [
            Change::DeleteRecord(Table::DhcpUnknown, id("02:00:00:00:00:00")),
            Change::DeleteRecord(Table::DhcpLease, id("10.0.0.1")),
        ];
        assert_eq!(*written.lock().unwrap(), gone);
    }

    #[tokio::test]
    async fn a_write_that_failed_is_not_tried_again_before_the_next_look() {
        let dhcp = dhcp(Arc::new(|_| async { Ok(()) }.boxed()));
        let start = Instant::now();
        let mut upkeep = Upkeep { next: start, left: 0 };
        let portion = u16::try_from(PORTION).unwrap();
        see(&dhcp, 0..2 * portion);
        let changes = upkeep.changes(&dhcp, start, false);
        assert_eq!(changes.len(), PORTION);
        dhcp.settle(&changes, false);
        upkeep.settle(false);
        assert_eq!(upkeep.changes(&dhcp, start, false), []);
        assert!(upkeep.at() > start, "it rests until the next look");
        assert_eq!(upkeep.changes(&dhcp, start + UPKEEP, false), changes);
    }

    #[tokio::test]
    async fn all_of_the_upkeep_is_stored_at_a_shutdown() {
        let (keep, writes) = counting();
        let (dhcp, shutdown) = (dhcp(keep), CancellationToken::new());
        see(&dhcp, 0..500);
        assert!(dhcp.journal.push(lease(1), None));
        shutdown.cancel();
        dhcp.run(|_| {}, &shutdown).await;
        assert_eq!(*writes.lock().unwrap(), [501]);
    }

    #[tokio::test]
    async fn more_than_there_is_room_for_is_turned_away() {
        let dhcp = dhcp(Arc::new(|_| async { Ok(()) }.boxed()));
        let taken = (0..WAITING + 10).filter(|_| dhcp.journal.push(lease(1), None)).count();
        assert_eq!(taken, WAITING);
    }
}
