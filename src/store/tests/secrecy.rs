//! Secrets at rest: what is in the files, and what happens without the key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::*;
use crate::model::Kind;

const SECRET: &str = "a munge key that nobody else may have";
const NODE: &str = "x1000c0s0b0n0";

fn target() -> TargetId {
    TargetId("demo/builtin".into())
}

/// An apply that writes one secure entry and takes it into the ledger.
fn apply(secret: &str) -> Decision<()> {
    let object = secure("compute", secret);
    let entry = LedgerEntry {
        doc: object.to_json().into(),
        owner: None,
        name: "compute".into(),
        origin: "cloud-init/secure/compute.yaml:1".into(),
        apply: 1,
    };
    let ledger = vec![(target(), LedgerChange::Own(object.key(), entry))];
    Decision { answer: (), changes: puts([object, node(NODE, 1)]), ledger, history: None }
}

fn assert_absent(dir: &Path) {
    let encoded = BASE64.encode(SECRET);
    for (path, bytes) in files(dir) {
        // Without its last characters, which depend on what follows the secret.
        for needle in [SECRET.as_bytes(), &encoded.as_bytes()[..encoded.len() - 4]] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle), "{}", path.display());
        }
    }
}

#[tokio::test]
async fn no_file_of_the_state_holds_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    decide(&store, apply(&format!("{SECRET} {}", BASE64.encode(SECRET)))).await.unwrap();
    assert!(names(dir.path()).contains(&"state.db-wal".to_owned()));
    assert_absent(dir.path());
    let visible = files(dir.path()).iter().any(|(_, bytes)| bytes.windows(NODE.len()).any(|w| w == NODE.as_bytes()));
    assert!(visible, "the files would show what is not encrypted");
    store.close().await;
    assert_absent(dir.path());

    let store = serve(dir.path()).await;
    let entry = store.snapshot().cloud_init_secure.values().next().unwrap().userdata.to_string();
    assert!(entry.contains(SECRET));
    let ledger = store.ledger(&target()).await.unwrap();
    assert!(ledger.entries[&secure("compute", "").key()].doc.contains(SECRET));
}

#[tokio::test]
async fn without_the_key_everything_else_is_served_and_no_new_key_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    decide(&store, apply(SECRET)).await.unwrap();
    store.close().await;
    let key_file = dir.path().join("secrets.key");
    let key = std::fs::read(&key_file).unwrap();
    std::fs::remove_file(&key_file).unwrap();

    let store = serve(dir.path()).await;
    assert!(!key_file.exists());
    assert_eq!(store.snapshot().boot.components.len(), 1);
    assert!(store.snapshot().cloud_init_secure.is_empty());
    let [missing, unread] = store.degraded().try_into().unwrap();
    assert!(missing.contains("secrets.key` is missing") && missing.contains("cloud-init-secure/compute"), "{missing}");
    assert!(unread.contains("cloud-init-secure/compute"), "{unread}");
    let owned = &store.ledger(&target()).await.unwrap().entries[&secure("compute", "").key()];
    assert_eq!(&*owned.doc, "{}", "it is owned, and nothing is known of it");

    let refused = decide(&store, apply("other")).await;
    let Err(WriteError::Unavailable(StoreError::SecretsKey { path, .. })) = refused else {
        panic!("a secret was taken without a key: {refused:?}");
    };
    assert_eq!(path, key_file);
    change(&store, puts([node(NODE, 2)])).await.unwrap();
    store.close().await;

    std::fs::write(&key_file, key).unwrap();
    std::fs::set_permissions(&key_file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let store = serve(dir.path()).await;
    assert_eq!(store.snapshot().cloud_init_secure.len(), 1, "with the key back all is well");
    assert_eq!(store.degraded(), Vec::<String>::new());
}

#[tokio::test]
async fn a_new_key_lets_an_apply_write_the_lost_secrets_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    decide(&store, apply(SECRET)).await.unwrap();
    change(&store, puts([secure("login", SECRET)])).await.unwrap();
    store.close().await;
    let key_file = dir.path().join("secrets.key");
    std::fs::write(&key_file, BASE64.encode([7; 32])).unwrap();

    let store = serve(dir.path()).await;
    let [reason] = store.degraded().try_into().unwrap();
    assert!(reason.contains("cloud-init-secure/compute, cloud-init-secure/login"), "{reason}");
    assert!(reason.contains("another key"), "{reason}");
    decide(&store, apply(SECRET)).await.unwrap();
    assert_eq!(store.degraded().len(), 1, "one of them is still lost");
    let forget = vec![(target(), LedgerChange::Forget(ObjectKey::new(Kind::CloudInitSecure, "login")))];
    decide(&store, Decision { answer: (), changes: Vec::new(), ledger: forget, history: None }).await.unwrap();
    assert_eq!(store.degraded(), Vec::<String>::new());
    store.close().await;
    let store = serve(dir.path()).await;
    assert_eq!(store.degraded(), Vec::<String>::new());
    assert_eq!(store.snapshot().cloud_init_secure.len(), 1);
}

#[tokio::test]
async fn a_key_file_that_others_can_read_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    decide(&store, apply(SECRET)).await.unwrap();
    store.close().await;
    let key_file = dir.path().join("secrets.key");
    std::fs::set_permissions(&key_file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let store = serve(dir.path()).await;
    assert!(store.degraded()[0].contains("can be read by others (mode 0644)"), "{:?}", store.degraded());
    assert!(matches!(
        decide(&store, apply("other")).await,
        Err(WriteError::Unavailable(StoreError::SecretsKey { problem: KeyProblem::OpenToOthers { mode: 0o644 }, .. }))
    ));
}

#[tokio::test]
async fn a_secret_that_lies_in_the_clear_is_not_taken_for_one() {
    let dir = tempfile::tempdir().unwrap();
    serve(dir.path()).await.close().await;
    tamper(dir.path(), "INSERT INTO object VALUES ('cloud-init-secure', 'a', '{\"name\":\"a\"}', 1, 'w', 0)").await;
    let store = serve(dir.path()).await;
    assert!(store.snapshot().cloud_init_secure.is_empty());
    let [reason] = store.degraded().try_into().unwrap();
    assert!(reason.contains("not encrypted as it should be"), "{reason}");
}
