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

/// Entries that wait for a secret.
#[derive(Default)]
pub(super) struct Waiting {
    /// The entries, with the references that lead nowhere left in their documents.
    pub(super) objects: BTreeMap<ObjectKey, DesiredObject>,
    /// The references.
    pub(super) unresolved: Vec<Unresolved>,
}

/// Adds the entries; answers those that wait for a secret.
pub(super) fn objects(
    inventory: &Inventory,
    resolve: Resolve<'_>,
    objects: &mut BTreeMap<ObjectKey, DesiredObject>,
    places: &mut Places,
) -> Waiting {
    let names: BTreeMap<&Xname, &Arc<str>> = inventory.nodes.iter().map(|node| (&node.xname, &node.name)).collect();
    let mut made = |kind, entry: &Entry, doc: String| {
        let owner: Option<Arc<str>> = entry.node.clone().map(Into::into);
        let name = entry.node.as_ref().and_then(|xname| names.get(xname)).map(|name| (*name).clone());
        let name = name.unwrap_or_else(|| entry.name.clone().into());
        let key = key_of(kind, entry);
        places.add_entry(&key, &entry.lines);
        (key, DesiredObject { doc: doc.into(), owner, name, origin: entry.origin.clone() })
    };
    for entry in &inventory.cloud_init {
        let doc = text(entry, &entry.userdata, &entry.metadata, &entry.vendordata);
        objects.extend([made(Kind::CloudInit, entry, doc)]);
    }
    let mut waiting = Waiting::default();
    for entry in &inventory.cloud_init_secure {
        let (doc, missing) = secure(entry, resolve);
        let (key, object) = made(Kind::CloudInitSecure, entry, doc);
        if missing.is_empty() {
            objects.insert(key, object);
            continue;
        }
        waiting.unresolved.extend(missing.into_iter().map(|Missing { pointer, secret, reason }| Unresolved {
            key: key.clone(),
            secret,
            reason,
            origin: reference(entry, &pointer),
        }));
        waiting.objects.insert(key, object);
    }
    waiting
}

/// The services know nodes by xname, so an entry that a file names after a node is stored under that.
fn key_of(kind: Kind, entry: &Entry) -> ObjectKey {
    ObjectKey::new(kind, entry.node.clone().map_or_else(|| entry.name.clone().into(), Arc::<str>::from))
}

fn text(entry: &Entry, userdata: &Value, metadata: &Value, vendordata: &Value) -> String {
    doc::text(&doc::CloudInit { jinja: entry.jinja, metadata, userdata, vendordata })
}

/// A reference that leads nowhere.
struct Missing {
    /// Where it stands: `/userdata/write_files/0/content/$secret`.
    pointer: String,
    secret: String,
    reason: String,
}

/// The document of an entry, and the references that had to be left in it.
fn secure(entry: &Entry, resolve: Resolve<'_>) -> (String, Vec<Missing>) {
    let mut missing = Vec::new();
    let mut of = |name, tree| resolved(tree, &step("", name), resolve, &mut missing);
    let userdata = of("userdata", &entry.userdata);
    let metadata = of("metadata", &entry.metadata);
    let vendordata = of("vendordata", &entry.vendordata);
    (text(entry, &userdata, &metadata, &vendordata), missing)
}

/// The place of a reference in the file; that of the entry where it is not known.
fn reference(entry: &Entry, pointer: &str) -> Origin {
    match entry.lines.line(pointer) {
        Some(line) => Origin { line, end_line: line, ..entry.origin.clone() },
        None => entry.origin.clone(),
    }
}

/// The tree with every reference replaced by its value, but for those whose value is `missing`; the tree itself where it
/// holds none.
fn resolved<'a>(tree: &'a Value, pointer: &str, resolve: Resolve<'_>, missing: &mut Vec<Missing>) -> Cow<'a, Value> {
    if !holds_reference(tree) {
        return Cow::Borrowed(tree);
    }
    let mut below = |key: &str, value| resolved(value, &step(pointer, key), resolve, missing).into_owned();
    Cow::Owned(match tree {
        Value::Object(map) if is_reference(map) => match resolve(tree) {
            Ok(value) => value,
            Err(reason) => {
                missing.push(Missing { pointer: step(pointer, REFERENCE), secret: secret(map), reason });
                tree.clone()
            }
        },
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), below(key, value))).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(place, value)| below(&place.to_string(), value)).collect(),
        other => other.clone(),
    })
}

/// What a reference calls its secret: a file or a variable.
fn secret(reference: &Map<String, Value>) -> String {
    let source = reference.get(REFERENCE).and_then(|source| source.get("file").or_else(|| source.get("env")));
    source.and_then(Value::as_str).unwrap_or_default().to_owned()
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
