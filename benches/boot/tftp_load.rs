//! A load of TFTP clients, each a thread with an address of its own, as nodes have:
//!
//! ```text
//! tftp_load SERVER:69 FILE CLIENTS TRANSFERS-EACH BLKSIZE WINDOW FIRST-CLIENT-ADDRESS
//! ```
//!
//! All clients start together. What comes out is one line of JSON: bytes and seconds in all, the median and the longest
//! time of a transfer, packets that were sent again because nothing came for a second, and transfers that failed. Every
//! transfer is counted and its size compared with what the server said, so a fast server cannot be a wrong one.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for a packet before the last one is sent again.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often that is done before a transfer counts as failed.
const ATTEMPTS: u32 = 10;

/// What every client does.
struct Job {
    server: SocketAddr,
    file: String,
    block_size: usize,
    window: u16,
}

/// One transfer.
struct Outcome {
    bytes: u64,
    took: Duration,
    repeated: u32,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [server, file, clients, each, block_size, window, first] = &arguments[..] else {
        return println!("tftp_load SERVER:PORT FILE CLIENTS TRANSFERS-EACH BLKSIZE WINDOW FIRST-CLIENT-ADDRESS");
    };
    let (clients, each): (u32, usize) = (clients.parse().unwrap(), each.parse().unwrap());
    let first = u32::from(first.parse::<Ipv4Addr>().unwrap());
    let job = Arc::new(Job {
        server: server.parse().unwrap(),
        file: file.clone(),
        block_size: block_size.parse().unwrap(),
        window: window.parse().unwrap(),
    });
    let start = Arc::new(Barrier::new(usize::try_from(clients).unwrap() + 1));
    let client = |number: u32| {
        let (job, start) = (job.clone(), start.clone());
        let run = move || {
            start.wait();
            (0..each).map(|_| transfer(&job, Ipv4Addr::from(first + number))).collect::<Vec<_>>()
        };
        thread::Builder::new().stack_size(256 << 10).spawn(run).unwrap()
    };
    let running: Vec<_> = (0..clients).map(client).collect();
    start.wait();
    let begun = Instant::now();
    let outcomes: Vec<_> = running.into_iter().flat_map(|client| client.join().unwrap()).collect();
    let seconds = begun.elapsed().as_secs_f64();
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    let whole: Vec<&Outcome> = outcomes.iter().flatten().collect();
    let mut times: Vec<f64> = whole.iter().map(|outcome| outcome.took.as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    let bytes: u64 = whole.iter().map(|outcome| outcome.bytes).sum();
    let repeated: u32 = whole.iter().map(|outcome| outcome.repeated).sum();
    let (median, longest) = (times.get(times.len() / 2).unwrap_or(&0.0), times.last().unwrap_or(&0.0));
    println!(
        r#"{{"bytes":{bytes},"seconds":{seconds:.4},"median":{median:.4},"longest":{longest:.4},"repeated":{repeated},"failed":{failed}}}"#
    );
}

/// Fetches the file once.
fn transfer(job: &Job, from: Ipv4Addr) -> io::Result<Outcome> {
    let begun = Instant::now();
    let socket = UdpSocket::bind((from, 0))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut request = format!("\0\u{1}{}\0octet\0tsize\x000\0blksize\0{}\0", job.file, job.block_size);
    if job.window > 1 {
        request.push_str(&format!("windowsize\0{}\0", job.window));
    }
    let mut line = Line { socket, server: job.server, last: request.into_bytes(), connected: false, repeated: 0 };
    let mut packet = vec![0; 4 + job.block_size.max(512)];
    let len = line.exchange(&mut packet)?;
    let terms = Terms::of(&packet[..len])?;
    line.send(&[0, 4, 0, 0])?;
    let (mut have, mut bytes, mut behind, mut gap) = (0_u64, 0_u64, 0_u16, false);
    loop {
        let len = line.receive(&mut packet)?;
        let [0, 3, high, low] = packet[..4] else { return Err(io::Error::other("no data")) };
        if u16::from_be_bytes([high, low]) != (have + 1) as u16 {
            // One of the window was lost: what is had is said once, and the rest of the window passed over.
            if !gap && job.window > 1 {
                line.acknowledge(have)?;
            }
            (gap, behind) = (true, 0);
            continue;
        }
        gap = false;
        (have, behind, bytes) = (have + 1, behind + 1, bytes + len as u64 - 4);
        let whole = len - 4 < terms.block_size;
        if whole || behind == terms.window {
            line.acknowledge(have)?;
            behind = 0;
        }
        if whole {
            let right = terms.size == bytes;
            let outcome = Outcome { bytes, took: begun.elapsed(), repeated: line.repeated };
            return if right { Ok(outcome) } else { Err(io::Error::other("the file has another size")) };
        }
    }
}

/// What the server agreed to.
struct Terms {
    block_size: usize,
    window: u16,
    size: u64,
}

impl Terms {
    fn of(packet: &[u8]) -> io::Result<Self> {
        let Some(options) = packet.strip_prefix(&[0, 6]) else { return Err(io::Error::other("no options agreed")) };
        let texts: Vec<&str> =
            options.split(|byte| *byte == 0).map(|text| std::str::from_utf8(text).unwrap()).collect();
        let value = |name: &str| {
            let pair = texts.chunks(2).find(|pair| pair[0].eq_ignore_ascii_case(name))?;
            pair.get(1)?.parse::<u64>().ok()
        };
        let block_size = usize::try_from(value("blksize").unwrap_or(512)).unwrap();
        let window = u16::try_from(value("windowsize").unwrap_or(1)).unwrap();
        Ok(Self { block_size, window, size: value("tsize").ok_or_else(|| io::Error::other("no size"))? })
    }
}

/// A client's side of a transfer.
struct Line {
    socket: UdpSocket,
    server: SocketAddr,
    last: Vec<u8>,
    connected: bool,
    repeated: u32,
}

impl Line {
    fn exchange(&mut self, packet: &mut [u8]) -> io::Result<usize> {
        self.socket.send_to(&self.last, self.server)?;
        self.receive(packet)
    }

    fn acknowledge(&mut self, have: u64) -> io::Result<()> {
        let [high, low] = (have as u16).to_be_bytes();
        self.send(&[0, 4, high, low])
    }

    fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        self.last.clear();
        self.last.extend_from_slice(packet);
        self.socket.send(packet).map(drop)
    }

    fn receive(&mut self, packet: &mut [u8]) -> io::Result<usize> {
        for _ in 0..ATTEMPTS {
            match self.socket.recv_from(packet) {
                Ok((len, from)) => {
                    if !self.connected {
                        // The transfer has a port of its own (RFC 1350).
                        self.socket.connect(from)?;
                        self.connected = true;
                    }
                    if packet.starts_with(&[0, 5]) {
                        return Err(io::Error::other("the server refused"));
                    }
                    return Ok(len);
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    self.repeated += 1;
                    match self.connected {
                        true => self.socket.send(&self.last)?,
                        false => self.socket.send_to(&self.last, self.server)?,
                    };
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("no answer"))
    }
}
