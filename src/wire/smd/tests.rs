//! Every list that was recorded of a real SMD is read, and written again as it was.

use serde_json::{Value, json};

use super::*;

/// The answers of that collection in all recorded sessions, with a real time where the recording has a wildcard.
fn recorded(collection: &str) -> Vec<String> {
    let folder = format!("{}/tests/fixtures/contract", env!("CARGO_MANIFEST_DIR"));
    let mut answers = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let exchange: Value = serde_json::from_str(line).unwrap();
            let partial = exchange["query"].as_str().is_some_and(|query| query.contains("only="));
            let wanted = exchange["method"] == "GET"
                && exchange["status"] == 200
                && exchange["path"].as_str() == Some(&format!("/hsm/v2/{collection}"));
            if wanted && !partial {
                let text = exchange["json"].to_string();
                answers.push(text.replace(r#""LastUpdate":"*""#, r#""LastUpdate":"2026-01-02T03:04:05.000006Z""#));
            }
        }
    }
    assert!(answers.len() > 5, "{collection}: only {} answers", answers.len());
    answers
}

/// Reads every answer and writes it again. Answers the rows that could not be read; `blank` is what we do not keep.
fn check<T, V: serde::Serialize>(
    collection: &str,
    key: Option<&str>,
    read: impl Fn(&[u8]) -> Result<Vec<Row<T>>, ListError>,
    view: impl Fn(T) -> V,
    blank: impl Fn(&mut Value),
) -> Vec<String> {
    let mut unread = Vec::new();
    for answer in recorded(collection) {
        let list: Value = serde_json::from_str(&answer).unwrap();
        let rows = key.map_or(&list, |key| &list[key]).as_array().unwrap();
        for (row, mut was) in read(answer.as_bytes()).unwrap().into_iter().zip(rows.clone()) {
            blank(&mut was);
            match row {
                Ok(noun) => assert_eq!(serde_json::to_value(view(noun)).unwrap(), was),
                Err(error) => unread.push(error.id),
            }
        }
    }
    unread.dedup();
    unread
}

#[test]
fn recorded_components_survive() {
    let view = |component| serde_json::to_value(ComponentView::new(&component, Shown::All)).unwrap();
    let unread = check("State/Components", Some("Components"), read_components, view, |_| ());
    assert_eq!(unread, Vec::<String>::new());
}

#[test]
fn recorded_interfaces_survive_but_for_nonsense() {
    let view = |interface| serde_json::to_value(InterfaceView(&interface)).unwrap();
    let mut unread = check("Inventory/EthernetInterfaces", None, read_interfaces, view, |_| ());
    unread.sort();
    // Rows that SMD stored with addresses that are none.
    assert_eq!(unread, ["ece7a705a1fc", "ece7a705b004", "nonsens0"]);
}

#[test]
fn recorded_redfish_endpoints_survive_but_for_passwords() {
    let view = |endpoint| serde_json::to_value(RedfishEndpointView::from(&endpoint)).unwrap();
    let blank = |row: &mut Value| row["Password"] = json!("");
    let list = "Inventory/RedfishEndpoints";
    let unread = check(list, Some("RedfishEndpoints"), read_redfish_endpoints, view, blank);
    assert_eq!(unread, Vec::<String>::new());
}

#[test]
fn recorded_component_endpoints_survive() {
    let view = |endpoint| serde_json::to_value(ComponentEndpointView(&endpoint)).unwrap();
    let list = "Inventory/ComponentEndpoints";
    let unread = check(list, Some("ComponentEndpoints"), read_component_endpoints, view, |_| ());
    assert_eq!(unread, Vec::<String>::new());
}

#[test]
fn recorded_groups_survive() {
    let sort = |row: &mut Value| {
        // SMD promises no order of members.
        if let Some(ids) = row["members"]["ids"].as_array_mut() {
            ids.sort_by_key(Value::to_string);
        }
    };
    let view = |group| serde_json::to_value(GroupView::from(&group)).unwrap();
    assert_eq!(check("groups", None, read_groups, view, sort), Vec::<String>::new());
}
