//! `GET /bootscript`: what a node boots, asked by `mac`, `name` or `nid`.
//!
//! A booting node knows its MAC address and nothing else of itself, so on the boot role that is all it may ask by: names
//! and numbers can be counted through, and would hand every node's kernel command line to whoever reaches the listener.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{self, Query};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};

use crate::boot::{self, ScriptAnswer, ScriptRequest, ScriptSettings, Selector};
use crate::clock;
use crate::model::Nid;
use crate::server::common::{Accesses, Endpoint, LocalAddr, Problem};
use crate::store::BootReader;
use crate::wire::bss::{script_json, whole_number};

/// What the handler needs.
#[derive(Clone)]
pub(super) struct State {
    pub(super) reader: BootReader,
    pub(super) settings: Arc<ScriptSettings>,
    pub(super) selectors: Selectors,
    pub(super) accesses: Accesses,
}

/// By what a script may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selectors {
    /// By MAC address, name and number: the API role.
    All,
    /// By MAC address: the boot role.
    MacOnly,
}

/// True when a request for a script names another than the one who asks: by name or number and without a MAC address.
fn is_about_another(uri: &Uri) -> bool {
    let Ok(Query(query)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else { return false };
    let given = |name: &str| query.iter().any(|(key, value)| key == name && !value.is_empty());
    !given("mac") && (given("name") || given("nid"))
}

pub(super) fn route(state: State) -> Router {
    Router::new().route("/bootscript", any(handle)).with_state(state)
}

async fn handle(
    extract::State(state): extract::State<State>,
    local: Option<Extension<LocalAddr>>,
    method: Method,
    uri: Uri,
) -> Response {
    if method != Method::GET {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "allow GET");
        return ([(header::ALLOW, "GET")], problem).into_response();
    }
    answer(&state, local.map(|Extension(LocalAddr(ip))| ip), &uri).unwrap_or_else(IntoResponse::into_response)
}

fn answer(state: &State, local: Option<IpAddr>, uri: &Uri) -> Result<Response, Problem> {
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Problem::bad_request("the query cannot be read"))?;
    let get = |name: &str| query.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, v)| &**v);
    if state.selectors == Selectors::MacOnly && is_about_another(uri) {
        let detail = "boot scripts are given here by mac= only; ask the API for those of a name= or a nid=";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    let number = |name: &str| get(name).and_then(whole_number).unwrap_or(0);
    let nid = || u64::try_from(whole_number(get("nid")?)?).ok().map(Nid).filter(|nid| *nid <= Nid::MAX);
    let selector = (get("mac").map(Selector::Mac))
        .or_else(|| get("name").map(Selector::Name))
        .or_else(|| nid().map(Selector::Nid))
        .ok_or_else(|| Problem::bad_request("Need a mac=, name=, or nid= parameter"))?;
    let request = ScriptRequest {
        selector,
        retry: number("retry"),
        arch: get("arch"),
        json: number("json") != 0,
        now: clock::now(),
    };
    let view = state.reader.load();
    match boot::script(&view, &request, &state.settings.reached_at(local)) {
        Ok(ScriptAnswer::Script(text)) => {
            if let Some(node) = boot::node(&view, selector) {
                state.accesses.note(Endpoint::BootScript, &node.id, request.now);
            }
            Ok(typed("text/plain; charset=UTF-8", text))
        }
        Ok(ScriptAnswer::Wait(text)) => Ok(typed("text/plain; charset=UTF-8", text)),
        Ok(ScriptAnswer::Parts(parts)) => Ok(typed("application/json; charset=UTF-8", script_json(&parts))),
        Ok(ScriptAnswer::NotConfigured(why)) => Err(Problem::not_found(why)),
        Err(error) => {
            tracing::error!(error = %error, "a boot script could not be made");
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the boot script's template is at fault"))
        }
    }
}

fn typed(media_type: &'static str, body: String) -> Response {
    ([(header::CONTENT_TYPE, media_type)], body).into_response()
}
