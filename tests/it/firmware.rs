//! Real firmware on an emulated machine, from power to the last word of its cloud-init, with nothing but `serve` on the
//! wire; and the real cloud-init client.
//!
//! Each machine judges on its console (`tests/fixtures/node`), and what our side has on record has to agree.
//! `scripts/boot-payload` gathers what is booted. Needs root, QEMU and some minutes; elsewhere the tests say that they
//! were skipped.

mod client;
mod lab;
mod machine;
mod site;

use self::lab::{Lab, sha256};
use self::machine::{Firmware, Machine, Told};
use self::site::Site;
use crate::support::until;

/// The nodes of the example cluster: MAC address and xname. Their addresses and names end in their place, from 1.
const NODES: [(&str, &str); 9] = [
    ("ec:e7:a7:05:a1:fc", "x1000c1s7b1n0"),
    ("ec:e7:a7:05:a2:28", "x1000c1s7b2n0"),
    ("ec:e7:a7:05:93:84", "x1000c1s7b3n0"),
    ("ec:e7:a7:02:d9:90", "x1000c1s7b4n0"),
    ("02:00:00:a8:4f:04", "x1000c1s7b5n0"),
    ("ec:e7:a7:05:96:74", "x1000c1s7b6n0"),
    ("02:00:00:97:c4:2e", "x1000c1s7b7n0"),
    ("ec:e7:a7:05:93:48", "x1000c1s7b8n0"),
    ("ec:e7:a7:05:9f:50", "x1000c1s7b9n0"),
];

/// Fails unless the machine was told what the node of this place in [`NODES`] has to be.
#[track_caller]
fn is_node(told: &Told, place: usize, rootfs: &str) {
    let number = place + 1;
    let router = "router=172.16.0.254 dns=172.16.0.254";
    told.has(&format!(
        "TOLD address=172.16.0.{number}/24 lease=3600 {router} name=nid00{number} domain=openchami.cluster"
    ));
    told.has("TOLD meta-data: instance-id: ochami-compute");
    told.has("TOLD user-data: #cloud-config");
    told.has("SLURMD_OPTIONS=--conf-server 172.16.0.254:6817");
    told.has("TOLD network-config: version: 2");
    told.has(&format!("TOLD rootfs={rootfs}"));
}

/// One machine of a kind, whose console has to show all of these texts.
fn boots(firmware: Firmware, program: &str, on_the_way: &[&str]) {
    let Some(lab) = Lab::new(&[program]) else { return };
    if program.ends_with("aarch64") {
        lab.boots_arm64("nid001");
    }
    let serving = lab.serve();
    let mut machine = Machine::start(&lab, firmware, NODES[0].0, false);
    let told = machine.boots();
    is_node(&told, 0, &sha256(&lab.rootfs()));
    for text in on_the_way {
        told.has(text);
    }
    lab.saw(&serving, NODES[0].0, NODES[0].1);
}

const BIOS: &str = "TOLD machine=x86_64 firmware=bios";
const UEFI: &str = "TOLD machine=x86_64 firmware=uefi";
const ARM64: &str = "TOLD machine=aarch64 firmware=uefi";

#[test]
fn a_bios_whose_card_has_ipxe_boots() {
    boots(Firmware::Bios, "qemu-system-x86_64", &[BIOS]);
}

#[test]
fn a_bios_whose_card_fetches_undionly_boots() {
    boots(Firmware::Undionly, "qemu-system-x86_64", &[BIOS, "undionly.kpxe... ok"]);
}

#[test]
fn uefi_boots_by_pxe() {
    boots(Firmware::Uefi, "qemu-system-x86_64", &[UEFI, "NBP filename is ipxe-x86_64.efi"]);
}

#[test]
fn uefi_boots_by_http() {
    boots(Firmware::UefiHttp, "qemu-system-x86_64", &[UEFI, "http://172.16.0.254:8081/loaders/ipxe-x86_64.efi"]);
}

#[test]
fn arm64_boots_by_pxe() {
    boots(Firmware::Arm64, "qemu-system-aarch64", &[ARM64, "NBP filename is ipxe-arm64.efi"]);
}

#[test]
fn arm64_boots_by_http() {
    boots(Firmware::Arm64Http, "qemu-system-aarch64", &[ARM64, "http://172.16.0.254:8081/loaders/ipxe-arm64.efi"]);
}

#[test]
fn a_bios_and_uefi_boot_beside_a_sites_own_dhcp_server_that_gives_the_addresses() {
    let Some(lab) = Lab::new(&["qemu-system-x86_64", "dnsmasq"]) else { return };
    lab.cluster.edit("cluster.yaml", "    pool: 172.16.0.200-172.16.0.250", "    dhcp: proxy");
    let serving = lab.serve();
    let _site = Site::start(&lab);
    let kinds = [(Firmware::Bios, BIOS), (Firmware::Uefi, UEFI), (Firmware::UefiHttp, UEFI)];
    for (place, (firmware, machine)) in kinds.into_iter().enumerate() {
        let told = Machine::start(&lab, firmware, NODES[place].0, false).boots();
        told.has(machine);
        told.has(&format!("TOLD address=172.16.0.{}/24 lease=7200 router=172.16.0.254", place + 1));
        told.has(&format!("name=nid00{} domain=site.example", place + 1));
        told.has(&format!("TOLD rootfs={}", sha256(&lab.rootfs())));
        lab.knows(NODES[place].1);
    }
    assert!(!serving.log().contains("answer=\"nak\""), "{}", serving.log());
}

#[test]
fn the_nine_nodes_of_the_demo_boot_at_once() {
    let Some(lab) = Lab::new(&["qemu-system-x86_64"]) else { return };
    let serving = lab.serve();
    let rootfs = sha256(&lab.rootfs());
    let mut machines: Vec<Machine> =
        NODES.iter().map(|(mac, _)| Machine::start(&lab, Firmware::Bios, mac, false)).collect();
    for (place, machine) in machines.iter_mut().enumerate() {
        let told = machine.boots();
        is_node(&told, place, &rootfs);
        lab.saw(&serving, NODES[place].0, NODES[place].1);
    }
}

#[test]
fn an_unknown_machine_boots_as_soon_as_it_is_in_the_inventory() {
    let Some(lab) = Lab::new(&["qemu-system-x86_64"]) else { return };
    let serving = lab.serve();
    let mac = "ec:e7:a7:0f:00:01";
    let mut machine = Machine::start(&lab, Firmware::Bios, mac, true);
    // It has an address of the pool, and runs the script that has it start over.
    machine.shows("tftp://172.16.0.254/default... ok");
    let listed = until("it is listed", || {
        let listed = lab.cluster.run(&["unknown"]).expect(0).stdout;
        listed.contains(mac).then_some(listed)
    });
    assert!(listed.contains("was given 172.16.0.200"), "{listed}");

    let stanza: Vec<&str> = listed.lines().filter(|line| !line.starts_with('#')).collect();
    let stanza = stanza.join("\n").replace("xXcCsSbBnN", "x1000c1s7b99n0");
    let path = lab.cluster.inventory().join("nodes.yaml");
    let nodes = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{}\n{stanza}\n", nodes.trim_end())).unwrap();

    let told = machine.boots();
    told.has("TOLD address=172.16.0.10/24 lease=3600");
    told.has("name=nid010 ");
    told.has("TOLD meta-data: instance-id: ochami-compute");
    lab.saw(&serving, mac, "x1000c1s7b99n0");
    let listed = lab.cluster.run(&["unknown"]).expect(0).stdout;
    assert!(!listed.contains(mac), "{listed}");
}
