//! `locks`: who may act on which component.
//!
//! | route | methods |
//! |---|---|
//! | `locks/status` | GET POST |
//! | `locks/{lock,unlock,repair,disable}` | POST |
//! | `locks/reservations` | POST |
//! | `locks/reservations/{release,remove}` | POST |
//! | `locks/service/reservations` | POST |
//! | `locks/service/reservations/{release,renew,check}` | POST |
//!
//! An administrator locks a component and may then reserve it without an end; a service reserves an unlocked one for at
//! most 15 minutes and renews that. Whoever holds a reservation has two keys: one to renew and release it, and a deputy
//! key for others, who check with it that the reservation stands. Only digests of the keys are kept. Disabling a
//! component ends its reservation and refuses new ones until it is repaired.
//!
//! A `rigid` request happens whole or not at all, a `flexible` one as far as it can. SMD passes over components that are
//! named and not there; here they fail, because whoever locks a component that does not exist is mistaken about it.

mod keys;
mod reservations;
mod status;
mod sweep;
mod switch;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use serde_json::{Map, Value};

pub use sweep::sweep_reservations;

use super::SmdState;
use super::components::ComponentFilter;
use super::query::Pairs;
use crate::model::{Component, Reservation, Timestamp, Xname};
use crate::server::common::only as resource;
use crate::server::common::{Problem, body};
use crate::snapshot::Snapshot;
use crate::wire::smd::{LockBody, LockError, LockFailure, ProcessingModel};

/// The routes of the table above.
pub(super) fn routes() -> Router<SmdState> {
    use switch::Switch;
    let switched =
        |switch: Switch| resource("POST", post(move |state, by, body| switch::switch(switch, state, by, body)));
    Router::new()
        .route("/locks/status", resource("POST,GET", get(status::list).post(status::search)))
        .route("/locks/lock", switched(Switch::Lock))
        .route("/locks/unlock", switched(Switch::Unlock))
        .route("/locks/repair", switched(Switch::Repair))
        .route("/locks/disable", switched(Switch::Disable))
        .route("/locks/reservations", resource("POST", post(reservations::create)))
        .route("/locks/reservations/release", resource("POST", post(reservations::release)))
        .route("/locks/reservations/remove", resource("POST", post(reservations::remove)))
        .route("/locks/service/reservations", resource("POST", post(reservations::create_for_service)))
        .route("/locks/service/reservations/release", resource("POST", post(reservations::release)))
        .route("/locks/service/reservations/renew", resource("POST", post(reservations::renew)))
        .route("/locks/service/reservations/check", resource("POST", post(reservations::check)))
}

const NOT_FOUND: &str = "NotFound";
const LOCKED: &str = "Locked";
const UNLOCKED: &str = "Unlocked";
const DISABLED: &str = "Disabled";
const RESERVED: &str = "Reserved";

/// Which components a request means, and what happens when it cannot be done to all of them.
#[derive(Debug)]
struct Selection {
    filter: ComponentFilter,
    named: Vec<Xname>,
    is_rigid: bool,
}

impl Selection {
    /// # Errors
    ///
    /// 400 for a value that its field does not take.
    fn read(request: &LockBody) -> Result<Self, Problem> {
        let filter = ComponentFilter::read(&request.conditions.iter().cloned().collect::<Pairs>());
        // Nothing of this comes from a query, and SMD says so of none of it.
        let filter = filter.map_err(|problem| Problem {
            detail: problem.detail.trim_start_matches("bad query param: ").to_owned(),
            ..problem
        })?;
        let named = request.ids.iter().filter_map(|id| id.parse().ok()).collect();
        Ok(Self { filter, named, is_rigid: request.model == ProcessingModel::Rigid })
    }

    /// The components, and those that are named and not there.
    ///
    /// # Errors
    ///
    /// 400 where there is none, or where a rigid request names one that is not there.
    fn find<'a>(&'a self, snapshot: &'a Snapshot) -> Result<(Vec<&'a Component>, Vec<LockFailure>), Problem> {
        let found: Vec<&Component> = self.filter.select(snapshot).map(|component| &**component).collect();
        let unknown = self.named.iter().filter(|id| !snapshot.boot.components.contains_key(*id));
        let failures: Vec<_> = unknown.map(|id| failure(id, NOT_FOUND)).collect();
        match failures.first() {
            Some(first) if self.is_rigid => Err(refusal(first.reason)),
            _ if found.is_empty() => Err(Problem::bad_request("Component not found")),
            _ => Ok((found, failures)),
        }
    }
}

/// Reads a body as an object whose fields are checked one by one.
async fn read(body: Body) -> Result<Map<String, Value>, Problem> {
    body::read_json(body).await
}

fn wrong(error: LockError) -> Problem {
    Problem::bad_request(error.to_string())
}

fn failure(id: &Xname, reason: &'static str) -> LockFailure {
    LockFailure { id: id.to_string(), reason }
}

/// What a rigid request is told when it cannot be done to one of its components.
fn refusal(reason: &str) -> Problem {
    let what = match reason {
        NOT_FOUND => "Component not found",
        LOCKED => "Component is Locked",
        UNLOCKED => "Component is Unlocked",
        DISABLED => "Component reservations are disabled",
        _ => "Component is Reserved",
    };
    Problem::bad_request(what)
}

/// The reservation of a component that stands: one that has expired is gone, swept or not.
fn standing<'a>(snapshot: &'a Snapshot, id: &Xname, now: Timestamp) -> Option<&'a Reservation> {
    let reservation = snapshot.records.reservations.get(id)?;
    reservation.expires.is_none_or(|end| end > now).then_some(&**reservation)
}
