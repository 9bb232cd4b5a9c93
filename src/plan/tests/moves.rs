//! Hardware that changes hands: swapped network cards, nodes at another xname.

use serde_json::json;

use super::super::document::{PlanChange, Verb};
use super::{World, only, options, plan};
use crate::desired::samples::{boot, desire, inventory, node};
use crate::inventory::Inventory;
use crate::model::ObjectKey;
use crate::plan::text::{TextOptions, render};

/// An inventory in which the first two nodes have each other's network card.
fn swapped(nodes: u32) -> Inventory {
    let mut swapped = inventory(nodes);
    let (first, rest) = swapped.nodes.split_at_mut(1);
    std::mem::swap(&mut first[0].interfaces[0].mac, &mut rest[0].interfaces[0].mac);
    swapped
}

fn field(change: &PlanChange, path: &str) -> [Option<String>; 2] {
    let field = change.fields.iter().find(|field| field.path == path);
    let text = |value: &Option<serde_json::Value>| value.as_ref().and_then(|value| value.as_str()).map(str::to_owned);
    field.map_or([None, None], |field| [text(&field.last), text(&field.want)])
}

#[test]
fn a_card_swapped_between_two_nodes_replaces_both() {
    let mut world = World::with(&inventory(9));
    let computed = world.apply(&desire(&swapped(9)), &options());
    let plan = &computed.plan;
    let told: Vec<_> = plan.changes.iter().map(|change| (&*change.name, change.verb, &*change.reason)).collect();
    assert_eq!(
        told,
        [("nid001", Verb::Replace, "interface_moved"), ("nid002", Verb::Replace, "interface_moved")],
        "{plan:#?}"
    );
    let macs = ["ec:e7:a7:05:00:02", "ec:e7:a7:05:00:03"].map(|mac| Some(mac.to_owned()));
    assert_eq!(field(&plan.changes[0], "/mac"), macs);
    assert_eq!(field(&plan.changes[1], "/mac"), [macs[1].clone(), macs[0].clone()]);
    assert_eq!(plan.summary.replace, 2);
    let check = plan.safety.checks.iter().find(|check| check.rule == "limit.replace").unwrap();
    assert_eq!((check.value, check.of, check.ok), (2, 9, true));
    assert!(render(plan, &TextOptions::default()).contains("replace 2 of 9 nodes"));
    assert!(!super::plan(&world, &swapped(9)).has_changes());
}

#[test]
fn swapped_cards_count_towards_the_limit() {
    let mut wanted = inventory(8);
    for pair in wanted.nodes.chunks_mut(2) {
        let (first, second) = pair.split_at_mut(1);
        std::mem::swap(&mut first[0].interfaces[0].mac, &mut second[0].interfaces[0].mac);
    }
    let refusal = plan(&World::with(&inventory(8)), &wanted).refusal().unwrap();
    assert!(refusal.contains("limit.replace (exit 4): this plan replaces parts of 8 of 8 nodes"), "{refusal}");
}

#[test]
fn swapped_controllers_replace_both_nodes_too() {
    let mut wanted = inventory(4);
    let macs = [0, 1].map(|at: usize| wanted.nodes[at].bmc.as_ref().unwrap().mac);
    wanted.nodes[0].bmc.as_mut().unwrap().mac = macs[1];
    wanted.nodes[1].bmc.as_mut().unwrap().mac = macs[0];
    let plan = plan(&World::with(&inventory(4)), &wanted);
    assert!(plan.changes.iter().all(|change| change.verb == Verb::Replace), "{:#?}", plan.changes);
    assert_eq!(field(&plan.changes[0], "/bmc/interface/mac")[1].as_deref(), Some("00:00:5e:00:00:03"));
}

#[test]
fn a_card_that_only_leaves_is_a_part_that_its_node_loses() {
    let mut first = inventory(4);
    let second_card = crate::inventory::Interface {
        mac: "ec:e7:a7:05:bb:01".parse().unwrap(),
        ips: Vec::new(),
        origin: first.nodes[0].origin.clone(),
    };
    first.nodes[0].interfaces.push(second_card.clone());
    let mut wanted = inventory(4);
    wanted.nodes[1].interfaces.push(second_card);
    let plan = plan(&World::with(&first), &wanted);
    let check = plan.safety.checks.iter().find(|check| check.rule == "limit.replace").unwrap();
    assert_eq!(check.value, 1);
    let of = |name: &str| plan.changes.iter().find(|change| &*change.name == name).unwrap();
    assert_eq!((of("nid001").verb, of("nid002").verb), (Verb::Update, Verb::Update));
    let lost = of("nid001").fields.iter().find(|field| field.path == "/interfaces/1/mac").unwrap();
    assert_eq!((&lost.live, &lost.want), (&Some(json!("ec:e7:a7:05:bb:01")), &None));
    assert_eq!(field(of("nid002"), "/interfaces/1/mac"), [None, Some("ec:e7:a7:05:bb:01".to_owned())]);
}

#[test]
fn a_node_at_another_xname_is_replaced_and_counts_once() {
    let mut world = World::with(&inventory(3));
    let mut wanted = inventory(3);
    wanted.nodes[2].xname = "x1000c0s0b9n0".parse().unwrap();
    wanted.nodes[2].bmc.as_mut().unwrap().xname = "x1000c0s0b9".parse().unwrap();
    let computed = world.apply(&desire(&wanted), &options());
    let nodes: Vec<_> = computed.plan.changes.iter().filter(|change| change.address.starts_with("node/")).collect();
    assert_eq!(nodes.len(), 1, "{:#?}", computed.plan.changes);
    assert_eq!((nodes[0].verb, &*nodes[0].reason, &*nodes[0].name), (Verb::Replace, "node_moved", "nid003"));
    assert_eq!(nodes[0].address, "node/x1000c0s0b9n0");
    let xnames = ["x1000c0s0b3n0", "x1000c0s0b9n0"].map(|xname| Some(xname.to_owned()));
    assert_eq!(field(nodes[0], "/xname"), xnames);
    assert_eq!((computed.plan.summary.delete, computed.plan.summary.create, computed.plan.summary.replace), (0, 0, 1));
    let limits: Vec<_> = computed.plan.safety.checks.iter().take(2).map(|check| (&*check.rule, check.value)).collect();
    assert_eq!(limits, [("limit.delete", 0), ("limit.replace", 1)]);
    assert!(world.live.object(&ObjectKey::component(&node(3).xname)).is_none());
    assert!(!plan(&world, &wanted).has_changes());
}

#[test]
fn a_node_of_the_same_name_with_other_hardware_is_replaced_with_what_it_boots() {
    let mut world = World::with(&inventory(3));
    let mut wanted = inventory(3);
    let mut other = node(9);
    other.name = wanted.nodes[2].name.clone();
    other.boot = Some(boot("6.6"));
    wanted.nodes[2] = other;
    let computed = world.apply(&desire(&wanted), &options());
    let lines: Vec<_> = computed.plan.changes.iter().map(|change| (change.address.as_str(), change.verb)).collect();
    assert_eq!(
        lines,
        [("node/x1000c0s0b9n0", Verb::Replace), ("boot/x1000c0s0b9n0", Verb::Update), ("group/compute", Verb::Update)]
    );
    assert!(computed.plan.changes[1].fields.iter().any(|field| field.path == "/boot/kernel"));
    assert_eq!(computed.plan.refusal(), None, "the old boot entry is no loss");
    assert!(!plan(&world, &wanted).has_changes());
}

#[test]
fn another_name_with_another_card_tells_both() {
    let mut wanted = inventory(2);
    wanted.nodes[0].name = "login1".into();
    wanted.nodes[0].interfaces[0].mac = "ec:e7:a7:05:aa:ff".parse().unwrap();
    let plan = plan(&World::with(&inventory(2)), &wanted);
    let change = only(&plan.changes);
    assert_eq!((change.verb, &*change.reason), (Verb::Replace, "key_changed"));
    assert_eq!(field(change, "/name"), [Some("nid001".to_owned()), Some("login1".to_owned())]);
}
