//! `unknown`: machines that asked for an address and that the applied inventory does not name.
//!
//! Each comes with lines for `nodes.yaml` in which only the place is left to fill in. What a client says of itself is
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
use crate::model::{DhcpUnknown, Nid, Timestamp};
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
        Format::Json => printer.data(&ascii(&serde_json::to_string_pretty(&as_json(&machines, &makers))?)),
        Format::Text if machines.is_empty() => printer.talk("no unknown machine has asked for an address"),
        Format::Text => {
            printer.data(&text(&machines, &makers, &snapshot.boot));
            let count = counted(machines.len() as u64, "unknown machine");
            printer.talk(&format!("{count}; xXcCsSbBnN stands for where a machine is"));
        }
    }
    store.close().await;
    Ok(Exit::Success)
}

/// Those that are still unknown, the one seen last first.
fn unknown(snapshot: &Snapshot) -> Vec<&DhcpUnknown> {
    let view = &snapshot.boot;
    let told = |one: &DhcpUnknown| view.dhcp.as_ref().is_some_and(|dhcp| dhcp.knows(one.mac));
    let all = snapshot.records.dhcp_unknown.values().map(AsRef::as_ref);
    let mut machines: Vec<&DhcpUnknown> =
        all.filter(|one: &&DhcpUnknown| !view.interfaces.contains_key(&one.mac) && !told(one)).collect();
    machines.sort_by_key(|one| (std::cmp::Reverse(one.last_seen), one.mac));
    machines
}

fn as_json(machines: &[&DhcpUnknown], makers: &Makers) -> serde_json::Value {
    let machine = |one: &&DhcpUnknown| {
        json!({
            "mac": one.mac,
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
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::desired::{desired, samples};
    use crate::model::{MacAddr, Record};
    use crate::reconcile::from_nothing;
    use crate::snapshot::Change;

    fn machine(last: u8, vendor: &str) -> DhcpUnknown {
        DhcpUnknown {
            mac: MacAddr([2, 0, 0, 0, 0, last]),
            network: "management".into(),
            ip: None,
            vendor: vendor.into(),
            arch: Some(7),
            relay: None,
            circuit: "".into(),
            first_seen: Timestamp(0),
            last_seen: Timestamp(i64::from(last) * 1_000_000),
        }
    }

    fn snapshot() -> Snapshot {
        let inventory = samples::inventory(2);
        let mut snapshot = from_nothing(&desired(&inventory, &|_| Ok(json!("x"))));
        for one in [machine(1, "PXEClient"), machine(2, "\u{1b}[2J\n- name: evil")] {
            snapshot.apply(&Change::PutRecord(Record::DhcpUnknown(Arc::new(one))));
        }
        snapshot
    }

    #[test]
    fn each_machine_comes_with_the_next_number_and_what_it_says_is_escaped() {
        let snapshot = snapshot();
        let text = text(&unknown(&snapshot), &Makers::default(), &snapshot.boot);
        assert!(
            text.starts_with("# 02:00:00:00:00:02 on management, x86-64 UEFI, \"\\u{1b}[2J\\n- name: evil\""),
            "{text}"
        );
        assert!(text.contains("# first seen 1970-01-01T00:00:00Z, last seen 1970-01-01T00:00:02Z\n"), "{text}");
        assert!(text.contains("  - name: nid003\n    xname: xXcCsSbBnN\n    nid: 3\n"), "{text}");
        assert!(text.contains("  - name: nid004\n") && text.ends_with("- mac_addr: 02:00:00:00:00:01"), "{text}");
    }

    #[test]
    fn the_maker_of_a_card_is_told_and_escaped() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("oui.csv"), "MA-L,ECE7A7,Caf\u{e9}\u{1b}[2J,x\n").unwrap();
        let mut snapshot = snapshot();
        let known = DhcpUnknown { mac: "ec:e7:a7:05:a1:fc".parse().unwrap(), ..machine(3, "PXEClient") };
        snapshot.apply(&Change::PutRecord(Record::DhcpUnknown(Arc::new(known))));
        let machines = unknown(&snapshot);
        let makers = Makers::find(&[directory.path()], machines.iter().map(|one| one.mac));
        let text = text(&machines, &makers, &snapshot.boot);
        assert!(text.starts_with("# ec:e7:a7:05:a1:fc (Caf\\u{e9}\\u{1b}[2J) on management, x86-64 UEFI, "), "{text}");
        assert!(text.contains("# 02:00:00:00:00:02 on management"), "{text}");
        let json = ascii(&as_json(&machines, &makers).to_string());
        assert!(json.is_ascii(), "{json}");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["machines"][0]["maker"], "Caf\u{e9}\u{1b}[2J");
        assert_eq!(json["machines"][1]["maker"], serde_json::Value::Null);
    }

    #[test]
    fn json_holds_what_a_client_says_in_ascii() {
        let said = "\u{9b}2J \u{202e}evil \u{1f980} \u{7f}";
        let one = machine(1, said);
        let json = ascii(&as_json(&[&one], &Makers::default()).to_string());
        assert!(json.is_ascii() && !json.contains('\u{7f}'), "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["machines"][0]["vendor_class"], said);
    }

    #[test]
    fn who_became_known_is_unknown_no_more() {
        let mut snapshot = snapshot();
        let mac = *snapshot.boot.interfaces.keys().next().unwrap();
        let known = DhcpUnknown { mac, ..machine(3, "") };
        snapshot.apply(&Change::PutRecord(Record::DhcpUnknown(Arc::new(known))));
        assert_eq!(unknown(&snapshot).len(), 2);
        assert_eq!(as_json(&unknown(&snapshot), &Makers::default())["machines"][0]["mac"], "02:00:00:00:00:02");
    }
}
