//! The cloud-init server of the tutorial's generation (August 2024): entries kept under names, in an open store and a
//! secure one.
//!
//! | route | methods | open |
//! |---|---|---|
//! | `/cloud-init` | GET POST | GET |
//! | `/cloud-init/{name}` | GET PUT DELETE | GET |
//! | `/cloud-init/{name}/{user,meta,vendor}-data` | GET | yes |
//! | `/cloud-init/{user,meta,vendor}-data` | GET, by source address | yes |
//! | the same under `/cloud-init-secure` | the same | no |
//!
//! The boot role serves the last line of the open store, and is given nothing from which it could serve more.

mod data;
mod decide;
mod entries;
mod openapi;

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::routing::{any, get};

pub use openapi::API;

use super::common::not_found;
use crate::store::{BootReader, Store};
use crate::wire::cloud_init::DataKind;

/// What the answers say of this installation. The tutorial's generation says nothing of it; the present one puts it
/// into vendor-data and meta-data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudInitSettings {
    /// Where nodes reach cloud-init, with its path; empty for the address at which a node reached us.
    pub base_url: String,
    /// The cluster's name, until the cluster's defaults set one.
    pub cluster_name: String,
}

/// What the handlers of the API role share.
#[derive(Clone)]
pub struct CloudInitState {
    /// What they read and write.
    pub store: Store,
    /// What they say of this installation.
    pub settings: Arc<CloudInitSettings>,
}

/// All routes of both stores, for the API role.
pub fn routes(state: CloudInitState) -> Router {
    let open = shelf_routes("/cloud-init", entries::State { store: state.store.clone(), shelf: decide::Shelf::Open });
    let secure = entries::State { store: state.store, shelf: decide::Shelf::Secure };
    open.merge(shelf_routes("/cloud-init-secure", secure))
}

/// The open documents of whoever asks, by source address, for the boot role.
pub fn boot_routes(reader: BootReader) -> Router {
    DataKind::ALL.into_iter().fold(Router::new(), |router, kind| {
        let reader = reader.clone();
        let handler = async move |client| {
            let view = reader.load();
            data::of_client(&view, &view.cloud_init, client, kind)
        };
        router.route(&format!("/cloud-init/{}", kind.path()), get(handler))
    })
}

/// True when a request needs no token: reads of the open store, which holds no secrets. The original lets anybody write
/// there, too.
#[must_use]
pub fn access(method: &Method, path: &str) -> bool {
    let open = path.strip_prefix("/cloud-init").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    open && (method == Method::GET || method == Method::HEAD)
}

fn shelf_routes(prefix: &str, state: entries::State) -> Router {
    let list = get(entries::list).post(entries::create);
    let entry = get(entries::read_entry).put(entries::replace).delete(entries::remove);
    let mut router = Router::new()
        .route(prefix, list.clone())
        .route(&format!("{prefix}/"), list)
        .route(&format!("{prefix}/{{name}}"), entry)
        .route(&format!("{prefix}/{{name}}/{{*rest}}"), any(not_found));
    for kind in DataKind::ALL {
        let (of_client, of_name) = (
            async move |state, client| entries::data_of_client(state, client, kind),
            async move |state, name| entries::data_of_name(state, name, kind),
        );
        let path = kind.path();
        router = router
            .route(&format!("{prefix}/{path}"), get(of_client))
            .route(&format!("{prefix}/{{name}}/{path}"), get(of_name));
    }
    router.with_state(state)
}

#[cfg(test)]
mod tests;
