//! `State/Components/Query` and `State/Components/ByNID/Query`: searches that say in a body what a query string would be
//! too short for.
//!
//! A query under some xnames finds those components themselves, or, where it restricts the type, everything below them
//! as well. `s0` and `all` mean everything. What is no xname has nothing below it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use imbl::OrdMap;

use super::components::ComponentFilter;
use super::query::Pairs;
use super::request::PathOf;
use super::{SmdState, answer};
use crate::model::{Component, Xname};
use crate::server::common::{Problem, body};
use crate::snapshot::Snapshot;
use crate::wire::smd::{ComponentQueryBody, ComponentView, write_list};

/// `POST State/Components/Query`.
pub(super) async fn under_many(State(smd): State<SmdState>, body: Body) -> Result<Response, Problem> {
    let request: ComponentQueryBody = body::read_json(body).await?;
    let ids = request.component_ids.as_deref().unwrap_or_default();
    if ids.is_empty() {
        return Err(Problem::bad_request("Missing IDs"));
    }
    let filter = ComponentFilter::read(&pairs(&request)?.into_iter().collect())?;
    Ok(found(&smd.store.snapshot(), &filter, ids))
}

/// `GET State/Components/Query/{xname}`.
pub(super) async fn under_one(
    State(smd): State<SmdState>,
    PathOf(id): PathOf<String>,
    pairs: Pairs,
) -> Result<Response, Problem> {
    let filter = ComponentFilter::read(&pairs)?;
    Ok(found(&smd.store.snapshot(), &filter, &[id]))
}

/// `POST State/Components/ByNID/Query`.
pub(super) async fn by_nid(State(smd): State<SmdState>, body: Body) -> Result<Response, Problem> {
    let request: ComponentQueryBody = body::read_json(body).await?;
    let ranges = request.nid_ranges.as_deref().unwrap_or_default();
    if ranges.is_empty() {
        return Err(Problem::bad_request("Missing NID ranges"));
    }
    let mut pairs = pairs(&request)?;
    // The numbers are those of the ranges, whatever filters say.
    pairs.retain(|(key, _)| !key.starts_with("nid") || key == "nidonly");
    for range in ranges {
        pairs.extend(numbers(range)?);
    }
    let filter = ComponentFilter::read(&pairs.into_iter().collect())?;
    let snapshot = smd.store.snapshot();
    let rows = filter.select(&snapshot).map(|component| ComponentView::new(component, filter.shown));
    Ok(answer::bytes(write_list(Some("Components"), rows)))
}

/// What the body would be as a query string.
fn pairs(request: &ComponentQueryBody) -> Result<Vec<(String, String)>, Problem> {
    let filters = request.filters(ComponentFilter::KEYS);
    let filters = filters.map_err(|error| Problem::bad_request(format!("error decoding JSON {error}")))?;
    let shown = [
        ("stateonly", request.state_only),
        ("flagonly", request.flag_only),
        ("roleonly", request.role_only),
        ("nidonly", request.nid_only),
    ];
    let shown = shown.iter().filter(|(_, on)| *on == Some(true)).map(|(key, _)| (*key, "true"));
    Ok(filters.into_iter().chain(shown).map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

/// A number, or a range from the first number of the text to the last.
fn numbers(range: &str) -> Result<Vec<(String, String)>, Problem> {
    let wrong = || Problem::bad_request("bad query param: argument was not a valid NID Range");
    let (start, rest) = range.split_once('-').unwrap_or((range, ""));
    let pair = |key: &str, text: &str| (key.to_owned(), text.to_owned());
    let end = rest.rsplit('-').next().unwrap_or_default();
    match (start.is_empty(), range.contains('-'), end.is_empty()) {
        // SMD takes an empty text for no restriction at all, which nobody can mean who asks for numbers.
        (true, ..) | (_, true, true) => Err(wrong()),
        (_, false, _) => Ok(vec![pair("nid", start)]),
        (_, true, false) => Ok(vec![pair("nid_start", start), pair("nid_end", end)]),
    }
}

fn found(snapshot: &Snapshot, filter: &ComponentFilter, ids: &[String]) -> Response {
    let components = &snapshot.boot.components;
    let view = |component| ComponentView::new(component, filter.shown);
    let roots: BTreeSet<Xname> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let text = if ids.iter().any(|id| id.eq_ignore_ascii_case("s0") || id.eq_ignore_ascii_case("all")) {
        write_list(Some("Components"), filter.select(snapshot).map(|component| view(component)))
    } else if filter.has_types() {
        let below = outermost(&roots).flat_map(|root| below(components, root));
        write_list(Some("Components"), filter.select_among(snapshot, below).map(|component| view(component)))
    } else {
        let themselves = roots.iter().filter_map(|id| components.get(id));
        write_list(Some("Components"), filter.select_among(snapshot, themselves).map(|component| view(component)))
    };
    answer::bytes(text)
}

/// Those of the roots that are below no other one.
fn outermost(roots: &BTreeSet<Xname>) -> impl Iterator<Item = &Xname> {
    let texts: HashSet<&str> = roots.iter().map(Xname::as_str).collect();
    roots.iter().filter(move |root| {
        let text = root.as_str();
        let segments = text.char_indices().filter(|(at, c)| *at > 0 && c.is_ascii_alphabetic());
        !segments.map(|(at, _)| &text[..at]).any(|above| texts.contains(above))
    })
}

/// The root itself and everything whose xname goes on with a letter: `x1c0s0b0n0` is below `x1c0`, `x10` is not below
/// `x1`. All of them start with the root, so they are found side by side.
fn below<'a>(
    components: &'a OrdMap<Xname, Arc<Component>>,
    root: &'a Xname,
) -> impl Iterator<Item = &'a Arc<Component>> {
    let rest = move |id: &'a Xname| id.as_str().strip_prefix(root.as_str());
    components
        .range(root.clone()..)
        .take_while(move |(id, _)| rest(id).is_some())
        .filter(move |(id, _)| rest(id).is_some_and(|rest| rest.bytes().next().is_none_or(|b| b.is_ascii_alphabetic())))
        .map(|(_, component)| component)
}
