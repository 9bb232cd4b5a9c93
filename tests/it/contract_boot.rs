//! What BSS and the tutorial's cloud-init answered in recorded sessions, and what we answer.
//!
//! SMD's part of a session is not replayed: what its requests would have stored is put into the store directly.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use axum::{Extension, Router};
use ochami_sync::boot::ScriptSettings;
use ochami_sync::model::{Component, EthernetInterface, Group, IpAddress, MacAddr, Nid, Object, Timestamp, Xname};
use ochami_sync::server::common::ClientAddr;
use ochami_sync::server::{bss, cloud_init};
use ochami_sync::snapshot::{Change, Snapshot};
use ochami_sync::store::{Author, Decision, Store};
use serde_json::Value;
use tower::ServiceExt;

use crate::replay::{Answer, Exchange, Verdict, session};

/// Where we answer otherwise on purpose: the line of the session, and why.
type Deliberate = &'static [(usize, &'static str)];

const NO_NEGATIVE_NID: &str = "no node can have NID -1, so parameters under it are refused";
const ANY_SPELLING: &str = "a booting node is known by its MAC address in any spelling";
const ANY_KEY: &str = "parameters are found however they are stored and however the node asks";
const LATER: &str = "this route is not served";

#[tokio::test]
async fn boot_parameters_agree_with_bss() {
    let deliberate: Deliberate = &[
        (39, NO_NEGATIVE_NID),
        (47, NO_NEGATIVE_NID),
        (53, NO_NEGATIVE_NID),
        (68, NO_NEGATIVE_NID),
        (70, NO_NEGATIVE_NID),
    ];
    replay("bss-bootparameters", deliberate).await;
}

#[tokio::test]
async fn boot_scripts_agree_with_bss() {
    let deliberate: Deliberate = &[
        (14, ANY_SPELLING),
        (15, ANY_SPELLING),
        (16, ANY_KEY),
        (17, ANY_KEY),
        (18, ANY_KEY),
        (26, ANY_KEY),
        (28, ANY_KEY),
        (30, ANY_KEY),
        (31, ANY_KEY),
        (67, LATER),
        (68, LATER),
        (69, LATER),
        (70, LATER),
        (71, LATER),
        (72, LATER),
        (73, LATER),
        (74, LATER),
        (75, LATER),
    ];
    replay("bss-bootscript-hosts", deliberate).await;
}

#[tokio::test]
async fn deletes_agree_with_bss() {
    replay("bss-delete", &[]).await;
}

#[tokio::test]
async fn entries_and_documents_agree_with_the_tutorials_cloud_init() {
    replay("cloud-init-legacy", &[]).await;
}

#[tokio::test]
async fn the_tutorials_own_requests_are_answered_as_they_were() {
    replay("tutorial-flow", &[(56, LATER)]).await;
}

#[tokio::test]
async fn the_boot_parameters_of_the_newer_client_are_answered_as_they_were() {
    replay("cli-2025-flow", &[]).await;
}

/// Replays the exchanges with BSS and the tutorial's cloud-init; exactly the deliberate ones may differ.
async fn replay(name: &str, deliberate: Deliberate) {
    let store = Store::in_memory();
    let router = router(store.clone());
    let (mut agreed, mut excused, mut differing) = (0, 0, Vec::new());
    for (line, exchange) in session(name) {
        if exchange.action.is_some() {
            continue;
        }
        match exchange.service.as_str() {
            "smd" => seed(&store, &exchange).await,
            "bss" | "cloud-init-legacy" => match exchange.judge(&send(&router, &exchange).await) {
                Verdict::Agrees => agreed += 1,
                Verdict::Excused => excused += 1,
                Verdict::Differs(how) => {
                    differing.push((line, format!("{} {}: {how}", exchange.method, exchange.path)))
                }
            },
            _ => {}
        }
    }
    let lines: Vec<usize> = differing.iter().map(|(line, _)| *line).collect();
    let expected: Vec<usize> = deliberate.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, expected, "{name}: {agreed} agree, {excused} defects excused, these differ: {differing:#?}");
}

fn router(store: Store) -> Router {
    let script = ScriptSettings {
        advertise_address: "172.16.0.254".to_owned(),
        chain_base_url: "https://demo.openchami.cluster/apis/bss".to_owned(),
        boot_port: 8081,
        retry_delay: 30,
        unknown_delay: 10,
    };
    let settings = Arc::new(bss::BssSettings { script: Arc::new(script), storage: "postgres" });
    bss::routes(bss::BssState { store: store.clone(), settings })
        .merge(cloud_init::routes(cloud_init::CloudInitState { store, settings: Arc::default() }))
        .layer(Extension(ClientAddr(IpAddr::V4(Ipv4Addr::LOCALHOST))))
}

/// Sends a request. The recorded BSS ran without authentication; where the recorded cloud-init wanted a token, one that
/// is not valid is turned away here, as the layer in front of the routes does.
async fn send(router: &Router, exchange: &Exchange) -> Answer {
    let query = exchange.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let request = Request::builder()
        .method(exchange.method.as_str())
        .uri(format!("{}{query}", exchange.path))
        .body(Body::from(exchange.body.clone().unwrap_or_default()))
        .unwrap();
    let open = cloud_init::access(request.method(), request.uri().path());
    if exchange.path.starts_with("/cloud-init-secure") && !open && exchange.token.as_deref() != Some("valid") {
        return Answer { status: 401, media_type: Some("text/plain".to_owned()), body: "no token".to_owned() };
    }
    let response = router.clone().oneshot(request).await.unwrap();
    let media_type = response.headers().get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    // A server sends no body in answer to HEAD.
    let body = if exchange.method == "HEAD" { String::new() } else { String::from_utf8(body.to_vec()).unwrap() };
    Answer { status, media_type, body }
}

/// Stores what a request to SMD creates, as far as BSS and cloud-init look at it.
async fn seed(store: &Store, exchange: &Exchange) {
    if exchange.method != "POST" {
        return;
    }
    let body: Value = serde_json::from_str(exchange.body.as_deref().unwrap()).unwrap();
    let path = exchange.path.clone();
    let decide = move |snapshot: &Snapshot| {
        let objects = match path.trim_start_matches("/hsm/v2/") {
            "State/Components" => list(&body["Components"]).iter().map(component).collect(),
            "Inventory/EthernetInterfaces" => {
                let address = &body["IPAddresses"][0]["IPAddress"];
                vec![interface(&body["MACAddress"], address, body["ComponentID"].as_str().unwrap())]
            }
            "Inventory/RedfishEndpoints" => systems(&body),
            "groups" => vec![group(body["label"].as_str().unwrap(), &body["members"]["ids"], None)],
            other => {
                let label = other.strip_prefix("groups/").and_then(|rest| rest.strip_suffix("/members")).unwrap();
                let old = snapshot.boot.groups.get(&label.parse::<ochami_sync::model::GroupLabel>().unwrap());
                vec![group(label, &Value::from(vec![body["id"].clone()]), old.map(|group| &**group))]
            }
        };
        Ok::<_, ()>(Decision::new((), objects.into_iter().map(Change::Put).collect()))
    };
    store.write(Author("smd".into()), decide).await.unwrap();
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn component(body: &Value) -> Object {
    let mut component = Component::bare(body["ID"].as_str().unwrap().parse().unwrap());
    component.state = Some(body["State"].as_str().unwrap().parse().unwrap());
    component.nid = body["NID"].as_u64().map(Nid).or_else(|| component.id.default_nid());
    Object::Component(Arc::new(component))
}

fn interface(mac: &Value, ip: &Value, component: &str) -> Object {
    let ip = ip.as_str().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap());
    Object::EthernetInterface(Arc::new(EthernetInterface {
        mac: mac.as_str().unwrap().parse::<MacAddr>().unwrap(),
        description: String::new(),
        last_update: Timestamp(0),
        component_id: Some(component.parse().unwrap()),
        ip_addresses: ip.map(|ip| IpAddress { ip, network: String::new() }).into_iter().collect(),
    }))
}

/// The interfaces of the systems behind a Redfish endpoint; SMD numbers the systems as they come.
fn systems(body: &Value) -> Vec<Object> {
    let bmc = body["ID"].as_str().unwrap();
    let systems = list(&body["Systems"]).iter().enumerate();
    let interfaces = systems.flat_map(|(number, system)| {
        let interfaces = list(&system["ethernet_interfaces"]).iter();
        interfaces.map(move |each| interface(&each["mac"], &each["ip"], &format!("{bmc}n{number}")))
    });
    interfaces.collect()
}

fn group(label: &str, ids: &Value, old: Option<&Group>) -> Object {
    let mut members = old.map(|group| group.members.clone()).unwrap_or_default();
    members.extend(list(ids).iter().map(|id| id.as_str().unwrap().parse::<Xname>().unwrap()));
    Object::Group(Arc::new(Group {
        label: label.parse().unwrap(),
        description: String::new(),
        tags: Vec::new(),
        exclusive_group: None,
        members,
    }))
}
