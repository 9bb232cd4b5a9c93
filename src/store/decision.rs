//! What a writer's decision comes to.

use std::sync::Arc;

use super::{ApplyRecord, LedgerChange, TargetId};
use crate::snapshot::Change;

/// Who makes a write, as drift reports it: `ochami-sync apply`, `api sub=admin`, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author(pub Arc<str>);

/// What a decision came to: the answer for the caller, the changes of objects, and what an apply records with them.
#[derive(Debug)]
pub struct Decision<T> {
    /// Handed back once the changes are durable.
    pub answer: T,
    /// Committed together, in this order.
    pub changes: Vec<Change>,
    /// Changes of what an inventory owns, committed in the same transaction.
    pub ledger: Vec<(TargetId, LedgerChange)>,
    /// The line of history that an apply leaves at a target. Its number is given by the store, and to the ledger
    /// entries beside it as well.
    pub history: Option<(TargetId, ApplyRecord)>,
}

impl<T> Decision<T> {
    /// A decision that changes objects only.
    pub fn new(answer: T, changes: Vec<Change>) -> Self {
        Self { answer, changes, ledger: Vec::new(), history: None }
    }
}
