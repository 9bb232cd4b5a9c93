//! cloud-init entries in the tutorial's form: user-data and meta-data kept under a name.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name of an entry: a group label, an xname or a node name. The service compares it as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct EntryName(Arc<str>);

/// The paths of one part at which the cloud-init servers of both generations have something else than an entry, or below
/// which they have.
const PATHS: [&str; 8] =
    ["admin", "meta-data", "network-config", "openapi.json", "phone-home", "user-data", "vendor-data", "version"];

/// A text that cannot name an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an entry's name has 1 to 255 printable characters and no `/`")]
pub struct EntryNameError;

impl EntryName {
    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for a name that is a path of the cloud-init server, or of the file of a group: an entry of that name could be
    /// neither read nor written.
    #[must_use]
    pub fn is_path(&self) -> bool {
        PATHS.contains(&self.as_str()) || self.0.ends_with(".yaml")
    }
}

impl FromStr for EntryName {
    type Err = EntryNameError;

    fn from_str(text: &str) -> Result<Self, EntryNameError> {
        let sound = (1..=255).contains(&text.len()) && text.chars().all(|c| c != '/' && !c.is_control());
        if sound { Ok(Self(text.into())) } else { Err(EntryNameError) }
    }
}

impl TryFrom<Arc<str>> for EntryName {
    type Error = EntryNameError;

    fn try_from(text: Arc<str>) -> Result<Self, EntryNameError> {
        text.parse()
    }
}

impl From<EntryName> for Arc<str> {
    fn from(name: EntryName) -> Self {
        name.0
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a node of that name, or the members of the group of that name, are told. Follows the cloud-init server of
/// August 2024 (`/cloud-init/{name}`).
///
/// The documents are data trees whose keys are sorted; a document that was never given is `null`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudInitEntry {
    /// The identifier.
    pub name: EntryName,
    /// The cloud-config, a mapping of module names.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub userdata: Value,
    /// Instance data, a mapping.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub metadata: Value,
    /// The vendor's cloud-config, a mapping.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub vendordata: Value,
    /// True when the documents are Jinja templates for the node's own cloud-init (`## template: jinja`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub jinja: bool,
}

impl fmt::Debug for CloudInitEntry {
    /// Names the entry only: the documents may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudInitEntry").field("name", &self.name).finish_non_exhaustive()
    }
}
