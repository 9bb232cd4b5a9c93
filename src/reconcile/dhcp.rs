//! What DHCP is told goes with an apply to our own store. It is a record and no object: SMD and its kin have nothing
//! that it could be compared with, so a plan does not show it, and nobody but an apply writes it.

use std::sync::Arc;

use super::Request;
use crate::model::{Record, Table};
use crate::snapshot::{Change, Snapshot};
use crate::store::{Author, Decision, Store, StoreError, WriteError};

/// Puts the settings of the desired state in force, and takes away those of any other cluster. Equal ones are not
/// written.
pub(super) async fn put(store: &Store, request: &Request) -> Result<(), StoreError> {
    let Some(settings) = request.desired.dhcp.clone() else { return Ok(()) };
    if store.snapshot().boot.dhcp.as_ref() == Some(&settings) {
        return Ok(());
    }
    let author = Author(format!("ochami-sync apply ({})", request.author).into());
    let decide = move |snapshot: &Snapshot| {
        let others = snapshot.records.dhcp_settings.keys().filter(|id| **id != settings.cluster);
        let mut changes: Vec<Change> = others.map(|id| Change::DeleteRecord(Table::DhcpSettings, id.clone())).collect();
        changes.push(Change::PutRecord(Record::DhcpSettings(Arc::clone(&settings))));
        Ok::<_, std::convert::Infallible>(Decision::new((), changes))
    };
    match store.write(author, decide).await {
        Ok(()) => Ok(()),
        Err(WriteError::Refused(never)) => match never {},
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}
