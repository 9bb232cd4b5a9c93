//! Several interfaces, each with a network of its own.

use std::thread;

use super::{NODE, Wires, has, is_root, script};
use crate::support::Cluster;

#[test]
fn machines_on_two_interfaces_are_served_at_once_and_each_by_its_own_network() {
    if !is_root() || !has("udhcpc") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(3));
    let second = "  - {name: second, subnet: 10.81.0.0/24, router: 10.81.0.1, pool: 10.81.0.50-10.81.0.60}\n";
    cluster.edit("cluster.yaml", "172.16.0.200-172.16.0.250\n", &format!("172.16.0.200-172.16.0.250\n{second}"));
    // The server is in the middle: a node to its left, and on its right a machine that nobody knows.
    wires.ip(1, "addr add 172.16.0.254/24 dev left");
    wires.ip(1, "addr add 10.81.0.254/24 dev right");
    wires.ip(0, &format!("link set right address {NODE}"));
    wires.ip(2, "link set left address ec:e7:a7:0f:00:01");
    let serving = wires.serve_on(1, &["left", "right"], &cluster, &[]);
    let script = script(&cluster);
    let ask = |number: usize, interface: &str| {
        let as_ipxe = ["-O", "bootfile", "-x", "0x4d:69505845", "-x", "0x5d:0007"];
        let base = ["-i", interface, "-n", "-q", "-f", "-t", "10", "-T", "1", "-s", &script];
        wires.run(number, "udhcpc", &[&base[..], &as_ipxe].concat())
    };
    let (node, unknown) = thread::scope(|scope| {
        let node = scope.spawn(|| ask(0, "right"));
        let unknown = ask(2, "left");
        (node.join().unwrap(), unknown)
    });
    let port = serving.boot.rsplit_once(':').unwrap().1;
    let bound = format!(
        "EVENT bound ip=172.16.0.1 lease=3600 hostname=nid001 router=172.16.0.254 domain=openchami.cluster \
         bootfile=http://172.16.0.254:{port}/boot/v1/bootscript?mac={NODE} siaddr=172.16.0.254 serverid=172.16.0.254\n"
    );
    assert!(node.contains(&bound), "{bound}{node}");
    let bound = "EVENT bound ip=10.81.0.50 lease=300 hostname= router=10.81.0.1 domain=openchami.cluster \
                 bootfile=default siaddr=10.81.0.254 serverid=10.81.0.254\n";
    assert!(unknown.contains(bound), "{bound}{unknown}");
}
