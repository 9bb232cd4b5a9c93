//! Moving what was written from the `-wal` file into the database, beside the writing.
//!
//! It takes a connection of its own: on that of the writer it would keep whoever writes waiting for some tens of
//! milliseconds, again and again while a whole machine asks for leases.

use tokio::task::JoinHandle;

use super::database::Database;

/// Rows after which it is done once nothing more is to be written for a while.
const ROWS: usize = 1000;

/// Rows after which it is done all the same. SQLite does it within a commit when the file has grown for too long, and has
/// the less to do the more was done before.
const LIMIT: usize = 10_000;

/// When it was done last, and whether it is being done.
pub(super) struct Checkpoint {
    database: Database,
    /// Rows stored since it was begun last.
    rows: usize,
    running: Option<JoinHandle<()>>,
}

impl Checkpoint {
    pub(super) fn new(database: Database) -> Self {
        Self { database, rows: 0, running: None }
    }

    /// So many rows were stored. Begins where they are too many.
    pub(super) fn stored(&mut self, rows: usize) {
        self.rows += rows;
        if self.rows >= LIMIT && !self.is_running() {
            self.begin();
        }
    }

    /// Whether it should be done while nothing is to be written.
    pub(super) fn is_due(&self) -> bool {
        self.rows >= ROWS && !self.is_running()
    }

    /// Begins, on the runtime of the caller. A fault is left to the next write to find.
    pub(super) fn begin(&mut self) {
        self.rows = 0;
        let database = self.database.clone();
        self.running = Some(tokio::spawn(async move {
            match database.checkpoint().await {
                Ok((pages, moved)) => tracing::debug!(pages, moved, "the database took up its `-wal` file"),
                Err(error) => {
                    tracing::warn!(%error, "the database could not take up its `-wal` file; nothing is lost");
                }
            }
        }));
    }

    /// Waits for the one that was begun.
    pub(super) async fn end(&mut self) {
        if let Some(running) = self.running.take() {
            // It does not panic, and nobody aborts it.
            let _ = running.await;
        }
    }

    fn is_running(&self) -> bool {
        self.running.as_ref().is_some_and(|running| !running.is_finished())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_due_after_some_rows_and_begins_of_itself_after_many() {
        let mut checkpoint = Checkpoint::new(Database::in_memory());
        checkpoint.stored(ROWS - 1);
        assert!(!checkpoint.is_due());
        checkpoint.stored(1);
        assert!(checkpoint.is_due() && !checkpoint.is_running());
        checkpoint.stored(LIMIT);
        assert!(checkpoint.is_running() && !checkpoint.is_due());
        checkpoint.end().await;
        assert!(!checkpoint.is_running() && !checkpoint.is_due());
    }
}
