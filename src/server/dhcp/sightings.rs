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
mod tests;
