//! Router advertisements (RFC 4861) that say that there is no router and nothing to configure.
//!
//! iPXE sets up IPv6 beside IPv4 and waits some thirteen seconds for an advertisement before it goes on; any will do. Ours
//! has a lifetime of zero and no prefix, so no machine takes us for a router or makes itself an address of it.

use std::io;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often an advertisement is sent that nobody asked for.
const UNASKED: Duration = Duration::from_secs(60);

/// Solicitations are answered to all at once, and not more often than this (RFC 4861, MIN_DELAY_BETWEEN_RAS is three
/// seconds for routers; a node that boots would wait for that).
const APART: Duration = Duration::from_millis(200);

/// Every node on the link, and every router on it.
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// The ICMPv6 type of a solicitation.
const SOLICITATION: u8 = 133;

/// An advertisement: type 134, code 0, the checksum, which the kernel fills in, no hop limit, no flags (nothing is to be
/// asked of DHCPv6), and zero for the lifetime and both timers.
const ADVERTISEMENT: [u8; 16] = [134, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The socket of an interface.
#[derive(Debug)]
pub struct Advertiser {
    /// A raw socket, which is read and written by the same calls as one of UDP.
    socket: UdpSocket,
    to: SocketAddrV6,
}

impl Advertiser {
    /// Opens a raw ICMPv6 socket on an interface. Needs a runtime, and root or CAP_NET_RAW.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn bind(interface: &str) -> io::Result<Self> {
        let index = std::fs::read_to_string(Path::new("/sys/class/net").join(interface).join("ifindex"))?;
        let index = index.trim().parse().map_err(io::Error::other)?;
        let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
        socket.bind_device(Some(interface.as_bytes()))?;
        socket.set_nonblocking(true)?;
        socket.set_multicast_hops_v6(255)?;
        socket.join_multicast_v6(&ALL_ROUTERS, index)?;
        Ok(Self { socket: UdpSocket::from_std(socket.into())?, to: SocketAddrV6::new(ALL_NODES, 0, 0, index) })
    }

    /// Advertises now and then, and whenever a machine asks, until `shutdown`.
    ///
    /// # Errors
    ///
    /// When the socket cannot be read any more.
    pub async fn run(&self, shutdown: &CancellationToken) -> io::Result<()> {
        let mut unasked = interval(UNASKED);
        unasked.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last: Option<Instant> = None;
        loop {
            let asked = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = unasked.tick() => true,
                ready = self.socket.readable() => { ready?; self.is_asked()? }
            };
            if asked && last.is_none_or(|last| last.elapsed() >= APART) {
                self.send();
                last = Some(Instant::now());
            }
        }
    }

    /// Reads a message. True when it is a solicitation.
    fn is_asked(&self) -> io::Result<bool> {
        let mut buffer = [0; 64];
        match self.socket.try_recv_from(&mut buffer) {
            Ok((length, _)) => Ok(length >= 8 && buffer[0] == SOLICITATION),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn send(&self) {
        // An interface without a link-local address cannot send yet; the next turn may.
        if let Err(error) = self.socket.try_send_to(&ADVERTISEMENT, SocketAddr::from(self.to)) {
            tracing::debug!(error = %error, "no router advertisement could be sent");
        }
    }
}
