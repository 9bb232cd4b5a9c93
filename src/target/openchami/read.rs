//! Reading the live state: eight lists, whatever the number of nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

use super::client::Client;
use crate::model::{CloudInitEntry, Kind, Object};
use crate::snapshot::{Change, Snapshot};
use crate::store::Ledger;
use crate::target::{Observed, TargetError};
use crate::wire::{bss, cloud_init, smd};

/// The list of each kind, below its service's address.
const LISTS: [(Kind, &str); 8] = [
    (Kind::Component, "/State/Components"),
    (Kind::RedfishEndpoint, "/Inventory/RedfishEndpoints"),
    (Kind::ComponentEndpoint, "/Inventory/ComponentEndpoints"),
    (Kind::EthernetInterface, "/Inventory/EthernetInterfaces"),
    (Kind::Group, "/groups"),
    (Kind::CloudInit, ""),
    (Kind::CloudInitSecure, ""),
    (Kind::BootParams, "/bootparameters"),
];

/// The most rows that an incomplete read names.
const MOST_NAMED: usize = 3;

/// Reads every list. One that fails makes its kind unreadable; when all fail there is nothing to plan on.
pub(super) async fn observe(client: &Client, ledger: Arc<Ledger>) -> Result<Observed, TargetError> {
    let mut live = Snapshot::default();
    let mut unreadable = Vec::new();
    let mut incomplete = Vec::new();
    let mut first_error = None;
    // A service that does not answer is asked for one list and not for all of its lists: each would be waited for.
    let mut silent = BTreeSet::new();
    for (kind, path) in LISTS {
        if silent.contains(client.base(kind).as_str()) {
            unreadable.push(kind);
            continue;
        }
        let rows = match client.list(kind, path).await {
            Ok(body) => parse(kind, &body),
            Err(error @ TargetError::Denied { .. }) => return Err(error),
            Err(error) => {
                incomplete.push(format!("{kind}: {error}"));
                unreadable.push(kind);
                silent.insert(client.base(kind));
                first_error.get_or_insert(error);
                continue;
            }
        };
        match rows {
            Ok(rows) => take_rows(kind, rows, &mut live, &mut incomplete),
            Err(reason) => {
                incomplete.push(format!("{kind}: the list cannot be read: {reason}"));
                unreadable.push(kind);
            }
        }
    }
    if let (Some(error), true) = (first_error, unreadable.len() == LISTS.len()) {
        return Err(error);
    }
    let services = BTreeMap::from([
        ("smd".to_owned(), client.smd.clone()),
        ("bss".to_owned(), client.bss.clone()),
        ("cloud-init".to_owned(), client.cloud_init.clone()),
    ]);
    Ok(Observed { live: Arc::new(live), ledger, unreadable, lost: BTreeMap::new(), incomplete, services })
}

/// A row that cannot be understood is left out and makes the picture incomplete: nothing is deleted on it.
fn take_rows(kind: Kind, rows: Vec<Result<Object, String>>, live: &mut Snapshot, incomplete: &mut Vec<String>) {
    let mut odd = 0;
    for row in rows {
        match row {
            Ok(object) => live.apply(&Change::Put(object)),
            Err(reason) => {
                odd += 1;
                if odd <= MOST_NAMED {
                    incomplete.push(format!("{kind}: {reason}"));
                }
            }
        }
    }
    if odd > MOST_NAMED {
        incomplete.push(format!("{kind}: and {} more entries that cannot be read", odd - MOST_NAMED));
    }
}

type Rows = Vec<Result<Object, String>>;

fn parse(kind: Kind, body: &[u8]) -> Result<Rows, String> {
    fn rows<T, E: Display>(
        list: Result<Vec<Result<T, E>>, smd::ListError>,
        object: impl Fn(Arc<T>) -> Object,
    ) -> Result<Rows, String> {
        let list = list.map_err(|error| error.to_string())?;
        Ok(list.into_iter().map(|row| row.map(|noun| object(Arc::new(noun))).map_err(|e| e.to_string())).collect())
    }
    let entries = |object: fn(Arc<CloudInitEntry>) -> Object| -> Result<Rows, String> {
        let listing = cloud_init::parse_listing(body).map_err(|error| error.to_string())?;
        let read = listing.entries.into_iter().map(|entry| Ok(object(Arc::new(entry))));
        Ok(read.chain(listing.rejected.into_iter().map(Err)).collect())
    };
    match kind {
        Kind::Component => rows(smd::read_components(body), Object::Component),
        Kind::RedfishEndpoint => rows(smd::read_redfish_endpoints(body), Object::RedfishEndpoint),
        Kind::ComponentEndpoint => rows(smd::read_component_endpoints(body), Object::ComponentEndpoint),
        Kind::EthernetInterface => rows(smd::read_interfaces(body), Object::EthernetInterface),
        Kind::Group => rows(smd::read_groups(body), Object::Group),
        Kind::CloudInit => entries(Object::CloudInit),
        Kind::CloudInitSecure => entries(Object::CloudInitSecure),
        Kind::ClusterDefaults | Kind::CloudInitGroup | Kind::InstanceInfo => Ok(Vec::new()),
        Kind::BootParams => {
            let listing = bss::parse_listing(body).map_err(|error| error.to_string())?;
            let read = listing.entries.into_iter().map(|(key, config)| Ok(Object::BootParams(key, Arc::new(config))));
            Ok(read.chain(listing.rejected.into_iter().map(Err)).collect())
        }
    }
}
