//! `groups/{label}/members`.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::scope::Scope;
use super::{missing, read_label, write};
use crate::model::{GroupLabel, Xname};
use crate::server::common::{Problem, body};
use crate::server::smd::SmdState;
use crate::server::smd::answer::{self, Uri};
use crate::server::smd::components::changed_xname as xname;
use crate::server::smd::query::Pairs;
use crate::server::smd::request::{By, PathOf};
use crate::snapshot::Snapshot;
use crate::store::Decision;
use crate::wire::smd::{MemberBody, MembersBody, MembersView};

pub(in crate::server::smd) async fn list(
    State(smd): State<SmdState>,
    PathOf(label): PathOf<String>,
    pairs: Pairs,
) -> Result<Response, Problem> {
    let label = read_label(&label)?;
    let scope = Scope::read(&pairs)?;
    let snapshot = smd.store.snapshot();
    let shown = scope.over(&snapshot)?;
    let group = snapshot.boot.groups.get(&label).ok_or_else(|| missing(&label))?;
    Ok(answer::json(&MembersView::new(shown.of(&group.members))))
}

pub(in crate::server::smd) async fn add(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(label): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let request: MemberBody = body::read_json(body).await?;
    let label = read_label(&label)?;
    let id = xname(request.id.as_deref().unwrap_or_default())?;
    let uris = [uri(&label, &id)];
    smd.store.write(author, move |snapshot| decide_add(snapshot, &label, id)).await?;
    Ok(answer::created_all("groups", &uris))
}

pub(in crate::server::smd) async fn set(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(label): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let request: MembersBody = body::read_json(body).await?;
    let label = read_label(&label)?;
    let ids = request.ids.unwrap_or_default();
    let ids = ids.iter().map(|id| xname(id)).collect::<Result<Vec<_>, _>>()?;
    let uris: Vec<_> = ids.iter().map(|id| uri(&label, id)).collect();
    smd.store.write(author, move |snapshot| decide_set(snapshot, &label, ids)).await?;
    Ok(answer::created_all("groups", &uris))
}

pub(in crate::server::smd) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf((label, id)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    let (label, id) = (read_label(&label)?, xname(&id)?);
    smd.store.write(author, move |snapshot| decide_remove(snapshot, &label, &id)).await?;
    Ok(answer::deleted())
}

fn uri(label: &GroupLabel, id: &Xname) -> Uri {
    Uri::new(&format!("groups/{label}/members/{id}"))
}

fn decide_add(snapshot: &Snapshot, label: &GroupLabel, id: Xname) -> Result<Decision<()>, Problem> {
    let group = snapshot.boot.groups.get(label).ok_or_else(|| missing(label))?;
    if group.members.contains(&id) {
        return Err(Problem::conflict("operation would conflict with an existing member in the same group."));
    }
    write::check_members(snapshot, group, [&id])?;
    Ok(Decision::new((), write::with_members(group, group.members.update(id))))
}

/// Sets all members, or none when one of them cannot be. One that is given twice is one.
fn decide_set(snapshot: &Snapshot, label: &GroupLabel, ids: Vec<Xname>) -> Result<Decision<()>, Problem> {
    let group = snapshot.boot.groups.get(label).ok_or_else(|| missing(label))?;
    write::check_members(snapshot, group, &ids)?;
    Ok(Decision::new((), write::with_members(group, ids.into_iter().collect())))
}

fn decide_remove(snapshot: &Snapshot, label: &GroupLabel, id: &Xname) -> Result<Decision<()>, Problem> {
    let group = snapshot.boot.groups.get(label).ok_or_else(|| missing(label))?;
    if !group.members.contains(id) {
        return Err(Problem::not_found("group has no such member."));
    }
    Ok(Decision::new((), write::with_members(group, group.members.without(id))))
}
