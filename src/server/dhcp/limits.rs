//! How many packets a second are looked at, per client, per relay and per address, so that a flood from one is not felt
//! by the others.
//!
//! A client that boots sends some ten packets in as many seconds; what is beyond its share is dropped before it is read.
//! The counts are of one second and are forgotten with it, which bounds them by what a second can bring.
//!
//! How many packets a machine can answer is not known, and the queue of a socket is everybody's. So where one stays full,
//! it is emptied in each turn, and of each relay and address only a share is answered: reading a packet costs a tenth of
//! answering it.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::os::fd::RawFd;

use crate::model::{MacAddr, Timestamp};
use crate::server::common::tally::Tally;

/// Packets a second of one MAC address. A test bench that goes through every message with one address stays below it.
const PER_CLIENT: u32 = 100;

/// Packets a second of one relay: more than 20,000 clients at once, on a machine that answers as many.
const PER_RELAY: u32 = 60_000;

/// Packets a second of one address without a relay: a machine renews once in a while, and a test bench plays many.
const PER_ADDRESS: u32 = 500;

/// Packets that are answered before others get a turn.
const TURN: u32 = 64;

/// Packets of one path that are answered in a turn at a queue that stays full, and of all together. Where there is but one
/// path after all, somewhat more than half of what could be answered still is.
const SHARE: u32 = 128;
const SHARES: u32 = 8 * SHARE;

/// How long a queue may stay full before shares hold: a cluster that powers up at once fills it, too, and is answered.
const PATIENCE: i64 = SECOND;

/// How long shares hold since a queue was full or somebody went beyond his share.
const CALM: i64 = 2 * SECOND;

const SECOND: i64 = 1_000_000;

const MINUTE: i64 = 60 * SECOND;

/// Who sent a packet, as far as its header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sender {
    Client(MacAddr),
    Relay(Ipv4Addr),
    Address(Ipv4Addr),
    /// A machine of the wire that has no address.
    Wire,
}

/// A socket's queue in the kernel.
#[derive(Debug, Default)]
struct Queue {
    full_since: Option<i64>,
    /// When it was full for too long, or somebody went beyond his share.
    pressed: Option<i64>,
}

impl Queue {
    fn is_shared(&self, now: Timestamp) -> bool {
        self.pressed.is_some_and(|pressed| (pressed..pressed + CALM).contains(&now.0))
    }
}

/// The packets of the present second, and of the present turn at a socket.
#[derive(Debug, Default)]
pub(super) struct Limits {
    second: i64,
    counts: Tally<Sender>,
    queues: HashMap<RawFd, Queue>,
    /// The socket whose turn it is, and what was answered of each path in it.
    socket: RawFd,
    turn: Tally<Sender>,
    /// Whether its queue is shared in this turn.
    shared: bool,
}

impl Limits {
    /// A turn at a socket begins; how many of its packets may be answered before others get one.
    pub(super) fn begin(&mut self, socket: RawFd, now: Timestamp) -> u32 {
        self.socket = socket;
        self.turn.clear();
        self.shared = self.queues.entry(socket).or_default().is_shared(now);
        if self.shared { SHARES } else { TURN }
    }

    /// The turn ended, and left the socket's queue empty or not.
    pub(super) fn end(&mut self, empty: bool, now: Timestamp) {
        let queue = self.queues.entry(self.socket).or_default();
        if empty {
            queue.full_since = None;
        } else if now.0 - *queue.full_since.get_or_insert(now.0) >= PATIENCE {
            queue.pressed = Some(now.0);
        }
    }

    /// True when a packet of the turn may be read further. Only its header is looked at, and its source address.
    pub(super) fn admit(&mut self, packet: &[u8], source: Ipv4Addr, now: Timestamp) -> bool {
        let Some(header) = packet.first_chunk::<34>() else { return false };
        let second = now.0.div_euclid(SECOND);
        if second != self.second {
            self.second = second;
            self.counts.clear();
        }
        let [.., a, b, c, d, e, f] = *header;
        let mac = MacAddr([a, b, c, d, e, f]);
        let relay = Ipv4Addr::new(header[24], header[25], header[26], header[27]);
        // Both are counted even if the first is over its share: who floods is to be seen as one who does.
        let client = self.counts.admit(Sender::Client(mac), PER_CLIENT);
        let (path, most) = match (relay.is_unspecified(), source.is_unspecified()) {
            (false, _) => (Sender::Relay(relay), PER_RELAY),
            (true, false) => (Sender::Address(source), PER_ADDRESS),
            (true, true) => (Sender::Wire, u32::MAX),
        };
        let within = self.counts.admit(path, most);
        client && within && self.has_share(path, now)
    }

    /// True unless the queue is shared and the path had its share of the turn.
    fn has_share(&mut self, path: Sender, now: Timestamp) -> bool {
        if !self.shared || self.turn.admit(path, SHARE) {
            return true;
        }
        self.queues.entry(self.socket).or_default().pressed = Some(now.0);
        false
    }
}

/// So many things at once, and then so many a second.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// What was taken and has not come back yet, in millionths.
    spent: i64,
    /// When that was.
    at: i64,
}

impl Budget {
    /// Takes one, of `burst` at once and `rate` a second. False when none is left.
    pub(super) fn take(&mut self, burst: i64, rate: i64, now: Timestamp) -> bool {
        // A clock that was set back gives nothing, and takes nothing either.
        let passed = now.0.saturating_sub(self.at).max(0);
        self.at = now.0;
        self.spent = self.spent.saturating_sub(passed.saturating_mul(rate)).max(0);
        let is_left = self.spent <= (burst - 1) * SECOND;
        if is_left {
            self.spent += SECOND;
        }
        is_left
    }
}

/// True once a minute: what is wrong with a machine that asks every few seconds is told no more often.
pub(super) fn is_due(told: &mut Option<Timestamp>, now: Timestamp) -> bool {
    let due = told.is_none_or(|told| !(told.0..told.0 + MINUTE).contains(&now.0));
    if due {
        *told = Some(now);
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::common::tally::COUNTED;

    fn packet(client: u8, relay: u8) -> [u8; 240] {
        let mut packet = [0; 240];
        packet[24..28].copy_from_slice(&[10, 0, 0, relay]);
        if relay == 0 {
            packet[24..28].fill(0);
        }
        packet[33] = client;
        packet
    }

    const NONE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

    const SOCKET: RawFd = 3;

    #[test]
    fn a_flood_from_one_client_leaves_the_others_alone() {
        let mut limits = Limits::default();
        let admitted = (0..1000).filter(|_| limits.admit(&packet(1, 0), NONE, Timestamp(0))).count();
        assert_eq!(admitted, 100);
        assert!(limits.admit(&packet(2, 0), NONE, Timestamp(0)));
        assert!(limits.admit(&packet(1, 0), NONE, Timestamp(SECOND)), "the next second is another one");
    }

    #[test]
    fn a_flood_from_one_address_leaves_the_others_alone() {
        let mut limits = Limits::default();
        let source = Ipv4Addr::new(10, 0, 0, 9);
        let admitted = (0..1000).filter(|sent| limits.admit(&packet((sent % 200) as u8, 0), source, Timestamp(0)));
        assert_eq!(admitted.count(), 500);
        assert!(limits.admit(&packet(250, 0), Ipv4Addr::new(10, 0, 0, 8), Timestamp(0)));
        assert!(limits.admit(&packet(251, 0), NONE, Timestamp(0)));
    }

    #[test]
    fn a_flood_through_one_relay_leaves_the_others_alone() {
        let mut limits = Limits::default();
        let relay = Sender::Relay(Ipv4Addr::new(10, 0, 0, 1));
        assert!((0..PER_RELAY).all(|_| limits.counts.admit(relay, PER_RELAY)));
        assert!(!limits.admit(&packet(1, 1), NONE, Timestamp(0)));
        assert!(limits.admit(&packet(2, 2), NONE, Timestamp(0)));
    }

    /// Takes a turn of so many packets of one relay, each of another client; how many were admitted.
    fn turn(limits: &mut Limits, packets: u32, now: i64) -> usize {
        let most = limits.begin(SOCKET, Timestamp(now));
        let admitted = (0..packets).filter(|number| {
            let mut packet = packet(0, 1);
            packet[28..32].copy_from_slice(&number.to_be_bytes());
            limits.admit(&packet, NONE, Timestamp(now))
        });
        admitted.take(most as usize).count()
    }

    #[test]
    fn a_queue_that_stays_full_is_shared_until_nobody_takes_more_than_his_share() {
        let mut limits = Limits::default();
        for now in [0, 1000, PATIENCE - 1] {
            assert_eq!(turn(&mut limits, 300, now), 64, "a cluster that powers up");
            limits.end(false, Timestamp(now));
        }
        limits.end(false, Timestamp(PATIENCE));
        assert_eq!(turn(&mut limits, 300, PATIENCE + 1), 128);
        assert!(limits.admit(&packet(1, 2), NONE, Timestamp(PATIENCE + 1)), "another relay has its own share");
        assert!(limits.admit(&packet(2, 0), NONE, Timestamp(PATIENCE + 1)), "as a machine of the wire has");
        limits.end(true, Timestamp(PATIENCE + 1));
        assert_eq!(turn(&mut limits, 300, PATIENCE + CALM), 128, "it was beyond its share");
        assert_eq!(turn(&mut limits, 30, PATIENCE + 2 * CALM - 1), 30);
        assert_eq!(turn(&mut limits, 300, PATIENCE + 2 * CALM), 64);
        assert_eq!(turn(&mut limits, 100, 0), 64, "the clock was set back");
    }

    #[test]
    fn a_queue_that_is_emptied_in_time_is_not_shared_and_neither_is_that_of_another_socket() {
        let mut limits = Limits::default();
        for now in [0, PATIENCE, 2 * PATIENCE, 3 * PATIENCE] {
            assert_eq!(turn(&mut limits, 100, now), 64);
            limits.end(now != PATIENCE, Timestamp(now));
            limits.begin(SOCKET + 1, Timestamp(now));
            limits.end(false, Timestamp(now));
        }
        assert_eq!(limits.begin(SOCKET, Timestamp(3 * PATIENCE)), TURN);
        assert_eq!(limits.begin(SOCKET + 1, Timestamp(3 * PATIENCE)), SHARES);
    }

    #[test]
    fn what_has_no_header_is_not_read_and_counts_are_bounded() {
        let mut limits = Limits::default();
        assert!(!limits.admit(&[0; 33], NONE, Timestamp(0)));
        for number in 0..u32::try_from(COUNTED).unwrap() + 10 {
            let mut packet = packet(0, 0);
            packet[28..32].copy_from_slice(&number.to_be_bytes());
            assert!(limits.admit(&packet, NONE, Timestamp(0)));
        }
        assert_eq!(limits.counts.len(), COUNTED);
    }

    #[test]
    fn a_budget_is_so_many_at_once_and_then_so_many_a_second() {
        let mut budget = Budget::default();
        let mut taken = |now| (0..100).filter(|_| budget.take(10, 2, Timestamp(now))).count();
        let hour = 60 * MINUTE;
        let moments = [hour, hour, hour + SECOND, hour + 2 * SECOND, 0, SECOND / 2, SECOND, 2 * hour];
        assert_eq!(moments.map(&mut taken), [10, 0, 2, 2, 0, 1, 1, 10]);
    }

    #[test]
    fn what_is_wrong_is_told_once_a_minute_and_after_the_clock_was_set_back() {
        let mut told = None;
        let said = [10, 11, 10 + MINUTE - 1, 10 + MINUTE, 11 + MINUTE, 5].map(|now| is_due(&mut told, Timestamp(now)));
        assert_eq!(said, [true, false, false, true, false, true]);
    }
}
