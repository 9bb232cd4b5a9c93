//! Creating, changing and deleting partitions, and the rule that a component is in one at most.

use std::sync::Arc;

use imbl::OrdSet;

use super::find;
use crate::model::{GroupLabel, Partition, Record, Table, Xname};
use crate::server::common::Problem;
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::PartitionBody;

/// The partition of a POST.
///
/// # Errors
///
/// 400 naming what is wrong, 409 for a member that is given twice.
pub(super) fn checked(body: PartitionBody) -> Result<Partition, Problem> {
    let given = body.members.as_ref().and_then(|members| members.ids.as_ref()).map_or(0, Vec::len);
    let partition = Partition::try_from(body)
        .map_err(|error| Problem::bad_request(format!("couldn't validate partition: {error}")))?;
    if partition.members.len() < given {
        return Err(Problem::conflict("operation would conflict with duplicate ids found in request."));
    }
    Ok(partition)
}

/// Creates one with all its members, or nothing.
pub(super) fn decide_create(snapshot: &Snapshot, partition: Partition) -> Result<Decision<()>, Problem> {
    if snapshot.records.partitions.contains_key(&partition.name) {
        return Err(Problem::conflict("operation would conflict with an existing partition that has the same name."));
    }
    let taken = snapshot.partitions_of_all();
    if partition.members.iter().any(|id| taken.contains_key(id)) {
        return Err(elsewhere());
    }
    check_known(snapshot, &partition.members)?;
    Ok(Decision::new((), vec![put(partition)]))
}

/// Sets what is given.
pub(super) fn decide_change(
    snapshot: &Snapshot,
    name: &GroupLabel,
    description: Option<String>,
    tags: Option<Vec<String>>,
) -> Result<Decision<()>, Problem> {
    let mut new = existing(snapshot, name)?.clone();
    new.description = description.unwrap_or(new.description);
    new.tags = tags.unwrap_or(new.tags);
    Ok(Decision::new((), vec![put(new)]))
}

/// Deletes one; its members stay.
pub(super) fn decide_remove(snapshot: &Snapshot, name: &GroupLabel) -> Result<Decision<()>, Problem> {
    let partition = existing(snapshot, name)?;
    Ok(Decision::new((), vec![Change::DeleteRecord(Table::Partition, partition.name.as_str().into())]))
}

/// The partition that is to be changed; SMD refuses one that is not there in other words than a look-up.
fn existing<'a>(snapshot: &'a Snapshot, name: &GroupLabel) -> Result<&'a Partition, Problem> {
    find(snapshot, name).map_err(|_| Problem::not_found("no such partition."))
}

/// The change to other members.
pub(super) fn with_members(old: &Partition, members: OrdSet<Xname>) -> Vec<Change> {
    vec![put(Partition { members, ..old.clone() })]
}

/// 400 for a member that is no component.
pub(super) fn check_known<'a>(
    snapshot: &Snapshot,
    members: impl IntoIterator<Item = &'a Xname>,
) -> Result<(), Problem> {
    if members.into_iter().all(|id| snapshot.boot.components.contains_key(id)) {
        Ok(())
    } else {
        Err(Problem::bad_request("linked component does not exist"))
    }
}

/// 409: the component is in another partition.
pub(super) fn elsewhere() -> Problem {
    Problem::conflict("operation would conflict with an existing member in another partition.")
}

fn put(partition: Partition) -> Change {
    Change::PutRecord(Record::Partition(Arc::new(partition)))
}
