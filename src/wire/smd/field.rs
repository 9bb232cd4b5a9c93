//! Checks of single fields, shared by every shape.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::model::component::ValueError;
use crate::model::group::GroupLabelError;
use crate::model::partition::PartitionNameError;
use crate::model::{MacAddr, MacAddrError, Xname};

/// A text that has to be one and means nothing here. It is forgotten as soon as it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread;

impl<'de> Deserialize<'de> for Unread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Unread;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Unread, E> {
                Ok(Unread)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Why a field's content cannot be what the field means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A field that has to be there is not, or is empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Not an xname.
    #[error("xname ID '{0}' is invalid")]
    Xname(String),
    /// A word that the field does not take.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Not a node identifier.
    #[error("NID '{0}' is not a whole number from 0 to 9223372036854775807")]
    Nid(String),
    /// Not a MAC address.
    #[error("MAC address '{text}' is invalid: {cause}")]
    Mac {
        /// The text.
        text: String,
        /// What is wrong with it.
        cause: MacAddrError,
    },
    /// Not an IP address.
    #[error("IP address '{0}' is invalid")]
    Ip(String),
    /// Not a moment.
    #[error("Argument was not in a valid RFC3339 time format")]
    Time(String),
    /// Not a group label.
    #[error(transparent)]
    Label(#[from] GroupLabelError),
    /// Not a partition's name.
    #[error(transparent)]
    Partition(#[from] PartitionNameError),
    /// Not the xname of a node.
    #[error("xname ID '{0}' is invalid or not a node")]
    Node(String),
    /// A word that a field of a node map does not take.
    #[error("{field} '{word}' is not valid.")]
    MappedWord {
        /// The field.
        field: &'static str,
        /// The word.
        word: String,
    },
    /// Not a number that a node map gives.
    #[error("NID '{0}' is out of range")]
    MappedNid(i64),
}

/// A text that says something: SMD writes and reads an empty text where it means none.
pub(super) fn said(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// One of SMD's words; none where the field is absent or empty.
pub(super) fn word<T: FromStr<Err = ValueError>>(text: Option<&str>) -> Result<Option<T>, FieldError> {
    said(text).map(|text| text.parse().map_err(FieldError::from)).transpose()
}

pub(super) fn xname(text: &str) -> Result<Xname, FieldError> {
    text.parse().map_err(|_| FieldError::Xname(text.to_owned()))
}

pub(super) fn mac(text: &str) -> Result<MacAddr, FieldError> {
    text.parse().map_err(|cause| FieldError::Mac { text: text.to_owned(), cause })
}

pub(super) fn ip(text: &str) -> Result<IpAddr, FieldError> {
    text.parse().map_err(|_| FieldError::Ip(text.to_owned()))
}
