//! Against real sockets: a client written here, which can be as rude as it likes.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::server::common::Metrics;

/// A server on a directory with one file of each kind, on loopback.
struct Server {
    temp: tempfile::TempDir,
    address: SocketAddr,
    /// The address given last, where there are several.
    last: SocketAddr,
    shutdown: CancellationToken,
    metrics: Metrics,
}

impl Server {
    /// Waits until the figures have this line.
    async fn shows(&self, line: &str) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while !self.metrics.render().lines().any(|known| known == line) {
            assert!(tokio::time::Instant::now() < deadline, "{line}\n{}", self.metrics.render());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 251 + at) as u8).collect()
}

fn serve(change: impl FnOnce(&mut Settings)) -> Server {
    let temp = tempfile::tempdir().unwrap();
    std::fs::create_dir(temp.path().join("served")).unwrap();
    std::fs::write(temp.path().join("served/loader"), content(100_000)).unwrap();
    std::fs::write(temp.path().join("served/even"), content(1024)).unwrap();
    std::fs::write(temp.path().join("served/empty"), "").unwrap();
    std::fs::write(temp.path().join("secret"), "secret").unwrap();
    let large = std::fs::File::create(temp.path().join("served/large")).unwrap();
    large.set_len(40 << 20).unwrap();
    let mut settings = Settings::new(vec![(Ipv4Addr::LOCALHOST, 0).into()]);
    change(&mut settings);
    let tftp = Tftp::bind(&settings, &Loaders::new(Some(temp.path().join("served")))).unwrap();
    let bound = tftp.bound();
    let (address, last) = (bound[0].addr, bound[bound.len() - 1].addr);
    let (shutdown, metrics) = (CancellationToken::new(), Metrics::default());
    metrics.show(tftp.figures());
    tokio::spawn(tftp.run(shutdown.clone()));
    Server { temp, address, last, shutdown, metrics }
}

struct Client {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Client {
    async fn new(server: &Server) -> Self {
        Self::at(server, Ipv4Addr::LOCALHOST).await
    }

    async fn at(server: &Server, address: Ipv4Addr) -> Self {
        Self { socket: UdpSocket::bind((address, 0)).await.unwrap(), server: server.address }
    }

    async fn ask(&self, name: &str, options: &[(&str, &str)]) {
        let mut packet = format!("\0\u{1}{name}\0octet\0").into_bytes();
        options.iter().for_each(|(name, value)| packet.extend_from_slice(format!("{name}\0{value}\0").as_bytes()));
        self.socket.send_to(&packet, self.server).await.unwrap();
    }

    /// The next packet; none when nothing comes for a while.
    async fn hear(&self, patience: Duration) -> Option<(Vec<u8>, SocketAddr)> {
        let mut bytes = vec![0; 70_000];
        let (len, from) = timeout(patience, self.socket.recv_from(&mut bytes)).await.ok()?.unwrap();
        bytes.truncate(len);
        Some((bytes, from))
    }

    async fn next(&self) -> (Vec<u8>, SocketAddr) {
        self.hear(Duration::from_secs(20)).await.expect("an answer")
    }

    /// Asks again and again until there is an answer, within ten seconds.
    async fn finds_room(&self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        loop {
            self.ask("even", &[]).await;
            if self.hear(Duration::from_millis(300)).await.is_some() {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "there was no room");
        }
    }

    async fn acknowledge(&self, block: u16, to: SocketAddr) {
        let [high, low] = block.to_be_bytes();
        self.socket.send_to(&[0, 4, high, low], to).await.unwrap();
    }

    /// Fetches a file as RFC 7440 has it, block by block without a window.
    async fn fetch(&self, name: &str, options: &[(&str, &str)], block_size: usize, window: u16) -> Vec<u8> {
        self.ask(name, options).await;
        let (mut bytes, mut expected, mut in_window) = (Vec::new(), 1_u16, 0);
        loop {
            let (packet, from) = self.next().await;
            match packet[1] {
                6 => self.acknowledge(0, from).await,
                3 if packet[2..4] == expected.to_be_bytes() => {
                    bytes.extend_from_slice(&packet[4..]);
                    in_window += 1;
                    let done = packet.len() < block_size + 4;
                    if in_window == window || done {
                        self.acknowledge(expected, from).await;
                        in_window = 0;
                    }
                    if done {
                        return bytes;
                    }
                    expected = expected.wrapping_add(1);
                }
                3 => {}
                _ => panic!("{packet:?}"),
            }
        }
    }
}

fn is_error(packet: &[u8], code: u8) -> bool {
    packet[..4] == [0, 5, 0, code]
}

#[tokio::test]
async fn files_arrive_whole_with_and_without_options_from_either_kind_of_port() {
    for single_port in [false, true] {
        let server = serve(|settings| settings.single_port = single_port);
        let client = Client::new(&server).await;
        assert_eq!(client.fetch("loader", &[], 512, 1).await, content(100_000));
        assert_eq!(client.fetch("/even", &[], 512, 1).await, content(1024));
        assert_eq!(client.fetch("empty", &[], 512, 1).await, b"");
        let options = [("blksize", "1428"), ("windowsize", "8"), ("tsize", "0")];
        assert_eq!(client.fetch("loader", &options, 1428, 8).await, content(100_000));
        assert!(client.fetch("config.ipxe", &[], 512, 1).await.starts_with(b"#!ipxe\n"));
    }
}

#[tokio::test]
async fn requests_are_counted_by_their_end_and_transfers_while_they_last() {
    let server = serve(|settings| settings.per_client = 1);
    let client = Client::new(&server).await;
    client.fetch("empty", &[], 512, 1).await;
    server.shows("ochami_sync_tftp_requests_total{end=\"complete\"} 1").await;
    server.shows("ochami_sync_tftp_transfers 0").await;
    client.ask("nothing", &[]).await;
    assert!(is_error(&client.next().await.0, 1));
    server.shows("ochami_sync_tftp_requests_total{end=\"refused\"} 1").await;
    client.ask("loader", &[]).await;
    let (_, from) = client.next().await;
    server.shows("ochami_sync_tftp_transfers 1").await;
    let second = Client::new(&server).await;
    second.ask("loader", &[]).await;
    server.shows("ochami_sync_tftp_requests_total{end=\"no-room\"} 1").await;
    client.socket.send_to(b"\0\x05\0\0enough\0", from).await.unwrap();
    server.shows("ochami_sync_tftp_requests_total{end=\"aborted\"} 1").await;
}

#[tokio::test]
async fn a_file_of_more_than_65535_blocks_rolls_over() {
    let server = serve(|_| {});
    let client = Client::new(&server).await;
    let bytes = client.fetch("large", &[("windowsize", "64")], 512, 64).await;
    assert_eq!(bytes.len(), 40 << 20);
}

#[tokio::test]
async fn each_transfer_has_a_port_of_its_own_unless_there_is_a_single_one() {
    for single_port in [false, true] {
        let server = serve(|settings| settings.single_port = single_port);
        let client = Client::new(&server).await;
        client.ask("even", &[]).await;
        let (_, from) = client.next().await;
        assert_eq!(from == server.address, single_port);
    }
}

#[tokio::test]
async fn refusals_have_their_codes_and_name_no_path() {
    let server = serve(|_| {});
    let client = Client::new(&server).await;
    let absolute = server.temp.path().join("secret").display().to_string();
    for (name, code) in [("none", 1), ("../secret", 2), ("a\\b", 2), (&*absolute, 1), ("served/../../secret", 2)] {
        client.ask(name, &[]).await;
        let (packet, _) = client.next().await;
        assert!(is_error(&packet, code), "{name}: {packet:?}");
        let text = String::from_utf8_lossy(&packet);
        assert!(!text.contains("tmp") && !text.contains("served") && !text.contains('/'), "{text}");
    }
    client.socket.send_to(b"\0\x02loader\0octet\0", server.address).await.unwrap();
    assert!(is_error(&client.next().await.0, 2), "writing");
    client.socket.send_to(b"\0\x01loader\0mail\0", server.address).await.unwrap();
    assert!(is_error(&client.next().await.0, 4), "mail");
}

#[tokio::test]
async fn a_text_is_converted_for_who_asks_for_it_and_something_large_is_not() {
    let server = serve(|_| {});
    std::fs::write(server.temp.path().join("served/text"), "one\ntwo\n").unwrap();
    let client = Client::new(&server).await;
    client.socket.send_to(b"\0\x01text\0netascii\0tsize\x000\0", server.address).await.unwrap();
    let (greeting, from) = client.next().await;
    assert_eq!(greeting, b"\0\x06tsize\x0010\0", "the length of what is sent");
    client.acknowledge(0, from).await;
    assert_eq!(client.next().await.0, b"\0\x03\0\x01one\r\ntwo\r\n");
    client.acknowledge(1, from).await;
    client.socket.send_to(b"\0\x01large\0netascii\0", server.address).await.unwrap();
    assert!(is_error(&client.next().await.0, 0));
}

#[tokio::test]
async fn what_is_lost_is_sent_again_and_a_repeated_acknowledgement_doubles_nothing() {
    let server = serve(|_| {});
    let client = Client::new(&server).await;
    client.ask("even", &[]).await;
    let (first, from) = client.next().await;
    let (again, _) = client.next().await;
    assert_eq!(first, again, "it was not acknowledged");
    for _ in 0..3 {
        client.acknowledge(1, from).await;
    }
    let (second, _) = client.next().await;
    assert_eq!(second[..4], [0, 3, 0, 2]);
    assert_eq!(client.hear(Duration::from_millis(300)).await, None, "one block for three acknowledgements");
}

#[tokio::test]
async fn a_repeated_request_is_one_transfer_and_a_new_one_takes_its_place() {
    let server = serve(|_| {});
    let client = Client::new(&server).await;
    for _ in 0..3 {
        client.ask("even", &[]).await;
    }
    let (first, from) = client.next().await;
    assert_eq!(first[..4], [0, 3, 0, 1]);
    assert_eq!(client.hear(Duration::from_millis(300)).await, None, "three requests are one transfer");
    client.acknowledge(1, from).await;
    client.next().await;
    client.ask("even", &[("tsize", "0")]).await;
    let (greeting, other) = client.next().await;
    assert_eq!(greeting, b"\0\x06tsize\x001024\0");
    assert_ne!(from, other);
    client.acknowledge(1, from).await;
    assert_eq!(client.hear(Duration::from_millis(300)).await, None, "the old transfer is over");
}

#[tokio::test]
async fn a_client_has_its_share_and_another_one_is_not_hurt() {
    let server = serve(|settings| settings.per_client = 2);
    let mut clients = Vec::new();
    for _ in 0..3 {
        let client = Client::new(&server).await;
        client.ask("loader", &[]).await;
        clients.push(client);
    }
    assert!(clients[1].hear(Duration::from_secs(10)).await.is_some());
    assert_eq!(clients[2].hear(Duration::from_millis(300)).await, None, "the third waits");
    let other = Client::at(&server, Ipv4Addr::new(127, 0, 0, 2)).await;
    assert_eq!(other.fetch("loader", &[], 512, 1).await, content(100_000));
    // Who wants no more gives the place back.
    let (_, from) = clients[0].next().await;
    clients[0].socket.send_to(b"\0\x05\0\0no\0", from).await.unwrap();
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    while clients[2].hear(Duration::from_millis(100)).await.is_none() {
        assert!(tokio::time::Instant::now() < end, "the place was not given back");
        clients[2].ask("loader", &[]).await;
    }
}

#[tokio::test]
async fn a_thousand_transfers_at_once_arrive_whole() {
    let server = serve(|_| {});
    let mut fetches = JoinSet::new();
    for number in 0..1000_u16 {
        let [high, low] = number.to_be_bytes();
        let client = Client::at(&server, Ipv4Addr::new(127, 1, high, low)).await;
        fetches.spawn(async move {
            let options = [("blksize", "1428"), ("windowsize", "4")];
            client.ask("loader", &options).await;
            // All of them are under way before any goes on.
            let (greeting, from) = client.next().await;
            assert_eq!(greeting, b"\0\x06blksize\x001428\0windowsize\x004\0");
            (client, from)
        });
    }
    let under_way: Vec<(Client, SocketAddr)> = fetches.join_all().await;
    let mut rest = JoinSet::new();
    for (client, from) in under_way {
        rest.spawn(async move {
            client.acknowledge(0, from).await;
            let (mut bytes, mut expected) = (Vec::new(), 1_u16);
            loop {
                let (packet, _) = client.next().await;
                if packet[2..4] != expected.to_be_bytes() {
                    continue;
                }
                bytes.extend_from_slice(&packet[4..]);
                let done = packet.len() < 1432;
                if expected % 4 == 0 || done {
                    client.acknowledge(expected, from).await;
                }
                if done {
                    return bytes;
                }
                expected += 1;
            }
        });
    }
    let expected = content(100_000);
    assert!(rest.join_all().await.iter().all(|bytes| *bytes == expected));
}

#[tokio::test]
async fn noise_is_not_answered_and_stops_nothing() {
    let server = serve(|settings| settings.single_port = true);
    let client = Client::new(&server).await;
    for bytes in [
        &b""[..],
        b"\0",
        b"\0\x03\0\x01data",
        b"\0\x04\0\x01",
        b"\0\x05\0\x01x\0",
        b"\0\x06",
        b"\xff\xff",
        &[0xff; 2000],
    ] {
        client.socket.send_to(bytes, server.address).await.unwrap();
    }
    assert_eq!(client.hear(Duration::from_millis(300)).await, None);
    assert_eq!(client.fetch("even", &[], 512, 1).await, content(1024));
}

#[tokio::test]
async fn a_client_that_never_answers_is_given_up() {
    let server = serve(|_| {});
    let client = Client::new(&server).await;
    client.ask("even", &[("timeout", "1")]).await;
    let mut heard = 0;
    while client.hear(Duration::from_secs(3)).await.is_some() {
        heard += 1;
    }
    assert_eq!(heard, 5, "the first packet and four repetitions");
}

#[tokio::test]
async fn who_asks_for_minutes_and_never_answers_is_given_seconds_and_makes_room() {
    let server = serve(|settings| settings.per_client = 1);
    let silent = Client::new(&server).await;
    silent.ask("even", &[("timeout", "255")]).await;
    let (greeting, _) = silent.next().await;
    assert_eq!(greeting, b"\0\x06timeout\x00255\0");
    assert_eq!(silent.next().await.0, greeting, "it is sent again long before");
    // Of itself the other transfer would end after twenty seconds.
    Client::new(&server).await.finds_room().await;
}

#[tokio::test]
async fn who_asks_at_another_port_gets_the_place_of_a_transfer_that_nobody_wants() {
    let server = serve(|settings| {
        settings.per_client = 1;
        settings.addresses.push((Ipv4Addr::LOCALHOST, 0).into());
    });
    let silent = Client::new(&server).await;
    silent.ask("even", &[]).await;
    silent.next().await;
    let client = Client { server: server.last, ..Client::new(&server).await };
    // Of itself the other transfer would end after fifteen seconds.
    client.finds_room().await;
}

#[tokio::test]
async fn a_client_may_fetch_from_two_ports_at_once_with_one_of_its_own() {
    for single_port in [false, true] {
        let server = serve(|settings| {
            settings.single_port = single_port;
            settings.addresses.push((Ipv4Addr::LOCALHOST, 0).into());
        });
        let mut client = Client::new(&server).await;
        client.ask("even", &[]).await;
        client.server = server.last;
        client.ask("even", &[]).await;
        let (one, other) = (client.next().await.1, client.next().await.1);
        assert_ne!(one, other);
        client.acknowledge(1, one).await;
        client.acknowledge(1, other).await;
        let mut heard = Vec::new();
        while heard.len() < 2 {
            let (packet, from) = client.next().await;
            // Either may have sent its first block again meanwhile.
            if packet[..4] == [0, 3, 0, 2] && !heard.contains(&from) {
                heard.push(from);
            }
        }
    }
}

#[tokio::test]
async fn each_of_several_requests_that_come_at_once_is_given_a_place() {
    let server = serve(|settings| settings.per_client = 3);
    let mut silent = Vec::new();
    for _ in 0..3 {
        let client = Client::new(&server).await;
        client.ask("even", &[]).await;
        client.next().await;
        silent.push(client);
    }
    tokio::time::sleep(Duration::from_millis(2500)).await;
    // The server runs on this thread, so it finds all three requests at once.
    for _ in 0..3 {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.send_to(b"\0\x01even\0octet\0", server.address).unwrap();
    }
    server.shows("ochami_sync_tftp_requests_total{end=\"cut\"} 3").await;
}

#[tokio::test]
async fn a_loss_is_repaired_within_a_second_however_long_the_waits_before_an_answer_were() {
    let server = serve(|_| {});
    let client = Client::new(&server).await;
    client.ask("even", &[]).await;
    let (_, from) = client.next().await;
    for _ in 0..2 {
        assert_eq!(client.next().await.0[..4], [0, 3, 0, 1]);
    }
    client.acknowledge(1, from).await;
    assert_eq!(client.next().await.0[..4], [0, 3, 0, 2]);
    let lost = tokio::time::Instant::now();
    assert_eq!(client.next().await.0[..4], [0, 3, 0, 2]);
    assert!(lost.elapsed() < Duration::from_millis(2500), "{:?}", lost.elapsed());
}
