//! Writing a plan to the services, phase by phase.

mod boot;
mod cloud_init;
mod smd;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::PARALLEL;
use super::client::{Client, Fault};
use crate::model::{Kind, ObjectKey};
use crate::plan::{Action, Write};
use crate::snapshot::{Change, Snapshot};
use crate::store::LedgerChange;
use crate::target::Failure;

/// What one request settled: the operations in it, and how it went.
type Settled = (Vec<usize>, Result<(), String>);

/// A run of writes of one kind and one direction.
pub(super) struct Phase {
    kind: Kind,
    delete: bool,
    /// Positions in the session's writes.
    writes: Vec<usize>,
}

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
    /// Redfish endpoints that were posted again, which makes SMD write the interfaces behind them anew.
    rediscovered: BTreeSet<crate::model::Xname>,
    /// Nodes of which a write failed.
    broken: BTreeSet<Arc<str>>,
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
        let mut phases: Vec<Phase> = Vec::new();
        for (at, write) in writes.iter().enumerate() {
            let delete = write.action == Action::Delete;
            match phases.last_mut() {
                Some(phase) if phase.kind == write.key.kind && phase.delete == delete => phase.writes.push(at),
                _ => phases.push(Phase { kind: write.key.kind, delete, writes: vec![at] }),
            }
        }
        Self {
            client,
            writes,
            before: live.clone(),
            after,
            phases: merge_discovery(phases).into_iter(),
            rediscovered: BTreeSet::new(),
            broken: BTreeSet::new(),
            failures: Vec::new(),
            written: 0,
        }
    }

    pub(super) fn next_phase(&mut self) -> Option<Phase> {
        self.phases.next()
    }

    /// Runs a phase and returns what is owned from now on.
    pub(super) async fn run(&mut self, phase: Phase) -> Vec<LedgerChange> {
        let (left_out, wanted): (Vec<usize>, Vec<usize>) =
            phase.writes.iter().partition(|at| self.owner(**at).is_some_and(|o| self.broken.contains(&o)));
        for at in left_out {
            self.fail(at, "an earlier write for the same node failed".to_owned(), true);
        }
        let settled = match (phase.kind, phase.delete) {
            (Kind::Component, false) => self.put_components(&wanted).await,
            (Kind::RedfishEndpoint | Kind::ComponentEndpoint, false) => self.put_endpoints(&wanted).await,
            (Kind::EthernetInterface, false) => self.put_interfaces(&wanted).await,
            (Kind::Group, false) => self.put_groups(&wanted).await,
            (Kind::CloudInit | Kind::CloudInitSecure, false) => self.put_entries(&wanted).await,
            (Kind::BootParams, false) => self.put_boot_params(&wanted).await,
            (Kind::BootParams, true) => self.delete_boot_params(&wanted).await,
            (_, true) => self.delete_each(&wanted).await,
        };
        self.settle(settled)
    }

    pub(super) fn finish(self) -> (u64, Vec<Failure>) {
        (self.written, self.failures)
    }

    fn settle(&mut self, settled: Vec<Settled>) -> Vec<LedgerChange> {
        let mut owned = Vec::new();
        for (writes, result) in settled {
            if let (true, Err(reason)) = (writes.is_empty(), &result) {
                // What was put back belongs to no operation of the plan; the next plan shows it as drift.
                tracing::warn!(reason, "an interface could not be put back as it was");
            }
            for at in writes {
                match &result {
                    Ok(()) => {
                        self.written += 1;
                        owned.push(self.writes[at].ledger.clone());
                    }
                    Err(reason) => self.fail(at, reason.clone(), false),
                }
            }
        }
        owned
    }

    fn fail(&mut self, at: usize, reason: String, skipped: bool) {
        if let Some(owner) = self.owner(at) {
            self.broken.insert(owner);
        }
        let write = &self.writes[at];
        self.failures.push(Failure { op: write.op.clone(), key: write.key.clone(), reason, skipped });
    }

    /// The node that a write belongs to.
    fn owner(&self, at: usize) -> Option<Arc<str>> {
        self.writes[at].owner.clone()
    }

    /// Deletes one object after the other; one that is gone already is what was wanted.
    async fn delete_each(&self, wanted: &[usize]) -> Vec<Settled> {
        let requests = wanted.iter().copied().map(|at| async move {
            let key = &self.writes[at].key;
            let path = smd::path(key);
            let answer = self.client.send(reqwest::Method::DELETE, key.kind, &path, None).await;
            (vec![at], gone_is_fine(answer))
        });
        parallel(requests).await
    }
}

/// Redfish endpoints and the component endpoints behind them are one request in SMD, hence one phase; and SMD writes the
/// interfaces behind them anew with it, so a phase of interfaces follows that puts back what it lost.
fn merge_discovery(phases: Vec<Phase>) -> Vec<Phase> {
    let mut merged: Vec<Phase> = Vec::new();
    for phase in phases {
        match merged.last_mut() {
            Some(last)
                if !last.delete
                    && !phase.delete
                    && last.kind == Kind::RedfishEndpoint
                    && phase.kind == Kind::ComponentEndpoint =>
            {
                last.writes.extend(phase.writes);
            }
            _ => merged.push(phase),
        }
    }
    let discovery =
        |phase: &Phase| !phase.delete && matches!(phase.kind, Kind::RedfishEndpoint | Kind::ComponentEndpoint);
    if let Some(at) = merged.iter().position(discovery) {
        let follows = merged.get(at + 1).is_some_and(|next| !next.delete && next.kind == Kind::EthernetInterface);
        if !follows {
            merged.insert(at + 1, Phase { kind: Kind::EthernetInterface, delete: false, writes: Vec::new() });
        }
    }
    merged
}

/// Runs requests, at most [`PARALLEL`] at once.
async fn parallel<F: Future<Output = Settled>>(requests: impl Iterator<Item = F>) -> Vec<Settled> {
    stream::iter(requests).buffer_unordered(PARALLEL).collect().await
}

fn reason<T>(answer: Result<T, Fault>) -> Result<(), String> {
    answer.map(|_| ()).map_err(|fault| fault.reason)
}

fn gone_is_fine<T>(answer: Result<T, Fault>) -> Result<(), String> {
    match answer {
        Err(fault) if fault.status == Some(reqwest::StatusCode::NOT_FOUND) => Ok(()),
        other => reason(other),
    }
}

/// Groups positions by a key, in the order of the keys.
fn grouped<K: Ord>(wanted: &[usize], key: impl Fn(usize) -> K) -> BTreeMap<K, Vec<usize>> {
    let mut groups: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for &at in wanted {
        groups.entry(key(at)).or_default().push(at);
    }
    groups
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
