//! Beside a site's own DHCP server, and on the port of boot servers: what to boot, and no address.

use std::net::SocketAddrV4;

use super::{Outcome, Server, Silence};
use crate::model::{DhcpMode, UnknownPolicy};
use crate::server::dhcp::boot_file::{Boot, Machine};
use crate::server::dhcp::client::Client;
use crate::server::dhcp::link::Place;
use crate::server::dhcp::reply::{Reply, ReplyKind};
use crate::server::dhcp::request::{Kind, Request};
use crate::server::dhcp::{PXE_PORT, SERVER_PORT};

impl<'a> Server<'a> {
    /// Tells only what to boot (PXE 2.1): a site's own server gives the addresses.
    pub(super) fn advise(
        &self,
        request: &Request<'_>,
        place: Place<'a>,
        source: SocketAddrV4,
        port: u16,
    ) -> Result<Outcome, Silence> {
        let kind = match request.kind {
            Kind::Discover if port == SERVER_PORT => ReplyKind::Offer,
            // Firmware asks the boot server by its own port. HTTP boot and iPXE take the first answer as it is.
            Kind::Request | Kind::Inform if port == PXE_PORT => ReplyKind::Ack,
            _ => return Err(Silence::NothingToBoot),
        };
        let settings = &self.prepared.settings;
        let layers = self.layers(place, self.member(request.mac));
        let known = self.view.interfaces.contains_key(&request.mac) || settings.knows(request.mac);
        let machine = if known { Machine::Known } else { self.unknown(&place.network.unknown) };
        if !known && Client::of(request) != Client::Plain {
            self.sightings().note(request, &place.network.name, None, self.now);
        }
        if matches!(machine, Machine::Unknown { policy: UnknownPolicy::Ignore, .. }) {
            return Err(Silence::Ignored);
        }
        let mut reply = Reply::new(kind, request, place.server);
        let boot = Boot {
            settings,
            flags: self.flags,
            layers: &layers,
            server: place.server,
            machine,
            proxy: place.network.mode == DhcpMode::Proxy,
        };
        if !boot.set(&mut reply, request) {
            return Err(Silence::NothingToBoot);
        }
        let mut outcome = self.sent(reply, request, place, None);
        if port == PXE_PORT
            && let Some((_, to)) = &mut outcome.reply
        {
            *to = source;
        }
        Ok(outcome)
    }
}
