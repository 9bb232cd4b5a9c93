//! Real sockets: what peers may do to a listener, and what it does to them.
//!
//! Waits are bounded by [`PATIENCE`] and end on a condition; the limits under test are short.

mod hostile;
mod http;
mod life;
mod tls;

use std::collections::BTreeMap;
use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::{Limits, Listener, Metrics, Role, Shared, Sockets};

/// How long a condition may take to come about before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that will come about.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// A server of one or more listeners.
struct Server {
    addrs: Vec<SocketAddr>,
    shared: Shared,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl Server {
    /// Serves a router on one listener of the API role, with changed limits.
    fn start(router: Router, change: impl FnOnce(&mut Limits)) -> Self {
        let mut listener = Listener::tcp(Role::Api, "127.0.0.1:0".parse().unwrap());
        change(&mut listener.limits);
        Self::serve(vec![listener], router, Shared::default())
    }

    /// Serves a router on all of these listeners, whatever their roles.
    fn serve(listeners: Vec<Listener>, router: Router, shared: Shared) -> Self {
        Self::run(Sockets::bind(listeners).unwrap(), router, shared)
    }

    fn run(sockets: Sockets, router: Router, shared: Shared) -> Self {
        let addrs = sockets.bound().iter().map(|bound| bound.addr).collect();
        let shutdown = CancellationToken::new();
        let roles = [Role::Api, Role::Boot, Role::Metrics, Role::Local];
        let routers: BTreeMap<_, _> = roles.into_iter().map(|role| (role, router.clone())).collect();
        let running = tokio::spawn(sockets.run(routers, shared.clone(), shutdown.clone()));
        Self { addrs, shared, shutdown, running }
    }

    /// A connection to the first listener.
    async fn connect(&self) -> TcpStream {
        within("connected", TcpStream::connect(self.addrs[0])).await.unwrap()
    }

    /// What comes back, up to the end of the connection, for these bytes on a connection of their own.
    async fn send(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // A peer that is refused early may find the connection closed while it still writes.
        let _ = stream.write_all(bytes.as_ref()).await;
        read_to_end(&mut stream).await
    }

    /// Asserts that it still answers.
    async fn answers(&self) {
        let answer = self.send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 "), "{answer:?}");
    }

    async fn stop(self) {
        self.shutdown.cancel();
        within("the server ends", self.running).await.unwrap();
    }

    fn connections(&self, role: Role) -> i64 {
        let name = format!("ochami_sync_http_connections{{role=\"{}\"}} ", role.name());
        let text = self.shared.metrics.render();
        text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
    }
}

/// All that comes until the peer closes, or breaks off.
async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = within("the connection ends", stream.read_to_end(&mut bytes)).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One request without a body on an open connection, and its whole answer.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), line: &str) -> String {
    stream.write_all(format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    read_answer(stream).await
}

/// One answer, whose body has a `content-length`.
async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    within("an answer", async {
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
                if body.len() >= length.parse().unwrap() {
                    return text;
                }
            }
            let mut byte = [0];
            if stream.read(&mut byte).await.unwrap() == 0 {
                panic!("the connection ended within an answer: {text:?}");
            }
            bytes.push(byte[0]);
        }
    })
    .await
}

/// The status of an answer.
fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {answer:?}")).parse().unwrap()
}

/// The body of an answer.
fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}")).1
}

/// Metrics that nobody looks at but the test.
fn metrics() -> Shared {
    Shared { metrics: Metrics::new(&[("/hsm/v2", "smd")]), ..Shared::default() }
}

/// All that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Collects what this thread logs until the guards are dropped.
    fn start() -> (Self, (DefaultGuard, Dispatch)) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        // With a single subscriber tracing asks only the thread that comes to a log line first whether anybody wants
        // it, and a test without a subscriber would answer no for all. With two it asks both.
        let second = Dispatch::new(tracing_subscriber::registry());
        let guard = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).finish());
        (log, (guard, second))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
