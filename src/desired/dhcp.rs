//! What DHCP is to be told, of an inventory.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::inventory::{Inventory, Network};
use crate::model::{DhcpHost, DhcpNetwork, DhcpSettings};

/// The settings that the inventory makes.
pub(super) fn settings(inventory: &Inventory) -> DhcpSettings {
    let cluster = &inventory.cluster;
    let mut settings = DhcpSettings {
        cluster: cluster.id.as_str().into(),
        networks: cluster.networks.iter().map(|declared| network(declared, &cluster.domain)).collect(),
        hosts: BTreeMap::new(),
        machines: BTreeMap::new(),
        boot_script_url: cluster.dhcp.boot_script_url.clone(),
        short_name: cluster.short_name.clone(),
        nid_length: cluster.nid_length,
        names: BTreeMap::new(),
        loaders: cluster.dhcp.loaders.clone(),
        groups: cluster.dhcp.groups.clone(),
        nodes: cluster.dhcp.nodes.clone(),
        reserved: vec![cluster.boot_ip],
    };
    for host in &cluster.dhcp.hosts {
        let entry = DhcpHost { name: host.name.clone(), ip: host.ip, options: host.options.clone() };
        settings.hosts.insert(host.mac, entry);
    }
    // Most names are made of the number, and a table of the others alone stays small.
    for node in &inventory.nodes {
        if settings.node_name(&node.xname, Some(node.nid)).as_ref() != Some(&node.name) {
            settings.names.insert(node.xname.clone(), node.name.clone());
        }
    }
    settings
}

fn network(network: &Network, domain: &str) -> DhcpNetwork {
    let mut options = network.dhcp.options.clone();
    options.router = network.router.map(|router| vec![router]).or(options.router);
    let v4 = network.dns.iter().filter_map(|ip| match ip {
        IpAddr::V4(ip) => Some(*ip),
        IpAddr::V6(_) => None,
    });
    options.dns = (!network.dns.is_empty()).then(|| v4.collect()).or(options.dns);
    options.domain = options.domain.or_else(|| Some(domain.to_owned()));
    DhcpNetwork {
        name: Arc::from(network.name.as_str()),
        subnet: network.subnet,
        mode: network.dhcp.mode,
        pool: network.pool,
        unknown: network.dhcp.unknown.clone(),
        unknown_lease: network.dhcp.unknown_lease,
        options,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::samples;

    #[test]
    fn only_names_that_no_number_makes_are_listed() {
        let mut inventory = samples::inventory(3);
        let usual = settings(&inventory);
        assert!(usual.names.is_empty(), "{:?}", usual.names);
        inventory.nodes[1].name = "login1".into();
        let named = settings(&inventory);
        assert_eq!(named.names.values().map(AsRef::as_ref).collect::<Vec<&str>>(), ["login1"]);
        assert_eq!(named.reserved, [inventory.cluster.boot_ip]);
    }
}
