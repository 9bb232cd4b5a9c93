//! `groups`.

pub(super) mod members;
mod write;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

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
    let everyone = everyone(&pairs)?;
    let snapshot = smd.store.snapshot();
    let passes = |group: &Group| {
        let tagged = || group.tags.iter().any(|tag| tags.iter().any(|wanted| wanted.as_str() == tag));
        (labels.is_empty() || labels.contains(&group.label)) && (tags.is_empty() || tagged())
    };
    let rows = snapshot.boot.groups.values().filter(|group| passes(group)).map(|group| view(group, everyone));
    Ok(answer::bytes(write_list(None, rows)))
}

pub(super) async fn create(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request: GroupBody = body::read_json(body).await?;
    let group = write::checked(request)?;
    let uris = [Uri::new(&format!("groups/{}", group.label))];
    smd.store.write(author, move |snapshot| write::decide_create(snapshot, group)).await?;
    Ok(answer::created_all("groups", &uris))
}

pub(super) async fn labels(State(smd): State<SmdState>) -> Response {
    let snapshot = smd.store.snapshot();
    answer::bytes(write_list(None, snapshot.boot.groups.keys().map(GroupLabel::as_str)))
}

pub(super) async fn show(
    State(smd): State<SmdState>,
    PathOf(label): PathOf<String>,
    pairs: Pairs,
) -> Result<Response, Problem> {
    let label = read_label(&label)?;
    let everyone = everyone(&pairs)?;
    let snapshot = smd.store.snapshot();
    let group = snapshot.boot.groups.get(&label).ok_or_else(|| missing(&label))?;
    Ok(answer::json(&view(group, everyone)))
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
    Ok(answer::deleted(1))
}

fn missing(label: &GroupLabel) -> Problem {
    Problem::not_found(format!("No such group: {label}"))
}

fn read_label(text: &str) -> Result<GroupLabel, Problem> {
    text.parse().map_err(|_| Problem::bad_request("Invalid group label."))
}

fn read_labels(pairs: &Pairs, key: &str, problem: &str) -> Result<Vec<GroupLabel>, Problem> {
    pairs.all(key).map(|text| text.parse().map_err(|_| Problem::bad_request(problem))).collect()
}

/// Whether a query shows all members of a group. `partition=NULL` asks for those in no partition, which is everyone;
/// any other partition has no members.
fn everyone(pairs: &Pairs) -> Result<bool, Problem> {
    match pairs.first("partition") {
        None | Some("NULL") => Ok(true),
        Some(name) => {
            name.parse::<GroupLabel>().map(|_| false).map_err(|_| Problem::bad_request("Invalid partition name."))
        }
    }
}

fn view(group: &Group, everyone: bool) -> GroupView<'_> {
    GroupView::with_members(group, group.members.iter().filter(move |_| everyone))
}
