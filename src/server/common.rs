//! What every server shares: sockets and their limits, TLS, authentication, request ids, health, figures, problem
//! bodies and bounded reading of requests.
//!
//! A request passes, in this order: [`Sockets`] (a connection within the budget of its listener), TLS, HTTP/1.1 with
//! limits, plain paths, [`Peer`] and [`ClientAddr`], the router of the listener's [`Role`], and, where a room guards
//! its routes, the [`Gate`]. A handler that panics costs its own request and nothing else.

pub mod accesses;
pub mod auth;
pub mod author;
mod backoff;
pub mod body;
pub(in crate::server) mod buffers;
mod connection;
#[cfg(test)]
pub(in crate::server) mod corpus;
pub mod exposure;
pub mod health;
pub mod keys;
pub mod limits;
pub(in crate::server) mod linger;
pub mod listener;
pub mod metrics;
mod normalize;
pub mod openapi;
pub mod peer;
pub mod plain;
pub mod problem;
mod request_id;
pub mod role;
pub mod routing;
mod serve;
pub mod served;
pub(in crate::server) mod share;
mod stall;
pub mod supervise;
pub(in crate::server) mod tally;
pub mod tls;
mod unix;

#[cfg(test)]
mod tests;

pub use accesses::{Accesses, Endpoint};
pub use auth::{Access, Caller, Gate};
pub use backoff::Backoff;
pub use exposure::{AuthMode, ExposureError, check_api, check_exposure};
pub use health::Health;
pub use limits::Limits;
pub use listener::{Address, BindError, Listener, Sockets};
pub use metrics::Metrics;
pub use peer::{ClientAddr, LocalAddr, Peer, TrustedProxies};
pub use problem::Problem;
pub use request_id::RequestId;
pub use role::{Bound, Proto, Role};
pub use routing::{method_not_allowed, not_found, only};
pub use served::Shared;
pub use supervise::{Restarts, Supervisor};
pub use tls::Tls;
pub use unix::UnixError;
