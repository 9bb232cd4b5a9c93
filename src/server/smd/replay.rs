//! Replays what was recorded of the real SMD and compares the answers, by the rules of the recordings.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use tower::ServiceExt as _;

use super::{SmdState, not_found, routes};
use crate::store::Store;

/// Exchanges that are passed over: session, lines, why.
const NOT_BUILT: &[(&str, &[u64], &str)] = &[
    ("smd-components", &[53, 54, 55, 56, 57], "searching with Query is not built"),
    ("smd-redfish-v2-compep-cascade", &[37, 39, 40, 41], "node maps and power maps are not built"),
    ("smd-redfish-v2-compep-cascade", &[43], "the number comes from a node map"),
    ("smd-groups-partitions-memberships", &[61, 62, 63, 64, 65, 66, 67, 68, 69], "partitions are not built"),
];

/// Exchanges in which our answer differs on purpose, though the recording does not call the real one a defect.
const STRICTER: &[(&str, &[u64], &str)] = &[
    ("smd-redfish", &[17, 53], "a MAC address that is none is refused, not stored"),
    ("smd-redfish", &[6, 20, 23, 25, 27, 29, 31], "MAC addresses are shown in lower case, and wrong ones not at all"),
    ("smd-redfish-v2-compep-cascade", &[34], "discovery has never been started, and the time says never"),
    ("smd-redfish-v2-compep-cascade", &[76, 77], "a wrong MAC address refuses the request as a whole"),
];

fn listed(list: &[(&str, &[u64], &str)], session: &str, line: u64) -> bool {
    list.iter().any(|(name, lines, _)| *name == session && lines.contains(&line))
}

struct Answer {
    status: u64,
    headers: HeaderMap,
    text: String,
}

async fn send(router: &Router, exchange: &Value) -> Answer {
    // Trailing slashes are taken off by a layer around all routers.
    let path = exchange["path"].as_str().unwrap();
    let path = if path == "/" { path } else { path.trim_end_matches('/') };
    let uri = match exchange["query"].as_str() {
        Some(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.to_owned(),
    };
    let mut request = Request::builder().method(exchange["method"].as_str().unwrap()).uri(uri.replace(' ', "%20"));
    for (name, value) in exchange["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap());
    }
    let body = Body::from(exchange["body"].as_str().unwrap_or_default().to_owned());
    let response = router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answer { status: parts.status.as_u16().into(), headers: parts.headers, text }
}

/// `*` within a text stands for any run of characters that are not blank.
fn same_text(want: &str, got: &str) -> bool {
    let Some((head, rest)) = want.split_once('*') else { return want == got };
    let Some(got) = got.strip_prefix(head) else { return false };
    let ends = got.char_indices().map(|(at, _)| at).chain([got.len()]);
    ends.take_while(|&at| !got[..at].contains(char::is_whitespace)).any(|at| same_text(rest, &got[at..]))
}

fn same(want: &Value, got: &Value, unordered: &Value, ignore: &[&str]) -> bool {
    match (want, got) {
        (Value::String(star), _) if star == "*" => true,
        (Value::Object(want), Value::Object(got)) => {
            let keys = |object: &serde_json::Map<String, Value>| {
                object.keys().filter(|key| !ignore.contains(&key.as_str())).cloned().collect::<Vec<_>>()
            };
            keys(want) == keys(got) && keys(want).iter().all(|key| same(&want[key], &got[key], unordered, ignore))
        }
        (Value::Array(want), Value::Array(got)) => same_list(want, got, unordered, ignore),
        (Value::String(want), Value::String(got)) => same_text(want, got),
        _ => want == got,
    }
}

fn same_list(want: &[Value], got: &[Value], unordered: &Value, ignore: &[&str]) -> bool {
    let mut want = want.to_vec();
    let mut rest = got.to_vec();
    if unordered == "unique" {
        let key = |value: &Value| value.to_string();
        want.sort_by_key(key);
        want.dedup();
        rest.sort_by_key(key);
        rest.dedup();
    }
    if want.len() != rest.len() {
        return false;
    }
    if unordered.is_null() {
        return want.iter().zip(&rest).all(|(want, got)| same(want, got, unordered, ignore));
    }
    want.iter().all(|want| match rest.iter().position(|got| same(want, got, unordered, ignore)) {
        Some(at) => {
            rest.remove(at);
            true
        }
        None => false,
    })
}

/// What is different; nothing where the answer agrees.
fn differences(exchange: &Value, answer: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    if exchange["status"] != answer.status {
        found.push(format!("status {}, want {}", answer.status, exchange["status"]));
    }
    let media = header("content-type").map(|text| text.split(';').next().unwrap().trim().to_owned());
    let both_empty = exchange["text"] == "" && answer.text.is_empty();
    if exchange["type"].as_str() != media.as_deref() && !both_empty {
        found.push(format!("type {media:?}, want {}", exchange["type"]));
    }
    let location = exchange["location"].as_str().filter(|want| *want != "*");
    if location.is_some() && header("location").as_deref() != location {
        found.push(format!("location {:?}, want {location:?}", header("location")));
    }
    let mut json = serde_json::from_str::<Value>(&answer.text).ok();
    if let Some(detail) = json.as_mut().filter(|_| answer.status >= 400).and_then(|json| json.get_mut("detail")) {
        *detail = "*".into();
    }
    let ignore: Vec<&str> = exchange["ignore"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let agrees = match (exchange.get("json"), json) {
        (Some(want), Some(got)) => same(want, &got, &exchange["unordered"], &ignore),
        (Some(_), None) => false,
        (None, got) => match exchange["text"].as_str().unwrap_or_default() {
            "*" => !answer.text.is_empty(),
            want => got.is_none() && same_text(want.trim(), answer.text.trim()),
        },
    };
    if !agrees {
        let want = exchange.get("json").unwrap_or(&exchange["text"]);
        found.push(format!("body\n    {}\n  want\n    {want}", answer.text.trim()));
    }
    found
}

/// May we answer differently here? Where the real service misbehaves, with a status that is not our own fault.
fn excused(exchange: &Value, answer: &Answer) -> bool {
    if exchange["defect"].is_null() || answer.status >= 500 {
        return false;
    }
    let narrow = !exchange["ignore"].is_null() || exchange["unordered"] == "unique";
    if exchange["status"] == answer.status {
        return !narrow;
    }
    exchange["accept"].as_array().map_or(!narrow, |accept| accept.contains(&answer.status.into()))
}

/// Replays one session against an empty store. Answers how many exchanges agree, and what differs.
async fn replay(session: &str) -> (u64, Vec<String>) {
    let path = format!("{}/tests/fixtures/contract/{session}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let router = routes(SmdState { store: Store::in_memory() }).fallback(not_found);
    let (mut agree, mut wrong) = (0, Vec::new());
    for (line, exchange) in (1..).zip(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap())) {
        if exchange["service"] != "smd" || !exchange["action"].is_null() || listed(NOT_BUILT, session, line) {
            continue;
        }
        let answer = send(&router, &exchange).await;
        let found = differences(&exchange, &answer);
        let agrees = found.is_empty() || excused(&exchange, &answer);
        match (agrees, listed(STRICTER, session, line)) {
            (true, false) => agree += 1,
            (false, true) => {}
            (true, true) => wrong.push(format!("{session}:{line} agrees, but is listed as stricter")),
            (false, false) => wrong.push(format!(
                "{session}:{line} {} {} {}: {}",
                exchange["name"],
                exchange["method"],
                exchange["path"],
                found.join("; ")
            )),
        }
    }
    (agree, wrong)
}

/// The sessions, and in how many of their exchanges we agree: a replay that stops early must not pass for one that
/// agrees.
const SESSIONS: &[(&str, u64)] = &[
    ("smd-components", 90),
    ("smd-components-bulk-patch", 47),
    ("smd-ethernet", 68),
    ("smd-redfish", 48),
    ("smd-redfish-v2-compep-cascade", 70),
    ("smd-groups-partitions-memberships", 60),
    ("smd-service", 22),
    ("tutorial-flow", 19),
    ("cli-2025-flow", 12),
    ("cli-head-flow", 68),
];

#[tokio::test]
async fn answers_agree_with_what_was_recorded_of_the_real_smd() {
    let mut differences = Vec::new();
    for (session, expected) in SESSIONS {
        let (agree, wrong) = replay(session).await;
        if wrong.is_empty() && agree != *expected {
            differences.push(format!("{session}: {agree} exchanges agree, want {expected}"));
        }
        differences.extend(wrong);
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
