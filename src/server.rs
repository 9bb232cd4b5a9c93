//! What answers the network. Every answer comes from a published snapshot.
//!
//! A room per protocol, none of which imports another; [`common`] holds what they share. A REST room offers
//! `routes(…) -> axum::Router` for the API role and, where a booting node may ask it, `boot_routes(BootReader, …)`
//! for the boot role.

pub mod advertise;
pub mod bss;
pub mod cloud_init;
pub mod common;
pub mod dhcp;
pub mod images;
pub mod loaders;
pub mod local;
pub mod smd;
pub mod tftp;
