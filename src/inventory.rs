//! Files to a checked inventory: syntax, shapes, values, and what they mean together; every problem with its place.
//!
//! The tree is `nodes.yaml`, `cluster.yaml`, and below `cloud-init/` the entries of the tutorial's form and the data of
//! today's, in one directory. It is loaded as one or not at all. Nothing here knows a server or a database; a secret's value is read by
//! [`secrets::resolve`] only, which loading does not call.
//!
//! Each file goes the same way: bytes, YAML with places (`yaml`), drafts in which wrong values are left out
//! (`nodes`, `cluster`, `cloud_init`, `instance_data`), and checks over all drafts together (`unique`, `addresses`,
//! `assign`). A problem anywhere hides no problem elsewhere.

pub mod code;
pub mod coredhcp;
pub mod diagnostic;
pub mod explain;
pub mod render;
pub mod secrets;
pub mod serving;
pub mod settings;
pub mod source;
pub mod types;

mod addresses;
mod assign;
mod boot;
mod cloud_init;
mod cluster;
mod dhcp;
mod dhcp_checks;
mod dhcp_options;
mod dhcp_sizes;
mod document;
mod files;
mod folders;
mod forms;
mod instance_data;
mod load;
mod module_checks;
mod near;
mod networks;
mod nodes;
mod places;
mod pointers;
mod policy;
mod reader;
mod salvage;
mod scalar;
mod span;
mod syntax;
mod templates;
mod titles;
mod tree;
mod unique;
mod values;
mod variables;
mod versions;
mod walker;
mod yaml;

#[cfg(test)]
mod tests;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Place, Suggestion};
pub use load::{Loaded, load, load_settled};
pub use places::{BootStretches, Lines, Stretch, step, text_line};
pub use pointers::Pointers;
pub use source::{Origin, Source, Sources};
pub use types::{
    Adopt, Bmc, Boot, Cluster, Drift, Entry, Interface, Inventory, Limit, Network, Node, Said, Script, SyncPolicy,
};
pub use versions::{Mismatch, Part, mismatches, named_version};
