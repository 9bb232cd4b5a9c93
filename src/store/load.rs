//! All rows to a snapshot. A row that cannot be read is left out and reported; it never keeps the store from opening.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use super::intern::Interner;
use super::secrets::Secrets;
use super::unreadable::{Unreadable, named};
use super::{members, pages};
use crate::model::{Group, GroupLabel, Kind, Object, ObjectKey, Record, Table, Xname};
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

    fn take(&mut self, kind: &str, id: &str, body: &str, secrets: &Secrets, groups: &mut Groups) {
        if kind == members::KIND {
            return groups.part(id, body, &mut self.unreadable);
        }
        match read(kind, id, body, secrets, &mut self.unreadable) {
            Some(Change::Put(Object::Group(group))) => groups.whole.push(group),
            Some(Change::Put(object)) => self.put(object),
            Some(record) => self.snapshot.apply(&record),
            None => {}
        }
    }

    fn put(&mut self, object: Object) {
        let object = self.interner.share(object);
        self.snapshot.apply(&Change::Put(object));
    }
}

/// Reads everything.
pub(super) async fn load(connection: &mut SqliteConnection, secrets: &Secrets) -> Result<Loaded, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let mut loaded = Loaded::nothing();
    loaded.snapshot.revision = revision(&mut transaction).await?;
    let mut groups = Groups::default();
    let take = |(kind, id, body, []): pages::Row<'_, 0>| loaded.take(kind, id, body, secrets, &mut groups);
    OBJECTS.each(&mut transaction, "", take).await?;
    transaction.commit().await?;
    for group in groups.joined(&mut loaded.unreadable) {
        loaded.put(Object::Group(group));
    }
    loaded.interner.settle();
    Ok(loaded)
}

/// The rows that are not of something deleted.
const OBJECTS: pages::Table =
    pages::Table { name: TABLE, only: "body IS NOT NULL AND $3 = ''", content: "body", others: &[] };

/// The groups, whose rows and whose members' may come in any order.
#[derive(Default)]
struct Groups {
    whole: Vec<Arc<Group>>,
    parts: HashMap<GroupLabel, Result<Vec<Xname>, String>>,
}

impl Groups {
    /// Takes up a row of members. One that cannot be read spoils its group, which would be served without them.
    fn part(&mut self, id: &str, body: &str, unreadable: &mut Unreadable) {
        let Some(label) = members::label(id) else {
            return unreadable.object(ObjectKey::new(Kind::Group, id), "it cannot be the name of members".to_owned());
        };
        let part = serde_json::from_str::<Vec<Xname>>(body);
        let known = self.parts.entry(label).or_insert_with(|| Ok(Vec::new()));
        match (known, part) {
            (Ok(known), Ok(part)) => known.extend(part),
            (known, Err(error)) => *known = Err(format!("its members {id}: {error}")),
            (Err(_), Ok(_)) => {}
        }
    }

    /// The groups with all their members.
    fn joined(mut self, unreadable: &mut Unreadable) -> Vec<Arc<Group>> {
        let groups = self.whole.into_iter().filter_map(|mut group| match self.parts.remove(&group.label) {
            Some(Ok(members)) => {
                Arc::make_mut(&mut group).members.extend(members);
                Some(group)
            }
            Some(Err(cause)) => {
                unreadable.object(ObjectKey::new(Kind::Group, group.label.as_str()), cause);
                None
            }
            None => Some(group),
        });
        let groups = groups.collect();
        for label in self.parts.into_keys() {
            let key = ObjectKey::new(Kind::Group, label.as_str());
            if !unreadable.contains(&key) {
                unreadable.object(key, "of all its rows only those of its members are there".to_owned());
            }
        }
        groups
    }
}

fn read(kind: &str, id: &str, body: &str, secrets: &Secrets, unreadable: &mut Unreadable) -> Option<Change> {
    if let Some(table) = Table::named(kind) {
        return read_record(table, id, body, unreadable);
    }
    let Ok(kind) = kind.parse::<Kind>() else {
        tracing::error!(kind, id, "a stored object is of a kind that only a newer version knows");
        unreadable.foreign(kind.to_owned());
        return None;
    };
    let key = ObjectKey::new(kind, id);
    let object = if kind.is_secret() {
        secrets.unseal(TABLE, &key, body).map_err(|error| secrets.explain(&error)).and_then(|body| parse(&key, &body))
    } else {
        parse(&key, body)
    };
    object.map(Change::Put).map_err(|cause| unreadable.object(key, cause)).ok()
}

fn read_record(table: Table, id: &str, body: &str, unreadable: &mut Unreadable) -> Option<Change> {
    let cause = match Record::from_json(table, body) {
        Ok(record) if record.id() == id => return Some(Change::PutRecord(record)),
        Ok(_) => "it is stored under another name".to_owned(),
        Err(error) => error.to_string(),
    };
    unreadable.record(table, id, cause);
    None
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
