//! The list's own rules: nothing differs unlisted, and nothing is listed that does not differ.

use serde_json::{Value, json};

use super::{Deviation, judge, proposed};
use crate::replay::compare::Field;
use crate::replay::exchange::Exchange;
use crate::replay::http::Answer;

fn exchange(status: u16) -> Exchange {
    let fields = json!({"name": "get", "service": "smd", "method": "GET", "path": "/", "status": status, "text": "x"});
    serde_json::from_value(fields).unwrap()
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, media_type: None, location: None, body: body.to_owned() }
}

fn entry(field: Field, recorded: impl Into<Value>, ours: impl Into<Value>) -> Deviation {
    Deviation {
        session: "s".to_owned(),
        name: "get".to_owned(),
        index: None,
        field,
        recorded: recorded.into(),
        ours: ours.into(),
        reason: "on purpose".to_owned(),
    }
}

/// How many things are wrong with an answer to an exchange that was recorded as 200 with the text `x`.
fn wrong(answer: &Answer, list: &[Deviation]) -> usize {
    judge("s", &exchange(200), answer, list).len()
}

#[test]
fn a_difference_has_to_be_listed_with_what_it_is() {
    let refused = answer(400, "x");
    assert_eq!(wrong(&refused, &[]), 1);
    assert_eq!(wrong(&refused, &[entry(Field::Status, 200, 400)]), 0);
    assert_eq!(wrong(&refused, &[entry(Field::Status, 200, 401)]), 2);
    assert_eq!(wrong(&refused, &[entry(Field::Status, 201, 400)]), 2);
    assert_eq!(wrong(&refused, &[Deviation { session: "t".to_owned(), ..entry(Field::Status, 200, 400) }]), 1);
    assert_eq!(wrong(&refused, &[Deviation { index: Some(7), ..entry(Field::Status, 200, 400) }]), 1);
    let other = answer(200, "y");
    assert_eq!(wrong(&other, &[]), 1);
    assert_eq!(wrong(&other, &[entry(Field::Body, Value::Null, "y")]), 0);
    assert_eq!(wrong(&other, &[entry(Field::Body, Value::Null, "z")]), 2);
}

#[test]
fn what_is_listed_has_to_differ() {
    let same = answer(200, "x");
    assert_eq!(wrong(&same, &[]), 0);
    assert_eq!(wrong(&same, &[entry(Field::Status, 200, 400)]), 1);
    assert_eq!(wrong(&same, &[entry(Field::Route, 200, 404)]), 1);
}

#[test]
fn a_route_that_is_not_built_is_listed_alone_and_with_both_statuses() {
    let missing = answer(404, "404 page not found\n");
    assert_eq!(wrong(&missing, &[entry(Field::Route, 200, 404)]), 0);
    assert_eq!(wrong(&missing, &[entry(Field::Route, 201, 404)]), 1);
    assert_eq!(wrong(&missing, &[entry(Field::Route, 200, 405)]), 1);
    assert_eq!(wrong(&missing, &[entry(Field::Route, 200, 404), entry(Field::Status, 200, 404)]), 1);
}

#[test]
fn a_proposal_keeps_what_holds_drops_what_is_gone_and_gives_no_reason_of_its_own() {
    let list = [entry(Field::Status, 200, 400)];
    let propose = |answer: &Answer| proposed("s", &exchange(200), answer, false, &list);
    assert_eq!(propose(&answer(400, "")), list);
    assert_eq!(propose(&answer(200, "x")), []);
    let changed = propose(&answer(409, ""));
    assert_eq!((&changed[0].ours, &*changed[0].reason), (&409.into(), "on purpose"));
    let new = propose(&answer(200, "y"));
    assert_eq!((new[0].field, &new[0].ours, &*new[0].reason), (Field::Body, &"y".into(), ""));
}
