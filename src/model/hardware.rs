//! The hardware inventory: what sits where, which part it is, and what was seen when.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Details, Timestamp, Xname};

/// A place that can hold a part. Follows SMD `Inventory/Hardware`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardwareLocation {
    /// The place.
    pub id: Xname,
    /// The number of the place among its like in the same enclosure.
    #[serde(default)]
    pub ordinal: u64,
    /// SMD's word for what is there: `Populated` or `Empty`.
    pub status: String,
    /// What Redfish tells of the place, a mapping.
    #[serde(default, skip_serializing_if = "Details::is_null")]
    pub info: Details,
    /// The part that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fru: Option<Arc<str>>,
}

/// A field-replaceable unit, wherever it is. Follows SMD `Inventory/HardwareByFRU`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardwareFru {
    /// The part's identifier, made of its type, maker, part number and serial number.
    pub id: Arc<str>,
    /// SMD's name of the type, `Processor` for one.
    #[serde(rename = "type")]
    pub kind: String,
    /// A vendor's refinement of the type.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subtype: String,
    /// What Redfish tells of the part, a mapping.
    #[serde(default, skip_serializing_if = "Details::is_null")]
    pub info: Details,
}

/// What happened to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum HardwareEventKind {
    /// It was put there.
    Added,
    /// It was taken away.
    Removed,
    /// It was found there by an inventory scan.
    Scanned,
    /// It was found there at a power-on.
    Detected,
}

/// One line of the history of parts and places. Follows SMD `Inventory/Hardware/History`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HardwareEvent {
    /// The number of the line among those of its place, counted up from 1.
    pub number: u64,
    /// Where it happened.
    pub location: Xname,
    /// To which part.
    pub fru: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: HardwareEventKind,
}
