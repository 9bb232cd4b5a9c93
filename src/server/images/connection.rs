//! One connection: requests one behind the other, files straight from the page cache to the socket.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use rustix::net::sockopt::set_tcp_cork;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::answer::{self, Answer, Piece, Version};
use super::rate::Pace;
use super::request::{self, Parsed, Request};
use crate::clock;
use crate::directory::{OpenError, Opened};

/// The most that is sent before other connections of the thread have their turn, in bytes.
const TURN: u64 = 1 << 20;

/// How long, and how much, is read from a client that was refused, so that it reads our answer before it notices that
/// nobody listens any more.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 << 10;

/// Answers requests until the client or shutdown ends it.
pub(super) async fn speak(mut stream: TcpStream, peer: IpAddr, shared: &Shared, shutdown: &CancellationToken) {
    let mut received = Vec::new();
    loop {
        let (request, len) = match head(&mut stream, &mut received, shared, shutdown).await {
            Ok(Parsed::Request(request, len)) => (request, len),
            Ok(Parsed::Refused(status)) => {
                let refusal = answer::without_file(status, None, false, now());
                if stream.write_all(&text(&refusal)).await.is_ok() {
                    linger(&mut stream).await;
                }
                shared.count(status, Duration::ZERO);
                return;
            }
            Ok(Parsed::Partial) | Err(_) => return,
        };
        received.drain(..len);
        let keep_alive = request.keep_alive && !shutdown.is_cancelled();
        let request = Request { keep_alive, ..request };
        if let Err(error) = serve(&mut stream, peer, &request, shared).await {
            tracing::debug!(peer = %peer, http.path = request.name, error = %error, "an image was not sent whole");
            return;
        }
        if !keep_alive {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// The next head, from what was received already and what comes; [`Parsed::Partial`] when none comes any more.
async fn head(
    stream: &mut TcpStream,
    received: &mut Vec<u8>,
    shared: &Shared,
    shutdown: &CancellationToken,
) -> io::Result<Parsed> {
    let whole = async {
        loop {
            match request::parse(received) {
                Parsed::Partial if received.len() > shared.limits.head_bytes => return Ok(Parsed::Refused(431)),
                Parsed::Partial => {}
                parsed => return Ok(parsed),
            }
            received.reserve(4096);
            if stream.read_buf(received).await? == 0 {
                return Ok(Parsed::Partial);
            }
        }
    };
    match shutdown.run_until_cancelled(timeout(shared.limits.head, whole)).await {
        Some(Ok(parsed)) => parsed,
        // A connection on which nothing was asked is closed without a word.
        Some(Err(_)) if received.is_empty() => Ok(Parsed::Partial),
        Some(Err(_)) => Ok(Parsed::Refused(408)),
        None => Ok(Parsed::Partial),
    }
}

async fn serve(stream: &mut TcpStream, peer: IpAddr, request: &Request, shared: &Shared) -> io::Result<()> {
    let begun = Instant::now();
    let opened = open(request, shared).await;
    let answer = match &opened {
        Ok((_, version)) => answer::of_file(request, version, now()),
        Err(error) => {
            let status = match error {
                OpenError::NotFound | OpenError::Outside => 404,
                OpenError::Denied => 403,
                OpenError::Io(_) => 503,
            };
            answer::without_file(status, Some(request.method), request.keep_alive, now())
        }
    };
    shared.count(answer.status, begun.elapsed());
    tracing::debug!(peer = %peer, http.path = request.name, http.status = answer.status, "answered");
    let pace = shared.ceilings.of(&request.name);
    // Only full segments leave until all is handed over: without it every stretch of a file would push what there is, which
    // costs a quarter of the speed. The last one leaves when the cork is drawn, or with the connection.
    let _ = set_tcp_cork(&*stream, true);
    guarded(shared, stream.write_all(answer.head.as_bytes())).await?;
    for piece in &answer.body {
        match (piece, &opened) {
            (Piece::File(range), Ok((file, version))) => {
                send(stream, file, range.clone(), version, &pace, shared).await?;
            }
            (Piece::Text(text), _) => guarded(shared, stream.write_all(text.as_bytes())).await?,
            (Piece::File(_), Err(_)) => {}
        }
    }
    let _ = set_tcp_cork(&*stream, false);
    Ok(())
}

/// Opens the file on a thread that may wait for a disk.
async fn open(request: &Request, shared: &Shared) -> Result<(Arc<File>, Version), OpenError> {
    let (directory, name) = (shared.directory.clone(), request.name.clone());
    let opened = tokio::task::spawn_blocking(move || directory.open(&name)).await;
    let Opened { file, metadata } = opened.map_err(|error| OpenError::Io(io::Error::other(error)))??;
    Ok((Arc::new(file), Version::of(&metadata)))
}

/// Sends a stretch of a file. The end of it is held back when the file was changed meanwhile: a node that gets too little
/// tries again, while one that gets half of one image and half of another boots it.
async fn send(
    stream: &TcpStream,
    file: &Arc<File>,
    range: Range<u64>,
    version: &Version,
    pace: &Pace,
    shared: &Shared,
) -> io::Result<()> {
    let mut place = range.start;
    while place < range.end {
        let mut turn = pace.turn((range.end - place).min(TURN)).await;
        if place + turn == range.end && changed(file, version)? {
            return Err(io::Error::other("the file was changed while it was sent"));
        }
        while turn > 0 {
            let count = usize::try_from(turn).unwrap_or(usize::MAX);
            let sending = stream
                .async_io(Interest::WRITABLE, || Ok(rustix::fs::sendfile(stream, file, Some(&mut place), count)?));
            let sent = guarded(shared, sending).await? as u64;
            if sent == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            shared.sent.fetch_add(sent, Ordering::Relaxed);
            turn = turn.saturating_sub(sent);
        }
    }
    Ok(())
}

/// The time of change of the inode is not looked at: replacing a file by renaming another over it moves that, and does
/// not touch what we send.
fn changed(file: &File, version: &Version) -> io::Result<bool> {
    let metadata = file.metadata()?;
    Ok(metadata.len() != version.len || metadata.modified()? != version.modified)
}

/// A client that takes nothing of what it asked for is given up.
async fn guarded<T>(shared: &Shared, sending: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(shared.limits.stall, sending).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn linger(stream: &mut TcpStream) {
    let _ = stream.shutdown().await;
    let rest = async {
        let mut bytes = vec![0; 4096];
        let mut left = LINGER_BYTES;
        while let Ok(len) = stream.read(&mut bytes).await
            && len > 0
            && len < left
        {
            left -= len;
        }
    };
    let _ = timeout(LINGER, rest).await;
}

fn text(answer: &Answer) -> Vec<u8> {
    let mut bytes = answer.head.clone().into_bytes();
    for piece in &answer.body {
        if let Piece::Text(text) = piece {
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    bytes
}

fn now() -> SystemTime {
    let micros = u64::try_from(clock::now().0).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}
