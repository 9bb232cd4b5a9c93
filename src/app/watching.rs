//! The background tasks: watching the inventory, the store's and the keys' well-being.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::{Config, Report, Reporter};
use crate::inventory;
use crate::reconcile::Reconciler;
use crate::reconcile::watch::{self, Event, Timing, WatchConfig};
use crate::server::common::tls::RELOAD_EVERY;
use crate::server::common::{Accesses, Health, Supervisor, Tls};
use crate::server::smd;
use crate::store::Store;
use crate::token::Verifier;

/// How often the store is asked what is wrong with it.
const STORE_CHECK: Duration = Duration::from_secs(1);

/// Watches the inventory, where there is one. `replan` has it planned again.
pub(super) fn spawn(
    tasks: &mut Supervisor,
    config: &Config,
    reconciler: Reconciler,
    health: &Health,
    report: Reporter,
    replan: Arc<Notify>,
) {
    let Some(inventory) = config.inventory.clone() else { return };
    let watch = WatchConfig {
        inventory,
        secrets: config.secrets.clone(),
        apply: config.apply,
        services: config.services.clone(),
        timing: Timing::default(),
        replan,
    };
    let health = health.clone();
    tasks.spawn("watcher", move |shutdown| {
        let (watch, reconciler, health, report) = (watch.clone(), reconciler.clone(), health.clone(), report.clone());
        async move {
            let tell = move |event: Event| {
                judge(&event, &health);
                report(Report::Watch(&event));
            };
            watch::run(&watch, &reconciler, &tell, &shutdown).await;
            Ok::<(), std::convert::Infallible>(())
        }
    });
}

/// What an event of the watcher means for our health.
fn judge(event: &Event, health: &Health) {
    match event {
        Event::Invalid { diagnostics, .. } => {
            let errors = diagnostics.iter().filter(|d| d.severity == inventory::Severity::Error).count();
            let s = if errors == 1 { "" } else { "s" };
            health.set(
                "inventory",
                Some(format!("the inventory is invalid ({errors} error{s}); the last good one stays")),
            );
        }
        Event::Loaded { .. } => health.set("inventory", None),
        // A refusal stands until the inventory changes or a person applies; anything else is over with a new plan.
        Event::Planned(plan) if plan.refusal().is_none() && !plan.lacks_secrets() => health.set("apply", None),
        Event::Planned(_) => {}
        Event::Applied(applied) => {
            let failures = applied.outcome.failures.len();
            let reason = (failures > 0).then(|| format!("{failures} writes of the last apply failed"));
            health.set("apply", reason);
        }
        Event::Failed(error) => health.set("apply", Some(first_line(&error.to_string()))),
        // The plan that failed before is no better for being made again.
        Event::Again(event) if matches!(**event, Event::Planned(_)) => {}
        Event::Again(event) => judge(event, health),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Tells what is wrong with the store, and that it is well again.
pub(super) fn spawn_store(tasks: &mut Supervisor, store: Store, health: Health) {
    tasks.spawn("store-check", move |shutdown| {
        let (store, health) = (store.clone(), health.clone());
        async move {
            loop {
                let reasons = store.degraded();
                health.set("store", (!reasons.is_empty()).then(|| reasons.join("; ")));
                tokio::select! {
                    () = shutdown.cancelled() => return Ok::<(), std::convert::Infallible>(()),
                    () = tokio::time::sleep(STORE_CHECK) => {}
                }
            }
        }
    });
}

/// Tells SMD's subscribers of changes and takes away reservations that have ended.
pub(super) fn spawn_smd(tasks: &mut Supervisor, store: &Store) {
    let (told, swept) = (store.clone(), store.clone());
    tasks.spawn("smd-notices", move |shutdown| smd::deliver_notices(told.clone(), smd::Pace::SERVICE, shutdown));
    tasks.spawn("smd-reservations", move |shutdown| smd::sweep_reservations(swept.clone(), shutdown));
}

/// Stores when nodes booted.
pub(super) fn spawn_accesses(tasks: &mut Supervisor, store: &Store, accesses: Accesses) {
    let store = store.clone();
    tasks.spawn("endpoint-history", move |shutdown| accesses.clone().keep(store.clone(), shutdown));
}

/// Keeps the keys of other issuers fresh.
pub(super) fn spawn_keys(tasks: &mut Supervisor, verifier: Verifier, health: Health) {
    tasks.spawn("token-keys", move |shutdown| {
        let (verifier, health) = (verifier.clone(), health.clone());
        async move {
            let report = |url: &str, problem: Option<&str>| {
                health.set(&format!("jwks {url}"), problem.map(str::to_owned));
            };
            verifier.run(shutdown.clone(), report).await;
            shutdown.cancelled().await;
            Ok::<(), std::convert::Infallible>(())
        }
    });
}

/// Takes a renewed certificate into use.
pub(super) fn spawn_certificate(tasks: &mut Supervisor, tls: Arc<Tls>, health: Health) {
    tasks.spawn("certificate-watch", move |shutdown| {
        let (tls, health) = (tls.clone(), health.clone());
        async move {
            tls.watch(RELOAD_EVERY, shutdown, |problem| health.set("certificate", problem)).await;
            Ok::<(), std::convert::Infallible>(())
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::samples::{desire, inventory};
    use crate::model::Timestamp;
    use crate::plan::{Options, compute};
    use crate::reconcile::ReconcileError;
    use crate::snapshot::Snapshot;
    use crate::store::Ledger;

    #[test]
    fn a_plan_is_well_again_when_it_is_new_and_not_when_it_is_tried_again() {
        let health = Health::new();
        let options = Options::new("builtin", Timestamp(0));
        let plan = compute(&desire(&inventory(1)), &Ledger::default(), &Snapshot::default(), &options).plan;
        let planned = || Event::Planned(Box::new(plan.clone()));
        judge(&Event::Failed(ReconcileError::Ending), &health);
        judge(&Event::Again(Box::new(planned())), &health);
        assert_eq!(health.degraded().len(), 1);
        judge(&planned(), &health);
        assert_eq!(health.degraded(), []);
        judge(&Event::Again(Box::new(Event::Failed(ReconcileError::Ending))), &health);
        assert_eq!(health.degraded().len(), 1);
    }
}
