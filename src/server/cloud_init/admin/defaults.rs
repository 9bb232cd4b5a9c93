//! `cluster-defaults`: reading them, and laying new ones over them.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::super::entries::Failure;
use super::{AdminState, bad_request, json};
use crate::model::{ClusterDefaults, Object};
use crate::server::common::author::By;
use crate::server::common::body;
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::cloud_init::{defaults_json, parse_defaults};

pub(super) async fn read(State(state): State<AdminState>) -> Response {
    let snapshot = state.store.snapshot();
    json(snapshot.boot.cluster_defaults.as_deref().map_or_else(|| "{}".to_owned(), defaults_json))
}

pub(super) async fn change(State(state): State<AdminState>, By(author): By, body: Body) -> Result<Response, Failure> {
    let request = parse_defaults(&body::read(body).await?).map_err(|error| bad_request(&error))?;
    let decide = move |snapshot: &Snapshot| {
        let old = snapshot.boot.cluster_defaults.as_deref().cloned().unwrap_or_default();
        let new = request.over(&old);
        // A request that gives nothing makes no defaults where there are none.
        let changes = if new == old { Vec::new() } else { vec![put(new)] };
        Ok::<_, Infallible>(Decision::new((), changes))
    };
    state.store.write(author, decide).await?;
    Ok(StatusCode::CREATED.into_response())
}

fn put(defaults: ClusterDefaults) -> Change {
    Change::Put(Object::ClusterDefaults(Arc::new(defaults)))
}
