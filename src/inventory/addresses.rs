//! Addresses of nodes and BMCs against the declared networks and the head node.
//!
//! Without declared networks only the head node's address can be checked.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::Code;
use super::near::did_you_mean;
use super::networks::NetworkDraft;
use super::nodes::{At, NodeDraft};
use super::source::Sheet;
use super::span::Span;

/// What to do about an address that something else has.
const FREE: &str = "write an address of the subnet that nothing else has";

/// The networks of the cluster, as addresses are compared with them.
pub(super) struct Addresses<'a> {
    pub(super) nodes: Sheet<'a>,
    pub(super) cluster: Sheet<'a>,
    pub(super) networks: &'a [NetworkDraft],
    pub(super) boot_ip: Option<(Ipv4Addr, Span)>,
}

impl Addresses<'_> {
    /// Checks the addresses of all nodes, and that the head node is where the nodes can reach it.
    pub(super) fn check(&self, nodes: &[NodeDraft]) {
        if let Some((ip, span)) = self.boot_ip
            && !self.networks.is_empty()
            && !self.networks.iter().any(|draft| draft.network.subnet.contains(&ip))
        {
            let message = format!("the head node's address {ip} is in no declared subnet");
            self.cluster.push(
                self.cluster
                    .problem(Code::HeadOutside, span, message)
                    .related(self.cluster.place(self.networks[0].span), "a declared subnet")
                    .help("mend the address, or declare the network that it is in under `networks`"),
            );
        }
        let mut unknown: BTreeMap<&str, (Span, usize)> = BTreeMap::new();
        for node in nodes {
            for address in node.interfaces.iter().flat_map(|interface| &interface.ips) {
                let label = address.network.as_ref();
                self.address(node, &address.ip, label);
                if let Some(label) =
                    label.filter(|label| !self.networks.is_empty() && self.named(&label.value).is_none())
                {
                    unknown.entry(&label.value).or_insert((label.span, 0)).1 += 1;
                }
            }
            if let Some(ip) = node.bmc.as_ref().and_then(|bmc| bmc.ip.as_ref()) {
                self.address(node, ip, None);
            }
        }
        for (label, (span, count)) in unknown {
            self.unknown_network(label, span, count);
        }
    }

    fn named(&self, label: &str) -> Option<&NetworkDraft> {
        self.networks.iter().find(|draft| draft.network.name == label)
    }

    fn address(&self, node: &NodeDraft, at: &At<IpAddr>, label: Option<&At<String>>) {
        let IpAddr::V4(ip) = at.value else { return self.other_family(node, at, label) };
        let problem = |code, message: String| self.nodes.problem(code, at.span, message).node(Some(&node.title));
        if let Some((head, span)) = self.boot_ip
            && ip == head
        {
            let problem = problem(Code::HeadAddress, format!("{ip} is the head node's address"));
            return self.nodes.push(problem.related(self.cluster.place(span), "the head node").help(FREE));
        }
        if self.networks.is_empty() {
            return;
        }
        let Some(draft) = self.networks.iter().find(|draft| draft.network.subnet.contains(&ip)) else {
            let subnets: Vec<String> = self.networks.iter().map(|draft| draft.network.subnet.to_string()).collect();
            let problem = problem(Code::OutsideSubnet, format!("{ip} is in no declared subnet"));
            return self.nodes.push(
                problem
                    .label(format!("not in {}", subnets.join(" or ")))
                    .help("mend the address, or declare its network under `networks` in `cluster.yaml`"),
            );
        };
        let network = &draft.network;
        if let Some(meant) = label.and_then(|label| self.named(&label.value))
            && meant.network.name != network.name
        {
            let message = format!("{ip} is not in the subnet of network `{}`", meant.network.name);
            let problem = problem(Code::OutsideSubnet, message).label(format!("in network `{}`", network.name));
            return self.nodes.push(
                problem
                    .related(self.cluster.place(meant.span), "the subnet of the network")
                    .help("mend the address, or write the name of the network that it is in"),
            );
        }
        if network.subnet.prefix_len() <= 30 {
            for (edge, what) in [(network.subnet.network(), "network"), (network.subnet.broadcast(), "broadcast")] {
                if ip == edge {
                    let problem =
                        problem(Code::SubnetEdge, format!("{ip} is the {what} address of {}", network.subnet));
                    return self.nodes.push(problem.related(self.cluster.place(draft.span), "the subnet").help(FREE));
                }
            }
        }
        if network.router == Some(ip) {
            let problem = problem(Code::RouterAddress, format!("{ip} is the router of network `{}`", network.name));
            let place = self.cluster.place(draft.router.unwrap_or(draft.span));
            return self.nodes.push(problem.related(place, "the router").help(FREE));
        }
        if let Some((first, last)) = network.pool
            && (first..=last).contains(&ip)
        {
            let message = format!("{ip} is in the pool {first}-{last}");
            let problem = problem(Code::PoolAddress, message).label("may be handed to an unknown machine");
            let place = self.cluster.place(draft.pool.unwrap_or(draft.span));
            self.nodes.push(
                problem.related(place, "the pool").help("write an address outside of the pool, or shorten the pool"),
            );
        }
    }

    /// Declared networks have IPv4 subnets, in which no IPv6 address is.
    fn other_family(&self, node: &NodeDraft, at: &At<IpAddr>, label: Option<&At<String>>) {
        let Some(meant) = label.and_then(|label| self.named(&label.value)) else { return };
        let message = format!("{} is not in the subnet of network `{}`", at.value, meant.network.name);
        let problem = self.nodes.problem(Code::OutsideSubnet, at.span, message).node(Some(&node.title));
        self.nodes.push(
            problem
                .label(format!("an IPv6 address; the subnet is {}", meant.network.subnet))
                .related(self.cluster.place(meant.span), "the subnet of the network")
                .help("write an IPv4 address of the subnet, or the name of a network that is not declared"),
        );
    }

    fn unknown_network(&self, label: &str, span: Span, count: usize) {
        let message = match count {
            1 => format!("no network `{label}` is declared"),
            _ => format!("no network `{label}` is declared ({count} addresses name it)"),
        };
        let problem = self.nodes.problem(Code::UnknownNetwork, span, message).label("not a name under `networks`");
        let names = self.networks.iter().map(|draft| draft.network.name.as_str());
        self.nodes.push(match did_you_mean(label, names) {
            Some(similar) => problem.help(format!("did you mean `{similar}`?")),
            None => problem.help("declare it under `networks` in `cluster.yaml`, or use the name of one that is"),
        });
    }
}
