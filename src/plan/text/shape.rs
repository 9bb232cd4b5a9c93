//! When two changes are the same: the key by which they fold.

use serde_json::Value;

use super::super::document::{FieldClass, PlanChange};
use super::words::deleted;

/// What a change has in common with others: everything but each node's own name, place, number and addresses.
pub(super) fn shape(change: &PlanChange) -> String {
    let mut shape = format!("{:?} {:?} {:?} {}", change.kind, change.verb, change.class, change.refused);
    if !change.missing_secrets.is_empty() {
        shape.push_str(&format!(" {:?}", change.missing_secrets));
    }
    if let Some(writer) = &change.provenance {
        shape.push_str(&format!(" {} {}", writer.writer, writer.at));
    }
    let id = change.address.split_once('/').map_or("", |(_, id)| id);
    for field in &change.fields {
        // Which object was deleted is each node's own; its kind is what nodes have in common.
        if let Some(kind) = deleted(field) {
            shape.push_str(&format!("\ndeleted {kind}"));
            continue;
        }
        shape.push_str(&format!("\n{} {:?}", field.path, field.class));
        if is_own(&field.path) && field.class != FieldClass::Conflict {
            continue;
        }
        for value in [&field.last, &field.live, &field.want] {
            shape.push('\t');
            if let Some(value) = value {
                shape.push_str(&own_values_removed(value, &change.name, id));
            }
        }
        shape.push_str(&format!("{:?}{:?}", field.added, field.removed));
    }
    shape
}

/// True for fields whose values are each node's own.
fn is_own(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let own =
        ["mac", "ip", "nid", "name", "xname", "fqdn", "uuid", "ip_addresses", "component_id", "description", "key"];
    own.contains(&name) || path.contains("redfish/") || path.starts_with("/interfaces/")
}

fn own_values_removed(value: &Value, name: &str, id: &str) -> String {
    let text = value.to_string();
    let text = if name.is_empty() { text } else { text.replace(name, "\u{1}") };
    if id.is_empty() { text } else { text.replace(id, "\u{2}") }
}
