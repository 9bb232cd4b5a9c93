//! A JSON tree that is passed on as it came, kept as text.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON tree, `null` by default. As text it takes a tenth of the memory that a [`Value`] does, which a table of
/// 100,000 entries that nobody looks into is worth. Equal trees made from [`Value`]s have equal texts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Details(Option<Arc<str>>);

impl Details {
    /// True for `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0.is_none()
    }

    /// The tree.
    #[must_use]
    pub fn tree(&self) -> Value {
        self.0.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

impl From<Value> for Details {
    fn from(tree: Value) -> Self {
        Self((!tree.is_null()).then(|| tree.to_string().into()))
    }
}

impl Serialize for Details {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: Option<&RawValue> =
            self.0.as_deref().map(serde_json::from_str).transpose().map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Details {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self((raw.get() != "null").then(|| raw.get().into())))
    }
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("null"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_survives_as_text_and_in_texts() {
        let tree = json!({"b": [1, "é\n"], "a": {"c": null}});
        let details = Details::from(tree.clone());
        assert_eq!(details.tree(), tree);
        let text = serde_json::to_string(&details).unwrap();
        assert_eq!(serde_json::from_str::<Details>(&text).unwrap(), details);
        assert_eq!(serde_json::to_value(&details).unwrap(), tree);
        assert_eq!(serde_json::from_value::<Details>(tree).unwrap(), details);
    }

    #[test]
    fn null_is_nothing() {
        assert!(Details::from(Value::Null).is_null());
        assert!(serde_json::from_str::<Details>("null").unwrap().is_null());
        assert_eq!(serde_json::to_string(&Details::default()).unwrap(), "null");
    }
}
