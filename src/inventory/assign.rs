//! Which boot profile a node gets.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Code;
use super::boot::{BootDraft, Profile};
use super::nodes::NodeDraft;
use super::source::Sheet;
use super::types::Boot;
use super::walker::did_you_mean;
use super::yaml::Span;
use crate::model::Xname;

/// The profiles, found by what nodes have.
pub(super) struct Assignment<'a> {
    nodes: Sheet<'a>,
    cluster: Sheet<'a>,
    draft: &'a BootDraft,
    /// Every name and group of `nodes.yaml` could be read, so that what is not there is not meant.
    complete: bool,
    /// Profiles of groups, complete.
    groups: HashMap<&'a str, Profile>,
    by_node: HashMap<String, &'a Profile>,
}

impl<'a> Assignment<'a> {
    pub(super) fn new(nodes: Sheet<'a>, cluster: Sheet<'a>, draft: &'a BootDraft, complete: bool) -> Self {
        let groups = draft.groups.iter();
        let groups = groups.map(|(label, profile)| (label.as_str(), profile.over(draft.default.as_ref()))).collect();
        let by_node = draft.nodes.iter().map(|(name, profile)| (node_key(name), profile)).collect();
        Self { nodes, cluster, draft, complete, groups, by_node }
    }

    /// What each node boots, in the order of the nodes. Reports contradictions, gaps and profiles for nothing.
    pub(super) fn resolve(&self, nodes: &[NodeDraft]) -> Vec<Option<Boot>> {
        let mut conflicts: BTreeMap<(&str, &str), (&NodeDraft, Span, usize)> = BTreeMap::new();
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
        for ((one, other), (node, span, count)) in conflicts {
            self.conflict(one, other, node, span, count);
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

    fn profile(
        &self,
        node: &'a NodeDraft,
        conflicts: &mut BTreeMap<(&'a str, &'a str), (&'a NodeDraft, Span, usize)>,
    ) -> Option<Profile> {
        let mut best: Option<(&str, &Profile)> = None;
        for group in &node.groups {
            let label = group.value.as_str();
            let Some(profile) = self.groups.get(label) else { continue };
            best = match best {
                Some((_, found)) if found.priority > profile.priority => best,
                Some((first, found)) if found.priority == profile.priority => {
                    if !found.same(profile) && !found.broken && !profile.broken {
                        let pair = if first < label { (first, label) } else { (label, first) };
                        conflicts.entry(pair).or_insert((node, group.span, 0)).2 += 1;
                    }
                    best
                }
                _ => Some((label, profile)),
            };
        }
        let base = best.map(|(_, profile)| profile).or(self.draft.default.as_ref());
        let xname = node.xname.as_ref().and_then(|at| self.by_node.get(at.value.as_str()));
        let name = || self.by_node.get(&node.name.as_ref()?.value.to_ascii_lowercase());
        match xname.or_else(name) {
            Some(own) => Some(own.over(base)),
            None => base.cloned(),
        }
    }

    fn conflict(&self, one: &str, other: &str, node: &NodeDraft, span: Span, count: usize) {
        let others = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        let message =
            format!("groups `{one}` and `{other}` of node `{}`{others} have different boot profiles", node.title);
        let mut problem = self.nodes.problem(Code::ProfileConflict, span, message).node(Some(&node.title));
        for label in [one, other] {
            if let Some(profile) = self.groups.get(label) {
                problem = problem.related(self.cluster.place(profile.span), format!("the profile of `{label}`"));
            }
        }
        self.nodes.push(problem.help("give the profile that shall win a higher `priority: NUMBER`"));
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
