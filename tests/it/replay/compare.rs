//! What counts as the recorded answer, by the rules of the contract: `*` stands for any value, within a text for any run
//! of characters that are not blank; white space and the wording of errors do not count; boot parameters are compared
//! one node at a time; YAML is compared as data.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::exchange::Exchange;
use super::http::Answer;
use super::yaml;

/// What can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Field {
    Status,
    Type,
    Location,
    Body,
    /// Not a part of an answer: whatever comes back, because the route is not built.
    Route,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Status => "status",
            Self::Type => "type",
            Self::Location => "location",
            Self::Body => "body",
            Self::Route => "route",
        })
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    pub(super) field: Field,
    /// Null for a body, which is long and in the recording.
    pub(super) recorded: Value,
    pub(super) ours: Value,
}

/// How an answer differs from the recorded one. Another status implies all else, so it stands alone.
pub(super) fn differences(exchange: &Exchange, answer: &Answer) -> Vec<Difference> {
    let differ = |field, recorded: Value, ours: Value| Difference { field, recorded, ours };
    if exchange.status != answer.status {
        return vec![differ(Field::Status, exchange.status.into(), answer.status.into())];
    }
    let mut found = Vec::new();
    let both_empty = exchange.text.as_deref() == Some("") && answer.body.is_empty();
    if exchange.media_type != answer.media_type && exchange.any_type.is_none() && !both_empty {
        found.push(differ(Field::Type, json!(exchange.media_type), json!(answer.media_type)));
    }
    if let Some(location) = exchange.location.as_ref().filter(|location| *location != "*")
        && answer.location.as_ref() != Some(location)
    {
        found.push(differ(Field::Location, json!(location), json!(answer.location)));
    }
    if !same_body(exchange, answer) {
        found.push(differ(Field::Body, Value::Null, body(answer)));
    }
    found
}

/// Our body as it is listed: JSON or a text, with `*` for what another run has otherwise.
fn body(answer: &Answer) -> Value {
    let mut value = parsed(answer).unwrap_or_else(|| answer.body.clone().into());
    hide_times(&mut value);
    value
}

fn hide_times(value: &mut Value) {
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(key, value)| match key.as_str() {
            "LastUpdate" | "last_epoch" => *value = "*".into(),
            _ => hide_times(value),
        }),
        Value::Array(items) => items.iter_mut().for_each(hide_times),
        _ => {}
    }
}

/// True when a difference is the listed one. A body is compared by the rules for recorded ones.
pub(super) fn same_difference(listed: (Field, &Value, &Value), found: &Difference) -> bool {
    let (field, recorded, ours) = listed;
    let same_ours = match (field, ours, &found.ours) {
        (Field::Body, Value::String(listed), Value::String(found)) => matches(&one_line(listed), &one_line(found)),
        (Field::Body, listed, found) => Rules { unordered: &Value::Bool(true), ignore: &[] }.same(listed, found),
        (_, listed, found) => listed == found,
    };
    field == found.field && *recorded == found.recorded && same_ours
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// True where the recorded service misbehaves, or believes what anybody can send, in such a way that this answer may
/// differ from its own.
pub(super) fn excused(exchange: &Exchange, answer: &Answer) -> bool {
    let marked = exchange.defect.is_some() || exchange.trusts_headers.is_some();
    if !marked || answer.status == 0 || answer.status >= 500 {
        return false;
    }
    // Where the comparison itself is tolerant, nothing else is.
    let narrow = exchange.ignore.is_some() || exchange.any_type.is_some() || exchange.unordered == "unique";
    if answer.status == exchange.status {
        !narrow
    } else {
        exchange.accept.as_ref().map_or(!narrow, |accept| accept.contains(&answer.status))
    }
}

/// The answer's body as JSON, where that is what it is.
fn parsed(answer: &Answer) -> Option<Value> {
    let mut value: Value = serde_json::from_str(&answer.body).ok()?;
    let typed = answer.media_type.as_ref().is_some_and(|kind| kind.contains("json"));
    if !value.is_object() && !value.is_array() && !typed {
        return None;
    }
    if answer.status >= 400
        && let Some(detail) = value.get_mut("detail")
    {
        *detail = "*".into();
    }
    Some(value)
}

fn same_body(exchange: &Exchange, answer: &Answer) -> bool {
    let got = parsed(answer);
    let Some(recorded) = &exchange.json else { return same_text_body(exchange, answer, got.as_ref()) };
    let Some(got) = got else { return false };
    let rules = Rules { unordered: &exchange.unordered, ignore: exchange.ignore.as_deref().unwrap_or_default() };
    if exchange.path.ends_with("/bootparameters") {
        let rules = Rules { unordered: &Value::Bool(true), ..rules };
        return rules.same(&by_node(recorded), &by_node(&got));
    }
    rules.same(recorded, &got)
}

fn same_text_body(exchange: &Exchange, answer: &Answer, got: Option<&Value>) -> bool {
    let recorded = exchange.text.as_deref().unwrap_or("");
    if recorded == "*" {
        return !answer.body.is_empty();
    }
    if let Some(got) = got {
        return recorded.trim().is_empty() && [json!({}), json!([]), Value::Null].contains(got);
    }
    let lines = |text: &str| -> Vec<String> {
        let filled = text.lines().filter(|line| !line.trim().is_empty());
        let mut lines: Vec<_> = filled.map(one_line).collect();
        if !exchange.unordered.is_null() {
            lines.sort();
        }
        lines
    };
    let (recorded_lines, got_lines) = (lines(recorded), lines(&answer.body));
    let same = |(recorded, got): (&String, &String)| matches(recorded, got);
    if recorded_lines.len() == got_lines.len() && recorded_lines.iter().zip(&got_lines).all(same) {
        return true;
    }
    let is_yaml = exchange.media_type.as_ref().is_some_and(|kind| kind.ends_with("yaml"));
    (is_yaml || recorded.starts_with("#cloud-config")) && same_yaml(recorded, &answer.body, &exchange.unordered)
}

/// The comment in the first line of cloud-init's documents tells their kind, so it counts.
fn same_yaml(recorded: &str, got: &str, unordered: &Value) -> bool {
    let first = |text: &str| text.lines().next().unwrap_or_default().trim_end().to_owned();
    if recorded.starts_with('#') && first(recorded) != first(got) {
        return false;
    }
    let rules = Rules { unordered, ignore: &[] };
    yaml::data(recorded).zip(yaml::data(got)).is_some_and(|(recorded, got)| rules.same(&recorded, &got))
}

/// Boot parameters, one entry a node: which nodes share an entry is not promised.
fn by_node(list: &Value) -> Value {
    const KINDS: [&str; 3] = ["macs", "hosts", "nids"];
    let Value::Array(entries) = list else { return list.clone() };
    let each = |entry: &Value| -> Vec<Value> {
        let whole = entry.as_object().cloned().unwrap_or_default();
        let mut rest = whole.clone();
        rest.retain(|key, _| !KINDS.contains(&key.as_str()));
        let nodes = KINDS.iter().flat_map(|kind| {
            whole.get(*kind).and_then(Value::as_array).into_iter().flatten().map(move |node| (*kind, node))
        });
        let entry = |(kind, node): (&str, &Value)| {
            let mut one = rest.clone();
            one.insert(kind.to_owned(), node.clone());
            Value::Object(one)
        };
        nodes.map(entry).collect()
    };
    entries.iter().flat_map(each).collect()
}

/// How JSON is compared.
#[derive(Clone, Copy)]
struct Rules<'r> {
    /// `true`: lists in any order; `"unique"`: and with entries given twice.
    unordered: &'r Value,
    /// Keys that do not count.
    ignore: &'r [String],
}

impl Rules<'_> {
    fn same(self, recorded: &Value, got: &Value) -> bool {
        match (recorded, got) {
            (Value::String(any), _) if any == "*" => true,
            (Value::String(recorded), Value::String(got)) => matches(recorded, got),
            (Value::Object(recorded), Value::Object(got)) => self.same_objects(recorded, got),
            (Value::Array(recorded), Value::Array(got)) => self.same_lists(recorded, got),
            (Value::Number(recorded), Value::Number(got)) => recorded.as_f64() == got.as_f64(),
            (recorded, got) => recorded == got,
        }
    }

    fn same_objects(self, recorded: &Map<String, Value>, got: &Map<String, Value>) -> bool {
        let counts = |key: &&String| !self.ignore.contains(key);
        let mut keys = recorded.keys().chain(got.keys()).filter(counts);
        keys.all(|key| recorded.get(key).zip(got.get(key)).is_some_and(|(recorded, got)| self.same(recorded, got)))
    }

    fn same_lists(self, recorded: &[Value], got: &[Value]) -> bool {
        let (mut recorded, mut got) = (recorded.to_vec(), got.to_vec());
        if self.unordered == "unique" {
            for list in [&mut recorded, &mut got] {
                list.sort_by_key(Value::to_string);
                list.dedup();
            }
        }
        if recorded.len() != got.len() {
            return false;
        }
        if self.unordered.is_null() || *self.unordered == false {
            return recorded.iter().zip(&got).all(|(recorded, got)| self.same(recorded, got));
        }
        recorded.iter().all(|wanted| {
            let at = got.iter().position(|value| self.same(wanted, value));
            at.map(|at| got.swap_remove(at)).is_some()
        })
    }
}

/// True when a text is what was recorded, where `*` stands for any run of characters that are not blank.
fn matches(recorded: &str, got: &str) -> bool {
    let Some((head, tail)) = recorded.split_once('*') else { return recorded == got };
    let Some(rest) = got.strip_prefix(head) else { return false };
    let run = rest.find(char::is_whitespace).unwrap_or(rest.len());
    rest[..run].char_indices().map(|(at, _)| at).chain([run]).any(|at| matches(tail, &rest[at..]))
}

#[cfg(test)]
mod tests;
