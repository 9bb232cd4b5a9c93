//! Partitions: SMD's other kind of set of components, of which a component is in one at most.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use imbl::OrdSet;
use serde::{Deserialize, Serialize};

use super::Xname;

/// A partition's name, `p1` or `p1.2`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct PartitionName(Arc<str>);

/// A text that cannot name a partition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Bad partition name. Must be p# or p#.#")]
pub struct PartitionNameError;

impl PartitionName {
    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PartitionName {
    type Err = PartitionNameError;

    /// Lower-cases as SMD does.
    fn from_str(text: &str) -> Result<Self, PartitionNameError> {
        let name = text.to_ascii_lowercase();
        let number = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let sound = name.strip_prefix('p').is_some_and(|numbers| match numbers.split_once('.') {
            None => number(numbers),
            Some((hard, soft)) => number(hard) && number(soft),
        });
        if sound && name.len() <= 32 { Ok(Self(name.into())) } else { Err(PartitionNameError) }
    }
}

impl TryFrom<Arc<str>> for PartitionName {
    type Error = PartitionNameError;

    fn try_from(text: Arc<str>) -> Result<Self, PartitionNameError> {
        text.parse()
    }
}

impl From<PartitionName> for Arc<str> {
    fn from(name: PartitionName) -> Self {
        name.0
    }
}

impl fmt::Display for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A part of the machine. Follows SMD `partitions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// The identifier.
    pub name: PartitionName,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find the partition by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The members, each of which is in no other partition.
    #[serde(default, skip_serializing_if = "OrdSet::is_empty")]
    pub members: OrdSet<Xname>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_p_and_numbers() {
        for (text, name) in [("p1", "p1"), ("P10.2", "p10.2")] {
            assert_eq!(text.parse::<PartitionName>().unwrap().as_str(), name);
        }
        for text in ["", "p", "p1.", "p.1", "1", "p1.2.3", "px", "part1"] {
            assert!(text.parse::<PartitionName>().is_err(), "{text}");
        }
    }
}
