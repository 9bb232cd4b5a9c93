//! What can go wrong with the store, each fault with its place and a way out.

use std::path::PathBuf;

/// Why a write did not happen. Nothing of it is stored in either case, but for one: a disk that fails in the middle of
/// a commit may keep what it reported as failed. The store then takes up what the disk holds before it decides again.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The decision itself refused.
    #[error("refused")]
    Refused(E),
    /// The database did not take it.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Faults of the store. Their texts name paths, never a database URL or anything encrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The writer has stopped, because the program is shutting down.
    #[error("the store is closed")]
    Closed,
    /// The store was opened for reading.
    #[error("the store is open for reading only")]
    ReadOnly,
    /// The database could not be opened so far.
    #[error("the database is not open, and is tried again: {reason}")]
    Detached {
        /// Why not.
        reason: String,
    },
    /// The database's file was there and is not any more.
    #[error("`{}` is not there any more; put it back from a backup, or restart to begin with an empty one", .path.display())]
    Gone {
        /// The database file.
        path: PathBuf,
    },
    /// A decision panicked, which is a defect of the program. Nothing of that decision is stored.
    #[error("the decision on a write failed by a defect of this program; the log has its message")]
    DecisionPanicked,
    /// The thread of the writer cannot be started.
    #[error("the writer of the store cannot be started: {cause}")]
    WriterNotStarted {
        /// What the system says.
        cause: String,
    },
    /// Another process writes to this state directory.
    #[error("`{}` is held by {holder}; stop it, or talk to it through its socket", .path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it: process, user, command and since when.
        holder: String,
    },
    /// The database URL names a database that this build has no driver for.
    #[error("PostgreSQL is not built in yet; leave `--database` out, or give `sqlite:PATH`")]
    PostgresNotBuiltIn,
    /// The database URL has another scheme than `sqlite:`.
    #[error("`{scheme}` is not a kind of database that can be used; give `sqlite:PATH`")]
    UnknownDatabase {
        /// What stands before the colon, or all of it where there is none.
        scheme: String,
    },
    /// The state directory, or a file in it, cannot be made or read.
    #[error(
        "`{}` cannot be used: {cause}; check its owner and permissions, or name another state directory with \
         `--state` or OCHAMI_SYNC_STATE",
        .path.display()
    )]
    StateDirectory {
        /// The directory or file.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// Others could replace files in the state directory.
    #[error("`{}` can be written by others (mode {mode:04o}); run `chmod 700` on it, or give a directory of its own", .path.display())]
    OpenToOthers {
        /// The state directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is no database, or a damaged one.
    #[error("`{}` is not a sound database ({cause}); put it back from a backup, or move it away and apply the inventory again", .path.display())]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What the database says.
        cause: String,
    },
    /// The file system has no room.
    #[error("there is no room to write `{}`; free some space on its file system", .path.display())]
    Full {
        /// The database file.
        path: PathBuf,
    },
    /// The file may be read but not written, or not even opened.
    #[error("`{}` cannot be opened or written ({cause}); check its owner, its permissions and how its file system is mounted", .path.display())]
    NotWritable {
        /// The database file.
        path: PathBuf,
        /// What the database says.
        cause: String,
    },
    /// A newer version of the program has migrated the database.
    #[error("`{}` was written by a newer version of ochami-sync (schema {found}, this one knows {known}); use that version", .path.display())]
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// The schema it has.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The database waits for a migration, which reading never makes.
    #[error("`{}` has schema {found} and this version needs {known}; start `ochami-sync serve` or `apply`, which bring it up to date", .path.display())]
    OlderSchema {
        /// The database file.
        path: PathBuf,
        /// The schema it has.
        found: i64,
        /// The schema that this program needs.
        known: i64,
    },
    /// The key of the secrets cannot be used, so nothing secret can be read or written.
    #[error("`{}` {problem}", .path.display())]
    SecretsKey {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it, and the way out.
        problem: KeyProblem,
    },
    /// Something else wrote to the database between two of our writes, in spite of the lock.
    #[error("another process wrote to `{}`; make sure that only one uses it", .path.display())]
    Overtaken {
        /// The database file.
        path: PathBuf,
    },
    /// Any other fault that the database reports.
    #[error("the database `{}` failed: {cause}", .path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What it says.
        cause: String,
    },
}

/// What is wrong with the key file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// It is gone, while there are objects that only it can decrypt.
    #[error(
        "is missing, and without it these cannot be read: {lost}; put it back from a backup, or go on with a new key \
         (`umask 077; head -c 32 /dev/urandom | base64 > {}`), start again, and `apply`, which writes anew what the \
         inventory holds and names what is lost", .path.display()
    )]
    Missing {
        /// The key file.
        path: PathBuf,
        /// The objects, or the first few and their number.
        lost: String,
    },
    /// Others can read it.
    #[error(
        "can be read by others (mode {mode:04o}); run `chmod 600` on it, and renew the secrets if others were there"
    )]
    OpenToOthers {
        /// Its permission bits.
        mode: u32,
    },
    /// It holds something else.
    #[error("does not hold a key, 32 bytes in base64; put it back from a backup")]
    Content,
    /// It can not be read or made.
    #[error("cannot be used: {cause}")]
    Unusable {
        /// What the system says.
        cause: String,
    },
}
