//! Every safety rule, and what a refusal says.

use super::super::CommandLine;
use super::super::document::Check;
use super::{Plan, World, options, plan};
use crate::desired::samples::{desire, inventory};
use crate::model::{Kind, ObjectKey};
use crate::plan::Verb;
use crate::snapshot::{Change, Snapshot};
use crate::store::LedgerChange;

fn failed(plan: &Plan) -> Vec<(&str, &str, u64, u64, u64)> {
    let failed = plan.safety.checks.iter().filter(|check| !check.ok);
    failed.map(|c: &Check| (c.rule.as_str(), c.what.as_str(), c.value, c.of, c.limit)).collect()
}

#[test]
fn deletes_are_limited_to_a_number_or_a_share_of_the_nodes() {
    let world = World::with(&inventory(100));
    assert_eq!(failed(&plan(&world, &inventory(95))), []);
    let over = plan(&world, &inventory(94));
    assert_eq!(failed(&over), [("limit.delete", "nodes", 6, 100, 5)]);
    insta::assert_snapshot!(over.refusal().unwrap(), @r"
    refused by limit.delete (exit 4): this plan deletes 6 of 100 nodes (6.0 %); the limit is 5.
      nid[095-100]
      If intended:  ochami-sync apply --allow-delete 6
      If not:       put the lines back into the inventory
    ");
}

#[test]
fn a_number_never_stands_for_more_than_half_of_what_there_is() {
    let few = World::with(&inventory(4));
    assert_eq!(failed(&plan(&few, &inventory(2))), []);
    assert_eq!(failed(&plan(&few, &inventory(1))), [("limit.delete", "nodes", 3, 4, 2)]);
    let two = World::with(&inventory(2));
    assert_eq!(failed(&plan(&two, &inventory(1))), [], "one is always allowed");
    let mut all = inventory(1);
    all.cluster.sync.delete = crate::inventory::Limit { max: 0, percent: 100 };
    assert_eq!(failed(&plan(&few, &all)), [], "a share means what it says");
    all.cluster.sync.delete = crate::inventory::Limit { max: 0, percent: 0 };
    assert_eq!(failed(&plan(&two, &all)), [("limit.delete", "nodes", 1, 2, 0)], "and so does none");
}

#[test]
fn several_boot_entries_of_one_node_are_deleted_and_counted_one_by_one() {
    let mut desired = desire(&inventory(10));
    let second: Vec<_> = desired.objects.iter().filter(|(key, _)| key.kind == Kind::BootParams).collect();
    let second: Vec<_> = second
        .into_iter()
        .map(|(key, object)| (ObjectKey::new(key.kind, key.id.replace("ec:e7", "ec:e8")), object.clone()))
        .collect();
    desired.objects.extend(second);
    let mut world = World::default();
    world.apply(&desired, &options());
    let mut wanted = inventory(10);
    for node in wanted.nodes.iter_mut().take(2) {
        node.boot = None;
    }
    desired
        .objects
        .retain(|key, object| key.kind != Kind::BootParams || !["nid001", "nid002"].contains(&&*object.name));
    let plan = world.plan(&desired, &options()).plan;
    assert!(plan.changes.iter().all(|change| change.verb == super::super::document::Verb::Delete));
    assert_eq!((plan.summary.delete, plan.summary.writes), (2, 4));
    assert_eq!(failed(&plan), [("limit.delete", "boot entries", 4, 20, 3)]);
    // One of two that goes is a loss, too, though the line is an update.
    desired.objects.extend(desire(&wanted).objects);
    let half = world.plan(&desire(&inventory(10)), &options()).plan;
    assert_eq!(failed(&half), [("limit.delete", "boot entries", 10, 20, 3)]);
}

#[test]
fn an_allowed_number_of_deletes_raises_the_limit_to_it_and_never_lowers_it() {
    let world = World::with(&inventory(100));
    let with = |allowed| {
        let mut options = options();
        options.allow_delete = Some(allowed);
        world.plan(&desire(&inventory(90)), &options).plan.safety.ok
    };
    assert!(!with(9));
    assert!(with(10));
    let mut none = options();
    (none.allow_delete, none.allow_replace) = (Some(1), Some(0));
    assert!(world.plan(&desire(&inventory(95)), &none).plan.safety.ok, "the limit of 5 holds all the same");
}

#[test]
fn boot_entries_count_as_much_as_nodes() {
    let world = World::with(&inventory(10));
    let mut wanted = inventory(10);
    for node in &mut wanted.nodes {
        node.boot = None;
    }
    assert_eq!(failed(&plan(&world, &wanted)), [("limit.delete", "boot entries", 10, 10, 3)]);
}

#[test]
fn groups_and_entries_are_limited_too() {
    let mut wide = inventory(5);
    for node in &mut wide.nodes {
        node.groups.push(format!("rack{}", node.nid).parse().unwrap());
    }
    assert_eq!(failed(&plan(&World::with(&wide), &inventory(5))), [("limit.delete", "groups", 5, 6, 3)]);
}

#[test]
fn replacements_are_limited_and_so_are_interfaces_that_go() {
    let world = World::with(&inventory(10));
    let mut swapped = inventory(10);
    for (number, node) in swapped.nodes.iter_mut().enumerate().take(4) {
        node.interfaces[0].mac.0[0] = 0xe8;
        node.interfaces[0].mac.0[1] = u8::try_from(number).unwrap();
    }
    assert_eq!(failed(&plan(&world, &swapped)), [("limit.replace", "nodes", 4, 10, 3)]);
    let mut allowed = options();
    allowed.allow_replace = Some(4);
    assert!(world.plan(&desire(&swapped), &allowed).plan.safety.ok);
    let mut bare = inventory(10);
    for node in bare.nodes.iter_mut().take(4) {
        node.bmc = None;
    }
    assert_eq!(failed(&plan(&world, &bare)), [("limit.replace", "nodes", 4, 10, 3)]);
}

#[test]
fn an_empty_inventory_is_refused_while_nodes_are_managed() {
    let world = World::with(&inventory(2));
    let plan = plan(&world, &inventory(0));
    assert_eq!(failed(&plan), [("limit.delete", "nodes", 2, 2, 1), ("empty.inventory", "nodes", 2, 2, 0)]);
    let refusal = plan.refusal().unwrap();
    assert!(refusal.contains("the inventory has no nodes, but 2 are managed"));
    assert!(!refusal.contains("--allow-delete"), "no number allows it: {refusal}");
    assert_eq!(failed(&super::plan(&World::default(), &inventory(0))), []);
}

#[test]
fn a_service_that_lost_everything_is_refused() {
    let mut world = World::with(&inventory(2));
    world.live = Snapshot::default();
    let plan = plan(&world, &inventory(2));
    let rules: Vec<_> = failed(&plan).into_iter().map(|check| (check.0, check.1, check.2)).collect();
    assert_eq!(
        rules,
        [("empty.live", "bss", 2), ("empty.live", "cloud-init", 2), ("empty.live", "smd", 15)],
        "{rules:?}"
    );
    let mut accepting = options();
    accepting.accept_empty_live = true;
    assert!(world.plan(&desire(&inventory(2)), &accepting).plan.safety.ok);
}

#[test]
fn one_service_alone_may_have_lost_everything() {
    let mut world = World::with(&inventory(1));
    world.change(Change::Delete(ObjectKey::new(Kind::BootParams, "mac:ec:e7:a7:05:00:02")));
    let plan = plan(&world, &inventory(1));
    assert_eq!(failed(&plan), [("empty.live", "bss", 1, 1, 0)]);
    assert!(plan.refusal().unwrap().contains("bss lists no objects, but 1 is managed there."));
}

#[test]
fn an_incomplete_read_deletes_and_forgets_nothing_and_refuses() {
    let mut world = World::with(&inventory(3));
    let mut partial = options();
    partial.complete = false;
    partial.incomplete_reasons = vec!["SMD answered 503 to the list of groups".into()];
    world.change(Change::Delete(ObjectKey::new(Kind::Group, "compute")));
    let mut wanted = inventory(2);
    wanted.nodes.iter_mut().for_each(|node| node.groups.clear());
    let computed = world.plan(&desire(&wanted), &partial);
    assert!(computed.writes.iter().all(|write| write.object.is_some()));
    assert!(computed.ledger.is_empty());
    assert_eq!(failed(&computed.plan), [("incomplete.read", "live state", 1, 1, 0)]);
    assert!(computed.plan.refusal().unwrap().contains("SMD answered 503"));
}

#[test]
fn an_object_of_somebody_else_is_named_with_the_ways_out() {
    let mut world = World::with(&inventory(1));
    world.ledger = Default::default();
    world.meddle(&ObjectKey::component(&crate::desired::samples::node(1).xname), "nid", serde_json::json!(77));
    insta::assert_snapshot!(plan(&world, &inventory(1)).refusal().unwrap(), @r"
    refused by adopt.differs (exit 4): 1 object is there already and not managed by this inventory.
      nid001
      component x1000c0s0b1n0 exists and differs: nid 77 → 1   nodes.yaml:11
      take over     ochami-sync apply --adopt always
      match         write into the inventory what is there
      leave alone   remove them from the inventory; they stay unmanaged
    ");
}

#[test]
fn an_interface_of_another_node_is_told_alone_and_nothing_false_of_the_node_that_wants_it() {
    let mut world = World::with(&inventory(1));
    world.meddle(
        &ObjectKey::new(Kind::EthernetInterface, "ec:e7:a7:05:00:02"),
        "component_id",
        serde_json::json!("x5000c0s0b0n0"),
    );
    let interface = world.live.object(&ObjectKey::new(Kind::EthernetInterface, "ec:e7:a7:05:00:02")).unwrap();
    let mut foreign = World::default();
    foreign.change(Change::Put(interface));
    let refusal = plan(&foreign, &inventory(1)).refusal().unwrap();
    let told = "  ethernet interface ec:e7:a7:05:00:02 exists and differs: it belongs to x5000c0s0b0n0, not to \
                x1000c0s0b1n0   nodes.yaml:";
    assert!(refusal.contains(told), "{refusal}");
    assert_eq!(refusal.matches("exists").count(), 1, "{refusal}");
}

#[test]
fn an_equal_object_that_may_not_be_adopted_is_told_as_equal_and_a_secret_is_not_told() {
    let mut world = World::with(&inventory(1));
    world.ledger = Default::default();
    world.meddle(&ObjectKey::new(Kind::CloudInitSecure, "compute"), "userdata", serde_json::json!({"key": "geheim"}));
    let mut never = options();
    never.adopt = Some(crate::inventory::Adopt::Never);
    let refusal = world.plan(&desire(&inventory(1)), &never).plan.refusal().unwrap();
    assert!(refusal.contains("component x1000c0s0b1n0 exists and equals the inventory"), "{refusal}");
    assert!(refusal.contains("cloud init secure compute exists and differs: its content"), "{refusal}");
    assert!(!refusal.contains("geheim"), "{refusal}");
}

#[test]
fn a_plan_within_all_rules_is_not_refused_and_tells_what_it_checked() {
    let plan = plan(&World::with(&inventory(9)), &inventory(8));
    assert_eq!(plan.refusal(), None);
    let rules: Vec<_> = plan.safety.checks.iter().map(|check| check.rule.as_str()).collect();
    assert_eq!(
        rules,
        ["limit.delete", "limit.replace", "empty.inventory", "empty.live", "incomplete.read", "adopt.differs"]
    );
}

#[test]
fn advice_repeats_the_flags_that_were_given_and_each_rule_is_told_once() {
    let mut world = World::with(&inventory(9));
    world.live = Snapshot::default();
    let lost = plan(&world, &inventory(9));
    let command = CommandLine::default().with_some("-i", Some("lab")).with_some("--state", Some("here"));
    insta::assert_snapshot!(lost.refusal_of(&command).unwrap(), @r"
    refused by empty.live (exit 4): bss, cloud-init and smd list no objects, but 9, 2 and 64 are managed there.
      Were they restarted with empty databases, or are they other services?
      If intended:  ochami-sync apply -i lab --state here --accept-empty-live
    ");
    let world = World::with(&inventory(9));
    let mut wanted = inventory(5);
    for node in &mut wanted.nodes {
        node.boot = None;
    }
    let mut few = options();
    few.allow_delete = Some(3);
    let refused = world.plan(&desire(&wanted), &few).plan;
    let command = command.with_some("--allow-delete", Some(3));
    insta::assert_snapshot!(refused.refusal_of(&command).unwrap(), @r"
    refused by limit.delete (exit 4): this plan deletes 4 of 9 nodes (44.4 %); the limit is 3.
      nid[006-009]
      and this plan deletes 5 of 9 boot entries (55.6 %); the limit is 3.
      nid[001-005]
      If intended:  ochami-sync apply -i lab --state here --allow-delete 5
      If not:       put the lines back into the inventory
    ");
}

#[test]
fn several_rules_at_once_are_answered_by_one_command() {
    let world = World::with(&inventory(9));
    let mut wanted = inventory(5);
    for node in &mut wanted.nodes {
        node.interfaces[0].mac.0[0] = 0xe8;
    }
    let refusal = plan(&world, &wanted).refusal().unwrap();
    let last = "If all of it is intended:  ochami-sync apply --allow-delete 4 --allow-replace 5\n";
    assert!(refusal.ends_with(last), "{refusal}");
    let mut allowed = options();
    (allowed.allow_delete, allowed.allow_replace) = (Some(4), Some(5));
    assert_eq!(world.plan(&desire(&wanted), &allowed).plan.refusal(), None);
}

#[test]
fn what_was_only_about_to_be_created_is_neither_missed_nor_recreated() {
    let mut world = World::default();
    for write in world.plan(&desire(&inventory(2)), &options()).writes {
        let LedgerChange::Own(key, entry) = write.ledger else { continue };
        world.ledger.entries.insert(key, entry.intended());
    }
    let plan = plan(&world, &inventory(2));
    assert_eq!(failed(&plan), []);
    assert_eq!(plan.refusal(), None);
    assert!(plan.changes.iter().all(|change| change.verb == Verb::Create), "{:?}", plan.changes);
}

#[test]
fn what_was_about_to_be_created_and_is_there_is_ours_whatever_it_holds() {
    let mut world = World::with(&inventory(1));
    for entry in world.ledger.entries.values_mut() {
        *entry = entry.intended();
    }
    world.meddle(&ObjectKey::component(&crate::desired::samples::node(1).xname), "nid", serde_json::json!(77));
    let computed = world.plan(&desire(&inventory(1)), &options());
    assert_eq!(computed.plan.refusal(), None);
    let written: Vec<_> = computed.writes.iter().map(|write| write.key.kind).collect();
    assert_eq!(written, [Kind::Component]);
    world.apply(&desire(&inventory(1)), &options());
    assert!(!plan(&world, &inventory(1)).has_changes());
}
