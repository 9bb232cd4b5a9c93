//! `Inventory/ComponentEndpoints`: read and deleted here; the Redfish endpoints create them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::components::missing;
use super::query::{Filter, Pairs, alphanumeric};
use super::request::{By, PathOf};
use super::{SmdState, answer};
use crate::model::{Component, ComponentEndpoint, Flag, Object, ObjectKey, State as Power, Xname, XnameType};
use crate::server::common::Problem;
use crate::snapshot::{BootView, Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{ComponentEndpointView, write_list};

/// A compiled query.
struct EndpointFilter {
    id: Filter<String>,
    redfish_endpoint: Filter<String>,
    kind: Filter<Option<XnameType>>,
    /// SMD compares what it calls `redfish_type` with the subtype, for example `Physical`.
    redfish_type: Filter<String>,
}

impl EndpointFilter {
    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        Ok(Self {
            id: pairs.xnames_or_none("id")?,
            redfish_endpoint: pairs.xnames_or_none("redfish_ep")?,
            kind: pairs.types("type")?,
            redfish_type: pairs.filter("redfish_type", "Argument was not a valid Redfish type", alphanumeric)?,
        })
    }

    fn select<'a>(&'a self, view: &'a BootView) -> impl Iterator<Item = &'a Arc<ComponentEndpoint>> + 'a {
        view.component_endpoints.values().filter(|endpoint| {
            self.id.passes(endpoint.id.as_str())
                && self.redfish_endpoint.passes(endpoint.redfish_endpoint_id.as_str())
                && self.kind.passes(&Some(endpoint.id.kind()))
                && self.redfish_type.passes(endpoint.redfish_subtype.as_str())
        })
    }
}

pub(super) async fn list(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    let filter = EndpointFilter::read(&pairs)?;
    let snapshot = smd.store.snapshot();
    let rows = filter.select(&snapshot.boot).map(|endpoint| ComponentEndpointView(endpoint));
    Ok(answer::bytes(write_list(Some("ComponentEndpoints"), rows)))
}

pub(super) async fn show(State(smd): State<SmdState>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let id = xname(&id)?;
    let snapshot = smd.store.snapshot();
    let endpoint = snapshot.boot.component_endpoints.get(&id).ok_or_else(missing)?;
    Ok(answer::json(&ComponentEndpointView(endpoint)))
}

pub(super) async fn clear(State(smd): State<SmdState>, By(author): By) -> Result<Response, Problem> {
    Ok(answer::cleared(smd.store.write(author, decide_clear).await?))
}

pub(super) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let id = xname(&id)?;
    smd.store.write(author, move |snapshot| decide_remove(snapshot, &id)).await?;
    Ok(answer::deleted())
}

fn xname(text: &str) -> Result<Xname, Problem> {
    text.parse().map_err(|_| Problem::bad_request("Argument was not a valid xname ID"))
}

fn decide_remove(snapshot: &Snapshot, id: &Xname) -> Result<Decision<()>, Problem> {
    if !snapshot.boot.component_endpoints.contains_key(id) {
        return Err(missing());
    }
    Ok(Decision::new((), without(&snapshot.boot, [id]).collect()))
}

fn decide_clear(snapshot: &Snapshot) -> Result<Decision<usize>, Problem> {
    let endpoints = &snapshot.boot.component_endpoints;
    if endpoints.is_empty() {
        return Err(answer::nothing_to_delete());
    }
    Ok(Decision::new(endpoints.len(), without(&snapshot.boot, endpoints.keys()).collect()))
}

/// The changes that delete those component endpoints. Their components stay and become empty: nobody knows of them
/// any more whether they are there.
pub(super) fn without<'a>(
    view: &'a BootView,
    ids: impl IntoIterator<Item = &'a Xname>,
) -> impl Iterator<Item = Change> {
    ids.into_iter()
        .flat_map(|id| emptied(view, id).into_iter().chain([Change::Delete(ObjectKey::component_endpoint(id))]))
}

/// The change that makes the component empty, where it is there and not empty yet.
pub(super) fn emptied(view: &BootView, id: &Xname) -> Option<Change> {
    let old = view.components.get(id)?;
    let flag = if old.flag == Some(Flag::Locked) { Flag::Locked } else { Flag::Ok };
    let new = Component { state: Some(Power::Empty), flag: Some(flag), ..Component::clone(old) };
    (**old != new).then(|| Change::Put(Object::Component(Arc::new(new))))
}
