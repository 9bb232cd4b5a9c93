//! What is asked for: a desired state, where it is to be, and how far that may go. Travels over the local socket.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::desired::Desired;
use crate::inventory::Adopt;
use crate::target::{Endpoints, Services};

/// Where to apply.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetSpec {
    /// The store of this program.
    Builtin,
    /// Running SMD, BSS and cloud-init services.
    OpenChami(Endpoints),
}

impl TargetSpec {
    /// Whether this is where a daemon applies: at these services, or at its own store where there are none.
    #[must_use]
    pub fn is_at(&self, services: Option<&Services>) -> bool {
        match (self, services) {
            (Self::Builtin, None) => true,
            (Self::OpenChami(endpoints), Some(services)) => services.are_at(endpoints),
            _ => false,
        }
    }
}

/// What to plan or apply.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The desired state.
    pub desired: Arc<Desired>,
    /// Where.
    pub target: TargetSpec,
    /// Who asks: a user name, or `serve`.
    pub author: String,
    /// Overrides `sync.prune`.
    #[serde(default)]
    pub prune: Option<bool>,
    /// Overrides `sync.adopt`.
    #[serde(default)]
    pub adopt: Option<Adopt>,
    /// The ceiling of deletions, where the limit is lower.
    #[serde(default)]
    pub allow_delete: Option<u64>,
    /// The ceiling of node replacements, where the limit is lower.
    #[serde(default)]
    pub allow_replace: Option<u64>,
    /// Allow a service that held objects of ours to list none.
    #[serde(default)]
    pub accept_empty_live: bool,
    /// Delete stored objects that nobody can read any more and that the inventory does not hold; write those anew that it
    /// holds and that are not its own.
    #[serde(default)]
    pub give_up_unreadable: bool,
    /// Take the place of this cluster: what its ledger owns becomes ours.
    #[serde(default)]
    pub take_over: Option<String>,
    /// Put drift back. A person's apply does; the automatic loop reports it, unless `sync.drift` is `correct`.
    #[serde(default)]
    pub correct_drift: bool,
    /// Apply only when the plan still has this identifier.
    #[serde(default)]
    pub expect: Option<String>,
}

impl Request {
    /// What a person asks for who gives no flag: the inventory's policy and limits hold, and drift is put back.
    #[must_use]
    pub fn new(desired: Arc<Desired>, target: TargetSpec, author: impl Into<String>) -> Self {
        Self {
            desired,
            target,
            author: author.into(),
            prune: None,
            adopt: None,
            allow_delete: None,
            allow_replace: None,
            accept_empty_live: false,
            give_up_unreadable: false,
            take_over: None,
            correct_drift: true,
            expect: None,
        }
    }

    /// Everything that a plan depends on beside the desired state and the target.
    pub(super) fn knobs(&self) -> impl PartialEq + use<> {
        let limits = (self.allow_delete, self.allow_replace, self.accept_empty_live, self.give_up_unreadable);
        (self.prune, self.adopt, limits, self.correct_drift, self.take_over.clone())
    }
}
