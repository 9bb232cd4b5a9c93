//! `impersonation`: what a node would be told, for those who administer it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::super::data::{Local, Reached, file_of_component, told_component};
use super::AdminState;
use crate::model::Xname;
use crate::server::common::plain;
use crate::wire::cloud_init::DataKind;

pub(super) async fn document(
    State(state): State<AdminState>,
    local: Local,
    Path((id, document)): Path<(String, String)>,
) -> Response {
    let snapshot = state.store.snapshot();
    let view = &snapshot.boot;
    let Some(node) = id.parse::<Xname>().ok().and_then(|id| view.components.get(&id)) else {
        return plain::text(StatusCode::NOT_FOUND, &format!("node {id} not found in SMD"));
    };
    match DataKind::ALL.into_iter().find(|kind| kind.path() == document) {
        Some(kind) => told_component(view, &Reached::new(&state.settings, local), node, kind),
        None => file_of_component(view, node, &document),
    }
}
