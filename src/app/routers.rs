//! Which routes are on which role. What is not here is 404.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::http::{Method, Uri};

use crate::boot::ScriptSettings;
use crate::loaders::Loaders;
use crate::reconcile::Reconciler;
use crate::server::bss::{self, BssSettings, BssState};
use crate::server::cloud_init::{self, CloudInitSettings, CloudInitState};
use crate::server::common::openapi;
use crate::server::common::{Access, Accesses, Gate, Health, Metrics, Role, keys, not_found};
use crate::server::loaders;
use crate::server::local::{self, LocalState};
use crate::server::smd::{self, SmdState};
use crate::store::Store;
use crate::target::Services;
use crate::token::Issuer;

/// The rooms that figures tell apart, by the start of their paths.
pub(super) const ROOMS: &[(&str, &str)] = &[
    ("/hsm/v2", "smd"),
    ("/boot/v1", "bss"),
    ("/apis/bss", "bss"),
    ("/cloud-init-secure", "cloud-init-secure"),
    ("/cloud-init", "cloud-init"),
    ("/loaders", "loaders"),
    ("/v1", "local"),
];

/// What the routes need.
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) reconciler: Reconciler,
    pub(super) gate: Gate,
    pub(super) issuer: Issuer,
    pub(super) health: Health,
    pub(super) metrics: Metrics,
    pub(super) script: Arc<ScriptSettings>,
    pub(super) cloud_init: Arc<CloudInitSettings>,
    pub(super) accesses: Accesses,
    pub(super) loaders: Loaders,
    pub(super) services: Option<Services>,
}

impl Parts {
    pub(super) fn routers(self) -> BTreeMap<Role, Router> {
        BTreeMap::from([
            (Role::Api, self.api()),
            (Role::Boot, self.boot()),
            (Role::Metrics, self.metrics()),
            (Role::Local, self.local()),
        ])
    }

    fn api(&self) -> Router {
        let settings = Arc::new(BssSettings { script: self.script.clone(), storage: "sqlite" });
        let (store, accesses) = (self.store.clone(), self.accesses.clone());
        let cloud_init = CloudInitState { store, settings: self.cloud_init.clone(), accesses: accesses.clone() };
        let rooms = Router::new()
            .merge(smd::routes(SmdState { store: self.store.clone() }))
            .merge(bss::routes(BssState { store: self.store.clone(), settings, accesses }))
            .merge(cloud_init::routes(cloud_init));
        self.gate
            .protect(rooms, access)
            .merge(keys::routes(&self.issuer))
            .merge(openapi::routes(&[&smd::API, &bss::API, &cloud_init::API]))
            .merge(self.health.routes())
            .fallback(not_found)
    }

    /// Given readers of the boot view, and loaders, and nothing else.
    fn boot(&self) -> Router {
        let (reader, accesses) = (self.store.boot_views(), self.accesses.clone());
        bss::boot_routes(reader.clone(), self.script.clone(), accesses.clone())
            .merge(cloud_init::boot_routes(reader, self.cloud_init.clone(), accesses))
            .merge(loaders::routes(self.loaders.clone()))
            .merge(self.health.routes())
            .fallback(not_found)
    }

    fn metrics(&self) -> Router {
        self.metrics.routes().merge(self.health.routes()).fallback(not_found)
    }

    fn local(&self) -> Router {
        local::routes(LocalState {
            reconciler: self.reconciler.clone(),
            issuer: self.issuer.clone(),
            health: self.health.clone(),
            services: self.services.clone(),
        })
        .merge(self.health.routes())
        .fallback(not_found)
    }
}

/// What each room asks for; a path that no room knows needs a token as far as this goes, and is 404 anyway.
fn access(method: &Method, uri: &Uri) -> Access {
    let path = uri.path();
    let open = smd::access(method, path) || bss::access(method, uri) || cloud_init::access(method, path);
    if open { Access::Open } else { Access::Token }
}
