//! The lines for `cluster.yaml` that say what a configuration of CoreDHCP says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::arguments::time;
use super::config::Config;
use crate::inventory::dhcp::{SHORTEST, SHORTEST_UNKNOWN};

/// A network, as far as the configuration tells.
#[derive(Default)]
struct Network {
    router: Option<Ipv4Addr>,
    pool: Option<(Ipv4Addr, Ipv4Addr)>,
    /// The plugins for all clients speak of this one.
    main: bool,
}

/// The lines.
pub(super) fn of(config: &Config, name: &str) -> String {
    let mut out = format!("# What {} says, for cluster.yaml.\n", shown(name));
    serving(config, &mut out);
    let (networks, unsaid) = networks(config);
    out.push_str("networks:\n");
    for (number, (subnet, network)) in networks.iter().enumerate() {
        put_network(config, number, Some(subnet), network, &mut out);
    }
    if let Some(network) = unsaid {
        put_network(config, networks.len(), None, &network, &mut out);
    }
    if !config.hosts.is_empty() {
        out.push_str("hosts:\n");
    }
    for (mac, ip) in &config.hosts {
        let dashed = ip.to_string().replace('.', "-");
        let _ = writeln!(out, "  - {{name: host-{dashed}, mac: '{mac}', ip: {ip}}}   # give it its name");
    }
    if !config.notes.is_empty() {
        out.push_str("# Not taken over:\n");
    }
    for (line, note) in &config.notes {
        let _ = writeln!(out, "#   line {line}: {}", shown(note));
    }
    out
}

/// What belongs elsewhere: keys that `cluster.yaml` has already, and flags of `serve`.
fn serving(config: &Config, out: &mut String) {
    let mut comment = |text: String| {
        let _ = writeln!(out, "# {}", shown(&text));
    };
    if let Some(server) = config.server {
        comment(format!("cluster_boot_ip: {server}"));
    }
    let mut flags: Vec<String> = config.interfaces.iter().map(|name| format!("--dhcp {name}")).collect();
    if let Some(coresmd) = &config.coresmd {
        if let Some((beginning, width)) = &coresmd.names {
            comment(format!("cluster_shortname: {beginning}"));
            comment(format!("cluster_nidlength: {width}"));
        }
        if let Some(domain) = &coresmd.domain {
            comment(format!("cluster_domain: {domain}"));
        }
        let address = config.server.map_or_else(|| "0.0.0.0".to_owned(), |ip| ip.to_string());
        flags.push(format!("--tftp {address}:{}", coresmd.tftp_port.unwrap_or(69)));
        flags.extend(coresmd.tftp_dir.iter().map(|directory| format!("--loaders {directory}")));
        flags.extend(coresmd.single_port.then(|| "--tftp-single-port".to_owned()));
    }
    if !flags.is_empty() {
        comment(format!("ochami-sync serve {}", flags.join(" ")));
    }
    if let Some(coresmd) = config.coresmd.as_ref().filter(|coresmd| !coresmd.ipxe_base.is_empty()) {
        let base = coresmd.ipxe_base.trim_end_matches('/');
        comment(format!("dhcp: {{boot_script_url: '{base}/boot/v1/bootscript'}}   (only while that BSS stays)"));
    }
}

/// The networks by subnet, and one whose subnet nothing tells.
fn networks(config: &Config) -> (BTreeMap<Ipv4Net, Network>, Option<Network>) {
    let mut networks: BTreeMap<Ipv4Net, Network> = BTreeMap::new();
    for (subnet, router) in &config.subnets {
        networks.entry(*subnet).or_default().router = *router;
    }
    let pools = config.bootloop.iter().flat_map(|bootloop| &bootloop.pools);
    for (subnet, first, last) in pools.clone() {
        let Some(subnet) = subnet else { continue };
        networks.entry(subnet.trunc()).or_default().pool = Some((*first, *last));
    }
    let loose = pools.clone().find(|(subnet, ..)| subnet.is_none()).map(|(_, first, last)| (*first, *last));
    let inside = config.server.or(config.routers.first().copied()).or(loose.map(|(first, _)| first));
    let main = inside.and_then(|ip| {
        let known = networks.keys().find(|subnet| subnet.contains(&ip)).copied();
        known.or_else(|| Some(Ipv4Net::new(ip, config.prefix?).ok()?.trunc()))
    });
    let Some(main) = main else {
        let router = config.routers.first().copied();
        let said = loose.is_some() || router.is_some() || networks.is_empty();
        return (networks, said.then_some(Network { router, pool: loose, main: true }));
    };
    let network = networks.entry(main).or_default();
    network.router = network.router.or_else(|| config.routers.first().copied().filter(|ip| main.contains(ip)));
    network.pool = network.pool.or(loose);
    network.main = true;
    (networks, None)
}

fn put_network(config: &Config, number: usize, subnet: Option<&Ipv4Net>, network: &Network, out: &mut String) {
    let name = if network.main { "boot".to_owned() } else { format!("network{}", number + 1) };
    let _ = writeln!(out, "  - name: {name}");
    let mut line = |text: String| {
        let _ = writeln!(out, "    {text}");
    };
    match subnet {
        Some(subnet) => line(format!("subnet: {subnet}")),
        None => line("subnet:   # nothing there tells which; write it as 172.16.0.0/24".to_owned()),
    }
    if let Some(router) = network.router {
        line(format!("router: {router}"));
    }
    if !config.dns.is_empty() {
        line(format!("dns: {}", list(&config.dns)));
    }
    if !config.search.is_empty() {
        line(format!("search: [{}]", config.search.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")));
    }
    if let Some(mtu) = config.mtu {
        line(format!("mtu: {mtu}"));
    }
    if !config.routes.is_empty() {
        let route = |(to, via): &(Ipv4Net, Ipv4Addr)| format!("{{to: {to}, via: {via}}}");
        line(format!("routes: [{}]", config.routes.iter().map(route).collect::<Vec<_>>().join(", ")));
    }
    if let Some(lease) = config.coresmd.as_ref().and_then(|coresmd| coresmd.lease) {
        line(lease_line("lease", lease, SHORTEST));
    }
    if let Some((first, last)) = network.pool {
        line(format!("pool: {first}-{last}"));
    }
    match &config.bootloop {
        None => line("unknown: ignore".to_owned()),
        Some(bootloop) => {
            match bootloop.script.as_deref() {
                None | Some("default" | "") => line("unknown: reboot".to_owned()),
                Some(script) => line(format!("unknown: {}", quoted(&format!("script:{script}")))),
            }
            if let Some(lease) = bootloop.lease {
                line(lease_line("unknown_lease", lease, SHORTEST_UNKNOWN));
            }
        }
    }
}

fn lease_line(key: &str, seconds: u64, shortest: u32) -> String {
    if seconds < shortest.into() {
        return format!("{key}: {shortest}s   # it says {seconds}s, which is too short here");
    }
    format!("{key}: {}", time(seconds))
}

fn list(addresses: &[Ipv4Addr]) -> String {
    match addresses {
        [one] => one.to_string(),
        several => format!("[{}]", several.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// A text of the file as a YAML scalar.
fn quoted(text: &str) -> String {
    format!("'{}'", shown(text).replace('\'', "''"))
}

/// A text of the file on one line, so that it cannot be taken for a line of its own.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
