//! Files to a checked inventory: syntax, shapes, values, and what they mean together; every problem with its place.
//!
//! The tree is `nodes.yaml`, `cluster.yaml`, `cloud-init/*.yaml` and `cloud-init/secure/*.yaml` in one directory. It is
//! loaded as one or not at all. Nothing here knows a server, a database or a secret's value.

pub mod types;

pub use types::{Adopt, Bmc, Boot, Cluster, Entry, Interface, Inventory, Limit, Network, Node, Origin, SyncPolicy};
