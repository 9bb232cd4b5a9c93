//! Subscriptions, and notices that arrive at a real listener.

use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::post;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::{Pace, deliver_notices};
use super::*;

const SCN: &str = "Subscriptions/SCN";

fn wants(url: &str, triggers: Value) -> Value {
    let mut body = json!({"Subscriber": "hmnfd@host", "Url": url});
    body.as_object_mut().unwrap().extend(triggers.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_subscription_is_made_replaced_patched_and_deleted() {
    let smd = Smd::new();
    assert_eq!(smd.get(SCN).await, json!({"SubscriptionList": null}));
    let body = wants("http://h/x", json!({"States": ["on", "OFF"], "Enabled": true}));
    let made = smd.send("POST", SCN, body.clone()).await;
    assert_eq!(
        (made.status.as_u16(), &made.json()["ID"], &made.json()["States"]),
        (200, &json!(1), &json!(["on", "OFF"]))
    );
    assert_eq!(smd.send("POST", SCN, body).await.status, 400, "one subscription for a subscriber and a URL");
    assert_eq!(smd.send("POST", SCN, wants("https://h/y", json!({"Roles": ["compute"]}))).await.json()["ID"], 2);

    let patch = async |body: Value| {
        assert_eq!(smd.send("PATCH", "Subscriptions/SCN/1", body.clone()).await.status, 204, "{body}");
        smd.get("Subscriptions/SCN/1").await
    };
    assert_eq!(patch(json!({"Op": "add", "States": ["Ready", "Off"]})).await["States"], json!(["on", "OFF", "Ready"]));
    let removed = patch(json!({"Op": "Remove", "States": ["ready", "ON"], "Enabled": true})).await;
    assert_eq!((&removed["States"], &removed["Enabled"]), (&json!(["OFF"]), &json!(false)));
    assert_eq!(patch(json!({"Op": "add", "Enabled": true})).await["Enabled"], true);
    let replaced = patch(json!({"Op": "replace", "SoftwareStatus": ["x"], "Enabled": false})).await;
    assert_eq!((&replaced["States"], &replaced["SoftwareStatus"]), (&json!(["OFF"]), &json!(["x"])));

    assert_eq!(
        smd.send("PUT", "Subscriptions/SCN/1", wants("http://h/z", json!({"SubRoles": ["worker"]}))).await.status,
        204
    );
    assert_eq!(smd.get("Subscriptions/SCN/1").await["Url"], "http://h/z");
    assert_eq!(
        smd.send("PUT", "Subscriptions/SCN/1", wants("https://h/y", json!({"States": ["On"]}))).await.status,
        400
    );

    assert_eq!(smd.ask("DELETE", "Subscriptions/SCN/2", "").await.json()["message"], "Subscription deleted");
    assert_eq!(smd.ask("DELETE", "Subscriptions/SCN/2", "").await.status, 404);
    assert_eq!(smd.send("POST", SCN, wants("https://h/y", json!({"States": ["On"]}))).await.json()["ID"], 3);
    assert_eq!(smd.ask("DELETE", SCN, "").await.json()["message"], "2 Subscriptions deleted");
    assert_eq!(smd.ask("DELETE", SCN, "").await.json()["message"], "0 Subscriptions deleted");
}

#[tokio::test]
async fn a_subscription_that_could_not_be_served_is_refused() {
    let smd = Smd::new();
    assert_eq!(smd.send("POST", SCN, wants("http://h/x", json!({"States": ["On"]}))).await.status, 200);
    for url in ["", "zzz", "ftp://h/x", "http://user:pw@h/x", "http://"] {
        assert_eq!(smd.send("POST", SCN, wants(url, json!({"States": ["On"]}))).await.status, 400, "{url}");
    }
    for triggers in [json!({}), json!({"Enabled": false}), json!({"States": ["Zonk"]}), json!({"SoftwareStatus": [""]})]
    {
        assert_eq!(smd.send("POST", SCN, wants("http://h/y", triggers.clone())).await.status, 400, "{triggers}");
        let mut patch = triggers.clone();
        patch["Op"] = "add".into();
        assert_eq!(smd.send("PATCH", "Subscriptions/SCN/1", patch).await.status, 400, "{triggers}");
    }
    for body in [json!({"States": ["On"]}), json!({"Op": "zonk", "States": ["On"]})] {
        assert_eq!(smd.send("PATCH", "Subscriptions/SCN/1", body).await.status, 400);
    }
    let bodies =
        [("PUT", wants("http://h/x", json!({"States": ["On"]}))), ("PATCH", json!({"Op": "add", "States": ["On"]}))];
    for (method, body) in bodies {
        assert_eq!(smd.send(method, "Subscriptions/SCN/77", body.clone()).await.status, 404, "{method}");
        assert_eq!(smd.send(method, "Subscriptions/SCN/foo", body).await.status, 400, "{method}");
    }
    for (id, status) in [("77", 404), ("0", 400), ("-1", 400), ("foo", 400), ("18446744073709551615", 400)] {
        assert_eq!(smd.ask("GET", &format!("Subscriptions/SCN/{id}"), "").await.status.as_u16(), status, "{id}");
    }
}

/// A subscriber on a real socket: its URL, and what it is told. Its first answers have these statuses, the rest 200.
async fn subscriber(first: Vec<StatusCode>) -> (String, mpsc::UnboundedReceiver<Value>) {
    let (told, inbox) = mpsc::unbounded_channel();
    let first = std::sync::Arc::new(std::sync::Mutex::new(first.into_iter()));
    let handler = move |axum::Json(notice): axum::Json<Value>| async move {
        told.send(notice).unwrap();
        let status = first.lock().unwrap().next().unwrap_or(StatusCode::OK);
        (status, [(header::LOCATION, "/elsewhere")])
    };
    let router = Router::new().route("/scn", post(handler));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/scn", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, inbox)
}

async fn next(inbox: &mut mpsc::UnboundedReceiver<Value>) -> Value {
    tokio::time::timeout(Duration::from_secs(20), inbox.recv()).await.expect("a notice arrives").unwrap()
}

/// Starts to deliver; ends with the guard.
async fn delivering(smd: &Smd) -> tokio_util::sync::DropGuard {
    let shutdown = CancellationToken::new();
    let pace = Pace { timeout: Duration::from_secs(5), pause: Duration::from_millis(1) };
    tokio::spawn(deliver_notices(smd.store.clone(), pace, shutdown.clone()));
    // The task has taken the state it compares with once it waits for the next one, which is at its first rest.
    tokio::task::yield_now().await;
    shutdown.drop_guard()
}

async fn patch(smd: &Smd, path: &str, body: Value) {
    assert_eq!(smd.send("PATCH", &format!("State/Components/{path}"), body).await.status, 204);
}

#[tokio::test]
async fn a_subscriber_is_told_of_what_it_asked_for_in_order() {
    let smd = Smd::with_nodes().await;
    let (url, mut inbox) = subscriber(Vec::new()).await;
    let triggers = json!({"States": ["ready", "Off"], "Roles": ["Service"], "SoftwareStatus": ["Up"], "Enabled": true});
    assert_eq!(smd.send("POST", SCN, wants(&url, triggers)).await.status, 200);
    let _running = delivering(&smd).await;
    let both = json!(["x1c0s0b0n0", "x1c0s0b0n1"]);
    patch(&smd, "BulkStateData", json!({"ComponentIDs": both, "State": "Ready"})).await;
    assert_eq!(next(&mut inbox).await, json!({"Components": both, "State": "Ready", "Flag": "OK"}));
    patch(&smd, "x1c0s0b0n2/StateData", json!({"State": "Standby", "Force": true})).await;
    patch(&smd, "x1c0s0b0n2/FlagOnly", json!({"Flag": "Alert"})).await;
    patch(&smd, "x1c0s0b0n2/Role", json!({"Role": "Service", "SubRole": "Worker"})).await;
    assert_eq!(next(&mut inbox).await, json!({"Components": ["x1c0s0b0n2"], "Role": "Service", "SubRole": "Worker"}));
    patch(&smd, "x1c0s0b0n2/SoftwareStatus", json!({"SoftwareStatus": "Up"})).await;
    assert_eq!(next(&mut inbox).await, json!({"Components": ["x1c0s0b0n2"], "SoftwareStatus": "Up"}));
    patch(&smd, "x1c0s0b0n2/Enabled", json!({"Enabled": false})).await;
    assert_eq!(next(&mut inbox).await, json!({"Components": ["x1c0s0b0n2"], "Enabled": false}));
    assert_eq!(smd.ask("DELETE", SCN, "").await.status, 200);
    patch(&smd, "x1c0s0b0n3/StateData", json!({"State": "Off"})).await;
    let late = tokio::time::timeout(Duration::from_millis(100), inbox.recv()).await;
    assert!(late.is_err(), "whoever has unsubscribed is told nothing: {late:?}");
}

#[tokio::test]
async fn each_of_many_requests_at_once_is_told_by_itself() {
    const NODES: usize = 200;
    let smd = Smd::new();
    let nodes: Vec<String> = (0..NODES).map(|number| format!("x{number}c0s0b0n0")).collect();
    let components: Vec<Value> = nodes.iter().map(|id| json!({"ID": id, "State": "Off"})).collect();
    smd.send("POST", "State/Components", json!({"Components": components})).await;
    let (url, mut inbox) = subscriber(Vec::new()).await;
    assert_eq!(smd.send("POST", SCN, wants(&url, json!({"States": ["On"]}))).await.status, 200);
    let _delivering = delivering(&smd).await;
    // They come at once, so that many of them are in one commit.
    let on = |id: &String| {
        let path = format!("{id}/StateData");
        let smd = &smd;
        async move { patch(smd, &path, json!({"State": "On"})).await }
    };
    futures_util::future::join_all(nodes.iter().map(on)).await;
    let mut told = Vec::new();
    for _ in 0..NODES {
        let notice = next(&mut inbox).await;
        let [id] = notice["Components"].as_array().unwrap().as_slice() else { panic!("of several: {notice}") };
        told.push(id.as_str().unwrap().to_owned());
    }
    told.sort();
    let mut nodes = nodes;
    nodes.sort();
    assert_eq!(told, nodes);
}

#[tokio::test]
async fn a_notice_is_tried_again_a_few_times_and_redirects_are_not_followed() {
    let smd = Smd::with_nodes().await;
    let failures = vec![
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::OK,
        StatusCode::BAD_GATEWAY,
        StatusCode::BAD_GATEWAY,
        StatusCode::BAD_GATEWAY,
    ];
    let (url, mut inbox) = subscriber(failures).await;
    assert_eq!(smd.send("POST", SCN, wants(&url, json!({"States": ["Off"]}))).await.status, 200);
    let _running = delivering(&smd).await;
    for (node, tries) in [("x1c0s0b0n0", 3), ("x1c0s0b0n1", 3), ("x1c0s0b0n2", 1)] {
        patch(&smd, &format!("{node}/StateData"), json!({"State": "Off"})).await;
        for number in 0..tries {
            assert_eq!(next(&mut inbox).await["Components"], json!([node]), "try {number}");
        }
    }
}

#[tokio::test]
async fn a_dead_subscriber_keeps_nobody_else_waiting() {
    let smd = Smd::with_nodes().await;
    // Takes connections and never answers.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}/", deaf.local_addr().unwrap());
    let (url, mut inbox) = subscriber(Vec::new()).await;
    for url in [&dead, &url] {
        assert_eq!(smd.send("POST", SCN, wants(url, json!({"States": ["Off", "On"]}))).await.status, 200);
    }
    let _running = delivering(&smd).await;
    let begun = std::time::Instant::now();
    for round in 0..40 {
        let state = if round % 2 == 0 { "Off" } else { "On" };
        patch(&smd, "x1c0s0b0n0/StateData", json!({"State": state})).await;
        assert_eq!(next(&mut inbox).await["State"], state);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "the deaf one was waited for");
}
