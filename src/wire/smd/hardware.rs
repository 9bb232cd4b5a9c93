//! `Inventory/Hardware` and `Inventory/HardwareByFRU`: places, the parts in them, and the history of both.
//!
//! SMD shows what Redfish tells of a place or a part under a key that depends on its type (`NodeLocationInfo`,
//! `ProcessorFRUInfo`), always with the same fields. They are brought into that form when they are written.

mod class;
mod history;
mod shape;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

pub use history::{HardwareEventView, HistoryView, read_event_kind};

use crate::model::{HardwareFru, HardwareLocation, Xname, XnameType};

/// Why an entry of the hardware inventory is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HardwareError {
    /// No xname, or none that can be one.
    #[error("ID is empty or not a valid xname")]
    Xname,
    /// There is no inventory of that type.
    #[error("HMSType value not supported for this operation")]
    Unsupported,
    /// The entry does not say which part is there.
    #[error("PopulatedFRU must be populated")]
    NoFru,
    /// The details of the place are missing.
    #[error("Component location info is empty")]
    NoLocation,
    /// The details of the part are missing.
    #[error("FRU info is empty")]
    NoFruInfo,
    /// A value that its field does not take.
    #[error("{field} has to be {wanted}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it takes.
        wanted: &'static str,
    },
}

/// Reads the body of `POST Inventory/Hardware`; a body without entries has none.
///
/// # Errors
///
/// [`HardwareError`] naming what is wrong with the first entry that is wrong.
pub fn read_hardware(mut body: Map<String, Value>) -> Result<Vec<(HardwareLocation, HardwareFru)>, HardwareError> {
    let wrong = HardwareError::Field { field: "Hardware", wanted: "a list of objects" };
    match shape::take(&mut body, "Hardware") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(entries)) => {
            let read = |entry| if let Value::Object(entry) = entry { read_entry(entry) } else { Err(wrong.clone()) };
            entries.into_iter().map(read).collect()
        }
        Some(_) => Err(wrong),
    }
}

/// Reads one entry: a place, and the part in it with the identifier that SMD makes of maker, part number and serial
/// number. What SMD derives itself (type, ordinal, status) is not read.
fn read_entry(mut entry: Map<String, Value>) -> Result<(HardwareLocation, HardwareFru), HardwareError> {
    let id = text(&mut entry, "ID")?;
    for unread in ["Type", "Status", "HWInventoryByLocationType"] {
        text(&mut entry, unread)?;
    }
    let id: Xname = id.parse().map_err(|_| HardwareError::Xname)?;
    let Some(Value::Object(mut fru)) = shape::take(&mut entry, "PopulatedFRU") else {
        return Err(HardwareError::NoFru);
    };
    for unread in ["Type", "HWInventoryByFRUType"] {
        text(&mut fru, unread)?;
    }
    let class = class::class(id.kind()).ok_or(HardwareError::Unsupported)?;
    let details = |map: &mut Map<String, Value>, key: &str, fields, missing| match shape::take(map, key) {
        Some(Value::Object(details)) => shape::fill(details, fields),
        _ => Err(missing),
    };
    let key = format!("{}LocationInfo", class.name);
    let place = details(&mut entry, &key, class.location, HardwareError::NoLocation)?;
    let part = details(&mut fru, &format!("{}FRUInfo", class.name), class.fru, HardwareError::NoFruInfo)?;
    let given = text(&mut fru, "FRUID")?;
    let fru = HardwareFru {
        id: fru_id(&id, &given, &part).into(),
        kind: id.kind().as_str().to_owned(),
        subtype: text(&mut fru, "Subtype")?,
        info: part.into(),
    };
    let location = HardwareLocation {
        ordinal: ordinal(&id),
        status: "Populated".to_owned(),
        info: place.into(),
        fru: Some(fru.id.clone()),
        id,
    };
    Ok((location, fru))
}

/// The text of that key; an absent one is empty.
fn text(map: &mut Map<String, Value>, key: &'static str) -> Result<String, HardwareError> {
    match shape::take(map, key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(HardwareError::Field { field: key, wanted: "a text" }),
    }
}

/// The number at the end of an xname.
fn ordinal(id: &Xname) -> u64 {
    let digits = id.as_str().rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().unwrap_or_default()
}

/// The longest identifier that is made of what is known of a part.
const LONGEST_FRU_ID: usize = 255;

/// What SMD calls a part: type, maker, part number and serial number, letters and digits only. A part that says too
/// little of itself cannot be followed and is called after its place.
fn fru_id(place: &Xname, given: &str, part: &Value) -> String {
    let clean = |key: &str| -> String {
        part[key].as_str().unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect()
    };
    let (maker, number) = match place.kind() {
        // Nothing in the details of an outlet tells it from another; discovery gives it a name after its PDU.
        XnameType::CabinetPduOutlet | XnameType::CabinetPduPowerConnector if !given.is_empty() => {
            return given.to_owned();
        }
        XnameType::NodeAccelRiser => (clean("Producer"), clean("PartNumber")),
        XnameType::CmmRectifier | XnameType::NodeEnclosurePowerSupply => (clean("Manufacturer"), String::new()),
        _ => (clean("Manufacturer"), clean("PartNumber")),
    };
    let serial = clean("SerialNumber");
    let is_nameless = maker.is_empty() && number.is_empty();
    let known = !serial.is_empty() && !is_nameless;
    let parts = [place.kind().as_str(), &maker, &number, &serial];
    let id = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    if known && id.len() <= LONGEST_FRU_ID { id } else { format!("FRUIDfor{place}") }
}

/// A part as SMD shows it.
#[derive(Debug)]
pub struct FruView<'a>(pub &'a HardwareFru);

impl Serialize for FruView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fru = self.0;
        let name = fru.kind.parse().ok().and_then(class::class).map_or("", |class| class.name);
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("FRUID", &*fru.id)?;
        object.serialize_entry("Type", &fru.kind)?;
        object.serialize_entry("Subtype", &fru.subtype)?;
        object.serialize_entry("HWInventoryByFRUType", &format!("HWInvByFRU{name}"))?;
        object.serialize_entry(&format!("{name}FRUInfo"), &fru.info)?;
        object.end()
    }
}

/// A place as SMD shows it, with the part in it and, where they are nested, the places within it.
#[derive(Debug)]
pub struct HardwareView<'a> {
    /// The place.
    pub location: &'a HardwareLocation,
    /// The part in it.
    pub fru: Option<&'a HardwareFru>,
    /// The places within it that are shown within it.
    pub within: Vec<HardwareView<'a>>,
}

impl Serialize for HardwareView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let location = self.location;
        let name = class::class(location.id.kind()).map_or("", |class| class.name);
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("ID", location.id.as_str())?;
        object.serialize_entry("Type", location.id.kind().as_str())?;
        object.serialize_entry("Ordinal", &location.ordinal)?;
        object.serialize_entry("Status", &location.status)?;
        object.serialize_entry("HWInventoryByLocationType", &format!("HWInvByLoc{name}"))?;
        object.serialize_entry(&format!("{name}LocationInfo"), &location.info)?;
        if let Some(fru) = self.fru {
            object.serialize_entry("PopulatedFRU", &FruView(fru))?;
        }
        serialize_by_type(&self.within, &mut object)?;
        object.end()
    }
}

/// A list for each type that there is, in the order of the types' first places.
fn serialize_by_type<M: SerializeMap>(places: &[HardwareView<'_>], object: &mut M) -> Result<(), M::Error> {
    let plural = |view: &HardwareView<'_>| class::class(view.location.id.kind()).map(|class| class.plural);
    let mut written: Vec<&str> = Vec::new();
    for key in places.iter().filter_map(plural) {
        if !written.contains(&key) {
            written.push(key);
            let same: Vec<_> = places.iter().filter(|view| plural(view) == Some(key)).collect();
            object.serialize_entry(key, &same)?;
        }
    }
    Ok(())
}

/// Answer of `GET Inventory/Hardware/Query/{xname}`.
#[derive(Debug)]
pub struct SystemView<'a> {
    /// What was asked for, as it was asked.
    pub xname: &'a str,
    /// `NestNodesOnly` or `FullyFlat`.
    pub format: &'a str,
    /// The places, which are listed by type.
    pub places: Vec<HardwareView<'a>>,
}

impl Serialize for SystemView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("XName", self.xname)?;
        object.serialize_entry("Format", self.format)?;
        serialize_by_type(&self.places, &mut object)?;
        object.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(entry: Value) -> Result<(HardwareLocation, HardwareFru), HardwareError> {
        let Value::Object(map) = entry else { panic!("an object is wanted") };
        read_entry(map)
    }

    #[test]
    fn a_part_is_named_after_what_it_says_of_itself_or_after_its_place() {
        let id = |place: &str, key: &str, info: Value| {
            let class = class::class(place.parse::<Xname>().unwrap().kind()).unwrap().name;
            let entry =
                json!({"ID": place, format!("{class}LocationInfo"): {}, "PopulatedFRU": {key: info, "FRUID": "given"}});
            read(entry).unwrap().1.id.to_string()
        };
        let part = json!({"Manufacturer": "A B & Co.", "PartNumber": "P-1", "SerialNumber": "S 1"});
        assert_eq!(id("x1c0s0b0n0", "NodeFRUInfo", part.clone()), "Node.ABCo.P1.S1");
        assert_eq!(id("x1c0t0", "CMMRectifierFRUInfo", part), "CMMRectifier.ABCo.S1");
        assert_eq!(id("x1c0s0b0n0", "NodeFRUInfo", json!({"PartNumber": "1", "SerialNumber": "2"})), "Node.1.2");
        assert_eq!(
            id("x1c0s0b0n0r1", "NodeAccelRiserFRUInfo", json!({"Producer": "P", "SerialNumber": "2"})),
            "NodeAccelRiser.P.2"
        );
        for little in [
            json!({"SerialNumber": "2"}),
            json!({"Manufacturer": "A"}),
            json!({"Manufacturer": "A", "SerialNumber": "..."}),
        ] {
            assert_eq!(id("x1c0s0b0n0", "NodeFRUInfo", little), "FRUIDforx1c0s0b0n0");
        }
        let long = json!({"Manufacturer": "a".repeat(300), "SerialNumber": "2"});
        assert_eq!(id("x1c0s0b0n0", "NodeFRUInfo", long), "FRUIDforx1c0s0b0n0");
        assert_eq!(id("x1m0p0v1", "OutletFRUInfo", json!({})), "given");
    }

    #[test]
    fn a_place_and_its_part_are_shown_as_smd_shows_them() {
        let entry = json!({"id": "X1c0s0b0n0d05", "MemoryLocationInfo": {"Id": "dimm"}, "PopulatedFRU":
            {"Subtype": "fast", "MemoryFRUInfo": {"PartNumber": "pn", "SerialNumber": "abc"}}});
        let (location, fru) = read(entry).unwrap();
        let view = HardwareView { location: &location, fru: Some(&fru), within: Vec::new() };
        assert_eq!(
            serde_json::to_value(&view).unwrap(),
            json!({"ID": "x1c0s0b0n0d5", "Type": "Memory", "Ordinal": 5, "Status": "Populated",
                "HWInventoryByLocationType": "HWInvByLocMemory", "MemoryLocationInfo": {"Id": "dimm", "Name": "",
                "Description": "", "MemoryLocation": {"Socket": 0, "MemoryController": 0, "Channel": 0, "Slot": 0}},
                "PopulatedFRU": {"FRUID": "Memory.pn.abc", "Type": "Memory", "Subtype": "fast",
                "HWInventoryByFRUType": "HWInvByFRUMemory", "MemoryFRUInfo": {"CapacityMiB": 0,
                "OperatingSpeedMhz": 0, "PartNumber": "pn", "SerialNumber": "abc"}}})
        );
    }

    #[test]
    fn an_entry_that_lacks_something_is_refused_and_told_what() {
        let fault = |entry| read(entry).unwrap_err().to_string();
        assert_eq!(fault(json!({"ID": "foo"})), "ID is empty or not a valid xname");
        assert_eq!(fault(json!({})), "ID is empty or not a valid xname");
        assert_eq!(fault(json!({"ID": "x1c0s0b0n0"})), "PopulatedFRU must be populated");
        assert_eq!(fault(json!({"ID": "x1c0s0b0n0", "PopulatedFRU": {}})), "Component location info is empty");
        let without = json!({"ID": "x1c0s0b0n0", "NodeLocationInfo": {}, "PopulatedFRU": {"ProcessorFRUInfo": {}}});
        assert_eq!(fault(without), "FRU info is empty");
        let nic = json!({"ID": "x1c0s0b0n0i0", "PopulatedFRU": {}});
        assert_eq!(fault(nic), "HMSType value not supported for this operation");
    }

    #[test]
    fn a_body_is_a_list_of_entries_or_has_none() {
        let read = |body: Value| read_hardware(body.as_object().unwrap().clone());
        assert_eq!(read(json!({})), Ok(Vec::new()));
        assert_eq!(read(json!({"hardware": null})), Ok(Vec::new()));
        for body in [json!({"Hardware": "x"}), json!({"Hardware": [1]}), json!({"Hardware": [{}]})] {
            assert!(read(body.clone()).is_err(), "{body}");
        }
    }
}
