//! `/hosts`, `/dumpstate` and `/scn`: what BSS knows from SMD. BSS keeps a copy of SMD, which clients may have refreshed;
//! here SMD is in the same program, so there is nothing to refresh. Nodes that are `Empty` are listed, and are not found by
//! their MAC addresses.

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::BssState;
use crate::boot::{self, Selector};
use crate::model::{Component, Nid, Xname};
use crate::server::common::{Problem, body};
use crate::snapshot::BootView;
use crate::wire::bss::{HostView, colon_mac, dump_json, hosts_json, listed, whole_number};

const JSON: &str = "application/json; charset=UTF-8";

/// The largest notice that is read: a line for each of some hundred thousand nodes.
const NOTICE: usize = 8 * 1024 * 1024;

pub(super) async fn list(State(state): State<BssState>, uri: Uri) -> Result<Response, Problem> {
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&uri)
        .map_err(|_| Problem::bad_request("the query cannot be read"))?;
    let snapshot = state.store.snapshot();
    let hosts: Vec<_> = match selected(&snapshot.boot, &query)? {
        Some(nodes) => nodes.into_iter().map(|node| host(&snapshot.boot, node)).collect(),
        None => all(&snapshot.boot),
    };
    Ok(([(header::CONTENT_TYPE, JSON)], hosts_json(&hosts)).into_response())
}

/// The nodes that a query names, each parameter repeatable and a list with commas; none where it names none.
fn selected<'a>(view: &'a BootView, query: &[(String, String)]) -> Result<Option<Vec<&'a Component>>, Problem> {
    let asked = |name| listed(query, name).unwrap_or_default();
    let mut found = Vec::new();
    let mut look = |node: Option<&'a Component>, what: &str, text: &str| match node {
        Some(node) => {
            found.push(node);
            Ok(())
        }
        None => Err(Problem::not_found(format!("Not Found - Unknown {what} '{text}'"))),
    };
    for text in asked("name") {
        let id = text.parse::<Xname>().ok().filter(|id| id.as_str() == text);
        let node = id.and_then(|id| view.components.get(&id)).filter(|node| node.id.is_node());
        look(node.map(|node| &**node), "host name", text)?;
    }
    for text in asked("mac") {
        let node = colon_mac(text).and_then(|_| boot::node(view, Selector::Mac(text)));
        look(node, "MAC address", text)?;
    }
    for text in asked("nid") {
        let invalid = || Problem::bad_request(format!("Bad Request - Invalid nid '{text}'"));
        let nid = whole_number(text).ok_or_else(invalid)?;
        let named = u64::try_from(nid).ok().and_then(|nid| view.index.by_nid.get(&Nid(nid)));
        let nodes = named.into_iter().flatten().filter_map(|id| view.components.get(id));
        look(nodes.map(|node| &**node).find(|node| node.id.is_node()), "NID", text)?;
    }
    let names_some = ["name", "mac", "nid"].into_iter().any(|name| !asked(name).is_empty());
    Ok(names_some.then_some(found))
}

fn all(view: &BootView) -> Vec<HostView<'_>> {
    let nodes = view.components.values().filter(|component| component.id.is_node());
    nodes.map(|node| host(view, node)).collect()
}

fn host<'a>(view: &'a BootView, node: &'a Component) -> HostView<'a> {
    let macs = view.interfaces_of(&node.id).map(|interface| interface.mac).collect();
    let enabled = view.component_endpoints.get(&node.id).is_some_and(|endpoint| endpoint.enabled);
    HostView::new(node, macs, enabled)
}

/// POST `/hosts`: have SMD read again.
pub(super) async fn refresh() -> Response {
    (StatusCode::NO_CONTENT, [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-cache")]).into_response()
}

/// `/dumpstate`: the nodes and all boot parameters.
pub(super) async fn dump(State(state): State<BssState>) -> Response {
    let snapshot = state.store.snapshot();
    let params = snapshot.boot.boot_params.iter().map(|(key, config)| (key, &**config));
    ([(header::CONTENT_TYPE, JSON)], dump_json(&all(&snapshot.boot), params)).into_response()
}

/// POST `/scn`: a notice of SMD's that something changed, of which we know already.
pub(super) async fn notice(body: Body) -> Result<Response, Problem> {
    let bytes = body::read_up_to(body, NOTICE).await?;
    body::parse_json::<Map<String, Value>>(&bytes)?;
    Ok(StatusCode::OK.into_response())
}
