//! When nodes last asked for what they boot, as BSS keeps it for `endpoint-history`.
//!
//! A handler that answers a booting node notes the access in memory, which takes no lock and waits for nothing. A task
//! stores what was noted every few seconds, so a restart loses seconds at most. BSS keeps every access for ever; here the
//! last of each node and endpoint are kept: what is kept is bounded by the nodes that SMD knows, whoever asks how often.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use imbl::OrdMap;
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

type Noted = OrdMap<(Endpoint, Xname), Times>;

/// When a node asked one endpoint, in whole seconds since 1970-01-01 UTC.
#[derive(Clone, Default)]
struct Times {
    /// The last times, at least one, the oldest first.
    last: Vec<i64>,
    /// How many there were, with those that are not kept any more.
    count: usize,
}

impl Times {
    /// These, and one more.
    fn with(&self, epoch: i64) -> Self {
        Self { last: last(self.last.iter().copied().chain([epoch])), count: self.count + 1 }
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
#[derive(Clone, Default)]
pub struct Accesses(Arc<ArcSwap<Noted>>);

impl Accesses {
    /// Notes that a component of SMD asked, without waiting.
    pub fn note(&self, endpoint: Endpoint, component: &Xname, now: Timestamp) {
        let (key, epoch) = ((endpoint, component.clone()), now.0.div_euclid(1_000_000));
        self.0.rcu(|noted| noted.update(key.clone(), noted.get(&key).cloned().unwrap_or_default().with(epoch)));
    }

    /// The accesses that are stored or noted, in the order of endpoints and names.
    #[must_use]
    pub fn all(&self, snapshot: &Snapshot) -> Vec<EndpointAccess> {
        let mut all = snapshot.records.endpoint_accesses.clone();
        for access in self.0.load().iter().filter_map(|noted| access(snapshot, noted)) {
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
            while self.store_some(&store).await {}
        }
        Ok(())
    }

    /// Stores a batch; true when there is more and it may be tried at once.
    async fn store_some(&self, store: &Store) -> bool {
        let batch: Vec<_> = self.0.load().iter().take(BATCH).map(|(key, times)| (key.clone(), times.clone())).collect();
        if batch.is_empty() {
            return false;
        }
        let stored: Noted = batch.iter().cloned().collect();
        let decide = move |snapshot: &Snapshot| Ok::<_, Infallible>(Decision::new((), changes(snapshot, &stored)));
        if let Err(WriteError::Unavailable(error)) = store.write(Author("endpoint history".into()), decide).await {
            tracing::warn!(%error, "the times at which nodes booted cannot be stored; they are kept in memory");
            return false;
        }
        // What was noted again meanwhile stays.
        let before = self.0.rcu(|noted| {
            let mut noted = Noted::clone(noted);
            for (key, stored) in &batch {
                noted = noted.alter(|times| times.and_then(|times| times.after(stored.count)), key.clone());
            }
            noted
        });
        before.len() > batch.len()
    }
}

/// What is stored of a node and an endpoint, followed by what was noted.
fn access(snapshot: &Snapshot, ((endpoint, name), noted): (&(Endpoint, Xname), &Times)) -> Option<Arc<EndpointAccess>> {
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
        assert!(!accesses.store_some(&store).await);
        assert_eq!(store.snapshot().records.endpoint_accesses.len(), 2);
        assert_eq!(seen(&accesses, &store), expected);
        assert_eq!(seen(&Accesses::default(), &store), expected, "what is stored needs no memory");
        let revision = store.snapshot().revision;
        assert!(!accesses.store_some(&store).await);
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
        accesses.store_some(&store).await;
        assert_eq!(kept(&Accesses::default()), (2..KEPT + 2).collect::<Vec<_>>());
        times(KEPT + 2, KEPT + 5).for_each(|at| accesses.note(Endpoint::BootScript, &name(0), at));
        assert_eq!(kept(&accesses), (5..KEPT + 5).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_noted_while_others_are_stored_is_left() {
        let times = (1..=3).fold(Times::default(), |times, epoch| times.with(epoch));
        assert_eq!(times.after(1).map(|left| (left.last, left.count)), Some((vec![2, 3], 2)));
        assert!(times.after(3).is_none());
        let many = (1..=2 * KEPT as i64).fold(Times::default(), |times, epoch| times.with(epoch));
        assert_eq!(many.after(1).map(|left| (left.last.len(), left.count)), Some((KEPT, 2 * KEPT - 1)));
    }

    #[tokio::test]
    async fn many_accesses_are_stored_in_batches() {
        let (accesses, store) = (Accesses::default(), store_with_nodes(BATCH + 1).await);
        (0..=BATCH).for_each(|number| accesses.note(Endpoint::BootScript, &name(number), Timestamp(0)));
        assert!(accesses.store_some(&store).await);
        assert_eq!(store.snapshot().records.endpoint_accesses.len(), BATCH);
        assert!(!accesses.store_some(&store).await);
        assert_eq!(store.snapshot().records.endpoint_accesses.len(), BATCH + 1);
    }

    #[tokio::test]
    async fn accesses_of_components_that_are_gone_do_not_stay_for_ever() {
        let (accesses, store) = (Accesses::default(), store_with_nodes(2).await);
        (0..3).for_each(|number| accesses.note(Endpoint::BootScript, &name(number), Timestamp(0)));
        accesses.store_some(&store).await;
        assert_eq!(store.snapshot().records.endpoint_accesses.len(), 2, "nobody knows the third");
        change(&store, vec![Change::Delete(crate::model::ObjectKey::component(&name(0)))]).await;
        accesses.note(Endpoint::BootScript, &name(1), Timestamp(1_000_000));
        accesses.store_some(&store).await;
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
