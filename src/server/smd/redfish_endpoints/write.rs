//! Creating, replacing, changing and deleting Redfish endpoints, with what follows for what is behind them.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::discovery::{self, Found};
use super::names::described;
use super::outlets;
use crate::model::{ComponentEndpoint, MacAddr, Object, ObjectKey, RedfishEndpoint, Timestamp, Xname};
use crate::server::common::Problem;
use crate::server::smd::answer;
use crate::server::smd::component_endpoints::{emptied, without};
use crate::server::smd::components::missing;
use crate::snapshot::{BootView, Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{EndpointBody, RedfishEndpointPost};

/// The endpoints of a POST and what was found behind the one of the second generation. A body without any endpoint
/// creates none, as in SMD.
///
/// # Errors
///
/// 400 naming what is wrong.
pub(super) fn checked(request: RedfishEndpointPost) -> Result<(Vec<RedfishEndpoint>, Found), Problem> {
    let single = is_given(&request.endpoint);
    if let Some(bodies) = request.endpoints.as_ref().filter(|_| !single) {
        if request.systems.is_some() || request.managers.is_some() || request.pdu.is_some() {
            return Err(Problem::bad_request("what is behind an endpoint goes with one, not with a list"));
        }
        let read = |(at, body): (usize, &EndpointBody)| {
            let at = format!("endpoint data at idx {at}:");
            let placed =
                |problem: Problem| Problem { detail: problem.detail.replacen("endpoint data:", &at, 1), ..problem };
            described(body.clone()).map_err(placed)
        };
        let endpoints = bodies.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        return Ok((endpoints, Found::default()));
    }
    if !single && request.systems.is_none() && request.managers.is_none() && request.pdu.is_none() {
        return Ok((Vec::new(), Found::default()));
    }
    let (endpoint, found) = checked_one(request)?;
    Ok((vec![endpoint], found))
}

/// The endpoint of a PUT; the body may leave out the xname.
///
/// # Errors
///
/// 400 when it names another endpoint than the path, or naming what is wrong.
pub(super) fn checked_put(path: &str, mut request: RedfishEndpointPost) -> Result<(RedfishEndpoint, Found), Problem> {
    let id = request.endpoint.id.get_or_insert_default();
    if id.is_empty() {
        path.clone_into(id);
    } else if id.parse::<Xname>().ok() != path.parse().ok() {
        return Err(Problem::bad_request("xname in URL and PUT body do not match"));
    }
    checked_one(request)
}

fn checked_one(request: RedfishEndpointPost) -> Result<(RedfishEndpoint, Found), Problem> {
    let endpoint = described(request.endpoint)?;
    let (systems, managers) = (request.systems.unwrap_or_default(), request.managers.unwrap_or_default());
    let first_generation = request.schema_version.is_none_or(|version| version < 1);
    let describes_more = !systems.is_empty() || !managers.is_empty();
    if first_generation && describes_more {
        return Err(Problem::bad_request("Systems and Managers need SchemaVersion 1"));
    }
    let found = match &request.pdu {
        Some(_) if describes_more => {
            return Err(Problem::bad_request("PDUInventory goes without Systems and Managers"));
        }
        Some(pdu) => outlets::checked(&endpoint, pdu)?,
        None => discovery::checked(&endpoint, &systems, &managers)?,
    };
    Ok((endpoint, found))
}

fn is_given(body: &EndpointBody) -> bool {
    let texts =
        [&body.id, &body.name, &body.hostname, &body.domain, &body.fqdn, &body.uuid, &body.user, &body.mac, &body.ip];
    texts.iter().any(|text| text.is_some()) || body.enabled.is_some() || body.rediscover_on_update.is_some()
}

fn conflict() -> Problem {
    Problem::conflict("operation would conflict with an existing resource that has the same FQDN or xname ID.")
}

fn put(endpoint: &RedfishEndpoint) -> Change {
    Change::Put(Object::RedfishEndpoint(Arc::new(endpoint.clone())))
}

/// True where another endpoint has this FQDN.
fn fqdn_is_taken(snapshot: &Snapshot, fqdn: &str, by_other_than: &Xname) -> bool {
    let holders = snapshot.endpoints_by_fqdn.get(fqdn);
    holders.is_some_and(|holders| holders.iter().any(|id| id != by_other_than))
}

/// Creates them all or, when one clashes, none. Of several with one xname the first counts; two with one FQDN clash.
/// Answers the interfaces that were left alone.
pub(super) fn decide_create(
    snapshot: &Snapshot,
    endpoints: Vec<RedfishEndpoint>,
    found: &Found,
    now: Timestamp,
) -> Result<Decision<Vec<MacAddr>>, Problem> {
    let (mut ids, mut fqdns) = (HashSet::new(), HashSet::new());
    let mut changes = Vec::with_capacity(endpoints.len());
    for endpoint in endpoints.iter().filter(|endpoint| ids.insert(&endpoint.id)) {
        let exists = snapshot.redfish_endpoints.contains_key(&endpoint.id);
        if exists || !fqdns.insert(&endpoint.fqdn) || fqdn_is_taken(snapshot, &endpoint.fqdn, &endpoint.id) {
            return Err(conflict());
        }
        changes.push(put(endpoint));
    }
    let (behind, kept) = found.changes(&snapshot.boot, false, now);
    changes.extend(behind);
    Ok(Decision::new(kept, changes))
}

/// Creates or replaces one, and answers whether it was created.
pub(super) fn decide_put(
    snapshot: &Snapshot,
    endpoint: RedfishEndpoint,
    found: &Found,
    now: Timestamp,
) -> Result<Decision<bool>, Problem> {
    let old = snapshot.redfish_endpoints.get(&endpoint.id);
    let mut changes = replace(snapshot, old.map(Arc::as_ref), &endpoint)?;
    changes.extend(found.changes(&snapshot.boot, true, now).0);
    Ok(Decision::new(old.is_none(), changes))
}

/// Changes one, and answers it.
pub(super) fn decide_change(
    snapshot: &Snapshot,
    id: &Xname,
    patch: EndpointBody,
) -> Result<Decision<RedfishEndpoint>, Problem> {
    let missing = || Problem::not_found(format!("No such entry: {id}"));
    let old = snapshot.redfish_endpoints.get(id).ok_or_else(missing)?;
    let endpoint = described(patched(old, patch))?;
    // Where nothing is set SMD leaves the names as they are; else it fills in those that follow from the others.
    if described(patched(old, EndpointBody::default())).is_ok_and(|same| same == endpoint) {
        return Ok(Decision::new(RedfishEndpoint::clone(old), Vec::new()));
    }
    let changes = replace(snapshot, Some(old), &endpoint)?;
    Ok(Decision::new(endpoint, changes))
}

/// The old endpoint with what the patch sets. Of the three names the patch's ones decide, and what it does not name
/// follows from them, where SMD fails for names that disagree with the old ones. An empty name names nothing, and an empty
/// FQDN gives no host name where there was none.
fn patched(old: &RedfishEndpoint, patch: EndpointBody) -> EndpointBody {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let known = Some(&old.fqdn).filter(|_| patch.fqdn.as_deref() != Some("")).cloned();
    let (hostname, domain, fqdn) = match (given(patch.hostname), given(patch.domain), given(patch.fqdn)) {
        (None, None, None) => (Some(old.hostname.clone()), Some(old.domain.clone()), known),
        (None, None, fqdn) => (None, None, fqdn),
        (hostname, domain, fqdn) => {
            (hostname.or_else(|| Some(old.hostname.clone())), domain.or_else(|| Some(old.domain.clone())), fqdn)
        }
    };
    // An endpoint that is known by its address is known by the new one.
    let is_address = old.hostname.parse::<IpAddr>().is_ok();
    let (hostname, fqdn) = match patch.ip.as_ref().filter(|ip| is_address && !ip.is_empty()) {
        Some(ip) => (Some(ip.clone()), Some(ip.clone())),
        None => (hostname, fqdn),
    };
    EndpointBody {
        id: Some(old.id.to_string()),
        name: patch.name.or_else(|| Some(old.name.clone())),
        hostname,
        domain,
        fqdn,
        enabled: patch.enabled.or(Some(old.enabled)),
        uuid: patch.uuid.or_else(|| Some(old.uuid.clone())),
        user: patch.user.or_else(|| Some(old.user.clone())),
        mac: patch.mac.or_else(|| Some(old.shown_mac().into_owned())),
        ip: patch.ip.or_else(|| old.ip.map(|ip| ip.to_string())),
        rediscover_on_update: patch.rediscover_on_update.or(Some(old.rediscover_on_update)),
        use_ssdp: patch.use_ssdp.or(Some(old.use_ssdp)),
        mac_required: patch.mac_required.or(Some(old.mac_required)),
        ..EndpointBody::default()
    }
}

/// The changes from the old endpoint to the new. What is behind it follows its name, is in use when it is, and becomes
/// empty when it is disabled.
fn replace(snapshot: &Snapshot, old: Option<&RedfishEndpoint>, new: &RedfishEndpoint) -> Result<Vec<Change>, Problem> {
    if fqdn_is_taken(snapshot, &new.fqdn, &new.id) {
        return Err(conflict());
    }
    if old == Some(new) {
        return Ok(Vec::new());
    }
    let view = &snapshot.boot;
    let mut changes = vec![put(new)];
    for id in behind(view, &new.id) {
        changes.extend(following(view, id, new));
        if !new.enabled {
            changes.extend(emptied(view, id));
        }
    }
    Ok(changes)
}

fn behind<'a>(view: &'a BootView, id: &Xname) -> impl Iterator<Item = &'a Xname> + use<'a> {
    view.index.behind.get(id).into_iter().flatten()
}

fn following(view: &BootView, id: &Xname, endpoint: &RedfishEndpoint) -> Option<Change> {
    let differs =
        |old: &ComponentEndpoint| old.redfish_endpoint_fqdn != endpoint.fqdn || old.enabled != endpoint.enabled;
    let old = view.component_endpoints.get(id).filter(|old| differs(old))?;
    Some(Change::Put(Object::ComponentEndpoint(Arc::new(ComponentEndpoint {
        redfish_endpoint_fqdn: endpoint.fqdn.clone(),
        redfish_url: format!("{}{}", endpoint.fqdn, old.odata_id),
        enabled: endpoint.enabled,
        ..ComponentEndpoint::clone(old)
    }))))
}

/// Deletes one, and the component endpoints behind it. Their components become empty; interfaces and memberships stay.
pub(super) fn decide_remove(snapshot: &Snapshot, id: &Xname) -> Result<Decision<()>, Problem> {
    if !snapshot.redfish_endpoints.contains_key(id) {
        return Err(missing());
    }
    Ok(Decision::new((), removal(snapshot, id).collect()))
}

/// Deletes all, and answers how many there were.
pub(super) fn decide_clear(snapshot: &Snapshot) -> Result<Decision<usize>, Problem> {
    let endpoints = &snapshot.redfish_endpoints;
    if endpoints.is_empty() {
        return Err(answer::nothing_to_delete());
    }
    Ok(Decision::new(endpoints.len(), endpoints.keys().flat_map(|id| removal(snapshot, id)).collect()))
}

fn removal<'a>(snapshot: &'a Snapshot, id: &'a Xname) -> impl Iterator<Item = Change> {
    let view = &snapshot.boot;
    without(view, behind(view, id)).chain([Change::Delete(ObjectKey::redfish_endpoint(id))])
}
