//! Reading the live state: eight requests, whatever the number of nodes; with both forms of cloud-init,
//! nine lists and the one document of the defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

use super::client::{ADDRESS_HINT, Client};
use super::generation::{self, Generation};
use super::service;
use crate::desired::Desired;
use crate::model::{CloudInitEntry, Kind, Object};
use crate::snapshot::{Change, Snapshot};
use crate::store::Ledger;
use crate::target::{Observed, TargetError};
use crate::wire::{bss, cloud_init, smd};

/// The list of each kind, below its service's address.
const LISTS: [(Kind, &str); 10] = [
    (Kind::Component, "/State/Components"),
    (Kind::RedfishEndpoint, "/Inventory/RedfishEndpoints"),
    (Kind::ComponentEndpoint, "/Inventory/ComponentEndpoints"),
    (Kind::EthernetInterface, "/Inventory/EthernetInterfaces"),
    (Kind::Group, "/groups"),
    (Kind::CloudInit, ""),
    (Kind::CloudInitSecure, ""),
    (Kind::CloudInitGroup, "/admin/groups"),
    (Kind::ClusterDefaults, "/admin/cluster-defaults"),
    (Kind::BootParams, "/bootparameters"),
];

/// The most rows that an incomplete read names.
const MOST_NAMED: usize = 3;

/// Reads every list that matters to what is desired or owned. One that fails makes its kind unreadable; when all fail
/// there is nothing to plan on.
///
/// # Errors
///
/// When a token is not accepted, when no service answers, and when the cloud-init server is of a generation that cannot
/// take what is desired.
pub(super) async fn observe(client: &Client, ledger: Arc<Ledger>, desired: &Desired) -> Result<Observed, TargetError> {
    let matters = |kind: Kind| Generation::of(kind).is_none_or(|generation| generation.matters(desired, &ledger));
    let lists: Vec<_> = LISTS.into_iter().filter(|(kind, _)| matters(*kind)).collect();
    let mut reading = Reading::default();
    for (kind, path) in &lists {
        reading.list(client, *kind, path, desired).await?;
    }
    if let (Some(error), true) = (reading.first_error.take(), reading.unreadable.len() == lists.len()) {
        return Err(error);
    }
    let Reading { mut live, mut unreadable, incomplete, .. } = reading;
    let mut notes = Vec::new();
    if unreadable.iter().any(|kind| Generation::of(*kind) == Some(Generation::Today)) {
        unreadable.push(Kind::InstanceInfo);
    } else if !reading.absent.contains(&Generation::Today) {
        let wanted = desired.objects.keys().any(|key| key.kind == Kind::InstanceInfo);
        if generation::assume_instances(&ledger, &mut live) || wanted {
            notes.push(generation::INSTANCES_NOTE.to_owned());
        }
    }
    let services = BTreeMap::from([
        ("smd".to_owned(), client.smd.clone()),
        ("bss".to_owned(), client.bss.clone()),
        ("cloud-init".to_owned(), client.cloud_init.clone()),
    ]);
    Ok(Observed { live: Arc::new(live), ledger, unreadable, lost: BTreeMap::new(), notes, incomplete, services })
}

/// What was read up to now.
#[derive(Default)]
struct Reading {
    live: Snapshot,
    unreadable: Vec<Kind>,
    incomplete: Vec<String>,
    first_error: Option<TargetError>,
    /// A service that does not answer is asked for one list and not for all of its lists: each would be waited for.
    silent: BTreeSet<String>,
    /// Generations of cloud-init that the server is not of.
    absent: BTreeSet<Generation>,
}

impl Reading {
    async fn list(&mut self, client: &Client, kind: Kind, path: &str, desired: &Desired) -> Result<(), TargetError> {
        let of_absent = Generation::of(kind).is_some_and(|generation| self.absent.contains(&generation));
        if of_absent {
            return Ok(());
        }
        if self.silent.contains(client.base(kind).as_str()) {
            self.unreadable.push(kind);
            return Ok(());
        }
        match client.list(kind, path).await {
            Ok(Some(body)) => match parse(kind, &body) {
                Ok(rows) => take_rows(kind, rows, &mut self.live, &mut self.incomplete),
                Err(reason) => {
                    self.incomplete.push(format!("{kind}: the list cannot be read: {reason}"));
                    self.unreadable.push(kind);
                }
            },
            Ok(None) => self.without_list(client, kind, path, desired).await?,
            Err(error @ TargetError::Denied { .. }) => return Err(error),
            Err(error) => self.failed(client, kind, error),
        }
        Ok(())
    }

    /// A cloud-init server that does not have a list is of the other generation, when it has that one's, or no
    /// cloud-init server.
    async fn without_list(
        &mut self,
        client: &Client,
        kind: Kind,
        path: &str,
        desired: &Desired,
    ) -> Result<(), TargetError> {
        let url = format!("{}{path}", client.base(kind));
        if let Some(generation) = Generation::of(kind) {
            let (other, path) = generation.other().probe();
            if client.read(other, path).await.is_ok() {
                if let Some(text) = generation.misplaced(desired, &client.cloud_init) {
                    return Err(TargetError::Settings(text));
                }
                self.absent.insert(generation);
                return Ok(());
            }
        }
        let reason = format!("404 Not Found{ADDRESS_HINT}");
        self.failed(client, kind, TargetError::Service { service: service(kind), url, reason });
        Ok(())
    }

    fn failed(&mut self, client: &Client, kind: Kind, error: TargetError) {
        self.incomplete.push(format!("{kind}: {error}"));
        self.unreadable.push(kind);
        self.silent.insert(client.base(kind));
        self.first_error.get_or_insert(error);
    }
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

pub(super) fn parse(kind: Kind, body: &[u8]) -> Result<Rows, String> {
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
        Kind::ClusterDefaults => {
            let defaults = cloud_init::read_defaults(body).map_err(|error| error.to_string())?;
            Ok(defaults.into_iter().map(|defaults| Ok(Object::ClusterDefaults(Arc::new(defaults)))).collect())
        }
        Kind::CloudInitGroup => {
            let listing = cloud_init::read_groups(body).map_err(|error| error.to_string())?;
            let read = listing.groups.into_iter().map(|group| Ok(Object::CloudInitGroup(Arc::new(group))));
            Ok(read.chain(listing.rejected.into_iter().map(Err)).collect())
        }
        // No server tells what it holds of single nodes.
        Kind::InstanceInfo => Ok(Vec::new()),
        Kind::BootParams => {
            let listing = bss::parse_listing(body).map_err(|error| error.to_string())?;
            let read = listing.entries.into_iter().map(|(key, config)| Ok(Object::BootParams(key, Arc::new(config))));
            Ok(read.chain(listing.rejected.into_iter().map(Err)).collect())
        }
    }
}
