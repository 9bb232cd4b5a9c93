//! `Inventory/Discover` and `Inventory/DiscoveryStatus`.
//!
//! | route | methods |
//! |---|---|
//! | `Inventory/Discover` | POST |
//! | `Inventory/DiscoveryStatus` | GET |
//! | `Inventory/DiscoveryStatus/{id}` | GET |
//!
//! SMD crawls Redfish endpoints in the background when it is asked to. Nothing here does: endpoints come with what is
//! behind them from the inventory or from a client (`ochami discover static`, magellan). A request to discover is checked
//! and answered as SMD answers it, because clients ask after they have registered an endpoint and take an error for a
//! failure of that; the status stays at `NotStarted`, which is the truth.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::SmdState;
use super::answer::{self, Uri};
use super::request::PathOf;
use crate::model::{Timestamp, Xname};
use crate::server::common::only as resource;
use crate::server::common::{Problem, body};
use crate::wire::smd::format_time;

/// The routes of the table above, below `Inventory`.
pub(super) fn routes() -> Router<SmdState> {
    Router::new()
        .route("/Discover", resource("POST", post(discover)))
        .route("/DiscoveryStatus", resource("GET", get(list)))
        .route("/DiscoveryStatus/{id}", resource("GET", get(show)))
}

#[derive(Deserialize)]
struct DiscoverBody {
    xnames: Option<Vec<String>>,
    /// Start again what is under way. There never is anything, but it has to be true or false.
    #[serde(rename = "force")]
    _force: Option<bool>,
}

async fn discover(State(smd): State<SmdState>, body: Body) -> Result<Response, Problem> {
    let request: DiscoverBody = body::read_json(body).await?;
    let snapshot = smd.store.snapshot();
    let endpoints = &snapshot.redfish_endpoints;
    let named = request.xnames.unwrap_or_default();
    if named.is_empty() && endpoints.is_empty() {
        return Err(Problem::not_found("RedfishEndpoints collection is empty"));
    }
    let is_known = |text: &str| text.parse::<Xname>().is_ok_and(|id| endpoints.contains_key(&id));
    if let Some(unknown) = named.iter().find(|text| !is_known(text)) {
        return Err(Problem::not_found(format!("No such RedfishEndpoint: {unknown}")));
    }
    tracing::info!("a client asked for Redfish discovery, which is not done");
    Ok(answer::json(&[Uri::new("Inventory/DiscoveryStatus/0")]))
}

/// The one status that SMD has. Nothing has ever updated it.
fn status() -> Value {
    json!({"ID": 0, "Status": "NotStarted", "LastUpdateTime": format_time(Timestamp(0)), "Details": {}})
}

async fn list() -> Response {
    answer::json(&[status()])
}

async fn show(PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    match id.parse::<u32>() {
        Ok(0) => Ok(answer::json(&status())),
        Ok(_) => Err(Problem::not_found("no such DiscoveryStatus ID.")),
        Err(_) => Err(Problem::bad_request("DiscoveryStatus ID not an unsigned integer")),
    }
}
