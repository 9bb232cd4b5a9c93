//! Records: what SMD, BSS and DHCP keep beside the objects. No plan reads or writes one.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Counter, DhcpLease, DhcpSettings, DhcpUnknown, EndpointAccess, HardwareEvent, HardwareFru, HardwareLocation,
    MacAddr, NodeMap, Partition, PartitionName, PowerMap, Reservation, Subscription, Xname,
};

/// How a noun is found in its table.
trait Entry: Serialize + DeserializeOwned + PartialEq {
    type Id: Clone + Ord;

    fn id(&self) -> Self::Id;
    fn read_id(text: &str) -> Option<Self::Id>;
    fn write_id(id: &Self::Id) -> String;
}

macro_rules! entry {
    ($($noun:ty, $id:ty: $get:expr, $read:expr, $write:expr;)+) => { $(
        impl Entry for $noun {
            type Id = $id;

            fn id(&self) -> $id {
                ($get)(self)
            }

            fn read_id(text: &str) -> Option<$id> {
                ($read)(text)
            }

            fn write_id(id: &$id) -> String {
                ($write)(id)
            }
        }
    )+ };
}

fn parsed<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn same(text: &str) -> Option<Arc<str>> {
    (!text.is_empty()).then(|| text.into())
}

/// A place and the number of a line of its history, `x1000c1s7b0n0/2`.
fn read_line(text: &str) -> Option<(Xname, u64)> {
    let (location, number) = text.split_once('/')?;
    Some((location.parse().ok()?, number.parse().ok()?))
}

fn write_line((location, number): &(Xname, u64)) -> String {
    format!("{location}/{number}")
}

entry! {
    Partition, PartitionName: |p: &Self| p.name.clone(), parsed, PartitionName::to_string;
    HardwareLocation, Xname: |l: &Self| l.id.clone(), parsed, Xname::to_string;
    HardwareFru, Arc<str>: |f: &Self| f.id.clone(), same, Arc::<str>::to_string;
    HardwareEvent, (Xname, u64): |e: &Self| (e.location.clone(), e.number), read_line, write_line;
    NodeMap, Xname: |m: &Self| m.id.clone(), parsed, Xname::to_string;
    PowerMap, Xname: |m: &Self| m.id.clone(), parsed, Xname::to_string;
    Reservation, Xname: |r: &Self| r.id.clone(), parsed, Xname::to_string;
    Subscription, u64: |s: &Self| s.id, parsed, u64::to_string;
    Counter, Arc<str>: |c: &Self| c.name.clone(), same, Arc::<str>::to_string;
    DhcpSettings, Arc<str>: |s: &Self| s.cluster.clone(), same, Arc::<str>::to_string;
    DhcpLease, Ipv4Addr: |l: &Self| l.ip, parsed, Ipv4Addr::to_string;
    DhcpUnknown, MacAddr: |u: &Self| u.mac, parsed, MacAddr::to_string;
    EndpointAccess, Arc<str>: |a: &Self| a.id(), same, Arc::<str>::to_string;
}

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident = $text:literal in $table:ident by $id:ty;)+) => {
        /// The tables of records.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table { $($(#[$doc])* $name),+ }

        impl Table {
            /// Every table.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The table's name in database rows and messages.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The table of that name.
            #[must_use]
            pub fn named(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|table| table.as_str() == text)
            }
        }

        impl fmt::Display for Table {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        /// One record. The values are shared: cloning costs a counter.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Record { $($(#[$doc])* $name(Arc<$name>)),+ }

        impl Record {
            /// The table it belongs to.
            #[must_use]
            pub fn table(&self) -> Table {
                match self { $(Self::$name(_) => Table::$name),+ }
            }

            /// The identifier within the table, in canonical text.
            #[must_use]
            pub fn id(&self) -> String {
                match self { $(Self::$name(noun) => <$name as Entry>::write_id(&Entry::id(noun.as_ref()))),+ }
            }

            /// The canonical form as JSON text.
            ///
            /// # Errors
            ///
            /// What serde says; a noun of the model can always be written.
            pub fn to_json(&self) -> serde_json::Result<String> {
                match self { $(Self::$name(noun) => serde_json::to_string(noun.as_ref())),+ }
            }

            /// Reads the canonical form.
            ///
            /// # Errors
            ///
            /// What serde says of a text that does not have the table's shape.
            pub fn from_json(table: Table, text: &str) -> serde_json::Result<Self> {
                match table { $(Table::$name => serde_json::from_str(text).map(Arc::new).map(Self::$name)),+ }
            }
        }

        /// All tables of records. Changing a copy costs O(log n).
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Records { $($(#[$doc])* pub $table: imbl::OrdMap<$id, Arc<$name>>),+ }

        impl Records {
            /// Creates or replaces one.
            pub fn put(&mut self, record: &Record) {
                match record { $(Record::$name(noun) => {
                    self.$table.insert(Entry::id(noun.as_ref()), noun.clone());
                })+ }
            }

            /// Removes one; removing what is not there changes nothing.
            pub fn delete(&mut self, table: Table, id: &str) {
                match table { $(Table::$name => {
                    if let Some(id) = <$name as Entry>::read_id(id) {
                        self.$table.remove(&id);
                    }
                })+ }
            }

            /// The record of that name.
            #[must_use]
            pub fn get(&self, table: Table, id: &str) -> Option<Record> {
                match table { $(Table::$name => {
                    self.$table.get(&<$name as Entry>::read_id(id)?).cloned().map(Record::$name)
                })+ }
            }

            /// True when exactly this record is there already.
            #[must_use]
            pub fn holds(&self, record: &Record) -> bool {
                match record { $(Record::$name(noun) => self.$table.get(&Entry::id(noun.as_ref())) == Some(noun)),+ }
            }

            /// Every record, table by table, each in the order of its identifiers.
            pub fn all(&self) -> impl Iterator<Item = Record> {
                std::iter::empty()$(.chain(self.$table.values().cloned().map(Record::$name)))+
            }
        }
    };
}

records! {
    /// SMD partitions.
    Partition = "partition" in partitions by PartitionName;
    /// SMD hardware by place.
    HardwareLocation = "hardware" in hardware by Xname;
    /// SMD hardware by part.
    HardwareFru = "hardware-fru" in frus by Arc<str>;
    /// SMD hardware history.
    HardwareEvent = "hardware-event" in hardware_events by (Xname, u64);
    /// SMD node maps.
    NodeMap = "node-map" in node_maps by Xname;
    /// SMD power maps.
    PowerMap = "power-map" in power_maps by Xname;
    /// SMD reservations.
    Reservation = "reservation" in reservations by Xname;
    /// SMD subscriptions to state changes.
    Subscription = "subscription" in subscriptions by u64;
    /// The last numbers given.
    Counter = "counter" in counters by Arc<str>;
    /// BSS requests, the last of each node.
    EndpointAccess = "endpoint-access" in endpoint_accesses by Arc<str>;
    /// What the applied inventory says for DHCP.
    DhcpSettings = "dhcp-settings" in dhcp_settings by Arc<str>;
    /// Addresses of unknown machines.
    DhcpLease = "dhcp-lease" in dhcp_leases by Ipv4Addr;
    /// Unknown machines that asked for an address.
    DhcpUnknown = "dhcp-unknown" in dhcp_unknown by MacAddr;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Nid;

    fn node_map() -> Record {
        let id = "x1000c1s7b0n0".parse().unwrap();
        let details = serde_json::json!({"rack": 1}).into();
        Record::NodeMap(Arc::new(NodeMap { id, nid: Nid(1), role: None, sub_role: None, info: details }))
    }

    #[test]
    fn a_record_survives_its_canonical_form_and_its_table() {
        let record = node_map();
        let text = record.to_json().unwrap();
        assert_eq!(text, r#"{"id":"x1000c1s7b0n0","nid":1,"info":{"rack":1}}"#);
        assert_eq!(Record::from_json(Table::NodeMap, &text).unwrap(), record);

        let mut records = Records::default();
        records.put(&record);
        assert!(records.holds(&record));
        assert_eq!(records.get(Table::NodeMap, &record.id()), Some(record.clone()));
        assert_eq!(records.all().collect::<Vec<_>>(), std::slice::from_ref(&record));
        records.delete(Table::NodeMap, "not an xname");
        records.delete(Table::NodeMap, &record.id());
        assert_eq!(records, Records::default());
    }

    #[test]
    fn a_line_of_history_is_found_by_its_place_and_number() {
        let text = r#"{"number":2,"location":"x1c0s0b0n0","fru":"Node.A.1","at":7,"event":"Detected"}"#;
        let record = Record::from_json(Table::HardwareEvent, text).unwrap();
        let mut records = Records::default();
        records.put(&record);
        assert_eq!(record.id(), "x1c0s0b0n0/2");
        assert_eq!(records.get(Table::HardwareEvent, "x1c0s0b0n0/2"), Some(record));
        assert_eq!(records.get(Table::HardwareEvent, "x1c0s0b0n0"), None);
        records.delete(Table::HardwareEvent, "x1c0s0b0n0/2");
        assert_eq!(records, Records::default());
    }

    #[test]
    fn a_record_of_another_shape_is_refused() {
        assert!(Record::from_json(Table::NodeMap, r#"{"id":"x1000c1s7b0n0"}"#).is_err());
        assert!(Record::from_json(Table::PowerMap, r#"{"id":"nid001"}"#).is_err());
    }
}
