//! `Inventory/EthernetInterfaces`.

use std::fmt;
use std::net::IpAddr;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::field::{ip, mac, said, xname};
use super::{FieldError, ListError, Row, rows};
use crate::model::{EthernetInterface, IpAddress, MacAddr, Timestamp, Xname};

/// An interface as SMD shows it.
#[derive(Debug)]
pub struct InterfaceView<'a>(pub &'a EthernetInterface);

/// One address of an interface as SMD shows it.
#[derive(Debug, Serialize)]
pub struct IpView<'a> {
    #[serde(rename = "IPAddress")]
    ip: IpAddr,
    #[serde(rename = "Network", skip_serializing_if = "str::is_empty")]
    network: &'a str,
}

impl<'a> From<&'a IpAddress> for IpView<'a> {
    fn from(address: &'a IpAddress) -> Self {
        Self { ip: address.ip, network: &address.network }
    }
}

/// Serialises through [`fmt::Display`], without a text in between: a list has 50,000 of each.
struct Text<T>(T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The digits without separators, SMD's `ID`.
struct MacId(MacAddr);

impl fmt::Display for MacId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// RFC 3339 with microseconds, UTC.
struct Moment(Timestamp);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A moment outside the years that RFC 3339 can write is shown as 1970: it can only come from a broken clock.
        let moment = jiff::Timestamp::from_microsecond(self.0.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{moment:.6}")
    }
}

/// The moment as SMD writes it: RFC 3339, UTC, microseconds.
#[must_use]
pub fn format_time(moment: Timestamp) -> String {
    Moment(moment).to_string()
}

/// The moment to the second, as SMD writes the times of reservations.
pub(super) fn format_seconds(moment: Timestamp) -> String {
    let moment = jiff::Timestamp::from_microsecond(moment.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{moment:.0}")
}

/// Reads an RFC 3339 time; what is finer than a microsecond is dropped.
///
/// # Errors
///
/// [`FieldError::Time`].
pub fn parse_time(text: &str) -> Result<Timestamp, FieldError> {
    let moment: jiff::Timestamp = text.parse().map_err(|_| FieldError::Time(text.to_owned()))?;
    Ok(Timestamp(moment.as_microsecond()))
}

fn views(addresses: &[IpAddress]) -> Vec<IpView<'_>> {
    addresses.iter().map(IpView::from).collect()
}

impl Serialize for InterfaceView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let interface = self.0;
        let mut object = serializer.serialize_struct("EthernetInterface", 7)?;
        object.serialize_field("ID", &Text(MacId(interface.mac)))?;
        object.serialize_field("Description", &interface.description)?;
        object.serialize_field("MACAddress", &Text(interface.mac))?;
        object.serialize_field("LastUpdate", &Text(Moment(interface.last_update)))?;
        object.serialize_field("ComponentID", interface.component_id.as_ref().map_or("", Xname::as_str))?;
        object.serialize_field("Type", interface.kind().map_or("", |kind| kind.as_str()))?;
        object.serialize_field("IPAddresses", &views(&interface.ip_addresses))?;
        object.end()
    }
}

/// One address as a client sends it, or SMD shows it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct IpBody {
    /// The address.
    #[serde(rename = "IPAddress")]
    pub ip: Option<String>,
    /// The network's label.
    #[serde(rename = "Network")]
    pub network: Option<String>,
}

impl TryFrom<IpBody> for IpAddress {
    type Error = FieldError;

    fn try_from(body: IpBody) -> Result<Self, FieldError> {
        let text = said(body.ip.as_deref()).ok_or(FieldError::Missing("IPAddress"))?;
        Ok(Self { ip: ip(text)?, network: body.network.unwrap_or_default() })
    }
}

/// An interface as a client sends it, or SMD shows it. `ID` and `Type` follow from the other fields and are not read.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct InterfaceBody {
    /// Free text.
    #[serde(rename = "Description")]
    pub description: Option<String>,
    /// In any spelling of [`MacAddr`].
    #[serde(rename = "MACAddress")]
    pub mac: Option<String>,
    /// RFC 3339.
    #[serde(rename = "LastUpdate")]
    pub last_update: Option<String>,
    /// The component.
    #[serde(rename = "ComponentID")]
    pub component_id: Option<String>,
    /// The addresses.
    #[serde(rename = "IPAddresses")]
    pub ip_addresses: Option<Vec<IpBody>>,
}

impl TryFrom<InterfaceBody> for EthernetInterface {
    type Error = FieldError;

    /// `LastUpdate` may be absent: it is then 1970.
    fn try_from(body: InterfaceBody) -> Result<Self, FieldError> {
        Ok(Self {
            mac: mac(said(body.mac.as_deref()).ok_or(FieldError::Missing("MACAddress"))?)?,
            description: body.description.unwrap_or_default(),
            last_update: said(body.last_update.as_deref()).map_or(Ok(Timestamp(0)), parse_time)?,
            component_id: said(body.component_id.as_deref()).map(xname).transpose()?,
            ip_addresses: body
                .ip_addresses
                .unwrap_or_default()
                .into_iter()
                .map(IpAddress::try_from)
                .collect::<Result<_, _>>()?,
        })
    }
}

/// Body of `PATCH Inventory/EthernetInterfaces/{id}`: what is given is set.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct InterfacePatchBody {
    /// Free text.
    #[serde(rename = "Description")]
    pub description: Option<String>,
    /// The component; an empty text means none.
    #[serde(rename = "ComponentID")]
    pub component_id: Option<String>,
    /// All the addresses.
    #[serde(rename = "IPAddresses")]
    pub ip_addresses: Option<Vec<IpBody>>,
}

/// Builds the body of `POST Inventory/EthernetInterfaces`, which takes one interface.
#[derive(Debug, Serialize)]
pub struct InterfaceRequest<'a> {
    #[serde(rename = "Description")]
    description: &'a str,
    #[serde(rename = "MACAddress")]
    mac: MacAddr,
    #[serde(rename = "ComponentID")]
    component_id: &'a str,
    #[serde(rename = "IPAddresses")]
    ip_addresses: Vec<IpView<'a>>,
}

impl<'a> From<&'a EthernetInterface> for InterfaceRequest<'a> {
    fn from(interface: &'a EthernetInterface) -> Self {
        Self {
            description: &interface.description,
            mac: interface.mac,
            component_id: interface.component_id.as_ref().map_or("", Xname::as_str),
            ip_addresses: views(&interface.ip_addresses),
        }
    }
}

/// Builds the body of `PATCH Inventory/EthernetInterfaces/{id}`; a field that is none is left as it is.
#[derive(Debug, Default, Serialize)]
pub struct InterfacePatchRequest<'a> {
    #[serde(rename = "Description", skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(rename = "ComponentID", skip_serializing_if = "Option::is_none")]
    component_id: Option<&'a str>,
    #[serde(rename = "IPAddresses", skip_serializing_if = "Option::is_none")]
    ip_addresses: Option<Vec<IpView<'a>>>,
}

impl<'a> InterfacePatchRequest<'a> {
    /// A request that sets the description.
    #[must_use]
    pub fn description(mut self, text: &'a str) -> Self {
        self.description = Some(text);
        self
    }

    /// A request that also sets the component; none leaves it as it is, because SMD takes no empty one.
    #[must_use]
    pub fn component(mut self, id: Option<&'a Xname>) -> Self {
        self.component_id = id.map(Xname::as_str);
        self
    }

    /// A request that also sets all the addresses.
    #[must_use]
    pub fn addresses(mut self, addresses: &'a [IpAddress]) -> Self {
        self.ip_addresses = Some(views(addresses));
        self
    }
}

/// Reads the answer of `GET Inventory/EthernetInterfaces`.
///
/// # Errors
///
/// [`ListError`] when it is no such list; a row that is wrong is an error of its own.
pub fn read_interfaces(answer: &[u8]) -> Result<Vec<Row<EthernetInterface>>, ListError> {
    let list: Option<Vec<&RawValue>> =
        serde_json::from_slice(answer).map_err(|cause| ListError { list: "EthernetInterfaces", cause })?;
    Ok(rows::read(list, |body: InterfaceBody| body.try_into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SHOWN: &str = r#"{"ID":"ece7a705a1fc","Description":"d","MACAddress":"ec:e7:a7:05:a1:fc","LastUpdate":"2026-01-02T03:04:05.678900Z","ComponentID":"x1000c0s0b0n0","Type":"Node","IPAddresses":[{"IPAddress":"172.16.0.1","Network":"NMN"},{"IPAddress":"fd00::1"}]}"#;

    #[test]
    fn an_interface_survives_its_wire_form() {
        let rows = read_interfaces(format!("[{SHOWN}]").as_bytes()).unwrap();
        let interface = rows[0].as_ref().unwrap();
        assert_eq!(serde_json::to_string(&InterfaceView(interface)).unwrap(), SHOWN);
        assert_eq!(
            serde_json::to_value(InterfaceRequest::from(interface)).unwrap(),
            json!({"Description": "d", "MACAddress": "ec:e7:a7:05:a1:fc", "ComponentID": "x1000c0s0b0n0",
                "IPAddresses": [{"IPAddress": "172.16.0.1", "Network": "NMN"}, {"IPAddress": "fd00::1"}]})
        );
    }

    #[test]
    fn an_interface_of_nobody_shows_empty_texts_and_an_empty_list() {
        let interface = EthernetInterface::try_from(InterfaceBody {
            mac: Some("ec-e7-a7-05-a1-01".to_owned()),
            ..InterfaceBody::default()
        });
        assert_eq!(
            serde_json::to_string(&InterfaceView(&interface.unwrap())).unwrap(),
            r#"{"ID":"ece7a705a101","Description":"","MACAddress":"ec:e7:a7:05:a1:01","LastUpdate":"1970-01-01T00:00:00.000000Z","ComponentID":"","Type":"","IPAddresses":[]}"#
        );
    }

    #[test]
    fn nonsense_that_smd_stores_spoils_its_own_row_only() {
        let answer = br#"[{"ID":"nonsens0","MACAddress":"nonsens0","IPAddresses":[]},
            {"ID":"020000000001","MACAddress":"02:00:00:00:00:01","IPAddresses":[{"IPAddress":"999.1.1.1"}]},
            {"ID":"020000000002","MACAddress":"02:00:00:00:00:02","IPAddresses":null}]"#;
        let rows = read_interfaces(answer).unwrap();
        assert!(rows[0].as_ref().unwrap_err().to_string().starts_with("`nonsens0`: MAC address 'nonsens0' is invalid"));
        assert_eq!(rows[1].as_ref().unwrap_err().to_string(), "`020000000001`: IP address '999.1.1.1' is invalid");
        assert!(rows[2].is_ok());
    }

    #[test]
    fn a_patch_holds_what_was_set_and_nothing_else() {
        assert_eq!(serde_json::to_value(InterfacePatchRequest::default()).unwrap(), json!({}));
        let patch = InterfacePatchRequest::default().description("x").component(None).addresses(&[]);
        let wanted = json!({"Description": "x", "IPAddresses": []});
        assert_eq!(serde_json::to_value(patch).unwrap(), wanted);
    }

    #[test]
    fn times_are_read_with_their_offset() {
        assert_eq!(parse_time("1970-01-01T01:00:00.0000019+01:00"), Ok(Timestamp(1)));
        assert_eq!(format_time(Timestamp(1)), "1970-01-01T00:00:00.000001Z");
        assert!(parse_time("bad").is_err());
    }
}
