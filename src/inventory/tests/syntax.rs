//! Mistakes in the writing of YAML, each with the place that is shown.

use super::{Code, first, load_with};

#[test]
fn syntax_errors_point_at_the_mistake() {
    let mut failures = Vec::new();
    use Code::{Indentation, MissingColon, Syntax, Tab, UnclosedBracket, UnclosedQuote};
    for (text, expected) in [
        // A quote left open, closed by a later quote, by none, and in a list.
        ("nodes:\n- name: \"nid001\n  xname: x1\n", (UnclosedQuote, 2, 9)),
        ("nodes:\n- name: 'nid001\n  xname: x1\n- name: 'nid002'\n", (UnclosedQuote, 2, 9)),
        ("nodes:\n- name: \"nid001\n  xname: \"x1\"\n  nid: 1\n", (UnclosedQuote, 2, 9)),
        ("nodes:\n- groups: ['a, 'b']\n  nid: 1\n", (Syntax, 2, 17)),
        // Indentation.
        ("nodes:\n  - name: a\n   xname: b\n", (Indentation, 3, 4)),
        ("nodes:\n  - name: a\n     xname: b\n", (Indentation, 3, 6)),
        ("nodes:\n  - name: a\n - name: b\n", (Indentation, 3, 2)),
        (
            "nodes:\n- name: a\n  interfaces:\n  - mac_addr: ec:e7:a7:05:a1:fc\n    ip_addrs:\n    - name: m\n     ip_addr: c\n",
            (Indentation, 7, 6),
        ),
        ("nodes:\n- name: a\nname: b\n  xname: c\n", (Indentation, 3, 1)),
        // Tabs.
        ("nodes:\n\t- name: a\n", (Tab, 2, 1)),
        ("nodes:\n- name: a\n\txname: b\n", (Tab, 3, 1)),
        ("nodes:\n- name: a\n  interfaces:\n  \t- mac_addr: b\n", (Tab, 4, 3)),
        // Files that were cut off.
        ("nodes:\n- name: a\n  xna", (MissingColon, 3, 3)),
        ("nodes:\n- name: a\n  groups: [compute, lo", (UnclosedBracket, 3, 11)),
        ("nodes:\n- name: a\n  interfaces:\n  - {mac_addr: b, ip_addrs: [", (UnclosedBracket, 4, 29)),
        ("nodes:\n- name: \"a", (UnclosedQuote, 2, 9)),
        // Brackets.
        ("nodes:\n- groups: [compute, login\n  nid: 1\n- name: b\n", (UnclosedBracket, 2, 11)),
        ("nodes:\n- groups: compute]\n  nid: 1\n", (Code::MissingField, 2, 3)),
        // Others.
        ("nodes:\n- name: a: b\n", (Syntax, 2, 10)),
        ("nodes:\n- name: 'a'b\n", (Syntax, 2, 12)),
        ("nodes:\n- name a\n  xname: b\n", (MissingColon, 2, 3)),
        ("nodes:\n- name:a\n  xname: b\n", (MissingColon, 2, 3)),
        ("nodes:\n- *other\n", (Syntax, 2, 3)),
        ("nodes: &a\n- *a\n", (Syntax, 2, 3)),
    ] {
        let found = first("nodes.yaml", text);
        if found != expected {
            failures.push(format!("{text:?}: {found:?}, not {expected:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn aliases_cannot_blow_up() {
    let mut text = String::from("name: compute\ncloud-init:\n  metadata:\n    a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let references = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("    a{level}: &a{level} [{references}]\n"));
    }
    assert_eq!(first("cloud-init/compute.yaml", &text).0, Code::TooLarge);
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = "name: compute\ncloud-init:\n  metadata:\n    base: &base {a: 1, b: 2}\n    both: {<<: *base, b: 3}\n";
    let loaded = load_with("cloud-init/compute.yaml", text.as_bytes());
    let inventory = loaded.inventory.unwrap();
    assert_eq!(inventory.cloud_init[0].metadata["both"], serde_json::json!({"a": 1, "b": 3}));
}

#[test]
fn a_tab_behind_blanks_is_found_and_one_within_brackets_is_not() {
    let text = |line: &str| format!("name: compute\ncloud-init:\n  userdata:\n{line}");
    assert_eq!(first("cloud-init/compute.yaml", &text("    \truncmd: []\n")), (Code::Tab, 4, 5));
    let flow = text("    {runcmd: [],\n    \tbootcmd: []}\n");
    assert!(load_with("cloud-init/compute.yaml", flow.as_bytes()).inventory.is_some());
}

#[test]
fn a_problem_with_the_yaml_names_the_node_in_which_it_is() {
    let mut failures = Vec::new();
    for (text, expected) in [
        // Reading went on.
        ("nodes:\n- name: a\n  nid: 1\n  nid: 2\n- name: b\n", Some("a")),
        ("nodes:\n- name: a\n- nid: 1\n  nid: 2\n  xname: x1\n", Some("x1")),
        ("nodes:\n- {name: a, nid: 1, nid: 2}\n", Some("a")),
        ("- name: a\n- name: b\n  nid: 1\n  nid: 2\n", Some("b")),
        ("nodes:\n- name: a\n  interfaces:\n  - mac_addr: m\n    mac_addr: n\n", Some("a")),
        ("nodes:\n- name: a\nnodes: []\n", None),
        ("other: 1\nother: 2\nnodes:\n- name: a\n", None),
        // Reading had to stop.
        ("nodes:\n- name: a\n  groups: [compute\n- name: b\n", Some("a")),
        ("nodes:\n- name: a\n- name: b\n  xna", Some("b")),
        ("nodes:\n- xname: x1\n  nid: 'one\n", Some("x1")),
        ("nodes:\n- name: 'nid001\n  xname: x1\n", Some("nid001")),
        ("nodes:\n- name: a\n  nid: 1\n- xname b\n  nid: 2\n", None),
        ("nodes:\n  - name: a\n   xname: b\n", Some("a")),
        ("nodes:\n  - name: a\n - name: b\n", Some("b")),
        (
            "nodes:\n- name: a\n  interfaces:\n  - mac_addr: m\n    ip_addrs:\n    - name: m\n     ip_addr: c\n",
            Some("a"),
        ),
        ("nodes:\n- name: a\n\txname: b\n", Some("a")),
        ("nodes:\n- name: a\nname: b\n  xname: c\n", None),
        ("nodes:\n\t- name: a\n", None),
    ] {
        let loaded = load_with("nodes.yaml", text.as_bytes());
        let of_yaml = |code: Code| code == Code::DuplicateKey || code.as_str() < "OS0100";
        let problem = loaded.diagnostics.iter().find(|problem| of_yaml(problem.code)).unwrap();
        if problem.node.as_deref() != expected {
            failures.push(format!("{text:?}: {:?}, not {expected:?}: {}", problem.node, problem.message));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
