//! The lines of the inventory that cause a change.
//!
//! A node, a profile or an entry is many lines. What was edited is found by comparing what was last applied with what
//! is wanted: the fields that differ, within documents the keys and items that differ, and of texts that are put
//! together from several lines those whose part differs. Where nothing finer is found, a change keeps the place of the
//! whole thing.

mod within;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::address::{self, Address, is_principal};
use super::document::{FieldClass, Place, PlanChange, Subject, Verb};
use super::field_diff::FieldDiff;
use super::fields::{Fields, value};
use super::judge::{Outcome, Verdict};
use super::{describe, facts, ops};
use crate::desired::Desired;
use crate::inventory::Stretch;
use crate::model::{Kind, ObjectKey};
use crate::store::Ledger;

/// Puts the causes into changes. What is wholly new or gone has its place already.
pub(super) fn fill(lines: &mut [PlanChange], outcomes: &[Outcome<'_>], desired: &Desired, ledger: &Ledger) {
    let told = |change: &PlanChange| !matches!(change.verb, Verb::Create | Verb::Delete | Verb::Release | Verb::Adopt);
    let address = |change: &PlanChange| -> Address {
        (change.kind, change.address.split_once('/').map_or("", |(_, id)| id).into())
    };
    let mut parts: HashMap<Address, Vec<&Outcome<'_>>> =
        lines.iter().filter(|change| told(change)).map(|change| (address(change), Vec::new())).collect();
    if parts.is_empty() {
        return;
    }
    for outcome in outcomes {
        if let Some(parts) = parts.get_mut(&address::address(outcome.sides.key, ops::owner(outcome))) {
            parts.push(outcome);
        }
    }
    let mut finder = Finder { desired, regrouped: regrouped(outcomes), ledger, texts: HashMap::new() };
    for change in lines.iter_mut().filter(|change| told(change)) {
        let (subject, id) = address(change);
        let Some(parts) = parts.get(&(subject, id.clone())) else { continue };
        let causes = finder.causes(subject, &id, parts);
        if let Some(first) = causes.first() {
            change.origin = Some(first.clone());
            change.causes = if causes.len() > 1 { causes.into_iter().collect() } else { Vec::new() };
        }
    }
}

/// The nodes whose groups change: what they boot may follow from that.
fn regrouped(outcomes: &[Outcome<'_>]) -> BTreeSet<String> {
    let groups = outcomes.iter().filter(|outcome| outcome.sides.key.kind == Kind::Group);
    let members = |text: Option<&str>| -> BTreeSet<String> {
        text.and_then(|doc| Fields::parse(doc)?.get("members").map(value))
            .and_then(|members| serde_json::from_value(members).ok())
            .unwrap_or_default()
    };
    groups
        .flat_map(|group| {
            let want = members(group.sides.desired.map(|desired| &*desired.doc));
            let last = members(group.sides.entry.map(|entry| &*entry.doc));
            want.symmetric_difference(&last).cloned().collect::<Vec<_>>()
        })
        .collect()
}

struct Finder<'a> {
    desired: &'a Desired,
    ledger: &'a Ledger,
    /// Nodes, by xname.
    regrouped: BTreeSet<String>,
    /// Texts that were compared, because thousands of nodes have the same.
    texts: HashMap<(&'a str, &'a str, *const Stretch), BTreeSet<u32>>,
}

impl<'a> Finder<'a> {
    fn causes(&mut self, subject: Subject, id: &str, parts: &[&'a Outcome<'_>]) -> BTreeSet<Place> {
        match subject {
            Subject::Node => parts.iter().flat_map(|part| self.of_node(id, part)).collect(),
            Subject::Boot => self.of_boot(id, parts),
            Subject::CloudInit
            | Subject::CloudInitSecure
            | Subject::ClusterDefaults
            | Subject::CloudInitGroup
            | Subject::InstanceInfo => parts.iter().flat_map(|part| self.of_entry(part)).collect(),
            Subject::Group => parts.iter().flat_map(|part| self.of_group(part)).collect(),
        }
    }

    /// The keys of `nodes.yaml` from which the differing fields of an object come. Those that only follow from others,
    /// as descriptions with the node's name, have none.
    fn of_node(&self, xname: &str, part: &Outcome<'_>) -> Vec<Place> {
        let Some(desired) = part.sides.desired else { return Vec::new() };
        let prefix = facts::prefix(part);
        let slot = if prefix.is_empty() { "/interfaces/0" } else { prefix.as_str() };
        let is_new = matches!(part.verdict, Verdict::Create | Verdict::Recreate { .. });
        let kind = part.sides.key.kind;
        let mut pointers: Vec<String> = Vec::new();
        if is_principal(part) && part.renamed() {
            pointers.push("/name".to_owned());
        }
        match kind {
            Kind::EthernetInterface if is_new && prefix == "/bmc/interface" => pointers.push("/bmc_mac".to_owned()),
            Kind::EthernetInterface if is_new => pointers.push(slot.to_owned()),
            Kind::RedfishEndpoint if is_new => return vec![address::place(&desired.origin)],
            _ => {}
        }
        for diff in asked(part) {
            let pointer = match (kind, diff.name.as_str()) {
                (Kind::Component, "sub_role") => "/subrole".to_owned(),
                (Kind::Component, "nid" | "role" | "arch" | "class") => format!("/{}", diff.name),
                (Kind::RedfishEndpoint, "mac" | "ip" | "fqdn") => format!("/bmc_{}", diff.name),
                (Kind::EthernetInterface, "ip_addresses") if prefix == "/bmc/interface" => "/bmc_ip".to_owned(),
                (Kind::EthernetInterface, "ip_addresses") => {
                    let (old, new) = sides(diff);
                    pointers.extend(within::documents(old, new, &format!("{slot}/ip_addrs")));
                    continue;
                }
                (Kind::EthernetInterface, "component_id") if prefix != "/bmc/interface" => slot.to_owned(),
                _ => continue,
            };
            pointers.push(pointer);
        }
        let lines = pointers.iter().filter_map(|pointer| self.desired.places.of_node(xname, pointer));
        lines.map(|line| on_line(&desired.origin.file, line)).collect()
    }

    /// The lines of the profile from which the differing parts of its values come; the line of the node's group where
    /// another profile covers it for that.
    fn of_boot(&mut self, xname: &str, parts: &[&'a Outcome<'_>]) -> BTreeSet<Place> {
        let places = &self.desired.places;
        if self.regrouped.contains(xname)
            && let Some(place) = self.group_of(xname)
        {
            return BTreeSet::from([place]);
        }
        let mut found = BTreeSet::new();
        let mut add = |texts: &mut HashMap<_, _>, file: &Arc<str>, field: &str, old: &'a str, new: &'a str| {
            let stretches: &'a [Stretch] = places.of_boot(xname, field);
            let known = texts.entry((old, new, stretches.as_ptr()));
            let lines: &BTreeSet<u32> = known.or_insert_with(|| within::stretches(old, new, stretches));
            found.extend(lines.iter().map(|line| on_line(file, *line)));
        };
        for part in parts {
            let Some(desired) = part.sides.desired else { continue };
            for diff in asked(part) {
                let (old, new) = sides(diff);
                let text = |side: Option<&'a Value>| side.and_then(Value::as_str).unwrap_or_default();
                add(&mut self.texts, &desired.origin.file, &diff.name, text(old), text(new));
            }
        }
        if let Some((old, new)) = describe::rekeyed(parts)
            && let (Some(desired), Some(old), Some(new)) =
                (new.sides.desired, facts::boot_config(old), facts::boot_config(new))
        {
            let fields = [
                ("kernel", &old.kernel, &new.kernel),
                ("initrd", &old.initrd, &new.initrd),
                ("params", &old.params, &new.params),
            ];
            for (field, old, new) in fields.into_iter().filter(|(_, old, new)| old != new) {
                add(&mut self.texts, &desired.origin.file, field, old, new);
            }
        }
        found
    }

    /// The keys and items of the documents that differ; of a secret, its reference.
    fn of_entry(&self, part: &Outcome<'_>) -> Vec<Place> {
        let Some(desired) = part.sides.desired else { return Vec::new() };
        let key = part.sides.key;
        let secret = key.kind.is_secret();
        let pointers = asked(part).flat_map(|diff| match diff.name.as_str() {
            "jinja" => vec!["/template".to_owned()],
            name => {
                let (old, new) = sides(diff);
                let changed = within::documents(old, new, &format!("/{name}"));
                changed.into_iter().map(|pointer| if secret { reference(&pointer) } else { pointer }).collect()
            }
        });
        let lines = pointers.filter_map(|pointer| self.desired.places.of_entry(key, &pointer));
        lines.map(|line| on_line(&desired.origin.file, line)).collect()
    }

    /// The lines at which the nodes that come and go name their groups; where all of them are gone, where they last
    /// stood.
    fn of_group(&self, part: &Outcome<'_>) -> BTreeSet<Place> {
        let members = || asked(part).flat_map(|diff| diff.added.iter().chain(&diff.removed));
        let found: BTreeSet<Place> = members().filter_map(|member| self.group_of(member)).collect();
        if !found.is_empty() {
            return found;
        }
        members()
            .filter_map(|member| last_place(self.ledger, &ObjectKey::new(Kind::Component, member.as_str())))
            .collect()
    }

    /// The line at which a node names its groups; the node itself where it names none.
    fn group_of(&self, xname: &str) -> Option<Place> {
        let node = self.desired.objects.get(&ObjectKey::new(Kind::Component, xname))?;
        Some(match self.desired.places.of_groups(xname) {
            Some(line) => on_line(&node.origin.file, line),
            None => address::place(&node.origin),
        })
    }
}

/// Where a value is referred to, when it is a secret. Lines of the value are no lines of the file then.
fn reference(pointer: &str) -> String {
    let value = pointer.split_once("/|/").map_or(pointer, |(value, _)| value);
    format!("{value}/$secret")
}

/// The differences that the inventory asks for.
fn asked<'o>(part: &'o Outcome<'_>) -> impl Iterator<Item = &'o FieldDiff> {
    part.fields.iter().filter(|diff| !matches!(diff.class, FieldClass::Drift | FieldClass::Left))
}

/// What was last applied, or is there where nothing was, and what is wanted.
fn sides(diff: &FieldDiff) -> (Option<&Value>, Option<&Value>) {
    (diff.last.as_ref().or(diff.live.as_ref()), diff.want.as_ref())
}

fn on_line(file: &Arc<str>, line: u32) -> Place {
    Place { file: file.clone(), line, end_line: line, pointer: None, removed: false }
}

/// Where an object stood when it was last applied.
fn last_place(ledger: &Ledger, key: &ObjectKey) -> Option<Place> {
    let (file, line) = ledger.entries.get(key)?.origin.rsplit_once(':')?;
    let line = line.parse().ok()?;
    Some(Place { file: file.into(), line, end_line: line, pointer: None, removed: true })
}

#[cfg(test)]
mod tests;
