//! `networks` in `cluster.yaml`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::reader::Reader;
use super::span::Span;
use super::types::Network;
use super::walker::{self, Fields, Text};
use super::yaml::Yaml;
use super::{Code, dhcp};

/// A network as far as it could be read.
#[derive(Debug)]
pub(super) struct NetworkDraft {
    pub(super) network: Network,
    /// Where its subnet stands in `cluster.yaml`.
    pub(super) span: Span,
    /// Where its router stands.
    pub(super) router: Option<Span>,
    /// Where its pool stands.
    pub(super) pool: Option<Span>,
}

/// Reads the list.
pub(super) fn read<'y>(reader: &Reader<'y>, yaml: &'y Yaml<'y>) -> Vec<NetworkDraft> {
    let sheet = reader.sheet;
    let mut networks: Vec<NetworkDraft> = Vec::new();
    let mut names: Vec<(String, Span)> = Vec::new();
    for item in walker::list(sheet, yaml, "networks", None) {
        let Some((name, draft)) = network(reader, item) else { continue };
        if let Some((name, span)) = name {
            match names.iter().find(|(known, _)| *known == name) {
                Some((_, first)) => sheet.push(
                    sheet
                        .problem(Code::DuplicateNetwork, span, format!("a network `{name}` is declared already"))
                        .label("declared again")
                        .related(sheet.place(*first), "first declared here")
                        .help("give one of the two another name, or remove it"),
                ),
                None => names.push((name, span)),
            }
        }
        let Some(draft) = draft else { continue };
        let overlaps = |other: &&NetworkDraft| {
            other.network.subnet.contains(&draft.network.subnet) || draft.network.subnet.contains(&other.network.subnet)
        };
        if let Some(other) = networks.iter().find(overlaps) {
            let message = format!("the subnets {} and {} overlap", other.network.subnet, draft.network.subnet);
            sheet.push(
                sheet
                    .problem(Code::OverlappingNetworks, draft.span, message)
                    .related(sheet.place(other.span), "the other subnet")
                    .help("give one of the two a subnet, or a longer prefix, that leaves the other's addresses out"),
            );
        }
        networks.push(draft);
    }
    networks
}

type Named = (Option<(String, Span)>, Option<NetworkDraft>);

fn network<'y>(reader: &Reader<'y>, yaml: &'y Yaml<'y>) -> Option<Named> {
    let fields = Fields::read(reader.sheet, yaml, "a network", None)?;
    let known: Vec<&str> = dhcp::NETWORK.iter().chain(dhcp::OPTIONS).copied().collect();
    fields.known(&known, |key| match key {
        "gateway" => Some("write `router`"),
        "cidr" | "netmask" => Some("write `subnet: 172.16.0.0/24`"),
        _ => None,
    });
    let name = fields.required_text("name").and_then(|text| reader.named(text));
    let Some((subnet, span)) = fields.required_text("subnet").and_then(|text| subnet(reader, text)) else {
        return Some((name, None));
    };
    let inside = |what: &str, ip: Ipv4Addr, text: Text<'y>| {
        let sound =
            subnet.contains(&ip) && (subnet.prefix_len() > 30 || (ip != subnet.network() && ip != subnet.broadcast()));
        if !sound {
            let message = format!("{what}, {ip}, is not an address within {subnet}");
            let problem = reader.sheet.problem(Code::NetworkMember, text.span, message);
            reader.sheet.push(
                problem
                    .related(reader.sheet.place(span), "the subnet")
                    .help(format!("mend it, or the subnet: {what} has to be within {subnet} and not at its edge")),
            );
        }
    };
    let router = fields.text("router").and_then(|text| Some((reader.ipv4(text)?, text)));
    let router = router.map(|(ip, text)| {
        inside("the router", ip, text);
        (ip, text.span)
    });
    let pool = fields.text("pool").and_then(|text| Some((pool(reader, text)?, text)));
    let pool = pool.map(|((first, last), text)| {
        inside("the first address of the pool", first, text);
        inside("the last address of the pool", last, text);
        ((first, last), text.span)
    });
    let network = Network {
        name: name.as_ref().map(|(name, _)| name.clone()).unwrap_or_default(),
        subnet,
        router: router.map(|(ip, _)| ip),
        dns: name_servers(reader, &fields),
        pool: pool.map(|(ends, _)| ends),
        dhcp: dhcp::network(reader, &fields),
        origin: reader.sheet.origin(yaml.span),
    };
    let (router, pool) = (router.map(|(_, span)| span), pool.map(|(_, span)| span));
    Some((name, Some(NetworkDraft { network, span, router, pool })))
}

/// `172.16.0.0/24`, with no bits set behind the prefix.
fn subnet<'y>(reader: &Reader<'y>, text: Text<'y>) -> Option<(Ipv4Net, Span)> {
    let written = reader.variables.resolve(text)?;
    let problem = |label: String| {
        let message = format!("`{written}` is not a subnet");
        let problem = reader.sheet.problem(Code::Subnet, text.span, message).label(label);
        reader.sheet.push(problem.help("an IPv4 address and a prefix length, as `172.16.0.0/24`"));
    };
    match written.trim().parse::<Ipv4Net>() {
        Ok(subnet) if subnet.prefix_len() == 0 => problem("everything".into()),
        Ok(subnet) if subnet.addr() != subnet.network() => problem(format!("the subnet is {}", subnet.trunc())),
        Ok(subnet) => return Some((subnet, text.span)),
        Err(_) => problem("not an address and a prefix length".into()),
    }
    None
}

/// `172.16.0.200-172.16.0.250`.
fn pool<'y>(reader: &Reader<'y>, text: Text<'y>) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let written = reader.variables.resolve(text)?;
    let ends = written.split_once('-').and_then(|(first, last)| {
        Some((first.trim().parse::<Ipv4Addr>().ok()?, last.trim().parse::<Ipv4Addr>().ok()?))
    });
    match ends {
        Some((first, last)) if first <= last => return Some((first, last)),
        Some(_) => pool_problem(reader, text, &written, "the last address is before the first"),
        None => pool_problem(reader, text, &written, "not two addresses with a dash between them"),
    }
    None
}

fn pool_problem(reader: &Reader<'_>, text: Text<'_>, written: &str, label: &str) {
    let problem = reader.sheet.problem(Code::Pool, text.span, format!("`{written}` is not an address range"));
    reader.sheet.push(problem.label(label).help("first and last address, as `172.16.0.200-172.16.0.250`"));
}

/// `dns` is an address or a list of them.
fn name_servers<'y>(reader: &Reader<'y>, fields: &Fields<'y>) -> Vec<IpAddr> {
    let Some(yaml) = fields.get("dns") else { return Vec::new() };
    let items = match &yaml.data {
        super::yaml::Data::Scalar(_) => std::slice::from_ref(yaml),
        _ => walker::list(reader.sheet, yaml, "dns", None),
    };
    items.iter().filter_map(|item| reader.ip(walker::text(reader.sheet, item, "dns", None)?)).collect()
}
