//! Redfish endpoints (the BMCs) and the component endpoints found behind them.

use std::borrow::Cow;
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
    /// What a client gave for the MAC address, where that is no MAC address or is spelled in another way.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mac_text: String,
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
}

impl RedfishEndpoint {
    /// Sets the MAC address to what a client gave, which may be any text: nothing here reaches a BMC by it.
    #[must_use]
    pub fn with_mac(self, given: &str) -> Self {
        let mac: Option<MacAddr> = given.parse().ok();
        let is_usual = mac.is_some_and(|mac| mac.to_string() == given);
        Self { mac, mac_text: if is_usual { String::new() } else { given.to_owned() }, ..self }
    }

    /// The MAC address as it was given; empty where there is none. One that was set since, as an address, is the one, and
    /// so is its removal.
    #[must_use]
    pub fn shown_mac(&self) -> Cow<'_, str> {
        match (self.mac, self.mac_text.parse::<MacAddr>()) {
            (None, Ok(_)) => Cow::Borrowed(""),
            (Some(mac), given) if given != Ok(mac) => Cow::Owned(mac.to_string()),
            _ => Cow::Borrowed(&self.mac_text),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> RedfishEndpoint {
        let canonical = r#"{"id":"x1c0s0b0","fqdn":"x1c0s0b0","enabled":true}"#;
        serde_json::from_str(canonical).unwrap()
    }

    #[test]
    fn a_mac_address_is_shown_as_it_was_given_until_another_is_set() {
        let address: Option<MacAddr> = "aa:bb:cc:dd:ee:ff".parse().ok();
        for (given, mac) in [("aa:bb:cc:dd:ee:ff", address), ("AABB.CCDD.EEFF", address), ("zz", None), ("", None)] {
            let endpoint = endpoint().with_mac(given);
            assert_eq!((&*endpoint.shown_mac(), endpoint.mac), (given, mac));
            let other = RedfishEndpoint { mac: "02:00:00:00:00:01".parse().ok(), ..endpoint };
            assert_eq!(other.shown_mac(), "02:00:00:00:00:01", "{given}");
            let gone = RedfishEndpoint { mac: None, ..other };
            assert_eq!(gone.shown_mac(), if mac.is_none() { given } else { "" }, "{given}");
        }
    }

    #[test]
    fn only_an_odd_spelling_is_kept_beside_the_address() {
        assert_eq!(endpoint().with_mac("aa:bb:cc:dd:ee:ff").mac_text, "");
        assert_eq!(endpoint().with_mac("AA:BB:CC:DD:EE:FF").mac_text, "AA:BB:CC:DD:EE:FF");
    }
}
