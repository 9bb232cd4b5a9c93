//! Whether the options of a network, with those of a group, a node or a host over them, fit into an answer.
//!
//! A client that does not say more takes 576 bytes with the headers of IP and UDP (RFC 2131 section 2), and of these
//! 307 are for options. What does not fit is left out of the answer or goes where not every client reads it, so it is
//! told while somebody can still shorten it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::Code;
use super::dhcp::DhcpDraft;
use super::dhcp_checks::DhcpChecks;
use super::nodes::NodeDraft;
use super::span::Span;
use crate::model::{DhcpOptions, DhcpRoute};

/// What is left of 548 bytes behind the header, the magic cookie and the mark of the end.
const ROOM: usize = 548 - 240 - 1;

/// What every answer holds beside the inventory's options: its type (3 bytes), the server, the three times, the subnet mask
/// and the broadcast address (6 each), a client identifier made of a MAC address (9) and a host name of six letters (8).
const ALWAYS: usize = 3 + 6 * 6 + 9 + 8;

/// Reports what is too long, each under the widest thing that makes it so.
pub(super) fn check(checks: &DhcpChecks<'_>, draft: &DhcpDraft) {
    let mut told: Vec<Span> = Vec::new();
    let mut tell = |what: String, span: Span, size: usize| {
        if size + ALWAYS > ROOM && !told.contains(&span) {
            told.push(span);
            report(checks, &what, span, size);
        }
    };
    for network in checks.networks {
        let wide = &network.network.dhcp.options;
        let name = &network.network.name;
        let alone = size(&[wide]);
        tell(format!("network `{name}`"), network.span, alone);
        if alone + ALWAYS > ROOM {
            continue;
        }
        let mut too_long = BTreeSet::new();
        for (group, (options, span)) in &draft.groups {
            let size = size(&[options, wide]);
            tell(format!("group `{group}` on network `{name}`"), *span, size);
            if size + ALWAYS > ROOM {
                too_long.insert(group.as_str());
            }
        }
        for (labels, (title, own)) in members(checks, draft) {
            let of_groups = || labels.iter().filter_map(|label| draft.groups.get(*label));
            let Some(span) = own.map(|(_, span)| *span).or_else(|| of_groups().next().map(|(_, span)| *span)) else {
                continue;
            };
            if labels.iter().any(|label| too_long.contains(label)) {
                continue;
            }
            let layers = own.iter().map(|(options, _)| options).chain(of_groups().map(|(options, _)| options));
            let layers: Vec<&DhcpOptions> = layers.chain([wide]).collect();
            tell(format!("node `{title}` on network `{name}`"), span, size(&layers));
        }
        for host in draft.hosts.iter().filter(|host| network.network.subnet.contains(&host.ip.value)) {
            tell(format!("host `{}` on network `{name}`", host.name), host.ip.span, size(&[&host.options, wide]));
        }
    }
}

/// Options of a node's own, with where they stand.
type Own<'a> = Option<&'a (DhcpOptions, Span)>;

/// Nodes by the groups that have options: one of each set of groups, and each that has options of its own.
fn members<'a>(checks: &'a DhcpChecks<'a>, draft: &'a DhcpDraft) -> Vec<(Vec<&'a str>, (&'a str, Own<'a>))> {
    let labels = |node: &'a NodeDraft| {
        let labels: BTreeSet<&str> = node.groups.iter().map(|at| at.value.as_str()).collect();
        labels.into_iter().filter(|label| draft.groups.contains_key(*label)).collect::<Vec<_>>()
    };
    let mut shared: BTreeMap<Vec<&str>, &str> = BTreeMap::new();
    let mut members = Vec::new();
    for node in checks.nodes {
        shared.entry(labels(node)).or_insert(&node.title);
    }
    for (name, own) in &draft.nodes {
        if let Some(node) = checks.draft_of(name) {
            members.push((labels(node), (&*node.title, Some(own))));
        }
    }
    members.extend(shared.into_iter().map(|(labels, title)| (labels, (title, None))));
    members
}

/// The bytes that options take, the narrowest first: numbers, lengths and contents.
fn size(layers: &[&DhcpOptions]) -> usize {
    let first = |length: &dyn Fn(&DhcpOptions) -> Option<usize>| layers.iter().find_map(|options| length(options));
    let addresses = |list: &Option<Vec<Ipv4Addr>>| list.as_ref().map(|list| 4 * list.len());
    let text = |text: &Option<String>| text.as_ref().map(String::len);
    // A domain takes a byte for each label's length and one for its end; a route up to nine.
    let route = |route: &DhcpRoute| 5 + usize::from(route.to.prefix_len().div_ceil(8));
    let named = [
        first(&|options| addresses(&options.router)),
        first(&|options| addresses(&options.dns)),
        first(&|options| addresses(&options.ntp)),
        first(&|options| text(&options.domain)),
        first(&|options| text(&options.root_path)),
        first(&|options| text(&options.boot_file)),
        first(&|options| options.mtu.map(|_| 2)),
        first(&|options| Some(options.search.as_ref()?.iter().map(|name| name.len() + 2).sum())),
        first(&|options| Some(options.routes.as_ref()?.iter().map(route).sum())),
    ];
    let mut numbered: BTreeMap<u8, usize> = BTreeMap::new();
    for (code, data) in layers.iter().rev().flat_map(|options| &options.other) {
        numbered.insert(*code, data.len());
    }
    let lengths = named.into_iter().flatten().chain(numbered.into_values());
    // What no single option can carry was reported as that.
    lengths.filter(|length| (1..=255).contains(length)).map(|length| length + 2).sum()
}

fn report(checks: &DhcpChecks<'_>, what: &str, span: Span, size: usize) {
    let sheet = checks.cluster_sheet;
    let message = format!("the options of {what} take {size} bytes, and an answer has room for {}", ROOM - ALWAYS);
    let problem = sheet.problem(Code::DhcpRoom, span, message);
    let problem = problem.label("a client that does not state that it takes more goes without some of them");
    sheet.push(problem.help("shorten them; what has a name here goes before options by number"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::load;

    /// The messages about an inventory with these lines in its `cluster.yaml`, and with two nodes in three groups.
    fn messages(network: &str, dhcp: &str) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let node = |number: u8, groups: &str| {
            format!(
                "  - {{name: nid00{number}, xname: x1000c0s0b{number}n0, nid: {number}, groups: [{groups}], interfaces: \
                 [{{mac_addr: 'ec:e7:a7:05:a1:0{number}', ip_addrs: [{{name: near, ip_addr: 172.16.0.{number}}}]}}]}}\n"
            )
        };
        let nodes = format!("nodes:\n{}{}", node(1, "compute, gpu"), node(2, "compute, login"));
        let cluster = format!(
            "cluster_name: demo\ncluster_boot_ip: 172.16.0.254\nbss_kernel_version: '1'\nbss_image_version: a/b\n\
             networks:\n  - {{name: near, subnet: 172.16.0.0/24{network}}}\n{dhcp}"
        );
        std::fs::write(directory.path().join("nodes.yaml"), nodes).unwrap();
        std::fs::write(directory.path().join("cluster.yaml"), cluster).unwrap();
        let loaded = load(directory.path());
        assert!(loaded.inventory.is_some(), "{:?}", loaded.diagnostics);
        let of_room = loaded.diagnostics.into_iter().filter(|diagnostic| diagnostic.code == Code::DhcpRoom);
        of_room.map(|diagnostic| diagnostic.message).collect()
    }

    fn option(number: u8, bytes: usize) -> String {
        format!("{number}: {}", "x".repeat(bytes))
    }

    #[test]
    fn options_of_a_network_that_fit_to_the_byte_are_well_and_one_more_is_told() {
        // A domain of 9 bytes and a router come before those by number.
        let network = |bytes| format!(", domain: a.example, router: 172.16.0.254, options: {{{}}}", option(224, bytes));
        assert_eq!(messages(&network(ROOM - ALWAYS - 11 - 6 - 2), ""), [""; 0]);
        let told = messages(&network(ROOM - ALWAYS - 11 - 6 - 1), "");
        assert_eq!(told, ["the options of network `near` take 252 bytes, and an answer has room for 251"]);
    }

    #[test]
    fn what_is_too_long_is_told_once_under_the_widest_thing_that_makes_it_so() {
        let network = format!(", options: {{{}}}", option(224, 150));
        let dhcp = |what: &str| format!("dhcp: {what}\n");
        let group = dhcp(&format!(
            "{{groups: {{compute: {{options: {{{}}}}}}}, nodes: {{nid001: {{mtu: 9000}}}}}}",
            option(225, 150)
        ));
        assert_eq!(
            messages(&network, &group),
            ["the options of group `compute` on network `near` take 304 bytes, and an answer has room for 251"]
        );
        let node = dhcp(&format!("{{nodes: {{nid002: {{options: {{{}}}}}}}}}", option(225, 150)));
        let told = messages(&network, &node);
        assert!(told.len() == 1 && told[0].contains("of node `nid002` on network `near` take 304"), "{told:?}");
        let host = format!(
            "hosts: [{{name: switch1, mac: 'ec:e7:a7:0f:00:09', ip: 172.16.0.190, options: {{{}}}}}]\n",
            option(225, 150)
        );
        let told = messages(&network, &host);
        assert!(told.len() == 1 && told[0].contains("of host `switch1` on network `near` take 304"), "{told:?}");
    }

    #[test]
    fn groups_that_fit_alone_are_told_where_a_node_is_in_both() {
        let groups = |second: &str| {
            format!(
                "dhcp: {{groups: {{compute: {{options: {{{}}}}}, {second}: {{options: {{{}}}}}}}}}\n",
                option(224, 150),
                option(225, 150)
            )
        };
        let told = messages("", &groups("gpu"));
        assert!(told.len() == 1 && told[0].contains("of node `nid001` on network `near` take 304"), "{told:?}");
        let same = groups("gpu").replace("225:", "224:");
        assert_eq!(messages("", &same), [""; 0], "the narrower takes the place of the wider");
    }
}
