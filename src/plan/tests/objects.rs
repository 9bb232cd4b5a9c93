//! The table of objects, row by row.

use serde_json::json;

use super::super::document::{Class, Effect, Verb};
use super::{Action, World, only, options, plan};
use crate::desired::samples::{boot, desire, inventory, node};
use crate::inventory::Adopt;
use crate::model::{Kind, Object, ObjectKey};
use crate::snapshot::Change;

#[test]
fn everything_is_created_in_writing_order_with_what_smd_fills_in() {
    let mut world = World::default();
    let computed = world.apply(&desire(&inventory(1)), &options());
    let kinds: Vec<Kind> = computed.writes.iter().map(|write| write.key.kind).collect();
    assert!(kinds.is_sorted(), "{kinds:?}");
    assert_eq!(computed.plan.summary.create, 4, "a node, a group and two entries");
    let text = |key: ObjectKey| world.live.object(&key).unwrap().to_json();
    insta::assert_snapshot!(text(ObjectKey::component(&node(1).xname)), @r#"{"id":"x1000c0s0b1n0","state":"On","flag":"OK","enabled":true,"role":"Compute","nid":1}"#);
    insta::assert_snapshot!(text(ObjectKey::new(Kind::Component, "x1000c0s0b1")), @r#"{"id":"x1000c0s0b1","enabled":true}"#);
    insta::assert_snapshot!(text(ObjectKey::new(Kind::RedfishEndpoint, "x1000c0s0b1")), @r#"{"id":"x1000c0s0b1","name":"nid001","fqdn":"x1000c0s0b1","enabled":true,"uuid":"be9b92f9-f534-5a1f-acc8-acedd24e94cc","mac":"00:00:5e:00:00:02","ip":"172.17.0.2"}"#);
    insta::assert_snapshot!(text(ObjectKey::component_endpoint(&node(1).xname)), @r#"{"id":"x1000c0s0b1n0","redfish_type":"ComputerSystem","uuid":"8f7aeeaa-0cf5-5134-8be3-8098fae97d12","odata_id":"/redfish/v1/Systems/x1000c0s0b1n0","redfish_endpoint_id":"x1000c0s0b1","redfish_endpoint_fqdn":"x1000c0s0b1","redfish_url":"x1000c0s0b1/redfish/v1/Systems/x1000c0s0b1n0","enabled":true,"info":{"EthernetNICInfo":[{"@odata.id":"","Description":"Interface 0 for nid001","InterfaceEnabled":true,"MACAddress":"ec:e7:a7:05:00:02","RedfishId":""}],"Name":"nid001"}}"#);
    insta::assert_snapshot!(text(ObjectKey::new(Kind::ComponentEndpoint, "x1000c0s0b1")), @r#"{"id":"x1000c0s0b1","redfish_type":"Manager","odata_id":"/redfish/v1/Managers/x1000c0s0b1","redfish_endpoint_id":"x1000c0s0b1","redfish_endpoint_fqdn":"x1000c0s0b1","redfish_url":"x1000c0s0b1/redfish/v1/Managers/x1000c0s0b1","enabled":true,"info":{"EthernetNICInfo":[{"@odata.id":"","Description":"Interface for BMC x1000c0s0b1","Hostname":"x1000c0s0b1","InterfaceEnabled":false,"MACAddress":"00:00:5e:00:00:02","PermanentMACAddress":"00:00:5e:00:00:02","RedfishId":""}],"Name":"x1000c0s0b1"}}"#);
    insta::assert_snapshot!(text(ObjectKey::new(Kind::EthernetInterface, "ec:e7:a7:05:00:02")), @r#"{"mac":"ec:e7:a7:05:00:02","description":"Interface 0 for nid001","last_update":1795385157000000,"component_id":"x1000c0s0b1n0","ip_addresses":[{"ip":"172.16.0.2","network":"mgmt"}]}"#);
    insta::assert_snapshot!(text(ObjectKey::new(Kind::Group, "compute")), @r#"{"label":"compute","description":"The compute group","members":["x1000c0s0b1n0"]}"#);
    let change = &computed.plan.changes[0];
    assert_eq!((change.verb, &*change.reason, &*change.name), (Verb::Create, "new", "nid001"));
    let told: Vec<String> = change.fields.iter().map(|f| format!("{} {}", f.path, f.want.as_ref().unwrap())).collect();
    assert_eq!(told[..3], [r#"/mac "ec:e7:a7:05:00:02""#, r#"/ip "172.16.0.2""#, "/nid 1"]);
    assert_eq!(change.ops, ["o1", "o2", "o3", "o4", "o5", "o6", "o7", "o11"]);
    assert_eq!(change.live_fingerprint, None);
    assert!(change.after_fingerprint.is_some());
}

#[test]
fn a_domain_name_of_a_controller_is_split_as_smd_does() {
    let mut inventory = inventory(1);
    inventory.nodes[0].bmc.as_mut().unwrap().fqdn = Some("bmc1.mgmt.example".into());
    let world = World::with(&inventory);
    let endpoint = &world.live.redfish_endpoints[&"x1000c0s0b1".parse::<crate::model::Xname>().unwrap()];
    assert_eq!((endpoint.hostname.as_str(), endpoint.domain.as_str()), ("bmc1", "mgmt.example"));
}

#[test]
fn an_object_deleted_outside_is_made_again_and_told_as_drift() {
    let mut world = World::with(&inventory(2));
    let key = ObjectKey::component(&node(1).xname);
    world.change(Change::Delete(key.clone()));
    let plan = plan(&world, &inventory(2));
    assert!(plan.changes.is_empty());
    assert_eq!((only(&plan.drift).verb, plan.ops[0].action), (Verb::Recreate, Action::Create));
    let mut report = options();
    report.correct_drift = false;
    assert_eq!(world.plan(&desire(&inventory(2)), &report).writes.len(), 0);
    // With a change of the inventory it is no longer drift but intent.
    let mut wanted = inventory(2);
    wanted.nodes[0].nid = crate::model::Nid(99);
    let computed = world.plan(&desire(&wanted), &report);
    let node = computed.plan.changes.iter().find(|change| change.name == "nid001".into()).unwrap();
    assert_eq!((node.verb, &*node.reason), (Verb::Recreate, "deleted_outside"));
}

#[test]
fn an_equal_object_is_adopted_without_a_write() {
    let mut world = World::with(&inventory(1));
    world.ledger = Default::default();
    let computed = world.apply(&desire(&inventory(1)), &options());
    assert!(computed.writes.is_empty());
    assert_eq!(computed.ledger.len(), 11);
    assert!(computed.plan.changes.iter().all(|change| change.verb == Verb::Adopt && change.effect == Effect::None));
    assert_eq!(computed.plan.summary.adopt, 4, "as many as are created where there is nothing");
    assert!(!plan(&world, &inventory(1)).has_changes());
}

#[test]
fn a_differing_object_is_refused_unless_adoption_is_asked_for() {
    let mut world = World::with(&inventory(1));
    world.ledger = Default::default();
    world.meddle(&ObjectKey::component(&node(1).xname), "nid", json!(77));
    let computed = world.plan(&desire(&inventory(1)), &options());
    let change = computed.plan.changes.iter().find(|change| change.refused).unwrap();
    assert_eq!((change.verb, change.class), (Verb::AdoptAndChange, Class::Adopt));
    assert!(computed.writes.is_empty() && !computed.plan.safety.ok);
    let mut always = options();
    always.adopt = Some(Adopt::Always);
    let computed = world.apply(&desire(&inventory(1)), &always);
    assert!(computed.plan.safety.ok);
    assert_eq!(computed.writes.len(), 1);
    assert_eq!(world.live.boot.components[&node(1).xname].nid, Some(node(1).nid));
}

#[test]
fn nothing_is_adopted_when_adoption_is_off() {
    let mut world = World::with(&inventory(1));
    world.ledger = Default::default();
    let mut never = options();
    never.adopt = Some(Adopt::Never);
    let computed = world.plan(&desire(&inventory(1)), &never);
    assert!(computed.ledger.is_empty() && !computed.plan.safety.ok);
}

#[test]
fn a_node_that_left_the_inventory_is_deleted_last_things_first() {
    let mut world = World::with(&inventory(2));
    let computed = world.apply(&desire(&inventory(1)), &options());
    let deleted: Vec<Kind> =
        computed.writes.iter().filter(|w| w.action == Action::Delete).map(|write| write.key.kind).collect();
    assert_eq!(deleted[0], Kind::BootParams);
    assert!(deleted.is_sorted_by(|a, b| a >= b), "{deleted:?}");
    assert_eq!(computed.writes[0].key.kind, Kind::Group, "the group lets the member go first");
    let change = computed.plan.changes.iter().find(|change| change.verb == Verb::Delete).unwrap();
    assert_eq!((&*change.name, &*change.reason, change.class), ("nid002", "removed", Class::Prune));
    assert_eq!(change.origin.as_ref().unwrap().line, 17);
    assert_eq!(change.fields[0].last, Some(json!(["compute"])));
    assert_eq!(world.live.boot.components.len(), 2);
    assert_eq!(world.ledger.entries.len(), 11);
}

#[test]
fn with_pruning_off_nothing_is_deleted_and_what_is_kept_is_told() {
    let mut world = World::with(&inventory(2));
    let mut options = options();
    options.prune = Some(false);
    let computed = world.apply(&desire(&inventory(1)), &options);
    assert!(computed.writes.iter().all(|write| write.action != Action::Delete));
    assert_eq!(computed.plan.kept[0].names, ["nid002".into()]);
    assert!(world.ledger.entries.contains_key(&ObjectKey::component(&node(2).xname)));
}

#[test]
fn what_is_gone_everywhere_is_forgotten() {
    let mut world = World::with(&inventory(2));
    let gone: Vec<ObjectKey> =
        world.ledger.entries.keys().filter(|key| key.id.starts_with("x1000c0s0b2")).cloned().collect();
    for key in gone {
        world.change(Change::Delete(key));
    }
    let mut wanted = inventory(2);
    wanted.nodes.truncate(1);
    let computed = world.apply(&desire(&wanted), &options());
    assert_eq!(computed.plan.summary.forgotten, 5);
    assert!(!plan(&world, &wanted).has_changes());
}

#[test]
fn what_is_not_ours_is_counted_and_never_touched() {
    let mut world = World::with(&inventory(1));
    let foreign = crate::model::Component::bare("x1000c0s9b0n0".parse().unwrap());
    world.change(Change::Put(Object::Component(foreign.into())));
    let computed = world.plan(&desire(&inventory(1)), &options());
    assert!(computed.writes.is_empty() && computed.ledger.is_empty());
    assert_eq!(computed.plan.unmanaged[0].ids, ["x1000c0s9b0n0".into()]);
    assert_eq!(computed.plan.summary.unmanaged, 1);
    assert!(!computed.plan.has_changes());
}

#[test]
fn another_network_card_is_a_replacement_and_its_boot_entry_moves_along() {
    let mut world = World::with(&inventory(2));
    let mut wanted = inventory(2);
    wanted.nodes[0].interfaces[0].mac = "ec:e7:a7:05:aa:ff".parse().unwrap();
    let computed = world.apply(&desire(&wanted), &options());
    let change = only(&computed.plan.changes);
    assert_eq!((change.verb, &*change.reason), (Verb::Replace, "key_changed"));
    assert_eq!(change.fields[0].path, "/mac");
    assert_eq!((change.replace_paths.as_slice(), change.disruptive), (["/mac".to_owned()].as_slice(), true));
    assert_eq!(change.fields[0].last, Some(json!("ec:e7:a7:05:00:02")));
    assert_eq!(change.fields[0].want, Some(json!("ec:e7:a7:05:aa:ff")));
    let boots: Vec<_> = world.live.boot.boot_params.keys().map(ToString::to_string).collect();
    assert_eq!(boots, ["mac:ec:e7:a7:05:00:03", "mac:ec:e7:a7:05:aa:ff"]);
    let endpoint = &world.live.boot.component_endpoints[&node(1).xname];
    assert_eq!(endpoint.info.tree()["EthernetNICInfo"][0]["MACAddress"], "ec:e7:a7:05:aa:ff");
    assert_eq!(computed.plan.summary.replace, 1);
}

#[test]
fn another_network_card_and_another_kernel_are_two_lines() {
    let world = World::with(&inventory(1));
    let mut wanted = inventory(1);
    wanted.nodes[0].interfaces[0].mac = "ec:e7:a7:05:aa:ff".parse().unwrap();
    wanted.nodes[0].boot = Some(boot("6.6"));
    let plan = plan(&world, &wanted);
    let verbs: Vec<_> = plan.changes.iter().map(|change| (change.address.as_str(), change.verb)).collect();
    assert_eq!(verbs, [("node/x1000c0s0b1n0", Verb::Replace), ("boot/x1000c0s0b1n0", Verb::Update)]);
    assert!(plan.changes[1].fields.iter().any(|field| field.path == "/boot/kernel"));
}

#[test]
fn another_name_of_the_same_node_is_a_rename_in_place() {
    let mut world = World::with(&inventory(1));
    let mut wanted = inventory(1);
    wanted.nodes[0].name = "login1".into();
    let computed = world.apply(&desire(&wanted), &options());
    let change = only(&computed.plan.changes);
    assert_eq!((change.verb, &*change.name), (Verb::Rename, "login1"));
    assert_eq!(change.fields[0].last, Some(json!("nid001")));
    assert!(computed.writes.iter().all(|write| write.action == Action::Update));
    assert!(!plan(&world, &wanted).has_changes());
}

#[test]
fn another_kernel_is_a_change_of_every_node_at_its_next_boot() {
    let world = World::with(&inventory(3));
    let mut wanted = inventory(3);
    for node in &mut wanted.nodes {
        node.boot = Some(boot("6.6"));
    }
    let plan = plan(&world, &wanted);
    assert_eq!((plan.changes.len(), plan.summary.update, plan.summary.writes), (3, 3, 3));
    assert!(plan.changes.iter().all(|change| change.effect == Effect::NextBoot));
    assert_eq!(plan.changes[0].origin.as_ref().unwrap().file, "cluster.yaml".into());
}

#[test]
fn an_object_whose_fields_are_not_of_its_kind_refuses_the_plan() {
    let mut desired = desire(&inventory(1));
    let key = ObjectKey::component(&node(1).xname);
    for doc in ["7", r#"{"enabled":"maybe"}"#, r#"{"nid":-1,"enabled":true}"#] {
        desired.objects.get_mut(&key).unwrap().doc = doc.into();
        for world in [World::default(), World::with(&inventory(1))] {
            let computed = world.plan(&desired, &options());
            assert!(computed.plan.refusal().unwrap().contains("object.unreadable"), "{doc}");
            assert!(computed.writes.iter().all(|write| write.key != key), "{doc}");
        }
    }
}

#[test]
fn writes_of_one_node_wait_for_each_other() {
    let plan = plan(&World::default(), &inventory(2));
    let boot = plan.ops.iter().find(|op| op.object == "boot-params/mac:ec:e7:a7:05:00:03").unwrap();
    assert_eq!((&*boot.service, boot.path.as_str()), ("bss", "/bootparameters?mac=ec:e7:a7:05:00:03"));
    let before = plan.ops.iter().find(|op| op.id == boot.after[0]).unwrap();
    assert_eq!(before.object, "ethernet-interface/ec:e7:a7:05:00:03");
    assert_eq!(before.path, "/Inventory/EthernetInterfaces/ece7a7050003");
}
