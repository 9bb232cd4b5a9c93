//! `State/Components`.

mod filter;
pub(super) mod patch;
mod write;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

pub(super) use filter::ComponentFilter;

use super::query::Pairs;
use super::request::{By, PathOf};
use super::{SmdState, answer};
use crate::model::{Nid, Xname};
use crate::server::common::{Problem, body};
use crate::wire::smd::{ComponentView, ComponentsBody, PutComponentBody, Shown, write_list};

pub(super) async fn list(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    let filter = ComponentFilter::read(&pairs)?;
    let snapshot = smd.store.snapshot();
    let rows = filter.select(&snapshot).map(|component| ComponentView::new(component, filter.shown));
    Ok(answer::bytes(write_list(Some("Components"), rows)))
}

pub(super) async fn create(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request: ComponentsBody = body::read_json(body).await?;
    let components = write::checked(request.components.unwrap_or_default())?;
    let force = request.force.unwrap_or_default();
    smd.store.write(author, move |snapshot| write::decide_create(snapshot, components, force)).await?;
    Ok(answer::no_content())
}

pub(super) async fn clear(State(smd): State<SmdState>, By(author): By) -> Result<Response, Problem> {
    Ok(answer::cleared(smd.store.write(author, write::decide_clear).await?))
}

pub(super) async fn show(State(smd): State<SmdState>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let snapshot = smd.store.snapshot();
    let component = id.parse::<Xname>().ok().and_then(|id| snapshot.boot.components.get(&id)).ok_or_else(missing)?;
    Ok(answer::json(&ComponentView::new(component, Shown::All)))
}

pub(super) async fn put(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let request: PutComponentBody = body::read_json(body).await?;
    let component = write::checked_put(&id, request.component.unwrap_or_default())?;
    let force = request.force.unwrap_or_default();
    smd.store.write(author, move |snapshot| write::decide_create(snapshot, vec![component], force)).await?;
    Ok(answer::no_content())
}

pub(super) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let id = xname(&id)?;
    smd.store.write(author, move |snapshot| write::decide_remove(snapshot, &id)).await?;
    Ok(answer::deleted())
}

pub(super) async fn by_nid(State(smd): State<SmdState>, PathOf(nid): PathOf<String>) -> Result<Response, Problem> {
    let nid = nid.parse().map(Nid).map_err(|_| Problem::bad_request("a required argument was not an integer"))?;
    let snapshot = smd.store.snapshot();
    let component = snapshot.boot.component_by_nid(nid).ok_or_else(|| Problem::not_found("no such NID."))?;
    Ok(answer::json(&ComponentView::new(component, Shown::All)))
}

/// An xname of a change, which SMD refuses in other words than one of a look-up.
pub(super) fn changed_xname(text: &str) -> Result<Xname, Problem> {
    text.parse().map_err(|_| Problem::bad_request("invalid xname ID"))
}

/// A path's xname, where one that cannot be is told from one that is not there.
pub(super) fn xname(text: &str) -> Result<Xname, Problem> {
    text.parse().map_err(|_| Problem::bad_request("invalid xname"))
}

pub(super) fn missing() -> Problem {
    Problem::not_found("no such xname.")
}
