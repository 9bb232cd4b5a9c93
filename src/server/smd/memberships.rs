//! `memberships`: which groups and which partition each component is in.

use axum::extract::State;
use axum::response::Response;

use super::components::{ComponentFilter, xname};
use super::query::Pairs;
use super::request::PathOf;
use super::{SmdState, answer};
use crate::model::{GroupLabel, PartitionName, Xname};
use crate::server::common::Problem;
use crate::snapshot::BootView;
use crate::wire::smd::{MembershipView, write_list};

/// Up to how many components are looked for partition by partition; for more, all partitions are read once.
const FEW: usize = 100;

/// Takes the filters of components.
pub(super) async fn list(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    let filter = ComponentFilter::read(&pairs)?;
    let snapshot = smd.store.snapshot();
    let found: Vec<&Xname> = filter.select(&snapshot).map(|component| &component.id).collect();
    let of_all = if found.len() > FEW { Some(snapshot.partitions_of_all()) } else { None };
    let partition = |id| match &of_all {
        Some(of_all) => of_all.get(id).copied(),
        None => snapshot.partition_of(id).map(|partition| &partition.name),
    };
    let rows = found.into_iter().map(|id| membership(&snapshot.boot, id, partition(id)));
    Ok(answer::bytes(write_list(None, rows)))
}

pub(super) async fn show(State(smd): State<SmdState>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let id = xname(&id)?;
    let snapshot = smd.store.snapshot();
    if !snapshot.boot.components.contains_key(&id) {
        return Err(Problem::not_found(format!("No such xname: {id}")));
    }
    let partition = snapshot.partition_of(&id).map(|partition| &partition.name);
    Ok(answer::json(&membership(&snapshot.boot, &id, partition)))
}

fn membership<'a>(view: &'a BootView, id: &'a Xname, partition: Option<&'a PartitionName>) -> MembershipView<'a> {
    let labels = view.index.groups_of.get(id).into_iter().flatten().map(GroupLabel::as_str);
    let partition_name = partition.map_or("", PartitionName::as_str);
    MembershipView { id: id.as_str(), group_labels: labels.collect(), partition_name }
}
