use super::*;
use crate::inventory::{Code, Inventory, Network, load};
use crate::model::UnknownPolicy;

/// What the tutorial's installation has, in the words of each generation.
const COMMON: &str = "server4:
  listen: ['%ens259f0']
  plugins:
    - server_id: 172.16.0.254
    - dns: 172.16.0.254
    - router: 172.16.0.254
    - netmask: 255.255.255.0
";
const FIVE: &str =
    "    - coresmd: https://demo.openchami.cluster:8443 http://172.16.0.254:8081 /root_ca/root_ca.crt 30s 1h
    - bootloop: /tmp/coredhcp.db default 5m 172.16.0.200 172.16.0.250
";
const SIX: &str = "    - coresmd: https://demo.openchami.cluster:8443 http://172.16.0.254:8081 \"\" 30s 1h0m0s true
    - bootloop: /tmp/coredhcp.db default 5m 172.16.0.200 172.16.0.250
";
const KEYS: &str = "    - coresmd: |
        svc_base_uri=https://demo.openchami.cluster:8443 /* the gateway */
        ipxe_base_uri=http://172.16.0.254:8081
        ca_cert=/root_ca/root_ca.crt
        lease_time=1h single_port=true tftp_dir=/srv/tftp tftp_port=6969
        domain=openchami.cluster
        rule=type:Node,hostname:nid{03d}
        rule=type:NodeBMC,hostname:bmc{04d}
        rule=subnet:10.1.0.0/24,routers:10.1.0.1,cidr:24
    - bootloop: |
        lease_file=/tmp/coredhcp.db
        script_path=discover.ipxe
        lease_time=5m
        subnet_pool=172.16.0.0/24,172.16.0.200,172.16.0.250
        subnet_pool=10.1.0.0/24,10.1.0.100,10.1.0.120
";

fn imported(text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("coredhcp.yaml");
    std::fs::write(&path, text).unwrap();
    import(&path).unwrap_or_else(|problems| panic!("{:?}", problems.diagnostics))
}

/// The inventory that these lines make with the least that a cluster needs.
fn cluster(lines: &str) -> Inventory {
    let directory = tempfile::tempdir().unwrap();
    let variables = "cluster_name: demo\ncluster_boot_ip: 172.16.0.254\ncluster_boot_interface: ens259f0\n";
    std::fs::write(directory.path().join("cluster.yaml"), format!("{variables}{lines}")).unwrap();
    let node = "- {name: nid001, xname: x1000c0s0b0n0, nid: 1, groups: [compute], interfaces: [{mac_addr: \
                ec:e7:a7:05:a1:fc}]}";
    std::fs::write(directory.path().join("nodes.yaml"), format!("nodes:\n{node}\n")).unwrap();
    let loaded = load(directory.path());
    loaded.inventory.unwrap_or_else(|| panic!("{lines}\n{:?}", loaded.diagnostics))
}

/// What is compared of a network: everything but its name and its place.
fn told(network: &Network) -> impl PartialEq + std::fmt::Debug {
    let Network { subnet, router, dns, pool, dhcp, .. } = network.clone();
    (subnet, router, dns, pool, dhcp)
}

#[test]
fn a_lease_that_is_too_short_here_becomes_the_shortest_one() {
    let short = KEYS.replace("lease_time=1h", "lease_time=45s").replace("lease_time=5m", "lease_time=30s");
    let lines = imported(&format!("{COMMON}{short}"));
    assert!(lines.contains("unknown_lease: 30s\n"), "{lines}");
    assert!(lines.contains(" lease: 60s   # it says 45s, which is too short here\n"), "{lines}");
    let lines = imported(&format!("{COMMON}{}", KEYS.replace("lease_time=5m", "lease_time=5s")));
    assert!(lines.contains("unknown_lease: 10s   # it says 5s, which is too short here\n"), "{lines}");
    let dhcp = &cluster(&lines).cluster.networks[0].dhcp;
    assert_eq!(dhcp.unknown_lease, 10);
}

#[test]
fn every_generation_of_arguments_says_the_same_network() {
    for (generation, text) in [("five", FIVE), ("six", SIX)] {
        let lines = imported(&format!("{COMMON}{text}"));
        let inventory = cluster(&lines);
        let [network] = &inventory.cluster.networks[..] else { panic!("{generation}: {lines}") };
        assert_eq!(network.subnet, "172.16.0.0/24".parse().unwrap(), "{generation}");
        assert_eq!(network.router, Some([172, 16, 0, 254].into()));
        assert_eq!(network.dns, [std::net::IpAddr::from([172, 16, 0, 254])]);
        assert_eq!(network.pool, Some(([172, 16, 0, 200].into(), [172, 16, 0, 250].into())));
        assert_eq!((network.dhcp.unknown_lease, network.dhcp.options.lease), (300, Some(3600)));
        assert_eq!(network.dhcp.unknown, UnknownPolicy::Reboot);
        assert!(lines.contains("serve --dhcp ens259f0 --tftp 172.16.0.254:69"), "{lines}");
        assert_eq!(lines.contains("--tftp-single-port"), generation == "six", "{lines}");
        assert!(lines.contains("# cluster_nidlength: 4\n"), "{lines}");
    }
}

#[test]
fn keys_with_comments_rules_and_several_networks_are_read() {
    let lines = imported(&format!("{COMMON}{KEYS}"));
    let networks = cluster(&lines).cluster.networks;
    assert_eq!(networks.len(), 2, "{lines}");
    let (far, near) = (&networks[0], &networks[1]);
    assert_eq!((&*near.name, near.router), ("boot", Some([172, 16, 0, 254].into())));
    assert_eq!(near.dhcp.unknown, UnknownPolicy::Script("discover.ipxe".into()));
    assert_eq!((far.subnet, far.router), ("10.1.0.0/24".parse().unwrap(), Some([10, 1, 0, 1].into())));
    assert_eq!(far.pool, Some(([10, 1, 0, 100].into(), [10, 1, 0, 120].into())));
    assert!(lines.contains("--tftp 172.16.0.254:6969 --loaders /srv/tftp --tftp-single-port"), "{lines}");
    assert!(lines.contains("# cluster_nidlength: 3\n") && lines.contains("# cluster_domain: openchami.cluster\n"));
    assert!(lines.contains("# dhcp: {boot_script_url: 'http://172.16.0.254:8081/boot/v1/bootscript'}"), "{lines}");
    assert!(lines.contains("the rule `type:NodeBMC,hostname:bmc{04d}` cannot be expressed"), "{lines}");
}

#[test]
fn what_cannot_be_expressed_is_told_with_its_line() {
    let text = format!(
        "{COMMON}    - sleep: 5s\n    - mtu: '9000'\n    - staticroute: 10.0.0.0/8,172.16.0.1 x\nserver6: {{}}\n"
    );
    let lines = imported(&text);
    assert!(lines.contains("#   line 8: `sleep: 5s` has no counterpart\n"), "{lines}");
    assert!(lines.contains("#   line 10: the route `x` cannot be read\n"), "{lines}");
    assert!(lines.contains("`server6` is left out"), "{lines}");
    let options = &cluster(&lines).cluster.networks[0].dhcp;
    assert_eq!((options.options.mtu, options.options.routes.as_ref().map(Vec::len)), (Some(9000), Some(1)));
    assert_eq!(options.unknown, UnknownPolicy::Ignore, "without bootloop unknown machines get nothing");
    let swallowed = imported(&format!("{COMMON}    - bootloop: lease_file=x /* default lease_time=5m\n"));
    assert!(swallowed.contains("a comment of `bootloop` has no end"), "{swallowed}");
}

#[test]
fn hosts_of_a_file_are_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let hosts = directory.path().join("hosts.txt");
    std::fs::write(&hosts, "# switches\nec:e7:a7:0f:00:09 172.16.0.90\nnonsense\n").unwrap();
    let lines = imported(&format!("{COMMON}    - file: {}\n    - file: /nonexistent/hosts\n", hosts.display()));
    let dhcp = cluster(&lines).cluster.dhcp;
    assert_eq!((dhcp.hosts.len(), dhcp.hosts[0].ip), (1, [172, 16, 0, 90].into()));
    assert!(lines.contains("`nonsense` in ") && lines.contains("`/nonexistent/hosts` cannot be read"), "{lines}");
}

#[test]
fn a_file_that_is_no_configuration_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("coredhcp.yaml");
    let refused = |text: &str| {
        std::fs::write(&path, text).unwrap();
        import(&path).unwrap_err().diagnostics[0].code
    };
    assert_eq!(refused("server6: {}\n"), Code::MissingField);
    assert_eq!(refused("server4: {plugins: []}\n"), Code::MissingField);
    assert_eq!(refused(""), Code::MissingField);
    assert_eq!(refused("server4: ["), Code::UnclosedBracket);
    assert_eq!(import(&directory.path().join("none")).unwrap_err().diagnostics[0].code, Code::Unreadable);
}

#[test]
fn what_is_rendered_is_read_back_as_the_same_networks() {
    let lines = "networks:
  - {name: boot, subnet: 172.16.0.0/24, router: 172.16.0.254, dns: [172.16.0.254, 9.9.9.9], mtu: 9000, lease: 2d,
     search: [a.example], pool: 172.16.0.200-172.16.0.250, unknown: 'script:discover.ipxe', unknown_lease: 90s,
     routes: [{to: 10.0.0.0/8, via: 172.16.0.1}]}
";
    let inventory = cluster(lines);
    for generation in [Generation::Five, Generation::Six, Generation::Keys] {
        let text = render(&inventory, generation, "https://demo.openchami.cluster:8443");
        let back = cluster(&imported(&text));
        assert_eq!(told(&back.cluster.networks[0]), told(&inventory.cluster.networks[0]), "{text}");
        assert!(text.contains("\"%ens259f0\""), "{text}");
    }
}

#[test]
fn what_coredhcp_cannot_be_told_is_a_comment() {
    let lines = "networks:
  - {name: boot, subnet: 172.16.0.0/24, ntp: 172.16.0.1, unknown: shell, pool: 172.16.0.200-172.16.0.250}
  - {name: far, subnet: 10.1.0.0/24, router: 10.1.0.1}
hosts: [{name: switch1, mac: 'ec:e7:a7:0f:00:09', ip: 172.16.0.90}]
";
    let inventory = cluster(lines);
    let text = render(&inventory, Generation::Keys, "https://smd");
    for said in [
        "#   network boot: ntp\n",
        "#   network boot: unknown: shell\n",
        "#   host switch1: a line `ec:e7:a7:0f:00:09 172.16.0.90` for `file`\n",
        "rule=subnet:10.1.0.0/24,routers:10.1.0.1,cidr:24,continue:true\n",
        "rule=type:NodeBMC,hostname:{id}\n",
    ] {
        assert!(text.contains(said), "{said} in\n{text}");
    }
    assert!(!text.contains("without a relay"), "{text}");
    let old = render(&inventory, Generation::Six, "https://smd");
    assert!(old.contains("#   network far: this generation has one network\n"), "{old}");
}

#[test]
fn what_differs_between_networks_is_a_comment_and_ignored_machines_get_no_pool() {
    let lines = "networks:
  - {name: boot, subnet: 172.16.0.0/24, pool: 172.16.0.200-172.16.0.250, unknown: ignore}
  - {name: near, subnet: 10.1.0.0/24, pool: 10.1.0.10-10.1.0.20}
  - {name: far, subnet: 10.2.0.0/24, pool: 10.2.0.10-10.2.0.20, unknown: 'script:x.ipxe', unknown_lease: 90s, mtu: 9000,
     lease: 2d, dns: 9.9.9.9, search: [a.example], domain: b.example, routes: [{to: 10.9.0.0/16, via: 10.2.0.1}]}
";
    let inventory = cluster(lines);
    let text = render(&inventory, Generation::Keys, "https://smd");
    assert!(!text.contains("172.16.0.200"), "{text}");
    assert!(text.contains("subnet_pool=10.1.0.0/24,10.1.0.10,10.1.0.20\n"), "{text}");
    assert!(
        text.contains("#   leases for unknown machines that ask without a relay: there are several pools\n"),
        "{text}"
    );
    for what in ["unknown", "unknown_lease", "mtu", "lease", "dns", "search", "domain", "routes"] {
        assert!(text.contains(&format!("#   network far: {what}\n")), "{what} in\n{text}");
        assert!(!text.contains(&format!("#   network near: {what}\n")), "{what} in\n{text}");
    }
    let old = render(&inventory, Generation::Five, "https://smd");
    assert!(!old.contains("bootloop") && old.contains("#   names of nodes: "), "{old}");
    assert!(!imported(&text).contains("cannot be expressed"), "{text}");
}
