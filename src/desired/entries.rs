//! cloud-init entries of both stores, with the secrets of the secure one put in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{DesiredObject, Places, Unresolved, doc};
use crate::inventory::{Entry, Inventory, Origin, step};
use crate::model::{Kind, ObjectKey, Xname};

/// The key of the mapping that stands for a secret.
const REFERENCE: &str = "$secret";

type Resolve<'a> = &'a dyn Fn(&Value) -> Result<Value, String>;

/// Adds the entries; answers those that wait for a secret.
pub(super) fn objects(
    inventory: &Inventory,
    resolve: Resolve<'_>,
    objects: &mut BTreeMap<ObjectKey, DesiredObject>,
    places: &mut Places,
) -> Vec<Unresolved> {
    let names: BTreeMap<&Xname, &Arc<str>> = inventory.nodes.iter().map(|node| (&node.xname, &node.name)).collect();
    let mut add = |kind, entry: &Entry, doc: String| {
        let owner: Option<Arc<str>> = entry.node.clone().map(Into::into);
        let name = entry.node.as_ref().and_then(|xname| names.get(xname)).map(|name| (*name).clone());
        let name = name.unwrap_or_else(|| entry.name.clone().into());
        let object = DesiredObject { doc: doc.into(), owner, name, origin: entry.origin.clone() };
        let key = key_of(kind, entry);
        places.add_entry(&key, &entry.lines);
        objects.insert(key, object);
    };
    for entry in &inventory.cloud_init {
        add(Kind::CloudInit, entry, text(entry, &entry.userdata, &entry.metadata, &entry.vendordata));
    }
    let mut unresolved = Vec::new();
    for entry in &inventory.cloud_init_secure {
        match secure(entry, resolve) {
            Ok(doc) => add(Kind::CloudInitSecure, entry, doc),
            Err(reason) => unresolved.push(Unresolved {
                key: key_of(Kind::CloudInitSecure, entry),
                reason,
                origin: reference(entry),
            }),
        }
    }
    unresolved
}

/// The services know nodes by xname, so an entry that a file names after a node is stored under that.
fn key_of(kind: Kind, entry: &Entry) -> ObjectKey {
    ObjectKey::new(kind, entry.node.clone().map_or_else(|| entry.name.clone().into(), Arc::<str>::from))
}

fn text(entry: &Entry, userdata: &Value, metadata: &Value, vendordata: &Value) -> String {
    doc::text(&doc::CloudInit { jinja: entry.jinja, metadata, userdata, vendordata })
}

fn secure(entry: &Entry, resolve: Resolve<'_>) -> Result<String, String> {
    let userdata = resolved(&entry.userdata, resolve)?;
    let metadata = resolved(&entry.metadata, resolve)?;
    let vendordata = resolved(&entry.vendordata, resolve)?;
    Ok(text(entry, &userdata, &metadata, &vendordata))
}

/// The first reference to a secret, which is what an entry that waits for one is about; the entry where none is found.
fn reference(entry: &Entry) -> Origin {
    let documents = [("userdata", &entry.userdata), ("metadata", &entry.metadata), ("vendordata", &entry.vendordata)];
    let pointer = documents.into_iter().find_map(|(name, tree)| first_reference(tree, &step("", name)));
    match pointer.and_then(|pointer| entry.lines.line(&pointer)) {
        Some(line) => Origin { line, end_line: line, ..entry.origin.clone() },
        None => entry.origin.clone(),
    }
}

fn first_reference(tree: &Value, pointer: &str) -> Option<String> {
    match tree {
        Value::Object(map) if is_reference(map) => Some(step(pointer, REFERENCE)),
        Value::Object(map) => map.iter().find_map(|(key, value)| first_reference(value, &step(pointer, key))),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(place, value)| first_reference(value, &step(pointer, &place.to_string()))),
        _ => None,
    }
}

/// The tree with every reference replaced by its value; the tree itself where it holds none.
fn resolved<'a>(tree: &'a Value, resolve: Resolve<'_>) -> Result<Cow<'a, Value>, String> {
    if !holds_reference(tree) {
        return Ok(Cow::Borrowed(tree));
    }
    let value = match tree {
        Value::Object(map) if is_reference(map) => resolve(tree)?,
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| Ok((key.clone(), resolved(value, resolve)?.into_owned())))
                .collect::<Result<_, String>>()?,
        ),
        Value::Array(list) => Value::Array(
            list.iter().map(|value| resolved(value, resolve).map(Cow::into_owned)).collect::<Result<_, String>>()?,
        ),
        other => other.clone(),
    };
    Ok(Cow::Owned(value))
}

fn is_reference(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.contains_key(REFERENCE)
}

fn holds_reference(tree: &Value) -> bool {
    match tree {
        Value::Object(map) => is_reference(map) || map.values().any(holds_reference),
        Value::Array(list) => list.iter().any(holds_reference),
        _ => false,
    }
}
