//! The plan as a document: what `--format json` prints and what travels between the daemon and its clients.
//!
//! Nothing in it is folded, so that another program can read it line by line. Its version counts as in every format of
//! ours: readers ignore keys they do not know and refuse another major number. No secret is in it, nor anything from
//! which one could be guessed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::safety::Safety;
use crate::model::Kind;

/// The name of the format.
pub const FORMAT: &str = "ochami-sync/plan";
/// Its version.
pub const FORMAT_VERSION: &str = "1.0";

/// What an apply would do, and what it would leave alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`FORMAT`].
    pub format: String,
    /// [`FORMAT_VERSION`].
    pub format_version: String,
    /// `p-` and twelve hexadecimal digits: equal operations on equal objects of one target have equal identifiers.
    pub id: String,
    /// The program that made it.
    pub tool: Tool,
    /// When, RFC 3339.
    pub created: String,
    /// What it is about.
    pub cluster: Cluster,
    /// What it was made from.
    pub source: Source,
    /// What was last applied.
    pub base: Base,
    /// False when live state could not be read whole; nothing is deleted then.
    pub complete: bool,
    /// Why not.
    pub incomplete_reasons: Vec<String>,
    /// Whether drift is put back, or only reported.
    pub correct_drift: bool,
    /// Counts.
    pub summary: Summary,
    /// The rules that were evaluated.
    pub safety: Safety,
    /// What the inventory asks for.
    pub changes: Vec<PlanChange>,
    /// What others changed since the last apply.
    pub drift: Vec<PlanChange>,
    /// What is in the inventory and stays as it is.
    pub unchanged: Vec<Names>,
    /// What the ledger owns and the inventory no longer has, but is not deleted, because pruning is off or the read
    /// was incomplete.
    pub kept: Vec<Names>,
    /// What is neither in the inventory nor in the ledger. It is never touched.
    pub unmanaged: Vec<Unmanaged>,
    /// The writes, in order.
    pub ops: Vec<Op>,
    /// Remarks on single objects.
    pub diagnostics: Vec<Remark>,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its version.
    pub version: String,
}

/// The cluster and where it is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its identifier.
    pub id: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The target, `builtin` or a URL.
    pub target: String,
    /// The services of the target by name: `smd`, `bss`, `cloud_init`.
    pub services: BTreeMap<String, String>,
}

/// The inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `dir`.
    pub kind: String,
    /// The hash over its files.
    pub inventory: String,
    /// Number of nodes in it.
    pub nodes: u64,
    /// Number of groups.
    pub groups: u64,
    /// Number of files.
    pub files: u64,
}

/// The last apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Its number; none before the first.
    pub apply: Option<u64>,
    /// When it ended, RFC 3339.
    pub at: Option<String>,
}

/// Counts of lines by verb. Every count is the number of entries of that sort in the plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Created, those that were deleted outside included.
    pub create: u64,
    /// Updated.
    pub update: u64,
    /// Replaced: the key of a part changed.
    pub replace: u64,
    /// Deleted.
    pub delete: u64,
    /// Taken over, changed or not.
    pub adopt: u64,
    /// Renamed.
    pub rename: u64,
    /// Already as wanted; only the ledger is told.
    pub record: u64,
    /// In the inventory and unchanged.
    pub noop: u64,
    /// Entries of the drift section.
    pub drift: u64,
    /// Objects that are not ours.
    pub unmanaged: u64,
    /// Changed both in the inventory and outside.
    pub conflict: u64,
    /// Gone both from the inventory and from the services; dropped from the ledger.
    pub forgotten: u64,
    /// Writes of objects.
    pub writes: u64,
}

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// The reason in one word: `new`, `fields_changed`, `key_changed`, `renamed`, `removed`, `deleted_outside`, …
    pub reason: String,
    /// Why it happens.
    pub class: Class,
    /// True when it may not happen, because the object is not ours (`sync.adopt`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// The line that causes it; for a delete, where it last stood.
    pub origin: Option<Place>,
    /// The fields that differ; for a new object, those that tell what it is.
    pub fields: Vec<FieldChange>,
    /// Fingerprint of the objects as they are; none where there are none.
    pub live_fingerprint: Option<String>,
    /// Fingerprint of the objects as they will be.
    pub after_fingerprint: Option<String>,
    /// The writes, by identifier.
    pub ops: Vec<String>,
    /// When it makes itself felt.
    pub effect: Effect,
    /// Who changed it last and when, where the target tells; for drift only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Writer>,
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

/// Names of one sort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The sort.
    pub kind: Subject,
    /// The names, sorted.
    pub names: Vec<Arc<str>>,
}

/// Objects of one kind that are not ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmanaged {
    /// The kind.
    pub kind: Kind,
    /// For members of one of our groups: the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Arc<str>>,
    /// The identifiers, sorted.
    pub ids: Vec<Arc<str>>,
}

/// What a write does to its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Makes it.
    Create,
    /// Changes it.
    Update,
    /// Removes it.
    Delete,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Op {
    /// `o` and its place in the order, from 1.
    pub id: String,
    /// The phase: the kind of object, `delete` in front for deletes.
    pub phase: String,
    /// `smd`, `bss` or `cloud-init`.
    pub service: String,
    /// What it does.
    pub action: Action,
    /// The resource of the service.
    pub path: String,
    /// The object, `KIND/ID`.
    pub object: String,
    /// The writes that have to succeed before.
    pub after: Vec<String>,
}

/// A remark on an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The object, `KIND/ID`.
    pub object: String,
    /// What is to be said.
    pub message: String,
    /// Where in the inventory.
    pub origin: Option<Place>,
}

impl Plan {
    /// True when applying it would write an object, change the ledger or need a decision: anything but `in sync`.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty() || self.summary.writes > 0 || self.summary.forgotten > 0
    }

    /// True when it shows drift and nothing else.
    #[must_use]
    pub fn is_drift_only(&self) -> bool {
        self.changes.is_empty() && !self.drift.is_empty()
    }

    /// Why it must not be applied, in full sentences with the ways out; none when it may.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        super::refusal::render(self)
    }
}
