//! What may occur once only: xnames, names, NIDs, MAC and IP addresses. Both places are shown.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::net::IpAddr;

use super::Code;
use super::nodes::{At, BmcDraft, NodeDraft};
use super::source::Sheet;
use super::yaml::Span;
use crate::model::{MacAddr, Xname};

/// Checks all nodes.
pub(super) fn check(sheet: Sheet<'_>, nodes: &[NodeDraft]) {
    let mut xnames = Once::new(sheet, Code::DuplicateXname, "the xname");
    let mut names = Once::new(sheet, Code::DuplicateName, "the name");
    let mut nids = Once::new(sheet, Code::DuplicateNid, "the NID");
    let mut macs = Once::new(sheet, Code::DuplicateMac, "the MAC address");
    let mut ips = Once::new(sheet, Code::DuplicateIp, "the IP address");
    let mut bmcs: HashMap<Xname, &NodeDraft> = HashMap::new();
    for node in nodes {
        if let Some(at) = &node.xname {
            xnames.see(at.value.clone(), at.span, node, "node");
        }
        if let Some(at) = &node.name {
            names.see(at.value.to_ascii_lowercase(), at.span, node, "node");
        }
        if let Some(at) = &node.nid {
            nids.see(at.value, at.span, node, "node");
        }
        for interface in &node.interfaces {
            if let Some(at) = &interface.mac {
                macs.see(at.value, at.span, node, "node");
            }
            for address in &interface.ips {
                ips.see(address.ip.value, address.ip.span, node, "node");
            }
        }
        let Some(bmc) = &node.bmc else { continue };
        let xname = node.xname.as_ref().and_then(|at| at.value.parent());
        let sharer =
            xname.as_ref().and_then(|xname| bmcs.get(xname)).and_then(|node| Some((*node, node.bmc.as_ref()?)));
        if let Some((other, shared)) = sharer {
            agree(sheet, (node, bmc), (other, shared));
        }
        if let Some(at) = &bmc.mac
            && sharer.is_none_or(|(_, shared)| shared.mac.is_none())
        {
            macs.see(at.value, at.span, node, "the BMC of node");
        }
        if let Some(at) = &bmc.ip
            && sharer.is_none_or(|(_, shared)| shared.ip.is_none())
        {
            ips.see(at.value, at.span, node, "the BMC of node");
        }
        if let Some(xname) = xname {
            bmcs.entry(xname).or_insert(node);
        }
    }
}

/// Values of one kind, each with its first place.
struct Once<'a, K> {
    sheet: Sheet<'a>,
    code: Code,
    what: &'static str,
    seen: HashMap<K, (Span, &'a NodeDraft, &'static str)>,
}

impl<'a, K: Eq + Hash + Display> Once<'a, K> {
    fn new(sheet: Sheet<'a>, code: Code, what: &'static str) -> Self {
        Self { sheet, code, what, seen: HashMap::new() }
    }

    fn see(&mut self, value: K, span: Span, node: &'a NodeDraft, whose: &'static str) {
        match self.seen.get(&value) {
            None => {
                self.seen.insert(value, (span, node, whose));
            }
            Some((first, other, others)) => {
                let written = self.sheet.written(span);
                let shown = value.to_string();
                let mut message = format!("{} `{shown}` is used twice", self.what);
                if written.trim_matches(['"', '\'']) != shown {
                    message = format!("{}, written `{}`", message, written.trim_matches(['"', '\'']));
                }
                let problem = self.sheet.problem(self.code, span, message).node(Some(&node.title));
                self.sheet.push(
                    problem
                        .label(format!("used again by {whose} `{}`", node.title))
                        .related(self.sheet.place(*first), format!("first used by {others} `{}`", other.title)),
                );
            }
        }
    }
}

/// Nodes that share a BMC have to tell the same of it.
fn agree(sheet: Sheet<'_>, (node, bmc): (&NodeDraft, &BmcDraft), (other, shared): (&NodeDraft, &BmcDraft)) {
    let differ = |what: &str, span: Span, first: Span| {
        let message =
            format!("nodes `{}` and `{}` share a BMC and disagree about its {what} address", other.title, node.title);
        let problem = sheet.problem(Code::BmcDisagreement, span, message).node(Some(&node.title));
        sheet.push(problem.related(sheet.place(first), format!("as node `{}` has it", other.title)));
    };
    fn both<'d, T: PartialEq>(a: &'d Option<At<T>>, b: &'d Option<At<T>>) -> Option<(Span, Span)> {
        let (a, b) = (a.as_ref()?, b.as_ref()?);
        (a.value != b.value).then_some((a.span, b.span))
    }
    if let Some((span, first)) = both::<MacAddr>(&bmc.mac, &shared.mac) {
        differ("MAC", span, first);
    }
    if let Some((span, first)) = both::<IpAddr>(&bmc.ip, &shared.ip) {
        differ("IP", span, first);
    }
}
