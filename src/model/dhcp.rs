//! What the DHCP server is told by the applied inventory, and what it keeps of machines that no inventory names.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::{GroupLabel, MacAddr, Nid, Timestamp, Xname};

/// Everything of an inventory that DHCP needs beside the nodes themselves: networks, options, further hosts, names.
/// SMD knows no names of nodes, so cloud-init finds a node by its name here, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpSettings {
    /// The cluster's identifier. One store serves one cluster, so there is one such record.
    pub cluster: Arc<str>,
    /// The networks, which do not overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<DhcpNetwork>,
    /// Machines with fixed addresses that are no nodes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<MacAddr, DhcpHost>,
    /// Nodes and their controllers, where SMD is somebody else's and the store holds none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub machines: BTreeMap<MacAddr, DhcpMachine>,
    /// What precedes `?mac=…` in the URL of a boot script, where others than we hand it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_script_url: Option<String>,
    /// What precedes the NID in the name of a node.
    #[serde(default)]
    pub short_name: String,
    /// The width to which that NID is padded.
    #[serde(default)]
    pub nid_length: usize,
    /// Names of nodes that are not made of the two above.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<Xname, Arc<str>>,
    /// Client architecture (RFC 4578, option 93) to the loader's file name, over the usual ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loaders: BTreeMap<u16, String>,
    /// Options of the members of a group, over those of the network.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<GroupLabel, DhcpOptions>,
    /// Options of a node, over those of its groups.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<Xname, DhcpOptions>,
    /// Addresses that no pool hands out, though no interface is known to have them: the head node's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<Ipv4Addr>,
}

impl DhcpSettings {
    /// The network that an address is in.
    #[must_use]
    pub fn network_of(&self, ip: Ipv4Addr) -> Option<&DhcpNetwork> {
        self.networks.iter().find(|network| network.subnet.contains(&ip))
    }

    /// True for a machine that is told apart from unknown ones by these settings, whatever the store holds.
    #[must_use]
    pub fn knows(&self, mac: MacAddr) -> bool {
        self.hosts.contains_key(&mac) || self.machines.contains_key(&mac)
    }

    /// The host name of a component: that of a node, or the xname of a controller.
    #[must_use]
    pub fn name_of(&self, id: &Xname, nid: Option<Nid>) -> Option<Arc<str>> {
        if id.is_node() { self.node_name(id, nid) } else { Some(id.clone().into()) }
    }

    /// The name of a node: its own, or the one that its number makes.
    #[must_use]
    pub fn node_name(&self, xname: &Xname, nid: Option<Nid>) -> Option<Arc<str>> {
        let numbered = |nid: Nid| format!("{}{:0width$}", self.short_name, nid.0, width = self.nid_length).into();
        self.names.get(xname).cloned().or_else(|| nid.map(numbered))
    }
}

/// A network as DHCP serves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpNetwork {
    /// The name by which the inventory calls it.
    pub name: Arc<str>,
    /// The addresses it has.
    pub subnet: Ipv4Net,
    /// Whether it is served, and how.
    #[serde(default)]
    pub mode: DhcpMode,
    /// First and last address for unknown machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<(Ipv4Addr, Ipv4Addr)>,
    /// What unknown machines are told.
    #[serde(default)]
    pub unknown: UnknownPolicy,
    /// How long they have their address, in seconds.
    pub unknown_lease: u32,
    /// What every machine on it is told.
    #[serde(default)]
    pub options: DhcpOptions,
}

/// How a network is served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DhcpMode {
    /// With addresses.
    #[default]
    Server,
    /// A site's own server gives the addresses; only what to boot is told (PXE 2.1, proxyDHCP).
    Proxy,
    /// Not at all.
    Off,
}

/// What a machine is told whose MAC address nobody knows; `reboot`, `shell`, `script:NAME` or `ignore`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum UnknownPolicy {
    /// To start over, so that it boots soon after it has become known.
    #[default]
    Reboot,
    /// To offer a shell of its loader.
    Shell,
    /// To run a script: a URL, or a file of the TFTP server.
    Script(String),
    /// Nothing: another server may answer it.
    Ignore,
}

impl UnknownPolicy {
    /// The boot file of an unknown machine's iPXE: a URL, or a file of the TFTP server. The machines that are ignored
    /// get no answer at all; one that is answered all the same starts over.
    #[must_use]
    pub fn boot_file(&self) -> &str {
        match self {
            Self::Reboot | Self::Ignore => "default",
            Self::Shell => "shell.ipxe",
            Self::Script(name) => name,
        }
    }
}

/// A text that is no policy for unknown machines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of `reboot`, `shell`, `script:NAME` and `ignore`")]
pub struct UnknownPolicyError(pub String);

impl std::str::FromStr for UnknownPolicy {
    type Err = UnknownPolicyError;

    fn from_str(text: &str) -> Result<Self, UnknownPolicyError> {
        let printable =
            |name: &str| !name.is_empty() && name.len() <= 128 && name.bytes().all(|b| b.is_ascii_graphic());
        match text {
            "reboot" => Ok(Self::Reboot),
            "shell" => Ok(Self::Shell),
            "ignore" => Ok(Self::Ignore),
            _ => match text.strip_prefix("script:").map(str::trim).filter(|name| printable(name)) {
                Some(name) => Ok(Self::Script(name.to_owned())),
                None => Err(UnknownPolicyError(text.to_owned())),
            },
        }
    }
}

impl TryFrom<String> for UnknownPolicy {
    type Error = UnknownPolicyError;

    fn try_from(text: String) -> Result<Self, UnknownPolicyError> {
        text.parse()
    }
}

impl From<UnknownPolicy> for String {
    fn from(policy: UnknownPolicy) -> Self {
        match policy {
            UnknownPolicy::Reboot => "reboot".into(),
            UnknownPolicy::Shell => "shell".into(),
            UnknownPolicy::Script(name) => format!("script:{name}"),
            UnknownPolicy::Ignore => "ignore".into(),
        }
    }
}

/// Options that a network, a group, a node or a host may set. What is not set is left to the next wider one; an empty
/// list sets that there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DhcpOptions {
    /// Routers, option 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub router: Option<Vec<Ipv4Addr>>,
    /// Name servers, option 6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<Vec<Ipv4Addr>>,
    /// Domain, option 15.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Domains to search, option 119 (RFC 3397).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<Vec<String>>,
    /// Time servers, option 42.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ntp: Option<Vec<Ipv4Addr>>,
    /// Interface MTU, option 26.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
    /// Lease of a known machine, in seconds, option 51.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<u32>,
    /// When it renews (T1), in seconds, option 58; half of the lease unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew: Option<u32>,
    /// When it asks every server (T2), in seconds, option 59; seven eighths of the lease unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebind: Option<u32>,
    /// Classless static routes, option 121 (RFC 3442).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<DhcpRoute>>,
    /// Root path, option 17; the TFTP server unless set, where OpenCHAMI's loaders look for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_path: Option<String>,
    /// The TFTP server, where it is not us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_server: Option<Ipv4Addr>,
    /// The boot file, whatever the client's architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot_file: Option<String>,
    /// Any other option, by its number.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<u8, Vec<u8>>,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpRoute {
    /// Where to.
    pub to: Ipv4Net,
    /// The next hop.
    pub via: Ipv4Addr,
}

/// A machine with a fixed address that is no node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpHost {
    /// Host name.
    pub name: Arc<str>,
    /// Its address.
    pub ip: Ipv4Addr,
    /// What it alone is told.
    #[serde(default)]
    pub options: DhcpOptions,
}

/// What DHCP needs of an interface of a node or its controller.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpMachine {
    /// Its addresses; which of them it is given depends on the network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<Ipv4Addr>,
    /// The component that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Xname>,
    /// The node's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nid: Option<Nid>,
    /// The groups of the component, in the order of their labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupLabel>,
}

/// An address that an unknown machine has, or that is not to be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpLease {
    /// The address, which identifies the lease.
    pub ip: Ipv4Addr,
    /// Who has it; none for one that a client found to be in use by somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<MacAddr>,
    /// Until when.
    pub expires: Timestamp,
}

/// A machine that asked for an address and whose MAC address nobody knows, or that has no address where it asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpUnknown {
    /// Its MAC address.
    pub mac: MacAddr,
    /// The network that it asked on.
    pub network: Arc<str>,
    /// The address that it was given last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Ipv4Addr>,
    /// What it says it is (option 60), as it sent it: not to be shown unescaped.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub vendor: Arc<str>,
    /// Its architecture (option 93).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<u16>,
    /// The relay that passed it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<Ipv4Addr>,
    /// The relay's own description of the port (option 82), in hexadecimal.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub circuit: Arc<str>,
    /// When it first asked.
    pub first_seen: Timestamp,
    /// When it last asked, to the minute.
    pub last_seen: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_called_by_its_own_name_or_by_its_number() {
        let own: Xname = "x1000c0s0b0n0".parse().unwrap();
        let settings = DhcpSettings {
            short_name: "nid".into(),
            nid_length: 3,
            names: BTreeMap::from([(own.clone(), "login1".into())]),
            ..DhcpSettings::default()
        };
        assert_eq!(settings.node_name(&own, Some(Nid(1))).as_deref(), Some("login1"));
        let other: Xname = "x1000c0s0b1n0".parse().unwrap();
        assert_eq!(settings.node_name(&other, Some(Nid(7))).as_deref(), Some("nid007"));
        assert_eq!(settings.node_name(&other, None), None);
    }

    #[test]
    fn a_policy_is_read_as_it_is_written_and_nothing_else() {
        for text in ["reboot", "shell", "ignore", "script:discover.ipxe"] {
            assert_eq!(String::from(text.parse::<UnknownPolicy>().unwrap()), text);
        }
        for text in ["", "Reboot", "script:", "script:a b", "script:\u{e9}"] {
            assert!(text.parse::<UnknownPolicy>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn settings_survive_their_canonical_form() {
        let options =
            DhcpOptions { mtu: Some(9000), other: BTreeMap::from([(43, vec![1, 2])]), ..DhcpOptions::default() };
        let host = DhcpHost { name: "switch".into(), ip: [172, 16, 0, 250].into(), options };
        let mac: MacAddr = "ec:e7:a7:05:a1:fc".parse().unwrap();
        let settings = DhcpSettings {
            hosts: BTreeMap::from([(mac, host)]),
            loaders: BTreeMap::from([(7, "ipxe.efi".into())]),
            ..DhcpSettings::default()
        };
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<DhcpSettings>(&text).unwrap(), settings);
    }
}
