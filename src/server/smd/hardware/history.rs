//! The history of places and parts.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;

use super::filter;
use crate::model::{HardwareEvent, HardwareEventKind, Record, Records, Timestamp, Xname};
use crate::server::common::Problem;
use crate::server::smd::query::Pairs;
use crate::server::smd::request::{By, PathOf};
use crate::server::smd::{SmdState, answer, by_xname};
use crate::snapshot::{Change, Snapshot};
use crate::wire::smd::{HardwareEventView, HistoryView, parse_time, read_event_kind};

/// A compiled query; an empty list restricts nothing.
struct LineFilter {
    places: Vec<Xname>,
    parts: Vec<String>,
    events: Vec<HardwareEventKind>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl LineFilter {
    fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let parts = pairs.all("fruid").map(str::to_owned).collect();
        Ok(Self { places: filter::xnames(pairs)?, parts, ..Self::of_one(pairs)? })
    }

    /// The query for one place or part: what it says of places and parts means nothing, be it right or wrong.
    fn of_one(pairs: &Pairs) -> Result<Self, Problem> {
        let event = |text| read_event_kind(text).ok_or_else(|| Problem::bad_request("Invalid HWInvHist event type"));
        let moment = |key| pairs.first(key).filter(|text| !text.is_empty()).map(parse_time).transpose();
        let wrong = |error: crate::wire::smd::FieldError| Problem::bad_request(format!("bad query param: {error}"));
        Ok(Self {
            places: Vec::new(),
            parts: Vec::new(),
            events: pairs.all("eventtype").map(event).collect::<Result<_, _>>()?,
            after: moment("starttime").map_err(wrong)?,
            before: moment("endtime").map_err(wrong)?,
        })
    }

    /// The lines that pass, the oldest first.
    fn select<'a>(&self, lines: impl Iterator<Item = &'a Arc<HardwareEvent>>) -> Vec<&'a HardwareEvent> {
        let mut lines: Vec<&HardwareEvent> = lines.map(|line| &**line).filter(|line| self.passes(line)).collect();
        lines.sort_by_key(|line| line.at);
        lines
    }

    fn passes(&self, line: &HardwareEvent) -> bool {
        (self.places.is_empty() || self.places.contains(&line.location))
            && (self.parts.is_empty() || self.parts.iter().any(|part| **part == *line.fru))
            && (self.events.is_empty() || self.events.contains(&line.event))
            && self.after.is_none_or(|moment| line.at > moment)
            && self.before.is_none_or(|moment| line.at < moment)
    }
}

/// The last line of a place.
pub(super) fn last<'a>(records: &'a Records, place: &Xname) -> Option<&'a Arc<HardwareEvent>> {
    lines_of(records, place).next_back()
}

/// The lines of a place, in their order.
fn lines_of<'a>(records: &'a Records, place: &Xname) -> impl DoubleEndedIterator<Item = &'a Arc<HardwareEvent>> {
    records.hardware_events.range((place.clone(), 0)..=(place.clone(), u64::MAX)).map(|(_, line)| line)
}

pub(super) async fn of_place(
    State(smd): State<SmdState>,
    pairs: Pairs,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let place = xname(&id)?;
    let filter = LineFilter::of_one(&pairs)?;
    let snapshot = smd.store.snapshot();
    Ok(one(&id, filter.select(lines_of(&snapshot.records, &place))))
}

pub(super) async fn of_part(
    State(smd): State<SmdState>,
    pairs: Pairs,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let filter = LineFilter { parts: vec![id.clone()], ..LineFilter::of_one(&pairs)? };
    let snapshot = smd.store.snapshot();
    Ok(one(&id, filter.select(snapshot.records.hardware_events.values())))
}

pub(super) async fn of_all_places(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    all(&smd.store.snapshot(), &pairs, |line| line.location.as_str())
}

pub(super) async fn of_all_parts(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    all(&smd.store.snapshot(), &pairs, |line| &line.fru)
}

fn one(id: &str, lines: Vec<&HardwareEvent>) -> Response {
    answer::json(&HistoryView { id, history: lines.into_iter().map(HardwareEventView).collect() })
}

/// The lines that pass, by what `key` tells of them; nothing at all is `null`, as SMD has it.
fn all(snapshot: &Snapshot, pairs: &Pairs, key: impl Fn(&HardwareEvent) -> &str) -> Result<Response, Problem> {
    let lines = LineFilter::read(pairs)?.select(snapshot.records.hardware_events.values());
    let mut found: Vec<HistoryView<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for line in lines {
        let id = key(line);
        let at = *places.entry(id).or_insert_with(|| {
            found.push(HistoryView { id, history: Vec::new() });
            found.len() - 1
        });
        found[at].history.push(HardwareEventView(line));
    }
    Ok(answer::json(&json!({"Components": Some(found).filter(|found| !found.is_empty())})))
}

fn xname(text: &str) -> Result<Xname, Problem> {
    text.parse().map_err(|_| Problem::bad_request("Invalid xname"))
}

pub(super) async fn clear(State(smd): State<SmdState>, By(author): By) -> Result<Response, Problem> {
    let decide = |snapshot: &Snapshot| by_xname::all(snapshot.records.hardware_events.values().map(gone).collect());
    Ok(answer::cleared(smd.store.write(author, decide).await?))
}

pub(super) async fn clear_place(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let place = xname(&id)?;
    let decide = move |snapshot: &Snapshot| by_xname::all(lines_of(&snapshot.records, &place).map(gone).collect());
    Ok(answer::cleared(smd.store.write(author, decide).await?))
}

pub(super) async fn clear_part(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let decide = move |snapshot: &Snapshot| {
        let lines = snapshot.records.hardware_events.values().filter(|line| *line.fru == *id);
        by_xname::all(lines.map(gone).collect())
    };
    Ok(answer::cleared(smd.store.write(author, decide).await?))
}

fn gone(line: &Arc<HardwareEvent>) -> Change {
    let record = Record::HardwareEvent(line.clone());
    Change::DeleteRecord(record.table(), record.id().into())
}
