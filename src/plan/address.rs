//! To which line of a plan an object belongs, and what it is called there.

use std::sync::Arc;

use super::document::{Place, Subject};
use super::judge::Outcome;
use super::ops;
use crate::inventory::Origin;
use crate::model::{Kind, ObjectKey};

/// What a line is about: the sort and the identifier.
pub(super) type Address = (Subject, Arc<str>);

/// The line to which an object belongs.
pub(super) fn address(key: &ObjectKey, owner: Option<&Arc<str>>) -> Address {
    let of_owner = || owner.unwrap_or(&key.id).clone();
    match key.kind {
        Kind::Component | Kind::RedfishEndpoint | Kind::ComponentEndpoint | Kind::EthernetInterface => {
            (Subject::Node, of_owner())
        }
        Kind::BootParams => (Subject::Boot, of_owner()),
        Kind::CloudInit => (Subject::CloudInit, key.id.clone()),
        Kind::CloudInitSecure => (Subject::CloudInitSecure, key.id.clone()),
        Kind::ClusterDefaults => (Subject::ClusterDefaults, key.id.clone()),
        Kind::CloudInitGroup => (Subject::CloudInitGroup, key.id.clone()),
        Kind::InstanceInfo => (Subject::InstanceInfo, of_owner()),
        Kind::Group => (Subject::Group, key.id.clone()),
    }
}

/// True for the component of a node.
pub(super) fn is_principal(outcome: &Outcome<'_>) -> bool {
    let key = outcome.sides.key;
    key.kind == Kind::Component && ops::owner(outcome).is_none_or(|owner| *owner == key.id)
}

/// The name that people use.
pub(super) fn name(outcome: &Outcome<'_>) -> Arc<str> {
    let desired = outcome.sides.desired.map(|desired| &desired.name);
    let name = desired.or_else(|| outcome.sides.entry.map(|entry| &entry.name));
    name.unwrap_or(&outcome.sides.key.id).clone()
}

/// The place as the document writes it.
pub(super) fn place(origin: &Origin) -> Place {
    Place { file: origin.file.clone(), line: origin.line, end_line: origin.end_line, pointer: None, removed: false }
}
