//! Boot parameters: the kernel, the initrd and the kernel command line of a node.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{MacAddr, Nid};

/// What boot parameters are stored under. BSS knows three kinds; the boot script request tells which one it asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BootKey {
    /// The MAC address of a boot interface, `mac:ec:e7:a7:05:a1:fc`.
    Mac(MacAddr),
    /// A host: an xname, or a special name such as `Default`; `host:x1000c1s7b0n0`.
    Host(Arc<str>),
    /// A node's number, `nid:1`.
    Nid(Nid),
}

impl BootKey {
    /// What the site's script for machines that have nothing to boot is stored under: a host of a name that BSS gives no
    /// meaning to.
    #[must_use]
    pub fn unknown() -> Self {
        Self::Host("Unknown".into())
    }
}

/// A text that is no boot key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a boot key: `mac:…`, `host:…` or `nid:…`")]
pub struct BootKeyError(pub String);

impl fmt::Display for BootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac(mac) => write!(f, "mac:{mac}"),
            Self::Host(host) => write!(f, "host:{host}"),
            Self::Nid(nid) => write!(f, "nid:{nid}"),
        }
    }
}

impl FromStr for BootKey {
    type Err = BootKeyError;

    fn from_str(text: &str) -> Result<Self, BootKeyError> {
        let error = || BootKeyError(text.to_owned());
        match text.split_once(':').ok_or_else(error)? {
            ("mac", mac) => mac.parse().map(Self::Mac).map_err(|_| error()),
            ("host", host) if !host.is_empty() => Ok(Self::Host(host.into())),
            ("nid", nid) => nid.parse().map(|nid| Self::Nid(Nid(nid))).map_err(|_| error()),
            _ => Err(error()),
        }
    }
}

impl TryFrom<String> for BootKey {
    type Error = BootKeyError;

    fn try_from(text: String) -> Result<Self, BootKeyError> {
        text.parse()
    }
}

impl From<BootKey> for String {
    fn from(key: BootKey) -> Self {
        key.to_string()
    }
}

/// What a node boots. Follows BSS `bootparameters`, which knows no templates; nodes that boot the same thing share one
/// value in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BootConfig {
    /// URL of the kernel.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub kernel: Arc<str>,
    /// URL of the initrd; empty means none.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub initrd: Arc<str>,
    /// The kernel command line.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub params: Arc<str>,
    /// The name of the template that its boot script is made of, `boot` for the site's own; empty for the script that BSS
    /// sends.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub template: Arc<str>,
    /// That template itself.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub script: Arc<str>,
}
