//! How many requests a second are looked at of one address, so that the queue of the port is left to the others.
//!
//! A request that finds no room costs nearly as much as one that does, and a flood of them would keep the port so busy
//! that requests of others are lost. What is beyond an address's share is dropped when it was read. The counts are of one
//! second and are forgotten with it.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::server::common::tally::Tally;

/// Requests a second of one address: twice those of a rack behind an address translator that starts at once.
const PER_ADDRESS: u32 = 2000;

const SECOND: Duration = Duration::from_secs(1);

/// The requests of the present second.
#[derive(Debug)]
pub(super) struct Requests {
    since: Instant,
    counts: Tally<IpAddr>,
}

impl Requests {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, counts: Tally::default() }
    }

    /// True when a packet may be read further. All but requests may: they belong to a transfer or cost nothing.
    pub(super) fn admit(&mut self, packet: &[u8], client: IpAddr, now: Instant) -> bool {
        if !packet.starts_with(&[0, 1]) {
            return true;
        }
        if now.saturating_duration_since(self.since) >= SECOND {
            self.since = now;
            self.counts.clear();
        }
        self.counts.admit(client.to_canonical(), PER_ADDRESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::common::tally::COUNTED;

    const REQUEST: &[u8] = b"\0\x01file\0octet\0";

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn a_flood_from_one_address_leaves_the_others_alone_and_ends_with_its_second() {
        let now = Instant::now();
        let mut requests = Requests::new(now);
        let admitted = (0..5000).filter(|_| requests.admit(REQUEST, address(1), now)).count();
        assert_eq!(admitted, 2000);
        assert!(requests.admit(REQUEST, address(2), now));
        assert!(!requests.admit(REQUEST, address(1), now + SECOND / 2));
        assert!(requests.admit(&[0, 4, 0, 1], address(1), now), "an acknowledgement is no request");
        assert!(requests.admit(REQUEST, address(1), now + SECOND));
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        let now = Instant::now();
        let mut requests = Requests::new(now);
        assert!((0..2000).all(|_| requests.admit(REQUEST, "::ffff:10.0.0.1".parse().unwrap(), now)));
        assert!(!requests.admit(REQUEST, "10.0.0.1".parse().unwrap(), now));
    }

    #[test]
    fn counts_are_bounded() {
        let now = Instant::now();
        let mut requests = Requests::new(now);
        let bound = u32::try_from(COUNTED).unwrap();
        assert!((0..bound + 10).all(|number| requests.admit(REQUEST, address(number), now)));
        assert_eq!(requests.counts.len(), COUNTED);
    }
}
