//! `Inventory/ComponentEndpoints`.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::field::xname;
use super::{FieldError, ListError, Row, rows};
use crate::model::ComponentEndpoint;

/// A component endpoint as SMD shows it.
#[derive(Debug)]
pub struct ComponentEndpointView<'a>(pub &'a ComponentEndpoint);

/// SMD's name for the kind of endpoint, and the key under which the kind's details are shown.
fn details(redfish_type: &str) -> (&'static str, Option<&'static str>) {
    match redfish_type {
        "ComputerSystem" => ("ComponentEndpointComputerSystem", Some("RedfishSystemInfo")),
        "Manager" => ("ComponentEndpointManager", Some("RedfishManagerInfo")),
        "Chassis" => ("ComponentEndpointChassis", Some("RedfishChassisInfo")),
        "PowerDistribution" => ("ComponentEndpointPowerDistribution", Some("RedfishPDUInfo")),
        "Outlet" => ("ComponentEndpointOutlet", Some("RedfishOutletInfo")),
        _ => ("", None),
    }
}

impl Serialize for ComponentEndpointView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let endpoint = self.0;
        let (kind, info) = details(&endpoint.redfish_type);
        let mut object = serializer.serialize_struct("ComponentEndpoint", 12)?;
        object.serialize_field("ID", endpoint.id.as_str())?;
        object.serialize_field("Type", endpoint.id.kind().as_str())?;
        object.serialize_field("RedfishType", &endpoint.redfish_type)?;
        object.serialize_field("RedfishSubtype", &endpoint.redfish_subtype)?;
        if !endpoint.uuid.is_empty() {
            object.serialize_field("UUID", &endpoint.uuid)?;
        }
        object.serialize_field("OdataID", &endpoint.odata_id)?;
        object.serialize_field("RedfishEndpointID", endpoint.redfish_endpoint_id.as_str())?;
        object.serialize_field("Enabled", &endpoint.enabled)?;
        object.serialize_field("RedfishEndpointFQDN", &endpoint.redfish_endpoint_fqdn)?;
        object.serialize_field("RedfishURL", &endpoint.redfish_url)?;
        object.serialize_field("ComponentEndpointType", kind)?;
        if let Some(key) = info.filter(|_| !endpoint.info.is_null()) {
            object.serialize_field(key, &endpoint.info)?;
        }
        object.end()
    }
}

/// A component endpoint as SMD shows it, before anything is checked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ComponentEndpointBody {
    /// The component.
    #[serde(rename = "ID")]
    pub id: Option<String>,
    /// Redfish's type.
    pub redfish_type: Option<String>,
    /// Redfish's type within the type.
    pub redfish_subtype: Option<String>,
    /// Redfish's UUID.
    #[serde(rename = "UUID")]
    pub uuid: Option<String>,
    /// The resource's path.
    #[serde(rename = "OdataID")]
    pub odata_id: Option<String>,
    /// The endpoint behind which it is.
    #[serde(rename = "RedfishEndpointID")]
    pub redfish_endpoint_id: Option<String>,
    /// Absent means true.
    pub enabled: Option<bool>,
    /// That endpoint's name.
    #[serde(rename = "RedfishEndpointFQDN")]
    pub redfish_endpoint_fqdn: Option<String>,
    /// Name and path.
    #[serde(rename = "RedfishURL")]
    pub redfish_url: Option<String>,
    /// Whichever details there are.
    #[serde(
        alias = "RedfishSystemInfo",
        alias = "RedfishManagerInfo",
        alias = "RedfishChassisInfo",
        alias = "RedfishPDUInfo",
        alias = "RedfishOutletInfo"
    )]
    pub info: Option<Value>,
}

impl TryFrom<ComponentEndpointBody> for ComponentEndpoint {
    type Error = FieldError;

    fn try_from(body: ComponentEndpointBody) -> Result<Self, FieldError> {
        Ok(Self {
            id: xname(body.id.as_deref().unwrap_or_default())?,
            redfish_type: body.redfish_type.unwrap_or_default(),
            redfish_subtype: body.redfish_subtype.unwrap_or_default(),
            uuid: body.uuid.unwrap_or_default(),
            odata_id: body.odata_id.unwrap_or_default(),
            redfish_endpoint_id: xname(body.redfish_endpoint_id.as_deref().unwrap_or_default())?,
            redfish_endpoint_fqdn: body.redfish_endpoint_fqdn.unwrap_or_default(),
            redfish_url: body.redfish_url.unwrap_or_default(),
            enabled: body.enabled.unwrap_or(true),
            info: body.info.unwrap_or_default().into(),
        })
    }
}

/// Reads the answer of `GET Inventory/ComponentEndpoints`.
///
/// # Errors
///
/// [`ListError`] when it is no such list; a row that is wrong is an error of its own.
pub fn read_component_endpoints(answer: &[u8]) -> Result<Vec<Row<ComponentEndpoint>>, ListError> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow, rename = "ComponentEndpoints")]
        rows: Option<Vec<&'a RawValue>>,
    }
    let list: List = serde_json::from_slice(answer).map_err(|cause| ListError { list: "ComponentEndpoints", cause })?;
    Ok(rows::read(list.rows, |body: ComponentEndpointBody| body.try_into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: &str = r#"{"ID":"x2000c0s0b0n0","Type":"Node","RedfishType":"ComputerSystem","RedfishSubtype":"Physical","UUID":"1301dd82-3ea0-400f-8bab-58c83fc35750","OdataID":"/redfish/v1/Systems/n0","RedfishEndpointID":"x2000c0s0b0","Enabled":true,"RedfishEndpointFQDN":"x2000c0s0b0","RedfishURL":"x2000c0s0b0/redfish/v1/Systems/n0","ComponentEndpointType":"ComponentEndpointComputerSystem","RedfishSystemInfo":{"Name":"node0"}}"#;
    const MANAGER: &str = r#"{"ID":"x2000c0s0b0","Type":"NodeBMC","RedfishType":"Manager","RedfishSubtype":"","OdataID":"/redfish/v1/Managers/bmc","RedfishEndpointID":"x2000c0s0b0","Enabled":true,"RedfishEndpointFQDN":"x2000c0s0b0","RedfishURL":"x2000c0s0b0/redfish/v1/Managers/bmc","ComponentEndpointType":"ComponentEndpointManager","RedfishManagerInfo":{"Name":"bmc"}}"#;

    #[test]
    fn systems_and_managers_survive_their_wire_form() {
        let answer = format!(r#"{{"ComponentEndpoints":[{SYSTEM},{MANAGER},{{"ID":"x1"}}]}}"#);
        let rows = read_component_endpoints(answer.as_bytes()).unwrap();
        for (row, text) in rows.iter().zip([SYSTEM, MANAGER]) {
            assert_eq!(serde_json::to_string(&ComponentEndpointView(row.as_ref().unwrap())).unwrap(), text);
        }
        assert_eq!(rows[2].as_ref().unwrap_err().id, "x1");
    }
}
