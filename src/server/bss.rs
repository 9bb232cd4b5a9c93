//! BSS's REST API, under `/boot/v1` and, as behind OpenCHAMI's gateway, under `/apis/bss/boot/v1`. Follows BSS v1.32.2.
//!
//! | route | methods | open |
//! |---|---|---|
//! | `/bootparameters` | GET POST PUT PATCH DELETE | no |
//! | `/bootscript` | GET | yes |
//! | `/hosts` | GET POST | no |
//! | `/dumpstate` | GET | no |
//! | `/endpoint-history` | GET | no |
//! | `/scn` | POST | no |
//! | `/service/status`, `/service/hsm`, `/service/storage/status`, `/service/version` | any | yes |
//! | `/service/status/all` | GET | yes |
//!
//! The boot role has `/bootscript` by `mac=` and nothing else.

mod bootparameters;
mod bootscript;
mod decide;
mod history;
mod hosts;
mod openapi;
mod service;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};
use axum::routing::{any, get, post};

pub use openapi::API;

use self::bootscript::Selectors;
use super::common::{Accesses, not_found, only};
use crate::boot::ScriptSettings;
use crate::store::{BootReader, Store};

const PREFIXES: [&str; 2] = ["/boot/v1", "/apis/bss/boot/v1"];

/// What the answers say of this installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BssSettings {
    /// For the boot scripts.
    pub script: Arc<ScriptSettings>,
    /// The storage that `service/status/all` names: `sqlite` or `postgres`.
    pub storage: &'static str,
}

/// What the handlers of the API role share.
#[derive(Clone)]
pub struct BssState {
    /// What they read and write.
    pub store: Store,
    /// What they say of this installation.
    pub settings: Arc<BssSettings>,
    /// Where boot scripts are noted.
    pub accesses: Accesses,
}

/// All routes, for the API role.
pub fn routes(state: BssState) -> Router {
    let script = bootscript::State {
        reader: state.store.boot_views(),
        settings: state.settings.script.clone(),
        selectors: Selectors::All,
        accesses: state.accesses.clone(),
    };
    let inner = Router::new()
        .route("/bootparameters", any(bootparameters::handle))
        .route("/hosts", only("GET,POST", get(hosts::list).post(hosts::refresh)))
        .route("/dumpstate", only("GET", get(hosts::dump)))
        .route("/endpoint-history", only("GET", get(history::list)))
        .route("/scn", only("POST", post(hosts::notice)))
        .route("/service/status", any(service::status))
        .route("/service/status/all", only("GET", get(service::all)))
        .route("/service/hsm", any(service::hsm))
        .route("/service/storage/status", any(service::storage))
        .route("/service/version", any(service::version))
        .with_state(state);
    under_prefixes(&inner.merge(bootscript::route(script)))
}

/// The boot script by MAC address alone, for the boot role: what it is given cannot reach a secret.
pub fn boot_routes(reader: BootReader, settings: Arc<ScriptSettings>, accesses: Accesses) -> Router {
    under_prefixes(&bootscript::route(bootscript::State { reader, settings, selectors: Selectors::MacOnly, accesses }))
}

/// True when a request needs no token: the service's health and boot scripts, as with BSS. Boot parameters hold what sites
/// put on kernel command lines, so reading all of them takes a token.
///
/// A script by name or number is as open as one by MAC address: the `ochami` client sends no token for any of them, and
/// SMD's list of interfaces, which is open too, tells every MAC address.
#[must_use]
pub fn access(_method: &Method, uri: &Uri) -> bool {
    let rest = PREFIXES.iter().find_map(|prefix| uri.path().strip_prefix(prefix));
    rest.is_some_and(|rest| rest == "/bootscript" || rest.starts_with("/service/"))
}

fn under_prefixes(inner: &Router) -> Router {
    let inner = inner.clone().fallback(not_found);
    PREFIXES.into_iter().fold(Router::new(), |router, prefix| {
        // A nested router does not see its prefix with a slash behind it.
        router.nest(prefix, inner.clone()).route(&format!("{prefix}/"), any(not_found))
    })
}

#[cfg(test)]
mod tests;
