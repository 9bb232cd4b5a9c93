//! What the JSON of a plan tells beside its changes.

use serde_json::{Value, json};

use super::{Plan, World, options, plan};
use crate::desired::samples::{boot, desire, inventory};
use crate::plan::fingerprint;

fn json_of(plan: &Plan) -> Value {
    serde_json::from_str(&plan.to_json()).unwrap()
}

/// Method, object and whether there is a hash, of every write of one kind.
fn asked<'j>(json: &'j Value, kind: &str) -> Vec<(&'j str, bool)> {
    let ops = json["ops"].as_array().unwrap().iter();
    let of_kind = ops.filter(|op| op["object"].as_str().unwrap().split('/').next() == Some(kind));
    of_kind.map(|op| (op["method"].as_str().unwrap(), op["body_hash"].is_string())).collect()
}

#[test]
fn a_plan_of_a_plain_directory_says_that_it_does_not_expire_leaves_nothing_out_and_has_no_commit() {
    let first = json_of(&plan(&World::default(), &inventory(1)));
    for (pointer, value) in [
        ("/expires", Value::Null),
        ("/selection", json!({"only": null, "except": null, "skipped_objects": 0})),
        ("/base", json!({"apply": null, "at": null, "commit": null})),
    ] {
        assert_eq!(first.pointer(pointer), Some(&value), "{pointer}");
    }
    let again = json_of(&plan(&World::with(&inventory(1)), &inventory(2)));
    assert_eq!((&again["base"]["apply"], again["base"].get("commit")), (&json!(1), Some(&Value::Null)));
}

#[test]
fn a_write_tells_the_method_that_its_service_takes() {
    let created = json_of(&plan(&World::default(), &inventory(1)));
    for (kind, method) in [
        ("component", "POST"),
        ("redfish-endpoint", "POST"),
        ("ethernet-interface", "POST"),
        ("group", "POST"),
        ("cloud-init", "POST"),
        ("cloud-init-secure", "POST"),
        ("boot-params", "PUT"),
    ] {
        let found = asked(&created, kind);
        assert!(!found.is_empty() && found.iter().all(|told| *told == (method, true)), "{kind}: {found:?}");
    }
    let mut wanted = inventory(1);
    wanted.nodes[0].nid.0 = 77;
    wanted.nodes[0].boot = Some(boot("6.6"));
    wanted.cloud_init[0].userdata = json!({"runcmd": ["true"]});
    let changed = json_of(&plan(&World::with(&inventory(1)), &wanted));
    assert_eq!(asked(&changed, "component"), [("PATCH", true)]);
    assert_eq!(asked(&changed, "boot-params"), [("PUT", true)]);
    assert_eq!(asked(&changed, "cloud-init"), [("PUT", true)]);
    let deleted = json_of(&plan(&World::with(&inventory(2)), &inventory(1)));
    assert_eq!(asked(&deleted, "boot-params"), [("DELETE", false)], "there is no body");
}

#[test]
fn the_hash_of_a_write_is_the_fingerprint_of_what_it_makes() {
    let computed = World::default().plan(&desire(&inventory(1)), &options());
    assert!(!computed.writes.is_empty());
    for write in &computed.writes {
        let op = computed.plan.ops.iter().find(|op| op.id == write.op).unwrap();
        let print = fingerprint(write.object.as_ref().unwrap(), options().fingerprint_key.as_ref());
        assert_eq!(op.body_hash.as_deref(), Some(print.as_str()), "{}", write.key);
    }
    let change = computed.plan.changes.iter().find(|change| change.address == "cloud-init/compute").unwrap();
    let op = computed.plan.ops.iter().find(|op| op.id == change.ops[0]).unwrap();
    assert_eq!(op.body_hash, change.after_fingerprint, "a change of one object has that object's fingerprint");
}
