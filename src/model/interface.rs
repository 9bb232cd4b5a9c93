//! Ethernet interfaces: which MAC address belongs to which component, and which IP addresses it has.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{MacAddr, Xname, XnameType};

/// A moment, in microseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// One address of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpAddress {
    /// The address itself.
    pub ip: IpAddr,
    /// The label of the network it is on, often empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub network: String,
}

/// An Ethernet interface, identified by its MAC address. Follows SMD `Inventory/EthernetInterfaces`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EthernetInterface {
    /// The hardware address.
    pub mac: MacAddr,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// When the interface last changed; SMD shows it as `LastUpdate`.
    pub last_update: Timestamp,
    /// The component that has the interface, which need not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component_id: Option<Xname>,
    /// Its addresses, the first being the one DHCP hands out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_addresses: Vec<IpAddress>,
}

impl EthernetInterface {
    /// The type of the component it belongs to.
    #[must_use]
    pub fn kind(&self) -> Option<XnameType> {
        self.component_id.as_ref().map(Xname::kind)
    }
}
