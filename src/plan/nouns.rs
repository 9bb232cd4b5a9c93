//! Whole objects made of owned fields: what the services add of their own when they create one, and how a change is
//! merged into an object that is there.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::fields::Fields;
use crate::model::{ComponentEndpoint, Kind, Object, ObjectKey, Timestamp, Xname};

/// The object that owned fields make where there is none, complete with what SMD would fill in.
///
/// # Errors
///
/// A text saying what is wrong with the fields; it holds no value of a secret kind.
pub(super) fn fresh(key: &ObjectKey, doc: &str, created: Timestamp) -> Result<Object, String> {
    let rest = doc.strip_prefix('{').ok_or("its fields are no JSON object")?;
    let mut text = String::with_capacity(doc.len() + 96);
    text.push('{');
    text.push_str(&additions(key, doc, created));
    if rest.starts_with('}') {
        text.truncate(text.trim_end_matches(',').len());
    }
    text.push_str(rest);
    let object = Object::from_json(key, &text).map_err(|error| error.to_string())?;
    Ok(match object {
        Object::RedfishEndpoint(mut endpoint) => {
            let known = Arc::make_mut(&mut endpoint);
            // SMD splits the name only where it was given one; without, it puts the xname there and splits nothing.
            if known.fqdn != known.id.as_str() {
                let (hostname, domain) = known.fqdn.split_once('.').unwrap_or((known.fqdn.as_str(), ""));
                (known.hostname, known.domain) = (hostname.to_owned(), domain.to_owned());
            }
            Object::RedfishEndpoint(endpoint)
        }
        Object::ComponentEndpoint(mut endpoint) => {
            complete_info(Arc::make_mut(&mut endpoint));
            Object::ComponentEndpoint(endpoint)
        }
        other => other,
    })
}

/// The identifier and the fields that a service fills in, as the beginning of a JSON object, each with a comma behind
/// it.
fn additions(key: &ObjectKey, doc: &str, created: Timestamp) -> String {
    let id = Value::from(&*key.id);
    match key.kind {
        Kind::Component if is_node(key) => {
            let has_role = Fields::parse(doc).is_some_and(|fields| fields.get("role").is_some());
            let role = if has_role { "" } else { r#""role":"Compute","# };
            format!(r#""id":{id},"state":"On","flag":"OK",{role}"#)
        }
        Kind::Component | Kind::RedfishEndpoint | Kind::ComponentEndpoint => format!(r#""id":{id},"#),
        Kind::EthernetInterface => format!(r#""mac":{id},"last_update":{},"#, created.0),
        Kind::Group => format!(r#""label":{id},"#),
        Kind::CloudInit | Kind::CloudInitSecure | Kind::CloudInitGroup => format!(r#""name":{id},"#),
        Kind::InstanceInfo => format!(r#""id":{id},"#),
        Kind::ClusterDefaults | Kind::BootParams => String::new(),
    }
}

fn is_node(key: &ObjectKey) -> bool {
    key.id.parse::<Xname>().is_ok_and(|xname| xname.is_node())
}

/// What a field of a new object holds when the inventory does not say; a released field goes back to it.
pub(super) fn default_value(key: &ObjectKey, field: &str) -> Option<Value> {
    (key.kind == Kind::Component && field == "role" && is_node(key)).then(|| Value::from("Compute"))
}

/// Puts fields into an object that is there; `None` empties one. All other fields stay.
///
/// # Errors
///
/// As [`fresh`].
pub(super) fn merged(
    key: &ObjectKey,
    live: &Object,
    fields: impl IntoIterator<Item = (String, Option<Value>)>,
    created: Timestamp,
) -> Result<Object, String> {
    let mut tree: Map<String, Value> = live.fields();
    for (name, value) in fields {
        match value {
            Some(part) if name == "info" => {
                let known = tree.entry(name).or_insert(Value::Null);
                overlay(known, part);
            }
            Some(value) => drop(tree.insert(name, value)),
            None => drop(tree.remove(&name)),
        }
    }
    if key.kind == Kind::EthernetInterface {
        tree.insert("last_update".to_owned(), created.0.into());
    }
    let object = Object::from_fields(key, tree).map_err(|error| error.to_string())?;
    Ok(match object {
        Object::ComponentEndpoint(mut endpoint) => {
            complete_info(Arc::make_mut(&mut endpoint));
            Object::ComponentEndpoint(endpoint)
        }
        other => other,
    })
}

/// Lays the keys of `part` over those of `known`; whatever is no mapping is replaced.
fn overlay(known: &mut Value, part: Value) {
    match (known, part) {
        (Value::Object(known), Value::Object(part)) => {
            for (key, value) in part {
                overlay(known.entry(key).or_insert(Value::Null), value);
            }
        }
        (known, part) => *known = part,
    }
}

/// Adds what SMD's discovery says of every network card. The reset actions that it lists, too, are left out: nothing
/// is known of what the controller can do, so SMD has only empty lists and paths there.
fn complete_info(endpoint: &mut ComponentEndpoint) {
    let is_system = endpoint.redfish_type == "ComputerSystem";
    let mut info = endpoint.info.tree();
    let Some(Value::Array(nics)) = info.get_mut("EthernetNICInfo") else { return };
    for nic in nics.iter_mut().filter_map(Value::as_object_mut) {
        nic.entry("RedfishId").or_insert_with(|| "".into());
        nic.entry("@odata.id").or_insert_with(|| "".into());
        nic.entry("InterfaceEnabled").or_insert(is_system.into());
        if !is_system {
            let mac = nic.get("MACAddress").cloned().unwrap_or_default();
            nic.entry("Hostname").or_insert_with(|| endpoint.id.as_str().into());
            nic.entry("PermanentMACAddress").or_insert(mac);
        }
    }
    endpoint.info = info.into();
}
