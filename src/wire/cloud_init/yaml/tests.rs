use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, json};

use super::*;

/// Texts that a careless writer would turn into something else.
#[rustfmt::skip]
const AWKWARD: &[&str] = &[
    "", " ", "  ", "a", "yes", "No", "ON", "off", "y", "N", "true", "False", "TRUE", "null", "Null", "~", "=", "<<",
    "!", "!!str a", "&a", "*a", "-", "--", "---", "...", "- a", "-a", "?", "? a", "?a", ":", ": a", ":a", "a:",
    "a: b", "a:b", "a #b", "a#b", "#a", "# a", "0", "00", "0400", "0o17", "0x1f", "0b1", "1_000", "+1", "-1", "1.",
    ".5", "1.5", "1e3", "1.0e+3", "1E3", ".inf", "-.INF", ".nan", "1:30", "1:30:00", "190:20:30.15", "2024-01-01",
    "2024-01-01 10:00:00", "2024-01-01T10:00:00Z", "12e03", "{a}", "[a]", "{{ ds.x }}", "{% if a %}", "a, b", ",a",
    "]", "}", "%a", "@a", "`a", "'", "''", "\"", "\"a\"", "'a'", "it's", "\\", "a\\nb", " a", "a ", "\ta", "a\t",
    "a\tb", "\t", "\n", "\n\n", "a\n", "a\n\n", "\na", "\n\na\n\n", " a\nb", "a\n b\n", "a\n  \nb", "  \na",
    "a\n  ", "a\n\t", "\ta\nb\n", "a\t\nb\n", "#a\n#b\n", "a: b\nc: d\n", "---\na\n...\n", "- a\n- b\n", "a\n---\n",
    "a\r\nb\r\n", "\r", "a\rb", "a\u{0}b", "\u{7}", "\u{1b}[0m", "\u{7f}", "\u{85}", "a\u{85}b\n", "\u{a0}",
    "\u{a0}a\nb", "é", "日本\n語\n", "\u{2028}", "a\u{2029}b\nc", "\u{feff}", "\u{feff}a\nb", "\u{fffe}", "\u{1f600}",
    "\u{1f600}\nb\n", "x\u{301}\n", "ssh-rsa AAAA b@c", "echo \"a\" > /b; c: d #e", "/etc/a", "_a", "$a", "${a}",
    "a=b", "a|b", "|", "> a", "|\n", "a   b", "Infinity", "nan", "a\n\n\n b\n\n\n",
];

/// Reads what [`mapping`] wrote with a YAML 1.2 parser; a plain scalar is a number or a word, or else a text.
fn read(text: &str) -> Value {
    let mut parser = Parser::new_from_str(text);
    loop {
        match next(&mut parser) {
            Event::StreamStart | Event::DocumentStart(_) => {}
            event => return node(&mut parser, event),
        }
    }
}

fn next<'a>(parser: &mut Parser<'a, saphyr_parser::StrInput<'a>>) -> Event<'a> {
    parser.next().unwrap().unwrap().0
}

fn node<'a>(parser: &mut Parser<'a, saphyr_parser::StrInput<'a>>, event: Event<'a>) -> Value {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => {
            serde_json::from_str(&text.replace("e+", "e")).unwrap_or_else(|_| Value::from(text.as_ref()))
        }
        Event::Scalar(text, ..) => Value::from(text.as_ref()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(parser) {
                    Event::SequenceEnd => return Value::Array(items),
                    event => items.push(node(parser, event)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut members = Map::new();
            loop {
                match next(parser) {
                    Event::MappingEnd => return Value::Object(members),
                    Event::Scalar(key, ..) => {
                        let event = next(parser);
                        members.insert(key.into_owned(), node(parser, event));
                    }
                    event => panic!("a key is {event:?}"),
                }
            }
        }
        event => panic!("{event:?}"),
    }
}

fn write(document: &Value) -> String {
    mapping(document.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value)))
}

/// Has PyYAML, which is what nodes read with, read the documents; says what it read otherwise.
fn check_with_pyyaml(documents: &[Value]) {
    const SCRIPT: &str = "
import json, sys, yaml
dump = lambda value: json.dumps(value, sort_keys=True)
for line in sys.stdin:
    want, text = json.loads(line)
    try:
        got = dump(yaml.safe_load(text))
    except Exception as error:
        got = repr(error)
    if got != dump(want):
        sys.exit('wrote %r\\nwant  %s\\nread  %s' % (text, dump(want), got))
";
    let required = std::env::var("OCHAMI_SYNC_TEST_TOOLS").is_ok_and(|value| value == "1");
    let found = Command::new("python3").args(["-c", "import yaml"]).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        assert!(!required, "python3 with PyYAML is required by OCHAMI_SYNC_TEST_TOOLS and is not here");
        writeln!(std::io::stderr(), "skipped: no python3 with PyYAML to read the YAML").unwrap();
        return;
    }
    let mut child = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    for document in documents {
        lines.push_str(&json!([document, write(document)]).to_string());
        lines.push('\n');
    }
    let mut stdin = child.stdin.take().unwrap();
    // The script ends at the first difference, whether or not it has read everything.
    let sent = stdin.write_all(lines.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    sent.unwrap();
}

/// A text in every place where it can stand.
fn everywhere(text: &str) -> Value {
    json!({
        "value": text,
        "list": [text, [text, [text]], {"a": text, "b": [text]}, text],
        "map": {"deep": {"deeper": text, "end": 1}, text: text},
        text: [{text: {text: [text]}}, {text: []}],
        format!("{text}x"): {text: {text: text}},
        "last": text,
    })
}

fn awkward_documents() -> Vec<Value> {
    let mut documents: Vec<Value> = AWKWARD.iter().map(|text| everywhere(text)).collect();
    let long = "word ".repeat(4000);
    documents.extend([&*long, &"k".repeat(2000), &"ü".repeat(1500), &format!("{long}\n  x\n")].map(everywhere));
    documents.extend([
        json!({}),
        json!({"a": null, "b": [], "c": {}, "d": [[], {}, null], "e": [[[]]], "f": true, "g": false}),
        json!({"n": [0, -1, 7, u64::MAX, i64::MIN, 0.5, -0.25, 1.0, 1e16, 1.5e300, 1e-7, -2.5e-9, f64::MAX, f64::MIN_POSITIVE]}),
    ]);
    documents
}

#[test]
fn pyyaml_reads_exactly_what_was_written() {
    check_with_pyyaml(&awkward_documents());
}

#[test]
fn a_yaml_1_2_parser_reads_the_structure_and_the_texts_that_were_written() {
    for document in awkward_documents() {
        assert_eq!(read(&write(&document)), document, "{}", write(&document));
    }
}

#[test]
fn documents_look_as_the_original_writes_them() {
    let document = json!({
        "runcmd": ["echo compute", ["a", "-b"]],
        "ssh_deletekeys": false,
        "write_files": [{"content": "c2VjcmV0\n", "owner": "munge:munge", "path": "/a", "permissions": "0400"}, {}],
        "hosts": "a\nb",
        "nested": {"deep": {"a": "yes"}},
    });
    let expected = "\
hosts: |-
  a
  b
nested:
  deep:
    a: \"yes\"
runcmd:
- echo compute
- - a
  - '-b'
ssh_deletekeys: false
write_files:
- content: |
    c2VjcmV0
  owner: munge:munge
  path: /a
  permissions: \"0400\"
- {}
";
    assert_eq!(write(&document), expected);
    assert_eq!(mapping([]), "{}\n");
}

#[test]
fn texts_are_quoted_and_broken_as_the_original_does() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLtQNuzGcMDatF+YVMMkuxbX2c5v2OxWftBhEVfFb+U admin@demo two";
    let words = "word ".repeat(18);
    let document = json!({
        "address": "172.16.0.1",
        "blank": " x ",
        "colon": "a: b",
        "keys": [key],
        "quotes": format!("\"it's\" {words}x  y z"),
        "time": "12:30",
        "tab": format!("\t{words}"),
    });
    let expected = "\
address: 172.16.0.1
blank: ' x '
colon: 'a: b'
keys:
- ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLtQNuzGcMDatF+YVMMkuxbX2c5v2OxWftBhEVfFb+U
  admin@demo two
quotes: '\"it''s\" word word word word word word word word word word word word word
  word word word word word x  y z'
tab: \"\\tword word word word word word word word word word word word word word word
  word word word \"
time: \"12:30\"
";
    assert_eq!(write(&document), expected);
}

fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(AWKWARD).prop_map(str::to_owned),
        3 => "[ -~\\n\\t]{0,12}",
        2 => "[ \\n:#'\"a-]{0,9}",
        1 => any::<String>(),
        1 => "[0-9eE_.:+-]{1,9}",
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        6 => texts().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(texts(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn pyyaml_reads_any_tree_as_it_was(trees in proptest::collection::vec(values(), 250)) {
        let documents: Vec<Value> = trees.into_iter().map(|tree| json!({ "tree": tree })).collect();
        check_with_pyyaml(&documents);
    }
}
