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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures_util::FutureExt as _;

    use super::*;
    use crate::model::{DhcpLease, Record, Records};
    use crate::server::dhcp::BootSettings;
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
        assert_eq!(answered(keep).await, [Some("the disk is full".to_owned())]);
    }

    #[tokio::test]
    async fn what_waits_at_a_shutdown_is_stored_in_one_write() {
        let writes = Arc::new(std::sync::Mutex::new(Vec::new()));
        let sink = writes.clone();
        let keep: Keep = Arc::new(move |changes| {
            sink.lock().unwrap().push(changes.len());
            async { Ok(()) }.boxed()
        });
        let (dhcp, shutdown) = (dhcp(keep), CancellationToken::new());
        for last in 0..100 {
            assert!(dhcp.journal.push(lease(last), None));
        }
        shutdown.cancel();
        dhcp.run(|_| {}, &shutdown).await;
        assert_eq!(*writes.lock().unwrap(), [100]);
    }

    #[tokio::test]
    async fn more_than_there_is_room_for_is_turned_away() {
        let dhcp = dhcp(Arc::new(|_| async { Ok(()) }.boxed()));
        let taken = (0..WAITING + 10).filter(|_| dhcp.journal.push(lease(1), None)).count();
        assert_eq!(taken, WAITING);
    }
}
