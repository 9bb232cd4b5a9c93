//! What the inventory says for DHCP, once every check has passed. Plain data, beside [`super::types`].

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::model::{DhcpMode, DhcpOptions, GroupLabel, MacAddr, UnknownPolicy, Xname};

/// How a network is served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkDhcp {
    /// `dhcp`: with addresses, beside a site's own server, or not at all.
    pub mode: DhcpMode,
    /// `unknown`: what machines are told that are not in the inventory.
    pub unknown: UnknownPolicy,
    /// `unknown_lease`, in seconds.
    pub unknown_lease: u32,
    /// What every machine on it is told.
    pub options: DhcpOptions,
}

/// What concerns no single network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dhcp {
    /// `hosts`: machines with fixed addresses that are no nodes.
    pub hosts: Vec<Host>,
    /// `dhcp.boot_script_url`: what precedes `?mac=…` in the URL of a boot script, where others hand it out.
    pub boot_script_url: Option<String>,
    /// `dhcp.loaders`: the loader's file by client architecture.
    pub loaders: BTreeMap<u16, String>,
    /// `dhcp.groups`: options of the members of a group.
    pub groups: BTreeMap<GroupLabel, DhcpOptions>,
    /// `dhcp.nodes`: options of single nodes.
    pub nodes: BTreeMap<Xname, DhcpOptions>,
}

/// A machine that is no node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Host name.
    pub name: Arc<str>,
    /// Hardware address.
    pub mac: MacAddr,
    /// Its address.
    pub ip: Ipv4Addr,
    /// What it alone is told.
    pub options: DhcpOptions,
}
