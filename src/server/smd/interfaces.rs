//! `Inventory/EthernetInterfaces`.
//!
//! An interface is named in paths by the twelve digits of its MAC address, in any case and without separators.

pub(super) mod addresses;
mod filter;
mod write;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::SmdState;
use super::answer::{self, Uri};
use super::query::Pairs;
use super::request::{By, PathOf};
use crate::clock;
use crate::model::{EthernetInterface, MacAddr};
use crate::server::common::{Problem, body};
use crate::snapshot::Snapshot;
use crate::wire::smd::{InterfaceBody, InterfacePatchBody, InterfaceView, write_list};

const COLLECTION: &str = "Inventory/EthernetInterfaces";

pub(super) async fn list(State(smd): State<SmdState>, pairs: Pairs) -> Result<Response, Problem> {
    let filter = filter::InterfaceFilter::read(&pairs)?;
    let snapshot = smd.store.snapshot();
    Ok(answer::bytes(write_list(None, filter.select(&snapshot.boot).map(|interface| InterfaceView(interface)))))
}

pub(super) async fn create(State(smd): State<SmdState>, By(author): By, body: Body) -> Result<Response, Problem> {
    let request: InterfaceBody = body::read_json(body).await?;
    let interface = write::checked(request, clock::now())?;
    let uri = Uri::new(&format!("{COLLECTION}/{}", interface.mac.id()));
    smd.store.write(author, move |snapshot| write::decide_create(snapshot, interface)).await?;
    Ok(answer::created(&uri.uri, &uri))
}

pub(super) async fn clear(State(smd): State<SmdState>, By(author): By) -> Result<Response, Problem> {
    Ok(answer::cleared(smd.store.write(author, write::decide_clear).await?))
}

pub(super) async fn show(State(smd): State<SmdState>, PathOf(id): PathOf<String>) -> Result<Response, Problem> {
    let snapshot = smd.store.snapshot();
    Ok(answer::json(&InterfaceView(looked_up(&snapshot, &id)?)))
}

pub(super) async fn change(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let patch = write::Patch::checked(body::read_json::<InterfacePatchBody>(body).await?)?;
    let (mac, now) = (mac_of(&id)?, clock::now());
    let changed = smd.store.write(author, move |snapshot| write::decide_change(snapshot, mac, patch, now)).await?;
    Ok(answer::json(&InterfaceView(&changed)))
}

pub(super) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let mac = mac_of(&id)?;
    smd.store.write(author, move |snapshot| write::decide_remove(snapshot, mac)).await?;
    Ok(answer::deleted())
}

fn missing() -> Problem {
    Problem::not_found("no such component ethernet interface.")
}

/// The interface that a path names. A name with separators names none.
fn mac_of(id: &str) -> Result<MacAddr, Problem> {
    if id.len() != 12 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(missing());
    }
    id.parse().map_err(|_| missing())
}

fn found(snapshot: &Snapshot, mac: MacAddr) -> Result<&Arc<EthernetInterface>, Problem> {
    snapshot.boot.interfaces.get(&mac).ok_or_else(missing)
}

/// The interface that a look-up names, which SMD misses in other words than a change.
fn looked_up<'a>(snapshot: &'a Snapshot, id: &str) -> Result<&'a Arc<EthernetInterface>, Problem> {
    let missing = |_| Problem::not_found(format!("No such component ethernet interface: {id}"));
    mac_of(id).and_then(|mac| found(snapshot, mac)).map_err(missing)
}
