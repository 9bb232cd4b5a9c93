//! An interface that is served: its addresses, whom it reaches, and what is wrong with that.
//!
//! A server for relays alone has no network of the inventory on its own wire, and so has one whose inventory or whose
//! interface has the wrong address. The two look alike until somebody asks: relays are answered, and machines of the wire
//! ask in vain. So only the second is trouble, and the first is told as what it is.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};

use super::CLIENT_PORT;
use super::outcome::{Outcome, Silence};
use super::request::Request;
use crate::model::{DhcpMode, DhcpNetwork, DhcpSettings};

/// An interface that is served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// Its name.
    pub name: Arc<str>,
    /// Its first address; none while it has none.
    pub address: Option<Ipv4Addr>,
    /// For each network of the settings, in their order, the address of ours from which it is reached over this
    /// interface; none where it is not.
    pub towards: Vec<Option<Ipv4Addr>>,
}

impl Link {
    /// The addresses of an interface, as the kernel would choose them for packets to all and to each network: no packet
    /// is sent, and no list of addresses has to be read.
    pub(super) fn of(name: &Arc<str>, networks: &[DhcpNetwork]) -> Self {
        let source = |to: Ipv4Addr| {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).ok()?;
            socket.bind_device(Some(name.as_bytes())).ok()?;
            socket.set_broadcast(true).ok()?;
            // Any port does where nothing is sent.
            socket.connect(&SocketAddr::from((to, CLIENT_PORT)).into()).ok()?;
            let address = socket.local_addr().ok()?.as_socket_ipv4()?;
            Some(*address.ip()).filter(|ip| !ip.is_unspecified())
        };
        // The last but one address of a subnet is any machine's; that of the subnet itself is none's.
        let within = |network: &DhcpNetwork| network.subnet.hosts().next_back().unwrap_or(network.subnet.addr());
        Self {
            name: name.clone(),
            address: source(Ipv4Addr::BROADCAST),
            towards: networks.iter().map(|network| source(within(network))).collect(),
        }
    }

    /// The address that clients of a network are told as ours.
    pub(super) fn server_for(&self, number: usize) -> Option<Ipv4Addr> {
        self.towards.get(number).copied().flatten().or(self.address)
    }

    /// True for an address of this interface.
    pub(super) fn has(&self, ip: Ipv4Addr) -> bool {
        self.address == Some(ip) || self.towards.contains(&Some(ip))
    }

    /// Some address of this interface.
    fn any(&self) -> Option<Ipv4Addr> {
        self.address.or_else(|| self.towards.iter().copied().flatten().next())
    }
}

/// Whom an interface reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nobody: it has no address.
    #[default]
    Nobody,
    /// Nobody, because no network was applied.
    NoNetworks(Ipv4Addr),
    /// The machines of its own wire, and relays.
    Wire(Ipv4Addr),
    /// Relays alone: this address of its own is in none of the networks that are served.
    Relays(Ipv4Addr),
}

impl Reach {
    /// Whom this interface reaches by these settings.
    pub(super) fn of(settings: &DhcpSettings, link: &Link) -> Self {
        let Some(address) = link.any() else { return Self::Nobody };
        if settings.networks.is_empty() {
            return Self::NoNetworks(address);
        }
        match local(settings, link).next() {
            Some(_) => Self::Wire(address),
            None => Self::Relays(address),
        }
    }

    /// Says it, for an administrator who looks why a machine is not answered.
    pub(super) fn tell(self, interface: &str) {
        match self {
            // What is reported says so.
            Self::Nobody => {}
            Self::NoNetworks(_) => {
                tracing::warn!(%interface, "no network is known; DHCP is silent until one is applied");
            }
            Self::Wire(address) => tracing::info!(%interface, %address, "serving DHCP"),
            Self::Relays(address) => tracing::info!(
                %interface, %address,
                "serving DHCP for relays alone: the interface has no address in a network of the inventory"
            ),
        }
    }
}

/// What came of the requests on an interface, as far as it tells a server for relays from a mistake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Somebody was answered.
    answered: bool,
    /// A machine of the interface's own wire asked, and no network was found for it.
    in_vain: bool,
}

impl Heard {
    /// Takes note of what came of a request.
    pub(super) fn note(&mut self, request: &Request<'_>, outcome: &Result<Outcome, Silence>) {
        self.answered |= outcome.is_ok();
        self.in_vain |= matches!(outcome, Err(Silence::NoNetwork)) && request.giaddr.is_unspecified();
    }
}

/// What keeps machines of the interface's own wire from being answered, in a sentence. Settings without any network are
/// no trouble: they are those of an inventory that asks for no DHCP, or of none. Neither is a server for relays: machines
/// of its own wire that ask it, too, are somebody else's as long as relays are answered.
pub(super) fn trouble(name: &str, reach: Reach, heard: Heard) -> Option<String> {
    match reach {
        Reach::Nobody => Some(format!("interface {name} has no address, so DHCP is not served on it")),
        Reach::Relays(address) if heard.in_vain && !heard.answered => Some(format!(
            "{address} of interface {name} is in no network of the inventory, so machines on its wire ask in vain"
        )),
        Reach::Relays(_) | Reach::NoNetworks(_) | Reach::Wire(_) => None,
    }
}

/// A network that a client may be on, and who we are there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) network: &'a DhcpNetwork,
    pub(super) server: Ipv4Addr,
}

/// The networks that are served, with their numbers.
pub(super) fn numbered(settings: &DhcpSettings) -> impl Iterator<Item = (usize, &DhcpNetwork)> + Clone {
    settings.networks.iter().enumerate().filter(|(_, network)| network.mode != DhcpMode::Off)
}

/// The networks in which the interface has an address.
pub(super) fn local<'a>(settings: &'a DhcpSettings, link: &Link) -> impl Iterator<Item = Place<'a>> {
    numbered(settings).filter_map(|(number, network)| {
        let server = link.towards.get(number).copied().flatten()?;
        network.subnet.contains(&server).then_some(Place { network, server })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DhcpMode;

    const OURS: [u8; 4] = [172, 16, 0, 254];
    const STRANGE: [u8; 4] = [10, 0, 0, 1];

    fn link(address: Option<[u8; 4]>, towards: &[[u8; 4]]) -> Link {
        Link {
            name: "eth0".into(),
            address: address.map(Into::into),
            towards: towards.iter().map(|ip| Some((*ip).into())).collect(),
        }
    }

    /// The settings of a cluster with one network.
    fn settings(mode: DhcpMode) -> DhcpSettings {
        let network = DhcpNetwork {
            name: "boot".into(),
            subnet: "172.16.0.0/24".parse().unwrap(),
            mode,
            pool: None,
            unknown: crate::model::UnknownPolicy::Ignore,
            unknown_lease: 60,
            options: crate::model::DhcpOptions::default(),
        };
        DhcpSettings { networks: vec![network], ..DhcpSettings::default() }
    }

    /// A DISCOVER, through a relay or not.
    fn discover(relayed: bool) -> Vec<u8> {
        let mut bytes = vec![0; 240];
        bytes[..3].copy_from_slice(&[1, 1, 6]);
        bytes[24] = if relayed { 10 } else { 0 };
        bytes[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        bytes[236..240].copy_from_slice(&dhcproto::v4::MAGIC);
        bytes.extend([53, 1, 1, 255]);
        bytes
    }

    /// What was heard when these requests were answered, or found no network.
    fn heard(requests: &[(bool, bool)]) -> Heard {
        let mut heard = Heard::default();
        for (relayed, answered) in requests {
            let bytes = discover(*relayed);
            let outcome = match answered {
                true => Ok(Outcome { reply: None, keep: None, from: None, word: "offer" }),
                false => Err(Silence::NoNetwork),
            };
            heard.note(&Request::read(&bytes).unwrap(), &outcome);
        }
        heard
    }

    #[test]
    fn whom_an_interface_reaches_is_told_by_its_addresses_and_the_networks_that_are_served() {
        let (served, off) = (settings(DhcpMode::Server), settings(DhcpMode::Off));
        assert_eq!(Reach::of(&served, &link(None, &[])), Reach::Nobody);
        assert_eq!(Reach::of(&served, &link(Some(STRANGE), &[STRANGE])), Reach::Relays(STRANGE.into()));
        assert_eq!(Reach::of(&off, &link(Some(OURS), &[OURS])), Reach::Relays(OURS.into()));
        assert_eq!(Reach::of(&served, &link(Some(OURS), &[OURS])), Reach::Wire(OURS.into()));
        let none = DhcpSettings::default();
        assert_eq!(Reach::of(&none, &link(Some(STRANGE), &[])), Reach::NoNetworks(STRANGE.into()));
    }

    #[test]
    fn an_interface_without_an_address_is_trouble_and_one_without_networks_is_not() {
        let trouble = |reach| trouble("eth0", reach, heard(&[(false, false)]));
        assert!(trouble(Reach::Nobody).unwrap().contains("eth0 has no address"));
        assert_eq!(trouble(Reach::NoNetworks(STRANGE.into())), None);
        assert_eq!(trouble(Reach::Wire(OURS.into())), None);
    }

    #[test]
    fn a_server_for_relays_is_trouble_only_while_its_own_wire_asks_in_vain_and_nobody_is_answered() {
        const OWN: bool = false;
        const RELAYED: bool = true;
        let trouble = |requests| trouble("eth0", Reach::Relays(STRANGE.into()), heard(requests));
        assert_eq!(trouble(&[]), None, "nobody asked");
        assert_eq!(trouble(&[(RELAYED, true)]), None);
        assert_eq!(trouble(&[(RELAYED, false)]), None, "a relay of a network that is not served");
        assert!(trouble(&[(OWN, false)]).unwrap().contains("10.0.0.1 of interface eth0 is in no network"));
        assert!(trouble(&[(OWN, false), (RELAYED, false)]).is_some());
        assert_eq!(trouble(&[(OWN, false), (RELAYED, true)]), None);
        assert_eq!(trouble(&[(RELAYED, true), (OWN, false)]), None);
    }

    #[test]
    fn the_addresses_of_an_interface_are_those_that_the_kernel_would_send_from() {
        let networks = ["127.0.0.0/8", "192.0.2.0/24"].map(|subnet| DhcpNetwork {
            subnet: subnet.parse().unwrap(),
            ..settings(DhcpMode::Server).networks[0].clone()
        });
        let link = Link::of(&"lo".into(), &networks[..1]);
        assert_eq!(link.towards, [Some(Ipv4Addr::LOCALHOST)]);
        let gone = Link::of(&"nonesuch0".into(), &networks);
        assert_eq!((gone.address, gone.towards), (None, vec![None, None]));
    }
}
