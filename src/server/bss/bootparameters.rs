//! `/bootparameters`: reading, creating, changing and deleting boot parameters.

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::{BssState, decide};
use crate::server::common::author::By;
use crate::server::common::{Problem, body};
use crate::snapshot::Snapshot;
use crate::store::Decision;
use crate::wire::bss::{
    BootParamsError, Request, Selection, list_json, parse_known, parse_new, parse_request, parse_selection,
};

pub(super) async fn handle(State(state): State<BssState>, by: By, method: Method, uri: Uri, body: Body) -> Response {
    let answer = match method {
        Method::GET => list(&state, &uri, body).await,
        Method::POST => write(&state, by, body, CREATE).await,
        Method::PUT => write(&state, by, body, PUT).await,
        Method::PATCH => write(&state, by, body, PATCH).await,
        Method::DELETE => write(&state, by, body, DELETE).await,
        _ => {
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "allow GET,PUT,POST,PATCH,DELETE");
            return ([(header::ALLOW, "GET,PUT,POST,PATCH,DELETE")], problem).into_response();
        }
    };
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn list(state: &BssState, uri: &Uri, body: Body) -> Result<Response, Problem> {
    let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Problem::bad_request("the query cannot be read"))?;
    let selection = parse_selection(&query, &body::read(body).await?)?;
    let snapshot = state.store.snapshot();
    let params = &snapshot.boot.boot_params;
    let text = match &selection {
        Selection::All => list_json(params.iter().map(|(key, config)| (key, &**config))),
        Selection::Keys { keys, kinds } => {
            let found: Vec<_> = keys.iter().filter_map(|key| params.get_key_value(key)).collect();
            if found.is_empty() {
                let asked = kinds.join(" or ");
                return Err(Problem::not_found(format!("Cannot find boot parameters for requested {asked}")));
            }
            list_json(found.into_iter().map(|(key, config)| (key, &**config)))
        }
    };
    Ok(json(StatusCode::OK, text))
}

/// A way of writing: how its body is read, what it comes to, and what its success is answered with.
struct Verb {
    parse: fn(&[u8]) -> Result<Request, BootParamsError>,
    decide: fn(&Snapshot, &Request) -> Result<Decision<()>, decide::Refusal>,
    status: StatusCode,
}

const CREATE: Verb = Verb { parse: parse_new, decide: decide::create, status: StatusCode::CREATED };
const PUT: Verb = Verb { parse: parse_request, decide: decide::put, status: StatusCode::OK };
const PATCH: Verb = Verb { parse: parse_known, decide: decide::patch, status: StatusCode::OK };
const DELETE: Verb = Verb { parse: parse_request, decide: decide::delete, status: StatusCode::OK };

async fn write(state: &BssState, By(author): By, body: Body, verb: Verb) -> Result<Response, Problem> {
    let request = (verb.parse)(&body::read(body).await?)?;
    state.store.write(author, move |snapshot| (verb.decide)(snapshot, &request)).await?;
    Ok(json(verb.status, String::new()))
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=UTF-8")], body).into_response()
}

impl From<BootParamsError> for Problem {
    fn from(error: BootParamsError) -> Self {
        let status = match error {
            BootParamsError::NoSuchHost(_) => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

impl From<decide::Refusal> for Problem {
    fn from(refusal: decide::Refusal) -> Self {
        let status = match refusal {
            decide::Refusal::Missing(_) | decide::Refusal::NothingNamed | decide::Refusal::NothingGiven => {
                StatusCode::NOT_FOUND
            }
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, refusal.to_string())
    }
}
