//! Decisions, their durability and their grouping.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use futures_util::future::join_all;

use super::*;

const NODE: &str = "x1000c0s0b0n0";

#[tokio::test]
async fn what_was_written_is_there_after_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([node(NODE, 1), secure("compute", "hunter2")])).await.unwrap();
    change(&store, vec![Change::Delete(node(NODE, 1).key())]).await.unwrap();
    let before = store.snapshot();
    assert_eq!(before.revision, 2);
    assert_eq!(before.boot, store.boot_views().load());
    store.close().await;
    let again = serve(dir.path()).await;
    assert_eq!(again.snapshot(), before);
    assert_eq!(again.degraded(), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_answered_outlives_a_killed_process_and_what_was_not_committed_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([node(NODE, 1)])).await.unwrap();
    let mut other = raw(dir.path()).await;
    other.execute("PRAGMA cache_size = 1").await.unwrap();
    other.execute("BEGIN").await.unwrap();
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                INSERT INTO object SELECT 'group', 'g' || i, '{}', 9, 'w', 0 FROM n";
    other.execute(rows).await.unwrap();
    let wal = dir.path().join("state.db-wal").metadata().unwrap().len();
    assert!(wal > 50_000, "the open transaction has reached the disk: {wal} bytes");

    let left = killed(dir.path());
    let again = serve(left.path()).await;
    assert_eq!(again.snapshot(), store.snapshot());
    assert_eq!(again.snapshot().objects().count(), 1);
}

#[tokio::test]
async fn a_thousand_concurrent_writes_are_all_durable_in_fewer_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    let nodes: Vec<Object> = (0..1000).map(|i| node(&format!("x{i}c0s0b0n0"), i)).collect();
    let writes = nodes.iter().map(|object| change(&store, puts([object.clone()])));
    for result in join_all(writes).await {
        result.unwrap();
    }
    let keys: Vec<ObjectKey> = nodes.iter().map(Object::key).collect();
    let provenance = store.provenance(&keys).await.unwrap();
    assert_eq!(provenance.len(), 1000);
    let transactions: BTreeSet<_> = provenance.values().map(|p| p.at).collect();
    assert!(transactions.len() < 100, "{} transactions", transactions.len());
    let snapshot = store.snapshot();
    assert_eq!(snapshot.revision, 1000);
    store.close().await;
    assert_eq!(serve(dir.path()).await.snapshot(), snapshot);
}

#[tokio::test]
async fn a_decision_sees_everything_decided_before_it() {
    let store = Store::in_memory();
    let writes = (0..300).map(|_| {
        store.write(author(), |snapshot| {
            let nid = snapshot.boot.components.values().next().and_then(|c| c.nid).map_or(0, |nid| nid.0);
            Ok::<_, Infallible>(Decision::new(nid, puts([node(NODE, nid + 1)])))
        })
    });
    let answers: BTreeSet<u64> = join_all(writes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, (0..300).collect());
}

#[tokio::test]
async fn a_refused_decision_leaves_no_trace_and_hands_its_reason_back() {
    let store = Store::in_memory();
    change(&store, puts([node(NODE, 1)])).await.unwrap();
    let before = store.snapshot();
    let refused = store.write(author(), |snapshot| {
        if snapshot.boot.components.is_empty() { Ok(Decision::new((), Vec::new())) } else { Err("taken") }
    });
    assert!(matches!(refused.await, Err(WriteError::Refused("taken"))));
    assert!(Arc::ptr_eq(&before, &store.snapshot()));
}

#[tokio::test]
async fn a_change_that_changes_nothing_touches_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([node(NODE, 1)])).await.unwrap();
    let (before, written) = (store.snapshot(), files(dir.path()));
    let nothing = vec![Change::Put(node(NODE, 1)), Change::Delete(node("x1c0s0b0n0", 1).key())];
    change(&store, nothing).await.unwrap();
    assert!(Arc::ptr_eq(&before, &store.snapshot()));
    assert!(files(dir.path()) == written, "a file has changed");

    let partly = vec![Change::Put(node(NODE, 1)), Change::Put(node("x1c0s0b0n0", 2))];
    store.write(Author("second".into()), |_| Ok::<_, Infallible>(Decision::new((), partly))).await.unwrap();
    let provenance = store.provenance(&[node(NODE, 1).key(), node("x1c0s0b0n0", 2).key()]).await.unwrap();
    let writers: Vec<&str> = provenance.values().map(|p| p.writer.as_str()).collect();
    assert_eq!(writers, ["test", "second"]);
}

#[tokio::test]
async fn a_delete_under_another_spelling_reaches_the_row() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([node(NODE, 1)])).await.unwrap();
    let spelled = ObjectKey::new(crate::model::Kind::Component, "X1000C0S0B0N0");
    change(&store, vec![Change::Delete(spelled)]).await.unwrap();
    assert_eq!(store.snapshot().objects().count(), 0);
    store.close().await;
    assert_eq!(serve(dir.path()).await.snapshot().objects().count(), 0);
}

#[tokio::test]
async fn deletes_are_found_by_revision_like_any_other_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([node(NODE, 1), node("x1c0s0b0n0", 2)])).await.unwrap();
    change(&store, vec![Change::Delete(node(NODE, 1).key())]).await.unwrap();
    let feed: Vec<(String, Option<String>)> = sqlx::query_as("SELECT id, body FROM object WHERE revision > $1")
        .bind(1)
        .fetch_all(&mut raw(dir.path()).await)
        .await
        .unwrap();
    assert_eq!(feed, [(NODE.to_owned(), None)]);
    let provenance = store.provenance(&[node(NODE, 1).key()]).await.unwrap();
    assert_eq!(provenance.len(), 1, "who deleted it is known");
}

#[tokio::test]
async fn a_panicking_decision_fails_alone() {
    let store = Store::in_memory();
    let panicking = store.write(author(), |_| -> Result<Decision<()>, Infallible> { panic!("a defect in a test") });
    let (failed, stored) = tokio::join!(panicking, change(&store, puts([node(NODE, 1)])));
    assert!(matches!(failed, Err(WriteError::Unavailable(StoreError::DecisionPanicked))));
    stored.unwrap();
    change(&store, puts([node(NODE, 2)])).await.unwrap();
    assert_eq!(store.snapshot().revision, 2);
}

#[tokio::test]
async fn a_decision_is_stored_even_if_its_caller_goes_away() {
    let store = Store::in_memory();
    {
        let write = std::pin::pin!(change(&store, puts([node(NODE, 1)])));
        // One poll puts the decision into the queue.
        assert!(futures_util::poll!(write).is_pending());
    }
    change(&store, Vec::new()).await.unwrap();
    assert_eq!(store.snapshot().objects().count(), 1);
}

#[tokio::test]
async fn closing_answers_what_waits_and_refuses_what_comes() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    let waiting = (0..100).map(|i| change(&store, puts([node(&format!("x{i}c0s0b0n0"), i)])));
    let (results, ()) = tokio::join!(join_all(waiting), store.close());
    let stored = results.iter().filter(|r| r.is_ok()).count();
    let closed = |r: &&Result<_, _>| matches!(r, Err(WriteError::Unavailable(StoreError::Closed)));
    assert_eq!(stored + results.iter().filter(closed).count(), 100);
    let refused = change(&store, puts([node(NODE, 1)])).await;
    assert!(matches!(refused, Err(WriteError::Unavailable(StoreError::Closed))));
    store.close().await;
    assert_eq!(store.degraded(), Vec::<String>::new());
    assert_eq!(store.ledger(&TargetId("demo/builtin".into())).await, Err(StoreError::Closed));
    assert_eq!(names(dir.path()), ["lock", "secrets.key", "state.db"]);
    assert_eq!(serve(dir.path()).await.snapshot().objects().count(), stored);
}

#[tokio::test]
async fn dropping_the_last_handle_closes_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    let ended = store.backend.load().writer().unwrap().ended.clone();
    let (snapshots, second) = (store.snapshots(), store.clone());
    drop(store);
    change(&second, puts([node(NODE, 1)])).await.unwrap();
    drop(second);
    ended.cancelled().await;
    serve(dir.path()).await;
    assert_eq!(snapshots.load().revision, 1);
}

#[tokio::test]
async fn every_file_of_the_state_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let store = serve(&state).await;
    change(&store, puts([node(NODE, 1)])).await.unwrap();
    assert_eq!(state.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(names(&state), ["lock", "secrets.key", "state.db", "state.db-shm", "state.db-wal"]);
    for name in names(&state) {
        assert_eq!(state.join(&name).metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_store_in_memory_needs_no_runtime_to_be_made() {
    let store = Store::in_memory();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(change(&store, puts([node(NODE, 1)]))).unwrap();
    assert_eq!(store.snapshot().objects().count(), 1);
    assert_eq!(Store::in_memory().snapshot().objects().count(), 0, "stores in memory are apart");
}

#[test]
fn what_the_store_is_asked_can_be_asked_from_any_thread() {
    fn sendable<T: Send>(_: &T) {}
    let store = Store::in_memory();
    let target = TargetId("demo/builtin".into());
    sendable(&store.ledger(&target));
    sendable(&store.provenance(&[]));
    sendable(&store.history(&target, 1));
    sendable(&change(&store, Vec::new()));
    sendable(&Store::open(StoreConfig { state_dir: PathBuf::new(), mode: Mode::ReadOnly, url: None }));
}

#[tokio::test]
async fn the_rows_of_what_was_deleted_long_ago_are_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    let (first, second) = (node("x1c0s0b0n0", 1), node("x2c0s0b0n0", 2));
    for object in [&first, &second] {
        change(&store, puts([object.clone()])).await.unwrap();
    }
    change(&store, vec![Change::Delete(first.key())]).await.unwrap();
    let writes = (1..rows::KEPT).map(|nid| change(&store, puts([node(NODE, nid)])));
    for result in join_all(writes).await {
        result.unwrap();
    }
    let deleted = async || {
        let query = "SELECT id FROM object WHERE body IS NULL";
        sqlx::query_scalar::<_, String>(query).fetch_all(&mut raw(dir.path()).await).await.unwrap()
    };
    assert_eq!(deleted().await, ["x1c0s0b0n0"]);
    change(&store, vec![Change::Delete(second.key())]).await.unwrap();
    assert_eq!(deleted().await, ["x2c0s0b0n0"]);
    let before = store.snapshot();
    store.close().await;
    assert_eq!(serve(dir.path()).await.snapshot(), before);
}

#[tokio::test]
async fn the_file_of_what_was_written_is_taken_up_beside_the_writing() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts((0..500).map(|i| node(&format!("x{i}c0s0b0n0"), i)))).await.unwrap();
    let size = || dir.path().join("state.db").metadata().unwrap().len();
    let before = size();
    let database = Database::locate(dir.path(), None, false).unwrap();
    let (pages, moved) = database.checkpoint().await.unwrap();
    assert!(pages > 10 && moved == pages, "{moved} of {pages}");
    assert!(size() > before + 10 * 4096, "{before} and {}", size());
    change(&store, puts([node(NODE, 1)])).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_made_anew_leaves_the_locks_of_the_others_alone() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let _store = serve(dir.path()).await;
    let inode = dir.path().join("state.db").metadata().unwrap().ino().to_string();
    let locks = || {
        let all = std::fs::read_to_string("/proc/locks").unwrap();
        all.lines().filter(|line| line.contains("POSIX") && line.contains(&format!(":{inode} "))).count()
    };
    let before = locks();
    assert!(before > 0, "SQLite locks the file while it is in use");
    let connection = Database::locate(dir.path(), None, false).unwrap().connect_writer().await.unwrap();
    assert_eq!(locks(), before);
    drop(connection);
}
