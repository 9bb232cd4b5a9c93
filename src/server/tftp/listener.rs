//! One port that is listened on: requests become transfers, and in single-port mode answers find theirs.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Settings;
use super::active::{Active, Between};
use super::blocks::Blocks;
use super::heard::Heard;
use super::limits::Requests;
use super::link::{INBOX, Link, Reply};
use super::options;
use super::packet::{self, Code, Mode, Packet, REQUEST_LIMIT, Request, netascii};
use super::transfer::{End, Transfer};
use super::window::Window;
use crate::directory::OpenError;
use crate::loaders::{Content, LoaderError, Loaders};
use crate::server::common::metrics::Counter;
use crate::server::common::share::{Place, Shares};
use crate::server::common::{Backoff, Limits, Role};

/// What all ports share.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// Room for transfers.
    pub(super) budget: Arc<Semaphore>,
    /// Each client's part of it.
    pub(super) shares: Arc<Shares>,
    /// What takes it.
    pub(super) active: Arc<Active>,
    /// How requests ended.
    pub(super) ends: Counter,
}

/// One port.
#[derive(Debug)]
pub(super) struct Listener {
    /// Tells it from the others in the same room.
    number: usize,
    socket: Arc<UdpSocket>,
    loaders: Loaders,
    room: Room,
    single_port: bool,
    per_client: usize,
}

impl Listener {
    pub(super) fn new(number: usize, socket: UdpSocket, loaders: Loaders, room: Room, settings: &Settings) -> Self {
        Self {
            number,
            socket: Arc::new(socket),
            loaders,
            room,
            single_port: settings.single_port,
            per_client: settings.per_client,
        }
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn between(&self, client: SocketAddr) -> Between {
        Between { listener: self.number, client }
    }

    /// Serves until shutdown, then waits for transfers at most for the drain time.
    pub(super) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let (transfers, abort) = (TaskTracker::new(), CancellationToken::new());
        // Dropping this future, as when it is to be started again, ends its transfers, too.
        let _ends = abort.clone().drop_guard();
        let mut pauses = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
        let mut bytes = vec![0; REQUEST_LIMIT + 1];
        let mut requests = Requests::new(Instant::now());
        while let Some(received) = shutdown.run_until_cancelled(self.socket.recv_from(&mut bytes)).await {
            match received {
                Ok((len, client)) => {
                    pauses.reset();
                    if !requests.admit(&bytes[..len], client.ip(), Instant::now()) {
                        self.room.ends.add("flood");
                        continue;
                    }
                    self.received(&bytes[..len], client, &transfers, &abort);
                }
                // What we sent to a client that is gone comes back as an error of this socket.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => {
                    let pause = pauses.pause();
                    tracing::warn!(error = %error, retry.millis = pause.as_millis(), "no TFTP request can be received");
                    tokio::time::sleep(pause).await;
                }
            }
        }
        transfers.close();
        let drain = tokio::time::timeout(Limits::of(Role::Tftp).drain, self.drain(&transfers, &mut bytes));
        if drain.await.is_err() {
            tracing::warn!(transfers.left = transfers.len(), "TFTP transfers are cut at shutdown");
        }
        abort.cancel();
        transfers.wait().await;
    }

    /// Passes answers on until the last transfer has ended.
    async fn drain(&self, transfers: &TaskTracker, bytes: &mut [u8]) {
        let passing = async {
            loop {
                if let Ok((len, client)) = self.socket.recv_from(bytes).await
                    && let Some(reply) = Reply::of(&packet::parse(&bytes[..len]))
                {
                    self.room.active.answer(self.between(client), reply);
                }
            }
        };
        tokio::select! {
            () = transfers.wait() => {}
            () = passing => {}
        }
    }

    fn received(
        self: &Arc<Self>,
        bytes: &[u8],
        client: SocketAddr,
        transfers: &TaskTracker,
        abort: &CancellationToken,
    ) {
        match packet::parse(bytes) {
            Packet::Read(request) => self.requested(bytes, request, client, transfers, abort),
            Packet::Refused(code, why) => {
                self.room.ends.add("refused");
                self.refuse(client, code, why);
            }
            packet => {
                if let Some(reply) = Reply::of(&packet) {
                    self.room.active.answer(self.between(client), reply);
                }
            }
        }
    }

    /// Errors are sent once and never waited for.
    fn refuse(&self, client: SocketAddr, code: Code, why: &str) {
        let _ = self.socket.try_send_to(&packet::error(code, why), client);
    }

    fn requested(
        self: &Arc<Self>,
        bytes: &[u8],
        request: Request,
        client: SocketAddr,
        transfers: &TaskTracker,
        abort: &CancellationToken,
    ) {
        let between = self.between(client);
        if !self.room.active.gives_way(between, bytes) {
            // It asks again because our answer is late or lost; the transfer sends it again by itself.
            return;
        }
        let Some(room) = self.room(client.ip()) else { return };
        let heard = Arc::new(Heard::default());
        let cancel = abort.child_token();
        let (sender, inbox) = mpsc::channel(INBOX);
        let (sender, inbox) = if self.single_port { (Some(sender), Some(inbox)) } else { (None, None) };
        let under_way = self.room.active.begin(between, bytes, heard.clone(), cancel.clone(), sender);
        let this = self.clone();
        transfers.spawn(async move {
            let _held = (room, under_way);
            let serving = this.serve(&request, client, inbox, &heard);
            let Some(end) = cancel.run_until_cancelled(serving).await else {
                this.room.ends.add("cut");
                return;
            };
            this.room.ends.add(end.word());
            tracing::debug!(peer = %client, tftp.file = request.name, tftp.end = %end, "a TFTP transfer ended");
        });
    }

    /// Room for one more transfer of the client. Where there is none, a transfer that nobody seems to want any more is
    /// ended, and the client finds room when it asks again.
    fn room(&self, client: IpAddr) -> Option<(OwnedSemaphorePermit, Place)> {
        let Room { budget, shares, .. } = &self.room;
        let Some(place) = shares.take(client.to_canonical(), self.per_client) else {
            return self.no_room(client, |other| other.to_canonical() == client.to_canonical());
        };
        match budget.clone().try_acquire_owned() {
            Ok(permit) => Some((permit, place)),
            Err(_) => self.no_room(client, |_| true),
        }
    }

    /// Ends the transfer that was not heard of for the longest, of those whose client is one of `whose`.
    fn no_room<T>(&self, client: IpAddr, whose: impl Fn(IpAddr) -> bool) -> Option<T> {
        self.room.ends.add("no-room");
        tracing::debug!(peer = %client, "there is no room for a TFTP transfer");
        self.room.active.end_idle(whose);
        None
    }

    async fn serve(
        &self,
        request: &Request,
        client: SocketAddr,
        inbox: Option<mpsc::Receiver<Reply>>,
        heard: &Heard,
    ) -> End {
        let (loaders, wanted) = (self.loaders.clone(), request.name.clone());
        let loaded = match tokio::task::spawn_blocking(move || loaders.load(&wanted, client.ip())).await {
            Ok(loaded) => loaded,
            Err(error) => return End::Failed(io::Error::other(error)),
        };
        let content = match loaded {
            Ok(content) => content,
            Err(error) => {
                let (code, why) = told(&error);
                self.refuse(client, code, why);
                return End::Refused(error);
            }
        };
        let content = match (request.mode, content) {
            (Mode::Octet, content) => content,
            (Mode::NetAscii, Content::Memory(bytes)) => Content::Memory(netascii(&bytes).into()),
            (Mode::NetAscii, Content::File(..)) => {
                self.refuse(client, Code::NotDefined, "the file is too large for netascii; ask for octet");
                return End::Failed(io::ErrorKind::FileTooLarge.into());
            }
        };
        let (terms, agreed) = options::agree(request, content.len());
        let link = match inbox {
            Some(inbox) => Ok(Link::shared(self.socket.clone(), client, inbox)),
            None => self.own_port(client).await,
        };
        let link = match link {
            Ok(link) => link,
            Err(error) => {
                self.refuse(client, Code::NotDefined, "the server is busy; try again");
                return End::Failed(error);
            }
        };
        let window = Window::new(content.len(), terms.block_size, terms.window);
        let greeting = (!agreed.is_empty()).then(|| packet::option_acknowledgement(&agreed));
        let blocks = Blocks::new(content, terms.block_size);
        Transfer { link, blocks, terms, window, greeting, at_once: 1, heard }.run().await
    }

    async fn own_port(&self, client: SocketAddr) -> io::Result<Link> {
        Link::own(self.address()?.ip(), client).await
    }
}

/// What a client is told, which is less than what the log is told.
fn told(error: &LoaderError) -> (Code, &'static str) {
    match error {
        LoaderError::Open(OpenError::NotFound) => (Code::NotFound, "file not found"),
        LoaderError::Open(OpenError::Outside | OpenError::Denied) => (Code::AccessViolation, "access violation"),
        LoaderError::Open(OpenError::Io(_)) | LoaderError::Template(_) => (Code::NotDefined, "the file cannot be read"),
    }
}
