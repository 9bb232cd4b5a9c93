//! Applying a plan to a store in which something changed after the plan was made.

use super::*;
use crate::desired::Desired;
use crate::desired::samples::{desire, inventory, node};
use crate::inventory::Inventory;
use crate::model::{Component, Flag, Group, Partition, Record, State};
use crate::plan::{Action, Options, compute};
use crate::store::Author;

fn run() -> Run {
    Run { plan: "p-1".into(), cluster_id: "demo".into(), inventory: "1".into(), author: Author("ada".into()) }
}

/// The target, what it holds, and the work of a plan made of that.
async fn planned(target: &Builtin, desired: &Desired) -> (Observed, Work) {
    let observed = target.observe(desired).await.unwrap();
    let options = Options { allow_delete: Some(9), ..Options::new("builtin", Timestamp(0)) };
    let computed = compute(desired, &observed.ledger, &observed.live, &options);
    assert_eq!(computed.plan.refusal(), None);
    (observed, Work { writes: computed.writes, ledger: computed.ledger, moved: Vec::new() })
}

async fn applied(first: &Inventory) -> Builtin {
    let target = Builtin::new(Store::in_memory());
    let (observed, work) = planned(&target, &desire(first)).await;
    target.apply(run(), &observed, work).await.unwrap();
    target
}

async fn meddle(target: &Builtin, change: Change) {
    let decide = move |_: &Snapshot| -> Result<Decision<()>, ()> { Ok(Decision::new((), vec![change])) };
    target.store.write(Author("somebody".into()), decide).await.unwrap();
}

fn component(target: &Builtin) -> Component {
    Component::clone(&target.store.snapshot().boot.components[&node(1).xname])
}

/// What a node does by itself while it boots.
async fn boots(target: &Builtin) {
    let mut running = component(target);
    (running.state, running.flag) = (Some(State::Ready), Some(Flag::Warning));
    running.software_status = Some("AdminDown".into());
    running.locked = true;
    meddle(target, Change::Put(Object::Component(Arc::new(running)))).await;
}

#[tokio::test]
async fn a_state_that_changes_between_plan_and_apply_is_kept() {
    let target = applied(&inventory(1)).await;
    let mut wanted = inventory(1);
    wanted.nodes[0].role = Some("Service".parse().unwrap());
    let (observed, work) = planned(&target, &desire(&wanted)).await;
    boots(&target).await;
    target.apply(run(), &observed, work).await.unwrap();
    let now = component(&target);
    assert_eq!(now.role, Some("Service".parse().unwrap()));
    assert_eq!((now.state, now.flag), (Some(State::Ready), Some(Flag::Warning)));
    assert_eq!((now.software_status.as_deref(), now.locked), (Some("AdminDown"), true));
}

#[tokio::test]
async fn an_owned_field_that_changes_between_plan_and_apply_makes_the_plan_stale() {
    let target = applied(&inventory(1)).await;
    let mut wanted = inventory(1);
    wanted.nodes[0].role = Some("Service".parse().unwrap());
    let (observed, work) = planned(&target, &desire(&wanted)).await;
    let mut other = component(&target);
    other.nid = Some(crate::model::Nid(77));
    meddle(&target, Change::Put(Object::Component(Arc::new(other)))).await;
    let error = target.apply(run(), &observed, work).await.unwrap_err();
    assert!(matches!(error, TargetError::Stale { key } if key == ObjectKey::component(&node(1).xname)));
    assert_eq!(component(&target).role, Some("Compute".parse().unwrap()), "nothing was written");
}

#[tokio::test]
async fn a_field_that_the_plan_changes_for_the_first_time_has_to_be_as_it_was_read() {
    let target = applied(&inventory(1)).await;
    let mut wanted = inventory(1);
    wanted.nodes[0].role = Some("Service".parse().unwrap());
    let (observed, work) = planned(&target, &desire(&wanted)).await;
    let mut other = component(&target);
    other.role = Some("Storage".parse().unwrap());
    meddle(&target, Change::Put(Object::Component(Arc::new(other)))).await;
    assert!(target.apply(run(), &observed, work).await.is_err());
}

#[tokio::test]
async fn a_node_that_boots_between_plan_and_apply_is_deleted_all_the_same() {
    let target = applied(&inventory(2)).await;
    let mut wanted = inventory(2);
    wanted.nodes.remove(0);
    let (observed, work) = planned(&target, &desire(&wanted)).await;
    let mut running = component(&target);
    running.state = Some(State::Ready);
    meddle(&target, Change::Put(Object::Component(Arc::new(running)))).await;
    target.apply(run(), &observed, work).await.unwrap();
    assert!(!target.store.snapshot().boot.components.contains_key(&node(1).xname));
}

#[tokio::test]
async fn a_group_that_gets_a_member_between_plan_and_delete_is_not_deleted() {
    let target = applied(&inventory(1)).await;
    let mut wanted = inventory(1);
    wanted.nodes[0].groups.clear();
    let (observed, work) = planned(&target, &desire(&wanted)).await;
    let label: crate::model::GroupLabel = "compute".parse().unwrap();
    let mut group = Group::clone(&target.store.snapshot().boot.groups[&label]);
    group.members.insert("x9c0s0b0n0".parse().unwrap());
    meddle(&target, Change::Put(Object::Group(Arc::new(group)))).await;
    let error = target.apply(run(), &observed, work).await.unwrap_err();
    assert!(matches!(error, TargetError::Stale { .. }), "{error}");
    assert!(target.store.snapshot().boot.groups.contains_key(&label));
}

#[tokio::test]
async fn an_object_that_comes_or_goes_between_plan_and_apply_makes_the_plan_stale() {
    let target = applied(&inventory(1)).await;
    let (observed, work) = planned(&target, &desire(&inventory(2))).await;
    let foreign = Object::Component(Arc::new(Component::bare(node(2).xname)));
    meddle(&target, Change::Put(foreign)).await;
    assert!(target.apply(run(), &observed, work).await.is_err());

    let mut wanted = inventory(1);
    wanted.nodes[0].role = Some("Service".parse().unwrap());
    let (observed, work) = planned(&target, &desire(&wanted)).await;
    meddle(&target, Change::Delete(ObjectKey::component(&node(1).xname))).await;
    assert!(target.apply(run(), &observed, work).await.is_err());
}

#[tokio::test]
async fn a_component_that_a_plan_deletes_leaves_its_partition() {
    let store = Store::in_memory();
    let ids: [Xname; 2] = ["x1c0s0b0n0", "x1c0s0b0n1"].map(|id| id.parse().unwrap());
    let components = ids.clone().map(|id| Object::Component(Arc::new(Component::bare(id))));
    let partition = Partition {
        name: "p1".parse().unwrap(),
        description: String::new(),
        tags: Vec::new(),
        members: ids.iter().cloned().collect(),
    };
    let mut changes = components.clone().map(Change::Put).to_vec();
    changes.push(Change::PutRecord(Record::Partition(Arc::new(partition))));
    let author = Author("test".into());
    store.write(author.clone(), move |_| Ok::<_, ()>(Decision::new((), changes))).await.unwrap();

    let [doomed, _] = components;
    let write = Write {
        op: "o1".to_owned(),
        action: Action::Delete,
        key: doomed.key(),
        object: None,
        ledger: LedgerChange::Forget(doomed.key()),
        before: Some(doomed),
        owner: None,
    };
    let target = Builtin::new(store.clone());
    let observed = target.observe(&desire(&inventory(1))).await.unwrap();
    let run = Run { plan: "p".to_owned(), cluster_id: "demo".to_owned(), inventory: "i".to_owned(), author };
    target.apply(run, &observed, Work { writes: vec![write], ledger: Vec::new(), moved: Vec::new() }).await.unwrap();
    let snapshot = store.snapshot();
    assert_eq!(snapshot.partition_of(&ids[0]), None);
    assert_eq!(snapshot.partition_of(&ids[1]).unwrap().members.len(), 1);
}
