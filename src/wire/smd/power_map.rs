//! `sysinfo/powermaps`.

use serde::{Deserialize, Serialize};

use super::FieldError;
use super::field::xname;
use crate::model::{PowerMap, Xname};

/// A power map as SMD shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PowerMapView<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    powered_by: Vec<&'a str>,
}

impl<'a> From<&'a PowerMap> for PowerMapView<'a> {
    fn from(map: &'a PowerMap) -> Self {
        Self { id: map.id.as_str(), powered_by: map.powered_by.iter().map(Xname::as_str).collect() }
    }
}

/// A power map as a client sends it, or SMD shows it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PowerMapBody {
    /// The xname of what is fed.
    pub id: Option<String>,
    /// Xnames of what feeds it, one at least.
    #[serde(rename = "poweredBy")]
    pub powered_by: Option<Vec<String>>,
}

impl TryFrom<PowerMapBody> for PowerMap {
    type Error = FieldError;

    fn try_from(body: PowerMapBody) -> Result<Self, FieldError> {
        let supplies = body.powered_by.unwrap_or_default();
        if supplies.is_empty() {
            return Err(FieldError::Missing("poweredBy"));
        }
        Ok(Self {
            id: xname(body.id.as_deref().unwrap_or_default())?,
            powered_by: supplies.iter().map(|id| xname(id)).collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PowerMap, FieldError> {
        serde_json::from_str::<PowerMapBody>(text).unwrap().try_into()
    }

    #[test]
    fn a_power_map_survives_its_wire_form_in_the_order_given() {
        let text = r#"{"id":"x1c0s0b0n0","poweredBy":["x1m0p0v2","x1m0p0v1"]}"#;
        assert_eq!(serde_json::to_string(&PowerMapView::from(&read(text).unwrap())).unwrap(), text);
    }

    #[test]
    fn a_map_names_what_is_fed_and_what_feeds_it() {
        for text in [
            r#"{"id":"x1"}"#,
            r#"{"id":"x1","poweredBy":[]}"#,
            r#"{"poweredBy":["x1m0"]}"#,
            r#"{"id":"foo","poweredBy":["x1m0"]}"#,
            r#"{"id":"x1","poweredBy":["foo"]}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
