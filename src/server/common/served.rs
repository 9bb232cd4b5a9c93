//! What a connection is answered with.

use axum::Router;

use super::limits::Limits;
use super::metrics::Metrics;
use super::peer::TrustedProxies;
use super::role::Role;

/// What a listener serves, and within which limits.
pub(super) struct Served {
    pub(super) role: Role,
    pub(super) limits: Limits,
    pub(super) router: Router,
    pub(super) shared: Shared,
}

/// What all listeners share while they serve.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    /// The figures that are counted.
    pub metrics: Metrics,
    /// The proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: TrustedProxies,
}
