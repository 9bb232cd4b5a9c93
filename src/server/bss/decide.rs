//! What a write of boot parameters comes to. Pure: request and state in, changes or a refusal out.
//!
//! A request that is refused changes nothing. Unlike BSS's SQL storage, which keeps only the hosts of a request that names
//! several kinds of key, every key is stored. A PUT or PATCH that names no key is refused, where BSS changes what every
//! node boots.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{BootConfig, BootKey, Object, ObjectKey};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::bss::Request;

/// Why a write is refused. Nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    /// A POST of keys that all have parameters; one of them.
    #[error("Bad Request: data already exists: {0}")]
    Exists(BootKey),
    /// A key would be left without a kernel.
    #[error("Bad Request: kernel URI cannot be blank: {0}")]
    NoKernel(BootKey),
    /// A POST or PUT that names no key.
    #[error("Bad Request: no macs, hosts or nids are named")]
    NoKeys,
    /// A PUT that gives none of kernel, initrd and params.
    #[error("No data")]
    NoData,
    /// A PATCH that gives none of them. BSS says 404.
    #[error("Not Found: none of kernel, initrd and params is given")]
    NothingGiven,
    /// A PATCH of keys without parameters.
    #[error("Not Found: data does not exist: {}", names(.0))]
    Missing(Vec<BootKey>),
    /// A PATCH that names no key.
    #[error("Not Found: no macs, hosts or nids are named")]
    NothingNamed,
    /// A DELETE that nothing matches.
    #[error("Bad Request: there is nothing to delete")]
    NothingToDelete,
}

fn names(keys: &[BootKey]) -> String {
    keys.iter().map(BootKey::to_string).collect::<Vec<_>>().join(", ")
}

/// POST: new keys only. Keys that have parameters keep them, as with BSS, where one that has none is named, too.
pub(super) fn create(snapshot: &Snapshot, request: &Request) -> Result<Decision<()>, Refusal> {
    let params = &snapshot.boot.boot_params;
    let first = request.keys.first().ok_or(Refusal::NoKeys)?;
    if request.fields.kernel.is_none() {
        return Err(Refusal::NoKernel(first.clone()));
    }
    let new: BTreeSet<_> = request.keys.iter().filter(|key| !params.contains_key(*key)).cloned().collect();
    if new.is_empty() {
        return Err(Refusal::Exists(first.clone()));
    }
    store(snapshot, &Request { keys: new, fields: request.fields.clone() })
}

/// PUT: new keys and old ones; an old one keeps the fields that are not given.
pub(super) fn put(snapshot: &Snapshot, request: &Request) -> Result<Decision<()>, Refusal> {
    if request.fields.is_empty() {
        return Err(Refusal::NoData);
    }
    if request.keys.is_empty() {
        return Err(Refusal::NoKeys);
    }
    store(snapshot, request)
}

/// PATCH: old keys only, all of them.
pub(super) fn patch(snapshot: &Snapshot, request: &Request) -> Result<Decision<()>, Refusal> {
    let params = &snapshot.boot.boot_params;
    if request.keys.is_empty() {
        return Err(Refusal::NothingNamed);
    }
    let missing: Vec<_> = request.keys.iter().filter(|key| !params.contains_key(*key)).cloned().collect();
    if !missing.is_empty() {
        return Err(Refusal::Missing(missing));
    }
    if request.fields.is_empty() {
        return Err(Refusal::NothingGiven);
    }
    store(snapshot, request)
}

/// DELETE: the keys named; without any, every key whose parameters have all the fields given. A request that names
/// keys deletes nothing else, whatever fields it has: the client always sends some.
pub(super) fn delete(snapshot: &Snapshot, request: &Request) -> Result<Decision<()>, Refusal> {
    let params = &snapshot.boot.boot_params;
    if request.keys.is_empty() && request.fields.is_empty() {
        return Ok(Decision::new((), Vec::new()));
    }
    let found: Vec<&BootKey> = if request.keys.is_empty() {
        params.iter().filter(|(_, config)| request.fields.matches(config)).map(|(key, _)| key).collect()
    } else {
        request.keys.iter().filter(|key| params.contains_key(*key)).collect()
    };
    if found.is_empty() {
        return Err(Refusal::NothingToDelete);
    }
    let changes = found.into_iter().map(|key| Change::Delete(ObjectKey::boot_params(key)));
    Ok(Decision::new((), changes.collect()))
}

/// The changes that lay the given fields over what the keys have. What would stay as it is, is no change.
fn store(snapshot: &Snapshot, request: &Request) -> Result<Decision<()>, Refusal> {
    let params = &snapshot.boot.boot_params;
    let nothing = BootConfig::default();
    let mut shared: BTreeSet<Arc<BootConfig>> = BTreeSet::new();
    let mut changes = Vec::new();
    for key in &request.keys {
        let old = params.get(key);
        let new = request.fields.over(old.map_or(&nothing, |config| config));
        if new.kernel.is_empty() {
            return Err(Refusal::NoKernel(key.clone()));
        }
        if old.is_some_and(|old| **old == new) {
            continue;
        }
        // Keys that end up with the same parameters share one value in memory.
        let new = shared.get(&new).cloned().unwrap_or_else(|| Arc::new(new));
        shared.insert(new.clone());
        changes.push(Change::Put(Object::BootParams(key.clone(), new)));
    }
    Ok(Decision::new((), changes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bss::parse_request;

    const A: &str = "mac:02:00:00:00:00:0a";
    const B: &str = "host:x1000c1s7b0n0";

    fn snapshot() -> Snapshot {
        let config = BootConfig { kernel: "k".into(), initrd: "i".into(), params: "p".into(), ..Default::default() };
        let key = A.parse().unwrap();
        Snapshot::rebuilt([Object::BootParams(key, Arc::new(config))], 1)
    }

    fn ask(body: &str) -> Request {
        parse_request(body.as_bytes()).unwrap()
    }

    fn told(decision: &Decision<()>) -> Vec<String> {
        let text = |change: &Change| match change {
            Change::Put(Object::BootParams(key, c)) => format!("{key} {}|{}|{}", c.kernel, c.initrd, c.params),
            Change::Delete(key) => format!("delete {}", key.id),
            other => panic!("{other:?}"),
        };
        decision.changes.iter().map(text).collect()
    }

    #[test]
    fn a_create_stores_every_kind_of_key_and_leaves_alone_what_exists() {
        let decision = create(&snapshot(), &ask(r#"{"hosts":["x1000c1s7b0n0"],"nids":[8],"kernel":"n"}"#)).unwrap();
        assert_eq!(told(&decision), [format!("{B} n||"), "nid:8 n||".to_owned()]);
        let both = ask(r#"{"hosts":["x1000c1s7b0n0"],"macs":["02:00:00:00:00:0a"],"kernel":"n"}"#);
        assert_eq!(told(&create(&snapshot(), &both).unwrap()), [format!("{B} n||")]);
        let old = ask(r#"{"macs":["02:00:00:00:00:0a"],"kernel":"n"}"#);
        assert_eq!(create(&snapshot(), &old).unwrap_err(), Refusal::Exists(A.parse().unwrap()));
        assert_eq!(create(&snapshot(), &ask(r#"{"kernel":"n"}"#)).unwrap_err(), Refusal::NoKeys);
        let without = create(&snapshot(), &ask(r#"{"nids":[8],"params":"p"}"#)).unwrap_err();
        assert_eq!(without, Refusal::NoKernel(BootKey::Nid(crate::model::Nid(8))));
    }

    #[test]
    fn a_put_merges_with_what_is_there() {
        let both = r#""hosts":["x1000c1s7b0n0"],"macs":["02:00:00:00:00:0a"]"#;
        let decision = put(&snapshot(), &ask(&format!(r#"{{{both},"kernel":"n"}}"#))).unwrap();
        assert_eq!(told(&decision), [format!("{A} n|i|p"), format!("{B} n||")]);
        let error = put(&snapshot(), &ask(&format!(r#"{{{both},"params":"n"}}"#))).unwrap_err();
        assert_eq!(error, Refusal::NoKernel(B.parse().unwrap()));
        assert_eq!(put(&snapshot(), &ask("{}")).unwrap_err(), Refusal::NoData);
        assert_eq!(put(&snapshot(), &ask(&format!("{{{both}}}"))).unwrap_err(), Refusal::NoData);
        assert_eq!(put(&snapshot(), &ask(r#"{"kernel":"n"}"#)).unwrap_err(), Refusal::NoKeys);
    }

    #[test]
    fn what_stays_as_it_is_is_not_written() {
        let same = ask(r#"{"macs":["02:00:00:00:00:0a"],"kernel":"k","params":"p"}"#);
        assert!(put(&snapshot(), &same).unwrap().changes.is_empty());
    }

    #[test]
    fn keys_that_boot_the_same_share_one_value() {
        let decision = put(&snapshot(), &ask(r#"{"nids":[1,2],"kernel":"n"}"#)).unwrap();
        let [Change::Put(Object::BootParams(_, a)), Change::Put(Object::BootParams(_, b))] = &decision.changes[..]
        else {
            panic!("{decision:?}")
        };
        assert!(Arc::ptr_eq(a, b));
    }

    #[test]
    fn a_patch_changes_all_of_its_keys_or_none() {
        let decision = patch(&snapshot(), &ask(r#"{"macs":["02:00:00:00:00:0a"],"initrd":"n"}"#)).unwrap();
        assert_eq!(told(&decision), [format!("{A} k|n|p")]);
        let both = ask(r#"{"hosts":["x1000c1s7b0n0"],"macs":["02:00:00:00:00:0a"],"kernel":"n"}"#);
        assert_eq!(patch(&snapshot(), &both).unwrap_err(), Refusal::Missing(vec![B.parse().unwrap()]));
        assert_eq!(patch(&snapshot(), &ask("{}")).unwrap_err(), Refusal::NothingNamed);
        let empty = patch(&snapshot(), &ask(r#"{"macs":["02:00:00:00:00:0a"]}"#)).unwrap_err();
        assert_eq!(empty, Refusal::NothingGiven);
    }

    #[test]
    fn a_delete_that_names_keys_deletes_nothing_else() {
        let all = [format!("delete {A}")];
        let named = ask(r#"{"macs":["02:00:00:00:00:0a","02:00:00:00:00:0b"],"kernel":"other"}"#);
        assert_eq!(told(&delete(&snapshot(), &named).unwrap()), all);
        assert_eq!(told(&delete(&snapshot(), &ask(r#"{"kernel":"k","params":"p"}"#)).unwrap()), all);
        for nothing in [r#"{"kernel":"k","params":"x"}"#, r#"{"nids":[1],"kernel":"k"}"#] {
            assert_eq!(delete(&snapshot(), &ask(nothing)).unwrap_err(), Refusal::NothingToDelete);
        }
        assert!(delete(&snapshot(), &ask("{}")).unwrap().changes.is_empty());
    }
}
