//! Who has which address of the pools: what was offered, what is leased, and what a client found to be in use.
//!
//! A table in memory, made from the stored leases at the start. It knows time only as it is told. An address is in the
//! table at most once, so no two machines ever have one; whether an address belongs to a known machine is asked anew
//! each time, because the inventory changes under the leases.

mod ends;
mod late;
mod search;
mod upkeep;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;

use self::ends::Ends;
use self::search::Cursor;
use crate::model::{DhcpLease, MacAddr, Timestamp};

/// How long an offer waits for its request.
const OFFER: i64 = 30_000_000;

/// How old an offer has to be before it yields to another client when the pool is spent. Whoever is answered asks for
/// what it was offered at once.
const YIELDS_AFTER: i64 = 2_000_000;

/// How long an address is left alone that a client found to be in use.
const QUARANTINE: i64 = 3600 * 1_000_000;

/// The most addresses that one search looks at, so that no packet holds the others up.
const SEARCH: usize = 4096;

/// The addresses that unknown machines have.
#[derive(Debug, Default)]
pub(super) struct Leases {
    held: BTreeMap<Ipv4Addr, Held>,
    by_mac: HashMap<MacAddr, Ipv4Addr>,
    /// Every held address by the moment at which it is free again.
    ends: Ends,
    /// Offers by the moment at which they end.
    offers: Ends,
    /// Where searches go on, by the first address of the pool.
    cursors: HashMap<Ipv4Addr, Cursor>,
    /// Addresses that nobody has any more.
    idle: BTreeSet<Ipv4Addr>,
    /// Addresses that nobody has here and that were a known machine's when they were last looked at.
    taken: BTreeSet<Ipv4Addr>,
    /// Addresses of which the store may hold something else than this table.
    changed: BTreeSet<Ipv4Addr>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    mac: Option<MacAddr>,
    until: Timestamp,
    offered: bool,
}

/// A range of addresses, first and last.
pub(super) type Pool = (Ipv4Addr, Ipv4Addr);

/// True when the address is one of the pool's.
pub(super) fn within(pool: Pool, ip: Ipv4Addr) -> bool {
    (pool.0..=pool.1).contains(&ip)
}

impl Leases {
    /// An address for a client: the one that it has or had, the one that it would like, or one that nobody has. None when
    /// the pool is spent.
    pub(super) fn offer(
        &mut self,
        mac: MacAddr,
        pool: Pool,
        wish: Option<Ipv4Addr>,
        now: Timestamp,
        free: &dyn Fn(Ipv4Addr) -> bool,
    ) -> Option<Ipv4Addr> {
        let own = self.by_mac.get(&mac).copied().filter(|ip| within(pool, *ip) && free(*ip));
        let liked = || wish.filter(|ip| within(pool, *ip) && self.is_open(*ip, mac, now) && free(*ip));
        let found = own.or_else(liked);
        let ip = found.or_else(|| self.search(pool, now, free))?;
        let leased = self.held.get(&ip).is_some_and(|held| !held.offered && held.mac == Some(mac) && held.until > now);
        if !leased {
            self.put(ip, Held { mac: Some(mac), until: Timestamp(now.0.saturating_add(OFFER)), offered: true });
        }
        Some(ip)
    }

    /// Leases an address to a client: one that it was offered or has. False when it is somebody else's, or nobody's.
    pub(super) fn renew(&mut self, mac: MacAddr, ip: Ipv4Addr, until: Timestamp) -> bool {
        let own = self.has(mac, ip);
        if own {
            self.put(ip, Held { mac: Some(mac), until, offered: false });
        }
        own
    }

    /// Leases an address that the client says it has, of which nothing is known here. False when it is somebody else's.
    pub(super) fn adopt(&mut self, mac: MacAddr, ip: Ipv4Addr, until: Timestamp, now: Timestamp) -> bool {
        let open = self.is_open(ip, mac, now);
        if open {
            self.put(ip, Held { mac: Some(mac), until, offered: false });
        }
        open
    }

    /// True when the client was offered the address or has it, even if its time is over: nobody else took it since.
    pub(super) fn has(&self, mac: MacAddr, ip: Ipv4Addr) -> bool {
        self.held.get(&ip).is_some_and(|held| held.mac == Some(mac))
    }

    /// How many addresses are held at that moment.
    pub(super) fn in_force(&self, now: Timestamp) -> usize {
        self.ends.from(now)
    }

    /// True when anything is known of the client.
    pub(super) fn knows(&self, mac: MacAddr) -> bool {
        self.by_mac.contains_key(&mac)
    }

    /// Keeps an address out of use that the client found to be somebody's. None when it was not the client's to decline.
    pub(super) fn decline(&mut self, mac: MacAddr, ip: Ipv4Addr, now: Timestamp) -> Option<DhcpLease> {
        if !self.has(mac, ip) {
            return None;
        }
        let until = Timestamp(now.0.saturating_add(QUARANTINE));
        self.put(ip, Held { mac: None, until, offered: false });
        Some(DhcpLease { ip, mac: None, expires: until })
    }

    /// Takes back what the client has no more use for. False when it was not the client's.
    pub(super) fn release(&mut self, mac: MacAddr, ip: Ipv4Addr) -> bool {
        let own = self.has(mac, ip);
        if own {
            self.remove(ip);
        }
        own
    }

    /// Drops what was offered to a client that chose another server.
    pub(super) fn withdraw(&mut self, mac: MacAddr) {
        let offered = |ip: &Ipv4Addr| self.held.get(ip).is_some_and(|held| held.offered);
        if let Some(ip) = self.by_mac.get(&mac).copied().filter(offered) {
            self.remove(ip);
        }
    }

    /// True when the client may have the address: nobody has it, it is the client's own, or its time is over.
    fn is_open(&self, ip: Ipv4Addr, mac: MacAddr, now: Timestamp) -> bool {
        self.held.get(&ip).is_none_or(|held| held.mac == Some(mac) || held.until <= now)
    }

    fn put(&mut self, ip: Ipv4Addr, held: Held) {
        self.remove(ip);
        self.idle.remove(&ip);
        self.taken.remove(&ip);
        self.held.insert(ip, held);
        self.ends.insert(held.until, ip);
        if held.offered {
            self.offers.insert(held.until, ip);
        }
        if let Some(mac) = held.mac {
            self.by_mac.insert(mac, ip);
        }
    }

    fn remove(&mut self, ip: Ipv4Addr) {
        let Some(held) = self.held.remove(&ip) else { return };
        self.idle.insert(ip);
        self.ends.remove(held.until, ip);
        self.offers.remove(held.until, ip);
        if let Some(mac) = held.mac
            && self.by_mac.get(&mac) == Some(&ip)
        {
            self.by_mac.remove(&mac);
        }
    }
}

#[cfg(test)]
mod tests;
