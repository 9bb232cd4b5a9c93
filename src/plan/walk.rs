//! Every object of the three sides once, in writing order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::document::{Members, Names, Subject, Unmanaged};
use super::judge::{Outcome, Sides, Verdict, judge};
use super::rules::Rules;
use super::{address, waiting};
use crate::desired::{Desired, DesiredObject};
use crate::model::{Kind, Object, ObjectKey};
use crate::snapshot::Snapshot;
use crate::store::Ledger;

/// Live objects in the order of their keys.
pub(super) fn sorted(live: &Snapshot) -> Vec<(ObjectKey, Object)> {
    let mut objects: Vec<(ObjectKey, Object)> = live.objects().map(|object| (object.key(), object)).collect();
    // The tables are in order already, so this looks at every pair once.
    objects.sort_by(|(a, _), (b, _)| a.cmp(b));
    objects
}

/// Judges every object; those that are in sync and tell nothing are left out.
///
/// Objects are judged each for itself, so that all cores take their share. The order of the result is that of the keys,
/// however many there are.
pub(super) fn outcomes<'a>(sides: &[Sides<'a>], rules: &Rules, fingerprint_key: Option<&[u8; 32]>) -> Vec<Outcome<'a>> {
    let judged = |sides: &[Sides<'a>]| -> Vec<Outcome<'a>> {
        // Where nothing is yet, everything has an outcome; growing on the way would copy all of them several times.
        let mut outcomes = Vec::with_capacity(sides.len());
        outcomes.extend(sides.iter().filter_map(|sides| {
            let mut outcome = match judge(*sides, rules) {
                outcome if sides.waits => waiting::settled(outcome)?,
                outcome => (!is_silent(&outcome)).then_some(outcome)?,
            };
            outcome.hash(fingerprint_key);
            Some(outcome)
        }));
        outcomes
    };
    in_shares(sides, LEAST_SHARE, judged)
}

/// Has all cores do their share of a list; the results come in its order, however many there are. Lists shorter than
/// `least` are done faster than a thread starts.
pub(super) fn in_shares<T: Sync, R: Send>(list: &[T], least: usize, work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MOST_THREADS);
    let share = list.len().div_ceil(cores).max(least);
    if list.len() <= share {
        return work(list);
    }
    let (own, others) = list.split_at(share);
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = others.chunks(share).map(|list| scope.spawn(move || work(list))).collect();
        let mut results = work(own);
        for thread in threads {
            results.append(&mut thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    })
}

/// Threads beyond this gain nothing: what follows is done by one.
const MOST_THREADS: usize = 8;
/// Fewer objects than this are judged faster than a thread starts.
const LEAST_SHARE: usize = 2_000;

fn is_silent(outcome: &Outcome<'_>) -> bool {
    let in_sync = outcome.verdict == Verdict::InSync && outcome.ledger.is_none();
    in_sync && outcome.foreign.is_empty() && outcome.kept.is_empty() && !outcome.renamed()
}

/// The three sides of every object, in the order of the keys. `waiting` are those that wait for a secret.
pub(super) fn sides<'a>(
    desired: &'a Desired,
    waiting: &'a BTreeMap<ObjectKey, DesiredObject>,
    ledger: &'a Ledger,
    live: &'a [(ObjectKey, Object)],
) -> Vec<Sides<'a>> {
    let mut sides = Vec::with_capacity(desired.objects.len().max(live.len()));
    let mut wanted = desired.objects.iter().peekable();
    let mut waiting = waiting.iter().peekable();
    let mut owned = ledger.entries.iter().peekable();
    let mut live = live.iter().peekable();
    loop {
        let wants = [wanted.peek().map(|(key, _)| *key), waiting.peek().map(|(key, _)| *key)];
        let has = [owned.peek().map(|(key, _)| *key), live.peek().map(|(key, _)| key)];
        let Some(key) = wants.into_iter().chain(has).flatten().min() else { return sides };
        let waits = waiting.next_if(|(known, _)| *known == key).map(|(_, object)| object);
        sides.push(Sides {
            key,
            waits: waits.is_some(),
            desired: waits.or_else(|| wanted.next_if(|(known, _)| *known == key).map(|(_, object)| object)),
            entry: owned.next_if(|(known, _)| *known == key).map(|(_, entry)| entry),
            live: live.next_if(|(known, _)| known == key).map(|(_, object)| object),
        });
    }
}

/// What is not ours, kind by kind, and the members of our groups that are not.
pub(super) fn unmanaged(outcomes: &[Outcome<'_>]) -> Vec<Unmanaged> {
    type Sort = (Kind, Option<Arc<str>>);
    let mut found: BTreeMap<Sort, Vec<Arc<str>>> = BTreeMap::new();
    for outcome in outcomes {
        let key = outcome.sides.key;
        if outcome.verdict == Verdict::Unmanaged {
            found.entry((key.kind, None)).or_default().push(key.id.clone());
        }
        if !outcome.foreign.is_empty() {
            let members = outcome.foreign.iter().map(|member| Arc::from(member.as_str()));
            found.entry((key.kind, Some(key.id.clone()))).or_default().extend(members);
        }
    }
    found.into_iter().map(|((kind, group), ids)| Unmanaged { kind, group, ids }).collect()
}

/// Members that stay in their groups because nothing is pruned. Those of nodes that are kept, too, need no word.
pub(super) fn kept_members(outcomes: &[Outcome<'_>]) -> Vec<Members> {
    let kept = outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Keep);
    let nodes: BTreeSet<&str> = kept.map(|outcome| &*outcome.sides.key.id).collect();
    let groups = outcomes.iter().map(|outcome| {
        let ids = outcome.kept.iter().filter(|member| !nodes.contains(member.as_str()));
        Members { group: outcome.sides.key.id.clone(), ids: ids.map(|id| id.as_str().into()).collect() }
    });
    groups.filter(|members| !members.ids.is_empty()).collect()
}

/// What the ledger owns, the inventory no longer has, and is not deleted.
pub(super) fn kept(outcomes: &[Outcome<'_>]) -> Vec<Names> {
    let mut found: BTreeMap<Subject, BTreeSet<Arc<str>>> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Keep) {
        let (subject, _) = address::address(outcome.sides.key, super::ops::owner(outcome));
        found.entry(subject).or_default().insert(address::name(outcome));
    }
    // What a node boots is kept with it and needs no word of its own.
    let nodes = found.get(&Subject::Node).cloned().unwrap_or_default();
    if let Some(boots) = found.get_mut(&Subject::Boot) {
        boots.retain(|name| !nodes.contains(name));
    }
    found.retain(|_, names| !names.is_empty());
    found.into_iter().map(|(kind, names)| Names { kind, names: names.into_iter().collect() }).collect()
}
