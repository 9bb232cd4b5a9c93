//! How a store comes up: over a database that it serves, over one that it only looks at, or over none.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use futures_util::FutureExt;
use sqlx::sqlite::SqliteConnection;

use super::backend::Backend;
use super::database::Database;
use super::health::Health;
use super::load::{self, Loaded};
use super::publish::Publisher;
use super::read::Reader;
use super::secrets::Secrets;
use super::state_dir::Lock;
use super::writer::Writer;
use super::{Store, StoreConfig, StoreError};
use crate::snapshot::Snapshot;

/// Opens a database to serve it, and makes the key for its secrets unless there is something that only an older key
/// can read.
pub(super) async fn serve(database: Database, key_file: &Path, lock: Lock) -> Result<Store, StoreError> {
    let opened = Opened::of(&database, key_file).await?;
    let published = Publisher::new(Snapshot::default(), Health::default());
    let backend = opened.serve(database, &published, lock, Publisher::publish)?;
    Ok(store(published, backend))
}

/// As [`serve`], for a store that was without.
pub(super) async fn attach(
    published: &Publisher,
    database: Database,
    key_file: &Path,
    lock: Lock,
) -> Result<Backend, StoreError> {
    Opened::of(&database, key_file).await?.serve(database, published, lock, Publisher::switch)
}

fn store(published: Publisher, backend: Backend) -> Store {
    Store { published, backend: Arc::new(ArcSwap::from_pointee(backend)) }
}

/// A database that was opened for writing, and what it held.
struct Opened {
    connection: SqliteConnection,
    secrets: Arc<Secrets>,
    loaded: Loaded,
}

impl Opened {
    async fn of(database: &Database, key_file: &Path) -> Result<Self, StoreError> {
        let fault = |error: sqlx::Error| database.fault(&error);
        let mut connection = database.connect_writer().await?;
        let encrypted = load::encrypted(&mut connection).await.map_err(fault)?;
        let secrets = Arc::new(match encrypted.is_empty() {
            true => Secrets::load_or_create(key_file),
            false => Secrets::load(key_file, encrypted),
        });
        let loaded = load::load(&mut connection, &secrets).await.map_err(fault)?;
        Ok(Self { connection, secrets, loaded })
    }

    /// Publishes what was loaded, and starts the writer. The writer decides on what is published, so that comes first.
    fn serve(
        self,
        database: Database,
        published: &Publisher,
        lock: Lock,
        publish: impl FnOnce(&Publisher, Snapshot),
    ) -> Result<Backend, StoreError> {
        let Self { connection, secrets, loaded: Loaded { snapshot, unreadable, interner } } = self;
        let writer = Writer::new(database.clone(), Some(connection), secrets.clone(), published.clone(), Some(lock))
            .over(unreadable, interner);
        publish(published, snapshot);
        published.health.set_secrets(secrets.usable());
        let writer = Some(writer.spawn()?);
        Ok(Backend::Open { reader: Reader::new(database, secrets), writer })
    }
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
    let reader = Reader::new(database.clone(), secrets.clone());
    // A task of its own, for another core: making the objects of either out of rows takes longer than reading them.
    let other = Reader::new(database.clone(), secrets.clone());
    let foreseen = tokio::spawn(async move { other.foresee().await });
    let Loaded { snapshot, unreadable, .. } = loaded.await?.unwrap_or_else(Loaded::nothing);
    // What is not foreseen is read when it is asked for.
    if let Some((target, ledger)) = foreseen.await.unwrap_or(Ok(None))? {
        reader.remember(target, snapshot.revision, ledger);
    }
    let health = Health::default();
    health.set_unreadable(&unreadable);
    if needed {
        health.set_secrets(secrets.usable());
    }
    Ok(store(Publisher::new(snapshot, health), Backend::Open { reader, writer: None }))
}

/// A store over no database at all.
pub(super) fn detached(config: &StoreConfig, snapshot: Snapshot, reason: String) -> Store {
    let database = Database::locate(&config.state_dir, config.url.as_deref(), false);
    let seen = AtomicBool::new(database.is_ok_and(|database| database.path().exists()));
    store(Publisher::new(snapshot, Health::default()), Backend::Missing { reason, seen })
}

/// A store over a database in memory. It opens the database with its first write, as it would after a failure.
pub(super) fn in_memory() -> Result<Store, StoreError> {
    let database = Database::in_memory();
    let secrets = Arc::new(Secrets::ephemeral());
    let published = Publisher::new(Snapshot::default(), Health::default());
    let writer = Writer::new(database.clone(), None, secrets.clone(), published.clone(), None);
    let writer = Some(writer.spawn()?);
    Ok(store(published, Backend::Open { reader: Reader::new(database, secrets), writer }))
}
