//! Which boot profile a node gets.
//!
//! The most specific profile that gives a value wins, value by value: the node's own, those of its groups from the highest
//! `priority` down, the default. Two groups disagree when they give different values for the same thing with the same
//! priority and nothing more specific gives one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Code;
use super::boot::{BootDraft, Profile};
use super::near::did_you_mean;
use super::nodes::NodeDraft;
use super::source::Sheet;
use super::span::Span;
use super::types::Boot;
use crate::model::Xname;

/// The profiles, found by what nodes have.
pub(super) struct Assignment<'a> {
    nodes: Sheet<'a>,
    cluster: Sheet<'a>,
    draft: &'a BootDraft,
    /// Every name and group of `nodes.yaml` could be read, so that what is not there is not meant.
    complete: bool,
    groups: HashMap<&'a str, &'a Profile>,
    by_node: HashMap<String, &'a Profile>,
}

/// Two groups by their labels, the lesser one first.
type Pair<'a> = (&'a str, &'a str);

/// Groups that disagree.
struct Conflict<'a> {
    /// The first node that is in both.
    first: &'a NodeDraft,
    /// Where it names the second of them.
    span: Span,
    /// What of the profiles differs.
    what: BTreeSet<&'static str>,
    /// In how many nodes.
    nodes: usize,
}

/// A group of a node that has a profile.
struct Covering<'a> {
    label: &'a str,
    span: Span,
    profile: &'a Profile,
}

/// What the groups of a node give differently with the same priority, where nothing more specific settles it: the two
/// groups, where the second is named, and what differs. `covering` begins with the highest priority.
fn disagreements<'a>(own: Option<&Profile>, covering: &[Covering<'a>]) -> Vec<(Pair<'a>, Span, &'static str)> {
    let mut found = Vec::new();
    for (what, value) in Profile::VALUES {
        // A broken profile gives a kernel of which nothing is known.
        let broken = |profile: &Profile| profile.broken && what == "kernel";
        let gives = |profile: &Profile| value(profile).is_some() || broken(profile);
        if own.is_some_and(gives) {
            continue;
        }
        let mut giving = covering.iter().filter(|group| gives(group.profile));
        let Some(first) = giving.next() else { continue };
        for group in giving.take_while(|group| group.profile.priority == first.profile.priority) {
            let known = !broken(first.profile) && !broken(group.profile);
            if known && value(first.profile) != value(group.profile) {
                let (one, other) = (first.label, group.label);
                found.push((if one < other { (one, other) } else { (other, one) }, group.span, what));
            }
        }
    }
    found
}

impl<'a> Assignment<'a> {
    pub(super) fn new(nodes: Sheet<'a>, cluster: Sheet<'a>, draft: &'a BootDraft, complete: bool) -> Self {
        let groups = draft.groups.iter().map(|(label, profile)| (label.as_str(), profile)).collect();
        let by_node = draft.nodes.iter().map(|(name, profile)| (node_key(name), profile)).collect();
        Self { nodes, cluster, draft, complete, groups, by_node }
    }

    /// What each node boots, in the order of the nodes. Reports contradictions, gaps and profiles for nothing.
    pub(super) fn resolve(&self, nodes: &[NodeDraft]) -> Vec<Option<Boot>> {
        let mut conflicts: BTreeMap<Pair<'_>, Conflict<'_>> = BTreeMap::new();
        let mut gaps: BTreeMap<Option<&str>, (&NodeDraft, Option<Span>, usize)> = BTreeMap::new();
        let mut kernelless: HashSet<usize> = HashSet::new();
        let mut boots = Vec::with_capacity(nodes.len());
        for node in nodes {
            let profile = self.profile(node, &mut conflicts);
            let boot = profile.as_ref().and_then(Profile::boot);
            match (&profile, &boot) {
                (None, _) => {
                    let group = node.groups.first();
                    let gap = gaps.entry(group.map(|group| group.value.as_str()));
                    gap.or_insert((node, group.map(|group| group.span), 0)).2 += 1;
                }
                (Some(profile), None) if !profile.broken && kernelless.insert(profile.span.start()) => {
                    let message = format!("node `{}` has a boot profile without a kernel", node.title);
                    let problem = self.cluster.problem(Code::NoKernel, profile.span, message).node(Some(&node.title));
                    self.cluster.push(
                        problem
                            .label("no `kernel` here or in `boot.default`")
                            .help("write `kernel: URL` here or under `boot: {default: …}`"),
                    );
                }
                _ => {}
            }
            boots.push(boot);
        }
        for (pair, conflict) in conflicts {
            self.conflict(pair, &conflict);
        }
        for (group, (node, span, count)) in gaps {
            self.gap(group, node, span, count);
        }
        self.twice(nodes);
        if self.complete {
            self.unused(nodes);
        }
        boots
    }

    fn profile(&self, node: &'a NodeDraft, conflicts: &mut BTreeMap<Pair<'a>, Conflict<'a>>) -> Option<Profile> {
        let xname = node.xname.as_ref().and_then(|at| self.by_node.get(at.value.as_str()));
        let name = || self.by_node.get(&node.name.as_ref()?.value.to_ascii_lowercase());
        let own = xname.or_else(name).copied();
        let mut covering: Vec<Covering<'_>> = node
            .groups
            .iter()
            .filter_map(|group| {
                let label = group.value.as_str();
                Some(Covering { label, span: group.span, profile: self.groups.get(label).copied()? })
            })
            .collect();
        covering.sort_by_key(|group| std::cmp::Reverse(group.profile.priority));
        let mut told: BTreeSet<Pair<'_>> = BTreeSet::new();
        for (pair, span, what) in disagreements(own, &covering) {
            let new = || Conflict { first: node, span, what: BTreeSet::new(), nodes: 0 };
            let conflict = conflicts.entry(pair).or_insert_with(new);
            conflict.what.insert(what);
            conflict.nodes += usize::from(told.insert(pair));
        }
        let base = self.draft.default.clone();
        let most_specific_last = covering.iter().rev().map(|group| group.profile).chain(own);
        most_specific_last.fold(base, |base, profile| Some(profile.over(base.as_ref())))
    }

    fn conflict(&self, (one, other): Pair<'_>, conflict: &Conflict<'_>) {
        let node = conflict.first;
        let others = match conflict.nodes {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let message =
            format!("groups `{one}` and `{other}` of node `{}`{others} have different boot profiles", node.title);
        let what: Vec<String> = conflict.what.iter().map(|what| format!("`{what}`")).collect();
        let mut problem = self.nodes.problem(Code::ProfileConflict, conflict.span, message).node(Some(&node.title));
        problem = problem.label(format!("they give another {}", what.join(", ")));
        for label in [one, other] {
            if let Some(profile) = self.groups.get(label) {
                problem = problem.related(self.cluster.place(profile.span), format!("the profile of `{label}`"));
            }
        }
        self.nodes.push(problem.help(
            "give the profile that shall win a higher `priority: NUMBER`, or the node a profile of its own under `boot.nodes`",
        ));
    }

    fn gap(&self, group: Option<&str>, node: &NodeDraft, span: Option<Span>, count: usize) {
        let Some((group, span)) = group.zip(span) else {
            let Some(at) = node.name.as_ref().map(|at| at.span) else { return };
            let message = format!("nothing says what node `{}` boots ({count} such nodes are in no group)", node.title);
            let problem = self.nodes.problem(Code::NoProfile, at, message).node(Some(&node.title));
            return self.nodes.push(problem.help("write `boot: {default: {kernel: …}}` in `cluster.yaml`"));
        };
        let nodes = if count == 1 { "1 node boots".into() } else { format!("{count} nodes boot") };
        let message = format!("group `{group}` has no boot profile: {nodes} nothing");
        let problem = self.nodes.problem(Code::NoProfile, span, message);
        self.nodes.push(problem.label("first used here").help(format!(
            "write `boot: {{groups: {{{group}: {{kernel: …}}}}}}`, or `bss_kernel_version` and `bss_image_version`, in `cluster.yaml`"
        )));
    }

    /// Reports groups and nodes that have two profiles: a node by its name and its xname, a label in two spellings.
    fn twice(&self, nodes: &[NodeDraft]) {
        let mut xnames: HashMap<String, &str> = HashMap::new();
        for node in nodes {
            if let (Some(name), Some(xname)) = (&node.name, &node.xname) {
                xnames.entry(node_key(&name.value)).or_insert(xname.value.as_str());
            }
        }
        let mut seen: HashMap<(bool, String), Span> = HashMap::new();
        let groups = self.draft.groups.iter().map(|(label, profile)| ((true, label.to_string()), profile));
        let of_nodes = self.draft.nodes.iter().map(|(name, profile)| {
            let key = node_key(name);
            ((false, xnames.get(&key).map_or(key, |xname| (*xname).to_owned())), profile)
        });
        for (key, profile) in groups.chain(of_nodes) {
            let what = if key.0 { "group" } else { "node" };
            let message = format!("{what} `{}` has two boot profiles", key.1);
            let Some(first) = seen.insert(key, profile.span) else { continue };
            let problem = self.cluster.problem(Code::DuplicateProfile, profile.span, message);
            self.cluster.push(
                problem
                    .label("the second one")
                    .related(self.cluster.place(first), "the first one")
                    .help("put everything for one group or node under one of its names"),
            );
        }
    }

    /// Profiles that no node gets, because their group or node is not in the inventory.
    fn unused(&self, nodes: &[NodeDraft]) {
        let used: HashSet<&str> =
            nodes.iter().flat_map(|node| &node.groups).map(|group| group.value.as_str()).collect();
        for (label, profile) in self.draft.groups.iter().filter(|(label, _)| !used.contains(label.as_str())) {
            let message = format!("no node is in group `{label}`");
            let problem = self.cluster.problem(Code::UnusedProfile, profile.span, message).label("for no node");
            let similar = did_you_mean(label.as_str(), used.iter().copied());
            self.cluster.push(problem.help(unused_help(similar)));
        }
        let known: HashSet<String> = nodes
            .iter()
            .flat_map(|node| {
                [node.name.as_ref().map(|at| node_key(&at.value)), node.xname.as_ref().map(|at| at.value.to_string())]
            })
            .flatten()
            .collect();
        for (name, profile) in self.draft.nodes.iter().filter(|(name, _)| !known.contains(&node_key(name))) {
            let message = format!("no node is called `{name}`");
            let problem = self.cluster.problem(Code::UnusedProfile, profile.span, message).label("for no node");
            self.cluster.push(problem.help(unused_help(did_you_mean(name, known.iter().map(String::as_str)))));
        }
    }
}

fn unused_help(similar: Option<&str>) -> String {
    match similar {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => "remove the profile, or add what it is for to `nodes.yaml`".into(),
    }
}

/// A node's name or xname as it is compared.
pub(super) fn node_key(name: &str) -> String {
    name.parse::<Xname>().map_or_else(|_| name.to_ascii_lowercase(), |xname| xname.to_string())
}
