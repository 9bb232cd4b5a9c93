//! What a client sent: the fixed header and the options, every length checked (RFC 2131, 2132).
//!
//! The codec is dhcproto's borrowed reader, which copies nothing. Its accessors trust the hardware address length that
//! the packet itself states, so that is checked before any of them is called. An option that does not have the length
//! of its kind counts as not given.
//!
//! Where a client has more to say than fits, its options go on in the header's fields for the names of a file and of a
//! server (option 52, RFC 2132 section 9.3), read in that order (RFC 2131 section 4.1). dhcproto knows nothing of that,
//! and joins the parts of an option only where they follow each other.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::ops::Range;

use dhcproto::v4::borrowed::{DhcpOption, DhcpOptionIterator, Message};
use dhcproto::v4::{HType, MAGIC, Opcode};

use super::code;
use crate::model::MacAddr;

/// The messages that clients send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Discover,
    Request,
    Decline,
    Release,
    Inform,
}

/// A message of a client.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) kind: Kind,
    pub(super) mac: MacAddr,
    pub(super) xid: u32,
    pub(super) flags: u16,
    pub(super) ciaddr: Ipv4Addr,
    pub(super) giaddr: Ipv4Addr,
    options: Vec<DhcpOption<'a>>,
}

/// Why bytes are no message of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequestError {
    /// Shorter than the header and the magic cookie.
    #[error("too short")]
    Short,
    /// Not a request, or plain BOOTP.
    #[error("not a DHCP request")]
    NotRequest,
    /// A hardware address that is none of an Ethernet interface.
    #[error("not the address of an Ethernet interface")]
    Hardware,
    /// No message type, or one that clients do not send.
    #[error("not a message of a client")]
    Kind,
}

/// The shortest message: the header and the magic cookie.
const SHORTEST: usize = 240;

/// The length of an Ethernet address.
const ETHERNET: u8 = 6;

/// The header's fields that may hold options: the name of a server, and that of a file.
const SNAME: Range<usize> = 44..108;
const FILE: Range<usize> = 108..236;

impl<'a> Request<'a> {
    /// Reads a packet.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, RequestError> {
        let message = Message::new(bytes).map_err(|_| RequestError::Short)?;
        if message.opcode() != Opcode::BootRequest || bytes.get(SHORTEST - 4..SHORTEST) != Some(&MAGIC) {
            return Err(RequestError::NotRequest);
        }
        if message.htype() != HType::Eth || message.hlen() != ETHERNET {
            return Err(RequestError::Hardware);
        }
        let mac = MacAddr(message.chaddr().try_into().map_err(|_| RequestError::Hardware)?);
        if mac.is_multicast() || mac.0 == [0; 6] {
            return Err(RequestError::Hardware);
        }
        let mut request = Self {
            kind: Kind::Discover,
            mac,
            xid: message.xid(),
            flags: message.flags().into(),
            ciaddr: message.ciaddr(),
            giaddr: message.giaddr(),
            options: message.opts().collect(),
        };
        for field in request.overloaded() {
            request.options.extend(DhcpOptionIterator::new(bytes.get(field).unwrap_or_default()));
        }
        request.kind = match request.first(code::MESSAGE_TYPE) {
            Some([1]) => Kind::Discover,
            Some([3]) => Kind::Request,
            Some([4]) => Kind::Decline,
            Some([7]) => Kind::Release,
            Some([8]) => Kind::Inform,
            _ => return Err(RequestError::Kind),
        };
        Ok(request)
    }

    /// The fields of the header that hold options, too, in the order in which they are read.
    fn overloaded(&self) -> Vec<Range<usize>> {
        match self.first(code::OVERLOAD) {
            Some([1]) => vec![FILE],
            Some([2]) => vec![SNAME],
            Some([3]) => vec![FILE, SNAME],
            _ => Vec::new(),
        }
    }

    /// The parts of an option, in the order of the packet.
    fn parts(&self, code: u8) -> impl Iterator<Item = &[u8]> {
        self.options.iter().filter(move |option| u8::from(option.code()) == code).map(DhcpOption::data)
    }

    /// The bytes of an option that always has the same length: it never comes in parts, so of several the first counts.
    fn first(&self, code: u8) -> Option<&[u8]> {
        self.parts(code).next()
    }

    /// The bytes of an option, where it is given: all of its parts (RFC 3396).
    pub(super) fn option(&self, code: u8) -> Option<Cow<'_, [u8]>> {
        let mut parts = self.parts(code);
        let mut whole = Cow::Borrowed(parts.next()?);
        parts.for_each(|part| whole.to_mut().extend_from_slice(part));
        Some(whole)
    }

    /// The address that is asked for, option 50.
    pub(super) fn requested(&self) -> Option<Ipv4Addr> {
        self.address(code::REQUESTED_ADDRESS).filter(|ip| !ip.is_unspecified())
    }

    /// The server that is meant, option 54.
    pub(super) fn server(&self) -> Option<Ipv4Addr> {
        self.address(code::SERVER_IDENTIFIER)
    }

    /// True when the client asks to be told an option (option 55).
    pub(super) fn asks_for(&self, code: u8) -> bool {
        self.option(code::PARAMETER_LIST).is_some_and(|list| list.contains(&code))
    }

    /// The longest message that the client takes (option 57), without IP and UDP headers; 548 bytes unless it says more.
    pub(super) fn longest_answer(&self) -> usize {
        let stated = self.first(code::MAXIMUM_SIZE).and_then(|data| Some(u16::from_be_bytes(data.try_into().ok()?)));
        usize::from(stated.unwrap_or(0).clamp(576, 1500)) - 28
    }

    /// The subnet that a relay means where it is not its own: the link selection of option 82 (RFC 3527), or the subnet
    /// selection of a client (RFC 3011).
    pub(super) fn selected_subnet(&self) -> Option<Ipv4Addr> {
        let information = self.option(code::RELAY_AGENT);
        let relayed = information.as_deref().and_then(|data| suboption(data, 5));
        let link = relayed.and_then(|data| Some(<[u8; 4]>::try_from(data).ok()?.into()));
        link.or_else(|| self.address(code::SUBNET_SELECTION))
    }

    /// An option that is an address.
    fn address(&self, code: u8) -> Option<Ipv4Addr> {
        Some(<[u8; 4]>::try_from(self.first(code)?).ok()?.into())
    }
}

/// A sub-option of an option that encapsulates others.
pub(super) fn suboption(mut data: &[u8], wanted: u8) -> Option<&[u8]> {
    while let [code, length, rest @ ..] = data {
        let (value, behind) = rest.split_at_checked(usize::from(*length))?;
        if *code == wanted {
            return Some(value);
        }
        data = behind;
    }
    None
}

#[cfg(test)]
mod tests;
