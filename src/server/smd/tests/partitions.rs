//! Partitions, memberships, and what a partition means in queries for components and groups.

use serde_json::json;

use super::Smd;

const NODES: [&str; 4] = ["x1c0s0b0n0", "x1c0s0b0n1", "x1c0s0b0n2", "x1c0s0b0n3"];

/// Nodes 0 and 1 in `p1`, node 2 in `p2`; nodes 0 and 2 in the group `a`, node 1 in `b`.
async fn parted() -> Smd {
    let smd = Smd::with_nodes().await;
    for (path, body) in [
        ("partitions", json!({"name": "p1", "tags": ["T"], "members": {"ids": [NODES[0], NODES[1]]}})),
        ("partitions", json!({"name": "p2", "description": "d", "members": {"ids": [NODES[2]]}})),
        ("groups", json!({"label": "a", "members": {"ids": [NODES[0], NODES[2]]}})),
        ("groups", json!({"label": "b", "members": {"ids": [NODES[1]]}})),
    ] {
        assert_eq!(smd.send("POST", path, body).await.status, 201);
    }
    smd
}

#[tokio::test]
async fn a_partition_is_created_whole_or_not_at_all() {
    let smd = parted().await;
    let revision = smd.store.snapshot().revision;
    for (body, status) in [
        (json!({}), 400),
        (json!({"name": "part one"}), 400),
        (json!({"name": "part1"}), 400),
        (json!({"name": "p3", "tags": ["a b"]}), 400),
        (json!({"name": "p3", "members": {"ids": ["foo"]}}), 400),
        (json!({"name": "p3", "members": {"ids": [NODES[3], "x9c0s0b0n0"]}}), 400),
        (json!({"name": "p3", "members": {"ids": [NODES[3], NODES[0]]}}), 409),
        (json!({"name": "p3", "members": {"ids": [NODES[3], NODES[3].to_uppercase()]}}), 409),
        (json!({"name": "P1"}), 409),
    ] {
        assert_eq!(smd.send("POST", "partitions", body.clone()).await.status, status, "{body}");
    }
    assert_eq!(smd.store.snapshot().revision, revision);
    assert_eq!(
        smd.send("POST", "partitions", json!({"name": "P3.1", "members": {"ids": [NODES[3]]}})).await.status,
        201
    );
    assert_eq!(smd.get("partitions/names").await, json!(["p1", "p2", "p3.1"]));
}

#[tokio::test]
async fn partitions_are_found_by_name_and_tag_in_any_case() {
    let smd = parted().await;
    for (query, names) in [
        ("", &["p1", "p2"][..]),
        ("partition=P1", &["p1"]),
        ("partition=p1&partition=p2", &["p1", "p2"]),
        ("partition=p9", &[]),
        ("tag=t", &["p1"]),
        ("tag=T&tag=u", &["p1"]),
        ("partition=p2&tag=t", &[]),
    ] {
        let list = smd.get(&format!("partitions?{query}")).await;
        let found: Vec<_> = list.as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{query}");
    }
    for query in ["partition=a%20b", "partition=", "tag=", "tag=a%20b"] {
        assert_eq!(smd.ask("GET", &format!("partitions?{query}"), "").await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_name_that_no_partition_can_have_is_not_found_unless_it_is_no_word() {
    let smd = parted().await;
    for (name, status) in [("p9", 404), ("part1", 404), ("NULL", 404), ("a%20b", 400)] {
        for (method, path, body) in [
            ("GET", String::new(), json!({})),
            ("PATCH", String::new(), json!({"description": "x"})),
            ("DELETE", String::new(), json!({})),
            ("GET", "/members".to_owned(), json!({})),
            ("POST", "/members".to_owned(), json!({"id": NODES[3]})),
            ("DELETE", format!("/members/{}", NODES[0]), json!({})),
        ] {
            let answer = smd.send(method, &format!("partitions/{name}{path}"), body).await;
            assert_eq!(answer.status, status, "{method} {name}{path}");
        }
    }
}

#[tokio::test]
async fn description_and_tags_are_patched_and_members_are_not() {
    let smd = parted().await;
    let patch = async |body| smd.send("PATCH", "partitions/p1", body).await.status;
    assert_eq!(patch(json!({"description": "new", "members": {"ids": []}})).await, 204);
    assert_eq!(patch(json!({"tags": ["U"]})).await, 204);
    for body in [json!({}), json!({"tags": null}), json!({"members": {"ids": []}}), json!({"tags": ["a b"]})] {
        assert_eq!(patch(body).await, 400);
    }
    let members = json!({"ids": [NODES[0], NODES[1]]});
    let shown = json!({"name": "p1", "description": "new", "tags": ["u"], "members": members});
    assert_eq!(smd.get("partitions/P1").await, shown);
}

#[tokio::test]
async fn a_component_is_in_one_partition_at_most() {
    let smd = parted().await;
    for (id, status) in [(NODES[0], 409), (NODES[2], 409), ("x9c0s0b0n0", 400), ("foo", 400), ("", 400)] {
        assert_eq!(smd.send("POST", "partitions/p1/members", json!({"id": id})).await.status, status, "{id}");
    }
    assert_eq!(smd.send("POST", "partitions/p1/members", json!({"id": NODES[3].to_uppercase()})).await.status, 201);
    assert_eq!(smd.get("partitions/p1/members").await, json!({"ids": [NODES[0], NODES[1], NODES[3]]}));
    let member = format!("partitions/p1/members/{}", NODES[3]);
    assert_eq!(smd.ask("DELETE", &member, "").await.status, 200);
    assert_eq!(smd.ask("DELETE", &member, "").await.status, 404);
    assert_eq!(smd.ask("DELETE", "partitions/p1/members/foo", "").await.status, 400);
    assert_eq!(smd.send("POST", "partitions/p2/members", json!({"id": NODES[3]})).await.status, 201);
}

#[tokio::test]
async fn deleted_components_leave_their_partitions_and_deleted_partitions_their_components() {
    let smd = parted().await;
    assert_eq!(smd.ask("DELETE", &format!("State/Components/{}", NODES[0]), "").await.status, 200);
    assert_eq!(smd.get("partitions/p1/members").await, json!({"ids": [NODES[1]]}));
    assert_eq!(smd.ask("DELETE", "partitions/p1", "").await.status, 200);
    assert_eq!(smd.get(&format!("memberships/{}", NODES[1])).await["partitionName"], "");
    assert_eq!(smd.ask("DELETE", "State/Components", "").await.json()["message"], "deleted 3 entries");
    assert_eq!(smd.get("partitions").await, json!([{"name": "p2", "description": "d", "members": {"ids": []}}]));
}

#[tokio::test]
async fn memberships_show_groups_and_partition_of_those_that_pass() {
    let smd = parted().await;
    let all = json!([
        {"id": NODES[0], "groupLabels": ["a"], "partitionName": "p1"},
        {"id": NODES[1], "groupLabels": ["b"], "partitionName": "p1"},
        {"id": NODES[2], "groupLabels": ["a"], "partitionName": "p2"},
        {"id": NODES[3], "groupLabels": [], "partitionName": ""},
    ]);
    assert_eq!(smd.get("memberships").await, all);
    assert_eq!(smd.get("memberships?group=a&partition=p2").await, json!([all[2]]));
    assert_eq!(smd.get("memberships?partition=NULL&type=node&nid=4").await, json!([all[3]]));
    assert_eq!(smd.get(&format!("memberships/{}?partition=p9", NODES[0])).await, all[0]);
    for (path, status) in [("x9c0s0b0n0", 404), ("foo", 400)] {
        assert_eq!(smd.ask("GET", &format!("memberships/{path}"), "").await.status, status);
    }
}

#[tokio::test]
async fn group_and_partition_restrict_components_as_in_smd() {
    let smd = parted().await;
    for (query, ids) in [
        ("partition=p1", &["n0", "n1"][..]),
        ("partition=p1&partition=p2", &["n0", "n1", "n2"]),
        ("partition=p9", &[]),
        ("partition=word", &[]),
        ("partition=NULL", &["n3"]),
        ("group=a&partition=p1", &["n0"]),
        ("group=a&partition=p9", &[]),
        ("group=a&group=b", &["n0", "n1", "n2"]),
        ("group=NULL", &["n3"]),
        ("group=NULL&partition=NULL", &["n3"]),
        ("partition=p1&role=compute&nid=2", &["n1"]),
    ] {
        assert_eq!(smd.ids(query).await, ids, "{query}");
    }
    for query in [
        "partition=P1",
        "group=A",
        "partition=",
        "partition=!p1",
        "partition=a%20b",
        "group=a&group=b&partition=p1",
        "group=a&partition=p1&partition=p2",
        "group=a&group=NULL",
        "partition=p1&partition=NULL",
        "partition=NULL&partition=NULL",
        "group=NULL&partition=p1",
        "group=a&partition=NULL",
    ] {
        assert_eq!(smd.ask("GET", &format!("State/Components?{query}"), "").await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_group_shows_its_members_within_a_partition() {
    let smd = parted().await;
    for (query, members) in [
        ("", &[NODES[0], NODES[2]][..]),
        ("partition=P1", &[NODES[0]]),
        ("partition=p2&partition=p9", &[NODES[2]]),
        ("partition=NULL", &[]),
    ] {
        let members = json!({"ids": members});
        assert_eq!(smd.get(&format!("groups/a/members?{query}")).await, members, "{query}");
        assert_eq!(smd.get(&format!("groups/a?{query}")).await["members"], members, "{query}");
        assert_eq!(smd.get(&format!("groups?group=a&{query}")).await[0]["members"], members, "{query}");
    }
    for query in ["partition=p9", "partition=null", "partition=", "partition=a%20b"] {
        for path in ["groups", "groups/a", "groups/a/members", "groups/nope"] {
            assert_eq!(smd.ask("GET", &format!("{path}?{query}"), "").await.status, 400, "{path} {query}");
        }
    }
    assert_eq!(smd.get("groups?group=nope&partition=p9").await, json!([]));
}

#[tokio::test]
async fn memberships_of_many_are_those_of_each() {
    let smd = Smd::new();
    let ids: Vec<String> = (0..150).map(|n| format!("x1c0s{n}b0n0")).collect();
    let nodes: Vec<_> = ids.iter().map(|id| json!({"ID": id, "State": "On"})).collect();
    smd.send("POST", "State/Components", json!({"Components": nodes})).await;
    for (name, members) in [("p1", &ids[..60]), ("p2", &ids[60..120])] {
        smd.send("POST", "partitions", json!({"name": name, "members": {"ids": members}})).await;
    }
    let all = smd.get("memberships").await;
    assert_eq!(all.as_array().unwrap().len(), 150);
    for row in all.as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        assert_eq!(*row, smd.get(&format!("memberships?id={id}")).await[0], "{id}");
        assert_eq!(*row, smd.get(&format!("memberships/{id}")).await, "{id}");
    }
    let named = |name: &str| all.as_array().unwrap().iter().filter(|row| row["partitionName"] == name).count();
    assert_eq!([named("p1"), named("p2"), named("")], [60, 60, 30]);
}
