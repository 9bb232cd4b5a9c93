//! The outlets of a power distribution unit: `PDUInventory` of `Inventory/RedfishEndpoints`, as magellan sends it for
//! units with a JAWS interface instead of Redfish, and the details SMD makes of it.

use serde::Deserialize;
use serde_json::{Value, json};

/// What was found in a power distribution unit.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PduBody {
    /// The outlets; none means that there is nothing to tell.
    #[serde(rename = "Outlets")]
    pub outlets: Option<Vec<OutletBody>>,
}

/// One outlet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct OutletBody {
    /// What the unit calls it, for example `AA1`.
    pub original_id: Option<String>,
    /// What follows the unit's xname in that of the outlet, for example `p0v1`.
    pub id_suffix: Option<String>,
    /// A name.
    pub name: Option<String>,
    /// `On` or another state of components.
    pub state: Option<String>,
    /// The kind of socket.
    pub socket_type: Option<String>,
}

impl OutletBody {
    /// The unit's resource of that purpose, `monitor` or `control`, for the outlet.
    #[must_use]
    pub fn path(&self, purpose: &str) -> String {
        format!("{PDU_PATH}/{purpose}/outlets/{}", self.original_id.as_deref().unwrap_or_default())
    }
}

/// Where the interface of a unit starts.
pub const PDU_PATH: &str = "/jaws";

/// The details that SMD makes of a unit: `RedfishManagerInfo`.
#[must_use]
pub fn pdu_info() -> Value {
    json!({"Name": "JAWS"})
}

/// The details that SMD makes of an outlet: `RedfishOutletInfo`.
#[must_use]
pub fn outlet_info(outlet: &OutletBody) -> Value {
    let mut info = json!({"Actions": {"#Outlet.PowerControl": {
        "PowerState@Redfish.AllowableValues": ["On", "Off"],
        "target": outlet.path("control"),
    }}});
    if let Some(name) = outlet.name.as_deref().filter(|name| !name.is_empty()) {
        info["Name"] = name.into();
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_details_of_an_outlet_are_those_that_smd_makes() {
        let body = r#"{"Outlets":[{"original_id":"AA1","id_suffix":"p0v1","name":"o1","state":"On"},{}]}"#;
        let outlets = serde_json::from_str::<PduBody>(body).unwrap().outlets.unwrap();
        let wanted = json!({"Name": "o1", "Actions": {"#Outlet.PowerControl": {
            "PowerState@Redfish.AllowableValues": ["On", "Off"], "target": "/jaws/control/outlets/AA1"}}});
        assert_eq!(outlet_info(&outlets[0]), wanted);
        assert_eq!(outlets[0].path("monitor"), "/jaws/monitor/outlets/AA1");
        assert_eq!(outlet_info(&outlets[1]).get("Name"), None);
    }
}
