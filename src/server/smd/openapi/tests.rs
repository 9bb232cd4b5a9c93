//! The table against the router.

use axum::Router;

use super::API;
use crate::server::common::openapi::{Operation, check};
use crate::server::smd::{SmdState, routes};
use crate::store::Store;

fn router() -> Router {
    routes(SmdState { store: Store::in_memory() })
}

/// What examples speak of, made one after the other.
const SETUP: &[(&str, &str, &str)] = &[
    ("PUT", "Defaults/NodeMaps/x1000c1s7b0n0", r#"{"NID": 1}"#),
    (
        "POST",
        "Inventory/RedfishEndpoints",
        r#"{"ID": "x1000c1s7b0", "User": "root", "Password": "correct-horse", "SchemaVersion": 1, "Systems": [{"uri": "/Systems/1", "uuid": "s1", "name": "1",
            "ethernet_interfaces": [{"mac": "ec:e7:a7:05:a1:00", "ip": "172.16.0.1"}]}], "Managers": [{"uri": "/Managers/1"}]}"#,
    ),
    ("PATCH", "State/Components/x1000c1s7b0n0/NID", r#"{"NID": 1}"#),
    ("POST", "groups", r#"{"label": "compute", "members": {"ids": ["x1000c1s7b0n0"]}}"#),
    ("POST", "partitions", r#"{"name": "p1", "members": {"ids": ["x1000c1s7b0n0"]}}"#),
    ("PUT", "sysinfo/powermaps/x1000c1s7b0n0", r#"{"poweredBy": ["x1000m0p0j1"]}"#),
    (
        "POST",
        "Inventory/Hardware",
        r#"{"Hardware": [{"ID": "x1000c1s7b0n0", "NodeLocationInfo": {}, "PopulatedFRU": {
            "NodeFRUInfo": {"Manufacturer": "HPE", "PartNumber": "P1", "SerialNumber": "S1"}}}]}"#,
    ),
    ("POST", "Subscriptions/SCN", r#"{"Subscriber": "one", "Url": "http://sms/one", "States": ["Ready"]}"#),
];

/// A router over one of everything.
async fn prepared(path: &str, _: &Operation) -> Router {
    let router = router();
    for (method, path, body) in SETUP {
        let made = check::ask(&router, method, &format!("/hsm/v2/{path}"), *body).await;
        assert!(made.status < 300, "{method} {path}: {} {}", made.status, String::from_utf8_lossy(&made.body));
    }
    // Only what is locked can be reserved without an end, and only what is not can be for a while.
    if path == "/locks/reservations" {
        let locked = check::ask(&router, "POST", "/hsm/v2/locks/lock", r#"{"ComponentIDs": ["x1000c1s7b0n0"]}"#).await;
        assert_eq!(locked.status, 200);
    }
    router
}

#[test]
fn the_document_is_sound() {
    check::is_sound(&API);
}

#[tokio::test]
async fn the_table_and_the_router_have_the_same_paths_and_methods() {
    check::equals_router(&API, &router()).await;
}

#[tokio::test]
async fn every_example_is_answered_as_the_table_says() {
    check::answers_as_listed(&API, prepared).await;
}

#[tokio::test]
async fn every_member_of_a_body_that_the_table_names_is_read() {
    check::reads_what_it_lists(&API, prepared).await;
}

#[tokio::test]
async fn every_member_of_a_body_is_read_in_any_capitals() {
    check::reads_names_in_any_capitals(&API, prepared).await;
}

#[tokio::test]
async fn nonsense_at_any_route_is_the_clients_fault() {
    let (path, operation) = ("", &API.routes[0][0].1[0]);
    check::survives_nonsense(&API, &prepared(path, operation).await).await;
}

#[tokio::test]
async fn what_is_no_xname_mac_or_ip_is_refused_wherever_one_stands() {
    check::refuses_what_cannot_be(&API, &["Xname", "MAC", "IP"], prepared).await;
}

#[tokio::test]
async fn what_is_not_there_can_neither_be_changed_nor_deleted() {
    let forgiving = [
        // SMD says how many subscriptions it deleted.
        "/Subscriptions/SCN",
        // Changes of many pass over those that are not there: clients send them for a part of the machine that may be
        // partly known.
        "/State/Components/BulkStateData",
        "/State/Components/BulkFlagOnly",
        "/State/Components/BulkEnabled",
        "/State/Components/BulkSoftwareStatus",
        "/State/Components/BulkRole",
        "/State/Components/BulkNID",
    ];
    check::refuses_what_is_not_there(&API, &router(), &forgiving).await;
}

#[tokio::test]
async fn no_answer_holds_a_password() {
    let router = prepared("", &API.routes[0][0].1[0]).await;
    let answers = check::reads(&API, &router).await;
    assert!(answers.iter().any(|(_, body)| body.contains("\"User\":\"root\"")));
    for (path, body) in answers {
        assert!(!body.contains("correct-horse"), "{path}: {body}");
    }
}
