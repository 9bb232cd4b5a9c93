//! A batch to rows: the statements of the one transaction that stores it.
//!
//! Rows travel many to a statement. Their parameters are written `?` and not `$1`, unlike everywhere else: SQLite looks a
//! numbered parameter up by walking the list of all of them, so a statement's cost would grow with the square of their
//! number. The places to number them for PostgreSQL are [`insert_text`], [`BEGIN`] and [`PURGE`].

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use imbl::OrdSet;
use sqlx::error::{BoxDynError, ErrorKind};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe};

use super::batch::{Batch, Owned, RecordRow, Row};
use super::database::Database;
use super::secrets::Secrets;
use super::unreadable::Unreadable;
use super::{ApplyRecord, Author, LedgerEntry, StoreError, TargetId, load, members};
use crate::model::{Kind, Object, ObjectKey, Record, Table, Timestamp, Xname};
use crate::snapshot::Snapshot;

/// Rows of one statement, from measurement, the largest first: each statement is a message to the thread of SQLite and
/// back, which costs more than a row, and a few sizes are as many prepared statements.
const ROWS: [usize; 4] = [128, 32, 8, 1];

/// The name of the ledger in what secrets are authenticated with; the target is part of a row's place.
pub(super) fn ledger_place(target: &TargetId) -> String {
    format!("ledger\0{}", target.0)
}

/// The most rows of a batch that travels as one message. Most batches are smaller.
const AT_ONCE: usize = 64;

/// Begins, and takes the next revision if nobody else did: otherwise `value` is null, which its column does not take. Comes
/// first, because it takes the lock on writing.
const BEGIN: &str = "BEGIN; UPDATE meta SET value = CASE WHEN value = ? THEN ? END WHERE name = 'revision'";

/// Takes the rows away of what was deleted so long ago.
const PURGE: &str = "DELETE FROM object WHERE body IS NULL AND revision <= ?";

/// For how many writes the row of what was deleted is kept, without its content. Machines that come once and never again,
/// or only claim to be there, would otherwise fill the disk.
pub(super) const KEPT: u64 = 1_000;

/// What is inserted, and what happens where it is there already.
struct Insert {
    into: &'static str,
    columns: usize,
    conflict: &'static str,
}

const OBJECT: Insert = Insert {
    into: "object (kind, id, body, revision, writer, written_at)",
    columns: 6,
    conflict: "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, revision = excluded.revision, \
               writer = excluded.writer, written_at = excluded.written_at",
};

const OWNED: Insert = Insert {
    into: "ledger (target, kind, id, doc, owner, name, origin, apply)",
    columns: 8,
    conflict: "ON CONFLICT (target, kind, id) DO UPDATE SET doc = excluded.doc, owner = excluded.owner, \
               name = excluded.name, origin = excluded.origin, apply = excluded.apply",
};

/// The statement that inserts so many rows.
fn insert_text(Insert { into, columns, conflict }: &Insert, rows: usize) -> String {
    let tuple = format!("({})", vec!["?"; *columns].join(", "));
    format!("INSERT INTO {into} VALUES {} {conflict}", vec![tuple; rows].join(", "))
}

type Texts<const N: usize> = LazyLock<[Arc<str>; N]>;

/// The statements for the numbers of rows in [`ROWS`].
static OBJECTS: Texts<{ ROWS.len() }> = LazyLock::new(|| ROWS.map(|rows| insert_text(&OBJECT, rows).into()));
static LEDGER: Texts<{ ROWS.len() }> = LazyLock::new(|| ROWS.map(|rows| insert_text(&OWNED, rows).into()));

/// Whole transactions of one object, of two, and so on.
static TRANSACTIONS: Texts<AT_ONCE> = LazyLock::new(|| {
    std::array::from_fn(|before| format!("{BEGIN}; {}; {PURGE}; COMMIT", insert_text(&OBJECT, before + 1)).into())
});

/// A row of the table of objects.
enum Stored<'b> {
    Object(&'b ObjectKey, &'b Row),
    /// A part of a group's members, by its identifier; nothing in their place where it is gone.
    Members(Arc<str>, Option<Vec<Xname>>, &'b Row),
    Record(&'b (Table, Arc<str>), &'b RecordRow),
}

impl<'b> Stored<'b> {
    /// The rows that a batch changes.
    fn of(batch: &'b Batch) -> Vec<Self> {
        let mut rows = Vec::with_capacity(batch.rows.len() + batch.records.len());
        for (key, row) in &batch.rows {
            rows.push(Self::Object(key, row));
            if key.kind == Kind::Group {
                rows.extend(Self::members(&batch.base, key, row));
            }
        }
        rows.extend(batch.records.iter().map(|(key, row)| Self::Record(key, row)));
        rows
    }

    fn members(base: &Snapshot, key: &ObjectKey, row: &'b Row) -> impl Iterator<Item = Self> {
        let members = |object: Option<&Object>| match object {
            Some(Object::Group(group)) => group.members.clone(),
            _ => OrdSet::new(),
        };
        let (old, new) = (members(base.object(key).as_ref()), members(row.object.as_ref()));
        let parts = members::changed(&old, &new).into_iter();
        parts.map(move |(first, members)| Self::Members(members::id(&key.id, &first), members, row))
    }

    fn bind(&self, arguments: &mut SqliteArguments, secrets: &Secrets, at: Timestamp) -> Result<(), BoxDynError> {
        let (kind, id, body, revision, writer): (_, _, Option<String>, u64, &Author) = match self {
            Self::Object(key, Row { object, revision, writer }) => {
                let body = object.as_ref().map(|object| body(key, object, secrets)).transpose()?;
                (key.kind.as_str(), &key.id, body, *revision, writer)
            }
            Self::Members(id, members, Row { revision, writer, .. }) => {
                let body = members.as_deref().map(members::body);
                (members::KIND, id, body, *revision, writer)
            }
            Self::Record((table, id), RecordRow { record, revision, writer }) => {
                let body = record.as_ref().map(Record::to_json).transpose()?;
                (table.as_str(), id, body, *revision, writer)
            }
        };
        arguments.add(kind)?;
        arguments.add(id.clone())?;
        arguments.add(body)?;
        arguments.add(revision.cast_signed())?;
        arguments.add(writer.0.clone())?;
        arguments.add(at.0)
    }
}

/// What the row of an object holds.
fn body(key: &ObjectKey, object: &Object, secrets: &Secrets) -> Result<String, BoxDynError> {
    Ok(match object {
        Object::Group(group) => Object::Group(members::head(group)).to_json(),
        object if key.kind.is_secret() => secrets.seal(load::TABLE, key, &object.to_json())?,
        object => object.to_json(),
    })
}

/// Where a batch is stored.
pub(super) struct Place<'s> {
    pub(super) database: &'s Database,
    pub(super) secrets: &'s Secrets,
    pub(super) unreadable: &'s Unreadable,
}

/// Stores a batch whole, or nothing of it.
///
/// # Errors
///
/// [`StoreError`]; the connection is then of no further use, because a transaction may still be open on it.
pub(super) async fn store(
    connection: &mut SqliteConnection,
    batch: &Batch,
    Place { database, secrets, unreadable }: Place<'_>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let fault = |error: sqlx::Error| database.fault(&error);
    let begun = |error: sqlx::Error| match &error {
        sqlx::Error::Database(refusal) if refusal.kind() == ErrorKind::NotNullViolation => {
            StoreError::Overtaken { path: database.path().to_owned() }
        }
        _ => database.fault(&error),
    };
    let rows = Stored::of(batch);
    let mut first = SqliteArguments::default();
    let encoded = |error: BoxDynError| fault(sqlx::Error::Encode(error));
    first.add(batch.base.revision.cast_signed()).map_err(encoded)?;
    first.add(batch.snapshot.revision.cast_signed()).map_err(encoded)?;
    let old = batch.snapshot.revision.saturating_sub(KEPT).cast_signed();
    // Nothing is known of the members of a group that cannot be read.
    let lost = batch.rows.keys().filter(|key| key.kind == Kind::Group && unreadable.contains(key));
    let lost: Vec<_> = lost.map(|key| members::ids(&key.id)).collect();
    if batch.ledger.is_empty()
        && batch.history.is_empty()
        && lost.is_empty()
        && let Some(text) = rows.len().checked_sub(1).and_then(|before| TRANSACTIONS.get(before))
    {
        rows.iter().try_for_each(|row| row.bind(&mut first, secrets, at)).map_err(encoded)?;
        first.add(old).map_err(encoded)?;
        sqlx::query_with(AssertSqlSafe(text.clone()), first).execute(connection).await.map_err(begun)?;
        return Ok(());
    }
    sqlx::query_with(BEGIN, first).execute(&mut *connection).await.map_err(begun)?;
    for (least, behind) in lost {
        let delete = sqlx::query("DELETE FROM object WHERE kind = $1 AND id >= $2 AND id < $3");
        delete.bind(members::KIND).bind(least).bind(behind).execute(&mut *connection).await.map_err(fault)?;
    }
    insert(connection, &OBJECTS, &rows, |arguments, row| row.bind(arguments, secrets, at)).await.map_err(fault)?;
    sqlx::query(PURGE).bind(old).execute(&mut *connection).await.map_err(fault)?;
    let mut numbers = Vec::with_capacity(batch.history.len());
    for (target, record) in &batch.history {
        numbers.push(append_history(connection, target, record).await.map_err(fault)?);
    }
    store_ledger(connection, &batch.ledger, &numbers, secrets).await.map_err(fault)?;
    sqlx::query("COMMIT").execute(connection).await.map_err(fault)?;
    Ok(())
}

/// Inserts or replaces rows in as few statements as the sizes of [`ROWS`] allow. The values of a statement are made while
/// the one before it runs.
async fn insert<R: Sync>(
    connection: &mut SqliteConnection,
    texts: &[Arc<str>; ROWS.len()],
    rows: &[R],
    bind: impl Fn(&mut SqliteArguments, &R) -> Result<(), BoxDynError>,
) -> Result<(), sqlx::Error> {
    let mut rest = rows;
    let sizes = ROWS.iter().zip(texts).flat_map(|(&size, sql)| {
        let (whole, behind) = rest.split_at(rest.len() - rest.len() % size);
        rest = behind;
        whole.chunks_exact(size).map(move |rows| (sql, rows))
    });
    let mut statements = sizes.map(|(sql, rows)| {
        let mut arguments = SqliteArguments::default();
        rows.iter().try_for_each(|row| bind(&mut arguments, row)).map_err(sqlx::Error::Encode)?;
        Ok::<_, sqlx::Error>((AssertSqlSafe(sql.clone()), arguments))
    });
    let mut next = statements.next().transpose()?;
    while let Some((sql, arguments)) = next {
        let execute = sqlx::query_with(sql, arguments).execute(&mut *connection);
        let (executed, made) = futures_util::join!(execute, async { statements.next().transpose() });
        executed?;
        next = made?;
    }
    Ok(())
}

/// Adds a line to the history of a target and gives its number, one more than the last.
async fn append_history(
    connection: &mut SqliteConnection,
    target: &TargetId,
    record: &ApplyRecord,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "INSERT INTO apply (target, number, at, plan, author, inventory, writes, result) \
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6, $7 FROM apply WHERE target = $1 \
         RETURNING number",
    )
    .bind(target.0.clone())
    .bind(record.at.0)
    .bind(&record.plan)
    .bind(&record.author)
    .bind(&record.inventory)
    .bind(record.writes.cast_signed())
    .bind(&record.result)
    .fetch_one(connection)
    .await
}

type LedgerRow<'b> = (&'b TargetId, &'b ObjectKey, &'b LedgerEntry, i64);

async fn store_ledger(
    connection: &mut SqliteConnection,
    ledger: &BTreeMap<(TargetId, ObjectKey), Option<Owned>>,
    numbers: &[i64],
    secrets: &Secrets,
) -> Result<(), sqlx::Error> {
    let mut rows: Vec<LedgerRow<'_>> = Vec::with_capacity(ledger.len());
    for ((target, key), owned) in ledger {
        let Some(Owned { entry, apply }) = owned else {
            sqlx::query("DELETE FROM ledger WHERE target = $1 AND kind = $2 AND id = $3")
                .bind(target.0.clone())
                .bind(key.kind.as_str())
                .bind(key.id.clone())
                .execute(&mut *connection)
                .await?;
            continue;
        };
        let number = apply.and_then(|index| numbers.get(index).copied());
        rows.push((target, key, entry, number.unwrap_or(entry.apply.cast_signed())));
    }
    insert(connection, &LEDGER, &rows, |arguments, row| ledger_row(arguments, row, secrets)).await
}

fn ledger_row(
    arguments: &mut SqliteArguments,
    (target, key, entry, apply): &LedgerRow<'_>,
    secrets: &Secrets,
) -> Result<(), BoxDynError> {
    arguments.add(target.0.clone())?;
    arguments.add(key.kind.as_str())?;
    arguments.add(key.id.clone())?;
    if key.kind.is_secret() {
        arguments.add(secrets.seal(&ledger_place(target), key, &entry.doc)?)?;
    } else {
        arguments.add(entry.doc.clone())?;
    }
    arguments.add(entry.owner.clone())?;
    arguments.add(entry.name.clone())?;
    arguments.add(entry.origin.clone())?;
    arguments.add(*apply)
}
