//! Components: what SMD knows about one piece of hardware.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Xname, XnameType};

/// A node identifier, the number that names a node to schedulers. Zero is a number like any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nid(pub u64);

impl Nid {
    /// The greatest NID, which is what SMD's database column holds.
    pub const MAX: Self = Self(i64::MAX as u64);
}

impl fmt::Display for Nid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A word that is none of the values an SMD field takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} '{text}' is invalid")]
pub struct ValueError {
    /// The field, in SMD's spelling of its messages: `state`, `role`, `subRole`, …
    pub field: &'static str,
    /// The word.
    pub text: String,
}

macro_rules! smd_values {
    ($(#[$doc:meta])* $name:ident, $field:literal: $($variant:ident = $text:literal $(| $alias:literal)?),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the variants carry SMD's own words, which are their documentation")]
        pub enum $name { $(#[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in the order SMD lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as SMD writes it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = ValueError;

            /// Reads the word, or the other word that SMD takes for it, in any case.
            fn from_str(text: &str) -> Result<Self, ValueError> {
                $($(if text.eq_ignore_ascii_case($alias) {
                    return Ok(Self::$variant);
                })?)+
                Self::ALL.iter().copied().find(|v| v.as_str().eq_ignore_ascii_case(text))
                    .ok_or_else(|| ValueError { field: $field, text: text.to_owned() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

smd_values! {
    /// What state the hardware is in. The inventory never owns it.
    State, "state": Unknown = "Unknown", Empty = "Empty", Populated = "Populated", Off = "Off", On = "On",
    Standby = "Standby", Halt = "Halt", Ready = "Ready"
}
smd_values! {
    /// A remark on the state. The inventory never owns it.
    Flag, "flag": Unknown = "Unknown", Ok = "OK", Warning = "Warning" | "WARN", Alert = "Alert", Locked = "Locked"
}
smd_values! {
    /// What a node is for.
    Role, "role": Compute = "Compute", Service = "Service", System = "System", Application = "Application",
    Storage = "Storage", Management = "Management"
}
smd_values! {
    /// What a node is for, within its role.
    SubRole, "subRole": Master = "Master", Worker = "Worker", Storage = "Storage"
}
smd_values! {
    /// The high-speed network a node is on.
    NetType, "netType": Sling = "Sling", Infiniband = "Infiniband", Ethernet = "Ethernet", Oem = "OEM", None = "None"
}
smd_values! {
    /// The processor architecture.
    Arch, "arch": X86 = "X86", Arm = "ARM", Unknown = "UNKNOWN", Other = "Other"
}
smd_values! {
    /// The hardware class of the cabinet.
    Class, "class": River = "River", Mountain = "Mountain", Hill = "Hill"
}

/// One SMD component: a node, a BMC or any other thing with an xname. Its type is told by the xname.
///
/// Follows SMD `State/Components`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// The location, SMD's `ID`.
    pub id: Xname,
    /// Absent for a component that was never given one (SMD leaves it out for BMCs from discovery).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Absent as `state` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<Flag>,
    /// Whether the component is in use.
    pub enabled: bool,
    /// What the operating system reports, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_status: Option<String>,
    /// What the node is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Within the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_role: Option<SubRole>,
    /// The node's number. SMD lets two nodes have the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nid: Option<Nid>,
    /// A vendor's refinement of the type, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// The high-speed network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_type: Option<NetType>,
    /// The processor architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<Arch>,
    /// The hardware class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Set by an administrator: nobody may reserve the component.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reservation_disabled: bool,
    /// Set by an administrator: firmware actions are refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
}

impl Component {
    /// A component with nothing but its name, enabled: what SMD's Redfish discovery makes of a BMC.
    #[must_use]
    pub fn bare(id: Xname) -> Self {
        Self {
            id,
            state: None,
            flag: None,
            enabled: true,
            software_status: None,
            role: None,
            sub_role: None,
            nid: None,
            subtype: None,
            net_type: None,
            arch: None,
            class: None,
            reservation_disabled: false,
            locked: false,
        }
    }

    /// The type that the xname tells.
    #[must_use]
    pub fn kind(&self) -> XnameType {
        self.id.kind()
    }
}
