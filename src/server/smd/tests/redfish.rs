//! Redfish endpoints: names, flags, power and the outlets of a power distribution unit.

use serde_json::{Value, json};

use super::Smd;

const ENDPOINTS: &str = "Inventory/RedfishEndpoints";

async fn with_endpoint(body: Value) -> Smd {
    let smd = Smd::new();
    let made = smd.send("POST", ENDPOINTS, body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    smd
}

#[tokio::test]
async fn of_one_endpoint_twice_in_a_list_the_first_counts_and_two_of_one_name_clash() {
    let smd = Smd::new();
    let twice = json!({"RedfishEndpoints": [
        {"ID": "x1c0s0b0", "Name": "first", "FQDN": "a.local"}, {"ID": "X1c0s0b0", "Name": "second", "FQDN": "b.local"}]});
    let made = smd.send("POST", ENDPOINTS, twice.clone()).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json().as_array().unwrap().len(), 2, "each that was sent is named: {}", made.text);
    assert_eq!(smd.get("Inventory/RedfishEndpoints/x1c0s0b0").await["Name"], "first");
    // The name of the one that was passed over is free.
    let free = json!({"ID": "x1c0s1b0", "FQDN": "b.local"});
    assert_eq!(smd.send("POST", ENDPOINTS, free).await.status, 201);
    assert_eq!(smd.send("POST", ENDPOINTS, twice).await.status, 409);
    let one_name = json!({"RedfishEndpoints": [{"ID": "x1c0s2b0", "FQDN": "c"}, {"ID": "x1c0s3b0", "FQDN": "c"}]});
    assert_eq!(smd.send("POST", ENDPOINTS, one_name).await.status, 409);
    assert_eq!(smd.store.snapshot().redfish_endpoints.len(), 2);
}

#[tokio::test]
async fn a_patch_keeps_the_names_it_does_not_set() {
    let smd = with_endpoint(json!({"ID": "x1c0s0b0", "FQDN": "bmc.local"})).await;
    let path = "Inventory/RedfishEndpoints/x1c0s0b0";
    for (patch, names) in [
        (json!({"User": "root"}), ["bmc", "local", "bmc.local"]),
        (json!({"Domain": "", "Name": "n"}), ["bmc", "local", "bmc.local"]),
        (json!({"FQDN": "other.local", "Hostname": "other"}), ["other", "local", "other.local"]),
        (json!({"FQDN": "third.site"}), ["third", "site", "third.site"]),
        (json!({"Hostname": "last"}), ["last", "site", "last.site"]),
        (json!({"Hostname": "10.0.0.1", "Domain": "", "FQDN": "10.0.0.1"}), ["10.0.0.1", "site", "10.0.0.1"]),
        (json!({"IPAddress": "10.0.0.2"}), ["10.0.0.2", "site", "10.0.0.2"]),
    ] {
        let shown = smd.send("PATCH", path, patch.clone()).await.json();
        assert_eq!(["Hostname", "Domain", "FQDN"].map(|key| shown[key].clone()), names, "{patch}: {shown}");
    }
}

#[tokio::test]
async fn a_patch_that_sets_nothing_changes_nothing() {
    let smd = with_endpoint(json!({"ID": "x1c0s0b0", "User": "root"})).await;
    let path = "Inventory/RedfishEndpoints/x1c0s0b0";
    assert_eq!(smd.send("PATCH", path, json!({"User": "root"})).await.json()["Hostname"], "");
    assert_eq!(smd.store.snapshot().revision, 1);
    assert_eq!(smd.send("PATCH", path, json!({"FQDN": "", "Name": "n"})).await.json()["Hostname"], "", "as before");
    let shown = smd.send("PATCH", path, json!({"UseSSDP": true})).await.json();
    assert_eq!((&shown["UseSSDP"], &shown["Hostname"]), (&json!(true), &json!("x1c0s0b0")), "follows from the FQDN");
}

#[tokio::test]
async fn what_is_behind_an_endpoint_is_in_use_when_the_endpoint_is() {
    let smd =
        with_endpoint(json!({"ID": "x1c0s0b0", "Enabled": false, "SchemaVersion": 1, "Systems": [{"uri": "/S/1"}]}))
            .await;
    let enabled = async || smd.get("Inventory/ComponentEndpoints/x1c0s0b0n0").await["Enabled"].clone();
    assert_eq!(enabled().await, false);
    smd.send("PATCH", "Inventory/RedfishEndpoints/x1c0s0b0", json!({"Enabled": true})).await;
    assert_eq!(enabled().await, true);
}

#[tokio::test]
async fn of_systems_with_one_uuid_the_one_that_tells_of_its_power_counts() {
    let smd = with_endpoint(json!({"ID": "x1c0s0b0", "SchemaVersion": 1, "Systems": [
        {"uri": "/S/1", "uuid": "u", "name": "a"},
        {"uri": "/S/2", "uuid": "u", "name": "b", "links": {"chassis": ["/C/1"]}, "power": {"power_control_ids": ["/P/0"]}},
    ]}))
    .await;
    let shown = smd.get("Inventory/ComponentEndpoints").await["ComponentEndpoints"].clone();
    assert_eq!(shown.as_array().unwrap().len(), 1);
    let info = &shown[0]["RedfishSystemInfo"];
    assert_eq!((&info["Name"], &info["PowerURL"]), (&json!("b"), &json!("/C/Power")));
    assert_eq!(info["PowerControl"][0]["RelatedItem"], json!([{"@odata.id": "/S/2"}, {"@odata.id": "/C/1"}]));
}

#[tokio::test]
async fn the_outlets_of_a_power_distribution_unit_become_components() {
    let smd = with_endpoint(json!({"ID": "x3000m0", "FQDN": "x3000m0", "PDUInventory": {"Outlets": [
        {"original_id": "AA1", "id_suffix": "p0v1", "name": "o1", "state": "On", "socket_type": "Cx"},
        {"original_id": "AA2", "id_suffix": "p0v2", "name": "o2", "state": "Off"},
    ]}}))
    .await;
    let wanted = json!({"Components": [
        {"ID": "x3000m0", "Type": "CabinetPDUController", "State": "On", "Enabled": true},
        {"ID": "x3000m0p0v1", "Type": "CabinetPDUPowerConnector", "State": "On", "Enabled": true},
        {"ID": "x3000m0p0v2", "Type": "CabinetPDUPowerConnector", "State": "Off", "Enabled": false},
    ]});
    assert_eq!(smd.get("State/Components").await, wanted);
    let outlet = smd.get("Inventory/ComponentEndpoints/x3000m0p0v1").await;
    assert_eq!(outlet["ComponentEndpointType"], "ComponentEndpointOutlet");
    assert_eq!(outlet["RedfishURL"], "x3000m0/jaws/monitor/outlets/AA1");
    assert_eq!(outlet["RedfishOutletInfo"]["Actions"]["#Outlet.PowerControl"]["target"], "/jaws/control/outlets/AA1");
    let unit = smd.get("Inventory/ComponentEndpoints/x3000m0").await;
    assert_eq!((&unit["RedfishManagerInfo"], &unit["OdataID"]), (&json!({"Name": "JAWS"}), &json!("/jaws")));
}

#[tokio::test]
async fn a_unit_with_an_outlet_that_cannot_be_is_refused_and_one_without_outlets_is_an_endpoint() {
    let smd = with_endpoint(json!({"ID": "x3000m1", "PDUInventory": {"Outlets": []}})).await;
    for wrong in [
        json!({"PDUInventory": {"Outlets": [{"id_suffix": "zz"}]}}),
        json!({"PDUInventory": {"Outlets": [{"id_suffix": ""}]}}),
        json!({"PDUInventory": {"Outlets": [{"id_suffix": "p0v1", "state": "Odd"}]}}),
        json!({"PDUInventory": {"Outlets": [{"id_suffix": "p0v1"}]}, "Systems": [{}], "SchemaVersion": 1}),
        json!({"PDUInventory": {"Outlets": 1}}),
    ] {
        let mut body = wrong.clone();
        body["ID"] = "x3000m0".into();
        assert_eq!(smd.send("POST", ENDPOINTS, body).await.status, 400, "{wrong}");
    }
    let list = json!({"RedfishEndpoints": [{"ID": "x3000m0"}], "PDUInventory": {}});
    assert_eq!(smd.send("POST", ENDPOINTS, list).await.status, 400);
    assert_eq!(smd.store.snapshot().revision, 1);
    assert!(smd.store.snapshot().boot.components.is_empty());
}

#[tokio::test]
async fn what_is_taken_and_not_kept_has_to_be_a_text() {
    let smd = Smd::new();
    let path = "Inventory/RedfishEndpoints/x1c0s0b0";
    for key in ["Type", "Password", "TemplateID"] {
        for (method, path) in [("POST", ENDPOINTS), ("PUT", path), ("PATCH", path)] {
            let answer = smd.send(method, path, json!({"ID": "x1c0s0b0", "User": "root", key: 7})).await;
            assert_eq!(answer.status, 400, "{method} {key}: {}", answer.text);
        }
    }
    let given = json!({"ID": "x1c0s0b0", "Type": "Node", "password": "secret", "TemplateID": "t"});
    assert_eq!(smd.send("POST", ENDPOINTS, given).await.status, 201);
    let shown = smd.get(path).await;
    assert_eq!((&shown["Type"], &shown["Password"], shown.get("TemplateID")), (&json!("NodeBMC"), &json!(""), None));
}
