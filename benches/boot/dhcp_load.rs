//! A load of DHCP clients that come at a given rate whether they are answered or not, behind a relay or on the wire:
//!
//! ```text
//! dhcp_load RATE SECONDS FIRST-MAC CLIENTS relay OWN-ADDRESS SERVER
//! dhcp_load RATE SECONDS FIRST-MAC CLIENTS broadcast INTERFACE
//! ```
//!
//! Each exchange is of four messages and of the next client. The socket has room for all answers of a second, so that
//! what is lost is lost by the server; perfdhcp loses some by itself beyond some thousand exchanges a second. What comes
//! out is one line of JSON: exchanges begun and done, and the latencies of both questions, in milliseconds.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]
#![expect(clippy::disallowed_methods, reason = "there is no runtime here whose threads could be blocked")]

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

/// How long answers are waited for at the end.
const GRACE: Duration = Duration::from_secs(1);

/// Exchanges begun at most in one go when the time for them has come.
const GO: u64 = 32;

/// Packets begin with this much before their options.
const HEADER: usize = 240;

struct Load {
    socket: UdpSocket,
    to: SocketAddr,
    relay: Ipv4Addr,
    first_mac: u64,
    clients: u64,
    begun: Instant,
    /// When the question under way of each exchange was sent, in nanoseconds; 0 when it was not.
    sent: Vec<AtomicU64>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [rate, seconds, mac, clients, way @ ..] = &arguments[..] else { return };
    let (rate, seconds): (f64, f64) = (rate.parse().unwrap(), seconds.parse().unwrap());
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    if rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, 64 << 20).is_err() {
        socket.set_recv_buffer_size(64 << 20).unwrap();
    }
    let (bound, to, relay) = match way {
        [kind, own, server] if kind == "relay" => {
            let own: Ipv4Addr = own.parse().unwrap();
            (SocketAddrV4::new(own, 67), SocketAddrV4::new(server.parse().unwrap(), 67), own)
        }
        [kind, interface] if kind == "broadcast" => {
            socket.bind_device(Some(interface.as_bytes())).unwrap();
            socket.set_broadcast(true).unwrap();
            let none = Ipv4Addr::UNSPECIFIED;
            (SocketAddrV4::new(none, 68), SocketAddrV4::new(Ipv4Addr::BROADCAST, 67), none)
        }
        _ => return,
    };
    socket.bind(&bound.into()).unwrap();
    let socket = UdpSocket::from(socket);
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let total = (rate * seconds) as usize;
    let load = Arc::new(Load {
        socket,
        to: to.into(),
        relay,
        first_mac: u64::from_str_radix(&mac.replace(':', ""), 16).unwrap(),
        clients: clients.parse().unwrap(),
        begun: Instant::now(),
        sent: (0..total).map(|_| AtomicU64::new(0)).collect(),
    });
    let receiver = load.clone();
    let receiving = thread::spawn(move || receiver.receive(Duration::from_secs_f64(seconds) + GRACE));
    let late = load.begin(rate);
    let (offers, acks) = receiving.join().unwrap();
    let at = |times: &[u64], share: f64| match times.len() {
        0 => f64::NAN,
        len => times[((len - 1) as f64 * share) as usize] as f64 / 1e6,
    };
    println!(
        r#"{{"begun":{total},"offers":{},"done":{},"late":{late},"offer_p50":{:.3},"offer_p99":{:.3},"ack_p50":{:.3},"ack_p99":{:.3},"longest":{:.3}}}"#,
        offers.len(),
        acks.len(),
        at(&offers, 0.5),
        at(&offers, 0.99),
        at(&acks, 0.5),
        at(&acks, 0.99),
        at(&acks, 1.0).max(at(&offers, 1.0)),
    );
}

impl Load {
    /// Sends the first question of each exchange in its time, and returns how many were more than 10 ms late.
    fn begin(&self, rate: f64) -> usize {
        let (mut next, mut late) = (0_u64, 0);
        let total = self.sent.len() as u64;
        while next < total {
            let now = self.begun.elapsed().as_secs_f64();
            let due = ((now * rate) as u64 + 1).min(total);
            let end = due.min(next + GO);
            for number in next..end {
                late += usize::from(now - number as f64 / rate > 0.01);
                self.ask(number, 1, &[]);
            }
            next = end;
            if next == due {
                thread::sleep(Duration::from_micros(300));
            }
        }
        late
    }

    fn ask(&self, number: u64, kind: u8, options: &[u8]) {
        let mut packet = [0; 300];
        packet[..4].copy_from_slice(&[1, 1, 6, u8::from(self.relay != Ipv4Addr::UNSPECIFIED)]);
        packet[4..8].copy_from_slice(&(number as u32).to_be_bytes());
        packet[24..28].copy_from_slice(&self.relay.octets());
        packet[28..34].copy_from_slice(&(self.first_mac + number % self.clients).to_be_bytes()[2..]);
        packet[236..HEADER].copy_from_slice(&[99, 130, 83, 99]);
        packet[HEADER..HEADER + 3].copy_from_slice(&[53, 1, kind]);
        let end = HEADER + 3 + options.len();
        packet[HEADER + 3..end].copy_from_slice(options);
        packet[end..end + 9].copy_from_slice(&[55, 6, 1, 3, 6, 12, 15, 51, 255]);
        let now = self.begun.elapsed().as_nanos() as u64;
        self.sent[number as usize].store(now, Ordering::Relaxed);
        let _ = self.socket.send_to(&packet, self.to);
    }

    /// Reads answers until the end, asks for what is offered, and returns the sorted latencies of offers and of
    /// acknowledgements. Only the first of each counts.
    fn receive(&self, end: Duration) -> (Vec<u64>, Vec<u64>) {
        let (mut offers, mut acks) = (Vec::new(), Vec::new());
        let mut state = vec![0_u8; self.sent.len()];
        let mut packet = [0; 1500];
        while self.begun.elapsed() < end && acks.len() < self.sent.len() {
            let Ok(len) = self.socket.recv(&mut packet) else { continue };
            let number = u32::from_be_bytes(packet[4..8].try_into().unwrap()) as usize;
            let (Some(sent), Some(state)) = (self.sent.get(number), state.get_mut(number)) else { continue };
            let took = self.begun.elapsed().as_nanos() as u64 - sent.load(Ordering::Relaxed);
            match (option(&packet[..len], 53), *state) {
                (Some([2]), 0) => {
                    *state = 1;
                    offers.push(took);
                    let server: [u8; 4] = option(&packet[..len], 54).unwrap().try_into().unwrap();
                    let mut options = [50, 4, 0, 0, 0, 0, 54, 4, 0, 0, 0, 0];
                    options[2..6].copy_from_slice(&packet[16..20]);
                    options[8..].copy_from_slice(&server);
                    self.ask(number as u64, 3, &options);
                }
                (Some([5]), 1) => {
                    *state = 2;
                    acks.push(took);
                }
                _ => {}
            }
        }
        offers.sort_unstable();
        acks.sort_unstable();
        (offers, acks)
    }
}

/// An option of an answer.
fn option(packet: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut rest = packet.get(HEADER..)?;
    loop {
        match rest {
            [0, behind @ ..] => rest = behind,
            [255, ..] | [] | [_] => return None,
            [code, length, behind @ ..] => {
                let (value, behind) = behind.split_at_checked(usize::from(*length))?;
                if *code == wanted {
                    return Some(value);
                }
                rest = behind;
            }
        }
    }
}
