//! An edit of one line of an inventory, and the line that the plan names.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::desired::{Desired, desired};
use crate::inventory;
use crate::plan::tests::{World, options};
use crate::plan::{Plan, PlanChange};

const NODES: &str = "\
nodes:
  - name: nid001
    xname: x1000c1s7b1n0
    nid: 1
    group: compute
    bmc_mac: 00:00:5e:00:53:01
    bmc_ip: 172.16.0.101
    interfaces:
      - mac_addr: ec:e7:a7:05:a1:01
        ip_addrs:
          - name: management
            ip_addr: 172.16.0.1
  - name: nid002
    xname: x1000c1s7b2n0
    nid: 2
    group: compute
    bmc_mac: 00:00:5e:00:53:02
    bmc_ip: 172.16.0.102
    interfaces:
      - mac_addr: ec:e7:a7:05:a1:02
        ip_addrs:
          - name: management
            ip_addr: 172.16.0.2
  - name: nid003
    xname: x1000c1s7b3n0
    nid: 3
    group: gpu
    interfaces:
      - mac_addr: ec:e7:a7:05:a1:03
        ip_addrs: [{ip_addr: 172.16.0.3}]
";

const CLUSTER: &str = "\
cluster_name: demo
cluster_boot_ip: 172.16.0.254
bss_kernel_version: '4.18.0-553'
bss_image_version: 'compute/latest'
bss_params_root: 'root=live:http://{{ cluster_boot_ip }}:8080/{{ bss_image_version }}/rootfs-{{ bss_kernel_version }}'
bss_params_cloud_init: 'ochami_ci_url=http://{{ cluster_boot_ip }}:8081/cloud-init/'
bss_params_opts: 'overlayroot=tmpfs console=ttyS0,115200 quiet'
boot:
  groups:
    gpu:
      kernel: 'http://172.16.0.254/gpu/vmlinuz'
      initrd: ''
      params: 'gpu {{ bss_params_opts }}'
";

const ENTRY: &str = "\
- name: compute
  cloud-init:
    userdata:
      packages:
        - slurmd
      runcmd:
        - setenforce 0
        - systemctl start slurmd
    metadata:
      instance-id: ochami-compute
      motd: |
        Welcome to the demo.
        Be kind.
";

const SECURE: &str = "\
- name: compute
  cloud-init:
    userdata:
      write_files:
        - path: /etc/munge/munge.key
          content:
            $secret: {file: munge.key}
";

const FILES: [(&str, &str); 4] = [
    ("nodes.yaml", NODES),
    ("cluster.yaml", CLUSTER),
    ("cloud-init/compute.yaml", ENTRY),
    ("cloud-init/secure/compute.yaml", SECURE),
];

/// The desired state of the files, each edit made once, with a secret.
fn state(edits: &[(&str, &str)], secret: &str) -> Desired {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("cloud-init/secure")).unwrap();
    let mut done = 0;
    for (name, text) in FILES {
        let mut text = text.to_owned();
        for (from, to) in edits {
            done += text.matches(from).count();
            text = text.replace(from, to);
        }
        fs::write(directory.path().join(name), text).unwrap();
    }
    assert_eq!(done, edits.len(), "every edit is made at one place");
    read(directory.path(), secret)
}

fn read(directory: &Path, secret: &str) -> Desired {
    let loaded = inventory::load(directory);
    let inventory = loaded.inventory.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    desired(&inventory, &|_| Ok(json!(secret)))
}

fn planned(edits: &[(&str, &str)], secret: &str) -> Plan {
    let mut world = World::default();
    world.apply(&state(&[], "old"), &options());
    world.plan(&state(edits, secret), &options()).plan
}

fn told(change: &PlanChange) -> String {
    let origin = change.origin.iter();
    let places = if change.causes.is_empty() { origin.collect::<Vec<_>>() } else { change.causes.iter().collect() };
    let places: Vec<String> = places
        .iter()
        .map(|place| format!("{}{}:{}", if place.removed { "was " } else { "" }, place.file, place.line))
        .collect();
    format!("{} {}", change.address, places.join(" "))
}

/// The changes of an edited inventory, each with the lines that cause it.
fn causes(edits: &[(&str, &str)]) -> Vec<String> {
    planned(edits, "old").changes.iter().map(told).collect()
}

#[test]
fn a_change_of_a_node_names_the_line_of_the_key() {
    assert_eq!(causes(&[("nid: 2", "nid: 12")]), ["node/x1000c1s7b2n0 nodes.yaml:15"]);
    assert_eq!(causes(&[("ip_addr: 172.16.0.2\n", "ip_addr: 172.16.0.22\n")]), ["node/x1000c1s7b2n0 nodes.yaml:23"]);
    assert_eq!(
        causes(&[("mac_addr: ec:e7:a7:05:a1:02", "mac_addr: ec:e7:a7:05:a1:22")]),
        ["node/x1000c1s7b2n0 nodes.yaml:20"]
    );
    assert_eq!(
        causes(&[("bmc_mac: 00:00:5e:00:53:02", "bmc_mac: 00:00:5e:00:53:22")]),
        ["node/x1000c1s7b2n0 nodes.yaml:17"]
    );
    assert_eq!(causes(&[("bmc_ip: 172.16.0.102", "bmc_ip: 172.16.0.122")]), ["node/x1000c1s7b2n0 nodes.yaml:18"]);
    assert_eq!(causes(&[("name: nid002", "name: login1")]), ["node/x1000c1s7b2n0 nodes.yaml:13"]);
    assert_eq!(causes(&[("    nid: 2\n", "    nid: 2\n    role: Service\n")]), ["node/x1000c1s7b2n0 nodes.yaml:16"]);
}

#[test]
fn several_edits_of_a_node_are_all_named() {
    assert_eq!(
        causes(&[("nid: 2", "nid: 12"), ("bmc_ip: 172.16.0.102", "bmc_ip: 172.16.0.122")]),
        ["node/x1000c1s7b2n0 nodes.yaml:15 nodes.yaml:18"]
    );
}

#[test]
fn a_group_names_the_lines_of_the_nodes_that_come_and_go() {
    let moved = causes(&[("nid: 2\n    group: compute", "nid: 2\n    group: gpu")]);
    assert_eq!(moved, ["boot/x1000c1s7b2n0 nodes.yaml:16", "group/compute nodes.yaml:16", "group/gpu nodes.yaml:16"]);
}

#[test]
fn a_group_that_only_loses_nodes_that_are_gone_names_where_they_stood() {
    let (_, second) = NODES.split_once("  - name: nid002").unwrap();
    let (second, _) = second.split_once("  - name: nid003").unwrap();
    let gone = causes(&[(&format!("  - name: nid002{second}"), "")]);
    assert_eq!(gone, ["node/x1000c1s7b2n0 was nodes.yaml:13", "group/compute was nodes.yaml:13"]);
}

#[test]
fn what_nodes_boot_names_the_variable_that_was_edited() {
    let of_both = |line: &str| ["x1000c1s7b1n0", "x1000c1s7b2n0"].map(|xname| format!("boot/{xname} {line}"));
    assert_eq!(causes(&[("4.18.0-553", "4.18.0-600")]), of_both("cluster.yaml:3"));
    assert_eq!(causes(&[("compute/latest", "compute/2026")]), of_both("cluster.yaml:4"));
    assert_eq!(causes(&[(":8081/cloud-init/", ":8082/cloud-init/")]), of_both("cluster.yaml:6"));
    assert_eq!(
        causes(&[("compute/latest", "compute/2026"), ("4.18.0-553", "4.18.0-600")]),
        of_both("cluster.yaml:3 cluster.yaml:4")
    );
    assert_eq!(causes(&[("}}/rootfs-", "}}/root-")]), of_both("cluster.yaml:5"));
    let everywhere = causes(&[("ttyS0,115200", "ttyS1,115200")]);
    assert_eq!(everywhere.len(), 3, "the profile of the group uses the variable, too");
    assert!(everywhere.iter().all(|change| change.ends_with(" cluster.yaml:7")), "{everywhere:?}");
}

#[test]
fn what_a_group_boots_names_the_line_of_its_profile() {
    assert_eq!(causes(&[("254/gpu/vmlinuz", "254/gpu/vmlinuz-2")]), ["boot/x1000c1s7b3n0 cluster.yaml:11"]);
    assert_eq!(causes(&[("'gpu {{", "'gpu nouveau=0 {{")]), ["boot/x1000c1s7b3n0 cluster.yaml:13"]);
}

#[test]
fn a_cloud_init_entry_names_the_item_that_was_edited() {
    assert_eq!(
        causes(&[("systemctl start slurmd", "systemctl restart slurmd")]),
        ["cloud-init/compute cloud-init/compute.yaml:8"]
    );
    assert_eq!(
        causes(&[("        - slurmd\n", "        - slurmd\n        - pmix\n")]),
        ["cloud-init/compute cloud-init/compute.yaml:6"]
    );
    assert_eq!(
        causes(&[("instance-id: ochami-compute", "instance-id: ochami-2")]),
        ["cloud-init/compute cloud-init/compute.yaml:10"]
    );
    assert_eq!(causes(&[("Be kind.", "Be good.")]), ["cloud-init/compute cloud-init/compute.yaml:13"]);
    assert_eq!(causes(&[("        - setenforce 0\n", "")]), ["cloud-init/compute cloud-init/compute.yaml:6"]);
    assert_eq!(
        causes(&[(
            "- name: compute\n  cloud-init:\n    userdata:\n      packages:",
            "- name: compute\n  template: jinja\n  cloud-init:\n    userdata:\n      packages:"
        )]),
        ["cloud-init/compute cloud-init/compute.yaml:2"]
    );
}

#[test]
fn a_new_secret_names_the_line_of_its_reference_and_shows_nothing() {
    let plan = planned(&[], "new secret");
    assert_eq!(
        plan.changes.iter().map(told).collect::<Vec<_>>(),
        ["cloud-init-secure/compute cloud-init/secure/compute.yaml:7"]
    );
    assert!(!plan.to_json().contains("new secret"));
}

#[test]
fn a_missing_secret_is_told_at_its_reference() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        fs::create_dir_all(directory.path().join(name).parent().unwrap()).unwrap();
        fs::write(directory.path().join(name), text).unwrap();
    }
    let inventory = inventory::load(directory.path()).inventory.unwrap();
    let desired = desired(&inventory, &|_| Err("there is no such file".to_owned()));
    assert_eq!(desired.unresolved[0].origin.to_string(), "cloud-init/secure/compute.yaml:7");
}

#[test]
fn the_lines_survive_the_way_to_the_daemon() {
    let desired = state(&[], "old");
    let back: Desired = serde_json::from_str(&serde_json::to_string(&desired).unwrap()).unwrap();
    assert_eq!(back.places, desired.places);
}

#[test]
fn a_place_points_at_the_value_in_its_file() {
    let at = |edits: &[(&str, &str)], secret: &str| -> Vec<String> {
        let plan = planned(edits, secret);
        let json: serde_json::Value = serde_json::from_str(&plan.to_json()).unwrap();
        let of = |change: &serde_json::Value| change["origin"]["pointer"].as_str().map(str::to_owned);
        json["changes"].as_array().unwrap().iter().filter_map(of).collect()
    };
    assert_eq!(at(&[("nid: 2\n", "nid: 22\n")], "old"), ["/nodes/1/nid"]);
    assert_eq!(at(&[("172.16.0.1\n", "172.16.0.9\n")], "old"), ["/nodes/0/interfaces/0/ip_addrs/0"]);
    assert_eq!(at(&[("/gpu/vmlinuz'", "/gpu/other'")], "old"), ["/boot/groups/gpu/kernel"]);
    assert_eq!(at(&[("latest'\n", "v2'\n")], "old"), ["/bss_image_version"; 2]);
    assert_eq!(at(&[("setenforce 0", "true")], "old"), ["/0/cloud-init/userdata/runcmd/0"]);
    assert_eq!(at(&[("Be kind", "Be brave")], "old"), ["/0/cloud-init/metadata/motd"]);
    assert_eq!(at(&[], "new"), ["/0/cloud-init/userdata"], "keys of a private file are not shown");
    let new = World::default().plan(&state(&[], "old"), &options()).plan;
    let node = new.changes.iter().find(|change| &*change.name == "nid003").unwrap();
    assert_eq!(node.origin.as_ref().unwrap().pointer.as_deref(), Some("/nodes/2"));
}

#[test]
fn a_line_that_is_gone_or_that_several_nodes_share_points_at_nothing() {
    let mut world = World::default();
    world.apply(&state(&[], "old"), &options());
    let mut gone = state(&[], "old");
    gone.objects.retain(|_, object| &*object.name != "nid003");
    let plan = world.plan(&gone, &options()).plan;
    let delete = plan.changes.iter().find(|change| &*change.name == "nid003").unwrap();
    assert_eq!((delete.origin.as_ref().unwrap().removed, &delete.origin.as_ref().unwrap().pointer), (true, &None));

    let directory = tempfile::tempdir().unwrap();
    let node = |n: u32| {
        format!(
            "{{name: n{n}, xname: x0c0s{n}b0n0, nid: {n}, group: compute, interfaces: [{{mac_addr: ec:e7:a7:05:a1:0{n}}}]}}"
        )
    };
    fs::write(directory.path().join("nodes.yaml"), format!("nodes: [{}, {}]\n", node(1), node(2))).unwrap();
    fs::write(directory.path().join("cluster.yaml"), CLUSTER).unwrap();
    let plan = World::default().plan(&read(directory.path(), "old"), &options()).plan;
    let nodes: Vec<_> = plan.changes.iter().filter(|change| change.address.starts_with("node/")).collect();
    assert_eq!(nodes.len(), 2);
    assert!(nodes.iter().all(|change| change.origin.as_ref().unwrap().pointer.is_none()), "{nodes:#?}");
}
