//! Node maps, and what a new node takes from its own.

use serde_json::json;

use super::Smd;

const PATH: &str = "Defaults/NodeMaps";

#[tokio::test]
async fn node_maps_are_stored_all_or_none() {
    let smd = Smd::new();
    let maps =
        json!({"NodeMaps": [{"ID": "X1C0S00B0N0", "NID": 1, "Role": "compute"}, {"ID": "x1c0s0b0n1", "NID": 2}]});
    let answer = smd.send("POST", PATH, maps).await;
    assert_eq!(answer.json(), json!({"code": 0, "message": "Created or modified 2 entries"}));
    let revision = smd.store.snapshot().revision;
    for (body, status) in [
        (json!({"ID": "x1c0s0b0n2", "NID": 1}), 409),
        (json!({"NodeMaps": [{"ID": "x1c0s0b0n2", "NID": 3}, {"ID": "x1c0s0b0n3", "NID": 3}]}), 409),
        (json!({"NodeMaps": [{"ID": "x1c0s0b0n2", "NID": 3}, {"ID": "foo", "NID": 4}]}), 400),
        (json!({"ID": "x1c0s0b0n2", "NID": "3"}), 400),
        (json!({"NodeMaps": {}}), 400),
        (json!({}), 200),
    ] {
        assert_eq!(smd.send("POST", PATH, body.clone()).await.status, status, "{body}");
    }
    assert_eq!(smd.store.snapshot().revision, revision);
    let shown = [json!({"ID": "x1c0s0b0n0", "NID": 1, "Role": "Compute"}), json!({"ID": "x1c0s0b0n1", "NID": 2})];
    assert_eq!(smd.get(PATH).await, json!({"NodeMaps": shown}));
    assert_eq!(smd.get(&format!("{PATH}/X1C0S0B0N1")).await, shown[1]);
}

#[tokio::test]
async fn a_number_that_a_node_gave_up_is_free_for_another() {
    let smd = Smd::new();
    smd.send("POST", PATH, json!({"ID": "x1c0s0b0n0", "NID": 1})).await;
    let moved = json!({"NodeMaps": [{"ID": "x1c0s0b0n0", "NID": 2}, {"ID": "x1c0s0b0n1", "NID": 1}]});
    assert_eq!(smd.send("POST", PATH, moved).await.status, 200);
    let swapped = json!({"NodeMaps": [{"ID": "x1c0s0b0n0", "NID": 1}, {"ID": "x1c0s0b0n1", "NID": 2}]});
    assert_eq!(smd.send("POST", PATH, swapped).await.status, 409);
    let twice = json!({"NodeMaps": [{"ID": "x1c0s0b0n2", "NID": 3}, {"ID": "x1c0s0b0n2", "NID": 4}]});
    assert_eq!(smd.send("POST", PATH, twice).await.json()["message"], "Created or modified 2 entries");
    assert_eq!(smd.get(&format!("{PATH}/x1c0s0b0n2")).await["NID"], 4);
}

#[tokio::test]
async fn one_node_map_is_put_and_shown_and_deleted() {
    let smd = Smd::new();
    let path = format!("{PATH}/x1c0s0b0n0");
    let map = json!({"ID": "x1c0s0b0n0", "NID": 1, "SubRole": "Worker", "NodeInfo": {"rack": [1]}});
    let answer = smd.send("PUT", &path, json!({"NID": 1, "SubRole": "worker", "NodeInfo": {"rack": [1]}})).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, map.clone()));
    assert_eq!(smd.get(&path).await, map);
    smd.send("POST", PATH, json!({"ID": "x1c0s0b0n1", "NID": 2})).await;
    for (id, body, status) in [
        ("x1c0s0b0n0", json!({"NID": 2}), 409),
        ("x1c0s0b0n0", json!({"ID": "x1c0s0b0n1", "NID": 1}), 400),
        ("x1c0s0b0n0", json!({}), 400),
        ("x1c0s0b0", json!({"NID": 9}), 400),
        ("foo", json!({"NID": 9}), 400),
    ] {
        assert_eq!(smd.send("PUT", &format!("{PATH}/{id}"), body.clone()).await.status, status, "{id} {body}");
    }
    for (method, id, status) in
        [("GET", "foo", 404), ("GET", "x9c0s0b0n0", 404), ("DELETE", "foo", 400), ("DELETE", "x9c0s0b0n0", 404)]
    {
        assert_eq!(smd.ask(method, &format!("{PATH}/{id}"), "").await.status, status, "{method} {id}");
    }
    assert_eq!(smd.ask("DELETE", &path, "").await.json()["message"], "deleted 1 entry");
    assert_eq!(smd.ask("DELETE", PATH, "").await.json()["message"], "deleted 1 entries");
    assert_eq!(smd.ask("DELETE", PATH, "").await.status, 404);
    assert_eq!(smd.get(PATH).await, json!({"NodeMaps": []}));
}

#[tokio::test]
async fn a_new_node_takes_what_it_lacks_from_its_node_map() {
    let smd = Smd::new();
    let maps = json!({"NodeMaps": [
        {"ID": "x1c0s0b0n0", "NID": 10, "Role": "Service", "SubRole": "Master"},
        {"ID": "x1c0s0b0n1", "NID": 11, "SubRole": "Master"},
    ]});
    smd.send("POST", PATH, maps).await;
    for (body, nid, role, sub_role) in [
        (json!({"ID": "x1c0s0b0n0"}), json!(10), "Service", json!("Master")),
        (json!({"ID": "x1c0s0b0n0", "NID": 7}), json!(7), "Service", json!("Master")),
        (json!({"ID": "x1c0s0b0n0", "NID": -1}), json!(null), "Service", json!("Master")),
        (json!({"ID": "x1c0s0b0n0", "Role": "Storage"}), json!(10), "Storage", json!("Master")),
        (json!({"ID": "x1c0s0b0n0", "Role": "Storage", "NID": 7, "Class": "Hill"}), json!(7), "Storage", json!(null)),
        (json!({"ID": "x1c0s0b0n1"}), json!(11), "Compute", json!(null)),
        (json!({"ID": "x1c0s0b0n2"}), json!(32770), "Compute", json!(null)),
        (json!({"ID": "x1c0s0b0n2v3"}), json!(32771), "Compute", json!(null)),
    ] {
        let id = body["ID"].as_str().unwrap().to_owned();
        let mut node = body.clone();
        node["State"] = "On".into();
        for (method, path, request) in [
            ("POST", "State/Components".to_owned(), json!({"Components": [node]})),
            ("PUT", format!("State/Components/{id}"), json!({"component": node})),
        ] {
            assert_eq!(smd.send(method, &path, request).await.status, 204, "{body}");
            let shown = smd.get(&format!("State/Components/{id}")).await;
            assert_eq!((&shown["NID"], &shown["Role"], &shown["SubRole"]), (&nid, &json!(role), &sub_role), "{body}");
            smd.ask("DELETE", &format!("State/Components/{id}"), "").await;
        }
    }
}

#[tokio::test]
async fn a_node_map_changes_no_node_that_is_there() {
    let smd = Smd::with_nodes().await;
    smd.send("POST", PATH, json!({"ID": "x1c0s0b0n0", "NID": 99, "Role": "Service"})).await;
    let again = json!({"Components": [{"ID": "x1c0s0b0n0", "State": "Off"}], "Force": true});
    assert_eq!(smd.send("POST", "State/Components", again).await.status, 204);
    let shown = smd.get("State/Components/x1c0s0b0n0").await;
    assert_eq!((&shown["NID"], &shown["Role"], &shown["State"]), (&json!(1), &json!("Compute"), &json!("Off")));
}
