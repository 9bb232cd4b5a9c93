//! How much and how long a peer may take, by role.

use std::time::Duration;

use super::body::{BODY_LIMIT, BODY_TIMEOUT, LOCAL_BODY_LIMIT};
use super::role::Role;

/// The bounds of one listener. Every one of them ends a connection or a request of a peer that goes beyond it, never
/// the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections that are open at a time. Those beyond wait in the kernel's queue until one ends.
    pub connections: usize,
    /// Connections that one peer may have open; one more is closed at once. Trusted proxies speak for many and have no
    /// such limit.
    pub per_peer: usize,
    /// How long a connection may take to send a request's head, its idle time after the answer before included.
    pub head: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// The largest head, in bytes.
    pub head_bytes: usize,
    /// The longest path with its query, in bytes.
    pub uri_bytes: usize,
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// How long a whole body may take to arrive.
    pub body: Duration,
    /// How long an answer may take to begin; none for requests that wait for long work. Sending it is not counted.
    pub request: Option<Duration>,
    /// How long a peer may take none of the bytes we have for it.
    pub stall: Duration,
    /// How long open requests have to end once the listener shuts down.
    pub drain: Duration,
}

/// These four roles together stay below 1024, the number of files a process may usually have open, with room for the
/// database, the watcher and outgoing connections: a flood of one role can neither starve another nor the process.
const API_CONNECTIONS: usize = 256;
const BOOT_CONNECTIONS: usize = 512;
/// A booting node needs one or two, a rack behind an address translator many. A machine that floods leaves most of them to
/// others, and loses those on which it asks nothing within seconds.
const BOOT_PER_PEER: usize = 128;
const METRICS_CONNECTIONS: usize = 16;
const LOCAL_CONNECTIONS: usize = 32;

/// Nodes that fetch an image at once, each over one or two connections with a file each. The process is allowed more
/// files at its start where the system lets it (see `app`); where it does not, those beyond wait in the kernel.
const IMAGE_CONNECTIONS: usize = 4096;
const IMAGE_PER_PEER: usize = 128;
/// Transfers at a time. Each has a socket and at most a quarter of a megabyte.
const TFTP_TRANSFERS: usize = 2048;
/// A rack behind an address translator asks from one address; a flood from there leaves half of them to others.
const TFTP_PER_PEER: usize = 1024;

/// A booting node sends no bodies at all.
const BOOT_BODY: usize = 64 * 1024;

impl Limits {
    /// The limits of a running service.
    #[must_use]
    pub const fn of(role: Role) -> Self {
        let api = Self {
            connections: API_CONNECTIONS,
            per_peer: API_CONNECTIONS,
            head: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            head_bytes: 64 * 1024,
            uri_bytes: 32 * 1024,
            body_bytes: BODY_LIMIT,
            body: BODY_TIMEOUT,
            request: Some(Duration::from_secs(60)),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        };
        match role {
            Role::Api => api,
            // Thousands of nodes start at once and ask little, so a connection is given to the next one soon.
            Role::Boot => Self {
                connections: BOOT_CONNECTIONS,
                per_peer: BOOT_PER_PEER,
                head: Duration::from_secs(5),
                body_bytes: BOOT_BODY,
                ..api
            },
            Role::Images => Self {
                connections: IMAGE_CONNECTIONS,
                per_peer: IMAGE_PER_PEER,
                head_bytes: 16 * 1024,
                body_bytes: 0,
                ..api
            },
            // Its connections are transfers.
            Role::Tftp => Self { connections: TFTP_TRANSFERS, per_peer: TFTP_PER_PEER, body_bytes: 0, ..api },
            Role::Metrics => Self { connections: METRICS_CONNECTIONS, body_bytes: BOOT_BODY, ..api },
            // An apply to a large cluster takes as long as it takes, and its peer is an administrator.
            Role::Local => Self { connections: LOCAL_CONNECTIONS, request: None, body_bytes: LOCAL_BODY_LIMIT, ..api },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_that_are_always_served_leave_files_for_the_rest_of_the_process() {
        let roles = [Role::Api, Role::Boot, Role::Metrics, Role::Local];
        let sum: usize = roles.into_iter().map(|role| Limits::of(role).connections).sum();
        assert!(sum <= 1024 - 128, "{sum}");
    }
}
