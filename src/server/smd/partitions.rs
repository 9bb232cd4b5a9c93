//! `partitions`.
//!
//! Only what is created has to be named as partitions are (`p1`, `p1.2`): a look-up takes every name that a group could
//! have, and then finds nothing.

pub(super) mod members;
mod write;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::answer::{self, Uri};
use super::query::Pairs;
use super::request::{By, PathOf};
use super::{SmdState, groups};
use crate::model::{GroupLabel, Partition, PartitionName};
use crate::server::common::{Problem, body};
use crate::snapshot::Snapshot;
use crate::wire::smd::{GroupPatchBody, PartitionBody, PartitionView, write_list};

const INVALID_NAME: &str = "Invalid partition name.";

pub(super) async fn list(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    let names = groups::read_labels(&pairs, "partition", INVALID_NAME)?;
    let tags = groups::read_labels(&pairs, "tag", "Invalid tag.")?;
    let snapshot = smd.store.snapshot();
    let any = |wanted: &[GroupLabel], text: &str| wanted.is_empty() || wanted.iter().any(|one| one.as_str() == text);
    let passes = |partition: &Partition| {
        let tagged = tags.is_empty() || partition.tags.iter().any(|tag| any(&tags, tag));
        tagged && any(&names, partition.name.as_str())
    };
    let rows = snapshot.records.partitions.values().filter(|partition| passes(partition));
    Ok(answer::bytes(write_list(None, rows.map(|partition| PartitionView::from(&**partition)))))
}

pub(super) async fn create(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request: PartitionBody = body::read_json(body).await?;
    let partition = write::checked(request)?;
    let uris = [Uri::new(&format!("partitions/{}", partition.name))];
    smd.store.write(author, move |snapshot| write::decide_create(snapshot, partition)).await?;
    Ok(answer::created_all("partitions", &uris))
}

pub(super) async fn names(State(smd): State<SmdState>) -> Response {
    let snapshot = smd.store.snapshot();
    answer::bytes(write_list(None, snapshot.records.partitions.keys().map(PartitionName::as_str)))
}

pub(super) async fn show(State(smd): State<SmdState>, PathOf(name): PathOf<String>) -> Result<Response, Problem> {
    let name = read_name(&name)?;
    let snapshot = smd.store.snapshot();
    Ok(answer::json(&PartitionView::from(find(&snapshot, &name)?)))
}

pub(super) async fn change(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(name): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let mut patch: GroupPatchBody = body::read_json(body).await?;
    let name = read_name(&name)?;
    let tags = patch.checked_tags().map_err(|_| Problem::bad_request("Invalid tag."))?;
    let description = patch.description;
    if description.is_none() && tags.is_none() {
        return Err(Problem::bad_request("Request must have at least one patch field."));
    }
    smd.store.write(author, move |snapshot| write::decide_change(snapshot, &name, description, tags)).await?;
    Ok(answer::no_content())
}

pub(super) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(name): PathOf<String>,
) -> Result<Response, Problem> {
    let name = read_name(&name)?;
    smd.store.write(author, move |snapshot| write::decide_remove(snapshot, &name)).await?;
    Ok(answer::deleted())
}

fn read_name(text: &str) -> Result<GroupLabel, Problem> {
    text.parse().map_err(|_| Problem::bad_request(INVALID_NAME))
}

/// The partition of that name; 404 where there is none.
fn find<'a>(snapshot: &'a Snapshot, name: &GroupLabel) -> Result<&'a Partition, Problem> {
    let known = name.as_str().parse::<PartitionName>().ok();
    let partition = known.and_then(|name| snapshot.records.partitions.get(&name));
    partition.map(|partition| &**partition).ok_or_else(|| Problem::not_found(format!("No such partition: {name}")))
}
