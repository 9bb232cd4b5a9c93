//! The recorded sessions of the real services, replayed: each against a fresh `serve`, from an empty state, over real
//! sockets.
//!
//! `REPLAY_REPORT=1 cargo test --test it replay::` prints every difference instead of failing, and writes what
//! `docs/deviations.json` and `docs/compatibility.md` would have to be.

mod compare;
mod deviations;
mod exchange;
mod http;
pub(crate) mod tokens;
pub(crate) mod yaml;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use compare::{Field, differences, excused};
use deviations::{Deviation, NOT_BUILT, judge, listed};
use exchange::{Session, sessions};
use http::{Answer, send};
use tokens::Tokens;

use crate::support::{PROGRAM, Serving, repository};

/// What the answers of the recorded services say of their installation.
const SETTINGS: &str = "\
bss-advertise-address: 172.16.0.254
bss-chain-url: https://demo.openchami.cluster/apis/bss
bss-retry-delay: 30
bss-unknown-delay: 10
cloud-init-base-url: http://172.16.0.254:8081/cloud-init
";

/// A session with our answer to each of its exchanges.
struct Replayed {
    session: Session,
    answers: Vec<Answer>,
}

/// Every session, replayed once for all tests.
static REPLAYED: LazyLock<Vec<Replayed>> = LazyLock::new(|| {
    let (sessions, tokens) = (sessions(), Tokens::issue());
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from).min(4) {
            scope.spawn(|| {
                while let Some((at, session)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, sessions.get(at)?)))
                {
                    let answers = replay(session, &tokens);
                    done.lock().unwrap().insert(at, Replayed { session: session.clone(), answers });
                }
            });
        }
    });
    done.into_inner().unwrap().into_values().collect()
});

fn replay(session: &Session, tokens: &Tokens) -> Vec<Answer> {
    let state = tempfile::tempdir().unwrap();
    let config = state.path().join("serve.yaml");
    std::fs::write(&config, SETTINGS).unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--api", "http://127.0.0.1:0", "--boot", "127.0.0.1:0", "--state"]).arg(state.path());
    command.arg("--config").arg(&config).env_remove("RUST_LOG");
    if session.authenticates() {
        command.args(["--auth", "jwt", "--jwks-url", &tokens.jwks_url]);
    } else {
        command.args(["--auth", "none"]).env("OCHAMI_SYNC_INSECURE", "1");
    }
    let serving = Serving::start(command);
    session.exchanges.iter().map(|exchange| send(&serving.api, exchange, tokens)).collect()
}

/// True when differences are to be shown instead of failing.
fn reporting() -> bool {
    std::env::var_os("REPLAY_REPORT").is_some()
}

#[test]
fn every_exchange_is_answered_as_recorded_or_as_listed() {
    if reporting() {
        return report();
    }
    let list = listed();
    let mut wrong = Vec::new();
    for Replayed { session, answers } in REPLAYED.iter() {
        for (exchange, answer) in session.exchanges.iter().zip(answers) {
            for what in judge(&session.name, exchange, answer, &list) {
                let (at, name) = (exchange.index, &exchange.name);
                wrong.push(format!("{}:{at} {name} {} {}: {what}", session.name, exchange.method, exchange.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn all_sessions_are_replayed_whole() {
    let exchanges: usize = REPLAYED.iter().map(|replayed| replayed.answers.len()).sum();
    assert_eq!((REPLAYED.len(), exchanges), (18, 1167));
}

#[test]
fn an_entry_names_one_exchange_of_a_session_and_a_reason() {
    if reporting() {
        return;
    }
    for entry in listed() {
        let session = REPLAYED.iter().find(|replayed| replayed.session.name == entry.session);
        let exchanges = session.map_or(&[][..], |replayed| &replayed.session.exchanges);
        let named =
            exchanges.iter().filter(|e| e.name == entry.name && entry.index.is_none_or(|index| index == e.index));
        assert_eq!(named.count(), 1, "{entry:?}");
        assert!(entry.reason.len() > 10, "{entry:?} has no reason");
        assert_eq!(entry.reason.starts_with(NOT_BUILT), entry.field == Field::Route, "{entry:?}");
    }
}

#[test]
fn a_recorded_status_that_changes_is_seen_in_every_exchange() {
    if reporting() {
        return;
    }
    let list = listed();
    for Replayed { session, answers } in REPLAYED.iter() {
        for (exchange, answer) in session.exchanges.iter().zip(answers) {
            for status in [0, 200, 201, 204, 400, 401, 404, 409, 500].into_iter().filter(|s| *s != exchange.status) {
                let mut changed = exchange.clone();
                changed.status = status;
                let seen = judge(&session.name, &changed, answer, &list);
                assert!(!seen.is_empty(), "{}:{} with {status}", session.name, exchange.index);
            }
        }
    }
}

#[test]
fn an_answer_whose_status_changes_is_seen_in_every_exchange() {
    if reporting() {
        return;
    }
    let list = listed();
    for Replayed { session, answers } in REPLAYED.iter() {
        for (exchange, answer) in session.exchanges.iter().zip(answers) {
            let changed = Answer { status: 503, ..answer.clone() };
            let seen = judge(&session.name, exchange, &changed, &list);
            assert!(!seen.is_empty(), "{}:{}", session.name, exchange.index);
        }
    }
}

#[test]
fn the_documented_deviations_are_the_listed_ones() {
    if reporting() {
        return;
    }
    let text = std::fs::read_to_string(compatibility()).unwrap();
    assert!(documented(&text, &listed()) == text, "REPLAY_REPORT=1 writes what docs/compatibility.md has to be");
}

fn compatibility() -> std::path::PathBuf {
    repository().join("docs/compatibility.md")
}

/// The document with the table of these deviations in its place, between two comments.
fn documented(text: &str, list: &[Deviation]) -> String {
    const BEGIN: &str = "<!-- deviations -->\n";
    const END: &str = "<!-- end of deviations -->\n";
    let (before, rest) = text.split_once(BEGIN).expect("the document has a place for the table");
    let (_, after) = rest.split_once(END).expect("the place for the table has an end");
    format!("{before}{BEGIN}\n{}\n{END}{after}", deviations::table(list))
}

/// Prints every difference, listed or not, and writes the files that would let the tests pass.
fn report() {
    let list = listed();
    let (mut lines, mut proposal) = (Vec::new(), Vec::new());
    let (mut agree, mut forgiven, mut all) = (0, 0, 0);
    for Replayed { session, answers } in REPLAYED.iter() {
        for (exchange, answer) in session.exchanges.iter().zip(answers) {
            all += 1;
            if differences(exchange, answer).is_empty() {
                agree += 1;
                continue;
            }
            let excuse = excused(exchange, answer);
            forgiven += usize::from(excuse);
            let told = judge(&session.name, exchange, answer, &[]).join("; ");
            let mark = if excuse { "excused " } else { "" };
            let (name, at) = (&session.name, exchange.index);
            lines.push(format!("{mark}{name}:{at} {} {} {}: {told}", exchange.name, exchange.method, exchange.path));
            let repeats = session.exchanges.iter().filter(|other| other.name == exchange.name).count() > 1;
            proposal.extend(deviations::proposed(name, exchange, answer, repeats, &list));
        }
    }
    lines.push(format!("{} of {all} exchanges agree ({forgiven} defects excused)", agree + forgiven));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("deviations.json"), deviations::file(&proposal)).unwrap();
    let text = std::fs::read_to_string(compatibility()).unwrap();
    std::fs::write(folder.join("compatibility.md"), documented(&text, &proposal)).unwrap();
    lines.push(format!("proposals: {0}/deviations.json, {0}/compatibility.md", folder.display()));
    // Past the capturing of output, which would hide it from whoever asked for it.
    std::io::stderr().write_all(format!("{}\n", lines.join("\n")).as_bytes()).unwrap();
}
