//! A load of HTTP requests over connections that stay open: one request under way on each.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::generate;

/// What a load saw.
pub(crate) struct Summary {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
    pub(crate) bad: usize,
}

impl Summary {
    fn of(mut latencies: Vec<Duration>, bad: usize, took: Duration) -> Self {
        latencies.sort();
        let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
        let per_second = latencies.len() as f64 / took.as_secs_f64();
        Self { per_second, p50: at(0.5), p99: at(0.99), max: at(1.0), bad }
    }
}

/// Sends GET requests for `time` over so many connections. `path` makes the path of a pseudo-random number.
pub(crate) fn run(addr: &str, connections: usize, time: Duration, path: &(dyn Fn(usize) -> String + Sync)) -> Summary {
    // One thread for the load leaves the other core to the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let started = Instant::now();
    let clients = (0..connections).map(|client| async move {
        let mut connection = Connection::open(addr).await;
        let (mut latencies, mut bad) = (Vec::new(), 0);
        let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(client as u64 + 1);
        while started.elapsed() < time {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let request = format!("GET {} HTTP/1.1\r\nhost: bench\r\n\r\n", path((random >> 33) as usize));
            let sent = Instant::now();
            let status = connection.exchange(request.as_bytes()).await;
            latencies.push(sent.elapsed());
            bad += usize::from(status != 200);
        }
        (latencies, bad)
    });
    let results = runtime.block_on(futures_util::future::join_all(clients));
    let took = started.elapsed();
    let bad = results.iter().map(|(_, bad)| bad).sum();
    Summary::of(results.into_iter().flat_map(|(latencies, _)| latencies).collect(), bad, took)
}

/// Sends the requests of each lane one after the other, the lanes side by side. A lane is of addresses and requests.
pub(crate) fn send(lanes: Vec<Vec<(String, Vec<u8>)>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lanes = lanes.into_iter().map(|lane| async move {
        let Some((addr, _)) = lane.first() else { return };
        let mut connection = Connection::open(addr).await;
        for (_, request) in &lane {
            connection.exchange(request).await;
        }
    });
    runtime.block_on(futures_util::future::join_all(lanes));
}

/// Puts components, one after the other, each made durable before its answer.
pub(crate) fn writes(addr: &str, nodes: usize, count: usize) -> Summary {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let started = Instant::now();
    let (latencies, bad) = runtime.block_on(async {
        let mut connection = Connection::open(addr).await;
        let (mut latencies, mut bad) = (Vec::new(), 0);
        for at in 0..count {
            let xname = generate::xname(at * 37 % nodes);
            // Every write changes the flag of its node, so that none is left out as a repetition.
            let flag = if (at * 37 / nodes).is_multiple_of(2) { "Warning" } else { "Alert" };
            let body = format!(r#"{{"Flag":"{flag}","ComponentIDs":["{xname}"]}}"#);
            let request = format!(
                "PATCH /hsm/v2/State/Components/BulkFlagOnly HTTP/1.1\r\nhost: bench\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let sent = Instant::now();
            let status = connection.exchange(request.as_bytes()).await;
            latencies.push(sent.elapsed());
            bad += usize::from(status != 204);
        }
        (latencies, bad)
    });
    assert_eq!(bad, 0, "writes that were not taken");
    Summary::of(latencies, bad, started.elapsed())
}

/// One connection with its unread bytes.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(addr: &str) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request, reads the whole answer and returns its status.
    async fn exchange(&mut self, request: &[u8]) -> u16 {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.fill().await;
        };
        let text = std::str::from_utf8(&self.buffer[..head]).unwrap();
        let status: u16 = text[9..12].parse().unwrap();
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        let chunked = text.lines().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked"));
        let whole = head + length.unwrap_or(0);
        // A chunked body ends with an empty chunk. No body under test holds such a line, so that its end is enough.
        while self.buffer.len() < whole || (chunked && !self.buffer.ends_with(b"\r\n0\r\n\r\n")) {
            self.fill().await;
        }
        status
    }

    async fn fill(&mut self) {
        let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
        assert!(read > 0, "the server closed the connection");
    }
}
