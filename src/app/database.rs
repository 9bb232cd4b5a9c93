//! The database at the start and after it: one that cannot be opened is no reason not to serve, and is tried until it
//! can be.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::{AppError, Config, chain};
use crate::inventory;
use crate::reconcile::{self, aside, watch};
use crate::server::common::{Backoff, Health, Supervisor};
use crate::server::dhcp::Dhcp;
use crate::snapshot::Snapshot;
use crate::store::{Mode, Store, StoreConfig, StoreError};
use crate::target::Services;

/// The component of `/ready`.
const COMPONENT: &str = "database";

/// The waits between two tries. Whoever mends a database looks whether it helped, so the longest is short.
const RETRIES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));

/// Opens the store. A database that is broken, full or too new must not keep nodes from booting: they are served
/// without one, and how it is to be opened later is returned beside the store.
///
/// # Errors
///
/// Another process holds the state directory; the flags name no database that can be used.
pub(super) async fn open(config: &Config, health: &Health) -> Result<(Store, Option<StoreConfig>), AppError> {
    let wanted = StoreConfig { state_dir: config.state.clone(), mode: Mode::ReadWrite, url: config.database.clone() };
    let error = match Store::open(wanted.clone()).await {
        Ok(store) => return Ok((store, None)),
        Err(
            error @ (StoreError::Locked { .. } | StoreError::UnknownDatabase { .. } | StoreError::PostgresNotBuiltIn),
        ) => return Err(error.into()),
        Err(error) => error,
    };
    let reason = chain(&error);
    tracing::error!(error = reason, "the database cannot be opened; serving what can be read");
    health.set(COMPONENT, Some(reason.clone()));
    // A disk that is full or a database that somebody holds can still be read.
    let look = StoreConfig { mode: Mode::ReadOnly, ..wanted.clone() };
    if let Ok(store) = Store::open(look).await
        && store.snapshot().revision > 0
    {
        return Ok((store, Some(wanted)));
    }
    let resolved = match &config.inventory {
        Some(directory) => desired_snapshot(directory, &config.secrets, config.services.clone()).await,
        None => Snapshot::default(),
    };
    Ok((Store::detached(&wanted, resolved, reason), Some(wanted)))
}

/// The state that the inventory alone makes: at services elsewhere, what is left of it for our own DHCP.
async fn desired_snapshot(directory: &Path, secrets: &Path, services: Option<Services>) -> Snapshot {
    let (directory, secrets) = (directory.to_owned(), secrets.to_owned());
    let made = aside(move || async move {
        let inventory = inventory::load_settled(&directory).inventory?;
        let desired = watch::desired(&inventory, &secrets);
        Some(match services {
            None => reconcile::from_nothing(&desired),
            Some(services) => reconcile::from_nothing_beside(Arc::new(desired), &services),
        })
    });
    made.await.ok().flatten().unwrap_or_default()
}

/// Tries to open the database until it can be. What it holds is then served in place of what there was, and the inventory
/// is planned against it. DHCP is told of the leases in it before it is in use.
pub(super) fn spawn(
    tasks: &mut Supervisor,
    (store, wanted): (Store, StoreConfig),
    health: Health,
    replan: Arc<Notify>,
    dhcp: Option<Arc<Dhcp>>,
) {
    tasks.spawn("database-retry", move |shutdown| {
        let (store, wanted, health, replan) = (store.clone(), wanted.clone(), health.clone(), replan.clone());
        let dhcp = dhcp.clone();
        async move {
            let mut retries = RETRIES;
            loop {
                if shutdown.run_until_cancelled(tokio::time::sleep(retries.pause())).await.is_none() {
                    return Ok::<(), Infallible>(());
                }
                let (attached, asked, dhcp) = (store.clone(), wanted.clone(), dhcp.clone());
                let taken_up = move |before: &Snapshot, found: &Snapshot| {
                    if let Some(dhcp) = dhcp {
                        dhcp.take_up(&before.records, &found.records);
                    }
                };
                // Loading a large database keeps a core busy, which booting nodes are not to notice.
                match aside(move || async move { attached.attach(&asked, taken_up).await }).await {
                    Ok(Ok(())) => break,
                    Ok(Err(error)) => health.set(COMPONENT, Some(chain(&error))),
                    Err(broken) => health.set(COMPONENT, Some(broken.to_string())),
                }
            }
            health.set(COMPONENT, None);
            replan.notify_one();
            shutdown.cancelled().await;
            Ok(())
        }
    });
}
