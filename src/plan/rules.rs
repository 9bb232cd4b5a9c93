//! What the settings of a plan say of every object.

use crate::inventory::Adopt;
use crate::model::Timestamp;

/// What holds for every object of one plan.
pub(super) struct Rules {
    pub(super) adopt: Adopt,
    pub(super) prune: bool,
    pub(super) complete: bool,
    pub(super) correct_drift: bool,
    pub(super) created: Timestamp,
    /// The number that the next apply gets.
    pub(super) apply: u64,
}
