//! What is behind the published snapshots: an open database, or the want of one.

use std::sync::atomic::{AtomicBool, Ordering};

use super::StoreError;
use super::database::Database;
use super::read::Reader;
use super::writer::Handle;

/// What a store reads from and writes to.
pub(super) enum Backend {
    /// A database. Without a writer it is open for reading only.
    Open {
        /// Answers questions to it.
        reader: Reader,
        /// Takes the writes.
        writer: Option<Handle>,
    },
    /// None yet.
    Missing {
        /// Why.
        reason: String,
        /// Whether its file was there at any time. One that was is waited for; only one that never was is made.
        seen: AtomicBool,
    },
}

impl Backend {
    /// What answers questions to the database.
    ///
    /// # Errors
    ///
    /// [`StoreError::Detached`] without one, [`StoreError::Closed`] after it was closed: reading would open it again,
    /// and leave files beside it.
    pub(super) fn reader(&self) -> Result<&Reader, StoreError> {
        match self {
            Self::Open { writer: Some(writer), .. } if writer.has_ended() => Err(StoreError::Closed),
            Self::Open { reader, .. } => Ok(reader),
            Self::Missing { reason, .. } => Err(StoreError::Detached { reason: reason.clone() }),
        }
    }

    /// What takes writes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Detached`] without a database, [`StoreError::ReadOnly`].
    pub(super) fn writer(&self) -> Result<&Handle, StoreError> {
        match self {
            Self::Open { writer, .. } => writer.as_ref().ok_or(StoreError::ReadOnly),
            Self::Missing { reason, .. } => Err(StoreError::Detached { reason: reason.clone() }),
        }
    }

    /// True when there is a writer.
    pub(super) fn takes_writes(&self) -> bool {
        self.writer().is_ok()
    }

    /// True when the writer is gone without having been told to.
    pub(super) fn has_lost_its_writer(&self) -> bool {
        self.writer().is_ok_and(Handle::is_dead)
    }

    /// True when the database's file is there or was before.
    pub(super) fn has_seen_file(&self, database: &Database) -> bool {
        match self {
            Self::Open { .. } => true,
            Self::Missing { seen, .. } => {
                if database.path().exists() {
                    seen.store(true, Ordering::Relaxed);
                }
                seen.load(Ordering::Relaxed)
            }
        }
    }
}
