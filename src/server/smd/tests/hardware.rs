//! The hardware inventory, its history, and what discovery would find.

use super::*;

fn node(serial: &str) -> Value {
    json!({"ID": "x1c0s0b0n0", "NodeLocationInfo": {"Id": "Sys"}, "PopulatedFRU":
        {"NodeFRUInfo": {"Manufacturer": "HPE", "SerialNumber": serial}}})
}

fn dimm(place: &str, serial: &str) -> Value {
    json!({"ID": place, "MemoryLocationInfo": {}, "PopulatedFRU":
        {"MemoryFRUInfo": {"PartNumber": "pn", "SerialNumber": serial}}})
}

fn outlet(place: &str) -> Value {
    json!({"ID": place, "OutletLocationInfo": {}, "PopulatedFRU": {"OutletFRUInfo": {}}})
}

impl Smd {
    async fn post_hardware(&self, entries: &[Value]) -> Answer {
        self.send("POST", "Inventory/Hardware", json!({"Hardware": entries})).await
    }

    /// A node with two memory modules, a module without its node, and an outlet without its PDU.
    async fn with_hardware() -> Self {
        let smd = Self::new();
        let entries = [
            node("1"),
            dimm("x1c0s0b0n0d0", "a"),
            dimm("x1c0s0b0n0d1", "b"),
            dimm("x1c0s0b0n1d0", "c"),
            outlet("x1m0p0v1"),
        ];
        let answer = smd.post_hardware(&entries).await;
        assert_eq!((answer.status.as_u16(), answer.json()["message"].as_str()), (200, Some("Created 5 entries")));
        smd
    }

    async fn listed(&self, path: &str) -> Vec<String> {
        let list = self.get(path).await;
        let id = |entry: &Value| entry.get("ID").or(entry.get("FRUID")).unwrap().as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(id).collect()
    }

    async fn status(&self, method: &str, path: &str) -> u16 {
        self.ask(method, path, "").await.status.as_u16()
    }
}

#[tokio::test]
async fn places_and_parts_are_listed_by_what_is_asked_for() {
    let smd = Smd::with_hardware().await;
    let all = ["x1c0s0b0n0", "x1c0s0b0n0d0", "x1c0s0b0n0d1", "x1c0s0b0n1d0", "x1m0p0v1"];
    assert_eq!(smd.listed("Inventory/Hardware").await, all);
    for (query, expected) in [
        ("id=X1c0s0b0n0&id=x1c0s0b0n0d1", &["x1c0s0b0n0", "x1c0s0b0n0d1"][..]),
        ("type=node", &["x1c0s0b0n0"]),
        ("manufacturer=hp", &["x1c0s0b0n0"]),
        ("manufacturer=", &["x1c0s0b0n0"]),
        ("partnumber=pn&serialnumber=b", &["x1c0s0b0n0d1"]),
        ("fruid=Memory.pn.c", &["x1c0s0b0n1d0"]),
        ("partition=p1", &[]),
    ] {
        assert_eq!(smd.listed(&format!("Inventory/Hardware?{query}")).await, expected, "{query}");
    }
    assert_eq!(smd.listed("Inventory/HardwareByFRU?type=Memory&serialnumber=a").await, ["Memory.pn.a"]);
    assert_eq!(smd.get("Inventory/HardwareByFRU/Memory.pn.a").await["MemoryFRUInfo"]["SerialNumber"], "a");
    assert_eq!(smd.get("Inventory/Hardware/X1C0S0B0N0").await["PopulatedFRU"]["FRUID"], "Node.HPE.1");
    for path in
        ["Hardware?id=foo", "Hardware?type=!node", "Hardware?type=", "HardwareByFRU?type=x", "Hardware?partition=a/b"]
    {
        assert_eq!(smd.status("GET", &format!("Inventory/{path}")).await, 400, "{path}");
    }
    for path in ["Hardware/foo", "Hardware/x9", "Hardware/Query", "HardwareByFRU/none"] {
        assert_eq!(smd.status("GET", &format!("Inventory/{path}")).await, 404, "{path}");
    }
}

#[tokio::test]
async fn a_bulk_with_one_wrong_entry_stores_nothing() {
    let smd = Smd::new();
    for wrong in [json!({"ID": "foo"}), json!({"ID": "x1c0s0b0n0"}), dimm("x1c0s0b0n0i0", "a"), json!({})] {
        let answer = smd.post_hardware(&[node("1"), wrong]).await;
        assert_eq!((answer.status.as_u16(), answer.media.as_str()), (400, "application/problem+json"));
    }
    assert_eq!(smd.get("Inventory/Hardware").await, json!([]));
    assert_eq!(smd.get("Inventory/Hardware/History").await, json!({"Components": null}));
    assert_eq!(smd.ask("POST", "Inventory/Hardware", "{}").await.json()["message"], "Created 0 entries");
}

/// The places of a tree answer, with what is nested in them.
fn shape(tree: &Value) -> Value {
    let Value::Object(map) = tree else { return Value::Null };
    let lists = map.iter().filter_map(|(key, value)| Some((key, value.as_array()?)));
    lists
        .map(|(key, list)| {
            let places = list.iter().map(|place| match shape(place) {
                Value::Object(inner) if inner.is_empty() => place["ID"].clone(),
                inner => json!({place["ID"].as_str().unwrap(): inner}),
            });
            (key.clone(), places.collect::<Value>())
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test]
async fn a_tree_holds_what_is_in_a_place_or_around_it() {
    let smd = Smd::with_hardware().await;
    let node_with_memory = json!({"x1c0s0b0n0": {"Memory": ["x1c0s0b0n0d0", "x1c0s0b0n0d1"]}});
    for (query, expected) in [
        (
            "all",
            json!({"Nodes": [node_with_memory], "Memory": ["x1c0s0b0n1d0"], "CabinetPDUPowerConnectors": ["x1m0p0v1"]}),
        ),
        ("x1c0s0b0?type=node", json!({"Nodes": [node_with_memory]})),
        ("x1c0s0b0?type=node&children=false", json!({"Nodes": ["x1c0s0b0n0"]})),
        ("x1c0s0b0n0?children=false", json!({"Nodes": ["x1c0s0b0n0"]})),
        ("x1c0s0b0n0d1?parents=true", json!({"Nodes": [{"x1c0s0b0n0": {"Memory": ["x1c0s0b0n0d1"]}}]})),
        ("x1c0s0b0n0?parents=true&children=true", json!({"Nodes": [node_with_memory]})),
        ("x1c0s0b0n0?format=FULLYFLAT", json!({"Nodes": ["x1c0s0b0n0"], "Memory": ["x1c0s0b0n0d0", "x1c0s0b0n0d1"]})),
        ("s0?type=drive", json!({})),
        ("p1", json!({})),
    ] {
        let tree = smd.get(&format!("Inventory/Hardware/Query/{query}")).await;
        assert_eq!(shape(&tree), expected, "{query}");
        assert_eq!(tree["XName"], query.split('?').next().unwrap());
    }
    for query in ["foo", "X1c0s0b0n0", "x1?format=Hierarchical", "x1?type=zonk", "x1?children=maybe", "x1?parents=2"] {
        assert_eq!(smd.status("GET", &format!("Inventory/Hardware/Query/{query}")).await, 400, "{query}");
    }
}

#[tokio::test]
async fn a_part_that_is_found_again_leaves_no_second_line_and_another_part_does() {
    let smd = Smd::with_hardware().await;
    for serial in ["1", "2", "1"] {
        smd.post_hardware(&[node(serial)]).await;
    }
    let history = smd.get("Inventory/Hardware/History/X1c0s0b0n0").await;
    let lines: Vec<_> = history["History"].as_array().unwrap().iter().map(|line| line["FRUID"].clone()).collect();
    assert_eq!(lines, ["Node.HPE.1", "Node.HPE.2", "Node.HPE.1"]);
    assert_eq!((&history["ID"], &history["History"][0]["EventType"]), (&json!("X1c0s0b0n0"), &json!("Detected")));
    let of_part = smd.get("Inventory/HardwareByFRU/History/Node.HPE.1").await;
    assert_eq!(of_part["History"].as_array().unwrap().len(), 2);
    let all = smd.get("Inventory/HardwareByFRU/History?id=x1c0s0b0n0").await;
    assert_eq!(all["Components"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn of_one_place_or_part_twice_in_a_request_the_first_counts_and_each_leaves_a_line() {
    let smd = Smd::with_hardware().await;
    let described = |text: &str| {
        let mut dimm = dimm("x1c0s0b0n0d0", "new");
        dimm["MemoryLocationInfo"]["Description"] = text.into();
        dimm["PopulatedFRU"]["MemoryFRUInfo"]["MemoryType"] = text.into();
        dimm
    };
    assert_eq!(smd.post_hardware(&[described("one"), described("two")]).await.json()["message"], "Created 2 entries");
    let place = smd.get("Inventory/Hardware/x1c0s0b0n0d0").await;
    assert_eq!(place["MemoryLocationInfo"]["Description"], "one");
    assert_eq!(place["PopulatedFRU"]["MemoryFRUInfo"]["MemoryType"], "one");
    let lines = smd.get("Inventory/Hardware/History/x1c0s0b0n0d0").await["History"].clone();
    let parts: Vec<_> = lines.as_array().unwrap().iter().map(|line| line["FRUID"].clone()).collect();
    assert_eq!(parts, ["Memory.pn.a", "Memory.pn.new", "Memory.pn.new"]);
    // Nothing is new about the second entry, and the first is still the one that counts.
    smd.post_hardware(&[node("1"), node("2")]).await;
    assert_eq!(smd.get("Inventory/Hardware/x1c0s0b0n0").await["PopulatedFRU"]["FRUID"], "Node.HPE.1");
}

#[tokio::test]
async fn a_member_of_another_type_is_refused_even_where_it_says_nothing() {
    let smd = Smd::new();
    for key in ["ID", "Type", "Status", "HWInventoryByLocationType"] {
        let mut wrong = node("1");
        wrong[key] = json!(7);
        assert_eq!(smd.post_hardware(&[wrong]).await.status, 400, "{key}");
    }
    for key in ["Type", "Subtype", "HWInventoryByFRUType", "FRUID"] {
        let mut wrong = node("1");
        wrong["PopulatedFRU"][key] = json!(["x"]);
        assert_eq!(smd.post_hardware(&[wrong]).await.status, 400, "{key}");
    }
    assert_eq!(smd.get("Inventory/Hardware").await, json!([]));
}

#[tokio::test]
async fn history_is_narrowed_and_deleted() {
    let smd = Smd::with_hardware().await;
    for (query, count) in [
        ("", 5),
        ("eventtype=dETECTED", 5),
        ("eventtype=Removed", 0),
        ("starttime=2000-01-01T00:00:00Z", 5),
        ("endtime=2000-01-01T00:00:00Z", 0),
        ("fruid=Memory.pn.a", 1),
        ("id=x1c0s0b0n0&id=x1c0s0b0n0d0", 2),
    ] {
        let all = smd.get(&format!("Inventory/Hardware/History?{query}")).await;
        assert_eq!(all["Components"].as_array().map_or(0, Vec::len), count, "{query}");
    }
    for query in ["?eventtype=foo", "?starttime=soon", "?endtime=12", "?id=foo", "/foo", "/x1?eventtype=foo"] {
        assert_eq!(smd.status("GET", &format!("Inventory/Hardware/History{query}")).await, 400, "{query}");
    }
    assert_eq!(smd.get("Inventory/Hardware/History/x9").await, json!({"ID": "x9", "History": []}));
    for path in ["Hardware/History/x1c0s0b0n0", "HardwareByFRU/History/Memory.pn.a"] {
        let lines = smd.get(&format!("Inventory/{path}?id=!foo&fruid=none")).await;
        assert_eq!(lines["History"].as_array().unwrap().len(), 1, "{path}: of one, id and fruid mean nothing");
    }
    let delete = async |path: &str| smd.ask("DELETE", &format!("Inventory/{path}"), "").await;
    assert_eq!(delete("Hardware/History/x1c0s0b0n0").await.json()["message"], "deleted 1 entries");
    assert_eq!(delete("HardwareByFRU/History/Memory.pn.a").await.json()["message"], "deleted 1 entries");
    assert_eq!(delete("Hardware/History").await.json()["message"], "deleted 3 entries");
    for path in [
        "Hardware/History",
        "Hardware/History/x1c0s0b0n0",
        "HardwareByFRU/History/Memory.pn.a",
        "HardwareByFRU/History",
    ] {
        assert_eq!(delete(path).await.status, 404, "{path}");
    }
    assert_eq!(delete("Hardware/History/foo").await.status, 400);
}

#[tokio::test]
async fn a_part_that_sits_somewhere_is_not_deleted() {
    let smd = Smd::with_hardware().await;
    assert_eq!(smd.status("DELETE", "Inventory/HardwareByFRU/Memory.pn.a").await, 409);
    assert_eq!(smd.status("DELETE", "Inventory/HardwareByFRU").await, 409);
    assert_eq!(smd.status("DELETE", "Inventory/Hardware/x1c0s0b0n0d0").await, 200);
    assert_eq!(smd.status("DELETE", "Inventory/Hardware/x1c0s0b0n0d0").await, 404);
    assert_eq!(smd.status("DELETE", "Inventory/Hardware/foo").await, 404);
    assert_eq!(smd.status("DELETE", "Inventory/HardwareByFRU/Memory.pn.a").await, 200);
    assert_eq!(smd.status("DELETE", "Inventory/HardwareByFRU/Memory.pn.a").await, 404);
    assert_eq!(smd.ask("DELETE", "Inventory/Hardware", "").await.json()["message"], "deleted 4 entries");
    assert_eq!(smd.status("DELETE", "Inventory/Hardware").await, 404);
    assert_eq!(smd.ask("DELETE", "Inventory/HardwareByFRU", "").await.json()["message"], "deleted 4 entries");
    assert_eq!(smd.status("DELETE", "Inventory/HardwareByFRU").await, 404);
}

#[tokio::test]
async fn there_are_no_service_endpoints() {
    let smd = Smd::new();
    let none = json!({"ServiceEndpoints": []});
    assert_eq!(smd.get("Inventory/ServiceEndpoints?redfish_ep=x1c0s0b0&service=x").await, none);
    assert_eq!(smd.get("Inventory/ServiceEndpoints?redfish_ep=").await, none);
    assert_eq!(smd.get("Inventory/ServiceEndpoints/UpdateService").await, none);
    for query in ["redfish_ep=foo", "service=a+b", "service=a%27"] {
        assert_eq!(smd.status("GET", &format!("Inventory/ServiceEndpoints?{query}")).await, 400, "{query}");
    }
    assert_eq!(smd.status("DELETE", "Inventory/ServiceEndpoints").await, 404);
    for (method, id, status) in [("GET", "x1c0s0b0", 404), ("GET", "foo", 400), ("DELETE", "x1c0s0b0", 404)] {
        let path = format!("Inventory/ServiceEndpoints/UpdateService/RedfishEndpoints/{id}");
        assert_eq!(smd.status(method, &path).await, status, "{method} {id}");
    }
}

#[tokio::test]
async fn discovery_is_answered_and_never_started() {
    let smd = Smd::new();
    let discover = async |body: Value| smd.send("POST", "Inventory/Discover", body).await.status.as_u16();
    assert_eq!(discover(json!({})).await, 404);
    assert_eq!(smd.send("POST", "Inventory/RedfishEndpoints", json!({"ID": "x1c0s0b0"})).await.status, 201);
    assert_eq!(discover(json!({"xnames": ["x1c0s0b0", "x9c0s0b0"]})).await, 404);
    assert_eq!(discover(json!({"xnames": ["foo"]})).await, 404);
    assert_eq!(discover(json!({"xnames": "x1c0s0b0"})).await, 400);
    let answer = smd.send("POST", "Inventory/Discover", json!({"xnames": ["x1c0s0b0"], "force": true})).await;
    assert_eq!(answer.json(), json!([{"URI": "/hsm/v2/Inventory/DiscoveryStatus/0"}]));
    assert_eq!(smd.get("Inventory/DiscoveryStatus").await[0]["Status"], "NotStarted");
    assert_eq!(smd.get("Inventory/DiscoveryStatus/0").await["ID"], 0);
    assert_eq!(smd.status("GET", "Inventory/DiscoveryStatus/1").await, 404);
    assert_eq!(smd.status("GET", "Inventory/DiscoveryStatus/foo").await, 400);
}
