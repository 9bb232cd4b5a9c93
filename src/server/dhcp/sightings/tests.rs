//! What is noted of machines that nobody knows, and how much of it is stored.

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
