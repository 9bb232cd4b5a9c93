//! The indexes over the tables: from what a request names to the objects it means.

use std::net::IpAddr;
use std::sync::Arc;

use imbl::{HashMap, OrdMap, OrdSet};

use crate::model::{
    Component, ComponentEndpoint, DhcpSettings, EthernetInterface, Group, GroupLabel, MacAddr, Nid, Xname,
};

/// Look-ups that the tables' own keys do not serve. Every value is a set, because SMD lets two interfaces have one IP
/// address and two nodes one NID; the least element answers where one is wanted, so answers do not depend on history.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Index {
    /// IP address to the interfaces that have it.
    pub by_ip: HashMap<IpAddr, OrdSet<MacAddr>>,
    /// Component to its interfaces.
    pub interfaces_of: HashMap<Xname, OrdSet<MacAddr>>,
    /// NID to the components that have it.
    pub by_nid: HashMap<Nid, OrdSet<Xname>>,
    /// Component to the groups it is a member of. In order, because members come by the thousand and are neighbours: those
    /// that share a leaf of the tree share the copy that a persistent map makes of it.
    pub groups_of: OrdMap<Xname, OrdSet<GroupLabel>>,
    /// Redfish endpoint to the component endpoints behind it.
    pub behind: HashMap<Xname, OrdSet<Xname>>,
    /// Name of a node in lower case to the node, for the names that no number makes.
    pub by_name: HashMap<Arc<str>, Xname>,
}

/// Adds `value` to the set under `key`.
pub(super) fn add<K, V>(map: &mut HashMap<K, OrdSet<V>>, key: K, value: V)
where
    K: Clone + Eq + std::hash::Hash,
    V: Clone + Ord,
{
    map.entry(key).or_default().insert(value);
}

/// Takes `value` out of the set under `key`; an empty set goes too, so that equal states have equal indexes.
pub(super) fn take<K, V>(map: &mut HashMap<K, OrdSet<V>>, key: &K, value: &V)
where
    K: Clone + Eq + std::hash::Hash,
    V: Clone + Ord,
{
    if let Some(set) = map.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            map.remove(key);
        }
    }
}

impl Index {
    pub(super) fn component(&mut self, old: Option<&Component>, new: Option<&Component>) {
        if let Some((nid, c)) = old.and_then(|c| Some((c.nid?, c))) {
            take(&mut self.by_nid, &nid, &c.id);
        }
        if let Some((nid, c)) = new.and_then(|c| Some((c.nid?, c))) {
            add(&mut self.by_nid, nid, c.id.clone());
        }
    }

    /// Made anew: the names come with the settings, which an apply replaces as a whole.
    pub(super) fn names(&mut self, settings: Option<&DhcpSettings>) {
        let names = settings.into_iter().flat_map(|settings| &settings.names);
        self.by_name = names.map(|(id, name)| (name.to_ascii_lowercase().into(), id.clone())).collect();
    }

    pub(super) fn component_endpoint(&mut self, old: Option<&ComponentEndpoint>, new: Option<&ComponentEndpoint>) {
        if let Some(e) = old {
            take(&mut self.behind, &e.redfish_endpoint_id, &e.id);
        }
        if let Some(e) = new {
            add(&mut self.behind, e.redfish_endpoint_id.clone(), e.id.clone());
        }
    }

    pub(super) fn interface(&mut self, old: Option<&EthernetInterface>, new: Option<&EthernetInterface>) {
        if let Some(i) = old {
            for address in &i.ip_addresses {
                take(&mut self.by_ip, &address.ip, &i.mac);
            }
            if let Some(id) = &i.component_id {
                take(&mut self.interfaces_of, id, &i.mac);
            }
        }
        if let Some(i) = new {
            for address in &i.ip_addresses {
                add(&mut self.by_ip, address.ip, i.mac);
            }
            if let Some(id) = &i.component_id {
                add(&mut self.interfaces_of, id.clone(), i.mac);
            }
        }
    }

    pub(super) fn group(&mut self, old: Option<&Group>, new: Option<&Group>) {
        let empty = OrdSet::new();
        let before = old.map_or(&empty, |g| &g.members);
        let after = new.map_or(&empty, |g| &g.members);
        let label = old.or(new).map(|g| &g.label);
        let Some(label) = label else { return };
        // Walking the difference keeps a change of one member cheap in a group of 100,000.
        for item in before.diff(after) {
            match item {
                imbl::ordset::DiffItem::Add(x) => {
                    self.groups_of.entry(x.clone()).or_default().insert(label.clone());
                }
                imbl::ordset::DiffItem::Remove(x) => {
                    if let Some(labels) = self.groups_of.get_mut(x) {
                        labels.remove(label);
                        if labels.is_empty() {
                            self.groups_of.remove(x);
                        }
                    }
                }
            }
        }
    }
}
