//! `groups`: a file and variables for the members of a group in SMD.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::super::entries::Failure;
use super::{AdminState, json, unprocessable};
use crate::model::{CloudInitGroup, EntryName, Object, ObjectKey};
use crate::server::common::author::By;
use crate::server::common::{Problem, body};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::cloud_init::{AdminError, group_json, groups_json, parse_group};

/// A POST of a group that is there.
#[derive(Debug, thiserror::Error)]
#[error("group `{0}` exists already")]
struct Exists(EntryName);

impl From<Exists> for Problem {
    fn from(error: Exists) -> Self {
        Self::conflict(error.to_string())
    }
}

pub(super) async fn list(State(state): State<AdminState>) -> Response {
    json(groups_json(state.store.snapshot().boot.cloud_init_groups.values().map(|group| &**group)))
}

pub(super) async fn read(State(state): State<AdminState>, Path(id): Path<String>) -> Result<Response, Failure> {
    let snapshot = state.store.snapshot();
    let group = id.parse::<EntryName>().ok().and_then(|name| snapshot.boot.cloud_init_groups.get(&name));
    match group {
        Some(group) => Ok(json(group_json(group))),
        None => Err(Problem::not_found(format!("there is no group `{id}`")).into()),
    }
}

pub(super) async fn create(State(state): State<AdminState>, By(author): By, body: Body) -> Result<Response, Failure> {
    let group = parse(body).await?;
    let name = group.name.clone();
    let decide = move |snapshot: &Snapshot| match snapshot.boot.cloud_init_groups.contains_key(&group.name) {
        true => Err(Exists(group.name)),
        false => Ok(Decision::new((), vec![put(group)])),
    };
    state.store.write(author, decide).await?;
    Ok(created(&name))
}

pub(super) async fn replace(
    State(state): State<AdminState>,
    By(author): By,
    Path(id): Path<String>,
    body: Body,
) -> Result<Response, Failure> {
    let group = parse(body).await?;
    let name = group.name.clone();
    if name.as_str() != id {
        return Err(unprocessable(&AdminError::Other(name.to_string())));
    }
    let decide = move |_: &Snapshot| Ok::<_, Infallible>(Decision::new((), vec![put(group)]));
    state.store.write(author, decide).await?;
    Ok(created(&name))
}

/// Afterwards there is no such group, whether or not there was one.
pub(super) async fn remove(
    State(state): State<AdminState>,
    By(author): By,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    if let Ok(name) = id.parse::<EntryName>() {
        let delete = Change::Delete(ObjectKey::cloud_init_group(&name));
        let decide = move |_: &Snapshot| Ok::<_, Infallible>(Decision::new((), vec![delete]));
        state.store.write(author, decide).await?;
    }
    Ok(StatusCode::OK.into_response())
}

async fn parse(body: Body) -> Result<CloudInitGroup, Failure> {
    parse_group(&body::read(body).await?).map_err(|error| unprocessable(&error))
}

fn put(group: CloudInitGroup) -> Change {
    Change::Put(Object::CloudInitGroup(Arc::new(group)))
}

/// The original names the path without its prefix.
fn created(name: &EntryName) -> Response {
    let mut response = StatusCode::CREATED.into_response();
    // A name with characters that no header can hold is told by nothing.
    if let Ok(location) = format!("/groups/{name}").parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
