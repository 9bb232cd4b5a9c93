//! Floods: whoever sends more than is read of it does not keep others from their addresses.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Stdio;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::{NODE, Running, Wires, has, is_root};
use crate::support::{Cluster, Serving, until};

/// Tells [`sender`] what to do.
const JOB: &str = "OCHAMI_SYNC_TEST_FLOOD";

/// A flood ends by itself after this time.
const MOST: Duration = Duration::from_secs(8);

/// Packets a second: more than this program answers, and less than a machine of two cores can carry from one namespace to
/// the other, because what is lost between them is lost by nobody's fault.
const RATE: f64 = 40_000.0;

/// A DISCOVER of a machine, through a relay unless that is unspecified.
fn discover(number: u32, mac: [u8; 6], relay: Ipv4Addr) -> [u8; 300] {
    let mut packet = [0; 300];
    packet[..4].copy_from_slice(&[1, 1, 6, u8::from(!relay.is_unspecified())]);
    packet[4..8].copy_from_slice(&number.to_be_bytes());
    packet[24..28].copy_from_slice(&relay.octets());
    packet[28..34].copy_from_slice(&mac);
    packet[236..240].copy_from_slice(&[99, 130, 83, 99]);
    packet[240..249].copy_from_slice(&[53, 1, 1, 55, 3, 1, 3, 6, 255]);
    packet
}

#[test]
#[ignore = "the tests below run it, in a network namespace"]
fn sender() {
    let Ok(job) = std::env::var(JOB) else { return };
    let words: Vec<&str> = job.split(' ').collect();
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    socket.set_broadcast(true).unwrap();
    let (relay, to, machines) = match words[..] {
        // Many machines behind a relay.
        ["relay", own, server] => {
            let own: Ipv4Addr = own.parse().unwrap();
            socket.bind(&SocketAddr::from((own, 0)).into()).unwrap();
            (own, server.parse().unwrap(), 50_000)
        }
        // One machine of the wire.
        ["machine", interface] => {
            socket.bind_device(Some(interface.as_bytes())).unwrap();
            (Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, 1)
        }
        _ => panic!("{job}"),
    };
    let (socket, to, begun) = (UdpSocket::from(socket), SocketAddr::from((to, 67)), Instant::now());
    let mut number = 0_u32;
    while begun.elapsed() < MOST {
        while f64::from(number) < begun.elapsed().as_secs_f64() * RATE {
            let [.., a, b, c] = (number % machines).to_be_bytes();
            // What the kernel has no room for is lost, as on any wire.
            let _ = socket.send_to(&discover(number, [2, 0, 0xf1, a, b, c], relay), to);
            number += 1;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// Starts [`sender`] in a namespace.
fn flood(wires: &Wires, number: usize, job: &str) -> Running {
    let program = std::env::current_exe().unwrap();
    let mut sender =
        wires.command(number, program.to_str().unwrap(), &["--ignored", "--exact", "dhcp::floods::sender"]);
    Running(sender.env(JOB, job).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// A figure of the server in the first namespace.
fn figure(wires: &Wires, serving: &Serving, name: &str) -> u64 {
    let page = wires.run(0, "curl", &["-sS", &format!("{}/metrics", serving.metrics)]);
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(0, |value| value.parse().unwrap())
}

/// The example cluster with room for many unknown machines, on two or three namespaces, and served.
fn served(count: usize) -> (Cluster, Wires, Serving) {
    let (cluster, wires) = (Cluster::demo(), Wires::new(count));
    cluster.edit("cluster.yaml", "172.16.0.0/24", "172.16.0.0/16");
    let far = "  - {name: far, subnet: 10.77.0.0/24, router: 10.77.0.1, pool: 10.77.0.50-10.77.0.60}\n";
    cluster.edit("cluster.yaml", "172.16.0.200-172.16.0.250\n", &format!("172.16.8.0-172.16.200.250\n{far}"));
    wires.ip(0, "addr add 172.16.0.254/16 dev right");
    wires.ip(0, "route add 10.77.0.0/24 via 172.16.1.1");
    let serving = wires.serve_with(&cluster, &["--metrics", "127.0.0.1:0"]);
    (cluster, wires, serving)
}

/// Starts a flood, and waits until so much of it came that what is done about it is done.
fn flooded(wires: &Wires, serving: &Serving, job: &str) -> Running {
    let flood = flood(wires, 1, job);
    let read = "ochami_sync_dhcp_requests_total{type=\"discover\"}";
    let dropped = "ochami_sync_dhcp_dropped_total{reason=\"flood\"}";
    let came = || figure(wires, serving, read) + figure(wires, serving, dropped);
    until("the flood is on", || (came() > 20_000).then_some(()));
    flood
}

#[test]
fn a_flood_through_a_relay_keeps_no_machine_of_the_wire_from_its_address() {
    if !is_root() || !has("udhcpc") || !has("curl") {
        return;
    }
    let (cluster, wires, serving) = served(2);
    wires.ip(1, "addr add 172.16.1.1/16 dev left");
    wires.ip(1, &format!("link set left address {NODE}"));
    let mut flood = flooded(&wires, &serving, "relay 172.16.1.1 172.16.0.254");
    let said = wires.udhcpc(1, &cluster, &[]);
    assert!(said.contains("EVENT bound ip=172.16.0.1 "), "{said}");
    assert!(flood.0.try_wait().unwrap().is_none(), "the flood went on meanwhile");
}

#[test]
fn a_flood_through_a_relay_keeps_no_machine_behind_another_one_from_its_address() {
    if !is_root() || !has("udhcpc") || !has("curl") || !has("dhcrelay") {
        return;
    }
    let (cluster, wires, serving) = served(3);
    wires.ip(1, "addr add 172.16.1.1/16 dev left");
    wires.ip(1, "addr add 172.16.1.2/32 dev lo");
    wires.ip(1, "addr add 10.77.0.1/24 dev right");
    let _relay = wires.relay("172.16.0.254");
    let mut flood = flooded(&wires, &serving, "relay 172.16.1.2 172.16.0.254");
    let said = wires.udhcpc(2, &cluster, &[]);
    assert!(said.contains("EVENT bound ip=10.77.0.50 "), "{said}");
    assert!(flood.0.try_wait().unwrap().is_none(), "the flood went on meanwhile");
}

#[test]
fn a_flood_from_one_machine_keeps_no_other_of_its_wire_from_its_address() {
    if !is_root() || !has("udhcpc") || !has("curl") {
        return;
    }
    let (cluster, wires, serving) = served(2);
    wires.ip(1, &format!("link set left address {NODE}"));
    let mut flood = flooded(&wires, &serving, "machine left");
    let said = wires.udhcpc(1, &cluster, &[]);
    assert!(said.contains("EVENT bound ip=172.16.0.1 "), "{said}");
    assert!(flood.0.try_wait().unwrap().is_none(), "the flood went on meanwhile");
}
