//! The words of a plan: what fields are called, and what a change does.
//!
//! Fields have the names that the inventory's files use. What the files do not name has SMD's own name.

use super::super::document::{Class, FieldChange, FieldClass, PlanChange, Subject, Verb};
use super::fold;

/// What a field is called, from its path within the subject.
pub(super) fn label(path: &str) -> String {
    let path = path.trim_start_matches('/');
    if let Some(rest) = path.strip_prefix("interfaces/") {
        let (number, field) = rest.split_once('/').map_or((rest, None), |(number, field)| (number, Some(field)));
        let field = field.map(|field| format!(" {}", label(field))).unwrap_or_default();
        return format!("interfaces[{}]{field}", fold::escape(number));
    }
    let known = match path {
        "" => "content",
        "mac" => "mac_addr",
        "ip" | "ip_addresses" => "ip_addr",
        "sub_role" => "subrole",
        "groups" => "group",
        "jinja" => "template",
        "enabled" => "Enabled",
        "description" => "Description",
        "component_id" => "ComponentID of mac_addr",
        "key" | "boot/key" => "boot entry",
        "interface" => "interface",
        "bmc" | "bmc/xname" => "BMC",
        "bmc/mac" | "bmc/interface/mac" => "bmc_mac",
        "bmc/ip" | "bmc/interface/ip" | "bmc/interface/ip_addresses" => "bmc_ip",
        "bmc/fqdn" => "bmc_fqdn",
        "content" => "file",
        "encoding" => "file encoding",
        "filename" => "file name",
        "meta_data" => "meta-data",
        "availability_zone" => "availability-zone",
        "cluster_name" => "cluster-name",
        "public_keys" => "public-keys",
        "base_url" => "base-url",
        "boot_subnet" => "boot-subnet",
        "wg_subnet" => "wg-subnet",
        "short_name" => "short-name",
        "nid_length" => "nid-length",
        "local_hostname" => "local-hostname",
        "instance_type" => "instance-type",
        "cloud_init_base_url" => "cloud-init-base-url",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    for (prefix, word) in [("boot/", ""), ("bmc/interface/", "BMC interface "), ("bmc/redfish/", "BMC Redfish ")] {
        if let Some(rest) = path.strip_prefix(prefix) {
            return format!("{word}{}", label(rest));
        }
    }
    for (prefix, word) in [("bmc/", "BMC "), ("redfish/", "Redfish ")] {
        if let Some(rest) = path.strip_prefix(prefix) {
            return format!("{word}{}", label(rest));
        }
    }
    fold::escape(path).into_owned()
}

/// True for fields that follow from others of the same node, such as the texts that hold its name.
pub(super) fn is_derived(path: &str) -> bool {
    path.contains("redfish/") || path.ends_with("/description") || path == "/bmc/name" || path.ends_with("/key")
}

/// The kind of object that somebody else deleted, where a field of the drift tells that.
pub(super) fn deleted(field: &FieldChange) -> Option<&str> {
    let text = field.want.as_ref()?.as_str()?;
    (field.class == FieldClass::Drift && field.live.is_none() && field.last == field.want)
        .then(|| text.split_once('/').map_or(text, |(kind, _)| kind))
}

/// True for drift in which the subject itself is gone, not only a part of it.
pub(super) fn is_gone(change: &PlanChange) -> bool {
    change.class == Class::Drift
        && change.verb == Verb::Recreate
        && (change.kind != Subject::Node
            || change.fields.iter().any(|field| field.path == "/" && deleted(field).is_some()))
}

/// What people call an object of a kind.
pub(super) fn noun(kind: &str) -> &'static str {
    match kind {
        "component" => "component",
        "redfish-endpoint" => "Redfish endpoint",
        "component-endpoint" => "component endpoint",
        "ethernet-interface" => "Ethernet interface",
        "group" => "group",
        "boot-params" => "boot entry",
        "cluster-defaults" => "set of cloud-init defaults",
        "cloud-init-group" => "cloud-init group",
        "instance-info" => "cloud-init instance",
        _ => "cloud-init entry",
    }
}

/// Glyph, the same in ASCII, and the word beside it. `drift` holds in the section of drift, `corrected` when drift is
/// put back.
pub(super) fn verb(change: &PlanChange, drift: bool, corrected: bool) -> (&'static str, &'static str, &'static str) {
    match (change.verb, change.class) {
        _ if drift && is_gone(change) && corrected => ("+", "+", "recreate"),
        _ if drift && is_gone(change) => ("!", "!", "deleted"),
        (_, Class::Drift) => ("!", "!", "drift"),
        (_, _) if change.refused => ("=~", "=~", "refused"),
        (_, Class::Conflict) => ("!~", "!~", "conflict"),
        (Verb::Create, _) => ("+", "+", "create"),
        (Verb::Recreate, _) => ("+", "+", "recreate"),
        (Verb::Update, _) => ("~", "~", "update"),
        (Verb::Replace, _) => ("±", "+-", "replace"),
        (Verb::Delete, _) => ("-", "-", "delete"),
        (Verb::Release, _) => ("-", "-", "release"),
        (Verb::Rename, _) => ("→", "->", "rename"),
        (Verb::Adopt, _) => ("=", "=", "adopt"),
        (Verb::AdoptAndChange, _) => ("=~", "=~", "adopt"),
        (Verb::Record, _) => ("=", "=", "same"),
    }
}

/// The sign whose colour a head has.
pub(super) fn color(change: &PlanChange, drift: bool) -> char {
    match change.verb {
        _ if drift || change.class == Class::Conflict || change.refused => '!',
        Verb::Create | Verb::Recreate => '+',
        Verb::Delete | Verb::Release => '-',
        Verb::Update | Verb::Replace | Verb::Rename => '~',
        Verb::Adopt | Verb::AdoptAndChange | Verb::Record => '=',
    }
}

/// The word in front of the names of what is told beside other sorts with the same names.
pub(super) fn sort(subject: Subject) -> &'static str {
    match subject {
        Subject::CloudInitGroup => "group ",
        Subject::InstanceInfo => "node ",
        _ => "",
    }
}

/// What the sorts have in common that are told by [`sort`], and the defaults.
pub(super) fn is_todays(subject: Subject) -> bool {
    matches!(subject, Subject::ClusterDefaults | Subject::CloudInitGroup | Subject::InstanceInfo)
}

/// What the names are.
pub(super) fn detail(first: &PlanChange, block: &[&PlanChange]) -> String {
    let id = |change: &PlanChange| change.address.split_once('/').map_or_else(String::new, |(_, id)| id.to_owned());
    let of_node = matches!(first.kind, Subject::Node | Subject::Boot | Subject::InstanceInfo);
    match (first.kind, block.len()) {
        (Subject::CloudInitSecure, _) => "secure".to_owned(),
        (_, 1) if of_node => fold::escape(&id(first)).into_owned(),
        (Subject::CloudInit, 1) if id(first) != *first.name => fold::escape(&id(first)).into_owned(),
        (_, 1) => String::new(),
        (Subject::Node, count) if matches!(first.verb, Verb::Create | Verb::Recreate | Verb::Delete) => {
            let ids: Vec<String> = block.iter().map(|change| id(change)).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            format!("{} in {}", fold::count(count as u64, "node"), fold::names(&ids, 1))
        }
        (kind, count) => {
            let noun = match kind {
                Subject::Node | Subject::Boot | Subject::InstanceInfo => "node",
                Subject::CloudInit | Subject::CloudInitSecure | Subject::ClusterDefaults => "entry",
                Subject::Group | Subject::CloudInitGroup => "group",
            };
            format!("{}, same change", fold::count(count as u64, noun))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_the_names_of_the_files_or_of_smd() {
        for (path, name) in [
            ("/mac", "mac_addr"),
            ("/ip_addresses", "ip_addr"),
            ("/interfaces/1/mac", "interfaces[1] mac_addr"),
            ("/interfaces/1", "interfaces[1]"),
            ("/bmc/mac", "bmc_mac"),
            ("/bmc/interface/ip_addresses", "bmc_ip"),
            ("/bmc/interface/description", "BMC interface Description"),
            ("/bmc/redfish/info", "BMC Redfish info"),
            ("/bmc/name", "BMC name"),
            ("/boot/kernel", "kernel"),
            ("/boot/key", "boot entry"),
            ("/groups", "group"),
            ("/", "content"),
            ("/meta_data", "meta-data"),
            ("/content", "file"),
            ("/a\u{1b}", "a\\u{1b}"),
        ] {
            assert_eq!(label(path), name, "{path}");
        }
    }
}
