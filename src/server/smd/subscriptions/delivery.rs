//! Posting notices to subscribers.
//!
//! One task compares each state that a request or an apply led to with the one before it, so that every writer causes
//! notices and none waits for them. Each URL has a queue and a task of its own: a subscriber that is slow or dead keeps
//! nobody else waiting, gets its notices in their order, and loses those that its queue cannot hold. What changed while
//! nothing ran is not told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::changes::{asks_for, notices};
use crate::server::common::Backoff;
use crate::server::common::tls::install_provider;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::wire::smd::NoticeView;

/// How many bytes of notices wait for one URL. One about every node of a large cluster is a megabyte.
const QUEUE: usize = 64 << 20;

/// How often a notice is tried.
const TRIES: u32 = 3;

/// How long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// A subscriber that has not answered by then does not.
    pub timeout: Duration,
    /// Between the first try and the second; later pauses are longer.
    pub pause: Duration,
}

impl Pace {
    /// The pace of a running service.
    pub const SERVICE: Self = Self { timeout: Duration::from_secs(10), pause: Duration::from_secs(1) };
}

/// Why notices cannot be delivered at all.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The platform's certificates cannot be used.
    #[error("notices cannot be posted: no HTTP client can be set up")]
    Client(#[source] reqwest::Error),
}

/// Tells subscribers of every change from now on. Runs until shutdown.
///
/// # Errors
///
/// [`DeliveryError`] when no client can be set up. A subscriber that does not answer is no error.
pub async fn deliver_notices(store: Store, pace: Pace, shutdown: CancellationToken) -> Result<(), DeliveryError> {
    let reader = store.snapshots();
    let (mut revisions, mut steps) = (reader.revisions(), store.steps());
    let mut seen = reader.load();
    let mut couriers = Couriers { client: None, pace, queues: BTreeMap::new(), tasks: JoinSet::new() };
    while let Some(Ok(())) = shutdown.run_until_cancelled(revisions.changed()).await {
        // The steps to a state are there before it is. Those that were missed are told with the next one.
        let newest = reader.load();
        loop {
            let step = match steps.try_recv() {
                Ok(step) if step.revision <= seen.revision => continue,
                Ok(step) => step,
                Err(TryRecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "changes came too fast to be told one by one; they are told together");
                    continue;
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            };
            couriers.tell(&seen, &step)?;
            seen = step;
        }
        // What was loaded anew from the database came in no step.
        if newest.revision > seen.revision {
            couriers.tell(&seen, &newest)?;
            seen = newest;
        }
    }
    Ok(())
}

/// A queue for one URL. Its task ends with it.
struct Queue {
    sender: mpsc::UnboundedSender<(Bytes, OwnedSemaphorePermit)>,
    /// A permit for each byte that may wait.
    room: Arc<Semaphore>,
    _task: DropGuard,
}

struct Couriers {
    /// Made for the first notice, because it reads the platform's certificates, which most clusters never need here.
    client: Option<reqwest::Client>,
    pace: Pace,
    queues: BTreeMap<String, Queue>,
    tasks: JoinSet<()>,
}

impl Couriers {
    /// Tells subscribers of the later state what is not as in the earlier one.
    fn tell(&mut self, before: &Snapshot, after: &Snapshot) -> Result<(), DeliveryError> {
        self.keep_subscribed(after);
        if !after.records.subscriptions.is_empty() {
            for notice in notices(&before.boot.components, &after.boot.components) {
                self.send(after, &notice)?;
            }
        }
        Ok(())
    }

    /// Gives up what waits for URLs that nobody subscribes any more. A task that has ended in a panic is given up, too,
    /// and the next notice starts another.
    fn keep_subscribed(&mut self, snapshot: &Snapshot) {
        let urls: BTreeSet<&str> = snapshot.records.subscriptions.values().map(|one| one.url.as_str()).collect();
        self.queues.retain(|url, queue| urls.contains(url.as_str()) && !queue.sender.is_closed());
        while self.tasks.try_join_next().is_some() {}
    }

    /// Puts a notice into the queue of each URL at which it is wanted.
    fn send(&mut self, snapshot: &Snapshot, notice: &NoticeView) -> Result<(), DeliveryError> {
        let wanted = snapshot.records.subscriptions.values().filter(|one| asks_for(&one.triggers, notice));
        let urls: BTreeSet<&str> = wanted.map(|one| one.url.as_str()).collect();
        if urls.is_empty() {
            return Ok(());
        }
        let client = match self.client.take() {
            Some(client) => client,
            None => client(self.pace)?,
        };
        self.client = Some(client.clone());
        let payload = match serde_json::to_vec(notice) {
            Ok(payload) => Bytes::from(payload),
            Err(error) => {
                tracing::error!(%error, "a notice could not be written as JSON");
                return Ok(());
            }
        };
        for url in urls {
            let queue = self.queues.entry(url.to_owned()).or_insert_with(|| {
                let (sender, inbox) = mpsc::unbounded_channel();
                let stop = CancellationToken::new();
                self.tasks.spawn(post_all(client.clone(), self.pace, url.to_owned(), inbox, stop.clone()));
                Queue { sender, room: Arc::new(Semaphore::new(QUEUE)), _task: stop.drop_guard() }
            });
            let size = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            let permit = queue.room.clone().try_acquire_many_owned(size).ok();
            if permit.and_then(|permit| queue.sender.send((payload.clone(), permit)).ok()).is_none() {
                tracing::warn!(subscriber.url = shown(url), "a subscriber is too slow; a notice to it is dropped");
            }
        }
        Ok(())
    }
}

fn client(pace: Pace) -> Result<reqwest::Client, DeliveryError> {
    install_provider();
    reqwest::Client::builder()
        .timeout(pace.timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("ochami-sync/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(DeliveryError::Client)
}

/// Posts what comes through the queue, one after the other.
async fn post_all(
    client: reqwest::Client,
    pace: Pace,
    url: String,
    mut inbox: mpsc::UnboundedReceiver<(Bytes, OwnedSemaphorePermit)>,
    stop: CancellationToken,
) {
    let posting = async {
        while let Some((payload, _room)) = inbox.recv().await {
            if let Err(reason) = post(&client, pace, &url, &payload).await {
                tracing::warn!(subscriber.url = shown(&url), reason, "a notice was not delivered");
            }
        }
    };
    stop.run_until_cancelled(posting).await;
}

/// Posts one notice; says why its last try failed.
async fn post(client: &reqwest::Client, pace: Pace, url: &str, payload: &Bytes) -> Result<(), String> {
    let mut backoff = Backoff::new(pace.pause, pace.pause * 5);
    let mut tries = 0;
    loop {
        tries += 1;
        let request = client.post(url).header(CONTENT_TYPE, "application/json").body(payload.clone());
        let reason = match request.send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => answer.status().to_string(),
            Err(error) => error.without_url().to_string(),
        };
        if tries == TRIES {
            return Err(reason);
        }
        tokio::time::sleep(backoff.pause()).await;
    }
}

/// A URL as logs show it: without what may be a secret in its query.
fn shown(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}
