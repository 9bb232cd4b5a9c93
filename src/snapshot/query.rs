//! Reading a snapshot by kind and key, as the plan and the store do.

use super::Snapshot;
use crate::model::{BootKey, EntryName, GroupLabel, Kind, MacAddr, Object, ObjectKey, Xname};

impl Snapshot {
    /// The object of that key.
    #[must_use]
    pub fn object(&self, key: &ObjectKey) -> Option<Object> {
        let boot = &self.boot;
        let id = &*key.id;
        match key.kind {
            Kind::Component => boot.components.get(&id.parse::<Xname>().ok()?).cloned().map(Object::Component),
            Kind::RedfishEndpoint => {
                self.redfish_endpoints.get(&id.parse::<Xname>().ok()?).cloned().map(Object::RedfishEndpoint)
            }
            Kind::ComponentEndpoint => {
                boot.component_endpoints.get(&id.parse::<Xname>().ok()?).cloned().map(Object::ComponentEndpoint)
            }
            Kind::EthernetInterface => {
                boot.interfaces.get(&id.parse::<MacAddr>().ok()?).cloned().map(Object::EthernetInterface)
            }
            Kind::Group => boot.groups.get(&id.parse::<GroupLabel>().ok()?).cloned().map(Object::Group),
            Kind::CloudInit => boot.cloud_init.get(&id.parse::<EntryName>().ok()?).cloned().map(Object::CloudInit),
            Kind::CloudInitSecure => {
                self.cloud_init_secure.get(&id.parse::<EntryName>().ok()?).cloned().map(Object::CloudInitSecure)
            }
            Kind::ClusterDefaults => boot.cluster_defaults.clone().map(Object::ClusterDefaults),
            Kind::CloudInitGroup => {
                boot.cloud_init_groups.get(&id.parse::<EntryName>().ok()?).cloned().map(Object::CloudInitGroup)
            }
            Kind::InstanceInfo => boot.instances.get(&id.parse::<Xname>().ok()?).cloned().map(Object::InstanceInfo),
            Kind::BootParams => {
                let boot_key: BootKey = id.parse().ok()?;
                let config = boot.boot_params.get(&boot_key)?.clone();
                Some(Object::BootParams(boot_key, config))
            }
        }
    }

    /// True when exactly this object is there already, so that putting it would change nothing.
    #[must_use]
    pub fn holds(&self, object: &Object) -> bool {
        let boot = &self.boot;
        match object {
            Object::Component(c) => boot.components.get(&c.id) == Some(c),
            Object::RedfishEndpoint(e) => self.redfish_endpoints.get(&e.id) == Some(e),
            Object::ComponentEndpoint(e) => boot.component_endpoints.get(&e.id) == Some(e),
            Object::EthernetInterface(i) => boot.interfaces.get(&i.mac) == Some(i),
            Object::Group(g) => boot.groups.get(&g.label) == Some(g),
            Object::CloudInit(e) => boot.cloud_init.get(&e.name) == Some(e),
            Object::CloudInitSecure(e) => self.cloud_init_secure.get(&e.name) == Some(e),
            Object::ClusterDefaults(d) => boot.cluster_defaults.as_ref() == Some(d),
            Object::CloudInitGroup(g) => boot.cloud_init_groups.get(&g.name) == Some(g),
            Object::InstanceInfo(i) => boot.instances.get(&i.id) == Some(i),
            Object::BootParams(key, config) => boot.boot_params.get(key) == Some(config),
        }
    }

    /// Every object, kind by kind in writing order, each kind in the order of its keys.
    pub fn objects(&self) -> impl Iterator<Item = Object> {
        let boot = &self.boot;
        let components = boot.components.values().cloned().map(Object::Component);
        let endpoints = self.redfish_endpoints.values().cloned().map(Object::RedfishEndpoint);
        let behind = boot.component_endpoints.values().cloned().map(Object::ComponentEndpoint);
        let interfaces = boot.interfaces.values().cloned().map(Object::EthernetInterface);
        let groups = boot.groups.values().cloned().map(Object::Group);
        let open = boot.cloud_init.values().cloned().map(Object::CloudInit);
        let secure = self.cloud_init_secure.values().cloned().map(Object::CloudInitSecure);
        let defaults = boot.cluster_defaults.iter().cloned().map(Object::ClusterDefaults);
        let groups_told = boot.cloud_init_groups.values().cloned().map(Object::CloudInitGroup);
        let instances = boot.instances.values().cloned().map(Object::InstanceInfo);
        let params = boot.boot_params.iter().map(|(key, config)| Object::BootParams(key.clone(), config.clone()));
        components
            .chain(endpoints)
            .chain(behind)
            .chain(interfaces)
            .chain(groups)
            .chain(open)
            .chain(secure)
            .chain(defaults)
            .chain(groups_told)
            .chain(instances)
            .chain(params)
    }
}
