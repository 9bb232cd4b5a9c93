//! Many names and values in few characters, and texts of others made harmless.

use std::borrow::Cow;

use nodeset::{IdRangeList, NodeSet, Parser};

use super::series::Series;

/// The text with control characters and invisible direction marks spelled out, so that no name can move the cursor,
/// colour a line or pass for another.
pub(in crate::plan) fn escape(text: &str) -> Cow<'_, str> {
    let unsafe_char = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if !text.contains(unsafe_char) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().flat_map(|c| {
        let (spelled, plain) = if unsafe_char(c) { (Some(c.escape_default()), None) } else { (None, Some(c)) };
        spelled.into_iter().flatten().chain(plain)
    });
    Cow::Owned(escaped.collect())
}

/// A count with its noun.
pub(super) fn count(count: u64, noun: &str) -> String {
    let noun = match (count, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{noun}s"),
    };
    format!("{} {noun}", grouped(count))
}

/// A number with commas between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Names as a node set: `nid[001-009]`, `x1000c0s[0-3]b0`. Names that are no node names are listed, at most `listed`.
pub fn names(names: &[&str], listed: usize) -> String {
    if let Some(folded) = nodeset(names) {
        return folded;
    }
    let mut sorted: Vec<Cow<'_, str>> = names.iter().map(|name| escape(name)).collect();
    sorted.sort();
    sorted.dedup();
    let rest = sorted.len().saturating_sub(listed);
    sorted.truncate(listed);
    let list = sorted.join(", ");
    if rest == 0 { list } else { format!("{list} and {rest} more") }
}

/// The folded set, when it says the same as the names: words with numbers in them, nothing a node set gives a meaning.
fn nodeset(names: &[&str]) -> Option<String> {
    let plain = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if !names.iter().all(plain) {
        return None;
    }
    let mut distinct = names.to_vec();
    // Short names first puts numbers in their order; in any other the set sorts itself anew with every name.
    distinct.sort_unstable_by_key(|name| (name.len(), *name));
    distinct.dedup();
    // The parser without a resolver: the default one reads the machine's own group files.
    let set: NodeSet<IdRangeList> = Parser::default().parse(&distinct.join(",")).ok()?;
    (set.len() == distinct.len()).then(|| set.to_string())
}

/// Values that differ from node to node, in few words: a range where they count up, a list where they are few, else
/// what they begin with.
pub(super) fn values(values: &[String], ellipsis: &str) -> String {
    let mut distinct: Vec<&str> = values.iter().map(String::as_str).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let (Some(first), Some(last)) = (distinct.first(), distinct.last()) else { return String::new() };
    if let Some(range) = Series::of(&distinct).and_then(|series| series.text) {
        return range;
    }
    if distinct.len() <= LISTED_VALUES {
        return distinct.join(", ");
    }
    let common = first.chars().zip(last.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let stem = &first[..common];
    let stem = stem.rfind([':', '.', '/', '-', ' ']).map_or("", |cut| &stem[..=cut]);
    format!("{stem}{ellipsis} ({} values, --expand lists them)", grouped(distinct.len() as u64))
}

/// Values that are listed where they do not fold.
const LISTED_VALUES: usize = 3;

/// Puts items beside each other, as many on a line as fit.
pub(super) fn pack(items: &[String], separator: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    // A line that goes on below ends with what is left of the separator.
    let width = width.saturating_sub(separator.trim_end().len());
    for item in items {
        match lines.last_mut() {
            Some(line) if line.chars().count() + separator.len() + item.chars().count() <= width => {
                line.push_str(separator);
                line.push_str(item);
            }
            Some(line) => {
                line.push_str(separator.trim_end());
                lines.push(item.clone());
            }
            None => lines.push(item.clone()),
        }
    }
    lines
}

/// Breaks a long word list at commas and blanks. Lines after the first are shorter by nothing: the caller indents.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive([' ', ',']) {
        let line = lines.last_mut().expect("there is always a first line");
        if !line.is_empty() && line.chars().count() + word.trim_end().chars().count() > width {
            line.truncate(line.trim_end().len());
            lines.push(word.to_owned());
        } else {
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_to_a_node_set() {
        assert_eq!(names(&["nid003", "nid001", "nid002"], 9), "nid[001-003]");
        assert_eq!(names(&["x1000c0s0b0n0", "x1000c0s0b0n1"], 9), "x1000c0s0b0n[0-1]");
        assert_eq!(names(&["login"], 9), "login");
        let thousand: Vec<String> = (1..=1000).filter(|n| *n != 641).map(|n| format!("nid{n:04}")).collect();
        let thousand: Vec<&str> = thousand.iter().map(String::as_str).collect();
        assert_eq!(names(&thousand, 9), "nid[0001-0640,0642-1000]");
    }

    #[test]
    fn names_that_a_node_set_would_read_differently_are_listed() {
        assert_eq!(names(&["a:1", "b&c", "@all"], 9), "@all, a:1, b&c");
        assert_eq!(names(&["b 2", "a 1", "c 3"], 2), "a 1, b 2 and 1 more");
        assert_eq!(names(&["nid99999999999999999999", "n1"], 9), "n1, nid99999999999999999999");
    }

    #[test]
    fn texts_of_others_cannot_move_the_cursor() {
        assert_eq!(escape("a\u{1b}[2Jb\n\u{202e}c"), "a\\u{1b}[2Jb\\n\\u{202e}c");
        assert_eq!(names(&["x\u{7}"], 9), "x\\u{7}");
    }

    #[test]
    fn values_fold_to_a_range_to_a_list_or_to_what_they_share() {
        let fold = |list: &[&str]| values(&list.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>(), "…");
        assert_eq!(fold(&["172.16.4.2", "172.16.4.1", "172.16.4.10", "172.16.4.3"]), "172.16.4.[1-3,10]");
        assert_eq!(fold(&["nid007", "nid006"]), "nid[006-007]");
        assert_eq!(fold(&["same", "same"]), "same");
        assert_eq!(fold(&["login", "gateway"]), "gateway, login");
        assert_eq!(fold(&["rack-a", "rack-b", "rack-c", "rack-d"]), "rack-… (4 values, --expand lists them)");
        assert_eq!(fold(&["é", "è", "a", "b"]), "… (4 values, --expand lists them)");
    }

    #[test]
    fn items_are_kept_whole_where_a_line_ends() {
        let items = ["1 component", "2 interfaces", "1 boot entry"].map(str::to_owned);
        assert_eq!(pack(&items, ", ", 26), ["1 component, 2 interfaces,", "1 boot entry"]);
        assert_eq!(pack(&items, "   ", 15), items);
        assert_eq!(pack(&[], ", ", 30), Vec::<String>::new());
    }

    #[test]
    fn counts_read_well() {
        assert_eq!(count(1, "entry"), "1 entry");
        assert_eq!(count(12_345, "entry"), "12,345 entries");
        assert_eq!(count(0, "node"), "0 nodes");
    }
}
