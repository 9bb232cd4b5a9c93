use super::*;
use crate::model::{Group, ObjectKey};
use crate::server::common::{Endpoint, LocalAddr};

/// As [`super::store`], with the node in the group `compute` and nothing of the tutorial's form.
async fn plain_store() -> Store {
    let store = Store::in_memory();
    change(&store, Change::Put(Object::Component(Arc::new(Component::bare("x1000c1s7b0n0".parse().unwrap()))))).await;
    let interface = EthernetInterface {
        mac: "ec:e7:a7:05:a1:00".parse().unwrap(),
        description: String::new(),
        last_update: Timestamp(0),
        component_id: Some("x1000c1s7b0n0".parse().unwrap()),
        ip_addresses: vec![IpAddress { ip: IP.parse().unwrap(), network: String::new() }],
    };
    change(&store, Change::Put(Object::EthernetInterface(Arc::new(interface)))).await;
    let group = Group {
        label: "compute".parse().unwrap(),
        description: String::new(),
        tags: Vec::new(),
        exclusive_group: None,
        members: ["x1000c1s7b0n0".parse().unwrap()].into_iter().collect(),
    };
    change(&store, Change::Put(Object::Group(Arc::new(group)))).await;
    store
}

async fn change(store: &Store, change: Change) {
    let decide = move |_: &_| Ok::<_, ()>(Decision::new((), vec![change]));
    store.write(Author("test".into()), decide).await.unwrap();
}

async fn get_text(router: &Router, path: &str) -> (StatusCode, String) {
    let response = send(router, "GET", path, "").await;
    (response.status(), text(response).await)
}

#[tokio::test]
async fn a_node_without_entries_of_the_tutorials_form_is_told_in_todays_on_both_roles() {
    let store = plain_store().await;
    let file = r##"{"name":"compute","file":{"content":"#cloud-config\na: 1\n"}}"##;
    assert_eq!(send(&api(store.clone()), "POST", "/cloud-init/admin/groups", file).await.status(), StatusCode::CREATED);
    for router in [boot(&store), api(store)] {
        let node = from(router.clone(), IP).layer(Extension(LocalAddr("172.16.0.254".parse().unwrap())));
        assert_eq!(get_text(&node, "/cloud-init/user-data").await.1, "#cloud-config");
        let meta = send(&node, "GET", "/cloud-init/meta-data", "").await;
        assert_eq!(meta.headers()[header::CONTENT_TYPE], "application/x-yaml");
        assert!(text(meta).await.starts_with("instance-id: i-"));
        let vendor = get_text(&node, "/cloud-init/vendor-data").await.1;
        assert_eq!(vendor, "#include\nhttp://172.16.0.254:8081/cloud-init/compute.yaml\n");
        assert_eq!(get_text(&node, "/cloud-init/compute.yaml").await.1, "#cloud-config\na: 1\n");
        assert_eq!(get_text(&node, "/cloud-init/gpu.yaml").await.0, StatusCode::NOT_FOUND);
        assert_eq!(
            get_text(&node, "/cloud-init/network-config").await,
            (StatusCode::OK, "version: 2\nethernets: {}\n".to_owned())
        );
        assert_eq!(send(&node, "HEAD", "/cloud-init/meta-data", "").await.status(), StatusCode::METHOD_NOT_ALLOWED);

        let stranger = from(router, "172.16.0.250");
        assert_eq!(get_text(&stranger, "/cloud-init/user-data").await, (StatusCode::OK, "#cloud-config".to_owned()));
        for document in ["meta-data", "vendor-data"] {
            let answer = get_text(&stranger, &format!("/cloud-init/{document}")).await;
            assert_eq!(answer, (StatusCode::UNPROCESSABLE_ENTITY, String::new()));
        }
        assert_eq!(get_text(&stranger, "/cloud-init/compute.yaml").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn whoever_has_an_interface_and_is_no_component_has_no_groups_and_no_meta_data() {
    let store = plain_store().await;
    change(&store, Change::Delete(ObjectKey::component(&"x1000c1s7b0n0".parse().unwrap()))).await;
    for router in [boot(&store), api(store)] {
        let node = from(router, IP);
        assert_eq!(get_text(&node, "/cloud-init/user-data").await, (StatusCode::OK, "#cloud-config".to_owned()));
        assert_eq!(get_text(&node, "/cloud-init/vendor-data").await, (StatusCode::OK, "#include\n".to_owned()));
        for document in ["meta-data", "compute.yaml"] {
            let (status, text) = get_text(&node, &format!("/cloud-init/{document}")).await;
            assert_eq!((status, text.contains("x1000c1s7b0n0")), (StatusCode::NOT_FOUND, true), "{document}: {text}");
        }
    }
}

#[tokio::test]
async fn defaults_are_laid_over_those_that_are_kept() {
    let store = plain_store().await;
    let router = api(store.clone());
    let path = "/cloud-init/admin/cluster-defaults";
    let revision = store.snapshot().revision;
    assert_eq!(get_text(&router, path).await.1, "{}");
    assert_eq!(send(&router, "POST", path, "{}").await.status(), StatusCode::CREATED);
    assert_eq!(store.snapshot().revision, revision, "what gives nothing writes nothing");
    for body in [r#"{"short-name":"nid","region":"r"}"#, r#"{"short-name":"de","nid-length":3}"#] {
        let response = send(&router, "POST", path, body).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(text(response).await, "");
    }
    assert_eq!(get_text(&router, path).await.1, r#"{"region":"r","short-name":"de","nid-length":3}"#);
    for body in ["{", "", "[]", r#"{"nid-length":"3"}"#, r#"{"nid-length":-1}"#] {
        let refused = send(&router, "POST", path, body).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{body}");
        let silent = text(refused).await.is_empty();
        assert_eq!(silent, !body.contains("-1"), "{body}: only what JSON cannot tell is told in words");
    }
    for method in ["PUT", "DELETE", "PATCH", "HEAD"] {
        let response = send(&router, method, path, "{}").await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
}

#[tokio::test]
async fn groups_are_created_replaced_and_deleted() {
    let router = api(plain_store().await);
    let (all, one) = ("/cloud-init/admin/groups", "/cloud-init/admin/groups/compute");
    assert_eq!(get_text(&router, all).await, (StatusCode::OK, "{}".to_owned()));
    assert_eq!(get_text(&router, one).await.0, StatusCode::NOT_FOUND);
    let created = send(&router, "POST", all, r#"{"name":"compute","description":"C"}"#).await;
    assert_eq!(
        (created.status(), &created.headers()[header::LOCATION]),
        (StatusCode::CREATED, &"/groups/compute".parse().unwrap())
    );
    assert_eq!(send(&router, "POST", all, r#"{"name":"compute"}"#).await.status(), StatusCode::CONFLICT);
    let shown = r#"{"name":"compute","description":"C","file":{"content":"","filename":""}}"#;
    assert_eq!(get_text(&router, one).await.1, shown);
    assert_eq!(get_text(&router, all).await.1, format!(r#"{{"compute":{shown}}}"#));
    let replaced = send(&router, "PUT", one, r#"{"name":"compute"}"#).await;
    assert_eq!(
        (replaced.status(), &replaced.headers()[header::LOCATION]),
        (StatusCode::CREATED, &"/groups/compute".parse().unwrap())
    );
    assert!(!get_text(&router, one).await.1.contains("description"));
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    for (method, path, body, status) in [
        ("POST", all, "{", unprocessable),
        ("POST", all, r#"{"description":"x"}"#, unprocessable),
        ("POST", all, r#"{"name":"a/b"}"#, unprocessable),
        ("POST", all, r#"{"name":"b","file":{"content":"@","encoding":"base64"}}"#, unprocessable),
        ("PUT", one, "{}", unprocessable),
        ("PUT", one, r#"{"name":"other"}"#, StatusCode::BAD_REQUEST),
        ("PATCH", one, "{}", StatusCode::METHOD_NOT_ALLOWED),
        ("DELETE", one, "", StatusCode::OK),
        ("DELETE", one, "", StatusCode::OK),
        ("GET", one, "", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(send(&router, method, path, body).await.status(), status, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn an_instance_is_kept_for_a_component_that_smd_knows() {
    let store = plain_store().await;
    let router = api(store.clone());
    let put = async |id: &str, body: &str| {
        send(&router, "PUT", &format!("/cloud-init/admin/instance-info/{id}"), body).await.status()
    };
    assert_eq!(
        put("X1000C1S7B0N0", r#"{"id":"x1000c1s7b0n0","hostname":"h","region":"r"}"#).await,
        StatusCode::CREATED
    );
    assert_eq!(put("x1000c1s7b0n0", "null").await, StatusCode::CREATED);
    assert_eq!(put("x1000c1s7b0n0", r#"{"hostname":"h"}"#).await, StatusCode::CREATED);
    let snapshot = store.snapshot();
    let kept = &snapshot.boot.instances[&"x1000c1s7b0n0".parse::<crate::model::Xname>().unwrap()];
    assert_eq!((&*kept.hostname, &*kept.region), ("h", ""), "what is not given is gone");
    for (id, body, status) in [
        ("x9c0s0b0n0", "{}", StatusCode::NOT_FOUND),
        ("foo", "{}", StatusCode::BAD_REQUEST),
        ("x1000c1s7b0n0", r#"{"id":"x1000c1s7b1n0"}"#, StatusCode::BAD_REQUEST),
        ("x1000c1s7b0n0", "{", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(put(id, body).await, status, "{id} {body}");
    }
    let get = send(&router, "GET", "/cloud-init/admin/instance-info/x1000c1s7b0n0", "").await;
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn an_impersonation_shows_what_the_node_is_told_by_its_address() {
    for store in [store().await, plain_store().await] {
        let router = from(api(store), IP);
        for document in ["user-data", "meta-data", "vendor-data", "compute.yaml", "nope.yaml"] {
            let by_address = get_text(&router, &format!("/cloud-init/{document}")).await;
            for id in ["x1000c1s7b0n0", "X1000C1S7B0N0"] {
                let shown = get_text(&router, &format!("/cloud-init/admin/impersonation/{id}/{document}")).await;
                assert_eq!(shown, by_address, "{id} {document}");
            }
            for id in ["x9c0s0b0n0", "foo", "x1000c1s7b0"] {
                let path = format!("/cloud-init/admin/impersonation/{id}/{document}");
                assert_eq!(get_text(&router, &path).await.0, StatusCode::NOT_FOUND, "{path}");
            }
        }
        let nothing = get_text(&router, "/cloud-init/admin/impersonation/x1000c1s7b0n0/network-config").await;
        assert_eq!(nothing.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_phone_home_counts_when_it_comes_from_the_node() {
    for named in ["/x1000c1s7b0n0", ""] {
        phone_home_counts(named).await;
    }
}

async fn phone_home_counts(named: &str) {
    let (store, accesses) = (plain_store().await, Accesses::default());
    let router = boot_routes(store.boot_views(), Arc::new(settings()), accesses.clone());
    let call = async |router: &Router, id: &str| {
        let path = format!("/cloud-init/phone-home{id}");
        let answer = send(router, "POST", &path, "hostname=nid1&fqdn=nid1.demo").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(text(answer).await, "");
        accesses.all(&store.snapshot())
    };
    let node = from(router.clone(), IP);
    assert!(call(&from(router, "172.16.0.9"), named).await.is_empty());
    assert!(call(&node, "/x1000c1s7b1n0").await.is_empty());
    let seen = call(&node, named).await;
    assert_eq!((&*seen[0].name, &*seen[0].endpoint), ("x1000c1s7b0n0", Endpoint::PhoneHome.as_str()));
    let path = format!("/cloud-init/phone-home{named}");
    assert_eq!(send(&node, "GET", &path, "").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(send(&node, "POST", &path, &"a".repeat(100_000)).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_service_tells_its_version_and_its_routes() {
    let router = api(plain_store().await);
    let version = get_text(&router, "/cloud-init/version").await.1;
    let version: serde_json::Value = serde_json::from_str(&version).unwrap();
    assert_eq!(version["build_info"], format!("Version: {}", env!("CARGO_PKG_VERSION")));
    let document = get_text(&router, "/cloud-init/openapi.json").await.1;
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    // A route of the document that is none would not answer with what the document says.
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path.replace("{group}", "compute").replace("{id}", "x1000c1s7b0n0");
        for (method, operation) in methods.as_object().unwrap() {
            let response = send(&router, &method.to_uppercase(), &format!("/cloud-init{path}"), "{}").await;
            let status = response.status().as_u16().to_string();
            assert!(operation["responses"].get(&status).is_some(), "{method} {path} answers {status}");
        }
    }
}
