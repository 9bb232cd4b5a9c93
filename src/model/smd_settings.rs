//! What administrators and services tell SMD about components beside the components themselves: numbers given in
//! advance, power feeds, reservations, and who wants to hear of changes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Details, Nid, Role, SubRole, Timestamp, Xname};

/// The number and role that a node gets when it first appears. Follows SMD `Defaults/NodeMaps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeMap {
    /// The node.
    pub id: Xname,
    /// Its number.
    pub nid: Nid,
    /// Its role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Within the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_role: Option<SubRole>,
    /// Anything else, as it was given.
    #[serde(default, skip_serializing_if = "Details::is_null")]
    pub info: Details,
}

/// What feeds a component. Follows SMD `sysinfo/powermaps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PowerMap {
    /// The component.
    pub id: Xname,
    /// Its power supplies, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub powered_by: Vec<Xname>,
}

/// A claim on a component, held by whoever knows the key. Follows SMD `locks/reservations`.
///
/// The keys themselves are told to the holder once and kept nowhere: what is kept is enough to know them again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The component.
    pub id: Xname,
    /// SHA-256 of what the holder shows to renew or release it, in hexadecimal.
    pub reservation_key: String,
    /// SHA-256 of what the holder gives to others, who can check with it that the claim stands.
    pub deputy_key: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself; an administrator's does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// Who is told of which changes of state. Follows SMD `Subscriptions/SCN`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The number SMD gave it.
    pub id: u64,
    /// Who asked, `service@host`.
    pub subscriber: String,
    /// Where notices are posted.
    pub url: String,
    /// What is told.
    #[serde(flatten)]
    pub triggers: Triggers,
}

/// Which changes are told. The words are kept as they were given, because SMD shows them so; they mean the same in any
/// case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triggers {
    /// True: changes of `Enabled` are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// New roles that are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// New sub-roles that are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_roles: Vec<String>,
    /// New software states that are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub software_status: Vec<String>,
    /// New states that are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<String>,
}

/// The last number given in a series, so that none is ever given twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// The series, `subscription` for one.
    pub name: Arc<str>,
    /// The number.
    pub last: u64,
}

/// When a node asked for something, the last times. Follows BSS `endpoint-history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointAccess {
    /// The node, or the address that asked where the node is not known.
    pub name: String,
    /// What it asked for, `bootscript` for one.
    pub endpoint: String,
    /// When last, in whole seconds since 1970-01-01 UTC.
    pub last_epoch: i64,
    /// When before that, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<i64>,
}

impl EndpointAccess {
    /// What it is stored under, the endpoint and the node.
    #[must_use]
    pub fn id(&self) -> Arc<str> {
        format!("{}/{}", self.endpoint, self.name).into()
    }

    /// All the times, the oldest first.
    pub fn epochs(&self) -> impl Iterator<Item = i64> {
        self.earlier.iter().copied().chain([self.last_epoch])
    }
}
