//! The way to one client: a port of its own (RFC 1350), or the port that all share.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
use rustix::io::Errno;
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};
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
pub(super) struct Link {
    way: Way,
    /// Begins when something was sent.
    linger: Linger,
}

enum Way {
    /// A connected socket: the kernel keeps everybody else's packets away.
    Own(UdpSocket),
    /// The socket of the server, which passes on what this client sends.
    Shared(Arc<UdpSocket>, SocketAddr, mpsc::Receiver<Reply>),
}

impl Link {
    /// A port of its own at our address `local`; any address that leads to the client where that is the wildcard.
    pub(super) async fn own(local: IpAddr, client: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind((local, 0)).await?;
        allow_fragments(&socket, true);
        socket.connect(client).await?;
        Ok(Self::by(Way::Own(socket)))
    }

    /// The server's own port, which passes on to `inbox` what the client sends.
    pub(super) fn shared(socket: Arc<UdpSocket>, client: SocketAddr, inbox: mpsc::Receiver<Reply>) -> Self {
        Self::by(Way::Shared(socket, client, inbox))
    }

    fn by(way: Way) -> Self {
        Self { way, linger: Linger::new(MOMENT) }
    }

    /// Has the kernel cut what is sent into packets of `size` bytes (generic segmentation offload, Linux 4.18): many
    /// packets then go through it as one. Tells how many of them may be sent at once; one where it does not do that.
    pub(super) fn segment(&self, size: usize) -> usize {
        let at_once = SEGMENTS.min(LARGEST / size);
        match (&self.way, i32::try_from(size)) {
            (Way::Own(socket), Ok(size)) if at_once > 1 && setsockopt(socket, UdpGsoSegment, &size).is_ok() => {
                // Linux gives the packets of one send the identifications n, n + 1 and so on, and those of the next one
                // n + 1 and so on, so fragments of different packets could be taken for one (RFC 6864, section 4).
                allow_fragments(socket, false);
                at_once
            }
            _ => 1,
        }
    }

    /// Has every packet sent as it is. A packet that is larger than what the network takes is cut by IP, which is not
    /// done with [`Self::segment`].
    ///
    /// # Errors
    ///
    /// The kernel does not know of [`Self::segment`].
    pub(super) fn do_not_segment(&self) -> io::Result<()> {
        let Way::Own(socket) = &self.way else { return Ok(()) };
        setsockopt(socket, UdpGsoSegment, &0)?;
        allow_fragments(socket, true);
        // What was reported of the packets before says nothing of those to come.
        socket.take_error().map(|_| ())
    }

    pub(super) async fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        // The kernel nearly always takes it at once, which spares a look at the readiness of the socket.
        let tried = match &self.way {
            Way::Own(socket) => socket.try_send(packet),
            Way::Shared(socket, client, _) => socket.try_send_to(packet, *client),
        };
        match (tried, &self.way) {
            (Err(error), Way::Own(socket)) if error.kind() == io::ErrorKind::WouldBlock => socket.send(packet).await,
            (Err(error), Way::Shared(socket, client, _)) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.send_to(packet, *client).await
            }
            (tried, _) => tried,
        }?;
        self.linger.begin();
        Ok(())
    }

    /// The client's next answer. What is none is passed over. Called after sending, it does not sleep for a moment.
    ///
    /// # Errors
    ///
    /// The client's machine says that nobody listens there any more, or the server ends.
    pub(super) async fn receive(&mut self) -> io::Result<Reply> {
        let Self { way, linger } = self;
        let mut receiving = pin!(way.received());
        poll_fn(|context| {
            let polled = receiving.as_mut().poll(context);
            linger.pass(context, polled)
        })
        .await
    }
}

impl Way {
    async fn received(&mut self) -> io::Result<Reply> {
        match self {
            Self::Own(socket) => {
                let mut bytes = [0; 128];
                loop {
                    let len = match socket.recv(&mut bytes).await {
                        Ok(len) => len,
                        // A network on the way did not take a packet of ours. What is lost is sent again in time.
                        Err(error) if error.raw_os_error() == Some(Errno::MSGSIZE.raw_os_error()) => continue,
                        Err(error) => return Err(error),
                    };
                    if let Some(reply) = Reply::of(&packet::parse(&bytes[..len])) {
                        return Ok(reply);
                    }
                }
            }
            Self::Shared(_, _, inbox) => inbox.recv().await.ok_or_else(|| io::ErrorKind::BrokenPipe.into()),
        }
    }
}

/// Whether a packet that is larger than what a network on its way takes is cut there. By default it is lost and reported,
/// and who is behind a firewall that swallows such reports never gets it. A kernel that has no such option does what it
/// always does.
pub(super) fn allow_fragments(socket: &UdpSocket, allowed: bool) {
    let _ = match socket.local_addr() {
        Ok(SocketAddr::V4(_)) => {
            set_ip_mtu_discover(socket, if allowed { Ipv4PathMtuDiscovery::DONT } else { Ipv4PathMtuDiscovery::DO })
        }
        // Only the sender cuts packets of IPv6, and so it does with what it was told.
        Ok(SocketAddr::V6(_)) => {
            set_ipv6_mtu_discover(socket, if allowed { Ipv6PathMtuDiscovery::DONT } else { Ipv6PathMtuDiscovery::DO })
        }
        Err(_) => Ok(()),
    };
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Wake};

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

    /// A link to a client, and the client.
    fn linked() -> (Runtime, Link, std::net::UdpSocket) {
        let client = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let link = runtime.block_on(Link::own(Ipv4Addr::LOCALHOST.into(), client.local_addr().unwrap())).unwrap();
        (runtime, link, client)
    }

    /// Whether a look for an answer that finds none has its task look again.
    fn looks_again(link: &mut Link) -> bool {
        struct Woken(AtomicBool);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        assert!(pin!(link.receive()).poll(&mut Context::from_waker(&woken.clone().into())).is_pending());
        woken.0.load(Ordering::Relaxed)
    }

    #[test]
    fn only_after_sending_is_the_answer_looked_for_again_and_again() {
        let (runtime, mut link, client) = linked();
        assert!(!looks_again(&mut link), "nothing was sent yet");
        // The moment is so short that it may be over before we look.
        let looked = (0..10_000).any(|_| {
            runtime.block_on(link.send(b"block")).unwrap();
            looks_again(&mut link)
        });
        assert!(looked);
        let (_, ours) = client.recv_from(&mut [0; 16]).unwrap();
        client.send_to(&[0, 4, 0, 1], ours).unwrap();
        assert_eq!(runtime.block_on(link.receive()).unwrap(), Reply::Acknowledge(1));
        assert!(!looks_again(&mut link), "an answer to which nothing was sent");
    }
}
