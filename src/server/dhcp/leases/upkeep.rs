//! What the store has to be told of leases that no answer waits for: what ended long ago, and what could not be stored when
//! it happened.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::Leases;
use crate::model::{DhcpLease, Record, Table, Timestamp};
use crate::snapshot::Change;

impl Leases {
    /// How many changes have to be stored once what ended before `before` is forgotten.
    pub(in crate::server::dhcp) fn waiting(&self, before: Timestamp) -> usize {
        self.changed.len() + self.ends.before(before).count()
    }

    /// Forgets what ended before `before`, and tells what has to be stored, both up to so many addresses.
    pub(in crate::server::dhcp) fn changes(&mut self, before: Timestamp, most: usize) -> Vec<Change> {
        let ended: Vec<Ipv4Addr> = self.ends.before(before).take(most).collect();
        for ip in ended {
            self.forget(ip);
        }
        let mut changes = Vec::new();
        while changes.len() < most
            && let Some(ip) = self.changed.pop_first()
        {
            // An offer is no lease: until it is taken up, the store has nothing to know of the address.
            let lease = self.held.get(&ip).filter(|held| !held.offered);
            changes.push(match lease {
                Some(held) => {
                    let lease = DhcpLease { ip, mac: held.mac, expires: held.until };
                    Change::PutRecord(Record::DhcpLease(Arc::new(lease)))
                }
                None => Change::DeleteRecord(Table::DhcpLease, ip.to_string().into()),
            });
        }
        changes
    }

    /// Takes note that a change could not be stored; what holds of its address by then is stored later.
    pub(in crate::server::dhcp) fn failed(&mut self, change: &Change) {
        match change {
            Change::PutRecord(Record::DhcpLease(lease)) => drop(self.changed.insert(lease.ip)),
            Change::DeleteRecord(Table::DhcpLease, ip) => self.changed.extend(ip.parse::<Ipv4Addr>()),
            _ => {}
        }
    }

    /// Drops what is known of an address, here and in the store.
    pub(super) fn forget(&mut self, ip: Ipv4Addr) {
        if self.held.contains_key(&ip) {
            self.remove(ip);
            self.changed.insert(ip);
        }
    }
}
