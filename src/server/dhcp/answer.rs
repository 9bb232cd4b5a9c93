//! From a packet to its answer: the server's side of RFC 2131 section 4.3, without any I/O.
//!
//! A machine that has an address on its network by the applied inventory is answered from the boot view alone, equally
//! each time and without a write. Any other gets a short lease of its network's pool. Clients are told apart by their MAC
//! address and not by their client identifier: firmware, loader and system of one machine each send another identifier,
//! and all three are to have one address.

mod pool;
mod proxy;
mod sending;

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::boot_file::{Boot, Machine};
use super::leases::Leases;
use super::link::Place;
use super::options::Layers;
use super::outcome::{Outcome, Silence};
use super::place::{Prepared, places};
use super::reply::{Reply, ReplyKind};
use super::request::{Kind, Request};
use super::sightings::Sightings;
use super::{BootSettings, Link, PXE_PORT, code};
use crate::model::{
    BootKey, Component, DhcpLease, DhcpMachine, DhcpMode, DhcpOptions, MacAddr, Record, Table, Timestamp, UnknownPolicy,
};
use crate::snapshot::{BootView, Change};

/// What an answer is made of.
pub(super) struct Server<'a> {
    pub(super) view: &'a BootView,
    pub(super) prepared: &'a Prepared,
    pub(super) flags: &'a BootSettings,
    pub(super) link: &'a Link,
    pub(super) leases: &'a Mutex<Leases>,
    pub(super) sightings: &'a Mutex<Sightings>,
    pub(super) now: Timestamp,
    /// The packet was sent to one of our addresses, and not to everybody.
    pub(super) direct: bool,
}

/// A machine with a fixed address.
struct Known<'a> {
    ip: Ipv4Addr,
    name: Option<Arc<str>>,
    member: Option<Member<'a>>,
    options: Option<&'a DhcpOptions>,
}

/// A component of SMD, ours or somebody else's, whose options are over those of the network.
#[derive(Clone, Copy)]
enum Member<'a> {
    Component(&'a Component),
    Machine(&'a DhcpMachine),
}

impl<'a> Server<'a> {
    /// Answers a message that came to one of our ports.
    pub(super) fn answer(&self, request: &Request<'_>, source: SocketAddrV4, port: u16) -> Result<Outcome, Silence> {
        let places = places(&self.prepared.settings, self.link, request);
        let first = *places.first().ok_or(Silence::NoNetwork)?;
        if first.network.mode == DhcpMode::Proxy || port == PXE_PORT {
            return self.advise(request, first, source, port);
        }
        if request.server().is_some_and(|server| !self.link.has(server)) {
            if request.kind == Kind::Request {
                self.leases().withdraw(request.mac);
            }
            return Err(Silence::OtherServer);
        }
        // Where the client has an address, its own one of that network counts before those of others on the same wire.
        let has_address = !request.ciaddr.is_unspecified();
        let near = has_address.then(|| self.known(request.mac, std::slice::from_ref(&first))).flatten();
        let known = near.or_else(|| self.known(request.mac, &places));
        match request.kind {
            Kind::Decline => self.declined(request, known.map(|(known, _)| known.ip)),
            Kind::Release => Ok(self.released(request)),
            Kind::Inform if request.ciaddr.is_unspecified() => Err(Silence::Incomplete),
            _ => match known {
                Some((known, place)) => self.answer_known(request, &known, place, &places),
                None => self.answer_unknown(request, first, &places),
            },
        }
    }

    /// The client found that somebody else uses an address.
    fn declined(&self, request: &Request<'_>, known: Option<Ipv4Addr>) -> Result<Outcome, Silence> {
        let ip = request.requested().ok_or(Silence::Incomplete)?;
        let lease = self.leases().decline(request.mac, ip, self.now);
        if lease.is_none() && known != Some(ip) {
            return Err(Silence::NoRecord);
        }
        tracing::warn!(client.mac = %request.mac, address = %ip, "a client found its address in use by somebody else");
        Ok(Outcome { reply: None, keep: lease.map(put), from: None, word: "decline" })
    }

    /// The client gives its address back; that of a known machine stays its own.
    fn released(&self, request: &Request<'_>) -> Outcome {
        let ours = self.leases().release(request.mac, request.ciaddr);
        let gone = || Change::DeleteRecord(Table::DhcpLease, request.ciaddr.to_string().into());
        Outcome { reply: None, keep: ours.then(gone), from: None, word: "release" }
    }

    /// The machine with this MAC address, if it has an address on one of the networks.
    fn known(&self, mac: MacAddr, places: &[Place<'a>]) -> Option<(Known<'a>, Place<'a>)> {
        let on = |ip| place_of(places, ip);
        let settings = &self.prepared.settings;
        if let Some(host) = settings.hosts.get(&mac) {
            let known =
                Known { ip: host.ip, name: Some(host.name.clone()), member: None, options: Some(&host.options) };
            return Some((known, on(host.ip)?));
        }
        if let Some(machine) = settings.machines.get(&mac) {
            let (ip, place) = machine.ips.iter().find_map(|ip| Some((*ip, on(*ip)?)))?;
            let name = machine.id.as_ref().and_then(|id| settings.name_of(id, machine.nid));
            return Some((Known { ip, name, member: Some(Member::Machine(machine)), options: None }, place));
        }
        let interface = self.view.interfaces.get(&mac)?;
        let (ip, place) = interface.ip_addresses.iter().find_map(|address| match address.ip {
            IpAddr::V4(ip) => Some((ip, on(ip)?)),
            IpAddr::V6(_) => None,
        })?;
        let component = interface.component_id.as_ref().and_then(|id| self.view.components.get(id));
        let name = component.and_then(|component| settings.name_of(&component.id, component.nid));
        let member = component.map(|component| Member::Component(component));
        Some((Known { ip, name, member, options: None }, place))
    }

    /// The component that a MAC address belongs to, whatever its addresses.
    fn member(&self, mac: MacAddr) -> Option<Member<'a>> {
        match self.prepared.settings.machines.get(&mac) {
            Some(machine) => Some(Member::Machine(machine)),
            None => self.view.component_by_mac(mac).map(|component| Member::Component(component)),
        }
    }

    /// The options of a network, with those of a component and its groups over them.
    fn layers(&self, place: Place<'a>, member: Option<Member<'a>>) -> Layers<'a> {
        let (layers, settings) = (Layers::of_network(place.network), &self.prepared.settings);
        match member {
            Some(Member::Component(component)) => layers.of_component(settings, self.view, component),
            Some(Member::Machine(machine)) => layers.of_machine(settings, machine),
            None => layers,
        }
    }

    /// Answers a machine that has an address at `place`, which is one of `places`.
    fn answer_known(
        &self,
        request: &Request<'_>,
        known: &Known<'a>,
        place: Place<'a>,
        places: &[Place<'a>],
    ) -> Result<Outcome, Silence> {
        let (kind, place) = match request.kind {
            Kind::Discover => (ReplyKind::Offer, place),
            // It keeps the address that it has, and is told what holds there.
            Kind::Inform => (ReplyKind::Ack, place_of(places, request.ciaddr).unwrap_or(place)),
            Kind::Request => match asked(request)? {
                ip if ip == known.ip => (ReplyKind::Ack, place),
                ip => return Ok(self.refuse(request, place_of(places, ip).unwrap_or(place))),
            },
            Kind::Decline | Kind::Release => return Err(Silence::Incomplete),
        };
        let mut layers = self.layers(place, known.member);
        if let Some(own) = known.options {
            layers = layers.with(own);
        }
        let mut reply = Reply::new(kind, request, place.server);
        if let Some(name) = &known.name {
            reply.set(code::HOST_NAME, name.as_bytes());
        }
        self.complete(&mut reply, request, place, &layers, Machine::Known);
        if kind == ReplyKind::Ack && request.kind == Kind::Request {
            self.sightings().arrived(request.mac);
        }
        if request.kind != Kind::Inform {
            reply.set_address(known.ip);
            layers.set_times(&mut reply, layers.lease());
        }
        Ok(self.sent(reply, request, place, None))
    }

    fn complete(
        &self,
        reply: &mut Reply,
        request: &Request<'_>,
        place: Place<'_>,
        layers: &Layers<'_>,
        machine: Machine<'_>,
    ) {
        let settings = &self.prepared.settings;
        let boot = Boot { settings, flags: self.flags, layers, server: place.server, machine, proxy: false };
        boot.set(reply, request);
        layers.set(reply, place.network);
    }

    fn unknown<'p>(&self, policy: &'p UnknownPolicy) -> Machine<'p> {
        let script = self.view.boot_params.get(&BootKey::unknown());
        Machine::Unknown { policy, scripted: script.is_some_and(|config| !config.script.is_empty()) }
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sightings(&self) -> MutexGuard<'_, Sightings> {
        self.sightings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address that a REQUEST is about: option 50 where the client selects an offer or comes back after a restart, its
/// own address where it renews.
fn asked(request: &Request<'_>) -> Result<Ipv4Addr, Silence> {
    let own = (!request.ciaddr.is_unspecified()).then_some(request.ciaddr);
    request.requested().or(own).ok_or(Silence::Incomplete)
}

/// The place of an address.
fn place_of<'a>(places: &[Place<'a>], ip: Ipv4Addr) -> Option<Place<'a>> {
    places.iter().find(|place| place.network.subnet.contains(&ip)).copied()
}

fn put(lease: DhcpLease) -> Change {
    Change::PutRecord(Record::DhcpLease(Arc::new(lease)))
}

#[cfg(test)]
mod tests;
