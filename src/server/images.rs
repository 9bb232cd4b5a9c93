//! Images: kernels, initrds and root file systems below a directory, over plain HTTP/1.1, in the place of nginx.
//!
//! `GET` and `HEAD` of regular files, with one or several ranges, conditions and strong `ETag`s (RFC 9110); nothing is
//! listed, and no name leads out of the directory. Files go from the page cache to the socket by `sendfile`. A request
//! with a body is refused.
//!
//! It runs on threads of its own: one that waits for a disk holds up neither DHCP nor boot scripts. [`Rates`] are
//! ceilings for all images together and for each, which is the directory that a file is in.

mod answer;
mod connection;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod range;
mod rate;
mod request;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::rate::Ceilings;
pub use self::rate::Rates;
use super::common::listener::reachable;
use super::common::metrics::Figure;
use super::common::role::{Bound, Proto, Role};
use super::common::share::Shares;
use super::common::{Backoff, BindError, Limits, Metrics};
use crate::directory::Directory;

/// Connections that the kernel keeps for us while all places are taken.
const BACKLOG: u32 = 4096;

/// Threads that send, at least and at most. More than one, so that one that waits for a disk leaves others.
const THREADS: (usize, usize) = (2, 8);

/// What to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 is any free one.
    pub addresses: Vec<SocketAddr>,
    /// The directory that is served at `/`.
    pub directory: PathBuf,
    /// Ceilings of bandwidth.
    pub rates: Rates,
}

/// An image server with its sockets bound. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Images {
    listeners: Arc<[TcpListener]>,
    shared: Arc<Shared>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    directory: Directory,
    ceilings: Ceilings,
    limits: Limits,
    metrics: Metrics,
    budget: Arc<Semaphore>,
    shares: Arc<Shares>,
    /// Bytes of files that were sent.
    sent: Arc<AtomicU64>,
}

impl Shared {
    fn count(&self, status: u16, took: Duration) {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.metrics.answered(Role::Images, "/", status, took);
    }
}

impl Images {
    /// Binds all addresses, or none.
    ///
    /// # Errors
    ///
    /// The first that cannot be had.
    pub fn bind(settings: Settings, metrics: Metrics) -> Result<Self, BindError> {
        let bind = |addr: &SocketAddr| {
            bind(*addr).map_err(|source| BindError::Tcp { role: Role::Images, addr: *addr, source })
        };
        let listeners = settings.addresses.iter().map(bind).collect::<Result<_, _>>()?;
        let limits = Limits::of(Role::Images);
        let sent = Arc::new(AtomicU64::new(0));
        let read = sent.clone();
        let read = move || read.load(Ordering::Relaxed);
        metrics.show([Figure::total("ochami_sync_images_sent_bytes_total", "Bytes of images sent.", read)]);
        let shared = Shared {
            directory: Directory::new(settings.directory),
            ceilings: Ceilings::new(settings.rates),
            limits,
            metrics,
            budget: Arc::new(Semaphore::new(limits.connections)),
            shares: Arc::default(),
            sent,
        };
        Ok(Self { listeners, shared: Arc::new(shared) })
    }

    /// What is bound, with real ports.
    #[must_use]
    pub fn bound(&self) -> Vec<Bound> {
        let bound = |addr: SocketAddr| {
            let shown = SocketAddr::new(reachable(addr.ip()), addr.port());
            Bound { role: Role::Images, proto: Proto::Http, addr, url: format!("http://{shown}") }
        };
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).map(bound).collect()
    }

    /// Serves on threads of its own until shutdown, then gives answers under way some seconds to end.
    ///
    /// # Errors
    ///
    /// The threads cannot be had.
    pub async fn run(self, shutdown: CancellationToken) -> io::Result<()> {
        // Dropping this future ends the threads, too.
        let ending = shutdown.child_token();
        let _ends = ending.clone().drop_guard();
        let (ended, end) = oneshot::channel();
        thread::Builder::new().name("images".to_owned()).spawn(move || {
            let served = self.serve(ending);
            // Nobody waits any more when the future was dropped.
            let _ = ended.send(served);
        })?;
        end.await.unwrap_or_else(|_| Err(io::Error::other("the image server ended without a word")))
    }

    fn serve(self, shutdown: CancellationToken) -> io::Result<()> {
        let threads =
            thread::available_parallelism().map_or(THREADS.0, |cores| cores.get().clamp(THREADS.0, THREADS.1));
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(threads).thread_name("images").enable_all().build()?;
        let served = runtime.block_on(async {
            let mut serving = tokio::task::JoinSet::new();
            for listener in self.listeners.iter() {
                let listener = tokio::net::TcpListener::from_std(listener.try_clone()?)?;
                serving.spawn(accept(listener, self.shared.clone(), shutdown.clone()));
            }
            serving.join_all().await;
            Ok(())
        });
        // A thread may hang in a disk that does not answer.
        runtime.shutdown_background();
        served
    }
}

/// Accepts connections until shutdown, then waits for them at most for the drain time.
async fn accept(listener: tokio::net::TcpListener, shared: Arc<Shared>, shutdown: CancellationToken) {
    let (connections, abort) = (TaskTracker::new(), CancellationToken::new());
    let mut pauses = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
    loop {
        let next = async {
            // Room first: connections without room wait in the kernel, where they cost us nothing.
            let permit = shared.budget.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let Some((Ok(permit), accepted)) = shutdown.run_until_cancelled(next).await else { break };
        let (stream, peer) = match accepted {
            Ok((stream, peer)) => (stream, peer.ip().to_canonical()),
            Err(error) => {
                let pause = pauses.pause();
                tracing::warn!(error = %error, retry.millis = pause.as_millis(), "no connection for images can be accepted");
                tokio::time::sleep(pause).await;
                continue;
            }
        };
        pauses.reset();
        let Some(place) = shared.shares.take(peer, shared.limits.per_peer) else { continue };
        let (shared, shutdown) = (shared.clone(), shutdown.clone());
        connections.spawn(abort.clone().run_until_cancelled_owned(async move {
            let _room = (permit, place);
            serve(stream, peer, &shared, &shutdown).await;
        }));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(shared.limits.drain, connections.wait()).await.is_err() {
        tracing::warn!(connections.left = connections.len(), "connections for images are cut at shutdown");
        abort.cancel();
        connections.wait().await;
    }
}

async fn serve(stream: TcpStream, peer: IpAddr, shared: &Shared, shutdown: &CancellationToken) {
    let _open = shared.metrics.connected(Role::Images);
    if stream.set_nodelay(true).is_ok() {
        connection::speak(stream, peer, shared, shutdown).await;
    }
}

fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)?.into_std()
}
