//! Stored leases that come to the table: all of them at the start, or later those of a database that could not be opened
//! then, when addresses have been given without knowing of them.

use super::{Held, Leases};
use crate::model::{DhcpLease, Timestamp};

impl Leases {
    /// The table that the stored leases make.
    pub(in crate::server::dhcp) fn load<'a>(stored: impl Iterator<Item = &'a DhcpLease>) -> Self {
        let mut leases = Self::default();
        // Nothing is held yet, so it does not matter when this is.
        leases.take_up(stored, Timestamp(0));
        leases
    }

    /// Takes up stored leases of which nothing was known here. What happened here since is newer and stands.
    ///
    /// Where an address went to a second machine meanwhile, the one with the stored lease keeps it as long as that runs:
    /// it has had the address for longer and will not ask before it renews, while the other one's next renewal is refused,
    /// upon which it asks anew. That is the other way round when the first has been answered here since, because it was
    /// refused the address and uses another one, and where the address was found to be in use by somebody.
    pub(in crate::server::dhcp) fn take_up<'a>(&mut self, stored: impl Iterator<Item = &'a DhcpLease>, now: Timestamp) {
        let mut stored: Vec<&DhcpLease> = stored.collect();
        // Of several leases of one machine the last one is the one it uses.
        stored.sort_by_key(|lease| std::cmp::Reverse((lease.expires, lease.ip)));
        let mut taken_up = Vec::new();
        for lease in stored {
            if self.stands_against(lease, now) {
                continue;
            }
            if self.held.get(&lease.ip).is_some_and(|held| held.mac != lease.mac) {
                // A write of the other's lease may be under way, and would be the last one.
                self.changed.insert(lease.ip);
            }
            taken_up.push(lease);
        }
        for lease in taken_up {
            let present = lease.mac.and_then(|mac| self.by_mac.get(&mac).copied());
            self.put(lease.ip, Held { mac: lease.mac, until: lease.expires, offered: false });
            if let (Some(mac), Some(present)) = (lease.mac, present) {
                self.by_mac.insert(mac, present);
            }
        }
    }

    /// True when what is known here of an address is to stay, whatever is stored of it.
    fn stands_against(&self, stored: &DhcpLease, now: Timestamp) -> bool {
        let Some(held) = self.held.get(&stored.ip) else {
            // It was given back, and that could not be stored.
            return self.changed.contains(&stored.ip);
        };
        if stored.expires <= now {
            return true;
        }
        if held.offered || held.until <= now {
            return false;
        }
        let has_another = || stored.mac.and_then(|mac| self.by_mac.get(&mac)).is_some_and(|ip| *ip != stored.ip);
        held.mac == stored.mac || held.mac.is_none() || has_another()
    }
}
