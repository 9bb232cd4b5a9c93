//! Plan and apply over a target, once or for ever; never two at once at one target.
//!
//! [`Reconciler`] is what the local API calls, in the daemon and in a command's own process alike. [`watch`] is the
//! loop of `serve`: a saved inventory is loaded as one or rejected as one, planned, and applied where that was asked
//! for. Nothing here answers a client of the boot plane.

mod aside;
mod dhcp;
mod error;
mod ledgers;
mod lost;
mod request;
#[cfg(test)]
mod tests;
pub mod watch;

pub use aside::{Broken, aside};
pub use dhcp::from_nothing_beside;
pub use error::ReconcileError;
pub use request::{Request, TargetSpec};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use ledgers::{Ledgers, readable};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use self::lost::Lost;
use crate::clock;
use crate::desired::Desired;
use crate::inventory::Drift;
use crate::model::{Kind, ObjectKey, Record};
use crate::plan::{self, Computed, Options, Plan, PlanChange};
use crate::snapshot::{Change, Snapshot};
use crate::store::{Author, Ledger, LedgerChange, Provenance, Store, TargetId};
use crate::target::{Builtin, Endpoints, Observed, OpenChami, Outcome, Run, Target, TargetError, Work};

/// What an apply did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Applied {
    /// The plan that was applied.
    pub plan: Plan,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it is not known whether everything holds what was written; none when it was read back.
    #[serde(default)]
    pub unverified: Option<String>,
    /// Objects that do not hold what was written when they were read back: somebody else writes them, too.
    pub unsettled: Vec<ObjectKey>,
}

/// Plans and applies, one at a time at each target.
#[derive(Clone)]
pub struct Reconciler {
    store: Store,
    turns: Turns,
    /// Cancelled when the process is to end.
    stop: CancellationToken,
    /// Keeps the plan that was made last, where the next thing asked for is likely to apply it.
    memo: Option<Arc<std::sync::Mutex<Option<Memo>>>>,
}

/// Whose turn it is to apply, by target: services that are slow hold up nobody but those who apply to them.
type Turns = Arc<std::sync::Mutex<BTreeMap<TargetId, Arc<Mutex<()>>>>>;

/// A plan with what it was computed from. Planning is pure, so the same inputs need no second computation.
struct Memo {
    request: Request,
    revision: u64,
    prepared: Prepared,
}

/// A plan with what applying it takes, and how ledgers change hands before.
struct Prepared {
    computed: Computed,
    moved: Vec<(TargetId, LedgerChange)>,
}

impl Reconciler {
    /// A reconciler whose ledgers are in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, turns: Arc::default(), stop: CancellationToken::new(), memo: None }
    }

    /// The reconciler, told when the process is to end: an apply to services elsewhere then sends nothing more, and
    /// tells what it has not done.
    #[must_use]
    pub fn until(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// As [`Self::new`], for a command that applies right after it planned. It keeps a whole plan in memory, which a
    /// daemon should not.
    #[must_use]
    pub fn for_one_command(store: Store) -> Self {
        Self { memo: Some(Arc::default()), ..Self::new(store) }
    }

    /// Plans. Writes nothing, at the target or here.
    ///
    /// # Errors
    ///
    /// [`ReconcileError::Target`] when the live state cannot be read at all.
    pub async fn plan(&self, request: &Request) -> Result<Plan, ReconcileError> {
        match &request.target {
            TargetSpec::Builtin => self.plan_at(&Builtin::new(self.store.clone()), request).await,
            TargetSpec::OpenChami(endpoints) => self.plan_at(&self.services(endpoints)?, request).await,
        }
    }

    /// Plans anew, holds the plan against the safety rules and applies it.
    ///
    /// # Errors
    ///
    /// [`ReconcileError`]; nothing was written in any of its cases. Writes that fail on the way are told by
    /// [`Outcome::failures`].
    pub async fn apply(&self, request: &Request) -> Result<Applied, ReconcileError> {
        match &request.target {
            TargetSpec::Builtin => self.apply_in_turn(&Builtin::new(self.store.clone()), request).await,
            TargetSpec::OpenChami(endpoints) => self.apply_in_turn(&self.services(endpoints)?, request).await,
        }
    }

    fn services(&self, endpoints: &Endpoints) -> Result<OpenChami, TargetError> {
        OpenChami::new(self.store.clone(), endpoints, self.stop.clone())
    }

    async fn apply_in_turn(&self, target: &impl Target, request: &Request) -> Result<Applied, ReconcileError> {
        let id = target.id(&request.desired.cluster_id);
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default().clone();
        let waited = self.stop.run_until_cancelled(turn.lock()).await;
        let Some(_turn) = waited else { return Err(ReconcileError::Ending) };
        let applied = self.apply_at(target, request).await?;
        dhcp::put(&self.store, request).await.map_err(TargetError::from)?;
        Ok(applied)
    }

    async fn plan_at(&self, target: &impl Target, request: &Request) -> Result<Plan, ReconcileError> {
        let observed = target.observe(&request.desired).await?;
        let prepared = self.compute(target, request, &observed).await?;
        let Some(memo) = self.memo.as_ref().filter(|_| target.is_transactional()) else {
            return Ok(prepared.computed.plan);
        };
        let plan = prepared.computed.plan.clone();
        let made = Memo { request: request.clone(), revision: observed.live.revision, prepared };
        *memo.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
        Ok(plan)
    }

    /// The plan made last, if it is of the same request on the same state.
    fn remembered(&self, request: &Request, observed: &Observed) -> Option<Prepared> {
        let memo = self.memo.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let same = Arc::ptr_eq(&memo.request.desired, &request.desired)
            && memo.revision == observed.live.revision
            && memo.request.knobs() == request.knobs();
        same.then_some(memo.prepared)
    }

    async fn apply_at(&self, target: &impl Target, request: &Request) -> Result<Applied, ReconcileError> {
        if !request.desired.unresolved.is_empty() {
            return Err(ReconcileError::Unresolved(request.desired.unresolved.clone()));
        }
        let observed = target.observe(&request.desired).await?;
        let prepared = match self.remembered(request, &observed).filter(|_| target.is_transactional()) {
            Some(prepared) => prepared,
            None => self.compute(target, request, &observed).await?,
        };
        let Prepared { computed: Computed { plan, writes, ledger }, moved } = prepared;
        if let Some(expected) = request.expect.as_ref().filter(|id| **id != plan.id) {
            return Err(ReconcileError::Stale { expected: expected.clone(), found: plan.id });
        }
        if let Some(text) = plan.refusal() {
            return Err(ReconcileError::Refused { plan: Box::new(plan), text });
        }
        if writes.is_empty() && ledger.is_empty() && moved.is_empty() {
            return Ok(Applied { plan, outcome: Outcome::default(), unverified: None, unsettled: Vec::new() });
        }
        let certain = target.is_transactional() || writes.is_empty();
        let keys: BTreeSet<ObjectKey> = writes.iter().map(|write| write.key.clone()).collect();
        let run = Run {
            plan: plan.id.clone(),
            cluster_id: request.desired.cluster_id.to_string(),
            inventory: request.desired.inventory_hash.clone(),
            author: Author(format!("ochami-sync apply ({})", request.author).into()),
        };
        let outcome = target.apply(run, &observed, Work { writes, ledger, moved }).await?;
        let (unsettled, unverified) =
            if certain { (Vec::new(), None) } else { self.read_back(target, request, &outcome, &keys).await };
        Ok(Applied { plan, outcome, unverified, unsettled })
    }

    /// Reads the target again: an object that was written and still needs a write is unsettled. What was written stays
    /// written when this fails, so a failure is told and is no error.
    async fn read_back(
        &self,
        target: &impl Target,
        request: &Request,
        outcome: &Outcome,
        written: &BTreeSet<ObjectKey>,
    ) -> (Vec<ObjectKey>, Option<String>) {
        let observed = match target.observe(&request.desired).await {
            Ok(observed) => observed,
            Err(error) => return (Vec::new(), Some(error.to_string())),
        };
        let again = match self.compute(target, request, &observed).await {
            Ok(again) => again.computed,
            Err(error) => return (Vec::new(), Some(error.to_string())),
        };
        let failed = |key: &ObjectKey| outcome.failures.iter().any(|failure| failure.key == *key);
        let keys = again.writes.into_iter().map(|write| write.key);
        let unsettled = keys.filter(|key| written.contains(key) && !failed(key)).collect();
        (unsettled, observed.incomplete.first().cloned())
    }

    async fn compute(
        &self,
        target: &impl Target,
        request: &Request,
        observed: &Observed,
    ) -> Result<Prepared, TargetError> {
        let mut prepared = self.compute_objects(target, request, observed).await?;
        dhcp::show(&mut prepared.computed.plan, request, self.store.snapshot().boot.dhcp.as_deref());
        let refused = target.refuses(&prepared.computed.writes);
        prepared.computed.plan.notes.extend(refused.map(|reason| format!("an apply would refuse this plan: {reason}")));
        Ok(prepared)
    }

    async fn compute_objects(
        &self,
        target: &impl Target,
        request: &Request,
        observed: &Observed,
    ) -> Result<Prepared, TargetError> {
        let ledgers = Ledgers::read(&self.store, target, request, observed.ledger.clone()).await?;
        let Ledgers { ledger, claimed, taken_over, moved } = ledgers;
        let (desired, ledger) = readable(request, observed, &ledger);
        let correct_drift = request.correct_drift || desired.policy.drift == Drift::Correct;
        let lost = Lost::judge(&observed.lost, &desired, &ledger, request.give_up_unreadable);
        let (live, ledger) = (lost.in_live(&observed.live), lost.in_ledger(ledger));
        let incomplete_reasons = [observed.incomplete.clone(), lost.reasons()].concat();
        let mut options = Options {
            complete: incomplete_reasons.is_empty() && observed.unreadable.is_empty(),
            incomplete_reasons,
            prune: request.prune,
            adopt: request.adopt,
            allow_delete: request.allow_delete,
            allow_replace: request.allow_replace,
            accept_empty_live: request.accept_empty_live || lost.heals(),
            correct_drift,
            claimed,
            taken_over,
            services: observed.services.clone(),
            notes: observed.notes.clone(),
            fingerprint_key: ledger.last_apply.as_ref().and_then(|_| self.store.fingerprint_key()),
            ..Options::new(&*target.id(&desired.cluster_id).0, clock::now())
        };
        let mut computed = plan::compute(&desired, &ledger, &live, &options);
        lost.correct(&mut computed);
        // Only drift is shown with its writer, and only our own store knows writers; most plans have neither.
        let drifted = behind(&desired, &computed.plan.drift);
        if drifted.is_empty() || !matches!(request.target, TargetSpec::Builtin) {
            return Ok(Prepared { computed, moved });
        }
        options.provenance = self.provenance(&drifted).await;
        let mut computed = plan::compute(&desired, &ledger, &live, &options);
        lost.correct(&mut computed);
        Ok(Prepared { computed, moved })
    }

    async fn provenance(&self, keys: &[ObjectKey]) -> BTreeMap<ObjectKey, Provenance> {
        self.store.provenance(keys).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "who caused the drift cannot be told");
            BTreeMap::new()
        })
    }
}

/// The objects behind lines of a plan.
fn behind(desired: &Desired, lines: &[PlanChange]) -> Vec<ObjectKey> {
    let addresses: BTreeSet<&str> = lines.iter().map(|line| line.address.as_str()).collect();
    if addresses.is_empty() {
        return Vec::new();
    }
    let address = |key: &ObjectKey, owner: Option<&str>| match (key.kind, owner) {
        (Kind::Group, _) => format!("group/{}", key.id),
        // The lines of these are called as the objects are.
        (
            Kind::CloudInit | Kind::CloudInitSecure | Kind::ClusterDefaults | Kind::CloudInitGroup | Kind::InstanceInfo,
            _,
        ) => key.to_string(),
        (Kind::BootParams, Some(owner)) => format!("boot/{owner}"),
        (_, Some(owner)) => format!("node/{owner}"),
        (_, None) => key.to_string(),
    };
    let objects = desired
        .objects
        .iter()
        .filter(|(key, object)| addresses.contains(address(key, object.owner.as_deref()).as_str()));
    objects.map(|(key, _)| key.clone()).collect()
}

/// The state that a desired state makes where nothing is yet.
#[must_use]
pub fn from_nothing(desired: &Desired) -> Snapshot {
    let options = Options::new("", clock::now());
    let computed = plan::compute(desired, &Ledger::default(), &Snapshot::default(), &options);
    let mut snapshot = Snapshot::rebuilt(computed.writes.into_iter().filter_map(|write| write.object), 0);
    if let Some(settings) = &desired.dhcp {
        snapshot.apply(&Change::PutRecord(Record::DhcpSettings(settings.clone())));
    }
    snapshot
}
