//! What the second generation of payload creates beside the endpoint.
//!
//! Each manager is the BMC itself: a component without a state, and a component endpoint. Each system is a node
//! `<BMC>n0`, `n1`, … in the order of the request; systems of one UUID are one system. Nodes are `On`, without flag
//! and role, and are numbered from 1 for each BMC, which is what SMD does and why clients create nodes with their real
//! numbers first: of a component that exists only State and Flag are set. Interfaces of both are created.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::model::{
    Component, ComponentEndpoint, Details, EthernetInterface, IpAddress, MacAddr, Nid, Object, RedfishEndpoint, State,
    Timestamp, Xname, XnameType,
};
use crate::server::common::Problem;
use crate::snapshot::{BootView, Change};
use crate::wire::smd::{ManagerBody, NicBody, SystemBody, manager_info, path_of, system_info};

/// What was found behind one endpoint, checked.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) components: Vec<Component>,
    pub(super) endpoints: Vec<ComponentEndpoint>,
    interfaces: Vec<EthernetInterface>,
}

/// Checks systems and managers, and works out what they mean.
///
/// # Errors
///
/// 400 for an endpoint that cannot have nodes, and for a wrong MAC or IP address. An interface without a MAC address
/// is passed over: that is how BMCs report ports they know nothing of.
pub(super) fn checked(
    endpoint: &RedfishEndpoint,
    systems: &[SystemBody],
    managers: &[ManagerBody],
) -> Result<Found, Problem> {
    let mut found = Found::default();
    for manager in managers {
        let component = Component::bare(endpoint.id.clone());
        found.add_interfaces(&component.id, manager.ethernet_interfaces.as_deref())?;
        found.endpoints.push(ComponentEndpoint {
            redfish_type: "Manager".to_owned(),
            info: manager_info(manager).into(),
            ..behind(endpoint, &component.id, manager.uri.as_deref())
        });
        if !found.components.contains(&component) {
            found.components.push(component);
        }
    }
    for (number, system) in (0_u64..).zip(distinct(systems)) {
        let id: Option<Xname> = format!("{}n{number}", endpoint.id).parse().ok();
        let id = id.filter(|id| id.kind() == XnameType::Node).ok_or_else(|| {
            Problem::bad_request(format!("{} is a {} and has no systems", endpoint.id, endpoint.id.kind()))
        })?;
        found.add_interfaces(&id, system.ethernet_interfaces.as_deref())?;
        found.endpoints.push(ComponentEndpoint {
            redfish_type: "ComputerSystem".to_owned(),
            redfish_subtype: system.system_type.clone().unwrap_or_default(),
            uuid: system.uuid.clone().unwrap_or_default(),
            info: system_info(system).into(),
            ..behind(endpoint, &id, system.uri.as_deref())
        });
        let node = Component { state: Some(State::On), nid: Some(Nid(number + 1)), ..Component::bare(id) };
        found.components.push(node);
    }
    Ok(found)
}

/// The first system of each UUID that tells of its power, else the first. One without a UUID is a system of its own.
fn distinct(systems: &[SystemBody]) -> impl Iterator<Item = &SystemBody> {
    fn uuid(system: &SystemBody) -> Option<&str> {
        system.uuid.as_deref().filter(|uuid| !uuid.is_empty())
    }
    let powered: HashMap<&str, &SystemBody> = systems
        .iter()
        .rev()
        .filter(|system| !system.power_controls().is_empty())
        .filter_map(|system| Some((uuid(system)?, system)))
        .collect();
    let mut seen = HashSet::new();
    systems.iter().filter_map(move |system| match uuid(system) {
        None => Some(system),
        Some(uuid) => seen.insert(uuid).then(|| powered.get(uuid).copied().unwrap_or(system)),
    })
}

/// The component endpoint of something behind the endpoint, without what tells its kind.
pub(super) fn behind(endpoint: &RedfishEndpoint, id: &Xname, uri: Option<&str>) -> ComponentEndpoint {
    let path = path_of(uri.unwrap_or_default());
    ComponentEndpoint {
        id: id.clone(),
        redfish_type: String::new(),
        redfish_subtype: String::new(),
        uuid: String::new(),
        odata_id: path.to_owned(),
        redfish_endpoint_id: endpoint.id.clone(),
        redfish_endpoint_fqdn: endpoint.fqdn.clone(),
        redfish_url: format!("{}{path}", endpoint.fqdn),
        enabled: endpoint.enabled,
        info: Details::default(),
    }
}

impl Found {
    fn add_interfaces(&mut self, id: &Xname, nics: Option<&[NicBody]>) -> Result<(), Problem> {
        let wrong = |what: &str, text: &str| Problem::bad_request(format!("{what} '{text}' of {id} is invalid"));
        for nic in nics.unwrap_or_default() {
            let Some(mac) = nic.mac.as_deref().filter(|text| !text.is_empty()) else { continue };
            let mac: MacAddr = mac.parse().map_err(|_| wrong("MAC address", mac))?;
            let ip = nic.ip.as_deref().filter(|text| !text.is_empty());
            let ip = ip.map(|text| text.parse().map_err(|_| wrong("IP address", text))).transpose()?;
            self.interfaces.push(EthernetInterface {
                mac,
                description: nic.description.clone().unwrap_or_default(),
                last_update: Timestamp(0),
                component_id: Some(id.clone()),
                ip_addresses: ip.map(|ip| IpAddress { ip, network: String::new() }).into_iter().collect(),
            });
        }
        Ok(())
    }

    /// The changes that store everything. An interface whose MAC address is taken is set when `overwrite` is, as SMD
    /// does for PUT; for POST it is left alone and named in the second result.
    pub(super) fn changes(&self, view: &BootView, overwrite: bool, now: Timestamp) -> (Vec<Change>, Vec<MacAddr>) {
        let mut changes = Vec::new();
        for component in &self.components {
            let new = match view.components.get(&component.id) {
                None => component.clone(),
                Some(old) => Component { state: component.state, flag: component.flag, ..Component::clone(old) },
            };
            if view.components.get(&new.id).is_none_or(|old| **old != new) {
                changes.push(Change::Put(Object::Component(Arc::new(new))));
            }
        }
        for endpoint in &self.endpoints {
            if view.component_endpoints.get(&endpoint.id).is_none_or(|old| **old != *endpoint) {
                changes.push(Change::Put(Object::ComponentEndpoint(Arc::new(endpoint.clone()))));
            }
        }
        let (interfaces, kept) = self.interface_changes(view, overwrite, now);
        changes.extend(interfaces);
        (changes, kept)
    }

    fn interface_changes(&self, view: &BootView, overwrite: bool, now: Timestamp) -> (Vec<Change>, Vec<MacAddr>) {
        let mut new: BTreeMap<MacAddr, EthernetInterface> = BTreeMap::new();
        let mut kept = Vec::new();
        for interface in &self.interfaces {
            let old = view.interfaces.get(&interface.mac);
            // Only the time may differ between what is stored and what would be.
            let wanted = EthernetInterface { last_update: old.map_or(now, |old| old.last_update), ..interface.clone() };
            match old {
                Some(old) if **old == wanted => {}
                Some(_) if !overwrite => kept.push(interface.mac),
                Some(_) => {
                    new.insert(interface.mac, EthernetInterface { last_update: now, ..wanted });
                }
                None => {
                    new.entry(interface.mac).or_insert(wanted);
                }
            }
        }
        let put = |interface| Change::Put(Object::EthernetInterface(Arc::new(interface)));
        (new.into_values().map(put).collect(), kept)
    }
}
