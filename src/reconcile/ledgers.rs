//! The ledgers of a target: that of the inventory's cluster, what other clusters own there, and how one cluster takes the
//! place of another.
//!
//! A ledger belongs to a cluster's identifier. A cluster that gets another name therefore has no ledger, and everything
//! that it made belongs to the old name. Nothing of that is adopted in silence: somebody has to say that the new cluster
//! takes the place of the old one, and then owns what the old one owned, no more and no less.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Request;
use crate::desired::Desired;
use crate::model::ObjectKey;
use crate::store::{Ledger, LedgerChange, Store, TargetId};
use crate::target::{Observed, Target, TargetError};

/// What a plan has to know of ledgers.
pub(super) struct Ledgers {
    /// What is ours, with what was another cluster's until it is taken over.
    pub(super) ledger: Arc<Ledger>,
    /// What other clusters own, each with its cluster's identifier.
    pub(super) claimed: BTreeMap<ObjectKey, Arc<str>>,
    /// The cluster whose place is taken, and how many objects it owns.
    pub(super) taken_over: Option<(Arc<str>, u64)>,
    /// The changes that make its ledger ours.
    pub(super) moved: Vec<(TargetId, LedgerChange)>,
}

impl Ledgers {
    /// Reads them. `ledger` is that of the inventory's cluster.
    pub(super) async fn read(
        store: &Store,
        target: &impl Target,
        request: &Request,
        ledger: Arc<Ledger>,
    ) -> Result<Self, TargetError> {
        let own = target.id(&request.desired.cluster_id);
        let mut claimed = store.claims(&own, &target.id("")).await?;
        let former = request.take_over.as_deref().filter(|cluster| claimed.values().any(|owner| **owner == **cluster));
        // A cluster that owns nothing was taken over already, or its name is wrong; then the plan says who owns what.
        let Some(former) = former else { return Ok(Self { ledger, claimed, taken_over: None, moved: Vec::new() }) };
        claimed.retain(|_, owner| **owner != *former);
        let from = target.id(former);
        let theirs = store.ledger(&from).await?;
        let mut moved = Vec::with_capacity(2 * theirs.entries.len());
        let mut ours = Ledger::clone(&ledger);
        for (key, entry) in &theirs.entries {
            moved.push((from.clone(), LedgerChange::Forget(key.clone())));
            if !ours.entries.contains_key(key) {
                moved.push((own.clone(), LedgerChange::Own(key.clone(), entry.clone())));
                ours.entries.insert(key.clone(), entry.clone());
            }
        }
        ours.last_apply = ours.last_apply.or_else(|| theirs.last_apply.clone());
        let taken_over = Some((Arc::from(former), theirs.entries.len() as u64));
        Ok(Self { ledger: Arc::new(ours), claimed, taken_over, moved })
    }
}

/// Leaves out what the target could not list: an unknown kind is neither created anew nor taken for deleted.
pub(super) fn readable<'a>(
    request: &'a Request,
    observed: &Observed,
    ledger: &'a Ledger,
) -> (Cow<'a, Desired>, Cow<'a, Ledger>) {
    if observed.unreadable.is_empty() {
        return (Cow::Borrowed(&request.desired), Cow::Borrowed(ledger));
    }
    let mut desired = Desired::clone(&request.desired);
    let mut ledger = ledger.clone();
    desired.objects.retain(|key, _| !observed.unreadable.contains(&key.kind));
    desired.waiting.retain(|key, _| !observed.unreadable.contains(&key.kind));
    ledger.entries.retain(|key, _| !observed.unreadable.contains(&key.kind));
    (Cow::Owned(desired), Cow::Owned(ledger))
}
