//! The machines that DHCP knows where SMD is somebody else's: made of the desired state, as SMD would tell them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde::Deserialize;

use crate::desired::Desired;
use crate::model::{DhcpMachine, GroupLabel, IpAddress, Kind, MacAddr, Nid, Xname};

#[derive(Deserialize)]
struct Interface {
    component_id: Option<Xname>,
    #[serde(default)]
    ip_addresses: Vec<IpAddress>,
}

#[derive(Deserialize)]
struct Component {
    nid: Option<Nid>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    members: Vec<Xname>,
}

/// Every interface with what DHCP needs of its component.
pub(super) fn of(desired: &Desired) -> BTreeMap<MacAddr, DhcpMachine> {
    let mut numbers: BTreeMap<Arc<str>, Nid> = BTreeMap::new();
    let mut groups: BTreeMap<Xname, Vec<GroupLabel>> = BTreeMap::new();
    let mut interfaces: Vec<(MacAddr, Interface)> = Vec::new();
    for (key, object) in &desired.objects {
        match key.kind {
            Kind::Component => {
                let component: Option<Component> = read(&object.doc);
                if let Some(nid) = component.and_then(|component| component.nid) {
                    numbers.insert(key.id.clone(), nid);
                }
            }
            Kind::EthernetInterface => {
                let interface: Option<Interface> = read(&object.doc);
                interfaces.extend(key.id.parse().ok().zip(interface));
            }
            Kind::Group => {
                let group: Option<Group> = read(&object.doc);
                let Some((group, label)) = group.zip(key.id.parse::<GroupLabel>().ok()) else { continue };
                for member in group.members {
                    groups.entry(member).or_default().push(label.clone());
                }
            }
            _ => {}
        }
    }
    let machine = |(mac, interface): (MacAddr, Interface)| {
        let v4 = |address: IpAddress| match address.ip {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        };
        let ips: Vec<Ipv4Addr> = interface.ip_addresses.into_iter().filter_map(v4).collect();
        let id = interface.component_id;
        let nid = id.as_ref().and_then(|id| numbers.get(id.as_str())).copied();
        let groups = id.as_ref().and_then(|id| groups.get(id)).cloned().unwrap_or_default();
        (mac, DhcpMachine { ips, id, nid, groups })
    };
    interfaces.into_iter().map(machine).collect()
}

/// A document of the desired state; one that cannot be read says nothing for DHCP.
fn read<'de, T: Deserialize<'de>>(doc: &'de str) -> Option<T> {
    serde_json::from_str(doc).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::samples;

    #[test]
    fn nodes_and_controllers_are_known_by_their_addresses() {
        let machines = of(&samples::desire(&samples::inventory(2)));
        assert_eq!(machines.len(), 4);
        let node = &machines[&"ec:e7:a7:05:00:02".parse().unwrap()];
        assert_eq!(node.ips, [Ipv4Addr::new(172, 16, 0, 2)]);
        assert_eq!((node.id.as_ref().unwrap().as_str(), node.nid), ("x1000c0s0b1n0", Some(Nid(1))));
        assert_eq!(node.groups.iter().map(GroupLabel::as_str).collect::<Vec<_>>(), ["compute"]);
        let controller = &machines[&"00:00:5e:00:00:03".parse().unwrap()];
        assert_eq!((controller.id.as_ref().unwrap().as_str(), controller.nid), ("x1000c0s0b2", None));
        assert_eq!(controller.ips, [Ipv4Addr::new(172, 17, 0, 3)]);
    }
}
