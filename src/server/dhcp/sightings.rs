//! Machines that asked for an address and that nobody knows, or that have none where they ask: what `ochami-sync unknown`
//! shows.
//!
//! Whoever can reach the port can make these up, so there is a ceiling, and the one not seen for longest goes first. How
//! many are stored a second has a ceiling, too: a machine that finds no room is noted once it asks again, which made-up ones
//! seldom do, and the REQUEST that follows its DISCOVER is enough.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::client::architecture;
use super::code;
use super::limits::{Budget, is_due};
use super::request::Request;
use crate::model::{DhcpUnknown, MacAddr, Record, Table, Timestamp};
use crate::snapshot::Change;

/// The most machines that are remembered.
const MOST: usize = 4096;

/// Seeing a machine again within this time, a minute, changes nothing: it would be written for no news.
const NEWS: i64 = 60_000_000;

/// Machines never seen before that are noted a second, once as many have come as there is room for.
const NEW: i64 = 20;

/// Changes a second of machines that were seen before: a full table brings as many where each machine asks every minute.
const AGAIN: i64 = 70;

/// The most of a client's own words that is kept.
const WORDS: usize = 128;

/// The machines seen, and which of them are not stored as they are here.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    seen: BTreeMap<MacAddr, DhcpUnknown>,
    by_age: BTreeSet<(Timestamp, MacAddr)>,
    changed: BTreeSet<MacAddr>,
    /// Those of which the store holds something, so that they have to be deleted there.
    stored: HashSet<MacAddr>,
    /// Those that found no room among [`NEW`] ones.
    glimpsed: HashSet<MacAddr>,
    new: Budget,
    again: Budget,
    /// When it was last told that a known machine is where it has no address.
    told: Option<Timestamp>,
}

impl Sightings {
    /// The table that the stored ones make.
    pub(super) fn load<'a>(stored: impl Iterator<Item = &'a DhcpUnknown>) -> Self {
        let mut sightings = Self::default();
        sightings.take_up(stored);
        sightings
    }

    /// Takes up stored ones of which nothing was known here. What was seen here since is newer.
    pub(super) fn take_up<'a>(&mut self, stored: impl Iterator<Item = &'a DhcpUnknown>) {
        for one in stored {
            self.stored.insert(one.mac);
            if let Some(newer) = self.seen.get_mut(&one.mac) {
                newer.first_seen = newer.first_seen.min(one.first_seen);
                newer.ip = newer.ip.or(one.ip);
                self.changed.insert(one.mac);
            } else {
                self.by_age.insert((one.last_seen, one.mac));
                self.seen.insert(one.mac, one.clone());
            }
        }
        self.make_room();
    }

    /// Notes that a machine asked on a network, and which address it was given, if any.
    pub(super) fn note(&mut self, request: &Request<'_>, network: &Arc<str>, ip: Option<Ipv4Addr>, now: Timestamp) {
        let known = self.seen.get(&request.mac);
        let news = |one: &DhcpUnknown| {
            one.network != *network || (ip.is_some() && one.ip != ip) || now.0 - one.last_seen.0 >= NEWS
        };
        if known.is_some_and(|one| !news(one)) || !self.may_change(request.mac, now) {
            return;
        }
        let before = self.seen.get(&request.mac).cloned();
        // What the loader and the system tell differs; an answer of the firmware says most.
        let vendor = request.option(code::VENDOR_CLASS).map(|data| String::from_utf8_lossy(kept(&data)).into());
        let circuit = request.option(code::RELAY_AGENT).map(|data| hexadecimal(kept(&data)).into());
        let next = DhcpUnknown {
            mac: request.mac,
            network: network.clone(),
            ip: ip.or(before.as_ref().and_then(|one| one.ip)),
            vendor: vendor.or(before.as_ref().map(|one| one.vendor.clone())).unwrap_or_default(),
            arch: architecture(request).or(before.as_ref().and_then(|one| one.arch)),
            relay: (!request.giaddr.is_unspecified()).then_some(request.giaddr),
            circuit: circuit.or(before.as_ref().map(|one| one.circuit.clone())).unwrap_or_default(),
            first_seen: before.as_ref().map_or(now, |one| one.first_seen),
            last_seen: now,
        };
        if let Some(before) = before {
            self.by_age.remove(&(before.last_seen, before.mac));
        }
        self.by_age.insert((now, request.mac));
        self.seen.insert(request.mac, next);
        self.changed.insert(request.mac);
        self.make_room();
    }

    /// Forgets those not seen for longest where there are too many.
    fn make_room(&mut self) {
        while self.seen.len() > MOST
            && let Some((_, oldest)) = self.by_age.first().copied()
        {
            self.drop(oldest);
        }
    }

    /// True when a change of the machine may be stored. One that waits to be stored costs nothing more.
    fn may_change(&mut self, mac: MacAddr, now: Timestamp) -> bool {
        let burst = i64::try_from(MOST).unwrap_or(i64::MAX);
        if self.changed.contains(&mac) {
            return true;
        }
        if self.seen.contains_key(&mac) || self.glimpsed.contains(&mac) {
            let may = self.again.take(burst, AGAIN, now);
            if may {
                self.glimpsed.remove(&mac);
            }
            return may;
        }
        let may = self.new.take(burst, NEW, now);
        if !may {
            // Who is real asks again soon, so it matters little that all are forgotten when they are too many.
            if self.glimpsed.len() >= MOST {
                self.glimpsed.clear();
            }
            self.glimpsed.insert(mac);
        }
        may
    }

    /// Forgets machines that need nobody's attention any more.
    pub(super) fn forget(&mut self, is_settled: impl Fn(&DhcpUnknown) -> bool) {
        let settled: Vec<MacAddr> = self.seen.values().filter(|one| is_settled(one)).map(|one| one.mac).collect();
        settled.into_iter().for_each(|mac| self.drop(mac));
    }

    /// Forgets a machine that has come to its own address: only that tells that its cable was put right.
    pub(super) fn arrived(&mut self, mac: MacAddr) {
        self.drop(mac);
    }

    /// True when it is time to tell that a known machine is where it has no address.
    pub(super) fn is_time_to_tell(&mut self, now: Timestamp) -> bool {
        is_due(&mut self.told, now)
    }

    /// How many changes have to be stored.
    pub(super) fn waiting(&self) -> usize {
        self.changed.len()
    }

    /// Forgets a machine. A flood of made-up ones that come and go between two writes leaves nothing to be written.
    fn drop(&mut self, mac: MacAddr) {
        let Some(one) = self.seen.remove(&mac) else { return };
        self.by_age.remove(&(one.last_seen, mac));
        match self.stored.contains(&mac) {
            true => self.changed.insert(mac),
            false => self.changed.remove(&mac),
        };
    }

    /// What has to be stored, up to so many changes; the others are left for the next call.
    pub(super) fn changes(&mut self, most: usize) -> Vec<Change> {
        let mut changes = Vec::new();
        while changes.len() < most
            && let Some(mac) = self.changed.pop_first()
        {
            changes.push(match self.seen.get(&mac) {
                Some(one) => Change::PutRecord(Record::DhcpUnknown(Arc::new(one.clone()))),
                None => Change::DeleteRecord(Table::DhcpUnknown, mac.to_string().into()),
            });
        }
        changes
    }

    /// Takes note of what became of a change. Meanwhile the machine may have been forgotten, or seen again.
    pub(super) fn settle(&mut self, change: &Change, is_stored: bool) {
        match change {
            Change::PutRecord(Record::DhcpUnknown(one)) => {
                if is_stored {
                    self.stored.insert(one.mac);
                }
                if is_stored != self.seen.contains_key(&one.mac) {
                    self.changed.insert(one.mac);
                }
            }
            Change::DeleteRecord(Table::DhcpUnknown, mac) => {
                let Ok(mac) = mac.parse() else { return };
                match is_stored {
                    true => self.stored.remove(&mac),
                    false => self.changed.insert(mac),
                };
            }
            _ => {}
        }
    }
}

/// What is remembered of a client's words.
fn kept(data: &[u8]) -> &[u8] {
    data.get(..WORDS).unwrap_or(data)
}

fn hexadecimal(data: &[u8]) -> String {
    use std::fmt::Write as _;
    data.iter().fold(String::with_capacity(data.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A DISCOVER of the machine with this number.
    fn packet(number: u16) -> Vec<u8> {
        let mut bytes = vec![0; 240];
        bytes[..3].copy_from_slice(&[1, 1, 6]);
        bytes[28] = 2;
        bytes[32..34].copy_from_slice(&number.to_be_bytes());
        bytes[236..240].copy_from_slice(&[99, 130, 83, 99]);
        bytes.extend([53, 1, 1, 60, 3, b'a', 0xff, b'b', 93, 2, 0, 7, 82, 3, 1, 1, 9, 255]);
        bytes
    }

    impl Sightings {
        /// Those that are noted, by their MAC addresses.
        pub(in crate::server::dhcp) fn noted(&self) -> impl Iterator<Item = &DhcpUnknown> {
            self.seen.values()
        }
    }

    fn note(sightings: &mut Sightings, number: u16, ip: Option<Ipv4Addr>, seconds: i64) {
        let bytes = packet(number);
        let request = Request::read(&bytes).unwrap();
        sightings.note(&request, &"boot".into(), ip, Timestamp(seconds * 1_000_000));
    }

    /// Stores what there is, and tells what that was.
    fn store(sightings: &mut Sightings) -> Vec<Change> {
        let changes = sightings.changes(usize::MAX);
        changes.iter().for_each(|change| sightings.settle(change, true));
        changes
    }

    fn only(changes: &[Change]) -> DhcpUnknown {
        match changes {
            [Change::PutRecord(Record::DhcpUnknown(one))] => DhcpUnknown::clone(one),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_machine_is_written_when_there_is_news_of_it_and_only_then() {
        let mut sightings = Sightings::default();
        note(&mut sightings, 1, None, 100);
        let first = only(&sightings.changes(MOST));
        assert_eq!((&*first.vendor, first.arch, &*first.circuit), ("a\u{fffd}b", Some(7), "010109"));
        note(&mut sightings, 1, None, 159);
        assert_eq!(sightings.changes(MOST), []);
        note(&mut sightings, 1, Some([10, 0, 0, 1].into()), 159);
        let leased = only(&sightings.changes(MOST));
        assert_eq!((leased.ip, leased.first_seen.0), (Some([10, 0, 0, 1].into()), 100_000_000));
        note(&mut sightings, 1, None, 219);
        let again = only(&sightings.changes(MOST));
        assert_eq!((again.ip, again.last_seen.0), (leased.ip, 219_000_000), "the address is remembered");
    }

    #[test]
    fn who_becomes_known_is_forgotten_also_after_a_restart() {
        let mut sightings = Sightings::default();
        note(&mut sightings, 1, None, 1);
        let stored = only(&sightings.changes(MOST));
        let mut reloaded = Sightings::load(std::iter::once(&stored));
        assert_eq!(reloaded.changes(MOST), []);
        let gone = Change::DeleteRecord(Table::DhcpUnknown, stored.mac.to_string().into());
        reloaded.forget(|one| one.mac == stored.mac);
        assert_eq!(reloaded.changes(MOST), [gone]);
        assert_eq!(reloaded.changes(MOST), []);
    }

    #[test]
    fn what_is_found_to_be_stored_is_listed_with_what_was_seen_since() {
        let (mut before, mut sightings) = (Sightings::default(), Sightings::default());
        (0..=5000).for_each(|number| note(&mut before, number, Some([10, 0, 0, 1].into()), number.into()));
        note(&mut sightings, 5000, None, 9000);
        sightings.take_up(before.seen.values());
        let again = only(&store(&mut sightings));
        assert_eq!((again.ip, again.last_seen.0), (Some([10, 0, 0, 1].into()), 9_000_000_000));
        assert_eq!((again.first_seen.0, sightings.seen.len()), (5_000_000_000, MOST));
        note(&mut sightings, 6000, None, 9000);
        assert_eq!((sightings.seen.len(), store(&mut sightings).len()), (MOST, 2), "the oldest one goes");
        let many: Vec<_> = (0..4100_u16).map(u16::to_be_bytes).collect();
        let many = many.into_iter().map(|[a, b]| DhcpUnknown { mac: MacAddr([4, 0, 0, 0, a, b]), ..again.clone() });
        let many: Vec<_> = many.collect();
        let mut loaded = Sightings::load(many.iter());
        assert_eq!((loaded.seen.len(), store(&mut loaded).len()), (MOST, 4100 - MOST));
    }

    #[test]
    fn a_flood_of_made_up_machines_pushes_out_the_oldest_and_no_more_than_that() {
        let mut sightings = Sightings::default();
        let most = u16::try_from(MOST).unwrap();
        for number in 0..=most {
            note(&mut sightings, number, None, i64::from(number));
        }
        assert_eq!((sightings.seen.len(), sightings.by_age.len()), (MOST, MOST));
        assert!(!sightings.seen.contains_key(&MacAddr([2, 0, 0, 0, 0, 0])));
        assert_eq!(sightings.waiting(), MOST, "who was pushed out before it was stored is no news");
        let gone = Change::DeleteRecord(Table::DhcpUnknown, MacAddr([2, 0, 0, 0, 0, 1]).to_string().into());
        assert_eq!(store(&mut sightings).len(), MOST);
        note(&mut sightings, most + 1, None, i64::from(most) + 1);
        let changes = store(&mut sightings);
        assert!(changes.len() == 2 && changes.contains(&gone), "{changes:?}");
    }

    #[test]
    fn what_could_not_be_stored_is_stored_later_and_what_is_no_news_by_then_is_not() {
        let mut sightings = Sightings::default();
        let fail = |sightings: &mut Sightings| {
            let changes = sightings.changes(MOST);
            changes.iter().for_each(|change| sightings.settle(change, false));
            changes
        };
        note(&mut sightings, 1, None, 1);
        let failed = fail(&mut sightings);
        assert_eq!((failed.len(), sightings.waiting()), (1, 1));
        assert_eq!(store(&mut sightings), failed);
        sightings.arrived(only(&failed).mac);
        let gone = Change::DeleteRecord(Table::DhcpUnknown, only(&failed).mac.to_string().into());
        assert_eq!(fail(&mut sightings), std::slice::from_ref(&gone));
        assert_eq!(store(&mut sightings), [gone]);
        note(&mut sightings, 2, None, 1);
        let failed = fail(&mut sightings);
        sightings.arrived(only(&failed).mac);
        assert_eq!(store(&mut sightings), [], "it was never stored");
    }

    #[test]
    fn a_machine_that_is_forgotten_while_it_is_being_stored_is_deleted_afterwards() {
        let mut sightings = Sightings::default();
        note(&mut sightings, 1, None, 1);
        let written = sightings.changes(MOST);
        sightings.arrived(only(&written).mac);
        written.iter().for_each(|change| sightings.settle(change, true));
        let gone = Change::DeleteRecord(Table::DhcpUnknown, only(&written).mac.to_string().into());
        assert_eq!(store(&mut sightings), [gone]);
    }

    #[test]
    fn changes_come_in_portions_and_each_of_them_once() {
        let mut sightings = Sightings::default();
        (1..=5).for_each(|number| note(&mut sightings, number, None, 1));
        let portions = [2, 2, 2, 2].map(|most| sightings.changes(most));
        assert_eq!(portions.each_ref().map(Vec::len), [2, 2, 1, 0]);
        let mut whole = Sightings::default();
        (1..=5).for_each(|number| note(&mut whole, number, None, 1));
        assert_eq!(portions.concat(), whole.changes(MOST));
    }

    #[test]
    fn a_flood_of_made_up_machines_does_not_keep_the_disk_busy_and_who_asks_again_is_noted() {
        let mut sightings = Sightings::default();
        let mut rows = 0;
        for second in 0..60_u16 {
            (0..1000).for_each(|number| note(&mut sightings, 1000 + second * 1000 + number, None, second.into()));
            rows += store(&mut sightings).len();
        }
        let new = MOST + 60 * usize::try_from(NEW).unwrap();
        // Each that has no place any more is a row as well.
        assert!((MOST..=2 * new - MOST).contains(&rows), "{rows} rows in a minute");
        let is_seen = |sightings: &Sightings| sightings.seen.contains_key(&MacAddr([2, 0, 0, 0, 0, 7]));
        note(&mut sightings, 7, None, 59);
        assert!(!is_seen(&sightings));
        note(&mut sightings, 7, Some([10, 0, 0, 1].into()), 59);
        assert!(is_seen(&sightings));
        assert!(sightings.glimpsed.len() <= MOST);
    }

    #[test]
    fn machines_that_pretend_to_move_do_not_keep_the_disk_busy() {
        let mut sightings = Sightings::default();
        let mut rows = 0;
        for second in 0..60_u16 {
            for number in 0..2000 {
                note(&mut sightings, number, Some([10, 0, 0, u8::try_from(second).unwrap()].into()), second.into());
            }
            rows += store(&mut sightings).len();
        }
        let changed = MOST + 60 * usize::try_from(AGAIN).unwrap();
        assert!((2000..=2000 + changed).contains(&rows), "{rows} rows in a minute");
    }
}
