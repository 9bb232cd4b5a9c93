//! cloud-init's data in the form of today's cloud-init server (2025 on): defaults of the cluster, a cloud-config file
//! and variables for each group, and what is special about single nodes.

use serde::{Deserialize, Serialize};

use super::{Details, EntryName, Xname};

/// What is true of every node. There is one of it. Follows cloud-init `admin/cluster-defaults`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterDefaults {
    /// Told as the cloud's provider.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cloud_provider: String,
    /// Told as the region.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Told as the availability zone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub availability_zone: String,
    /// The cluster's full name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cluster_name: String,
    /// SSH keys that every node accepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_keys: Vec<String>,
    /// The URL, without a slash at its end, below which nodes find their groups' files.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub base_url: String,
    /// The network that nodes boot on, in CIDR notation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub boot_subnet: String,
    /// The network of a WireGuard tunnel, in CIDR notation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wg_subnet: String,
    /// What stands before the number in a node's host name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub short_name: String,
    /// How many digits the number in a host name has at least; zero stands for four.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nid_length: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What the members of a group of that name are told. Follows cloud-init `admin/groups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudInitGroup {
    /// The identifier, a group's label in SMD. It is compared as it is.
    pub name: EntryName,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Variables for the group's file, a mapping.
    #[serde(default, skip_serializing_if = "Details::is_null")]
    pub meta_data: Details,
    /// The cloud-config, encoded as `encoding` says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content: String,
    /// A name for the file, which is only handed back.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub filename: String,
    /// `plain`, `base64`, or nothing, which means plain.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub encoding: String,
    /// Names of versions, a mapping that is only handed back.
    #[serde(default, skip_serializing_if = "Details::is_null")]
    pub versions: Details,
}

/// What is special about one node; what is empty comes from the defaults. Follows cloud-init `admin/instance-info`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceInfo {
    /// The node.
    pub id: Xname,
    /// Its short host name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub local_hostname: String,
    /// Its host name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// The cluster's full name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cluster_name: String,
    /// The region.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// The availability zone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub availability_zone: String,
    /// The cloud's provider.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cloud_provider: String,
    /// The type of instance.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instance_type: String,
    /// The URL below which this node finds its groups' files.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cloud_init_base_url: String,
    /// SSH keys that this node accepts beside the cluster's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_keys: Vec<String>,
}
