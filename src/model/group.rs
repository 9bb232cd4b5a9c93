//! Groups of components.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use imbl::OrdSet;
use serde::{Deserialize, Serialize};

use super::Xname;

/// A group's label: lower case, of `a-z 0-9 . _ : -`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct GroupLabel(Arc<str>);

/// A text that cannot be a group label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("group or partition field has invalid characters")]
pub struct GroupLabelError;

impl GroupLabel {
    /// The label's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupLabel {
    type Err = GroupLabelError;

    /// Lower-cases as SMD does.
    fn from_str(text: &str) -> Result<Self, GroupLabelError> {
        let label = text.to_ascii_lowercase();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b':' | b'-');
        if label.is_empty() || !label.bytes().all(allowed) {
            return Err(GroupLabelError);
        }
        Ok(Self(label.into()))
    }
}

impl TryFrom<Arc<str>> for GroupLabel {
    type Error = GroupLabelError;

    fn try_from(text: Arc<str>) -> Result<Self, GroupLabelError> {
        text.parse()
    }
}

impl From<GroupLabel> for Arc<str> {
    fn from(label: GroupLabel) -> Self {
        label.0
    }
}

impl fmt::Display for GroupLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for GroupLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A named set of components. Follows SMD `groups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The name.
    pub label: GroupLabel,
    /// Free text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find the group by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// A component may be a member of only one group with the same word here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive_group: Option<GroupLabel>,
    /// The members; adding one costs O(log n), whatever the size.
    #[serde(default, skip_serializing_if = "OrdSet::is_empty")]
    pub members: OrdSet<Xname>,
}
