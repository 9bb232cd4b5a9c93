//! The ledger: what an inventory created, per target, with the fields it last wrote. Prune deletes nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{ObjectKey, Timestamp};

/// Which ledger: the cluster's identifier and the target it is applied to, `demo/builtin` or `demo/https://…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TargetId(pub Arc<str>);

impl TargetId {
    /// The cluster, when the ledger is that of some cluster at the same target as `same`, the ledger of the cluster
    /// without a name there.
    #[must_use]
    pub fn cluster_at(&self, same: &Self) -> Option<&str> {
        self.0.strip_suffix(&*same.0)
    }
}

/// What is remembered of one owned object.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The owned fields as last applied: canonical JSON, keys sorted. Encrypted at rest for secret kinds.
    pub doc: Arc<str>,
    /// The node it belongs to, by xname; none for groups and cloud-init entries of groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Arc<str>>,
    /// The node's name at that time, or the entry's own.
    pub name: Arc<str>,
    /// `FILE:LINE` of the cause at that time.
    pub origin: Arc<str>,
    /// The number of the apply that wrote it.
    pub apply: u64,
}

/// The owned fields of an object that is about to be created: none is settled yet.
const INTENDED: &str = "{}";

impl LedgerEntry {
    /// The entry as it is recorded before a service is asked to create the object. Should the answer never be seen, the
    /// object is ours all the same, whatever it holds; should it not be there, nothing is missed.
    #[must_use]
    pub fn intended(&self) -> Self {
        Self { doc: INTENDED.into(), ..self.clone() }
    }

    /// True for an entry made by [`Self::intended`]: it is not known that the object was ever there.
    #[must_use]
    pub fn is_intended(&self) -> bool {
        &*self.doc == INTENDED
    }
}

impl std::fmt::Debug for LedgerEntry {
    /// Leaves the document out: it may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerEntry").field("name", &self.name).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Everything one inventory owns at one target.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    /// The owned objects.
    pub entries: BTreeMap<ObjectKey, LedgerEntry>,
    /// The newest apply, none before the first.
    pub last_apply: Option<ApplyRecord>,
}

/// One change of a ledger.
#[derive(Debug, Clone)]
pub enum LedgerChange {
    /// The object is owned, with this content.
    Own(ObjectKey, LedgerEntry),
    /// The object is no longer owned.
    Forget(ObjectKey),
}

/// One line of the history of applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyRecord {
    /// Counts up from 1 per target. Ignored when it is written: the store numbers.
    pub number: u64,
    /// When it ended.
    pub at: Timestamp,
    /// The plan that was applied.
    pub plan: String,
    /// Who applied it: user name or `serve`.
    pub author: String,
    /// Hash of the inventory's files.
    pub inventory: String,
    /// Writes made.
    pub writes: u64,
    /// `applied`, or `partial` when some writes failed.
    pub result: String,
}

/// Who last wrote an object, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The author of the write.
    pub writer: String,
    /// When it was written.
    pub at: Timestamp,
}
