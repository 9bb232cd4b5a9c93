//! An answer on its way to bytes: header, options in a fixed order, within the size that the client takes.

use std::net::Ipv4Addr;

use dhcproto::v4::{Encodable as _, Encoder, Flags, Message, Opcode, encode_long_opt_bytes};

use super::code;
use super::request::Request;

/// The messages that a server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplyKind {
    Offer,
    Ack,
    Nak,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    kind: ReplyKind,
    header: Message,
    options: Vec<(u8, Vec<u8>)>,
    longest: usize,
}

/// BOOTP relays drop what is shorter (RFC 951, RFC 1542).
const SHORTEST: usize = 300;

/// The room of the header's `file`, with the zero byte at its end.
const FILE: usize = 128;

/// The end of the options.
const END: u8 = 255;

/// What goes first when an answer is too long, the least needed at the front. What identifies the exchange, the address
/// and the boot file is never left out.
const DISPENSABLE: &[u8] = &[
    code::MACHINE_IDENTIFIER,
    code::BROADCAST,
    code::TIME_SERVER,
    code::SEARCH,
    code::TFTP_SERVER,
    code::ROOT_PATH,
    code::CLASSLESS_ROUTES,
    code::DOMAIN,
    code::MTU,
    code::NAME_SERVER,
    code::HOST_NAME,
];

impl Reply {
    /// An answer without options but those that every answer has: its kind, who sends it, and what has to be given back
    /// (the client identifier, RFC 6842, and what a relay added, RFC 3046).
    pub(super) fn new(kind: ReplyKind, request: &Request<'_>, server: Ipv4Addr) -> Self {
        let unspecified = Ipv4Addr::UNSPECIFIED;
        let ciaddr = if kind == ReplyKind::Ack { request.ciaddr } else { unspecified };
        let mut header =
            Message::new_with_id(request.xid, ciaddr, unspecified, unspecified, request.giaddr, &request.mac.0);
        // A refusal that a relay passes on has to be broadcast: the client has no address that it could be sent to.
        let forced = kind == ReplyKind::Nak && !request.giaddr.is_unspecified();
        let flags = if forced { request.flags | 0x8000 } else { request.flags };
        header.set_opcode(Opcode::BootReply).set_flags(Flags::new(flags));
        let number = match kind {
            ReplyKind::Offer => 2,
            ReplyKind::Ack => 5,
            ReplyKind::Nak => 6,
        };
        let mut reply = Self { kind, header, options: Vec::with_capacity(20), longest: request.longest_answer() };
        reply.set(code::MESSAGE_TYPE, &[number]);
        reply.set(code::SERVER_IDENTIFIER, &server.octets());
        for echoed in [code::CLIENT_IDENTIFIER, code::RELAY_AGENT] {
            if let Some(data) = request.option(echoed) {
                reply.set(echoed, &data);
            }
        }
        reply
    }

    pub(super) fn kind(&self) -> ReplyKind {
        self.kind
    }

    /// The address that the client gets.
    pub(super) fn set_address(&mut self, ip: Ipv4Addr) {
        self.header.set_yiaddr(ip);
    }

    /// Where the boot file is.
    pub(super) fn set_next_server(&mut self, ip: Ipv4Addr) {
        self.header.set_siaddr(ip);
    }

    /// The boot file: as an option, and in the header, where some firmware looks, if it is short enough.
    pub(super) fn set_boot_file(&mut self, file: &str) {
        self.set(code::BOOT_FILE, file.as_bytes());
        if file.len() < FILE {
            self.header.set_fname(file.as_bytes());
        }
    }

    /// Sets an option; an empty one is not sent.
    pub(super) fn set(&mut self, code: u8, data: &[u8]) {
        self.options.retain(|(known, _)| *known != code);
        if !data.is_empty() {
            self.options.push((code, data.to_vec()));
        }
    }

    /// An option that is a list of addresses.
    pub(super) fn set_addresses(&mut self, code: u8, addresses: &[Ipv4Addr]) {
        let bytes: Vec<u8> = addresses.iter().flat_map(Ipv4Addr::octets).collect();
        self.set(code, &bytes);
    }

    /// An option that is a number of seconds.
    pub(super) fn set_seconds(&mut self, code: u8, seconds: u32) {
        self.set(code, &seconds.to_be_bytes());
    }

    /// The message. The message type is its first option and what a relay added its last, as some readers need it; what
    /// does not fit is left out.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        let rank = |code: u8| match code {
            code::MESSAGE_TYPE => 0,
            code::SERVER_IDENTIFIER => 1,
            code::RELAY_AGENT => u16::MAX,
            other => 2 + u16::from(other),
        };
        self.options.sort_by_key(|(code, _)| rank(*code));
        let mut dispensable = DISPENSABLE.iter();
        loop {
            let bytes = self.encode();
            if bytes.len() <= self.longest {
                return bytes;
            }
            let Some(code) = dispensable.next() else { return bytes };
            self.options.retain(|(known, _)| known != code);
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512);
        let mut encoder = Encoder::new(&mut bytes);
        // Writing into memory fails only where lengths overflow, and each length here is a few hundred bytes.
        let _ = self.header.encode(&mut encoder);
        for (code, data) in &self.options {
            let _ = encode_long_opt_bytes((*code).into(), data, &mut encoder);
        }
        bytes.push(END);
        if bytes.len() < SHORTEST {
            bytes.resize(SHORTEST, 0);
        }
        bytes
    }
}
