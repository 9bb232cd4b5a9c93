//! Power maps.

use serde_json::json;

use super::Smd;

const PATH: &str = "sysinfo/powermaps";

#[tokio::test]
async fn power_maps_are_stored_all_or_none() {
    let smd = Smd::new();
    let maps =
        json!([{"id": "X1C0S00B0N0", "poweredBy": ["x1m0p0v2", "x1m0p0v01"]}, {"id": "x1", "poweredBy": ["x1m0"]}]);
    let answer = smd.send("POST", PATH, maps).await;
    assert_eq!(answer.json(), json!({"code": 0, "message": "Created or modified 2 entries"}));
    let revision = smd.store.snapshot().revision;
    for (body, status) in [
        (json!([{"id": "x2", "poweredBy": ["x1m0"]}, {"id": "foo", "poweredBy": ["x1m0"]}]), 400),
        (json!([{"id": "x2", "poweredBy": ["x1m0"]}, {"id": "x3"}]), 400),
        (json!([{"id": "x2", "poweredBy": ["foo"]}]), 400),
        (json!([{"id": "x2", "poweredBy": "x1m0"}]), 400),
        (json!({"id": "x2", "poweredBy": ["x1m0"]}), 400),
        (json!([]), 200),
    ] {
        assert_eq!(smd.send("POST", PATH, body.clone()).await.status, status, "{body}");
    }
    assert_eq!(smd.store.snapshot().revision, revision);
    let shown = json!([
        {"id": "x1", "poweredBy": ["x1m0"]},
        {"id": "x1c0s0b0n0", "poweredBy": ["x1m0p0v2", "x1m0p0v1"]},
    ]);
    assert_eq!(smd.get(PATH).await, shown);
    assert_eq!(smd.get(&format!("{PATH}/X1C0S0B0N0")).await, shown[1]);
    let twice = json!([{"id": "x1", "poweredBy": ["x1m1"]}, {"id": "x1", "poweredBy": ["x1m2"]}]);
    assert_eq!(smd.send("POST", PATH, twice).await.json()["message"], "Created or modified 2 entries");
    assert_eq!(smd.get(&format!("{PATH}/x1")).await["poweredBy"], json!(["x1m2"]));
}

#[tokio::test]
async fn one_power_map_is_put_and_shown_and_deleted() {
    let smd = Smd::new();
    let path = format!("{PATH}/x1");
    let answer = smd.send("PUT", &path, json!({"poweredBy": ["x1m0"]})).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"id": "x1", "poweredBy": ["x1m0"]})));
    for (id, body) in [
        ("x1", json!({"id": "x2", "poweredBy": ["x1m0"]})),
        ("x1", json!({})),
        ("x1", json!({"poweredBy": []})),
        ("x1", json!({"poweredBy": ["foo"]})),
        ("foo", json!({"poweredBy": ["x1m0"]})),
    ] {
        assert_eq!(smd.send("PUT", &format!("{PATH}/{id}"), body.clone()).await.status, 400, "{id} {body}");
    }
    for (method, id, status) in [("GET", "foo", 400), ("GET", "x9", 404), ("DELETE", "foo", 400), ("DELETE", "x9", 404)]
    {
        assert_eq!(smd.ask(method, &format!("{PATH}/{id}"), "").await.status, status, "{method} {id}");
    }
    assert_eq!(smd.ask("DELETE", &path, "").await.json()["message"], "deleted 1 entry");
    assert_eq!(smd.ask("DELETE", PATH, "").await.status, 404);
    smd.send("PUT", &path, json!({"id": "X1", "poweredBy": ["x1m0"]})).await;
    assert_eq!(smd.ask("DELETE", PATH, "").await.json()["message"], "deleted 1 entries");
    assert_eq!(smd.get(PATH).await, json!([]));
}
