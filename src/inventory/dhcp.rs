//! What `cluster.yaml` says for DHCP: options of networks, of groups and of nodes, further hosts, and loaders.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::Ipv4Net;

use super::Code;
use super::dhcp_options;
use super::nodes::At;
use super::reader::Reader;
use super::serving::NetworkDhcp;
use super::span::Span;
use super::values::Values;
use super::walker::{self, Fields, Text, words};
use super::yaml::{Data, Yaml};
use crate::model::{DhcpMode, DhcpOptions, DhcpRoute, MacAddr, UnknownPolicy};

/// The keys of options, as networks, groups, nodes and hosts have them.
pub(super) const OPTIONS: &[&str] = &[
    "router",
    "dns",
    "domain",
    "search",
    "ntp",
    "mtu",
    "lease",
    "renew",
    "rebind",
    "routes",
    "root_path",
    "next_server",
    "boot_file",
    "options",
];

/// What networks have beside them.
pub(super) const NETWORK: &[&str] = &["name", "subnet", "pool", "dhcp", "unknown", "unknown_lease"];

/// Options that the server sets itself in every exchange, or that mean something in the protocol.
const OWN_OPTIONS: &[u8] = &[0, 1, 50, 51, 52, 53, 54, 55, 57, 58, 59, 61, 82, 255];

/// The shortest time that can be given for a known machine, in seconds.
pub(super) const SHORTEST: u32 = 60;

/// The shortest lease of an unknown machine, in seconds. Those of minutes are usual; a test bench sees one end.
pub(super) const SHORTEST_UNKNOWN: u32 = 10;

/// How long an unknown machine has its address unless it is said: short, so that it is soon noticed to have become
/// known.
const UNKNOWN_LEASE: u32 = 300;

/// What concerns no single network, as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct DhcpDraft {
    pub(super) hosts: Vec<HostDraft>,
    pub(super) loaders: BTreeMap<u16, String>,
    pub(super) boot_script_url: Option<String>,
    /// By the names that are written, each with its place.
    pub(super) groups: BTreeMap<String, (DhcpOptions, Span)>,
    pub(super) nodes: BTreeMap<String, (DhcpOptions, Span)>,
}

/// A machine that is no node.
#[derive(Debug)]
pub(super) struct HostDraft {
    pub(super) name: Arc<str>,
    pub(super) mac: At<MacAddr>,
    pub(super) ip: At<Ipv4Addr>,
    pub(super) options: DhcpOptions,
}

/// The DHCP part of a network.
pub(super) fn network<'y>(reader: &Reader<'y>, fields: &Fields<'y>) -> NetworkDhcp {
    let mode = fields.text("dhcp").and_then(|text| {
        word(reader, "dhcp", text, &["server", "proxy", "off"], |word| match word {
            "server" => Some(DhcpMode::Server),
            "proxy" => Some(DhcpMode::Proxy),
            "off" => Some(DhcpMode::Off),
            _ => None,
        })
    });
    let unknown = fields.text("unknown").and_then(|text| {
        let allowed = ["reboot", "shell", "script:NAME", "ignore"];
        word(reader, "unknown", text, &allowed, |word| word.parse::<UnknownPolicy>().ok())
    });
    NetworkDhcp {
        mode: mode.unwrap_or_default(),
        unknown: unknown.unwrap_or_default(),
        unknown_lease: duration(reader, fields, "unknown_lease", SHORTEST_UNKNOWN).unwrap_or(UNKNOWN_LEASE),
        options: options(reader, fields),
    }
}

/// `hosts`: machines with fixed addresses that are no nodes.
fn hosts<'y>(reader: &Reader<'y>, yaml: &'y Yaml<'y>) -> Vec<HostDraft> {
    let sheet = reader.sheet;
    let items = walker::list(sheet, yaml, "hosts", None);
    let host = |item: &'y Yaml<'y>| {
        let fields = Fields::read(sheet, item, "a host", None)?;
        let known: Vec<&str> = ["name", "mac", "ip"].iter().chain(OPTIONS).copied().collect();
        fields.known(&known, |key| match key {
            "mac_addr" => Some("write `mac`"),
            "ip_addr" => Some("write `ip`"),
            _ => None,
        });
        let name = fields.required_text("name");
        let mac = fields.required_text("mac");
        let ip = fields.required_text("ip");
        let options = options(reader, &fields);
        let values = Values { sheet, node: None };
        let (name, mac_text, ip_text) = (name?, mac?, ip?);
        Some(HostDraft {
            name: values.host_name(name)?.into(),
            mac: At { value: values.mac(mac_text)?, span: mac_text.span },
            ip: At { value: reader.ipv4(ip_text)?, span: ip_text.span },
            options,
        })
    };
    items.iter().filter_map(host).collect()
}

/// `hosts` and `dhcp` of `cluster.yaml`.
pub(super) fn read<'y>(reader: &Reader<'y>, cluster: &Fields<'y>) -> DhcpDraft {
    let sheet = reader.sheet;
    let hosts = cluster.get("hosts").map(|yaml| hosts(reader, yaml)).unwrap_or_default();
    let mut dhcp = DhcpDraft { hosts, ..DhcpDraft::default() };
    let Some(fields) = cluster.get("dhcp").and_then(|yaml| Fields::read(sheet, yaml, "`dhcp`", None)) else {
        return dhcp;
    };
    fields.known(&["boot_script_url", "loaders", "groups", "nodes"], |_| None);
    dhcp.boot_script_url = fields.text("boot_script_url").and_then(|text| script_url(reader, text));
    if let Some(loaders) = fields.get("loaders").and_then(|yaml| Fields::read(sheet, yaml, "`loaders`", None)) {
        for pair in loaders.pairs() {
            let key = Text { text: &pair.key.text, span: pair.key.span };
            let values = Values { sheet, node: None };
            let arch = values.number(Code::Number, "a client architecture", key, 0..=u64::from(u16::MAX));
            let file =
                walker::text(sheet, &pair.value, "loaders", None).and_then(|text| graphic(reader, "loaders", text));
            if let (Some(arch), Some(file)) = (arch.and_then(|arch| u16::try_from(arch).ok()), file) {
                dhcp.loaders.insert(arch, file);
            }
        }
    }
    for (key, into) in [("groups", &mut dhcp.groups), ("nodes", &mut dhcp.nodes)] {
        let Some(entries) = fields.get(key).and_then(|yaml| Fields::read(sheet, yaml, "a mapping of names", None))
        else {
            continue;
        };
        for pair in entries.pairs() {
            let Some(own) = Fields::read(sheet, &pair.value, "DHCP options", None) else { continue };
            own.known(OPTIONS, |_| None);
            into.insert(pair.key.text.to_string(), (options(reader, &own), pair.key.span));
        }
    }
    dhcp
}

/// The options of a mapping that may hold other keys, too.
fn options<'y>(reader: &Reader<'y>, fields: &Fields<'y>) -> DhcpOptions {
    let number = |key: &'static str, bounds| {
        let values = Values { sheet: reader.sheet, node: None };
        fields.text(key).and_then(|text| values.number(Code::Number, key, text, bounds))
    };
    let text = |key: &'static str| fields.text(key).and_then(|text| graphic(reader, key, text));
    let name = |text: Text<'y>| reader.host_name(text);
    let options = DhcpOptions {
        router: several(reader, fields, "router", |text| reader.ipv4(text)),
        dns: several(reader, fields, "dns", |text| reader.ip(text)).map(only_v4),
        domain: fields.text("domain").and_then(name),
        search: several(reader, fields, "search", name),
        ntp: several(reader, fields, "ntp", |text| reader.ipv4(text)),
        mtu: number("mtu", 576..=u64::from(u16::MAX)).and_then(|mtu| u16::try_from(mtu).ok()),
        lease: duration(reader, fields, "lease", SHORTEST),
        renew: duration(reader, fields, "renew", SHORTEST),
        rebind: duration(reader, fields, "rebind", SHORTEST),
        routes: fields.get("routes").map(|_| {
            let routes = fields.list("routes").iter().filter_map(|item| route(reader, item));
            routes.collect()
        }),
        root_path: text("root_path"),
        next_server: fields.text("next_server").and_then(|text| reader.ipv4(text)),
        boot_file: text("boot_file"),
        other: fields.get("options").map(|yaml| other(reader, yaml)).unwrap_or_default(),
    };
    dhcp_options::check(reader.sheet, fields, &options);
    options
}

fn only_v4(addresses: Vec<IpAddr>) -> Vec<Ipv4Addr> {
    let v4 = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    };
    addresses.into_iter().filter_map(v4).collect()
}

/// A value or a list of them.
fn several<'y, T>(
    reader: &Reader<'y>,
    fields: &Fields<'y>,
    key: &'static str,
    read: impl Fn(Text<'y>) -> Option<T>,
) -> Option<Vec<T>> {
    let yaml = fields.get(key)?;
    let items = match &yaml.data {
        Data::Scalar(_) => std::slice::from_ref(yaml),
        _ => walker::list(reader.sheet, yaml, key, None),
    };
    Some(items.iter().filter_map(|item| read(walker::text(reader.sheet, item, key, None)?)).collect())
}

/// `3600`, `90s`, `30m`, `12h` or `7d`, from `shortest` to a year; in seconds.
fn duration<'y>(reader: &Reader<'y>, fields: &Fields<'y>, key: &'static str, shortest: u32) -> Option<u32> {
    let text = fields.text(key)?;
    let written = reader.variables.resolve(text)?;
    let split = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
    let (number, unit) = written.split_at(split);
    let factor = match unit.trim() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => 0,
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
    if let Some(seconds) = seconds.filter(|seconds| (shortest..=365 * 24 * 3600).contains(seconds)) {
        return Some(seconds);
    }
    let problem = reader.sheet.problem(Code::Number, text.span, format!("`{key}` cannot be `{written}`"));
    let problem = problem.label(format!("not a time from {shortest} seconds to a year"));
    reader.sheet.push(problem.help("write it as `90s`, `30m`, `12h` or `7d`"));
    None
}

/// `{to: 10.0.0.0/8, via: 172.16.0.1}`.
fn route<'y>(reader: &Reader<'y>, yaml: &'y Yaml<'y>) -> Option<DhcpRoute> {
    let fields = Fields::read(reader.sheet, yaml, "a route", None)?;
    fields.known(&["to", "via"], |_| None);
    let (to, via) = (fields.required_text("to"), fields.required_text("via"));
    let (to, via) = (to?, reader.ipv4(via?)?);
    let written = reader.variables.resolve(to)?;
    match written.trim().parse::<Ipv4Net>() {
        Ok(net) if net.addr() == net.network() => Some(DhcpRoute { to: net, via }),
        _ => {
            let problem = reader.sheet.problem(Code::Subnet, to.span, format!("`{written}` is not a subnet"));
            reader.sheet.push(problem.help("an IPv4 address and a prefix length, as `10.0.0.0/8`"));
            None
        }
    }
}

/// `options`: any others by number: a text, `{hex: 0108}`, or `{ip: [172.16.0.1]}`.
fn other<'y>(reader: &Reader<'y>, yaml: &'y Yaml<'y>) -> BTreeMap<u8, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Some(fields) = Fields::read(reader.sheet, yaml, "`options`", None) else { return found };
    for pair in fields.pairs() {
        let fault = |label: &str| {
            let message = format!("`{}` is not an option that can be set", pair.key.text);
            let problem = reader.sheet.problem(Code::DhcpOption, pair.key.span, message).label(label.to_owned());
            reader.sheet.push(problem.help("remove it; options that may be set have numbers from 1 to 254"));
        };
        let Some(code) = pair.key.text.trim().parse::<u8>().ok() else {
            fault("not a number from 1 to 254");
            continue;
        };
        if OWN_OPTIONS.contains(&code) {
            fault("the server sets it itself");
            continue;
        }
        match option_data(reader, &pair.value) {
            Some(data) if !data.is_empty() && data.len() <= 255 => drop(found.insert(code, data)),
            Some(_) => fault("its content has to have 1 to 255 bytes"),
            None => {}
        }
    }
    found
}

/// The bytes of an option; none when that was reported.
fn option_data<'y>(reader: &Reader<'y>, yaml: &'y Yaml<'y>) -> Option<Vec<u8>> {
    if matches!(yaml.data, Data::Scalar(_)) {
        let text = walker::text(reader.sheet, yaml, "options", None)?;
        return Some(reader.variables.resolve(text)?.as_bytes().to_vec());
    }
    let fields = Fields::read(reader.sheet, yaml, "an option", None)?;
    fields.known(&["hex", "ip"], |_| None);
    if let Some(addresses) = several(reader, &fields, "ip", |text| reader.ipv4(text)) {
        return Some(addresses.iter().flat_map(Ipv4Addr::octets).collect());
    }
    let text = fields.required_text("hex")?;
    let digits: Vec<u8> = text.text.bytes().filter(|byte| !matches!(byte, b':' | b' ')).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> =
        if digits.len().is_multiple_of(2) { digits.chunks(2).map(pair).collect() } else { None };
    if bytes.is_none() {
        let message = format!("`{}` is not a row of hexadecimal bytes", text.text);
        reader.sheet.push(reader.sheet.problem(Code::DhcpOption, text.span, message).help("write it as `06:01:08:ff`"));
    }
    bytes
}

/// A word without blanks: a path, a file name or a URL.
fn graphic<'y>(reader: &Reader<'y>, key: &str, text: Text<'y>) -> Option<String> {
    let (written, span) = reader.named(text)?;
    if written.len() <= 255 && written.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(written);
    }
    let problem = reader.sheet.problem(Code::DhcpOption, span, format!("`{key}` cannot be `{written}`"));
    let problem = problem.label("has a blank, a character outside ASCII, or more than 255 of them");
    reader.sheet.push(problem.help("write a plain name or URL"));
    None
}

/// A URL to which `?mac=…` is added.
fn script_url<'y>(reader: &Reader<'y>, text: Text<'y>) -> Option<String> {
    let url = graphic(reader, "boot_script_url", text)?;
    let host = ["http://", "https://", "tftp://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    if host.is_some_and(|host| !host.is_empty() && !host.starts_with('/')) && !url.contains(['?', '#']) {
        return Some(url);
    }
    let message = format!("`{url}` is not the URL of boot scripts");
    let problem = reader.sheet.problem(Code::BootUrl, text.span, message);
    reader.sheet.push(problem.help("write it without a query, as `http://172.16.0.254:8081/boot/v1/bootscript`"));
    None
}

fn word<'y, T>(
    reader: &Reader<'y>,
    key: &str,
    text: Text<'y>,
    allowed: &[&str],
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let found = reader.named(text).and_then(|(word, _)| read(word.trim()));
    if found.is_none() {
        let problem = reader.sheet.problem(Code::Word, text.span, format!("`{key}` cannot be `{}`", text.text));
        let possible = words(allowed);
        reader.sheet.push(problem.label(format!("{possible} are possible")).help(format!("write one of {possible}")));
    }
    found
}
