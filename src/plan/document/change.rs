//! One line of a plan: what it is about, what happens to it, why, and field by field.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A node with its controller, endpoints and interfaces.
    Node,
    /// What a node boots.
    Boot,
    /// An entry of the open cloud-init store.
    CloudInit,
    /// An entry of the secure cloud-init store.
    CloudInitSecure,
    /// What today's cloud-init server tells every node.
    ClusterDefaults,
    /// What today's cloud-init server tells the members of a group.
    CloudInitGroup,
    /// What today's cloud-init server tells one node.
    InstanceInfo,
    /// A group.
    Group,
}

impl Subject {
    /// The first part of an address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Boot => "boot",
            Self::CloudInit => "cloud-init",
            Self::CloudInitSecure => "cloud-init-secure",
            Self::ClusterDefaults => "cluster-defaults",
            Self::CloudInitGroup => "cloud-init-group",
            Self::InstanceInfo => "instance-info",
            Self::Group => "group",
        }
    }
}

/// What happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// It is new.
    Create,
    /// It was deleted outside and is made again.
    Recreate,
    /// Fields change.
    Update,
    /// A part gets another key, for example an interface another MAC address.
    Replace,
    /// The inventory no longer has it.
    Delete,
    /// The inventory no longer has it, but others put something into it: what is ours goes, the rest stays unmanaged.
    Release,
    /// The same hardware gets another name.
    Rename,
    /// It is there and equal; it becomes ours.
    Adopt,
    /// It is there and differs; it becomes ours and is changed.
    AdoptAndChange,
    /// It is already as wanted.
    Record,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The inventory changed.
    Intent,
    /// Somebody else changed it.
    Drift,
    /// Both.
    Conflict,
    /// The inventory no longer has it.
    Prune,
    /// It was there before us.
    Adopt,
}

/// When it makes itself felt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// When the node boots next.
    NextBoot,
    /// At once.
    Immediate,
    /// Never: nothing is written.
    None,
}

/// One line of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanChange {
    /// `node/XNAME`, `boot/XNAME`, `group/LABEL`, `cloud-init/NAME`, `cloud-init-secure/NAME`.
    pub address: String,
    /// The name people use.
    pub name: Arc<str>,
    /// What it is about.
    pub kind: Subject,
    /// What happens.
    pub verb: Verb,
    /// The reason in one word: `new`, `fields_changed`, `key_changed`, `interface_moved`, `node_moved`, `renamed`,
    /// `removed`, `shared`, `deleted_outside`, …
    pub reason: Cow<'static, str>,
    /// Of a replacement: the fields that are keys and change.
    #[serde(default)]
    pub replace_paths: Vec<String>,
    /// Why it happens.
    pub class: Class,
    /// True when it may not happen, because the object is not ours (`sync.adopt`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// The objects for which it is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<Foreign>,
    /// The line that causes it, the first where there are several; for a delete, where it last stood.
    pub origin: Option<Place>,
    /// All lines that cause it, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Place>,
    /// The fields that differ; for a new object, those that tell what it is.
    pub fields: Vec<FieldChange>,
    /// The secrets that are missing: what the objects will be is known when they are there, and not before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_secrets: Vec<Arc<str>>,
    /// Fingerprint of the objects as they are; none where there are none.
    pub live_fingerprint: Option<String>,
    /// False when something of it is there and cannot be read.
    #[serde(default)]
    pub live_readable: bool,
    /// Fingerprint of the objects as they will be.
    pub after_fingerprint: Option<String>,
    /// The writes, by identifier.
    pub ops: Vec<String>,
    /// True when a node in use may notice: it goes, or its MAC address, IP address, role, kernel or initrd changes.
    #[serde(default)]
    pub disruptive: bool,
    /// When it makes itself felt.
    pub effect: Effect,
    /// Who changed it last and when, where the target tells; for drift only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Writer>,
}

/// An object that is there, is not ours, and may not become it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Foreign {
    /// The object, `KIND/ID`.
    pub object: String,
    /// The fields in which it differs from the inventory; none where it may not be ours although it is equal.
    pub fields: Vec<FieldChange>,
}

/// A place in the inventory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Path below the inventory directory.
    pub file: Arc<str>,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// The value that it is, as a JSON pointer into the file; none where the line is gone or does not tell.
    #[serde(default)]
    pub pointer: Option<String>,
    /// True when the line is gone: it is where the subject stood when it was last applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removed: bool,
}

/// Who wrote last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Writer {
    /// The author.
    pub writer: String,
    /// When, RFC 3339.
    pub at: String,
}

/// How a field came to differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldClass {
    /// The inventory changed, or has it for the first time.
    Intent,
    /// Somebody else changed it.
    Drift,
    /// Both, to different values.
    Conflict,
    /// Both, to the same value: nothing to write.
    Recorded,
    /// The inventory no longer says anything of it; it is emptied.
    Released,
    /// The same, but it stays as it is: it cannot be empty, or somebody else changed it.
    Left,
}

/// One field of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// A JSON pointer within the subject, `/role`, `/interfaces/0/mac`, `/boot/kernel`.
    pub path: String,
    /// How it came to differ.
    pub class: FieldClass,
    /// As last applied.
    pub last: Option<Value>,
    /// As it is.
    pub live: Option<Value>,
    /// As it shall be. For a sensitive field the word `changed` stands here and nothing else is told.
    pub want: Option<Value>,
    /// Elements that are added, for a field that is a set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// Elements that are removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// True when the value is secret.
    pub sensitive: bool,
}
