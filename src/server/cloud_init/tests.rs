use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use tower::ServiceExt;

use super::*;
use crate::model::{Component, EthernetInterface, IpAddress, Object, Timestamp};
use crate::server::common::ClientAddr;
use crate::snapshot::Change;
use crate::store::{Author, Decision};

const IP: &str = "172.16.0.1";

/// A store with node x1000c1s7b0n0 at 172.16.0.1 and an entry for it on each shelf.
async fn store() -> Store {
    let store = Store::in_memory();
    let node = Component::bare("x1000c1s7b0n0".parse().unwrap());
    let interface = EthernetInterface {
        mac: "ec:e7:a7:05:a1:00".parse().unwrap(),
        description: String::new(),
        last_update: Timestamp(0),
        component_id: Some(node.id.clone()),
        ip_addresses: vec![IpAddress { ip: IP.parse().unwrap(), network: String::new() }],
    };
    let objects = [Object::Component(Arc::new(node)), Object::EthernetInterface(Arc::new(interface))];
    let decide = move |_: &_| Ok::<_, ()>(Decision::new((), objects.into_iter().map(Change::Put).collect()));
    store.write(Author("test".into()), decide).await.unwrap();
    let router = api(store.clone());
    for (path, value) in [("/cloud-init", "open"), ("/cloud-init-secure", "hunter2")] {
        let body = format!(r#"{{"name":"x1000c1s7b0n0","cloud-init":{{"userdata":{{"k":"{value}"}}}}}}"#);
        assert_eq!(send(&router, "POST", path, &body).await.status(), StatusCode::OK);
    }
    store
}

fn api(store: Store) -> Router {
    routes(CloudInitState { store, settings: Arc::new(settings()), accesses: Accesses::default() })
}

fn boot(store: &Store) -> Router {
    boot_routes(store.boot_views(), Arc::new(settings()), Accesses::default())
}

fn settings() -> CloudInitSettings {
    CloudInitSettings { boot_port: 8081, ..CloudInitSettings::default() }
}

async fn send(router: &Router, method: &str, path: &str, body: &str) -> Response {
    let request = Request::builder().method(method).uri(path).body(Body::from(body.to_owned())).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

fn from(router: Router, address: &str) -> Router {
    router.layer(Extension(ClientAddr(address.parse::<IpAddr>().unwrap())))
}

#[tokio::test]
async fn a_node_is_told_its_own_documents_by_its_address() {
    let store = store().await;
    for router in [boot(&store), api(store)] {
        for address in [IP, "::ffff:172.16.0.1"] {
            let response = send(&from(router.clone(), address), "GET", "/cloud-init/user-data", "").await;
            assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
            assert_eq!(text(response).await, "#cloud-config\nk: open\n", "{address}");
        }
        for router in [router.clone(), from(router, "172.16.0.2")] {
            let response = send(&router, "GET", "/cloud-init/meta-data", "").await;
            assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!(text(response).await, "");
        }
    }
}

#[tokio::test]
async fn the_boot_role_knows_no_names_no_lists_and_no_secrets() {
    let router = from(boot(&store().await), IP);
    for path in [
        "/cloud-init",
        "/cloud-init/",
        "/cloud-init/x1000c1s7b0n0",
        "/cloud-init/x1000c1s7b0n0/user-data",
        "/cloud-init/admin",
        "/cloud-init/admin/groups",
        "/cloud-init/admin/cluster-defaults",
        "/cloud-init/admin/impersonation/x1000c1s7b0n0/user-data",
        "/cloud-init-secure",
        "/cloud-init-secure/user-data",
        "/cloud-init-secure/x1000c1s7b0n0/user-data",
    ] {
        assert_eq!(send(&router, "GET", path, "").await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        let status = send(&router, method, "/cloud-init/user-data", "{}").await.status();
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn the_two_stores_do_not_mix() {
    let router = from(api(store().await), IP);
    for path in ["user-data", "x1000c1s7b0n0/user-data", "ec-e7-a7-05-a1-00/user-data"] {
        let open = text(send(&router, "GET", &format!("/cloud-init/{path}"), "").await).await;
        assert_eq!(open, "#cloud-config\nk: open\n");
        let secure = text(send(&router, "GET", &format!("/cloud-init-secure/{path}"), "").await).await;
        assert_eq!(secure, "#cloud-config\nk: hunter2\n");
    }
    for path in ["/cloud-init", "/cloud-init/x1000c1s7b0n0"] {
        assert!(!text(send(&router, "GET", path, "").await).await.contains("hunter2"));
    }
}

#[tokio::test]
async fn odd_requests_are_refused_in_plain_text() {
    let router = api(store().await);
    for (method, path, body, status) in [
        ("POST", "/cloud-init", "{", StatusCode::BAD_REQUEST),
        ("POST", "/cloud-init", "[]", StatusCode::BAD_REQUEST),
        ("POST", "/cloud-init", r#"{"cloud-init":{}}"#, StatusCode::BAD_REQUEST),
        ("POST", "/cloud-init", r#"{"name":"a","cloud-init":{"userdata":"text"}}"#, StatusCode::BAD_REQUEST),
        ("POST", "/cloud-init-secure", r#"{"name":"user-data"}"#, StatusCode::BAD_REQUEST),
        (
            "POST",
            "/cloud-init-secure",
            r#"{"name":"x1000c1s7b0n0","cloud-init":{"userdata":{}}}"#,
            StatusCode::CONFLICT,
        ),
        ("PUT", "/cloud-init/nope", "{}", StatusCode::NOT_FOUND),
        ("PUT", "/cloud-init/x1000c1s7b0n0", r#"{"name":"other"}"#, StatusCode::BAD_REQUEST),
        ("PUT", "/cloud-init/x1000c1s7b0n0", "", StatusCode::BAD_REQUEST),
        ("GET", "/cloud-init/%ff", "", StatusCode::BAD_REQUEST),
        ("GET", "/cloud-init/a%2Fb", "", StatusCode::NOT_FOUND),
        ("GET", "/cloud-init/x1000c1s7b0n0/other", "", StatusCode::NOT_FOUND),
        ("GET", "/cloud-init/x1000c1s7b0n0/user-data/more", "", StatusCode::NOT_FOUND),
    ] {
        let response = send(&router, method, path, body).await;
        assert_eq!(response.status(), status, "{method} {path} {body}");
        let media_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
        assert!(media_type.starts_with("text/plain"), "{method} {path}: {media_type}");
    }
    for (method, path) in [
        ("PATCH", "/cloud-init/x1000c1s7b0n0"),
        ("HEAD", "/cloud-init"),
        ("HEAD", "/cloud-init-secure/x1000c1s7b0n0"),
        ("HEAD", "/cloud-init-secure/x1000c1s7b0n0/user-data"),
    ] {
        assert_eq!(send(&router, method, path, "").await.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
}

mod today;

#[test]
fn only_reads_of_the_open_store_are_open() {
    assert!(access(&Method::POST, "/cloud-init/phone-home/x1000c1s7b0n0"));
    for path in ["/cloud-init/admin", "/cloud-init/admin/groups", "/cloud-init/admin/impersonation/x1/user-data"] {
        assert!(!access(&Method::GET, path), "{path}");
        assert!(!access(&Method::HEAD, path), "{path}");
    }
    for path in ["/cloud-init", "/cloud-init/", "/cloud-init/compute", "/cloud-init/user-data", "/cloud-init/g.yaml"] {
        assert!(access(&Method::GET, path), "{path}");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert!(!access(&method, path), "{method} {path}");
        }
    }
    for path in ["/cloud-init-secure", "/cloud-init-secure/compute/user-data", "/cloud-initx", "/boot/v1", "/"] {
        assert!(!access(&Method::GET, path), "{path}");
    }
}
