//! The rules themselves: what agrees, what differs, what is excused.

use serde_json::{Value, json};

use super::{Field, differences, excused, same_difference};
use crate::replay::exchange::Exchange;
use crate::replay::http::Answer;

/// An exchange with a recorded answer, 200 and JSON unless the fields say otherwise.
fn exchange(fields: &Value) -> Exchange {
    let mut whole =
        json!({"name": "n", "service": "smd", "method": "GET", "path": "/", "status": 200, "type": "application/json"});
    whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut exchange: Exchange = serde_json::from_value(whole).unwrap();
    exchange.json = fields.get("json").cloned();
    exchange
}

fn answer(status: u16, kind: &str, body: &str) -> Answer {
    let media_type = Some(kind.to_owned()).filter(|kind| !kind.is_empty());
    Answer { status, media_type, location: Some("/a".to_owned()), body: body.to_owned() }
}

fn differing(fields: &Value, answer: &Answer) -> Vec<Field> {
    differences(&exchange(fields), answer).into_iter().map(|one| one.field).collect()
}

fn agrees(fields: &Value, kind: &str, body: &str) -> bool {
    differing(fields, &answer(200, kind, body)).is_empty()
}

#[test]
fn each_part_of_an_answer_counts_and_another_status_stands_alone() {
    let recorded = json!({"json": {"a": 1}, "location": "/a"});
    assert_eq!(differing(&recorded, &answer(200, "application/json", "{\"a\":1}\n")), []);
    assert_eq!(differing(&recorded, &answer(201, "text/plain", "")), [Field::Status]);
    assert_eq!(differing(&recorded, &answer(200, "text/plain", "{\"a\":1}")), [Field::Type]);
    assert_eq!(
        differing(&json!({"json": {"a": 1}, "location": "/b"}), &answer(200, "application/json", "{\"a\":2}")),
        [Field::Location, Field::Body]
    );
    assert_eq!(
        differing(&json!({"json": {"a": 1}, "location": "*"}), &answer(200, "application/json", "{\"a\":1}")),
        []
    );
}

#[test]
fn json_agrees_by_value_with_wildcards_for_values_and_within_texts() {
    for (recorded, body, expected) in [
        (json!({"a": "*"}), "{\"a\":[1]}", true),
        (json!({"a": "i-*/x"}), "{\"a\":\"i-3a/x\"}", true),
        (json!({"a": "i-*"}), "{\"a\":\"i-3 b\"}", false),
        (json!({"a": 1}), "{\"a\":1.0}", true),
        (json!({"a": 1}), "{\"a\":true}", false),
        (json!({"a": 1}), "{\"a\":1,\"b\":2}", false),
        (json!({"a": 1, "b": 2}), "{\"a\":1}", false),
        (json!([1, 2]), "[2,1]", false),
        (json!(null), "null", true),
        (json!(null), "", false),
    ] {
        assert_eq!(agrees(&json!({"json": recorded}), "application/json", body), expected, "{recorded} {body}");
    }
}

#[test]
fn order_repeats_and_keys_are_forgiven_only_where_the_recording_says_so() {
    for (extra, body, expected) in [
        (json!({"unordered": true}), "[2,1]", true),
        (json!({"unordered": true}), "[2,1,1]", false),
        (json!({"unordered": "unique"}), "[2,1,1]", true),
        (json!({"unordered": "unique"}), "[2,3]", false),
    ] {
        let mut fields = json!({"json": [1, 2]});
        fields.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert_eq!(agrees(&fields, "application/json", body), expected, "{fields} {body}");
    }
    let ignoring = json!({"json": {"a": 1, "Password": "x"}, "ignore": ["Password"]});
    assert!(agrees(&ignoring, "application/json", "{\"a\":1}"));
    assert!(!agrees(&ignoring, "application/json", "{\"a\":2}"));
    assert!(agrees(&json!({"json": {"a": 1}, "any_type": true}), "text/plain", "{\"a\":1}"));
}

#[test]
fn boot_parameters_agree_however_nodes_share_their_entries() {
    let fields = json!({"path": "/boot/v1/bootparameters", "json": [{"macs": ["a", "b"], "kernel": "k"}]});
    assert!(agrees(&fields, "application/json", r#"[{"macs":["b"],"kernel":"k"},{"macs":["a"],"kernel":"k"}]"#));
    assert!(!agrees(&fields, "application/json", r#"[{"macs":["b"],"kernel":"k"},{"macs":["a"],"kernel":"l"}]"#));
    assert!(!agrees(&fields, "application/json", r#"[{"macs":["a"],"kernel":"k"}]"#));
}

#[test]
fn white_space_in_texts_does_not_count_and_words_do() {
    let fields = json!({"type": "text/plain", "text": "#!ipxe\nsleep 10\nchain u&ts=*\n\n"});
    assert!(agrees(&fields, "text/plain", "#!ipxe\n\nsleep   10\nchain u&ts=17"));
    assert!(!agrees(&fields, "text/plain", "#!ipxe\nsleep 11\nchain u&ts=17"));
    assert!(!agrees(&fields, "text/plain", "#!ipxe\nsleep 10"));
    let any = json!({"type": "text/plain", "text": "*"});
    assert!(agrees(&any, "text/plain", "no token found"));
    assert!(!agrees(&any, "text/plain", ""));
    let shuffled = json!({"type": "text/plain", "text": "#include\na\nb", "unordered": true});
    assert!(agrees(&shuffled, "text/plain", "#include\nb\na"));
}

#[test]
fn yaml_is_compared_as_data_and_its_first_comment_as_text() {
    let fields = json!({"type": "text/yaml", "text": "#cloud-config\na:\n- b\n- 'c'\nd: {}\n"});
    assert!(agrees(&fields, "text/yaml", "#cloud-config\n\"d\": {}\na: [b, c]\n"));
    assert!(!agrees(&fields, "text/yaml", "#cloud-config\na: [c, b]\nd: {}\n"));
    assert!(!agrees(&fields, "text/yaml", "# cloud-config\na: [b, c]\nd: {}\n"));
    assert!(!agrees(&fields, "text/yaml", "#cloud-config\na: [b, c\n"));
}

#[test]
fn the_wording_of_a_problem_does_not_count() {
    let fields = json!({"status": 400, "type": "application/problem+json", "json": {"detail": "*", "status": 400}});
    let problem = |body| answer(400, "application/problem+json", body);
    assert_eq!(differing(&fields, &problem(r#"{"detail":"bad","status":400}"#)), []);
    assert_eq!(differing(&fields, &problem(r#"{"status":400}"#)), [Field::Body]);
}

#[test]
fn a_defect_excuses_other_answers_below_500_and_only_the_accepted_ones() {
    let excuse = |fields: Value, status| excused(&exchange(&fields), &answer(status, "", ""));
    assert!(
        excuse(json!({"defect": "d"}), 400)
            && excuse(json!({"defect": "d"}), 200)
            && excuse(json!({"unsafe": true}), 404)
    );
    assert!(!excuse(json!({"defect": "d"}), 500) && !excuse(json!({"defect": "d"}), 0) && !excuse(json!({}), 400));
    assert!(
        excuse(json!({"defect": "d", "accept": [404]}), 404) && !excuse(json!({"defect": "d", "accept": [404]}), 400)
    );
    assert!(
        !excuse(json!({"defect": "d", "ignore": ["P"]}), 200) && !excuse(json!({"defect": "d", "any_type": true}), 404)
    );
}

#[test]
fn a_listed_body_is_ours_and_no_other() {
    let fields = json!({"type": "text/plain", "text": "x"});
    let found = &differences(&exchange(&fields), &answer(200, "text/plain", "a b17\n"))[0];
    for (listed, expected) in
        [(json!("a b17"), true), (json!("a b*"), true), (json!("a c*"), false), (Value::Null, false)]
    {
        assert_eq!(same_difference((Field::Body, &Value::Null, &listed), found), expected, "{listed}");
    }
}
