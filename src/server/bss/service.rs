//! `/service/*`: health, in BSS's words. BSS sends these as text; here they are JSON by name, too.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::BssState;

pub(super) async fn status() -> Response {
    answer(&json!({"bss-status": "running"}))
}

pub(super) async fn all(State(state): State<BssState>) -> Response {
    // SMD is in this program and answers from the same snapshot, so it is always connected.
    let storage = backend(&state);
    answer(&json!({"bss-status": "running", "bss-status-hsm": "connected", "bss-storage-backend": storage}))
}

pub(super) async fn hsm() -> Response {
    answer(&json!({"bss-status-hsm": "connected"}))
}

pub(super) async fn storage(State(state): State<BssState>) -> Response {
    answer(&json!({"bss-storage-backend": backend(&state)}))
}

pub(super) async fn version() -> Response {
    answer(&json!({"bss-version": env!("CARGO_PKG_VERSION")}))
}

fn backend(state: &BssState) -> Value {
    json!({"name": state.settings.storage, "status": "connected"})
}

fn answer(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
