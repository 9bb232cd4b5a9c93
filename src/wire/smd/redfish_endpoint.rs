//! `Inventory/RedfishEndpoints`.
//!
//! `Password` is checked to be a text and forgotten: what is never taken in cannot be stored, shown or logged.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::field::{ip, said, xname};
use super::{FieldError, ListError, ManagerBody, PduBody, Row, SystemBody, Unread, rows};
use crate::model::RedfishEndpoint;
use crate::wire::json::fields;

/// A Redfish endpoint as SMD shows it, with an empty password.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RedfishEndpointView<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    hostname: &'a str,
    domain: &'a str,
    #[serde(rename = "FQDN")]
    fqdn: &'a str,
    enabled: bool,
    #[serde(rename = "UUID", skip_serializing_if = "str::is_empty")]
    uuid: &'a str,
    user: &'a str,
    password: &'static str,
    #[serde(rename = "UseSSDP", skip_serializing_if = "std::ops::Not::not")]
    use_ssdp: bool,
    #[serde(rename = "MACRequired", skip_serializing_if = "std::ops::Not::not")]
    mac_required: bool,
    #[serde(rename = "MACAddr", skip_serializing_if = "str::is_empty")]
    mac: Cow<'a, str>,
    #[serde(rename = "IPAddress", skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    rediscover_on_update: bool,
    discovery_info: DiscoveryInfo,
}

/// Nothing here asks BMCs, so every endpoint's status is the one SMD gives before it has asked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DiscoveryInfo {
    last_discovery_status: &'static str,
}

impl<'a> From<&'a RedfishEndpoint> for RedfishEndpointView<'a> {
    fn from(endpoint: &'a RedfishEndpoint) -> Self {
        Self {
            id: endpoint.id.as_str(),
            kind: endpoint.id.kind().as_str(),
            name: &endpoint.name,
            hostname: &endpoint.hostname,
            domain: &endpoint.domain,
            fqdn: &endpoint.fqdn,
            enabled: endpoint.enabled,
            uuid: &endpoint.uuid,
            user: &endpoint.user,
            password: "",
            use_ssdp: endpoint.use_ssdp,
            mac_required: endpoint.mac_required,
            mac: endpoint.shown_mac(),
            ip: endpoint.ip.map(shown_ip),
            rediscover_on_update: endpoint.rediscover_on_update,
            discovery_info: DiscoveryInfo { last_discovery_status: Self::STATUS },
        }
    }
}

/// An endpoint's address as SMD shows it: as a URL has it, with brackets around one of version 6.
#[must_use]
pub fn shown_ip(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// An address with or without the brackets of a URL.
fn read_ip(text: &str) -> Result<IpAddr, FieldError> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    ip(inner.unwrap_or(text))
}

impl RedfishEndpointView<'_> {
    /// The discovery status of every endpoint.
    pub const STATUS: &'static str = "NotYetQueried";
}

/// A Redfish endpoint as a client sends it, or SMD shows it; also the body of PATCH, where what is given is set.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct EndpointBody {
    /// The xname.
    #[serde(rename = "ID")]
    pub id: Option<String>,
    /// It follows from the xname.
    #[serde(rename = "Type")]
    pub kind: Option<Unread>,
    /// A name for people.
    #[serde(rename = "Name")]
    pub name: Option<String>,
    /// The host part of the FQDN.
    #[serde(rename = "Hostname")]
    pub hostname: Option<String>,
    /// The domain part of the FQDN.
    #[serde(rename = "Domain")]
    pub domain: Option<String>,
    /// Both parts.
    #[serde(rename = "FQDN")]
    pub fqdn: Option<String>,
    /// Absent means true.
    #[serde(rename = "Enabled")]
    pub enabled: Option<bool>,
    /// Free text.
    #[serde(rename = "UUID")]
    pub uuid: Option<String>,
    /// The account name.
    #[serde(rename = "User")]
    pub user: Option<String>,
    /// Not kept.
    #[serde(rename = "Password")]
    pub password: Option<Unread>,
    /// Mostly a MAC address.
    #[serde(rename = "MACAddr")]
    pub mac: Option<String>,
    /// The address.
    #[serde(rename = "IPAddress")]
    pub ip: Option<String>,
    /// A flag that is kept and shown.
    #[serde(rename = "RediscoverOnUpdate")]
    pub rediscover_on_update: Option<bool>,
    /// A flag that is kept and shown.
    #[serde(rename = "UseSSDP")]
    pub use_ssdp: Option<bool>,
    /// A flag that is kept and shown.
    #[serde(rename = "MACRequired")]
    pub mac_required: Option<bool>,
    /// Not kept: SMD takes it and never shows it.
    #[serde(rename = "TemplateID")]
    pub template_id: Option<Unread>,
}

impl TryFrom<EndpointBody> for RedfishEndpoint {
    type Error = FieldError;

    /// Takes the body for what it says; an absent FQDN is the xname, as SMD shows it.
    fn try_from(body: EndpointBody) -> Result<Self, FieldError> {
        let id = xname(body.id.as_deref().unwrap_or_default())?;
        let endpoint = Self {
            fqdn: body.fqdn.filter(|fqdn| !fqdn.is_empty()).unwrap_or_else(|| id.to_string()),
            id,
            name: body.name.unwrap_or_default(),
            hostname: body.hostname.unwrap_or_default(),
            domain: body.domain.unwrap_or_default(),
            enabled: body.enabled.unwrap_or(true),
            uuid: body.uuid.unwrap_or_default(),
            user: body.user.unwrap_or_default(),
            mac: None,
            mac_text: String::new(),
            ip: said(body.ip.as_deref()).map(read_ip).transpose()?,
            rediscover_on_update: body.rediscover_on_update.unwrap_or_default(),
            use_ssdp: body.use_ssdp.unwrap_or_default(),
            mac_required: body.mac_required.unwrap_or_default(),
        };
        Ok(endpoint.with_mac(body.mac.as_deref().unwrap_or_default()))
    }
}

/// Body of `POST Inventory/RedfishEndpoints` and of PUT: one endpoint, or a list of them; and of the second generation
/// what was found behind the one endpoint.
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self")]
pub struct RedfishEndpointPost {
    /// The one endpoint.
    #[serde(flatten)]
    pub endpoint: EndpointBody,
    /// The list.
    #[serde(rename = "RedfishEndpoints")]
    pub endpoints: Option<Vec<EndpointBody>>,
    /// Systems and managers are read from 1 on.
    #[serde(rename = "SchemaVersion")]
    pub schema_version: Option<i64>,
    /// The nodes behind the endpoint.
    #[serde(rename = "Systems")]
    pub systems: Option<Vec<SystemBody>>,
    /// The management controllers.
    #[serde(rename = "Managers")]
    pub managers: Option<Vec<ManagerBody>>,
    /// The outlets of a power distribution unit, in the place of systems and managers.
    #[serde(rename = "PDUInventory")]
    pub pdu: Option<PduBody>,
}

fields! { RedfishEndpointPost:
    "ID" "Type" "Name" "Hostname" "Domain" "FQDN" "Enabled" "UUID" "User" "Password" "MACAddr" "IPAddress"
    "RediscoverOnUpdate" "UseSSDP" "MACRequired" "TemplateID" "RedfishEndpoints" "SchemaVersion" "Systems" "Managers"
    "PDUInventory"
}

/// Builds one endpoint of a request. No password is sent, because none is kept.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RedfishEndpointRequest<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(rename = "FQDN", skip_serializing_if = "str::is_empty")]
    fqdn: &'a str,
    enabled: bool,
    #[serde(rename = "UUID", skip_serializing_if = "str::is_empty")]
    uuid: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    user: &'a str,
    #[serde(rename = "MACAddr", skip_serializing_if = "str::is_empty")]
    mac: Cow<'a, str>,
    #[serde(rename = "IPAddress", skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    rediscover_on_update: bool,
    #[serde(rename = "UseSSDP", skip_serializing_if = "std::ops::Not::not")]
    use_ssdp: bool,
    #[serde(rename = "MACRequired", skip_serializing_if = "std::ops::Not::not")]
    mac_required: bool,
}

impl<'a> From<&'a RedfishEndpoint> for RedfishEndpointRequest<'a> {
    fn from(endpoint: &'a RedfishEndpoint) -> Self {
        // SMD splits an FQDN into host and domain. One that is the xname is what it fills in by itself, and saying it
        // would set a host name where the endpoint has none.
        let said = endpoint.fqdn != endpoint.id.as_str() || !endpoint.hostname.is_empty();
        Self {
            id: endpoint.id.as_str(),
            kind: endpoint.id.kind().as_str(),
            name: &endpoint.name,
            fqdn: if said { &endpoint.fqdn } else { "" },
            enabled: endpoint.enabled,
            uuid: &endpoint.uuid,
            user: &endpoint.user,
            mac: endpoint.shown_mac(),
            ip: endpoint.ip,
            rediscover_on_update: endpoint.rediscover_on_update,
            use_ssdp: endpoint.use_ssdp,
            mac_required: endpoint.mac_required,
        }
    }
}

/// Reads the answer of `GET Inventory/RedfishEndpoints`.
///
/// # Errors
///
/// [`ListError`] when it is no such list; a row that is wrong is an error of its own.
pub fn read_redfish_endpoints(answer: &[u8]) -> Result<Vec<Row<RedfishEndpoint>>, ListError> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow, rename = "RedfishEndpoints")]
        rows: Option<Vec<&'a RawValue>>,
    }
    let list: List = serde_json::from_slice(answer).map_err(|cause| ListError { list: "RedfishEndpoints", cause })?;
    Ok(rows::read(list.rows, |body: EndpointBody| body.try_into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = r#"{"ID":"x1000c1s7b3","Type":"NodeBMC","Name":"nid003","Hostname":"","Domain":"","FQDN":"x1000c1s7b3","Enabled":true,"UUID":"1eaebe8f-37a4-49bd-a8dd-983680dc027c","User":"","Password":"","MACAddr":"02:00:00:11:22:33","IPAddress":"172.16.0.103","RediscoverOnUpdate":false,"DiscoveryInfo":{"LastDiscoveryStatus":"NotYetQueried"}}"#;

    fn read(row: &str) -> Row<RedfishEndpoint> {
        read_redfish_endpoints(format!(r#"{{"RedfishEndpoints":[{row}]}}"#).as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn an_endpoint_survives_its_wire_form() {
        let endpoint = read(SHOWN).unwrap();
        assert_eq!(serde_json::to_string(&RedfishEndpointView::from(&endpoint)).unwrap(), SHOWN);
    }

    #[test]
    fn a_password_is_neither_kept_nor_shown() {
        let endpoint = read(&SHOWN.replace(r#""Password":"""#, r#""Password":"hunter2""#)).unwrap();
        assert!(!format!("{endpoint:?}").contains("hunter2"));
        let wrong: Result<RedfishEndpointPost, _> =
            serde_json::from_str(r#"{"Password":"hunter2","Enabled":"hunter"}"#);
        assert!(!wrong.unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn a_name_that_smd_fills_in_is_not_sent() {
        let endpoint = read(SHOWN).unwrap();
        let request = serde_json::to_value(RedfishEndpointRequest::from(&endpoint)).unwrap();
        assert_eq!(request.get("FQDN"), None);
        assert_eq!(request["MACAddr"], "02:00:00:11:22:33");
        let named = RedfishEndpoint { fqdn: "bmc1.local".to_owned(), ..endpoint };
        assert_eq!(serde_json::to_value(RedfishEndpointRequest::from(&named)).unwrap()["FQDN"], "bmc1.local");
    }

    #[test]
    fn an_address_of_version_6_has_brackets_and_is_read_with_and_without_them() {
        for text in ["fd00::1", "[fd00::1]"] {
            let endpoint = read(&SHOWN.replace("172.16.0.103", text)).unwrap();
            assert_eq!(serde_json::to_value(RedfishEndpointView::from(&endpoint)).unwrap()["IPAddress"], "[fd00::1]");
        }
        assert!(read(&SHOWN.replace("172.16.0.103", "[fd00::1")).is_err());
    }

    #[test]
    fn flags_are_shown_where_they_are_set_and_a_template_never() {
        let more = r#""UseSSDP":true,"MACRequired":true,"TemplateID":"t","RediscoverOnUpdate""#;
        let endpoint = read(&SHOWN.replace(r#""RediscoverOnUpdate""#, more)).unwrap();
        let shown = serde_json::to_value(RedfishEndpointView::from(&endpoint)).unwrap();
        let wanted = (&true.into(), &true.into(), None);
        assert_eq!((&shown["UseSSDP"], &shown["MACRequired"], shown.get("TemplateID")), wanted);
    }

    #[test]
    fn a_mac_address_is_shown_and_sent_as_it_was_given() {
        for given in ["zz", "02:00:00:AA:BB:CC"] {
            let endpoint = read(&SHOWN.replace("02:00:00:11:22:33", given)).unwrap();
            assert_eq!(serde_json::to_value(RedfishEndpointView::from(&endpoint)).unwrap()["MACAddr"], given);
            assert_eq!(serde_json::to_value(RedfishEndpointRequest::from(&endpoint)).unwrap()["MACAddr"], given);
        }
    }
}
