//! What is wrong with a store that serves nevertheless.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::StoreError;
use super::unreadable::Unreadable;
use crate::model::ObjectKey;

/// Shared by the writer, which finds faults, and by the store, which reports them.
#[derive(Debug, Clone, Default)]
pub(super) struct Health(Arc<Mutex<Faults>>);

#[derive(Debug, Default)]
struct Faults {
    secrets: Option<String>,
    writer: Option<String>,
    unreadable: Unreadable,
    holding: bool,
}

/// Why booting nodes are told something else than the database holds.
const HOLDING: &str = "the database that was opened has nothing to boot; nodes are told what they were told before it \
                       was opened, until an inventory is applied";

impl Health {
    /// The reasons in words; none when all is well.
    pub(super) fn reasons(&self) -> Vec<String> {
        self.with(|faults| {
            let writer = faults.writer.as_ref().map(|cause| format!("changes cannot be stored: {cause}"));
            let holding = faults.holding.then(|| HOLDING.to_owned());
            let unreadable = faults.unreadable.reasons();
            faults.secrets.clone().into_iter().chain(writer).chain(unreadable).chain(holding).collect()
        })
    }

    /// Why it is not known what is there, in words. Objects that are known to be there and cannot be read are no such
    /// reason.
    pub(super) fn unknown(&self) -> Vec<String> {
        self.with(|faults| faults.secrets.clone().into_iter().chain(faults.unreadable.foreign_kinds()).collect())
    }

    /// The objects that cannot be read, each with the cause.
    pub(super) fn lost(&self) -> BTreeMap<ObjectKey, String> {
        self.with(|faults| faults.unreadable.objects().clone())
    }

    /// Whether secrets can be read and written.
    pub(super) fn set_secrets(&self, result: Result<(), StoreError>) {
        self.with(|faults| faults.secrets = result.err().map(|e| e.to_string()));
    }

    /// What the last transaction came to.
    pub(super) fn set_writer(&self, result: &Result<(), StoreError>) {
        self.with(|faults| faults.writer = result.as_ref().err().map(ToString::to_string));
    }

    /// The rows that are not served.
    pub(super) fn set_unreadable(&self, unreadable: &Unreadable) {
        self.with(|faults| faults.unreadable = unreadable.clone());
    }

    /// Whether booting nodes are told what was served before the database was opened.
    pub(super) fn set_holding(&self, holding: bool) {
        self.with(|faults| faults.holding = holding);
    }

    fn with<T>(&self, work: impl FnOnce(&mut Faults) -> T) -> T {
        // Each change is one assignment, so a panic elsewhere cannot have left half of one.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
