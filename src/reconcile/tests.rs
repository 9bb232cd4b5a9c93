//! Whose ledger owns what, and who puts drift back, over a real store.

use super::*;
use crate::desired::samples::{desire, inventory, node};
use crate::inventory::{Adopt, Inventory};
use crate::model::{Component, Object};
use crate::snapshot::Change;
use crate::store::Decision;

fn named(name: &str, nodes: u32) -> Inventory {
    let mut inventory = inventory(nodes);
    inventory.cluster.id = name.into();
    inventory.cluster.name = name.into();
    inventory
}

fn request(inventory: &Inventory) -> Request {
    Request::new(Arc::new(desire(inventory)), TargetSpec::Builtin, "ada")
}

async fn applied(inventory: &Inventory) -> Reconciler {
    let reconciler = Reconciler::new(Store::in_memory());
    reconciler.apply(&request(inventory)).await.unwrap();
    reconciler
}

async fn owned(reconciler: &Reconciler, cluster: &str) -> usize {
    let target = Builtin::new(reconciler.store.clone()).id(cluster);
    reconciler.store.ledger(&target).await.unwrap().entries.len()
}

async fn put(reconciler: &Reconciler, component: Component) {
    let change = Change::Put(Object::Component(Arc::new(component)));
    let decide = move |_: &Snapshot| -> Result<Decision<()>, ()> { Ok(Decision::new((), vec![change])) };
    reconciler.store.write(Author("somebody".into()), decide).await.unwrap();
}

#[tokio::test]
async fn what_another_cluster_owns_is_not_adopted_and_its_owner_is_named() {
    let reconciler = applied(&named("old", 2)).await;
    let Err(ReconcileError::Refused { text, .. }) = reconciler.apply(&request(&named("new", 2))).await else {
        panic!("it was applied")
    };
    insta::assert_snapshot!(text, @r"
    refused by foreign.owner (exit 4): 19 objects belong to the cluster `old`, whose inventory was applied here.
      compute,nid[001-002]
      If it was renamed:     ochami-sync apply --take-over old
                             all that it owns becomes new's; what this inventory lacks is deleted
      If it is still it:     write `cluster_id: old` into cluster.yaml
      If it is another one:  remove the objects from one of the two inventories
    ");
    assert_eq!((owned(&reconciler, "old").await, owned(&reconciler, "new").await), (19, 0));
}

#[tokio::test]
async fn another_inventory_that_wants_other_values_of_the_same_objects_is_refused_too() {
    let reconciler = applied(&named("old", 2)).await;
    let mut other = named("new", 2);
    other.nodes[0].nid = crate::model::Nid(99);
    let mut asked = request(&other);
    asked.adopt = Some(Adopt::Always);
    for request in [asked, request(&other)] {
        let text = reconciler.plan(&request).await.unwrap().refusal().unwrap();
        assert!(text.contains("foreign.owner") && !text.contains("adopt.differs"), "{text}");
    }
}

#[tokio::test]
async fn clusters_that_share_no_object_do_not_mind_each_other() {
    let reconciler = applied(&named("old", 2)).await;
    let mut other = named("new", 4);
    other.nodes.drain(..2);
    other.nodes.iter_mut().for_each(|node| node.groups = vec!["io".parse().unwrap()]);
    other.cloud_init.clear();
    other.cloud_init_secure.clear();
    reconciler.apply(&request(&other)).await.unwrap();
    assert!(owned(&reconciler, "new").await > 0);
    // What DHCP is told is the last one's to say, because there is one of it.
    let plan = reconciler.plan(&request(&named("old", 2))).await.unwrap();
    assert!(plan.changes.is_empty() && plan.summary.writes == 0, "{:?}", plan.changes);
}

#[tokio::test]
async fn a_renamed_cluster_takes_the_place_of_the_old_one_and_can_delete_what_that_made() {
    let reconciler = applied(&named("old", 3)).await;
    let mut taking = request(&named("new", 2));
    taking.take_over = Some("old".into());
    let plan = reconciler.plan(&taking).await.unwrap();
    assert_eq!(plan.taken_over.as_ref().map(|taken| (&*taken.cluster, taken.objects)), Some(("old", 27)));
    assert_eq!((plan.summary.delete, plan.summary.adopt), (1, 0));
    taking.expect = Some(plan.id);
    reconciler.apply(&taking).await.unwrap();
    assert_eq!((owned(&reconciler, "old").await, owned(&reconciler, "new").await), (0, 19));
    assert!(!reconciler.store.snapshot().boot.components.contains_key(&node(3).xname));
    // The flag may stay, and may go.
    taking.expect = None;
    for request in [taking, request(&named("new", 2))] {
        assert!(!reconciler.plan(&request).await.unwrap().has_changes());
    }
}

#[tokio::test]
async fn taking_over_what_is_equal_writes_the_ledger_alone_and_is_a_change() {
    let reconciler = applied(&named("old", 2)).await;
    let mut taking = request(&named("new", 2));
    taking.take_over = Some("old".into());
    let plan = reconciler.plan(&taking).await.unwrap();
    assert!(plan.has_changes() && plan.changes.is_empty() && plan.refusal().is_none());
    let text = crate::plan::text::render(&plan, &crate::plan::text::TextOptions::default());
    assert!(text.contains("Takes the place of cluster old: what it owns (19 objects) becomes ours."), "{text}");
    let applied = reconciler.apply(&taking).await.unwrap();
    assert_eq!((applied.outcome.written, applied.outcome.apply), (0, 1));
    assert_eq!((owned(&reconciler, "old").await, owned(&reconciler, "new").await), (0, 19));
}

#[tokio::test]
async fn taking_over_a_cluster_that_is_not_there_or_oneself_takes_nothing() {
    let reconciler = applied(&named("old", 2)).await;
    let mut wrong = request(&named("new", 2));
    wrong.take_over = Some("olm".into());
    assert!(reconciler.plan(&wrong).await.unwrap().refusal().unwrap().contains("`old`"));
    let mut own = request(&named("old", 2));
    own.take_over = Some("old".into());
    assert!(!reconciler.plan(&own).await.unwrap().has_changes());
    reconciler.apply(&own).await.unwrap();
    assert_eq!(owned(&reconciler, "old").await, 19);
}

#[tokio::test]
async fn the_daemon_puts_drift_back_only_where_the_policy_says_so() {
    let mut wanted = named("demo", 1);
    let reconciler = applied(&wanted).await;
    let ours = Component::clone(&reconciler.store.snapshot().boot.components[&node(1).xname]);
    put(&reconciler, Component { nid: Some(crate::model::Nid(77)), ..ours.clone() }).await;
    let by_daemon = |inventory: &Inventory| Request { correct_drift: false, ..request(inventory) };
    let applied = reconciler.apply(&by_daemon(&wanted)).await.unwrap();
    assert_eq!((applied.plan.drift.len(), applied.outcome.written), (1, 0));
    wanted.cluster.sync.drift = Drift::Correct;
    let applied = reconciler.apply(&by_daemon(&wanted)).await.unwrap();
    assert_eq!((applied.plan.drift.len(), applied.outcome.written), (1, 1));
    assert_eq!(reconciler.store.snapshot().boot.components[&node(1).xname].nid, ours.nid);
}
