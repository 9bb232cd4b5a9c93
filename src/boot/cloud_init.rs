//! The cloud-init documents of a node, in one of two forms: the tutorial's where an entry of that form is kept for the
//! node or one of its groups, else that of today's cloud-init server ([`instance`]).
//!
//! In the tutorial's form they are the entries of the node's groups, in the order of their labels, and over them its
//! own: that of its name, and over that the one of its xname. They are joined by their top-level keys: whoever comes
//! later replaces the whole value, as the original does with the tutorial's `write_files`. Nothing is copied on the way.

pub mod instance;

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use serde_json::Value;

use self::instance::Site;
use crate::model::{CloudInitEntry, Component, EntryName, GroupLabel, MacAddr, Xname};
use crate::snapshot::BootView;
use crate::wire::cloud_init::{CLOUD_CONFIG_HEADER, DataKind, JINJA_HEADER, yaml};

/// The entries of one store.
pub type Entries = OrdMap<EntryName, Arc<CloudInitEntry>>;

/// Whose documents are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity<'a> {
    /// An entry's name, a node's name or an xname.
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
    if entries.is_empty() {
        return None;
    }
    let named = |name: &str| entries.get(&name.parse::<EntryName>().ok()?).map(|entry| &**entry);
    let of_component = |id: &Xname, asked: Option<&str>| {
        let groups = view.groups_of(id).filter_map(|group| named(group.label.as_str()));
        let [name, xname] = names_of(view, id);
        let own = [name.as_deref(), xname.as_deref()];
        // Somebody may have stored an entry under another spelling; it is found by whoever asks for that one.
        let spelled = asked.filter(|asked| !own.contains(&Some(asked)));
        groups.chain(own.into_iter().chain([spelled]).filter_map(|name| named(name?))).collect::<Vec<_>>()
    };
    let found = match identity {
        Identity::Name(name) => match node_called(view, name) {
            Some(id) => of_component(&id, Some(name)),
            None => named(name).into_iter().collect(),
        },
        Identity::Xname(id) => of_component(id, None),
        Identity::Mac(mac) => of_component(view.interfaces.get(&mac)?.component_id.as_ref()?, None),
    };
    (!found.is_empty()).then_some(Merged(found))
}

/// The node that a text means: an xname, or the name of a node. A name that a group has too is the group's, as in the
/// inventory.
#[must_use]
pub fn node_called(view: &BootView, text: &str) -> Option<Xname> {
    match text.parse() {
        Ok(id) => Some(id),
        Err(_) if is_group(view, text) => None,
        Err(_) => view.node_named(text).cloned(),
    }
}

/// The names under which a node's entry may stand, the weaker one first: the node's name, where that is known and no
/// group has it too, and its xname.
#[must_use]
pub fn names_of(view: &BootView, id: &Xname) -> [Option<Arc<str>>; 2] {
    [view.node_name(id).filter(|name| !is_group(view, name)), Some(id.clone().into())]
}

/// The name under which the entry is kept that a text means: that text, or another name of the same node.
#[must_use]
pub fn kept_as(view: &BootView, entries: &Entries, name: &EntryName) -> Option<EntryName> {
    let exact = entries.contains_key(name).then(|| name.clone());
    let other = || {
        let names = names_of(view, &node_called(view, name.as_str())?);
        names
            .into_iter()
            .rev()
            .flatten()
            .filter_map(|name| name.parse::<EntryName>().ok())
            .find(|name| entries.contains_key(name))
    };
    exact.or_else(other)
}

fn is_group(view: &BootView, name: &str) -> bool {
    name.parse::<GroupLabel>().is_ok_and(|label| view.groups.contains_key(&label))
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
mod tests;
