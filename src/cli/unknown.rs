//! `unknown`: machines that asked for an address and that the applied inventory does not name, and those that it names
//! with addresses of other networks only.
//!
//! Each unknown one comes with lines for `nodes.yaml` in which only the place is left to fill in, each known one with what
//! is known of it. What a client says of itself is
//! shown escaped: it may be anything. So is the maker of its network card, which a list of this machine names.

mod makers;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use serde_json::json;

use self::makers::Makers;
use super::args::UnknownArgs;
use super::exit::Exit;
use super::output::{Format, Printer, counted};
use crate::model::{DhcpSettings, DhcpUnknown, Nid, Timestamp};
use crate::server::dhcp::{Owner, is_settled, owner};
use crate::snapshot::{BootView, Snapshot};
use crate::store::{Mode, Store, StoreConfig};

pub(super) async fn run(args: UnknownArgs, printer: Printer) -> anyhow::Result<Exit> {
    // Reading takes no lock, so this works beside a daemon and without one alike.
    let config = StoreConfig { state_dir: args.state.state, mode: Mode::ReadOnly, url: args.state.database };
    let store = Store::open(config).await?;
    let snapshot = store.snapshot();
    let machines = unknown(&snapshot);
    let makers = Makers::find(&makers::DIRECTORIES.map(Path::new), machines.iter().map(|one| one.mac));
    match printer.format {
        Format::Json => {
            let json = as_json(&machines, &makers, &snapshot.boot);
            printer.data(&ascii(&serde_json::to_string_pretty(&json)?));
        }
        Format::Text if machines.is_empty() => printer.talk("no unknown machine has asked for an address"),
        Format::Text => {
            printer.data(&text(&machines, &makers, &snapshot.boot));
            printer.talk(&summary(&machines, &snapshot.boot));
        }
    }
    store.close().await;
    Ok(Exit::Success)
}

/// Those that are still unknown, or still where they have no address, the one seen last first.
fn unknown(snapshot: &Snapshot) -> Vec<&DhcpUnknown> {
    let none = DhcpSettings::default();
    let settings = snapshot.boot.dhcp.as_deref().unwrap_or(&none);
    let all = snapshot.records.dhcp_unknown.values().map(AsRef::as_ref);
    let mut machines: Vec<&DhcpUnknown> = all.filter(|one| !is_settled(&snapshot.boot, settings, one)).collect();
    machines.sort_by_key(|one| (std::cmp::Reverse(one.last_seen), one.mac));
    machines
}

/// Who has the MAC address of a machine, if anybody.
fn known(one: &DhcpUnknown, view: &BootView) -> Option<Owner> {
    owner(view, view.dhcp.as_deref()?, one.mac)
}

/// The network that an address is in.
fn network_of(ip: Ipv4Addr, view: &BootView) -> Option<&str> {
    Some(&view.dhcp.as_ref()?.network_of(ip)?.name)
}

/// How many machines of either kind there are.
fn summary(machines: &[&DhcpUnknown], view: &BootView) -> String {
    let astray = machines.iter().filter(|one| known(one, view).is_some()).count();
    let unknown = machines.len() - astray;
    let mut said = Vec::new();
    if unknown > 0 {
        said.push(format!("{}; xXcCsSbBnN stands for where a machine is", counted(unknown as u64, "unknown machine")));
    }
    if astray > 0 {
        said.push(format!("{} on a network without an address for it", counted(astray as u64, "known machine")));
    }
    said.join("; ")
}

fn as_json(machines: &[&DhcpUnknown], makers: &Makers, view: &BootView) -> serde_json::Value {
    let known_as = |one: &DhcpUnknown| {
        let owner = known(one, view)?;
        let address = |ip: &Ipv4Addr| json!({ "ip": ip, "network": network_of(*ip, view) });
        let addresses: Vec<_> = owner.addresses.iter().map(address).collect();
        Some(json!({ "kind": owner.kind, "name": owner.name, "addresses": addresses }))
    };
    let machine = |one: &&DhcpUnknown| {
        json!({
            "mac": one.mac,
            "known_as": known_as(one),
            "maker": makers.of(one.mac),
            "network": one.network,
            "ip": one.ip,
            "vendor_class": one.vendor,
            "architecture": one.arch,
            "relay": one.relay,
            "relay_information": one.circuit,
            "first_seen": time(one.first_seen),
            "last_seen": time(one.last_seen),
        })
    };
    json!({ "version": 1, "machines": machines.iter().map(machine).collect::<Vec<_>>() })
}

/// The same JSON in ASCII. Strings of clients may hold what turns a terminal's text around; JSON has an escape for
/// every character, and all that is not ASCII stands in strings.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '\u{7f}' => text.push_str("\\u007f"),
            letter if letter.is_ascii() => text.push(letter),
            letter => text.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    text
}

fn text(machines: &[&DhcpUnknown], makers: &Makers, view: &BootView) -> String {
    let mut text = String::new();
    let mut next = Next::new(view);
    for one in machines {
        let maker = makers.of(one.mac).map(|name| format!(" ({})", escaped(name))).unwrap_or_default();
        let _ = write!(text, "# {}{maker} on {}, {}", one.mac, escaped(&one.network), architecture(one.arch));
        if !one.vendor.is_empty() {
            let _ = write!(text, ", \"{}\"", escaped(&one.vendor));
        }
        if let Some(ip) = one.ip {
            let _ = write!(text, ", was given {ip}");
        }
        if let Some(relay) = one.relay {
            let _ = write!(text, ", through {relay}");
        }
        if !one.circuit.is_empty() {
            let _ = write!(text, " ({})", one.circuit);
        }
        let _ = writeln!(text, "\n# first seen {}, last seen {}", time(one.first_seen), time(one.last_seen));
        if let Some(owner) = known(one, view) {
            text.push_str(&astray(one, &owner, view));
            continue;
        }
        let nid = next.nid();
        let name = view.dhcp.as_ref().map(|dhcp| format!("{}{nid:0width$}", dhcp.short_name, width = dhcp.nid_length));
        let name = name.unwrap_or_else(|| format!("nid{nid:03}"));
        let _ = writeln!(text, "  - name: {name}\n    xname: xXcCsSbBnN\n    nid: {nid}\n    group: compute");
        let _ = writeln!(text, "    interfaces:\n      - mac_addr: {}", one.mac);
        if let Some(ip) = next.address(&one.network) {
            let network = escaped(&one.network);
            let _ = writeln!(text, "        ip_addrs:\n          - name: {network}\n            ip_addr: {ip}");
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

/// What is known of a machine that asks where it has no address: it is in `nodes.yaml` and needs no lines for that.
fn astray(one: &DhcpUnknown, owner: &Owner, view: &BootView) -> String {
    let address = |ip: &Ipv4Addr| match network_of(*ip, view) {
        Some(network) => format!("{ip} in network {}", escaped(network)),
        None => format!("{ip} in no network"),
    };
    let has = match &*owner.addresses {
        [] => "no address at all".to_owned(),
        addresses => addresses.iter().map(address).collect::<Vec<_>>().join(" and "),
    };
    let (kind, name, network) = (owner.kind, escaped(&owner.name), escaped(&one.network));
    format!(
        "# it is {kind} {name}, which has {has} but asks on {network}: see where its cable leads, or give it an address there\n\n"
    )
}

/// Numbers and addresses that are free, each given once.
struct Next<'a> {
    view: &'a BootView,
    nid: u64,
    given: Vec<Ipv4Addr>,
}

impl<'a> Next<'a> {
    fn new(view: &'a BootView) -> Self {
        let machines = view.dhcp.iter().flat_map(|settings| settings.machines.values());
        let nids = view.components.values().filter_map(|component| component.nid);
        let greatest = nids.chain(machines.filter_map(|machine| machine.nid)).max();
        Self { view, nid: greatest.map_or(0, |nid| nid.0), given: Vec::new() }
    }

    fn nid(&mut self) -> Nid {
        self.nid += 1;
        Nid(self.nid)
    }

    /// The first address of a network that nobody has and that is in no pool.
    fn address(&mut self, network: &str) -> Option<Ipv4Addr> {
        let settings = self.view.dhcp.as_ref()?;
        let network = settings.networks.iter().find(|one| &*one.name == network)?;
        let in_pool = |ip: Ipv4Addr| network.pool.is_some_and(|(first, last)| (first..=last).contains(&ip));
        let router = network.options.router.as_deref().unwrap_or_default();
        let has = |ip: Ipv4Addr| {
            self.view.index.by_ip.contains_key(&IpAddr::V4(ip))
                || settings.hosts.values().any(|host| host.ip == ip)
                || settings.machines.values().any(|machine| machine.ips.contains(&ip))
                || settings.reserved.contains(&ip)
                || router.contains(&ip)
                || self.given.contains(&ip)
        };
        let ip = network.subnet.hosts().find(|ip| !in_pool(*ip) && !has(*ip))?;
        self.given.push(ip);
        Some(ip)
    }
}

/// The architecture of option 93 in words.
fn architecture(arch: Option<u16>) -> String {
    let words = match arch {
        None => return "no network boot".to_owned(),
        Some(0) => "BIOS",
        Some(6 | 15) => "32-bit x86 UEFI",
        Some(7 | 9 | 16 | 17) => "x86-64 UEFI",
        Some(10 | 18) => "32-bit ARM UEFI",
        Some(11 | 19) => "ARM64 UEFI",
        Some(other) => return format!("architecture {other}"),
    };
    words.to_owned()
}

/// A text with everything escaped that could move a cursor or end a comment.
fn escaped(text: &str) -> String {
    text.chars().flat_map(char::escape_default).collect()
}

fn time(at: Timestamp) -> String {
    let seconds = at.0.div_euclid(1_000_000);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests;
