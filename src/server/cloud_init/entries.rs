//! The handlers of the API role, the same for both stores. Errors are lines of plain text, as the original sends them.

use axum::body::Body;
use axum::extract::{self, Path};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::data::{self, Client};
use super::decide::{self, Refusal, Shelf};
use crate::boot::cloud_init::{Identity, entry_for};
use crate::model::EntryName;
use crate::server::common::author::By;
use crate::server::common::{Problem, body, plain};
use crate::store::Store;
use crate::wire::cloud_init::{DataKind, EntryError, EntryRequest, entry_json, listing_json, parse_entry};

/// What the handlers of one store share.
#[derive(Clone)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) shelf: Shelf,
}

/// A problem that is told in plain text, or by its status alone where it has no words.
pub(super) struct Failure(Problem);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match &*self.0.detail {
            "" => self.0.status.into_response(),
            detail => plain::text(self.0.status, detail),
        }
    }
}

impl<E: Into<Problem>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<EntryError> for Problem {
    fn from(error: EntryError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::NoName | Refusal::Reserved(_) | Refusal::OtherName(_) => StatusCode::BAD_REQUEST,
            // The original says 404 here.
            Refusal::Exists => StatusCode::CONFLICT,
            Refusal::Missing => StatusCode::NOT_FOUND,
        };
        Self::new(status, refusal.to_string())
    }
}

pub(super) async fn list(extract::State(state): extract::State<State>) -> Response {
    let snapshot = state.store.snapshot();
    json(listing_json(state.shelf.entries(&snapshot).values().map(|entry| &**entry)))
}

pub(super) async fn create(
    extract::State(state): extract::State<State>,
    By(author): By,
    body: Body,
) -> Result<Response, Failure> {
    let request = read(body).await?;
    let shelf = state.shelf;
    let decide = move |snapshot: &_| decide::create(shelf, snapshot, request);
    let name = state.store.write(author, decide).await?;
    Ok(name_json(&name))
}

pub(super) async fn read_entry(
    extract::State(state): extract::State<State>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let snapshot = state.store.snapshot();
    let entries = state.shelf.entries(&snapshot);
    let merged = entry_for(&snapshot.boot, entries, Identity::Name(&name)).filter(|merged| !merged.is_empty());
    let merged = merged.ok_or(Refusal::Missing)?;
    Ok(json(entry_json(DataKind::ALL.map(|kind| merged.members(kind)), merged.is_template())))
}

pub(super) async fn replace(
    extract::State(state): extract::State<State>,
    By(author): By,
    Path(name): Path<String>,
    body: Body,
) -> Result<Response, Failure> {
    let name: EntryName = name.parse().map_err(|_| Refusal::Missing)?;
    let request = read(body).await?;
    let (shelf, written) = (state.shelf, name.clone());
    let decide = move |snapshot: &_| decide::replace(shelf, snapshot, &written, request);
    state.store.write(author, decide).await?;
    Ok(name_json(&name))
}

pub(super) async fn remove(
    extract::State(state): extract::State<State>,
    By(author): By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    if let Ok(name) = name.parse::<EntryName>() {
        let shelf = state.shelf;
        let decide = move |snapshot: &_| Ok::<_, Refusal>(decide::remove(shelf, snapshot, &name));
        state.store.write(author, decide).await?;
    }
    Ok(json(serde_json::json!({"status": "success"}).to_string()))
}

pub(super) fn data_of_client(extract::State(state): extract::State<State>, client: Client, kind: DataKind) -> Response {
    let snapshot = state.store.snapshot();
    data::of_client(&snapshot.boot, state.shelf.entries(&snapshot), client, kind)
}

pub(super) fn data_of_name(
    extract::State(state): extract::State<State>,
    Path(name): Path<String>,
    kind: DataKind,
) -> Response {
    let snapshot = state.store.snapshot();
    data::of_name(&snapshot.boot, state.shelf.entries(&snapshot), &name, kind)
}

async fn read(body: Body) -> Result<EntryRequest, Failure> {
    Ok(parse_entry(&body::read(body).await?)?)
}

fn name_json(name: &EntryName) -> Response {
    json(serde_json::Value::from(name.as_str()).to_string())
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], format!("{body}\n")).into_response()
}
