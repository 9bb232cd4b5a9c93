//! SMD's REST API, `/hsm/v2`.
//!
//! | route | methods | room |
//! |---|---|---|
//! | `State/Components` | GET POST DELETE | `components` |
//! | `State/Components/{xname}` | GET PUT DELETE | |
//! | `State/Components/ByNID/{nid}` | GET | |
//! | `State/Components/Query` | POST | `queries` |
//! | `State/Components/Query/{xname}` | GET | |
//! | `State/Components/ByNID/Query` | POST | |
//! | `State/Components/{xname}/{StateData,FlagOnly,Enabled,SoftwareStatus,Role,NID}` | PATCH | `components` |
//! | `State/Components/{BulkStateData,BulkFlagOnly,BulkEnabled,BulkSoftwareStatus,BulkRole,BulkNID}` | PATCH | |
//! | `Inventory/RedfishEndpoints` | GET POST DELETE | `redfish_endpoints` |
//! | `Inventory/RedfishEndpoints/{xname}` | GET PUT PATCH DELETE | |
//! | `Inventory/RedfishEndpoints/Query/{xname}` | GET (refused, as SMD does) | |
//! | `Inventory/ComponentEndpoints` | GET DELETE | `component_endpoints` |
//! | `Inventory/ComponentEndpoints/{xname}` | GET DELETE | |
//! | `Inventory/EthernetInterfaces` | GET POST DELETE | `interfaces` |
//! | `Inventory/EthernetInterfaces/{id}` | GET PATCH DELETE | |
//! | `Inventory/EthernetInterfaces/{id}/IPAddresses` | GET POST | |
//! | `Inventory/EthernetInterfaces/{id}/IPAddresses/{ip}` | PATCH DELETE | |
//! | `Inventory/{Hardware,HardwareByFRU}…` | its own table | `hardware` |
//! | `Inventory/ServiceEndpoints…` | its own table | `service_endpoints` |
//! | `Inventory/{Discover,DiscoveryStatus}…` | its own table | `discover` |
//! | `locks/…` | its own table | `locks` |
//! | `Subscriptions/SCN…` | its own table | `subscriptions` |
//! | `groups` | GET POST | `groups` |
//! | `groups/labels` | GET, and PATCH DELETE of the group of that name | |
//! | `groups/{label}` | GET PATCH DELETE | |
//! | `groups/{label}/members` | GET POST PUT | |
//! | `groups/{label}/members/{xname}` | DELETE | |
//! | `partitions` | GET POST | `partitions` |
//! | `partitions/names` | GET | |
//! | `partitions/{name}` | GET PATCH DELETE | |
//! | `partitions/{name}/members` | GET POST | |
//! | `partitions/{name}/members/{xname}` | DELETE | |
//! | `memberships`, `memberships/{xname}` | GET | `memberships` |
//! | `Defaults/NodeMaps` | GET POST DELETE | `node_maps` |
//! | `Defaults/NodeMaps/{xname}` | GET PUT DELETE | |
//! | `sysinfo/powermaps` | GET POST DELETE | `power_maps` |
//! | `sysinfo/powermaps/{xname}` | GET PUT DELETE | |
//! | `service/{ready,liveness,values}`, `service/values/{name}` | GET | `service` |
//!
//! Everything else below `/hsm/v2` is left to the fallback of whoever mounts the routes: 404 as plain text, with and
//! without a token. HEAD and OPTIONS are 405, as in SMD.
//!
//! Answers follow SMD v2.20.5 as recorded, and are stricter where it is unsafe: what is the client's fault is 4xx, an
//! answer is one JSON document, a write happens whole or not at all whatever its size, addresses are checked
//! everywhere, and no password is kept or shown.
//!
//! Reads come from the newest snapshot. Writes are checked as far as possible before they reach the single writer;
//! what depends on the state is a `decide_…` function that the writer runs.

mod answer;
mod by_xname;
mod component_endpoints;
mod components;
mod discover;
mod groups;
mod hardware;
mod interfaces;
mod locks;
mod memberships;
mod node_maps;
mod openapi;
mod partitions;
mod power_maps;
mod queries;
mod query;
mod redfish_endpoints;
mod request;
mod service;
mod service_endpoints;
mod subscriptions;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Method;
use axum::routing::{MethodRouter, any, delete, get, patch, post};

pub use locks::sweep_reservations;
pub use openapi::API;
pub use subscriptions::{DeliveryError, Pace, deliver_notices};

use components::patch::Field;
use request::{By, PathOf};

use super::common::only as resource;
use crate::store::Store;

/// Where every path of SMD starts.
pub const BASE: &str = "/hsm/v2";

/// What the handlers work on.
#[derive(Clone)]
pub struct SmdState {
    /// Snapshots to read, and the writer.
    pub store: Store,
}

/// The routes of the table above.
pub fn routes(state: SmdState) -> Router {
    Router::new()
        .nest(&format!("{BASE}/State/Components"), component_routes())
        .nest(&format!("{BASE}/Inventory"), inventory_routes().merge(found_inventory_routes()))
        .nest(BASE, set_routes())
        .nest(BASE, default_and_service_routes().merge(locks::routes()).merge(subscriptions::routes()))
        .with_state(state)
}

fn component_routes() -> Router<SmdState> {
    Router::new()
        .route(
            "/",
            resource("GET,POST,DELETE", get(components::list).post(components::create).delete(components::clear)),
        )
        .route(
            "/{xname}",
            resource("GET,PUT,DELETE", get(components::show).put(components::put).delete(components::remove)),
        )
        .route("/Query", resource("POST", post(queries::under_many)))
        .route("/Query/{xname}", resource("GET", get(queries::under_one)))
        .route("/ByNID/Query", resource("POST", post(queries::by_nid)))
        .route("/ByNID/{nid}", resource("GET", get(components::by_nid)))
        .route("/{xname}/StateData", patch_one(Field::StateData))
        .route("/{xname}/FlagOnly", patch_one(Field::FlagOnly))
        .route("/{xname}/Enabled", patch_one(Field::Enabled))
        .route("/{xname}/SoftwareStatus", patch_one(Field::SoftwareStatus))
        .route("/{xname}/Role", patch_one(Field::Role))
        .route("/{xname}/NID", patch_one(Field::Nid))
        .route("/BulkStateData", patch_many(Field::StateData))
        .route("/BulkFlagOnly", patch_many(Field::FlagOnly))
        .route("/BulkEnabled", patch_many(Field::Enabled))
        .route("/BulkSoftwareStatus", patch_many(Field::SoftwareStatus))
        .route("/BulkRole", patch_many(Field::Role))
        .route("/BulkNID", resource("PATCH", patch(components::patch::nids)))
}

fn inventory_routes() -> Router<SmdState> {
    use {component_endpoints as behind, interfaces, redfish_endpoints as endpoints};
    Router::new()
        .route(
            "/RedfishEndpoints",
            resource("GET,POST,DELETE", get(endpoints::list).post(endpoints::create).delete(endpoints::clear)),
        )
        .route(
            "/RedfishEndpoints/{xname}",
            resource(
                "GET,PUT,PATCH,DELETE",
                get(endpoints::show).put(endpoints::put).patch(endpoints::change).delete(endpoints::remove),
            ),
        )
        .route("/RedfishEndpoints/Query/{xname}", resource("GET", get(endpoints::query)))
        .route("/ComponentEndpoints", resource("GET,DELETE", get(behind::list).delete(behind::clear)))
        .route("/ComponentEndpoints/{xname}", resource("GET,DELETE", get(behind::show).delete(behind::remove)))
        .route(
            "/EthernetInterfaces",
            resource("GET,POST,DELETE", get(interfaces::list).post(interfaces::create).delete(interfaces::clear)),
        )
        .route(
            "/EthernetInterfaces/{id}",
            resource("GET,PATCH,DELETE", get(interfaces::show).patch(interfaces::change).delete(interfaces::remove)),
        )
        .route(
            "/EthernetInterfaces/{id}/IPAddresses",
            resource("GET,POST", get(interfaces::addresses::list).post(interfaces::addresses::create)),
        )
        .route(
            "/EthernetInterfaces/{id}/IPAddresses/{ip}",
            resource("PATCH,DELETE", patch(interfaces::addresses::change).delete(interfaces::addresses::remove)),
        )
}

/// What SMD finds in Redfish.
fn found_inventory_routes() -> Router<SmdState> {
    hardware::routes().merge(service_endpoints::routes()).merge(discover::routes())
}

/// Sets of components.
fn set_routes() -> Router<SmdState> {
    use groups::members;
    Router::new()
        .route("/groups", resource("GET,POST", get(groups::list).post(groups::create)))
        .route("/groups/labels", resource("GET", groups::called_labels()))
        .route(
            "/groups/{label}",
            resource("GET,PATCH,DELETE", get(groups::show).patch(groups::change).delete(groups::remove)),
        )
        .route(
            "/groups/{label}/members",
            resource("GET,POST,PUT", get(members::list).post(members::add).put(members::set)),
        )
        .route("/groups/{label}/members/{xname}", resource("DELETE", delete(members::remove)))
        .route("/partitions", resource("GET,POST", get(partitions::list).post(partitions::create)))
        .route("/partitions/names", resource("GET", get(partitions::names)))
        .route(
            "/partitions/{name}",
            resource("GET,PATCH,DELETE", get(partitions::show).patch(partitions::change).delete(partitions::remove)),
        )
        .route(
            "/partitions/{name}/members",
            resource("GET,POST", get(partitions::members::list).post(partitions::members::add)),
        )
        .route("/partitions/{name}/members/{xname}", resource("DELETE", delete(partitions::members::remove)))
        .route("/memberships", resource("GET", get(memberships::list)))
        .route("/memberships/{xname}", resource("GET", get(memberships::show)))
}

fn default_and_service_routes() -> Router<SmdState> {
    Router::new()
        .route(
            "/Defaults/NodeMaps",
            resource("GET,POST,DELETE", get(node_maps::list).post(node_maps::create).delete(node_maps::clear)),
        )
        .route(
            "/Defaults/NodeMaps/{xname}",
            resource("GET,PUT,DELETE", get(node_maps::show).put(node_maps::put).delete(node_maps::remove)),
        )
        .route(
            "/sysinfo/powermaps",
            resource("GET,POST,DELETE", get(power_maps::list).post(power_maps::create).delete(power_maps::clear)),
        )
        .route(
            "/sysinfo/powermaps/{xname}",
            resource("GET,PUT,DELETE", get(power_maps::show).put(power_maps::put).delete(power_maps::remove)),
        )
        .route("/service/ready", resource("GET", get(service::ready)))
        .route("/service/liveness", resource("GET", get(service::liveness)))
        .route("/service/values", resource("GET", get(service::values)))
        .route("/service/values/{name}", any(service::value))
}

fn patch_one(field: Field) -> MethodRouter<SmdState> {
    let handler = move |state: State<SmdState>, by: By, id: PathOf<String>, body: Body| {
        components::patch::one(field, state, by, id, body)
    };
    resource("PATCH", patch(handler))
}

fn patch_many(field: Field) -> MethodRouter<SmdState> {
    let handler = move |state: State<SmdState>, by: By, body: Body| components::patch::many(field, state, by, body);
    resource("PATCH", patch(handler))
}

/// True for what SMD answers without a token even when it asks for one everywhere else: what boot services read at
/// their start, and what tells whether SMD is alive.
#[must_use]
pub fn access(method: &Method, path: &str) -> bool {
    let Some(path) = path.strip_prefix(BASE).filter(|_| *method == Method::GET) else { return false };
    path.starts_with("/service/") || matches!(path, "/State/Components" | "/Inventory/EthernetInterfaces")
}
