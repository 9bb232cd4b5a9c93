//! Creating, changing and deleting groups, and the rule of exclusive groups.

use std::sync::Arc;

use imbl::OrdSet;

use crate::model::{Group, GroupLabel, Object, ObjectKey, Xname};
use crate::server::common::Problem;
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::GroupBody;

/// The group of a POST.
///
/// # Errors
///
/// 400 naming what is wrong, 409 for a member that is given twice.
pub(super) fn checked(body: GroupBody) -> Result<Group, Problem> {
    let given = body.members.as_ref().and_then(|members| members.ids.as_ref()).map_or(0, Vec::len);
    let group =
        Group::try_from(body).map_err(|error| Problem::bad_request(format!("couldn't validate group: {error}")))?;
    if group.members.len() < given {
        return Err(exists());
    }
    Ok(group)
}

fn exists() -> Problem {
    Problem::conflict(
        "operation would conflict with an existing group that has the same label or duplicate ids found in request.",
    )
}

/// 400 for a member that is no component, 409 for one that is in another group of the same exclusive group.
pub(super) fn check_members<'a>(
    snapshot: &Snapshot,
    group: &Group,
    members: impl IntoIterator<Item = &'a Xname>,
) -> Result<(), Problem> {
    for id in members {
        if !snapshot.boot.components.contains_key(id) {
            return Err(Problem::bad_request("linked component does not exist"));
        }
        let excludes =
            |other: &Arc<Group>| other.label != group.label && other.exclusive_group == group.exclusive_group;
        if group.exclusive_group.is_some() && snapshot.boot.groups_of(id).any(excludes) {
            return Err(Problem::conflict(
                "operation would conflict with an existing member in another exclusive group.",
            ));
        }
    }
    Ok(())
}

/// The change that stores a group.
pub(super) fn put(group: Group) -> Change {
    Change::Put(Object::Group(Arc::new(group)))
}

/// Creates one with all its members, or nothing.
pub(super) fn decide_create(snapshot: &Snapshot, group: Group) -> Result<Decision<()>, Problem> {
    if snapshot.boot.groups.contains_key(&group.label) {
        return Err(exists());
    }
    check_members(snapshot, &group, &group.members)?;
    Ok(Decision::new((), vec![put(group)]))
}

/// Sets what is given.
pub(super) fn decide_change(
    snapshot: &Snapshot,
    label: &GroupLabel,
    description: Option<String>,
    tags: Option<Vec<String>>,
) -> Result<Decision<()>, Problem> {
    let old = snapshot.boot.groups.get(label).ok_or_else(|| Problem::not_found("no such group."))?;
    let mut new = Group::clone(old);
    new.description = description.unwrap_or(new.description);
    new.tags = tags.unwrap_or(new.tags);
    Ok(Decision::new((), replace(old, new)))
}

/// Deletes one; its members stay.
pub(super) fn decide_remove(snapshot: &Snapshot, label: &GroupLabel) -> Result<Decision<()>, Problem> {
    if !snapshot.boot.groups.contains_key(label) {
        return Err(Problem::not_found("no such group."));
    }
    Ok(Decision::new((), vec![Change::Delete(ObjectKey::group(label))]))
}

/// The change to other members, where they differ.
pub(super) fn with_members(old: &Group, members: OrdSet<Xname>) -> Vec<Change> {
    replace(old, Group { members, ..old.clone() })
}

fn replace(old: &Group, new: Group) -> Vec<Change> {
    if *old == new { Vec::new() } else { vec![put(new)] }
}
