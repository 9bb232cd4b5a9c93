//! Which groups and nodes the data of today's form is for.

use std::collections::{HashMap, HashSet};

use super::super::Code;
use super::super::assign::node_key;
use super::super::near::did_you_mean;
use super::super::nodes::NodeDraft;
use super::super::source::Sheet;
use super::super::span::Span;
use super::super::types::Said;
use super::{GroupDraft, InstanceDraft};
use crate::model::{CloudInitGroup, EntryName, InstanceInfo, Xname};

/// Checks that groups occur once, and warns of those in which no node is. Nothing is known of nodes without `nodes`.
pub(in crate::inventory) fn link_groups(
    drafts: Vec<GroupDraft<'_>>,
    nodes: Option<&[NodeDraft]>,
) -> Vec<Said<CloudInitGroup>> {
    let labels = nodes.map(|nodes| -> HashSet<&str> {
        nodes.iter().flat_map(|node| &node.groups).map(|group| group.value.as_str()).collect()
    });
    let mut seen: HashMap<EntryName, (Sheet<'_>, Span)> = HashMap::new();
    let mut groups = Vec::with_capacity(drafts.len());
    for GroupDraft { said, sheet, span } in drafts {
        let name = &said.value.name;
        if let Some((first, at)) = seen.get(name) {
            let problem = sheet.problem(Code::DuplicateEntry, span, format!("there is a group `{name}` already"));
            sheet.push(
                problem
                    .label("given again")
                    .related(first.place(*at), "first given here")
                    .help("put everything for one group into one place"),
            );
            continue;
        }
        seen.insert(name.clone(), (sheet, span));
        if let Some(labels) = labels.as_ref().filter(|labels| !labels.contains(name.as_str())) {
            let problem = sheet.problem(Code::UnusedEntry, span, format!("no node is in the group `{name}`"));
            let problem = problem.label("read by no node");
            sheet.push(match did_you_mean(name.as_str(), labels.iter().copied()) {
                Some(similar) => problem.help(format!("did you mean `{similar}`?")),
                None => problem.help("the name is a group that nodes of `nodes.yaml` are in"),
            });
        }
        groups.push(said);
    }
    groups
}

/// Finds the nodes of instances and checks that each node is told of once. What is for nobody is an error where all
/// nodes are known, which `complete` says, and left out otherwise.
pub(in crate::inventory) fn link_instances(
    drafts: Vec<InstanceDraft<'_>>,
    nodes: Option<&[NodeDraft]>,
    complete: bool,
) -> Vec<Said<InstanceInfo>> {
    let Some(nodes) = nodes else { return Vec::new() };
    let mut known: HashMap<String, &Xname> = HashMap::new();
    for node in nodes {
        let Some(xname) = &node.xname else { continue };
        known.insert(xname.value.to_string(), &xname.value);
        if let Some(name) = &node.name {
            known.insert(node_key(&name.value), &xname.value);
        }
    }
    let mut seen: HashMap<&Xname, (Sheet<'_>, Span)> = HashMap::new();
    let mut instances = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let (sheet, span) = (draft.sheet, draft.id.span);
        let Some(xname) = known.get(&node_key(draft.id.text)).copied() else {
            if complete {
                let message = format!("`{}` is no node or xname of the inventory", draft.id.text);
                let problem = sheet.problem(Code::UnknownInstance, span, message).label("read by no node");
                sheet.push(match did_you_mean(draft.id.text, known.keys().map(String::as_str)) {
                    Some(similar) => problem.help(format!("did you mean `{similar}`?")),
                    None => problem.help("`id` is the xname or the name of a node of `nodes.yaml`"),
                });
            }
            continue;
        };
        if let Some((first, at)) = seen.insert(xname, (sheet, span)) {
            let message = format!("there is an instance for node `{xname}` already");
            let problem = sheet.problem(Code::DuplicateEntry, span, message).label("the second one");
            sheet.push(
                problem.related(first.place(at), "the first one").help("put everything for one node into one place"),
            );
            continue;
        }
        instances.push(draft.of(xname));
    }
    instances
}

impl InstanceDraft<'_> {
    fn of(self, node: &Xname) -> Said<InstanceInfo> {
        let [
            local_hostname,
            hostname,
            cluster_name,
            region,
            availability_zone,
            cloud_provider,
            instance_type,
            cloud_init_base_url,
        ] = self.texts;
        let value = InstanceInfo {
            id: node.clone(),
            local_hostname,
            hostname,
            cluster_name,
            region,
            availability_zone,
            cloud_provider,
            instance_type,
            cloud_init_base_url,
            public_keys: self.public_keys,
        };
        Said { value, lines: self.lines, origin: self.origin }
    }
}
