//! Durable state: one database, one writer, and the snapshots published from it.
//!
//! Reads never come here: servers answer from the [`Snapshot`] a reader loads, which takes no lock and waits for
//! nothing. Every write is a *decision*: a function that sees the newest state, checks what it has to check and names
//! its changes. Decisions run one after the other, so a check and its write cannot be torn apart; those that wait
//! together are committed in one transaction, and a snapshot is published only after its transaction is durable.
//!
//! Only this room names sqlx. Its SQL is what SQLite and PostgreSQL both take, but for the opening of the file.

mod backend;
mod batch;
mod checkpoint;
mod database;
mod decision;
mod error;
mod health;
mod intern;
mod ledger;
mod load;
mod members;
mod open;
mod pages;
mod publish;
mod read;
mod readers;
mod rows;
mod secrets;
mod state_dir;
mod unreadable;
mod upgrade;
mod writer;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, oneshot};

pub use decision::{Author, Decision};
pub use error::{KeyProblem, StoreError, WriteError};
pub use ledger::{ApplyRecord, Ledger, LedgerChange, LedgerEntry, Provenance, TargetId};
pub use readers::{BootReader, SnapshotReader};

use self::backend::Backend;
use self::batch::Effects;
use self::database::Database;
use self::publish::Publisher;
use self::state_dir::Lock;
use self::writer::{Answer, Decide, Decided};
use crate::clock;
use crate::model::ObjectKey;
use crate::snapshot::Snapshot;

/// Whether a store is opened to serve or to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Takes the lock of the state directory, makes what is missing and brings the schema up to date.
    ReadWrite,
    /// Takes no lock and leaves no trace. A database that is not there is an empty state.
    ReadOnly,
}

/// Where the state is.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The state directory, which holds `lock`, `secrets.key` and `state.db`.
    pub state_dir: PathBuf,
    /// To serve or to look.
    pub mode: Mode,
    /// A database elsewhere, `sqlite:PATH`.
    pub url: Option<String>,
}

/// A handle on the store; cheap to clone. The database is closed with the last one, or by [`Store::close`].
#[derive(Clone)]
pub struct Store {
    published: Publisher,
    /// Changes once at most, when a database that could not be opened is.
    backend: Arc<ArcSwap<Backend>>,
}

impl Store {
    /// Opens the state directory and loads everything in it. Rows that cannot be read, and secrets whose key is not
    /// usable, do not keep it from opening: see [`Store::degraded`].
    ///
    /// # Errors
    ///
    /// Every [`StoreError`] but those of writes.
    pub async fn open(config: StoreConfig) -> Result<Self, StoreError> {
        let database = Database::locate(&config.state_dir, config.url.as_deref(), config.mode == Mode::ReadOnly)?;
        let key_file = config.state_dir.join("secrets.key");
        match config.mode {
            Mode::ReadOnly => open::observe(database, &key_file).await,
            Mode::ReadWrite => {
                state_dir::prepare(&config.state_dir)?;
                let lock = Lock::take(&config.state_dir, clock::now())?;
                open::serve(database, &key_file, lock).await
            }
        }
    }

    /// A store that forgets everything with its last handle, for tests. It goes through the same writer as any other
    /// and needs no runtime to be made.
    ///
    /// # Panics
    ///
    /// When the system gives no thread for the writer.
    #[must_use]
    pub fn in_memory() -> Self {
        open::in_memory().expect("a test can start a thread")
    }

    /// A store without its database: it serves a snapshot, takes no writes and knows no ledger. For a start whose
    /// database cannot be opened, so that nodes boot all the same; `reason` is why. [`Store::attach`] mends it.
    #[must_use]
    pub fn detached(config: &StoreConfig, snapshot: Snapshot, reason: String) -> Self {
        open::detached(config, snapshot, reason)
    }

    /// Opens, for a store that is detached or open for reading only, the state directory that it could not open before,
    /// and takes it into use: what the database holds is published, and writes are taken. Every handle and reader that
    /// was handed out goes on with it. The boot views alone stay as they are where the database has nothing to boot,
    /// until it has: a node that could boot a moment ago still can, and [`Store::degraded`] says so.
    ///
    /// A database file that was there before is waited for and not made anew, so that there is time to put another one
    /// in its place. Not to be called twice at a time; a store that takes writes is left as it is.
    ///
    /// `taken_up` is shown what was published until then and what the database holds, before anything is written to it.
    ///
    /// # Errors
    ///
    /// Those of [`Store::open`], and [`StoreError::Gone`]. The store is then as it was.
    pub async fn attach(
        &self,
        config: &StoreConfig,
        taken_up: impl FnOnce(&Snapshot, &Snapshot) + Send,
    ) -> Result<(), StoreError> {
        let (backend, before) = (self.backend.load_full(), self.snapshot());
        if backend.takes_writes() {
            return Ok(());
        }
        let database = Database::locate(&config.state_dir, config.url.as_deref(), false)?;
        if backend.has_seen_file(&database) && !database.path().exists() {
            return Err(StoreError::Gone { path: database.path().to_owned() });
        }
        state_dir::prepare(&config.state_dir)?;
        let lock = Lock::take(&config.state_dir, clock::now())?;
        let opened = open::attach(&self.published, database, &config.state_dir.join("secrets.key"), lock).await?;
        taken_up(&before, &self.snapshot());
        self.backend.store(Arc::new(opened));
        Ok(())
    }

    /// Why it is not known what the database holds: a key for secrets that cannot be used, rows that a newer version
    /// wrote. That the last write failed is no such reason.
    #[must_use]
    pub fn incomplete(&self) -> Vec<String> {
        self.published.health.unknown()
    }

    /// The objects that are stored and cannot be read, each with the cause; they are not in the snapshot. Writing one anew
    /// or giving it up ([`LedgerChange::Forget`], a deletion) settles it.
    #[must_use]
    pub fn lost(&self) -> BTreeMap<ObjectKey, String> {
        self.published.health.lost()
    }

    /// A key for fingerprints of secrets in plans, so that a plan is no oracle for them; none without a usable key for
    /// secrets.
    #[must_use]
    pub fn fingerprint_key(&self) -> Option<[u8; 32]> {
        self.backend.load().reader().ok()?.secrets.fingerprint_key()
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.snapshots.load()
    }

    /// A reader for code of the API role.
    #[must_use]
    pub fn snapshots(&self) -> SnapshotReader {
        self.published.snapshots.clone()
    }

    /// Each state that a decision led to from now on which changed components while there are subscriptions to them, before
    /// the last one of a commit is published. Who is thousands behind misses the oldest.
    #[must_use]
    pub fn steps(&self) -> broadcast::Receiver<Arc<Snapshot>> {
        self.published.steps.subscribe()
    }

    /// A reader for code of the boot role.
    #[must_use]
    pub fn boot_views(&self) -> BootReader {
        self.published.boot_views.clone()
    }

    /// What is wrong while the store serves nevertheless, in words: rows that are not served, a key that cannot be
    /// used, changes that cannot be stored. Empty when all is well.
    #[must_use]
    pub fn degraded(&self) -> Vec<String> {
        let mut reasons = self.published.health.reasons();
        if self.backend.load().has_lost_its_writer() {
            reasons.push("changes cannot be stored: the writer ended by a defect of this program".to_owned());
        }
        reasons
    }

    /// Runs a decision against the newest state and makes its changes durable. A decision that changes nothing, with no
    /// ledger changes and no history, touches no row and publishes nothing.
    ///
    /// The decision is run and stored even if the caller stops waiting.
    ///
    /// # Errors
    ///
    /// [`WriteError::Refused`] with the decision's own error, [`WriteError::Unavailable`] when the database fails.
    pub async fn write<T, E>(
        &self,
        author: Author,
        decide: impl FnOnce(&Snapshot) -> Result<Decision<T>, E> + Send + 'static,
    ) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let backend = self.backend.load_full();
        let writer = backend.writer()?;
        let (reply, answer) = oneshot::channel();
        let decide: Decide = Box::new(move |snapshot| {
            let outcome = snapshot.map(|snapshot| catch_unwind(AssertUnwindSafe(|| decide(snapshot))));
            let (effects, outcome) = match outcome {
                Some(Ok(Ok(Decision { answer, changes, ledger, history }))) => {
                    (Some(Effects { author, changes, ledger, history }), Ok(answer))
                }
                Some(Ok(Err(refusal))) => (None, Err(WriteError::Refused(refusal))),
                Some(Err(_)) => (None, Err(WriteError::Unavailable(StoreError::DecisionPanicked))),
                None => (None, Err(WriteError::Unavailable(StoreError::Closed))),
            };
            let answer: Answer = Box::new(move |stored| {
                // Nobody listens any more when the caller has gone away.
                let _ = reply.send(stored.map_err(WriteError::Unavailable).and(outcome));
            });
            Decided { effects, answer }
        });
        writer.queue.send(decide).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// What an inventory owns at a target.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn ledger(&self, target: &TargetId) -> Result<Arc<Ledger>, StoreError> {
        let revision = self.snapshot().revision;
        self.backend.load_full().reader()?.ledger(target, revision, || self.snapshot().revision).await
    }

    /// What the ledgers of other clusters own at the target of `own`, each with its cluster's identifier. `nameless` is
    /// the ledger that a cluster without a name would have there.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn claims(
        &self,
        own: &TargetId,
        nameless: &TargetId,
    ) -> Result<BTreeMap<ObjectKey, Arc<str>>, StoreError> {
        self.backend.load_full().reader()?.claims(own, nameless).await
    }

    /// The newest apply at a target, none before the first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn last_apply(&self, target: &TargetId) -> Result<Option<ApplyRecord>, StoreError> {
        Ok(self.history(target, 1).await?.pop())
    }

    /// The newest applies at a target, the newest first, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn history(&self, target: &TargetId, limit: u32) -> Result<Vec<ApplyRecord>, StoreError> {
        self.backend.load_full().reader()?.history(target, limit).await
    }

    /// Who last wrote each of these objects, or deleted it. An object that never was is left out.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn provenance(&self, keys: &[ObjectKey]) -> Result<BTreeMap<ObjectKey, Provenance>, StoreError> {
        self.backend.load_full().reader()?.provenance(keys).await
    }

    /// Refuses further writes, waits until those under way are answered, and closes the database: it is then one file
    /// without companions, and the state directory is free for another process. Snapshots go on being
    /// served; ledger, history and provenance do not.
    pub async fn close(&self) {
        if let Ok(writer) = self.backend.load_full().writer() {
            writer.close().await;
        }
    }
}

#[cfg(test)]
mod tests;
