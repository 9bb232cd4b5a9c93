//! `Inventory/HardwareByFRU`: the parts, wherever they are.

use std::collections::HashSet;

use axum::extract::State;
use axum::response::Response;

use super::filter::PartFilter;
use crate::model::Table;
use crate::server::common::Problem;
use crate::server::smd::query::Pairs;
use crate::server::smd::request::{By, PathOf};
use crate::server::smd::{SmdState, answer, by_xname};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{FruView, write_list};

pub(super) async fn list(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    let filter = PartFilter::read(&pairs)?;
    let snapshot = smd.store.snapshot();
    let parts = snapshot.records.frus.values().filter(|fru| filter.passes(fru));
    Ok(answer::bytes(write_list(None, parts.map(|fru| FruView(fru)))))
}

pub(super) async fn show(State(smd): State<SmdState>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let snapshot = smd.store.snapshot();
    let fru = snapshot.records.frus.get(id.as_str()).ok_or_else(missing)?;
    Ok(answer::json(&FruView(fru)))
}

pub(super) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    smd.store.write(author, move |snapshot| decide_remove(snapshot, &id)).await?;
    Ok(answer::deleted())
}

/// The history of all parts is not deleted here: SMD takes the word for the identifier of a part, which it never is.
pub(super) async fn remove_history() -> Problem {
    missing()
}

pub(super) async fn clear(State(smd): State<SmdState>, By(author): By) -> Result<Response, Problem> {
    Ok(answer::cleared(smd.store.write(author, decide_clear).await?))
}

fn missing() -> Problem {
    Problem::not_found("no such FRU ID.")
}

/// A part that sits somewhere stays: without it the place would hold something that nobody knows.
fn installed(place: &str) -> Problem {
    Problem::conflict(format!("the FRU is in {place}; delete the location first"))
}

fn decide_remove(snapshot: &Snapshot, id: &str) -> Result<Decision<()>, Problem> {
    let records = &snapshot.records;
    let (id, _) = records.frus.get_key_value(id).ok_or_else(missing)?;
    if let Some(place) = records.hardware.values().find(|place| place.fru.as_ref() == Some(id)) {
        return Err(installed(place.id.as_str()));
    }
    Ok(Decision::new((), vec![Change::DeleteRecord(Table::HardwareFru, id.clone())]))
}

fn decide_clear(snapshot: &Snapshot) -> Result<Decision<usize>, Problem> {
    let records = &snapshot.records;
    let known: HashSet<_> = records.frus.keys().collect();
    let holds = |fru: &std::sync::Arc<str>| known.contains(fru);
    if let Some(place) = records.hardware.values().find(|place| place.fru.as_ref().is_some_and(holds)) {
        return Err(installed(place.id.as_str()));
    }
    by_xname::all(records.frus.keys().map(|id| Change::DeleteRecord(Table::HardwareFru, id.clone())).collect())
}
