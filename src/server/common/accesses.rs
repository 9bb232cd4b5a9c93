//! When nodes last asked for what they boot, as BSS keeps it for `endpoint-history`.
//!
//! A handler that answers a booting node notes the access in memory, which takes no lock and waits for nothing. A task
//! stores what was noted every few seconds, so a restart loses seconds at most. One access is kept for each node and
//! endpoint, the last: what is kept is bounded by the nodes that SMD knows, whoever asks how often.

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

type Noted = OrdMap<(Endpoint, Xname), i64>;

/// What was noted and is not stored yet. Cheap to clone; every clone is the same.
#[derive(Clone, Default)]
pub struct Accesses(Arc<ArcSwap<Noted>>);

impl Accesses {
    /// Notes that a component of SMD asked, without waiting.
    pub fn note(&self, endpoint: Endpoint, component: &Xname, now: Timestamp) {
        let (key, epoch) = ((endpoint, component.clone()), now.0.div_euclid(1_000_000));
        self.0.rcu(|noted| noted.update(key.clone(), epoch));
    }

    /// Every access that is stored or noted, in the order of endpoints and names.
    #[must_use]
    pub fn all(&self, snapshot: &Snapshot) -> Vec<EndpointAccess> {
        let mut all = snapshot.records.endpoint_accesses.clone();
        for access in self.0.load().iter().map(access) {
            all.insert(Record::EndpointAccess(access.clone()).id().into(), access);
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
        let batch: Vec<_> = self.0.load().iter().take(BATCH).map(|(key, epoch)| (key.clone(), *epoch)).collect();
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
            for (key, epoch) in &batch {
                if noted.get(key) == Some(epoch) {
                    noted.remove(key);
                }
            }
            noted
        });
        before.len() > batch.len()
    }
}

fn access(((endpoint, name), epoch): (&(Endpoint, Xname), &i64)) -> Arc<EndpointAccess> {
    let (name, endpoint) = (name.to_string(), endpoint.as_str().to_owned());
    Arc::new(EndpointAccess { name, endpoint, last_epoch: *epoch })
}

/// What is stored of these accesses: nothing of components that SMD no longer knows. Where more is kept than there are
/// components, those of the unknown ones go.
fn changes(snapshot: &Snapshot, noted: &Noted) -> Vec<Change> {
    let components = &snapshot.boot.components;
    let known = noted.iter().filter(|((_, name), _)| components.contains_key(name));
    let mut changes: Vec<Change> =
        known.map(|entry| Change::PutRecord(Record::EndpointAccess(access(entry)))).collect();
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
        all.map(|access| (access.endpoint, access.name, access.last_epoch)).collect()
    }

    #[tokio::test]
    async fn an_access_is_seen_at_once_and_the_last_of_a_node_counts() {
        let (accesses, store) = (Accesses::default(), store_with_nodes(2).await);
        accesses.note(Endpoint::BootScript, &name(1), Timestamp(1_999_999));
        accesses.note(Endpoint::PhoneHome, &name(0), Timestamp(3_000_000));
        accesses.note(Endpoint::BootScript, &name(1), Timestamp(2_000_000));
        let expected = [("bootscript", "x1c0s0b0n1", 2), ("phone-home", "x1c0s0b0n0", 3)]
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
        assert_eq!(seen(&accesses, &store), [("bootscript".to_owned(), "x1c0s0b0n1".to_owned(), 1)]);
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
