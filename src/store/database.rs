//! The database file: where it is, how it is opened for writing and for reading, and what its errors mean.
//!
//! # Reading while nobody serves
//!
//! A read-only store must leave no trace. SQLite in WAL mode makes the files `-wal` and `-shm` beside the database even
//! for a reader, unless it is told that nothing can change (`immutable`); but an immutable database does not look into
//! a `-wal` file that a killed process left behind, where the newest writes may be. So:
//!
//! * Without a `-wal` file, or with an empty one, the database is opened as immutable. A writer that starts in that
//!   moment is noticed by the files' sizes and times, and the read is made again.
//! * With a `-wal` file it is opened as read-only. SQLite then uses the `-shm` file that a serving or killed process
//!   left; it makes one only where somebody copied a database without it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use super::StoreError;
use super::state_dir::unusable;
use super::upgrade::upgrade;

/// The schema, in the order of its numbers.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Where sqlx keeps which of them a database has had.
const MIGRATION_TABLE: &str = "_sqlx_migrations";

/// Rows on their way from the thread that reads the database to whoever asked. With the default of 50 the two threads
/// wake each other for every row, which costs more than the rows.
const ROW_BUFFER: usize = 4096;

/// How long a statement waits for another process, such as a backup, to let go of the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What the `-wal` file is cut down to after a great write, in bytes. That takes fifty milliseconds, for which the next write
/// waits, so it is not done after the load of a usual cluster.
const WAL_LIMIT: &str = "268435456";

/// Pages of the `-wal` file at which a commit itself moves them into the database: 256 MiB, the leases of some 80,000
/// machines. It is done before, beside the writing; but only once nothing is written meanwhile is the file begun anew.
const WAL_PAGES: &str = "65536";

/// How often a read is made again because the database changed under it. A writer changes it a few times when it
/// starts; after that its `-wal` file is there and reads are consistent by themselves.
const READ_ATTEMPTS: usize = 5;

/// Where the database is.
#[derive(Debug, Clone)]
pub(super) struct Database {
    /// The file, or the name of one in memory.
    path: PathBuf,
    place: Place,
    /// The most pages the file may have; only tests set it, to have a full disk.
    #[cfg(test)]
    pub(super) max_pages: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Memory,
    /// Served by a writer of this process, which makes what is missing.
    Served,
    /// Looked at from outside, without leaving a trace.
    Observed,
}

impl Database {
    /// The database of a state directory, or the one that a URL names.
    ///
    /// # Errors
    ///
    /// [`StoreError::PostgresNotBuiltIn`], [`StoreError::UnknownDatabase`].
    pub(super) fn locate(state_dir: &Path, url: Option<&str>, observe: bool) -> Result<Self, StoreError> {
        let path = match url.map(|url| url.split_once(':').unwrap_or((url, ""))) {
            None => state_dir.join("state.db"),
            Some(("sqlite", rest)) if !rest.is_empty() => rest.strip_prefix("//").unwrap_or(rest).into(),
            Some(("postgres" | "postgresql", _)) => return Err(StoreError::PostgresNotBuiltIn),
            Some((scheme, _)) => return Err(StoreError::UnknownDatabase { scheme: scheme.to_owned() }),
        };
        let place = if observe { Place::Observed } else { Place::Served };
        Ok(Self::at(path, place))
    }

    /// A database of its own that lasts as long as a connection to it.
    pub(super) fn in_memory() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Names that begin with a slash are shared by the connections of a process.
        Self::at(format!("/ochami-sync-{number}").into(), Place::Memory)
    }

    fn at(path: PathBuf, place: Place) -> Self {
        Self {
            path,
            place,
            #[cfg(test)]
            max_pages: None,
        }
    }

    /// What all connections have in common.
    fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(BUSY_TIMEOUT)
            .row_buffer_size(ROW_BUFFER)
            // The journal of a large statement would be a file in a directory for temporary files, and a container with a
            // read-only root has none: https://www.sqlite.org/tempfiles.html
            .pragma("temp_store", "MEMORY")
            .disable_statement_logging()
    }

    /// Opens the one connection that writes, and brings the schema up to date. Makes the file, readable by its owner
    /// only, where there is none; SQLite gives its companions the same permissions.
    pub(super) async fn connect_writer(&self) -> Result<SqliteConnection, StoreError> {
        let mut options = self.options().create_if_missing(true);
        if self.place == Place::Memory {
            options = options.vfs("memdb");
        } else {
            make(&self.path).map_err(|error| unusable(&self.path, &error))?;
            options = options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .pragma("journal_size_limit", WAL_LIMIT)
                .pragma("wal_autocheckpoint", WAL_PAGES);
        }
        #[cfg(test)]
        if let Some(pages) = self.max_pages {
            options = options.pragma("max_page_count", pages.to_string());
        }
        let mut connection = options.connect().await.map_err(|e| self.fault(&e))?;
        let (found, known) = (self.schema(&mut connection).await?.unwrap_or(0), known_schema());
        if found > known {
            return Err(StoreError::NewerSchema { path: self.path.clone(), found, known });
        }
        migrate(&mut connection).await.map_err(|error| self.migration_fault(&error))?;
        upgrade(&mut connection).await.map_err(|error| self.fault(&error))?;
        Ok(connection)
    }

    /// Moves what is in the `-wal` file into the database, over a connection of its own, while others read and write. What
    /// is written meanwhile may stay where it is. Answers the pages that were in the file, and those of them that were
    /// moved.
    pub(super) async fn checkpoint(&self) -> Result<(i64, i64), StoreError> {
        if self.place == Place::Memory {
            return Ok((0, 0));
        }
        let options = self.options().synchronous(SqliteSynchronous::Full);
        let fault = |error: sqlx::Error| self.fault(&error);
        let mut connection = options.connect().await.map_err(fault)?;
        let pragma = sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)");
        let (_busy, pages, moved): (i64, i64, i64) = pragma.fetch_one(&mut connection).await.map_err(fault)?;
        connection.close().await.map_err(fault)?;
        Ok((pages, moved))
    }

    /// Runs `work` over a connection of its own that cannot write; gives nothing where there is no database yet.
    /// It may be run again, and owns what it needs, so that its future can move between threads.
    ///
    /// # Errors
    ///
    /// [`StoreError::OlderSchema`], [`StoreError::NewerSchema`], and whatever the database reports.
    pub(super) async fn read<T, W>(&self, work: W) -> Result<Option<T>, StoreError>
    where
        W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let Some(before) = Stamp::of(self)? else { return Ok(None) };
            let result = self.read_once(&before, &work).await;
            if before.holds_for(self)? || attempts == READ_ATTEMPTS {
                return result;
            }
        }
    }

    async fn read_once<T, W>(&self, stamp: &Stamp, work: &W) -> Result<Option<T>, StoreError>
    where
        W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    {
        let mut options = self.options().read_only(true);
        match self.place {
            Place::Memory => options = options.vfs("memdb"),
            Place::Observed if stamp.is_settled() => options = options.immutable(true),
            Place::Served | Place::Observed => {}
        }
        let mut connection = options.connect().await.map_err(|e| self.fault(&e))?;
        let Some(found) = self.schema(&mut connection).await? else { return Ok(None) };
        let (path, known) = (self.path.clone(), known_schema());
        if found < READABLE {
            return Err(StoreError::OlderSchema { path, found, known });
        } else if found > known {
            return Err(StoreError::NewerSchema { path, found, known });
        }
        let result = work(&mut connection).await.map_err(|e| self.fault(&e)).map(Some);
        // The answer is there already; a connection that does not close in order has nothing to lose.
        let _ = connection.close().await;
        result
    }

    /// The number of the newest migration that the database has had; none for one that was just made.
    async fn schema(&self, connection: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
        let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
            .fetch_all(&mut *connection)
            .await
            .map_err(|e| self.fault(&e))?;
        // Whoever made the file may have been killed between the list of migrations and the first of them.
        let (migrations, others): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| table == MIGRATION_TABLE);
        if migrations.is_empty() || others.is_empty() {
            return Ok(None);
        }
        sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success")
            .fetch_one(connection)
            .await
            .map(Some)
            .map_err(|e| self.fault(&e))
    }

    /// Says what an error of the driver means for whoever runs the program.
    pub(super) fn fault(&self, error: &sqlx::Error) -> StoreError {
        let path = self.path.clone();
        let cause = error.to_string();
        let code = error.as_database_error().and_then(|e| e.code()).and_then(|code| code.parse::<u32>().ok());
        // The lowest byte of an extended result code is the primary one: https://www.sqlite.org/rescode.html
        match code.map(|code| code & 0xff) {
            Some(11 | 26) => StoreError::Corrupt { path, cause },
            Some(13) => StoreError::Full { path },
            Some(3 | 8 | 14 | 23) => StoreError::NotWritable { path, cause },
            _ => StoreError::Database { path, cause },
        }
    }

    fn migration_fault(&self, error: &MigrateError) -> StoreError {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => self.fault(error),
            other => StoreError::Corrupt { path: self.path.clone(), cause: other.to_string() },
        }
    }

    /// The database file, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes the migrations that the database has not had, each in a transaction with the line that records it.
///
/// Not left to [`Migrator::run`], whose future cannot move between threads.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    connection.ensure_migrations_table(MIGRATION_TABLE).await?;
    let applied = connection.list_applied_migrations(MIGRATION_TABLE).await?;
    for migration in MIGRATIONS.iter() {
        match applied.iter().find(|applied| applied.version == migration.version) {
            Some(applied) if applied.checksum == migration.checksum => {}
            Some(_) => return Err(MigrateError::VersionMismatch(migration.version)),
            None => {
                connection.apply(MIGRATION_TABLE, migration).await?;
            }
        }
    }
    Ok(())
}

/// The oldest schema that is read as it is: what came later is for writing alone.
const READABLE: i64 = 1;

/// Makes the file, for its owner alone, unless it is there. One that is there is not opened here: to close it again would
/// end the locks that SQLite has on it for other connections of this process (fcntl(2)).
fn make(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // SQLite opens what cannot be written all the same, and tells at the first write.
            Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?)
        }
        made => made.map(drop),
    }
}

/// The schema that this program brings a database to.
fn known_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// What tells whether an observed database was written to: size and time of the file, and size of its `-wal` file.
#[derive(PartialEq, Eq)]
struct Stamp {
    file: Option<(u64, SystemTime)>,
    wal: u64,
}

impl Stamp {
    /// Nothing where there is no database. One that is served is never compared, as its writer is ours.
    fn of(database: &Database) -> Result<Option<Self>, StoreError> {
        if database.place != Place::Observed {
            return Ok(Some(Self { file: None, wal: 0 }));
        }
        let look = |path: &Path| match path.metadata() {
            Ok(metadata) => Ok(Some((metadata.len(), metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(path, &error)),
        };
        let file = look(&database.path)?;
        let mut wal = database.path.clone().into_os_string();
        wal.push("-wal");
        let wal = look(Path::new(&wal))?.map_or(0, |(length, _)| length);
        Ok(file.map(|file| Self { file: Some(file), wal }))
    }

    /// True when nothing waits in the `-wal` file.
    fn is_settled(&self) -> bool {
        self.wal == 0
    }

    /// True when what was read can be relied on: nothing changed, or SQLite itself kept the reads consistent.
    fn holds_for(&self, database: &Database) -> Result<bool, StoreError> {
        Ok(!self.is_settled() || Self::of(database)?.as_ref() == Some(self))
    }
}
