//! The outcome of the rules of safety, as the document tells it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The outcome of all rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Safety {
    /// True when every rule holds.
    pub ok: bool,
    /// Rule by rule.
    pub checks: Vec<Check>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name: `limit.delete`, `limit.replace`, `empty.inventory`, `missing.file`, `empty.live`, `incomplete.read`,
    /// `foreign.owner`, `adopt.differs`, `object.unreadable`.
    pub rule: String,
    /// What is counted: `nodes`, `groups`, …; for `empty.live` the service, for `foreign.owner` the other cluster.
    pub what: String,
    /// How many there are.
    pub value: u64,
    /// Out of how many.
    pub of: u64,
    /// How many there may be.
    pub limit: u64,
    /// Whether it holds.
    pub ok: bool,
    /// The names of those counted, where the rule does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Arc<str>>,
}
