//! What a client sent: the fixed header and the options, every length checked (RFC 2131, 2132).
//!
//! The codec is dhcproto's borrowed reader, which copies nothing. Its accessors trust the hardware address length that
//! the packet itself states, so that is checked before any of them is called. An option that does not have the length
//! of its kind counts as not given.

use std::net::Ipv4Addr;

use dhcproto::v4::borrowed::{DhcpOption, Message};
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
        request.kind = match request.option(code::MESSAGE_TYPE) {
            Some([1]) => Kind::Discover,
            Some([3]) => Kind::Request,
            Some([4]) => Kind::Decline,
            Some([7]) => Kind::Release,
            Some([8]) => Kind::Inform,
            _ => return Err(RequestError::Kind),
        };
        Ok(request)
    }

    /// The bytes of an option, where it is given; the first of several.
    pub(super) fn option(&self, code: u8) -> Option<&[u8]> {
        self.options.iter().find(|option| u8::from(option.code()) == code).map(DhcpOption::data)
    }

    /// An option that is an address.
    pub(super) fn address(&self, code: u8) -> Option<Ipv4Addr> {
        Some(<[u8; 4]>::try_from(self.option(code)?).ok()?.into())
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
        let stated = self.option(code::MAXIMUM_SIZE).and_then(|data| Some(u16::from_be_bytes(data.try_into().ok()?)));
        usize::from(stated.unwrap_or(0).clamp(576, 1500)) - 28
    }

    /// The subnet that a relay means where it is not its own: the link selection of option 82 (RFC 3527), or the subnet
    /// selection of a client (RFC 3011).
    pub(super) fn selected_subnet(&self) -> Option<Ipv4Addr> {
        let relayed = self.option(code::RELAY_AGENT).and_then(|data| suboption(data, 5));
        let link = relayed.and_then(|data| Some(<[u8; 4]>::try_from(data).ok()?.into()));
        link.or_else(|| self.address(code::SUBNET_SELECTION))
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
mod tests {
    use super::*;

    /// A packet with these options and nothing else that matters.
    fn packet(options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; SHORTEST];
        bytes[..3].copy_from_slice(&[1, 1, 6]);
        bytes[28..34].copy_from_slice(&[0xec, 0xe7, 0xa7, 5, 0xa1, 0xfc]);
        bytes[236..240].copy_from_slice(&MAGIC);
        bytes.extend_from_slice(options);
        bytes
    }

    #[test]
    fn a_packet_cut_anywhere_is_refused_or_read_but_never_a_panic() {
        let whole = packet(&[53, 1, 1, 50, 4, 10, 0, 0, 1, 82, 6, 5, 4, 10, 0, 0, 0, 255]);
        for length in 0..whole.len() {
            let read = Request::read(&whole[..length]);
            assert_eq!(read.is_err(), length < 243, "{length}");
        }
    }

    #[test]
    fn what_is_no_request_of_an_ethernet_client_is_refused() {
        let error = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = packet(&[53, 1, 1, 255]);
            change(&mut bytes);
            Request::read(&bytes).unwrap_err()
        };
        assert_eq!(error(&|bytes| bytes.truncate(239)), RequestError::Short);
        assert_eq!(error(&|bytes| bytes[0] = 2), RequestError::NotRequest);
        assert_eq!(error(&|bytes| bytes[236] = 0), RequestError::NotRequest);
        assert_eq!(error(&|bytes| bytes[2] = 255), RequestError::Hardware);
        assert_eq!(error(&|bytes| bytes[1] = 32), RequestError::Hardware);
        assert_eq!(error(&|bytes| bytes[28] |= 1), RequestError::Hardware);
        assert_eq!(error(&|bytes| bytes[28..34].fill(0)), RequestError::Hardware);
        assert_eq!(error(&|bytes| bytes[242] = 2), RequestError::Kind);
        assert_eq!(error(&|bytes| bytes[240] = 255), RequestError::Kind);
    }

    #[test]
    fn an_option_of_a_wrong_length_counts_as_not_given() {
        let bytes = packet(&[53, 1, 3, 50, 3, 10, 0, 0, 54, 5, 1, 2, 3, 4, 5, 57, 1, 2, 82, 4, 5, 9, 1, 2, 255]);
        let request = Request::read(&bytes).unwrap();
        assert_eq!((request.requested(), request.server(), request.selected_subnet()), (None, None, None));
        assert_eq!(request.longest_answer(), 548);
    }

    #[test]
    fn the_size_that_a_client_takes_is_believed_within_bounds() {
        for (stated, longest) in [(0_u16, 548), (576, 548), (1200, 1172), (u16::MAX, 1472)] {
            let [high, low] = stated.to_be_bytes();
            let bytes = packet(&[53, 1, 1, 57, 2, high, low, 255]);
            assert_eq!(Request::read(&bytes).unwrap().longest_answer(), longest, "{stated}");
        }
    }

    #[test]
    fn a_relay_may_mean_another_subnet_than_its_own() {
        let bytes = packet(&[53, 1, 1, 82, 9, 1, 1, 7, 5, 4, 10, 9, 0, 0, 255]);
        assert_eq!(Request::read(&bytes).unwrap().selected_subnet(), Some([10, 9, 0, 0].into()));
        let bytes = packet(&[53, 1, 1, 118, 4, 10, 8, 0, 0, 255]);
        assert_eq!(Request::read(&bytes).unwrap().selected_subnet(), Some([10, 8, 0, 0].into()));
    }
}
