//! Owned objects that hold something of others, and what is kept where nothing is pruned.

use serde_json::json;

use super::super::document::{Class, FieldClass, Verb};
use super::{Action, World, only, options, plan};
use crate::desired::samples::{desire, inventory, node};
use crate::inventory::Inventory;
use crate::model::{Kind, ObjectKey};
use crate::plan::text::{TextOptions, render};
use crate::store::LedgerChange;

const FOREIGN: &str = "x9c0s0b0n0";

fn group() -> ObjectKey {
    ObjectKey::new(Kind::Group, "compute")
}

/// Nodes of no group.
fn ungrouped(nodes: u32) -> Inventory {
    let mut inventory = inventory(nodes);
    inventory.nodes.iter_mut().for_each(|node| node.groups.clear());
    inventory
}

fn members(world: &World) -> Vec<String> {
    let fields = world.live.object(&group()).unwrap().fields();
    fields["members"].as_array().unwrap().iter().map(|member| member.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_group_with_members_of_others_is_given_up_and_not_deleted() {
    let mut world = World::with(&inventory(2));
    let ours = [1, 2].map(|number| node(number).xname.to_string());
    world.meddle(&group(), "members", json!([ours[0], ours[1], FOREIGN]));
    let computed = world.apply(&desire(&ungrouped(2)), &options());
    let change = only(&computed.plan.changes);
    assert_eq!((change.verb, change.class, &*change.reason), (Verb::Release, Class::Prune, "shared"));
    assert_eq!(change.fields[0].removed, ours);
    assert_eq!((computed.plan.summary.release, computed.plan.summary.delete), (1, 0));
    assert_eq!(computed.plan.unmanaged[0].ids, [FOREIGN.into()]);
    assert_eq!(computed.writes.len(), 1);
    assert_eq!(computed.writes[0].action, Action::Update);
    assert!(matches!(&computed.writes[0].ledger, LedgerChange::Forget(key) if *key == group()));
    let text = render(&computed.plan, &TextOptions::default());
    assert!(text.contains("  -  release  compute") && text.contains("1 release"), "{text}");
    assert!(text.contains("1 member of group compute, not in this inventory"), "{text}");
    assert_eq!(members(&world), [FOREIGN]);
    let again = plan(&world, &ungrouped(2));
    assert!(!again.has_changes());
    assert_eq!((again.unmanaged[0].kind, &again.unmanaged[0].ids[..]), (Kind::Group, &["compute".into()][..]));
}

#[test]
fn a_group_in_which_nothing_of_ours_is_left_is_given_up_without_a_write() {
    let mut world = World::with(&inventory(1));
    world.meddle(&group(), "members", json!([FOREIGN]));
    let computed = world.apply(&desire(&ungrouped(1)), &options());
    assert_eq!(only(&computed.plan.changes).verb, Verb::Release);
    assert!(computed.writes.is_empty());
    assert_eq!(members(&world), [FOREIGN]);
    assert!(!plan(&world, &ungrouped(1)).has_changes());
}

#[test]
fn a_group_without_members_of_others_is_deleted() {
    let mut world = World::with(&inventory(2));
    let computed = world.apply(&desire(&ungrouped(2)), &options());
    assert_eq!(only(&computed.plan.changes).verb, Verb::Delete);
    assert!(world.live.object(&group()).is_none());
}

#[test]
fn giving_groups_up_counts_as_much_as_deleting_them() {
    let mut wide = inventory(4);
    for node in &mut wide.nodes {
        node.groups = vec![format!("rack{}", node.nid).parse().unwrap()];
    }
    let mut world = World::with(&wide);
    for rack in ["rack1", "rack2"] {
        world.meddle(&ObjectKey::new(Kind::Group, rack), "members", json!([FOREIGN]));
    }
    let mut wanted = wide.clone();
    wanted.nodes.iter_mut().take(3).for_each(|node| node.groups.clear());
    let refusal = plan(&world, &wanted).refusal().unwrap();
    assert!(refusal.contains("deletes 3 of 4 groups (75.0 %); the limit is 2"), "{refusal}");
}

#[test]
fn documents_that_others_put_into_an_entry_stay() {
    let mut world = World::with(&inventory(1));
    for kind in [Kind::CloudInit, Kind::CloudInitSecure] {
        let key = ObjectKey::new(kind, "compute");
        world.meddle(&key, "vendordata", json!({"runcmd": ["of others"]}));
    }
    let mut wanted = inventory(1);
    wanted.cloud_init.clear();
    wanted.cloud_init_secure.clear();
    let mut options = options();
    options.allow_delete = Some(2);
    let computed = world.apply(&desire(&wanted), &options);
    assert_eq!(computed.plan.summary.release, 2);
    let classes: Vec<_> =
        computed.plan.changes[0].fields.iter().map(|field| (field.path.as_str(), field.class)).collect();
    assert_eq!(
        classes,
        [("/userdata", FieldClass::Released), ("/metadata", FieldClass::Released), ("/vendordata", FieldClass::Left)]
    );
    assert!(!computed.plan.to_json().contains(crate::desired::samples::SECRET));
    assert!(computed.plan.changes[1].fields.iter().all(|field| field.sensitive && field.live.is_none()));
    let left = world.live.object(&ObjectKey::new(Kind::CloudInit, "compute")).unwrap().fields();
    assert_eq!(left.get("vendordata"), Some(&json!({"runcmd": ["of others"]})));
    assert_eq!((left.get("userdata"), left.get("metadata")), (None, None));
    assert!(!plan(&world, &wanted).has_changes());
}

#[test]
fn with_pruning_off_members_stay_stay_ours_and_are_told() {
    let mut world = World::with(&inventory(3));
    let ours = [1, 2, 3].map(|number| node(number).xname.to_string());
    let mut wanted = inventory(4);
    wanted.nodes[1].groups.clear();
    let mut keeping = options();
    keeping.prune = Some(false);
    let computed = world.apply(&desire(&wanted), &keeping);
    let of_group = computed.plan.changes.iter().find(|change| change.address == "group/compute").unwrap();
    assert!(of_group.fields[0].removed.is_empty());
    assert_eq!(computed.plan.kept_members[0].ids, [ours[1].as_str().into()]);
    let text = render(&computed.plan, &TextOptions { width: 140, ..TextOptions::default() });
    let kept =
        "  kept        x1000c0s0b2n0   1 member of group compute, no longer in the inventory, but pruning is off";
    assert!(text.contains(kept), "{text}");
    assert_eq!(members(&world).len(), 4);
    // The next plan says the same and writes nothing; pruning takes the member out.
    let again = world.apply(&desire(&wanted), &keeping);
    assert!(again.writes.is_empty() && again.ledger.is_empty() && !again.plan.has_changes());
    assert_eq!(again.plan.kept_members.len(), 1);
    let pruned = world.apply(&desire(&wanted), &options());
    assert_eq!(only(&pruned.plan.changes).fields[0].removed, [ours[1].clone()]);
    assert!(!members(&world).contains(&ours[1]));
}

#[test]
fn the_memberships_of_a_node_that_is_kept_need_no_word() {
    let world = World::with(&inventory(2));
    let mut keeping = options();
    keeping.prune = Some(false);
    let computed = world.plan(&desire(&inventory(1)), &keeping);
    assert!(computed.writes.is_empty(), "{:?}", computed.plan.ops);
    assert_eq!(computed.plan.kept[0].names, ["nid002".into()]);
    assert!(computed.plan.kept_members.is_empty());
}
