//! The administration of today's cloud-init server, under `/cloud-init/admin`. Errors are lines of plain text; answers
//! to writes have no body, as the original sends them.

mod defaults;
mod groups;
mod impersonation;
mod instances;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::CloudInitSettings;
use super::entries::Failure;
use super::node::get_only;
use crate::server::common::Problem;
use crate::store::Store;
use crate::wire::cloud_init::AdminError;

/// What the handlers share.
#[derive(Clone)]
pub(super) struct AdminState {
    pub(super) store: Store,
    pub(super) settings: Arc<CloudInitSettings>,
}

pub(super) fn routes(state: AdminState) -> Router {
    let group = get(groups::read).put(groups::replace).delete(groups::remove);
    let instance = axum::routing::put(instances::replace);
    Router::new()
        .route("/cloud-init/admin/cluster-defaults", get_only(get(defaults::read).post(defaults::change)))
        .route("/cloud-init/admin/groups", get_only(get(groups::list).post(groups::create)))
        .route("/cloud-init/admin/groups/{id}", get_only(group))
        .route("/cloud-init/admin/instance-info/{id}", instance)
        .route("/cloud-init/admin/impersonation/{id}/{document}", get_only(get(impersonation::document)))
        .with_state(state)
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// What is wrong with the body of a group: 422, as the original says it.
fn unprocessable(error: &AdminError) -> Failure {
    let status = match error {
        AdminError::Other(_) => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Problem::new(status, error.to_string()).into()
}

/// What is wrong with any other body: 400, without a word where it is not of the shape, as the original says it.
fn bad_request(error: &AdminError) -> Failure {
    match error {
        AdminError::Json { .. } => Problem::bad_request("").into(),
        error => Problem::bad_request(error.to_string()).into(),
    }
}

impl From<Infallible> for Problem {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
