//! `version` and `openapi.json`: what the service says of itself, to anybody.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::node::get_only;
use crate::clock;
use crate::model::Timestamp;

pub(super) fn routes() -> Router {
    let started = clock::now();
    let version = async move || version(started, clock::now());
    Router::new()
        .route("/cloud-init/version", get_only(get(version)))
        .route("/cloud-init/openapi.json", get_only(get(openapi)))
}

/// Nobody is told without a token on which machine we run and how much memory we have, so those two are empty.
fn version(started: Timestamp, now: Timestamp) -> Response {
    let uptime = now.0.saturating_sub(started.0).max(0) / 1_000_000;
    let body = json!({
        "process_name": env!("CARGO_PKG_NAME"),
        "build_info": concat!("Version: ", env!("CARGO_PKG_VERSION")),
        "uptime": format!("{uptime}s"),
        "runtime_host": "",
        "bytes_allocated": 0,
    });
    ([(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

/// The original sends this as text.
async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], document().to_string()).into_response()
}

/// Path, methods with what they do, and the statuses that they answer with.
type Route = (&'static str, &'static [(&'static str, &'static str, &'static [u16])]);

/// Every route of today's cloud-init server.
const ROUTES: &[Route] = &[
    ("/user-data", &[("get", "The user-data of the node that asks", &[200])]),
    ("/meta-data", &[("get", "The meta-data of the node that asks", &[200, 422])]),
    ("/vendor-data", &[("get", "The vendor-data of the node that asks", &[200, 422])]),
    ("/{group}.yaml", &[("get", "The file of a group, for its members", &[200, 404, 422])]),
    ("/network-config", &[("get", "The network configuration, which is empty", &[200])]),
    ("/phone-home/{id}", &[("post", "A node's word that its cloud-init has ended", &[200])]),
    ("/version", &[("get", "The version of the service", &[200])]),
    ("/openapi.json", &[("get", "This document", &[200])]),
    (
        "/admin/cluster-defaults",
        &[("get", "The defaults of the cluster", &[200]), ("post", "Lay defaults over those kept", &[201, 400])],
    ),
    ("/admin/groups", &[("get", "All groups", &[200]), ("post", "Create a group", &[201, 409, 422])]),
    (
        "/admin/groups/{id}",
        &[
            ("get", "One group", &[200, 404]),
            ("put", "Create or replace a group", &[201, 400, 422]),
            ("delete", "Delete a group", &[200]),
        ],
    ),
    ("/admin/instance-info/{id}", &[("put", "Replace what is special about a node", &[201, 400, 404])]),
    ("/admin/impersonation/{id}/user-data", &[("get", "The user-data of a node", &[200, 404])]),
    ("/admin/impersonation/{id}/meta-data", &[("get", "The meta-data of a node", &[200, 404])]),
    ("/admin/impersonation/{id}/vendor-data", &[("get", "The vendor-data of a node", &[200, 404])]),
    ("/admin/impersonation/{id}/{group}.yaml", &[("get", "The file of one of a node's groups", &[200, 404])]),
];

fn document() -> Value {
    let paths = ROUTES.iter().map(|(path, methods)| {
        let operations = methods.iter().map(|(method, summary, statuses)| {
            let describe = |status: &u16| (status.to_string(), json!({"description": reason(*status)}));
            let responses: Value = statuses.iter().map(describe).collect();
            let operation = json!({"summary": summary, "parameters": parameters(path), "responses": responses});
            ((*method).to_owned(), operation)
        });
        ((*path).to_owned(), operations.collect::<Value>())
    });
    json!({
        "openapi": "3.0.3",
        "info": {"title": "cloud-init", "version": env!("CARGO_PKG_VERSION")},
        "servers": [{"url": "/cloud-init"}],
        "paths": paths.collect::<Value>(),
    })
}

fn reason(status: u16) -> &'static str {
    axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// The names between braces.
fn parameters(path: &str) -> Vec<Value> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    names.map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})).collect()
}
