//! The owned fields of a document, and when two values of a field are the same.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The top-level fields of a canonical document, borrowed from its text. Nothing below the top level is built, which
/// is what makes comparing 80,000 objects cheap.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    /// Reads a document; none when it is no JSON object with plain names.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The JSON text of a field.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// Names and JSON texts, in the document's order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().copied()
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(10);
                while let Some((name, value)) = map.next_entry::<&'de str, &'de RawValue>()? {
                    fields.push((name, value.get()));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

/// True when both say the same. What is empty says the same as what is absent, because canonical forms leave empty
/// fields out.
pub(super) fn same(a: Option<&str>, b: Option<&str>) -> bool {
    match (a.filter(|text| !is_empty(text)), b.filter(|text| !is_empty(text))) {
        (None, None) => true,
        (Some(a), Some(b)) => a == b || (!is_plain(a) && value(a) == value(b)),
        _ => false,
    }
}

fn is_empty(text: &str) -> bool {
    matches!(text, "null" | "\"\"" | "[]" | "{}" | "false")
}

/// True for JSON texts that are equal only when they are the same text: canonical writing leaves one way to write
/// words and whole numbers.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A field's text as a tree; `null` where it is none.
pub(super) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// True when everything that `part` says is also in `whole`: mappings may have more keys, lists hold the same number
/// of elements in any order.
pub(super) fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(key, part)| whole.get(key).map_or_else(|| contains(&Value::Null, part), |w| contains(w, part))),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && part.iter().all(|part| whole.iter().any(|whole| contains(whole, part)))
        }
        (Value::Null, Value::Array(part)) => part.is_empty(),
        (whole, part) => whole == part,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_empty_is_the_same_as_what_is_absent() {
        for empty in ["null", "\"\"", "[]", "{}", "false"] {
            assert!(same(Some(empty), None), "{empty}");
            assert!(!same(Some(empty), Some("1")), "{empty}");
        }
        assert!(!same(Some("0"), None), "zero is a number like any other");
    }

    #[test]
    fn values_are_compared_by_what_they_say() {
        assert!(same(Some(r#"{"a":1,"b":2}"#), Some(r#"{"b":2,"a":1}"#)));
        assert!(same(Some(r#""\u0061""#), Some(r#""a""#)));
        assert!(!same(Some(r#"["a","b"]"#), Some(r#"["b","a"]"#)), "the order of a list counts");
    }

    #[test]
    fn a_tree_contains_its_parts_in_any_order() {
        let live = json!({"Name": "nid001", "Actions": {}, "Nics": [{"mac": "b", "id": ""}, {"mac": "a", "id": ""}]});
        assert!(contains(&live, &json!({"Name": "nid001", "Nics": [{"mac": "a"}, {"mac": "b"}]})));
        assert!(!contains(&live, &json!({"Nics": [{"mac": "a"}]})), "a card more is a difference");
        assert!(!contains(&live, &json!({"Name": "nid002"})));
        assert!(contains(&Value::Null, &json!([])));
        assert!(!contains(&json!({}), &json!({"Name": "nid001"})));
    }

    #[test]
    fn a_document_that_is_no_object_has_no_fields() {
        assert!(Fields::parse("[1]").is_none());
        assert!(Fields::parse("{").is_none());
        let fields = Fields::parse(r#"{"enabled":true,"nid":1}"#).unwrap();
        assert_eq!(fields.get("nid"), Some("1"));
        assert_eq!(fields.get("role"), None);
        assert_eq!(fields.iter().count(), 2);
    }
}
