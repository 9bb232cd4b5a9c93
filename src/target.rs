//! Targets: where desired state is compared and applied.
//!
//! [`Builtin`] is the store of this program: one transaction, all or nothing. [`OpenChami`] is a running SMD, BSS and
//! cloud-init: a constant number of list calls to read, ordered calls to write, and a ledger kept in our own store. A
//! third generation of services is expected; a target may store boot parameters under another key than a MAC address,
//! and may be unable to read back what it was given.

pub mod builtin;
pub mod openchami;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use builtin::Builtin;
pub use openchami::{Endpoints, OpenChami, Services};

use crate::desired::Desired;
use crate::model::{Kind, ObjectKey};
use crate::plan::Write;
use crate::snapshot::Snapshot;
use crate::store::{Author, Ledger, LedgerChange, StoreError, TargetId};

/// What a target holds at one moment.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The live objects.
    pub live: Arc<Snapshot>,
    /// What the inventory owns there.
    pub ledger: Arc<Ledger>,
    /// Kinds that could not be listed: nothing about them is known, so nothing about them is planned.
    pub unreadable: Vec<Kind>,
    /// Objects that are known to be there, each with why nothing else is known of them.
    pub lost: BTreeMap<ObjectKey, String>,
    /// What the services cannot tell, and what stands for it. Sentences, for people.
    pub notes: Vec<String>,
    /// Why the picture is not whole; empty when it is. Nothing is deleted on an incomplete picture.
    pub incomplete: Vec<String>,
    /// The services read, by name, for the plan's header.
    pub services: BTreeMap<String, String>,
}

/// One write that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The plan's operation.
    pub op: String,
    /// The object.
    pub key: ObjectKey,
    /// What the service answered, or that an earlier failure of the same node made us leave it out.
    pub reason: String,
    /// True when it was left out rather than tried.
    pub skipped: bool,
}

/// What an apply came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Number of the apply in the target's history; zero when there was nothing to record.
    pub apply: u64,
    /// Writes that were made.
    pub written: u64,
    /// Writes that were not.
    pub failures: Vec<Failure>,
}

/// Faults of a target.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A service cannot be reached or refuses us; nothing was written.
    #[error("{service} at {url}: {reason}")]
    Service {
        /// `SMD`, `BSS` or `cloud-init`.
        service: &'static str,
        /// Its address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// A service does not accept our token; nothing was written.
    #[error("{service} at {url}: {reason}")]
    Denied {
        /// `SMD`, `BSS` or `cloud-init`.
        service: &'static str,
        /// Its address.
        url: String,
        /// What it said.
        reason: String,
    },
    /// The settings of the target do not make sense.
    #[error("{0}")]
    Settings(String),
    /// An object changed between plan and apply; nothing was written.
    #[error("{key} changed after the plan was made; plan again")]
    Stale {
        /// The object.
        key: ObjectKey,
    },
}

/// A place to which desired state is applied.
pub trait Target: Send + Sync {
    /// The ledger's name for an inventory's cluster at this target.
    fn id(&self, cluster_id: &str) -> TargetId;

    /// Why an apply of these writes would refuse all of them, known before anything is sent; none where it would not.
    fn refuses(&self, _writes: &[Write]) -> Option<String> {
        None
    }

    /// True when an apply is one transaction whose effect is certain: then there is nothing to read back.
    fn is_transactional(&self) -> bool;

    /// Reads the live objects and the ledger, as far as they matter to what is desired. Writes nothing.
    fn observe(&self, desired: &Desired) -> impl Future<Output = Result<Observed, TargetError>> + Send;

    /// Makes the writes of a plan that was computed from `observed`, and records what is owned from then on.
    fn apply(
        &self,
        run: Run,
        observed: &Observed,
        work: Work,
    ) -> impl Future<Output = Result<Outcome, TargetError>> + Send;
}

/// What a plan asks of a target.
#[derive(Debug)]
pub struct Work {
    /// The writes, in order.
    pub writes: Vec<Write>,
    /// Changes of the ledger that go with no write.
    pub ledger: Vec<LedgerChange>,
    /// Changes of this and of other ledgers that come before all others: what one cluster owned becomes another one's.
    pub moved: Vec<(TargetId, LedgerChange)>,
}

/// Who applies which plan of which inventory.
#[derive(Debug, Clone)]
pub struct Run {
    /// The plan's identifier.
    pub plan: String,
    /// The cluster's identifier.
    pub cluster_id: String,
    /// The inventory's hash.
    pub inventory: String,
    /// The user, or `serve`.
    pub author: Author,
}
