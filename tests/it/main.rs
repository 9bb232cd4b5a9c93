//! Tests over the public interfaces, a file per surface.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract_boot;
mod replay;
