//! One event each, as somebody reads it who has never seen a plan.

use serde_json::json;

use super::super::{TextOptions, render};
use super::{plan, text, walk_through};
use crate::desired::samples::{boot, desire, inventory};
use crate::model::{Kind, ObjectKey};
use crate::plan::tests::{World, options};
use crate::snapshot::Change;

#[test]
fn nodes_that_somebody_deleted_are_one_line() {
    let mut world = World::with(&inventory(9));
    for key in desire(&inventory(9)).objects.into_keys() {
        if key.kind != Kind::Group && !matches!(key.kind, Kind::CloudInit | Kind::CloudInitSecure) {
            world.change(Change::Delete(key));
        }
    }
    world.meddle(&ObjectKey::new(Kind::Group, "compute"), "members", json!([]));
    insta::assert_snapshot!(text(&world, &inventory(9)), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 9 nodes, 1 group, 4 files with the built-in services.

    Drift since apply #1 (2026-11-22T22:05:57Z) — will be put back
      +  recreate nid[001-009]      9 nodes in x1000c0s0b[1-9]n0
                  deleted by somebody else: 18 components, 9 Redfish endpoints,
                  18 component endpoints, 18 Ethernet interfaces, 9 boot entries
      !  drift    compute           group
                  members  +x1000c0s0b[1-9]n0 (removed by somebody else)

    Left alone
      unchanged   cloud-init compute; secure cloud-init compute

    Summary       10 drift   73 writes
    Safety        delete 0 of 9 nodes (limit 3)   replace 0 of 9 nodes (limit 3)   refused by empty.live
    ");
    let mut options = options();
    options.correct_drift = false;
    let reported = render(&plan(&world, &inventory(9), &options), &TextOptions::default());
    assert!(reported.contains("  !  deleted  nid[001-009]      9 nodes in x1000c0s0b[1-9]n0\n"), "{reported}");
}

#[test]
fn a_part_that_somebody_deleted_is_told_by_what_it_is() {
    let mut world = World::with(&inventory(2));
    world.change(Change::Delete(ObjectKey::new(Kind::EthernetInterface, "ec:e7:a7:05:00:02")));
    world.change(Change::Delete(ObjectKey::new(Kind::CloudInit, "compute")));
    insta::assert_snapshot!(text(&world, &inventory(2)), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 2 nodes, 1 group, 4 files with the built-in services.

    Drift since apply #1 (2026-11-22T22:05:57Z) — will be put back
      !  drift    nid001            x1000c0s0b1n0
                  deleted by somebody else: 1 Ethernet interface
      +  recreate compute           cloud-init
                  deleted by somebody else

    Left alone
      unchanged   nid002; secure cloud-init compute; group compute

    Summary       2 drift   2 writes
    Safety        delete 0 of 2 nodes (limit 1)   replace 0 of 2 nodes (limit 1)
    ");
}

#[test]
fn what_both_sides_changed_is_compared_word_by_word() {
    let mut world = World::with(&inventory(1));
    let key = ObjectKey::new(Kind::BootParams, "mac:ec:e7:a7:05:00:02");
    let params = boot("6.1").params;
    world.meddle(&key, "params", json!(params.replace("quiet", "rescue")));
    world.meddle(&key, "kernel", json!("http://172.16.0.254/boot/vmlinuz-rescue"));
    let mut wanted = inventory(1);
    let mut other = boot("6.6");
    other.params = params.replace("quiet", "loglevel=4").into();
    wanted.nodes[0].boot = Some(other);
    insta::assert_snapshot!(text(&world, &wanted), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 1 node, 1 group, 4 files with the built-in services.

    Boot
      !~ conflict nid001            x1000c0s0b1n0                                        cluster.yaml:18
                - kernel  http://172.16.0.254/boot/vmlinuz-rescue (live)
                + kernel  http://172.16.0.254/boot/vmlinuz-6.6 (inventory)
                    changed by somebody else, last applied: http://172.16.0.254/boot/vmlinuz-6.1
                - initrd  http://172.16.0.254/boot/initramfs-6.1.img
                + initrd  http://172.16.0.254/boot/initramfs-6.6.img
                  params  live → inventory: … console=ttyS0,115200 [-rescue-]{+loglevel=4+} selinux=0
                    changed by somebody else, last applied → live: … console=ttyS0,115200
                    [-quiet-]{+rescue+} selinux=0
                  takes effect at each node's next boot

    Left alone
      unchanged   cloud-init compute; secure cloud-init compute; group compute

    Summary       1 conflict   1 write
    Safety        delete 0 of 1 nodes (limit 1)   replace 0 of 1 nodes (limit 1)
    ");
}

#[test]
fn values_that_swap_are_told_node_by_node() {
    let world = World::with(&inventory(7));
    let mut wanted = inventory(7);
    wanted.nodes[5].name = "nid007".into();
    wanted.nodes[6].name = "nid006".into();
    let (six, seven) = (wanted.nodes[3].interfaces.clone(), wanted.nodes[4].interfaces.clone());
    (wanted.nodes[3].interfaces, wanted.nodes[4].interfaces) = (seven, six);
    insta::assert_snapshot!(text(&world, &wanted), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 7 nodes, 1 group, 4 files with the built-in services.

    Nodes
      ±  replace  nid[004-005]      2 nodes, same change                                nodes.yaml:39,47
                  mac_addr  nid004  ec:e7:a7:05:00:05 → ec:e7:a7:05:00:06
                            nid005  ec:e7:a7:05:00:06 → ec:e7:a7:05:00:05
                  ip_addr  nid004  172.16.0.5 → 172.16.0.6
                           nid005  172.16.0.6 → 172.16.0.5
                  an interface moves here from another node, with its MAC address
      →  rename   nid[006-007]      2 nodes, same change                                nodes.yaml:49,57
                  name  nid007 → nid006
                        nid006 → nid007

    Left alone
      unchanged   nid[001-003]; cloud-init compute; secure cloud-init compute; group compute

    Summary       2 replace   2 rename   10 writes
    Safety        delete 0 of 7 nodes (limit 3)   replace 2 of 7 nodes (limit 3)
    ");
}

#[test]
fn values_that_all_move_by_the_same_fold_and_others_are_listed() {
    let world = World::with(&inventory(12));
    let mut wanted = inventory(12);
    for (place, node) in wanted.nodes.iter_mut().enumerate() {
        node.name = format!("nid{:03}", place + 101).into();
        let last = [7, 200, 31, 64, 90, 12, 44, 83, 21, 109, 150, 77][place];
        node.interfaces[0].mac = format!("02:00:00:00:09:{last:02x}").parse().unwrap();
    }
    insta::assert_snapshot!(text(&world, &wanted), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 12 nodes, 1 group, 4 files with the built-in services.

    Nodes
      ±  replace  nid[101-112]      12 nodes, same change                               nodes.yaml:9-103
                  name  nid[001-012] → nid[101-112]
                  mac_addr  nid101  ec:e7:a7:05:00:02 → 02:00:00:00:09:07
                            nid102  ec:e7:a7:05:00:03 → 02:00:00:00:09:c8
                            nid103  ec:e7:a7:05:00:04 → 02:00:00:00:09:1f
                            nid104  ec:e7:a7:05:00:05 → 02:00:00:00:09:40
                            nid105  ec:e7:a7:05:00:06 → 02:00:00:00:09:5a
                            nid106  ec:e7:a7:05:00:07 → 02:00:00:00:09:0c
                            nid107  ec:e7:a7:05:00:08 → 02:00:00:00:09:2c
                            nid108  ec:e7:a7:05:00:09 → 02:00:00:00:09:53
                            and 4 others; --expand lists them
                  an interface is keyed by its MAC address: the old one goes, a new one comes

    Left alone
      unchanged   cloud-init compute; secure cloud-init compute; group compute

    Summary       12 replace   72 writes
    Safety        delete 0 of 12 nodes (limit 3)   replace 12 of 12 nodes (limit 3, refused)
    ");
}

#[test]
fn another_controller_address_is_told_once_and_in_the_words_of_the_file() {
    let world = World::with(&inventory(1));
    let mut wanted = inventory(1);
    let bmc = wanted.nodes[0].bmc.as_mut().unwrap();
    bmc.mac = Some("00:00:5e:00:53:01".parse().unwrap());
    bmc.ip = Some("172.17.0.99".parse().unwrap());
    insta::assert_snapshot!(text(&world, &wanted), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 1 node, 1 group, 4 files with the built-in services.

    Nodes
      ±  replace  nid001            x1000c0s0b1n0                                       nodes.yaml:13,14
                  bmc_mac  00:00:5e:00:00:02 → 00:00:5e:00:53:01
                  bmc_ip  172.17.0.2 → 172.17.0.99
                  an interface is keyed by its MAC address: the old one goes, a new one comes

    Left alone
      unchanged   cloud-init compute; secure cloud-init compute; group compute

    Summary       1 replace   4 writes
    Safety        delete 0 of 1 nodes (limit 1)   replace 1 of 1 nodes (limit 1)
    ");
}

#[test]
fn a_node_that_moves_to_another_group_is_told_with_both() {
    let world = World::with(&inventory(3));
    let mut wanted = inventory(3);
    wanted.nodes[1].groups = vec!["login".parse().unwrap()];
    insta::assert_snapshot!(text(&world, &wanted), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 3 nodes, 2 groups, 4 files with the built-in services.

    Groups
      ~  update   compute                                                                  nodes.yaml:20
                  members  -x1000c0s0b2n0
      +  create   login                                                                    nodes.yaml:20
                  members  +x1000c0s0b2n0

    Left alone
      unchanged   nid[001-003]; cloud-init compute; secure cloud-init compute

    Summary       1 create   1 update   2 writes
    Safety        delete 0 of 3 nodes (limit 1)   replace 0 of 3 nodes (limit 1)
    ");
}

#[test]
fn a_new_image_of_ten_thousand_nodes_is_one_block() {
    let world = World::with(&inventory(10_000));
    let mut wanted = inventory(10_000);
    for node in &mut wanted.nodes {
        node.boot = Some(boot("6.6"));
    }
    insta::assert_snapshot!(text(&world, &wanted), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 10,000 nodes, 1 group, 4 files with the built-in services.

    Boot
      ~  update   nid[001-999,1000-10000]  10,000 nodes, same change                     cluster.yaml:18
                - kernel  http://172.16.0.254/boot/vmlinuz-6.1
                + kernel  http://172.16.0.254/boot/vmlinuz-6.6
                - initrd  http://172.16.0.254/boot/initramfs-6.1.img
                + initrd  http://172.16.0.254/boot/initramfs-6.6.img
                  takes effect at each node's next boot

    Left alone
      unchanged   cloud-init compute; secure cloud-init compute; group compute

    Summary       10,000 update   10,000 writes
    Safety        delete 0 of 10,000 nodes (limit 500)   replace 0 of 10,000 nodes (limit 1,000)
    ");
}

#[test]
fn no_line_is_wider_than_the_terminal_unless_a_word_is() {
    let (world, wanted, options) = walk_through();
    let mut plans = vec![plan(&world, &wanted, &options)];
    plans.push(plan(&World::default(), &inventory(300), &options));
    plans.push(plan(&World::with(&inventory(300)), &inventory(10), &options));
    for width in [60, 72, 80, 100, 132, 160] {
        for plan in &plans {
            let text = render(plan, &TextOptions { width, ..TextOptions::default() });
            for line in text.lines().filter(|line| line.chars().count() > width) {
                assert!(!line.trim_start().contains(' '), "{width} columns: {line}");
            }
        }
    }
}
