//! The cloud-init documents of a node, in one of two forms: the tutorial's where an entry of that form is kept for the
//! node or one of its groups, else that of today's cloud-init server ([`instance`]).
//!
//! In the tutorial's form they are the entries of the node's groups, in the order of their labels, and over them its
//! own. They are joined by their top-level keys: whoever comes later replaces the whole value, as the original does with
//! the tutorial's `write_files`. Nothing is copied on the way.

pub mod instance;

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use serde_json::Value;

use self::instance::Site;
use crate::model::{CloudInitEntry, Component, EntryName, MacAddr, Xname};
use crate::snapshot::BootView;
use crate::wire::cloud_init::{CLOUD_CONFIG_HEADER, DataKind, JINJA_HEADER, yaml};

/// The entries of one store.
pub type Entries = OrdMap<EntryName, Arc<CloudInitEntry>>;

/// Whose documents are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity<'a> {
    /// An entry's name, or an xname.
    Name(&'a str),
    /// A component.
    Xname(&'a Xname),
    /// The component that has this MAC address.
    Mac(MacAddr),
}

/// The entries that apply, weakest first; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged<'a>(Vec<&'a CloudInitEntry>);

/// What applies to an identity; none where no entry does. `view` tells memberships and interfaces; `entries` is the
/// store that is asked, `&view.cloud_init` for the open one.
#[must_use]
pub fn entry_for<'a>(view: &'a BootView, entries: &'a Entries, identity: Identity<'_>) -> Option<Merged<'a>> {
    let named = |name: &str| entries.get(&name.parse::<EntryName>().ok()?).map(|entry| &**entry);
    let of_component = |id: &Xname, own: Option<&'a CloudInitEntry>| {
        let groups = view.groups_of(id).filter_map(|group| named(group.label.as_str()));
        groups.chain(own).collect::<Vec<_>>()
    };
    let found = match identity {
        Identity::Name(name) => match name.parse::<Xname>() {
            Ok(id) => of_component(&id, named(name).or_else(|| named(id.as_str()))),
            Err(_) => named(name).into_iter().collect(),
        },
        Identity::Xname(id) => of_component(id, named(id.as_str())),
        Identity::Mac(mac) => {
            let id = view.interfaces.get(&mac)?.component_id.as_ref()?;
            of_component(id, named(id.as_str()))
        }
    };
    (!found.is_empty()).then_some(Merged(found))
}

/// The text of one document of an identity, as it goes to the node; none where no entry applies, and where those that do
/// have nothing in any document, as the original answers.
#[must_use]
pub fn document(view: &BootView, entries: &Entries, identity: Identity<'_>, kind: DataKind) -> Option<String> {
    entry_for(view, entries, identity).filter(|merged| !merged.is_empty()).map(|merged| merged.text(kind))
}

impl<'a> Merged<'a> {
    /// One document's top-level keys, joined.
    #[must_use]
    pub fn members(&self, kind: DataKind) -> BTreeMap<&'a str, &'a Value> {
        let documents = self.0.iter().filter_map(|entry| document_of(entry, kind).as_object());
        documents.flatten().map(|(key, value)| (key.as_str(), value)).collect()
    }

    /// True when there is nothing in any document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        DataKind::ALL.into_iter().all(|kind| self.members(kind).is_empty())
    }

    /// True when an entry with cloud-config in it says that this is a Jinja template.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.0.iter().any(|entry| entry.jinja && !entry.userdata.is_null())
    }

    /// One document's text: YAML, for user-data behind the comments that cloud-init knows it by.
    #[must_use]
    pub fn text(&self, kind: DataKind) -> String {
        let yaml = yaml::mapping(self.members(kind));
        match kind {
            DataKind::User if self.is_template() => [JINJA_HEADER, CLOUD_CONFIG_HEADER, &yaml].concat(),
            DataKind::User => [CLOUD_CONFIG_HEADER, &yaml].concat(),
            DataKind::Meta | DataKind::Vendor => yaml,
        }
    }
}

/// A document as it goes to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its media type, as the original of that form sends it.
    pub media_type: &'static str,
    /// Its text.
    pub text: String,
}

/// One document of a component, from the open store, in the form that applies to it.
#[must_use]
pub fn told(view: &BootView, component: &Component, kind: DataKind, site: Site<'_>) -> Document {
    if let Some(merged) = entry_for(view, &view.cloud_init, Identity::Xname(&component.id)) {
        return Document { media_type: kind.media_type(), text: merged.text(kind) };
    }
    let plain = DataKind::User.media_type();
    match kind {
        DataKind::User => Document { media_type: plain, text: instance::EMPTY.to_owned() },
        DataKind::Vendor => Document { media_type: plain, text: instance::vendor_data(view, component, site) },
        DataKind::Meta => {
            Document { media_type: "application/x-yaml", text: instance::meta_data(view, component, site) }
        }
    }
}

fn document_of(entry: &CloudInitEntry, kind: DataKind) -> &Value {
    match kind {
        DataKind::User => &entry.userdata,
        DataKind::Meta => &entry.metadata,
        DataKind::Vendor => &entry.vendordata,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Component, EthernetInterface, Group, Object, Timestamp};
    use crate::snapshot::{Change, Snapshot};

    const NODE: &str = "x1000c1s7b0n0";
    const MAC: MacAddr = MacAddr([0xec, 0xe7, 0xa7, 5, 0xa1, 0]);

    fn entry(name: &str, userdata: Value, metadata: Value, jinja: bool) -> Object {
        let name = name.parse().unwrap();
        Object::CloudInit(Arc::new(CloudInitEntry { name, userdata, metadata, vendordata: Value::Null, jinja }))
    }

    fn group(label: &str) -> Object {
        Object::Group(Arc::new(Group {
            label: label.parse().unwrap(),
            description: String::new(),
            tags: Vec::new(),
            exclusive_group: None,
            members: [NODE.parse().unwrap()].into_iter().collect(),
        }))
    }

    fn view(entries: &[Object]) -> Arc<BootView> {
        let mut snapshot = Snapshot::default();
        let id: Xname = NODE.parse().unwrap();
        let interface = EthernetInterface {
            mac: MAC,
            description: String::new(),
            last_update: Timestamp(0),
            component_id: Some(id.clone()),
            ip_addresses: Vec::new(),
        };
        let node = Object::Component(Arc::new(Component::bare(id)));
        let setup = [node, Object::EthernetInterface(Arc::new(interface)), group("b"), group("a")];
        setup.iter().chain(entries).for_each(|object| snapshot.apply(&Change::Put(object.clone())));
        snapshot.boot.clone()
    }

    fn text(view: &BootView, identity: Identity<'_>, kind: DataKind) -> Option<String> {
        document(view, &view.cloud_init, identity, kind)
    }

    #[test]
    fn a_node_wins_over_its_groups_and_a_later_label_over_an_earlier() {
        let view = view(&[
            entry("b", json!({"from": "b", "both": "b", "own": ["b"]}), Value::Null, false),
            entry("a", json!({"only": "a", "both": "a", "own": ["a"]}), json!({"instance-id": "a"}), false),
            entry(NODE, json!({"own": [1, 2]}), Value::Null, false),
            entry("c", json!({"other": true}), Value::Null, false),
        ]);
        let expected = "#cloud-config\nboth: b\nfrom: b\nonly: a\nown:\n- 1\n- 2\n";
        for identity in [Identity::Name(NODE), Identity::Mac(MAC), Identity::Xname(&NODE.parse().unwrap())] {
            assert_eq!(text(&view, identity, DataKind::User).unwrap(), expected, "{identity:?}");
            assert_eq!(text(&view, identity, DataKind::Meta).unwrap(), "instance-id: a\n");
            assert_eq!(text(&view, identity, DataKind::Vendor).unwrap(), "{}\n");
        }
        assert_eq!(text(&view, Identity::Name("X1000c1s7b00n0"), DataKind::User).unwrap(), expected);
    }

    #[test]
    fn an_entry_that_is_no_node_stands_alone() {
        let view =
            view(&[entry("a", json!({"k": "a"}), Value::Null, false), entry("b", json!({}), json!({"k": "b"}), false)]);
        assert_eq!(text(&view, Identity::Name("a"), DataKind::User).unwrap(), "#cloud-config\nk: a\n");
        assert_eq!(text(&view, Identity::Name("b"), DataKind::User).unwrap(), "#cloud-config\n{}\n");
    }

    #[test]
    fn an_entry_with_nothing_in_it_is_none_by_name_and_keeps_its_form_for_the_node() {
        let view = view(&[entry("a", json!({}), Value::Null, false)]);
        for name in ["a", NODE] {
            assert_eq!(text(&view, Identity::Name(name), DataKind::User), None, "{name}");
        }
        let site = Site { base_url: "http://h", cluster_name: "" };
        let node = Component::bare(NODE.parse().unwrap());
        assert_eq!(told(&view, &node, DataKind::User, site).text, "#cloud-config\n{}\n");
    }

    #[test]
    fn whom_no_entry_concerns_is_told_nothing() {
        let view = view(&[entry("c", json!({"k": 1}), Value::Null, false)]);
        for identity in [Identity::Name("nope"), Identity::Name("a/b"), Identity::Name(NODE), Identity::Mac(MAC)] {
            assert_eq!(text(&view, identity, DataKind::User), None, "{identity:?}");
        }
        assert_eq!(text(&view, Identity::Mac(MacAddr([0; 6])), DataKind::User), None);
    }

    #[test]
    fn the_form_is_the_tutorials_where_an_entry_concerns_the_node_and_else_todays() {
        let site = Site { base_url: "http://h", cluster_name: "" };
        let node = Component::bare(NODE.parse().unwrap());
        let told = |entries: &[Object], kind| told(&view(entries), &node, kind, site);
        for name in [NODE, "a"] {
            let entries = [entry(name, json!({"k": 1}), Value::Null, false)];
            let document = |media_type, text: &str| Document { media_type, text: text.to_owned() };
            assert_eq!(told(&entries, DataKind::User), document("text/plain; charset=utf-8", "#cloud-config\nk: 1\n"));
            assert_eq!(told(&entries, DataKind::Meta), document("text/yaml", "{}\n"));
            assert_eq!(told(&entries, DataKind::Vendor), document("text/yaml", "{}\n"));
        }
        let others = [entry("c", json!({"k": 1}), Value::Null, false)];
        assert_eq!(told(&others, DataKind::User).text, "#cloud-config");
        assert_eq!(told(&others, DataKind::Meta).media_type, "application/x-yaml");
        assert_eq!(told(&others, DataKind::Vendor).text, "#include\nhttp://h/a.yaml\nhttp://h/b.yaml\n");
    }

    #[test]
    fn a_template_is_told_in_the_first_line_of_user_data_only() {
        let view = view(&[
            entry("a", json!({"k": "{{ ds.x }}"}), json!({"m": 1}), true),
            entry("b", json!({"l": 1}), Value::Null, false),
        ]);
        let user = text(&view, Identity::Name(NODE), DataKind::User).unwrap();
        assert_eq!(user, "## template: jinja\n#cloud-config\nk: \"{{ ds.x }}\"\nl: 1\n");
        assert_eq!(text(&view, Identity::Name(NODE), DataKind::Meta).unwrap(), "m: 1\n");
        assert!(text(&view, Identity::Name("b"), DataKind::User).unwrap().starts_with("#cloud-config\n"));
    }
}
