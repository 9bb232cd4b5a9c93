//! Beside a site's own DHCP server, which gives the addresses: dnsmasq, on the same wire.

use std::process::Stdio;

use super::{NODE, Running, Wires, has, is_root};
use crate::support::{Cluster, until};

/// The site's own server.
const SITE: &str = "172.16.0.253";

/// A row of three: our server, a bridge for the site's own, and a client.
fn site() -> (Cluster, Wires) {
    let (cluster, wires) = (Cluster::demo(), Wires::new(3));
    cluster.edit("cluster.yaml", "    pool: 172.16.0.200-172.16.0.250", "    dhcp: proxy");
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    wires.ip(1, "link add wire type bridge stp_state 0 forward_delay 0");
    for each in ["left", "right"] {
        wires.ip(1, &format!("link set {each} master wire"));
    }
    wires.ip(1, &format!("addr add {SITE}/24 dev wire"));
    wires.ip(1, "link set wire up");
    wires.ip(2, &format!("link set left address {NODE}"));
    (cluster, wires)
}

/// Starts the site's own server.
fn theirs(wires: &Wires) -> Running {
    let mut theirs = wires.command(1, "dnsmasq", &["-k", "-C", "/dev/null", "--port=0", "--user=root", "--pid-file="]);
    theirs.args(["--interface=wire", "--bind-interfaces", "--leasefile-ro", "--no-ping", "--dhcp-authoritative"]);
    theirs.args(["--dhcp-range=172.16.0.100,172.16.0.150,255.255.255.0,2h", "--domain=site.example"]);
    Running(theirs.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// The kernel's counter of UDP packets of a namespace, by its name.
fn packets(wires: &Wires, number: usize, name: &str) -> u64 {
    let counters = wires.run(number, "cat", &["/proc/net/snmp"]);
    let mut lines = counters.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let place = names.split(' ').position(|each| each == name).unwrap();
    values.split(' ').nth(place).unwrap().parse().unwrap()
}

#[test]
fn a_client_that_does_not_boot_hears_the_sites_own_server_alone() {
    if !is_root() || !has("udhcpc") || !has("dnsmasq") {
        return;
    }
    let (cluster, wires) = site();
    let _theirs = theirs(&wires);
    let serving = wires.serve_with(&cluster, &["-v"]);
    let said = wires.udhcpc(2, &cluster, &[]);
    let bound = said.lines().find(|line| line.starts_with("EVENT bound ")).unwrap_or_default();
    assert!(bound.starts_with("EVENT bound ip=172.16.0.1") && bound.contains(" lease=7200 "), "{said}");
    assert!(bound.contains(" domain=site.example ") && bound.ends_with(&format!(" serverid={SITE}")), "{said}");
    // The node is known to us, and has another address in the inventory than the one it was given.
    assert!(!bound.contains(" ip=172.16.0.1 "), "{said}");
    // It was heard, and no packet left our namespace.
    until("its requests were read", || {
        (serving.log().matches("there is nothing to boot for it").count() >= 2).then_some(())
    });
    assert!(packets(&wires, 0, "InDatagrams") >= 2);
    assert_eq!(packets(&wires, 0, "OutDatagrams"), 0, "{}", serving.log());
}

#[test]
fn a_client_that_boots_is_told_by_us_what_and_given_no_address() {
    if !is_root() || !has("udhcpc") {
        return;
    }
    let (cluster, wires) = site();
    let _serving = wires.serve(&cluster);
    let as_pxe = ["-V", "PXEClient:Arch:00007:UNDI:003016", "-x", "0x5d:0007", "-t", "2"];
    let said = wires.udhcpc(2, &cluster, &as_pxe);
    assert!(packets(&wires, 0, "OutDatagrams") >= 1, "it is answered: {said}");
    assert!(!said.contains("EVENT bound"), "{said}");
}
