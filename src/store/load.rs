//! All rows to a snapshot. A row that cannot be read is left out and reported; it never keeps the store from opening.

use futures_util::TryStreamExt;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::intern::Interner;
use super::secrets::Secrets;
use super::unreadable::{Unreadable, named};
use crate::model::{Kind, Object, ObjectKey, Record, Table};
use crate::snapshot::{Change, Snapshot};

/// The name of the table in what secrets are authenticated with.
pub(super) const TABLE: &str = "object";

/// What the database holds.
pub(super) struct Loaded {
    pub(super) snapshot: Snapshot,
    pub(super) unreadable: Unreadable,
    pub(super) interner: Interner,
}

impl Loaded {
    /// What an empty database holds.
    pub(super) fn nothing() -> Self {
        Self { snapshot: Snapshot::default(), unreadable: Unreadable::default(), interner: Interner::default() }
    }
}

/// Reads everything.
pub(super) async fn load(connection: &mut SqliteConnection, secrets: &Secrets) -> Result<Loaded, sqlx::Error> {
    let mut loaded = Loaded::nothing();
    loaded.snapshot.revision = revision(connection).await?;
    let mut rows = sqlx::query("SELECT kind, id, body FROM object WHERE body IS NOT NULL").fetch(connection);
    while let Some(row) = rows.try_next().await? {
        match read(&row, secrets, &mut loaded.unreadable)? {
            Some(Change::Put(object)) => {
                let object = loaded.interner.share(object);
                loaded.snapshot.apply(&Change::Put(object));
            }
            Some(record) => loaded.snapshot.apply(&record),
            None => {}
        }
    }
    loaded.interner.settle();
    Ok(loaded)
}

fn read(row: &SqliteRow, secrets: &Secrets, unreadable: &mut Unreadable) -> Result<Option<Change>, sqlx::Error> {
    let (kind, id, body): (&str, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if let Some(table) = Table::named(kind) {
        return Ok(read_record(table, id, body, unreadable));
    }
    let Ok(kind) = kind.parse::<Kind>() else {
        tracing::error!(kind, id, "a stored object is of a kind that only a newer version knows");
        unreadable.foreign(kind.to_owned());
        return Ok(None);
    };
    let key = ObjectKey::new(kind, id);
    let object = if kind.is_secret() {
        secrets.unseal(TABLE, &key, body).map_err(|error| secrets.explain(&error)).and_then(|body| parse(&key, &body))
    } else {
        parse(&key, body)
    };
    match object {
        Ok(object) => Ok(Some(Change::Put(object))),
        Err(cause) => {
            unreadable.object(key, cause);
            Ok(None)
        }
    }
}

fn read_record(table: Table, id: &str, body: &str, unreadable: &mut Unreadable) -> Option<Change> {
    match Record::from_json(table, body) {
        Ok(record) if record.id() == id => Some(Change::PutRecord(record)),
        Ok(_) => unreadable.record(table, id, "it is stored under another name".to_owned()),
        Err(error) => unreadable.record(table, id, error.to_string()),
    }
}

fn parse(key: &ObjectKey, body: &str) -> Result<Object, String> {
    Object::from_json(key, body).map_err(|error| error.to_string())
}

/// The number of the last write in the database.
pub(super) async fn revision(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let number: i64 =
        sqlx::query_scalar("SELECT value FROM meta WHERE name = 'revision'").fetch_one(connection).await?;
    Ok(number.cast_unsigned())
}

/// The objects that only the key can read: their names, or the first few; empty where there are none.
pub(super) async fn encrypted(connection: &mut SqliteConnection) -> Result<String, sqlx::Error> {
    let mut keys = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_secret()) {
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT id FROM object WHERE kind = $1 AND body IS NOT NULL ORDER BY id")
                .bind(kind.as_str())
                .fetch_all(&mut *connection)
                .await?;
        keys.extend(ids.into_iter().map(|id| ObjectKey::new(kind, id)));
    }
    Ok(named(&keys))
}
