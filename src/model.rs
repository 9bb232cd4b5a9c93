//! The nouns of a cluster, as SMD, BSS and cloud-init name them; nothing here does anything.
//!
//! Every noun has one *canonical form*: the JSON its serde derives write, with snake-case names, without empty fields.
//! The store keeps it, the ledger compares it and fingerprints are taken over it. What the real services send and
//! expect is another thing and lives in [`crate::wire`].

pub mod boot_params;
pub mod cloud_init;
pub mod component;
pub mod details;
pub mod dhcp;
pub mod group;
pub mod hardware;
pub mod instance_data;
pub mod interface;
pub mod kind;
pub mod mac;
pub mod object;
pub mod partition;
pub mod record;
pub mod redfish;
pub mod secret;
pub mod smd_settings;
pub mod xname;

pub use boot_params::{BootConfig, BootKey};
pub use cloud_init::{CloudInitEntry, EntryName};
pub use component::{Arch, Class, Component, Flag, NetType, Nid, Role, State, SubRole};
pub use details::Details;
pub use dhcp::{
    DhcpHost, DhcpLease, DhcpMachine, DhcpMode, DhcpNetwork, DhcpOptions, DhcpRoute, DhcpSettings, DhcpUnknown,
    UnknownPolicy,
};
pub use group::{Group, GroupLabel};
pub use hardware::{HardwareEvent, HardwareEventKind, HardwareFru, HardwareLocation};
pub use instance_data::{CloudInitGroup, ClusterDefaults, InstanceInfo};
pub use interface::{EthernetInterface, IpAddress, Timestamp};
pub use kind::{Kind, ObjectKey};
pub use mac::{MacAddr, MacAddrError};
pub use object::Object;
pub use partition::{Partition, PartitionName};
pub use record::{Record, Records, Table};
pub use redfish::{ComponentEndpoint, RedfishEndpoint};
pub use secret::Secret;
pub use smd_settings::{Counter, EndpointAccess, NodeMap, PowerMap, Reservation, Subscription, Triggers};
pub use xname::{Xname, XnameError, XnameType};
