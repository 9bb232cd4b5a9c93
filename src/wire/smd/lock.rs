//! `locks`: which components a request means, and what it wants of them; what came of it is in `answer`.

mod answer;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use answer::{LockFailure, LockResult, LockView, LocksView, ReservationResult, ReservedView};

use crate::model::Xname;
use crate::wire::json::AnyCase;

/// The longest that a service may reserve a component at once, in minutes.
const LONGEST: i64 = 15;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Neither `rigid` nor `flexible`.
    #[error("Invalid Processing Model")]
    Model,
    /// Longer than SMD allows.
    #[error("Invalid Reservation Duration")]
    Duration,
    /// A field is not what it has to be.
    #[error("{field} has to be {wanted}")]
    Field {
        /// The field.
        field: &'static str,
        /// What it takes.
        wanted: &'static str,
    },
    /// A key for something that is no component.
    #[error("got HMSTypeInvalid instead of valid type")]
    Xname,
}

/// Whether a request happens whole or not at all, or as far as it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessingModel {
    /// Whole or not at all.
    Rigid,
    /// As far as it can.
    Flexible,
}

impl ProcessingModel {
    fn read(text: &str) -> Result<Self, LockError> {
        match text.to_ascii_lowercase().as_str() {
            "" | "rigid" => Ok(Self::Rigid),
            "flexible" => Ok(Self::Flexible),
            _ => Err(LockError::Model),
        }
    }
}

/// The lists of a request, and the keys that mean the same in a query for components.
const FILTERS: &[(&str, &str)] = &[
    ("ComponentIDs", "id"),
    ("NID", "nid"),
    ("Type", "type"),
    ("State", "state"),
    ("Flag", "flag"),
    ("Enabled", "enabled"),
    ("SoftwareStatus", "softwarestatus"),
    ("Role", "role"),
    ("SubRole", "subrole"),
    ("Subtype", "subtype"),
    ("Arch", "arch"),
    ("Class", "class"),
    ("Group", "group"),
    ("Partition", "partition"),
    ("Locked", "locked"),
    ("ReservationDisabled", "reservation_disabled"),
];

/// A request that names components by any of their properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockBody {
    /// The components that are named, as they were written.
    pub ids: Vec<String>,
    /// All conditions, those of `ids` included, as pairs of a query for components.
    pub conditions: Vec<(String, String)>,
    /// The first value of `Reserved`, which says something in a query for the status and nothing elsewhere.
    reserved: Option<String>,
    /// What to do when it cannot be done to all of them.
    pub model: ProcessingModel,
    /// For how long to reserve, in minutes; zero where it is not said.
    pub minutes: i64,
}

impl LockBody {
    /// Reads the fields in any case, as Go does.
    ///
    /// # Errors
    ///
    /// [`LockError`] naming the field.
    pub fn read(map: &Map<String, Value>) -> Result<Self, LockError> {
        let mut conditions = Vec::new();
        for (field, key) in FILTERS {
            let values = list(map, field)?;
            conditions.extend(values.into_iter().map(|value| ((*key).to_owned(), value)));
        }
        let reserved = list(map, "Reserved")?.into_iter().next();
        let model = ProcessingModel::read(text(map, "ProcessingModel")?)?;
        Ok(Self { ids: list(map, "ComponentIDs")?, conditions, reserved, model, minutes: minutes(map)? })
    }

    /// Only those that are reserved, or only those that are not.
    ///
    /// # Errors
    ///
    /// [`LockError::Field`] for a value that is neither true nor false.
    pub fn reserved(&self) -> Result<Option<bool>, LockError> {
        self.reserved.as_deref().map(truth).transpose()
    }
}

fn field<'a>(map: &'a Map<String, Value>, name: &str) -> &'a Value {
    let same = |(key, _): &(&String, &Value)| key.eq_ignore_ascii_case(name);
    map.get(name).or_else(|| map.iter().find(same).map(|(_, value)| value)).unwrap_or(&Value::Null)
}

fn list(map: &Map<String, Value>, name: &'static str) -> Result<Vec<String>, LockError> {
    let wrong = || LockError::Field { field: name, wanted: "a list of texts" };
    match field(map, name) {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => {
            values.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

fn text<'a>(map: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, LockError> {
    match field(map, name) {
        Value::Null => Ok(""),
        Value::String(text) => Ok(text),
        _ => Err(LockError::Field { field: name, wanted: "a text" }),
    }
}

fn minutes(map: &Map<String, Value>) -> Result<i64, LockError> {
    const NAME: &str = "ReservationDuration";
    match field(map, NAME) {
        Value::Null => Ok(0),
        value => match value.as_i64() {
            Some(minutes) if minutes <= LONGEST => Ok(minutes),
            Some(_) => Err(LockError::Duration),
            None => Err(LockError::Field { field: NAME, wanted: "a whole number of minutes" }),
        },
    }
}

/// Reads true and false in the spellings that Go reads.
fn truth(text: &str) -> Result<bool, LockError> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(LockError::Field { field: "Reserved", wanted: "true or false" }),
    }
}

/// A request that names reservations by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysBody {
    /// The components and the keys of their reservations, in lower case; empty where a key is not said.
    pub keys: Vec<(Xname, String)>,
    /// What to do when it cannot be done to all of them.
    pub model: ProcessingModel,
    /// For how long to renew, in minutes; zero where it is not said.
    pub minutes: i64,
}

#[derive(Deserialize)]
struct KeyBody {
    #[serde(rename = "ID", default)]
    id: String,
    #[serde(rename = "Key", default)]
    key: String,
}

impl KeysBody {
    /// Reads the keys under `ReservationKeys` or `DeputyKeys`.
    ///
    /// # Errors
    ///
    /// [`LockError`] naming the field.
    pub fn read(map: &Map<String, Value>, name: &'static str) -> Result<Self, LockError> {
        let bodies: Option<Vec<KeyBody>> = Deserialize::deserialize(AnyCase(field(map, name)))
            .map_err(|_| LockError::Field { field: name, wanted: "a list of objects with `ID` and `Key`" })?;
        let read = |body: KeyBody| {
            let id = body.id.parse().map_err(|_| LockError::Xname)?;
            Ok((id, body.key.to_ascii_lowercase()))
        };
        let keys = bodies.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { keys, model: ProcessingModel::read(text(map, "ProcessingModel")?)?, minutes: minutes(map)? })
    }

    /// True where there is no key, or a component without one.
    #[must_use]
    pub fn lacks_a_key(&self) -> bool {
        self.keys.is_empty() || self.keys.iter().any(|(_, key)| key.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("an object is wanted") };
        map
    }

    #[test]
    fn a_request_becomes_conditions_on_components() {
        let body = json!({"componentids": ["x1"], "Subrole": ["Master"], "Reserved": ["true"],
            "ProcessingModel": "Flexible", "ReservationDuration": 15, "NID": null});
        let body = LockBody::read(&map(body)).unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(body.conditions, [pair("id", "x1"), pair("subrole", "Master")]);
        assert_eq!((body.reserved(), body.minutes), (Ok(Some(true)), 15));
        assert_eq!(body.ids, ["x1"]);
        assert_eq!(body.model, ProcessingModel::Flexible);
    }

    #[test]
    fn a_request_with_a_field_of_another_shape_is_refused() {
        for body in [
            json!({"ComponentIDs": "x1"}),
            json!({"NID": [1]}),
            json!({"ProcessingModel": "soft"}),
            json!({"ProcessingModel": 1}),
            json!({"ReservationDuration": 16}),
            json!({"ReservationDuration": 1.5}),
            json!({"Reserved": "true"}),
        ] {
            assert!(LockBody::read(&map(body.clone())).is_err(), "{body}");
        }
        for keys in [json!("x"), json!([{"ID": "foo", "Key": "k"}]), json!([{"Key": "k"}])] {
            assert!(KeysBody::read(&map(json!({"DeputyKeys": keys.clone()})), "DeputyKeys").is_err(), "{keys}");
        }
    }

    #[test]
    fn what_is_neither_true_nor_false_is_refused_only_where_it_is_asked() {
        let body = |reserved: Value| LockBody::read(&map(json!({"Reserved": reserved}))).unwrap();
        assert_eq!(body(json!([])).reserved(), Ok(None));
        assert_eq!(body(json!(["F", "maybe"])).reserved(), Ok(Some(false)));
        assert!(body(json!(["maybe"])).reserved().is_err());
    }

    #[test]
    fn a_missing_key_is_told() {
        let lacks = |keys: Value| {
            KeysBody::read(&map(json!({"ReservationKeys": keys})), "ReservationKeys").unwrap().lacks_a_key()
        };
        assert!(lacks(json!([])) && lacks(json!([{"ID": "x1", "Key": "k"}, {"ID": "x2"}])));
        assert!(!lacks(json!([{"ID": "x1", "Key": "k"}])));
    }

    #[test]
    fn a_key_is_read_in_any_case() {
        let body = map(json!({"DeputyKeys": [{"id": "X1", "key": "X1:DK:A"}]}));
        let keys = KeysBody::read(&body, "DeputyKeys").unwrap().keys;
        assert_eq!(keys, [("x1".parse().unwrap(), "x1:dk:a".to_owned())]);
    }
}
