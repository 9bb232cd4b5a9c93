//! `instance-info`: what is special about one node.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::super::entries::Failure;
use super::{AdminState, bad_request};
use crate::model::{Object, Xname};
use crate::server::common::author::By;
use crate::server::common::{Problem, body};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::cloud_init::parse_instance;

/// A node that SMD does not know: what is kept of it would be told to nobody.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not a component of SMD")]
struct Unknown(Xname);

impl From<Unknown> for Problem {
    fn from(error: Unknown) -> Self {
        Self::not_found(error.to_string())
    }
}

/// PUT: the whole of it anew.
pub(super) async fn replace(
    State(state): State<AdminState>,
    By(author): By,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Failure> {
    let id: Xname = id.parse().map_err(|_| Problem::bad_request(format!("`{id}` is not an xname")))?;
    let instance = parse_instance(&id, &body::read(body).await?).map_err(|error| bad_request(&error))?;
    let decide = move |snapshot: &Snapshot| match snapshot.boot.components.contains_key(&instance.id) {
        true => Ok(Decision::new((), vec![Change::Put(Object::InstanceInfo(Arc::new(instance)))])),
        false => Err(Unknown(instance.id)),
    };
    state.store.write(author, decide).await?;
    Ok(StatusCode::CREATED.into_response())
}
