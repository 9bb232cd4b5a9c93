//! What holds for every plan: it converges, it deletes nothing of others, it is the same every time, it tells no
//! secret.

use proptest::prelude::*;
use serde_json::json;

use super::{Action, World, options};
use crate::desired::Desired;
use crate::desired::samples::{SECRET, boot, desire, inventory, node};
use crate::inventory::{Adopt, Inventory};
use crate::model::{Component, Object, ObjectKey};
use crate::plan::Options;
use crate::plan::text::{TextOptions, render};
use crate::snapshot::Change;

/// What may be different about an inventory.
#[derive(Debug, Clone)]
struct Shape {
    nodes: Vec<(u32, u8, u8, bool)>,
    entry: u8,
}

fn shape() -> impl Strategy<Value = Shape> {
    let nodes = prop::collection::btree_map(1..9_u32, (0..4_u8, 0..4_u8, any::<bool>()), 0..7);
    (nodes, 0..3_u8).prop_map(|(nodes, entry)| Shape {
        nodes: nodes.into_iter().map(|(number, (a, b, c))| (number, a, b, c)).collect(),
        entry,
    })
}

fn inventory_of(shape: &Shape) -> Inventory {
    let mut made = inventory(0);
    for (number, look, card, full) in &shape.nodes {
        let mut node = node(*number);
        if *look == 1 {
            node.name = format!("login{number}").into();
            node.role = Some("Service".parse().unwrap());
        }
        if *look == 2 {
            node.boot = Some(boot("6.6"));
            node.groups = vec!["io".parse().unwrap(), "compute".parse().unwrap()];
        }
        node.interfaces[0].mac.0[3] ^= card << 6;
        if *card == 3 {
            // Cards are swapped between nodes.
            node.interfaces[0].mac.0[5] ^= 1;
        }
        if !full {
            node.bmc = None;
            node.boot = None;
        }
        made.nodes.push(node);
    }
    if shape.entry == 0 {
        made.cloud_init.clear();
        made.cloud_init_secure.clear();
    }
    if shape.entry == 1 {
        made.cloud_init[0].userdata = json!({"packages": ["slurmd"]});
        made.cloud_init[0].jinja = true;
    }
    made
}

/// What others do to live objects.
fn meddle(world: &mut World, acts: &[(u8, usize)]) {
    for (act, place) in acts {
        let keys: Vec<ObjectKey> = world.live.objects().map(|object| object.key()).collect();
        let Some(key) = keys.get(place % keys.len().max(1)) else { continue };
        match act {
            0 => world.change(Change::Delete(key.clone())),
            1 => {
                let field = match key.kind.as_str() {
                    "component" => ("nid", json!(4711)),
                    "redfish-endpoint" => ("name", json!("other")),
                    "component-endpoint" => ("odata_id", json!("/elsewhere")),
                    "ethernet-interface" => ("ip_addresses", json!([{"ip": "10.9.9.9"}])),
                    "group" => ("members", json!(["x9c0s0b0n0", "x1000c0s0b1n0"])),
                    "boot-params" => ("params", json!("rescue")),
                    _ => ("userdata", json!({"packages": ["emacs"]})),
                };
                world.meddle(key, field.0, field.1);
            }
            _ => {
                let foreign = Component::bare(format!("x9c0s{place}b0n0").parse().unwrap());
                world.change(Change::Put(Object::Component(foreign.into())));
            }
        }
    }
}

/// The members in a group's document.
fn members(doc: &str) -> std::collections::BTreeSet<String> {
    let fields: serde_json::Value = serde_json::from_str(doc).unwrap();
    serde_json::from_value(fields["members"].clone()).unwrap_or_default()
}

fn anything_goes() -> Options {
    let mut options = options();
    options.adopt = Some(Adopt::Always);
    options
}

/// Acts of others: what they do, and to which object.
type Acts = Vec<(u8, usize)>;

fn case() -> impl Strategy<Value = (Shape, Shape, Acts, Acts)> {
    let acts = || prop::collection::vec((0..3_u8, 0..64_usize), 0..8);
    (shape(), shape(), acts(), acts())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_plan_that_was_applied_leaves_nothing_to_do((first, second, early, late) in case()) {
        let mut world = World::default();
        meddle(&mut world, &early);
        world.apply(&desire(&inventory_of(&first)), &anything_goes());
        meddle(&mut world, &late);
        let wanted = desire(&inventory_of(&second));
        world.apply(&wanted, &anything_goes());
        let again = world.plan(&wanted, &anything_goes());
        prop_assert!(again.writes.is_empty(), "{:?}", again.plan.ops);
        prop_assert!(again.ledger.is_empty(), "{:?}", again.ledger);
        prop_assert!(!again.plan.has_changes() && again.plan.drift.is_empty(), "{:#?}", again.plan);
        let owned: Vec<_> = world.ledger.entries.keys().collect();
        prop_assert_eq!(owned, wanted.objects.keys().collect::<Vec<_>>());
    }

    #[test]
    fn reporting_drift_converges_too((first, second, early, late) in case()) {
        let mut options = anything_goes();
        options.correct_drift = false;
        let mut world = World::default();
        meddle(&mut world, &early);
        world.apply(&desire(&inventory_of(&first)), &options);
        meddle(&mut world, &late);
        let wanted = desire(&inventory_of(&second));
        world.apply(&wanted, &options);
        let again = world.plan(&wanted, &options);
        prop_assert!(again.writes.is_empty() && again.ledger.is_empty(), "{:?}", again.plan.ops);
        prop_assert!(again.plan.changes.is_empty(), "{:#?}", again.plan.changes);
    }

    #[test]
    fn nothing_is_deleted_that_the_ledger_does_not_own(
        (first, second, early, late) in case(),
        lost in prop::collection::vec(0..64_usize, 0..20),
    ) {
        let mut world = World::default();
        meddle(&mut world, &early);
        world.apply(&desire(&inventory_of(&first)), &anything_goes());
        meddle(&mut world, &late);
        for place in lost {
            let key = world.ledger.entries.keys().nth(place).cloned();
            key.and_then(|key| world.ledger.entries.remove(&key));
        }
        let computed = world.plan(&desire(&inventory_of(&second)), &anything_goes());
        for write in computed.writes.iter().filter(|write| write.action == Action::Delete) {
            prop_assert!(world.ledger.entries.contains_key(&write.key), "{} is not ours", write.key);
        }
        for write in computed.writes.iter().filter(|write| write.key.kind == crate::model::Kind::Group) {
            let last = world.ledger.entries.get(&write.key).map(|entry| members(&entry.doc)).unwrap_or_default();
            let [before, after] = [&write.before, &write.object].map(|side| side.as_ref().map(Object::to_json));
            let [before, after] = [before, after].map(|side| side.map(|text| members(&text)).unwrap_or_default());
            let lost: Vec<_> = before.iter().filter(|one| !after.contains(*one) && !last.contains(*one)).collect();
            prop_assert!(lost.is_empty(), "{} loses {lost:?}, which are not ours", write.key);
        }
        let mut blind = anything_goes();
        blind.complete = false;
        let computed = world.plan(&desire(&inventory_of(&second)), &blind);
        prop_assert!(computed.writes.iter().all(|write| write.action != Action::Delete));
    }

    #[test]
    fn every_count_is_the_number_of_lines_and_every_write_belongs_to_one((first, second, early, late) in case()) {
        let mut world = World::default();
        meddle(&mut world, &early);
        world.apply(&desire(&inventory_of(&first)), &anything_goes());
        meddle(&mut world, &late);
        let plan = world.plan(&desire(&inventory_of(&second)), &anything_goes()).plan;
        let s = plan.summary;
        let lines = s.create + s.update + s.replace + s.delete + s.release + s.rename + s.adopt + s.record + s.conflict;
        prop_assert_eq!(lines, plan.changes.len() as u64);
        prop_assert_eq!(s.drift, plan.drift.len() as u64);
        let told: std::collections::BTreeSet<&String> =
            plan.changes.iter().chain(&plan.drift).flat_map(|change| &change.ops).collect();
        prop_assert_eq!(told, plan.ops.iter().map(|op| &op.id).collect());
        let back: super::Plan = serde_json::from_str(&plan.to_json()).unwrap();
        prop_assert_eq!(&back, &plan);
        for width in [1, 60, 100, 400] {
            let options = TextOptions { width, color: false, expand: width == 100, ascii: width == 60 };
            let text = render(&plan, &options);
            prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
            prop_assert!(!options.ascii || text.is_ascii(), "{}", text);
        }
    }
}

fn shuffled() -> Desired {
    let mut shuffled = inventory(12);
    shuffled.nodes.rotate_left(5);
    shuffled.nodes.swap(0, 7);
    let mut desired = desire(&shuffled);
    // The group is caused by the first line that names it, which another order of lines changes.
    let group = ObjectKey::new(crate::model::Kind::Group, "compute");
    desired.objects.get_mut(&group).unwrap().origin = desire(&inventory(12)).objects[&group].origin.clone();
    desired
}

#[test]
fn equal_inputs_in_another_order_give_the_same_bytes() {
    let mut world = World::with(&inventory(11));
    meddle(&mut world, &[(1, 3), (2, 5), (0, 20)]);
    let mut other = World { ledger: world.ledger.clone(), live: crate::snapshot::Snapshot::default() };
    let mut objects: Vec<Object> = world.live.objects().collect();
    objects.reverse();
    for object in objects {
        other.change(Change::Put(object));
    }
    other.live.revision = world.live.revision;
    let straight = world.plan(&desire(&inventory(12)), &options()).plan.to_json();
    assert_eq!(other.plan(&shuffled(), &options()).plan.to_json(), straight);
}

#[test]
fn the_identifier_names_the_operations_the_objects_and_the_target() {
    let world = World::with(&inventory(2));
    let id = |world: &World, inventory: &Inventory, options: &Options| world.plan(&desire(inventory), options).plan.id;
    let plain = id(&world, &inventory(3), &options());
    assert!(plain.starts_with("p-") && plain.len() == 14, "{plain}");
    let mut later = options();
    later.created.0 += 60_000_000;
    assert_eq!(id(&world, &inventory(3), &later), plain, "the time does not count");
    let mut elsewhere = options();
    elsewhere.target = "https://demo".into();
    assert_ne!(id(&world, &inventory(3), &elsewhere), plain);
    assert_ne!(id(&world, &inventory(4), &options()), plain);
    let mut meddled = world.clone();
    meddled.meddle(&ObjectKey::component(&node(1).xname), "nid", json!(5));
    assert_ne!(id(&meddled, &inventory(3), &options()), plain);
}

#[test]
fn secrets_are_in_no_form_of_a_plan() {
    let mut other = inventory(1);
    other.cloud_init_secure[0].metadata = json!({"instance-id": "other"});
    let mut adopted = World::with(&inventory(1));
    adopted.ledger = Default::default();
    let mut drifted = World::with(&inventory(1));
    let key = ObjectKey::new(crate::model::Kind::CloudInitSecure, "compute");
    drifted.meddle(&key, "userdata", json!({"password": format!("old{SECRET}")}));
    for world in [World::default(), World::with(&inventory(1)), adopted, drifted] {
        for inventory in [&inventory(1), &other, &inventory(0)] {
            let desired = desire(inventory);
            let computed = world.plan(&desired, &options());
            let expanded = TextOptions { expand: true, ..TextOptions::default() };
            let forms = [
                format!("{computed:?}"),
                format!("{desired:?}"),
                format!("{:?}", world.ledger),
                computed.plan.to_json(),
                render(&computed.plan, &TextOptions::default()),
                render(&computed.plan, &expanded),
                computed.plan.refusal().unwrap_or_default(),
            ];
            for form in forms {
                assert!(!form.contains(SECRET), "{form}");
                assert!(!form.contains("munge.key"), "{form}");
            }
        }
    }
    let computed = World::with(&inventory(1)).plan(&desire(&other), &options());
    let change = super::only(&computed.plan.changes);
    assert!(change.fields[0].sensitive && change.fields[0].want == Some(json!("changed")));
}
