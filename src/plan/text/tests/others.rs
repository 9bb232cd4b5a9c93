//! What others wrote or made: conflicts, drift, names that are taken, and what is left alone.

use serde_json::json;

use super::super::{TextOptions, render};
use super::{plan, text};
use crate::desired::samples::{inventory, node};
use crate::model::{Kind, Object, ObjectKey};
use crate::plan::tests::{World, options};
use crate::snapshot::Change;

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
