//! `networks`, `hosts` and `dhcp` of `cluster.yaml`.

use std::net::Ipv4Addr;

use super::{codes, first, load_with, rendered};
use crate::inventory::{Code, Inventory};
use crate::model::{DhcpMode, DhcpOptions, UnknownPolicy};

/// The base example's cluster with lines added.
fn cluster(more: &str) -> String {
    let base = "cluster_name: demo\ncluster_boot_ip: 172.16.0.254\nbss_kernel_version: 4.18.0\n\
                bss_image_version: compute/latest\n";
    format!("{base}{more}")
}

#[track_caller]
fn sound(more: &str) -> Inventory {
    let loaded = load_with("cluster.yaml", cluster(more).as_bytes());
    let text = rendered(&loaded);
    loaded.inventory.unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn everything_that_a_network_can_be_told_is_read() {
    let inventory = sound(
        "networks:\n  - name: management\n    subnet: 172.16.0.0/24\n    dhcp: proxy\n    unknown: script:discover.ipxe\n    \
         unknown_lease: 2m\n    ntp: [172.16.0.254, 172.16.0.253]\n    mtu: 9000\n    lease: 12h\n    renew: 1h\n    \
         rebind: 2h\n    domain: demo.example\n    search: [a.example, b.example]\n    root_path: /srv\n    \
         next_server: '{{ cluster_boot_ip }}'\n    boot_file: own.efi\n    routes: [{to: 10.0.0.0/8, via: 172.16.0.1}]\n    \
         options: {150: {ip: [172.16.0.254]}, 43: {hex: '06:01:08:ff'}, 66: head}\n",
    );
    let dhcp = &inventory.cluster.networks[0].dhcp;
    assert_eq!((dhcp.mode, &dhcp.unknown), (DhcpMode::Proxy, &UnknownPolicy::Script("discover.ipxe".into())));
    assert_eq!(dhcp.unknown_lease, 120);
    let head = Ipv4Addr::new(172, 16, 0, 254);
    let DhcpOptions { ntp, mtu, lease, renew, rebind, routes, next_server, other, .. } = &dhcp.options;
    assert_eq!(ntp.as_deref(), Some(&[head, Ipv4Addr::new(172, 16, 0, 253)][..]));
    assert_eq!(
        (*mtu, *lease, *renew, *rebind, *next_server),
        (Some(9000), Some(43_200), Some(3600), Some(7200), Some(head))
    );
    assert_eq!(routes.as_ref().unwrap()[0].to.to_string(), "10.0.0.0/8");
    assert_eq!(other[&150], head.octets());
    assert_eq!((&other[&43][..], &other[&66][..]), (&[6, 1, 8, 255][..], &b"head"[..]));
}

#[test]
fn an_unknown_machine_may_have_a_lease_of_seconds_and_a_known_one_of_a_minute() {
    let inventory = sound("networks: [{name: management, subnet: 172.16.0.0/24, unknown_lease: 10s, lease: 60}]\n");
    let dhcp = &inventory.cluster.networks[0].dhcp;
    assert_eq!((dhcp.unknown_lease, dhcp.options.lease), (10, Some(60)));
}

#[test]
fn hosts_groups_nodes_and_loaders_are_read() {
    let inventory = sound(
        "hosts: [{name: switch1, mac: 'ec:e7:a7:0f:00:09', ip: 172.16.0.90, mtu: 1500}]\n\
         dhcp: {loaders: {7: snponly.efi}, groups: {compute: {mtu: 9000}}, nodes: {nid001: {lease: 1d}}}\n",
    );
    let dhcp = &inventory.cluster.dhcp;
    assert_eq!((&*dhcp.hosts[0].name, dhcp.hosts[0].options.mtu), ("switch1", Some(1500)));
    assert_eq!(dhcp.loaders[&7], "snponly.efi");
    assert_eq!(dhcp.groups.values().next().unwrap().mtu, Some(9000));
    assert_eq!(dhcp.nodes[&inventory.nodes[0].xname].lease, Some(86_400));
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    let network =
        |more: &str| cluster(&format!("networks:\n  - name: management\n    subnet: 172.16.0.0/24\n    {more}\n"));
    let cases = [
        ("dhcp: on", Code::Word),
        ("unknown: rebot", Code::Word),
        ("unknown: 'script:'", Code::Word),
        ("lease: 30", Code::Number),
        ("lease: 1w", Code::Number),
        ("lease: 59s", Code::Number),
        ("unknown_lease: 9s", Code::Number),
        ("unknown_lease: 366d", Code::Number),
        ("lease: 99999999999999999999h", Code::Number),
        ("mtu: 500", Code::Number),
        ("ntp: [::1]", Code::IpAddress),
        ("next_server: head", Code::IpAddress),
        ("domain: a_b", Code::HostName),
        ("boot_file: 'a b'", Code::DhcpOption),
        ("routes: [{to: 10.0.0.1/8, via: 172.16.0.1}]", Code::Subnet),
        ("options: {54: x}", Code::DhcpOption),
        ("options: {300: x}", Code::DhcpOption),
        ("options: {150: {hex: 0g}}", Code::DhcpOption),
        ("options: {150: {hex: '012'}}", Code::DhcpOption),
        ("options: {150: {hxe: 01}}", Code::UnknownField),
        ("lese: 1h", Code::UnknownField),
        ("{renew: 2h, rebind: 1h}", Code::DhcpOption),
        ("{rebind: 2h, lease: 1h}", Code::DhcpOption),
        ("{renew: 2h, lease: 1h}", Code::DhcpOption),
        ("{mtu: 9000, options: {26: {hex: 2328}}}", Code::DhcpOption),
        ("ntp: LIST", Code::DhcpOption),
    ];
    let list = format!("[{}]", vec!["172.16.0.254"; 64].join(", "));
    for (line, code) in cases {
        // Several keys are written in braces here, and on one line there.
        let line = line.replace("LIST", &list);
        let text = match line.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(keys) => {
                let network = format!("{{name: management, subnet: 172.16.0.0/24,\n\n   {keys}}}");
                cluster(&format!("networks:\n - {network}\n"))
            }
            None => network(&line),
        };
        let loaded = load_with("cluster.yaml", text.as_bytes());
        let found = loaded.diagnostics.first().map(|one| (one.code, one.place.as_ref().map(|place| place.line)));
        assert_eq!(found, Some((code, Some(8))), "{line}: {}", rendered(&loaded));
    }
}

#[test]
fn a_host_has_an_address_of_its_own_outside_of_the_pool() {
    let networks = "networks: [{name: management, subnet: 172.16.0.0/24, pool: 172.16.0.200-172.16.0.250}]\n";
    let host =
        |mac: &str, ip: &str| cluster(&format!("{networks}hosts: [{{name: switch1, mac: '{mac}', ip: {ip}}}]\n"));
    let other = "ec:e7:a7:0f:00:09";
    let cases = [
        (host("ec:e7:a7:05:a1:fc", "172.16.0.90"), Code::DuplicateMac),
        (host(other, "172.16.0.254"), Code::DuplicateIp),
        (host(other, "172.16.0.201"), Code::PoolAddress),
        (host(other, "10.0.0.1"), Code::OutsideSubnet),
    ];
    for (text, code) in cases {
        let loaded = load_with("cluster.yaml", text.as_bytes());
        assert!(codes(&loaded).contains(&code), "{text}: {}", rendered(&loaded));
    }
    let unknown = cluster("dhcp: {nodes: {nid999: {mtu: 9000}}}\n");
    assert_eq!(first("cluster.yaml", Box::leak(unknown.into_boxed_str())), (Code::DhcpName, 5, 16));
}
