//! What was found behind a Redfish endpoint: the `Systems` and `Managers` of the second generation of
//! `Inventory/RedfishEndpoints`, as `ochami discover` and magellan send them, and the details SMD makes of them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::RedfishEndpointRequest;
use crate::model::{ComponentEndpoint, EthernetInterface, RedfishEndpoint};

/// A network interface of a system or a manager.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NicBody {
    /// Its Redfish resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The MAC address as it came.
    pub mac: Option<String>,
    /// The IP address; none or empty where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// A name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A node behind the endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SystemBody {
    /// Its Redfish resource: a URL or a path.
    pub uri: Option<String>,
    /// Its UUID. Systems with equal ones are one system.
    pub uuid: Option<String>,
    /// A name.
    pub name: Option<String>,
    /// Redfish's system type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_type: Option<String>,
    /// Its interfaces.
    pub ethernet_interfaces: Option<Vec<NicBody>>,
    /// The resets it takes; none and an empty list are shown differently.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<String>>,
    /// What it is connected with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<LinksBody>,
    /// Its power controls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<PowerBody>,
}

impl SystemBody {
    /// The resources of its power controls.
    #[must_use]
    pub fn power_controls(&self) -> &[String] {
        self.power.as_ref().and_then(|power| power.power_control_ids.as_deref()).unwrap_or_default()
    }
}

/// What a system is connected with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LinksBody {
    /// The Redfish resources of the chassis that it is in; the first one counts.
    pub chassis: Option<Vec<String>>,
}

/// The power of a system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PowerBody {
    /// The Redfish resources that control it.
    pub power_control_ids: Option<Vec<String>>,
}

/// A management controller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ManagerBody {
    /// Its Redfish resource: a URL or a path.
    pub uri: Option<String>,
    /// Its UUID.
    pub uuid: Option<String>,
    /// A name.
    pub name: Option<String>,
    /// SMD's type, `NodeBMC`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its interfaces.
    pub ethernet_interfaces: Option<Vec<NicBody>>,
    /// The resets it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<String>>,
    /// The remote shells it offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_shell: Option<Vec<String>>,
}

/// The path of a Redfish resource that is given as a URL or as a path.
#[must_use]
pub fn path_of(uri: &str) -> &str {
    if !uri.starts_with("http") {
        return uri;
    }
    let Some((_, rest)) = uri.split_once("://") else { return uri };
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.split(['?', '#']).next().unwrap_or_default()
}

/// The path of an interface's resource, empty where it has none.
#[must_use]
pub fn path_of_nic(nic: &NicBody) -> &str {
    nic.uri.as_deref().map_or("", path_of)
}

/// Puts a text into the object unless it is empty, as SMD shows most texts.
fn put(object: &mut Value, key: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        object[key] = text.into();
    }
}

fn reset(path: &str, name: &str, actions: Option<&[String]>) -> Value {
    json!({
        "ResetType@Redfish.AllowableValues": actions,
        "@Redfish.ActionInfo": format!("{path}/ResetActionInfo"),
        "target": format!("{path}/Actions/{name}.Reset"),
    })
}

/// The details that SMD makes of a system: `RedfishSystemInfo`.
#[must_use]
pub fn system_info(system: &SystemBody) -> Value {
    let path = path_of(system.uri.as_deref().unwrap_or_default());
    let mut info = json!({
        "Actions": {"#ComputerSystem.Reset": reset(path, "ComputerSystem", system.actions.as_deref())},
    });
    put(&mut info, "Name", system.name.as_deref());
    let nics = system.ethernet_interfaces.iter().flatten().map(|nic| {
        let path = path_of_nic(nic);
        let mut object = json!({
            "RedfishId": path, "@odata.id": path, "InterfaceEnabled": true, "MACAddress": nic.mac.as_deref().unwrap_or_default(),
        });
        put(&mut object, "Description", nic.description.as_deref());
        object
    });
    put_list(&mut info, nics.collect());
    put_power(&mut info, path, system);
    info
}

/// What power control services look up: where the power of the system's chassis is, and its controls. SMD takes the
/// chassis for something beside which `Power` is, and wants a chassis for the controls.
fn put_power(info: &mut Value, path: &str, system: &SystemBody) {
    let Some(chassis) = system.links.iter().flat_map(|links| links.chassis.iter().flatten()).next() else { return };
    let url = chassis.rsplit_once('/').map_or("Power".to_owned(), |(folder, _)| format!("{folder}/Power"));
    info["PowerURL"] = url.into();
    let controls = system.power_controls().iter().map(|control| {
        json!({
            "@odata.id": control,
            "MemberId": control.rsplit('/').next(),
            "Name": "System Power Control",
            "RelatedItem": [{"@odata.id": path}, {"@odata.id": chassis}],
        })
    });
    let controls: Vec<Value> = controls.collect();
    if !controls.is_empty() {
        info["PowerControl"] = controls.into();
    }
}

/// The details that SMD makes of a manager: `RedfishManagerInfo`.
#[must_use]
pub fn manager_info(manager: &ManagerBody) -> Value {
    let path = path_of(manager.uri.as_deref().unwrap_or_default());
    let mut info = json!({
        "Actions": {"#Manager.Reset": reset(path, "Manager", manager.actions.as_deref())},
        "CommandShell": {
            "ServiceEnabled": true,
            "MaxConcurrentSessions": 65536,
            "ConnectTypesSupported": manager.command_shell.as_deref().unwrap_or_default(),
        },
    });
    put(&mut info, "Name", manager.name.as_deref());
    let nics = manager.ethernet_interfaces.iter().flatten().map(|nic| {
        let mac = nic.mac.as_deref().unwrap_or_default();
        let mut object = json!({
            "RedfishId": "", "@odata.id": "", "InterfaceEnabled": nic.enabled.unwrap_or_default(), "MACAddress": mac,
        });
        put(&mut object, "Description", nic.description.as_deref());
        put(&mut object, "Hostname", nic.name.as_deref());
        put(&mut object, "PermanentMACAddress", Some(mac));
        object
    });
    put_list(&mut info, nics.collect());
    info
}

fn put_list(info: &mut Value, nics: Vec<Value>) {
    if !nics.is_empty() {
        info["EthernetNICInfo"] = nics.into();
    }
}

/// Builds the body of POST and PUT `Inventory/RedfishEndpoints` of the second generation. It may hold a password, so it
/// cannot be printed.
#[derive(Serialize)]
pub struct DiscoveryRequest<'a> {
    #[serde(flatten)]
    endpoint: RedfishEndpointRequest<'a>,
    #[serde(rename = "Password", skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
    #[serde(rename = "SchemaVersion")]
    schema_version: u8,
    #[serde(rename = "Systems")]
    systems: Vec<SystemBody>,
    #[serde(rename = "Managers", skip_serializing_if = "Vec::is_empty")]
    managers: Vec<ManagerBody>,
}

impl<'a> DiscoveryRequest<'a> {
    /// The endpoint with what is behind it. SMD names the systems `<endpoint>n0`, `n1`, … in this order.
    #[must_use]
    pub fn new(endpoint: &'a RedfishEndpoint, systems: Vec<SystemBody>, managers: Vec<ManagerBody>) -> Self {
        Self { endpoint: endpoint.into(), password: None, schema_version: 1, systems, managers }
    }

    /// The request with the password that SMD has: a PUT without one wipes it.
    #[must_use]
    pub fn with_password(self, password: Option<&'a str>) -> Self {
        Self { password: password.filter(|text| !text.is_empty()), ..self }
    }
}

fn nics<'a>(name: &str, interfaces: impl IntoIterator<Item = &'a EthernetInterface>) -> Option<Vec<NicBody>> {
    let nics = interfaces.into_iter().map(|interface| NicBody {
        mac: Some(interface.mac.to_string()),
        ip: interface.ip_addresses.first().map(|address| address.ip.to_string()),
        name: Some(name.to_owned()),
        description: Some(interface.description.clone()),
        ..NicBody::default()
    });
    Some(nics.collect())
}

/// The texts of the details that a request repeats.
fn from_info(endpoint: &ComponentEndpoint, reset: &str) -> (Option<String>, Option<Vec<String>>) {
    let info = endpoint.info.tree();
    let name = info.get("Name").and_then(Value::as_str).map(str::to_owned);
    let values = &info["Actions"][reset]["ResetType@Redfish.AllowableValues"];
    let actions = values.as_array().map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    (name, actions)
}

impl SystemBody {
    /// The system that makes SMD create this component endpoint and these interfaces, each with its first address.
    #[must_use]
    pub fn of<'a>(endpoint: &ComponentEndpoint, interfaces: impl IntoIterator<Item = &'a EthernetInterface>) -> Self {
        let (name, actions) = from_info(endpoint, "#ComputerSystem.Reset");
        Self {
            uri: Some(endpoint.odata_id.clone()),
            uuid: Some(endpoint.uuid.clone()),
            name,
            system_type: Some(endpoint.redfish_subtype.clone()).filter(|text| !text.is_empty()),
            ethernet_interfaces: nics(endpoint.id.as_str(), interfaces),
            actions,
            ..Self::default()
        }
    }
}

impl ManagerBody {
    /// The manager that makes SMD create this component endpoint and these interfaces, each with its first address.
    #[must_use]
    pub fn of<'a>(endpoint: &ComponentEndpoint, interfaces: impl IntoIterator<Item = &'a EthernetInterface>) -> Self {
        let (name, actions) = from_info(endpoint, "#Manager.Reset");
        Self {
            uri: Some(endpoint.odata_id.clone()),
            uuid: Some(endpoint.uuid.clone()),
            name,
            kind: Some(endpoint.id.kind().as_str().to_owned()),
            ethernet_interfaces: nics(endpoint.id.as_str(), interfaces),
            actions,
            command_shell: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::smd::{EndpointBody, RedfishEndpointPost, read_component_endpoints};

    /// As the tutorial's client sends it, and as SMD then shows it (recorded).
    const SENT: &str = r#"{"uri":"https://demo.openchami.cluster:8443/redfish/v1/Systems/x1000c1s7b3n0","uuid":"cc3845c8","name":"nid003","ethernet_interfaces":[{"mac":"ec:e7:a7:05:93:84","ip":"172.16.0.3","name":"x1000c1s7b3n0","description":"Interface 0 for nid003"}]}"#;

    #[test]
    fn the_details_of_a_system_are_those_that_smd_makes() {
        let system: SystemBody = serde_json::from_str(SENT).unwrap();
        let wanted = json!({"Name": "nid003", "Actions": {"#ComputerSystem.Reset": {
            "ResetType@Redfish.AllowableValues": null,
            "@Redfish.ActionInfo": "/redfish/v1/Systems/x1000c1s7b3n0/ResetActionInfo",
            "target": "/redfish/v1/Systems/x1000c1s7b3n0/Actions/ComputerSystem.Reset"}},
            "EthernetNICInfo": [{"RedfishId": "", "@odata.id": "", "Description": "Interface 0 for nid003",
                "InterfaceEnabled": true, "MACAddress": "ec:e7:a7:05:93:84"}]});
        assert_eq!(system_info(&system), wanted);
    }

    #[test]
    fn the_power_of_a_system_is_beside_its_first_chassis() {
        let of = |links: Value| {
            let system = json!({"uri": "https://b/Systems/S0", "links": links,
                "power": {"state": "On", "power_control_ids": ["/Chassis/C0/Power#/PowerControl/0"]}});
            let info = system_info(&serde_json::from_value(system).unwrap());
            (info.get("PowerURL").cloned(), info.get("PowerControl").cloned())
        };
        let control = json!([{"@odata.id": "/Chassis/C0/Power#/PowerControl/0", "MemberId": "0",
            "Name": "System Power Control", "RelatedItem": [{"@odata.id": "/Systems/S0"}, {"@odata.id": "/Chassis/C0"}]}]);
        assert_eq!(of(json!({"chassis": ["/Chassis/C0", "x"]})), (Some("/Chassis/Power".into()), Some(control)));
        assert_eq!(of(json!({"chassis": ["C0"]})).0, Some("Power".into()));
        assert_eq!(of(json!({"managers": ["m"]})), (None, None));
    }

    #[test]
    fn the_path_of_a_resource_is_found_in_urls_and_paths() {
        assert_eq!(path_of("https://h:8443/redfish/v1/Systems/n0?x#y"), "/redfish/v1/Systems/n0");
        assert_eq!(path_of("/redfish/v1/Systems/n0"), "/redfish/v1/Systems/n0");
        assert_eq!(path_of("http://host"), "");
        assert_eq!(path_of("httpd"), "httpd");
    }

    #[test]
    fn a_request_says_what_a_server_makes_the_same_endpoint_of() {
        let system: SystemBody = serde_json::from_str(SENT).unwrap();
        let shown = json!({"ComponentEndpoints": [{"ID": "x1000c1s7b3n0", "RedfishType": "ComputerSystem",
            "RedfishSubtype": "", "UUID": "cc3845c8", "OdataID": "/redfish/v1/Systems/x1000c1s7b3n0",
            "RedfishEndpointID": "x1000c1s7b3", "RedfishSystemInfo": system_info(&system)}]});
        let rows = read_component_endpoints(shown.to_string().as_bytes()).unwrap();
        let interface = crate::wire::smd::InterfaceBody {
            mac: Some("ec:e7:a7:05:93:84".to_owned()),
            description: Some("Interface 0 for nid003".to_owned()),
            ..Default::default()
        };
        let again = SystemBody::of(rows[0].as_ref().unwrap(), [&interface.try_into().unwrap()]);
        assert_eq!(system_info(&again), system_info(&system));

        let endpoint = EndpointBody { id: Some("x1000c1s7b3".to_owned()), ..EndpointBody::default() };
        let endpoint = RedfishEndpoint::try_from(endpoint).unwrap();
        let request = serde_json::to_string(&DiscoveryRequest::new(&endpoint, vec![again.clone()], vec![])).unwrap();
        let read: RedfishEndpointPost = serde_json::from_str(&request).unwrap();
        assert_eq!((read.schema_version, read.systems, read.managers), (Some(1), Some(vec![again]), None));
        assert_eq!(read.endpoint.id.as_deref(), Some("x1000c1s7b3"));
    }

    #[test]
    fn a_password_is_sent_back_where_there_is_one() {
        let endpoint = EndpointBody { id: Some("x1000c1s7b1".to_owned()), ..EndpointBody::default() };
        let endpoint = RedfishEndpoint::try_from(endpoint).unwrap();
        let sent = |password| {
            let request = DiscoveryRequest::new(&endpoint, vec![], vec![]).with_password(password);
            serde_json::to_value(request).unwrap().get("Password").cloned()
        };
        assert_eq!(sent(Some("hunter2")), Some("hunter2".into()));
        assert_eq!((sent(Some("")), sent(None)), (None, None));
    }
}
