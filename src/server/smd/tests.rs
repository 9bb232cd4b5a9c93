//! The router as a client meets it: routes, methods, refusals.

mod force;
mod hardware;
mod locks;
mod node_maps;
mod partitions;
mod patches;
mod power_maps;
mod queries;
mod redfish;
mod subscriptions;
mod writes;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{SmdState, access, routes};
use crate::server::common::not_found;
use crate::store::Store;

/// A router over a store of its own.
struct Smd {
    router: Router,
    store: Store,
}

struct Answer {
    status: StatusCode,
    media: String,
    allow: String,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Smd {
    fn new() -> Self {
        let store = Store::in_memory();
        Self { router: routes(SmdState { store: store.clone() }).fallback(not_found), store }
    }

    async fn ask(&self, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(format!("/hsm/v2/{path}")).body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let header = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let (media, allow) = (header(header::CONTENT_TYPE), header(header::ALLOW));
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, media, allow, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.ask(method, path, body.to_string()).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Four nodes, numbered from 1.
    async fn with_nodes() -> Self {
        let smd = Self::new();
        let nodes: Vec<_> =
            (0..4).map(|n| json!({"ID": format!("x1c0s0b0n{n}"), "State": "On", "NID": n + 1})).collect();
        assert_eq!(smd.send("POST", "State/Components", json!({"Components": nodes})).await.status, 204);
        smd
    }

    async fn ids(&self, query: &str) -> Vec<String> {
        let list = self.get(&format!("State/Components?{query}")).await;
        list["Components"].as_array().unwrap().iter().map(|c| c["ID"].as_str().unwrap()[8..].to_owned()).collect()
    }
}

/// Every route and its methods.
const ROUTES: &[(&str, &str)] = &[
    ("State/Components", "GET,POST,DELETE"),
    ("State/Components/x1c0s0b0n0", "GET,PUT,DELETE"),
    ("State/Components/ByNID/1", "GET"),
    ("State/Components/ByNID/Query", "POST"),
    ("State/Components/Query", "POST"),
    ("State/Components/Query/x1c0s0b0n0", "GET"),
    ("State/Components/x1c0s0b0n0/StateData", "PATCH"),
    ("State/Components/x1c0s0b0n0/FlagOnly", "PATCH"),
    ("State/Components/x1c0s0b0n0/Enabled", "PATCH"),
    ("State/Components/x1c0s0b0n0/SoftwareStatus", "PATCH"),
    ("State/Components/x1c0s0b0n0/Role", "PATCH"),
    ("State/Components/x1c0s0b0n0/NID", "PATCH"),
    ("State/Components/BulkStateData", "PATCH"),
    ("State/Components/BulkFlagOnly", "PATCH"),
    ("State/Components/BulkEnabled", "PATCH"),
    ("State/Components/BulkSoftwareStatus", "PATCH"),
    ("State/Components/BulkRole", "PATCH"),
    ("State/Components/BulkNID", "PATCH"),
    ("Inventory/RedfishEndpoints", "GET,POST,DELETE"),
    ("Inventory/RedfishEndpoints/x1c0s0b0", "GET,PUT,PATCH,DELETE"),
    ("Inventory/RedfishEndpoints/Query/x1c0s0b0", "GET"),
    ("Inventory/ComponentEndpoints", "GET,DELETE"),
    ("Inventory/ComponentEndpoints/x1c0s0b0n0", "GET,DELETE"),
    ("Inventory/EthernetInterfaces", "GET,POST,DELETE"),
    ("Inventory/EthernetInterfaces/020000000001", "GET,PATCH,DELETE"),
    ("Inventory/EthernetInterfaces/020000000001/IPAddresses", "GET,POST"),
    ("Inventory/EthernetInterfaces/020000000001/IPAddresses/10.0.0.1", "PATCH,DELETE"),
    ("groups", "GET,POST"),
    ("groups/labels", "GET,PATCH,DELETE"),
    ("groups/compute", "GET,PATCH,DELETE"),
    ("groups/compute/members", "GET,POST,PUT"),
    ("groups/compute/members/x1c0s0b0n0", "DELETE"),
    ("partitions", "GET,POST"),
    ("partitions/names", "GET"),
    ("partitions/p1", "GET,PATCH,DELETE"),
    ("partitions/p1/members", "GET,POST"),
    ("partitions/p1/members/x1c0s0b0n0", "DELETE"),
    ("memberships", "GET"),
    ("memberships/x1c0s0b0n0", "GET"),
    ("Defaults/NodeMaps", "GET,POST,DELETE"),
    ("Defaults/NodeMaps/x1c0s0b0n0", "GET,PUT,DELETE"),
    ("sysinfo/powermaps", "GET,POST,DELETE"),
    ("sysinfo/powermaps/x1c0s0b0n0", "GET,PUT,DELETE"),
    ("service/ready", "GET"),
    ("service/liveness", "GET"),
    ("service/values", "GET"),
    ("service/values/role", "GET"),
    ("Inventory/Hardware", "POST,GET,DELETE"),
    ("Inventory/Hardware/x1c0s0b0n0", "GET,DELETE"),
    ("Inventory/Hardware/Query/all", "GET"),
    ("Inventory/Hardware/History", "GET,DELETE"),
    ("Inventory/Hardware/History/x1c0s0b0n0", "GET,DELETE"),
    ("Inventory/HardwareByFRU", "GET,DELETE"),
    ("Inventory/HardwareByFRU/Node.HPE.1", "GET,DELETE"),
    ("Inventory/HardwareByFRU/History", "GET,DELETE"),
    ("Inventory/HardwareByFRU/History/Node.HPE.1", "GET,DELETE"),
    ("Inventory/ServiceEndpoints", "GET,DELETE"),
    ("Inventory/ServiceEndpoints/UpdateService", "GET"),
    ("Inventory/ServiceEndpoints/UpdateService/RedfishEndpoints/x1c0s0b0", "GET,DELETE"),
    ("Inventory/Discover", "POST"),
    ("Inventory/DiscoveryStatus", "GET"),
    ("Inventory/DiscoveryStatus/0", "GET"),
    ("locks/status", "POST,GET"),
    ("locks/lock", "POST"),
    ("locks/unlock", "POST"),
    ("locks/repair", "POST"),
    ("locks/disable", "POST"),
    ("locks/reservations", "POST"),
    ("locks/reservations/release", "POST"),
    ("locks/reservations/remove", "POST"),
    ("locks/service/reservations", "POST"),
    ("locks/service/reservations/release", "POST"),
    ("locks/service/reservations/renew", "POST"),
    ("locks/service/reservations/check", "POST"),
    ("Subscriptions/SCN", "GET,POST,DELETE"),
    ("Subscriptions/SCN/1", "GET,PUT,PATCH,DELETE"),
];

#[tokio::test]
async fn every_route_takes_its_methods_and_no_other() {
    let smd = Smd::new();
    for (path, methods) in ROUTES {
        // SMD tells of these lists only, and not of the group or the part that is called so.
        let is_list = ["groups/labels", "Inventory/HardwareByFRU/History"].contains(path);
        let told = if is_list { "GET" } else { *methods };
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
            let answer = smd.ask(method, path, "{}").await;
            if methods.split(',').any(|allowed| allowed == method) {
                assert_ne!(answer.status, 405, "{method} {path}");
            } else {
                assert_eq!(answer.status, 405, "{method} {path}");
                assert_eq!((answer.allow.as_str(), answer.media.as_str()), (told, "application/problem+json"));
            }
        }
    }
}

#[tokio::test]
async fn routes_that_are_not_built_say_so() {
    let smd = Smd::new();
    for path in ["nope", "State/Components/x1/Class", "service/values/colour", "service/values/Role"] {
        for method in ["GET", "HEAD", "PUT"] {
            let answer = smd.ask(method, path, "").await;
            let told = (answer.status.as_u16(), answer.media.as_str(), answer.allow.as_str());
            assert_eq!(told, (404, "text/plain; charset=utf-8", ""), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_the_clients_fault() {
    let smd = Smd::with_nodes().await;
    for (path, methods) in ROUTES {
        for method in methods.split(',').filter(|method| ["POST", "PUT", "PATCH"].contains(method)) {
            // Power maps come as a list.
            let list = if (method, *path) == ("POST", "sysinfo/powermaps") { "{}" } else { "[]" };
            for body in ["", "{", list, "\"x\"", "7", "{} {}"] {
                let answer = smd.ask(method, path, body).await;
                let refused = answer.status == 400 || (answer.status == 404 && path.contains("020000000001"));
                assert!(refused, "{method} {path} {body}: {} {}", answer.status, answer.text);
                assert_eq!(answer.media, "application/problem+json");
            }
            let answer = smd.ask(method, path, &b"{\"ID\":\"\xff\"}"[..]).await;
            assert!(answer.status.is_client_error(), "{method} {path}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn a_path_or_query_that_is_not_utf_8_is_the_clients_fault() {
    let smd = Smd::new();
    let answer = smd.ask("GET", "State/Components/%ff", "").await;
    assert_eq!((answer.status.as_u16(), answer.media.as_str()), (400, "application/problem+json"));
    assert!(smd.ask("GET", "State/Components?type=%ff", "").await.status.is_client_error());
}

#[test]
fn only_what_boot_services_read_at_their_start_is_open() {
    let open = |method: Method, path: &str| access(&method, path);
    assert!(open(Method::GET, "/hsm/v2/State/Components"));
    assert!(open(Method::GET, "/hsm/v2/Inventory/EthernetInterfaces"));
    assert!(open(Method::GET, "/hsm/v2/service/values/role"));
    assert!(!open(Method::POST, "/hsm/v2/State/Components"));
    assert!(!open(Method::GET, "/hsm/v2/State/Components/x1c0s0b0n0"));
    assert!(!open(Method::GET, "/hsm/v2/Inventory/RedfishEndpoints"));
    assert!(!open(Method::GET, "/hsm/v2/groups"));
    assert!(!open(Method::GET, "/other/service/ready"));
}
