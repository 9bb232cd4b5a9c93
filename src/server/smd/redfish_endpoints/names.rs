//! The names and addresses of a Redfish endpoint, worked out of what a client gives of them.

use std::net::IpAddr;

use crate::model::{RedfishEndpoint, XnameType};
use crate::server::common::Problem;
use crate::wire::smd::{EndpointBody, FieldError};

fn trimmed(text: Option<&String>) -> String {
    text.map(|text| text.trim_matches(['.', '/', ' ']).to_owned()).unwrap_or_default()
}

fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// The endpoint that a body describes, with its host name, domain and FQDN made to agree as SMD makes them: an FQDN is
/// split at its first dot; host name and domain are joined; where neither is given the FQDN is the xname.
///
/// # Errors
///
/// 400 for an xname that is none or is no controller, names that contradict each other, and wrong addresses.
pub(super) fn described(body: EndpointBody) -> Result<RedfishEndpoint, Problem> {
    let wrong = |text: String| Problem::bad_request(format!("couldn't validate endpoint data: {text}"));
    let given = body.fqdn.clone().unwrap_or_default();
    let mut hostname = trimmed(body.hostname.as_ref());
    let mut domain = trimmed(body.domain.as_ref());
    if !is_ip(&hostname) && hostname.contains('.') {
        return Err(wrong(format!("host name '{hostname}' is neither one label nor an IP address")));
    }
    let (host_part, domain_part) = match given.split_once('.') {
        Some((host, domain)) if !is_ip(&given) => (host, domain),
        _ => (given.as_str(), ""),
    };
    if hostname.is_empty() {
        hostname = host_part.trim_matches(['.', '/', ' ']).to_owned();
    }
    if domain.is_empty() && hostname == host_part {
        domain = domain_part.trim_matches(['.', '/', ' ']).to_owned();
    }
    let id = body.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| hostname.clone());
    if id.is_empty() {
        return Err(wrong("No xname ID found".to_owned()));
    }
    let mut endpoint =
        RedfishEndpoint::try_from(EndpointBody { id: Some(id), ..body }).map_err(|error| wrong(text_of(&error)))?;
    if !is_controller(endpoint.id.kind()) {
        let kind = endpoint.id.kind();
        return Err(wrong(format!("xname ID {} has wrong type for RF endpoint: {kind}", endpoint.id)));
    }
    let host = if hostname.is_empty() { endpoint.id.as_str() } else { &hostname };
    let fqdn = if domain.is_empty() || is_ip(host) { host.to_owned() } else { format!("{host}.{domain}") };
    if !given.is_empty() && fqdn != given {
        return Err(wrong(format!("host/domain conflicts with FQDN: '{fqdn}' != '{given}'")));
    }
    if let Ok(address) = hostname.parse::<IpAddr>() {
        if endpoint.ip.is_some_and(|ip| ip != address) {
            return Err(wrong(format!("host name '{hostname}' is another address than the one given")));
        }
        endpoint.ip = Some(address);
    }
    Ok(RedfishEndpoint { hostname, domain, fqdn, ..endpoint })
}

fn text_of(error: &FieldError) -> String {
    match error {
        FieldError::Xname(id) => format!("{id} is not a valid locational xname ID"),
        other => other.to_string(),
    }
}

/// The types of component that can have a Redfish service.
fn is_controller(kind: XnameType) -> bool {
    use XnameType as T;
    matches!(
        kind,
        T::ChassisBmc
            | T::NodeBmc
            | T::RouterBmc
            | T::CabinetBmc
            | T::CabinetPduController
            | T::MgmtSwitch
            | T::MgmtHlSwitch
            | T::CduMgmtSwitch
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(json: serde_json::Value) -> Result<(String, String, String), Problem> {
        let endpoint = described(serde_json::from_value(json).unwrap())?;
        Ok((endpoint.hostname, endpoint.domain, endpoint.fqdn))
    }

    fn texts(host: &str, domain: &str, fqdn: &str) -> Result<(String, String, String), Problem> {
        Ok((host.to_owned(), domain.to_owned(), fqdn.to_owned()))
    }

    #[test]
    fn names_are_split_joined_and_filled_in_as_smd_does() {
        use serde_json::json;
        assert_eq!(names(json!({"ID": "x0c0s0b0"})), texts("", "", "x0c0s0b0"));
        assert_eq!(names(json!({"ID": "x0c0s0b0", "FQDN": "x0c0s0b0"})), texts("x0c0s0b0", "", "x0c0s0b0"));
        assert_eq!(names(json!({"ID": "x0c0s0b0", "FQDN": "b1.a.b"})), texts("b1", "a.b", "b1.a.b"));
        assert_eq!(
            names(json!({"ID": "x0c0s0b0", "Hostname": "b1", "Domain": "local"})),
            texts("b1", "local", "b1.local")
        );
        assert_eq!(names(json!({"FQDN": "x0c0s0b0.local"})), texts("x0c0s0b0", "local", "x0c0s0b0.local"));
        assert_eq!(names(json!({"ID": "x0c0s0b0", "FQDN": "10.0.0.9"})), texts("10.0.0.9", "", "10.0.0.9"));
    }

    #[test]
    fn an_address_as_host_name_is_the_endpoints_address() {
        let body = EndpointBody {
            id: Some("x0c0s0b0".to_owned()),
            hostname: Some("10.0.0.9".to_owned()),
            ..EndpointBody::default()
        };
        assert_eq!(described(body.clone()).unwrap().ip, Some([10, 0, 0, 9].into()));
        assert!(described(EndpointBody { ip: Some("10.0.0.8".to_owned()), ..body }).is_err());
    }

    #[test]
    fn what_cannot_be_an_endpoint_is_refused() {
        use serde_json::json;
        for wrong in [
            json!({"ID": "bmc1"}),
            json!({"ID": "x0c0s0b0n0"}),
            json!({"FQDN": "a.b"}),
            json!({"Name": "nid001"}),
            json!({"ID": "x0c0s0b0", "Hostname": "a.b"}),
            json!({"ID": "x0c0s0b0", "Hostname": "a", "FQDN": "b.local"}),
            json!({"ID": "x0c0s0b0", "IPAddress": "999.1.1.1"}),
        ] {
            assert_eq!(names(wrong.clone()).unwrap_err().status, 400, "{wrong}");
        }
    }
}
