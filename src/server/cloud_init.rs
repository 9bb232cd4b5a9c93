//! Both cloud-init servers: that of the tutorial's generation (August 2024), with entries kept under names in an open
//! store and a secure one, and today's, with defaults of the cluster, groups and instances. Follows cloud-init v1.4.5.
//!
//! | route | methods | open |
//! |---|---|---|
//! | `/cloud-init` | GET POST | GET |
//! | `/cloud-init/{name}` | GET PUT DELETE | GET |
//! | `/cloud-init/{name}/{user,meta,vendor}-data` | GET | yes |
//! | `/cloud-init/{user,meta,vendor}-data`, `/cloud-init/{group}.yaml` | GET, by source address | yes |
//! | `/cloud-init/network-config`, `/cloud-init/version`, `/cloud-init/openapi.json` | GET | yes |
//! | `/cloud-init/phone-home`, `/cloud-init/phone-home/{id}` | POST | yes |
//! | `/cloud-init/admin/cluster-defaults` | GET POST | no |
//! | `/cloud-init/admin/groups` | GET POST | no |
//! | `/cloud-init/admin/groups/{id}` | GET PUT DELETE | no |
//! | `/cloud-init/admin/instance-info/{id}` | PUT | no |
//! | `/cloud-init/admin/impersonation/{id}/{user-data,meta-data,vendor-data,{group}.yaml}` | GET | no |
//! | `/cloud-init-secure` and what is below it: entries and their documents as above | the same | no |
//!
//! `{name}` is a group, an xname, a MAC address, or a node by the name that the applied inventory gives it.
//!
//! What a node is told by its address is in the form that applies to it ([`crate::boot::cloud_init`]). The boot role
//! serves what a node asks for about itself, and is given nothing from which it could serve more.

mod admin;
mod data;
mod decide;
mod entries;
mod node;
mod openapi;
mod service;

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::Method;
use axum::routing::{MethodRouter, any, get};

pub use openapi::API;

use self::admin::AdminState;
use self::node::{NodeState, get_only};
use super::common::{Accesses, not_found};
use crate::store::{BootReader, Store};
use crate::wire::cloud_init::DataKind;

/// What the answers say of this installation. The tutorial's generation says nothing of it; today's puts it into
/// vendor-data and meta-data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudInitSettings {
    /// Where nodes reach cloud-init, with its path; empty for the address at which a node reached us.
    pub base_url: String,
    /// The cluster's name, until the cluster's defaults set one.
    pub cluster_name: String,
    /// The port of the boot listener, for a URL at the address at which a node reached us.
    pub boot_port: u16,
}

/// What the handlers of the API role share.
#[derive(Clone)]
pub struct CloudInitState {
    /// What they read and write.
    pub store: Store,
    /// What they say of this installation.
    pub settings: Arc<CloudInitSettings>,
    /// Where they note which nodes phoned home.
    pub accesses: Accesses,
}

/// All routes of both servers, for the API role.
pub fn routes(state: CloudInitState) -> Router {
    let CloudInitState { store, settings, accesses } = state;
    let node = NodeState { reader: store.boot_views(), settings: settings.clone(), accesses };
    let secure = entries::State { store: store.clone(), shelf: decide::Shelf::Secure };
    let mut secured = shelf_routes("/cloud-init-secure", get(entries::read_entry), secure.clone());
    for kind in DataKind::ALL {
        let of_client = async move |state, client| entries::data_of_client(state, client, kind);
        let route = Router::new().route(&format!("/cloud-init-secure/{}", kind.path()), get_only(get(of_client)));
        secured = secured.merge(route.with_state(secure.clone()));
    }
    let open = entries::State { store: store.clone(), shelf: decide::Shelf::Open };
    let reader = store.boot_views();
    // A group's file has a path of one part, as an entry has.
    let one = async move |state, client, Path(name): Path<String>| match data::is_group_file(&name) {
        true => Ok(data::file_of_client(&reader.load(), client, &name)),
        false => entries::read_entry(state, Path(name)).await,
    };
    shelf_routes("/cloud-init", get(one), open)
        .merge(secured)
        .merge(node::routes(node))
        .merge(service::routes())
        .merge(admin::routes(AdminState { store, settings }))
}

/// What nodes ask for about themselves, for the boot role.
pub fn boot_routes(reader: BootReader, settings: Arc<CloudInitSettings>, accesses: Accesses) -> Router {
    let state = NodeState { reader, settings, accesses };
    node::routes(state.clone()).merge(node::group_files(state))
}

/// True when a request needs no token: reads of the open store, which holds no secrets, what nodes are told by their
/// address, and their last word. The originals leave everything open, writes and the administration, too.
#[must_use]
pub fn access(method: &Method, path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/cloud-init") else { return false };
    let first = rest.strip_prefix('/').map(|rest| rest.split('/').next().unwrap_or_default());
    match (method.as_str(), first) {
        (_, None) if !rest.is_empty() => false,
        (_, Some("admin")) => false,
        ("POST", Some("phone-home")) => true,
        ("GET" | "HEAD", _) => true,
        _ => false,
    }
}

fn shelf_routes(prefix: &str, one: MethodRouter<entries::State>, state: entries::State) -> Router {
    let list = get_only(get(entries::list).post(entries::create));
    let mut router = Router::new()
        .route(prefix, list.clone())
        .route(&format!("{prefix}/"), list)
        .route(&format!("{prefix}/{{name}}"), get_only(one.put(entries::replace).delete(entries::remove)))
        .route(&format!("{prefix}/{{name}}/{{*rest}}"), any(not_found));
    for kind in DataKind::ALL {
        let of_name = async move |state, name| entries::data_of_name(state, name, kind);
        router = router.route(&format!("{prefix}/{{name}}/{}", kind.path()), get_only(get(of_name)));
    }
    router.with_state(state)
}

#[cfg(test)]
mod tests;
