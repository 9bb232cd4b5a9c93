//! The watcher: an inventory directory, loaded as one on every save, planned, and applied where asked for.
//!
//! The directory is watched, not its files, because editors replace files. A burst of events is waited out; whatever
//! the events say, the tree is compared as a whole every minute, because network file systems send none. What the
//! directory's name leads to may change as well: see `places`. The same content is silence; a broken tree, or none at
//! all, changes nothing and is reported once.

mod places;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::places::Places;
use super::{Applied, ReconcileError, Reconciler, Request, TargetSpec, aside};
use crate::desired::{self, Desired};
use crate::inventory::{self, Diagnostic, Sources, secrets};
use crate::plan::Plan;
use crate::target::{Services, TargetError};

/// How the watcher waits.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// No event for this long ends a burst.
    pub quiet: Duration,
    /// A burst that never ends is cut after this long.
    pub ceiling: Duration,
    /// Without any event the tree is compared this often.
    pub rescan: Duration,
    /// After a failed apply it is tried again after this long, doubling up to `retry_most`.
    pub retry: Duration,
    /// The longest wait between tries.
    pub retry_most: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(500),
            ceiling: Duration::from_secs(5),
            rescan: Duration::from_secs(60),
            retry: Duration::from_secs(2),
            retry_most: Duration::from_secs(300),
        }
    }
}

/// What to watch and what to do about it.
#[derive(Debug, Clone)]
pub struct WatchConfig {
    /// The inventory directory.
    pub inventory: PathBuf,
    /// Where secrets by reference are.
    pub secrets: PathBuf,
    /// Apply, or only plan.
    pub apply: bool,
    /// The services to compare with and apply to; our own store unless there are any.
    pub services: Option<Services>,
    /// The waits.
    pub timing: Timing,
    /// Told when the tree in force is to be planned again although it did not change, because what it is compared with
    /// did.
    pub replan: Arc<Notify>,
}

/// What the watcher has to tell.
#[derive(Debug)]
pub enum Event {
    /// A changed tree was loaded.
    Loaded {
        /// The new desired state.
        desired: Arc<Desired>,
        /// Warnings, if any.
        diagnostics: Vec<Diagnostic>,
        /// Their texts.
        sources: Sources,
        /// How long loading took.
        took: Duration,
        /// True when the tree before this one was broken.
        recovered: bool,
    },
    /// A changed tree is broken; the last good one stays in force.
    Invalid {
        /// What is wrong.
        diagnostics: Vec<Diagnostic>,
        /// The texts to show it in.
        sources: Sources,
    },
    /// The plan for the tree in force; drift alone is told here, too.
    Planned(Box<Plan>),
    /// The plan was applied, in whole or in part.
    Applied(Box<Applied>),
    /// The plan was not made or not applied; what is stored stays as it is.
    Failed(ReconcileError),
    /// Another try came to what the one before it came to.
    Again(Box<Event>),
}

/// Watches until `shutdown`, telling everything to `tell`.
pub async fn run(
    config: &WatchConfig,
    reconciler: &Reconciler,
    tell: &(dyn Fn(Event) + Send + Sync),
    shutdown: &CancellationToken,
) {
    let mut places = Places::new(config);
    let mut state = State::default();
    loop {
        // First the watch and then the look, so that nothing falls between the two.
        places.arm().await;
        let reloading = state.reload(config, reconciler, tell);
        if shutdown.run_until_cancelled(reloading).await.is_none() {
            return;
        }
        let wait = state.retry_in.unwrap_or(config.timing.rescan);
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = places.change(config.timing, wait) => {}
            () = config.replan.notified() => state.seen = None,
        }
    }
}

/// What the watcher remembers between reloads.
#[derive(Default)]
struct State {
    /// Hash of the newest tree seen, good or bad, and of the secrets it refers to.
    seen: Option<String>,
    /// The newest tree seen is broken.
    broken: bool,
    /// The last good desired state, while it still has to be applied.
    pending: Option<Arc<Desired>>,
    /// When to try the pending one again.
    retry_in: Option<Duration>,
    /// What was told of the tries.
    told: Told,
}

/// What was told of the tries to apply one tree.
#[derive(Default)]
struct Told {
    /// The plan of the last try; none when that came to no plan.
    plan: Option<String>,
    /// Hash of how the last try failed, or failed in part.
    failure: Option<blake3::Hash>,
}

impl State {
    async fn reload(&mut self, config: &WatchConfig, reconciler: &Reconciler, tell: &(dyn Fn(Event) + Send + Sync)) {
        let directory = config.inventory.clone();
        let started = Instant::now();
        let secrets = config.secrets.clone();
        let loading = aside(move || async move {
            let loaded = inventory::load_settled(&directory);
            let desired = loaded.inventory.as_ref().map(|inventory| desired(inventory, &secrets));
            (loaded, desired)
        });
        let Ok((loaded, desired)) = loading.await else {
            tracing::error!("loading the inventory panicked; the last good one stays in force");
            return;
        };
        let seen = match desired {
            Some(desired) => {
                let desired = Arc::new(desired);
                let seen = format!("{} {}", loaded.hash, fingerprint(&desired));
                if self.seen.as_ref() != Some(&seen) {
                    let recovered = std::mem::take(&mut self.broken);
                    self.pending = Some(desired.clone());
                    self.retry_in = None;
                    self.told = Told::default();
                    tell(Event::Loaded {
                        desired,
                        diagnostics: loaded.diagnostics,
                        sources: loaded.sources,
                        took: started.elapsed(),
                        recovered,
                    });
                }
                seen
            }
            None => {
                let seen = loaded.hash.clone();
                if self.seen.as_ref() != Some(&seen) {
                    self.broken = true;
                    tell(Event::Invalid { diagnostics: loaded.diagnostics, sources: loaded.sources });
                }
                seen
            }
        };
        self.seen = Some(seen);
        if let Some(desired) = self.pending.take() {
            self.reconcile(desired, config, reconciler, tell).await;
        }
    }

    /// Plans and applies the tree in force, and keeps it for another try where time can mend what went wrong. What lasts is
    /// marked as such: a service that is away for a night would fill the log otherwise.
    async fn reconcile(
        &mut self,
        desired: Arc<Desired>,
        config: &WatchConfig,
        reconciler: &Reconciler,
        tell: &(dyn Fn(Event) + Send + Sync),
    ) {
        let waited = self.retry_in.take();
        let came_to = self.attempt(desired.clone(), config, reconciler, tell).await;
        let (again, failure) = match &came_to {
            Ok(None) => (false, None),
            // What a service refused or did not answer is tried again, as is an apply that failed as a whole.
            Ok(Some(Applied { outcome, .. })) if outcome.failures.is_empty() => (false, None),
            Ok(Some(Applied { outcome, unsettled, unverified, .. })) => {
                (true, Some(format!("{} {:?} {unsettled:?} {unverified:?}", outcome.written, outcome.failures)))
            }
            // A refusal stands until the inventory changes or a person applies.
            Err(error) => {
                (matches!(error, ReconcileError::Target(_) | ReconcileError::Stale { .. }), Some(error.to_string()))
            }
        };
        if again {
            let Timing { retry, retry_most, .. } = config.timing;
            self.retry_in = Some(waited.map_or(retry, |wait| (wait * 2).min(retry_most)));
            self.pending = Some(desired);
        }
        let failure = failure.map(|text| blake3::hash(text.as_bytes()));
        let is_known = failure.is_some() && failure == self.told.failure;
        self.told.failure = failure;
        match came_to {
            Ok(None) => {}
            Ok(Some(applied)) => tell(again_if(is_known, Event::Applied(Box::new(applied)))),
            Err(error) => tell(again_if(is_known, Event::Failed(error))),
        }
    }

    /// Plans and, where that is asked for, applies; without the latter there is nothing to answer.
    async fn attempt(
        &mut self,
        desired: Arc<Desired>,
        config: &WatchConfig,
        reconciler: &Reconciler,
        tell: &(dyn Fn(Event) + Send + Sync),
    ) -> Result<Option<Applied>, ReconcileError> {
        let told = self.told.plan.take();
        let (planner, services) = (reconciler.clone(), config.services.clone());
        let planned = aside(move || async move {
            let target = match services.map(|services| services.endpoints(&desired.cluster_name)) {
                None => TargetSpec::Builtin,
                Some(endpoints) => {
                    TargetSpec::OpenChami(endpoints.map_err(|error| TargetError::Settings(error.to_string()))?)
                }
            };
            let request = Request { correct_drift: false, ..Request::new(desired, target, "serve") };
            let plan = planner.plan(&request).await?;
            Ok::<_, ReconcileError>((request, plan))
        });
        let (request, plan) = planned.await.unwrap_or_else(|broken| Err(broken.into()))?;
        let request = Request { expect: Some(plan.id.clone()), ..request };
        self.told.plan = Some(plan.id.clone());
        tell(again_if(told == self.told.plan, Event::Planned(Box::new(plan))));
        if !config.apply {
            return Ok(None);
        }
        let applier = reconciler.clone();
        let applied = aside(move || async move { applier.apply(&request).await }).await;
        applied.unwrap_or_else(|broken| Err(broken.into())).map(Some)
    }
}

fn again_if(is_known: bool, event: Event) -> Event {
    if is_known { Event::Again(Box::new(event)) } else { event }
}

/// The desired state of an inventory, with secrets read from `secrets` and the environment.
#[must_use]
pub fn desired(inventory: &inventory::Inventory, secrets: &Path) -> Desired {
    let resolve = |value: &Value| {
        secrets::resolve(value, secrets, |name| std::env::var(name).ok()).map_err(|error| error.to_string())
    };
    desired::desired(inventory, &resolve)
}

/// Tells whether the contents of secrets changed, which the tree's own hash cannot. Held in memory only.
fn fingerprint(desired: &Desired) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for (key, object) in desired.objects.iter().filter(|(key, _)| key.kind.is_secret()) {
        hasher.update(key.id.as_bytes()).update(object.doc.as_bytes());
    }
    for unresolved in &desired.unresolved {
        hasher.update(unresolved.reason.as_bytes());
    }
    hasher.finalize()
}
