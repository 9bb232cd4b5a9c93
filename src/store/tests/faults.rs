//! What goes wrong, and that everything else goes on.

use std::os::unix::fs::PermissionsExt;

use super::*;

const NODE: &str = "x1000c0s0b0n0";

/// The error of a write that the database did not take.
fn unavailable(result: Result<(), WriteError<Infallible>>) -> StoreError {
    match result {
        Err(WriteError::Unavailable(error)) => error,
        Ok(()) => panic!("it was stored"),
        Err(WriteError::Refused(never)) => match never {},
    }
}

async fn open_url(state_dir: &Path, mode: Mode, url: &str) -> StoreError {
    let config = StoreConfig { state_dir: state_dir.to_owned(), mode, url: Some(url.to_owned()) };
    Store::open(config).await.err().unwrap()
}

#[tokio::test]
async fn a_failed_transaction_fails_all_its_writes_and_the_next_one_works() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([node(NODE, 1)])).await.unwrap();
    let before = store.snapshot();
    tamper(dir.path(), "CREATE TRIGGER no BEFORE INSERT ON object BEGIN SELECT RAISE(ABORT, 'told to fail'); END")
        .await;
    let (first, second) =
        tokio::join!(change(&store, puts([node("x1c0s0b0n0", 2)])), change(&store, puts([node("x2c0s0b0n0", 3)])),);
    for result in [first, second] {
        let error = unavailable(result);
        assert!(matches!(&error, StoreError::Database { cause, .. } if cause.contains("told to fail")), "{error}");
    }
    assert!(Arc::ptr_eq(&before, &store.snapshot()), "readers see the last good state");
    let [reason] = store.degraded().try_into().unwrap();
    assert!(reason.starts_with("changes cannot be stored: ") && reason.contains("told to fail"), "{reason}");

    tamper(dir.path(), "DROP TRIGGER no").await;
    change(&store, puts([node("x3c0s0b0n0", 4)])).await.unwrap();
    assert_eq!(store.degraded(), Vec::<String>::new());
    let after = store.snapshot();
    assert_eq!(after.objects().count(), 2);
    store.close().await;
    assert_eq!(serve(dir.path()).await.snapshot(), after);
}

#[tokio::test]
async fn a_refusal_that_rests_on_a_failed_transaction_is_not_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    tamper(dir.path(), "CREATE TRIGGER no BEFORE INSERT ON object BEGIN SELECT RAISE(ABORT, 'told to fail'); END")
        .await;
    let create = || {
        store.write(author(), |snapshot| {
            if snapshot.objects().next().is_some() {
                return Err("taken");
            }
            Ok(Decision::new((), puts([node(NODE, 1)])))
        })
    };
    let (first, second) = tokio::join!(create(), create());
    for result in [first, second] {
        assert!(matches!(result, Err(WriteError::Unavailable(_))), "{result:?}");
    }
}

#[tokio::test]
async fn another_writer_is_noticed_and_its_state_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([node(NODE, 1)])).await.unwrap();
    tamper(
        dir.path(),
        "UPDATE meta SET value = 7 WHERE name = 'revision'; INSERT INTO object VALUES \
         ('component', 'x1c0s0b0n0', '{\"id\":\"x1c0s0b0n0\",\"enabled\":true}', 7, 'other', 0)",
    )
    .await;
    let error = unavailable(change(&store, puts([node(NODE, 2)])).await);
    assert_eq!(error, StoreError::Overtaken { path: dir.path().join("state.db") });
    change(&store, puts([node(NODE, 3)])).await.unwrap();
    let snapshot = store.snapshot();
    assert_eq!((snapshot.revision, snapshot.objects().count()), (8, 2));
    assert_eq!(snapshot.boot, store.boot_views().load());
    store.close().await;
    assert_eq!(serve(dir.path()).await.snapshot(), snapshot);
}

#[tokio::test]
async fn a_database_that_stays_away_is_tried_again_until_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([node(NODE, 1)])).await.unwrap();
    let newer = "UPDATE meta SET value = 7 WHERE name = 'revision'; \
                 INSERT INTO _sqlx_migrations VALUES (9, 'newer', '', true, '', 0)";
    tamper(dir.path(), newer).await;
    unavailable(change(&store, puts([node(NODE, 2)])).await);
    for _ in 0..2 {
        let error = unavailable(change(&store, puts([node(NODE, 2)])).await);
        assert!(matches!(error, StoreError::NewerSchema { .. }), "{error}");
    }
    assert_eq!(store.snapshot().objects().count(), 1);
    tamper(dir.path(), "DELETE FROM _sqlx_migrations WHERE version = 9").await;
    change(&store, puts([node(NODE, 2)])).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_named_and_what_fits_can_be_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut database = Database::locate(dir.path(), None, false).unwrap();
    database.max_pages = Some(40);
    let lock = Lock::take(dir.path(), clock::now()).unwrap();
    let store = open::serve(database, &dir.path().join("secrets.key"), lock).await.unwrap();
    let many = (0..5000).map(|i| node(&format!("x{i}c0s0b0n0"), i));
    let error = unavailable(change(&store, puts(many)).await);
    assert_eq!(error, StoreError::Full { path: dir.path().join("state.db") });
    assert!(error.to_string().contains("free some space"), "{error}");
    assert_eq!(store.snapshot().objects().count(), 0);
    change(&store, puts([node(NODE, 1)])).await.unwrap();
    assert_eq!(store.degraded(), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_and_kept() {
    for mode in [Mode::ReadWrite, Mode::ReadOnly] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        std::fs::write(&path, "this is no database".repeat(1000)).unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = try_open(dir.path(), mode).await.err().unwrap();
        assert!(matches!(&error, StoreError::Corrupt { path: named, .. } if *named == path), "{error}");
        assert!(error.to_string().contains("put it back from a backup"), "{error}");
        assert!(std::fs::read(&path).unwrap() == before);
    }
}

#[tokio::test]
async fn a_damaged_database_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts((0..500).map(|i| node(&format!("x{i}c0s0b0n0"), i)))).await.unwrap();
    store.close().await;
    let path = dir.path().join("state.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // Pages are of 4096 bytes, and the first ones hold the schema.
    bytes[10 * 4096..].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let error = try_open(dir.path(), Mode::ReadWrite).await.err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_in_both_modes() {
    let dir = tempfile::tempdir().unwrap();
    serve(dir.path()).await.close().await;
    tamper(dir.path(), "INSERT INTO _sqlx_migrations VALUES (9, 'newer', '', true, '', 0)").await;
    for mode in [Mode::ReadWrite, Mode::ReadOnly] {
        let error = try_open(dir.path(), mode).await.err().unwrap();
        assert_eq!(error, StoreError::NewerSchema { path: dir.path().join("state.db"), found: 9, known: 3 });
    }
}

#[tokio::test]
async fn a_migration_that_was_altered_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    serve(dir.path()).await.close().await;
    tamper(dir.path(), "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    let error = try_open(dir.path(), Mode::ReadWrite).await.err().unwrap();
    assert!(matches!(&error, StoreError::Corrupt { cause, .. } if cause.contains("has been modified")), "{error}");
}

#[tokio::test]
async fn a_second_writer_is_told_who_holds_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    let error = try_open(dir.path(), Mode::ReadWrite).await.err().unwrap();
    assert!(matches!(&error, StoreError::Locked { path, .. } if *path == dir.path().join("lock")), "{error}");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    store.close().await;
    serve(dir.path()).await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = try_open(&file, Mode::ReadWrite).await.err().unwrap();
    assert!(matches!(&error, StoreError::StateDirectory { path, .. } if *path == file), "{error}");

    // Nobody can make a directory in this file system, whatever their rights.
    let sealed = Path::new("/proc/ochami-sync");
    let error = try_open(sealed, Mode::ReadWrite).await.err().unwrap();
    assert!(matches!(&error, StoreError::StateDirectory { path, .. } if path == sealed), "{error}");

    let error = open_url(dir.path(), Mode::ReadWrite, "sqlite:/proc/ochami-sync.db").await;
    assert!(matches!(&error, StoreError::StateDirectory { path, .. } if path.ends_with("ochami-sync.db")), "{error}");

    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = try_open(dir.path(), Mode::ReadWrite).await.err().unwrap();
    assert_eq!(error, StoreError::OpenToOthers { path: dir.path().to_owned(), mode: 0o777 });
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    // A socket is there and cannot be opened, whatever one's rights.
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    for mode in [Mode::ReadOnly, Mode::ReadWrite] {
        let error = try_open(dir.path(), mode).await.err().unwrap();
        assert!(matches!(&error, StoreError::NotWritable { path: named, .. } if *named == path), "{error}");
    }
}

#[tokio::test]
async fn a_url_names_a_file_or_is_refused_without_being_shown() {
    let dir = tempfile::tempdir().unwrap();
    for url in ["postgres://ada:hunter2@db/ochami", "postgresql://db"] {
        let error = open_url(dir.path(), Mode::ReadWrite, url).await;
        assert_eq!(error, StoreError::PostgresNotBuiltIn);
        assert!(error.to_string().starts_with("PostgreSQL is not built in yet"), "{error}");
    }
    for (url, scheme) in [("mysql://ada:hunter2@db/x", "mysql"), ("state.db", "state.db"), ("sqlite:", "sqlite")] {
        let error = open_url(dir.path(), Mode::ReadWrite, url).await;
        assert_eq!(error, StoreError::UnknownDatabase { scheme: scheme.to_owned() });
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert!(names(dir.path()).is_empty(), "nothing was made");

    for url in ["sqlite:", "sqlite://"].map(|scheme| format!("{scheme}{}/else where.db", dir.path().display())) {
        let config = StoreConfig { state_dir: dir.path().join("state"), mode: Mode::ReadWrite, url: Some(url) };
        let store = Store::open(config).await.unwrap();
        change(&store, puts([node(NODE, 1)])).await.unwrap();
        store.close().await;
    }
    assert_eq!(names(&dir.path().join("state")), ["lock", "secrets.key"]);
    assert!(dir.path().join("else where.db").is_file());
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_left_out_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    change(&store, puts([node(NODE, 1)])).await.unwrap();
    store.close().await;
    tamper(
        dir.path(),
        "INSERT INTO object VALUES ('lease', 'a', '{}', 1, 'w', 0), ('component', 'x1c0s0b0n0', '{', 1, 'w', 0), \
         ('group', 'Not A Label', '{}', 1, 'w', 0)",
    )
    .await;
    let store = serve(dir.path()).await;
    assert_eq!(store.snapshot().objects().count(), 1);
    let reasons = store.degraded();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    for part in ["component/x1c0s0b0n0 cannot be read", "group/Not A Label cannot be read", "kind `lease`"] {
        assert!(reasons.iter().any(|reason| reason.contains(part)), "{part} in {reasons:?}");
    }
    let repair = vec![
        Change::Put(node("x1c0s0b0n0", 2)),
        Change::Delete(ObjectKey::new(crate::model::Kind::Group, "Not A Label")),
    ];
    change(&store, repair).await.unwrap();
    assert_eq!(store.degraded().len(), 1, "what was written anew or deleted is well again");
    store.close().await;
    let store = serve(dir.path()).await;
    assert_eq!((store.degraded().len(), store.snapshot().objects().count()), (1, 2));
}

#[tokio::test]
async fn a_detached_store_serves_and_says_why_it_does_no_more_until_its_database_opens() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig { state_dir: dir.path().to_owned(), mode: Mode::ReadWrite, url: None };
    let served = serve(dir.path()).await;
    change(&served, puts([node("x1000c0s0b0n0", 7)])).await.unwrap();
    served.close().await;
    let away = dir.path().join("away.db");
    std::fs::rename(dir.path().join("state.db"), &away).unwrap();
    std::fs::write(dir.path().join("state.db"), "no database").unwrap();

    let store = Store::detached(&config, Snapshot::default(), "the disk is asleep".to_owned());
    let reader = store.snapshots();
    let refused = unavailable(change(&store, puts([node("x1000c0s0b0n1", 8)])).await);
    assert_eq!(refused, StoreError::Detached { reason: "the disk is asleep".to_owned() });
    let unknown = store.ledger(&TargetId("demo/builtin".into())).await.unwrap_err();
    assert_eq!(unknown, refused, "an empty ledger would be a lie");
    assert!(store.fingerprint_key().is_none());

    assert!(matches!(store.attach(&config, |_, _| {}).await, Err(StoreError::Corrupt { .. })));
    std::fs::remove_file(dir.path().join("state.db")).unwrap();
    assert!(matches!(store.attach(&config, |_, _| {}).await, Err(StoreError::Gone { .. })), "it is waited for");
    assert!(!dir.path().join("state.db").exists());

    std::fs::rename(away, dir.path().join("state.db")).unwrap();
    let mut shown = None;
    let show = |before: &Snapshot, found: &Snapshot| {
        assert!(store.fingerprint_key().is_none(), "it is not in use yet");
        shown = Some((before.boot.components.len(), found.boot.components.len()));
    };
    store.attach(&config, show).await.unwrap();
    assert_eq!(shown, Some((0, 1)));
    assert_eq!(reader.load().boot.components.len(), 1, "readers that were handed out before see it");
    assert_eq!(store.degraded(), Vec::<String>::new());
    change(&store, puts([node("x1000c0s0b0n1", 8)])).await.unwrap();
    store.attach(&config, |_, _| panic!("it is in use already")).await.unwrap();
    store.close().await;
    assert_eq!(serve(dir.path()).await.snapshot().boot.components.len(), 2);
}

#[tokio::test]
async fn a_database_with_nothing_to_boot_leaves_nodes_what_they_had_until_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig { state_dir: dir.path().join("later"), mode: Mode::ReadWrite, url: None };
    let boots = |kernel: &str| {
        let key = crate::model::BootKey::Host("x1000c0s0b0n0".into());
        let boot = crate::model::BootConfig { kernel: kernel.into(), ..Default::default() };
        crate::model::Object::BootParams(key, Arc::new(boot))
    };
    let before = Snapshot::rebuilt([boots("before")], 0);
    let store = Store::detached(&config, before, "not mounted".to_owned());
    let views = store.boot_views();
    let kernel = || views.load().boot_params.values().next().map(|boot| boot.kernel.to_string());
    store.attach(&config, |_, _| {}).await.unwrap();
    assert_eq!(store.snapshot().objects().count(), 0, "the API tells what is stored");
    assert_eq!(kernel().as_deref(), Some("before"));
    assert!(store.degraded()[0].contains("nothing to boot"), "{:?}", store.degraded());
    change(&store, puts([node("x1000c0s0b0n0", 7)])).await.unwrap();
    assert_eq!(kernel().as_deref(), Some("before"), "a node alone boots nothing");
    change(&store, puts([boots("stored")])).await.unwrap();
    assert_eq!(kernel().as_deref(), Some("stored"));
    assert_eq!(store.degraded(), Vec::<String>::new());
}
