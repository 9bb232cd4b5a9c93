//! Who gets which address, and who keeps it.

use std::sync::Arc;

use super::*;
use crate::model::{Record, Table};
use crate::snapshot::Change;

const POOL: Pool = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 3));
const SECOND: i64 = 1_000_000;

fn mac(number: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, number])
}

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * SECOND)
}

fn any(_: Ipv4Addr) -> bool {
    true
}

#[test]
fn each_client_gets_an_address_of_its_own_and_keeps_it() {
    let mut leases = Leases::default();
    for number in 1..=3 {
        assert_eq!(leases.offer(mac(number), POOL, None, at(0), &any), Some(ip(number)));
        assert!(leases.renew(mac(number), ip(number), at(300)));
    }
    assert_eq!(leases.offer(mac(2), POOL, Some(ip(3)), at(1), &any), Some(ip(2)));
    assert_eq!(leases.offer(mac(9), POOL, None, at(299), &any), None, "the pool is spent");
    assert_eq!(leases.offer(mac(9), POOL, None, at(300), &any), Some(ip(1)), "the lease that ended first");
    assert!(!leases.renew(mac(1), ip(1), at(900)), "what went to another is gone");
}

#[test]
fn an_address_of_a_known_machine_is_never_handed_out() {
    let mut leases = Leases::default();
    let known = |candidate: Ipv4Addr| candidate != ip(1);
    assert_eq!(leases.offer(mac(1), POOL, Some(ip(1)), at(0), &known), Some(ip(2)));
    // The machine that had the first one is gone, and one that has the second has come.
    assert_eq!(leases.offer(mac(1), POOL, None, at(0), &|candidate| candidate != ip(2)), Some(ip(3)));
    assert_eq!(leases.offer(mac(2), POOL, None, at(0), &|candidate| candidate != ip(2)), Some(ip(1)));
}

#[test]
fn a_wish_is_granted_where_nobody_is_hurt() {
    let mut leases = Leases::default();
    assert_eq!(leases.offer(mac(1), POOL, Some(ip(3)), at(0), &any), Some(ip(3)));
    assert_eq!(leases.offer(mac(2), POOL, Some(ip(3)), at(0), &any), Some(ip(1)));
    assert_eq!(leases.offer(mac(3), POOL, Some([10, 9, 9, 9].into()), at(0), &any), Some(ip(2)));
}

#[test]
fn a_flood_of_clients_that_never_come_back_does_not_keep_a_pool_spent() {
    let mut leases = Leases::default();
    for number in 1..=3 {
        leases.offer(mac(number), POOL, None, at(0), &any).unwrap();
    }
    assert_eq!(leases.offer(mac(8), POOL, None, at(1), &any), None, "a fresh offer waits for its client");
    assert_eq!(leases.offer(mac(8), POOL, None, at(3), &any), Some(ip(1)));
    assert!(!leases.renew(mac(1), ip(1), at(300)));
    assert!(leases.renew(mac(8), ip(1), at(300)));
}

#[test]
fn a_declined_address_rests_for_an_hour_and_only_its_holder_can_decline() {
    let mut leases = Leases::default();
    leases.offer(mac(1), POOL, None, at(0), &any).unwrap();
    assert_eq!(leases.decline(mac(2), ip(1), at(0)), None);
    let lease = leases.decline(mac(1), ip(1), at(0)).unwrap();
    assert_eq!(lease, DhcpLease { ip: ip(1), mac: None, expires: at(3600) });
    assert_eq!(leases.offer(mac(1), POOL, Some(ip(1)), at(10), &any), Some(ip(2)));
    let mut reloaded = Leases::load(std::iter::once(&lease));
    assert_eq!(reloaded.offer(mac(1), POOL, None, at(10), &any), Some(ip(2)));
}

#[test]
fn a_released_address_is_free_and_only_its_holder_can_release() {
    let mut leases = Leases::default();
    leases.offer(mac(1), POOL, None, at(0), &any).unwrap();
    assert!(!leases.release(mac(2), ip(1)));
    assert!(leases.release(mac(1), ip(1)));
    assert!(!leases.knows(mac(1)));
    assert!(leases.adopt(mac(2), ip(1), at(300), at(1)));
    assert!(!leases.adopt(mac(1), ip(1), at(300), at(1)));
    for number in 3..=4 {
        leases.offer(mac(number), POOL, None, at(1), &any).unwrap();
    }
    assert!(leases.release(mac(4), ip(3)));
    assert_eq!(leases.offer(mac(5), POOL, None, at(1), &any), Some(ip(3)), "though the pool was spent before");
}

#[test]
fn an_offer_is_dropped_when_another_server_was_chosen_but_a_lease_is_not() {
    let mut leases = Leases::default();
    leases.offer(mac(1), POOL, None, at(0), &any).unwrap();
    leases.withdraw(mac(1));
    assert!(!leases.knows(mac(1)));
    leases.offer(mac(1), POOL, Some(ip(1)), at(0), &any).unwrap();
    leases.renew(mac(1), ip(1), at(300));
    leases.withdraw(mac(1));
    assert!(leases.has(mac(1), ip(1)));
}

#[test]
fn what_ended_long_ago_is_swept_and_can_be_used_again() {
    let mut leases = Leases::default();
    leases.offer(mac(1), POOL, None, at(0), &any).unwrap();
    leases.renew(mac(1), ip(1), at(300));
    assert_eq!((leases.waiting(at(300)), leases.changes(at(300), 9)), (0, Vec::new()));
    assert_eq!((leases.waiting(at(301)), leases.changes(at(301), 0)), (1, Vec::new()));
    assert_eq!(leases.changes(at(301), 9), [gone(1)]);
    assert_eq!(leases.waiting(at(301)), 0);
    assert_eq!(leases.offer(mac(2), POOL, None, at(400), &any), Some(ip(1)));
}

/// The change that takes a lease out of the store.
fn gone(last: u8) -> Change {
    Change::DeleteRecord(Table::DhcpLease, ip(last).to_string().into())
}

/// The change that stores a lease.
fn stored(machine: u8, last: u8, until: Timestamp) -> Change {
    let lease = DhcpLease { ip: ip(last), mac: Some(mac(machine)), expires: until };
    Change::PutRecord(Record::DhcpLease(Arc::new(lease)))
}

#[test]
fn what_could_not_be_stored_is_stored_later_as_it_is_by_then() {
    let mut leases = Leases::default();
    for number in 1..=3 {
        leases.offer(mac(number), POOL, None, at(0), &any).unwrap();
        leases.renew(mac(number), ip(number), at(300));
        leases.failed(&stored(number, number, at(300)));
    }
    leases.renew(mac(1), ip(1), at(600));
    leases.release(mac(2), ip(2));
    leases.release(mac(3), ip(3));
    leases.offer(mac(4), POOL, Some(ip(3)), at(1), &any).unwrap();
    assert_eq!(leases.waiting(at(0)), 3);
    let now = [stored(1, 1, at(600)), gone(2), gone(3)];
    assert_eq!([leases.changes(at(0), 2), leases.changes(at(0), 2)].concat(), now);
    assert_eq!(leases.changes(at(0), 2), [], "each of them once");
    now.iter().for_each(|change| leases.failed(change));
    assert_eq!(leases.changes(at(0), 9), now, "and again when that failed");
}

#[test]
fn a_lease_on_an_address_that_a_node_has_since_is_taken_out_of_the_store() {
    let mut leases = Leases::default();
    leases.offer(mac(1), POOL, None, at(0), &any).unwrap();
    leases.renew(mac(1), ip(1), at(300));
    let last = (POOL.0, POOL.0);
    assert_eq!(leases.offer(mac(2), last, None, at(400), &|_| false), None);
    assert_eq!(leases.changes(at(0), 9), [gone(1)]);
}

#[test]
fn a_search_ends_at_the_last_address_there_is() {
    let mut leases = Leases::default();
    let edge = (Ipv4Addr::BROADCAST, Ipv4Addr::BROADCAST);
    assert_eq!(leases.offer(mac(1), edge, None, at(0), &|_| false), None);
}

/// One of many machines.
fn machine(number: u32) -> MacAddr {
    let [a, b, c, d] = number.to_be_bytes();
    MacAddr([6, 0, a, b, c, d])
}

/// The address so many behind another.
fn behind(first: Ipv4Addr, number: u32) -> Ipv4Addr {
    (u32::from(first) + number).into()
}

/// Leases the first addresses of a pool until that moment, one to each of so many machines.
fn fill(leases: &mut Leases, pool: Pool, machines: u32, until: Timestamp) {
    for number in 0..machines {
        let ip = leases.offer(machine(number), pool, None, at(0), &any).unwrap();
        assert!(leases.renew(machine(number), ip, until));
    }
}

/// More addresses than one search may look at.
const MANY: u32 = 5000;

#[test]
fn what_ended_in_one_pool_does_not_keep_another_spent() {
    let mut leases = Leases::default();
    let other = (Ipv4Addr::new(10, 8, 0, 0), Ipv4Addr::new(10, 8, 255, 255));
    fill(&mut leases, other, MANY, at(10));
    for number in 1..=3 {
        leases.offer(mac(number), POOL, None, at(0), &any).unwrap();
        assert!(leases.renew(mac(number), ip(number), at(100)));
    }
    assert_eq!(leases.offer(mac(9), POOL, None, at(99), &any), None, "each is somebody's");
    assert_eq!(leases.offer(mac(9), POOL, None, at(200), &any), Some(ip(1)));
}

#[test]
fn what_was_offered_in_one_pool_does_not_keep_another_spent() {
    let mut leases = Leases::default();
    let other = (Ipv4Addr::new(10, 8, 0, 0), Ipv4Addr::new(10, 8, 255, 255));
    for number in 0..MANY {
        leases.offer(machine(number), other, None, at(0), &any).unwrap();
    }
    for number in 1..=3 {
        leases.offer(mac(number), POOL, None, at(1), &any).unwrap();
    }
    assert_eq!(leases.offer(mac(9), POOL, None, at(4), &any), Some(ip(1)));
}

#[test]
fn a_pool_with_the_addresses_of_many_nodes_is_used_to_its_last_address() {
    let mut leases = Leases::default();
    let pool = (ip(0), behind(ip(0), MANY + 2));
    let looks = std::cell::Cell::new(0);
    let free = |candidate| {
        looks.set(looks.get() + 1);
        candidate >= behind(ip(0), MANY)
    };
    let ask = |number, leases: &mut Leases| {
        // Who is not answered at once asks again.
        (0..3).find_map(|_| {
            looks.set(0);
            let found = leases.offer(mac(number), pool, None, at(0), &free);
            assert!(looks.get() <= 2 * SEARCH, "{} addresses were looked at for one packet", looks.get());
            found
        })
    };
    for number in 0..3 {
        let found = ask(number, &mut leases);
        assert_eq!(found, Some(behind(ip(0), MANY + u32::from(number))));
        leases.renew(mac(number), found.unwrap(), at(300));
    }
    assert_eq!(ask(3, &mut leases), None, "the pool is spent");
    assert!(leases.release(mac(1), behind(ip(0), MANY + 1)));
    assert_eq!(ask(3, &mut leases), Some(behind(ip(0), MANY + 1)));
}

#[test]
fn ended_leases_on_addresses_that_nodes_have_since_do_not_keep_a_pool_spent() {
    let mut leases = Leases::default();
    let pool = (ip(0), behind(ip(0), MANY));
    fill(&mut leases, pool, MANY, at(10));
    let last = leases.offer(mac(1), pool, None, at(0), &any).unwrap();
    leases.renew(mac(1), last, at(20));
    let mut tries = (0..3).map(|_| leases.offer(mac(2), pool, None, at(30), &|candidate| candidate == last));
    assert_eq!(tries.find_map(|found| found), Some(last));
}

#[test]
fn the_address_of_a_node_that_is_gone_is_found_in_a_pool_that_was_spent() {
    let mut leases = Leases::default();
    let pool = (ip(0), behind(ip(0), MANY));
    let mut ask = |free: &dyn Fn(Ipv4Addr) -> bool| (0..50).find_map(|_| leases.offer(mac(1), pool, None, at(0), free));
    assert_eq!(ask(&|_| false), None);
    let gone = behind(ip(0), MANY - 1);
    assert_eq!(ask(&|candidate| candidate == gone), Some(gone));
}

fn lease(machine: u8, last: u8, until: Timestamp) -> DhcpLease {
    DhcpLease { ip: ip(last), mac: Some(mac(machine)), expires: until }
}

/// A table in which a machine has a lease until that moment.
fn with_lease(machine: u8, last: u8, until: Timestamp) -> Leases {
    let mut leases = Leases::default();
    assert!(leases.adopt(mac(machine), ip(last), until, at(0)));
    leases
}

/// A table that takes up a stored lease a hundred seconds later.
fn taken_up(mut leases: Leases, stored: DhcpLease) -> Leases {
    leases.take_up(std::iter::once(&stored), at(100));
    leases
}

#[test]
fn an_address_that_is_found_to_be_stored_for_another_stays_with_the_one_that_had_it_first() {
    let mut leases = taken_up(with_lease(2, 1, at(300)), lease(1, 1, at(200)));
    assert!(!leases.renew(mac(2), ip(1), at(400)) && !leases.knows(mac(2)));
    assert_eq!(leases.changes(at(0), 9), [stored(1, 1, at(200))], "whatever was written of the other one meanwhile");
    assert!(leases.renew(mac(1), ip(1), at(400)));
    assert_eq!(leases.offer(mac(2), POOL, Some(ip(1)), at(100), &any), Some(ip(2)));
    let mut offered = Leases::default();
    offered.offer(mac(2), POOL, None, at(99), &any).unwrap();
    assert!(taken_up(offered, lease(1, 1, at(200))).has(mac(1), ip(1)));
    assert!(taken_up(with_lease(2, 1, at(50)), lease(1, 1, at(200))).has(mac(1), ip(1)), "the other's is over");
    assert!(taken_up(Leases::default(), lease(1, 1, at(50))).has(mac(1), ip(1)), "it is remembered for a day");
}

#[test]
fn what_is_newer_here_stands_against_what_is_found_to_be_stored() {
    assert!(taken_up(with_lease(2, 1, at(300)), lease(1, 1, at(100))).has(mac(2), ip(1)), "that lease is over");
    let mut renewed = taken_up(with_lease(1, 1, at(300)), lease(1, 1, at(200)));
    assert_eq!(renewed.offer(mac(2), (ip(1), ip(1)), None, at(250), &any), None);
    let mut moved = with_lease(2, 1, at(300));
    moved.offer(mac(1), POOL, None, at(90), &any).unwrap();
    assert!(taken_up(moved, lease(1, 1, at(200))).has(mac(2), ip(1)), "the first was refused and has another");
    let mut declined = with_lease(1, 1, at(300));
    declined.decline(mac(1), ip(1), at(90)).unwrap();
    assert!(!taken_up(declined, lease(1, 1, at(200))).has(mac(1), ip(1)));
    let mut released = with_lease(1, 1, at(300));
    assert!(released.release(mac(1), ip(1)));
    released.failed(&gone(1));
    let mut released = taken_up(released, lease(1, 1, at(200)));
    assert!(!released.has(mac(1), ip(1)));
    assert_eq!(released.changes(at(0), 9), [gone(1)]);
}

#[test]
fn a_machine_with_several_stored_leases_has_the_last_one() {
    let stored = [lease(1, 1, at(50)), lease(1, 3, at(200)), lease(1, 2, at(150))];
    let mut leases = Leases::load(stored.iter());
    assert_eq!(leases.offer(mac(1), POOL, None, at(100), &any), Some(ip(3)));
    let mut late = with_lease(2, 3, at(300));
    late.take_up(stored.iter(), at(100));
    assert_eq!(late.offer(mac(1), POOL, None, at(100), &any), Some(ip(3)), "though another one had it for a while");
}
