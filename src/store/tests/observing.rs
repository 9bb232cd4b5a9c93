//! A read-only store: what it sees, and that it leaves no trace.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;

use super::*;

const NODE: &str = "x1000c0s0b0n0";

fn target() -> TargetId {
    TargetId("demo/builtin".into())
}

#[tokio::test]
async fn a_state_that_is_not_there_is_empty_and_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let store = observe(&state).await;
    assert_eq!(*store.snapshot(), Snapshot::default());
    assert_eq!(*store.ledger(&target()).await.unwrap(), Ledger::default());
    assert_eq!(store.degraded(), Vec::<String>::new());
    store.close().await;
    assert!(!state.exists());
}

#[tokio::test]
async fn looking_while_nobody_serves_changes_no_file_and_makes_none() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path()).await;
    change(&served, puts([node(NODE, 1), secure("compute", "hunter2")])).await.unwrap();
    served.close().await;
    let before = files(dir.path());
    let store = observe(dir.path()).await;
    assert_eq!(store.snapshot(), served.snapshot());
    store.ledger(&target()).await.unwrap();
    assert_eq!(store.provenance(&[node(NODE, 1).key()]).await.unwrap().len(), 1);
    drop(store);
    assert!(files(dir.path()) == before, "{:?}", names(dir.path()));
}

#[tokio::test]
async fn looking_at_what_a_killed_process_left_sees_its_last_write_and_makes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path()).await;
    change(&served, puts([node(NODE, 1)])).await.unwrap();
    let left = killed(dir.path());
    let (before, database) = (names(left.path()), std::fs::read(left.path().join("state.db")).unwrap());
    let store = observe(left.path()).await;
    assert_eq!(store.snapshot(), served.snapshot());
    drop(store);
    assert_eq!(names(left.path()), before);
    assert!(std::fs::read(left.path().join("state.db")).unwrap() == database);
}

#[tokio::test]
async fn looking_while_somebody_serves_sees_the_newest_state_and_takes_no_lock() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path()).await;
    change(&served, puts([node(NODE, 1)])).await.unwrap();
    let before = names(dir.path());
    let store = observe(dir.path()).await;
    assert_eq!(store.snapshot(), served.snapshot());
    change(&served, puts([node(NODE, 2)])).await.unwrap();
    assert_eq!(observe(dir.path()).await.snapshot(), served.snapshot());
    assert_eq!(names(dir.path()), before);
}

#[tokio::test]
async fn a_look_that_a_starting_writer_disturbs_is_taken_again() {
    let dir = tempfile::tempdir().unwrap();
    serve(dir.path()).await.close().await;
    let database = Database::locate(dir.path(), None, true).unwrap();
    let (looks, path) = (Arc::new(AtomicUsize::new(0)), dir.path().to_owned());
    let counted = looks.clone();
    let read = database.read(move |connection| {
        let (counted, path) = (counted.clone(), path.clone());
        async move {
            if counted.fetch_add(1, Ordering::Relaxed) == 0 {
                let served = serve(&path).await;
                let many = (0..500).map(|i| node(&format!("x{i}c0s0b0n0"), i));
                change(&served, puts(many)).await.unwrap();
                served.close().await;
            }
            load::revision(connection).await
        }
        .boxed()
    });
    assert_eq!(read.await.unwrap(), Some(1));
    assert_eq!(looks.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_write_to_a_store_that_looks_only_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let refused = change(&observe(dir.path()).await, puts([node(NODE, 1)])).await;
    assert!(matches!(refused, Err(WriteError::Unavailable(StoreError::ReadOnly))));
}

#[tokio::test]
async fn a_file_whose_maker_was_killed_before_the_first_migration_is_an_empty_database() {
    let dir = tempfile::tempdir().unwrap();
    serve(dir.path()).await.close().await;
    let whole = try_open(dir.path(), Mode::ReadOnly).await.unwrap();
    let path = dir.path().join("state.db");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "").unwrap();
    // As sqlx makes it: https://docs.rs/sqlx-sqlite, `Migrate::ensure_migrations_table`.
    let table = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                 installed_on TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT)";
    tamper(dir.path(), table).await;
    let store = try_open(dir.path(), Mode::ReadOnly).await.unwrap();
    assert_eq!(store.snapshot().revision, whole.snapshot().revision);
    serve(dir.path()).await.close().await;
}

#[tokio::test]
async fn an_older_schema_that_holds_the_same_is_looked_at_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([node("x1c0s0b0n0", 1)])).await.unwrap();
    let before = store.snapshot();
    store.close().await;
    tamper(dir.path(), "DROP INDEX object_deleted; DELETE FROM _sqlx_migrations WHERE version = 2").await;
    assert_eq!(observe(dir.path()).await.snapshot(), before);
    assert_eq!(serve(dir.path()).await.snapshot(), before);
}

#[tokio::test]
async fn looking_at_an_older_schema_is_an_error_that_names_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    serve(dir.path()).await.close().await;
    tamper(dir.path(), "DELETE FROM _sqlx_migrations").await;
    let before = files(dir.path());
    let error = try_open(dir.path(), Mode::ReadOnly).await.err().unwrap();
    assert_eq!(error, StoreError::OlderSchema { path: dir.path().join("state.db"), found: 0, known: 3 });
    assert!(error.to_string().contains("start `ochami-sync serve` or `apply`"), "{error}");
    assert!(files(dir.path()) == before, "it was not migrated");
}

#[tokio::test]
async fn a_database_that_was_made_and_never_used_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("state.db"), "").unwrap();
    assert_eq!(*observe(dir.path()).await.snapshot(), Snapshot::default());
    assert_eq!(names(dir.path()), ["state.db"]);
}

#[tokio::test]
async fn looking_at_secrets_without_their_key_is_degraded() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path()).await;
    change(&served, puts([node(NODE, 1), secure("compute", "hunter2")])).await.unwrap();
    served.close().await;
    std::fs::remove_file(dir.path().join("secrets.key")).unwrap();
    let store = observe(dir.path()).await;
    assert_eq!(store.snapshot().objects().count(), 1);
    let [key, entry] = store.degraded().try_into().unwrap();
    assert!(key.contains("secrets.key` is missing"), "{key}");
    let key_file = dir.path().join("secrets.key");
    let expected =
        format!("cloud-init-secure/compute cannot be read: the key file cannot be used (`{}`)", key_file.display());
    assert_eq!(entry, expected);
}
