//! What writes do, and what reads then show: the rules that no recording pins.

use serde_json::{Value, json};

use super::Smd;

#[tokio::test]
async fn one_wrong_component_refuses_the_whole_request_whatever_its_size() {
    let smd = Smd::new();
    let mut nodes: Vec<_> = (0..6000).map(|n| json!({"ID": format!("x1c0s{n}b0n0"), "State": "On"})).collect();
    nodes.push(json!({"ID": "x1c0s0b1n0", "State": "Odd"}));
    let answer = smd.send("POST", "State/Components", json!({"Components": nodes})).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("state 'Odd' is invalid"), "{}", answer.text);
    assert_eq!(smd.store.snapshot().revision, 0);
    nodes.pop();
    assert_eq!(smd.send("POST", "State/Components", json!({"Components": nodes})).await.status, 204);
    assert_eq!(smd.store.snapshot().boot.components.len(), 6000);
    assert_eq!(smd.store.snapshot().revision, 1);
}

#[tokio::test]
async fn component_filters_combine() {
    let smd = Smd::with_nodes().await;
    smd.send("PATCH", "State/Components/x1c0s0b0n1/Role", json!({"Role": "Service", "SubRole": "Master"})).await;
    smd.send("PATCH", "State/Components/x1c0s0b0n3/NID", json!({"NID": -1})).await;
    smd.send("POST", "groups", json!({"label": "g", "members": {"ids": ["x1c0s0b0n0", "x1c0s0b0n1"]}})).await;
    for (query, ids) in [
        ("role=!service", &["n0", "n2", "n3"][..]),
        ("role=!service&role=!compute", &[]),
        ("subrole=", &["n0", "n2", "n3"]),
        ("nid=1&nid=3", &["n0", "n2"]),
        ("nid=!1", &["n1", "n2", "n3"]),
        ("nid=", &["n3"]),
        ("nid_start=2", &["n1", "n2"]),
        ("nid_end=2", &["n0", "n1"]),
        ("nid_start=1&nid_end=1&nid_start=3&nid_end=9", &["n0", "n2"]),
        ("nid_start=3&nid_end=3&nid=1", &["n0", "n2"]),
        ("nid_end=", &[]),
        ("nid_start=", &["n0", "n1", "n2", "n3"]),
        ("nid_start=&nid_end=1", &["n0", "n3"]),
        ("id=x1c0s0b0n2&id=X1C0S0B0N00&id=x9", &["n0", "n2"]),
        ("id=!x1c0s0b0n2&id=x1c0s0b0n2", &[]),
        ("group=g&role=Compute", &["n0"]),
        ("group=NULL", &["n2", "n3"]),
        ("partition=p1", &[]),
        ("partition=NULL", &["n0", "n1", "n2", "n3"]),
        ("type=!node", &[]),
        ("enabled=1&locked=false", &["n0", "n1", "n2", "n3"]),
    ] {
        assert_eq!(smd.ids(query).await, ids, "{query}");
    }
    for query in [
        "type=Bogus",
        "id=foo",
        "nid=x",
        "nid=-1",
        "nid=99999999999999999999",
        "nid=!1&nid_start=1",
        "nid_start=x",
        "nid_end=!1",
        "state=",
        "subtype=a-b",
        "group=a%20b",
        "locked=maybe",
    ] {
        assert_eq!(smd.ask("GET", &format!("State/Components?{query}"), "").await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn members_are_set_all_or_none() {
    let smd = Smd::with_nodes().await;
    smd.send("POST", "groups", json!({"label": "g", "members": {"ids": ["x1c0s0b0n0"]}})).await;
    let answer = smd.send("PUT", "groups/g/members", json!({"ids": ["x1c0s0b0n1", "x9c0s0b0n0"]})).await;
    assert_eq!(answer.status, 400);
    assert_eq!(smd.get("groups/g/members").await, json!({"ids": ["x1c0s0b0n0"]}));
    let exclusive = json!({"label": "e1", "exclusiveGroup": "e", "members": {"ids": ["x1c0s0b0n2"]}});
    smd.send("POST", "groups", exclusive).await;
    smd.send("POST", "groups", json!({"label": "e2", "exclusiveGroup": "e"})).await;
    assert_eq!(smd.send("PUT", "groups/e2/members", json!({"ids": ["x1c0s0b0n2"]})).await.status, 409);
    assert_eq!(smd.send("POST", "groups/e2/members", json!({"id": "x1c0s0b0n2"})).await.status, 409);
    assert_eq!(smd.ask("DELETE", "State/Components/x1c0s0b0n2", "").await.status, 200);
    assert_eq!(smd.get("groups/e1/members").await, json!({"ids": []}));
}

#[tokio::test]
async fn a_patch_that_changes_nothing_keeps_the_time_of_the_last_change() {
    let smd = Smd::new();
    let interface = json!({"MACAddress": "02:00:00:00:00:01", "Description": "d", "ComponentID": "x1c0s0b0n0"});
    assert_eq!(smd.send("POST", "Inventory/EthernetInterfaces", interface).await.status, 201);
    let path = "Inventory/EthernetInterfaces/020000000001";
    let before = smd.get(path).await;
    let answer = smd.send("PATCH", path, json!({"Description": "d"})).await;
    assert_eq!((answer.json(), smd.store.snapshot().revision), (before, 1));
    let answer = smd.send("PATCH", path, json!({"ComponentID": "X1c0s0b0n01"})).await;
    assert_eq!(answer.json()["ComponentID"], "x1c0s0b0n1");
    assert_eq!(smd.store.snapshot().revision, 2);
    for wrong in [
        json!({"ComponentID": "foo"}),
        json!({"ComponentID": ""}),
        json!({"IPAddresses": [{"IPAddress": "zz"}]}),
        json!({"IPAddresses": [{"Network": "n"}]}),
        json!({"IPAddresses": [{"IPAddress": "10.0.0.1"}, {"IPAddress": "10.0.0.1"}]}),
    ] {
        assert_eq!(smd.send("PATCH", path, wrong.clone()).await.status, 400, "{wrong}");
    }
    let nowhere = "Inventory/EthernetInterfaces/020000000009";
    for (body, status) in [(json!({"ComponentID": ""}), 400), (json!({"Description": "d"}), 404)] {
        assert_eq!(smd.send("PATCH", nowhere, body.clone()).await.status, status, "{body}");
    }
    let missing = smd.send("PATCH", &format!("{path}/IPAddresses/10.0.0.1"), json!({"Network": "n"})).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn an_address_that_is_none_is_told_before_an_interface_that_is_not_there() {
    let smd = Smd::new();
    for (body, status) in [(json!({}), 400), (json!({"IPAddress": "10.0.0.1"}), 404)] {
        let path = "Inventory/EthernetInterfaces/a/IPAddresses";
        assert_eq!(smd.send("POST", path, body.clone()).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn an_endpoint_keeps_its_mac_address_as_it_was_given_and_is_found_by_it() {
    let smd = Smd::new();
    for (id, mac) in [("x1c0s0b0", "AA:BB:CC:DD:EE:FF"), ("x1c0s1b0", "zz"), ("x1c0s2b0", "")] {
        assert_eq!(smd.send("POST", "Inventory/RedfishEndpoints", json!({"ID": id, "MACAddr": mac})).await.status, 201);
    }
    let found = async |query: &str| -> Vec<Value> {
        let list = smd.get(&format!("Inventory/RedfishEndpoints?{query}")).await;
        list["RedfishEndpoints"].as_array().unwrap().iter().map(|endpoint| endpoint["MACAddr"].clone()).collect()
    };
    assert_eq!(found("macaddr=AA:BB:CC:DD:EE:FF").await, ["AA:BB:CC:DD:EE:FF"]);
    assert_eq!(found("macaddr=aa:bb:cc:dd:ee:ff").await, Vec::<Value>::new());
    assert_eq!(found("macaddr=zz").await, ["zz"]);
    let path = "Inventory/RedfishEndpoints/x1c0s0b0";
    smd.send("PATCH", path, json!({"Name": "n"})).await;
    assert_eq!(smd.get(path).await["MACAddr"], "AA:BB:CC:DD:EE:FF");
    smd.send("PATCH", path, json!({"MACAddr": "02:00:00:00:00:01"})).await;
    assert_eq!(smd.get(path).await["MACAddr"], "02:00:00:00:00:01");
}

#[tokio::test]
async fn an_empty_xname_in_a_query_of_endpoints_is_that_of_nothing() {
    let smd = Smd::new();
    assert_eq!(smd.send("POST", "Inventory/RedfishEndpoints", discovered("02:00:00:00:00:01")).await.status, 201);
    let count = async |list: &str, query: &str| {
        smd.get(&format!("Inventory/{list}?{query}")).await[list].as_array().unwrap().len()
    };
    for (list, query, wanted) in [
        ("RedfishEndpoints", "id=", 0),
        ("RedfishEndpoints", "id=&id=X1c0s0b0", 1),
        ("ComponentEndpoints", "redfish_ep=", 0),
        ("ComponentEndpoints", "id=&id=x1c0s0b0", 1),
        ("ComponentEndpoints", "redfish_ep=!", count("ComponentEndpoints", "").await),
    ] {
        assert_eq!(count(list, query).await, wanted, "{list} {query}");
    }
    let none = smd.send("GET", "Inventory/ComponentEndpoints?redfish_ep=zz", json!({})).await;
    assert_eq!(none.status, 400);
}

#[tokio::test]
async fn a_password_is_accepted_and_kept_nowhere() {
    let smd = Smd::new();
    let endpoint = json!({"ID": "x1c0s0b0", "User": "root", "Password": "hunter2"});
    assert_eq!(smd.send("POST", "Inventory/RedfishEndpoints", endpoint.clone()).await.status, 201);
    assert_eq!(smd.send("PUT", "Inventory/RedfishEndpoints/x1c0s0b0", endpoint.clone()).await.status, 200);
    assert_eq!(smd.send("PATCH", "Inventory/RedfishEndpoints/x1c0s0b0", endpoint).await.status, 200);
    let shown = smd.get("Inventory/RedfishEndpoints").await;
    assert_eq!(shown["RedfishEndpoints"][0]["Password"], "");
    assert!(!format!("{shown}{:?}", smd.store.snapshot()).contains("hunter2"));
}

fn discovered(mac: &str) -> Value {
    json!({"ID": "x1c0s0b0", "FQDN": "bmc.local", "SchemaVersion": 1,
        "Systems": [
            {"uri": "/redfish/v1/Systems/a", "name": "a", "ethernet_interfaces": [{"mac": mac, "ip": "10.0.0.1"}, {"name": "no address"}]},
            {"uri": "/redfish/v1/Systems/b", "uuid": "u", "name": "b"},
            {"uri": "/redfish/v1/Systems/b", "uuid": "u", "name": "b again"}],
        "Managers": [{"uri": "/redfish/v1/Managers/m", "name": "m"}]})
}

#[tokio::test]
async fn what_is_behind_an_endpoint_follows_its_name_and_its_end() {
    let smd = Smd::new();
    let path = "Inventory/RedfishEndpoints/x1c0s0b0";
    let created = smd.send("PUT", path, discovered("02:00:00:00:00:01")).await;
    assert_eq!(created.status, 201);
    assert_eq!(smd.ids("type=Node").await, ["n0", "n1"]);

    assert_eq!(smd.send("PUT", path, discovered("02:00:00:00:00:01")).await.status, 200);
    assert_eq!(smd.store.snapshot().revision, 1, "the same again writes nothing");

    smd.send("PATCH", path, json!({"FQDN": "other.local"})).await;
    let behind = smd.get("Inventory/ComponentEndpoints/x1c0s0b0n0").await;
    assert_eq!(behind["RedfishEndpointFQDN"], "other.local");
    assert_eq!(behind["RedfishURL"], "other.local/redfish/v1/Systems/a");

    smd.send("PATCH", path, json!({"Enabled": false})).await;
    assert_eq!(smd.get("State/Components/x1c0s0b0n0").await["State"], "Empty");
    assert_eq!(smd.get("Inventory/ComponentEndpoints").await["ComponentEndpoints"].as_array().unwrap().len(), 3);
    assert_eq!(smd.ask("DELETE", "Inventory/ComponentEndpoints", "").await.status, 200);
    assert_eq!(smd.ask("DELETE", path, "").await.status, 200);
    assert_eq!(smd.get("Inventory/EthernetInterfaces").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_request_with_something_wrong_in_it_creates_nothing() {
    let smd = Smd::new();
    let mut wrong = vec![discovered("nonsens0")];
    for (field, value) in [
        ("ID", json!("x1c0r0b0")),
        ("SchemaVersion", json!(0)),
        ("Systems", json!([{"ethernet_interfaces": [{"mac": "02:00:00:00:00:01", "ip": "10.0.0.256"}]}])),
    ] {
        let mut body = discovered("02:00:00:00:00:01");
        body[field] = value;
        wrong.push(body);
    }
    wrong.push(json!({"RedfishEndpoints": [{"ID": "x1c0s0b0"}], "Systems": []}));
    for body in wrong {
        let answer = smd.send("POST", "Inventory/RedfishEndpoints", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
    }
    let twice = json!({"RedfishEndpoints": [{"ID": "x1c0s0b0"}, {"ID": "x1c0s0b1", "FQDN": "x1c0s0b0"}]});
    assert_eq!(smd.send("POST", "Inventory/RedfishEndpoints", twice).await.status, 409);
    assert_eq!(smd.store.snapshot().revision, 0);
}

#[tokio::test]
async fn a_post_leaves_an_interface_that_exists_alone_and_a_put_takes_it_over() {
    let smd = Smd::new();
    let interface = json!({"MACAddress": "02:00:00:00:00:01", "ComponentID": "x9c0s0b0n0"});
    smd.send("POST", "Inventory/EthernetInterfaces", interface).await;
    let path = "Inventory/EthernetInterfaces/020000000001";
    let body = discovered("02:00:00:00:00:01");
    assert_eq!(smd.send("POST", "Inventory/RedfishEndpoints", body.clone()).await.status, 201);
    assert_eq!(smd.get(path).await["ComponentID"], "x9c0s0b0n0");
    assert_eq!(smd.send("PUT", "Inventory/RedfishEndpoints/x1c0s0b0", body).await.status, 200);
    assert_eq!(smd.get(path).await["ComponentID"], "x1c0s0b0n0");
}

#[tokio::test]
async fn the_group_called_labels_can_be_changed_and_deleted() {
    let smd = Smd::new();
    assert_eq!(smd.ask("DELETE", "groups/labels", "").await.status, 404);
    assert_eq!(smd.send("POST", "groups", json!({"label": "labels"})).await.status, 201);
    assert_eq!(smd.get("groups/labels").await, json!(["labels"]));
    assert_eq!(smd.send("PATCH", "groups/labels", json!({"description": "d"})).await.status, 204);
    assert_eq!(smd.get("groups").await[0]["description"], "d");
    assert_eq!(smd.ask("DELETE", "groups/labels", "").await.status, 200);
    assert_eq!(smd.get("groups").await, json!([]));
}

#[tokio::test]
async fn an_interface_without_addresses_is_in_the_network_of_no_name() {
    let smd = Smd::new();
    for (mac, addresses) in [
        ("02:00:00:00:00:01", json!([])),
        ("02:00:00:00:00:02", json!([{"IPAddress": "10.0.0.2"}])),
        ("02:00:00:00:00:03", json!([{"IPAddress": "10.0.0.3", "Network": "NMN"}])),
    ] {
        smd.send("POST", "Inventory/EthernetInterfaces", json!({"MACAddress": mac, "IPAddresses": addresses})).await;
    }
    for (query, found) in [("Network=", 2), ("Network=NMN", 1), ("Network=&network=NMN", 1), ("OlderThan=", 3)] {
        let list = smd.get(&format!("Inventory/EthernetInterfaces?{query}")).await;
        assert_eq!(list.as_array().unwrap().len(), found, "{query}");
    }
}

#[tokio::test]
async fn only_the_first_value_tells_whether_fields_are_left_out() {
    let smd = Smd::with_nodes().await;
    let state = async |query: &str| {
        smd.get(&format!("State/Components?id=x1c0s0b0n0&{query}")).await["Components"][0]["State"].clone()
    };
    assert_eq!(state("nidonly=no&nidonly=true").await, "On");
    assert_eq!(state("NIDOnly=true&nidonly=no").await, "On");
    assert_eq!(state("nidonly=true&nidonly=no").await, Value::Null);
}

#[tokio::test]
async fn the_flag_warn_is_a_warning() {
    let smd = Smd::with_nodes().await;
    assert_eq!(smd.send("PATCH", "State/Components/x1c0s0b0n0/FlagOnly", json!({"Flag": "warn"})).await.status, 204);
    assert_eq!(smd.get("State/Components/x1c0s0b0n0").await["Flag"], "Warning");
    assert_eq!(smd.ids("flag=WARN").await, ["n0"]);
}
