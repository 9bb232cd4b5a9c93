//! Where a packet came from: the interface with its addresses, and the networks that the client may be on.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

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
    /// The address that clients of a network are told as ours.
    fn server_for(&self, number: usize) -> Option<Ipv4Addr> {
        self.towards.get(number).copied().flatten().or(self.address)
    }

    /// True for an address of this interface.
    pub(super) fn has(&self, ip: Ipv4Addr) -> bool {
        self.address == Some(ip) || self.towards.contains(&Some(ip))
    }
}

/// The settings with what is looked up often.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) settings: Arc<DhcpSettings>,
    /// Addresses that no pool hands out, beside those of known interfaces.
    taken: HashSet<Ipv4Addr>,
}

impl Prepared {
    pub(super) fn new(settings: Arc<DhcpSettings>) -> Self {
        let mut taken: HashSet<Ipv4Addr> = settings.reserved.iter().copied().collect();
        taken.extend(settings.hosts.values().map(|host| host.ip));
        taken.extend(settings.machines.values().flat_map(|machine| &machine.ips));
        for network in &settings.networks {
            let options = &network.options;
            taken.extend([network.subnet.network(), network.subnet.broadcast()]);
            taken.extend(options.next_server);
            let lists = [&options.router, &options.dns, &options.ntp];
            taken.extend(lists.into_iter().flatten().flatten());
        }
        Self { settings, taken }
    }

    pub(super) fn is_taken(&self, ip: Ipv4Addr) -> bool {
        self.taken.contains(&ip)
    }
}

/// A network that a client may be on, and who we are there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) network: &'a DhcpNetwork,
    pub(super) server: Ipv4Addr,
}

/// The networks that a client may be on: that of its relay, else that of the address it has, else those of the
/// interface. Several may share a wire; the first is where an unknown machine gets its address.
pub(super) fn places<'a>(settings: &'a DhcpSettings, link: &Link, request: &Request<'_>) -> Vec<Place<'a>> {
    let numbered = numbered(settings);
    let of = |ip: Ipv4Addr| {
        let found = numbered.clone().find(|(_, network)| network.subnet.contains(&ip));
        found.into_iter().filter_map(|(number, network)| Some(Place { network, server: link.server_for(number)? }))
    };
    if !request.giaddr.is_unspecified() {
        return of(request.selected_subnet().unwrap_or(request.giaddr)).collect();
    }
    // A client that renews asks us directly, past its relay: only its address tells where it is.
    if !request.ciaddr.is_unspecified() {
        let there: Vec<_> = of(request.ciaddr).collect();
        if !there.is_empty() {
            return there;
        }
    }
    local(settings, link).collect()
}

/// The networks that are served, with their numbers.
fn numbered(settings: &DhcpSettings) -> impl Iterator<Item = (usize, &DhcpNetwork)> + Clone {
    settings.networks.iter().enumerate().filter(|(_, network)| network.mode != DhcpMode::Off)
}

/// The networks in which the interface has an address.
fn local<'a>(settings: &'a DhcpSettings, link: &Link) -> impl Iterator<Item = Place<'a>> {
    numbered(settings).filter_map(|(number, network)| {
        let server = link.towards.get(number).copied().flatten()?;
        network.subnet.contains(&server).then_some(Place { network, server })
    })
}

/// What keeps machines of the interface's own wire from being answered, in a sentence. Settings without any network are
/// no trouble: they are those of an inventory that asks for no DHCP, or of none.
pub(super) fn trouble(settings: &DhcpSettings, link: &Link) -> Option<String> {
    let name = &link.name;
    let Some(address) = link.address.or_else(|| link.towards.iter().copied().flatten().next()) else {
        return Some(format!("interface {name} has no address, so DHCP is not served on it"));
    };
    let strange = !settings.networks.is_empty() && local(settings, link).next().is_none();
    strange.then(|| {
        format!("{address} of interface {name} is in no network of the inventory, so only relays are answered there")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_without_an_address_in_a_network_is_trouble() {
        let link = |address: Option<[u8; 4]>, towards: &[[u8; 4]]| Link {
            name: "eth0".into(),
            address: address.map(Into::into),
            towards: towards.iter().map(|ip| Some((*ip).into())).collect(),
        };
        let network = |mode| DhcpNetwork {
            name: "boot".into(),
            subnet: "172.16.0.0/24".parse().unwrap(),
            mode,
            pool: None,
            unknown: crate::model::UnknownPolicy::Ignore,
            unknown_lease: 60,
            options: crate::model::DhcpOptions::default(),
        };
        let with = |mode| DhcpSettings { networks: vec![network(mode)], ..DhcpSettings::default() };
        let settings = with(DhcpMode::Server);
        let (ours, strange) = ([172, 16, 0, 254], [10, 0, 0, 1]);
        assert!(trouble(&settings, &link(None, &[])).unwrap().contains("eth0 has no address"));
        assert!(trouble(&settings, &link(Some(strange), &[strange])).unwrap().contains("10.0.0.1 of interface eth0"));
        assert!(trouble(&with(DhcpMode::Off), &link(Some(ours), &[ours])).is_some());
        assert_eq!(trouble(&settings, &link(Some(ours), &[ours])), None);
        assert_eq!(trouble(&DhcpSettings::default(), &link(Some(strange), &[])), None);
    }
}
