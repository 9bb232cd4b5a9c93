//! `Defaults/NodeMaps`: numbers and roles for nodes that are yet to appear. No two node maps give one number.
//!
//! A node map is read when its node is created; changing it later changes no node.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::components::{missing, xname};
use super::request::{By, PathOf};
use super::{SmdState, answer, by_xname};
use crate::model::{Nid, NodeMap, Record, Table, Xname};
use crate::server::common::{Problem, body};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{NodeMapBody, NodeMapView, NodeMapsBody, write_list};

pub(super) async fn list(State(smd): State<SmdState>) -> Response {
    let snapshot = smd.store.snapshot();
    let rows = snapshot.records.node_maps.values().map(|map| NodeMapView::from(&**map));
    answer::bytes(write_list(Some("NodeMaps"), rows))
}

/// Creates or replaces all of the request, or nothing.
pub(super) async fn create(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request: NodeMapsBody = body::read_json(body).await?;
    let read = |(at, body): (usize, NodeMapBody)| {
        NodeMap::try_from(body)
            .map_err(|error| Problem::bad_request(format!("couldn't validate map data at idx {at}: {error}")))
    };
    let maps = request.into_bodies().into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    let count = maps.len();
    smd.store.write(author, move |snapshot| decide_put(snapshot, maps)).await?;
    Ok(answer::stored(count))
}

pub(super) async fn clear(State(smd): State<SmdState>, By(author): By) -> Result<Response, Problem> {
    let decide = |snapshot: &Snapshot| by_xname::clear(Table::NodeMap, &snapshot.records.node_maps);
    Ok(answer::cleared(smd.store.write(author, decide).await?))
}

pub(super) async fn show(State(smd): State<SmdState>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let snapshot = smd.store.snapshot();
    let map = id.parse().ok().and_then(|id: Xname| snapshot.records.node_maps.get(&id)).ok_or_else(missing)?;
    Ok(answer::json(&NodeMapView::from(&**map)))
}

/// Creates or replaces one.
pub(super) async fn put(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(path): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let mut request: NodeMapBody = body::read_json(body).await?;
    let id = request.id.get_or_insert_default();
    if id.is_empty() {
        id.clone_from(&path);
    }
    let map = NodeMap::try_from(request)
        .map_err(|error| Problem::bad_request(format!("couldn't validate endpoint data: {error}")))?;
    if path.parse().ok().as_ref() != Some(&map.id) {
        return Err(Problem::bad_request("xname in URL and PUT body do not match"));
    }
    let shown = map.clone();
    let decide = move |snapshot: &Snapshot| {
        let taken = |problem: Problem| Problem {
            detail: problem.detail.replace(TAKEN, "an existing resource that has the same NID"),
            ..problem
        };
        decide_put(snapshot, vec![map]).map_err(taken)
    };
    smd.store.write(author, decide).await?;
    Ok(answer::json(&NodeMapView::from(&shown)))
}

pub(super) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let id = xname(&id)?;
    let decide = move |snapshot: &Snapshot| by_xname::remove(Table::NodeMap, &snapshot.records.node_maps, &id);
    smd.store.write(author, decide).await?;
    Ok(answer::deleted())
}

/// What has the number already, in the words of a POST; a PUT has others.
const TAKEN: &str = "an existing xname ID that has the same NID.";

/// Puts one after the other, so that of two for one node the last counts; 409 when one takes a number that another
/// node has at that moment.
fn decide_put(snapshot: &Snapshot, maps: Vec<NodeMap>) -> Result<Decision<()>, Problem> {
    let stored = &snapshot.records.node_maps;
    let wanted: HashSet<Nid> = maps.iter().map(|map| map.nid).collect();
    // Who has each of the numbers in question, and which number a node was given by this request so far.
    let of_others = stored.values().filter(|map| wanted.contains(&map.nid));
    let mut holders: HashMap<Nid, &Xname> = of_others.map(|map| (map.nid, &map.id)).collect();
    let mut given: HashMap<&Xname, Nid> = HashMap::new();
    for map in &maps {
        if holders.get(&map.nid).is_some_and(|holder| **holder != map.id) {
            return Err(Problem::conflict(format!("operation would conflict with {TAKEN}")));
        }
        if let Some(old) = given.insert(&map.id, map.nid).or_else(|| Some(stored.get(&map.id)?.nid)) {
            holders.remove(&old);
        }
        holders.insert(map.nid, &map.id);
    }
    let put = |map| Change::PutRecord(Record::NodeMap(Arc::new(map)));
    Ok(Decision::new((), maps.into_iter().map(put).collect()))
}
