//! Outcomes of objects put together to the lines people read: one per node, boot entry, cloud-init entry and group.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::Options;
use super::address::{Address, address, is_principal, name, place};
use super::describe;
use super::document::{Class, Effect, FieldChange, FieldClass, Names, Place, PlanChange, Subject, Verb, Writer};
use super::fingerprint;
use super::judge::{Outcome, Verdict};
use super::{moves, ops, waiting, walk};
use crate::desired::Desired;
use crate::model::{Kind, ObjectKey};

/// Fewer lines than this are made faster than a thread starts.
const LEAST_SHARE: usize = 1_000;

/// The lines.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) changes: Vec<PlanChange>,
    pub(super) drift: Vec<PlanChange>,
    /// Nodes that were moved to another xname: the new one by the old one.
    pub(super) joined: BTreeMap<Arc<str>, Arc<str>>,
    touched: BTreeSet<Address>,
}

/// Makes the lines of all outcomes.
pub(super) fn lines(outcomes: &[Outcome<'_>], groups: &describe::Groups, options: &Options) -> Lines {
    let mut lines = Lines::default();
    let mut found: HashMap<Address, Vec<&Outcome<'_>>> = HashMap::new();
    for outcome in outcomes {
        let address = address(outcome.sides.key, ops::owner(outcome));
        if intends(outcome) || drifts(outcome) {
            found.entry(address).or_default().push(outcome);
            if let Some((from, _)) = moves::moved(outcome) {
                found.entry((Subject::Node, from.clone())).or_default().push(outcome);
            }
        } else if outcome.verdict == Verdict::Unreadable {
            lines.touched.insert(address);
        }
    }
    let mut parts: BTreeMap<Address, Vec<&Outcome<'_>>> = found.into_iter().collect();
    lines.touched.extend(parts.keys().cloned());
    lines.joined = moves::join(&mut parts);
    move_boot_entries_to_their_nodes(&mut parts);
    let parts: Vec<(Address, Vec<&Outcome<'_>>)> = parts.into_iter().collect();
    lines.changes = walk::in_shares(&parts, LEAST_SHARE, |parts| {
        let mut changes = Vec::with_capacity(parts.len());
        changes.extend(parts.iter().filter_map(|(address, parts)| {
            let intent: Vec<&Outcome<'_>> = parts.iter().copied().filter(|part| intends(part)).collect();
            (!intent.is_empty()).then(|| change(address, &intent, groups))
        }));
        changes
    });
    lines.drift = walk::in_shares(&parts, LEAST_SHARE, |parts| {
        let drifting = parts.iter().filter_map(|(address, parts)| {
            let drift: Vec<&Outcome<'_>> = parts.iter().copied().filter(|part| drifts(part)).collect();
            (!drift.is_empty()).then(|| drifted(address, &drift, options))
        });
        drifting.collect()
    });
    lines
}

impl Lines {
    /// Says of what waits for a secret which one that is.
    pub(super) fn name_missing_secrets(&mut self, desired: &Desired) {
        for key in desired.waiting.keys() {
            let address = key.to_string();
            let lines = self.changes.iter_mut().chain(&mut self.drift);
            lines.filter(|line| line.address == address).for_each(|line| {
                line.missing_secrets = waiting::secrets(desired, key);
            });
        }
    }

    /// What is in the inventory and stays as it is. A node is told once, by its component, and only when what it boots
    /// stays, too.
    pub(super) fn unchanged(&self, desired: &Desired) -> Vec<Names> {
        let mut names: BTreeMap<Subject, BTreeSet<Arc<str>>> = BTreeMap::new();
        for (key, object) in &desired.objects {
            let (subject, id) = address(key, object.owner.as_ref());
            let told = match key.kind {
                Kind::Component => !is_part(key, object.owner.as_ref()),
                Kind::Group
                | Kind::CloudInit
                | Kind::CloudInitSecure
                | Kind::ClusterDefaults
                | Kind::CloudInitGroup
                | Kind::InstanceInfo => true,
                _ => false,
            };
            let boots_otherwise = subject == Subject::Node && self.touched.contains(&(Subject::Boot, id.clone()));
            if told && !boots_otherwise && !self.touched.contains(&(subject, id)) {
                names.entry(subject).or_default().insert(object.name.clone());
            }
        }
        names.into_iter().map(|(kind, names)| Names { kind, names: names.into_iter().collect() }).collect()
    }
}

/// True for a component that belongs to a node without being one: its controller.
fn is_part(key: &ObjectKey, owner: Option<&Arc<str>>) -> bool {
    key.kind == Kind::Component && owner.is_some_and(|owner| *owner != key.id)
}

/// True when the inventory asks for it.
fn intends(outcome: &Outcome<'_>) -> bool {
    match outcome.verdict {
        Verdict::Create | Verdict::Delete | Verdict::Release | Verdict::Adopt | Verdict::AdoptAndChange => true,
        Verdict::Recreate { drift } => !drift,
        Verdict::Update if outcome.fields.iter().any(|field| field.class != FieldClass::Drift) => true,
        Verdict::Update | Verdict::InSync => is_principal(outcome) && outcome.renamed(),
        Verdict::Keep | Verdict::Forget | Verdict::Unmanaged | Verdict::Unreadable => false,
    }
}

/// True when somebody else changed it.
fn drifts(outcome: &Outcome<'_>) -> bool {
    match outcome.verdict {
        Verdict::Recreate { drift } => drift,
        Verdict::Update => outcome.fields.iter().any(|field| field.class == FieldClass::Drift),
        _ => false,
    }
}

/// A boot entry that comes, goes, is adopted or gets another key together with its node is told with the node.
fn move_boot_entries_to_their_nodes(parts: &mut BTreeMap<Address, Vec<&Outcome<'_>>>) {
    let boots: Vec<Address> = parts.keys().filter(|(subject, _)| *subject == Subject::Boot).cloned().collect();
    for boot in boots {
        let Some(entries) = parts.get(&boot) else { continue };
        let node = (Subject::Node, boot.1.clone());
        let Some(of_node) = parts.get(&node) else { continue };
        let together = of_node
            .iter()
            .find(|part| is_principal(part) && part.sides.key.id == node.1)
            .is_some_and(|node| entries.iter().all(|entry| goes_with(entry.verdict, node.verdict)));
        let rekeyed = || {
            describe::verb(&node, of_node) == Verb::Replace
                && describe::rekeyed(entries).is_some_and(|(old, new)| describe::boots_the_same(old, new))
        };
        if (together || rekeyed())
            && let Some(entries) = parts.remove(&boot)
            && let Some(of_node) = parts.get_mut(&node)
        {
            of_node.extend(entries);
        }
    }
}

/// True when a boot entry fares as its node does.
fn goes_with(entry: Verdict, node: Verdict) -> bool {
    match node {
        Verdict::Create | Verdict::Recreate { .. } | Verdict::Delete => entry == node,
        Verdict::Adopt | Verdict::AdoptAndChange => entry == Verdict::Adopt,
        _ => false,
    }
}

fn change(address: &Address, parts: &[&Outcome<'_>], groups: &describe::Groups) -> PlanChange {
    let verb = describe::verb(address, parts);
    let fields = describe::fields(address, verb, parts, groups);
    let conflict = fields.iter().any(|field| field.class == FieldClass::Conflict);
    let class = match verb {
        _ if conflict => Class::Conflict,
        Verb::Delete | Verb::Release => Class::Prune,
        Verb::Adopt | Verb::AdoptAndChange => Class::Adopt,
        _ => Class::Intent,
    };
    let mut change = line(address, parts);
    let nothing_but_records = fields.iter().all(|field| field.class == FieldClass::Recorded);
    change.reason = match verb {
        Verb::Create => "new",
        Verb::Recreate => "deleted_outside",
        Verb::Delete => "removed",
        Verb::Replace if moves::former(&address.1, parts).is_some() => "node_moved",
        Verb::Replace if parts.iter().any(|part| moves::arrives(&address.1, part)) => "interface_moved",
        Verb::Replace => "key_changed",
        Verb::Release => "shared",
        Verb::Rename => "renamed",
        Verb::Adopt => "equal",
        Verb::AdoptAndChange => "differs",
        Verb::Record => "already_there",
        Verb::Update if nothing_but_records => "parts_changed",
        Verb::Update => "fields_changed",
    }
    .into();
    if verb == Verb::Replace {
        change.replace_paths = paths(&fields, &["mac"]);
    }
    change.disruptive = match verb {
        Verb::Delete => address.0 == Subject::Node,
        Verb::Update | Verb::Replace | Verb::Rename | Verb::AdoptAndChange => {
            !change.ops.is_empty() && !paths(&fields, &["mac", "ip", "role", "kernel", "initrd", "template"]).is_empty()
        }
        _ => false,
    };
    (change.verb, change.class, change.fields) = (verb, class, fields);
    change
}

/// The fields whose last part is one of `names`, other than those that stay.
fn paths(fields: &[FieldChange], names: &[&str]) -> Vec<String> {
    let changes = fields.iter().filter(|field| !matches!(field.class, FieldClass::Recorded | FieldClass::Left));
    let named = changes.filter(|field| field.path.rsplit('/').next().is_some_and(|last| names.contains(&last)));
    named.map(|field| field.path.clone()).collect()
}

fn drifted(address: &Address, parts: &[&Outcome<'_>], options: &Options) -> PlanChange {
    let mut change = line(address, parts);
    let recreated = parts.iter().any(|part| part.verdict == Verdict::Recreate { drift: true });
    change.verb = if recreated { Verb::Recreate } else { Verb::Update };
    change.reason = if recreated { "deleted_outside" } else { "changed_outside" }.into();
    change.class = Class::Drift;
    change.fields = describe::drift(address, parts);
    let written = parts.iter().filter_map(|part| options.provenance.get(part.sides.key));
    change.provenance = written
        .max_by_key(|written| (written.at, &written.writer))
        .map(|written| Writer { writer: written.writer.clone(), at: super::time(written.at) });
    change
}

/// A line without its verdict.
fn line(address: &Address, parts: &[&Outcome<'_>]) -> PlanChange {
    let (subject, id) = address;
    let principal = parts.iter().find(|part| is_principal(part) && part.sides.key.id == *id).or(parts.first());
    let name = principal.map_or_else(|| id.clone(), |part| name(part));
    let ops: BTreeSet<usize> = parts.iter().filter_map(|part| part.op).collect();
    let effect = match subject {
        _ if ops.is_empty() => Effect::None,
        Subject::Boot
        | Subject::CloudInit
        | Subject::CloudInitSecure
        | Subject::ClusterDefaults
        | Subject::CloudInitGroup
        | Subject::InstanceInfo => Effect::NextBoot,
        Subject::Node | Subject::Group => Effect::Immediate,
    };
    let live = parts.iter().filter_map(|part| part.digests.live.as_ref());
    let after = parts.iter().filter_map(|part| part.digests.after.as_ref());
    PlanChange {
        address: [subject.as_str(), "/", id].concat(),
        name,
        kind: *subject,
        verb: Verb::Update,
        reason: "".into(),
        replace_paths: Vec::new(),
        class: Class::Intent,
        missing_secrets: Vec::new(),
        refused: parts.iter().any(|part| part.refused),
        foreign: parts.iter().filter(|part| part.refused).map(|part| describe::foreign(part)).collect(),
        origin: principal.and_then(|part| origin(part)),
        causes: Vec::new(),
        fields: Vec::new(),
        live_fingerprint: fingerprint::of_all(live),
        live_readable: true,
        after_fingerprint: fingerprint::of_all(after),
        ops: ops.into_iter().map(ops::id).collect(),
        disruptive: false,
        effect,
        provenance: None,
    }
}

fn origin(outcome: &Outcome<'_>) -> Option<Place> {
    match outcome.sides.desired {
        Some(desired) => Some(place(&desired.origin)),
        None => {
            let (file, line) = outcome.sides.entry?.origin.rsplit_once(':')?;
            let line = line.parse().ok()?;
            Some(Place { file: file.into(), line, end_line: line, pointer: None, removed: true })
        }
    }
}
