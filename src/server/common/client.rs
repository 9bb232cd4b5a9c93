//! Who sends a request.

use std::net::IpAddr;

/// The address a request comes from, as an extension of the request. It is set where the connection is known; a handler
/// that finds none knows nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);
