//! JSON shapes of SMD, BSS and cloud-init, as they go over the wire.
//!
//! Servers answer with them and the `openchami` target reads them.

pub mod bss;
pub mod cloud_init;
pub mod json;
pub mod smd;
