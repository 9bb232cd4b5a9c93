//! Which program or script a client is sent to fetch.

use std::net::Ipv4Addr;

use super::BootSettings;
use super::client::{Client, HTTP_CLIENT, PXE_CLIENT};
use super::code;
use super::options::Layers;
use super::reply::Reply;
use super::request::Request;
use crate::model::{DhcpSettings, MacAddr, UnknownPolicy};

/// What a client of TFTP loads, by its architecture. Firmware for x86-64 calls itself 7 or 9: the numbers were given
/// twice (RFC 4578, IANA).
const LOADERS: &[(u16, &str)] = &[
    (0, "undionly.kpxe"),
    (6, "ipxe-i386.efi"),
    (7, "ipxe-x86_64.efi"),
    (9, "ipxe-x86_64.efi"),
    (10, "ipxe-arm32.efi"),
    (11, "ipxe-arm64.efi"),
    (15, "ipxe-i386.efi"),
    (16, "ipxe-x86_64.efi"),
    (17, "ipxe-x86_64.efi"),
    (18, "ipxe-arm32.efi"),
    (19, "ipxe-arm64.efi"),
];

/// PXE discovery control (PXE 2.1, sub-option 6): take the boot file of this answer, and look for no boot server.
const TAKE_THIS_FILE: &[u8] = &[6, 1, 8, 255];

/// Tells iPXE to wait for no other server that would name a boot file: its own option 176, encapsulated in 175.
const NO_PROXY: &[u8] = &[176, 1, 1];

/// Who is told what to boot.
#[derive(Debug, Clone, Copy)]
pub(super) enum Machine<'a> {
    /// A known one.
    Known,
    /// An unknown one, with the policy of its network and whether the boot listener has a script of the site's for it.
    Unknown { policy: &'a UnknownPolicy, scripted: bool },
}

/// What a boot file depends on.
pub(super) struct Boot<'a> {
    pub(super) settings: &'a DhcpSettings,
    pub(super) flags: &'a BootSettings,
    pub(super) layers: &'a Layers<'a>,
    pub(super) server: Ipv4Addr,
    pub(super) machine: Machine<'a>,
    /// A site's own server gives the addresses.
    pub(super) proxy: bool,
}

impl Boot<'_> {
    /// Adds what the client needs to boot. False when there is nothing for it.
    pub(super) fn set(&self, reply: &mut Reply, request: &Request<'_>) -> bool {
        let client = Client::of(request);
        if client == Client::Plain {
            return false;
        }
        let next_server = self.layers.next_server().unwrap_or(self.server);
        let Some(file) = self.file(client, request.mac) else { return false };
        reply.set_next_server(next_server);
        reply.set_boot_file(&file);
        match client {
            // UEFI takes no answer for one of HTTP boot that does not say so.
            Client::Http(_) => reply.set(code::VENDOR_CLASS, HTTP_CLIENT),
            Client::Ipxe if !self.proxy => reply.set(code::IPXE, NO_PROXY),
            // Old BIOS ROMs look for a boot server unless told not to; other firmware would take more from this than
            // is meant.
            Client::Pxe(0) if request.asks_for(code::VENDOR) => {
                reply.set(code::VENDOR_CLASS, PXE_CLIENT);
                reply.set(code::VENDOR, TAKE_THIS_FILE);
            }
            _ => {}
        }
        if self.proxy && !matches!(client, Client::Http(_)) {
            reply.set(code::VENDOR_CLASS, PXE_CLIENT);
            reply.set(code::VENDOR, TAKE_THIS_FILE);
            if let Some(identifier) = request.option(code::MACHINE_IDENTIFIER) {
                reply.set(code::MACHINE_IDENTIFIER, &identifier);
            }
        }
        if !matches!(client, Client::Http(_)) {
            let text = next_server.to_string();
            reply.set(code::TFTP_SERVER, text.as_bytes());
            if !self.layers.sets_root_path() {
                reply.set(code::ROOT_PATH, text.as_bytes());
            }
        }
        true
    }

    fn file(&self, client: Client, mac: MacAddr) -> Option<String> {
        let arch = match client {
            Client::Ipxe => return Some(self.script(mac)),
            Client::Pxe(arch) | Client::Http(arch) => arch,
            Client::Plain => return None,
        };
        let own = self.settings.loaders.get(&arch).map(String::as_str);
        let usual = || LOADERS.iter().find(|(known, _)| *known == arch).map(|(_, file)| *file);
        let file = self.layers.boot_file().or(own).or_else(usual)?;
        match client {
            Client::Http(_) if !file.contains("://") => Some(format!("{}/loaders/{file}", self.boot_url())),
            _ => Some(file.to_owned()),
        }
    }

    /// What iPXE runs.
    fn script(&self, mac: MacAddr) -> String {
        match self.machine {
            Machine::Known => match &self.settings.boot_script_url {
                Some(url) => format!("{url}?mac={mac}"),
                None => self.own_script(mac),
            },
            // The script of the TFTP server has them start over, and so that is what the site's own one replaces.
            Machine::Unknown { policy: UnknownPolicy::Reboot, scripted: true } => self.own_script(mac),
            Machine::Unknown { policy, .. } => policy.boot_file().to_owned(),
        }
    }

    fn own_script(&self, mac: MacAddr) -> String {
        format!("{}/boot/v1/bootscript?mac={mac}", self.boot_url())
    }

    /// How the node reaches the boot listener.
    fn boot_url(&self) -> String {
        match &self.flags.boot_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}:{}", self.server, self.flags.boot_port),
        }
    }
}
