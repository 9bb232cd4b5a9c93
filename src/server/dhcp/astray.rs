//! Machines that are known and ask on a network where they have no address: a cable in the wrong port, or an address that
//! the inventory gives on another network.
//!
//! They have a short lease of the pool like unknown machines, so that they come to their own address soon after the
//! mistake is gone, and they boot what they always boot, because a boot script is found by the MAC address. Where unknown
//! machines are ignored they are, too. As nobody would look for them among unknown machines otherwise, they are noted with
//! those.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::model::{DhcpMode, DhcpSettings, DhcpUnknown, MacAddr};
use crate::snapshot::BootView;

/// Who has a MAC address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `node`, `component` for any other of SMD, a controller for instance, or `host` for one of `cluster.yaml`.
    pub kind: &'static str,
    /// Its name; the xname of a node that has none.
    pub name: Arc<str>,
    /// Its IPv4 addresses, on any network.
    pub addresses: Vec<Ipv4Addr>,
}

/// Who has a MAC address. None for an interface of SMD that belongs to no component: other DHCP servers put machines
/// there that nobody knows.
#[must_use]
pub fn owner(view: &BootView, settings: &DhcpSettings, mac: MacAddr) -> Option<Owner> {
    let addresses = addresses(view, settings, mac);
    if let Some(host) = settings.hosts.get(&mac) {
        return Some(Owner { kind: "host", name: host.name.clone(), addresses });
    }
    let (id, nid) = match settings.machines.get(&mac) {
        Some(machine) => (machine.id.as_ref()?, machine.nid),
        None => {
            let component = view.component_by_mac(mac)?;
            (&component.id, component.nid)
        }
    };
    let kind = if id.is_node() { "node" } else { "component" };
    let name = settings.name_of(id, nid).unwrap_or_else(|| id.clone().into());
    Some(Owner { kind, name, addresses })
}

/// True when a machine that was noted needs nobody's attention any more: it is known, and it has an address in the
/// network that it asked on, or that network gives no addresses.
#[must_use]
pub fn is_settled(view: &BootView, settings: &DhcpSettings, noted: &DhcpUnknown) -> bool {
    if !settings.knows(noted.mac) && !view.interfaces.contains_key(&noted.mac) {
        return false;
    }
    let network = settings.networks.iter().find(|network| network.name == noted.network);
    network.is_none_or(|network| {
        network.mode != DhcpMode::Server
            || addresses(view, settings, noted.mac).iter().any(|ip| network.subnet.contains(ip))
    })
}

/// The IPv4 addresses that a machine has.
fn addresses(view: &BootView, settings: &DhcpSettings, mac: MacAddr) -> Vec<Ipv4Addr> {
    if let Some(host) = settings.hosts.get(&mac) {
        return vec![host.ip];
    }
    if let Some(machine) = settings.machines.get(&mac) {
        return machine.ips.clone();
    }
    let interface = view.interfaces.get(&mac);
    let v4 = |ip| match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    };
    interface.into_iter().flat_map(|interface| &interface.ip_addresses).filter_map(|address| v4(address.ip)).collect()
}
