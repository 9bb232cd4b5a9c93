//! `Inventory/RedfishEndpoints`, of both generations of payload.
//!
//! The first describes BMCs and creates nothing else. The second (`SchemaVersion` 1) describes one BMC and what was
//! found behind it, and creates components, component endpoints and interfaces with it: see `discovery`. A third form
//! describes a power distribution unit with its outlets: see `outlets`.

mod discovery;
mod names;
mod outlets;
mod write;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::SmdState;
use super::answer::{self, Uri};
use super::components::{missing, xname};
use super::query::{Filter, Pairs};
use super::request::{By, PathOf};
use crate::clock;
use crate::model::{MacAddr, RedfishEndpoint, Xname, XnameType};
use crate::server::common::{Problem, body};
use crate::wire::smd::{EndpointBody, RedfishEndpointPost, RedfishEndpointView, shown_ip, write_list};

const COLLECTION: &str = "Inventory/RedfishEndpoints";

/// A compiled query.
struct EndpointFilter {
    id: Filter<String>,
    fqdn: Filter<String>,
    kind: Filter<Option<XnameType>>,
    uuid: Filter<String>,
    /// With colons, in any case; without them it is equal to none, as in SMD.
    mac: Filter<String>,
    ip: Filter<String>,
    last_status: Filter<String>,
}

impl EndpointFilter {
    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            id: pairs.xnames_or_none("id")?,
            fqdn: pairs.texts("fqdn")?,
            kind: pairs.types("type")?,
            uuid: pairs.texts("uuid")?,
            mac: pairs.texts("macaddr")?,
            ip: pairs.texts("ipaddress")?,
            last_status: pairs.texts("laststatus")?,
        })
    }

    fn passes(&self, endpoint: &RedfishEndpoint) -> bool {
        // Texts are made only for the filters that compare them.
        let ip = || endpoint.ip.map(shown_ip).unwrap_or_default();
        self.id.passes(endpoint.id.as_str())
            && self.fqdn.passes(endpoint.fqdn.as_str())
            && self.kind.passes(&Some(endpoint.id.kind()))
            && self.uuid.passes(endpoint.uuid.as_str())
            && (self.mac.is_empty() || self.mac.passes(&*endpoint.shown_mac()))
            && (self.ip.is_empty() || self.ip.passes(ip().as_str()))
            && self.last_status.passes(RedfishEndpointView::STATUS)
    }
}

pub(super) async fn list(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    let filter = EndpointFilter::read(&pairs)?;
    let snapshot = smd.store.snapshot();
    let rows = snapshot.redfish_endpoints.values().filter(|endpoint| filter.passes(endpoint));
    Ok(answer::bytes(write_list(Some("RedfishEndpoints"), rows.map(|endpoint| RedfishEndpointView::from(&**endpoint)))))
}

/// SMD has this route and answers so.
pub(super) async fn query() -> Problem {
    Problem::bad_request("not yet implemented")
}

pub(super) async fn show(State(smd): State<SmdState>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let snapshot = smd.store.snapshot();
    let endpoint = id.parse::<Xname>().ok().and_then(|id| snapshot.redfish_endpoints.get(&id));
    let endpoint = endpoint.ok_or_else(missing)?;
    Ok(answer::json(&RedfishEndpointView::from(&**endpoint)))
}

pub(super) async fn create(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request: RedfishEndpointPost = body::read_json(body).await?;
    let (endpoints, found) = write::checked(request)?;
    let uris: Vec<_> = endpoints.iter().map(|endpoint| Uri::new(&format!("{COLLECTION}/{}", endpoint.id))).collect();
    let now = clock::now();
    let kept = smd.store.write(author, move |snapshot| write::decide_create(snapshot, endpoints, &found, now)).await?;
    report(&kept);
    Ok(answer::created_all(COLLECTION, &uris))
}

pub(super) async fn clear(State(smd): State<SmdState>, By(author): By) -> Result<Response, Problem> {
    Ok(answer::cleared(smd.store.write(author, write::decide_clear).await?))
}

pub(super) async fn put(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let request: RedfishEndpointPost = body::read_json(body).await?;
    let (endpoint, found) = write::checked_put(&id, request)?;
    let (shown, now) = (endpoint.clone(), clock::now());
    let created = smd.store.write(author, move |snapshot| write::decide_put(snapshot, endpoint, &found, now)).await?;
    let mut response = answer::json(&RedfishEndpointView::from(&shown));
    if created {
        *response.status_mut() = StatusCode::CREATED;
    }
    Ok(response)
}

pub(super) async fn change(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let patch: EndpointBody = body::read_json(body).await?;
    let id: Xname = id.parse().map_err(|_| Problem::bad_request("xname in URL is not valid"))?;
    let endpoint = smd.store.write(author, move |snapshot| write::decide_change(snapshot, &id, patch)).await?;
    Ok(answer::json(&RedfishEndpointView::from(&endpoint)))
}

pub(super) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let id = xname(&id)?;
    smd.store.write(author, move |snapshot| write::decide_remove(snapshot, &id)).await?;
    Ok(answer::deleted())
}

/// Tells the log of interfaces that a POST named and left alone, because their addresses are taken.
fn report(kept: &[MacAddr]) {
    for mac in kept {
        tracing::warn!(mac = %mac, "an interface exists already and was kept as it is");
    }
}
