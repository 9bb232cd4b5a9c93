//! The image listener over real sockets: thousands of connections at once, and the ceiling of each image.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use socket2::{Domain, Socket, Type};

use crate::support::{Cluster, DEADLINE, Serving, allow_files, get, until};

/// A connection on which one thing after the other is asked for.
struct Client(BufReader<TcpStream>);

impl Client {
    /// Connects from an address of loopback. Neither side's kernel takes much on it, so that an answer of some hundred
    /// thousand bytes is under way for as long as nobody reads it.
    fn connect(from: Ipv4Addr, server: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(16 << 10).unwrap();
        socket.set_tcp_mss(1460).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&server.into()).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self(BufReader::with_capacity(1024, socket.into()))
    }

    fn ask(&mut self, path: &str, headers: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: images\r\n{headers}\r\n");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
    }

    /// The status of an answer, and how much comes behind its head.
    fn head(&mut self) -> (u16, usize) {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the server hung up behind {lines:?}");
            if line == "\r\n" {
                break;
            }
            lines.push(line.trim_end().to_ascii_lowercase());
        }
        let len = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        (lines[0][9..12].parse().unwrap(), len.parse().unwrap())
    }

    fn body(&mut self, len: usize) -> Vec<u8> {
        let mut body = vec![0; len];
        self.0.read_exact(&mut body).unwrap();
        body
    }
}

/// An inventory, and images of these names and lengths; what they hold is [`content`].
fn cluster(images: &[(&str, usize)]) -> Cluster {
    let cluster = Cluster::demo();
    for (name, len) in images {
        let path = cluster.path("images").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content(*len)).unwrap();
    }
    cluster
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 251 + at) as u8).collect()
}

/// Serves the images; the second value is where.
fn serve(cluster: &Cluster, flags: &[&str]) -> (Serving, SocketAddr) {
    let base = ["--images", "images", "--image-listen", "127.0.0.1:0"];
    let serving = cluster.serve(&[&base[..], flags].concat());
    let listeners = serving.ready.as_array().unwrap();
    let url = listeners.iter().find(|each| each["role"] == "images").unwrap()["url"].as_str().unwrap();
    let address = url.trim_start_matches("http://").parse().unwrap();
    (serving, address)
}

/// Connections at once, and the addresses that they come from: each has less than its share of the listener.
const CONNECTIONS: usize = 2000;
const ADDRESSES: usize = 20;

/// What the server may take for each of them beyond what it had before, in bytes.
const MEMORY: usize = 48 << 10;

/// A line of what the kernel says of the memory of a process, in bytes.
fn memory(serving: &Serving, name: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.child.0.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<usize>().unwrap() << 10
}

#[test]
fn two_thousand_connections_at_once_are_all_served_in_little_memory() {
    const PART: Range<usize> = 1_000_000..1_262_144;
    allow_files(2 * CONNECTIONS + 500);
    let cluster = cluster(&[("a/kernel", 5_000), ("a/rootfs", 2_000_000)]);
    let (serving, server) = serve(&cluster, &[]);
    let mut first = Client::connect(Ipv4Addr::LOCALHOST, server);
    first.ask("/a/kernel", "");
    assert_eq!(first.head(), (200, 5_000));
    drop(first);
    let before = memory(&serving, "VmRSS");

    let from = |number: usize| Ipv4Addr::new(127, 0, 0, u8::try_from(1 + number % ADDRESSES).unwrap());
    let mut clients: Vec<Client> = (0..CONNECTIONS).map(|number| Client::connect(from(number), server)).collect();
    let (kernel, rootfs) = (content(5_000), content(2_000_000));
    clients.iter_mut().for_each(|client| client.ask("/a/kernel", ""));
    for client in &mut clients {
        assert_eq!(client.head(), (200, 5_000));
        assert!(client.body(5_000) == kernel);
    }
    let range = format!("Range: bytes={}-{}\r\n", PART.start, PART.end - 1);
    clients.iter_mut().for_each(|client| client.ask("/a/rootfs", &range));
    // All are under way at once: each has begun, and none can end before it is read.
    for client in &mut clients {
        assert_eq!(client.head(), (206, PART.len()));
    }
    let open = format!("ochami_sync_http_connections{{role=\"images\"}} {CONNECTIONS}");
    until("all are open", || get(&format!("{}/metrics", serving.metrics)).body.contains(&open).then_some(()));
    for client in &mut clients {
        assert!(client.body(PART.len()) == rootfs[PART]);
    }
    let most = memory(&serving, "VmHWM");
    let each = most.saturating_sub(before) / CONNECTIONS;
    assert!(each < MEMORY, "{each} bytes for each connection: {before} before, {most} at most");
}

/// The ceiling of the test below, in bytes per second; what may be sent at once beyond it; and a file.
const RATE: usize = 1_000_000;
const BURST: usize = RATE / 20 + RATE / 50;
const FILE: usize = 200_000;

/// Reads a whole file, and fails when there was ever more of its image than the ceiling allows, however fast or slow the
/// machine is.
fn reads(mut client: Client, path: &str, begun: Instant, received: &AtomicUsize) {
    client.ask(path, "");
    assert_eq!(client.head(), (200, FILE));
    let mut body = Vec::new();
    while body.len() < FILE {
        let part = client.body((FILE - body.len()).min(8 << 10));
        body.extend_from_slice(&part);
        let most = received.fetch_add(part.len(), Ordering::SeqCst) + part.len();
        let allowed = RATE as f64 * begun.elapsed().as_secs_f64() + BURST as f64;
        assert!(most as f64 <= allowed, "{most} bytes where {allowed} are allowed");
    }
    assert!(body == content(FILE));
}

#[test]
fn clients_of_one_image_share_its_ceiling_and_a_client_of_another_is_not_held_by_it() {
    const EACH: usize = 8;
    let cluster = cluster(&[("a/kernel", FILE), ("a/rootfs", FILE), ("b/rootfs", FILE)]);
    let (_serving, server) = serve(&cluster, &["--image-rate-each", "1M"]);
    let (begun, of_one, of_other) = (Instant::now(), &AtomicUsize::new(0), &AtomicUsize::new(0));
    thread::scope(|scope| {
        for (last, path) in [(1, "/a/kernel"), (2, "/a/rootfs")] {
            for _ in 0..EACH {
                let client = Client::connect(Ipv4Addr::new(127, 0, 0, last), server);
                scope.spawn(move || reads(client, path, begun, of_one));
            }
        }
        // Every one of them waits for its turn behind all others.
        until("all are under way", || (of_one.load(Ordering::SeqCst) > 2 * EACH * (8 << 10)).then_some(()));
        let before = of_one.load(Ordering::SeqCst);
        reads(Client::connect(Ipv4Addr::new(127, 0, 0, 3), server), "/b/rootfs", Instant::now(), of_other);
        // Behind them it would have had to wait for as many turns of each of them as it needs itself.
        let meanwhile = of_one.load(Ordering::SeqCst) - before;
        assert!(meanwhile < EACH * FILE, "{meanwhile} bytes of one image while one file of the other was read");
    });
    assert_eq!(of_one.load(Ordering::SeqCst), 2 * EACH * FILE);
}
