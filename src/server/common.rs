//! What every server shares: problem bodies, bounded reading of requests.

pub mod body;
pub mod problem;

pub use problem::Problem;
