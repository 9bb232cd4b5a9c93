//! Who gets which address, and who keeps it.

use super::*;

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
    assert_eq!(leases.offer(mac(1), POOL, None, at(0), &|candidate| candidate != ip(2)), Some(ip(1)));
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
    assert_eq!((leases.ended_before(at(300)), leases.sweep(at(300), 9)), (0, Vec::new()));
    assert_eq!((leases.ended_before(at(301)), leases.sweep(at(301), 0)), (1, Vec::new()));
    assert_eq!(leases.sweep(at(301), 9), [ip(1)]);
    assert_eq!(leases.ended_before(at(301)), 0);
    assert_eq!(leases.offer(mac(2), POOL, None, at(400), &any), Some(ip(1)));
}

#[test]
fn a_search_ends_at_the_last_address_there_is() {
    let mut leases = Leases::default();
    let edge = (Ipv4Addr::BROADCAST, Ipv4Addr::BROADCAST);
    assert_eq!(leases.offer(mac(1), edge, None, at(0), &|_| false), None);
}
