//! What an inventory comes to, object by object.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::{Value, json};

use super::samples::{boot, desire, entry, inventory, node, origin};
use super::{Desired, desired};
use crate::inventory::{Inventory, Lines, Origin, Said, Script};
use crate::model::kind::CLUSTER;
use crate::model::{ClusterDefaults, Kind, Nid, ObjectKey};

fn doc(desired: &Desired, kind: Kind, id: &str) -> Value {
    let object = desired.objects.get(&ObjectKey::new(kind, id)).unwrap_or_else(|| panic!("no {kind}/{id}"));
    serde_json::from_str(&object.doc).unwrap()
}

fn one_node() -> Inventory {
    inventory(1)
}

#[test]
fn the_sites_script_for_machines_with_nothing_to_boot_becomes_boot_parameters_of_a_host_of_its_own() {
    let origin = Origin { file: "templates/unknown.j2".into(), line: 1, end_line: 2 };
    let script = Script { template: "unknown".into(), text: "#!ipxe\nreboot\n".into(), origin: origin.clone() };
    let desired = desire(&Inventory { unknown_script: Some(script), ..one_node() });
    let expected =
        json!({"initrd": "", "kernel": "", "params": "", "script": "#!ipxe\nreboot\n", "template": "unknown"});
    assert_eq!(doc(&desired, Kind::BootParams, "host:Unknown"), expected);
    let object = &desired.objects[&ObjectKey::new(Kind::BootParams, "host:Unknown")];
    assert_eq!((&object.owner, &object.origin), (&None, &origin));
}

#[test]
fn a_node_becomes_what_the_populate_step_writes() {
    let desired = desire(&one_node());
    assert_eq!(doc(&desired, Kind::Component, "x1000c0s0b1n0"), json!({"enabled": true, "nid": 1}));
    assert_eq!(doc(&desired, Kind::Component, "x1000c0s0b1"), json!({"enabled": true}));
    let endpoint = doc(&desired, Kind::RedfishEndpoint, "x1000c0s0b1");
    assert_eq!(endpoint["name"], "nid001");
    assert_eq!(endpoint["fqdn"], "x1000c0s0b1");
    assert_eq!(endpoint["mac"], "00:00:5e:00:00:02");
    assert_eq!(endpoint["ip"], "172.17.0.2");
    let system = doc(&desired, Kind::ComponentEndpoint, "x1000c0s0b1n0");
    assert_eq!(system["redfish_type"], "ComputerSystem");
    assert_eq!(system["odata_id"], "/redfish/v1/Systems/x1000c0s0b1n0");
    assert_eq!(system["redfish_url"], "x1000c0s0b1/redfish/v1/Systems/x1000c0s0b1n0");
    assert_eq!(system["redfish_endpoint_id"], "x1000c0s0b1");
    let manager = doc(&desired, Kind::ComponentEndpoint, "x1000c0s0b1");
    assert_eq!(manager["redfish_type"], "Manager");
    assert_eq!(manager.get("uuid"), None);
    assert_eq!(
        doc(&desired, Kind::EthernetInterface, "ec:e7:a7:05:00:02"),
        json!({
            "component_id": "x1000c0s0b1n0",
            "description": "Interface 0 for nid001",
            "ip_addresses": [{"ip": "172.16.0.2", "network": "mgmt"}],
        })
    );
    assert_eq!(
        doc(&desired, Kind::EthernetInterface, "00:00:5e:00:00:02")["description"],
        "Interface for BMC x1000c0s0b1"
    );
    assert_eq!(
        doc(&desired, Kind::Group, "compute"),
        json!({"description": "The compute group", "members": ["x1000c0s0b1n0"]})
    );
    assert_eq!(
        doc(&desired, Kind::BootParams, "mac:ec:e7:a7:05:00:02")["kernel"],
        "http://172.16.0.254/boot/vmlinuz-6.1"
    );
    assert_eq!(doc(&desired, Kind::CloudInit, "compute")["metadata"], json!({"instance-id": "ochami-compute"}));
    assert_eq!(desired.objects.len(), 11);
    assert_eq!((desired.counts.nodes, desired.counts.groups, desired.counts.files), (1, 1, 4));
}

#[test]
fn every_document_has_sorted_keys() {
    for (key, object) in desire(&one_node()).objects {
        let tree: Value = serde_json::from_str(&object.doc).unwrap();
        assert_eq!(tree.to_string(), *object.doc, "{key}");
    }
}

#[test]
fn role_arch_and_class_are_owned_only_when_the_inventory_sets_them() {
    let mut inventory = one_node();
    inventory.nodes[0].role = Some("service".parse().unwrap());
    inventory.nodes[0].sub_role = Some("worker".parse().unwrap());
    inventory.nodes[0].arch = Some("arm".parse().unwrap());
    inventory.nodes[0].class = Some("river".parse().unwrap());
    assert_eq!(
        doc(&desire(&inventory), Kind::Component, "x1000c0s0b1n0"),
        json!({"arch": "ARM", "class": "River", "enabled": true, "nid": 1, "role": "Service", "sub_role": "Worker"})
    );
}

#[test]
fn two_nodes_that_share_a_controller_give_one_named_after_the_lesser_nid() {
    let mut inventory = inventory(2);
    let shared = inventory.nodes[0].bmc.clone();
    inventory.nodes[0].nid = Nid(7);
    inventory.nodes[1].xname = "x1000c0s0b1n1".parse().unwrap();
    inventory.nodes[1].bmc = shared;
    let endpoints = |inventory: &Inventory| {
        let desired = desire(inventory);
        let endpoints = desired.objects.iter().filter(|(key, _)| key.kind == Kind::RedfishEndpoint);
        endpoints.map(|(key, object)| (key.id.to_string(), object.name.to_string())).collect::<Vec<_>>()
    };
    assert_eq!(endpoints(&inventory), [("x1000c0s0b1".to_owned(), "nid002".to_owned())]);
    inventory.nodes[0].nid = Nid(1);
    assert_eq!(endpoints(&inventory), [("x1000c0s0b1".to_owned(), "nid001".to_owned())]);
}

#[test]
fn a_node_without_controller_interface_or_profile_is_a_component_only() {
    let mut inventory = one_node();
    inventory.nodes[0].bmc = None;
    inventory.nodes[0].interfaces.clear();
    inventory.nodes[0].groups.clear();
    inventory.cloud_init.clear();
    inventory.cloud_init_secure.clear();
    let keys: Vec<_> = desire(&inventory).objects.into_keys().map(|key| key.to_string()).collect();
    assert_eq!(keys, ["component/x1000c0s0b1n0"]);
}

#[test]
fn nodes_that_boot_the_same_share_one_document() {
    let mut inventory = inventory(2);
    inventory.nodes[0].boot = Some(boot("6.6"));
    inventory.nodes[1].boot = Some(boot("6.6"));
    let desired = desire(&inventory);
    let docs: Vec<_> = desired.objects.iter().filter(|(key, _)| key.kind == Kind::BootParams).collect();
    assert!(Arc::ptr_eq(&docs[0].1.doc, &docs[1].1.doc));
}

#[test]
fn an_entry_that_is_named_after_a_node_is_stored_under_its_xname() {
    let mut inventory = one_node();
    let mut own = entry("nid001", json!({"hostname": "login"}));
    own.node = Some(node(1).xname);
    inventory.cloud_init.push(own);
    let desired = desire(&inventory);
    let object = &desired.objects[&ObjectKey::new(Kind::CloudInit, "x1000c0s0b1n0")];
    assert_eq!(&*object.name, "nid001");
    assert_eq!(object.owner.as_deref(), Some("x1000c0s0b1n0"));
}

#[test]
fn only_references_of_secure_entries_are_resolved() {
    let mut inventory = one_node();
    inventory.cloud_init[0].userdata = json!({"password": {"$secret": {"file": "open"}}});
    let asked = RefCell::new(Vec::new());
    let desired = desired(&inventory, &|reference| {
        asked.borrow_mut().push(reference.clone());
        Ok(json!("c2VjcmV0"))
    });
    assert_eq!(*asked.borrow(), [json!({"$secret": {"file": "munge.key"}})]);
    let secure = doc(&desired, Kind::CloudInitSecure, "compute");
    assert_eq!(secure["userdata"]["write_files"][0]["content"], "c2VjcmV0");
    assert!(!format!("{desired:?}").contains("c2VjcmV0"), "the secret shows in the debug form");
}

#[test]
fn an_entry_whose_secret_is_missing_is_unresolved_and_no_object() {
    let desired = desired(&one_node(), &|_| Err("there is no `munge.key`".to_owned()));
    let key = ObjectKey::new(Kind::CloudInitSecure, "compute");
    assert!(!desired.objects.contains_key(&key));
    assert_eq!(desired.unresolved.len(), 1);
    assert_eq!(desired.unresolved[0].key, key);
    assert_eq!(desired.unresolved[0].reason, "there is no `munge.key`");
    assert_eq!(desired.unresolved[0].secret, "munge.key");
    let waiting: Value = serde_json::from_str(&desired.waiting[&key].doc).unwrap();
    assert_eq!(waiting["userdata"]["write_files"][0]["content"], json!({"$secret": {"file": "munge.key"}}));
}

#[test]
fn every_secret_that_an_entry_lacks_is_named_and_those_that_it_has_are_put_in() {
    let mut inventory = one_node();
    let reference = |name: &str| json!({"$secret": {"env": name}});
    inventory.cloud_init_secure[0].userdata = json!({"a": reference("OCHAMI_SECRET_A"), "b": [reference("OCHAMI_SECRET_B")], "c": reference("OCHAMI_SECRET_C")});
    let desired = desired(&inventory, &|reference| match reference["$secret"]["env"].as_str() {
        Some("OCHAMI_SECRET_C") => Ok(json!("known")),
        _ => Err("it is not set".to_owned()),
    });
    let secrets: Vec<&str> = desired.unresolved.iter().map(|missing| missing.secret.as_str()).collect();
    assert_eq!(secrets, ["OCHAMI_SECRET_A", "OCHAMI_SECRET_B"]);
    let waiting: Value = serde_json::from_str(&desired.waiting.values().next().unwrap().doc).unwrap();
    assert_eq!(waiting["userdata"]["c"], "known");
    let back: Desired = serde_json::from_str(&serde_json::to_string(&desired).unwrap()).unwrap();
    assert_eq!(back.waiting, desired.waiting);
}

#[test]
fn the_order_of_nodes_does_not_matter_and_the_result_survives_its_json() {
    let mut shuffled = inventory(9);
    shuffled.nodes.reverse();
    let straight = serde_json::to_string(&desire(&inventory(9))).unwrap();
    let back: Desired = serde_json::from_str(&straight).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), straight);
    let mut shuffled = desire(&shuffled);
    // The group is caused by the first line that names it, which another order of lines changes.
    let group = ObjectKey::new(Kind::Group, "compute");
    shuffled.objects.get_mut(&group).unwrap().origin = back.objects[&group].origin.clone();
    assert_eq!(serde_json::to_string(&shuffled).unwrap(), straight);
}

#[test]
fn todays_form_of_cloud_init_owns_what_its_files_give() {
    let mut inventory = one_node();
    let said = |value| Said { value, lines: Lines::default(), origin: origin("cloud-init/defaults.yaml", 1) };
    inventory.cloud_init_defaults =
        Some(said(ClusterDefaults { region: "west".into(), nid_length: 3, ..ClusterDefaults::default() }));
    let info = json!({"id": "x1000c0s0b1n0", "local_hostname": "first"});
    let value = serde_json::from_value(info).unwrap();
    let place = origin("cloud-init/instances/first.yaml", 1);
    inventory.cloud_init_instances = vec![Said { value, lines: Lines::default(), origin: place }];
    let desired = desire(&inventory);
    assert_eq!(doc(&desired, Kind::ClusterDefaults, CLUSTER), json!({"nid_length": 3, "region": "west"}));
    assert_eq!(doc(&desired, Kind::InstanceInfo, "x1000c0s0b1n0"), json!({"local_hostname": "first"}));
    let instance = &desired.objects[&ObjectKey::new(Kind::InstanceInfo, "x1000c0s0b1n0")];
    assert_eq!((instance.owner.as_deref(), &*instance.name), (Some("x1000c0s0b1n0"), "nid001"));
    assert_eq!(desired.counts.files, desire(&one_node()).counts.files + 2);
}

#[test]
fn uuids_are_the_same_in_every_run_and_differ_between_kinds() {
    let first = desire(&one_node());
    let endpoint = doc(&first, Kind::RedfishEndpoint, "x1000c0s0b1")["uuid"].clone();
    let system = doc(&first, Kind::ComponentEndpoint, "x1000c0s0b1n0")["uuid"].clone();
    assert_ne!(endpoint, system);
    assert_eq!(endpoint, doc(&desire(&one_node()), Kind::RedfishEndpoint, "x1000c0s0b1")["uuid"]);
    assert_eq!(endpoint, "be9b92f9-f534-5a1f-acc8-acedd24e94cc", "every installed ledger depends on this value");
}
