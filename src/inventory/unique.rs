//! What may occur once only: xnames, names, NIDs, MAC and IP addresses. Both places are shown.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;
use std::net::IpAddr;

use super::Code;
use super::assign::node_key;
use super::nodes::{At, BmcDraft, NodeDraft};
use super::source::Sheet;
use super::span::Span;
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
        let twin = twin(node, &names, &xnames);
        if let Some(other) = twin {
            given_twice(sheet, node, other);
        }
        let user = |whose| User { node, twin, whose };
        let mut again = false;
        if let Some(at) = &node.xname {
            again = xnames.see(at.value.clone(), at.span, user("node"));
        }
        if let Some(at) = &node.name {
            names.see(at.value.to_ascii_lowercase(), at.span, user("node"));
        }
        if let Some(at) = &node.nid {
            nids.see(at.value, at.span, user("node"));
        }
        for interface in &node.interfaces {
            if let Some(at) = &interface.mac {
                macs.see(at.value, at.span, user("node"));
            }
            for address in &interface.ips {
                ips.see(address.ip.value, address.ip.span, user("node"));
            }
        }
        // Who has the xname of another node has its BMC, too, which is the same mistake.
        let Some(bmc) = node.bmc.as_ref().filter(|_| !again) else { continue };
        let xname = node.xname.as_ref().and_then(|at| at.value.parent());
        let sharer =
            xname.as_ref().and_then(|xname| bmcs.get(xname)).and_then(|node| Some((*node, node.bmc.as_ref()?)));
        if let Some((other, shared)) = sharer {
            agree(sheet, (node, bmc), (other, shared));
        }
        if let Some(at) = &bmc.mac
            && sharer.is_none_or(|(_, shared)| shared.mac.is_none())
        {
            macs.see(at.value, at.span, user("the BMC of node"));
        }
        if let Some(at) = &bmc.ip
            && sharer.is_none_or(|(_, shared)| shared.ip.is_none())
        {
            ips.see(at.value, at.span, user("the BMC of node"));
        }
        if let Some(xname) = xname {
            bmcs.entry(xname).or_insert(node);
        }
    }
    check_names(sheet, nodes);
}

/// An earlier node with both the name and the xname of this one.
fn twin<'a>(node: &NodeDraft, names: &Once<'a, String>, xnames: &Once<'a, Xname>) -> Option<&'a NodeDraft> {
    let (_, by_name) = names.seen.get(&node.name.as_ref()?.value.to_ascii_lowercase())?;
    let (_, by_xname) = xnames.seen.get(&node.xname.as_ref()?.value)?;
    std::ptr::eq(by_name.node, by_xname.node).then_some(by_name.node)
}

/// Reports a node that stands in the file twice, as one problem: everything that it has occurs twice.
fn given_twice(sheet: Sheet<'_>, node: &NodeDraft, other: &NodeDraft) {
    let (Some(at), Some(first)) = (&node.xname, &other.xname) else { return };
    let message = format!("node `{}` is given twice", node.title);
    let problem = sheet.problem(Code::DuplicateXname, at.span, message).node(Some(&node.title));
    sheet.push(
        problem
            .label("the same name and xname again")
            .related(sheet.place(first.span), "first given here")
            .help("remove one of the two, or give it the name, xname, NID and addresses of another node"),
    );
}

/// Reports names of nodes that are another node's xname or the label of a group: a cloud-init entry or boot profile with
/// that name could mean either.
fn check_names(sheet: Sheet<'_>, nodes: &[NodeDraft]) {
    let mut xnames: HashMap<&str, &At<Xname>> = HashMap::new();
    let mut groups: HashMap<&str, Span> = HashMap::new();
    for node in nodes {
        if let Some(at) = &node.xname {
            xnames.entry(at.value.as_str()).or_insert(at);
        }
        for group in &node.groups {
            groups.entry(group.value.as_str()).or_insert(group.span);
        }
    }
    for node in nodes {
        let Some(name) = &node.name else { continue };
        let key = node_key(&name.value);
        let own = node.xname.as_ref().is_some_and(|at| at.value.as_str() == key);
        let other = match (xnames.get(key.as_str()), groups.get(key.as_str())) {
            (Some(at), _) if !own => Some((at.span, "another node's xname", "this node has the xname")),
            (_, Some(span)) => Some((*span, "the label of a group", "the group is used here")),
            _ => None,
        };
        let Some((span, what, where_)) = other else { continue };
        let message = format!("the name `{}` is also {what}", name.value);
        let problem = sheet.problem(Code::AmbiguousName, name.span, message).node(Some(&node.title));
        sheet.push(
            problem
                .label("a cloud-init entry of this name could mean either")
                .related(sheet.place(span), where_)
                .help("give the node another name"),
        );
    }
}

/// Who has a value.
#[derive(Clone, Copy)]
struct User<'a> {
    node: &'a NodeDraft,
    /// The earlier node that this one repeats. What the two share is told once.
    twin: Option<&'a NodeDraft>,
    whose: &'static str,
}

/// Values of one kind, each with its first place.
struct Once<'a, K> {
    sheet: Sheet<'a>,
    code: Code,
    what: &'static str,
    seen: HashMap<K, (Span, User<'a>)>,
}

impl<'a, K: Eq + Hash + Display> Once<'a, K> {
    fn new(sheet: Sheet<'a>, code: Code, what: &'static str) -> Self {
        Self { sheet, code, what, seen: HashMap::new() }
    }

    /// Takes a value in, and reports it when it was there before, which is the result.
    fn see(&mut self, value: K, span: Span, user: User<'a>) -> bool {
        let Some((first, other)) = self.seen.get(&value) else {
            self.seen.insert(value, (span, user));
            return false;
        };
        if user.twin.is_some_and(|twin| std::ptr::eq(twin, other.node)) {
            return true;
        }
        let written = self.sheet.written(span).trim_matches(['"', '\'']);
        let shown = value.to_string();
        let mut message = format!("{} `{shown}` is used twice", self.what);
        if written != shown {
            message = format!("{message}, written `{written}`");
        }
        let title = &user.node.title;
        let problem = self.sheet.problem(self.code, span, message).node(Some(title));
        self.sheet.push(
            problem
                .label(format!("used again by {} `{title}`", user.whose))
                .related(self.sheet.place(*first), format!("first used by {} `{}`", other.whose, other.node.title))
                .help(format!("give one of the two another {}", self.what.trim_start_matches("the "))),
        );
        true
    }
}

/// Nodes that share a BMC have to tell the same of it.
fn agree(sheet: Sheet<'_>, (node, bmc): (&NodeDraft, &BmcDraft), (other, shared): (&NodeDraft, &BmcDraft)) {
    let differ = |what: &str, span: Span, first: Span| {
        let message =
            format!("nodes `{}` and `{}` share a BMC and disagree about its {what} address", other.title, node.title);
        let problem = sheet.problem(Code::BmcDisagreement, span, message).node(Some(&node.title));
        sheet.push(
            problem
                .related(sheet.place(first), format!("as node `{}` has it", other.title))
                .help("write the same for every node of the BMC, or mend the xname of the one that has another BMC"),
        );
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
