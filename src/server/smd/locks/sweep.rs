//! Taking away reservations that have ended. They count for nothing from the moment they end; this keeps the table from
//! growing.

use std::convert::Infallible;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::model::{Table, Timestamp};
use crate::snapshot::{Change, Snapshot};
use crate::store::{Author, Decision, Store, WriteError};

/// How often reservations are looked through.
const EVERY: Duration = Duration::from_secs(10);

/// Takes away reservations that have expired, and those of components that are gone. Runs until shutdown.
///
/// # Errors
///
/// None that end it: what cannot be stored is tried again.
pub async fn sweep_reservations(store: Store, shutdown: CancellationToken) -> Result<(), Infallible> {
    while shutdown.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        sweep(&store, clock::now()).await;
    }
    Ok(())
}

async fn sweep(store: &Store, now: Timestamp) {
    if ended(&store.snapshot(), now).is_empty() {
        return;
    }
    let decide = move |snapshot: &Snapshot| Ok::<_, Infallible>(Decision::new((), ended(snapshot, now)));
    if let Err(WriteError::Unavailable(error)) = store.write(Author("reservation sweep".into()), decide).await {
        tracing::warn!(%error, "ended reservations cannot be taken away");
    }
}

fn ended(snapshot: &Snapshot, now: Timestamp) -> Vec<Change> {
    let reservations = snapshot.records.reservations.values();
    let over = reservations.filter(|reservation| {
        reservation.expires.is_some_and(|end| end <= now) || !snapshot.boot.components.contains_key(&reservation.id)
    });
    over.map(|reservation| Change::DeleteRecord(Table::Reservation, reservation.id.as_str().into())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Component, Object, Record, Reservation};

    #[tokio::test]
    async fn ended_reservations_and_those_of_components_that_are_gone_are_taken_away() {
        let store = Store::in_memory();
        let reserved = |id: &str, end: Option<i64>| {
            let id = id.parse().unwrap();
            let (key, expires) = (String::new(), end.map(Timestamp));
            let created = Timestamp(0);
            let noun = Reservation { id, reservation_key: key.clone(), deputy_key: key, created, expires };
            Change::PutRecord(Record::Reservation(Arc::new(noun)))
        };
        let component = |id: &str| Change::Put(Object::Component(Arc::new(Component::bare(id.parse().unwrap()))));
        let changes = vec![
            component("x1c0s0b0n0"),
            component("x1c0s0b0n1"),
            component("x1c0s0b0n2"),
            reserved("x1c0s0b0n0", Some(10)),
            reserved("x1c0s0b0n1", Some(11)),
            reserved("x1c0s0b0n2", None),
            reserved("x1c0s0b0n3", None),
        ];
        let decide = move |_: &Snapshot| Ok::<_, Infallible>(Decision::new((), changes));
        store.write(Author("test".into()), decide).await.unwrap();
        sweep(&store, Timestamp(10)).await;
        let left = store.snapshot();
        assert_eq!(
            left.records.reservations.keys().map(|id| id.as_str()).collect::<Vec<_>>(),
            ["x1c0s0b0n1", "x1c0s0b0n2"]
        );
        let revision = left.revision;
        sweep(&store, Timestamp(10)).await;
        assert_eq!(store.snapshot().revision, revision, "a sweep that finds nothing writes nothing");
    }
}
