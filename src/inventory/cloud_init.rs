//! `cloud-init/*.yaml` and `cloud-init/secure/*.yaml`: entries in the tutorial's form.
//!
//! Groups and instances of today's form may stand in the same files; `forms` tells them apart.
//!
//! The documents become JSON the way the reader on the node would read them, and are otherwise left alone.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Code;
use super::assign::node_key;
use super::document::{self, Store};
use super::module_checks;
use super::near::did_you_mean;
use super::nodes::NodeDraft;
use super::places::{Lines, step};
use super::source::Sheet;
use super::span::Span;
use super::types::Entry;
use super::values::Values;
use super::walker::{self, Fields, Text};
use super::yaml::{Data, Yaml};
use crate::model::{EntryName, Xname};

/// An entry and where its name stands.
pub(super) struct EntryDraft<'y> {
    pub(super) entry: Entry,
    sheet: Sheet<'y>,
    span: Span,
}

/// What stands for an entry in a file.
pub(super) fn items<'y>(root: &'y Yaml<'y>) -> &'y [Yaml<'y>] {
    match &root.data {
        Data::List(items) => items.as_slice(),
        _ => std::slice::from_ref(root),
    }
}

/// Reads an entry.
pub(super) fn entry<'y>(sheet: Sheet<'y>, yaml: &'y Yaml<'y>, store: Store) -> Option<EntryDraft<'y>> {
    let fields = Fields::read(sheet, yaml, "an entry", None)?;
    if let Some(first) = fields.pairs().first().filter(|_| is_cloud_config(&fields)) {
        let problem = sheet.problem(Code::UnknownField, first.key.span, "this is a cloud-config, not an entry");
        sheet.push(
            problem
                .label("a module of cloud-init")
                .help("write `name: GROUP` and `cloud-init:` above it, and all of it under `userdata:` of that"),
        );
        return None;
    }
    fields.known(&["name", "cloud-init", "template"], |key| match key {
        "userdata" | "metadata" | "vendordata" | "user-data" | "meta-data" => Some("write it under `cloud-init:`"),
        "file" | "description" if store == Store::Secure => {
            Some("today's form of cloud-init keeps no secrets: write the group into `cloud-init/groups/`")
        }
        _ => None,
    });
    let name = fields.required_text("name").and_then(|text| Some((free_name(sheet, text)?, text.span)));
    let jinja = fields.text("template").and_then(|text| {
        Values { sheet, node: None }
            .word(Code::Word, "template", text, &["jinja"], |word| (word == "jinja").then_some(()))
    });
    let jinja = jinja.is_some();
    let documents = fields.required("cloud-init").and_then(|yaml| Fields::read(sheet, yaml, "cloud-init", None));
    let mut values = [Value::Null, Value::Null, Value::Null];
    let mut lines = Lines::default();
    if let Some(pair) = fields.pairs().iter().find(|pair| pair.key.text == "template") {
        lines.push("/template", sheet.origin(pair.key.span).line);
    }
    if let Some(documents) = &documents {
        documents.known(&["userdata", "metadata", "vendordata"], |key| match key {
            "user-data" => Some("write `userdata`"),
            "meta-data" => Some("write `metadata`"),
            "vendor-data" => Some("write `vendordata`"),
            _ => None,
        });
        for (value, key) in values.iter_mut().zip(["userdata", "metadata", "vendordata"]) {
            let Some(pair) = documents.pairs().iter().find(|pair| pair.key.text == key) else { continue };
            let yaml = &pair.value;
            lines.push_tree(sheet, &step("", key), pair.key.span, yaml);
            if !matches!(&yaml.data, Data::Map(_)) && !empty(yaml) {
                walker::wrong_type(sheet, yaml, key, "a mapping", None);
                continue;
            }
            *value = document::read(sheet, yaml, store, jinja);
            if key != "metadata" {
                module_checks::check(sheet, yaml, jinja);
            }
        }
    }
    let (name, span) = name?;
    let [userdata, metadata, vendordata] = values;
    let origin = sheet.origin(yaml.span);
    let entry = Entry { name, node: None, userdata, metadata, vendordata, jinja, lines, origin };
    Some(EntryDraft { entry, sheet, span })
}

/// True for a cloud-config as cloud-init itself takes it: modules without an entry around them.
fn is_cloud_config(fields: &Fields<'_>) -> bool {
    let keys = || fields.pairs().iter().map(|pair| &*pair.key.text);
    !keys().any(|key| matches!(key, "name" | "cloud-init")) && keys().any(module_checks::is_module)
}

fn empty(yaml: &Yaml<'_>) -> bool {
    matches!(&yaml.data, Data::Scalar(scalar) if scalar.plain && matches!(&*scalar.text, "" | "~" | "null"))
}

/// The name of an entry or of a group in today's form.
pub(super) fn entry_name(sheet: Sheet<'_>, text: Text<'_>) -> Option<EntryName> {
    text.text
        .parse()
        .map_err(|error: crate::model::cloud_init::EntryNameError| {
            let problem = sheet.problem(Code::GroupLabel, text.span, format!("`{}` cannot name an entry", text.text));
            sheet.push(problem.label(error.to_string()).help("the name of a group, a node or an xname"));
        })
        .ok()
}

/// The name of an entry, which must not be a path of the server: it would answer with something else there.
fn free_name(sheet: Sheet<'_>, text: Text<'_>) -> Option<EntryName> {
    let name = entry_name(sheet, text)?;
    if !name.is_path() {
        return Some(name);
    }
    let problem = sheet.problem(Code::ReservedName, text.span, format!("`{name}` cannot name an entry"));
    sheet.push(
        problem
            .label("a path of the cloud-init server")
            .help("call the group or the node something else, in `nodes.yaml`, too"),
    );
    None
}

/// Checks that names occur once, finds the nodes they mean, and says which mean nothing.
///
/// Without nodes, because their file could not be read, only the names are compared with each other.
/// The same without `complete`, which says that every name and group of the nodes could be read: what is not among
/// incomplete ones may be meant all the same.
pub(super) fn link<'y>(drafts: Vec<EntryDraft<'y>>, nodes: Option<&[NodeDraft]>, complete: bool) -> Vec<Entry> {
    let linked = nodes.is_some();
    let nodes = nodes.unwrap_or_default();
    let groups: HashSet<&str> = nodes.iter().flat_map(|node| &node.groups).map(|group| group.value.as_str()).collect();
    let mut known: HashMap<String, &Xname> = HashMap::new();
    for node in nodes {
        let Some(xname) = &node.xname else { continue };
        known.insert(xname.value.to_string(), &xname.value);
        if let Some(name) = &node.name {
            known.insert(node_key(&name.value), &xname.value);
        }
    }
    let mut seen: HashMap<EntryName, (Sheet<'y>, Span)> = HashMap::new();
    let mut of_nodes: HashMap<&Xname, (Sheet<'y>, Span)> = HashMap::new();
    let mut entries = Vec::with_capacity(drafts.len());
    for EntryDraft { mut entry, sheet, span } in drafts {
        if let Some((first, at)) = seen.get(&entry.name) {
            let message = format!("there is an entry `{}` already", entry.name);
            sheet.push(
                sheet
                    .problem(Code::DuplicateEntry, span, message)
                    .label("given again")
                    .related(first.place(*at), "first given here")
                    .help("put everything for one name into one entry"),
            );
            continue;
        }
        seen.insert(entry.name.clone(), (sheet, span));
        if linked && !groups.contains(entry.name.as_str()) {
            let node = known.get(&node_key(entry.name.as_str())).copied();
            if let Some(xname) = node
                && let Some((first, at)) = of_nodes.insert(xname, (sheet, span))
            {
                let message = format!("node `{xname}` has an entry by another of its names already");
                sheet.push(
                    sheet
                        .problem(Code::DuplicateEntry, span, message)
                        .label("the second one")
                        .related(first.place(at), "the first one")
                        .help("put everything for one node into one entry"),
                );
            }
            entry.node = node.cloned();
            if entry.node.is_none() && complete {
                let message = format!("`{}` is no group, node or xname of the inventory", entry.name);
                let names = groups.iter().copied().chain(known.keys().map(String::as_str));
                let problem = sheet.problem(Code::UnusedEntry, span, message).label("read by no node");
                sheet.push(match did_you_mean(entry.name.as_str(), names) {
                    Some(similar) => problem.help(format!("did you mean `{similar}`?")),
                    None => problem.help("the name is a group, a node or an xname of `nodes.yaml`"),
                });
            }
        }
        entries.push(entry);
    }
    entries
}

/// Warns of groups for which there is no entry among those named.
pub(super) fn uncovered(sheet: Sheet<'_>, nodes: &[NodeDraft], named: &HashSet<&str>) {
    let mut told = HashSet::new();
    for group in nodes.iter().flat_map(|node| &node.groups) {
        let label = group.value.as_str();
        if !named.contains(label) && told.insert(label) {
            let problem = sheet.problem(Code::NoEntry, group.span, format!("group `{label}` has no cloud-init entry"));
            sheet.push(problem.label("first used here").help(format!("write `cloud-init/{label}.yaml`")));
        }
    }
}
