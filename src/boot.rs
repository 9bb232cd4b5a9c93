//! What a booting node is told: its boot script, and its cloud-init documents.
//!
//! Pure functions of a [`BootView`](crate::snapshot::BootView) and a request. Nothing here looks at a clock, waits, or
//! can reach a secret.

pub mod cloud_init;
mod params;
mod script;

pub use script::{ScriptAnswer, ScriptError, ScriptRequest, ScriptSettings, Selector, node, script};
