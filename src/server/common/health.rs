//! Whether we live (`/health`) and whether we can answer (`/ready`).

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::routing;

/// What is wrong with whom. A handle that every task may hold; cheap to clone.
#[derive(Clone, Default)]
pub struct Health(Arc<ArcSwap<State>>);

#[derive(Clone, Default)]
struct State {
    loaded: bool,
    degraded: BTreeMap<String, String>,
}

impl Health {
    /// Nothing is loaded yet, and nothing is wrong.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From here on there is a snapshot to answer from.
    pub fn set_loaded(&self) {
        self.change(|state| state.loaded = true);
    }

    /// Says what is wrong with a component, or that it is well. The reason is shown to whoever asks, booting nodes
    /// included, so it never holds a secret.
    pub fn set(&self, component: &str, reason: Option<String>) {
        let before = self.0.load().degraded.get(component).cloned();
        if before == reason {
            return;
        }
        match &reason {
            Some(reason) => tracing::warn!(health.component = component, health.reason = reason, "degraded"),
            None => tracing::info!(health.component = component, "well again"),
        }
        self.change(|state| match &reason {
            Some(reason) => drop(state.degraded.insert(component.to_owned(), reason.clone())),
            None => drop(state.degraded.remove(component)),
        });
    }

    /// The components that are not well, with the reasons, in the order of their names.
    #[must_use]
    pub fn degraded(&self) -> Vec<(String, String)> {
        self.0.load().degraded.iter().map(|(component, reason)| (component.clone(), reason.clone())).collect()
    }

    /// `/health` and `/ready`:
    ///
    /// | route | answer |
    /// |---|---|
    /// | `GET /health` | 200 `{"status":"ok"}` whenever the process answers |
    /// | `GET /ready` | 200 `{"status":"ready","degraded":[]}`, or `"degraded"` with `[{"component","reason"}]`; 503 `"starting"` before there is a snapshot |
    pub fn routes(&self) -> Router {
        let health = self.clone();
        Router::new()
            .route("/health", routing::only("GET,HEAD", get(|| async { Json(json!({ "status": "ok" })) })))
            .route("/ready", routing::only("GET,HEAD", get(move || async move { health.ready() })))
    }

    fn ready(&self) -> Response {
        let state = self.0.load();
        let degraded: Vec<_> = state
            .degraded
            .iter()
            .map(|(component, reason)| json!({ "component": component, "reason": reason }))
            .collect();
        let (status, word) = match (state.loaded, degraded.is_empty()) {
            (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
            (true, true) => (StatusCode::OK, "ready"),
            (true, false) => (StatusCode::OK, "degraded"),
        };
        (status, Json(json!({ "status": word, "degraded": degraded }))).into_response()
    }

    fn change(&self, change: impl Fn(&mut State)) {
        self.0.rcu(|state| {
            let mut next = State::clone(state);
            change(&mut next);
            next
        });
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(health: &Health, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = health.routes().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn readiness_goes_from_starting_to_ready_to_degraded_and_back() {
        let health = Health::new();
        let starting = json!({ "status": "starting", "degraded": [] });
        assert_eq!(ask(&health, "/ready").await, (StatusCode::SERVICE_UNAVAILABLE, starting));
        assert_eq!(ask(&health, "/health").await, (StatusCode::OK, json!({ "status": "ok" })));
        health.set_loaded();
        let ready = json!({ "status": "ready", "degraded": [] });
        assert_eq!(ask(&health, "/ready").await, (StatusCode::OK, ready.clone()));
        let other_handle = health.clone();
        other_handle.set("store", Some("the disk is full".into()));
        other_handle.set("inventory", Some("3 errors".into()));
        let degraded = json!({ "status": "degraded", "degraded": [
            { "component": "inventory", "reason": "3 errors" },
            { "component": "store", "reason": "the disk is full" },
        ] });
        assert_eq!(ask(&health, "/ready").await, (StatusCode::OK, degraded));
        health.set("store", None);
        health.set("inventory", None);
        health.set("never heard of", None);
        assert_eq!(ask(&health, "/ready").await, (StatusCode::OK, ready));
    }
}
