//! Which address of a pool a client gets that has none: each search is bounded, because all other packets wait for it, and
//! goes on where the one before it ended, so that a client which asks again comes to whatever address there is.

use std::net::Ipv4Addr;

use super::{Leases, OFFER, Pool, SEARCH, YIELDS_AFTER, within};
use crate::model::Timestamp;

/// The most addresses of known machines that one search looks at again.
const AGAIN: usize = 1024;

/// Where the searches in a pool go on.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The first address that was never looked at.
    unused: Ipv4Addr,
    /// The next address of a known machine to look at again.
    again: Ipv4Addr,
}

impl Leases {
    /// An address that nobody has: one never used, one whose lease ended longest ago, one whose known machine is gone, or
    /// one that was offered to somebody who did not come for it.
    pub(super) fn search(&mut self, pool: Pool, now: Timestamp, free: &dyn Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        let abandoned = Timestamp(now.0.saturating_add(OFFER - YIELDS_AFTER));
        let found = self.unused(pool, free).or_else(|| {
            let found = self.ends.first(pool, now, free);
            self.set_aside(&found.taken);
            found.first
        });
        found.or_else(|| self.left(pool, free)).or_else(|| {
            let found = self.offers.first(pool, abandoned, free);
            self.set_aside(&found.taken);
            found.first
        })
    }

    fn unused(&mut self, pool: Pool, free: &dyn Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        let mut idle = self.idle.range(pool.0..=pool.1).copied().take(SEARCH);
        let mut taken = Vec::new();
        let found = idle.find(|ip| {
            let is_free = free(*ip);
            taken.extend((!is_free).then_some(*ip));
            is_free
        });
        self.set_aside(&taken);
        if found.is_some() {
            return found;
        }
        let cursor = &mut self.cursors.entry(pool.0).or_insert(Cursor { unused: pool.0, again: pool.0 }).unused;
        for _ in 0..SEARCH {
            let ip = *cursor;
            if !within(pool, ip) {
                return None;
            }
            *cursor = u32::from(ip).checked_add(1)?.into();
            match self.held.contains_key(&ip) {
                true => {}
                false if free(ip) => return Some(ip),
                false => drop(self.taken.insert(ip)),
            }
        }
        None
    }

    /// The address of a machine that was known and is no longer.
    fn left(&mut self, pool: Pool, free: &dyn Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
        let again = &mut self.cursors.get_mut(&pool.0)?.again;
        let from = if within(pool, *again) { *again } else { pool.0 };
        let round = self.taken.range(from..=pool.1).chain(self.taken.range(pool.0..from));
        for ip in round.copied().take(AGAIN) {
            *again = u32::from(ip).saturating_add(1).into();
            if free(ip) {
                return Some(ip);
            }
        }
        None
    }

    /// Keeps addresses of known machines out of the next searches.
    fn set_aside(&mut self, taken: &[Ipv4Addr]) {
        for ip in taken {
            self.forget(*ip);
            self.idle.remove(ip);
            self.taken.insert(*ip);
        }
    }
}
