//! Each peer's share of a listener's connections, so that one machine cannot take the places of all others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How many connections each address has open. An address without any is not remembered.
#[derive(Debug, Default)]
pub(in crate::server) struct Shares(Mutex<HashMap<IpAddr, usize>>);

/// A place that is given back when it is dropped.
#[derive(Debug)]
pub(in crate::server) struct Place {
    shares: Arc<Shares>,
    peer: IpAddr,
}

impl Shares {
    /// A place for one more connection of the peer; none when it has `most` already.
    pub(in crate::server) fn take(self: &Arc<Self>, peer: IpAddr, most: usize) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(peer).or_default();
        // An entry made just now holds nothing, and `most` is at least one, so none is left behind empty.
        if *count >= most.max(1) {
            return None;
        }
        *count += 1;
        Some(Place { shares: self.clone(), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_its_share_and_no_more_until_it_gives_a_place_back() {
        let shares = Arc::new(Shares::default());
        let (one, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = shares.take(one, 2).unwrap();
        let _second = shares.take(one, 2).unwrap();
        assert!(shares.take(one, 2).is_none());
        let _elsewhere = shares.take(other, 2).unwrap();
        drop(first);
        assert!(shares.take(one, 2).is_some());
    }

    #[test]
    fn a_peer_without_connections_is_forgotten() {
        let shares = Arc::new(Shares::default());
        drop(shares.take("192.0.2.1".parse().unwrap(), 1));
        assert!(shares.0.lock().unwrap().is_empty());
    }
}
