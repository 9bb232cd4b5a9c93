//! The sockets of an interface.
//!
//! A client that renews asks its server alone; one that rebinds asks everybody (RFC 2131 section 4.3.6), and the two look
//! alike but for the address that they are sent to. So each of our addresses on the interface has a socket of its own,
//! which the kernel prefers for what is sent to that address. While it cannot be had, all is taken as sent to everybody.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::task::Poll;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;

use super::{PXE_PORT, SERVER_PORT};
use crate::server::common::buffers::make_room;

/// Packets that wait in the kernel while a thousand nodes power up at once; 300 bytes each, and the kernel's own.
const BUFFER: usize = 8 << 20;

/// A socket of an interface cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for DHCP on interface {interface}, port {port}")]
pub struct DhcpBindError {
    /// The interface.
    pub interface: String,
    /// The port.
    pub port: u16,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// The sockets of one interface.
#[derive(Debug)]
pub struct Interface {
    pub(super) name: Arc<str>,
    pub(super) server: Arc<UdpSocket>,
    pub(super) pxe: Arc<UdpSocket>,
}

impl Interface {
    /// Binds ports 67 and 4011 on an interface, which has to be there; it may come up and get its address later. Needs a
    /// runtime, and the right to bind to devices and low ports (root, or CAP_NET_RAW and CAP_NET_BIND_SERVICE).
    ///
    /// # Errors
    ///
    /// [`DhcpBindError`].
    pub fn bind(name: &str) -> Result<Self, DhcpBindError> {
        let socket = |port| {
            let bound = open(name, Ipv4Addr::UNSPECIFIED, port).and_then(UdpSocket::from_std);
            bound.map(Arc::new).map_err(|source| DhcpBindError { interface: name.to_owned(), port, source })
        };
        Ok(Self { name: name.into(), server: socket(SERVER_PORT)?, pxe: socket(PXE_PORT)? })
    }

    /// The name of the interface.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the sockets hear the interface of our name. They are bound to its index, and hear nothing for ever, without
    /// any error, once it was replaced by another of the same name.
    pub(super) fn is_the_same(&self) -> io::Result<()> {
        let now = SockRef::from(&*self.server).device()?;
        if now.as_deref() == Some(self.name.as_bytes()) {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::NotFound, "the interface has another name now"))
    }
}

/// A UDP socket that takes and sends packets of one interface only.
pub(super) fn open(interface: &str, address: Ipv4Addr, port: u16) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.bind_device(Some(interface.as_bytes()))?;
    socket.set_reuse_address(true)?;
    socket.set_broadcast(true)?;
    socket.set_nonblocking(true)?;
    make_room(&socket, BUFFER);
    socket.bind(&SocketAddr::from((address, port)).into())?;
    Ok(socket.into())
}

/// Waits until one of the sockets has something, and answers its number; for ever without any.
pub(super) async fn readable(sockets: &[(Ipv4Addr, Arc<UdpSocket>)]) -> usize {
    std::future::poll_fn(|context| {
        let ready = sockets.iter().position(|(_, socket)| socket.poll_recv_ready(context).is_ready());
        ready.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// Sends an answer. One that cannot be sent is lost like any other packet, and the client asks again.
pub(super) fn send(socket: &UdpSocket, bytes: &[u8], to: SocketAddrV4) {
    if let Err(error) = socket.try_send_to(bytes, to.into()) {
        tracing::debug!(to = %to, error = %error, "an answer could not be sent");
    }
}

/// Errors that a packet left behind, such as an ICMP message that nobody listens, are over with the next one.
pub(super) fn passing(error: io::Error) -> io::Result<()> {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted, NetworkUnreachable};
    match error.kind() {
        ConnectionRefused | ConnectionReset | HostUnreachable | NetworkUnreachable | Interrupted => Ok(()),
        _ => Err(error),
    }
}
