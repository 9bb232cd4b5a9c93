//! What a power distribution unit's inventory creates beside the endpoint: the unit and each of its outlets as
//! components with component endpoints, through which power control services find the outlets' switches.

use super::discovery::{Found, behind};
use crate::model::{Component, ComponentEndpoint, RedfishEndpoint, State, Xname, XnameType};
use crate::server::common::Problem;
use crate::wire::smd::{OutletBody, PDU_PATH, PduBody, outlet_info, pdu_info};

/// Checks the outlets, and works out what they mean. A unit without outlets is an endpoint and nothing more, as in SMD.
///
/// # Errors
///
/// 400 for an outlet whose xname is that of none, and for a state that is none; SMD stores some of these.
pub(super) fn checked(endpoint: &RedfishEndpoint, pdu: &PduBody) -> Result<Found, Problem> {
    let mut found = Found::default();
    let outlets = pdu.outlets.as_deref().unwrap_or_default();
    if outlets.is_empty() {
        return Ok(found);
    }
    let unit = &endpoint.id;
    found.components.push(Component {
        state: Some(State::On),
        enabled: endpoint.enabled,
        ..Component::bare(unit.clone())
    });
    found.endpoints.push(ComponentEndpoint {
        redfish_type: "Manager".to_owned(),
        info: pdu_info().into(),
        ..behind(endpoint, unit, Some(PDU_PATH))
    });
    for outlet in outlets {
        let id = xname(unit, outlet)?;
        let state = state(outlet)?;
        found.endpoints.push(ComponentEndpoint {
            redfish_type: "Outlet".to_owned(),
            redfish_subtype: outlet.socket_type.clone().unwrap_or_default(),
            info: outlet_info(outlet).into(),
            ..behind(endpoint, &id, Some(&outlet.path("monitor")))
        });
        found.components.push(Component { state, enabled: state == Some(State::On), ..Component::bare(id) });
    }
    Ok(found)
}

fn xname(unit: &Xname, outlet: &OutletBody) -> Result<Xname, Problem> {
    let text = format!("{unit}{}", outlet.id_suffix.as_deref().unwrap_or_default());
    let is_outlet = |id: &Xname| matches!(id.kind(), XnameType::CabinetPduPowerConnector | XnameType::CabinetPduOutlet);
    let id: Option<Xname> = text.parse().ok();
    id.filter(is_outlet).ok_or_else(|| Problem::bad_request(format!("'{text}' is not the xname of an outlet")))
}

fn state(outlet: &OutletBody) -> Result<Option<State>, Problem> {
    let given = outlet.state.as_deref().filter(|text| !text.is_empty());
    given
        .map(str::parse)
        .transpose()
        .map_err(|_| Problem::bad_request(format!("state '{}' of an outlet is invalid", given.unwrap_or_default())))
}
