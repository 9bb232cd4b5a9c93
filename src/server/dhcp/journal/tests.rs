//! What is stored when, and what becomes of it when it cannot be.

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
