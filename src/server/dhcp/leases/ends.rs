//! Addresses by the moment at which they end, in blocks, so that a search in one pool goes past the addresses of no other.
//!
//! Blocks are cut by the addresses alone and not by the pools, which change with the inventory under the leases.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::{Pool, SEARCH, within};
use crate::model::Timestamp;

/// The bits of an address that are its place in its block. A block has no more addresses than one search may look at, and
/// a pool of a million addresses has 256 blocks, of which a search looks at the first address each.
const BLOCK: u32 = 12;

fn block(ip: Ipv4Addr) -> u32 {
    u32::from(ip) >> BLOCK
}

/// The addresses, by block. Only blocks with an address in them are there.
#[derive(Debug, Default)]
pub(super) struct Ends(BTreeMap<u32, BTreeSet<(Timestamp, Ipv4Addr)>>);

/// What a search came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The address that ended first of those that are free.
    pub(super) first: Option<Ipv4Addr>,
    /// Those that were looked at and are not free, so that the next search need not look at them.
    pub(super) taken: Vec<Ipv4Addr>,
}

impl Ends {
    pub(super) fn insert(&mut self, until: Timestamp, ip: Ipv4Addr) {
        self.0.entry(block(ip)).or_default().insert((until, ip));
    }

    pub(super) fn remove(&mut self, until: Timestamp, ip: Ipv4Addr) {
        if let Some(ends) = self.0.get_mut(&block(ip)) {
            ends.remove(&(until, ip));
            if ends.is_empty() {
                self.0.remove(&block(ip));
            }
        }
    }

    /// How many end at that moment or later.
    pub(super) fn from(&self, moment: Timestamp) -> usize {
        self.0.values().map(|ends| ends.range((moment, Ipv4Addr::UNSPECIFIED)..).count()).sum()
    }

    /// Those that end before that moment.
    pub(super) fn before(&self, moment: Timestamp) -> impl Iterator<Item = Ipv4Addr> {
        self.0.values().flat_map(move |ends| ends.range(..(moment, Ipv4Addr::UNSPECIFIED)).map(|(_, ip)| *ip))
    }

    /// Of a pool's addresses that end at that moment or before, the one that ends first and is free. When more of them are
    /// not free than one search may look at, it is the best until there.
    pub(super) fn first(&self, pool: Pool, moment: Timestamp, free: &dyn Fn(Ipv4Addr) -> bool) -> Found {
        let mut found = Found::default();
        let mut best = None;
        for ends in self.0.range(block(pool.0)..=block(pool.1)).map(|(_, ends)| ends) {
            let over = ends.range(..=(moment, Ipv4Addr::BROADCAST));
            for &end in over.filter(|(_, ip)| within(pool, *ip)) {
                if best.is_some_and(|best| best < end) {
                    break;
                }
                if free(end.1) {
                    best = Some(end);
                    break;
                }
                found.taken.push(end.1);
                if found.taken.len() == SEARCH {
                    return Found { first: best.map(|(_, ip)| ip), ..found };
                }
            }
        }
        Found { first: best.map(|(_, ip)| ip), ..found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_ended_is_found_in_whatever_block_it_is() {
        let mut ends = Ends::default();
        let addresses = [[10, 0, 0, 9], [10, 0, 16, 1], [10, 0, 32, 1], [10, 1, 0, 1]].map(Ipv4Addr::from);
        for (ip, until) in addresses.into_iter().zip([30, 20, 40, 10]) {
            ends.insert(Timestamp(until), ip);
        }
        let pool = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 255, 254));
        let first = |moment, free: &dyn Fn(Ipv4Addr) -> bool| ends.first(pool, Timestamp(moment), free);
        assert_eq!(first(19, &|_| true), Found::default());
        assert_eq!(first(50, &|_| true).first, Some(addresses[1]));
        let without = first(50, &|ip| ip != addresses[1]);
        assert_eq!(without, Found { first: Some(addresses[0]), taken: vec![addresses[1]] });
        assert_eq!((ends.from(Timestamp(30)), ends.before(Timestamp(30)).count()), (2, 2));
        ends.remove(Timestamp(10), addresses[3]);
        assert_eq!((ends.before(Timestamp(30)).collect::<Vec<_>>(), ends.0.len()), (vec![addresses[1]], 3));
    }
}
