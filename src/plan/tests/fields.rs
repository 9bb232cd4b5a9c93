//! The table of fields, row by row, on the role of a node and on the members of a group.

use serde_json::{Value, json};

use super::super::document::{Class, FieldClass, Verb};
use super::{World, only, options, plan};
use crate::desired::samples::{boot, desire, inventory, node};
use crate::inventory::Inventory;
use crate::model::{Kind, ObjectKey, Role};
use crate::snapshot::Change;

fn role(role: Option<&str>) -> Inventory {
    let mut inventory = inventory(1);
    inventory.nodes[0].role = role.map(|role| role.parse().unwrap());
    inventory
}

fn component() -> ObjectKey {
    ObjectKey::component(&node(1).xname)
}

/// A cluster where `last` was applied and the role is `live` by now.
fn world(last: Option<&str>, live: &str) -> World {
    let mut world = World::with(&role(last));
    world.meddle(&component(), "role", json!(live));
    world
}

fn live_role(world: &World) -> Option<Role> {
    world.live.boot.components[&node(1).xname].role
}

#[test]
fn equal_on_all_sides_is_no_change() {
    let plan = plan(&world(Some("Service"), "Service"), &role(Some("Service")));
    assert!(!plan.has_changes() && plan.drift.is_empty(), "{plan:#?}");
}

#[test]
fn a_field_that_only_the_inventory_changed_is_an_update() {
    let mut world = world(Some("Service"), "Service");
    let wanted = role(Some("Storage"));
    let plan = plan(&world, &wanted);
    let change = only(&plan.changes);
    assert_eq!((change.verb, change.class), (Verb::Update, Class::Intent));
    assert!(plan.is_pending() && !plan.is_drift_only());
    assert_eq!(change.fields[0].path, "/role");
    assert!(change.disruptive && change.replace_paths.is_empty(), "{change:?}");
    assert_eq!(change.fields[0].class, FieldClass::Intent);
    assert_eq!(change.fields[0].last, Some(json!("Service")));
    assert_eq!(change.fields[0].want, Some(json!("Storage")));
    assert_eq!(change.origin.as_ref().unwrap().line, 9);
    world.apply(&desire(&wanted), &options());
    assert_eq!(live_role(&world), Some(Role::Storage));
}

#[test]
fn a_field_that_only_somebody_else_changed_is_drift() {
    let mut world = world(Some("Service"), "Storage");
    let wanted = role(Some("Service"));
    let plan = plan(&world, &wanted);
    assert!(plan.changes.is_empty() && plan.is_drift_only());
    let drift = only(&plan.drift);
    assert_eq!((drift.class, drift.fields[0].class), (Class::Drift, FieldClass::Drift));
    assert_eq!(drift.fields[0].live, Some(json!("Storage")));
    world.apply(&desire(&wanted), &options());
    assert_eq!(live_role(&world), Some(Role::Service));
}

#[test]
fn drift_is_only_reported_when_it_shall_not_be_corrected() {
    let mut world = world(Some("Service"), "Storage");
    let mut options = options();
    options.correct_drift = false;
    let computed = world.apply(&desire(&role(Some("Service"))), &options);
    assert_eq!((computed.plan.drift.len(), computed.writes.len(), computed.ledger.len()), (1, 0, 0));
    assert_eq!(live_role(&world), Some(Role::Storage));
    // A commit that is about something else leaves it, too.
    let mut wanted = role(Some("Service"));
    wanted.nodes[0].boot = Some(boot("6.2"));
    let computed = world.apply(&desire(&wanted), &options);
    assert_eq!((computed.plan.changes.len(), computed.plan.drift.len(), computed.writes.len()), (1, 1, 1));
    assert_eq!(live_role(&world), Some(Role::Storage));
}

#[test]
fn a_commit_that_touches_an_object_puts_back_what_somebody_else_changed_of_it() {
    let mut world = world(Some("Service"), "Storage");
    let mut options = options();
    options.correct_drift = false;
    let mut wanted = role(Some("Service"));
    wanted.nodes[0].arch = Some("ARM".parse().unwrap());
    let computed = world.apply(&desire(&wanted), &options);
    let change = only(&computed.plan.changes);
    assert_eq!((change.class, computed.plan.drift.len(), computed.writes.len()), (Class::Conflict, 0, 1));
    assert_eq!(live_role(&world), Some(Role::Service));
    assert!(!plan(&world, &wanted).has_changes());
}

#[test]
fn a_field_that_both_changed_to_the_same_value_is_recorded_without_a_write() {
    let mut world = world(Some("Service"), "Storage");
    let wanted = role(Some("Storage"));
    let computed = world.apply(&desire(&wanted), &options());
    let change = only(&computed.plan.changes);
    assert_eq!((change.verb, change.fields[0].class), (Verb::Record, FieldClass::Recorded));
    assert_eq!((computed.writes.len(), computed.ledger.len()), (0, 1));
    assert!(computed.plan.has_changes() && !computed.plan.is_pending(), "what only the ledger is told does not pend");
    assert!(!plan(&world, &wanted).has_changes());
}

#[test]
fn a_field_that_both_changed_to_different_values_is_a_conflict_and_the_inventory_wins() {
    let mut world = world(Some("Service"), "Management");
    let mut options = options();
    options.correct_drift = false;
    let computed = world.apply(&desire(&role(Some("Storage"))), &options);
    let change = only(&computed.plan.changes);
    let field = &change.fields[0];
    assert_eq!((change.class, field.class, computed.plan.summary.conflict), (Class::Conflict, FieldClass::Conflict, 1));
    let values = [&field.last, &field.live, &field.want].map(|value| value.clone().unwrap());
    assert_eq!(values, ["Service", "Management", "Storage"].map(Value::from));
    assert_eq!(live_role(&world), Some(Role::Storage));
}

#[test]
fn a_field_that_the_inventory_has_for_the_first_time_is_no_conflict_with_the_default_of_the_service() {
    let mut world = World::with(&role(None));
    assert_eq!(live_role(&world), Some(Role::Compute), "the default that a new component has");
    let wanted = role(Some("Service"));
    let plan = plan(&world, &wanted);
    let change = only(&plan.changes);
    assert_eq!((change.verb, change.class, plan.summary.conflict), (Verb::Update, Class::Intent, 0));
    let field = &change.fields[0];
    assert_eq!((field.class, &field.last, &field.live), (FieldClass::Intent, &None, &Some(json!("Compute"))));
    world.apply(&desire(&wanted), &options());
    assert_eq!(live_role(&world), Some(Role::Service));
}

#[test]
fn a_foreign_field_is_preserved() {
    let mut world = world(None, "Management");
    world.meddle(&component(), "class", json!("Hill"));
    let mut wanted = role(None);
    wanted.nodes[0].nid = crate::model::Nid(100);
    world.apply(&desire(&wanted), &options());
    let live = &world.live.boot.components[&node(1).xname];
    assert_eq!(
        (live.role, live.class, live.nid),
        (Some(Role::Management), "Hill".parse().ok(), Some(wanted.nodes[0].nid))
    );
    assert_eq!(live.state, "On".parse().ok());
}

#[test]
fn a_released_field_goes_back_to_what_a_new_object_has() {
    let mut first = role(Some("Service"));
    first.nodes[0].arch = Some("ARM".parse().unwrap());
    let mut world = World::with(&first);
    let computed = world.apply(&desire(&role(None)), &options());
    let classes: Vec<_> = only(&computed.plan.changes).fields.iter().map(|field| field.class).collect();
    assert_eq!(classes, [FieldClass::Released, FieldClass::Released]);
    let live = &world.live.boot.components[&node(1).xname];
    assert_eq!((live.role, live.arch), (Some(Role::Compute), None));
    assert!(!plan(&world, &role(None)).has_changes());
}

#[test]
fn a_released_field_that_somebody_else_changed_is_left() {
    let mut world = world(Some("Service"), "Storage");
    let computed = world.apply(&desire(&role(None)), &options());
    assert_eq!(only(&computed.plan.changes).fields[0].class, FieldClass::Left);
    assert!(computed.writes.is_empty());
    assert_eq!(live_role(&world), Some(Role::Storage));
    assert!(!plan(&world, &role(None)).has_changes());
}

#[test]
fn a_released_field_that_cannot_be_empty_is_left() {
    let mut world = World::with(&inventory(1));
    let key = component();
    let mut desired = desire(&inventory(1));
    desired.objects.get_mut(&key).unwrap().doc = r#"{"nid":1}"#.into();
    let computed = world.apply(&desired, &options());
    assert_eq!(only(&computed.plan.changes).fields[0].class, FieldClass::Left);
    assert!(world.live.boot.components[&node(1).xname].enabled);
}

#[test]
fn members_are_compared_one_by_one_and_those_of_others_stay() {
    let mut world = World::with(&inventory(3));
    let group = ObjectKey::new(Kind::Group, "compute");
    let [one, two, three] = [1, 2, 3].map(|number| node(number).xname.to_string());
    world.meddle(&group, "members", json!([one, two, "x9c0s0b0n0"]));
    let mut wanted = inventory(4);
    wanted.nodes[0].groups.clear();
    let computed = world.plan(&desire(&wanted), &options());
    let of_group = |changes: &[super::PlanChange]| {
        let change = changes.iter().find(|change| change.address == "group/compute").unwrap();
        (change.fields[0].added.clone(), change.fields[0].removed.clone())
    };
    assert_eq!(of_group(&computed.plan.changes), (vec![node(4).xname.to_string()], vec![one]));
    assert_eq!(of_group(&computed.plan.drift), (vec![three], vec![]));
    let unmanaged = &computed.plan.unmanaged[0];
    assert_eq!((unmanaged.group.as_deref(), &*unmanaged.ids[0]), (Some("compute"), "x9c0s0b0n0"));
    world.apply(&desire(&wanted), &options());
    let members: Vec<_> = world.live.boot.groups[&"compute".parse::<crate::model::GroupLabel>().unwrap()]
        .members
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(members, [two, node(3).xname.to_string(), node(4).xname.to_string(), "x9c0s0b0n0".to_owned()]);
}

#[test]
fn what_smd_adds_to_the_information_of_an_endpoint_is_no_difference() {
    let mut world = World::with(&inventory(1));
    let key = ObjectKey::component_endpoint(&node(1).xname);
    let mut info = world.live.object(&key).unwrap().fields()["info"].clone();
    info["SerialNumber"] = json!("42");
    info["EthernetNICInfo"][0]["Speed"] = json!(1000);
    world.meddle(&key, "info", info.clone());
    assert!(plan(&world, &inventory(1)).drift.is_empty());
    info["EthernetNICInfo"][0]["MACAddress"] = json!("00:00:00:00:00:01");
    world.meddle(&key, "info", info);
    assert_eq!(plan(&world, &inventory(1)).drift.len(), 1);
    world.apply(&desire(&inventory(1)), &options());
    let live = world.live.object(&key).unwrap().fields();
    assert_eq!(live["info"]["SerialNumber"], "42");
    assert_eq!(live["info"]["EthernetNICInfo"][0]["MACAddress"], "ec:e7:a7:05:00:02");
}

#[test]
fn a_ledger_that_cannot_be_read_counts_as_knowing_nothing() {
    let mut world = World::with(&inventory(1));
    world.ledger.entries.get_mut(&component()).unwrap().doc = "not json".into();
    let computed = world.apply(&desire(&inventory(1)), &options());
    assert!(computed.writes.is_empty());
    assert_eq!(computed.ledger.len(), 1);
    world.change(Change::Delete(component()));
    assert!(plan(&world, &inventory(1)).summary.writes == 1);
}
