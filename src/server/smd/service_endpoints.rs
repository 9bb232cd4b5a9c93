//! `Inventory/ServiceEndpoints`: the Redfish services (accounts, events, updates) behind each BMC.
//!
//! | route | methods |
//! |---|---|
//! | `Inventory/ServiceEndpoints` | GET DELETE |
//! | `Inventory/ServiceEndpoints/{service}` | GET |
//! | `Inventory/ServiceEndpoints/{service}/RedfishEndpoints/{xname}` | GET DELETE |
//!
//! SMD finds them when it crawls Redfish and takes them from nobody. Nothing here crawls Redfish, so there are none; the
//! routes say so as SMD says it of an empty collection.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use super::answer;
use super::query::{Pairs, alphanumeric};
use super::request::PathOf;
use super::{SmdState, components};
use crate::server::common::Problem;
use crate::server::common::only as resource;

/// The routes of the table above, below `Inventory`.
pub(super) fn routes() -> Router<SmdState> {
    Router::new()
        .route("/ServiceEndpoints", resource("GET,DELETE", get(list).delete(clear)))
        .route("/ServiceEndpoints/{service}", resource("GET", get(list)))
        .route("/ServiceEndpoints/{service}/RedfishEndpoints/{xname}", resource("GET,DELETE", get(show).delete(remove)))
}

async fn list(pairs: Pairs) -> Result<Response, Problem> {
    pairs.xnames_or_none("redfish_ep")?;
    pairs.filter("service", "Argument was not a valid Redfish type", alphanumeric)?;
    Ok(answer::json(&json!({"ServiceEndpoints": []})))
}

async fn clear() -> Problem {
    answer::nothing_to_delete()
}

async fn show(PathOf((_, id)): PathOf<(String, String)>) -> Problem {
    match components::xname(&id) {
        Ok(_) => missing(),
        Err(problem) => problem,
    }
}

/// SMD looks for what the path says without a look at what it says.
async fn remove() -> Problem {
    missing()
}

fn missing() -> Problem {
    Problem::not_found("no such service under redfish endpoint.")
}
