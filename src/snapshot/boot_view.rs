//! The part of a snapshot that boot-role code can reach: it holds no secret of any node.

use std::net::IpAddr;
use std::sync::Arc;

use imbl::OrdMap;

use super::Index;
use crate::model::{
    BootConfig, BootKey, CloudInitEntry, CloudInitGroup, ClusterDefaults, Component, ComponentEndpoint, DhcpSettings,
    EntryName, EthernetInterface, Group, GroupLabel, InstanceInfo, Kind, MacAddr, Nid, Object, ObjectKey, Xname,
};

/// Tables and indexes that answer a booting node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BootView {
    /// SMD components.
    pub components: OrdMap<Xname, Arc<Component>>,
    /// SMD component endpoints.
    pub component_endpoints: OrdMap<Xname, Arc<ComponentEndpoint>>,
    /// SMD Ethernet interfaces.
    pub interfaces: OrdMap<MacAddr, Arc<EthernetInterface>>,
    /// SMD groups.
    pub groups: OrdMap<GroupLabel, Arc<Group>>,
    /// BSS boot parameters.
    pub boot_params: OrdMap<BootKey, Arc<BootConfig>>,
    /// cloud-init entries of the open store.
    pub cloud_init: OrdMap<EntryName, Arc<CloudInitEntry>>,
    /// Defaults of today's cloud-init server, where there are any.
    pub cluster_defaults: Option<Arc<ClusterDefaults>>,
    /// Groups of today's cloud-init server.
    pub cloud_init_groups: OrdMap<EntryName, Arc<CloudInitGroup>>,
    /// Instances of today's cloud-init server.
    pub instances: OrdMap<Xname, Arc<InstanceInfo>>,
    /// What the applied inventory says for DHCP, and how it calls the nodes.
    pub dhcp: Option<Arc<DhcpSettings>>,
    /// Look-ups over the tables.
    pub index: Index,
}

impl BootView {
    /// The component whose interface has this MAC address.
    #[must_use]
    pub fn component_by_mac(&self, mac: MacAddr) -> Option<&Arc<Component>> {
        self.components.get(self.interfaces.get(&mac)?.component_id.as_ref()?)
    }

    /// The component one of whose interfaces has this IP address.
    #[must_use]
    pub fn component_by_ip(&self, ip: IpAddr) -> Option<&Arc<Component>> {
        self.index.by_ip.get(&ip)?.iter().find_map(|mac| self.component_by_mac(*mac))
    }

    /// The component with this NID; the least xname where several have it.
    #[must_use]
    pub fn component_by_nid(&self, nid: Nid) -> Option<&Arc<Component>> {
        self.components.get(self.index.by_nid.get(&nid)?.get_min()?)
    }

    /// The node of this name, in any case; names are those of the applied inventory, which SMD does not know.
    #[must_use]
    pub fn node_named(&self, name: &str) -> Option<&Xname> {
        let settings = self.dhcp.as_ref()?;
        if let Some(id) = self.index.by_name.get(&*name.to_ascii_lowercase()) {
            return Some(id);
        }
        // A name that a number makes is not in the index; the whole name is compared, so that `nid7` is not `nid007`.
        let number = name.get(settings.short_name.len()..)?.parse().ok()?;
        let node = self.component_by_nid(Nid(number))?;
        self.node_name(&node.id).filter(|own| own.eq_ignore_ascii_case(name)).map(|_| &node.id)
    }

    /// How the applied inventory calls a node that SMD knows; none before one was applied.
    #[must_use]
    pub fn node_name(&self, id: &Xname) -> Option<Arc<str>> {
        let component = self.components.get(id)?;
        self.dhcp.as_ref()?.node_name(id, component.nid)
    }

    /// The groups of a component, in the order of their labels.
    pub fn groups_of(&self, id: &Xname) -> impl Iterator<Item = &Arc<Group>> {
        self.index.groups_of.get(id).into_iter().flatten().filter_map(|label| self.groups.get(label))
    }

    /// The interfaces of a component, in the order of their MAC addresses.
    pub fn interfaces_of(&self, id: &Xname) -> impl Iterator<Item = &Arc<EthernetInterface>> {
        self.index.interfaces_of.get(id).into_iter().flatten().filter_map(|mac| self.interfaces.get(mac))
    }

    pub(super) fn set_dhcp(&mut self, settings: Option<Arc<DhcpSettings>>) {
        self.index.names(settings.as_deref());
        self.dhcp = settings;
    }

    pub(super) fn put(&mut self, object: &Object) {
        match object {
            Object::Component(c) => {
                let old = self.components.insert(c.id.clone(), c.clone());
                self.index.component(old.as_deref(), Some(c));
            }
            Object::ComponentEndpoint(e) => {
                let old = self.component_endpoints.insert(e.id.clone(), e.clone());
                self.index.component_endpoint(old.as_deref(), Some(e));
            }
            Object::EthernetInterface(i) => {
                let old = self.interfaces.insert(i.mac, i.clone());
                self.index.interface(old.as_deref(), Some(i));
            }
            Object::Group(g) => {
                let old = self.groups.insert(g.label.clone(), g.clone());
                self.index.group(old.as_deref(), Some(g));
            }
            Object::CloudInit(e) => {
                self.cloud_init.insert(e.name.clone(), e.clone());
            }
            Object::ClusterDefaults(d) => self.cluster_defaults = Some(d.clone()),
            Object::CloudInitGroup(g) => {
                self.cloud_init_groups.insert(g.name.clone(), g.clone());
            }
            Object::InstanceInfo(i) => {
                self.instances.insert(i.id.clone(), i.clone());
            }
            Object::BootParams(key, config) => {
                self.boot_params.insert(key.clone(), config.clone());
            }
            Object::RedfishEndpoint(_) | Object::CloudInitSecure(_) => {
                unreachable!("the snapshot keeps these outside the boot view")
            }
        }
    }

    pub(super) fn delete(&mut self, key: &ObjectKey) {
        match key.kind {
            Kind::Component => {
                let old = key.id.parse().ok().and_then(|id: Xname| self.components.remove(&id));
                self.index.component(old.as_deref(), None);
            }
            Kind::ComponentEndpoint => {
                let old = key.id.parse().ok().and_then(|id: Xname| self.component_endpoints.remove(&id));
                self.index.component_endpoint(old.as_deref(), None);
            }
            Kind::EthernetInterface => {
                let old = key.id.parse().ok().and_then(|mac: MacAddr| self.interfaces.remove(&mac));
                self.index.interface(old.as_deref(), None);
            }
            Kind::Group => {
                let old = key.id.parse().ok().and_then(|label: GroupLabel| self.groups.remove(&label));
                self.index.group(old.as_deref(), None);
            }
            Kind::CloudInit => {
                if let Ok(name) = key.id.parse::<EntryName>() {
                    self.cloud_init.remove(&name);
                }
            }
            Kind::ClusterDefaults => self.cluster_defaults = None,
            Kind::CloudInitGroup => {
                if let Ok(name) = key.id.parse::<EntryName>() {
                    self.cloud_init_groups.remove(&name);
                }
            }
            Kind::InstanceInfo => {
                if let Ok(id) = key.id.parse::<Xname>() {
                    self.instances.remove(&id);
                }
            }
            Kind::BootParams => {
                if let Ok(boot_key) = key.id.parse::<BootKey>() {
                    self.boot_params.remove(&boot_key);
                }
            }
            Kind::RedfishEndpoint | Kind::CloudInitSecure => {
                unreachable!("the snapshot keeps these outside the boot view")
            }
        }
    }
}
