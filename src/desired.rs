//! The desired state: what an inventory says SMD, BSS and cloud-init should hold.
//!
//! It is what the populate step of an OpenCHAMI installation writes: components, Redfish endpoints, component
//! endpoints, Ethernet interfaces, groups, boot parameters and the data of cloud-init. Only *owned* fields are told. What
//! a node's state is, or what a role is that the files do not set, stays with whoever knows it.
//!
//! Pure: no clock, disk, network, randomness or hash order. Equal inventories give byte-equal results. The value of a
//! secret comes in through the function that the caller hands over.

mod dhcp;
mod doc;
mod entries;
mod instance_data;
mod nodes;
mod places;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use places::Places;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::inventory::{Inventory, Origin, SyncPolicy};
use crate::model::{DhcpSettings, ObjectKey};

/// Makes the desired state of an inventory.
///
/// `resolve` is given each secret reference of the secure store, the mapping `{"$secret": {…}}`, and answers its value
/// or why it cannot be had; the text must not hold the value. It is called for nothing else. An object whose secret
/// is missing stands in [`Desired::waiting`] and not among the objects.
#[must_use]
pub fn desired(inventory: &Inventory, resolve: &dyn Fn(&Value) -> Result<Value, String>) -> Desired {
    let mut objects = BTreeMap::new();
    let mut places = Places::of(inventory);
    nodes::objects(inventory, &mut objects);
    let waiting = entries::objects(inventory, resolve, &mut objects, &mut places);
    instance_data::objects(inventory, &mut objects, &mut places);
    let labels: BTreeSet<_> = inventory.nodes.iter().flat_map(|node| &node.groups).collect();
    Desired {
        cluster_id: inventory.cluster.id.as_str().into(),
        cluster_name: inventory.cluster.name.as_str().into(),
        inventory_hash: inventory.hash.clone(),
        policy: inventory.cluster.sync.clone(),
        counts: Counts { nodes: inventory.nodes.len() as u64, groups: labels.len() as u64, files: files(inventory) },
        dhcp: Some(Arc::new(dhcp::settings(inventory))),
        objects,
        places,
        waiting: waiting.objects,
        unresolved: waiting.unresolved,
    }
}

/// How many files the inventory came from: `nodes.yaml`, `cluster.yaml`, and those of cloud-init.
fn files(inventory: &Inventory) -> u64 {
    let entries = inventory.cloud_init.iter().chain(&inventory.cloud_init_secure).map(|entry| &entry.origin);
    let todays = inventory.cloud_init_defaults.iter().map(|said| &said.origin);
    let todays = todays.chain(inventory.cloud_init_groups.iter().map(|said| &said.origin));
    let todays = todays.chain(inventory.cloud_init_instances.iter().map(|said| &said.origin));
    let files: BTreeSet<&str> = entries.chain(todays).map(|origin| &*origin.file).collect();
    2 + files.len() as u64
}

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
    /// What DHCP is to be told; none from a version that did not know of it.
    #[serde(default)]
    pub dhcp: Option<Arc<DhcpSettings>>,
    /// The objects.
    #[serde(with = "objects")]
    pub objects: BTreeMap<ObjectKey, DesiredObject>,
    /// The lines that the objects' fields come from.
    #[serde(default)]
    pub places: Places,
    /// Objects that wait for a secret, as far as they can be told: in the place of each value that is missing stands its
    /// reference. They are planned with and never written.
    #[serde(default, with = "objects")]
    pub waiting: BTreeMap<ObjectKey, DesiredObject>,
    /// The references that they wait for; `apply` refuses while there are any.
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

/// A reference to a secret that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unresolved {
    /// The object that waits for it.
    pub key: ObjectKey,
    /// What the secret is called: the name of a file or of an environment variable.
    #[serde(default)]
    pub secret: String,
    /// Why it cannot be had, in words that name it.
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
