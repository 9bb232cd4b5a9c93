//! What `cluster.yaml` says for DHCP against the nodes and the networks: names that mean something, addresses once.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use super::Code;
use super::dhcp::{DhcpDraft, HostDraft};
use super::diagnostic::Place;
use super::networks::NetworkDraft;
use super::nodes::NodeDraft;
use super::serving::{Dhcp, Host};
use super::source::Sheet;
use super::span::Span;
use crate::model::{GroupLabel, MacAddr, Xname};

/// What the checks look at.
pub(super) struct DhcpChecks<'a> {
    pub(super) nodes_sheet: Sheet<'a>,
    pub(super) cluster_sheet: Sheet<'a>,
    pub(super) nodes: &'a [NodeDraft],
    /// Every name and group of `nodes.yaml` could be read, so that what is not there is not meant.
    pub(super) complete: bool,
    pub(super) networks: &'a [NetworkDraft],
    pub(super) boot_ip: Option<(Ipv4Addr, Span)>,
}

impl DhcpChecks<'_> {
    /// Checks everything and puts xnames in for names.
    pub(super) fn resolve(&self, draft: &DhcpDraft) -> Dhcp {
        self.hosts(&draft.hosts);
        let (mut groups, mut nodes) = (BTreeMap::new(), BTreeMap::new());
        for (name, (options, span)) in &draft.groups {
            match self.group(name) {
                Some(label) => drop(groups.insert(label, options.clone())),
                None => self.unknown(*span, "group", name),
            }
        }
        for (name, (options, span)) in &draft.nodes {
            match self.node(name) {
                Some(xname) => drop(nodes.insert(xname, options.clone())),
                None => self.unknown(*span, "node", name),
            }
        }
        let host = |draft: &HostDraft| {
            let (mac, ip) = (draft.mac.value, draft.ip.value);
            Host { name: draft.name.clone(), mac, ip, options: draft.options.clone() }
        };
        let (boot_script_url, loaders) = (draft.boot_script_url.clone(), draft.loaders.clone());
        Dhcp { hosts: draft.hosts.iter().map(host).collect(), boot_script_url, loaders, groups, nodes }
    }

    fn group(&self, name: &str) -> Option<GroupLabel> {
        let groups = self.nodes.iter().flat_map(|node| &node.groups);
        groups.map(|at| &at.value).find(|label| label.as_str() == name).cloned()
    }

    fn node(&self, name: &str) -> Option<Xname> {
        Some(self.draft_of(name)?.xname.as_ref()?.value.clone())
    }

    /// The node with this name or xname.
    pub(super) fn draft_of(&self, name: &str) -> Option<&NodeDraft> {
        let named = |node: &&NodeDraft| {
            node.name.as_ref().is_some_and(|at| &*at.value == name)
                || node.xname.as_ref().is_some_and(|at| at.value.as_str() == name)
        };
        self.nodes.iter().find(named)
    }

    fn unknown(&self, span: Span, what: &str, name: &str) {
        if !self.complete {
            return;
        }
        let problem = self.cluster_sheet.problem(Code::DhcpName, span, format!("there is no {what} `{name}`"));
        let problem = problem.label("its options are for nothing in `nodes.yaml`");
        self.cluster_sheet.push(problem.help(format!("correct the name, or add the {what} to `nodes.yaml`")));
    }

    /// Every address once, and where it belongs.
    fn hosts(&self, hosts: &[HostDraft]) {
        let mut macs: HashMap<MacAddr, (Place, String)> = HashMap::new();
        let mut ips: HashMap<IpAddr, (Place, String)> = HashMap::new();
        for node in self.nodes {
            let whose = format!("node `{}`", node.title);
            let place = |span| self.nodes_sheet.place(span);
            let bmc = node.bmc.iter();
            let all_macs = node.interfaces.iter().filter_map(|i| i.mac.as_ref());
            for at in all_macs.chain(bmc.clone().filter_map(|bmc| bmc.mac.as_ref())) {
                macs.entry(at.value).or_insert_with(|| (place(at.span), whose.clone()));
            }
            let all_ips = node.interfaces.iter().flat_map(|i| &i.ips).map(|address| &address.ip);
            for at in all_ips.chain(bmc.filter_map(|bmc| bmc.ip.as_ref())) {
                ips.entry(at.value).or_insert_with(|| (place(at.span), whose.clone()));
            }
        }
        if let Some((ip, span)) = self.boot_ip {
            ips.insert(ip.into(), (self.cluster_sheet.place(span), "the head node".to_owned()));
        }
        for host in hosts {
            let whose = format!("host `{}`", host.name);
            self.once(&mut macs, host.mac.value, host.mac.span, (Code::DuplicateMac, "the MAC address"), &whose);
            self.once(&mut ips, host.ip.value.into(), host.ip.span, (Code::DuplicateIp, "the IP address"), &whose);
            self.address(host);
        }
    }

    fn once<K: std::hash::Hash + Eq + std::fmt::Display>(
        &self,
        seen: &mut HashMap<K, (Place, String)>,
        value: K,
        span: Span,
        (code, what): (Code, &str),
        whose: &str,
    ) {
        if let Some((place, first)) = seen.get(&value) {
            let problem = self.cluster_sheet.problem(code, span, format!("{what} `{value}` is used twice"));
            let problem = problem.label(format!("used again by {whose}")).help("give one of the two another");
            self.cluster_sheet.push(problem.related(place.clone(), format!("first used by {first}")));
            return;
        }
        seen.insert(value, (self.cluster_sheet.place(span), whose.to_owned()));
    }

    fn address(&self, host: &HostDraft) {
        let (ip, span) = (host.ip.value, host.ip.span);
        if self.networks.is_empty() {
            return;
        }
        let problem = |code, message: String| self.cluster_sheet.problem(code, span, message);
        let Some(draft) = self.networks.iter().find(|draft| draft.network.subnet.contains(&ip)) else {
            return self.cluster_sheet.push(
                problem(Code::OutsideSubnet, format!("{ip} is in no declared subnet"))
                    .help("declare its network in `networks:`, or correct the address"),
            );
        };
        if let Some((first, last)) = draft.network.pool.filter(|(first, last)| (*first..=*last).contains(&ip)) {
            let problem = problem(Code::PoolAddress, format!("{ip} is in the pool {first}-{last}"));
            let problem = problem.label("may be handed to an unknown machine");
            let problem = problem.help("take an address outside the pool, or make the pool smaller");
            self.cluster_sheet.push(problem.related(self.cluster_sheet.place(draft.span), "its network"));
        }
    }
}
