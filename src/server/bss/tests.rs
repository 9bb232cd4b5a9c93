use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use tower::ServiceExt;

use super::*;
use crate::model::{BootConfig, Component, EthernetInterface, Nid, Object, Timestamp};
use crate::snapshot::Change;
use crate::store::{Author, Decision};

fn settings() -> Arc<ScriptSettings> {
    Arc::new(ScriptSettings {
        advertise_address: "172.16.0.254".to_owned(),
        chain_base_url: "https://demo/apis/bss".to_owned(),
        boot_port: 8081,
        retry_delay: 30,
        unknown_delay: 10,
    })
}

fn api() -> Router {
    routes(state(Store::in_memory()))
}

fn state(store: Store) -> BssState {
    let settings = Arc::new(BssSettings { script: settings(), storage: "sqlite" });
    BssState { store, settings, accesses: Accesses::default() }
}

/// A store with the nodes 1 and 2, the first with an interface and boot parameters, and a BMC.
async fn store() -> Store {
    let store = Store::in_memory();
    let node = |id: &str, nid| Component { nid: Some(Nid(nid)), ..Component::bare(id.parse().unwrap()) };
    let interface = EthernetInterface {
        mac: "02:00:00:00:00:01".parse().unwrap(),
        description: String::new(),
        last_update: Timestamp(0),
        component_id: Some("x1000c1s7b0n0".parse().unwrap()),
        ip_addresses: Vec::new(),
    };
    let config = BootConfig { kernel: "http://k".into(), ..BootConfig::default() };
    let objects = [
        Object::Component(Arc::new(node("x1000c1s7b0n0", 1))),
        Object::Component(Arc::new(node("x1000c1s7b1n0", 2))),
        Object::Component(Arc::new(Component::bare("x1000c1s7b0".parse().unwrap()))),
        Object::EthernetInterface(Arc::new(interface)),
        Object::BootParams("mac:02:00:00:00:00:01".parse().unwrap(), Arc::new(config)),
    ];
    let decide = move |_: &_| Ok::<_, ()>(Decision::new((), objects.into_iter().map(Change::Put).collect()));
    store.write(Author("test".into()), decide).await.unwrap();
    store
}

async fn send(router: &Router, method: &str, path: &str, body: &str) -> Response {
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn both_prefixes_lead_to_the_same_store() {
    let router = api();
    let body = r#"{"macs":["02:00:00:00:00:01"],"kernel":"k"}"#;
    assert_eq!(send(&router, "POST", "/apis/bss/boot/v1/bootparameters", body).await.status(), StatusCode::CREATED);
    let list = text(send(&router, "GET", "/boot/v1/bootparameters", "").await).await;
    assert!(list.starts_with(r#"[{"macs":["02:00:00:00:00:01"],"kernel":"k","cloud-init":"#), "{list}");
}

#[tokio::test]
async fn a_path_that_is_not_served_says_so() {
    for path in ["/boot/v1", "/boot/v1/", "/boot/v1/nope", "/apis/bss/boot/v1/nope/x"] {
        let response = send(&api(), "GET", path, "").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"), "{path}");
    }
}

#[tokio::test]
async fn a_method_that_is_not_served_is_answered_with_those_that_are() {
    for (method, path, allow) in [
        ("HEAD", "/boot/v1/bootscript", "GET"),
        ("DELETE", "/boot/v1/bootscript", "GET"),
        ("HEAD", "/boot/v1/bootparameters", "GET,PUT,POST,PATCH,DELETE"),
        ("POST", "/boot/v1/service/status/all", "GET"),
        ("PUT", "/boot/v1/hosts", "GET,POST"),
        ("POST", "/boot/v1/dumpstate", "GET"),
        ("HEAD", "/boot/v1/endpoint-history", "GET"),
        ("GET", "/boot/v1/scn", "POST"),
    ] {
        let response = send(&api(), method, path, "").await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[header::ALLOW], allow);
    }
}

#[tokio::test]
async fn odd_requests_are_refused_without_half_a_write() {
    let router = api();
    let ok = r#""macs":["02:00:00:00:00:01"],"kernel":"k""#;
    let twisted = [
        format!("{{{ok},\"hosts\":[\"nope\"]}}"),
        format!("{{{ok},\"nids\":[1.5]}}"),
        format!("{{{ok}"),
        format!("[{{{ok}}}]"),
    ];
    for body in &twisted {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let response = send(&router, method, "/boot/v1/bootparameters", body).await;
            // To a PATCH a host that is none is one that has no parameters.
            let missing = method == "PATCH" && body.contains("nope");
            let expected = if missing { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
            assert_eq!(response.status(), expected, "{method} {body}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        }
    }
    let bytes = Request::post("/boot/v1/bootparameters").body(Body::from(vec![0xff, 0xfe])).unwrap();
    assert_eq!(router.clone().oneshot(bytes).await.unwrap().status(), StatusCode::BAD_REQUEST);
    for query in ["mac=%ff%fe", "mac=%zz", "name=%00", "nid=18446744073709551615&name=x", "mac=a%0Ab"] {
        let response = send(&router, "GET", &format!("/boot/v1/bootscript?{query}"), "").await;
        assert_eq!(response.status(), StatusCode::OK, "{query}");
        assert_eq!(text(response).await.lines().count(), 4, "{query}");
    }
    let too_great = send(&router, "GET", "/boot/v1/bootscript?nid=18446744073709551615", "").await;
    assert_eq!(too_great.status(), StatusCode::BAD_REQUEST);
    assert_eq!(text(send(&router, "GET", "/boot/v1/bootparameters", "").await).await, "null");
}

#[tokio::test]
async fn a_body_that_is_null_names_nothing() {
    for (method, status) in [("POST", 400), ("PUT", 400), ("PATCH", 404), ("DELETE", 200), ("GET", 400)] {
        assert_eq!(send(&api(), method, "/boot/v1/bootparameters", "null").await.status(), status, "{method}");
    }
}

#[tokio::test]
async fn the_numbers_of_a_query_may_have_the_prefix_of_a_base() {
    let router = routes(state(store().await));
    let script =
        async |query: &str| text(send(&router, "GET", &format!("/boot/v1/bootscript?{query}"), "").await).await;
    assert!(script("mac=02:00:00:00:00:01&retry=0x1f").await.contains("&retry=32\n"));
    assert!(script("nid=0x1&retry=010").await.contains("&retry=9\n"));
    assert!(script("nid=1&json=0x1").await.starts_with('{'));
}

#[tokio::test]
async fn the_boot_role_serves_scripts_and_nothing_else() {
    let router = boot_routes(Store::in_memory().boot_views(), settings(), Accesses::default());
    for prefix in PREFIXES {
        let script = text(send(&router, "GET", &format!("{prefix}/bootscript?mac=02:00:00:00:00:01"), "").await).await;
        assert!(script.starts_with("#!ipxe\nsleep 10\n"), "{script}");
        for path in ["bootparameters", "service/status", "hosts", "dumpstate", "endpoint-history", "scn"] {
            let status = send(&router, "GET", &format!("{prefix}/{path}"), "").await.status();
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}

#[tokio::test]
async fn the_boot_role_gives_scripts_by_mac_address_only_and_says_so() {
    let router = boot_routes(Store::in_memory().boot_views(), settings(), Accesses::default());
    for query in ["name=x1000c1s7b0n0", "nid=1", "nid=1&mac=", "name=x1000c1s7b0n0&nid=1&json=1"] {
        for prefix in PREFIXES {
            let response = send(&router, "GET", &format!("{prefix}/bootscript?{query}"), "").await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{query}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
            assert!(text(response).await.contains("by mac= only"), "{query}");
            let at_the_api = send(&api(), "GET", &format!("{prefix}/bootscript?{query}"), "").await;
            assert_ne!(at_the_api.status(), StatusCode::FORBIDDEN, "{query}");
        }
    }
    let by_mac = send(&router, "GET", "/boot/v1/bootscript?mac=02:00:00:00:00:01&nid=1", "").await;
    assert_eq!(by_mac.status(), StatusCode::OK);
}

#[tokio::test]
async fn health_is_told_with_the_storage_that_is_used() {
    let all = text(send(&api(), "GET", "/boot/v1/service/status/all", "").await).await;
    assert!(all.contains(r#""bss-storage-backend":{"name":"sqlite","status":"connected"}"#), "{all}");
    let version = text(send(&api(), "GET", "/boot/v1/service/version", "").await).await;
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
}

#[test]
fn only_scripts_and_health_are_open() {
    let open = |uri: &str| access(&Method::GET, &uri.parse().unwrap());
    for uri in [
        "/boot/v1/bootscript",
        "/apis/bss/boot/v1/bootscript?mac=02:00:00:00:00:01",
        "/boot/v1/bootscript?nid=1&mac=02:00:00:00:00:01",
        "/boot/v1/bootscript?nid=1",
        "/boot/v1/bootscript?mac=&name=x1000c1s7b0n0",
        "/boot/v1/service/status/all",
    ] {
        assert!(open(uri), "{uri}");
    }
    for path in [
        "/boot/v1/bootparameters",
        "/boot/v1",
        "/boot/v1/",
        "/boot/v1/dumpstate",
        "/boot/v1/hosts",
        "/boot/v1/endpoint-history",
        "/boot/v1/scn",
        "/boot/v1/bootscript/../bootparameters",
        "/x/boot/v1/bootscript",
        "/boot/v1bootscript",
        "/hsm/v2/service/ready",
    ] {
        assert!(!open(path), "{path}");
    }
}

#[tokio::test]
async fn hosts_are_the_nodes_of_smd_or_those_that_are_named() {
    let router = routes(state(store().await));
    let ids = async |query: &str| {
        let response = send(&router, "GET", &format!("/boot/v1/hosts{query}"), "").await;
        assert_eq!(response.status(), StatusCode::OK, "{query}");
        let hosts: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
        hosts.as_array().unwrap().iter().map(|host| host["ID"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (first, second) = ("x1000c1s7b0n0", "x1000c1s7b1n0");
    assert_eq!(ids("").await, [first, second]);
    assert_eq!(ids("?mac=").await, [first, second]);
    assert_eq!(ids("?mac=02:00:00:00:00:01").await, [first]);
    assert_eq!(ids("?name=x1000c1s7b1n0").await, [second]);
    assert_eq!(ids("?nid=2,0x1").await, [second, first]);
    for (query, status) in [
        ("mac=00:00:00:00:00:09", StatusCode::NOT_FOUND),
        ("name=x1000c1s7b0", StatusCode::NOT_FOUND),
        ("name=X1000C1S7B1N0", StatusCode::NOT_FOUND),
        ("mac=02:00:00:00:00:01,", StatusCode::NOT_FOUND),
        ("nid=1,", StatusCode::BAD_REQUEST),
        ("nid=1&nid=9", StatusCode::NOT_FOUND),
        ("nid=abc", StatusCode::BAD_REQUEST),
        ("nid=-1", StatusCode::NOT_FOUND),
        ("mac=02:00:00:00:00:03", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(send(&router, "GET", &format!("/boot/v1/hosts?{query}"), "").await.status(), status, "{query}");
    }
    assert_eq!(send(&router, "POST", "/boot/v1/hosts", "{}").await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_dump_has_the_nodes_and_all_boot_parameters() {
    let dump = text(send(&routes(state(store().await)), "GET", "/boot/v1/dumpstate", "").await).await;
    let dump: serde_json::Value = serde_json::from_str(&dump).unwrap();
    assert_eq!(dump["Components"].as_array().unwrap().len(), 2);
    assert_eq!(dump["Components"][0]["MAC"], serde_json::json!(["02:00:00:00:00:01"]));
    assert_eq!(dump["Params"][0]["kernel"], "http://k");
}

#[tokio::test]
async fn the_history_has_every_script_that_a_node_got_on_either_role() {
    let state = state(store().await);
    let api = routes(state.clone());
    let boot = boot_routes(state.store.boot_views(), settings(), state.accesses.clone());
    let history = async |query: &str| {
        let lines = text(send(&api, "GET", &format!("/boot/v1/endpoint-history{query}"), "").await).await;
        serde_json::from_str::<Vec<serde_json::Value>>(&lines).unwrap()
    };
    for query in ["nid=2", "mac=00:00:00:00:00:09", "nid=1&json=1"] {
        send(&api, "GET", &format!("/boot/v1/bootscript?{query}"), "").await;
    }
    assert!(history("").await.is_empty(), "nobody got a script");
    for router in [&api, &boot, &boot] {
        send(router, "GET", "/boot/v1/bootscript?mac=02:00:00:00:00:01", "").await;
    }
    let lines = history("").await;
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["name"], &lines[0]["endpoint"]), (&"x1000c1s7b0n0".into(), &"bootscript".into()));
    assert!(lines[0]["last_epoch"].as_i64().unwrap() > 1_600_000_000);
    assert_eq!(history("?name=x1000c1s7b0n0&endpoint=bootscript").await, lines);
    assert!(history("?name=x1000c1s7b1n0").await.is_empty());
    assert!(history("?endpoint=user-data").await.is_empty());
}

#[tokio::test]
async fn a_notice_of_a_change_is_taken_when_it_is_one() {
    for (body, status) in [
        (r#"{"Components":["x1000c1s7b0n0"],"State":"Ready"}"#, StatusCode::OK),
        ("{", StatusCode::BAD_REQUEST),
        ("[]", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(send(&api(), "POST", "/boot/v1/scn", body).await.status(), status, "{body}");
    }
}

#[tokio::test]
async fn parameters_for_many_nodes_are_kept_and_used() {
    let router = routes(state(store().await));
    for host in ["Default", "Global", "Storage", "Unknown-x86_64"] {
        let body = format!(r#"{{"hosts":["{host}"],"kernel":"http://{host}"}}"#);
        assert_eq!(send(&router, "POST", "/boot/v1/bootparameters", &body).await.status(), StatusCode::BAD_REQUEST);
        assert_eq!(send(&router, "PUT", "/boot/v1/bootparameters", &body).await.status(), StatusCode::OK);
        let found = text(send(&router, "GET", &format!("/boot/v1/bootparameters?name={host}"), "").await).await;
        assert!(found.contains(&format!(r#""hosts":["{host}"]"#)), "{found}");
    }
    let script =
        async |query: &str| text(send(&router, "GET", &format!("/boot/v1/bootscript?{query}"), "").await).await;
    assert!(script("nid=2").await.contains("kernel http://Default "));
    assert!(script("mac=00:00:00:00:00:09").await.contains("sleep 10"));
    assert!(script("mac=00:00:00:00:00:09&arch=x86_64").await.contains("kernel http://Unknown-x86_64 "));
}
