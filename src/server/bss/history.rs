//! `GET /endpoint-history`: when each node asked for what it boots, and when it phoned home.
//!
//! BSS adds a line for every request, without end; here the last of each node and endpoint are kept.

use axum::extract::{Query, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};

use super::BssState;
use crate::server::common::Problem;
use crate::wire::bss::history_json;

pub(super) async fn list(State(state): State<BssState>, uri: Uri) -> Result<Response, Problem> {
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&uri)
        .map_err(|_| Problem::bad_request("the query cannot be read"))?;
    let wanted = |name: &str, value: &str| {
        query.iter().find(|(key, asked)| key == name && !asked.is_empty()).is_none_or(|(_, asked)| asked == value)
    };
    let mut accesses = state.accesses.all(&state.store.snapshot());
    accesses.retain(|access| wanted("name", &access.name) && wanted("endpoint", &access.endpoint));
    Ok(([(header::CONTENT_TYPE, "application/json; charset=UTF-8")], history_json(&accesses)).into_response())
}
