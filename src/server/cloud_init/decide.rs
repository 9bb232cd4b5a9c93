//! What a write of a cloud-init entry comes to. Pure: request and state in, changes or a refusal out.

use std::sync::Arc;

use serde_json::Value;

use crate::boot::cloud_init::{Entries, kept_as};
use crate::model::{CloudInitEntry, EntryName, Object, ObjectKey};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::cloud_init::EntryRequest;

/// One of the two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    /// `/cloud-init`.
    Open,
    /// `/cloud-init-secure`.
    Secure,
}

impl Shelf {
    /// Its entries.
    pub(super) fn entries(self, snapshot: &Snapshot) -> &Entries {
        match self {
            Self::Open => &snapshot.boot.cloud_init,
            Self::Secure => &snapshot.cloud_init_secure,
        }
    }

    /// The name under which the entry is kept that a client means: a node's stands under its name or under its xname.
    fn kept_as(self, snapshot: &Snapshot, name: &EntryName) -> Option<EntryName> {
        kept_as(&snapshot.boot, self.entries(snapshot), name)
    }

    fn object(self, entry: CloudInitEntry) -> Object {
        match self {
            Self::Open => Object::CloudInit(Arc::new(entry)),
            Self::Secure => Object::CloudInitSecure(Arc::new(entry)),
        }
    }

    fn key(self, name: &EntryName) -> ObjectKey {
        match self {
            Self::Open => ObjectKey::cloud_init(name),
            Self::Secure => ObjectKey::cloud_init_secure(name),
        }
    }
}

/// Why a write is refused. Nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// A POST without a name.
    #[error("the entry has no name")]
    NoName,
    /// A name that is a path of its own.
    #[error("`{0}` cannot name an entry: it is the path of a document")]
    Reserved(EntryName),
    /// A POST of a document that the entry of that name has, or of another name of a node that has an entry.
    #[error("the entry of this name has such a document; update it instead")]
    Exists,
    /// A PUT of a name that has no entry.
    #[error("not found")]
    Missing,
    /// A PUT whose body names another entry than its path.
    #[error("the body is of entry `{0}`, the path is not")]
    OtherName(EntryName),
}

/// POST: a new entry, or documents that the entry of that name does not have yet. The answer is its name.
pub(super) fn create(shelf: Shelf, snapshot: &Snapshot, request: EntryRequest) -> Result<Decision<EntryName>, Refusal> {
    let EntryRequest { name, userdata, metadata, vendordata, jinja } = request;
    let name = name.ok_or(Refusal::NoName)?;
    if name.is_path() {
        return Err(Refusal::Reserved(name));
    }
    if shelf.kept_as(snapshot, &name).is_some_and(|kept| kept != name) {
        return Err(Refusal::Exists);
    }
    let old = shelf.entries(snapshot).get(&name).map(|old| &**old);
    let nothing = || CloudInitEntry {
        name: name.clone(),
        userdata: Value::Null,
        metadata: Value::Null,
        vendordata: Value::Null,
        jinja: false,
    };
    let mut new = old.cloned().unwrap_or_else(nothing);
    for (slot, given) in
        [(&mut new.userdata, userdata), (&mut new.metadata, metadata), (&mut new.vendordata, vendordata)]
    {
        if given.is_null() {
            continue;
        }
        if !slot.is_null() {
            return Err(Refusal::Exists);
        }
        *slot = given;
    }
    new.jinja = jinja.unwrap_or(new.jinja);
    let changes = if old == Some(&new) { Vec::new() } else { vec![Change::Put(shelf.object(new))] };
    Ok(Decision::new(name, changes))
}

/// PUT: replaces the documents that are given and keeps the others, as the original does. Whether the entry is a
/// template is told anew with its user-data.
pub(super) fn replace(
    shelf: Shelf,
    snapshot: &Snapshot,
    name: &EntryName,
    request: EntryRequest,
) -> Result<Decision<()>, Refusal> {
    if let Some(other) = request.name.filter(|other| other != name) {
        return Err(Refusal::OtherName(other));
    }
    let kept = shelf.kept_as(snapshot, name).ok_or(Refusal::Missing)?;
    let old = shelf.entries(snapshot).get(&kept).ok_or(Refusal::Missing)?;
    let kept = if request.userdata.is_null() { old.jinja } else { false };
    let mut new = CloudInitEntry { jinja: request.jinja.unwrap_or(kept), ..CloudInitEntry::clone(old) };
    for (slot, given) in [
        (&mut new.userdata, request.userdata),
        (&mut new.metadata, request.metadata),
        (&mut new.vendordata, request.vendordata),
    ] {
        if !given.is_null() {
            *slot = given;
        }
    }
    let changes = if new == **old { Vec::new() } else { vec![Change::Put(shelf.object(new))] };
    Ok(Decision::new((), changes))
}

/// DELETE: afterwards there is no such entry, whether or not there was one.
pub(super) fn remove(shelf: Shelf, snapshot: &Snapshot, name: &EntryName) -> Decision<()> {
    let there = shelf.kept_as(snapshot, name);
    Decision::new((), there.map(|name| Change::Delete(shelf.key(&name))).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::cloud_init::parse_entry;

    fn ask(body: &serde_json::Value) -> EntryRequest {
        parse_entry(body.to_string().as_bytes()).unwrap()
    }

    fn compute(jinja: bool) -> CloudInitEntry {
        let body =
            json!({"name": "compute", "jinja": jinja, "cloud-init": {"userdata": {"a": 1}, "metadata": {"b": 1}}});
        let decision = create(Shelf::Open, &Snapshot::default(), ask(&body)).unwrap();
        put(&decision.changes)
    }

    fn put(changes: &[Change]) -> CloudInitEntry {
        match changes {
            [Change::Put(Object::CloudInit(entry) | Object::CloudInitSecure(entry))] => CloudInitEntry::clone(entry),
            other => panic!("{other:?}"),
        }
    }

    fn snapshot(jinja: bool) -> Snapshot {
        Snapshot::rebuilt([Shelf::Open.object(compute(jinja)), Shelf::Secure.object(compute(jinja))], 1)
    }

    #[test]
    fn a_create_needs_a_name_of_its_own() {
        for (body, refusal) in [
            (json!({"cloud-init": {}}), Refusal::NoName),
            (json!({"name": "compute", "cloud-init": {"userdata": {}}}), Refusal::Exists),
            (json!({"name": "compute", "cloud-init": {"vendordata": {}, "metadata": {"c": 1}}}), Refusal::Exists),
            (json!({"name": "meta-data"}), Refusal::Reserved("meta-data".parse().unwrap())),
            (json!({"name": "admin"}), Refusal::Reserved("admin".parse().unwrap())),
            (json!({"name": "compute.yaml"}), Refusal::Reserved("compute.yaml".parse().unwrap())),
        ] {
            for shelf in [Shelf::Open, Shelf::Secure] {
                assert_eq!(create(shelf, &snapshot(false), ask(&body)).unwrap_err(), refusal);
            }
        }
    }

    #[test]
    fn a_create_adds_the_documents_that_an_entry_does_not_have() {
        let body = json!({"name": "compute", "cloud-init": {"vendordata": {"c": 1}, "userdata": null}});
        for shelf in [Shelf::Open, Shelf::Secure] {
            let decision = create(shelf, &snapshot(true), ask(&body)).unwrap();
            let entry = put(&decision.changes);
            assert_eq!((entry.userdata, entry.vendordata), (json!({"a": 1}), json!({"c": 1})));
            assert!(entry.jinja);
            let nothing = create(shelf, &snapshot(false), ask(&json!({"name": "compute"}))).unwrap();
            assert!(nothing.changes.is_empty());
        }
    }

    #[test]
    fn a_replacement_keeps_the_documents_that_are_not_given() {
        let name = "compute".parse().unwrap();
        let body = json!({"name": "compute", "cloud-init": {"userdata": {"new": 1}, "metadata": null}});
        let entry = put(&replace(Shelf::Secure, &snapshot(false), &name, ask(&body)).unwrap().changes);
        assert_eq!((entry.userdata, entry.metadata), (json!({"new": 1}), json!({"b": 1})));
        let same = json!({"cloud-init": {"metadata": {"b": 1}}});
        assert!(replace(Shelf::Open, &snapshot(true), &name, ask(&same)).unwrap().changes.is_empty());
    }

    #[test]
    fn new_user_data_is_no_template_unless_it_says_so() {
        let name = "compute".parse().unwrap();
        for (body, expected) in [
            (json!({"cloud-init": {"userdata": {"new": 1}}}), false),
            (json!({"cloud-init": {"userdata": {"new": 1}}, "jinja": true}), true),
            (json!({"cloud-init": {"metadata": {"new": 1}}}), true),
        ] {
            let entry = put(&replace(Shelf::Open, &snapshot(true), &name, ask(&body)).unwrap().changes);
            assert_eq!(entry.jinja, expected, "{body}");
        }
    }

    #[test]
    fn a_replacement_is_of_the_entry_that_the_path_names() {
        let (name, other) = ("compute".parse().unwrap(), "zzz".parse().unwrap());
        let body = ask(&json!({"name": "zzz", "cloud-init": {}}));
        let refusal = replace(Shelf::Open, &snapshot(false), &name, body.clone()).unwrap_err();
        assert_eq!(refusal, Refusal::OtherName("zzz".parse().unwrap()));
        assert_eq!(replace(Shelf::Open, &snapshot(false), &other, body).unwrap_err(), Refusal::Missing);
    }

    #[test]
    fn a_node_has_one_entry_whichever_of_its_names_is_used() {
        let mut snapshot = snapshot(false);
        let node = crate::model::Component::bare("x1000c1s7b0n0".parse().unwrap());
        let names = [(node.id.clone(), "login1".into())].into();
        let settings = crate::model::DhcpSettings { names, ..Default::default() };
        let own = put(&create(Shelf::Open, &snapshot, ask(&json!({"name": "x1000c1s7b0n0"}))).unwrap().changes);
        for change in [
            Change::Put(Object::Component(Arc::new(node))),
            Change::PutRecord(crate::model::Record::DhcpSettings(Arc::new(settings))),
            Change::Put(Shelf::Open.object(own)),
        ] {
            snapshot.apply(&change);
        }
        let name: EntryName = "login1".parse().unwrap();
        assert_eq!(create(Shelf::Open, &snapshot, ask(&json!({"name": "login1"}))).unwrap_err(), Refusal::Exists);
        let body = ask(&json!({"name": "login1", "cloud-init": {"userdata": {"new": 1}}}));
        let entry = put(&replace(Shelf::Open, &snapshot, &name, body).unwrap().changes);
        assert_eq!((entry.name.as_str(), entry.userdata), ("x1000c1s7b0n0", json!({"new": 1})));
        let removed = remove(Shelf::Open, &snapshot, &name).changes;
        assert_eq!(removed, [Change::Delete(ObjectKey::new(crate::model::Kind::CloudInit, "x1000c1s7b0n0"))]);
        assert!(remove(Shelf::Secure, &snapshot, &name).changes.is_empty(), "the other store has none");
    }

    #[test]
    fn a_removal_writes_only_when_there_is_something_to_remove() {
        let removed = remove(Shelf::Secure, &snapshot(false), &"compute".parse().unwrap());
        assert_eq!(removed.changes, [Change::Delete(ObjectKey::new(crate::model::Kind::CloudInitSecure, "compute"))]);
        assert!(remove(Shelf::Open, &snapshot(false), &"nope".parse().unwrap()).changes.is_empty());
    }
}
