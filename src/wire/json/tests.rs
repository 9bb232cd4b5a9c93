use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Outer {
    #[serde(rename = "ID")]
    id: Option<String>,
    #[serde(rename = "NID")]
    nid: Option<i64>,
    inner: Option<Vec<Inner>>,
    by_name: BTreeMap<String, Inner>,
    tree: Value,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Inner {
    #[serde(rename = "Word")]
    word: String,
    wrapped: Wrapped,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Wrapped((u8, Option<Box<Leaf>>));

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Leaf {
    leaf: u8,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(remote = "Self")]
struct Flattened {
    #[serde(flatten)]
    part: Leaf,
    others: Option<Vec<Leaf>>,
}

fields! { Flattened: "leaf" "others" }

fn read(text: &str) -> Outer {
    from_slice(text.as_bytes()).unwrap()
}

fn id(text: &str) -> Option<String> {
    read(text).id
}

#[test]
fn fields_are_found_in_any_capitals_however_deep_they_are() {
    let text = r#"{"Id":"x","nID":7,"INNER":[{"word":"a","WRAPPED":[1,{"LEAF":2}]},{"Word":"b"}],
        "by_name":{"Key":{"WORD":"c"}}}"#;
    let inner = |word: &str| Inner { word: word.to_owned(), ..Inner::default() };
    let deep = Inner { wrapped: Wrapped((1, Some(Box::new(Leaf { leaf: 2 })))), ..inner("a") };
    let wanted = Outer {
        id: Some("x".to_owned()),
        nid: Some(7),
        inner: Some(vec![deep, inner("b")]),
        by_name: BTreeMap::from([("Key".to_owned(), inner("c"))]),
        tree: Value::Null,
    };
    assert_eq!(read(text), wanted);
    let exact = text.replace(r#""Id""#, r#""ID""#).replace("nID", "NID").replace("INNER", "inner");
    let exact = exact.replace("WRAPPED", "wrapped").replace("LEAF", "leaf").replace("WORD", "Word");
    assert_eq!(read(&exact.replace("word", "Word")), wanted);
}

#[test]
fn the_field_s_own_name_counts_wherever_it_stands_and_else_the_last_spelling() {
    for text in [r#"{"ID":"own","id":"x"}"#, r#"{"id":"x","ID":"own"}"#, r#"{"Id":1,"ID":"own","id":[]}"#] {
        assert_eq!(id(text).as_deref(), Some("own"), "{text}");
    }
    assert_eq!(id(r#"{"Id":"first","id":"last","NID":1}"#).as_deref(), Some("last"));
    assert_eq!(id(r#"{"id":"a","nid":1,"Id":"b","iD":"last"}"#).as_deref(), Some("last"));
    assert_eq!(id(r#"{"\u0069D":"escaped"}"#).as_deref(), Some("escaped"));
    assert!(from_slice::<Outer>(br#"{"ID":"a","ID":"b"}"#).unwrap_err().to_string().contains("duplicate field `ID`"));
}

#[test]
fn what_is_no_field_is_passed_over_and_names_in_trees_and_maps_are_data() {
    let read = read(r#"{"zip":{"ID":1},"ID":"x","tree":{"ID":1,"id":2},"by_name":{"A":{},"a":{}}}"#);
    assert_eq!((read.id.as_deref(), &read.tree), (Some("x"), &json!({"ID": 1, "id": 2})));
    assert_eq!(read.by_name.into_keys().collect::<Vec<_>>(), ["A", "a"]);
    let raw: BTreeMap<String, Box<RawValue>> = from_slice(br#"{"A":{"b" : 1}}"#).unwrap();
    assert_eq!(raw["A"].get(), r#"{"b" : 1}"#);
}

#[test]
fn a_flattened_part_is_found_in_any_capitals() {
    let wanted = Flattened { part: Leaf { leaf: 1 }, others: Some(vec![Leaf { leaf: 2 }]) };
    assert_eq!(from_slice::<Flattened>(br#"{"Leaf":1,"OTHERS":[{"LEAF":2}]}"#).unwrap(), wanted);
    assert_eq!(serde_json::from_str::<Flattened>(r#"{"leaf":1,"others":[{"leaf":2}]}"#).unwrap(), wanted);
}

#[test]
fn wrong_types_lists_for_objects_and_broken_texts_are_errors() {
    for text in [
        r#"{"id":1}"#,
        r#"{"ID":1}"#,
        r#"{"Inner":[["word"]]}"#,
        r#"["x",7]"#,
        "null",
        "{",
        "",
        r#"{"ID":"x"} x"#,
        r#"{"ID":"x"}{}"#,
        r#"{"id":}"#,
        r#"{"ID"}"#,
    ] {
        assert!(from_slice::<Outer>(text.as_bytes()).is_err(), "{text}");
    }
    assert!(from_slice::<Flattened>(b"[1]").is_err());
    assert_eq!(from_slice::<Option<Outer>>(b"null").unwrap(), None);
    assert_eq!(from_slice::<Vec<Leaf>>(br#"[{"LEAF":1}]"#).unwrap(), [Leaf { leaf: 1 }]);
}
