//! What is asked of the database while the program runs: the ledger, the history, and who wrote what. Each question
//! has a connection of its own that cannot write, so that none ever waits for the writer or holds it up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Connection as _, Row as _};

use super::database::Database;
use super::intern::Interner;
use super::rows::ledger_place;
use super::secrets::Secrets;
use super::{ApplyRecord, Ledger, LedgerEntry, Provenance, StoreError, TargetId, pages};
use crate::model::{Kind, ObjectKey, Timestamp};

/// Keys of one question for provenance; see [`super::rows`] for why it is not more.
const KEYS: usize = 64;

/// The owned fields of an entry that cannot be decrypted: it is owned, and nothing is known of its content.
const UNKNOWN: &str = "{}";

/// Answers questions to the database.
pub(super) struct Reader {
    pub(super) database: Database,
    pub(super) secrets: Arc<Secrets>,
    /// The ledger that was read last: every plan asks for it, and it takes as long to read as everything else.
    last: Mutex<Option<Known>>,
}

/// A ledger as it was at a revision.
struct Known {
    target: TargetId,
    revision: u64,
    ledger: Arc<Ledger>,
}

impl Reader {
    pub(super) fn new(database: Database, secrets: Arc<Secrets>) -> Self {
        Self { database, secrets, last: Mutex::default() }
    }

    /// The ledger at `revision`, by `now` the newest; what is read while a write comes between is not remembered.
    pub(super) async fn ledger(
        &self,
        target: &TargetId,
        revision: u64,
        now: impl Fn() -> u64,
    ) -> Result<Arc<Ledger>, StoreError> {
        let known = self.known().take().filter(|known| known.target == *target && known.revision == revision);
        let ledger = match known {
            Some(known) => known.ledger,
            None => Arc::new(self.read_ledger(target).await?),
        };
        if now() == revision {
            *self.known() = Some(Known { target: target.clone(), revision, ledger: ledger.clone() });
        }
        Ok(ledger)
    }

    /// Reads the ledger of the newest apply, for a store that nobody writes to, while the objects are being read.
    pub(super) async fn foresee(&self) -> Result<Option<(TargetId, Ledger)>, StoreError> {
        let newest = self.database.read(|connection| {
            async move {
                sqlx::query_scalar::<_, String>("SELECT target FROM apply ORDER BY at DESC, number DESC LIMIT 1")
                    .fetch_optional(connection)
                    .await
            }
            .boxed()
        });
        let Some(target) = newest.await?.flatten().map(|text| TargetId(text.into())) else { return Ok(None) };
        let ledger = self.read_ledger(&target).await?;
        Ok(Some((target, ledger)))
    }

    pub(super) fn remember(&self, target: TargetId, revision: u64, ledger: Ledger) {
        *self.known() = Some(Known { target, revision, ledger: Arc::new(ledger) });
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read_ledger(&self, target: &TargetId) -> Result<Ledger, StoreError> {
        let (target, secrets) = (target.clone(), self.secrets.clone());
        let read = self.database.read(move |connection| {
            let (target, secrets) = (target.clone(), secrets.clone());
            async move {
                let mut transaction = connection.begin().await?;
                let entries = entries(&mut transaction, &target, &secrets).await?;
                let last_apply = history(&mut transaction, &target, 1).await?.pop();
                transaction.commit().await?;
                Ok(Ledger { entries, last_apply })
            }
            .boxed()
        });
        Ok(read.await?.unwrap_or_default())
    }

    pub(super) async fn claims(
        &self,
        own: &TargetId,
        nameless: &TargetId,
    ) -> Result<BTreeMap<ObjectKey, Arc<str>>, StoreError> {
        let (own, nameless) = (own.clone(), nameless.clone());
        let read = self.database.read(move |connection| {
            let (own, nameless) = (own.clone(), nameless.clone());
            async move { claims(connection, &own, &nameless).await }.boxed()
        });
        Ok(read.await?.unwrap_or_default())
    }

    pub(super) async fn history(&self, target: &TargetId, limit: u32) -> Result<Vec<ApplyRecord>, StoreError> {
        let target = target.clone();
        let read = self.database.read(move |connection| {
            let target = target.clone();
            async move { history(connection, &target, limit).await }.boxed()
        });
        Ok(read.await?.unwrap_or_default())
    }

    pub(super) async fn provenance(&self, keys: &[ObjectKey]) -> Result<BTreeMap<ObjectKey, Provenance>, StoreError> {
        let keys: Arc<[ObjectKey]> = keys.into();
        let read = self.database.read(move |connection| {
            let keys = keys.clone();
            async move { provenance(connection, &keys).await }.boxed()
        });
        Ok(read.await?.unwrap_or_default())
    }
}

/// What is owned at a target.
const LEDGER: pages::Table =
    pages::Table { name: "ledger", only: "target = $3", content: "doc", others: &["owner", "name", "origin", "apply"] };

async fn entries(
    connection: &mut SqliteConnection,
    target: &TargetId,
    secrets: &Secrets,
) -> Result<BTreeMap<ObjectKey, LedgerEntry>, sqlx::Error> {
    let mut entries = BTreeMap::new();
    let mut texts = Interner::default();
    let read = |row: pages::Row<'_, 4>| entries.extend(entry(target, secrets, &mut texts, row));
    LEDGER.each(connection, &target.0, read).await?;
    Ok(entries)
}

fn entry(
    target: &TargetId,
    secrets: &Secrets,
    texts: &mut Interner,
    (kind, id, doc, [owner, name, origin, apply]): pages::Row<'_, 4>,
) -> Option<(ObjectKey, LedgerEntry)> {
    let Ok(kind) = kind.parse::<Kind>() else {
        tracing::error!(kind, id, "the ledger owns an object of a kind that only a newer version knows");
        return None;
    };
    let key = ObjectKey::new(kind, id);
    let doc = if kind.is_secret() {
        secrets.unseal(&ledger_place(target), &key, doc).map_or_else(
            |cause| {
                tracing::error!(object = %key, %cause, "what was last applied cannot be read");
                UNKNOWN.into()
            },
            Into::into,
        )
    } else {
        doc.into()
    };
    // A node's eight objects have these texts in common, of which only the owner may be missing.
    let owner = owner.map(|text| texts.text(text));
    let (name, origin) = (texts.text(name.unwrap_or_default()), texts.text(origin.unwrap_or_default()));
    let apply = apply.and_then(|number| number.parse().ok()).unwrap_or_default();
    Some((key, LedgerEntry { doc, owner, name, origin, apply }))
}

async fn claims(
    connection: &mut SqliteConnection,
    own: &TargetId,
    nameless: &TargetId,
) -> Result<BTreeMap<ObjectKey, Arc<str>>, sqlx::Error> {
    let mut claims = BTreeMap::new();
    let mut target = TargetId("".into());
    // One look into the index for each ledger: a list of all rows would be read to find that there is one ledger.
    while let Some(next) = sqlx::query_scalar::<_, Option<String>>("SELECT MIN(target) FROM ledger WHERE target > $1")
        .bind(target.0.clone())
        .fetch_one(&mut *connection)
        .await?
    {
        target = TargetId(next.into());
        let Some(cluster) = target.cluster_at(nameless).filter(|_| target != *own) else { continue };
        let cluster: Arc<str> = cluster.into();
        let rows = sqlx::query("SELECT kind, id FROM ledger WHERE target = $1")
            .bind(target.0.clone())
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            if let Ok(kind) = row.try_get::<&str, _>(0)?.parse::<Kind>() {
                claims.insert(ObjectKey::new(kind, row.try_get::<&str, _>(1)?), cluster.clone());
            }
        }
    }
    Ok(claims)
}

async fn history(
    connection: &mut SqliteConnection,
    target: &TargetId,
    limit: u32,
) -> Result<Vec<ApplyRecord>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT number, at, plan, author, inventory, writes, result FROM apply \
         WHERE target = $1 ORDER BY number DESC LIMIT $2",
    )
    .bind(target.0.clone())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let record = |row: &SqliteRow| {
        Ok(ApplyRecord {
            number: row.try_get::<i64, _>(0)?.cast_unsigned(),
            at: Timestamp(row.try_get(1)?),
            plan: row.try_get(2)?,
            author: row.try_get(3)?,
            inventory: row.try_get(4)?,
            writes: row.try_get::<i64, _>(5)?.cast_unsigned(),
            result: row.try_get(6)?,
        })
    };
    rows.iter().map(record).collect()
}

async fn provenance(
    connection: &mut SqliteConnection,
    keys: &[ObjectKey],
) -> Result<BTreeMap<ObjectKey, Provenance>, sqlx::Error> {
    let mut found = BTreeMap::new();
    for keys in keys.chunks(KEYS) {
        let pairs: Vec<String> = (0..keys.len()).map(|i| format!("(${}, ${})", 2 * i + 1, 2 * i + 2)).collect();
        let sql = format!(
            "SELECT kind, id, writer, written_at FROM object WHERE (kind, id) IN (VALUES {})",
            pairs.join(", ")
        );
        let mut arguments = SqliteArguments::default();
        for key in keys {
            arguments.add(key.kind.as_str()).map_err(sqlx::Error::Encode)?;
            arguments.add(key.id.clone()).map_err(sqlx::Error::Encode)?;
        }
        let rows = sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(&mut *connection).await?;
        for row in rows {
            let Ok(kind) = row.try_get::<&str, _>(0)?.parse::<Kind>() else { continue };
            let key = ObjectKey::new(kind, row.try_get::<&str, _>(1)?);
            found.insert(key, Provenance { writer: row.try_get(2)?, at: Timestamp(row.try_get(3)?) });
        }
    }
    Ok(found)
}
