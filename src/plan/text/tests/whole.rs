//! A whole plan: of the walk-through, in several forms, and of a thousand nodes.

use super::super::{TextOptions, render};
use super::{plan, text, walk_through};
use crate::desired::samples::{boot, inventory};
use crate::plan::tests::World;

#[test]
fn a_plan_tells_every_sort_of_change_with_its_cause() {
    let (world, wanted, options) = walk_through();
    insta::assert_snapshot!(render(&plan(&world, &wanted, &options), &TextOptions::default()), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 9 nodes, 1 group, 4 files with the built-in services.

    Nodes
      +  create   nid010            x1000c0s0b10n0                                         nodes.yaml:81
                  mac_addr ec:e7:a7:05:00:0b   ip_addr 172.16.0.11   group compute
      ±  replace  nid007            x1000c0s0b7n0                                          nodes.yaml:63
                  mac_addr  ec:e7:a7:05:00:08 → 02:00:00:00:07:ff
                  an interface is keyed by its MAC address: the old one goes, a new one comes
      -  delete   nid009            x1000c0s0b9n0                                      was nodes.yaml:73
                  2 components, 1 Redfish endpoint, 2 component endpoints, 2 Ethernet interfaces,
                  1 boot entry, member of compute

    Boot
      ~  update   nid[001-006]      6 nodes, same change                                 cluster.yaml:18
                - kernel  http://172.16.0.254/boot/vmlinuz-6.1
                + kernel  http://172.16.0.254/boot/vmlinuz-6.6
                - initrd  http://172.16.0.254/boot/initramfs-6.1.img
                + initrd  http://172.16.0.254/boot/initramfs-6.6.img
                  params  … console=ttyS0,115200 [-quiet-]{+loglevel=4+} selinux=0
                  takes effect at each node's next boot

    cloud-init
      ~  update   compute                                                      cloud-init/compute.yaml:1
                  userdata  +1 line
                      - slurmd
                      - chrony
                +     - pmix
                    runcmd:
                      - systemctl start slurmd
                  takes effect at each node's next boot

    Groups
      ~  update   compute                                                                  nodes.yaml:84
                  members  +x1000c0s0b10n0  -x1000c0s0b9n0

    Drift since apply #1 (2026-11-22T22:05:57Z) — will be put back
      !  drift    nid003            x1000c0s0b3n0                   by api sub=ben, 2026-11-22T22:03:20Z
                  nid  33 (live) → 3 (inventory)
      !  drift    compute           group
                  members  +x1000c0s0b8n0 (removed by somebody else)

    Left alone
      unchanged   nid008; secure cloud-init compute
      unmanaged   x1000c0s9b0n[0-1]   2 components, not in this inventory

    Summary       1 create   8 update   1 replace   1 delete   2 drift   2 unmanaged   30 writes
    Safety        delete 1 of 9 nodes (limit 3)   replace 1 of 9 nodes (limit 3)
    ");
}

#[test]
fn a_narrow_terminal_without_other_glyphs_gets_the_same() {
    let (world, wanted, options) = walk_through();
    let narrow = TextOptions { width: 72, ascii: true, ..TextOptions::default() };
    let text = render(&plan(&world, &wanted, &options), &narrow);
    assert!(text.is_ascii());
    assert!(text.lines().all(|line| line.len() <= 72), "{text}");
    insta::assert_snapshot!(text, @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 9 nodes, 1 group, 4 files with the built-in services.

    Nodes
      +  create   nid010            x1000c0s0b10n0             nodes.yaml:81
                  mac_addr ec:e7:a7:05:00:0b   ip_addr 172.16.0.11
                  group compute
      +- replace  nid007            x1000c0s0b7n0              nodes.yaml:63
                  mac_addr  ec:e7:a7:05:00:08 -> 02:00:00:00:07:ff
                  an interface is keyed by its MAC address: the old one
                    goes, a new one comes
      -  delete   nid009            x1000c0s0b9n0          was nodes.yaml:73
                  2 components, 1 Redfish endpoint, 2 component endpoints,
                  2 Ethernet interfaces, 1 boot entry, member of compute

    Boot
      ~  update   nid[001-006]      6 nodes, same change     cluster.yaml:18
                - kernel  http://172.16.0.254/boot/vmlinuz-6.1
                + kernel  http://172.16.0.254/boot/vmlinuz-6.6
                - initrd  http://172.16.0.254/boot/initramfs-6.1.img
                + initrd  http://172.16.0.254/boot/initramfs-6.6.img
                  params  ... console=ttyS0,115200 [-quiet-]{+loglevel=4+}
                    selinux=0
                  takes effect at each node's next boot

    cloud-init
      ~  update   compute                          cloud-init/compute.yaml:1
                  userdata  +1 line
                      - slurmd
                      - chrony
                +     - pmix
                    runcmd:
                      - systemctl start slurmd
                  takes effect at each node's next boot

    Groups
      ~  update   compute                                      nodes.yaml:84
                  members  +x1000c0s0b10n0  -x1000c0s0b9n0

    Drift since apply #1 (2026-11-22T22:05:57Z) - will be put back
      !  drift    nid003            x1000c0s0b3n0
                  by api sub=ben, 2026-11-22T22:03:20Z
                  nid  33 (live) -> 3 (inventory)
      !  drift    compute           group
                  members  +x1000c0s0b8n0 (removed by somebody else)

    Left alone
      unchanged   nid008; secure cloud-init compute
      unmanaged   x1000c0s9b0n[0-1]   2 components, not in this inventory

    Summary       1 create   8 update   1 replace   1 delete   2 drift
                  2 unmanaged   30 writes
    Safety        delete 1 of 9 nodes (limit 3)
                  replace 1 of 9 nodes (limit 3)
    ");
}

#[test]
fn colours_change_nothing_but_colours() {
    let (world, wanted, options) = walk_through();
    let plan = plan(&world, &wanted, &options);
    let coloured = render(&plan, &TextOptions { color: true, ..TextOptions::default() });
    assert!(coloured.contains("\u{1b}[32m  +  create"));
    let mut plain = String::new();
    for (place, part) in coloured.split("\u{1b}[").enumerate() {
        plain.push_str(if place == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(plain, render(&plan, &TextOptions::default()));
}

#[test]
fn a_thousand_nodes_fold_and_the_odd_one_falls_out() {
    let world = World::with(&inventory(1000));
    let mut wanted = inventory(1128);
    for node in wanted.nodes.iter_mut().take(1000) {
        node.boot = Some(boot(if *node.name == *"nid641" { "6.6-debug" } else { "6.6" }));
    }
    insta::assert_snapshot!(text(&world, &wanted), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 1,128 nodes, 1 group, 4 files with the built-in services.

    Nodes
      +  create   nid[1001-1128]
                  128 nodes in x1000c3s7b[9-31]n0,x1000c4s[0-2]b[0-31]n0,x1000c4s3b[0-8]n0
                  nodes.yaml:8009-9025
                  mac_addr ec:e7:a7:05:04:[02-81]   ip_addr 172.16.4.[2-129]   group compute

    Boot
      ~  update   nid[001-640,642-1000]  999 nodes, same change                          cluster.yaml:18
                - kernel  http://172.16.0.254/boot/vmlinuz-6.1
                + kernel  http://172.16.0.254/boot/vmlinuz-6.6
                - initrd  http://172.16.0.254/boot/initramfs-6.1.img
                + initrd  http://172.16.0.254/boot/initramfs-6.6.img
                  takes effect at each node's next boot
      ~  update   nid641            x1000c2s4b1n0                                        cluster.yaml:18
                - kernel  http://172.16.0.254/boot/vmlinuz-6.1
                + kernel  http://172.16.0.254/boot/vmlinuz-6.6-debug
                - initrd  http://172.16.0.254/boot/initramfs-6.1.img
                + initrd  http://172.16.0.254/boot/initramfs-6.6-debug.img
                  takes effect at each node's next boot

    Groups
      ~  update   compute                                                           nodes.yaml:8012-9028
                  members  +x1000c3s7b[9-31]n0,x1000c4s[0-2]b[0-31]n0,x1000c4s3b[0-8]n0

    Left alone
      unchanged   cloud-init compute; secure cloud-init compute

    Summary       128 create   1,001 update   2,025 writes
    Safety        delete 0 of 1,000 nodes (limit 50)   replace 0 of 1,000 nodes (limit 100)
    ");
}
