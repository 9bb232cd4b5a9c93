//! The OpenAPI documents as they are served: those that are checked in, and true about who needs a token.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Cluster, DEADLINE, get, repository, send};

const NAMES: [&str; 3] = ["smd", "bss", "cloud-init"];

/// Set to `1` to write the documents in `docs/openapi` anew.
const WRITE: &str = "OCHAMI_SYNC_WRITE_OPENAPI";

#[test]
fn the_documents_are_served_to_everybody_and_are_those_that_are_checked_in() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&[]);
    for name in NAMES {
        let answer = get(&format!("{}/openapi/{name}.json", serving.api));
        assert_eq!((answer.status, answer.kind.as_str()), (200, "application/json"), "{name}");
        let path = repository().join(format!("docs/openapi/{name}.json"));
        if std::env::var_os(WRITE).is_some_and(|value| value == "1") {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &answer.body).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == answer.body, "{} is another document; {WRITE}=1 writes it anew", path.display());
        assert_eq!(get(&format!("{}/openapi/{name}.json", serving.boot)).status, 404, "the boot listener has none");
    }
    assert_eq!(get(&format!("{}/openapi/other.json", serving.api)).status, 404);
}

/// What anybody may do with tokens asked for: what nodes ask for and say at their boot, what boot services read at their
/// start, what services say of themselves, and whether they are alive.
const OPEN: &[&str] = &[
    "get /boot/v1/bootscript",
    "get /boot/v1/service/hsm",
    "get /boot/v1/service/status",
    "get /boot/v1/service/status/all",
    "get /boot/v1/service/storage/status",
    "get /boot/v1/service/version",
    "get /cloud-init",
    "get /cloud-init/meta-data",
    "get /cloud-init/network-config",
    "get /cloud-init/openapi.json",
    "get /cloud-init/user-data",
    "get /cloud-init/vendor-data",
    "get /cloud-init/version",
    "get /cloud-init/{name}",
    "get /cloud-init/{name}/meta-data",
    "get /cloud-init/{name}/user-data",
    "get /cloud-init/{name}/vendor-data",
    "get /hsm/v2/Inventory/EthernetInterfaces",
    "get /hsm/v2/State/Components",
    "get /hsm/v2/service/liveness",
    "get /hsm/v2/service/ready",
    "get /hsm/v2/service/values",
    "get /hsm/v2/service/values/{field}",
    "post /cloud-init/phone-home",
    "post /cloud-init/phone-home/{id}",
];

#[test]
fn whatever_is_not_meant_for_everybody_takes_a_token() {
    let cluster = Cluster::demo();
    let serving = cluster.serve(&[]);
    let token = cluster.run(&["token"]).expect(0).stdout;
    let sender = Sender::new();
    let mut open = BTreeSet::new();
    for name in NAMES {
        let document = get(&format!("{}/openapi/{name}.json", serving.api)).json();
        for operation in operations(&document) {
            let sent = |authorization: Option<&str>| {
                let url = format!("{}{}", serving.api, operation.sample);
                sender.status(&operation.method.to_uppercase(), url, authorization, operation.body.as_deref())
            };
            let name = format!("{} {}", operation.method, operation.path);
            assert_eq!(sent(None) == 401, operation.asks, "{name}");
            for forged in ["Bearer x", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.", "Basic cm9vdDpyb290"] {
                assert_eq!(sent(Some(forged)) == 401, operation.asks, "{name} with {forged}");
            }
            let bearer = format!("Bearer {}", token.trim());
            let status = sent(Some(&bearer));
            assert!(status != 401 && status < 500, "{name} with a token: {status}");
            if !operation.asks {
                open.insert(name);
            }
        }
    }
    assert_eq!(open, OPEN.iter().map(|name| (*name).to_owned()).collect());
}

/// One client for many requests: making one takes longer than all of them.
struct Sender {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Sender {
    fn new() -> Self {
        ochami_sync::server::common::tls::install_provider();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, client: reqwest::Client::builder().timeout(DEADLINE).build().unwrap() }
    }

    fn status(&self, method: &str, url: String, authorization: Option<&str>, body: Option<&str>) -> u16 {
        let mut request = self.client.request(method.parse().unwrap(), url);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        if let Some(body) = body {
            request = request.body(body.to_owned());
        }
        // Only within the runtime can a request be made ready to be sent.
        self.runtime.block_on(async { request.send().await }).unwrap().status().as_u16()
    }
}

struct Operation {
    method: String,
    path: String,
    sample: String,
    body: Option<String>,
    asks: bool,
}

/// The operations of a document at its first server.
fn operations(document: &Value) -> Vec<Operation> {
    let server = document["servers"][0]["url"].as_str().unwrap().trim_end_matches('/');
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let mut sample = format!("{server}{path}");
        for parameter in item["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            sample = sample.replace(&format!("{{{name}}}"), parameter["example"].as_str().unwrap());
        }
        for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
            let security = operation["security"].as_array().unwrap();
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            found.push(Operation {
                method: method.clone(),
                path: format!("{server}{path}"),
                sample: sample.clone(),
                body: (!example.is_null()).then(|| example.to_string()),
                asks: !security.is_empty() && !security.contains(&json!({})),
            });
        }
    }
    assert!(!found.is_empty());
    found
}

#[test]
fn a_write_of_50_000_components_members_or_hosts_happens_whole_or_not_at_all() {
    let cluster = Cluster::demo();
    let serving = cluster.serve_with(&["--auth", "none"], &[("OCHAMI_SYNC_INSECURE", "1")]);
    let url = format!("{}/hsm/v2/State/Components", serving.api);
    let mut nodes: Vec<Value> = (0..50_000)
        .map(|n| json!({"ID": format!("x{}c{}s{}b0n{}", 1 + n / 4096, n / 512 % 8, n / 8 % 64, n % 8), "State": "On", "NID": n + 1}))
        .collect();
    let count = || get(&format!("{url}?type=Node")).json()["Components"].as_array().unwrap().len();
    let before = count();
    nodes.push(json!({"ID": "x1c0s0b0n9", "State": "Nonsense"}));
    let refused = send("POST", &url, &[], Some(&json!({"Components": nodes}).to_string()));
    assert_eq!((refused.status, count()), (400, before), "{}", refused.body);
    nodes.pop();
    let stored = send("POST", &url, &[], Some(&json!({"Components": nodes}).to_string()));
    assert_eq!((stored.status, count()), (204, before + 50_000), "{}", stored.body);
    let ids: Vec<&str> = nodes.iter().map(|node| node["ID"].as_str().unwrap()).collect();
    let patch = |ids: &[&str]| {
        let body = json!({"ComponentIDs": ids, "Flag": "Warning"}).to_string();
        send("PATCH", &format!("{url}/BulkFlagOnly"), &[], Some(&body)).status
    };
    let flagged = || get(&format!("{url}?flag=Warning")).json()["Components"].as_array().unwrap().len();
    assert_eq!((patch(&[ids.as_slice(), &["no xname"]].concat()), flagged()), (400, 0));
    assert_eq!((patch(&ids), flagged()), (204, 50_000));

    let groups = format!("{}/hsm/v2/groups", serving.api);
    let group = |ids: &[&str]| {
        let body = json!({"label": "whole", "members": {"ids": ids}}).to_string();
        send("POST", &groups, &[], Some(&body)).status
    };
    let members = || get(&format!("{groups}/whole/members")).json()["ids"].as_array().map_or(0, Vec::len);
    assert_eq!((group(&[ids.as_slice(), &["no xname"]].concat()), members()), (400, 0));
    assert_eq!((group(&ids), members()), (201, 50_000));

    let parameters = format!("{}/boot/v1/bootparameters", serving.api);
    let put = |ids: &[&str]| {
        let body = json!({"hosts": ids, "kernel": "http://172.16.0.254/vmlinuz"}).to_string();
        send("PUT", &parameters, &[], Some(&body)).status
    };
    let boots = |id: &str| get(&format!("{parameters}?name={id}")).body.contains("vmlinuz");
    assert_eq!((put(&[ids.as_slice(), &["no host"]].concat()), boots(ids[0])), (400, false));
    assert_eq!((put(&ids), boots(ids[0]), boots(ids[49_999])), (200, true, true));
}
