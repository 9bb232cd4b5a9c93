//! Writing a plan to the services, phase by phase.

mod boot;
mod cloud_init;
mod components;
mod endpoints;
mod groups;
mod interfaces;
mod phases;
mod settled;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::phases::Phase;
use self::settled::{Failed, Settled, done, gone, parallel, there};
use super::client::{Client, Fault};
use crate::model::{EthernetInterface, Kind, MacAddr, Object, ObjectKey, Xname};
use crate::plan::{Action, Write};
use crate::snapshot::{Change, Snapshot};
use crate::store::LedgerChange;
use crate::target::Failure;

/// One apply under way.
pub(super) struct Session {
    client: Arc<Client>,
    writes: Vec<Write>,
    /// The live state as it was read.
    before: Snapshot,
    /// The live state as it will be.
    after: Snapshot,
    /// What is still to be done.
    phases: std::vec::IntoIter<Phase>,
    /// Redfish endpoints that were sent with what is behind them, which makes SMD write the interfaces behind them
    /// anew; and whether it said that it did.
    rediscovered: BTreeMap<Xname, bool>,
    /// Nodes that lack something, and the object of which a write failed.
    broken: BTreeMap<Arc<str>, ObjectKey>,
    failures: Vec<Failure>,
    written: u64,
}

impl Session {
    pub(super) fn new(client: Arc<Client>, live: &Snapshot, writes: Vec<Write>) -> Self {
        let mut after = live.clone();
        for write in &writes {
            after.apply(&match &write.object {
                Some(object) => Change::Put(object.clone()),
                None => Change::Delete(write.key.clone()),
            });
        }
        Self {
            client,
            before: live.clone(),
            after,
            phases: phases::of(&writes).into_iter(),
            writes,
            rediscovered: BTreeMap::new(),
            broken: BTreeMap::new(),
            failures: Vec::new(),
            written: 0,
        }
    }

    /// The next phase, without the writes for nodes that lack something already.
    pub(super) fn next_phase(&mut self) -> Option<Phase> {
        let mut phase = self.phases.next()?;
        for at in std::mem::take(&mut phase.writes) {
            let write = &self.writes[at];
            match write.owner.as_ref().and_then(|owner| self.broken.get(owner)) {
                None => phase.writes.push(at),
                Some(cause) => self.failures.push(Failure {
                    op: write.op.clone(),
                    key: write.key.clone(),
                    reason: format!("an earlier write for the same node failed: {cause}"),
                    skipped: true,
                }),
            }
        }
        Some(phase)
    }

    /// What the ledger is told before a phase: everything that it may create, interfaces behind endpoints included.
    pub(super) fn intend(&self, phase: &Phase) -> Vec<LedgerChange> {
        let endpoints: BTreeSet<Xname> = phase.writes.iter().filter_map(|&at| self.endpoint_of(at)).collect();
        let creates = phase.writes.iter().map(|&at| &self.writes[at]);
        let aside = self.writes.iter().filter(|write| match &write.object {
            Some(Object::EthernetInterface(interface)) => {
                self.controller_of(interface).is_some_and(|endpoint| endpoints.contains(endpoint))
            }
            _ => false,
        });
        let aside = aside.filter(|_| !endpoints.is_empty());
        let intended = creates.chain(aside).filter(|write| write.action == Action::Create);
        let changes = intended.filter_map(|write| match &write.ledger {
            LedgerChange::Own(key, entry) => Some(LedgerChange::Own(key.clone(), entry.intended())),
            LedgerChange::Forget(_) => None,
        });
        changes.collect()
    }

    /// Runs a phase and returns what is owned from now on.
    pub(super) async fn run(&mut self, phase: Phase) -> Vec<LedgerChange> {
        let wanted = &phase.writes;
        let settled = match (phase.kind, phase.delete) {
            (Kind::Component, false) => self.put_components(wanted).await,
            (Kind::RedfishEndpoint | Kind::ComponentEndpoint, false) => self.put_endpoints(wanted).await,
            (Kind::EthernetInterface, false) => self.put_interfaces(wanted).await,
            (Kind::Group, false) => self.put_groups(wanted).await,
            (Kind::CloudInit | Kind::CloudInitSecure, false) => self.put_entries(wanted).await,
            (Kind::ClusterDefaults | Kind::CloudInitGroup | Kind::InstanceInfo, false) => {
                self.put_instance_data(wanted).await
            }
            (Kind::InstanceInfo, true) => self.clear_instances(wanted).await,
            (Kind::BootParams, false) => self.put_boot_params(wanted).await,
            (Kind::BootParams, true) => self.delete_boot_params(wanted).await,
            (_, true) => self.delete_each(wanted).await,
        };
        self.settle(settled)
    }

    pub(super) fn finish(self) -> (u64, Vec<Failure>) {
        (self.written, self.failures)
    }

    fn settle(&mut self, settled: Vec<Settled>) -> Vec<LedgerChange> {
        let mut changes = Vec::new();
        for (writes, result) in settled {
            if let (true, Err(failed)) = (writes.is_empty(), &result) {
                // What was put back belongs to no operation of the plan; the next plan shows it as drift.
                tracing::warn!(reason = failed.reason, "an interface could not be put back as it was");
            }
            for at in writes {
                match &result {
                    Ok(()) => {
                        self.written += 1;
                        changes.push(self.writes[at].ledger.clone());
                    }
                    Err(failed) => changes.extend(self.fail(at, failed)),
                }
            }
        }
        changes
    }

    /// Notes a failure and whom it holds back; answers what the ledger is told of it.
    fn fail(&mut self, at: usize, failed: &Failed) -> Option<LedgerChange> {
        let write = &self.writes[at];
        for node in failed.nodes.iter().chain(&write.owner) {
            self.broken.entry(node.clone()).or_insert_with(|| write.key.clone());
        }
        self.failures.push(Failure {
            op: write.op.clone(),
            key: write.key.clone(),
            reason: failed.reason.clone(),
            skipped: false,
        });
        let made_aside = matches!(&write.object, Some(Object::EthernetInterface(interface))
            if self.controller_of(interface).is_some_and(|endpoint| self.rediscovered.contains_key(endpoint)));
        let nothing_there = write.action == Action::Create && failed.changed_nothing && !made_aside;
        failed.owned.as_deref().cloned().or_else(|| nothing_there.then(|| LedgerChange::Forget(write.key.clone())))
    }

    /// The Redfish endpoint behind which an interface is.
    fn controller_of(&self, interface: &EthernetInterface) -> Option<&Xname> {
        let component = interface.component_id.as_ref()?;
        Some(&self.after.boot.component_endpoints.get(component)?.redfish_endpoint_id)
    }

    /// The interfaces behind a Redfish endpoint.
    fn interfaces_behind(&self, endpoint: &Xname) -> impl Iterator<Item = MacAddr> {
        let boot = &self.after.boot;
        let components = boot.index.behind.get(endpoint).into_iter().flatten();
        components.flat_map(|component| boot.interfaces_of(component)).map(|interface| interface.mac)
    }

    /// Deletes one object after the other.
    async fn delete_each(&self, wanted: &[usize]) -> Vec<Settled> {
        let requests = wanted.iter().copied().map(|at| async move {
            let key = &self.writes[at].key;
            (vec![at], gone(self.client.send(reqwest::Method::DELETE, key.kind, &path(key), None).await))
        });
        parallel(requests).await
    }
}

/// Where an object is, below its service's address.
fn path(key: &ObjectKey) -> String {
    match key.kind {
        Kind::Component => format!("/State/Components/{}", key.id),
        Kind::RedfishEndpoint => format!("/Inventory/RedfishEndpoints/{}", key.id),
        Kind::ComponentEndpoint => format!("/Inventory/ComponentEndpoints/{}", key.id),
        Kind::EthernetInterface => format!("/Inventory/EthernetInterfaces/{}", key.id.replace(':', "")),
        Kind::Group => format!("/groups/{}", key.id),
        Kind::CloudInit | Kind::CloudInitSecure => format!("/{}", segment(key)),
        Kind::ClusterDefaults => "/admin/cluster-defaults".to_owned(),
        Kind::CloudInitGroup => format!("/admin/groups/{}", segment(key)),
        Kind::InstanceInfo => format!("/admin/instance-info/{}", key.id),
        Kind::BootParams => "/bootparameters".to_owned(),
    }
}

/// A request's body.
fn json(body: &impl serde::Serialize) -> Option<String> {
    Some(serde_json::to_string(body).expect("requests are structures with text keys"))
}

/// The identifier within a kind, as a path segment.
fn segment(key: &ObjectKey) -> String {
    let mut path = String::new();
    for byte in key.id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b':') {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
}
