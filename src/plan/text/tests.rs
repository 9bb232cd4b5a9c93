//! What people read.

mod stories;

use serde_json::json;

use super::super::tests::{World, options};
use super::{TextOptions, render};
use crate::desired::samples::{boot, desire, entry, inventory, node};
use crate::inventory::Inventory;
use crate::model::{Component, Kind, Object, ObjectKey, Timestamp};
use crate::plan::{Options, Plan};
use crate::snapshot::Change;
use crate::store::Provenance;

fn plan(world: &World, inventory: &Inventory, options: &Options) -> Plan {
    let mut plan = world.plan(&desire(inventory), options).plan;
    // The identifier changes with every detail of every object and says nothing to the reader of a test.
    plan.id = "p-7f31c2000000".to_owned();
    plan
}

fn text(world: &World, inventory: &Inventory) -> String {
    render(&plan(world, inventory, &options()), &TextOptions::default())
}

/// The cluster of the walk-through: one node comes, one goes, one gets another card, six get another kernel.
fn walk_through() -> (World, Inventory, Options) {
    let mut world = World::with(&inventory(9));
    let mut wanted = inventory(10);
    wanted.nodes.remove(8);
    wanted.nodes[6].interfaces[0].mac = "02:00:00:00:07:ff".parse().unwrap();
    for node in wanted.nodes.iter_mut().take(6) {
        let mut boot = boot("6.6");
        boot.params = boot.params.replace("quiet", "loglevel=4").into();
        node.boot = Some(boot);
    }
    wanted.cloud_init[0] =
        entry("compute", json!({"packages": ["slurmd", "chrony", "pmix"], "runcmd": ["systemctl start slurmd"]}));
    let key = ObjectKey::component(&node(3).xname);
    world.meddle(&key, "nid", json!(33));
    world.meddle(&ObjectKey::new(Kind::Group, "compute"), "members", json!(members(&[1, 2, 3, 4, 5, 6, 7, 9])));
    for foreign in ["x1000c0s9b0n0", "x1000c0s9b0n1"] {
        world.change(Change::Put(Object::Component(Component::bare(foreign.parse().unwrap()).into())));
    }
    let mut options = options();
    let provenance = Provenance { writer: "api sub=ben".into(), at: Timestamp(1_795_385_000_000_000) };
    options.provenance.insert(key, provenance);
    (world, wanted, options)
}

fn members(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|number| node(*number).xname.to_string()).collect()
}

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
fn no_change_is_one_line() {
    let world = World::with(&inventory(9));
    assert_eq!(text(&world, &inventory(9)), "demo is in sync with the inventory (9 nodes, 1 group, 4 files).\n");
}

#[test]
fn what_is_not_ours_is_counted_behind_an_inventory_in_sync() {
    let mut world = World::with(&inventory(9));
    for number in 0..2 {
        let mut other = world.live.boot.components[&node(1).xname].as_ref().clone();
        (other.id, other.nid) = (format!("x1000c0s9b0n{number}").parse().unwrap(), None);
        world.change(Change::Put(Object::Component(other.into())));
    }
    assert_eq!(
        text(&world, &inventory(9)),
        "demo is in sync with the inventory (9 nodes, 1 group, 4 files), 2 unmanaged.\n"
    );
}

#[test]
fn a_nid_or_address_that_an_object_of_others_has_is_a_warning_that_names_both() {
    let mut world = World::with(&inventory(1));
    let mut other = world.live.boot.components[&node(1).xname].as_ref().clone();
    other.id = "x9c0s0b0n0".parse().unwrap();
    world.change(Change::Put(Object::Component(other.into())));
    let key = ObjectKey::new(Kind::EthernetInterface, "ec:e7:a7:05:00:02");
    let mut fields = world.live.object(&key).unwrap().fields();
    fields.insert("component_id".to_owned(), json!("x9c0s0b0n0"));
    let others = ObjectKey::new(Kind::EthernetInterface, "02:00:00:00:00:09");
    world.change(Change::Put(Object::from_fields(&others, fields).unwrap()));
    let plan = plan(&world, &inventory(1), &options());
    let told: Vec<_> = plan.diagnostics.iter().map(|remark| (&*remark.code, &*remark.object)).collect();
    assert_eq!(told, [("nid.taken", "component/x1000c0s0b1n0"), ("ip.taken", "ethernet-interface/ec:e7:a7:05:00:02")]);
    assert!(plan.refusal().is_none() && !plan.is_pending(), "a warning keeps nobody from applying");
    let text = render(&plan, &TextOptions { width: 160, ..TextOptions::default() });
    assert!(text.contains("NID 1 of nid001 is taken by x9c0s0b0n0"), "{text}");
    assert!(text.contains("of nid001 is taken by interface 02:00:00:00:00:09 of x9c0s0b0n0"), "{text}");
}

#[test]
fn a_rule_that_fails_for_several_services_is_told_once_and_so_is_the_secure_store() {
    let mut world = World::with(&inventory(1));
    world.live = Default::default();
    let text = text(&world, &inventory(1));
    assert_eq!(text.matches("refused by empty.live").count(), 1, "{text}");
    assert!(text.contains("cloud-init-secure\n") && !text.contains("cloud-init-secure secure"), "{text}");
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

#[test]
fn a_conflict_shows_all_three_values_and_a_rename_both_names() {
    let mut world = World::with(&inventory(2));
    world.meddle(&ObjectKey::component(&node(1).xname), "nid", json!(77));
    let mut wanted = inventory(2);
    wanted.nodes[0].nid = crate::model::Nid(11);
    wanted.nodes[1].name = "login1".into();
    insta::assert_snapshot!(text(&world, &wanted), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 2 nodes, 1 group, 4 files with the built-in services.

    Nodes
      !~ conflict nid001            x1000c0s0b1n0                                          nodes.yaml:11
                  nid  77 (live) → 11 (inventory)
                    changed by somebody else, last applied: 1
      →  rename   login1            x1000c0s0b2n0                                          nodes.yaml:17
                  name  nid002 → login1

    Left alone
      unchanged   cloud-init compute; secure cloud-init compute; group compute

    Summary       1 rename   1 conflict   4 writes
    Safety        delete 0 of 2 nodes (limit 1)   replace 0 of 2 nodes (limit 1)
    ");
}

#[test]
fn drift_that_is_only_reported_says_so() {
    let mut world = World::with(&inventory(2));
    world.meddle(&ObjectKey::new(Kind::BootParams, "mac:ec:e7:a7:05:00:02"), "params", json!("rescue"));
    let mut options = options();
    options.correct_drift = false;
    insta::assert_snapshot!(render(&plan(&world, &inventory(2), &options), &TextOptions::default()), @r"
    Plan p-7f31c2000000   demo   inventory 3f9c2e1a
    Compared 2 nodes, 1 group, 4 files with the built-in services.

    Drift since apply #1 (2026-11-22T22:05:57Z) — left as it is
      !  drift    nid001            boot x1000c0s0b1n0
                - params  rescue (live)
                + params  root=live:http://172.16.0.254/rootfs ip=dhcp console=ttyS0,115200 quiet
                    selinux=0 (inventory)

    Left alone
      unchanged   nid002; cloud-init compute; secure cloud-init compute; group compute

    Nothing is written: the inventory is applied, drift is only reported.
    Summary       1 drift   0 writes
    Safety        delete 0 of 2 nodes (limit 1)   replace 0 of 2 nodes (limit 1)
    ");
}

#[test]
fn names_and_values_of_others_cannot_write_on_the_terminal() {
    let mut world = World::with(&inventory(1));
    let key = ObjectKey::new(Kind::BootParams, "mac:ec:e7:a7:05:00:02");
    world.meddle(&key, "params", json!("quiet \u{1b}[2J\u{1b}]0;owned\u{7} \u{202e}on"));
    world.meddle(&ObjectKey::new(Kind::CloudInit, "compute"), "userdata", json!({"a\u{1b}": "b\u{8}\nc\u{1b}"}));
    let plan = plan(&world, &inventory(1), &options());
    for expand in [false, true] {
        let text = render(&plan, &TextOptions { expand, ..TextOptions::default() });
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(text.contains("\\u{1b}[2J"), "{text}");
        assert!(!text.contains('\u{202e}'));
    }
}

#[test]
fn what_is_kept_is_told_with_the_reason() {
    let world = World::with(&inventory(2));
    let mut options = options();
    options.prune = Some(false);
    let text = render(&plan(&world, &inventory(1), &options), &TextOptions::default());
    assert!(text.contains("  kept        nid002   no longer in the inventory, but pruning is off"), "{text}");
}
