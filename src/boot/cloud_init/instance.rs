//! What today's cloud-init server tells a node: `#cloud-config` and nothing more as its user-data, its groups' files to
//! include as vendor-data, and as meta-data what the cluster, its groups and its own entry say.
//!
//! Groups stand in the order of their labels, so that a node is told the same thing twice.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::model::{CloudInitGroup, ClusterDefaults, Component, EntryName, GroupLabel, InstanceInfo, Nid};
use crate::snapshot::BootView;
use crate::wire::cloud_init::{AdminError, file_of, yaml};

/// The user-data of every node, and the file of a group that has none. The original sends it without a line break.
pub const EMPTY: &str = "#cloud-config";

/// The vendor-data of a node without groups.
pub const NO_GROUPS: &str = "#include\n";

/// How many digits the number in a host name has where the defaults do not say.
const DIGITS: u32 = 4;

/// What this installation says where the cluster's defaults say nothing.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// Where nodes find their groups' files, without a slash at its end.
    pub base_url: &'a str,
    /// The cluster's name.
    pub cluster_name: &'a str,
}

/// What is asked about: a component, and what is kept of it.
struct Subject<'a> {
    view: &'a BootView,
    component: &'a Component,
    defaults: Cow<'a, ClusterDefaults>,
    own: Option<&'a InstanceInfo>,
}

impl<'a> Subject<'a> {
    fn new(view: &'a BootView, component: &'a Component) -> Self {
        let defaults = view.cluster_defaults.as_deref().map_or_else(Cow::default, Cow::Borrowed);
        Self { view, component, defaults, own: view.instances.get(&component.id).map(|own| &**own) }
    }

    /// The node's groups by label, each with what is kept of it.
    fn groups(&self) -> impl Iterator<Item = (&'a str, Option<&'a CloudInitGroup>)> {
        let view = self.view;
        view.groups_of(&self.component.id).map(move |group| (group.label.as_str(), kept(view, group.label.as_str())))
    }

    /// The URL that the node's own entry or the defaults give; nobody else's entry has a say.
    fn base_url(&self) -> Option<&str> {
        let given = self.own.map(|own| &*own.cloud_init_base_url).into_iter().chain([&*self.defaults.base_url]);
        given.map(|url| url.trim_end_matches('/')).find(|url| !url.is_empty())
    }

    /// The short name, or the first two letters of the cluster's name, and the node's number.
    fn host_name(&self, cluster: &str) -> String {
        let digits = if self.defaults.nid_length == 0 { DIGITS } else { self.defaults.nid_length };
        let nid = self.component.nid.unwrap_or(Nid(0)).0;
        let short = match &*self.defaults.short_name {
            "" => cluster.chars().take(2).collect(),
            short => short.to_owned(),
        };
        format!("{short}{nid:0width$}", width = digits as usize)
    }

    /// The first IPv4 address of the interface that has been as it is for the longest, else its first address: one that
    /// is added later does not change what the node is told. The original takes the first in its database's order, which
    /// is the same.
    fn address(&self) -> Option<String> {
        let mut interfaces: Vec<_> = self.view.interfaces_of(&self.component.id).collect();
        interfaces.sort_by_key(|interface| interface.last_update);
        let addresses = || interfaces.iter().flat_map(|interface| &interface.ip_addresses).map(|address| address.ip);
        addresses().find(std::net::IpAddr::is_ipv4).or_else(|| addresses().next()).map(|ip| ip.to_string())
    }
}

fn kept<'a>(view: &'a BootView, label: &str) -> Option<&'a CloudInitGroup> {
    view.cloud_init_groups.get(&label.parse::<EntryName>().ok()?).map(|group| &**group)
}

/// The meta-data of a component, as YAML.
#[must_use]
pub fn meta_data(view: &BootView, component: &Component, site: Site<'_>) -> String {
    let subject = Subject::new(view, component);
    let mut members = members(&subject, site);
    let id = Value::from(instance_id(&subject, &members));
    members["instance-id"] = id.clone();
    members["instance_data"]["v1"]["instance_id"] = id;
    in_order(&members)
}

/// The meta-data as YAML, its members in the order of the original.
fn in_order(members: &Value) -> String {
    fn some<'a>(of: &'a Value, names: &[&'a str]) -> Vec<(&'a str, &'a Value)> {
        names.iter().filter_map(|name| Some((*name, of.get(*name)?))).collect()
    }
    let v1 = &members["instance_data"]["v1"];
    let own =
        ["availability_zone", "instance_id", "instance_type", "region", "local_ipv4", "cloud_provider", "public_keys"];
    let vendor = some(&v1["vendor_data"], &["version", "cloud_init_base_url", "cluster_name", "groups"]);
    [
        &yaml::members_at(0, some(members, &["instance-id", "local-hostname", "hostname", "cluster-name"])),
        "instance_data:\n  v1:\n",
        &yaml::members_at(4, some(v1, &own)),
        "    vendor_data:\n",
        &yaml::members_at(6, vendor),
    ]
    .concat()
}

/// All of the meta-data but the instance's identifier. What is empty is left out where the original leaves it out.
fn members(subject: &Subject<'_>, site: Site<'_>) -> Value {
    let defaults = &subject.defaults;
    let cluster = if defaults.cluster_name.is_empty() { site.cluster_name } else { &defaults.cluster_name };
    let own = |field: fn(&InstanceInfo) -> &String| subject.own.map(field).filter(|text| !text.is_empty());
    let host_name = subject.host_name(cluster);
    let keys: Vec<&String> =
        defaults.public_keys.iter().chain(subject.own.iter().flat_map(|o| &o.public_keys)).collect();

    let mut vendor = Map::new();
    vendor.insert("version".to_owned(), "1.0".into());
    vendor.insert("groups".to_owned(), subject.groups().map(|(label, kept)| (label.to_owned(), told(kept))).collect());
    let mut v1 = Map::new();
    v1.insert("local_ipv4".to_owned(), subject.address().unwrap_or_default().into());
    if !keys.is_empty() {
        v1.insert("public_keys".to_owned(), json!(keys));
    }
    for (members, name, text) in [
        (&mut vendor, "cloud_init_base_url", subject.base_url().unwrap_or_default()),
        (&mut v1, "availability_zone", &*defaults.availability_zone),
    ] {
        if !text.is_empty() {
            members.insert(name.to_owned(), text.into());
        }
    }
    for (name, text) in [
        ("region", &*defaults.region),
        ("cloud_provider", &*defaults.cloud_provider),
        ("instance_type", own(|own| &own.instance_type).map_or("", |text| text)),
    ] {
        if !text.is_empty() {
            v1.insert(name.to_owned(), text.into());
        }
    }
    if !cluster.is_empty() {
        vendor.insert("cluster_name".to_owned(), cluster.into());
    }
    v1.insert("vendor_data".to_owned(), vendor.into());
    json!({
        "local-hostname": own(|own| &own.local_hostname).unwrap_or(&host_name),
        "hostname": own(|own| &own.hostname).unwrap_or(&host_name),
        "cluster-name": cluster,
        "instance_data": {"v1": v1},
    })
}

/// What the members of a group are told of it: its variables, and its description, which a variable may replace.
fn told(group: Option<&CloudInitGroup>) -> Value {
    let description = group.map_or("", |group| &*group.description);
    let description = if description.is_empty() { "No description Found" } else { description };
    let mut members = Map::from_iter([("Description".to_owned(), Value::from(description))]);
    if let Some(Value::Object(variables)) = group.map(|group| group.meta_data.tree()) {
        members.extend(variables);
    }
    members.into()
}

/// The instance's identifier: `i-` and eight digits made of who the node is and of all that it is told, so that it stays
/// over our restarts, and a node whose configuration changed runs the modules that run once an instance again.
fn instance_id(subject: &Subject<'_>, members: &Value) -> String {
    let mut hash = blake3::Hasher::new();
    let mut add = |part: &[u8]| {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(subject.component.id.as_str().as_bytes());
    add(members.to_string().as_bytes());
    for (label, group) in subject.groups() {
        add(label.as_bytes());
        add(group.map_or("", |group| &*group.encoding).as_bytes());
        add(group.map_or("", |group| &*group.content).as_bytes());
    }
    let digits = hash.finalize().to_hex();
    format!("i-{}", &digits[..8])
}

/// The vendor-data of a component: its groups' files to include.
#[must_use]
pub fn vendor_data(view: &BootView, component: &Component, site: Site<'_>) -> String {
    let subject = Subject::new(view, component);
    let base = subject.base_url().unwrap_or(site.base_url);
    let mut text = NO_GROUPS.to_owned();
    for (label, _) in subject.groups() {
        text.extend([base, "/", label, ".yaml\n"]);
    }
    text
}

/// The file of a group for one of its members; none where the component is no member.
///
/// # Errors
///
/// [`AdminError::Base64`] when what is kept cannot be decoded.
pub fn group_file<'a>(
    view: &'a BootView,
    component: &Component,
    label: &str,
) -> Option<Result<Cow<'a, [u8]>, AdminError>> {
    let group = view.groups.get(&label.parse::<GroupLabel>().ok()?)?;
    // Labels are read in any case where they are compared with the group's own; files are asked for as we named them.
    if group.label.as_str() != label || !group.members.contains(&component.id) {
        return None;
    }
    Some(kept(view, label).map_or(Ok(Cow::Borrowed(EMPTY.as_bytes())), file_of))
}

#[cfg(test)]
mod tests;
