//! The JSON pointers of the places in a plan.

use super::document::{Place, Plan};
use crate::desired::{Desired, Places};
use crate::model::Kind;

/// Puts them into a plan. A place that is gone from the files has none.
pub(super) fn fill(plan: &mut Plan, desired: &Desired) {
    if plan.changes.is_empty() && plan.drift.is_empty() && plan.diagnostics.is_empty() {
        return;
    }
    let finder = Finder::of(desired);
    for change in plan.changes.iter_mut().chain(&mut plan.drift) {
        for place in change.origin.iter_mut().chain(&mut change.causes) {
            place.pointer = finder.find(place);
        }
    }
    for place in plan.diagnostics.iter_mut().filter_map(|remark| remark.origin.as_mut()) {
        place.pointer = finder.find(place);
    }
}

/// The file of the nodes.
const NODES: &str = "nodes.yaml";

struct Finder<'a> {
    places: &'a Places,
    /// The nodes in the order of the file: first line, last line, xname.
    nodes: Vec<(u32, u32, &'a str)>,
}

impl<'a> Finder<'a> {
    fn of(desired: &'a Desired) -> Self {
        let components = desired.objects.iter().filter(|(key, object)| {
            key.kind == Kind::Component && object.owner.as_ref().is_none_or(|owner| *owner == key.id)
        });
        let mut nodes: Vec<_> =
            components.map(|(key, object)| (object.origin.line, object.origin.end_line, &*key.id)).collect();
        nodes.sort_unstable();
        Self { places: &desired.places, nodes }
    }

    fn find(&self, place: &Place) -> Option<String> {
        if place.removed {
            return None;
        }
        if *place.file != *NODES {
            return self.places.of_line(&place.file, place.line).map(str::to_owned);
        }
        let number = self.nodes.partition_point(|(first, ..)| *first <= place.line).checked_sub(1)?;
        let (first, last, xname) = self.nodes[number];
        // Which of several nodes in one line is meant, a line does not tell.
        let shared = number.checked_sub(1).is_some_and(|before| self.nodes[before].0 == first);
        if shared || place.line > last {
            return None;
        }
        let whole = (place.line, place.end_line) == (first, last);
        let key = if whole { None } else { self.places.key_of_node(xname, place.line) };
        Some(format!("/nodes/{number}{}", key.unwrap_or_default()))
    }
}
