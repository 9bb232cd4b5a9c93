//! Ledger, history and provenance.

use super::*;
use crate::model::{Kind, Timestamp};

fn target() -> TargetId {
    TargetId("demo/builtin".into())
}

fn entry(doc: &str) -> LedgerEntry {
    LedgerEntry {
        doc: doc.into(),
        owner: Some("x1000c0s0b0n0".into()),
        name: "nid001".into(),
        origin: "nodes.yaml:3".into(),
        apply: 0,
    }
}

fn record(plan: &str) -> ApplyRecord {
    ApplyRecord {
        number: 99,
        at: Timestamp(1_700_000_000_000_000),
        plan: plan.to_owned(),
        author: "ada".to_owned(),
        inventory: "b3:00".to_owned(),
        writes: 2,
        result: "applied".to_owned(),
    }
}

fn apply(target: TargetId, plan: &str, ledger: Vec<LedgerChange>) -> Decision<()> {
    let ledger = ledger.into_iter().map(|change| (target.clone(), change)).collect();
    Decision { answer: (), changes: Vec::new(), ledger, history: Some((target, record(plan))) }
}

#[tokio::test]
async fn an_apply_is_numbered_and_its_entries_carry_the_number() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    assert_eq!(*store.ledger(&target()).await.unwrap(), Ledger::default());
    assert_eq!(store.last_apply(&target()).await.unwrap(), None);
    let (a, b) = (ObjectKey::new(Kind::Group, "a"), ObjectKey::new(Kind::CloudInitSecure, "b"));
    let both = vec![LedgerChange::Own(a.clone(), entry("{\"x\":1}")), LedgerChange::Own(b.clone(), entry("{}"))];
    decide(&store, apply(target(), "p-1", both)).await.unwrap();
    let only = vec![LedgerChange::Own(b.clone(), entry("{\"y\":2}"))];
    decide(&store, apply(target(), "p-2", only)).await.unwrap();
    store.close().await;

    let store = serve(dir.path()).await;
    let ledger = store.ledger(&target()).await.unwrap();
    assert_eq!(ledger.last_apply, Some(ApplyRecord { number: 2, ..record("p-2") }));
    assert_eq!(ledger.entries[&a], LedgerEntry { apply: 1, ..entry("{\"x\":1}") });
    assert_eq!(ledger.entries[&b], LedgerEntry { apply: 2, ..entry("{\"y\":2}") });
    let history = store.history(&target(), 10).await.unwrap();
    assert_eq!(history.iter().map(|r| (r.number, r.plan.as_str())).collect::<Vec<_>>(), [(2, "p-2"), (1, "p-1")]);
    assert_eq!(store.history(&target(), 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_apply_without_ledger_changes_is_recorded_too() {
    let store = Store::in_memory();
    decide(&store, apply(target(), "p-1", Vec::new())).await.unwrap();
    assert_eq!(store.last_apply(&target()).await.unwrap(), Some(ApplyRecord { number: 1, ..record("p-1") }));
}

#[tokio::test]
async fn applies_of_one_transaction_are_numbered_in_their_order() {
    let store = Store::in_memory();
    let key = ObjectKey::new(Kind::Group, "a");
    let own = |doc: &str| vec![LedgerChange::Own(key.clone(), entry(doc))];
    let (first, other, second) = tokio::join!(
        decide(&store, apply(target(), "p-1", own("{\"x\":1}"))),
        decide(&store, apply(TargetId("other/builtin".into()), "p-o", own("{}"))),
        decide(&store, apply(target(), "p-2", own("{\"x\":2}"))),
    );
    first.and(other).and(second).unwrap();
    let ledger = store.ledger(&target()).await.unwrap();
    assert_eq!(ledger.entries[&key], LedgerEntry { apply: 2, ..entry("{\"x\":2}") });
    assert_eq!(ledger.last_apply.as_ref().unwrap().number, 2);
    let other = store.ledger(&TargetId("other/builtin".into())).await.unwrap();
    assert_eq!(other.entries[&key].apply, 1);
}

#[tokio::test]
async fn what_is_forgotten_is_owned_no_longer() {
    let store = Store::in_memory();
    let key = ObjectKey::new(Kind::Group, "a");
    decide(&store, apply(target(), "p-1", vec![LedgerChange::Own(key.clone(), entry("{}"))])).await.unwrap();
    decide(&store, apply(target(), "p-2", vec![LedgerChange::Forget(key.clone())])).await.unwrap();
    assert!(store.ledger(&target()).await.unwrap().entries.is_empty());
    let again = vec![LedgerChange::Forget(key.clone()), LedgerChange::Own(key.clone(), entry("{}"))];
    decide(&store, apply(target(), "p-3", again)).await.unwrap();
    assert_eq!(store.ledger(&target()).await.unwrap().entries[&key].apply, 3);
}

#[tokio::test]
async fn an_entry_without_an_apply_beside_it_keeps_its_own_number() {
    let store = Store::in_memory();
    let key = ObjectKey::new(Kind::Group, "a");
    let kept = LedgerEntry { apply: 7, ..entry("{}") };
    let ledger = vec![(target(), LedgerChange::Own(key.clone(), kept.clone()))];
    decide(&store, Decision { answer: (), changes: Vec::new(), ledger, history: None }).await.unwrap();
    assert_eq!(store.ledger(&target()).await.unwrap().entries[&key], kept);
}

#[tokio::test]
async fn more_rows_than_one_statement_holds_are_all_stored() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    let nodes: Vec<Object> = (0..200).map(|i| node(&format!("x{i}c0s0b0n0"), i)).collect();
    let keys: Vec<ObjectKey> = nodes.iter().map(Object::key).collect();
    let ledger = keys.iter().map(|key| LedgerChange::Own(key.clone(), entry("{}"))).collect();
    decide(&store, Decision { changes: puts(nodes), ..apply(target(), "p-1", ledger) }).await.unwrap();
    assert_eq!(store.ledger(&target()).await.unwrap().entries.len(), 200);
    assert_eq!(store.provenance(&keys).await.unwrap().len(), 200);
    let unknown = ObjectKey::new(Kind::Group, "none");
    assert!(store.provenance(&[unknown]).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_entry_of_an_unknown_kind_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = serve(dir.path()).await;
    tamper(dir.path(), "INSERT INTO ledger VALUES ('demo/builtin', 'lease', 'a', '{}', NULL, 'a', 'x:1', 1)").await;
    assert!(store.ledger(&target()).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn claims_are_what_other_clusters_own_at_the_same_target() {
    let store = Store::in_memory();
    let [a, b, c] = ["a", "b", "c"].map(|label| ObjectKey::new(Kind::Group, label));
    let own = |key: &ObjectKey| vec![LedgerChange::Own(key.clone(), entry("{}"))];
    decide(&store, apply(target(), "p-1", own(&a))).await.unwrap();
    decide(&store, apply(TargetId("old/name/builtin".into()), "p-2", own(&b))).await.unwrap();
    decide(&store, apply(TargetId("old/http://a/hsm/v2".into()), "p-3", own(&c))).await.unwrap();
    let claims = |own: TargetId| {
        let store = store.clone();
        async move { store.claims(&own, &TargetId("/builtin".into())).await.unwrap() }
    };
    assert_eq!(claims(target()).await.into_iter().collect::<Vec<_>>(), [(b.clone(), "old/name".into())]);
    assert_eq!(claims(TargetId("old/name/builtin".into())).await.into_iter().collect::<Vec<_>>(), [(a, "demo".into())]);
    assert_eq!(claims(TargetId("third/builtin".into())).await.len(), 2);
}

#[tokio::test]
async fn a_store_without_a_database_knows_of_no_claims() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig { state_dir: dir.path().join("none"), mode: Mode::ReadOnly, url: None };
    let store = Store::open(config).await.unwrap();
    assert!(store.claims(&target(), &TargetId("/builtin".into())).await.unwrap().is_empty());
}
