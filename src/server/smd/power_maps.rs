//! `sysinfo/powermaps`: what feeds what. Neither side has to be a component.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::components::{missing, xname};
use super::request::{By, PathOf};
use super::{SmdState, answer, by_xname};
use crate::model::{PowerMap, Record, Table};
use crate::server::common::{Problem, body};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{PowerMapBody, PowerMapView, write_list};

pub(super) async fn list(State(smd): State<SmdState>) -> Response {
    let snapshot = smd.store.snapshot();
    answer::bytes(write_list(None, snapshot.records.power_maps.values().map(|map| PowerMapView::from(&**map))))
}

/// Creates or replaces all of the request, or nothing; of two for one component the last counts. The body is a list.
pub(super) async fn create(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let bodies: Vec<PowerMapBody> = body::read_json(body).await?;
    let read = |(at, body): (usize, PowerMapBody)| {
        PowerMap::try_from(body)
            .map_err(|error| Problem::bad_request(format!("couldn't validate map data at idx {at}: {error}")))
    };
    let maps = bodies.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    let count = maps.len();
    smd.store.write(author, move |_| decide_put(maps)).await?;
    Ok(answer::stored(count))
}

pub(super) async fn clear(State(smd): State<SmdState>, By(author): By) -> Result<Response, Problem> {
    let decide = |snapshot: &Snapshot| by_xname::clear(Table::PowerMap, &snapshot.records.power_maps);
    Ok(answer::cleared(smd.store.write(author, decide).await?))
}

pub(super) async fn show(State(smd): State<SmdState>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let id = xname(&id)?;
    let snapshot = smd.store.snapshot();
    Ok(answer::json(&PowerMapView::from(&**snapshot.records.power_maps.get(&id).ok_or_else(missing)?)))
}

/// Creates or replaces one.
pub(super) async fn put(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(path): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let mut request: PowerMapBody = body::read_json(body).await?;
    let id = request.id.get_or_insert_default();
    if id.is_empty() {
        id.clone_from(&path);
    }
    let map = PowerMap::try_from(request)
        .map_err(|error| Problem::bad_request(format!("couldn't validate PowerMap data: {error}")))?;
    if path.parse().ok().as_ref() != Some(&map.id) {
        return Err(Problem::bad_request("xname in URL and PUT body do not match"));
    }
    let shown = map.clone();
    smd.store.write(author, move |_| decide_put(vec![map])).await?;
    Ok(answer::json(&PowerMapView::from(&shown)))
}

pub(super) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let id = xname(&id)?;
    let decide = move |snapshot: &Snapshot| by_xname::remove(Table::PowerMap, &snapshot.records.power_maps, &id);
    smd.store.write(author, decide).await?;
    Ok(answer::deleted())
}

fn decide_put(maps: Vec<PowerMap>) -> Result<Decision<()>, Problem> {
    let put = |map| Change::PutRecord(Record::PowerMap(Arc::new(map)));
    Ok(Decision::new((), maps.into_iter().map(put).collect()))
}
