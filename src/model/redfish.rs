//! Redfish endpoints (the BMCs) and the component endpoints found behind them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Details, MacAddr, Xname};

/// A BMC or another Redfish service. Follows SMD `Inventory/RedfishEndpoints`.
///
/// The password that SMD keeps beside it is not kept: nothing here uses one, and what is not kept cannot leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedfishEndpoint {
    /// The BMC's location.
    pub id: Xname,
    /// A name for people; ours is the node's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The host part of the FQDN.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// The domain part of the FQDN.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// The name under which the BMC is reached; the xname where nothing else is known.
    pub fqdn: String,
    /// Whether the endpoint is in use.
    pub enabled: bool,
    /// The Redfish service's UUID.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uuid: String,
    /// The account name for the BMC.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// The BMC's MAC address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
    /// The BMC's IP address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// SMD's flag of that name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rediscover_on_update: bool,
    /// Whether the endpoint is to be found by SSDP. Kept and shown; nothing here looks for endpoints.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub use_ssdp: bool,
    /// Whether the MAC address is needed to reach the endpoint. Kept and shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mac_required: bool,
    /// The name of a discovery template. Kept and shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub template_id: String,
}

/// What a Redfish endpoint says about one component. Follows SMD `Inventory/ComponentEndpoints`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentEndpoint {
    /// The component.
    pub id: Xname,
    /// `ComputerSystem` or `Manager`.
    pub redfish_type: String,
    /// Redfish's system or manager type, for example `Physical`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub redfish_subtype: String,
    /// The Redfish resource's UUID; SMD shows none for managers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uuid: String,
    /// The resource's path, `/redfish/v1/Systems/…`.
    pub odata_id: String,
    /// The endpoint behind which it was found.
    pub redfish_endpoint_id: Xname,
    /// That endpoint's FQDN.
    pub redfish_endpoint_fqdn: String,
    /// FQDN and path joined.
    pub redfish_url: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// `RedfishSystemInfo` or `RedfishManagerInfo` as SMD shows it, kept as it came.
    #[serde(default, skip_serializing_if = "Details::is_null")]
    pub info: Details,
}
