//! The state of the cluster as one value: tables, the indexes over them, and the views that servers answer from.
//!
//! A [`Snapshot`] is immutable once published; changing a copy costs O(log n), because the tables are persistent maps.
//! It is in two parts. [`BootView`] holds what a booting node may be told and no secret of any node, and is all that
//! code of the boot role can reach; the rest of the snapshot holds what only the API role needs.
//!
//! The indexes are kept up to date change by change; [`Snapshot::rebuilt`] makes them from nothing, and a property
//! test holds the two equal.

mod boot_view;
mod index;
mod partition;
mod query;

use std::sync::Arc;

use imbl::{HashMap, OrdMap, OrdSet};

pub use boot_view::BootView;
pub use index::Index;

use crate::model::{
    CloudInitEntry, EntryName, Kind, Object, ObjectKey, Record, Records, RedfishEndpoint, Table, Xname,
};

/// One change of one object or record.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Creates or replaces it.
    Put(Object),
    /// Removes it; removing what is not there changes nothing.
    Delete(ObjectKey),
    /// Creates or replaces a record.
    PutRecord(Record),
    /// Removes a record, by its table and identifier.
    DeleteRecord(Table, Arc<str>),
}

/// The whole state at one revision.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The number of the last write that it contains; zero for an empty store.
    pub revision: u64,
    /// What boot-role code may see.
    pub boot: Arc<BootView>,
    /// SMD Redfish endpoints.
    pub redfish_endpoints: OrdMap<Xname, Arc<RedfishEndpoint>>,
    /// FQDN to the Redfish endpoints that have it.
    pub endpoints_by_fqdn: HashMap<String, OrdSet<Xname>>,
    /// cloud-init entries of the secure store.
    pub cloud_init_secure: OrdMap<EntryName, Arc<CloudInitEntry>>,
    /// What SMD and BSS keep for their clients and the inventory never owns.
    pub records: Arc<Records>,
}

impl Snapshot {
    /// Applies one change to this copy.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Put(Object::RedfishEndpoint(e)) => {
                self.put_redfish_endpoint(e);
            }
            Change::Put(Object::CloudInitSecure(e)) => {
                self.cloud_init_secure.insert(e.name.clone(), e.clone());
            }
            Change::PutRecord(record) => {
                if let Record::DhcpSettings(settings) = record {
                    Arc::make_mut(&mut self.boot).set_dhcp(Some(settings.clone()));
                }
                Arc::make_mut(&mut self.records).put(record);
            }
            Change::DeleteRecord(table, id) => {
                if *table == Table::DhcpSettings {
                    Arc::make_mut(&mut self.boot).set_dhcp(None);
                }
                Arc::make_mut(&mut self.records).delete(*table, id);
            }
            Change::Put(object) => Arc::make_mut(&mut self.boot).put(object),
            Change::Delete(key) => match key.kind {
                Kind::RedfishEndpoint => {
                    if let Ok(id) = key.id.parse::<Xname>() {
                        self.delete_redfish_endpoint(&id);
                    }
                }
                Kind::CloudInitSecure => {
                    if let Ok(name) = key.id.parse::<EntryName>() {
                        self.cloud_init_secure.remove(&name);
                    }
                }
                _ => Arc::make_mut(&mut self.boot).delete(key),
            },
        }
    }

    fn put_redfish_endpoint(&mut self, endpoint: &Arc<RedfishEndpoint>) {
        self.delete_redfish_endpoint(&endpoint.id);
        index::add(&mut self.endpoints_by_fqdn, endpoint.fqdn.clone(), endpoint.id.clone());
        self.redfish_endpoints.insert(endpoint.id.clone(), endpoint.clone());
    }

    fn delete_redfish_endpoint(&mut self, id: &Xname) {
        if let Some(old) = self.redfish_endpoints.remove(id) {
            index::take(&mut self.endpoints_by_fqdn, &old.fqdn, id);
        }
    }

    /// The same state with every index made anew from the tables.
    #[must_use]
    pub fn rebuilt(objects: impl IntoIterator<Item = Object>, revision: u64) -> Self {
        let mut snapshot = Self { revision, ..Self::default() };
        for object in objects {
            snapshot.apply(&Change::Put(object));
        }
        snapshot
    }
}
