//! The hosts of boot parameters that are no single node.

use crate::model::{BootKey, Role};

/// A name under which parameters are kept for many nodes, as BSS's storages other than SQL take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedHost {
    /// Every node without parameters of its own.
    Default,
    /// What BSS tells every node beside its own; no boot script is made of it.
    Global,
    /// The nodes of a role without parameters of their own.
    Role(Role),
    /// Machines of this architecture, as iPXE names it, that have nothing to boot.
    Unknown(String),
}

const UNKNOWN: &str = "Unknown-";

impl SharedHost {
    /// The one of that name, none for any other text. Roles are read in any case.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let is_plain = |arch: &&str| {
            (1..=32).contains(&arch.len())
                && arch.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        };
        match text {
            "Default" => Some(Self::Default),
            "Global" => Some(Self::Global),
            text => match text.strip_prefix(UNKNOWN).filter(is_plain) {
                Some(arch) => Some(Self::Unknown(arch.to_owned())),
                None => text.parse().ok().map(Self::Role),
            },
        }
    }

    /// The key that its parameters are stored under.
    #[must_use]
    pub fn key(&self) -> BootKey {
        BootKey::Host(match self {
            Self::Default => "Default".into(),
            Self::Global => "Global".into(),
            Self::Role(role) => role.as_str().into(),
            Self::Unknown(arch) => format!("{UNKNOWN}{arch}").into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_for_many_nodes_are_known_and_no_others() {
        for (text, key) in [
            ("Default", "host:Default"),
            ("Global", "host:Global"),
            ("Storage", "host:Storage"),
            ("compute", "host:Compute"),
            ("Unknown-x86_64", "host:Unknown-x86_64"),
        ] {
            assert_eq!(SharedHost::named(text).unwrap().key().to_string(), key);
        }
        for text in ["", "default", "nid1", "x1000c1s7b0n0", "Unknown-", "Unknown-a b", "Unknown-../x"] {
            assert_eq!(SharedHost::named(text), None, "{text}");
        }
    }
}
