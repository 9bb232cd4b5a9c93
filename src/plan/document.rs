//! The plan as a document: what `--format json` prints and what travels between the daemon and its clients.
//!
//! Nothing in it is folded, so that another program can read it line by line. Its version counts as in every format of
//! ours: readers ignore keys they do not know and refuse another major number. No secret is in it, nor anything from
//! which one could be guessed.

mod change;
mod safety;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use change::{Class, Effect, FieldChange, FieldClass, Foreign, Place, PlanChange, Subject, Verb, Writer};
pub use safety::{Check, Safety};

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
    /// Until when it may be applied, RFC 3339. A plan holds as long as what it was made from, so there is no such time.
    #[serde(default)]
    pub expires: Option<String>,
    /// What it is about.
    pub cluster: Cluster,
    /// What it was made from.
    pub source: Source,
    /// What was last applied.
    pub base: Base,
    /// What part of the inventory was planned.
    #[serde(default)]
    pub selection: Selection,
    /// False when live state could not be read whole; nothing is deleted then.
    pub complete: bool,
    /// Why not.
    pub incomplete_reasons: Vec<String>,
    /// Whether drift is put back, or only reported.
    pub correct_drift: bool,
    /// The cluster whose place this one takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over: Option<TakenOver>,
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
    /// Members of groups that stay for the same reason, although their nodes are in the inventory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_members: Vec<Members>,
    /// What is neither in the inventory nor in the ledger. It is never touched.
    pub unmanaged: Vec<Unmanaged>,
    /// The writes, in order.
    pub ops: Vec<Op>,
    /// What changes of what DHCP is told, in words; our own store only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dhcp: Vec<String>,
    /// Remarks on single objects.
    pub diagnostics: Vec<Remark>,
    /// What the target cannot tell or do, and how the plan gets along with that. Sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A cluster whose ledger becomes another one's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenOver {
    /// Its identifier.
    pub cluster: Arc<str>,
    /// How many objects it owns.
    pub objects: u64,
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
    /// The commit that was applied; none of a plain directory.
    #[serde(default)]
    pub commit: Option<String>,
}

/// The part of the inventory that was planned. It is the whole of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Nothing but this.
    pub only: Option<Vec<String>>,
    /// All but this.
    pub except: Option<Vec<String>>,
    /// How many objects were left out.
    pub skipped_objects: u64,
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
    /// Given up and left to others who put something into it.
    #[serde(default)]
    pub release: u64,
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

/// Names of one sort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The sort.
    pub kind: Subject,
    /// The names, sorted.
    pub names: Vec<Arc<str>>,
}

/// Members of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// The group.
    pub group: Arc<str>,
    /// The members, sorted.
    pub ids: Vec<Arc<str>>,
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
    pub phase: Cow<'static, str>,
    /// `smd`, `bss` or `cloud-init`.
    pub service: Cow<'static, str>,
    /// What it does.
    pub action: Action,
    /// How the service's API is asked for it; a target may need several requests.
    #[serde(default)]
    pub method: Cow<'static, str>,
    /// The resource of the service.
    pub path: String,
    /// The object, `KIND/ID`.
    pub object: String,
    /// The writes that have to succeed before.
    pub after: Vec<String>,
    /// Fingerprint of the object as the write makes it; none for a delete.
    #[serde(default)]
    pub body_hash: Option<String>,
}

/// How grave a remark is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The plan is refused.
    #[default]
    Error,
    /// The plan is as good as it can be, and deserves a look before it is applied.
    Warning,
}

/// A remark on an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Whether it refuses the plan.
    #[serde(default)]
    pub severity: Severity,
    /// What it is about: `secret.missing`, `object.unreadable`, `nid.taken`, `ip.taken`; or the code of a diagnostic of
    /// the inventory.
    #[serde(default)]
    pub code: Cow<'static, str>,
    /// The object, `KIND/ID`; of a diagnostic of the inventory the name of the node, or `inventory`.
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
        let ledger = self.taken_over.is_some() || self.summary.forgotten > 0;
        !self.changes.is_empty() || self.summary.writes > 0 || ledger || !self.dhcp.is_empty()
    }

    /// True when an apply would write or adopt something that the inventory asks for, or when nobody knows whether it
    /// would, because a secret is missing. What only the ledger is told is nothing that waits to be done.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        let written = |change: &PlanChange| !change.ops.is_empty() || change.class == Class::Adopt || change.refused;
        let elsewhere = self.taken_over.is_some() || !self.dhcp.is_empty();
        self.changes.iter().any(written) || elsewhere || self.lacks_secrets() || !self.safety.ok
    }

    /// True when it shows drift, and nothing that the inventory asks for is pending.
    #[must_use]
    pub fn is_drift_only(&self) -> bool {
        !self.is_pending() && !self.drift.is_empty()
    }

    /// True when a secret is missing, without which nothing is applied.
    #[must_use]
    pub fn lacks_secrets(&self) -> bool {
        self.diagnostics.iter().any(|remark| remark.code == "secret.missing")
    }
}
