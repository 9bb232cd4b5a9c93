//! Entries whose secret is missing: planned as far as they can be told, and never written.

use serde_json::json;

use super::{Computed, Plan, World, only, options};
use crate::desired::samples::{desire, inventory, node};
use crate::desired::{Desired, desired};
use crate::inventory::Inventory;
use crate::model::{Kind, ObjectKey};
use crate::plan::document::{Class, Severity, Verb};
use crate::plan::text::{self, TextOptions};
use crate::snapshot::Change;

const REASON: &str = "there is no `munge.key`";

/// The desired state where no secret is there.
fn without(inventory: &Inventory) -> Desired {
    desired(inventory, &|_| Err(REASON.to_owned()))
}

fn secure() -> ObjectKey {
    ObjectKey::new(Kind::CloudInitSecure, "compute")
}

fn rendered(plan: &Plan) -> String {
    text::render(plan, &TextOptions::default())
}

/// Nothing is done to the entry, whatever the plan shows.
fn untouched(computed: &Computed) -> bool {
    let told = computed.ledger.iter().map(|change| match change {
        crate::store::LedgerChange::Own(key, _) | crate::store::LedgerChange::Forget(key) => key,
    });
    computed.writes.iter().map(|write| &write.key).chain(told).all(|key| *key != secure())
}

#[test]
fn a_new_entry_is_planned_without_its_secret_and_is_not_written() {
    let computed = World::default().plan(&without(&inventory(1)), &options());
    let plan = &computed.plan;
    assert_eq!(plan.refusal(), None);
    let change = plan.changes.iter().find(|change| change.address == "cloud-init-secure/compute").unwrap();
    assert_eq!((change.verb, change.missing_secrets.as_slice()), (Verb::Create, &["munge.key".into()][..]));
    assert_eq!(change.after_fingerprint, None, "nobody knows what it will be");
    let op = plan.ops.iter().find(|op| op.object == "cloud-init-secure/compute").unwrap();
    assert_eq!((&op.body_hash, plan.summary.writes), (&None, plan.ops.len() as u64));
    assert!(untouched(&computed));
    let [remark] = plan.diagnostics.as_slice() else { panic!("{:?}", plan.diagnostics) };
    assert_eq!((remark.severity, &*remark.code), (Severity::Warning, "secret.missing"));
    assert_eq!(remark.message, format!("{REASON}; apply needs it"));
    assert_eq!(&*remark.origin.as_ref().unwrap().file, "cloud-init/secure/compute.yaml");
    let text = rendered(plan);
    assert!(text.contains("secret munge.key cannot be had; apply needs it\n"), "{text}");
    assert!(
        text.contains("Warning       cloud-init/secure/compute.yaml:1: cloud-init-secure/compute: there is"),
        "{text}"
    );
}

#[test]
fn where_nothing_else_differs_no_change_is_claimed_and_none_denied() {
    let world = World::with(&inventory(1));
    let computed = world.plan(&without(&inventory(1)), &options());
    let plan = &computed.plan;
    assert!(!plan.has_changes() && plan.drift.is_empty() && plan.refusal().is_none(), "{plan:#?}");
    assert!(plan.lacks_secrets() && untouched(&computed));
    assert!(plan.diagnostics[0].message.contains("nobody knows whether anything changes"));
    let told: Vec<&str> = plan.unchanged.iter().flat_map(|names| &names.names).map(|name| &**name).collect();
    assert_eq!(told, ["nid001", "compute", "compute"], "the node, the open entry and the group; not the secure entry");
    let text = rendered(plan);
    assert!(text.contains("Warning  ") && !text.contains("in sync") && !text.contains("Nothing is written"), "{text}");
}

#[test]
fn what_differs_beside_the_secret_is_a_change_of_which_no_content_is_told() {
    let world = World::with(&inventory(1));
    let mut wanted = inventory(1);
    wanted.cloud_init_secure[0].metadata = json!({"tier": "other-word"});
    let computed = world.plan(&without(&wanted), &options());
    let change = only(&computed.plan.changes);
    let fields: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!((change.verb, change.class, fields), (Verb::Update, Class::Intent, vec!["/metadata"]));
    assert_eq!(change.missing_secrets, ["munge.key".into()]);
    assert!(untouched(&computed) && !computed.plan.to_json().contains("other-word"));
    assert_eq!(computed.plan.diagnostics[0].message, format!("{REASON}; apply needs it"));
}

#[test]
fn a_reference_in_the_place_of_something_else_is_a_change() {
    let mut before = inventory(1);
    before.cloud_init_secure[0].userdata = json!({"write_files": []});
    let world = World::with(&before);
    let plan = world.plan(&without(&inventory(1)), &options()).plan;
    assert_eq!(only(&plan.changes).fields[0].path, "/userdata");
}

#[test]
fn an_entry_that_somebody_deleted_is_drift_and_one_that_somebody_else_made_refuses_the_plan() {
    let mut world = World::with(&inventory(1));
    world.change(Change::Delete(secure()));
    let plan = world.plan(&without(&inventory(1)), &options()).plan;
    assert_eq!(only(&plan.drift).reason, "deleted_outside");

    let mut made = inventory(1);
    made.cloud_init_secure[0].metadata = json!({"made": "by hand"});
    let mut foreign = World::with(&made);
    foreign.ledger.entries.remove(&secure());
    let computed = foreign.plan(&without(&inventory(1)), &options());
    assert!(computed.plan.refusal().unwrap().contains("adopt.differs"));
    assert!(untouched(&computed));
}

#[test]
fn the_identifier_tells_plans_with_a_missing_secret_apart_and_not_where_it_was_looked_for() {
    let mut world = World::with(&inventory(1));
    let id = |world: &World, desired: &Desired| world.plan(desired, &options()).plan.id;
    let elsewhere = desired(&inventory(1), &|_| Err("there is no `munge.key` in /elsewhere".to_owned()));
    assert_eq!(id(&world, &without(&inventory(1))), id(&world, &elsewhere));
    assert_ne!(id(&world, &without(&inventory(1))), id(&world, &desire(&inventory(1))));
    world.meddle(&secure(), "metadata", json!({"instance-id": "other"}));
    let drifted = id(&world, &without(&inventory(1)));
    world.meddle(&secure(), "metadata", json!({"instance-id": "another"}));
    assert_ne!(drifted, id(&world, &without(&inventory(1))), "what is there counts");
}

#[test]
fn a_file_of_which_only_a_waiting_entry_is_left_is_not_missing() {
    let mut both = inventory(1);
    let mut other = both.cloud_init_secure[0].clone();
    other.name = "login".parse().unwrap();
    both.cloud_init_secure.push(other);
    let world = World::with(&both);
    let plan = world.plan(&without(&inventory(1)), &options()).plan;
    assert!(plan.safety.checks.iter().all(|check| check.rule != "missing.file"), "{:?}", plan.safety);
    assert!(plan.changes.iter().any(|change| change.verb == Verb::Delete && &*change.name == "login"));
    assert!(plan.changes.iter().all(|change| change.address != format!("node/{}", node(1).xname)));
}
