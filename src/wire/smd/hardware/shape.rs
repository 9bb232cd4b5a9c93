//! Details of Redfish in a fixed shape: which fields SMD keeps, and what it shows for those that are not given.

use serde_json::{Map, Number, Value};

use super::HardwareError;

/// One field of a shape. SMD shows the plain ones always, the `…IfSet` ones only where they say something.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    Text(&'static str),
    TextIfSet(&'static str),
    Number(&'static str),
    NumberIfSet(&'static str),
    Truth(&'static str),
    /// Passed on as it came.
    Any(&'static str),
    AnyIfSet(&'static str),
    Object(&'static str, &'static [Field]),
    ObjectIfSet(&'static str, &'static [Field]),
}

/// The entry of that key, read in any case as Go does.
pub(super) fn take(map: &mut Map<String, Value>, key: &str) -> Option<Value> {
    let exact = map.remove(key);
    exact.or_else(|| {
        let same = map.keys().find(|other| other.eq_ignore_ascii_case(key)).cloned()?;
        map.remove(&same)
    })
}

/// The details with every field that SMD shows and no other.
///
/// # Errors
///
/// [`HardwareError::Field`] for a value that its field does not take.
pub(super) fn fill(mut given: Map<String, Value>, fields: &[Field]) -> Result<Value, HardwareError> {
    let mut full = Map::new();
    for field in fields {
        let (key, value) = one(&mut given, field)?;
        if let Some(value) = value {
            full.insert(key.to_owned(), value);
        }
    }
    Ok(Value::Object(full))
}

fn one(given: &mut Map<String, Value>, field: &Field) -> Result<(&'static str, Option<Value>), HardwareError> {
    let (Field::Text(key)
    | Field::TextIfSet(key)
    | Field::Number(key)
    | Field::NumberIfSet(key)
    | Field::Truth(key)
    | Field::Any(key)
    | Field::AnyIfSet(key)
    | Field::Object(key, _)
    | Field::ObjectIfSet(key, _)) = *field;
    let value = take(given, key).filter(|value| !value.is_null());
    let wrong = |wanted| HardwareError::Field { field: key, wanted };
    let shown = match (*field, value) {
        (Field::Text(_), None) => Some(Value::String(String::new())),
        (Field::Text(_), Some(text @ Value::String(_))) => Some(text),
        (Field::TextIfSet(_), Some(text @ Value::String(_))) => Some(text).filter(|text| text != ""),
        (Field::Text(_) | Field::TextIfSet(_), Some(_)) => return Err(wrong("a text")),
        (Field::Number(_), None) => Some(Value::from(0)),
        (Field::Number(_) | Field::NumberIfSet(_), Some(value)) => {
            Some(number(value).ok_or_else(|| wrong("a number"))?)
        }
        (Field::Truth(_), None) => Some(Value::Bool(false)),
        (Field::Truth(_), Some(truth @ Value::Bool(_))) => Some(truth),
        (Field::Truth(_), Some(_)) => return Err(wrong("true or false")),
        (Field::Any(_), value) => Some(value.unwrap_or_default()),
        (Field::Object(_, inner), None) => Some(fill(Map::new(), inner)?),
        (Field::Object(_, inner) | Field::ObjectIfSet(_, inner), Some(Value::Object(map))) => Some(fill(map, inner)?),
        (Field::Object(..) | Field::ObjectIfSet(..), Some(_)) => return Err(wrong("an object")),
        (Field::AnyIfSet(_), value) => value,
        (Field::TextIfSet(_) | Field::NumberIfSet(_) | Field::ObjectIfSet(..), None) => None,
    };
    Ok((key, shown))
}

/// A number, or a text that is one, as Go's JSON reader takes them.
fn number(value: Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value),
        Value::String(text) => text.parse::<Number>().ok().map(Value::Number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::class::class;
    use super::*;
    use crate::model::XnameType;

    fn filled(kind: XnameType, given: Value) -> Result<Value, HardwareError> {
        let Value::Object(map) = given else { panic!("an object is wanted") };
        fill(map, class(kind).unwrap().fru)
    }

    #[test]
    fn what_is_not_given_is_shown_as_smd_shows_it_and_what_is_not_known_is_dropped() {
        let given = json!({"SerialNumber": "abc", "capacitymib": "16384", "Colour": "red", "RankCount": 2});
        let shown = json!({"CapacityMiB": 16384, "OperatingSpeedMhz": 0, "RankCount": 2, "SerialNumber": "abc"});
        assert_eq!(filled(XnameType::Memory, given).unwrap(), shown);
        let processor = filled(XnameType::Processor, json!({"Model": null})).unwrap();
        assert_eq!(processor["ProcessorId"]["Step"], "");
        assert_eq!((&processor["Oem"], &processor["Model"]), (&Value::Null, &json!("")));
        let outlet = filled(XnameType::CabinetPduPowerConnector, json!({"PowerEnabled": false})).unwrap();
        assert_eq!(outlet, json!({"OutletType": "", "PowerEnabled": false}));
    }

    #[test]
    fn the_sensors_of_an_outlet_have_the_fields_that_smd_shows() {
        let sensor = json!({"reading": "7.5", "ReadingUnits": "kW.h", "Colour": "red", "Status": {"State": "Enabled"}});
        let shown = json!({"DataSourceUri": "", "Name": "", "Reading": 7.5, "ReadingUnits": "kW.h",
            "Status": {"Health": "", "State": "Enabled"}});
        let outlet =
            filled(XnameType::CabinetPduOutlet, json!({"energysensor": sensor, "FrequencySensor": {}})).unwrap();
        assert_eq!(outlet["EnergySensor"], shown);
        assert_eq!(outlet["FrequencySensor"], json!({"DataSourceUri": "", "Name": "", "Status": {"Health": ""}}));
    }

    #[test]
    fn a_value_that_its_field_does_not_take_is_refused() {
        for (kind, given) in [
            (XnameType::Memory, json!({"SerialNumber": 7})),
            (XnameType::Memory, json!({"CapacityMiB": "much"})),
            (XnameType::Processor, json!({"ProcessorId": "x"})),
            (XnameType::Drive, json!({"FailurePredicted": "no"})),
            (XnameType::CabinetPduOutlet, json!({"EnergySensor": 7})),
            (XnameType::CabinetPduOutlet, json!({"EnergySensor": {"Reading": "much"}})),
        ] {
            assert!(filled(kind, given.clone()).is_err(), "{given}");
        }
    }
}
