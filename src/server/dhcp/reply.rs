//! An answer on its way to bytes: header, options in a fixed order, within the size that the client takes.

mod packing;

use std::net::Ipv4Addr;

use dhcproto::v4::{Encodable as _, Encoder, Flags, Message, Opcode, encode_long_opt_bytes};

use self::packing::{Entry, Packed};
use super::client::Client;
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
    server: Ipv4Addr,
    options: Vec<Entry>,
}

/// BOOTP relays drop what is shorter (RFC 951, RFC 1542).
const SHORTEST: usize = 300;

/// The room of the header's `file`, with the zero byte at its end.
const FILE: usize = 128;

/// The end of the options.
const END: u8 = 255;

/// The room of the header's `sname`.
const SNAME: usize = 64;

/// Where the fields `sname` and `file` and the options begin in a message.
const SNAME_AT: usize = 44;
const FILE_AT: usize = SNAME_AT + SNAME;
const OPTIONS_AT: usize = FILE_AT + FILE + 4;

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
        let mut reply = Self { kind, header, server, options: Vec::with_capacity(20) };
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

    /// Who sends it.
    pub(super) fn server(&self) -> Ipv4Addr {
        self.server
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

    /// The message, never longer than the client takes, and the options that are left out for that. The message type is
    /// its first option and what a relay added its last, as some readers need it.
    pub(super) fn into_bytes(mut self, request: &Request<'_>) -> (Vec<u8>, Vec<u8>) {
        let asked = request.option(code::PARAMETER_LIST).unwrap_or_default();
        let room = request.longest_answer() - OPTIONS_AT - 1;
        let names_are_free = Client::of(request) == Client::Plain && self.header.fname().is_none();
        let options = std::mem::take(&mut self.options);
        let packed = Packed::new(options, &asked, room, names_are_free.then_some([FILE - 1, SNAME - 1]));
        let overload = packed.overload();
        let Packed { fields: [mut options, file, sname], left_out } = packed;
        if overload != 0 {
            options.push((code::OVERLOAD, vec![overload]));
        }
        let rank = |code: u8| match code {
            code::MESSAGE_TYPE => 0,
            code::SERVER_IDENTIFIER => 1,
            code::RELAY_AGENT => u16::MAX,
            other => 2 + u16::from(other),
        };
        options.sort_by_key(|(code, _)| rank(*code));
        let mut bytes = Vec::with_capacity(512);
        // Writing into memory fails only where lengths overflow, and each length here is a few hundred bytes.
        let _ = self.header.encode(&mut Encoder::new(&mut bytes));
        for (field, at) in [(file, FILE_AT), (sname, SNAME_AT)] {
            let content = encoded(&field);
            if let Some(place) = bytes.get_mut(at..at + content.len()).filter(|_| !field.is_empty()) {
                place.copy_from_slice(&content);
            }
        }
        bytes.extend(encoded(&options));
        if bytes.len() < SHORTEST {
            bytes.resize(SHORTEST, 0);
        }
        (bytes, left_out)
    }
}

/// Options with their end.
fn encoded(options: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    let mut encoder = Encoder::new(&mut bytes);
    for (code, data) in options {
        let _ = encode_long_opt_bytes((*code).into(), data, &mut encoder);
    }
    bytes.push(END);
    bytes
}
