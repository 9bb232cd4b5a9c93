//! The desired state: what an inventory says SMD, BSS and cloud-init should hold.
//!
//! Pure: no clock, disk, network, randomness or hash order. Equal inventories give byte-equal results.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::inventory::{Origin, SyncPolicy};
use crate::model::ObjectKey;

/// What should be, object by object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Desired {
    /// The cluster's identifier (`Cluster::id`).
    pub cluster_id: Arc<str>,
    /// The cluster's name.
    pub cluster_name: Arc<str>,
    /// The hash of the inventory that this was made from.
    pub inventory_hash: String,
    /// How to treat what is found.
    pub policy: SyncPolicy,
    /// Number of files and nodes read, for the summary line.
    pub counts: Counts,
    /// The objects.
    #[serde(with = "objects")]
    pub objects: BTreeMap<ObjectKey, DesiredObject>,
    /// Objects whose content cannot be told because a secret is missing; `apply` refuses while there are any.
    pub unresolved: Vec<Unresolved>,
}

/// What the inventory held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Nodes.
    pub nodes: u64,
    /// Groups.
    pub groups: u64,
    /// Files.
    pub files: u64,
}

/// The owned fields of one object.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredObject {
    /// The owned fields: canonical JSON, keys sorted, names as in the model's canonical form. A field that is not here
    /// is not owned.
    pub doc: Arc<str>,
    /// The node it belongs to, by xname; none for groups and their cloud-init entries.
    pub owner: Option<Arc<str>>,
    /// The node's name, or the object's own.
    pub name: Arc<str>,
    /// The line that causes it.
    pub origin: Origin,
}

impl std::fmt::Debug for DesiredObject {
    /// Leaves the document out: it may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DesiredObject").field("name", &self.name).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// An object that waits for a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unresolved {
    /// The object.
    pub key: ObjectKey,
    /// The secret's name, and why it cannot be had.
    pub reason: String,
    /// The line that refers to it.
    pub origin: Origin,
}

/// Objects travel as a list, because JSON has no structured map keys.
mod objects {
    use super::{BTreeMap, Deserialize, DesiredObject, ObjectKey, Serialize};

    pub(super) fn serialize<S: serde::Serializer>(
        objects: &BTreeMap<ObjectKey, DesiredObject>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        objects.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<ObjectKey, DesiredObject>, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}
