//! Against real sockets, byte by byte.

use std::io::{Read as _, Write as _};
use std::net::TcpStream as Socket;
use std::num::NonZeroU64;
use std::time::SystemTime;

use super::*;

const FILE: &str = "/openchami/compute/latest/rootfs-4.18";

/// A server on loopback with an image of 3 MB, on its own threads.
struct Server {
    temp: tempfile::TempDir,
    address: SocketAddr,
    shutdown: CancellationToken,
    serving: Option<thread::JoinHandle<io::Result<()>>>,
    metrics: Metrics,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
        let _ = self.serving.take().map(thread::JoinHandle::join);
    }
}

fn content() -> Vec<u8> {
    (0..3_000_000_usize).map(|at| (at / 253 + at) as u8).collect()
}

fn serve(rates: Rates) -> Server {
    let temp = tempfile::tempdir().unwrap();
    let image = temp.path().join("images/openchami/compute/1.0");
    std::fs::create_dir_all(&image).unwrap();
    std::fs::write(image.join("rootfs-4.18"), content()).unwrap();
    std::os::unix::fs::symlink("1.0", image.with_file_name("latest")).unwrap();
    std::fs::write(temp.path().join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink("../secret", temp.path().join("images/leak")).unwrap();
    let addresses = vec!["127.0.0.1:0".parse().unwrap()];
    let settings = Settings { addresses, directory: temp.path().join("images"), rates };
    // Binding needs a runtime for its sockets and nothing else of it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let metrics = Metrics::default();
    let images = Images::bind(settings, metrics.clone()).unwrap();
    let (address, shutdown) = (images.bound()[0].addr, CancellationToken::new());
    let ending = shutdown.clone();
    let serving = Some(thread::spawn(move || images.serve(ending)));
    Server { temp, address, shutdown, serving, metrics }
}

fn connect(server: &Server) -> Socket {
    let socket = Socket::connect(server.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

/// Sends bytes and reads until the server closes.
fn exchange(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut socket = connect(server);
    socket.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    answer
}

/// Asks for a file with more header lines; its status, head and body.
fn get(server: &Server, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n");
    split(&exchange(server, request.as_bytes()))
}

fn split(answer: &[u8]) -> (u16, String, Vec<u8>) {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    (head[9..12].parse().unwrap(), head, answer[end..].to_vec())
}

#[test]
fn a_file_arrives_whole_and_in_parts() {
    let server = serve(Rates::default());
    let (status, head, body) = get(&server, FILE, "");
    assert_eq!(status, 200);
    assert!(head.contains("Content-Length: 3000000\r\n"), "{head}");
    assert!(body == content());
    let (status, _, body) = get(&server, FILE, "Range: bytes=1000-2000999\r\n");
    assert!(status == 206 && body == content()[1000..2_001_000]);
    let (_, head, body) = get(&server, FILE, "Range: bytes=0-1,-2\r\n");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    assert_eq!(get(&server, FILE, "Range: bytes=3000000-\r\n").0, 416);
}

#[test]
fn requests_and_the_bytes_of_files_are_counted() {
    let server = serve(Rates::default());
    get(&server, FILE, "");
    get(&server, FILE, "Range: bytes=0-999\r\n");
    get(&server, "/none", "");
    let text = server.metrics.render();
    for line in [
        "ochami_sync_images_sent_bytes_total 3001000",
        "ochami_sync_http_requests_total{role=\"images\",room=\"other\",status=\"2xx\"} 2",
        "ochami_sync_http_requests_total{role=\"images\",room=\"other\",status=\"4xx\"} 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}

#[test]
fn a_file_that_the_client_has_is_not_sent_again() {
    let server = serve(Rates::default());
    let (_, head, _) = get(&server, FILE, "Range: bytes=0-0\r\n");
    let etag = head.lines().find_map(|line| line.strip_prefix("ETag: ")).unwrap();
    assert_eq!(get(&server, FILE, &format!("If-None-Match: {etag}\r\n")).0, 304);
    assert_eq!(get(&server, FILE, &format!("If-Range: {etag}\r\nRange: bytes=0-0\r\n")).0, 206);
}

#[test]
fn a_file_from_before_1970_is_sent_whole() {
    let server = serve(Rates::default());
    let file = std::fs::File::options().write(true).open(server.temp.path().join("images").join(&FILE[1..])).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH - Duration::from_secs(3600)).unwrap();
    let (status, head, body) = get(&server, FILE, "");
    assert!(status == 200 && body == content(), "{head}");
    assert!(head.contains("ETag: ") && !head.contains("Last-Modified: "), "{head}");
}

#[test]
fn nothing_is_listed_and_nothing_outside_is_reached() {
    let server = serve(Rates::default());
    for path in [
        "/",
        "/openchami",
        "/openchami/",
        "/none",
        "/leak",
        "/../secret",
        "/%2e%2e/secret",
        "/openchami/..%2f..%2fsecret",
        "/openchami%5c..",
        "/a%00b",
        "//../secret",
    ] {
        let (status, head, body) = get(&server, path, "");
        assert_eq!((status, &*body), (404, &b"Not Found\n"[..]), "{path}: {head}");
    }
}

#[test]
fn requests_that_come_together_are_answered_in_their_order() {
    let server = serve(Rates::default());
    let one = |range: &str, more: &str| format!("GET {FILE} HTTP/1.1\r\nHost: h\r\nRange: bytes={range}\r\n{more}\r\n");
    let requests = [
        one("0-0", ""),
        one("1-1", ""),
        format!("HEAD {FILE} HTTP/1.1\r\nHost: h\r\n\r\n"),
        one("2-2", "Connection: close\r\n"),
    ];
    let mut rest = exchange(&server, requests.concat().as_bytes());
    let mut heads = Vec::new();
    for len in [1, 1, 0, 1] {
        let (status, _, body) = split(&rest);
        heads.push((status, body[..len].to_vec()));
        rest = body[len..].to_vec();
    }
    let content = content();
    let byte = |at: usize| content[at..=at].to_vec();
    assert_eq!(heads, [(206, byte(0)), (206, byte(1)), (200, vec![]), (206, byte(2))]);
    assert!(rest.is_empty());
}

#[test]
fn what_is_no_request_is_refused_and_the_connection_ends() {
    let server = serve(Rates::default());
    for (bytes, status) in [
        (&b"POST / HTTP/1.1\r\nHost: h\r\n\r\n"[..], 405),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nGET", 413),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
    ] {
        let (found, head, _) = split(&exchange(&server, bytes));
        assert_eq!(found, status);
        assert!(head.contains("Connection: close\r\n"), "{head}");
    }
    let long = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}", "x".repeat(30_000));
    assert_eq!(split(&exchange(&server, long.as_bytes())).0, 431);
}

#[test]
fn an_image_that_is_overwritten_while_it_is_sent_is_cut() {
    // A ceiling that takes seconds for the file leaves time to overwrite it.
    let server = serve(Rates { total: NonZeroU64::new(2_000_000), image: None });
    let mut socket = connect(&server);
    socket.write_all(format!("GET {FILE} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut first = [0; 1000];
    socket.read_exact(&mut first).unwrap();
    let file = server.temp.path().join("images/openchami/compute/1.0/rootfs-4.18");
    std::fs::write(file, vec![7; 3_000_000]).unwrap();
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
    assert!(first.len() + rest.len() < 3_000_000, "{}", rest.len());
}

#[test]
fn a_ceiling_holds_for_all_connections_together() {
    let server = serve(Rates { total: NonZeroU64::new(6_000_000), image: None });
    let begun = std::time::Instant::now();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert!(get(&server, FILE, "").2 == content()));
        }
    });
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(1300), "9 MB at 6 MB/s took {took:?}");
}

#[test]
fn one_machine_cannot_take_all_places() {
    let server = serve(Rates::default());
    let mut open: Vec<Socket> = (0..Limits::of(Role::Images).per_peer).map(|_| connect(&server)).collect();
    let mut beyond = connect(&server);
    let mut byte = [0];
    assert!(matches!(beyond.read(&mut byte), Ok(0) | Err(_)), "it is closed without an answer");
    let first = &mut open[0];
    first.write_all(format!("HEAD {FILE} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).unwrap();
    first.read_exact(&mut byte).unwrap();
    assert_eq!(byte, *b"H", "who is in is served");
}
