//! Templates: the one minijinja environment, for the scripts of iPXE, for `{{ variable }}` in `cluster.yaml`, and for
//! checking the syntax of templates that belong to the node.

pub mod boot_script;
pub mod check;
pub mod firmware;
pub mod profile;
