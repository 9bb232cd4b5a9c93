//! The way to one client: a port of its own (RFC 1350), or the port that all share.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::packet::{self, Packet};
use crate::server::common::linger::{Linger, MOMENT};

/// Answers of a client that wait for its transfer on the shared port; a client has at most a few on their way.
pub(super) const INBOX: usize = 16;

/// What a client answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// It has this block.
    Acknowledge(u16),
    /// It wants no more.
    Error(u16),
}

impl Reply {
    /// The answer in a packet, if it is one.
    pub(super) fn of(packet: &Packet) -> Option<Self> {
        match packet {
            Packet::Acknowledge(block) => Some(Self::Acknowledge(*block)),
            Packet::Error(code) => Some(Self::Error(*code)),
            Packet::Read(_) | Packet::Refused(..) | Packet::Noise => None,
        }
    }
}

/// The most packets into which Linux cuts what it is given at once, on every kernel that does it.
const SEGMENTS: usize = 64;

/// The most bytes that UDP over IPv4 takes at once.
const LARGEST: usize = 65_507;

/// The way to one client.
pub(super) enum Link {
    /// A connected socket: the kernel keeps everybody else's packets away.
    Own(UdpSocket),
    /// The socket of the server, which passes on what this client sends.
    Shared(Arc<UdpSocket>, SocketAddr, mpsc::Receiver<Reply>),
}

impl Link {
    /// A port of its own at our address `local`; any address that leads to the client where that is the wildcard.
    pub(super) async fn own(local: IpAddr, client: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((local, 0)).await?;
        socket.connect(client).await?;
        Ok(Self::Own(socket))
    }

    /// Has the kernel cut what is sent into packets of `size` bytes (generic segmentation offload, Linux 4.18): many
    /// packets then go through it as one. Tells how many of them may be sent at once; one where it does not do that.
    pub(super) fn segment(&self, size: usize) -> usize {
        let at_once = SEGMENTS.min(LARGEST / size);
        match (self, i32::try_from(size)) {
            (Self::Own(socket), Ok(size)) if at_once > 1 && setsockopt(socket, UdpGsoSegment, &size).is_ok() => at_once,
            _ => 1,
        }
    }

    /// Has every packet sent as it is. A packet that is larger than what the network takes is cut by IP, which the
    /// kernel refuses to do with [`Self::segment`].
    ///
    /// # Errors
    ///
    /// The kernel does not know of [`Self::segment`].
    pub(super) fn do_not_segment(&self) -> io::Result<()> {
        match self {
            Self::Own(socket) => Ok(setsockopt(socket, UdpGsoSegment, &0)?),
            Self::Shared(..) => Ok(()),
        }
    }

    pub(super) async fn send(&self, packet: &[u8]) -> io::Result<()> {
        // The kernel nearly always takes it at once, which spares a look at the readiness of the socket.
        let tried = match self {
            Self::Own(socket) => socket.try_send(packet),
            Self::Shared(socket, client, _) => socket.try_send_to(packet, *client),
        };
        match (tried, self) {
            (Err(error), Self::Own(socket)) if error.kind() == io::ErrorKind::WouldBlock => socket.send(packet).await,
            (Err(error), Self::Shared(socket, client, _)) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.send_to(packet, *client).await
            }
            (tried, _) => tried,
        }
        .map(|_| ())
    }

    /// The client's next answer. What is none is passed over. Called after sending, it does not sleep for a moment.
    ///
    /// # Errors
    ///
    /// The client's machine says that nobody listens there any more, or the server ends.
    pub(super) async fn receive(&mut self) -> io::Result<Reply> {
        let mut linger = Linger::new(MOMENT);
        linger.begin();
        let mut receiving = pin!(self.received());
        poll_fn(|context| {
            let polled = receiving.as_mut().poll(context);
            linger.pass(context, polled)
        })
        .await
    }

    async fn received(&mut self) -> io::Result<Reply> {
        match self {
            Self::Own(socket) => {
                let mut bytes = [0; 128];
                loop {
                    let len = socket.recv(&mut bytes).await?;
                    if let Some(reply) = Reply::of(&packet::parse(&bytes[..len])) {
                        return Ok(reply);
                    }
                }
            }
            Self::Shared(_, _, inbox) => inbox.recv().await.ok_or_else(|| io::ErrorKind::BrokenPipe.into()),
        }
    }
}
