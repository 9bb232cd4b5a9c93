//! The checked inventory: what the files say once every check has passed. Plain data.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::places::{BootStretches, Lines};
use super::pointers::Pointers;
use super::serving::{Dhcp, NetworkDhcp};
use super::source::Origin;
use crate::model::{
    Arch, Class, CloudInitGroup, ClusterDefaults, EntryName, GroupLabel, InstanceInfo, IpAddress, MacAddr, Nid, Role,
    SubRole, Xname,
};

/// Everything an inventory directory says.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// `cluster.yaml`.
    pub cluster: Cluster,
    /// `nodes.yaml`, in file order.
    pub nodes: Vec<Node>,
    /// `cloud-init/*.yaml`, in the order of file names.
    pub cloud_init: Vec<Entry>,
    /// `cloud-init/secure/*.yaml`.
    pub cloud_init_secure: Vec<Entry>,
    /// `cloud-init/defaults.yaml`.
    pub cloud_init_defaults: Option<Said<ClusterDefaults>>,
    /// `cloud-init/groups/*.yaml`, and what has their shape in `cloud-init/*.yaml`.
    pub cloud_init_groups: Vec<Said<CloudInitGroup>>,
    /// `cloud-init/instances/*.yaml`, and what has their shape in `cloud-init/*.yaml`.
    pub cloud_init_instances: Vec<Said<InstanceInfo>>,
    /// `templates/unknown.j2`.
    pub unknown_script: Option<Script>,
    /// What the lines of `cluster.yaml` and of the files of cloud-init say.
    pub pointers: Pointers,
    /// BLAKE3 over the names and contents of all files, in hexadecimal: equal trees have equal hashes.
    pub hash: String,
}

impl Inventory {
    /// The groups that nodes are in, sorted.
    #[must_use]
    pub fn group_labels(&self) -> BTreeSet<&GroupLabel> {
        self.nodes.iter().flat_map(|node| &node.groups).collect()
    }
}

/// What `cluster.yaml` says of the cluster itself.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Keeps two inventories from sharing one ledger: `cluster_id`, or the name where it is not given.
    pub id: String,
    /// `cluster_name`.
    pub name: String,
    /// `cluster_shortname`, the prefix of node names.
    pub short_name: String,
    /// `cluster_nidlength`, the width to which NIDs are padded in node names.
    pub nid_length: usize,
    /// `cluster_domain`.
    pub domain: String,
    /// `cluster_boot_ip`, the head node on the boot network.
    pub boot_ip: Ipv4Addr,
    /// `cluster_boot_interface`.
    pub boot_interface: Option<String>,
    /// `networks`.
    pub networks: Vec<Network>,
    /// `hosts` and `dhcp`.
    pub dhcp: Dhcp,
    /// `sync`.
    pub sync: SyncPolicy,
}

/// A declared network.
#[derive(Debug, Clone)]
pub struct Network {
    /// The label that interfaces use.
    pub name: String,
    /// The addresses it has.
    pub subnet: Ipv4Net,
    /// The default gateway.
    pub router: Option<Ipv4Addr>,
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// First and last address handed to unknown machines.
    pub pool: Option<(Ipv4Addr, Ipv4Addr)>,
    /// How DHCP serves it.
    pub dhcp: NetworkDhcp,
    /// Where it is declared.
    pub origin: Origin,
}

/// One node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Host name.
    pub name: Arc<str>,
    /// Location; identifies the node.
    pub xname: Xname,
    /// Number.
    pub nid: Nid,
    /// Memberships, in file order, without repetition.
    pub groups: Vec<GroupLabel>,
    /// Owned only when the file gives it, as the next three.
    pub role: Option<Role>,
    /// Within the role.
    pub sub_role: Option<SubRole>,
    /// Processor architecture.
    pub arch: Option<Arch>,
    /// Hardware class.
    pub class: Option<Class>,
    /// The management controller, where the file tells anything of it.
    pub bmc: Option<Bmc>,
    /// Network interfaces; the first is the one it boots from.
    pub interfaces: Vec<Interface>,
    /// What it boots: the most specific profile, resolved. None where no profile covers it.
    pub boot: Option<Boot>,
    /// The lines of its keys, by their names, of its interfaces as `/interfaces/0`, and of their addresses as
    /// `/interfaces/0/ip_addrs/0`.
    pub lines: Lines,
    /// Where it is declared.
    pub origin: Origin,
}

/// A node's management controller.
#[derive(Debug, Clone)]
pub struct Bmc {
    /// Location: the node's xname without its last segment.
    pub xname: Xname,
    /// `bmc_mac`.
    pub mac: Option<MacAddr>,
    /// `bmc_ip`.
    pub ip: Option<IpAddr>,
    /// `bmc_fqdn`.
    pub fqdn: Option<String>,
    /// Where it is declared.
    pub origin: Origin,
}

/// A network interface of a node.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Hardware address.
    pub mac: MacAddr,
    /// Addresses, the first being the one DHCP hands out.
    pub ips: Vec<IpAddress>,
    /// Where it is declared.
    pub origin: Origin,
}

/// A resolved boot profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// URL of the kernel.
    pub kernel: Arc<str>,
    /// URL of the initrd; empty means none.
    pub initrd: Arc<str>,
    /// Kernel command line.
    pub params: Arc<str>,
    /// The name of the template that the boot script is made of, `boot` for the site's own; empty for the script that BSS
    /// sends.
    pub template: Arc<str>,
    /// That template itself.
    pub script: Arc<str>,
    /// The lines that kernel, initrd and params come from.
    pub stretches: BootStretches,
    /// Where the profile is declared.
    pub origin: Origin,
}

impl Boot {
    /// The URL of the root file system that the kernel fetches over HTTP: `root=` or `netroot=` of its command line, with
    /// or without a word for dracut in front of the URL (`root=live:URL`), in quotes or not.
    #[must_use]
    pub fn rootfs(&self) -> Option<&str> {
        self.params.split(' ').find_map(|word| {
            let word = word.trim_matches('"');
            let value = word.strip_prefix("root=").or_else(|| word.strip_prefix("netroot="))?.trim_matches('"');
            let url =
                ["live:", "livenet:", "squash:"].iter().find_map(|kind| value.strip_prefix(kind)).unwrap_or(value);
            (url.starts_with("http://") || url.starts_with("https://")).then_some(url)
        })
    }
}

/// A boot script that no profile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The name of the template that it is made of.
    pub template: Arc<str>,
    /// That template itself.
    pub text: Arc<str>,
    /// Where it is.
    pub origin: Origin,
}

/// A cloud-init entry. A secret stands in the documents as the mapping `{"$secret": {…}}`, not as its value.
#[derive(Clone)]
pub struct Entry {
    /// What the file calls it: a group, an xname or a node name.
    pub name: EntryName,
    /// The node meant, where the name is an xname or a node name.
    pub node: Option<Xname>,
    /// The cloud-config; `null` when the file gives none.
    pub userdata: Value,
    /// Instance data; `null` when the file gives none.
    pub metadata: Value,
    /// The vendor's cloud-config; `null` when the file gives none.
    pub vendordata: Value,
    /// `template: jinja`.
    pub jinja: bool,
    /// The lines of `/template`, and of everything in the documents: `/userdata/runcmd/2`.
    pub lines: Lines,
    /// Where it is declared.
    pub origin: Origin,
}

impl std::fmt::Debug for Entry {
    /// Names the entry only: the documents may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Data of today's cloud-init form, and where the files say it.
#[derive(Debug, Clone)]
pub struct Said<T> {
    /// What is said. A field that no file gives is empty.
    pub value: T,
    /// The lines of its fields, by their names in the canonical form: `/region`, `/meta_data/ntp`, `/content`.
    pub lines: Lines,
    /// Where it is declared.
    pub origin: Origin,
}

/// `sync` in `cluster.yaml`: how plans treat what they find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncPolicy {
    /// Delete what the ledger owns and the inventory no longer has (`owned`), or never (`none`).
    pub prune: bool,
    /// Take over an unowned object that differs from the inventory (`always`). Equal ones are taken over unless
    /// `never`.
    pub adopt: Adopt,
    /// Whether the daemon puts back what others changed, or only reports it.
    #[serde(default)]
    pub drift: Drift,
    /// The most nodes that one apply may delete.
    pub delete: Limit,
    /// The most nodes that one apply may replace.
    pub replace: Limit,
}

/// `sync.adopt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Adopt {
    /// Claim objects that already equal the inventory.
    Matching,
    /// Claim those that differ, too, and change them.
    Always,
    /// Claim nothing: every unowned object that the inventory names refuses the plan.
    Never,
}

/// `sync.drift`: what the daemon does about drift. An apply that a person asks for shows drift and puts it back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// It is told.
    #[default]
    Report,
    /// It is put back with every apply.
    Correct,
}

/// A limit: the greater of a number, which never stands for more than half of what is managed, and a share of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Number of nodes.
    pub max: u64,
    /// Percent of the managed nodes.
    pub percent: u64,
}

impl Default for SyncPolicy {
    /// `prune: owned`, `adopt: matching`, `drift: report`, delete 3 or 5 %, replace 3 or 10 %.
    fn default() -> Self {
        Self {
            prune: true,
            adopt: Adopt::Matching,
            drift: Drift::Report,
            delete: Limit { max: 3, percent: 5 },
            replace: Limit { max: 3, percent: 10 },
        }
    }
}
