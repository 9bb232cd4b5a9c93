//! `groups`.

pub(super) mod members;
mod scope;
mod write;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodRouter, get};

use scope::Scope;

use super::SmdState;
use super::answer::{self, Uri};
use super::query::Pairs;
use super::request::{By, PathOf};
use crate::model::{Group, GroupLabel};
use crate::server::common::{Problem, body};
use crate::wire::smd::{GroupBody, GroupPatchBody, GroupView, write_list};

pub(super) async fn list(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    let labels = read_labels(&pairs, "group", "Invalid group label.")?;
    let tags = read_labels(&pairs, "tag", "Invalid tag.")?;
    let scope = Scope::read(&pairs)?;
    let snapshot = smd.store.snapshot();
    let named = |group: &&Arc<Group>| labels.is_empty() || labels.contains(&group.label);
    let tagged = |group: &&Arc<Group>| {
        tags.is_empty() || group.tags.iter().any(|tag| tags.iter().any(|wanted| wanted.as_str() == tag))
    };
    let groups: Vec<&Arc<Group>> = snapshot.boot.groups.values().filter(named).collect();
    if groups.is_empty() {
        // SMD looks for the partition when it comes to a group, and not before.
        return Ok(answer::bytes(write_list::<GroupView<'_>>(None, [])));
    }
    let shown = scope.over(&snapshot)?;
    let rows = groups.into_iter().filter(tagged);
    Ok(answer::bytes(write_list(None, rows.map(|group| GroupView::with_members(group, shown.of(&group.members))))))
}

pub(super) async fn create(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request: GroupBody = body::read_json(body).await?;
    let group = write::checked(request)?;
    let uris = [Uri::new(&format!("groups/{}", group.label))];
    smd.store.write(author, move |snapshot| write::decide_create(snapshot, group)).await?;
    Ok(answer::created_all("groups", &uris))
}

/// `groups/labels`: the list of labels, and the group that is called so, which can be changed and deleted but not shown.
/// An answer of 405 names the method of the list only, as SMD's does.
pub(super) fn called_labels() -> MethodRouter<SmdState> {
    let label = || PathOf("labels".to_owned());
    get(labels)
        .patch(move |state, by, body| change(state, by, label(), body))
        .delete(move |state, by| remove(state, by, label()))
}

async fn labels(State(smd): State<SmdState>) -> Response {
    let snapshot = smd.store.snapshot();
    answer::bytes(write_list(None, snapshot.boot.groups.keys().map(GroupLabel::as_str)))
}

pub(super) async fn show(
    State(smd): State<SmdState>,
    PathOf(label): PathOf<String>,
    pairs: Pairs,
) -> Result<Response, Problem> {
    let label = read_label(&label)?;
    let scope = Scope::read(&pairs)?;
    let snapshot = smd.store.snapshot();
    let shown = scope.over(&snapshot)?;
    let group = snapshot.boot.groups.get(&label).ok_or_else(|| missing(&label))?;
    Ok(answer::json(&GroupView::with_members(group, shown.of(&group.members))))
}

pub(super) async fn change(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(label): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let mut patch: GroupPatchBody = body::read_json(body).await?;
    let label = read_label(&label)?;
    let tags = patch.checked_tags().map_err(|_| Problem::bad_request("Invalid tag."))?;
    if patch.description.is_none() && tags.is_none() {
        return Err(answer::nothing_to_patch());
    }
    let description = patch.description;
    smd.store.write(author, move |snapshot| write::decide_change(snapshot, &label, description, tags)).await?;
    Ok(answer::no_content())
}

pub(super) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(label): PathOf<String>,
) -> Result<Response, Problem> {
    let label = read_label(&label)?;
    smd.store.write(author, move |snapshot| write::decide_remove(snapshot, &label)).await?;
    Ok(answer::deleted())
}

fn missing(label: &GroupLabel) -> Problem {
    Problem::not_found(format!("No such group: {label}"))
}

fn read_label(text: &str) -> Result<GroupLabel, Problem> {
    text.parse().map_err(|_| Problem::bad_request("Invalid group label."))
}

/// The values of a key, each of which has to be a word that could be a label; `problem` is said of one that is not.
pub(super) fn read_labels(pairs: &Pairs, key: &str, problem: &str) -> Result<Vec<GroupLabel>, Problem> {
    pairs.all(key).map(|text| text.parse().map_err(|_| Problem::bad_request(problem))).collect()
}
