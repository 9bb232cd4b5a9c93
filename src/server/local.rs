//! The local API: plan, apply and tokens for the command line, over the Unix socket of the daemon.
//!
//! Whoever reaches the socket has been checked already: its file is 0600 and the peer has to be root or our own user.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `POST /v1/plan` | [`Request`] | the plan |
//! | `POST /v1/apply` | [`Request`] | [`Applied`](crate::reconcile::Applied), or [`Refusal`] |
//! | `POST /v1/token` | [`TokenRequest`] | `{"token": "…"}` |
//! | `GET /v1/status` | | version, process, what is degraded |

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::common::body::{self, LOCAL_BODY_LIMIT, read_json};
use super::common::health::Health;
use super::common::problem::Problem;
use crate::desired::Unresolved;
use crate::plan::Plan;
use crate::reconcile::{ReconcileError, Reconciler, Request, aside};
use crate::target::Services;
use crate::target::TargetError;
use crate::token::{Issuer, MintRequest};

/// What the routes need.
#[derive(Clone)]
pub struct LocalState {
    /// Plans and applies.
    pub reconciler: Reconciler,
    /// Signs tokens.
    pub issuer: Issuer,
    /// What is degraded.
    pub health: Health,
    /// Where the watcher applies, where that is not our own store.
    pub services: Option<Services>,
}

/// What a token is to say.
#[derive(Debug, Serialize, Deserialize)]
pub struct TokenRequest {
    /// Whom it names.
    pub subject: String,
    /// How long it is valid, in seconds.
    pub ttl_secs: u64,
}

/// Why an apply was refused, as the command line is told: it maps each to its exit code.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "refusal", rename_all = "kebab-case")]
pub enum Refusal {
    /// A safety rule.
    Safety {
        /// The plan.
        plan: Box<Plan>,
        /// The rule and the ways out.
        text: String,
    },
    /// The plan is not the one that was expected, or an object changed under it.
    Stale {
        /// What differs.
        text: String,
    },
    /// Secrets are missing.
    Unresolved {
        /// Which objects wait for them.
        unresolved: Vec<Unresolved>,
    },
    /// The target failed.
    Failed {
        /// How.
        text: String,
    },
}

impl From<ReconcileError> for Refusal {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::Refused { plan, text } => Self::Safety { plan, text },
            ReconcileError::Target(TargetError::Stale { .. }) | ReconcileError::Stale { .. } => {
                Self::Stale { text: error.to_string() }
            }
            ReconcileError::Unresolved(unresolved) => Self::Unresolved { unresolved },
            ReconcileError::Target(error) => Self::Failed { text: error.to_string() },
            error @ (ReconcileError::Broken(_) | ReconcileError::Ending) => Self::Failed { text: error.to_string() },
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Failed { .. } => StatusCode::BAD_GATEWAY,
            Self::Safety { .. } | Self::Stale { .. } | Self::Unresolved { .. } => StatusCode::CONFLICT,
        };
        (status, Json(self)).into_response()
    }
}

/// The routes of the local role.
pub fn routes(state: LocalState) -> Router {
    Router::new()
        .route("/v1/plan", post(plan))
        .route("/v1/apply", post(apply))
        .route("/v1/token", post(token))
        .route("/v1/status", get(status))
        .with_state(state)
}

async fn plan(State(state): State<LocalState>, body: Body) -> Response {
    on_the_side(body, async move |request: Request| state.reconciler.plan(&request).await).await
}

async fn apply(State(state): State<LocalState>, body: Body) -> Response {
    on_the_side(body, async move |request: Request| {
        let applied = state.reconciler.apply(&request).await?;
        // A person has decided: what the watcher refused or could not write before is over.
        if request.target.is_at(state.services.as_ref()) && applied.outcome.failures.is_empty() {
            state.health.set("apply", None);
        }
        Ok(applied)
    })
    .await
}

/// Reads the request, does the work and writes the answer on a thread of their own: all three are large. Work that has
/// begun ends, also when the caller goes away in the middle of it.
async fn on_the_side<T: Serialize>(
    body: Body,
    work: impl AsyncFnOnce(Request) -> Result<T, ReconcileError> + Send + 'static,
) -> Response {
    let bytes = match body::read_up_to(body, LOCAL_BODY_LIMIT).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let done = aside(move || async move {
        let request = match body::parse_json(&bytes) {
            Ok(request) => request,
            Err(problem) => return problem.into_response(),
        };
        drop(bytes);
        match work(request).await {
            Ok(answer) => Json(answer).into_response(),
            Err(error) => Refusal::from(error).into_response(),
        }
    });
    done.await
        .unwrap_or_else(|broken| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, broken.to_string()).into_response())
}

async fn token(State(state): State<LocalState>, body: Body) -> Response {
    let request: TokenRequest = match read_json(body).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let ttl = Duration::from_secs(request.ttl_secs);
    match state.issuer.mint(&MintRequest { subject: request.subject, ttl, ..MintRequest::default() }) {
        Ok(token) => Json(json!({ "token": token })).into_response(),
        Err(error) => Problem::bad_request(error.to_string()).into_response(),
    }
}

async fn status(State(state): State<LocalState>) -> Response {
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "degraded": state.health.degraded().into_iter().map(|(what, why)| format!("{what}: {why}")).collect::<Vec<_>>(),
    }))
    .into_response()
}
