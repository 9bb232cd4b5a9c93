//! Machines that nobody knows, and known ones where they have no address: a short lease of their network's pool, stored
//! before it is acknowledged.

use std::net::{IpAddr, Ipv4Addr};

use super::{Outcome, Server, Silence, asked, place_of, put};
use crate::model::{DhcpLease, Timestamp, UnknownPolicy};
use crate::server::dhcp::astray::owner;
use crate::server::dhcp::boot_file::Machine;
use crate::server::dhcp::code;
use crate::server::dhcp::leases::within;
use crate::server::dhcp::link::Place;
use crate::server::dhcp::options::Layers;
use crate::server::dhcp::reply::{Reply, ReplyKind};
use crate::server::dhcp::request::{Kind, Request};

impl<'a> Server<'a> {
    /// Answers with an address of the pool at `place`, which is one of `places`.
    pub(super) fn answer_unknown(
        &self,
        request: &Request<'_>,
        place: Place<'a>,
        places: &[Place<'a>],
    ) -> Result<Outcome, Silence> {
        let network = place.network;
        let owner = owner(self.view, &self.prepared.settings, request.mac);
        let note = |ip| {
            let mut sightings = self.sightings();
            sightings.note(request, &network.name, ip, self.now);
            if let Some(owner) = owner.as_ref().filter(|_| sightings.is_time_to_tell(self.now)) {
                tracing::warn!(
                    client.mac = %request.mac, name = %owner.name, addresses = ?owner.addresses, network = %network.name,
                    "a known machine asks on a network where it has no address; `ochami-sync unknown` lists all such"
                );
            }
        };
        let policy = &network.unknown;
        let (Some(pool), false) = (network.pool, *policy == UnknownPolicy::Ignore) else {
            note(None);
            return Err(Silence::Ignored);
        };
        let free = |ip: Ipv4Addr| {
            !self.prepared.is_taken(ip) && !self.view.index.by_ip.contains_key(&IpAddr::V4(ip)) && !self.link.has(ip)
        };
        let until = Timestamp(self.now.0.saturating_add(i64::from(network.unknown_lease) * 1_000_000));
        let (kind, ip) = match request.kind {
            Kind::Discover => {
                let offered = self.leases().offer(request.mac, pool, request.requested(), self.now, &free);
                note(offered);
                (ReplyKind::Offer, offered.ok_or(Silence::PoolSpent)?)
            }
            Kind::Request => {
                let ip = asked(request)?;
                let mut leases = self.leases();
                let ours = within(pool, ip) && free(ip);
                // RENEWING or REBINDING: the client has the address and uses it (RFC 2131 section 4.3.2).
                let prolongs = !request.ciaddr.is_unspecified();
                let granted = ours
                    && (leases.renew(request.mac, ip, until)
                        || prolongs && leases.adopt(request.mac, ip, until, self.now));
                let has_record = leases.knows(request.mac);
                drop(leases);
                if !granted {
                    // A client of whom nothing is known may be another server's (RFC 2131 section 4.3.2); one that asks
                    // us by name or alone, that is on the wrong network or whose address is ours to give is not. RENEWING
                    // is to us alone, past any relay; REBINDING is to everybody, so another server may know more.
                    let renewing = prolongs && self.direct && request.giaddr.is_unspecified();
                    let asks_us = request.server().is_some() || renewing;
                    let there = place_of(places, ip);
                    let certain = asks_us || has_record || there.is_none();
                    if !certain && !within(pool, ip) {
                        return Err(Silence::NoRecord);
                    }
                    return Ok(self.refuse(request, there.unwrap_or(place)));
                }
                note(Some(ip));
                (ReplyKind::Ack, ip)
            }
            Kind::Inform => (ReplyKind::Ack, request.ciaddr),
            Kind::Decline | Kind::Release => return Err(Silence::Incomplete),
        };
        let mut layers = self.layers(place, self.member(request.mac));
        if let Some(host) = self.prepared.settings.hosts.get(&request.mac) {
            layers = layers.with(&host.options);
        }
        let mut reply = Reply::new(kind, request, place.server);
        // Its boot script is found by its MAC address, so a known machine boots wherever it is.
        let machine = match &owner {
            Some(owner) => {
                reply.set(code::HOST_NAME, owner.name.as_bytes());
                Machine::Known
            }
            None => self.unknown(policy),
        };
        self.complete(&mut reply, request, place, &layers, machine);
        if request.kind == Kind::Inform {
            return Ok(self.sent(reply, request, place, None));
        }
        reply.set_address(ip);
        // The times of known machines are not those of short leases.
        Layers::default().set_times(&mut reply, network.unknown_lease);
        let lease = DhcpLease { ip, mac: Some(request.mac), expires: until };
        Ok(self.sent(reply, request, place, (kind == ReplyKind::Ack).then(|| put(lease))))
    }
}
