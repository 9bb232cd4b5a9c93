//! How a store comes up: over a database that it serves, over one that it only looks at, or over none.

use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt;

use super::database::Database;
use super::health::Health;
use super::load::{self, Loaded};
use super::read::Reader;
use super::secrets::Secrets;
use super::state_dir::Lock;
use super::writer::Writer;
use super::{BootReader, SnapshotReader, Store, StoreError};
use crate::snapshot::Snapshot;

/// Opens a database to serve it, and makes the key for its secrets unless there is something that only an older key
/// can read.
pub(super) async fn serve(database: Database, key_file: &Path, lock: Lock) -> Result<Store, StoreError> {
    let fault = |error: sqlx::Error| database.fault(&error);
    let mut connection = database.connect_writer().await?;
    let encrypted = load::encrypted(&mut connection).await.map_err(fault)?;
    let secrets = Arc::new(match encrypted.is_empty() {
        true => Secrets::load_or_create(key_file),
        false => Secrets::load(key_file, encrypted),
    });
    let loaded = load::load(&mut connection, &secrets).await.map_err(fault)?;
    let health = Health::default();
    health.set_secrets(secrets.usable());
    let writer = Writer::new(database.clone(), Some(connection), secrets.clone(), loaded, health.clone(), Some(lock));
    let (snapshots, boot_views) = writer.readers();
    let writer = Some(Arc::new(writer.spawn()?));
    Ok(Store { snapshots, boot_views, reader: Arc::new(Reader::new(database, secrets)), health, writer })
}

/// Reads a database as it is at this moment.
pub(super) async fn observe(database: Database, key_file: &Path) -> Result<Store, StoreError> {
    let encrypted = database.read(|connection| load::encrypted(connection).boxed()).await?.unwrap_or_default();
    let needed = !encrypted.is_empty();
    let secrets = Arc::new(Secrets::load(key_file, encrypted));
    let key = secrets.clone();
    let loaded = database.read(move |connection| {
        let key = key.clone();
        async move { load::load(connection, &key).await }.boxed()
    });
    let reader = Arc::new(Reader::new(database.clone(), secrets.clone()));
    let (loaded, foreseen) = tokio::join!(loaded, reader.foresee());
    let Loaded { snapshot, unreadable, .. } = loaded?.unwrap_or_else(Loaded::nothing);
    if let Some((target, ledger)) = foreseen? {
        reader.remember(target, snapshot.revision, ledger);
    }
    let health = Health::default();
    health.set_unreadable(unreadable.reasons());
    if needed {
        health.set_secrets(secrets.usable());
    }
    let snapshots = SnapshotReader::new(snapshot);
    let boot_views = BootReader::new(&snapshots.load());
    Ok(Store { snapshots, boot_views, reader, health, writer: None })
}

/// A store over no database at all.
pub(super) fn detached(snapshot: Snapshot, reason: String) -> Store {
    let health = Health::default();
    health.set_unreadable(vec![reason]);
    let snapshots = SnapshotReader::new(snapshot);
    let boot_views = BootReader::new(&snapshots.load());
    let reader = Arc::new(Reader::new(Database::in_memory(), Arc::new(Secrets::ephemeral())));
    Store { snapshots, boot_views, reader, health, writer: None }
}

/// A store over a database in memory. It opens the database with its first write, as it would after a failure.
pub(super) fn in_memory() -> Result<Store, StoreError> {
    let database = Database::in_memory();
    let secrets = Arc::new(Secrets::ephemeral());
    let health = Health::default();
    let writer = Writer::new(database.clone(), None, secrets.clone(), Loaded::nothing(), health.clone(), None);
    let (snapshots, boot_views) = writer.readers();
    let writer = Some(Arc::new(writer.spawn()?));
    Ok(Store { snapshots, boot_views, reader: Arc::new(Reader::new(database, secrets)), health, writer })
}
