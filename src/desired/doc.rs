//! The owned fields of each kind of object, as canonical JSON.
//!
//! The fields of every structure stand in alphabetical order, because that is the order of the canonical form.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::model::{Arch, Class, IpAddress, MacAddr, Nid, ObjectKey, Role, SubRole, Xname};

/// The namespace of the UUIDs that we make, drawn once for this program.
const NAMESPACE: Uuid = Uuid::from_u128(0x9a3d_1f0c_6b52_4e8e_8f47_20c1_7d5e_a630);

/// The UUID of an object: version 5 of `KIND/XNAME` in our own namespace, so that every run makes the same one.
pub(super) fn uuid_of(key: &ObjectKey) -> String {
    Uuid::new_v5(&NAMESPACE, key.to_string().as_bytes()).to_string()
}

/// The owned fields of a component. A BMC has `enabled` only.
#[derive(Serialize)]
pub(super) struct Component {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arch: Option<Arch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<Class>,
    pub(super) enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nid: Option<Nid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sub_role: Option<SubRole>,
}

/// The owned fields of a Redfish endpoint.
#[derive(Serialize)]
pub(super) struct RedfishEndpoint<'a> {
    pub(super) enabled: bool,
    pub(super) fqdn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mac: Option<MacAddr>,
    pub(super) name: &'a str,
    pub(super) uuid: String,
}

/// The owned fields of a component endpoint. `redfish_subtype` is not owned: SMD leaves it empty for a system that is
/// sent without a type, as ours are.
#[derive(Serialize)]
pub(super) struct ComponentEndpoint<'a> {
    pub(super) enabled: bool,
    pub(super) info: RedfishInfo<'a>,
    pub(super) odata_id: String,
    pub(super) redfish_endpoint_fqdn: &'a str,
    pub(super) redfish_endpoint_id: &'a Xname,
    pub(super) redfish_type: &'static str,
    pub(super) redfish_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uuid: Option<String>,
}

/// The owned part of `RedfishSystemInfo` and `RedfishManagerInfo`; SMD adds actions and more of its own. BSS finds a
/// node's MAC addresses here, so it has to follow a change of network card.
#[derive(Serialize)]
pub(super) struct RedfishInfo<'a> {
    #[serde(rename = "EthernetNICInfo")]
    pub(super) nics: Vec<NicInfo>,
    #[serde(rename = "Name")]
    pub(super) name: &'a str,
}

/// One network card in a [`RedfishInfo`].
#[derive(Serialize)]
pub(super) struct NicInfo {
    #[serde(rename = "Description")]
    pub(super) description: String,
    #[serde(rename = "MACAddress")]
    pub(super) mac: MacAddr,
}

/// The owned fields of an Ethernet interface.
#[derive(Serialize)]
pub(super) struct EthernetInterface<'a> {
    pub(super) component_id: &'a Xname,
    pub(super) description: String,
    pub(super) ip_addresses: &'a [IpAddress],
}

/// The owned fields of a group.
#[derive(Serialize)]
pub(super) struct Group<'a> {
    pub(super) description: String,
    pub(super) members: Vec<&'a Xname>,
}

/// The owned fields of boot parameters.
#[derive(Serialize)]
pub(super) struct BootParams<'a> {
    pub(super) initrd: &'a str,
    pub(super) kernel: &'a str,
    pub(super) params: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) script: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) template: &'a str,
}

/// The owned fields of a cloud-init entry: the documents that the file gives.
#[derive(Serialize)]
pub(super) struct CloudInit<'a> {
    pub(super) jinja: bool,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(super) metadata: &'a Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(super) userdata: &'a Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(super) vendordata: &'a Value,
}

/// Writes a document.
pub(super) fn text(fields: &impl Serialize) -> String {
    serde_json::to_string(fields).expect("the structures of this file have text keys only")
}

/// Documents that many objects share, each kept once.
#[derive(Default)]
pub(super) struct Shared(BTreeMap<String, Arc<str>>);

impl Shared {
    /// The document's text, the same allocation for equal texts.
    pub(super) fn text(&mut self, fields: &impl Serialize) -> Arc<str> {
        let text = text(fields);
        if let Some(known) = self.0.get(&text) {
            return known.clone();
        }
        let shared: Arc<str> = text.as_str().into();
        self.0.insert(text, shared.clone());
        shared
    }
}
