//! `Inventory/Hardware` and `Inventory/HardwareByFRU`: what sits where, which parts there are, and their history.
//!
//! | route | methods |
//! |---|---|
//! | `Inventory/Hardware` | GET POST DELETE |
//! | `Inventory/Hardware/{xname}` | GET DELETE |
//! | `Inventory/Hardware/Query/{xname}` | GET |
//! | `Inventory/Hardware/History` | GET DELETE |
//! | `Inventory/Hardware/History/{xname}` | GET DELETE |
//! | `Inventory/HardwareByFRU` | GET DELETE |
//! | `Inventory/HardwareByFRU/{fruid}` | GET DELETE |
//! | `Inventory/HardwareByFRU/History` | GET, and DELETE which is always 404 |
//! | `Inventory/HardwareByFRU/History/{fruid}` | GET DELETE |
//!
//! A part that is put somewhere by a POST leaves a `Detected` line in the history of the place, unless the last line
//! says the same. The other events come from an inventory scan of Redfish, which is not built.

mod filter;
mod frus;
mod history;
mod query;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::answer;
use super::query::Pairs;
use super::request::{By, PathOf};
use super::{SmdState, by_xname, components};
use crate::clock;
use crate::model::{
    HardwareEvent, HardwareEventKind, HardwareFru, HardwareLocation, Record, Records, Table, Timestamp, Xname,
};
use crate::server::common::only as resource;
use crate::server::common::{Problem, body};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{HardwareView, read_hardware, write_list};

/// The routes of the table above, below `Inventory`.
pub(super) fn routes() -> Router<SmdState> {
    let history = get(history::of_all_places).delete(history::clear);
    let of_place = get(history::of_place).delete(history::clear_place);
    let of_part = get(history::of_part).delete(history::clear_part);
    Router::new()
        .route("/Hardware", resource("POST,GET,DELETE", get(list).post(create).delete(clear)))
        .route("/Hardware/{xname}", resource("GET,DELETE", get(show).delete(remove)))
        .route("/Hardware/Query/{xname}", resource("GET", get(query::tree)))
        .route("/Hardware/History", resource("GET,DELETE", history))
        .route("/Hardware/History/{xname}", resource("GET,DELETE", of_place))
        .route("/HardwareByFRU", resource("GET,DELETE", get(frus::list).delete(frus::clear)))
        .route("/HardwareByFRU/{fruid}", resource("GET,DELETE", get(frus::show).delete(frus::remove)))
        .route("/HardwareByFRU/History", resource("GET", get(history::of_all_parts).delete(frus::remove_history)))
        .route("/HardwareByFRU/History/{fruid}", resource("GET,DELETE", of_part))
}

async fn list(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    let filter = filter::PlaceFilter::read(&pairs)?;
    let snapshot = smd.store.snapshot();
    let records = &snapshot.records;
    let places = records.hardware.values().filter(|place| filter.passes(place, records));
    Ok(answer::bytes(write_list(None, places.map(|place| view(records, place)))))
}

async fn show(State(smd): State<SmdState>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let snapshot = smd.store.snapshot();
    let records = &snapshot.records;
    let place = id.parse::<Xname>().ok().and_then(|id| records.hardware.get(&id)).ok_or_else(components::missing)?;
    Ok(answer::json(&view(records, place)))
}

/// A place with the part in it.
fn view<'a>(records: &'a Records, location: &'a HardwareLocation) -> HardwareView<'a> {
    let fru = location.fru.as_ref().and_then(|fru| records.frus.get(fru)).map(|fru| &**fru);
    HardwareView { location, fru, within: Vec::new() }
}

async fn create(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let entries =
        read_hardware(body::read_json(body).await?).map_err(|error| Problem::bad_request(error.to_string()))?;
    let (count, now) = (entries.len(), clock::now());
    smd.store.write(author, move |snapshot| Ok::<_, Problem>(decide_create(snapshot, entries, now))).await?;
    Ok(answer::done(&format!("Created {count} entries")))
}

async fn remove(State(smd): State<SmdState>, By(author): By, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let id: Xname = id.parse().map_err(|_| components::missing())?;
    let decide = move |snapshot: &Snapshot| by_xname::remove(Table::HardwareLocation, &snapshot.records.hardware, &id);
    smd.store.write(author, decide).await?;
    Ok(answer::deleted())
}

async fn clear(State(smd): State<SmdState>, By(author): By) -> Result<Response, Problem> {
    let decide = |snapshot: &Snapshot| by_xname::clear(Table::HardwareLocation, &snapshot.records.hardware);
    Ok(answer::cleared(smd.store.write(author, decide).await?))
}

/// Puts the parts in their places and writes down what is new about it. Of two entries for one place, or for one part, the
/// first counts; each of them leaves its line in the history.
fn decide_create(snapshot: &Snapshot, entries: Vec<(HardwareLocation, HardwareFru)>, at: Timestamp) -> Decision<()> {
    let mut changes = Vec::with_capacity(entries.len() * 3);
    let (mut places, mut parts) = (HashMap::new(), HashSet::new());
    for (location, fru) in entries {
        let last = history::last(&snapshot.records, &location.id);
        let mut is_first = false;
        let lines = places.entry(location.id.clone()).or_insert_with(|| {
            is_first = true;
            0
        });
        if !last.is_some_and(|last| last.fru == fru.id && last.event == HardwareEventKind::Detected) {
            *lines += 1;
            changes.push(Change::PutRecord(Record::HardwareEvent(Arc::new(HardwareEvent {
                number: last.map_or(0, |last| last.number) + *lines,
                location: location.id.clone(),
                fru: fru.id.clone(),
                at,
                event: HardwareEventKind::Detected,
            }))));
        }
        if parts.insert(fru.id.clone()) {
            changes.push(Change::PutRecord(Record::HardwareFru(Arc::new(fru))));
        }
        if is_first {
            changes.push(Change::PutRecord(Record::HardwareLocation(Arc::new(location))));
        }
    }
    Decision::new((), changes)
}
