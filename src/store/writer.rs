//! The one writer: a thread of its own, which runs decisions one after the other and commits those that wait together
//! in one transaction.
//!
//! It has its own thread because decisions over ten thousand nodes take a while, and nothing that answers the network
//! may wait behind them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::batch::{Batch, Effects};
use super::checkpoint::Checkpoint;
use super::database::Database;
use super::intern::Interner;
use super::load;
use super::publish::Publisher;
use super::rows::Place;
use super::secrets::Secrets;
use super::state_dir::Lock;
use super::unreadable::Unreadable;
use super::{StoreError, rows};
use crate::clock;
use crate::snapshot::Snapshot;

/// Tells the caller what became of its decision. Called once what the decision saw and did is durable, or has failed.
pub(super) type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A decision that waits. Given no snapshot it does not decide, because the database failed. It does not panic.
pub(super) type Decide = Box<dyn FnOnce(Option<&Snapshot>) -> Decided + Send>;

/// What a decision wants written, if anything, and its answer.
pub(super) struct Decided {
    pub(super) effects: Option<Effects>,
    pub(super) answer: Answer,
}

/// Decisions that may wait; more callers wait for a place, so that a slow disk cannot fill the memory.
const QUEUE: usize = 1024;

/// Decisions of one transaction, so that the first of a long queue does not wait for the last.
const BATCH: usize = 512;

/// How long nothing has to come until more of it is not expected.
const QUIET: Duration = Duration::from_millis(100);

/// The first wait before a database that failed is tried again; it doubles with each failure.
const RETRY: Duration = Duration::from_millis(50);

/// The longest wait, which is also the longest that a caller waits to hear that the database still fails.
const RETRY_LIMIT: Duration = Duration::from_secs(2);

/// The other end of the writer.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) queue: mpsc::Sender<Decide>,
    closing: CancellationToken,
    /// Cancelled when the database is closed and the lock given back.
    pub(super) ended: CancellationToken,
}

impl Handle {
    /// Refuses further decisions, waits until those that are queued are answered and the database is closed.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.ended.cancelled().await;
    }

    /// True when the database is closed.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_cancelled()
    }

    /// True when the writer is gone without having been told to.
    pub(super) fn is_dead(&self) -> bool {
        self.ended.is_cancelled() && !self.closing.is_cancelled()
    }
}

/// Everything the writer works with.
pub(super) struct Writer {
    database: Database,
    connection: Option<SqliteConnection>,
    secrets: Arc<Secrets>,
    unreadable: Unreadable,
    interner: Interner,
    published: Publisher,
    failures: u32,
    checkpoint: Checkpoint,
    /// Held as long as the connection may write.
    _lock: Option<Lock>,
}

impl Writer {
    /// A writer over a connection, or over one that it makes itself, to a database from which nothing was loaded.
    pub(super) fn new(
        database: Database,
        connection: Option<SqliteConnection>,
        secrets: Arc<Secrets>,
        published: Publisher,
        lock: Option<Lock>,
    ) -> Self {
        Self {
            checkpoint: Checkpoint::new(database.clone()),
            database,
            connection,
            secrets,
            unreadable: Unreadable::default(),
            interner: Interner::default(),
            published,
            failures: 0,
            _lock: lock,
        }
    }

    /// The same, knowing what else was found when the published snapshot was loaded.
    pub(super) fn over(self, unreadable: Unreadable, interner: Interner) -> Self {
        self.published.health.set_unreadable(&unreadable);
        Self { unreadable, interner, ..self }
    }

    /// Starts the thread. It ends when it is closed or when the last sender is gone.
    ///
    /// # Errors
    ///
    /// [`StoreError::WriterNotStarted`].
    pub(super) fn spawn(self) -> Result<Handle, StoreError> {
        let (queue, inbox) = mpsc::channel(QUEUE);
        let (closing, ended) = (CancellationToken::new(), CancellationToken::new());
        let failed = |error: std::io::Error| StoreError::WriterNotStarted { cause: error.to_string() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (asked, end) = (closing.clone(), ended.clone().drop_guard());
        let run = move || {
            runtime.block_on(self.run(inbox, asked));
            drop(end);
        };
        std::thread::Builder::new().name("store-writer".to_owned()).spawn(run).map_err(failed)?;
        Ok(Handle { queue, closing, ended })
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<Decide>, closing: CancellationToken) {
        loop {
            let first = tokio::select! {
                biased;
                () = closing.cancelled(), if !inbox.is_closed() => {
                    inbox.close();
                    continue;
                }
                next = inbox.recv() => next,
                () = tokio::time::sleep(QUIET), if self.checkpoint.is_due() => {
                    self.checkpoint.begin();
                    continue;
                }
            };
            let Some(first) = first else { break };
            let mut waiting = vec![first];
            while waiting.len() < BATCH
                && let Ok(next) = inbox.try_recv()
            {
                waiting.push(next);
            }
            self.commit(waiting).await;
        }
        self.finish().await;
    }

    /// Runs decisions, stores what they come to, publishes it, and answers.
    async fn commit(&mut self, decisions: Vec<Decide>) {
        let connection = match self.connect().await {
            Ok(connection) => connection,
            Err(error) => {
                self.failed(&error);
                for decide in decisions {
                    (decide(None).answer)(Err(error.clone()));
                }
                return;
            }
        };
        let mut batch = Batch::new(&self.published.snapshots.load());
        let answers = self.decide(&mut batch, decisions);
        let result = if batch.is_empty() {
            self.connection = Some(connection);
            Ok(())
        } else {
            self.store(connection, batch).await
        };
        for (answer, own) in answers {
            answer(result.clone().and(own));
        }
    }

    /// Runs each decision against the state that the ones before it lead to. One that cannot be stored leaves no trace.
    fn decide(&mut self, batch: &mut Batch, decisions: Vec<Decide>) -> Vec<(Answer, Result<(), StoreError>)> {
        let mut answers = Vec::with_capacity(decisions.len());
        for decide in decisions {
            let Decided { effects, answer } = decide(Some(&batch.snapshot));
            let own = effects.map_or(Ok(()), |effects| {
                let add = || batch.add(effects, &self.secrets, &self.unreadable, &mut self.interner);
                // A batch takes a decision up in assignments that come after everything that could panic.
                catch_unwind(AssertUnwindSafe(add)).unwrap_or(Err(StoreError::DecisionPanicked))
            });
            answers.push((answer, own));
        }
        answers
    }

    async fn store(&mut self, mut connection: SqliteConnection, batch: Batch) -> Result<(), StoreError> {
        let place = Place { secrets: &self.secrets, unreadable: &self.unreadable, database: &self.database };
        let stored = rows::store(&mut connection, &batch, place, clock::now()).await;
        if let Err(error) = &stored {
            // The connection goes with its open transaction; the next batch takes a new one.
            self.failed(error);
            return stored;
        }
        self.connection = Some(connection);
        self.failures = 0;
        self.checkpoint.stored(batch.rows.len() + batch.records.len() + batch.ledger.len());
        self.published.health.set_writer(&stored);
        let settled = batch.rows.keys().filter(|key| self.unreadable.settle(key)).count();
        if settled > 0 {
            self.published.health.set_unreadable(&self.unreadable);
        }
        for step in batch.steps {
            // An error says that nobody follows them.
            let _ = self.published.steps.send(step);
        }
        self.published.publish(batch.snapshot);
        stored
    }

    fn failed(&mut self, error: &StoreError) {
        self.failures = self.failures.saturating_add(1);
        tracing::error!(%error, store.failures = self.failures, "changes cannot be stored");
        self.published.health.set_writer(&Err(error.clone()));
    }

    /// The connection, or a new one in place of one that failed. What the database holds by then is taken up first: a
    /// commit that was reported as failed may have reached the disk, and somebody may have restored a backup.
    async fn connect(&mut self) -> Result<SqliteConnection, StoreError> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        if self.failures > 1 {
            let doubled = RETRY.saturating_mul(1 << (self.failures - 2).min(16));
            tokio::time::sleep(doubled.min(RETRY_LIMIT)).await;
        }
        let mut connection = self.database.connect_writer().await?;
        let fault = |error: sqlx::Error| self.database.fault(&error);
        let found = load::revision(&mut connection).await.map_err(fault)?;
        let published = self.published.snapshots.load().revision;
        if found != published {
            tracing::warn!(store.revision = found, published, "the database holds another state; it is loaded again");
            let loaded = load::load(&mut connection, &self.secrets).await.map_err(fault)?;
            self.published.health.set_unreadable(&loaded.unreadable);
            (self.unreadable, self.interner) = (loaded.unreadable, loaded.interner);
            self.published.publish(loaded.snapshot);
        }
        Ok(connection)
    }

    /// Leaves one file without companions, which can be copied.
    async fn finish(mut self) {
        self.checkpoint.end().await;
        let Some(mut connection) = self.connection.take() else { return };
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await;
        if let Err(error) = emptied.map(drop).and(connection.close().await) {
            tracing::warn!(%error, "the database was not closed in order; nothing is lost, the next start takes longer");
        }
    }
}
