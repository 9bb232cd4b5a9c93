//! Keys of other issuers: fetched from a JWKS address, kept while that address is dead.
//!
//! One task per address fetches; whoever checks a token only reads the newest set. A token whose key is not known asks
//! the task for a fresh look and waits for it a bounded time, and strangers who make up key names cannot make it fetch
//! more often than [`Pace::ask`] allows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use reqwest::Url;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::TokenError;
use super::jwks::KeySet;

/// The largest JWK set that is read. A key with its certificates is some 10 kB, and a set holds a few.
const DOCUMENT_LIMIT: usize = 1024 * 1024;

/// How often keys are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// Between two fetches when all is well, so that a withdrawn key is gone after this time.
    pub(super) refresh: Duration,
    /// Between two fetches while they fail.
    pub(super) retry: Duration,
    /// The least time between the end of a fetch and one that an unknown key asks for.
    pub(super) ask: Duration,
    /// How long one fetch may take, and how long a token with an unknown key waits for it.
    pub(super) fetch: Duration,
}

impl Pace {
    /// The pace of a running service.
    pub(super) const SERVICE: Self = Self {
        refresh: Duration::from_secs(300),
        retry: Duration::from_secs(15),
        ask: Duration::from_secs(10),
        fetch: Duration::from_secs(3),
    };
}

/// The keys behind one address.
pub(super) struct RemoteKeys {
    url: Url,
    client: reqwest::Client,
    pace: Pace,
    keys: ArcSwap<KeySet>,
    asked: Notify,
    fetching: AtomicBool,
    last_end: Mutex<Option<Instant>>,
    ends: watch::Sender<()>,
}

impl RemoteKeys {
    /// The keys behind that address; none are known before [`RemoteKeys::run`] has fetched them.
    ///
    /// # Errors
    ///
    /// An address that is not `http` or `https`, or that holds a password, which would end up in logs.
    pub(super) fn new(url: &str, client: reqwest::Client, pace: Pace) -> Result<Self, TokenError> {
        let refuse = |reason| TokenError::JwksUrl { url: url.into(), reason };
        let parsed = Url::parse(url).map_err(|_| refuse("it is no URL"))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(refuse("it is neither http nor https"));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(TokenError::JwksUrl { url: "…".into(), reason: "it holds a user name or password" });
        }
        Ok(Self {
            url: parsed,
            client,
            pace,
            keys: ArcSwap::default(),
            asked: Notify::new(),
            // The task begins with a fetch, so whoever asks before that waits for it instead of asking for another.
            fetching: AtomicBool::new(true),
            last_end: Mutex::new(None),
            ends: watch::channel(()).0,
        })
    }

    /// The newest keys, without waiting.
    pub(super) fn keys(&self) -> Arc<KeySet> {
        self.keys.load_full()
    }

    /// Waits until the keys are as fresh as the pace allows, at most as long as one fetch may take.
    pub(super) async fn freshen(&self) {
        let mut ends = self.ends.subscribe();
        if !self.fetching.load(Ordering::Acquire) {
            if self.since_last_end().is_some_and(|since| since < self.pace.ask) {
                return;
            }
            self.asked.notify_one();
        }
        // Running out of time is no error here: the caller looks again and finds the key unknown.
        let _ = tokio::time::timeout(self.pace.fetch, ends.changed()).await;
    }

    /// Fetches, first at once and then at its pace, until shutdown. `report` hears of every attempt: the address and
    /// what went wrong.
    pub(super) async fn run(&self, shutdown: &CancellationToken, report: &(impl Fn(&str, Option<&str>) + Sync)) {
        loop {
            self.fetching.store(true, Ordering::Release);
            let fetched = tokio::select! {
                fetched = self.fetch() => fetched,
                () = shutdown.cancelled() => return,
            };
            let pause = match fetched {
                Ok(keys) => {
                    tracing::debug!(jwks.url = %self.url, jwks.keys = keys.len(), "fetched keys");
                    self.keys.store(Arc::new(keys));
                    report(self.url.as_str(), None);
                    self.pace.refresh
                }
                Err(reason) => {
                    tracing::warn!(jwks.url = %self.url, reason, "keys were not fetched; those known stay in use");
                    report(self.url.as_str(), Some(&reason));
                    self.pace.retry
                }
            };
            *self.last_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            self.fetching.store(false, Ordering::Release);
            self.ends.send_replace(());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.asked.notified() => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    fn since_last_end(&self) -> Option<Duration> {
        self.last_end.lock().unwrap_or_else(PoisonError::into_inner).map(|end| end.elapsed())
    }

    async fn fetch(&self) -> Result<KeySet, String> {
        tokio::time::timeout(self.pace.fetch, self.fetch_whole())
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {:?}", self.pace.fetch)))
    }

    async fn fetch_whole(&self) -> Result<KeySet, String> {
        let answer = self.client.get(self.url.clone()).send().await;
        let mut answer = answer.and_then(reqwest::Response::error_for_status).map_err(|error| explain(&error))?;
        let mut document = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| explain(&error))? {
            if document.len() + chunk.len() > DOCUMENT_LIMIT {
                return Err(format!("the answer is larger than {DOCUMENT_LIMIT} bytes"));
            }
            document.extend_from_slice(&chunk);
        }
        let keys = KeySet::parse(&document).map_err(|_| "the answer is no JWK set".to_owned())?;
        // An empty set is what a service that is still starting gives; keys that work are worth more than it.
        if keys.len() == 0 { Err("the answer holds no usable key".to_owned()) } else { Ok(keys) }
    }
}

/// The client for all addresses. Redirects are not followed: keys decide who may write, so they come from where the
/// administrator said.
///
/// # Errors
///
/// A platform whose certificate store cannot be used.
pub(super) fn client() -> Result<reqwest::Client, TokenError> {
    // The client takes the crypto provider of the process and panics without one. Where one is installed, it stays.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("ochami-sync/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(TokenError::Client)
}

/// The error with its causes: the outermost alone only says that the request failed.
fn explain(error: &reqwest::Error) -> String {
    use std::error::Error as _;
    let mut text = error.status().map_or_else(|| error.to_string(), |status| format!("status {status}"));
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
