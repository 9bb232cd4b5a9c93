//! What every server shares: problem bodies, bounded reading of requests.

pub mod author;
pub mod body;
pub mod client;
pub mod plain;
pub mod problem;

pub use client::ClientAddr;
pub use problem::Problem;
