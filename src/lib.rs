//! `ochami-sync`: the control and boot plane of an OpenCHAMI cluster, driven by files in git.
//!
//! The rooms, in the order in which data flows, and what each may import are in `ARCHITECTURE.md`.

pub mod app;
pub mod boot;
pub mod cli;
pub mod clock;
pub mod desired;
pub mod directory;
pub mod images;
pub mod inventory;
pub mod loaders;
pub mod model;
pub mod plan;
pub mod reconcile;
pub mod server;
pub mod snapshot;
pub mod store;
pub mod target;
pub mod telemetry;
pub mod template;
pub mod token;
pub mod wire;
