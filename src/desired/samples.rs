//! Inventories built by hand, for the tests of this room and of `plan`.

use serde_json::{Value, json};

use super::{Desired, desired};
use crate::inventory::{
    Bmc, Boot, BootStretches, Cluster, Entry, Interface, Inventory, Lines, Node, Origin, SyncPolicy,
};
use crate::model::{IpAddress, Nid};

pub(crate) fn origin(file: &str, line: u32) -> Origin {
    Origin { file: file.into(), line, end_line: line + 4 }
}

/// Node `number` of a cluster: `nid001` at `x1000c1s7b1n0`, `172.16.0.1`, and so on.
pub(crate) fn node(number: u32) -> Node {
    let bmc = format!("x{}c{}s{}b{}", 1000 + number / 2048, number / 256 % 8, number / 32 % 8, number % 32);
    let [high, low] = [number / 250, number % 250 + 1];
    let place = origin("nodes.yaml", 1 + number * 8);
    Node {
        name: format!("nid{number:03}").into(),
        xname: format!("{bmc}n0").parse().unwrap(),
        nid: Nid(number.into()),
        groups: vec!["compute".parse().unwrap()],
        role: None,
        sub_role: None,
        arch: None,
        class: None,
        bmc: Some(Bmc {
            xname: bmc.parse().unwrap(),
            mac: Some(format!("00:00:5e:00:{high:02x}:{low:02x}").parse().unwrap()),
            ip: Some(format!("172.17.{high}.{low}").parse().unwrap()),
            fqdn: None,
            origin: place.clone(),
        }),
        interfaces: vec![Interface {
            mac: format!("ec:e7:a7:05:{high:02x}:{low:02x}").parse().unwrap(),
            ips: vec![IpAddress { ip: format!("172.16.{high}.{low}").parse().unwrap(), network: "mgmt".into() }],
            origin: place.clone(),
        }],
        boot: Some(boot("6.1")),
        lines: lines(place.line),
        origin: place,
    }
}

/// The lines of a node that begins on one: name, xname, number, group, controller, interface.
fn lines(first: u32) -> Lines {
    let pointers =
        ["/name", "/xname", "/nid", "/group", "/bmc_mac", "/bmc_ip", "/interfaces/0", "/interfaces/0/ip_addrs/0"];
    serde_json::from_value(json!(pointers.iter().zip(first..).collect::<Vec<_>>())).unwrap()
}

/// The boot profile with that kernel.
pub(crate) fn boot(version: &str) -> Boot {
    Boot {
        kernel: format!("http://172.16.0.254/boot/vmlinuz-{version}").into(),
        initrd: format!("http://172.16.0.254/boot/initramfs-{version}.img").into(),
        params: "root=live:http://172.16.0.254/rootfs ip=dhcp console=ttyS0,115200 quiet selinux=0".into(),
        template: "".into(),
        script: "".into(),
        stretches: BootStretches::default(),
        origin: origin("cluster.yaml", 18),
    }
}

/// An entry of cloud-init data for a group.
pub(crate) fn entry(name: &str, userdata: Value) -> Entry {
    Entry {
        name: name.parse().unwrap(),
        node: None,
        userdata,
        metadata: json!({"instance-id": format!("ochami-{name}")}),
        vendordata: Value::Null,
        jinja: false,
        lines: Lines::default(),
        origin: origin(&format!("cloud-init/{name}.yaml"), 1),
    }
}

/// A cluster of that many nodes with one group, one open and one secure entry.
pub(crate) fn inventory(nodes: u32) -> Inventory {
    let mut secure = entry(
        "compute",
        json!({"write_files": [{"path": "/etc/munge/munge.key", "content": {"$secret": {"file": "munge.key"}}}]}),
    );
    secure.origin = origin("cloud-init/secure/compute.yaml", 1);
    Inventory {
        cluster: Cluster {
            id: "demo".into(),
            name: "demo".into(),
            short_name: "nid".into(),
            nid_length: 3,
            domain: "openchami.cluster".into(),
            boot_ip: "172.16.0.254".parse().unwrap(),
            boot_interface: None,
            networks: Vec::new(),
            dhcp: crate::inventory::serving::Dhcp::default(),
            sync: SyncPolicy::default(),
        },
        nodes: (1..=nodes).map(node).collect(),
        cloud_init: vec![entry(
            "compute",
            json!({"packages": ["slurmd", "chrony"], "runcmd": ["systemctl start slurmd"]}),
        )],
        cloud_init_secure: vec![secure],
        cloud_init_defaults: None,
        cloud_init_groups: Vec::new(),
        cloud_init_instances: Vec::new(),
        unknown_script: None,
        pointers: crate::inventory::Pointers::default(),
        hash: "3f9c2e1a77b0".into(),
    }
}

/// The secret that every reference of these samples stands for.
pub(crate) const SECRET: &str = "bXVuZ2Uga2V5IG9mIHRoZSBkZW1vIGNsdXN0ZXI=";

/// The desired state of an inventory whose secrets are all there.
pub(crate) fn desire(inventory: &Inventory) -> Desired {
    desired(inventory, &|_| Ok(json!(SECRET)))
}
