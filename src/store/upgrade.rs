//! What a migration needs done to the rows that SQL cannot do.

use std::sync::Arc;

use imbl::OrdSet;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use super::members;
use crate::model::{Group, Kind, Object};

/// Moves the members of groups to rows of their own where a version before left them in those of their groups, once. What
/// cannot be read stays as it is.
pub(super) async fn upgrade(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let moved: Option<i64> =
        sqlx::query_scalar("SELECT value FROM meta WHERE name = 'members'").fetch_optional(&mut *connection).await?;
    if moved != Some(0) {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    let bodies: Vec<String> = sqlx::query_scalar("SELECT body FROM object WHERE kind = $1 AND body IS NOT NULL")
        .bind(Kind::Group.as_str())
        .fetch_all(&mut *transaction)
        .await?;
    for group in bodies.iter().filter_map(|body| serde_json::from_str::<Arc<Group>>(body).ok()) {
        for (first, part) in members::changed(&OrdSet::new(), &group.members) {
            sqlx::query(
                "INSERT INTO object (kind, id, body, revision, writer, written_at) \
                 SELECT $1, $2, $3, revision, writer, written_at FROM object WHERE kind = $4 AND id = $5",
            )
            .bind(members::KIND)
            .bind(members::id(group.label.as_str(), &first))
            .bind(part.as_deref().map(members::body))
            .bind(Kind::Group.as_str())
            .bind(group.label.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        sqlx::query("UPDATE object SET body = $1 WHERE kind = $2 AND id = $3")
            .bind(Object::Group(members::head(&group)).to_json())
            .bind(Kind::Group.as_str())
            .bind(group.label.as_str())
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query("UPDATE meta SET value = 1 WHERE name = 'members'").execute(&mut *transaction).await?;
    transaction.commit().await
}
