//! `locks/{lock,unlock,repair,disable}`: what an administrator sets on components.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::{DISABLED, LOCKED, RESERVED, Selection, UNLOCKED, failure, read, refusal, standing, wrong};
use crate::clock;
use crate::model::{Component, Object, Table, Timestamp};
use crate::server::common::Problem;
use crate::server::smd::request::By;
use crate::server::smd::{SmdState, answer};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{LockBody, LockResult};

/// What is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    /// Actions on the component are the administrator's alone.
    Lock,
    /// Services may reserve it again.
    Unlock,
    /// Nobody may reserve it, and whoever has done so loses it.
    Disable,
    /// It may be reserved again.
    Repair,
}

pub(super) async fn switch(
    switch: Switch,
    State(smd): State<SmdState>,
    By(author): By,
    body: Body,
) -> Result<Response, Problem> {
    let request = LockBody::read(&read(body).await?).map_err(wrong)?;
    let (selection, now) = (Selection::read(&request)?, clock::now());
    let result = smd.store.write(author, move |snapshot| decide(snapshot, switch, &selection, now)).await?;
    Ok(answer::json(&result))
}

fn decide(
    snapshot: &Snapshot,
    switch: Switch,
    selection: &Selection,
    now: Timestamp,
) -> Result<Decision<LockResult>, Problem> {
    let (found, failures) = selection.find(snapshot)?;
    let mut result = LockResult { success: Vec::new(), failure: failures };
    let mut changes = Vec::new();
    for component in found {
        let id = &component.id;
        let is_reserved = standing(snapshot, id, now).is_some();
        match obstacle(switch, component, is_reserved) {
            Some(reason) if selection.is_rigid => return Err(refusal(reason)),
            Some(reason) => result.failure.push(failure(id, reason)),
            None => {
                changes.extend(set(switch, component));
                if switch == Switch::Disable && snapshot.records.reservations.contains_key(id) {
                    changes.push(Change::DeleteRecord(Table::Reservation, id.as_str().into()));
                }
                result.success.push(id.clone());
            }
        }
    }
    if result.success.is_empty() {
        return Err(Problem::bad_request("none of the components can be locked or unlocked at the moment"));
    }
    Ok(Decision::new(result, changes))
}

/// Why a switch cannot be set on a component.
fn obstacle(switch: Switch, component: &Component, is_reserved: bool) -> Option<&'static str> {
    match switch {
        Switch::Disable | Switch::Repair => None,
        Switch::Lock if component.locked => Some(LOCKED),
        Switch::Unlock if !component.locked => Some(UNLOCKED),
        _ if component.reservation_disabled => Some(DISABLED),
        _ => is_reserved.then_some(RESERVED),
    }
}

fn set(switch: Switch, old: &Component) -> Option<Change> {
    let mut new = old.clone();
    match switch {
        Switch::Lock => new.locked = true,
        Switch::Unlock => new.locked = false,
        Switch::Disable => new.reservation_disabled = true,
        Switch::Repair => new.reservation_disabled = false,
    }
    (new != *old).then(|| Change::Put(Object::Component(Arc::new(new))))
}
