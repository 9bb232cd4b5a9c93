//! What a configuration of CoreDHCP says, plugin by plugin.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::super::Code;
use super::super::files;
use super::super::source::Sheet;
use super::super::span::Span;
use super::super::walker::{self, Fields};
use super::super::yaml::{Data, Yaml};
use super::arguments::{keyed, seconds, words};
use crate::model::MacAddr;

/// What it says, as far as it can be expressed.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) interfaces: Vec<String>,
    pub(super) server: Option<Ipv4Addr>,
    pub(super) dns: Vec<Ipv4Addr>,
    pub(super) routers: Vec<Ipv4Addr>,
    pub(super) prefix: Option<u8>,
    pub(super) mtu: Option<u16>,
    pub(super) search: Vec<String>,
    pub(super) routes: Vec<(Ipv4Net, Ipv4Addr)>,
    pub(super) hosts: Vec<(MacAddr, Ipv4Addr)>,
    pub(super) coresmd: Option<CoreSmd>,
    pub(super) bootloop: Option<BootLoop>,
    /// Subnets that rules name, each with its router.
    pub(super) subnets: BTreeMap<Ipv4Net, Option<Ipv4Addr>>,
    /// What cannot be expressed, with the line that says it.
    pub(super) notes: Vec<(u32, String)>,
}

/// What coresmd is told.
#[derive(Debug, Default)]
pub(super) struct CoreSmd {
    pub(super) ipxe_base: String,
    pub(super) lease: Option<u64>,
    pub(super) single_port: bool,
    pub(super) tftp_dir: Option<String>,
    pub(super) tftp_port: Option<u16>,
    pub(super) domain: Option<String>,
    /// What precedes the number in the name of a node, and its width.
    pub(super) names: Option<(String, usize)>,
}

/// What bootloop is told.
#[derive(Debug, Default)]
pub(super) struct BootLoop {
    pub(super) script: Option<String>,
    pub(super) lease: Option<u64>,
    /// Pools, each with its subnet where that is said.
    pub(super) pools: Vec<(Option<Ipv4Net>, Ipv4Addr, Ipv4Addr)>,
}

/// Reports that there is nothing to read.
pub(super) fn no_plugins(sheet: Sheet<'_>, span: Span) {
    let problem = sheet.problem(Code::MissingField, span, "there is no `server4` with a list of `plugins`");
    sheet.push(problem.help("name the configuration of CoreDHCP, such as /etc/ochami/configs/coredhcp.yaml"));
}

impl Config {
    pub(super) fn read<'y>(sheet: Sheet<'y>, tree: &'y Yaml<'y>) -> Option<Self> {
        let root = Fields::read(sheet, tree, "a configuration of CoreDHCP", None)?;
        let mut config = Self::default();
        if let Some(pair) = root.pairs().iter().find(|pair| &*pair.key.text == "server6") {
            config.note(sheet, pair.key.span, "`server6` is left out: there is no DHCPv6 here");
        }
        let Some(server) = root.get("server4").and_then(|yaml| Fields::read(sheet, yaml, "`server4`", None)) else {
            no_plugins(sheet, tree.span);
            return None;
        };
        for listen in server.list("listen") {
            let Some(text) = walker::text(sheet, listen, "listen", None) else { continue };
            match text.text.split_once('%') {
                Some((_, interface)) => config.interfaces.push(interface.to_owned()),
                None => config.note(sheet, text.span, "name the interface of this address by `serve --dhcp`"),
            }
        }
        let plugins = server.list("plugins");
        if plugins.is_empty() {
            no_plugins(sheet, tree.span);
            return None;
        }
        for plugin in plugins {
            let Some(fields) = Fields::read(sheet, plugin, "a plugin", None) else { continue };
            for pair in fields.pairs() {
                let arguments = match &pair.value.data {
                    Data::Scalar(scalar) => &*scalar.text,
                    _ => {
                        walker::text(sheet, &pair.value, "plugins", None);
                        continue;
                    }
                };
                config.plugin(sheet, &pair.key.text, arguments, pair.key.span);
            }
        }
        Some(config)
    }

    fn note(&mut self, sheet: Sheet<'_>, span: Span, words: impl Into<String>) {
        self.notes.push((sheet.origin(span).line, words.into()));
    }

    fn plugin(&mut self, sheet: Sheet<'_>, name: &str, arguments: &str, span: Span) {
        let (words, unclosed) = words(arguments);
        if unclosed {
            self.note(sheet, span, format!("a comment of `{name}` has no end, so nothing behind it counts"));
        }
        let addresses = || -> Vec<Ipv4Addr> {
            words.iter().flat_map(|word| word.split(',')).filter_map(|word| word.parse().ok()).collect()
        };
        match name {
            "server_id" => self.server = addresses().first().copied(),
            "dns" => self.dns = addresses(),
            "router" => self.routers = addresses(),
            "netmask" => {
                let mask = addresses().first().copied();
                self.prefix = mask.and_then(|mask| ipnet::ipv4_mask_to_prefix(mask).ok());
                if self.prefix.is_none() {
                    self.note(sheet, span, format!("`{arguments}` is no netmask"));
                }
            }
            "mtu" => self.mtu = words.first().and_then(|word| word.parse().ok()),
            "searchdomains" => self.search = words.iter().map(|word| (*word).to_owned()).collect(),
            "staticroute" => {
                for word in &words {
                    let route = word.split_once(',').and_then(|(to, via)| Some((to.parse().ok()?, via.parse().ok()?)));
                    match route {
                        Some(route) => self.routes.push(route),
                        None => self.note(sheet, span, format!("the route `{word}` cannot be read")),
                    }
                }
            }
            "lease_time" => {
                self.note(
                    sheet,
                    span,
                    format!("`lease_time: {arguments}` is for hosts of `file`; give each a `lease`"),
                );
            }
            "file" => self.file(sheet, words.first().copied().unwrap_or_default(), span),
            "range" => match words[..] {
                [_, first, last, ref rest @ ..] => {
                    let lease = rest.first().and_then(|text| seconds(text));
                    let pool = first.parse().ok().zip(last.parse().ok());
                    let pools = pool.map(|(first, last)| (None, first, last)).into_iter().collect();
                    self.bootloop = Some(BootLoop { script: None, lease, pools });
                }
                _ => self.note(sheet, span, "`range` has too few arguments"),
            },
            "coresmd" => self.coresmd(sheet, &words, span),
            "bootloop" => self.bootloop(sheet, &words, span),
            _ => self.note(sheet, span, format!("`{name}: {}` has no counterpart", words.join(" "))),
        }
    }

    /// Hosts from a file with a line for each: MAC address and IP address.
    fn file(&mut self, sheet: Sheet<'_>, path: &str, span: Span) {
        let text = files::read_file(path.as_ref()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(text) = text else {
            return self.note(sheet, span, format!("the hosts in `{path}` cannot be read; write them as `hosts`"));
        };
        for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
            let mut parts = line.split_whitespace();
            let pair = parts.next().and_then(|mac| mac.parse().ok()).zip(parts.next().and_then(|ip| ip.parse().ok()));
            match pair {
                Some(host) => self.hosts.push(host),
                None if line.is_empty() => {}
                None => self.note(sheet, span, format!("`{line}` in `{path}` is no host")),
            }
        }
    }

    fn coresmd(&mut self, sheet: Sheet<'_>, words: &[&str], span: Span) {
        let mut told = CoreSmd::default();
        if words.first().is_none_or(|word| keyed(word).is_none()) {
            // Service, boot scripts, certificate, cache, lease, and since 0.3 whether one port serves all of TFTP.
            let (Some(base), Some(lease)) = (words.get(1), words.get(4)) else {
                return self.note(sheet, span, "`coresmd` has too few arguments");
            };
            told.ipxe_base = (*base).to_owned();
            told.lease = seconds(lease);
            told.single_port = words.get(5) == Some(&"true");
            // These generations name every node so, whatever the cluster says.
            told.names = Some(("nid".to_owned(), 4));
            self.coresmd = Some(told);
            return;
        }
        for word in words {
            match keyed(word) {
                Some(("ipxe_base_uri", uri)) => told.ipxe_base = uri.to_owned(),
                Some(("lease_time", time)) => told.lease = seconds(time),
                Some(("single_port", flag)) => told.single_port = flag == "true",
                Some(("tftp_dir", directory)) => told.tftp_dir = Some(directory.to_owned()),
                Some(("tftp_port", port)) => told.tftp_port = port.parse().ok(),
                Some(("domain", domain)) => told.domain = Some(domain.to_owned()),
                Some(("node_pattern", pattern)) => self.name(sheet, &mut told, pattern, span),
                Some(("rule", rule)) => self.rule(sheet, &mut told, rule, span),
                // What the services are and how they are asked has no meaning for a server that holds the nodes itself.
                Some(("svc_base_uri" | "ca_cert" | "cache_valid" | "rule_log", _)) => {}
                _ => self.note(sheet, span, format!("`{word}` of `coresmd` has no counterpart")),
            }
        }
        self.coresmd = Some(told);
    }

    /// `type:Node,hostname:nid{04d}` and its kin: names of nodes, and routers of subnets.
    fn rule(&mut self, sheet: Sheet<'_>, told: &mut CoreSmd, rule: &str, span: Span) {
        let parts: BTreeMap<&str, &str> = rule.split(',').filter_map(|part| part.split_once(':')).collect();
        let known = |key: &&str| {
            matches!(*key, "type" | "hostname" | "subnet" | "routers" | "netmask" | "cidr" | "name" | "continue")
        };
        let subnets: Option<Vec<Ipv4Net>> =
            parts.get("subnet").map(|text| text.split('|').filter_map(|net| net.parse().ok()).collect());
        let first = |key: &str| parts.get(key).and_then(|text| text.split('|').next()?.parse::<Ipv4Addr>().ok());
        if parts.keys().all(known) {
            match (subnets, parts.get("hostname")) {
                (Some(subnets), None) => {
                    self.subnets.extend(subnets.into_iter().map(|subnet| (subnet.trunc(), first("routers"))));
                    return;
                }
                // Controllers are named so here, too.
                (None, Some(&"{id}")) if parts.get("type") == Some(&"NodeBMC") => return,
                (None, Some(pattern)) if parts.get("type") == Some(&"Node") => {
                    return self.name(sheet, told, pattern, span);
                }
                _ => {}
            }
        }
        self.note(sheet, span, format!("the rule `{rule}` cannot be expressed"));
    }

    /// A pattern of host names: a beginning and the padded number.
    fn name(&mut self, sheet: Sheet<'_>, told: &mut CoreSmd, pattern: &str, span: Span) {
        let parsed = pattern.split_once('{').and_then(|(beginning, rest)| {
            let width = rest.strip_suffix("d}")?.parse::<usize>().ok()?;
            (!beginning.is_empty()).then(|| (beginning.to_owned(), width.max(1)))
        });
        match parsed {
            Some(names) => told.names = Some(names),
            None => self.note(sheet, span, format!("the pattern `{pattern}` of names is not a word and a number")),
        }
    }

    fn bootloop(&mut self, sheet: Sheet<'_>, words: &[&str], span: Span) {
        let mut told = BootLoop::default();
        if words.first().is_none_or(|word| keyed(word).is_none()) {
            let [_, script, lease, first, last] = words else {
                return self.note(sheet, span, "`bootloop` does not have five arguments");
            };
            told.script = Some((*script).to_owned());
            told.lease = seconds(lease);
            told.pools.extend(first.parse().ok().zip(last.parse().ok()).map(|(first, last)| (None, first, last)));
            self.bootloop = Some(told);
            return;
        }
        let (mut start, mut end) = (None, None);
        for word in words {
            match keyed(word) {
                Some(("script_path", script)) => told.script = Some(script.to_owned()),
                Some(("lease_time", time)) => told.lease = seconds(time),
                Some(("ipv4_start", ip)) => start = ip.parse().ok(),
                Some(("ipv4_end", ip)) => end = ip.parse().ok(),
                Some(("subnet_pool", pool)) => match pool.split(',').collect::<Vec<_>>()[..] {
                    [net, first, last] => {
                        let ends = first.parse().ok().zip(last.parse().ok());
                        told.pools.extend(ends.map(|(first, last)| (net.parse().ok(), first, last)));
                    }
                    _ => self.note(sheet, span, format!("the pool `{pool}` cannot be read")),
                },
                // Leases are stored in the state directory.
                Some(("lease_file", _)) => {}
                _ => self.note(sheet, span, format!("`{word}` of `bootloop` has no counterpart")),
            }
        }
        told.pools.extend(start.zip(end).map(|(first, last)| (None, first, last)));
        self.bootloop = Some(told);
    }
}
