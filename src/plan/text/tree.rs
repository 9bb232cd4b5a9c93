//! A data tree as lines, in the manner of YAML, for comparing line by line. It is for reading only.

use serde_json::Value;

use super::fold;

/// The lines of a tree, indented by two columns a level. Keys stand in their sorted order.
pub(super) fn lines(tree: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    node(tree, 0, &mut lines);
    lines
}

fn node(tree: &Value, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match tree {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                entry(&format!("{indent}{}:", scalar(&Value::from(key.as_str()))), value, depth, lines);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for value in list {
                match value {
                    Value::Object(map) if !map.is_empty() => {
                        let start = lines.len();
                        node(value, depth + 1, lines);
                        if let Some(first) = lines.get_mut(start) {
                            first.replace_range(depth * 2..depth * 2 + 2, "- ");
                        }
                    }
                    _ => entry(&format!("{indent}-"), value, depth, lines),
                }
            }
        }
        other => lines.push(format!("{indent}{}", scalar(other))),
    }
}

/// What follows a key or a dash: a word on the same line, a block below it.
fn entry(head: &str, value: &Value, depth: usize, lines: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            lines.push(head.to_owned());
            node(value, depth + 1, lines);
        }
        Value::Array(list) if !list.is_empty() => {
            lines.push(head.to_owned());
            node(value, depth + 1, lines);
        }
        Value::String(text) if text.contains('\n') => {
            lines.push(format!("{head} |"));
            let indent = "  ".repeat(depth + 1);
            lines.extend(text.lines().map(|line| format!("{indent}{}", fold::escape(line))));
        }
        other => lines.push(format!("{head} {}", scalar(other))),
    }
}

/// A word as it is where nobody can mistake it for anything else, in quotes otherwise.
fn scalar(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let plain = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '.' | '_' | '$'))
        && !matches!(text.as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off")
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' ']);
    if plain { fold::escape(text).into_owned() } else { fold::escape(&value.to_string()).into_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_reads_like_yaml() {
        let tree = json!({
            "packages": ["slurmd", "true", ""],
            "ssh_deletekeys": false,
            "write_files": [{"path": "/etc/hosts", "content": "127.0.0.1 localhost\n::1 localhost\n"}, {}],
            "empty": {},
            "nested": [["a", 1]],
        });
        insta::assert_snapshot!(lines(&tree).join("\n"), @r#"
    empty: {}
    nested:
      -
        - a
        - 1
    packages:
      - slurmd
      - "true"
      - ""
    ssh_deletekeys: false
    write_files:
      - content: |
          127.0.0.1 localhost
          ::1 localhost
        path: /etc/hosts
      - {}
    "#);
    }

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(
            lines(&json!({"a": "x\u{1b}[31m", "b": "1\n\u{7}"})),
            ["a: x\\u{1b}[31m", "b: |", "  1", "  \\u{7}"]
        );
    }
}
