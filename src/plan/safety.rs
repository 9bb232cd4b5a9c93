//! The rules that stand between a mistake and a cluster. All are evaluated, all are reported; one that fails refuses
//! the plan as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Options;
use super::document::{Check, PlanChange, Safety, Subject, Verb};
use super::judge::{Outcome, Verdict};
use super::{address, moves, ops};
use crate::desired::Desired;
use crate::inventory::Limit;
use crate::model::{Kind, Object};
use crate::store::{Ledger, LedgerChange};

/// What the rules look at.
pub(super) struct Facts<'a> {
    pub(super) desired: &'a Desired,
    pub(super) ledger: &'a Ledger,
    pub(super) outcomes: &'a [Outcome<'a>],
    pub(super) changes: &'a [PlanChange],
    /// Nodes that were moved to another xname: the new one by the old one.
    pub(super) joined: &'a BTreeMap<Arc<str>, Arc<str>>,
    pub(super) live: &'a [(crate::model::ObjectKey, Object)],
}

/// Evaluates every rule.
pub(super) fn evaluate(facts: &Facts<'_>, options: &Options) -> Safety {
    let mut checks = limits(facts, options);
    checks.push(empty_inventory(facts));
    checks.extend(missing_files(facts, options));
    checks.extend(empty_live(facts, options));
    let reasons = options.incomplete_reasons.iter().map(|reason| reason.as_str().into()).collect();
    checks.push(check("incomplete.read", "live state", u64::from(!options.complete), 1, 0, reasons));
    checks.extend(foreign_owners(facts, options));
    let refused: Vec<Arc<str>> =
        facts.changes.iter().filter(|change| change.refused).map(|change| change.name.clone()).collect();
    checks.push(check("adopt.differs", "objects", refused.len() as u64, facts.changes.len() as u64, 0, refused));
    let unreadable: Vec<Arc<str>> = facts
        .outcomes
        .iter()
        .filter(|outcome| outcome.verdict == Verdict::Unreadable)
        .map(|outcome| outcome.sides.key.to_string().into())
        .collect();
    if !unreadable.is_empty() {
        let of = facts.desired.objects.len() as u64;
        checks.push(check("object.unreadable", "objects", unreadable.len() as u64, of, 0, unreadable));
    }
    Safety { ok: checks.iter().all(|check| check.ok), checks }
}

fn check(rule: &str, what: &str, value: u64, of: u64, limit: u64, names: Vec<Arc<str>>) -> Check {
    let ok = value <= limit;
    let names = if ok { Vec::new() } else { names };
    Check { rule: rule.to_owned(), what: what.to_owned(), value, of, limit, ok, names }
}

/// What the limits count beside nodes. Losing what a node boots or is configured by is as bad as losing the node.
const COUNTED: [(Subject, &str); 8] = [
    (Subject::Node, "nodes"),
    (Subject::Boot, "boot entries"),
    (Subject::Group, "groups"),
    (Subject::CloudInit, "cloud-init entries"),
    (Subject::CloudInitSecure, "secure cloud-init entries"),
    (Subject::ClusterDefaults, "sets of cloud-init defaults"),
    (Subject::CloudInitGroup, "cloud-init groups"),
    (Subject::InstanceInfo, "cloud-init instances"),
];

fn limits(facts: &Facts<'_>, options: &Options) -> Vec<Check> {
    let policy = &facts.desired.policy;
    let of = |kind: Subject| managed(facts.ledger, kind);
    let named = |wanted: &dyn Fn(&PlanChange) -> bool| -> Vec<Arc<str>> {
        facts.changes.iter().filter(|change| wanted(change)).map(|change| change.name.clone()).collect()
    };
    let mut checks = Vec::new();
    for (kind, what) in COUNTED {
        let names = match kind {
            Subject::Node => named(&|change| change.kind == kind && change.verb == Verb::Delete),
            Subject::Boot => lost_boot_entries(facts),
            _ => lost(facts.outcomes, kind),
        };
        if kind == Subject::Node || !names.is_empty() {
            let limit = ceiling(policy.delete, of(kind), options.allow_delete);
            checks.push(check("limit.delete", what, names.len() as u64, of(kind), limit, names));
        }
    }
    let losing = nodes_that_lose_a_part(facts.outcomes);
    // A node that boots from another interface is replaced as far as its booting goes.
    let mut replaced = named(&|change| match change.kind {
        Subject::Node if change.verb == Verb::Replace => true,
        Subject::Node => {
            change.verb != Verb::Delete && change.address.strip_prefix("node/").is_some_and(|id| losing.contains(id))
        }
        Subject::Boot => change.verb == Verb::Replace,
        _ => false,
    });
    replaced.sort_unstable();
    replaced.dedup();
    let limit = ceiling(policy.replace, of(Subject::Node), options.allow_replace);
    checks.push(check("limit.replace", "nodes", replaced.len() as u64, of(Subject::Node), limit, replaced));
    checks
}

/// The greater of the number and the share, where the number never stands for more than half of what there is: three
/// nodes are few of a hundred, and all of three. One is always within that half. A number that was allowed by name raises
/// the limit and never lowers it.
fn ceiling(limit: Limit, of: u64, allowed: Option<u64>) -> u64 {
    let few = if of == 0 { limit.max } else { limit.max.min((of / 2).max(1)) };
    few.max(of.saturating_mul(limit.percent) / 100).max(allowed.unwrap_or_default())
}

/// Groups or entries that go, or are left to others, by name.
fn lost(outcomes: &[Outcome<'_>], subject: Subject) -> Vec<Arc<str>> {
    let goes = |outcome: &&Outcome<'_>| matches!(outcome.verdict, Verdict::Delete | Verdict::Release);
    let of_subject = |outcome: &&Outcome<'_>| address::address(outcome.sides.key, ops::owner(outcome)).0 == subject;
    outcomes.iter().filter(goes).filter(of_subject).map(address::name).collect()
}

/// Boot entries that go, by the names of their nodes, object by object. One that goes with its node is counted with the
/// node, and one in the place of which another one comes is no loss.
fn lost_boot_entries(facts: &Facts<'_>) -> Vec<Arc<str>> {
    let node_of = |outcome: &Outcome<'_>| {
        let owner = ops::owner(outcome).unwrap_or(&outcome.sides.key.id);
        facts.joined.get(owner).unwrap_or(owner).clone()
    };
    let mut gone: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
    let mut come: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    let mut dead: BTreeSet<Arc<str>> = BTreeSet::new();
    for outcome in facts.outcomes {
        match (outcome.sides.key.kind, outcome.verdict) {
            (Kind::BootParams, Verdict::Delete) => {
                gone.entry(node_of(outcome)).or_default().push(address::name(outcome));
            }
            (Kind::BootParams, Verdict::Create) => *come.entry(node_of(outcome)).or_default() += 1,
            (Kind::Component, Verdict::Delete) if address::is_principal(outcome) => {
                dead.insert(node_of(outcome));
            }
            _ => {}
        }
    }
    // The node that a moved one became is alive.
    dead.retain(|node| !facts.joined.values().any(|alive| alive == node));
    gone.retain(|node, _| !dead.contains(node));
    gone.into_iter().flat_map(|(node, names)| names.into_iter().skip(come.get(&node).copied().unwrap_or(0))).collect()
}

/// How many subjects of a sort the ledger owns.
fn managed(ledger: &Ledger, subject: Subject) -> u64 {
    let owns = |(key, entry): &(&crate::model::ObjectKey, &crate::store::LedgerEntry)| match key.kind {
        Kind::Component => subject == Subject::Node && entry.owner.as_deref().is_none_or(|owner| owner == &*key.id),
        Kind::BootParams => subject == Subject::Boot,
        Kind::Group => subject == Subject::Group,
        Kind::CloudInit => subject == Subject::CloudInit,
        Kind::CloudInitSecure => subject == Subject::CloudInitSecure,
        Kind::ClusterDefaults => subject == Subject::ClusterDefaults,
        Kind::CloudInitGroup => subject == Subject::CloudInitGroup,
        Kind::InstanceInfo => subject == Subject::InstanceInfo,
        _ => false,
    };
    ledger.entries.iter().filter(owns).count() as u64
}

/// Nodes that stay but lose an interface, a controller or an endpoint, by xname.
fn nodes_that_lose_a_part<'a>(outcomes: &'a [Outcome<'_>]) -> BTreeSet<&'a str> {
    let parts = [Kind::RedfishEndpoint, Kind::ComponentEndpoint, Kind::EthernetInterface];
    let deleted = outcomes.iter().filter(|o| o.verdict == Verdict::Delete && parts.contains(&o.sides.key.kind));
    let deleted = deleted.filter_map(|outcome| ops::owner(outcome).map(|owner| &**owner));
    let moved = outcomes.iter().filter_map(moves::moved).map(|(from, _)| &**from);
    deleted.chain(moved).collect()
}

/// A cluster without nodes is a mistake while the ledger knows some.
fn empty_inventory(facts: &Facts<'_>) -> Check {
    let nodes = facts.desired.objects.keys().filter(|key| key.kind == Kind::Component).count();
    let managed = managed(facts.ledger, Subject::Node);
    let gone = if nodes == 0 { managed } else { 0 };
    check("empty.inventory", "nodes", gone, managed, 0, Vec::new())
}

/// A cloud-init file whose entries were applied and of which nothing is left was more likely moved away than emptied on
/// purpose. The other files have to be there for an inventory to be valid.
fn missing_files(facts: &Facts<'_>, options: &Options) -> Option<Check> {
    let wanted = facts.desired.objects.values().chain(facts.desired.waiting.values());
    let present: BTreeSet<&str> = wanted.map(|object| &*object.origin.file).collect();
    let entries =
        [Kind::CloudInit, Kind::CloudInitSecure, Kind::ClusterDefaults, Kind::CloudInitGroup, Kind::InstanceInfo];
    let deleted = facts
        .outcomes
        .iter()
        .filter(|outcome| outcome.verdict == Verdict::Delete && entries.contains(&outcome.sides.key.kind));
    let files = deleted.filter_map(|outcome| Some(outcome.sides.entry?.origin.rsplit_once(':')?.0));
    let gone: BTreeSet<&str> = files.filter(|file| !present.contains(file)).collect();
    let count = gone.len() as u64;
    // A number of deletes that was allowed by name says that somebody looked.
    let limit = if options.allow_delete.is_some() { count } else { 0 };
    let names = gone.into_iter().map(Into::into).collect();
    (count > 0).then(|| check("missing.file", "files", count, count, limit, names))
}

/// What the ledger of another cluster owns is neither adopted nor written: the inventory was renamed, or it is another
/// cluster's. One check for each such cluster.
fn foreign_owners(facts: &Facts<'_>, options: &Options) -> Vec<Check> {
    let mut found: BTreeMap<&Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
    for outcome in facts.outcomes {
        let Some(owner) = options.claimed.get(outcome.sides.key) else { continue };
        if outcome.refused || outcome.writes() || matches!(outcome.ledger, Some(LedgerChange::Own(..))) {
            found.entry(owner).or_default().push(address::name(outcome));
        }
    }
    let of = facts.desired.objects.len() as u64;
    let checks = found.into_iter().map(|(owner, mut names)| {
        let count = names.len() as u64;
        names.sort_unstable();
        names.dedup();
        check("foreign.owner", owner, count, of, 0, names)
    });
    checks.collect()
}

/// A service that held objects of ours and holds nothing at all was restarted with an empty database, or is another
/// one. One check for each service in that state, or one that holds.
fn empty_live(facts: &Facts<'_>, options: &Options) -> Vec<Check> {
    let mut owned: BTreeMap<&str, u64> = BTreeMap::new();
    let entries = facts.ledger.entries.iter().filter(|(_, entry)| !entry.is_intended());
    for (key, _) in entries {
        *owned.entry(ops::service(key.kind)).or_default() += 1;
    }
    let total = owned.values().sum();
    // What a failed read did not list is missing for that reason, and the rule for incomplete reads refuses already.
    if options.complete && !options.accept_empty_live {
        for (key, _) in facts.live {
            owned.remove(ops::service(key.kind));
        }
    } else {
        owned.clear();
    }
    if owned.is_empty() {
        return vec![check("empty.live", "objects", 0, total, 0, Vec::new())];
    }
    owned.into_iter().map(|(service, owned)| check("empty.live", service, owned, owned, 0, Vec::new())).collect()
}
