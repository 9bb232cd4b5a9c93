//! What an apply left undone, in as few lines as there are reasons.

use std::collections::HashMap;
use std::hash::Hash;

use crate::cli::output::counted;
use crate::model::{Kind, ObjectKey};
use crate::plan::text;
use crate::reconcile::Applied;
use crate::target::Failure;

/// Objects that are no node set are listed up to this many.
const LISTED: usize = 8;

/// What did not go as it should, line by line.
pub(in crate::cli) fn remarks(applied: &Applied) -> Vec<String> {
    let Applied { outcome, unverified, unsettled, .. } = applied;
    let mut lines = failures(&outcome.failures);
    let unsettled = folded(unsettled.iter().map(|key| (key, ())));
    lines.extend(
        unsettled
            .into_iter()
            .map(|(objects, ())| format!("what was written is not in {objects}; somebody else writes it, too")),
    );
    lines.extend(unverified.iter().map(|reason| format!("what was written could not be read back: {reason}")));
    lines
}

/// What was not written, one line for all objects that share a reason: a service that is gone fails thousands. Objects
/// that were left out, each for another one of its own node, share what they have in common; the others have their lines.
pub(super) fn failures<'a>(failures: &'a [Failure]) -> Vec<String> {
    let mut causes: HashMap<(Kind, &str), Option<&str>> = HashMap::new();
    for failure in failures.iter().filter(|failure| failure.skipped) {
        let whole = causes.entry((failure.key.kind, stem(&failure.reason))).or_insert(Some(&failure.reason));
        *whole = whole.filter(|whole| *whole == failure.reason);
    }
    let said = |failure: &'a Failure| {
        let shared = causes.get(&(failure.key.kind, stem(&failure.reason))).copied().flatten();
        if failure.skipped { shared.unwrap_or(stem(&failure.reason)) } else { &*failure.reason }
    };
    let told = folded(failures.iter().map(|failure| (&failure.key, (failure.skipped, said(failure)))));
    let line = |(objects, (skipped, reason)): (String, (bool, &str))| {
        let what = if skipped { "left out" } else { "failed" };
        format!("{what}: {objects}: {reason}")
    };
    told.into_iter().map(line).collect()
}

/// A reason without the object that is named last in it.
fn stem(reason: &str) -> &str {
    reason.rsplit_once(": ").map_or(reason, |(stem, _)| stem)
}

/// Objects of one kind that share what is said of them, in the order in which they come first.
fn folded<'a, T: Copy + Eq + Hash>(objects: impl Iterator<Item = (&'a ObjectKey, T)>) -> Vec<(String, T)> {
    let mut sorts: Vec<(Kind, T, Vec<&str>)> = Vec::new();
    let mut places: HashMap<(Kind, T), usize> = HashMap::new();
    for (key, said) in objects {
        let place = *places.entry((key.kind, said)).or_insert(sorts.len());
        match sorts.get_mut(place) {
            Some((_, _, ids)) => ids.push(&key.id),
            None => sorts.push((key.kind, said, vec![&key.id])),
        }
    }
    let words = |kind: Kind, ids: &[&str]| match ids {
        [only] => format!("{kind}/{only}"),
        several => format!("{kind}/{} ({})", text::folded(several, LISTED), counted(several.len() as u64, "object")),
    };
    sorts.into_iter().map(|(kind, said, ids)| (words(kind, &ids), said)).collect()
}
