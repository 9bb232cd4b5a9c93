//! When nodes last asked for what they boot, as BSS keeps it for `endpoint-history`.
//!
//! A handler that answers a booting node puts the access into a queue, which takes no lock; once in a thousand times it
//! finds the queue full and sorts what is in it by node, a fraction of a millisecond's work. A task stores what was noted
//! every few seconds, so a restart loses seconds at most. BSS keeps every access for ever; here the last of each node and
//! endpoint are kept: what is kept is bounded by the nodes that SMD knows, whoever asks how often.

use std::convert::Infallible;
use std::ops::Bound;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use imbl::OrdMap;
use imbl::ordmap::Entry;
use tokio_util::sync::CancellationToken;

use crate::model::{EndpointAccess, Record, Table, Timestamp, Xname};
use crate::snapshot::{Change, Snapshot};
use crate::store::{Author, Decision, Store, WriteError};

/// What a node asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// Its boot script.
    BootScript,
    /// To be heard, at the end of its cloud-init.
    PhoneHome,
}

impl Endpoint {
    /// The name in `endpoint-history`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BootScript => "bootscript",
            Self::PhoneHome => "phone-home",
        }
    }
}

/// How often what was noted is stored.
const EVERY: Duration = Duration::from_secs(5);

/// The most accesses of one write, so that the start of a whole machine does not keep other writes waiting.
const BATCH: usize = 2_000;

/// The most accesses that are kept of one node and endpoint: a few days of boots, or half an hour of a node that boots in
/// circles.
const KEPT: usize = 32;

/// The most accesses that wait to be sorted by node.
const QUEUE: usize = 1_024;

/// A node, and what it asked for.
type Key = (Endpoint, Xname);

type Noted = OrdMap<Key, Times>;

/// When a node asked one endpoint, in whole seconds since 1970-01-01 UTC.
#[derive(Clone, Default)]
struct Times {
    /// The last times, at least one, the oldest first.
    last: Vec<i64>,
    /// How many there were, with those that are not kept any more.
    count: usize,
}

impl Times {
    /// One more.
    fn push(&mut self, epoch: i64) {
        if self.last.len() == KEPT {
            self.last.remove(0);
        }
        self.last.push(epoch);
        self.count += 1;
    }

    /// What came after the first `count`, if anything did.
    fn after(&self, count: usize) -> Option<Self> {
        let count = self.count.checked_sub(count).filter(|&count| count > 0)?;
        let skipped = self.last.len().saturating_sub(count);
        Some(Self { last: self.last[skipped..].to_vec(), count })
    }
}

/// The last times of these, as many as are kept.
fn last(times: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut times: Vec<i64> = times.collect();
    times.drain(..times.len().saturating_sub(KEPT));
    times
}

/// What was noted and is not stored yet. Cheap to clone; every clone is the same.
#[derive(Clone)]
pub struct Accesses {
    queue: SyncSender<(Key, i64)>,
    sorted: Arc<Mutex<Sorted>>,
}

/// What was noted, by node, but for what is still in the queue.
struct Sorted {
    queue: Receiver<(Key, i64)>,
    noted: Noted,
}

impl Sorted {
    /// Takes what is in the queue, at most as much as fits into it, however fast others fill it.
    fn drain(&mut self) -> &mut Noted {
        let Self { queue, noted } = self;
        for (key, epoch) in queue.try_iter().take(QUEUE) {
            noted.entry(key).or_default().push(epoch);
        }
        noted
    }

    /// Leaves only what was noted after these were.
    fn forget(&mut self, stored: &Noted) {
        for (key, stored) in stored {
            if let Entry::Occupied(mut noted) = self.noted.entry(key.clone()) {
                match noted.get().after(stored.count) {
                    Some(left) => *noted.get_mut() = left,
                    None => drop(noted.remove()),
                }
            }
        }
    }
}

impl Default for Accesses {
    fn default() -> Self {
        let (sender, queue) = mpsc::sync_channel(QUEUE);
        Self { queue: sender, sorted: Arc::new(Mutex::new(Sorted { queue, noted: Noted::new() })) }
    }
}

impl Accesses {
    /// Notes that a component of SMD asked.
    pub fn note(&self, endpoint: Endpoint, component: &Xname, now: Timestamp) {
        let access = ((endpoint, component.clone()), now.0.div_euclid(1_000_000));
        if let Err(TrySendError::Full((key, epoch)) | TrySendError::Disconnected((key, epoch))) =
            self.queue.try_send(access)
        {
            self.sorted(|sorted| sorted.drain().entry(key).or_default().push(epoch));
        }
    }

    /// Does something short with what was noted: who asks for a boot script waits for it, if the queue is full.
    fn sorted<R>(&self, act: impl FnOnce(&mut Sorted) -> R) -> R {
        // Nobody panics in between; the history would be whole even then.
        act(&mut self.sorted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was noted so far.
    fn noted(&self) -> Noted {
        self.sorted(|sorted| sorted.drain().clone())
    }

    /// The accesses that are stored or noted, in the order of endpoints and names.
    #[must_use]
    pub fn all(&self, snapshot: &Snapshot) -> Vec<EndpointAccess> {
        let mut all = snapshot.records.endpoint_accesses.clone();
        for access in self.noted().iter().filter_map(|noted| access(snapshot, noted)) {
            all.insert(access.id(), access);
        }
        all.values().map(|access| EndpointAccess::clone(access)).collect()
    }

    /// Stores what is noted every few seconds, and at the shutdown. Runs until then.
    ///
    /// # Errors
    ///
    /// None that end it: what cannot be stored is tried again.
    pub async fn keep(self, store: Store, shutdown: CancellationToken) -> Result<(), Infallible> {
        let mut goes_on = true;
        while goes_on {
            goes_on = shutdown.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some();
            // Each node once in a round, however fast they ask.
            let mut stored = None;
            while let Some(last) = self.store_after(stored, &store).await {
                stored = Some(last);
            }
        }
        Ok(())
    }

    /// Stores a batch of what was noted of the nodes that come after this one. The last of them, when there may be more.
    async fn store_after(&self, after: Option<Key>, store: &Store) -> Option<Key> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let batch: Noted = self.noted().range((from, Bound::Unbounded)).take(BATCH).map(owned).collect();
        let (last, _) = batch.get_max().cloned()?;
        let stored = batch.clone();
        let decide = move |snapshot: &Snapshot| Ok::<_, Infallible>(Decision::new((), changes(snapshot, &stored)));
        if let Err(WriteError::Unavailable(error)) = store.write(Author("endpoint history".into()), decide).await {
            tracing::warn!(%error, "the times at which nodes booted cannot be stored; they are kept in memory");
            return None;
        }
        self.sorted(|sorted| sorted.forget(&batch));
        Some(last)
    }
}

fn owned((key, times): (&Key, &Times)) -> (Key, Times) {
    (key.clone(), times.clone())
}

/// What is stored of a node and an endpoint, followed by what was noted.
fn access(snapshot: &Snapshot, ((endpoint, name), noted): (&Key, &Times)) -> Option<Arc<EndpointAccess>> {
    let (name, endpoint) = (name.to_string(), endpoint.as_str().to_owned());
    let mut access = EndpointAccess { name, endpoint, last_epoch: 0, earlier: Vec::new() };
    let stored = snapshot.records.endpoint_accesses.get(&access.id());
    let mut times = last(stored.into_iter().flat_map(|stored| stored.epochs()).chain(noted.last.iter().copied()));
    access.last_epoch = times.pop()?;
    access.earlier = times;
    Some(Arc::new(access))
}

/// What is stored of these accesses: nothing of components that SMD no longer knows. Where more is kept than there are
/// components, those of the unknown ones go.
fn changes(snapshot: &Snapshot, noted: &Noted) -> Vec<Change> {
    let components = &snapshot.boot.components;
    let known = noted.iter().filter(|((_, name), _)| components.contains_key(name));
    let mut changes: Vec<Change> =
        known.filter_map(|noted| Some(Change::PutRecord(Record::EndpointAccess(access(snapshot, noted)?)))).collect();
    let kept = &snapshot.records.endpoint_accesses;
    if kept.len() > components.len() {
        let gone = kept
            .iter()
            .filter(|(_, access)| access.name.parse::<Xname>().map_or(true, |name| !components.contains_key(&name)));
        changes.extend(gone.map(|(id, _)| Change::DeleteRecord(Table::EndpointAccess, id.clone())));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Component, Object};

    fn name(number: usize) -> Xname {
        format!("x1c0s0b0n{number}").parse().unwrap()
    }

    async fn change(store: &Store, changes: Vec<Change>) {
        let decide = move |_: &Snapshot| Ok::<_, Infallible>(Decision::new((), changes));
        store.write(Author("test".into()), decide).await.unwrap();
    }

    async fn store_with_nodes(count: usize) -> Store {
        let store = Store::in_memory();
        let node = |number| Change::Put(Object::Component(Arc::new(Component::bare(name(number)))));
        change(&store, (0..count).map(node).collect()).await;
        store
    }

    fn seen(accesses: &Accesses, store: &Store) -> Vec<(String, String, i64)> {
        let all = accesses.all(&store.snapshot()).into_iter();
        let lines = |access: EndpointAccess| {
            access.epochs().map(|epoch| (access.endpoint.clone(), access.name.clone(), epoch)).collect::<Vec<_>>()
        };
        all.flat_map(lines).collect()
    }

    #[tokio::test]
    async fn an_access_is_seen_at_once_and_after_it_is_stored() {
        let (accesses, store) = (Accesses::default(), store_with_nodes(2).await);
        accesses.note(Endpoint::BootScript, &name(1), Timestamp(1_999_999));
        accesses.note(Endpoint::PhoneHome, &name(0), Timestamp(3_000_000));
        accesses.note(Endpoint::BootScript, &name(1), Timestamp(2_000_000));
        let expected =
            [("bootscript", "x1c0s0b0n1", 1), ("bootscript", "x1c0s0b0n1", 2), ("phone-home", "x1c0s0b0n0", 3)]
                .map(|(endpoint, name, epoch)| (endpoint.to_owned(), name.to_owned(), epoch));
        assert_eq!(seen(&accesses, &store), expected);
        accesses.store_after(None, &store).await;
        assert_eq!(store.snapshot().records.endpoint_accesses.len(), 2);
        assert_eq!(seen(&accesses, &store), expected);
        assert_eq!(seen(&Accesses::default(), &store), expected, "what is stored needs no memory");
        let revision = store.snapshot().revision;
        accesses.store_after(None, &store).await;
        assert_eq!(store.snapshot().revision, revision, "nothing new is noted, so nothing is written");
    }

    #[tokio::test]
    async fn the_last_accesses_of_a_node_are_kept_stored_and_noted_together() {
        let (accesses, store) = (Accesses::default(), store_with_nodes(1).await);
        let times = |from: usize, to: usize| (from..to).map(|at| Timestamp(at as i64 * 1_000_000));
        let kept = |accesses: &Accesses| {
            seen(accesses, &store).into_iter().map(|(.., epoch)| epoch as usize).collect::<Vec<_>>()
        };
        times(0, KEPT + 2).for_each(|at| accesses.note(Endpoint::BootScript, &name(0), at));
        assert_eq!(kept(&accesses), (2..KEPT + 2).collect::<Vec<_>>());
        accesses.store_after(None, &store).await;
        assert_eq!(kept(&Accesses::default()), (2..KEPT + 2).collect::<Vec<_>>());
        times(KEPT + 2, KEPT + 5).for_each(|at| accesses.note(Endpoint::BootScript, &name(0), at));
        assert_eq!(kept(&accesses), (5..KEPT + 5).collect::<Vec<_>>());
    }

    #[test]
    fn no_access_is_lost_when_many_ask_at_once() {
        let accesses = Accesses::default();
        std::thread::scope(|threads| {
            for number in 0..4 {
                let accesses = &accesses;
                let note =
                    move |at| accesses.note(Endpoint::BootScript, &name(number), Timestamp(at as i64 * 1_000_000));
                threads.spawn(move || (0..3 * QUEUE).for_each(note));
            }
        });
        let kept: Vec<i64> = (3 * QUEUE - KEPT..3 * QUEUE).map(|at| at as i64).collect();
        let noted: Vec<_> = accesses.noted().values().map(|times| (times.count, times.last.clone())).collect();
        assert_eq!(noted, vec![(3 * QUEUE, kept); 4]);
    }

    #[test]
    fn what_is_noted_while_others_are_stored_is_left() {
        let times = |epochs: std::ops::RangeInclusive<i64>| {
            let mut times = Times::default();
            epochs.for_each(|epoch| times.push(epoch));
            times
        };
        assert_eq!(times(1..=3).after(1).map(|left| (left.last, left.count)), Some((vec![2, 3], 2)));
        assert!(times(1..=3).after(3).is_none());
        assert_eq!(
            times(1..=2 * KEPT as i64).after(1).map(|left| (left.last.len(), left.count)),
            Some((KEPT, 2 * KEPT - 1))
        );
    }

    #[tokio::test]
    async fn many_accesses_are_stored_in_batches() {
        let (accesses, store) = (Accesses::default(), store_with_nodes(BATCH + 1).await);
        (0..=BATCH).for_each(|number| accesses.note(Endpoint::BootScript, &name(number), Timestamp(0)));
        let last = accesses.store_after(None, &store).await;
        assert_eq!(store.snapshot().records.endpoint_accesses.len(), BATCH);
        (0..=BATCH).for_each(|number| accesses.note(Endpoint::BootScript, &name(number), Timestamp(1_000_000)));
        let last = accesses.store_after(last, &store).await;
        assert!(last.is_some());
        assert_eq!(accesses.store_after(last, &store).await, None, "who asked again meanwhile is of the next round");
        assert_eq!(store.snapshot().records.endpoint_accesses.len(), BATCH + 1);
    }

    #[tokio::test]
    async fn accesses_of_components_that_are_gone_do_not_stay_for_ever() {
        let (accesses, store) = (Accesses::default(), store_with_nodes(2).await);
        (0..3).for_each(|number| accesses.note(Endpoint::BootScript, &name(number), Timestamp(0)));
        accesses.store_after(None, &store).await;
        assert_eq!(store.snapshot().records.endpoint_accesses.len(), 2, "nobody knows the third");
        change(&store, vec![Change::Delete(crate::model::ObjectKey::component(&name(0)))]).await;
        accesses.note(Endpoint::BootScript, &name(1), Timestamp(1_000_000));
        accesses.store_after(None, &store).await;
        let line = |epoch| ("bootscript".to_owned(), "x1c0s0b0n1".to_owned(), epoch);
        assert_eq!(seen(&accesses, &store), [line(0), line(1)]);
    }

    #[tokio::test]
    async fn what_is_noted_is_stored_at_the_shutdown() {
        let (accesses, store) = (Accesses::default(), store_with_nodes(1).await);
        accesses.note(Endpoint::BootScript, &name(0), Timestamp(0));
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        let Ok(()) = accesses.keep(store.clone(), shutdown).await;
        assert_eq!(store.snapshot().records.endpoint_accesses.len(), 1);
    }
}
