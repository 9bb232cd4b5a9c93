//! `Inventory/EthernetInterfaces/{id}/IPAddresses`.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;

use super::{COLLECTION, found, looked_up, mac_of, write};
use crate::clock;
use crate::model::{EthernetInterface, IpAddress, MacAddr, Timestamp};
use crate::server::common::{Problem, body};
use crate::server::smd::SmdState;
use crate::server::smd::answer::{self, Uri};
use crate::server::smd::request::{By, PathOf};
use crate::snapshot::Snapshot;
use crate::store::Decision;
use crate::wire::smd::{IpBody, IpView};

pub(in crate::server::smd) async fn list(
    State(smd): State<SmdState>,
    PathOf(id): PathOf<String>,
) -> Result<Response, Problem> {
    let snapshot = smd.store.snapshot();
    let interface = looked_up(&snapshot, &id)?;
    Ok(answer::json(&interface.ip_addresses.iter().map(IpView::from).collect::<Vec<_>>()))
}

pub(in crate::server::smd) async fn create(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf(id): PathOf<String>,
    body: Body,
) -> Result<Response, Problem> {
    let request: IpBody = body::read_json(body).await?;
    let address = IpAddress::try_from(request).map_err(|error| write::wrong(&error))?;
    let mac = mac_of(&id)?;
    let uri = Uri::new(&format!("{COLLECTION}/{}/IPAddresses/{}", mac.id(), address.ip));
    let now = clock::now();
    smd.store.write(author, move |snapshot| decide_create(snapshot, mac, address, now)).await?;
    Ok(answer::created(&uri.uri, &uri))
}

pub(in crate::server::smd) async fn change(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf((id, ip)): PathOf<(String, String)>,
    body: Body,
) -> Result<Response, Problem> {
    let (mac, ip, now) = (mac_of(&id).map_err(not_patched)?, ip_of(&ip).map_err(not_patched)?, clock::now());
    let network = body::read_json::<IpBody>(body).await?.network;
    let changed = smd.store.write(author, move |snapshot| decide_change(snapshot, mac, ip, network, now)).await?;
    Ok(answer::json(&IpView::from(&changed)))
}

pub(in crate::server::smd) async fn remove(
    State(smd): State<SmdState>,
    By(author): By,
    PathOf((id, ip)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    let (mac, ip, now) = (mac_of(&id).map_err(|_| missing())?, ip_of(&ip)?, clock::now());
    smd.store.write(author, move |snapshot| decide_remove(snapshot, mac, ip, now)).await?;
    Ok(answer::deleted())
}

fn missing() -> Problem {
    Problem::not_found("component ethernet interface has no such ip address.")
}

/// 404 in the words that SMD has for a PATCH, whichever of interface and address is not there.
fn not_patched(_: Problem) -> Problem {
    Problem::not_found("no such IP address in component ethernet interface.")
}

fn ip_of(text: &str) -> Result<IpAddr, Problem> {
    text.parse().map_err(|_| missing())
}

/// The change of an interface's addresses, where they differ.
fn set(old: &EthernetInterface, ip_addresses: Vec<IpAddress>, now: Timestamp) -> Vec<crate::snapshot::Change> {
    if old.ip_addresses == ip_addresses {
        return Vec::new();
    }
    vec![write::put(EthernetInterface { ip_addresses, last_update: now, ..old.clone() })]
}

fn decide_create(
    snapshot: &Snapshot,
    mac: MacAddr,
    address: IpAddress,
    now: Timestamp,
) -> Result<Decision<()>, Problem> {
    let interface = found(snapshot, mac)?;
    if interface.ip_addresses.iter().any(|other| other.ip == address.ip) {
        return Err(Problem::conflict(
            "operation would conflict with an existing IP Address on the same ethernet interface.",
        ));
    }
    let mut addresses = interface.ip_addresses.clone();
    addresses.push(address);
    Ok(Decision::new((), set(interface, addresses, now)))
}

fn decide_change(
    snapshot: &Snapshot,
    mac: MacAddr,
    ip: IpAddr,
    network: Option<String>,
    now: Timestamp,
) -> Result<Decision<IpAddress>, Problem> {
    let interface = found(snapshot, mac).map_err(not_patched)?;
    let mut addresses = interface.ip_addresses.clone();
    let found = addresses.iter_mut().find(|address| address.ip == ip);
    let address = found.ok_or_else(|| not_patched(missing()))?;
    address.network = network.unwrap_or_else(|| address.network.clone());
    let answer = address.clone();
    Ok(Decision::new(answer, set(interface, addresses, now)))
}

fn decide_remove(snapshot: &Snapshot, mac: MacAddr, ip: IpAddr, now: Timestamp) -> Result<Decision<()>, Problem> {
    let interface = found(snapshot, mac).map_err(|_| missing())?;
    let addresses: Vec<_> = interface.ip_addresses.iter().filter(|address| address.ip != ip).cloned().collect();
    if addresses.len() == interface.ip_addresses.len() {
        return Err(missing());
    }
    Ok(Decision::new((), set(interface, addresses, now)))
}
