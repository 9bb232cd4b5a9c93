//! The recorded sessions: what was sent and what the real services answered. The fields are those of the fixtures'
//! README.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::support::repository;

/// The services of the recordings, which here are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Service {
    Smd,
    Bss,
    CloudInit,
    /// The tutorial's cloud-init of August 2024.
    CloudInitLegacy,
}

/// One exchange.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    /// Its line in the session, from 1.
    #[serde(skip)]
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) service: Service,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<String>,
    pub(super) token: Option<String>,
    pub(super) token_in: Option<String>,
    pub(super) status: u16,
    #[serde(rename = "type")]
    pub(super) media_type: Option<String>,
    pub(super) location: Option<String>,
    /// Set by [`read`]: a recorded `null` is an answer, which an optional member alone would lose.
    pub(super) json: Option<Value>,
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) unordered: Value,
    pub(super) defect: Option<String>,
    pub(super) accept: Option<Vec<u16>>,
    pub(super) ignore: Option<Vec<String>>,
    pub(super) any_type: Option<Value>,
    /// The request relies on headers that anybody can send.
    #[serde(rename = "unsafe")]
    pub(super) trusts_headers: Option<Value>,
    /// The command of the client that sent it.
    #[serde(rename = "argv")]
    _argv: Option<Value>,
}

/// A session.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) name: String,
    pub(super) exchanges: Vec<Exchange>,
}

impl Session {
    /// True when it was recorded with authentication; the tutorial's cloud-init always had it, for its secure store.
    pub(super) fn authenticates(&self) -> bool {
        self.exchanges.iter().any(|e| e.token.is_some() && e.service != Service::CloudInitLegacy)
    }
}

/// Every session, by name.
pub(super) fn sessions() -> Vec<Session> {
    let folder = repository().join("tests/fixtures/contract");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).collect();
    paths.sort();
    paths.iter().map(session).collect()
}

fn session(path: &PathBuf) -> Session {
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let exchanges = numbered
        .filter_map(|(index, line)| read(index, line).unwrap_or_else(|error| panic!("{name}:{index}: {error}")));
    Session { exchanges: exchanges.collect(), name: name.clone() }
}

/// One line; none for a pause, in which the recorded services copied SMD: ours has no copies.
fn read(index: usize, line: &str) -> serde_json::Result<Option<Exchange>> {
    let members: Map<String, Value> = serde_json::from_str(line)?;
    if members.contains_key("action") {
        return Ok(None);
    }
    let mut exchange: Exchange = serde_json::from_str(line)?;
    exchange.json = members.get("json").cloned();
    exchange.index = index;
    Ok(Some(exchange))
}
