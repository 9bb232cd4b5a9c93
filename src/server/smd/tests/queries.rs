//! Queries for components with a body, and the names that queries take for several pieces of hardware.

use serde_json::{Value, json};

use super::{Answer, Smd};

const QUERY: &str = "State/Components/Query";
const BY_NID: &str = "State/Components/ByNID/Query";

/// The nodes 1 to 4 below `x1c0s0b0`, node 9 below `x10`, and some of what is above them.
async fn tree() -> Smd {
    let smd = Smd::with_nodes().await;
    let above = ["x1", "x1c0s0", "x1c0s0b0", "x10"].map(|id| json!({"ID": id, "State": "On"}));
    let far = json!({"ID": "x10c0s0b0n0", "State": "Off", "NID": 9});
    let components = [above.as_slice(), &[far]].concat();
    smd.send("POST", "State/Components", json!({"Components": components})).await;
    smd.send("POST", "partitions", json!({"name": "p1", "members": {"ids": ["x1c0s0b0n1"]}})).await;
    smd
}

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let list = answer.json();
    list["Components"].as_array().unwrap().iter().map(|c| c["ID"].as_str().unwrap().to_owned()).collect()
}

const NODES: [&str; 4] = ["x1c0s0b0n0", "x1c0s0b0n1", "x1c0s0b0n2", "x1c0s0b0n3"];

#[tokio::test]
async fn a_query_with_a_type_finds_what_is_below_and_one_without_what_is_named() {
    let smd = tree().await;
    for (body, found) in [
        (json!({"ComponentIDs": ["x1"], "type": ["node"]}), &NODES[..]),
        (json!({"ComponentIDs": ["X1C0S00", "x1", "foo"], "Type": ["Node"]}), &NODES),
        (json!({"ComponentIDs": ["x10"], "type": ["node"]}), &["x10c0s0b0n0"]),
        (json!({"ComponentIDs": ["x1"], "type": ["!node"]}), &["x1", "x1c0s0", "x1c0s0b0"]),
        (json!({"ComponentIDs": ["x1", "x1c0s0b0n1"], "type": []}), &["x1", "x1c0s0b0n1"]),
        (json!({"ComponentIDs": ["x1", "foo", "", "x1%"]}), &["x1"]),
        (json!({"ComponentIDs": ["foo", "", "x1%"], "type": ["node"]}), &[]),
        (json!({"ComponentIDs": ["all"], "partition": ["p1"]}), &["x1c0s0b0n1"]),
        (json!({"ComponentIDs": ["s0"], "type": ["node"], "state": ["off"]}), &["x10c0s0b0n0"]),
        (json!({"ComponentIDs": ["x1"], "type": ["node"], "partition": ["NULL"], "nid": ["2", "3"]}), &["x1c0s0b0n2"]),
        (json!({"ComponentIDs": ["x1"], "type": ["node"], "id": ["x1c0s0b0n3", "x10c0s0b0n0"]}), &["x1c0s0b0n3"]),
        (json!({"ComponentIDs": ["x1"], "id": ["x1c0s0b0n3"]}), &[]),
    ] {
        assert_eq!(ids(&smd.send("POST", QUERY, body.clone()).await), found, "{body}");
    }
    for (path, found) in [
        ("x1", &["x1"][..]),
        ("X1?type=node", &NODES),
        ("x1?type=node&partition=p1", &["x1c0s0b0n1"]),
        ("foo?type=node", &[]),
        ("ALL?nid=9", &["x10c0s0b0n0"]),
    ] {
        assert_eq!(ids(&smd.ask("GET", &format!("{QUERY}/{path}"), "").await), found, "{path}");
    }
}

#[tokio::test]
async fn a_query_by_number_takes_numbers_and_ranges_and_every_filter_but_numbers() {
    let smd = tree().await;
    for (body, found) in [
        (json!({"NIDRanges": ["1-2", "9"]}), &["x10c0s0b0n0", "x1c0s0b0n0", "x1c0s0b0n1"][..]),
        (json!({"NIDRanges": ["9-1"]}), &[]),
        (json!({"NIDRanges": ["002"]}), &["x1c0s0b0n1"]),
        (json!({"NIDRanges": ["1-9-2"]}), &["x1c0s0b0n0", "x1c0s0b0n1"]),
        (json!({"NIDRanges": ["1-9"], "partition": ["p1"]}), &["x1c0s0b0n1"]),
        (json!({"NIDRanges": ["1"], "nid": ["2"], "nid_start": ["1"], "nid_end": ["9"]}), &["x1c0s0b0n0"]),
    ] {
        assert_eq!(ids(&smd.send("POST", BY_NID, body.clone()).await), found, "{body}");
    }
    for range in ["", "-", "-5", "5-", "a", "a-b", " 1", "1.5", "1,2", "99999999999999999999"] {
        assert_eq!(smd.send("POST", BY_NID, json!({"NIDRanges": [range]})).await.status, 400, "{range}");
    }
}

#[tokio::test]
async fn queries_show_the_fields_that_are_asked_for() {
    let smd = tree().await;
    let first = async |path, body: Value| smd.send("POST", path, body).await.json()["Components"][0].clone();
    let node = |more: Value| {
        let mut node = json!({"ID": "x1c0s0b0n0", "Type": "Node"});
        node.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        node
    };
    for (key, shown) in [
        ("stateonly", json!({"State": "On", "Flag": "OK"})),
        ("flagonly", json!({"Flag": "OK"})),
        ("roleonly", json!({"Role": "Compute"})),
        ("nidonly", json!({"NID": 1})),
    ] {
        assert_eq!(first(QUERY, json!({"ComponentIDs": ["x1c0s0b0n0"], key: true})).await, node(shown.clone()));
        assert_eq!(
            first(BY_NID, json!({"NIDRanges": ["1"], key: true, "stateonly": key == "stateonly"})).await,
            node(shown)
        );
    }
}

#[tokio::test]
async fn queries_that_ask_for_nothing_or_for_nonsense_are_refused() {
    let smd = tree().await;
    for body in [
        json!({}),
        json!({"ComponentIDs": [], "NIDRanges": []}),
        json!({"ComponentIDs": null, "NIDRanges": null}),
        json!({"ComponentIDs": "x1", "NIDRanges": "1"}),
        json!({"ComponentIDs": [7], "NIDRanges": [7]}),
        json!({"ComponentIDs": ["x1"], "NIDRanges": ["1"], "type": "node"}),
        json!({"ComponentIDs": ["x1"], "NIDRanges": ["1"], "type": ["bogus"]}),
        json!({"ComponentIDs": ["x1"], "NIDRanges": ["1"], "stateonly": "true"}),
        json!({"ComponentIDs": ["x1"], "NIDRanges": ["1"], "group": ["a", "b"], "partition": ["p1"]}),
    ] {
        for path in [QUERY, BY_NID] {
            assert_eq!(smd.send("POST", path, body.clone()).await.status, 400, "{path} {body}");
        }
    }
    assert_eq!(smd.ask("GET", &format!("{QUERY}/x1?type=bogus"), "").await.status, 400);
}

#[tokio::test]
async fn the_name_of_several_pieces_of_hardware_is_that_of_no_component() {
    let smd = Smd::new();
    for body in [
        json!({"MACAddress": "02:00:00:00:00:01", "ComponentID": "x1c0s0b0n0"}),
        json!({"MACAddress": "02:00:00:00:00:02"}),
    ] {
        smd.send("POST", "Inventory/EthernetInterfaces", body).await;
    }
    for (query, found) in [
        ("All", 0),
        ("all_comp", 0),
        ("ALL_SVC", 0),
        ("", 1),
        ("all&ComponentID=X1c0s0b0n00", 1),
        ("x1c0s0b0n0&ComponentID=", 2),
    ] {
        let list = smd.get(&format!("Inventory/EthernetInterfaces?ComponentID={query}")).await;
        assert_eq!(list.as_array().unwrap().len(), found, "{query}");
    }
    let with_ip = json!({"MACAddress": "02:00:00:00:00:03", "IPAddresses": [{"IPAddress": "10.0.0.3"}]});
    smd.send("POST", "Inventory/EthernetInterfaces", with_ip).await;
    for (query, found) in [("", 2), ("10.0.0.3", 1), ("zz", 0), ("zz&IPAddress=", 2), ("10.0.0.3&IPAddress=", 3)] {
        let list = smd.get(&format!("Inventory/EthernetInterfaces?IPAddress={query}")).await;
        assert_eq!(list.as_array().unwrap().len(), found, "{query}");
    }
    let none = smd.get("Inventory/RedfishEndpoints?id=all").await;
    assert_eq!(none, json!({"RedfishEndpoints": []}));
    assert_eq!(smd.ask("GET", "Inventory/EthernetInterfaces?ComponentID=every", "").await.status, 400);
}

#[tokio::test]
async fn components_are_asked_for_by_the_name_of_several_and_none_has_it() {
    let smd = Smd::with_nodes().await;
    for (query, found) in
        [("all", 0), ("All_Comp", 0), ("!all", 4), ("all&id=x1c0s0b0n1", 1), ("!all&id=!x1c0s0b0n1", 3)]
    {
        assert_eq!(smd.ids(&format!("id={query}")).await.len(), found, "{query}");
    }
    assert_eq!(smd.ids("locked=+false+&reservation_disabled=%20f").await.len(), 4);
    for query in ["", "every"] {
        assert_eq!(smd.ask("GET", &format!("State/Components?id={query}"), "").await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_query_string_with_a_semicolon_selects_nothing() {
    let smd = Smd::with_nodes().await;
    for path in ["State/Components", "Inventory/EthernetInterfaces", "groups", "locks/status", "Inventory/Hardware"] {
        for query in ["type=Node;state=On", ";"] {
            let answer = smd.ask("GET", &format!("{path}?{query}"), "").await;
            assert_eq!(
                (answer.status.as_u16(), answer.media.as_str()),
                (400, "application/problem+json"),
                "{path} {query}"
            );
        }
    }
    assert_eq!(smd.ids("type=%4eode&softwarestatus=!a%3bb").await.len(), 4);
}

#[tokio::test]
async fn the_redfish_type_of_an_endpoint_has_letters_and_digits_only() {
    let smd = Smd::new();
    for (query, status) in [("Physical", 200), ("", 200), ("!Physical", 200), ("Physical+", 400), ("a-b", 400)] {
        let answer = smd.ask("GET", &format!("Inventory/ComponentEndpoints?redfish_type={query}"), "").await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
    }
}
