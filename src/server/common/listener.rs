//! Listeners: what is to be opened, and the sockets, all of them bound before any is served.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::limits::Limits;
use super::role::{Bound, Proto, Role};
use super::serve::{Socket, serve};
use super::served::{Served, Shared};
use super::tls::Tls;
use super::unix::{UnixError, UnixSocket};

/// Connections that the kernel keeps for us while we are at a limit: a rack of nodes that boots at once. The kernel cuts
/// it to its own bound.
const BACKLOG: u32 = 4096;

/// Where a listener listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A TCP address; port 0 is any free one.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A listener that is to be opened.
#[derive(Debug, Clone)]
pub struct Listener {
    /// What it is for.
    pub role: Role,
    /// Where it listens.
    pub address: Address,
    /// The certificate, where it speaks TLS.
    pub tls: Option<Arc<Tls>>,
    /// The host name by which clients know it, for its URL; its address where there is none.
    pub host: Option<String>,
    /// How much its peers may take.
    pub limits: Limits,
}

impl Listener {
    /// A plain listener of that role with the role's limits.
    #[must_use]
    pub fn tcp(role: Role, addr: SocketAddr) -> Self {
        Self { role, address: Address::Tcp(addr), tls: None, host: None, limits: Limits::of(role) }
    }

    /// A listener on a Unix socket with the role's limits. The directory of the socket is its owner's alone.
    #[must_use]
    pub fn unix(role: Role, path: impl Into<PathBuf>) -> Self {
        Self { role, address: Address::Unix(path.into()), tls: None, host: None, limits: Limits::of(role) }
    }
}

/// A socket that cannot be had, which is what ends a start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen on {addr} for the {role} role", role = role.name())]
    Tcp {
        /// What it was for.
        role: Role,
        /// The address as it was given.
        addr: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The Unix socket cannot be made.
    #[error(transparent)]
    Unix(#[from] UnixError),
}

/// Sockets that are bound and not yet served: connections wait in the kernel.
#[derive(Debug)]
pub struct Sockets(pub(super) Vec<(Listener, Socket)>);

impl Sockets {
    /// Binds all of them, in their order, or none.
    ///
    /// # Errors
    ///
    /// The first that cannot be had; those bound before it are closed again.
    pub fn bind(listeners: Vec<Listener>) -> Result<Self, BindError> {
        let mut sockets = Vec::with_capacity(listeners.len());
        for listener in listeners {
            let socket = match &listener.address {
                Address::Tcp(addr) => Socket::Tcp(bind_tcp(*addr).map_err(|source| BindError::Tcp {
                    role: listener.role,
                    addr: *addr,
                    source,
                })?),
                Address::Unix(path) => Socket::Unix(UnixSocket::bind(path)?),
            };
            sockets.push((listener, socket));
        }
        Ok(Self(sockets))
    }

    /// What is bound on the network, with real ports; Unix sockets are not in the list.
    #[must_use]
    pub fn bound(&self) -> Vec<Bound> {
        self.0
            .iter()
            .filter_map(|(listener, socket)| match socket {
                Socket::Tcp(socket) => Some(bound(listener, socket.local_addr().ok()?)),
                Socket::Unix(_) => None,
            })
            .collect()
    }

    /// Serves each listener with the router of its role until shutdown, then gives open requests the drain time of
    /// their listener. A role without a router answers 404.
    pub async fn run(self, routers: BTreeMap<Role, Router>, shared: Shared, shutdown: CancellationToken) {
        let mut serving = JoinSet::new();
        for (listener, socket) in self.0 {
            let router =
                routers.get(&listener.role).cloned().unwrap_or_else(|| Router::new().fallback(super::not_found));
            let served = Served { role: listener.role, limits: listener.limits, router, shared: shared.clone() };
            serving.spawn(serve(socket, listener.tls, Arc::new(served), shutdown.clone()));
        }
        while let Some(ended) = serving.join_next().await {
            if let Err(error) = ended {
                tracing::error!(error = %error, "a listener ended");
            }
        }
    }
}

fn bind_tcp(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // So that a restart need not wait for the connections of the last run to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

fn bound(listener: &Listener, addr: SocketAddr) -> Bound {
    let proto = if listener.tls.is_some() { Proto::Https } else { Proto::Http };
    let host = listener.host.clone().unwrap_or_else(|| match reachable(addr.ip()) {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    });
    Bound { role: listener.role, proto, addr, url: format!("{}://{host}:{}", proto.scheme(), addr.port()) }
}

/// Nobody can connect to the wildcard address, but whoever reads of it on this machine to loopback.
pub(in crate::server) fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback(role: Role, addr: &str) -> Listener {
        Listener::tcp(role, addr.parse().unwrap())
    }

    #[tokio::test]
    async fn port_zero_is_a_real_port_after_binding_and_urls_can_be_used() {
        let mut named = loopback(Role::Api, "127.0.0.1:0");
        named.host = Some("demo.example".into());
        let listeners = vec![
            loopback(Role::Boot, "127.0.0.1:0"),
            loopback(Role::Boot, "[::1]:0"),
            loopback(Role::Metrics, "0.0.0.0:0"),
            named,
        ];
        let bound = Sockets::bind(listeners).unwrap().bound();
        let ports: Vec<_> = bound.iter().map(|bound| bound.addr.port()).collect();
        assert!(ports.iter().all(|port| *port != 0));
        let urls: Vec<_> = bound.iter().map(|bound| bound.url.clone()).collect();
        assert_eq!(
            urls,
            [
                format!("http://127.0.0.1:{}", ports[0]),
                format!("http://[::1]:{}", ports[1]),
                format!("http://127.0.0.1:{}", ports[2]),
                format!("http://demo.example:{}", ports[3]),
            ]
        );
        assert_eq!(bound[2].addr.ip().to_string(), "0.0.0.0");
    }

    #[tokio::test]
    async fn a_taken_address_is_named_and_the_others_are_closed_again() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (taken_addr, free_addr) = (taken.local_addr().unwrap(), free.local_addr().unwrap());
        drop(free);
        let refused = Sockets::bind(vec![Listener::tcp(Role::Api, free_addr), Listener::tcp(Role::Boot, taken_addr)]);
        let message = refused.unwrap_err().to_string();
        assert_eq!(message, format!("cannot listen on {taken_addr} for the boot role"));
        assert!(Sockets::bind(vec![Listener::tcp(Role::Api, free_addr)]).is_ok());
    }
}
