use std::cell::{Cell, RefCell};

use super::remarks::failures;
use super::*;
use crate::desired::samples::{desire, inventory};
use crate::model::{Kind, ObjectKey, Timestamp};
use crate::plan::{Options, compute};
use crate::snapshot::Snapshot;
use crate::store::Ledger;
use crate::target::Failure;

/// A plan with these counts.
fn plan(delete: u64, release: u64, replace: u64, writes: u64) -> Plan {
    let options = Options::new("builtin", Timestamp(0));
    let mut plan = compute(&desire(&inventory(1)), &Ledger::default(), &Snapshot::default(), &options).plan;
    (plan.summary.delete, plan.summary.release, plan.summary.replace) = (delete, release, replace);
    plan.summary.writes = writes;
    plan
}

/// Answers one after the other; tells whether that was a yes, the questions, and how often details were shown.
fn answered(plan: &Plan, answers: &[&str]) -> (bool, Vec<String>, u32) {
    let (questions, shown) = (RefCell::new(Vec::new()), Cell::new(0));
    let ask = |question: &str| {
        questions.borrow_mut().push(question.to_owned());
        answers.get(questions.borrow().len() - 1).map(|answer| (*answer).to_owned())
    };
    let yes = confirmed(plan, &ask, &|| shown.set(shown.get() + 1));
    (yes, questions.into_inner(), shown.get())
}

#[test]
fn details_are_shown_as_often_as_asked_for_and_then_the_question_stands_again() {
    let (yes, questions, shown) = answered(&plan(0, 0, 0, 75), &["d", "d", "y"]);
    assert!(yes);
    assert_eq!((questions, shown), (vec!["Apply 75 writes to demo? [y/N/d]".to_owned(); 3], 2));
}

#[test]
fn any_answer_but_yes_means_no_and_so_does_none() {
    for answers in [&["n"][..], &[""], &["d", "no"], &["d"], &[]] {
        assert!(!answered(&plan(0, 0, 0, 1), answers).0, "{answers:?}");
    }
}

#[test]
fn what_takes_something_away_has_to_be_counted() {
    let dangerous = plan(1, 1, 2, 9);
    let (yes, questions, _) = answered(&dangerous, &["4"]);
    assert!(yes);
    assert_eq!(questions, ["This deletes 1 and gives up 1 and replaces 2. Type 4 to continue, d for details:"]);
    assert!(!answered(&dangerous, &["y"]).0);
    assert!(answered(&dangerous, &["d", "4"]).0);
}

#[test]
fn a_plan_without_writes_asks_for_what_it_does() {
    let (_, questions, _) = answered(&plan(0, 0, 0, 0), &[]);
    assert_eq!(questions, ["Nothing is written; record what is there as demo's? [y/N/d]"]);
}

#[test]
fn what_failed_for_one_reason_is_one_line() {
    let failure = |kind, id: &str, reason: &str, skipped| Failure {
        op: String::new(),
        key: ObjectKey::new(kind, id),
        reason: reason.to_owned(),
        skipped,
    };
    let list = [
        failure(Kind::Component, "x1000c0s0b0n0", "503", false),
        failure(Kind::Component, "x1000c0s0b0n1", "503", false),
        failure(Kind::Component, "x1000c0s0b0n2", "400", false),
        failure(Kind::BootParams, "x1000c0s0b0n0", "503", true),
    ];
    assert_eq!(
        failures(&list),
        [
            "failed: component/x1000c0s0b0n[0-1] (2 objects): 503",
            "failed: component/x1000c0s0b0n2: 400",
            "left out: boot-params/x1000c0s0b0n0: 503",
        ]
    );
}

#[test]
fn what_was_left_out_for_another_object_of_each_node_is_one_line_and_a_shared_cause_is_named() {
    let left_out = |kind, id: &str, cause: &str| Failure {
        op: String::new(),
        key: ObjectKey::new(kind, id),
        reason: format!("an earlier write for the same node failed: {cause}"),
        skipped: true,
    };
    let list = [
        left_out(Kind::BootParams, "x1000c0s0b0n0", "component/x1000c0s0b0n0"),
        left_out(Kind::BootParams, "x1000c0s0b0n1", "component/x1000c0s0b0n1"),
        left_out(Kind::EthernetInterface, "a", "group/compute"),
        left_out(Kind::EthernetInterface, "b", "group/compute"),
    ];
    let lines = failures(&list);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert_eq!(
        lines[0],
        "left out: boot-params/x1000c0s0b0n[0-1] (2 objects): an earlier write for the same node failed"
    );
    assert!(lines[1].ends_with("(2 objects): an earlier write for the same node failed: group/compute"), "{lines:#?}");
}
