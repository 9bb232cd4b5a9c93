//! Hardware that changes hands: an interface that goes to another node with its MAC address, an interface that takes the
//! place of another one, and a node that stands at another xname.
//!
//! Objects are keyed by hardware, so each of these is a matter of several objects, which are told in one line as a
//! replacement.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::address::{Address, is_principal};
use super::document::Subject;
use super::facts::{Side, interface, slot};
use super::judge::{Outcome, Verdict};
use crate::model::{Kind, Xname};

/// The node that an interface leaves and the one that it goes to, where the inventory moves it.
pub(super) fn moved<'o>(outcome: &'o Outcome<'_>) -> Option<(&'o Arc<str>, &'o Arc<str>)> {
    if outcome.sides.key.kind != Kind::EthernetInterface || outcome.verdict != Verdict::Update {
        return None;
    }
    let (from, to) = (outcome.sides.entry?.owner.as_ref()?, outcome.sides.desired?.owner.as_ref()?);
    // A controller is named after one of its nodes; that it is named after another one moves nothing.
    (from != to && component(outcome, Side::Before) != component(outcome, Side::After)).then_some((from, to))
}

fn component<'o>(outcome: &'o Outcome<'_>, side: Side) -> Option<&'o Xname> {
    interface(outcome, side)?.component_id.as_ref()
}

/// The xname at which a node stood before, when its line is that of a node that was moved.
pub(super) fn former<'p>(id: &str, parts: &[&'p Outcome<'_>]) -> Option<&'p Arc<str>> {
    let gone = parts.iter().find(|part| is_principal(part) && part.verdict == Verdict::Delete);
    gone.map(|part| &part.sides.key.id).filter(|former| ***former != *id)
}

/// True for an interface that goes to another node.
pub(super) fn leaves(id: &str, part: &Outcome<'_>) -> bool {
    moved(part).is_some_and(|(from, to)| **from == *id && **to != *id)
}

/// True for an interface that comes from another node.
pub(super) fn arrives(id: &str, part: &Outcome<'_>) -> bool {
    moved(part).is_some_and(|(from, to)| **from != *id && **to == *id)
}

/// Interfaces that a node loses, each with the one of the same component that comes in its place.
pub(super) fn replaced<'p, 'a>(id: &str, parts: &[&'p Outcome<'a>]) -> Vec<(&'p Outcome<'a>, &'p Outcome<'a>)> {
    let sorted = |side: Side, wanted: &dyn Fn(&Outcome<'_>) -> bool| {
        let wanted = |part: &&'p Outcome<'a>| part.sides.key.kind == Kind::EthernetInterface && wanted(part);
        let mut found: Vec<&'p Outcome<'a>> = parts.iter().copied().filter(wanted).collect();
        found.sort_by_key(|part| (slot(part, side), part.sides.key.id.clone()));
        found
    };
    let mut gone = sorted(Side::Before, &|part| part.verdict == Verdict::Delete || leaves(id, part));
    let mut pairs = Vec::new();
    if gone.is_empty() {
        return pairs;
    }
    for new in sorted(Side::After, &|part| part.verdict == Verdict::Create || arrives(id, part)) {
        let same = |old: &&Outcome<'_>| component(old, Side::Before) == component(new, Side::After);
        let at_the_same_place = |old: &&Outcome<'_>| slot(old, Side::Before) == slot(new, Side::After);
        // The interface in the same place is the one that is replaced; any other of the component will do.
        let place = gone.iter().position(|old| same(old) && at_the_same_place(old));
        if let Some(place) = place.or_else(|| gone.iter().position(same)) {
            pairs.push((gone.remove(place), new));
        }
    }
    pairs
}

/// Tells a node that goes from one xname and comes at another one in the line of the latter. It is the same node when
/// one of its interfaces goes along, or else when it keeps its name.
///
/// Answers the new xname by the old one.
pub(super) fn join<'p, 'a>(parts: &mut BTreeMap<Address, Vec<&'p Outcome<'a>>>) -> BTreeMap<Arc<str>, Arc<str>> {
    let principals = |wanted: fn(Verdict) -> bool| {
        let lines = parts.iter().filter(|((subject, _), _)| *subject == Subject::Node);
        let principal = lines.filter_map(|(_, of_node)| of_node.iter().find(|part| is_principal(part)));
        principal.copied().filter(|part| wanted(part.verdict)).collect::<Vec<&'p Outcome<'a>>>()
    };
    let mut gone = principals(|verdict| verdict == Verdict::Delete);
    let mut come = principals(|verdict| verdict == Verdict::Create);
    let mut joined = BTreeMap::new();
    if gone.is_empty() || come.is_empty() {
        return joined;
    }
    let interfaces: BTreeMap<Arc<str>, Arc<str>> =
        parts.values().flatten().filter_map(|part| moved(part)).map(|(from, to)| (from.clone(), to.clone())).collect();
    let names: BTreeMap<Arc<str>, Arc<str>> =
        come.iter().filter_map(|new| Some((new.sides.desired?.name.clone(), new.sides.key.id.clone()))).collect();
    let by_interface = |old: &Outcome<'_>| interfaces.get(&old.sides.key.id).cloned();
    let by_name = |old: &Outcome<'_>| names.get(&old.sides.entry?.name).cloned();
    for find in [&by_interface as &dyn Fn(&Outcome<'_>) -> Option<Arc<str>>, &by_name] {
        gone.retain(|old| {
            let Some(place) = find(old).and_then(|id| come.iter().position(|new| new.sides.key.id == id)) else {
                return true;
            };
            joined.insert(old.sides.key.id.clone(), come.remove(place).sides.key.id.clone());
            false
        });
    }
    for (old, new) in &joined {
        for subject in [Subject::Node, Subject::Boot] {
            let Some(moving) = parts.remove(&(subject, old.clone())) else { continue };
            let line = parts.entry((subject, new.clone())).or_default();
            let told =
                |part: &&Outcome<'_>, line: &[&Outcome<'_>]| line.iter().any(|known| std::ptr::eq(*known, *part));
            let new: Vec<_> = moving.into_iter().filter(|part| !told(part, line)).collect();
            line.extend(new);
        }
    }
    joined
}
