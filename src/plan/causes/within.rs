//! Which part of a document or of a text differs.

use std::collections::BTreeSet;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::inventory::{Stretch, step, text_line};

/// The JSON pointers of what differs in a document, `pointer` in front. Where a key or an item is gone, that of what it
/// was in.
pub(super) fn documents(old: Option<&Value>, new: Option<&Value>, pointer: &str) -> Vec<String> {
    let mut found = Vec::new();
    compare(old, new, pointer, &mut found);
    found
}

/// The depth of the recursion is that of the tree, which is bounded where it is read.
fn compare(old: Option<&Value>, new: Option<&Value>, pointer: &str, found: &mut Vec<String>) {
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for (key, value) in new.iter().filter(|(key, value)| old.get(*key) != Some(value)) {
                compare(old.get(key), Some(value), &step(pointer, key), found);
            }
            if old.keys().any(|key| !new.contains_key(key)) {
                found.push(pointer.to_owned());
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => items(old, new, pointer, found),
        (old, new) if old == new => {}
        (Some(Value::String(old)), Some(Value::String(new))) if old.contains('\n') && new.contains('\n') => {
            found.push(text_line(pointer, first_difference(old, new)));
        }
        _ => found.push(pointer.to_owned()),
    }
}

/// The number of the first line of the new text that differs; the last line where lines are gone from its end.
fn first_difference(old: &str, new: &str) -> usize {
    let same = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
    same.min(new.lines().count().saturating_sub(1))
}

/// Compares what lies between the items that are the same at the beginning and at the end of two lists.
fn items(old: &[Value], new: &[Value], pointer: &str, found: &mut Vec<String>) {
    let least = old.len().min(new.len());
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let tail = old.iter().rev().zip(new.iter().rev()).take(least - head).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    if new.is_empty() && !old.is_empty() {
        found.push(pointer.to_owned());
    }
    for (place, value) in new.iter().enumerate() {
        // Items stand for each other only where there are as many of them as before.
        let before = if old.len() == new.len() { old.get(place) } else { None };
        compare(before, Some(value), &step(pointer, &(head + place).to_string()), found);
    }
}

/// The lines whose part of a text differs.
///
/// Of the stretches that a difference touches, those count whose text was not there before: a stretch between two that
/// changed is none that changed. Where words are only taken away, nothing tells more than what they stood beside.
pub(super) fn stretches(old: &str, new: &str, stretches: &[Stretch]) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let (mut at, mut gone, mut come) = (0, String::new(), String::new());
    let diff = TextDiff::from_words(old, new);
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Delete => gone.push_str(change.value()),
            ChangeTag::Insert => come.push_str(change.value()),
            ChangeTag::Equal => {
                found.extend(touched(&gone, &come, at, stretches));
                at += come.len() + change.value().len();
                gone.clear();
                come.clear();
            }
        }
    }
    found.extend(touched(&gone, &come, at, stretches));
    found
}

/// The lines of the stretches that a difference touches; `at` is where `come` begins in the whole text.
fn touched(gone: &str, come: &str, at: usize, stretches: &[Stretch]) -> BTreeSet<u32> {
    if gone.is_empty() && come.is_empty() {
        return BTreeSet::new();
    }
    let same = |(a, b): &(char, char)| a == b;
    let length = |(a, _): (char, char)| a.len_utf8();
    let head: usize = gone.chars().zip(come.chars()).take_while(same).map(length).sum();
    let tail = gone[head..].chars().rev().zip(come[head..].chars().rev());
    let tail: usize = tail.take_while(same).map(length).sum();
    let (start, end) = (at + head, at + come.len() - tail);
    let mut from = 0;
    let mut near: Vec<(u32, bool)> = Vec::new();
    for stretch in stretches {
        let to = from + stretch.text.len();
        let overlaps = if start < end { from < end && to > start } else { from <= start + 1 && to + 1 >= start };
        if let Some(line) = stretch.line.filter(|_| overlaps) {
            near.push((line, !gone.contains(&stretch.text)));
        }
        from = to;
    }
    let any_new = near.iter().any(|(_, new)| *new);
    near.into_iter().filter(|(_, new)| *new || !any_new).map(|(line, _)| line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(old: Value, new: Value) -> Vec<String> {
        documents(Some(&old), Some(&new), "/d")
    }

    #[test]
    fn what_differs_in_a_document_is_pointed_at() {
        assert_eq!(changed(json!({"a": {"b": 1, "c": 2}}), json!({"a": {"b": 1, "c": 3}})), ["/d/a/c"]);
        assert_eq!(changed(json!({"a": 1}), json!({"a": 1, "b/c": 2})), ["/d/b~1c"]);
        assert_eq!(changed(json!({"a": 1, "b": 2}), json!({"a": 1})), ["/d"], "what is gone has no line");
        assert_eq!(changed(json!({"a": 1}), json!({"a": 1})), Vec::<String>::new());
        assert_eq!(documents(None, Some(&json!({"a": 1})), "/d"), ["/d"]);
        assert_eq!(documents(Some(&json!(1)), None, "/d"), ["/d"]);
    }

    #[test]
    fn what_differs_in_a_list_is_found_between_what_is_the_same() {
        assert_eq!(changed(json!(["a", "b", "c"]), json!(["a", "x", "c"])), ["/d/1"]);
        assert_eq!(changed(json!(["a", "b"]), json!(["a", "n", "m", "b"])), ["/d/1", "/d/2"]);
        assert_eq!(changed(json!(["a", "b"]), json!(["b"])), ["/d"], "what is gone has no line");
        assert_eq!(changed(json!([{"p": 1, "q": 2}]), json!([{"p": 1, "q": 3}])), ["/d/0/q"]);
        assert_eq!(changed(json!(["a", "a"]), json!(["a", "a", "a"])), ["/d/2"]);
    }

    /// A kernel of the recipe: address, image and version on the lines 1, 2 and 3.
    fn kernel(ip: &str, image: &str, version: &str) -> (String, Vec<Stretch>) {
        let parts = [("http://", None), (ip, Some(1)), (":8080/", None), (image, Some(2)), ("/vmlinuz-", None)];
        let parts = parts.into_iter().chain([(version, Some(3))]);
        let parts: Vec<Stretch> = parts.map(|(text, line)| Stretch { text: text.to_owned(), line }).collect();
        (parts.iter().map(|part| part.text.as_str()).collect(), parts)
    }

    fn lines(old: &str, (new, parts): (String, Vec<Stretch>)) -> Vec<u32> {
        stretches(old, &new, &parts).into_iter().collect()
    }

    #[test]
    fn the_line_of_a_text_that_differs_first_is_pointed_at() {
        assert_eq!(changed(json!("a\nb\nc\n"), json!("a\nx\nc\n")), ["/d/|/1"]);
        assert_eq!(changed(json!("a\nb\n"), json!("a\n")), ["/d/|/0"], "where lines are gone, the one before them");
        assert_eq!(changed(json!("a"), json!("b")), ["/d"]);
    }

    #[test]
    fn the_line_whose_part_of_a_text_differs_is_found() {
        let (old, _) = kernel("10.0.0.1", "compute/latest", "4.18.0-553");
        assert_eq!(lines(&old, kernel("10.0.0.1", "compute/latest", "4.18.0-600")), [3]);
        assert_eq!(lines(&old, kernel("10.0.0.1", "compute/2026", "4.18.0-553")), [2]);
        assert_eq!(lines(&old, kernel("10.0.0.9", "compute/latest", "4.18.0-553")), [1]);
        assert_eq!(lines(&old, kernel("10.0.0.9", "compute/latest", "4.18.0-600")), [1, 3]);
        assert_eq!(lines(&old, kernel("10.0.0.1", "compute/latest", "4.18.0-553")), Vec::<u32>::new());
    }

    #[test]
    fn words_that_are_taken_away_are_told_by_what_they_stood_in() {
        let parts = [("root=live ro", Some(1)), (" ", None), ("quiet", Some(2))];
        let parts: Vec<Stretch> = parts.map(|(text, line)| Stretch { text: text.to_owned(), line }).into();
        let new = "root=live ro quiet";
        assert_eq!(stretches("root=live ro quiet splash", new, &parts), BTreeSet::from([2]));
        assert_eq!(stretches("root=live nomodeset ro quiet", new, &parts), BTreeSet::from([1]));
        assert_eq!(stretches("root=live ro splash quiet", new, &parts), BTreeSet::from([1, 2]), "nobody can tell");
        assert_eq!(stretches("anything", "", &[]), BTreeSet::new());
    }
}
