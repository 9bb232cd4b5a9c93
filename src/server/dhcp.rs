//! DHCPv4 (RFC 2131, 2132): addresses for nodes, and what firmware is to boot.
//!
//! A UDP socket per interface, bound to the device, so that every packet is known to come from there. What the applied
//! inventory says is in the boot view; machines that it does not know have short leases, which are stored before they
//! are acknowledged. DHCP knows no secret and is given a [`BootReader`] only; what it has to store it hands to [`Keep`].
//!
//! The way of a packet: `limits` (floods), `request` (bytes), `link` and `place` (the network), `answer` (the decision,
//! without I/O, with `leases`, `sightings` and `astray`), `options` and `boot_file` (what is told), `reply` (bytes), `journal` (what
//! has to be stored first).
//!
//! What it does not do: DHCPv6, DHCP over InfiniBand, and probing an address before it is offered; an address that is
//! in use all the same is declined by its client and left alone for an hour.

mod advice;
mod answer;
mod astray;
mod boot_file;
mod client;
mod code;
mod figures;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod journal;
mod leases;
mod limits;
mod link;
mod options;
mod outcome;
mod place;
mod reply;
mod request;
mod serving;
mod sightings;
mod socket;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use astray::{Owner, is_settled, owner};
pub use link::Link;
pub use socket::{DhcpBindError, Interface};

use self::figures::Counts;
use self::journal::Journal;
use self::leases::Leases;
use self::place::Prepared;
use self::sightings::Sightings;
use crate::clock;
use crate::model::{DhcpLease, DhcpSettings, DhcpUnknown, MacAddr, Records, Timestamp};
use crate::snapshot::Change;
use crate::store::BootReader;

/// Where servers and relays listen.
const SERVER_PORT: u16 = 67;

/// Where clients listen.
const CLIENT_PORT: u16 = 68;

/// Where firmware asks a server that tells only what to boot (PXE 2.1).
const PXE_PORT: u16 = 4011;

/// What the flags say of booting.
#[derive(Debug, Clone)]
pub struct BootSettings {
    /// How nodes reach the boot listener; our address on their network, at the port below, unless given.
    pub boot_url: Option<String>,
    /// The port of the boot listener.
    pub boot_port: u16,
    /// Whether nodes may reach that listener: it is not on loopback alone, or the URL says how.
    pub boot_reachable: bool,
    /// Whether loaders are served over TFTP.
    pub tftp: bool,
}

/// Stores changes durably, or says in words why it cannot.
pub type Keep = Arc<dyn Fn(Vec<Change>) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What all interfaces share.
pub struct Dhcp {
    views: BootReader,
    flags: BootSettings,
    leases: Mutex<Leases>,
    sightings: Mutex<Sightings>,
    prepared: Mutex<Arc<Prepared>>,
    journal: Journal,
    counts: Counts,
}

impl Dhcp {
    /// A server with the leases and the unknown machines that are stored.
    #[must_use]
    pub fn new(views: BootReader, flags: BootSettings, stored: &Records, keep: Keep) -> Arc<Self> {
        let leases = Leases::load(stored.dhcp_leases.values().map(AsRef::as_ref));
        let sightings = Sightings::load(stored.dhcp_unknown.values().map(AsRef::as_ref));
        Arc::new(Self {
            views,
            flags,
            leases: Mutex::new(leases),
            sightings: Mutex::new(sightings),
            prepared: Mutex::default(),
            journal: Journal::new(keep),
            counts: Counts::default(),
        })
    }

    /// Takes up what a database holds that was opened late: `stored`, where `known` is what there was until then. Comes
    /// before anything is written to it, because a write could take the place of a lease that is not known here yet.
    pub fn take_up(&self, known: &Records, stored: &Records) {
        let is_new = |(ip, lease): &(&Ipv4Addr, &Arc<DhcpLease>)| known.dhcp_leases.get(*ip) != Some(*lease);
        let leases = stored.dhcp_leases.iter().filter(is_new).map(|(_, lease)| lease.as_ref());
        self.leases.lock().unwrap_or_else(PoisonError::into_inner).take_up(leases, clock::now());
        let is_new = |(mac, one): &(&MacAddr, &Arc<DhcpUnknown>)| known.dhcp_unknown.get(*mac) != Some(*one);
        let unknown = stored.dhcp_unknown.iter().filter(is_new).map(|(_, one)| one.as_ref());
        self.sightings.lock().unwrap_or_else(PoisonError::into_inner).take_up(unknown);
    }

    /// Stores what is new of unknown machines, and forgets leases that ended long ago, until `shutdown`. `report` is
    /// told what keeps leases from being stored, and that nothing does.
    pub async fn run(&self, report: impl Fn(Option<String>), shutdown: &CancellationToken) {
        self.journal.run(self, &report, shutdown).await;
    }

    /// The settings in force with what is looked up often; made anew when they change, which is when it is told what they
    /// ask for in vain.
    fn prepared(&self, settings: Option<&Arc<DhcpSettings>>) -> Arc<Prepared> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(settings) = settings
            && !Arc::ptr_eq(&prepared.settings, settings)
        {
            *prepared = Arc::new(Prepared::new(settings.clone()));
            advice::advice(settings, &self.flags).iter().for_each(|advice| tracing::warn!("{advice}"));
        }
        prepared.clone()
    }

    /// Looks for what has to be stored that no answer waits for, and tells how many changes that are.
    fn review(&self, now: Timestamp) -> usize {
        let view = self.views.load();
        let none = DhcpSettings::default();
        let settings = view.dhcp.as_deref().unwrap_or(&none);
        let unknown = {
            let mut sightings = self.sightings.lock().unwrap_or_else(PoisonError::into_inner);
            sightings.forget(|noted| is_settled(&view, settings, noted));
            sightings.waiting()
        };
        let leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        unknown + leases.waiting(journal::forgotten_before(now))
    }

    /// Of what has to be stored that no answer waits for, up to so many changes.
    fn upkeep(&self, now: Timestamp, most: usize) -> Vec<Change> {
        let mut changes = self.sightings.lock().unwrap_or_else(PoisonError::into_inner).changes(most);
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        changes.extend(leases.changes(journal::forgotten_before(now), most - changes.len()));
        changes
    }

    /// Takes note of what became of a write. What could not be stored is stored by a later one.
    fn settle(&self, changes: &[Change], is_stored: bool) {
        let mut sightings = self.sightings.lock().unwrap_or_else(PoisonError::into_inner);
        changes.iter().for_each(|change| sightings.settle(change, is_stored));
        drop(sightings);
        if !is_stored {
            let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
            changes.iter().for_each(|change| leases.failed(change));
        }
    }
}
