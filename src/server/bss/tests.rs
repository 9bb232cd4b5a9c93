use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use tower::ServiceExt;

use super::*;

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
    let settings = Arc::new(BssSettings { script: settings(), storage: "sqlite" });
    routes(BssState { store: Store::in_memory(), settings })
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
    for path in ["/boot/v1", "/boot/v1/", "/boot/v1/hosts", "/boot/v1/dumpstate", "/apis/bss/boot/v1/nope/x"] {
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
        ("HEAD", "/boot/v1/bootparameters", "GET,POST,PUT,PATCH,DELETE"),
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
        "null".to_owned(),
    ];
    for body in &twisted {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let response = send(&router, method, "/boot/v1/bootparameters", body).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{method} {body}");
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
async fn the_boot_role_serves_scripts_and_nothing_else() {
    let router = boot_routes(Store::in_memory().boot_views(), settings());
    for prefix in PREFIXES {
        let script = text(send(&router, "GET", &format!("{prefix}/bootscript?mac=02:00:00:00:00:01"), "").await).await;
        assert!(script.starts_with("#!ipxe\nsleep 10\n"), "{script}");
        for path in ["bootparameters", "service/status"] {
            let status = send(&router, "GET", &format!("{prefix}/{path}"), "").await.status();
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}

#[tokio::test]
async fn the_boot_role_gives_scripts_by_mac_address_only_and_says_so() {
    let router = boot_routes(Store::in_memory().boot_views(), settings());
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
        "/boot/v1/service/status/all",
    ] {
        assert!(open(uri), "{uri}");
    }
    for path in [
        "/boot/v1/bootparameters",
        "/boot/v1",
        "/boot/v1/",
        "/boot/v1/dumpstate",
        "/boot/v1/bootscript/../bootparameters",
        "/x/boot/v1/bootscript",
        "/boot/v1bootscript",
        "/hsm/v2/service/ready",
        "/boot/v1/bootscript?nid=1",
        "/boot/v1/bootscript?mac=&name=x1000c1s7b0n0",
    ] {
        assert!(!open(path), "{path}");
    }
}
