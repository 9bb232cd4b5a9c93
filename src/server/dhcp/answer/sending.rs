//! How an answer leaves: as a refusal, to whom, and what is told of options that it has no room for.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::{Outcome, Server};
use crate::server::dhcp::link::Place;
use crate::server::dhcp::reply::{Reply, ReplyKind};
use crate::server::dhcp::request::Request;
use crate::server::dhcp::{CLIENT_PORT, SERVER_PORT, code};
use crate::snapshot::Change;

impl Server<'_> {
    /// Tells the client to start over. `place` is that of the address it asks for, because some clients, udhcpc for one,
    /// hear a refusal only of the server that gave them their address.
    pub(super) fn refuse(&self, request: &Request<'_>, place: Place<'_>) -> Outcome {
        let mut reply = Reply::new(ReplyKind::Nak, request, request.server().unwrap_or(place.server));
        reply.set(code::MESSAGE, b"the address is not yours");
        self.sent(reply, request, place, None)
    }

    /// An answer with where it goes (RFC 2131 section 4.1): to the relay, to the address that the client has, else to all.
    /// A client that could take a unicast at its new address gets a broadcast, too: unicasting to a machine that does not
    /// answer ARP yet needs a raw socket, and no client is known that does not take the broadcast.
    pub(super) fn sent(&self, reply: Reply, request: &Request<'_>, place: Place<'_>, keep: Option<Change>) -> Outcome {
        let word = match reply.kind() {
            ReplyKind::Offer => "offer",
            ReplyKind::Ack => "ack",
            ReplyKind::Nak => "nak",
        };
        let refused = reply.kind() == ReplyKind::Nak;
        let to = if !request.giaddr.is_unspecified() {
            SocketAddrV4::new(request.giaddr, SERVER_PORT)
        } else if request.ciaddr.is_unspecified() || refused {
            SocketAddrV4::new(Ipv4Addr::BROADCAST, CLIENT_PORT)
        } else {
            SocketAddrV4::new(request.ciaddr, CLIENT_PORT)
        };
        let from = Some(reply.server());
        let (bytes, left_out) = reply.into_bytes(request);
        if !left_out.is_empty() {
            self.tell_left_out(request, place, &left_out);
        }
        Outcome { reply: Some((bytes, to)), keep, from, word }
    }

    /// Says which options found no room, and once for each network that some did not.
    fn tell_left_out(&self, request: &Request<'_>, place: Place<'_>, options: &[u8]) {
        let (network, room) = (&place.network.name, request.longest_answer());
        tracing::debug!(client.mac = %request.mac, %network, ?options, room.bytes = room, "options are left out");
        if self.prepared.is_first_without_room(network) {
            tracing::warn!(
                client.mac = %request.mac, %network, ?options, room.bytes = room,
                "options do not fit into what a client takes, and some are left out; shorten them in cluster.yaml"
            );
        }
    }
}
