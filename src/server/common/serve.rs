//! Accepting connections: within a budget, through failures, until shutdown.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::backoff::Backoff;
use super::connection;
use super::peer::{LocalAddr, Peer};
use super::served::Served;
use super::share::{Place, Shares};
use super::tls::Tls;
use super::unix::UnixSocket;

/// How long to wait when the process has no file or memory for one more connection: others have to end first.
const ACCEPT_PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));

/// A bound socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    Unix(UnixSocket),
}

impl Served {
    /// The connection's place in its peer's share: none where shares do not apply. The outer none turns it away.
    fn place(&self, shares: &Arc<Shares>, accepted: &Accepted) -> Option<Option<Place>> {
        let Accepted::Tcp(_, Peer::Tcp(peer), _) = accepted else { return Some(None) };
        if self.shared.trusted_proxies.contains(peer.ip()) {
            return Some(None);
        }
        let place = shares.take(peer.ip(), self.limits.per_peer);
        if place.is_none() {
            tracing::debug!(peer = %peer, role = self.role.name(), "a peer has too many connections");
        }
        place.map(Some)
    }
}

/// An accepted connection.
enum Accepted {
    Tcp(tokio::net::TcpStream, Peer, Option<LocalAddr>),
    Unix(tokio::net::UnixStream, Peer),
}

/// Serves a socket until shutdown, then waits for its connections at most for the drain time.
pub(super) async fn serve(socket: Socket, tls: Option<Arc<Tls>>, served: Arc<Served>, shutdown: CancellationToken) {
    let budget = Arc::new(Semaphore::new(served.limits.connections));
    let (connections, abort) = (TaskTracker::new(), CancellationToken::new());
    let mut pauses = ACCEPT_PAUSES;
    let shares = Arc::new(Shares::default());
    while let Some((accepted, permit)) = next(&socket, &budget, &mut pauses, &shutdown).await {
        let Some(place) = served.place(&shares, &accepted) else { continue };
        let serving = Serving { tls: tls.clone(), served: served.clone(), shutdown: shutdown.clone() };
        connections.spawn(abort.clone().run_until_cancelled_owned(serving.run(accepted, (permit, place))));
    }
    // A closed socket tells clients at once that nobody will answer.
    drop(socket);
    connections.close();
    if tokio::time::timeout(served.limits.drain, connections.wait()).await.is_err() {
        tracing::warn!(
            role = served.role.name(),
            connections.left = connections.len(),
            "connections are cut at shutdown"
        );
        abort.cancel();
        connections.wait().await;
    }
}

/// The next connection that there is room for; none once shutdown has come.
async fn next(
    socket: &Socket,
    budget: &Arc<Semaphore>,
    pauses: &mut Backoff,
    shutdown: &CancellationToken,
) -> Option<(Accepted, OwnedSemaphorePermit)> {
    let taken = async {
        // Room first, then the connection: those without room wait in the kernel, where they cost us nothing.
        let permit = budget.clone().acquire_owned().await.ok()?;
        loop {
            match accept(socket).await {
                Ok(Some(accepted)) => {
                    pauses.reset();
                    return Some((accepted, permit));
                }
                Ok(None) => {}
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    let pause = pauses.pause();
                    tracing::warn!(error = %error, retry.millis = pause.as_millis(), "no connection can be accepted");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    };
    shutdown.run_until_cancelled(taken).await.flatten()
}

async fn accept(socket: &Socket) -> std::io::Result<Option<Accepted>> {
    match socket {
        Socket::Tcp(listener) => {
            let (stream, mut addr) = listener.accept().await?;
            addr.set_ip(addr.ip().to_canonical());
            // Answers are small and written at once; waiting for more to send would only delay them.
            stream.set_nodelay(true)?;
            let local = stream.local_addr().ok().map(|addr| LocalAddr(addr.ip().to_canonical()));
            Ok(Some(Accepted::Tcp(stream, Peer::Tcp(addr), local)))
        }
        Socket::Unix(socket) => {
            let (stream, uid) = socket.accept().await?;
            if !socket.admits(uid) {
                tracing::warn!(peer.uid = uid, "a user who may not was turned away from the local API");
                return Ok(None);
            }
            Ok(Some(Accepted::Unix(stream, Peer::Unix { uid })))
        }
    }
}

/// Whether an error belongs to the connection that was to be accepted, so that the next can be had at once. All others,
/// above all too many open files, would repeat themselves at once.
fn is_of_one_connection(error: &std::io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput, NotConnected};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | InvalidInput | NotConnected
    )
}

/// What one connection needs.
struct Serving {
    tls: Option<Arc<Tls>>,
    served: Arc<Served>,
    shutdown: CancellationToken,
}

impl Serving {
    async fn run(self, accepted: Accepted, _room: (OwnedSemaphorePermit, Option<Place>)) {
        let _open = self.served.shared.metrics.connected(self.served.role);
        match accepted {
            Accepted::Unix(stream, peer) => self.speak(stream, peer, None).await,
            Accepted::Tcp(stream, peer, local) => match &self.tls {
                None => self.speak(stream, peer, local).await,
                Some(tls) => {
                    let handshake = tokio::time::timeout(self.served.limits.handshake, tls.acceptor().accept(stream));
                    match self.shutdown.run_until_cancelled(handshake).await {
                        Some(Ok(Ok(stream))) => self.speak(stream, peer, local).await,
                        Some(Ok(Err(error))) => tracing::debug!(peer = %peer, error = %error, "no TLS handshake"),
                        Some(Err(_)) => tracing::debug!(peer = %peer, "the TLS handshake took too long"),
                        None => {}
                    }
                }
            },
        }
    }

    async fn speak(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: Peer, local: Option<LocalAddr>) {
        connection::speak(stream, (peer, local), &self.served, &self.shutdown).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_of_a_single_connection_are_passed_over_without_a_pause() {
        let by_number = std::io::Error::from_raw_os_error;
        let (connection_aborted, too_many_files, too_many_in_system, no_memory) = (103, 24, 23, 12);
        assert!(is_of_one_connection(&by_number(connection_aborted)));
        for number in [too_many_files, too_many_in_system, no_memory] {
            assert!(!is_of_one_connection(&by_number(number)), "{number}");
        }
    }
}
