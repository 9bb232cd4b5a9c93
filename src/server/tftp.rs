//! TFTP for firmware: RFC 1350 with options (2347), block size (2348), timeout and size (2349) and windows (7440).
//!
//! Files are read and never written. Where they come from, and which names have none behind them, is what [`Loaders`]
//! says; no error tells a path of this machine.
//!
//! Each transfer is a task with a port of its own, or with the server's port in single-port mode, which is for networks
//! whose firewalls know no TFTP. There are at most [`Limits::connections`](super::common::Limits) of them at a time and
//! [`Settings::per_client`] of one client; a request beyond that is not answered, so the client asks again later, and
//! takes the place of a transfer that nobody seems to want any more. A flood of requests from one address is not looked at
//! beyond a share of each second.

mod active;
mod blocks;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod heard;
mod limits;
mod link;
mod listener;
mod options;
mod packet;
#[cfg(test)]
mod tests;
mod transfer;
mod window;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::link::allow_fragments;
use self::listener::{Listener, Room};
use super::common::buffers::make_room;
use super::common::listener::reachable;
use super::common::metrics::{Counter, Figure};
use super::common::role::{Bound, Proto, Role};
use super::common::{BindError, Limits};
use crate::loaders::Loaders;

/// Room for requests that come while we look elsewhere, in bytes: some thousands.
const REQUEST_BUFFER: usize = 4 << 20;

/// What to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 is any free one.
    pub addresses: Vec<SocketAddr>,
    /// Send everything from the port that is listened on.
    pub single_port: bool,
    /// Transfers that one client may have at a time.
    pub per_client: usize,
}

impl Settings {
    /// The usual settings for these addresses.
    #[must_use]
    pub fn new(addresses: Vec<SocketAddr>) -> Self {
        Self { addresses, single_port: false, per_client: Limits::of(Role::Tftp).per_peer }
    }
}

/// A TFTP server with its sockets bound.
#[derive(Debug, Clone)]
pub struct Tftp {
    listeners: Vec<Arc<Listener>>,
    room: Room,
}

impl Tftp {
    /// Binds all addresses, or none.
    ///
    /// # Errors
    ///
    /// The first that cannot be had.
    pub fn bind(settings: &Settings, loaders: &Loaders) -> Result<Self, BindError> {
        let limits = Limits::of(Role::Tftp);
        let budget = Arc::new(Semaphore::new(limits.connections));
        let room = Room { budget, shares: Arc::default(), active: Arc::default(), ends: Counter::default() };
        let listener = |(number, addr): (usize, &SocketAddr)| {
            let socket = bind(*addr).map_err(|source| BindError::Tcp { role: Role::Tftp, addr: *addr, source })?;
            Ok::<_, BindError>(Arc::new(Listener::new(number, socket, loaders.clone(), room.clone(), settings)))
        };
        let listeners = settings.addresses.iter().enumerate().map(listener).collect::<Result<_, _>>()?;
        Ok(Self { listeners, room })
    }

    /// The figures of all ports together.
    #[must_use]
    pub fn figures(&self) -> [Figure; 2] {
        let (budget, most) = (self.room.budget.clone(), Limits::of(Role::Tftp).connections);
        let under_way = move || most.saturating_sub(budget.available_permits()) as u64;
        [
            Figure::by_word("ochami_sync_tftp_requests_total", "TFTP requests by their end.", "end", &self.room.ends),
            Figure::gauge("ochami_sync_tftp_transfers", "TFTP transfers under way.", under_way),
        ]
    }

    /// What is bound, with real ports.
    #[must_use]
    pub fn bound(&self) -> Vec<Bound> {
        let bound = |addr: SocketAddr| {
            let shown = SocketAddr::new(reachable(addr.ip()), addr.port());
            Bound { role: Role::Tftp, proto: Proto::Tftp, addr, url: format!("tftp://{shown}") }
        };
        self.listeners.iter().filter_map(|listener| listener.address().ok()).map(bound).collect()
    }

    /// Serves until shutdown, then gives transfers under way some seconds to end. Can be run again when it was dropped.
    ///
    /// # Errors
    ///
    /// None; the type is that of a task which may be started again.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Infallible> {
        let mut serving = JoinSet::new();
        for listener in self.listeners {
            serving.spawn(listener.run(shutdown.clone()));
        }
        while let Some(ended) = serving.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
        Ok(())
    }
}

fn bind(addr: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        // An address is of the family that it is written in, so that both can be listened on side by side.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    make_room(&socket, REQUEST_BUFFER);
    socket.bind(&addr.into())?;
    let socket = UdpSocket::from_std(socket.into())?;
    allow_fragments(&socket, true);
    Ok(socket)
}
