//! `docs/deviations.json`: where we answer otherwise on purpose. Every difference has its entry and every entry its
//! difference, so the list can neither hide a change nor outlive its reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::compare::{Difference, Field, differences, same_difference};
use super::exchange::Exchange;
use super::http::Answer;
use crate::support::repository;

/// What the reason of a route that is not built begins with.
pub(super) const NOT_BUILT: &str = "not built: ";

/// One deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deviation {
    pub(super) session: String,
    pub(super) name: String,
    /// The line in the session, where several exchanges have the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<usize>,
    pub(super) field: Field,
    /// What was recorded, but for bodies: a recording that changes is seen.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(super) recorded: Value,
    /// What we answer: so is an answer that changes. In a body `*` stands for any run of characters that are not blank.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(super) ours: Value,
    pub(super) reason: String,
}

impl Deviation {
    fn is_of(&self, session: &str, exchange: &Exchange) -> bool {
        self.session == session && self.name == exchange.name && self.index.is_none_or(|index| index == exchange.index)
    }
}

/// The list.
pub(super) fn listed() -> Vec<Deviation> {
    let text = std::fs::read_to_string(repository().join("docs/deviations.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The list as its file has it: an entry a line, so that changes are read and merged with ease.
pub(super) fn file(deviations: &[Deviation]) -> String {
    let lines: Vec<String> =
        deviations.iter().map(|one| format!("  {}", serde_json::to_string(one).unwrap())).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

/// What is wrong with an answer, in the light of the list; nothing when it is as recorded or as listed.
pub(super) fn judge(session: &str, exchange: &Exchange, answer: &Answer, list: &[Deviation]) -> Vec<String> {
    let found = differences(exchange, answer);
    let entries: Vec<&Deviation> = list.iter().filter(|entry| entry.is_of(session, exchange)).collect();
    if entries.iter().any(|entry| entry.field == Field::Route) {
        return judge_route(exchange, answer, &found, &entries);
    }
    let holds = |entry: &Deviation, one: &Difference| same_difference((entry.field, &entry.recorded, &entry.ours), one);
    let unlisted = found.iter().filter(|one| !entries.iter().any(|entry| holds(entry, one)));
    let unlisted = unlisted.map(|one| match one.field {
        Field::Body => format!("body is {}, recorded {}", shown(&answer.body), recorded_body(exchange)),
        field => format!("{field} is {}, recorded {}", one.ours, one.recorded),
    });
    let gone = entries.iter().filter(|entry| !found.iter().any(|one| holds(entry, one)));
    let gone = gone.map(|entry| format!("the listed deviation of its {} is gone or another one", entry.field));
    unlisted.chain(gone).collect()
}

fn judge_route(exchange: &Exchange, answer: &Answer, found: &[Difference], entries: &[&Deviation]) -> Vec<String> {
    let mut wrong = Vec::new();
    if entries.len() > 1 {
        wrong.push("a route that is not built has one entry and no other".to_owned());
    }
    if found.is_empty() {
        wrong.push("is listed as not built, and agrees".to_owned());
    } else if (&entries[0].recorded, &entries[0].ours) != (&exchange.status.into(), &answer.status.into()) {
        let Deviation { recorded, ours, .. } = entries[0];
        let (now, sent) = (exchange.status, answer.status);
        wrong.push(format!("is listed as not built with {ours} for {recorded}, and answers {sent} for {now}"));
    }
    wrong
}

/// The beginning of a body.
fn shown(body: &str) -> String {
    format!("{:?}", body.chars().take(600).collect::<String>())
}

fn recorded_body(exchange: &Exchange) -> String {
    let text = exchange.text.as_deref().unwrap_or_default();
    exchange.json.as_ref().map_or_else(|| shown(text), |json| shown(&json.to_string()))
}

/// The entries that a replay asks for: those that hold stay with their reasons; a new one takes the recording's word
/// for what is wrong with the original, or has no reason yet, which the test does not let pass.
pub(super) fn proposed(
    session: &str,
    exchange: &Exchange,
    answer: &Answer,
    repeats: bool,
    list: &[Deviation],
) -> Vec<Deviation> {
    let found = differences(exchange, answer);
    if !found.is_empty() && judge(session, exchange, answer, list).is_empty() {
        return list.iter().filter(|entry| entry.is_of(session, exchange)).cloned().collect();
    }
    let known = |field| {
        let same = |entry: &&Deviation| entry.is_of(session, exchange) && entry.field == field;
        list.iter().find(same).map(|entry| entry.reason.clone())
    };
    let propose = |one: Difference| Deviation {
        session: session.to_owned(),
        name: exchange.name.clone(),
        index: repeats.then_some(exchange.index),
        field: one.field,
        recorded: one.recorded,
        ours: one.ours,
        reason: known(one.field)
            .or_else(|| Some(format!("the original: {}", exchange.defect.as_ref()?)))
            .unwrap_or_default(),
    };
    found.into_iter().map(propose).collect()
}

/// The list as `docs/compatibility.md` shows it: a row a reason, in alphabetical order; of what is not built, only the
/// number of exchanges that wait for it.
pub(super) fn table(list: &[Deviation]) -> String {
    let mut rows: BTreeMap<&str, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for entry in list {
        let name = entry.index.map_or_else(|| entry.name.clone(), |index| format!("{} (line {index})", entry.name));
        let field = if entry.field == Field::Status {
            format!("{name} {}→{}", entry.recorded, entry.ours)
        } else {
            format!("{name} {}", entry.field)
        };
        rows.entry(&entry.reason).or_default().entry(&entry.session).or_default().push(field);
    }
    let mut text = String::from("| why | where |\n|---|---|\n");
    for (reason, sessions) in &rows {
        let cell = |(session, names): (&&str, &Vec<String>)| match reason.starts_with(NOT_BUILT) {
            true => format!("`{session}`: {}", names.len()),
            false => format!("`{session}`: {}", names.join(", ")),
        };
        let cells: Vec<String> = sessions.iter().map(cell).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} | {} |", reason.replace('|', "\\|"), cells.join("; "));
    }
    text
}

#[cfg(test)]
mod tests;
