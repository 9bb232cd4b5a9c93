//! Recorded exchanges with the real services, and what counts as agreeing with them.
//!
//! The rules: `*` stands for any value, within a text for any run of non-blank characters; white space in texts and the
//! wording of errors do not count; boot parameters are compared one node at a time; where the recorded service
//! misbehaves (`defect`), another answer below 500 will do.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

/// One line of a session.
#[derive(Debug, Deserialize)]
pub(crate) struct Exchange {
    #[serde(default)]
    pub(crate) service: String,
    #[serde(default)]
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) token: Option<String>,
    #[serde(default)]
    status: u16,
    #[serde(rename = "type")]
    media_type: Option<String>,
    json: Option<Value>,
    text: Option<String>,
    #[serde(default)]
    unordered: Value,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default)]
    any_type: bool,
    defect: Option<String>,
    #[serde(default, rename = "unsafe")]
    trusts_headers: bool,
    accept: Option<Vec<u16>>,
    pub(crate) action: Option<String>,
}

/// An answer to an exchange.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media_type: Option<String>,
    pub(crate) body: String,
}

/// How an answer compares.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Agrees,
    Excused,
    Differs(String),
}

/// Reads a session by name, each exchange with its line number.
pub(crate) fn session(name: &str) -> Vec<(usize, Exchange)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/contract/{name}.jsonl"));
    let text = std::fs::read_to_string(path).unwrap();
    // A present `"json": null` is an answer, which an optional member alone would lose.
    let read = |line: &str| -> Exchange {
        let mut exchange: Exchange = serde_json::from_str(line).unwrap();
        let members: Map<String, Value> = serde_json::from_str(line).unwrap();
        exchange.json = members.get("json").cloned();
        exchange
    };
    text.lines().enumerate().map(|(at, line)| (at + 1, read(line))).collect()
}

impl Exchange {
    /// Compares an answer with the recorded one.
    pub(crate) fn judge(&self, answer: &Answer) -> Verdict {
        let differences = self.differences(answer);
        if differences.is_empty() {
            Verdict::Agrees
        } else if self.excuses(answer.status) {
            Verdict::Excused
        } else {
            Verdict::Differs(differences.join("; "))
        }
    }

    fn excuses(&self, status: u16) -> bool {
        let narrow = !self.ignore.is_empty() || self.any_type || self.unordered == "unique";
        if (self.defect.is_none() && !self.trusts_headers) || status >= 500 {
            false
        } else if status == self.status {
            !narrow
        } else {
            self.accept.as_ref().map_or(!narrow, |accept| accept.contains(&status))
        }
    }

    fn differences(&self, answer: &Answer) -> Vec<String> {
        let mut found = Vec::new();
        if self.status != answer.status {
            found.push(format!("status {}, recorded {}", answer.status, self.status));
        }
        let bare = answer.media_type.as_ref().map(|text| text.split(';').next().unwrap().trim().to_lowercase());
        let both_empty = self.text.as_deref() == Some("") && answer.body.is_empty();
        if self.media_type != bare && !self.any_type && !both_empty {
            found.push(format!("type {bare:?}, recorded {:?}", self.media_type));
        }
        if !self.same_body(answer, bare.as_deref().unwrap_or("")) {
            found.push(format!("body {:?}, recorded {:?}{:?}", answer.body, self.json, self.text));
        }
        found
    }

    fn same_body(&self, answer: &Answer, media_type: &str) -> bool {
        let parsed = serde_json::from_str::<Value>(&answer.body).ok();
        let parsed = parsed.filter(|value| value.is_object() || value.is_array() || media_type.contains("json"));
        let (Some(recorded), Some(mut got)) = (&self.json, parsed) else {
            return self.json.is_none() && self.same_text(&answer.body);
        };
        if answer.status >= 400 && got.get("detail").is_some() {
            got["detail"] = "*".into();
        }
        if self.path.ends_with("/bootparameters") {
            same_json(&by_node(recorded), &by_node(&got), true, &self.ignore)
        } else {
            same_json(recorded, &got, self.unordered == true, &self.ignore)
        }
    }

    fn same_text(&self, got: &str) -> bool {
        let recorded = self.text.as_deref().unwrap_or("");
        let lines = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
        };
        let (recorded_lines, got_lines) = (lines(recorded), lines(got));
        (recorded == "*" && !got.is_empty())
            || (recorded_lines.len() == got_lines.len()
                && recorded_lines.iter().zip(&got_lines).all(|(recorded, got)| matches(recorded, got)))
    }
}

/// Boot parameters, one entry a node: which nodes share an entry is not promised.
fn by_node(list: &Value) -> Value {
    let Value::Array(entries) = list else { return list.clone() };
    let mut nodes = Vec::new();
    for entry in entries {
        for kind in ["macs", "hosts", "nids"] {
            for node in entry.get(kind).and_then(Value::as_array).into_iter().flatten() {
                let mut one = entry.as_object().unwrap().clone();
                one.retain(|key, _| !["macs", "hosts", "nids"].contains(&key.as_str()));
                one.insert(kind.to_owned(), node.clone());
                nodes.push(Value::Object(one));
            }
        }
    }
    Value::Array(nodes)
}

fn same_json(recorded: &Value, got: &Value, unordered: bool, ignore: &[String]) -> bool {
    match (recorded, got) {
        (Value::String(text), _) if text == "*" => true,
        (Value::String(recorded), Value::String(got)) => matches(recorded, got),
        (Value::Object(recorded), Value::Object(got)) => {
            let keys = |map: &Map<String, Value>| -> Vec<String> {
                map.keys().filter(|key| !ignore.contains(key)).cloned().collect()
            };
            keys(recorded) == keys(got)
                && keys(recorded).iter().all(|key| same_json(&recorded[key], &got[key], unordered, ignore))
        }
        (Value::Array(recorded), Value::Array(got)) if unordered => {
            let mut rest: Vec<&Value> = got.iter().collect();
            recorded.len() == got.len()
                && recorded.iter().all(|wanted| {
                    let at = rest.iter().position(|value| same_json(wanted, value, unordered, ignore));
                    at.map(|at| rest.remove(at)).is_some()
                })
        }
        (Value::Array(recorded), Value::Array(got)) => {
            recorded.len() == got.len() && recorded.iter().zip(got).all(|(a, b)| same_json(a, b, unordered, ignore))
        }
        (recorded, got) => recorded == got,
    }
}

/// True when a text is what was recorded, where `*` stands for any run of non-blank characters.
fn matches(recorded: &str, got: &str) -> bool {
    let Some((head, tail)) = recorded.split_once('*') else { return recorded == got };
    let Some(rest) = got.strip_prefix(head) else { return false };
    let run = rest.find(char::is_whitespace).unwrap_or(rest.len());
    rest[..run].char_indices().map(|(at, _)| at).chain([run]).any(|at| matches(tail, &rest[at..]))
}
