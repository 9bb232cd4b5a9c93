//! The first plan over a cluster: what is new, and what there is already.

use serde_json::json;

use super::super::{TextOptions, render};
use super::{plan, text};
use crate::desired::samples::{inventory, node};
use crate::model::ObjectKey;
use crate::plan::tests::{World, options};

#[test]
fn the_first_plan_says_that_nothing_is_owned() {
    insta::assert_snapshot!(text(&World::default(), &inventory(9)), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 9 nodes, 1 group, 4 files with the built-in services.
    Nothing was applied here before: nothing is owned, and nothing can be deleted.

    Nodes
      +  create   nid[001-009]      9 nodes in x1000c0s0b[1-9]n0                         nodes.yaml:9-73
                  mac_addr ec:e7:a7:05:00:[02-0a]   ip_addr 172.16.0.[2-10]   group compute

    cloud-init
      +  create   compute                                                      cloud-init/compute.yaml:1
                  userdata  +5 lines
                  metadata  +1 line
      +  create   compute           secure                              cloud-init/secure/compute.yaml:1
                  content  changed

    Groups
      +  create   compute                                                                  nodes.yaml:12
                  members  +x1000c0s0b[1-9]n0

    Summary       12 create   75 writes
    Safety        delete 0 of 0 nodes (limit 3)   replace 0 of 0 nodes (limit 3)
    ");
}

#[test]
fn new_nodes_are_told_in_full_when_asked_for() {
    let plan = plan(&World::default(), &inventory(1), &options());
    insta::assert_snapshot!(render(&plan, &TextOptions { expand: true, ..TextOptions::default() }), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 1 node, 1 group, 4 files with the built-in services.
    Nothing was applied here before: nothing is owned, and nothing can be deleted.

    Nodes
      +  create   nid001            x1000c0s0b1n0                                           nodes.yaml:9
                  mac_addr ec:e7:a7:05:00:02   ip_addr 172.16.0.2   group compute
                + nid  1
                + role  Compute
                + kernel  http://172.16.0.254/boot/vmlinuz-6.1
                + initrd  http://172.16.0.254/boot/initramfs-6.1.img
                + params  root=live:http://172.16.0.254/rootfs ip=dhcp console=ttyS0,115200 quiet
                    selinux=0
                + BMC  x1000c0s0b1
                + bmc_mac  00:00:5e:00:00:02
                + bmc_ip  172.17.0.2
                + boot entry  mac:ec:e7:a7:05:00:02

    cloud-init
      +  create   compute                                                      cloud-init/compute.yaml:1
                  userdata  +5 lines
                +   packages:
                +     - slurmd
                +     - chrony
                +   runcmd:
                +     - systemctl start slurmd
                  metadata  +1 line
                +   instance-id: ochami-compute
      +  create   compute           secure                              cloud-init/secure/compute.yaml:1
                  content  changed

    Groups
      +  create   compute                                                                  nodes.yaml:12
                + Description  The compute group
                  members  +x1000c0s0b1n0

    Summary       4 create   11 writes
    Safety        delete 0 of 0 nodes (limit 3)   replace 0 of 0 nodes (limit 3)
    ");
}

#[test]
fn a_plan_that_only_adopts_says_that_nothing_is_written() {
    let mut world = World::with(&inventory(9));
    world.ledger = Default::default();
    insta::assert_snapshot!(text(&world, &inventory(9)), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 9 nodes, 1 group, 4 files with the built-in services.
    Nothing was applied here before: nothing is owned, and nothing can be deleted.

    Nodes
      =  adopt    nid[001-009]      9 nodes, same change                                 nodes.yaml:9-73

    cloud-init
      =  adopt    compute                                                      cloud-init/compute.yaml:1
      =  adopt    compute           secure                              cloud-init/secure/compute.yaml:1

    Groups
      =  adopt    compute                                                                  nodes.yaml:12

    Nothing is written: what is there equals the inventory and becomes managed.
    Summary       12 adopt   0 writes
    Safety        delete 0 of 0 nodes (limit 3)   replace 0 of 0 nodes (limit 3)
    ");
}

#[test]
fn what_may_not_be_taken_over_is_marked() {
    let mut world = World::with(&inventory(2));
    world.ledger = Default::default();
    world.meddle(&ObjectKey::component(&node(1).xname), "nid", json!(77));
    insta::assert_snapshot!(text(&world, &inventory(2)), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 2 nodes, 1 group, 4 files with the built-in services.
    Nothing was applied here before: nothing is owned, and nothing can be deleted.

    Nodes
      =~ refused  nid001            x1000c0s0b1n0                                          nodes.yaml:11
                  nid  77 → 1
                  it is not managed by this inventory and is left as it is
      =  adopt    nid002            x1000c0s0b2n0                                          nodes.yaml:17

    cloud-init
      =  adopt    compute                                                      cloud-init/compute.yaml:1
      =  adopt    compute           secure                              cloud-init/secure/compute.yaml:1

    Groups
      =  adopt    compute                                                                  nodes.yaml:12

    Summary       4 adopt   1 refused   0 writes
    Safety        delete 0 of 0 nodes (limit 3)   replace 0 of 0 nodes (limit 3)
                  refused by adopt.differs
    ");
}
