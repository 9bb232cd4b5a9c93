//! The loop over the sockets of an interface: what is read, what is made of it, and what is told of it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::answer::Server;
use super::limits::{Limits, is_due};
use super::link::{Heard, Link, Reach, trouble};
use super::outcome::Silence;
use super::request::Request;
use super::socket::{Interface, open, passing, readable, send};
use super::{Dhcp, PXE_PORT, SERVER_PORT};
use crate::clock;
use crate::model::{DhcpSettings, MacAddr, Timestamp};

/// The longest packet that is read; an Ethernet frame holds no more.
const PACKET: usize = 1500;

/// How many packets are read before others get a turn, most of which may have to be dropped.
const TURN: usize = 1024;

/// How often the addresses of the interface are looked at.
const LOOK: Duration = Duration::from_secs(2);

impl Interface {
    /// Answers until `shutdown`. `report` is told what keeps machines of this wire from being answered, and that nothing
    /// does.
    ///
    /// # Errors
    ///
    /// When a socket fails for good, and when the interface is gone, has another name or was replaced by another one.
    pub async fn run(
        &self,
        dhcp: &Dhcp,
        report: &(dyn Fn(Option<String>) + Send + Sync),
        shutdown: &CancellationToken,
    ) -> io::Result<()> {
        let mut serving = Serving {
            interface: self,
            dhcp,
            link: Link::default(),
            reach: Reach::default(),
            heard: Heard::default(),
            made_for: Arc::default(),
            limits: Limits::default(),
            direct: Vec::new(),
            report,
            spent_told: None,
        };
        serving.look()?;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = looks.tick() => serving.look()?,
                ready = self.server.readable() => { ready?; serving.turn(&self.server, SERVER_PORT, false)? }
                ready = self.pxe.readable() => { ready?; serving.turn(&self.pxe, PXE_PORT, true)? }
                number = readable(&serving.direct) => serving.turn_of_direct(number)?,
            }
            // A flood must not keep other tasks of this thread waiting.
            tokio::task::yield_now().await;
        }
    }
}

/// What the loop over an interface remembers.
struct Serving<'a> {
    interface: &'a Interface,
    dhcp: &'a Dhcp,
    link: Link,
    reach: Reach,
    heard: Heard,
    /// The settings whose networks the link tells of.
    made_for: Arc<DhcpSettings>,
    limits: Limits,
    /// A socket for each of our addresses on the interface.
    direct: Vec<(Ipv4Addr, Arc<UdpSocket>)>,
    report: &'a (dyn Fn(Option<String>) + Send + Sync),
    /// When it was last said that a pool is spent.
    spent_told: Option<Timestamp>,
}

impl Serving<'_> {
    /// As [`Self::turn`], of the socket of one of our addresses.
    fn turn_of_direct(&mut self, number: usize) -> io::Result<()> {
        match self.direct.get(number).map(|(_, socket)| socket.clone()) {
            Some(socket) => self.turn(&socket, SERVER_PORT, true),
            None => Ok(()),
        }
    }

    /// Takes sockets for the addresses that the link has, and gives back those of addresses that it lost.
    fn take_addresses(&mut self) {
        let mut addresses: Vec<Ipv4Addr> =
            self.link.address.into_iter().chain(self.link.towards.iter().copied().flatten()).collect();
        addresses.sort_unstable();
        addresses.dedup();
        self.direct.retain(|(address, _)| addresses.contains(address));
        for address in addresses {
            if self.direct.iter().any(|(known, _)| *known == address) {
                continue;
            }
            match open(&self.interface.name, address, SERVER_PORT).and_then(UdpSocket::from_std) {
                Ok(socket) => self.direct.push((address, Arc::new(socket))),
                Err(error) => {
                    tracing::debug!(interface = %self.interface.name, %address, %error, "no socket of its own");
                }
            }
        }
    }

    /// The socket that an answer is sent from: the one of the address that the answer names, because some clients compare
    /// the two. Where there is none, and at the port of boot servers, that is the socket of the request.
    fn sender<'s>(&'s self, asked: &'s Arc<UdpSocket>, port: u16, from: Option<Ipv4Addr>) -> &'s Arc<UdpSocket> {
        let own = self.direct.iter().find(|(address, _)| port == SERVER_PORT && Some(*address) == from);
        own.map_or(asked, |(_, socket)| socket)
    }

    /// Reads and answers what has come, up to a turn's worth. `direct`: it was sent to one of our addresses.
    fn turn(&mut self, socket: &Arc<UdpSocket>, port: u16, direct: bool) -> io::Result<()> {
        let mut buffer = [0; PACKET];
        let view = self.dhcp.views.load();
        let prepared = self.dhcp.prepared(view.dhcp.as_ref());
        if !Arc::ptr_eq(&self.made_for, &prepared.settings) {
            self.look()?;
        }
        let mut left = self.limits.begin(socket.as_raw_fd(), clock::now());
        for _ in 0..TURN {
            if left == 0 {
                break;
            }
            let (length, source) = match socket.try_recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.limits.end(true, clock::now());
                    return Ok(());
                }
                Err(error) => return passing(error),
            };
            let (packet, SocketAddr::V4(source)) = (&buffer[..length], source) else { continue };
            let now = clock::now();
            if !self.limits.admit(packet, *source.ip(), now) {
                self.dhcp.counts.flood();
                continue;
            }
            left -= 1;
            let request = match Request::read(packet) {
                Ok(request) => request,
                Err(error) => {
                    self.dhcp.counts.unreadable(error);
                    tracing::debug!(interface = %self.interface.name, source = %source, reason = %error, "not answered");
                    continue;
                }
            };
            let server = Server {
                view: &view,
                prepared: &prepared,
                flags: &self.dhcp.flags,
                link: &self.link,
                leases: &self.dhcp.leases,
                sightings: &self.dhcp.sightings,
                now,
                direct,
            };
            let outcome = server.answer(&request, source, port);
            self.heard.note(&request, &outcome);
            self.dhcp.counts.answered(request.kind, &outcome);
            let outcome = match outcome {
                Ok(outcome) => outcome,
                Err(silence) => {
                    if matches!(silence, Silence::PoolSpent) && is_due(&mut self.spent_told, now) {
                        tracing::warn!(
                            interface = %self.interface.name, client.mac = %client(packet),
                            "a pool is spent; unknown machines get no address until a lease ends"
                        );
                    }
                    tracing::debug!(interface = %self.interface.name, source = %source, reason = %silence, "not answered");
                    continue;
                }
            };
            let interface = &self.interface.name;
            tracing::debug!(%interface, %source, client.mac = %client(packet), answer = outcome.word, "answered");
            let socket = self.sender(socket, port, outcome.from);
            match (outcome.keep, outcome.reply) {
                (Some(change), reply) => {
                    let reply = reply.map(|(bytes, to)| (socket.clone(), bytes, to));
                    if !self.dhcp.journal.push(change, reply) {
                        self.dhcp.counts.unstored();
                        tracing::debug!("too many leases wait to be stored; one is dropped");
                    }
                }
                (None, Some((bytes, to))) => send(socket, &bytes, to),
                (None, None) => {}
            }
        }
        self.limits.end(false, clock::now());
        Ok(())
    }

    /// Looks at the interface: whether it is still the one that the sockets are bound to, and at its addresses.
    fn look(&mut self) -> io::Result<()> {
        self.interface.is_the_same()?;
        let settings = self.dhcp.prepared(self.dhcp.views.load().dhcp.as_ref()).settings.clone();
        let link = Link::of(&self.interface.name, &settings.networks);
        let reach = Reach::of(&settings, &link);
        let changed = (&link, reach) != (&self.link, self.reach);
        if changed {
            reach.tell(&link.name);
        }
        if changed || !Arc::ptr_eq(&settings, &self.made_for) {
            // What was answered under other settings or addresses says nothing of these.
            self.heard = Heard::default();
        }
        (self.link, self.reach, self.made_for) = (link, reach, settings);
        (self.report)(trouble(&self.interface.name, self.reach, self.heard));
        self.take_addresses();
        Ok(())
    }
}

/// The machine that a packet is about, which was found to be whole.
fn client(packet: &[u8]) -> MacAddr {
    MacAddr(packet.get(28..34).and_then(|address| address.try_into().ok()).unwrap_or_default())
}
