//! Making, renewing, checking, releasing and removing reservations.

use std::collections::HashSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::keys::{digest_of, new_key};
use super::{DISABLED, LOCKED, NOT_FOUND, RESERVED, Selection, UNLOCKED, failure, read, refusal, standing, wrong};
use crate::clock;
use crate::model::{Component, Record, Reservation, Table, Timestamp, Xname};
use crate::server::common::Problem;
use crate::server::smd::request::By;
use crate::server::smd::{SmdState, answer};
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{KeysBody, LockBody, LockResult, ProcessingModel, ReservationResult, ReservedView};

/// An administrator reserves, without an end.
pub(super) async fn create(state: State<SmdState>, by: By, body: Body) -> Result<Response, Problem> {
    let mut request = LockBody::read(&read(body).await?).map_err(wrong)?;
    request.minutes = 0;
    reserve(state, by, request).await
}

/// A service reserves, for some minutes.
pub(super) async fn create_for_service(state: State<SmdState>, by: By, body: Body) -> Result<Response, Problem> {
    let request = LockBody::read(&read(body).await?).map_err(wrong)?;
    check_minutes(request.minutes)?;
    reserve(state, by, request).await
}

fn check_minutes(minutes: i64) -> Result<(), Problem> {
    if minutes > 0 { Ok(()) } else { Err(Problem::bad_request("ReservationDuration must be greater than 0")) }
}

/// That many minutes later. The wire allows few, so this cannot overflow in any year that can be written.
fn later(now: Timestamp, minutes: i64) -> Timestamp {
    Timestamp(now.0.saturating_add(minutes.saturating_mul(60_000_000)))
}

async fn reserve(State(smd): State<SmdState>, By(author): By, request: LockBody) -> Result<Response, Problem> {
    let (selection, now) = (Selection::read(&request)?, clock::now());
    let expires = (request.minutes > 0).then(|| later(now, request.minutes));
    let result = smd.store.write(author, move |snapshot| decide_create(snapshot, &selection, now, expires)).await?;
    Ok(answer::json(&result))
}

fn decide_create(
    snapshot: &Snapshot,
    selection: &Selection,
    now: Timestamp,
    expires: Option<Timestamp>,
) -> Result<Decision<ReservationResult>, Problem> {
    let (found, failures) = selection.find(snapshot)?;
    let mut result = ReservationResult { success: Vec::new(), failure: failures };
    let mut changes = Vec::new();
    for component in found {
        let id = &component.id;
        let is_reserved = standing(snapshot, id, now).is_some();
        if let Some(reason) = obstacle(component, is_reserved, expires.is_some()) {
            if selection.is_rigid {
                return Err(refusal(reason));
            }
            result.failure.push(failure(id, reason));
            continue;
        }
        let (key, deputy) = (new_key(id, "rk")?, new_key(id, "dk")?);
        let reservation = Reservation {
            id: id.clone(),
            reservation_key: digest_of(&key),
            deputy_key: digest_of(&deputy),
            created: now,
            expires,
        };
        result.success.push(ReservedView::made(&reservation, key, deputy));
        changes.push(Change::PutRecord(Record::Reservation(Arc::new(reservation))));
    }
    Ok(Decision::new(result, changes))
}

/// Why a component cannot be reserved. An administrator locks first; a service keeps off what is locked.
fn obstacle(component: &Component, is_reserved: bool, for_service: bool) -> Option<&'static str> {
    if component.reservation_disabled {
        Some(DISABLED)
    } else if component.locked && for_service {
        Some(LOCKED)
    } else if !component.locked && !for_service {
        Some(UNLOCKED)
    } else {
        is_reserved.then_some(RESERVED)
    }
}

pub(super) async fn release(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request = KeysBody::read(&read(body).await?, "ReservationKeys").map_err(wrong)?;
    need_keys(&request)?;
    let now = clock::now();
    let end = |old: &Reservation| Some(Change::DeleteRecord(Table::Reservation, old.id.as_str().into()));
    let result = smd.store.write(author, move |snapshot| decide_by_key(snapshot, &request, now, end)).await?;
    Ok(answer::json(&result))
}

pub(super) async fn renew(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request = KeysBody::read(&read(body).await?, "ReservationKeys").map_err(wrong)?;
    check_minutes(request.minutes)?;
    need_keys(&request)?;
    let now = clock::now();
    let expires = Some(later(now, request.minutes));
    // One without an end cannot be renewed.
    let prolong = move |old: &Reservation| {
        old.expires.map(|_| Change::PutRecord(Record::Reservation(Arc::new(Reservation { expires, ..old.clone() }))))
    };
    let result = smd.store.write(author, move |snapshot| decide_by_key(snapshot, &request, now, prolong)).await?;
    Ok(answer::json(&result))
}

fn need_keys(request: &KeysBody) -> Result<(), Problem> {
    if request.model == ProcessingModel::Rigid && request.lacks_a_key() {
        return Err(Problem::bad_request("Reservation Key required for operation"));
    }
    Ok(())
}

/// Changes the reservations whose keys are shown. `change` answers none for one that it cannot be made to.
fn decide_by_key(
    snapshot: &Snapshot,
    request: &KeysBody,
    now: Timestamp,
    change: impl Fn(&Reservation) -> Option<Change>,
) -> Result<Decision<LockResult>, Problem> {
    let mut result = LockResult::default();
    let mut changes = Vec::new();
    let mut done: HashSet<&Xname> = HashSet::new();
    for (id, key) in &request.keys {
        let held = standing(snapshot, id, now).filter(|old| old.reservation_key == digest_of(key));
        match held.filter(|_| done.insert(id)).and_then(&change) {
            Some(change) => {
                changes.push(change);
                result.success.push(id.clone());
            }
            None if request.model == ProcessingModel::Rigid => return Err(refusal(NOT_FOUND)),
            None => result.failure.push(failure(id, NOT_FOUND)),
        }
    }
    Ok(Decision::new(result, changes))
}

/// An administrator ends reservations without their keys.
pub(super) async fn remove(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request = LockBody::read(&read(body).await?).map_err(wrong)?;
    let (selection, now) = (Selection::read(&request)?, clock::now());
    let result = smd.store.write(author, move |snapshot| decide_remove(snapshot, &selection, now)).await?;
    Ok(answer::json(&result))
}

fn decide_remove(snapshot: &Snapshot, selection: &Selection, now: Timestamp) -> Result<Decision<LockResult>, Problem> {
    let (found, failures) = selection.find(snapshot)?;
    let mut result = LockResult { success: Vec::new(), failure: failures };
    let mut changes = Vec::new();
    for component in found {
        let id = &component.id;
        match standing(snapshot, id, now) {
            Some(_) => {
                changes.push(Change::DeleteRecord(Table::Reservation, id.as_str().into()));
                result.success.push(id.clone());
            }
            None if selection.is_rigid => return Err(refusal(NOT_FOUND)),
            None => result.failure.push(failure(id, NOT_FOUND)),
        }
    }
    Ok(Decision::new(result, changes))
}

/// Says which of the reservations stand whose deputy keys are shown.
pub(super) async fn check(State(smd): State<SmdState>, body: Body) -> Result<Response, Problem> {
    let request = KeysBody::read(&read(body).await?, "DeputyKeys").map_err(wrong)?;
    if request.lacks_a_key() {
        return Err(Problem::bad_request("Deputy Key required for operation"));
    }
    let (snapshot, now) = (smd.store.snapshot(), clock::now());
    let mut result = ReservationResult::default();
    let mut shown = HashSet::new();
    for (id, key) in request.keys {
        match standing(&snapshot, &id, now).filter(|held| held.deputy_key == digest_of(&key)) {
            // A key that is shown twice is told of once.
            Some(held) if shown.insert(&held.id) => result.success.push(ReservedView::checked(held, key)),
            Some(_) => {}
            None => result.failure.push(failure(&id, NOT_FOUND)),
        }
    }
    Ok(answer::json(&result))
}
