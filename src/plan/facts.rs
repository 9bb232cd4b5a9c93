//! What an object is, told in the fields people know a node by: MAC and IP address, number, kernel.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::document::{FieldChange, FieldClass};
use super::judge::Outcome;
use crate::model::{BootConfig, EthernetInterface, Kind, Object};

/// A field without values.
pub(super) fn field(path: &str, class: FieldClass) -> FieldChange {
    FieldChange {
        path: path.to_owned(),
        class,
        last: None,
        live: None,
        want: None,
        added: Vec::new(),
        removed: Vec::new(),
        sensitive: false,
    }
}

/// As it is, or as it will be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// The object as it will be, or as it is when it goes.
fn object<'o>(outcome: &'o Outcome<'_>) -> Option<&'o Object> {
    outcome.after.as_ref().or(outcome.sides.live)
}

fn on_side<'o>(outcome: &'o Outcome<'_>, side: Side) -> Option<&'o Object> {
    match side {
        Side::Before => outcome.sides.live,
        Side::After => object(outcome),
    }
}

/// The interface of an outcome.
pub(super) fn interface<'o>(outcome: &'o Outcome<'_>, side: Side) -> Option<&'o EthernetInterface> {
    match on_side(outcome, side)? {
        Object::EthernetInterface(interface) => Some(interface),
        _ => None,
    }
}

/// What a boot entry says.
pub(super) fn boot_config<'o>(outcome: &'o Outcome<'_>) -> Option<&'o BootConfig> {
    match object(outcome)? {
        Object::BootParams(_, config) => Some(config),
        _ => None,
    }
}

/// Where the fields of an object stand within its line.
pub(super) fn prefix(outcome: &Outcome<'_>) -> String {
    prefix_on(outcome, Side::After)
}

fn prefix_on(outcome: &Outcome<'_>, side: Side) -> String {
    let key = outcome.sides.key;
    let is_node = super::ops::owner(outcome).is_none_or(|owner| *owner == key.id);
    match key.kind {
        Kind::Component if !is_node => "/bmc".to_owned(),
        Kind::RedfishEndpoint => "/bmc".to_owned(),
        Kind::ComponentEndpoint if is_node => "/redfish".to_owned(),
        Kind::ComponentEndpoint => "/bmc/redfish".to_owned(),
        Kind::EthernetInterface => slot(outcome, side),
        Kind::BootParams => "/boot".to_owned(),
        _ => String::new(),
    }
}

/// The path of an object as a whole.
pub(super) fn place_of(outcome: &Outcome<'_>) -> String {
    let prefix = prefix(outcome);
    match outcome.sides.key.kind {
        Kind::EthernetInterface => format!("{prefix}/interface"),
        _ if prefix.is_empty() => "/".to_owned(),
        _ => prefix,
    }
}

/// Where an interface stands: the first one's fields are the node's own, later ones are numbered.
pub(super) fn slot(outcome: &Outcome<'_>, side: Side) -> String {
    let description = interface(outcome, side).map(|interface| interface.description.as_str()).unwrap_or_default();
    if description.starts_with("Interface for BMC ") {
        return "/bmc/interface".to_owned();
    }
    let number = description.strip_prefix("Interface ").and_then(|rest| rest.split(' ').next());
    match number.and_then(|number| number.parse::<u32>().ok()) {
        Some(0) => String::new(),
        Some(number) => format!("/interfaces/{number}"),
        None => format!("/interfaces/{}", outcome.sides.key.id),
    }
}

/// The fields of an object that comes or goes, with their values.
fn told(outcome: &Outcome<'_>, side: Side) -> Vec<(String, Value)> {
    let prefix = prefix_on(outcome, side);
    let mut told = Vec::new();
    let mut tell = |name: &str, value: Value| {
        let empty = matches!(&value, Value::Null) || value.as_str().is_some_and(str::is_empty);
        if !empty {
            told.push((format!("{prefix}/{name}"), value));
        }
    };
    match on_side(outcome, side) {
        Some(Object::Component(component)) => {
            tell("nid", component.nid.map_or(Value::Null, |nid| nid.0.into()));
            tell("role", component.role.map_or(Value::Null, |role| role.as_str().into()));
            tell("sub_role", component.sub_role.map_or(Value::Null, |role| role.as_str().into()));
            tell("arch", component.arch.map_or(Value::Null, |arch| arch.as_str().into()));
            tell("class", component.class.map_or(Value::Null, |class| class.as_str().into()));
        }
        Some(Object::RedfishEndpoint(endpoint)) => {
            tell("xname", endpoint.id.as_str().into());
            tell("mac", endpoint.mac.map_or(Value::Null, |mac| mac.to_string().into()));
            tell("ip", endpoint.ip.map_or(Value::Null, |ip| ip.to_string().into()));
            if endpoint.fqdn != endpoint.id.as_str() {
                tell("fqdn", endpoint.fqdn.as_str().into());
            }
        }
        Some(Object::EthernetInterface(interface)) => {
            tell("mac", interface.mac.to_string().into());
            tell("ip", ips(interface));
        }
        Some(Object::Group(group)) => tell("description", group.description.as_str().into()),
        Some(Object::CloudInit(entry)) => {
            tell("userdata", entry.userdata.clone());
            tell("metadata", entry.metadata.clone());
            tell("vendordata", entry.vendordata.clone());
        }
        Some(Object::BootParams(key, config)) => {
            tell("key", key.to_string().into());
            tell("kernel", (&*config.kernel).into());
            tell("initrd", (&*config.initrd).into());
            tell("params", (&*config.params).into());
            tell("template", (&*config.template).into());
            tell("script", (&*config.script).into());
        }
        Some(Object::CloudInitGroup(group)) => {
            tell("description", group.description.as_str().into());
            tell("meta_data", group.meta_data.tree());
            tell("content", readable(group.content.as_str().into(), &group.encoding));
        }
        Some(object @ (Object::ClusterDefaults(_) | Object::InstanceInfo(_))) => {
            object.fields().into_iter().for_each(|(name, value)| tell(&name, value));
        }
        Some(Object::CloudInitSecure(_) | Object::ComponentEndpoint(_)) | None => {}
    }
    told
}

/// The content of a group's file as people read it: a text that is encoded says nothing to them.
pub(super) fn readable(content: Value, encoding: &str) -> Value {
    let text = content.as_str().filter(|_| encoding == "base64");
    let bare = text.map(|text| text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>());
    let decoded = bare.and_then(|bare| STANDARD.decode(bare).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.map_or(content, Value::from)
}

fn ips(interface: &EthernetInterface) -> Value {
    let mut ips = interface.ip_addresses.iter().map(|address| Value::from(address.ip.to_string()));
    match (interface.ip_addresses.len(), ips.next()) {
        (0, _) | (_, None) => Value::Null,
        (1, Some(only)) => only,
        (_, Some(first)) => Value::from_iter(std::iter::once(first).chain(ips)),
    }
}

/// The fields of something new. The controller's own interface is not told again beside the controller.
pub(super) fn created(parts: &[&Outcome<'_>]) -> Vec<FieldChange> {
    let mut fields: Vec<FieldChange> = parts
        .iter()
        .filter(|outcome| prefix(outcome) != "/bmc/interface")
        .flat_map(|outcome| part(outcome, Side::After))
        .collect();
    sort(&mut fields);
    fields
}

/// Puts first what identifies a node, and then what it boots in the order in which it is loaded.
pub(super) fn sort(fields: &mut [FieldChange]) {
    let first = ["/mac", "/ip", "/nid", "/role", "/boot/kernel", "/boot/initrd", "/boot/params"];
    fields.sort_by_key(|field| first.iter().position(|known| *known == field.path).unwrap_or(first.len()));
}

/// The fields of a part that comes, or goes.
pub(super) fn part(outcome: &Outcome<'_>, side: Side) -> Vec<FieldChange> {
    let comes = side == Side::After;
    let mut fields: Vec<FieldChange> = told(outcome, side)
        .into_iter()
        .map(|(path, value)| {
            let mut field = field(&path, FieldClass::Intent);
            *(if comes { &mut field.want } else { &mut field.live }) = Some(value);
            field
        })
        .collect();
    match on_side(outcome, side) {
        Some(Object::Group(group)) if comes => {
            let mut members = field("/members", FieldClass::Intent);
            members.added = group.members.iter().map(ToString::to_string).collect();
            fields.push(members);
        }
        Some(Object::CloudInitSecure(_)) => {
            let mut secret = field("/", FieldClass::Intent);
            secret.sensitive = true;
            secret.want = Some(Value::from("changed"));
            fields.push(secret);
        }
        _ => {}
    }
    fields
}

/// What some objects have in place of others, path by path.
pub(super) fn replacement(old: &[&Outcome<'_>], new: &[&Outcome<'_>]) -> Vec<FieldChange> {
    let before: Vec<_> = old.iter().flat_map(|part| told(part, Side::Before)).collect();
    let after: Vec<_> = new.iter().flat_map(|part| told(part, Side::After)).collect();
    let mut fields = Vec::new();
    for (path, value) in &after {
        let last = before.iter().find(|(known, _)| known == path).map(|(_, value)| value.clone());
        if last.as_ref() != Some(value) {
            let mut field = field(path, FieldClass::Intent);
            (field.last, field.live, field.want) = (last.clone(), last, Some(value.clone()));
            fields.push(field);
        }
    }
    for (path, value) in before.into_iter().filter(|(path, _)| !after.iter().any(|(known, _)| known == path)) {
        let mut field = field(&path, FieldClass::Intent);
        (field.last, field.live) = (Some(value.clone()), Some(value));
        fields.push(field);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_encoded_is_shown_as_the_text_that_it_is() {
        let shown = |content: &str, encoding| readable(content.into(), encoding);
        assert_eq!(shown("I2Nsb3VkLWNv\nbmZpZwo=", "base64"), "#cloud-config\n");
        assert_eq!(shown("I2Nsb3VkLWNvbmZpZwo=", "plain"), "I2Nsb3VkLWNvbmZpZwo=");
        assert_eq!(shown("H4sIAAAA", "base64"), "H4sIAAAA", "what is no text stays as it is");
        assert_eq!(shown("@@@", "base64"), "@@@");
    }
}
