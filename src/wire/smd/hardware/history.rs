//! The history of places and parts.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::model::{HardwareEvent, HardwareEventKind};
use crate::wire::smd::interface::format_time;

/// A line of history as SMD shows it.
#[derive(Debug)]
pub struct HardwareEventView<'a>(pub &'a HardwareEvent);

impl Serialize for HardwareEventView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = self.0;
        let mut object = serializer.serialize_struct("HardwareEvent", 4)?;
        object.serialize_field("ID", event.location.as_str())?;
        object.serialize_field("FRUID", &*event.fru)?;
        object.serialize_field("Timestamp", &format_time(event.at))?;
        object.serialize_field("EventType", &event.event)?;
        object.end()
    }
}

/// The history of one place or part.
#[derive(Debug, Serialize)]
pub struct HistoryView<'a> {
    /// The place's xname or the part's identifier.
    #[serde(rename = "ID")]
    pub id: &'a str,
    /// The oldest line first.
    #[serde(rename = "History")]
    pub history: Vec<HardwareEventView<'a>>,
}

/// Reads the word for an event, in any case.
#[must_use]
pub fn read_event_kind(text: &str) -> Option<HardwareEventKind> {
    match text.to_ascii_lowercase().as_str() {
        "added" => Some(HardwareEventKind::Added),
        "removed" => Some(HardwareEventKind::Removed),
        "scanned" => Some(HardwareEventKind::Scanned),
        "detected" => Some(HardwareEventKind::Detected),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_words_are_read_in_any_case() {
        assert_eq!(read_event_kind("dETECTED"), Some(HardwareEventKind::Detected));
        assert_eq!(read_event_kind("moved"), None);
    }
}
