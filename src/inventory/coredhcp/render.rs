//! The configuration of CoreDHCP that serves what an inventory says, as far as CoreDHCP can.

use std::fmt::Write as _;

use ipnet::Ipv4Net;

use super::super::types::{Inventory, Network};
use super::arguments::time;
use crate::model::{DhcpMode, DhcpOptions, UnknownPolicy};

/// Which arguments coresmd takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// Up to 0.2: five values in a row.
    Five,
    /// 0.3 and 0.4: six.
    Six,
    /// Since 0.5: `key=value`.
    Keys,
}

/// The lease of a known machine unless the network says another.
const LEASE: u32 = 3600;

/// What precedes the number in the names that generations before `key=value` give, and its width.
const FIXED_NAMES: (&str, usize) = ("nid", 4);

/// Where containers of OpenCHAMI have the certificate of their authority.
const CA: &str = "/root_ca/root_ca.crt";

/// Renders the configuration for a generation of coresmd that asks SMD at `services`.
#[must_use]
pub fn render(inventory: &Inventory, generation: Generation, services: &str) -> String {
    let cluster = &inventory.cluster;
    let mut left_out: Vec<String> = Vec::new();
    let main = cluster.networks.iter().find(|network| network.subnet.contains(&cluster.boot_ip));
    let main = main.or(cluster.networks.first());
    let interface = cluster.boot_interface.as_deref().map(|name| format!("\"%{name}\""));
    let mut out = format!(
        "# DHCP of cluster {}, for CoreDHCP with coresmd.\nserver4:\n  listen:\n    - {}\n  plugins:\n",
        cluster.name.replace(char::is_control, " "),
        interface.unwrap_or_else(|| "0.0.0.0".to_owned()),
    );
    let mut plugin = |name: &str, arguments: &str| {
        let _ = writeln!(out, "    - {name}: {arguments}");
    };
    plugin("server_id", &cluster.boot_ip.to_string());
    let lease = u64::from(main.and_then(|main| main.dhcp.options.lease).unwrap_or(LEASE));
    if let Some(main) = main {
        // A value that is only a number or has a comma would not be a text in YAML.
        let dns: Vec<String> = main.dns.iter().filter(|ip| ip.is_ipv4()).map(ToString::to_string).collect();
        for (name, value) in [
            ("dns", dns.join(" ")),
            ("router", main.router.map(|ip| ip.to_string()).unwrap_or_default()),
            ("netmask", main.subnet.netmask().to_string()),
            ("mtu", main.dhcp.options.mtu.map(|mtu| format!("\"{mtu}\"")).unwrap_or_default()),
            ("searchdomains", main.dhcp.options.search.clone().unwrap_or_default().join(" ")),
            ("staticroute", routes(&main.dhcp.options)),
        ] {
            if !value.is_empty() {
                plugin(name, &value);
            }
        }
    }
    let others: Vec<&Network> =
        cluster.networks.iter().filter(|network| main.is_none_or(|main| main.name != network.name)).collect();
    plugin("coresmd", &coresmd(inventory, generation, services, lease, &others));
    let told: Vec<&Network> = match generation {
        Generation::Keys => main.into_iter().chain(others.iter().copied()).collect(),
        Generation::Five | Generation::Six => main.into_iter().collect(),
    };
    // Where unknown machines are ignored nothing may be handed to them.
    let is_open = |network: &&Network| network.dhcp.unknown != UnknownPolicy::Ignore && network.pool.is_some();
    let open: Vec<&Network> = told.iter().copied().filter(is_open).collect();
    if let Some(first) = open.first() {
        plugin("bootloop", &bootloop(first, generation, &open));
        // It knows a pool by the relay that asks, unless it has only one.
        if generation == Generation::Keys && open.len() > 1 {
            left_out.push("leases for unknown machines that ask without a relay: there are several pools".to_owned());
        }
        for network in &open {
            left_out.extend(differing_pool(network, first));
        }
    }
    for network in &cluster.networks {
        unexpressed(network, &cluster.domain, &mut left_out);
    }
    if let Some(main) = main {
        left_out.extend(told.iter().flat_map(|network| differing(network, main)));
    }
    if generation != Generation::Keys {
        if (&*cluster.short_name, cluster.nid_length) != FIXED_NAMES {
            left_out.push("names of nodes: this generation names every node nid and four digits".to_owned());
        }
        left_out
            .extend(others.iter().map(|network| format!("network {}: this generation has one network", network.name)));
    }
    let dhcp = &cluster.dhcp;
    left_out.extend(
        dhcp.hosts.iter().map(|host| format!("host {}: a line `{} {}` for `file`", host.name, host.mac, host.ip)),
    );
    left_out.extend(dhcp.groups.keys().map(|label| format!("options of group {label}")));
    left_out.extend(dhcp.nodes.keys().map(|node| format!("options of node {node}")));
    left_out.extend((!dhcp.loaders.is_empty()).then(|| "loaders by architecture".to_owned()));
    if !left_out.is_empty() {
        out.push_str("# What CoreDHCP cannot be told:\n");
    }
    for line in left_out {
        let _ = writeln!(out, "#   {line}");
    }
    out
}

fn coresmd(inventory: &Inventory, generation: Generation, services: &str, lease: u64, others: &[&Network]) -> String {
    let cluster = &inventory.cluster;
    let (boot, lease) = (format!("http://{}:8081", cluster.boot_ip), time_of_go(lease));
    match generation {
        Generation::Five => format!("{services} {boot} {CA} 30s {lease}"),
        Generation::Six => format!("{services} {boot} {CA} 30s {lease} false"),
        Generation::Keys => {
            let mut lines = vec![
                format!("svc_base_uri={services}"),
                format!("ipxe_base_uri={boot}"),
                format!("ca_cert={CA}"),
                "cache_valid=30s".to_owned(),
                format!("lease_time={lease}"),
                format!("domain={}", cluster.domain),
            ];
            let router = |network: &&&Network| network.router.map(|router| (network.subnet, router));
            lines.extend(others.iter().filter_map(|network| router(&network)).map(|(subnet, router): (Ipv4Net, _)| {
                // The first rule that matches is the last one unless it says otherwise, and the name comes behind.
                format!("rule=subnet:{subnet},routers:{router},cidr:{},continue:true", subnet.prefix_len())
            }));
            let width = cluster.nid_length;
            lines.push(format!("rule=type:Node,hostname:{}{{{width:02}d}}", cluster.short_name));
            lines.push("rule=type:NodeBMC,hostname:{id}".to_owned());
            block(&lines)
        }
    }
}

/// For all networks with a pool, of which the first says what unknown machines are told.
fn bootloop(main: &Network, generation: Generation, open: &[&Network]) -> String {
    let script = match &main.dhcp.unknown {
        UnknownPolicy::Script(name) => name.as_str(),
        UnknownPolicy::Reboot | UnknownPolicy::Shell | UnknownPolicy::Ignore => "default",
    };
    let lease = time_of_go(u64::from(main.dhcp.unknown_lease));
    let (first, last) = main.pool.unwrap_or((main.subnet.network(), main.subnet.network()));
    if generation != Generation::Keys {
        return format!("/tmp/coredhcp.db {script} {lease} {first} {last}");
    }
    let mut lines =
        vec!["lease_file=/tmp/coredhcp.db".to_owned(), format!("script_path={script}"), format!("lease_time={lease}")];
    lines.extend(open.iter().filter_map(|network| {
        let (first, last) = network.pool?;
        Some(format!("subnet_pool={},{first},{last}", network.subnet))
    }));
    block(&lines)
}

/// What bootloop is told once for all networks, and is another thing for this one.
fn differing_pool(network: &Network, first: &Network) -> Vec<String> {
    let said = [
        (network.dhcp.unknown != first.dhcp.unknown, "unknown"),
        (network.dhcp.unknown_lease != first.dhcp.unknown_lease, "unknown_lease"),
    ];
    lines(network, &said)
}

/// What plugins are told once for all networks, and is another thing for this one.
fn differing(network: &Network, main: &Network) -> Vec<String> {
    let (own, all) = (&network.dhcp.options, &main.dhcp.options);
    let said = [
        (network.dns != main.dns, "dns"),
        (own.lease.unwrap_or(LEASE) != all.lease.unwrap_or(LEASE), "lease"),
        (own.mtu != all.mtu, "mtu"),
        (own.search != all.search, "search"),
        (own.routes != all.routes, "routes"),
    ];
    lines(network, &said)
}

/// A line for each thing of a network that is so.
fn lines(network: &Network, said: &[(bool, &str)]) -> Vec<String> {
    said.iter().filter(|(said, _)| *said).map(|(_, what)| format!("network {}: {what}", network.name)).collect()
}

/// What no plugin can be told of a network.
fn unexpressed(network: &Network, cluster_domain: &str, left_out: &mut Vec<String>) {
    let DhcpOptions { domain, ntp, renew, rebind, root_path, next_server, boot_file, other, .. } =
        &network.dhcp.options;
    let said = [
        (domain.as_deref().is_some_and(|domain| domain != cluster_domain), "domain"),
        (ntp.is_some(), "ntp"),
        (renew.is_some(), "renew"),
        (rebind.is_some(), "rebind"),
        (root_path.is_some(), "root_path"),
        (next_server.is_some(), "next_server"),
        (boot_file.is_some(), "boot_file"),
        (!other.is_empty(), "options"),
        (network.dhcp.unknown == UnknownPolicy::Shell, "unknown: shell"),
        (network.dhcp.mode != DhcpMode::Server, "dhcp"),
    ];
    left_out.extend(lines(network, &said));
}

fn routes(options: &DhcpOptions) -> String {
    let routes = options.routes.iter().flatten();
    routes.map(|route| format!("{},{}", route.to, route.via)).collect::<Vec<_>>().join(" ")
}

/// Lines as a YAML block, indented below a plugin.
fn block(lines: &[String]) -> String {
    format!("|\n        {}", lines.join("\n        "))
}

/// A time as Go reads it; it knows no days.
fn time_of_go(seconds: u64) -> String {
    match time(seconds).strip_suffix('d') {
        Some(_) => format!("{}h", seconds / 3600),
        None => time(seconds),
    }
}
