//! `State/Components/Query` and `State/Components/ByNID/Query`: filters in a body.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::wire::json::fields;

/// Body of both. Filters are read with [`ComponentQueryBody::filters`].
#[derive(Debug, Default, Deserialize)]
#[serde(remote = "Self")]
pub struct ComponentQueryBody {
    /// Xnames of the components under which to search.
    #[serde(rename = "ComponentIDs")]
    pub component_ids: Option<Vec<String>>,
    /// Numbers, `7`, and ranges of numbers, `7-9`.
    #[serde(rename = "NIDRanges")]
    pub nid_ranges: Option<Vec<String>>,
    /// Show `State` and `Flag` only.
    #[serde(rename = "stateonly")]
    pub state_only: Option<bool>,
    /// Show `Flag` only.
    #[serde(rename = "flagonly")]
    pub flag_only: Option<bool>,
    /// Show `Role` and `SubRole` only.
    #[serde(rename = "roleonly")]
    pub role_only: Option<bool>,
    /// Show `NID` only.
    #[serde(rename = "nidonly")]
    pub nid_only: Option<bool>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

fields! { ComponentQueryBody: "ComponentIDs" "NIDRanges" "stateonly" "flagonly" "roleonly" "nidonly" }

/// A filter that is no list of texts, or is there twice in different spellings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one list of texts")]
pub struct NotTextsError(pub String);

impl ComponentQueryBody {
    /// The filters of these names with each of their values. Names are read in any case, other fields are ignored.
    ///
    /// # Errors
    ///
    /// [`NotTextsError`] with the first filter that is no list of texts, or comes again.
    pub fn filters(&self, names: &[&'static str]) -> Result<Vec<(&'static str, &str)>, NotTextsError> {
        let (mut filters, mut seen) = (Vec::new(), BTreeSet::new());
        for (key, value) in &self.others {
            let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(key)) else { continue };
            let wrong = || NotTextsError(key.clone());
            if !seen.insert(*name) {
                return Err(wrong());
            }
            match value {
                Value::Null => {}
                Value::Array(values) => {
                    for value in values {
                        filters.push((*name, value.as_str().ok_or_else(wrong)?));
                    }
                }
                _ => return Err(wrong()),
            }
        }
        Ok(filters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ComponentQueryBody {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn filters_are_lists_of_texts_in_any_spelling_of_their_names() {
        let body = read(r#"{"ComponentIDs":["x1"],"Type":["node","!x"],"state":null,"zip":7,"stateonly":true}"#);
        assert_eq!(body.filters(&["type", "state"]).unwrap(), [("type", "node"), ("type", "!x")]);
        assert_eq!((body.component_ids.unwrap().len(), body.state_only), (1, Some(true)));
    }

    #[test]
    fn a_filter_of_another_shape_is_named() {
        for text in [r#"{"type":"node"}"#, r#"{"type":[7]}"#, r#"{"type":{}}"#, r#"{"Type":[],"type":[]}"#] {
            assert_eq!(read(text).filters(&["type"]), Err(NotTextsError("type".to_owned())), "{text}");
        }
    }
}
