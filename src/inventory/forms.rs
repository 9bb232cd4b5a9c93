//! The two forms of cloud-init data, told apart by their shape: entries as in the tutorial, and the groups, instances and
//! defaults of today's cloud-init server.
//!
//! `cloud-init/*.yaml` may hold entries, groups and instances; `groups/`, `instances/` and `defaults.yaml` say by their
//! names what they hold. A node is configured in one form, so that nobody has to know which of two would win.

use std::collections::{HashMap, HashSet};

use super::Code;
use super::cloud_init::{self, EntryDraft};
use super::diagnostic::{Place, Report};
use super::document::Store;
use super::folders;
use super::instance_data::{self, GroupDraft, InstanceDraft};
use super::nodes::NodeDraft;
use super::pointers::Pointers;
use super::source::{Origin, Sheet, Source, Sources};
use super::tree::tree;
use super::types::{Entry, Said};
use super::yaml::{Data, Yaml};
use crate::model::{CloudInitGroup, ClusterDefaults, InstanceInfo, Xname};

/// Everything below `cloud-init/`.
#[derive(Default)]
pub(super) struct CloudInit {
    pub(super) open: Vec<Entry>,
    pub(super) secure: Vec<Entry>,
    pub(super) defaults: Option<Said<ClusterDefaults>>,
    pub(super) groups: Vec<Said<CloudInitGroup>>,
    pub(super) instances: Vec<Said<InstanceInfo>>,
    /// What the lines of the files say.
    pub(super) pointers: Pointers,
}

/// Reads all of it and finds the nodes and groups that are meant.
///
/// `nodes` is none where their file could not be read; `complete` says that every name and group of them could be.
pub(super) fn read(
    sources: &Sources,
    report: &Report,
    nodes: Option<(Sheet<'_>, &[NodeDraft])>,
    complete: bool,
) -> CloudInit {
    let folders = [folders::OPEN, folders::GROUPS, folders::INSTANCES, folders::SECURE];
    let trees: Vec<_> = folders.iter().flat_map(|folder| in_folder(sources, report, folder)).collect();
    let mut drafts = Drafts { whole: trees.iter().all(|(_, tree)| tree.is_some()), ..Drafts::default() };
    let (mut defaults, mut pointers) = (None, Pointers::default());
    for (folder, tree) in &trees {
        let Some((sheet, tree)) = tree else { continue };
        pointers.add(*sheet, tree);
        if &**sheet.source.name() == folders::DEFAULTS && holds_defaults(tree) {
            defaults = instance_data::defaults(*sheet, tree);
        } else {
            drafts.read(*sheet, tree, folder);
        }
    }
    let (all, known) = (drafts.whole, nodes.map(|(_, nodes)| nodes));
    let found = CloudInit {
        open: cloud_init::link(drafts.open, known, complete),
        secure: cloud_init::link(drafts.secure, known, complete),
        defaults,
        groups: instance_data::link_groups(drafts.groups, known.filter(|_| complete)),
        instances: instance_data::link_instances(drafts.instances, known, complete),
        pointers,
    };
    if let Some((sheet, nodes)) = nodes {
        in_one_form(sources, report, nodes, &found);
        if all {
            let entries = found.open.iter().chain(&found.secure).map(|entry| &entry.name);
            let named = entries.chain(found.groups.iter().map(|group| &group.value.name));
            let named: HashSet<&str> = named.map(|name| name.as_str()).collect();
            cloud_init::uncovered(sheet, nodes, &named);
        }
    }
    found
}

type Tree<'s> = Option<(Sheet<'s>, Yaml<'s>)>;

/// The files right in a folder; none in the place of one that could not be read.
fn in_folder<'s>(sources: &'s Sources, report: &'s Report, folder: &'s str) -> Vec<(&'s str, Tree<'s>)> {
    let belongs = |path: &str| path.rsplit_once('/').is_some_and(|(parent, _)| parent == folder);
    let paths = sources.iter().map(Source::name).filter(|name| belongs(name));
    paths.map(|path| (folder, tree(sources, report, path))).collect()
}

/// What was read, before it is known which nodes and groups there are.
#[derive(Default)]
struct Drafts<'y> {
    open: Vec<EntryDraft<'y>>,
    secure: Vec<EntryDraft<'y>>,
    groups: Vec<GroupDraft<'y>>,
    instances: Vec<InstanceDraft<'y>>,
    /// True while everything could be read.
    whole: bool,
}

impl<'y> Drafts<'y> {
    fn read(&mut self, sheet: Sheet<'y>, tree: &'y Yaml<'y>, folder: &str) {
        for item in cloud_init::items(tree) {
            let read = match folder {
                folders::SECURE => keep(cloud_init::entry(sheet, item, Store::Secure), &mut self.secure),
                folders::GROUPS => keep(instance_data::group(sheet, item), &mut self.groups),
                folders::INSTANCES => keep(instance_data::instance(sheet, item), &mut self.instances),
                _ => match shape(item) {
                    Shape::Entry => keep(cloud_init::entry(sheet, item, Store::Open), &mut self.open),
                    Shape::Group => keep(instance_data::group(sheet, item), &mut self.groups),
                    Shape::Instance => keep(instance_data::instance(sheet, item), &mut self.instances),
                },
            };
            self.whole &= read;
        }
    }
}

fn keep<T>(draft: Option<T>, drafts: &mut Vec<T>) -> bool {
    let read = draft.is_some();
    drafts.extend(draft);
    read
}

/// What an item of a list, or a file that is no list, has the shape of.
enum Shape {
    Entry,
    Group,
    Instance,
}

/// The shape of an item among the entries. What could be either is an entry, whose problems tell how to write one.
fn shape(item: &Yaml<'_>) -> Shape {
    let of_entries = ["cloud-init", "cloud_init", "userdata", "metadata", "vendordata", "user-data", "vendor-data"];
    if of_entries.iter().any(|key| has(item, key)) {
        return Shape::Entry;
    }
    let of_groups = ["file", "meta-data", "description"].iter().any(|key| has(item, key));
    match (has(item, "name"), has(item, "id")) {
        (true, _) if of_groups => Shape::Group,
        (false, true) => Shape::Instance,
        _ => Shape::Entry,
    }
}

/// True unless `cloud-init/defaults.yaml` is about a group or a node that is called so.
fn holds_defaults(tree: &Yaml<'_>) -> bool {
    let called = |item: &Yaml<'_>| ["name", "cloud-init", "id"].iter().any(|key| has(item, key));
    !cloud_init::items(tree).iter().any(called)
}

fn has(item: &Yaml<'_>, key: &str) -> bool {
    matches!(&item.data, Data::Map(pairs) if pairs.iter().any(|pair| pair.key.text == key))
}

/// Reports nodes that are told something in both forms: the server would have to choose. The secure store belongs to
/// neither, as today's form has no other place for secrets.
fn in_one_form(sources: &Sources, report: &Report, nodes: &[NodeDraft], found: &CloudInit) {
    let entries: HashMap<&str, &Origin> =
        found.open.iter().filter(|entry| entry.node.is_none()).map(|e| (e.name.as_str(), &e.origin)).collect();
    let own: HashMap<&Xname, &Origin> =
        found.open.iter().filter_map(|entry| Some((entry.node.as_ref()?, &entry.origin))).collect();
    let groups: HashMap<&str, &Origin> = found.groups.iter().map(|g| (g.value.name.as_str(), &g.origin)).collect();
    let instances: HashMap<&Xname, &Origin> = found.instances.iter().map(|i| (&i.value.id, &i.origin)).collect();
    let mut told = HashSet::new();
    for node in nodes {
        let xname = node.xname.as_ref().map(|at| &at.value);
        let of_groups = |known: &HashMap<&str, &'_ Origin>| {
            node.groups.iter().find_map(|group| known.get(group.value.as_str()).map(|origin| (*origin).clone()))
        };
        let of_node =
            |known: &HashMap<&Xname, &'_ Origin>| xname.and_then(|xname| known.get(xname)).map(|o| (*o).clone());
        let tutorial = of_node(&own).or_else(|| of_groups(&entries));
        let todays = of_node(&instances).or_else(|| of_groups(&groups));
        let (Some(tutorial), Some(todays)) = (tutorial, todays) else { continue };
        if !told.insert((tutorial.clone(), todays.clone())) {
            continue;
        }
        let Some(source) = sources.get(&todays.file) else { continue };
        let message = format!("node `{}` is configured in two forms of cloud-init", node.title);
        let sheet = Sheet::new(source, report);
        let problem = super::Diagnostic::new(Code::TwoForms, Some(first_line(source, &todays)), message);
        let problem = problem.node(Some(&node.title)).label("in today's form");
        let problem = match sources.get(&tutorial.file) {
            Some(other) => problem.related(first_line(other, &tutorial), "in the tutorial's form"),
            None => problem,
        };
        sheet.push(problem.help("keep one of the two, for the node and for all of its groups"));
    }
}

/// The first line of something.
fn first_line(source: &Source, origin: &Origin) -> Place {
    let line = source.line_range(usize::try_from(origin.line.saturating_sub(1)).unwrap_or(usize::MAX));
    let text = &source.text()[line.clone()];
    source.place(line.start + text.len() - text.trim_start().len(), line.end)
}
