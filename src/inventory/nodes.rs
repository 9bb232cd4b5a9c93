//! `nodes.yaml`: the nodes, their management controllers and their interfaces, as the tutorial writes them.
//!
//! A value that is wrong is left out of the draft, so that the checks across files can still look at everything else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::Code;
use super::places::Lines;
use super::source::Origin;
use super::source::Sheet;
use super::span::Span;
use super::titles;
use super::values::Values;
use super::walker::{self, Fields, Text};
use super::yaml::{Data, Yaml};
use crate::model::{Arch, Class, GroupLabel, MacAddr, Nid, Role, SubRole, Xname};

/// A value and where it stands in `nodes.yaml`.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// A node as far as it could be read.
#[derive(Debug)]
pub(super) struct NodeDraft {
    /// Its name or xname, for messages.
    pub(super) title: Arc<str>,
    pub(super) name: Option<At<Arc<str>>>,
    pub(super) xname: Option<At<Xname>>,
    pub(super) nid: Option<At<Nid>>,
    pub(super) groups: Vec<At<GroupLabel>>,
    pub(super) role: Option<Role>,
    pub(super) sub_role: Option<SubRole>,
    pub(super) arch: Option<Arch>,
    pub(super) class: Option<Class>,
    pub(super) bmc: Option<BmcDraft>,
    pub(super) interfaces: Vec<InterfaceDraft>,
    pub(super) lines: Lines,
    pub(super) origin: Origin,
}

/// A management controller as far as it could be read.
#[derive(Debug)]
pub(super) struct BmcDraft {
    pub(super) mac: Option<At<MacAddr>>,
    pub(super) ip: Option<At<IpAddr>>,
    pub(super) fqdn: Option<String>,
    pub(super) origin: Origin,
}

/// An interface as far as it could be read.
#[derive(Debug)]
pub(super) struct InterfaceDraft {
    pub(super) mac: Option<At<MacAddr>>,
    pub(super) ips: Vec<AddressDraft>,
    pub(super) origin: Origin,
}

/// An address and the label of its network.
#[derive(Debug)]
pub(super) struct AddressDraft {
    pub(super) ip: At<IpAddr>,
    pub(super) network: Option<At<String>>,
}

const NODE: &[&str] = &[
    "name",
    "xname",
    "nid",
    "group",
    "groups",
    "role",
    "subrole",
    "arch",
    "class",
    "bmc_mac",
    "bmc_ip",
    "bmc_fqdn",
    "interfaces",
];

/// Reads the whole file; none when there is no list of nodes in it, which is reported.
pub(super) fn read<'y>(sheet: Sheet<'y>, root: &'y Yaml<'y>) -> Option<Vec<NodeDraft>> {
    let list = match &root.data {
        Data::List(items) => {
            let line =
                Span::new(root.span.start(), sheet.source.line_range(sheet.source.line_at(root.span.start())).end);
            let problem = sheet.problem(Code::WrongType, line, "`nodes.yaml` has to be a mapping, not a list");
            sheet.push(problem.label("a list").help("write `nodes:` above the list"));
            items.as_slice()
        }
        _ => {
            let fields = Fields::read(sheet, root, "nodes.yaml", None)?;
            fields.known(&["nodes"], |key| {
                (key == "bmcs").then_some("a BMC is given with its node, as `bmc_mac` and `bmc_ip`")
            });
            match fields.required("nodes").map(|nodes| (nodes, &nodes.data)) {
                None | Some((_, Data::Bad)) => return None,
                Some((nodes, Data::Scalar(scalar))) if scalar.plain && scalar.text.is_empty() => {
                    no_nodes(sheet, nodes.span);
                    return None;
                }
                Some((nodes, Data::List(items))) if items.is_empty() => {
                    no_nodes(sheet, nodes.span);
                    return None;
                }
                Some((_, Data::List(items))) => items.as_slice(),
                Some((nodes, _)) => {
                    walker::wrong_type(sheet, nodes, "nodes", "a list", None);
                    return None;
                }
            }
        }
    };
    let mut labels = Labels::default();
    Some(list.iter().enumerate().filter_map(|(index, item)| node(sheet, item, index, &mut labels)).collect())
}

/// Group labels that were read, so that ten thousand nodes share one text.
type Labels = HashMap<String, GroupLabel>;

fn no_nodes(sheet: Sheet<'_>, span: Span) {
    let problem = sheet.problem(Code::NoNodes, span, "there are no nodes");
    sheet.push(
        problem.label("an empty list").help("describe at least one node; nodes are not deleted by an empty list"),
    );
}

fn node<'y>(sheet: Sheet<'y>, yaml: &'y Yaml<'y>, index: usize, labels: &mut Labels) -> Option<NodeDraft> {
    let mut fields = Fields::read(sheet, yaml, "a node", None)?;
    let title = titles::title(sheet, yaml).unwrap_or_else(|| format!("number {}", index + 1).into());
    fields.node = Some(title.clone());
    fields.known(NODE, |key| match key {
        "mac" | "mac_addr" => Some("the node's MAC address belongs in `interfaces:`, as `- mac_addr: …`"),
        "ip" | "ipaddr" | "ip_addr" | "ip_addrs" => {
            Some("the node's address belongs in its interface: `interfaces: [{mac_addr: …, ip_addrs: [{ip_addr: …}]}]`")
        }
        "bmc_ipaddr" => Some("write `bmc_ip`"),
        "boot" => Some("boot profiles stand in `cluster.yaml`, under `boot: {nodes: …}`"),
        _ => None,
    });
    let values = Values { sheet, node: Some(&title) };
    let name = fields.required_text("name");
    let name = name.and_then(|text| Some(At { value: values.host_name(text)?.into(), span: text.span }));
    let xname = fields.required_text("xname").and_then(|text| Some(At { value: values.xname(text)?, span: text.span }));
    let nid = fields.required_text("nid").and_then(|text| Some(At { value: values.nid(text)?, span: text.span }));
    let word = |key: &'static str| fields.text(key);
    let role = word("role").and_then(|text| choose(values, "role", text, Role::ALL, Role::as_str));
    let sub_role = word("subrole").and_then(|text| choose(values, "subrole", text, SubRole::ALL, SubRole::as_str));
    let arch = word("arch").and_then(|text| choose(values, "arch", text, Arch::ALL, Arch::as_str));
    let class = word("class").and_then(|text| choose(values, "class", text, Class::ALL, Class::as_str));
    let interfaces = fields.required("interfaces").map(|yaml| interfaces(&fields, values, yaml)).unwrap_or_default();
    let groups = groups(&fields, values, labels);
    let (bmc, origin) = (bmc(&fields, values), sheet.origin(yaml.span));
    Some(NodeDraft {
        title: title.clone(),
        name,
        xname,
        nid,
        groups,
        role,
        sub_role,
        arch,
        class,
        bmc,
        interfaces,
        lines: Lines::of_node(&fields),
        origin,
    })
}

/// One of SMD's words.
fn choose<T: Copy>(
    values: Values<'_>,
    what: &str,
    text: Text<'_>,
    all: &[T],
    show: fn(T) -> &'static str,
) -> Option<T> {
    let allowed: Vec<&str> = all.iter().map(|value| show(*value)).collect();
    values.word(Code::Word, what, text, &allowed, |word| {
        all.iter().copied().find(|value| show(*value).eq_ignore_ascii_case(word))
    })
}

/// `group` and `groups`, in file order and without repetition.
fn groups<'y>(fields: &Fields<'y>, values: Values<'_>, labels: &mut Labels) -> Vec<At<GroupLabel>> {
    let mut texts: Vec<Text<'y>> = Vec::new();
    for pair in fields.pairs() {
        match (&*pair.key.text, &pair.value.data) {
            ("group", _) => texts.extend(walker::text(fields.sheet, &pair.value, "group", fields.node.as_deref())),
            ("groups", Data::Scalar(_)) => {
                if let Some(text) = walker::text(fields.sheet, &pair.value, "groups", fields.node.as_deref()) {
                    let problem = fields.problem(Code::TextForList, text.span, "`groups` is a list");
                    let replacement = format!("[{}]", fields.sheet.written(text.span));
                    let place = fields.sheet.place(text.span);
                    fields.sheet.push(
                        problem
                            .label("taken as a list of one group")
                            .help("write a list, or `group:` for a single group")
                            .suggest("a list of one", place, replacement),
                    );
                    texts.push(text);
                }
            }
            ("groups", _) => {
                for item in walker::list(fields.sheet, &pair.value, "groups", fields.node.as_deref()) {
                    texts.extend(walker::text(fields.sheet, item, "groups", fields.node.as_deref()));
                }
            }
            _ => {}
        }
    }
    let mut groups: Vec<At<GroupLabel>> = Vec::with_capacity(texts.len());
    for text in texts {
        let label = match labels.get(text.text) {
            Some(label) => label.clone(),
            None => {
                let Some(label) = values.group(text) else { continue };
                labels.insert(text.text.to_owned(), label.clone());
                label
            }
        };
        if !groups.iter().any(|group| group.value == label) {
            groups.push(At { value: label, span: text.span });
        }
    }
    groups
}

fn bmc(fields: &Fields<'_>, values: Values<'_>) -> Option<BmcDraft> {
    let mut keys = fields.pairs().iter().filter(|pair| pair.key.text.starts_with("bmc_"));
    let first = keys.next()?;
    let last = keys.next_back().unwrap_or(first);
    let mac = fields.text("bmc_mac").and_then(|text| Some(At { value: values.mac(text)?, span: text.span }));
    let ip = fields.text("bmc_ip").and_then(|text| Some(At { value: values.ip(text)?, span: text.span }));
    let fqdn = fields.text("bmc_fqdn").and_then(|text| values.host_name(text)).map(str::to_owned);
    Some(BmcDraft { mac, ip, fqdn, origin: fields.sheet.origin(first.key.span.to(last.value.span)) })
}

fn interfaces<'y>(fields: &Fields<'y>, values: Values<'_>, yaml: &'y Yaml<'y>) -> Vec<InterfaceDraft> {
    let items = walker::list(fields.sheet, yaml, "interfaces", fields.node.as_deref());
    if items.is_empty() && matches!(yaml.data, Data::List(_)) {
        let problem = fields.problem(Code::MissingField, yaml.span, "the node has no interface to boot from");
        fields.sheet.push(problem.label("an empty list").help("the first interface is the one the node boots from"));
    }
    items.iter().filter_map(|item| interface(fields, values, item)).collect()
}

fn interface<'y>(node: &Fields<'y>, values: Values<'_>, yaml: &'y Yaml<'y>) -> Option<InterfaceDraft> {
    let fields = Fields::read(node.sheet, yaml, "an interface", node.node.as_ref())?;
    fields.known(&["mac_addr", "ip_addrs"], |key| match key {
        "mac" => Some("write `mac_addr`"),
        "ip" | "ipaddr" | "ip_addr" => Some("write `ip_addrs: [{ip_addr: …}]`"),
        _ => None,
    });
    let mac = fields.required_text("mac_addr");
    let mac = mac.and_then(|text| Some(At { value: values.mac(text)?, span: text.span }));
    let ips = fields.list("ip_addrs").iter().filter_map(|item| address(&fields, values, item)).collect();
    Some(InterfaceDraft { mac, ips, origin: node.sheet.origin(yaml.span) })
}

fn address<'y>(interface: &Fields<'y>, values: Values<'_>, yaml: &'y Yaml<'y>) -> Option<AddressDraft> {
    let fields = Fields::read(interface.sheet, yaml, "an address", interface.node.as_ref())?;
    fields.known(&["name", "network", "ip_addr"], |key| match key {
        "ip" | "ipaddr" => Some("write `ip_addr`"),
        _ => None,
    });
    let text = fields.required_text("ip_addr")?;
    let network = fields.text("network").or_else(|| fields.text("name"));
    let network = network.map(|text| At { value: text.text.to_owned(), span: text.span });
    Some(AddressDraft { ip: At { value: values.ip(text)?, span: text.span }, network })
}
