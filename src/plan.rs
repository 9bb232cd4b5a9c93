//! Plans: desired against ledger against live.
//!
//! [`compute`] compares three sides of every object: what the inventory wants (D), what was last applied (L, the
//! ledger) and what is there (A, live). From that follow the writes, the changes of the ledger and a [`Plan`], the
//! document that people read and reviews keep. What is neither in D nor in L is never touched.
//!
//! Pure: no clock, disk, network, randomness or hash order. Equal inputs give byte-equal plans. After the writes and
//! ledger changes of a plan that corrects drift are applied, the next plan of the same inventory is empty.

mod address;
mod causes;
mod changes;
mod command;
mod compare;
mod describe;
pub mod document;
mod facts;
mod field_diff;
mod fields;
mod fingerprint;
mod judge;
mod members;
mod moves;
mod nouns;
mod ops;
mod pointers;
mod refusal;
mod rules;
pub mod safety;
mod shared;
mod taken;
#[cfg(test)]
mod tests;
pub mod text;
mod waiting;
mod walk;
mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use command::CommandLine;
pub use document::{Action, Plan, PlanChange};
pub use fingerprint::fingerprint;

use crate::desired::Desired;
use crate::inventory::Adopt;
use crate::model::{Object, ObjectKey, Timestamp};
use crate::snapshot::Snapshot;
use crate::store::{Ledger, LedgerChange, Provenance};

use document::{
    Base, Cluster, FORMAT, FORMAT_VERSION, Remark, Selection, Severity, Source, Summary, TakenOver, Tool, Verb,
};
use judge::{Outcome, Verdict};
use rules::Rules;
use safety::Facts;

/// What a plan depends on beside the three sides.
#[derive(Clone)]
pub struct Options {
    /// Whether live state was read whole. If not, nothing is deleted and the plan is refused.
    pub complete: bool,
    /// Why not, one sentence each.
    pub incomplete_reasons: Vec<String>,
    /// Overrides `sync.prune`.
    pub prune: Option<bool>,
    /// Overrides `sync.adopt`.
    pub adopt: Option<Adopt>,
    /// The number of deletes that is allowed where the limit is lower.
    pub allow_delete: Option<u64>,
    /// The number of replaced nodes that is allowed where the limit is lower.
    pub allow_replace: Option<u64>,
    /// Allows a service that held objects of ours to list none.
    pub accept_empty_live: bool,
    /// Puts drift back (an apply that somebody asked for), or only reports it (the loop of `serve`).
    pub correct_drift: bool,
    /// The time of the plan, and of the interfaces it changes.
    pub created: Timestamp,
    /// Who wrote live objects last, as far as the target knows.
    pub provenance: BTreeMap<ObjectKey, Provenance>,
    /// The target's name, `builtin` or a URL; part of the plan's identifier.
    pub target: String,
    /// The target's services and where they are.
    pub services: BTreeMap<String, String>,
    /// What the ledgers of other clusters own at this target: the cluster's identifier, object by object. None of it
    /// is adopted or written.
    pub claimed: BTreeMap<ObjectKey, Arc<str>>,
    /// The cluster whose ledger becomes this one's, and how many objects it owns; the ledger that is planned with holds
    /// them already.
    pub taken_over: Option<(Arc<str>, u64)>,
    /// What the target cannot tell or do, and how the plan gets along with that.
    pub notes: Vec<String>,
    /// Keys the fingerprints of secret objects. None before the first apply, when there is nothing to compare with:
    /// the plan made then is the same whether or not there is a state directory yet.
    pub fingerprint_key: Option<[u8; 32]>,
}

impl Options {
    /// What holds where nothing else is asked for: live state was read whole, the inventory's policy and limits apply,
    /// drift is reported.
    #[must_use]
    pub fn new(target: impl Into<String>, created: Timestamp) -> Self {
        Self {
            complete: true,
            incomplete_reasons: Vec::new(),
            prune: None,
            adopt: None,
            allow_delete: None,
            allow_replace: None,
            accept_empty_live: false,
            correct_drift: false,
            created,
            provenance: BTreeMap::new(),
            target: target.into(),
            services: BTreeMap::new(),
            claimed: BTreeMap::new(),
            taken_over: None,
            notes: Vec::new(),
            fingerprint_key: None,
        }
    }
}

/// A plan and what applying it takes.
#[derive(Debug)]
pub struct Computed {
    /// The document.
    pub plan: Plan,
    /// The writes, in order.
    pub writes: Vec<Write>,
    /// Changes of the ledger that go with no write: adopted, already there, renamed, forgotten.
    pub ledger: Vec<LedgerChange>,
}

/// One write of one object.
#[derive(Debug, Clone)]
pub struct Write {
    /// Its identifier in the plan, `o12`.
    pub op: String,
    /// What it does.
    pub action: Action,
    /// The object.
    pub key: ObjectKey,
    /// The whole object as it will be; none for deletes.
    pub object: Option<Object>,
    /// The object as it was read; none for new ones.
    pub before: Option<Object>,
    /// The node that it belongs to; none for groups and their cloud-init entries.
    pub owner: Option<Arc<str>>,
    /// What the ledger is told when it is done.
    pub ledger: LedgerChange,
}

/// Computes the plan. Whoever applies it has to ask [`Plan::refusal`] first: the writes of a refused plan are there to be
/// shown, not to be made.
#[must_use]
pub fn compute(desired: &Desired, ledger: &Ledger, live: &Snapshot, options: &Options) -> Computed {
    let rules = Rules {
        adopt: options.adopt.unwrap_or(desired.policy.adopt),
        prune: options.prune.unwrap_or(desired.policy.prune),
        complete: options.complete,
        correct_drift: options.correct_drift,
        created: options.created,
        apply: ledger.last_apply.as_ref().map_or(0, |apply| apply.number) + 1,
    };
    let live = walk::sorted(live);
    let waiting = waiting::filled(desired, ledger, &live);
    let sides = walk::sides(desired, &waiting, ledger, &live);
    let mut outcomes = walk::outcomes(&sides, &rules, options.fingerprint_key.as_ref());
    let order = ops::number(&mut outcomes);
    let groups = describe::Groups::of(desired, ledger);
    let mut lines = changes::lines(&outcomes, &groups, options);
    causes::fill(&mut lines.changes, &outcomes, desired, ledger);
    lines.name_missing_secrets(desired);
    let (changes, joined) = (&lines.changes, &lines.joined);
    let facts = Facts { desired, ledger, outcomes: &outcomes, changes, joined, live: &live };
    let safety = safety::evaluate(&facts, options);
    let unchanged = lines.unchanged(desired);
    let unmanaged = walk::unmanaged(&outcomes);
    let noop = unchanged.iter().map(|names| names.names.len()).sum::<usize>();
    let diagnostics = remarks(desired, &outcomes, &lines);
    let foreign = unmanaged.iter().map(|objects| objects.ids.len()).sum::<usize>();
    let forgotten = outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Forget).count();
    let summary = Summary {
        noop: noop as u64,
        unmanaged: foreign as u64,
        forgotten: forgotten as u64,
        drift: lines.drift.len() as u64,
        writes: order.len() as u64,
        ..counts(&lines.changes)
    };
    let mut plan = Plan {
        format: FORMAT.to_owned(),
        format_version: FORMAT_VERSION.to_owned(),
        id: id(&outcomes, &order, desired, options),
        tool: Tool { version: env!("CARGO_PKG_VERSION").to_owned() },
        created: time(options.created),
        expires: None,
        cluster: Cluster {
            id: desired.cluster_id.clone(),
            name: desired.cluster_name.clone(),
            target: options.target.clone(),
            services: options.services.clone(),
        },
        source: Source {
            kind: "dir".to_owned(),
            inventory: desired.inventory_hash.clone(),
            nodes: desired.counts.nodes,
            groups: desired.counts.groups,
            files: desired.counts.files,
        },
        base: Base {
            apply: ledger.last_apply.as_ref().map(|apply| apply.number),
            at: ledger.last_apply.as_ref().map(|apply| time(apply.at)),
            commit: None,
        },
        selection: Selection::default(),
        complete: options.complete,
        incomplete_reasons: options.incomplete_reasons.clone(),
        correct_drift: options.correct_drift,
        taken_over: options.taken_over.clone().map(|(cluster, objects)| TakenOver { cluster, objects }),
        summary,
        safety,
        changes: std::mem::take(&mut lines.changes),
        drift: std::mem::take(&mut lines.drift),
        unchanged,
        kept: walk::kept(&outcomes),
        kept_members: walk::kept_members(&outcomes),
        unmanaged,
        ops: ops::describe(&outcomes, &order),
        dhcp: Vec::new(),
        diagnostics,
        notes: options.notes.clone(),
    };
    pointers::fill(&mut plan, desired);
    let (writes, ledger) = results(outcomes, &order);
    Computed { plan, writes, ledger }
}

/// Counts the lines by verb.
fn counts(changes: &[PlanChange]) -> Summary {
    let mut summary = Summary::default();
    for change in changes {
        let count = match change.verb {
            _ if change.class == document::Class::Conflict => &mut summary.conflict,
            Verb::Create | Verb::Recreate => &mut summary.create,
            Verb::Update => &mut summary.update,
            Verb::Replace => &mut summary.replace,
            Verb::Delete => &mut summary.delete,
            Verb::Release => &mut summary.release,
            Verb::Rename => &mut summary.rename,
            Verb::Adopt | Verb::AdoptAndChange => &mut summary.adopt,
            Verb::Record => &mut summary.record,
        };
        *count += 1;
    }
    summary
}

/// Names what the plan does: the target, every write with the content before and after it, what only the ledger is told,
/// and which secrets are missing. Two plans with the same identifier do the same to the same objects.
fn id(outcomes: &[Outcome<'_>], order: &[usize], desired: &Desired, options: &Options) -> String {
    let mut hasher = blake3::Hasher::new();
    let text = |hasher: &mut blake3::Hasher, text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    text(&mut hasher, &desired.cluster_id);
    text(&mut hasher, &options.target);
    if let Some((cluster, _)) = &options.taken_over {
        text(&mut hasher, cluster);
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.writes()) {
        match &outcome.ledger {
            Some(LedgerChange::Own(key, entry)) => {
                text(&mut hasher, &key.to_string());
                text(&mut hasher, &entry.name);
                let doc = entry.doc.as_bytes();
                let secret = key.kind.is_secret();
                let digest = match (secret, &options.fingerprint_key) {
                    (false, _) => blake3::hash(doc),
                    (true, Some(key)) => blake3::keyed_hash(key, doc),
                    (true, None) => blake3::hash(b""),
                };
                hasher.update(digest.as_bytes());
            }
            Some(LedgerChange::Forget(key)) => text(&mut hasher, &key.to_string()),
            None => {}
        }
    }
    for missing in &desired.unresolved {
        text(&mut hasher, &missing.key.to_string());
        text(&mut hasher, &missing.secret);
    }
    for place in order {
        let outcome = &outcomes[*place];
        hasher.update(&[ops::action(outcome) as u8]);
        for digest in [outcome.digests.live, outcome.digests.after].into_iter().flatten() {
            hasher.update(digest.as_bytes());
        }
    }
    let digest = hasher.finalize().to_hex();
    format!("p-{}", &digest[..12])
}

/// Remarks on objects that wait for a secret, cannot be read, or want what another one has.
fn remarks(desired: &Desired, outcomes: &[Outcome<'_>], lines: &changes::Lines) -> Vec<Remark> {
    let unreadable = outcomes.iter().filter_map(|outcome| {
        Some(Remark {
            severity: Severity::Error,
            code: "object.unreadable".into(),
            object: outcome.sides.key.to_string(),
            message: outcome.fault.clone()?,
            origin: outcome.sides.desired.map(|desired| address::place(&desired.origin)),
        })
    });
    let told: [&[PlanChange]; 2] = [&lines.changes, &lines.drift];
    let waiting = waiting::remarks(desired, &told);
    waiting.chain(unreadable).chain(taken::remarks(desired, outcomes)).collect()
}

/// Hands the outcomes over as writes in order, and as changes of the ledger alone.
fn results(outcomes: Vec<Outcome<'_>>, order: &[usize]) -> (Vec<Write>, Vec<LedgerChange>) {
    let mut writes: Vec<Option<Write>> = Vec::new();
    writes.resize_with(order.len(), || None);
    let mut ledger = Vec::new();
    for mut outcome in outcomes {
        let change = outcome.ledger.take();
        match (outcome.op, change) {
            (Some(number), Some(change)) => {
                writes[number - 1] = Some(Write {
                    op: ops::id(number),
                    action: ops::action(&outcome),
                    key: outcome.sides.key.clone(),
                    owner: ops::owner(&outcome).cloned(),
                    before: outcome.sides.live.cloned(),
                    object: outcome.after,
                    ledger: change,
                });
            }
            (None, Some(change)) => ledger.push(change),
            (_, None) => {}
        }
    }
    (writes.into_iter().flatten().collect(), ledger)
}

/// A moment as RFC 3339, to the second.
fn time(at: Timestamp) -> String {
    let whole = at.0.div_euclid(1_000_000);
    jiff::Timestamp::from_second(whole).map_or_else(|_| whole.to_string(), |at| at.to_string())
}

impl Plan {
    /// The document as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a plan has text keys only")
    }
}
