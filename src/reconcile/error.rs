//! Why nothing was planned or applied.

use super::Broken;
use crate::desired::Unresolved;
use crate::plan::Plan;
use crate::target::TargetError;

/// Why nothing was planned or applied.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The target failed.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A safety rule refuses the plan; nothing was written.
    #[error("{text}")]
    Refused {
        /// The whole plan, so that it can be shown.
        plan: Box<Plan>,
        /// The rule, its numbers and the ways out.
        text: String,
    },
    /// The plan is not the one that was reviewed; nothing was written.
    #[error("the plan changed: expected {expected}, now it is {found}; plan again")]
    Stale {
        /// The identifier asked for.
        expected: String,
        /// That of the present plan.
        found: String,
    },
    /// The program ends before it was this apply's turn; nothing was written.
    #[error("nothing was applied, because the program is ending")]
    Ending,
    /// A defect of this program.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// Secrets that the inventory refers to cannot be had; nothing was written.
    #[error("{}", unresolved_text(.0))]
    Unresolved(Vec<Unresolved>),
}

fn unresolved_text(unresolved: &[Unresolved]) -> String {
    let lines = unresolved.iter().map(|u| format!("{}: {} needs a secret: {}", u.origin, u.key, u.reason));
    lines.collect::<Vec<_>>().join("\n")
}
