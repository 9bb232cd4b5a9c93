//! `locks/status`: which components are locked or reserved.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value};

use super::{Selection, read, standing, wrong};
use crate::clock;
use crate::model::Timestamp;
use crate::server::common::Problem;
use crate::server::smd::query::Pairs;
use crate::server::smd::{SmdState, answer};
use crate::snapshot::Snapshot;
use crate::wire::smd::{LockBody, LockView, LocksView};

/// What a GET can ask for.
const KEYS: [&str; 7] = ["Type", "State", "Role", "SubRole", "Locked", "Reserved", "ReservationDisabled"];

pub(super) async fn list(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    let list = |key: &str| -> Vec<Value> { pairs.all(key).map(Value::from).collect() };
    let map: Map<String, Value> = KEYS.iter().map(|key| ((*key).to_owned(), list(key).into())).collect();
    locks(&smd.store.snapshot(), &LockBody::read(&map).map_err(wrong)?, clock::now())
}

pub(super) async fn search(State(smd): State<SmdState>, body: Body) -> Result<Response, Problem> {
    let request = LockBody::read(&read(body).await?).map_err(wrong)?;
    locks(&smd.store.snapshot(), &request, clock::now())
}

fn locks(snapshot: &Snapshot, request: &LockBody, now: Timestamp) -> Result<Response, Problem> {
    // Asking for one that is not there harms nobody: it is listed as such.
    let selection = Selection { is_rigid: false, ..Selection::read(request)? };
    let reserved = request.reserved().map_err(wrong)?;
    let (found, unknown) = selection.find(snapshot)?;
    let views = found.into_iter().map(|component| {
        let reservation = standing(snapshot, &component.id, now);
        LockView { component, reservation }
    });
    let wanted = |view: &LockView<'_>| reserved.is_none_or(|reserved| reserved == view.reservation.is_some());
    let components: Vec<_> = views.filter(wanted).collect();
    if components.is_empty() {
        return Err(Problem::bad_request("Component not found"));
    }
    let not_found = unknown.into_iter().map(|failure| failure.id).collect();
    Ok(answer::json(&LocksView { components, not_found }))
}
