//! The kinds of object that an inventory can own, and how one object of them is named.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{BootKey, EntryName, GroupLabel, MacAddr, Xname};

/// The identifier of the one set of cluster defaults.
pub const CLUSTER: &str = "cluster";

/// The kinds of object, in the order in which they are written; deletes run the other way round.
///
/// The order is the promise that a node never boots a new kernel before its configuration exists: boot parameters
/// come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// SMD component.
    Component,
    /// SMD Redfish endpoint.
    RedfishEndpoint,
    /// SMD component endpoint.
    ComponentEndpoint,
    /// SMD Ethernet interface.
    EthernetInterface,
    /// SMD group.
    Group,
    /// cloud-init entry of the open store.
    CloudInit,
    /// cloud-init entry of the secure store.
    CloudInitSecure,
    /// What today's cloud-init server tells every node; there is one of it, named [`CLUSTER`].
    ClusterDefaults,
    /// What today's cloud-init server tells the members of a group.
    CloudInitGroup,
    /// What today's cloud-init server tells one node.
    InstanceInfo,
    /// BSS boot parameters of one key.
    BootParams,
}

impl Kind {
    /// Every kind, in writing order.
    pub const ALL: [Self; 11] = [
        Self::Component,
        Self::RedfishEndpoint,
        Self::ComponentEndpoint,
        Self::EthernetInterface,
        Self::Group,
        Self::CloudInit,
        Self::CloudInitSecure,
        Self::ClusterDefaults,
        Self::CloudInitGroup,
        Self::InstanceInfo,
        Self::BootParams,
    ];

    /// The kind's name in database rows, plans and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::RedfishEndpoint => "redfish-endpoint",
            Self::ComponentEndpoint => "component-endpoint",
            Self::EthernetInterface => "ethernet-interface",
            Self::Group => "group",
            Self::CloudInit => "cloud-init",
            Self::CloudInitSecure => "cloud-init-secure",
            Self::ClusterDefaults => "cluster-defaults",
            Self::CloudInitGroup => "cloud-init-group",
            Self::InstanceInfo => "instance-info",
            Self::BootParams => "boot-params",
        }
    }

    /// True when the content must be encrypted at rest and never shown.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Self::CloudInitSecure)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A kind is not one of ours: a newer version wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of object `{0}`")]
pub struct UnknownKind(pub String);

impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|k| k.as_str() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

impl Kind {
    /// The field that holds the identifier in the canonical form; boot parameters and the one
    /// set of defaults have theirs outside.
    pub(super) fn id_field(self) -> Option<&'static str> {
        match self {
            Self::Component | Self::RedfishEndpoint | Self::ComponentEndpoint | Self::InstanceInfo => Some("id"),
            Self::EthernetInterface => Some("mac"),
            Self::Group => Some("label"),
            Self::CloudInit | Self::CloudInitSecure | Self::CloudInitGroup => Some("name"),
            Self::ClusterDefaults | Self::BootParams => None,
        }
    }
}

/// A kind and the identifier within it, in canonical text: xname, MAC address with colons, label, boot key or name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    /// What it is.
    pub kind: Kind,
    /// Which one it is.
    pub id: Arc<str>,
}

impl ObjectKey {
    /// Joins the two. The identifier has to be in canonical form.
    pub fn new(kind: Kind, id: impl Into<Arc<str>>) -> Self {
        Self { kind, id: id.into() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// The identifier as shared text; names that are shared text already are not copied.
trait Identify {
    fn text(&self) -> Arc<str>;
}

macro_rules! identify {
    ($($id:ty: $how:expr),+ $(,)?) => { $(impl Identify for $id { fn text(&self) -> Arc<str> { ($how)(self) } })+ };
}

identify! {
    Xname: |id: &Xname| id.clone().into(),
    GroupLabel: |id: &GroupLabel| id.clone().into(),
    EntryName: |id: &EntryName| id.clone().into(),
    MacAddr: |id: &MacAddr| id.to_string().into(),
    BootKey: |id: &BootKey| id.to_string().into(),
}

macro_rules! key_of {
    ($($name:ident($id:ty) = $kind:ident),+ $(,)?) => {
        impl ObjectKey {
            $(
                #[doc = concat!("The key of a ", stringify!($kind), ".")]
                #[must_use]
                pub fn $name(id: &$id) -> Self {
                    Self { kind: Kind::$kind, id: Identify::text(id) }
                }
            )+
        }
    };
}

key_of! {
    component(Xname) = Component,
    redfish_endpoint(Xname) = RedfishEndpoint,
    component_endpoint(Xname) = ComponentEndpoint,
    ethernet_interface(MacAddr) = EthernetInterface,
    group(GroupLabel) = Group,
    cloud_init(EntryName) = CloudInit,
    cloud_init_secure(EntryName) = CloudInitSecure,
    cloud_init_group(EntryName) = CloudInitGroup,
    instance_info(Xname) = InstanceInfo,
    boot_params(BootKey) = BootParams,
}
