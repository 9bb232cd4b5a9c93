//! What differs between two texts: word by word for kernel command lines, line by line for documents.

use similar::{ChangeTag, TextDiff};

use super::TextOptions;
use super::fold;

/// Words of equal text that are shown on either side of a change.
const CONTEXT_WORDS: usize = 1;
/// Words longer than this are compared part by part.
const LONG_WORD: usize = 32;
/// Parts and separators of a long word that are shown on either side of a change.
const CONTEXT_PARTS: usize = 3;
/// Lines of equal text that are shown around a change.
const CONTEXT_LINES: usize = 2;
/// Documents are compared line by line up to this product of their numbers of lines; beyond it comparing might take
/// longer than anybody waits.
const MOST_LINES: usize = 4_000_000;

/// `… console=ttyS0,115200 [-quiet-]{+loglevel=4+} …`
pub(super) fn words(old: &str, new: &str, options: &TextOptions) -> String {
    let (old, new) = (fold::escape(old), fold::escape(new));
    let diff = TextDiff::from_words(&*old, &*new);
    let mut runs: Vec<(ChangeTag, String)> = Vec::new();
    for change in diff.iter_all_changes() {
        match runs.last_mut() {
            Some((tag, text)) if *tag == change.tag() => text.push_str(change.value()),
            _ => runs.push((change.tag(), change.value().to_owned())),
        }
    }
    let count = runs.len();
    let mut text = String::new();
    let mut skipped = false;
    for (place, (tag, run)) in runs.iter().enumerate() {
        if std::mem::take(&mut skipped) {
            continue;
        }
        if let (ChangeTag::Delete, Some((ChangeTag::Insert, new))) = (tag, runs.get(place + 1))
            && let Some(inside) = within(run, new, options)
        {
            text.push_str(&inside);
            skipped = true;
            continue;
        }
        match tag {
            ChangeTag::Equal => text.push_str(&elided(run, place == 0, place + 1 == count, options)),
            ChangeTag::Delete => text.push_str(&format!("[-{run}-]")),
            ChangeTag::Insert => text.push_str(&format!("{{+{run}+}}")),
        }
    }
    text
}

/// What differs within a long word, such as a URL: the parts between separators, with one on either side.
///
/// None for short words, and for those that have nothing in common.
fn within(old: &str, new: &str, options: &TextOptions) -> Option<String> {
    if old.contains(' ') || new.contains(' ') || old.len().max(new.len()) <= LONG_WORD {
        return None;
    }
    let (before, after) = (parts(old), parts(new));
    let least = before.len().min(after.len());
    let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let tail = before.iter().rev().zip(after.iter().rev()).take(least - head).take_while(|(a, b)| a == b).count();
    if head + tail == 0 {
        return None;
    }
    let left = match before[..head].split_at(head.saturating_sub(CONTEXT_PARTS)) {
        ([], near) => near.concat(),
        (_, near) => format!("{}{}", options.ellipsis(), near.concat()),
    };
    let end = &before[before.len() - tail..];
    let right = match end.split_at(tail.min(CONTEXT_PARTS)) {
        (near, []) => near.concat(),
        (near, _) => format!("{}{}", near.concat(), options.ellipsis()),
    };
    let gone = before[head..before.len() - tail].concat();
    let come = after[head..after.len() - tail].concat();
    let gone = if gone.is_empty() { gone } else { format!("[-{gone}-]") };
    let come = if come.is_empty() { come } else { format!("{{+{come}+}}") };
    Some(format!("{left}{gone}{come}{right}"))
}

/// A word cut at its separators, each of which is a part of its own.
fn parts(word: &str) -> Vec<&str> {
    let separators = word.match_indices(['/', '=', ',', '?', '&']);
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, separator) in separators {
        parts.extend([&word[from..at], separator].into_iter().filter(|part| !part.is_empty()));
        from = at + separator.len();
    }
    parts.extend(Some(&word[from..]).filter(|part| !part.is_empty()));
    parts
}

/// Equal text with its middle, or the end that touches no change, left out.
fn elided(run: &str, first: bool, last: bool, options: &TextOptions) -> String {
    let words: Vec<&str> = run.split(' ').filter(|word| !word.is_empty()).collect();
    let sides = 2 - usize::from(first) - usize::from(last);
    if words.len() <= CONTEXT_WORDS * sides + 1 {
        return run.to_owned();
    }
    let head = if first { Vec::new() } else { words[..CONTEXT_WORDS].to_vec() };
    let tail = if last { Vec::new() } else { words[words.len() - CONTEXT_WORDS..].to_vec() };
    let mut text = String::new();
    if run.starts_with(' ') && !first {
        text.push(' ');
    }
    text.push_str(&[head, vec![options.ellipsis()], tail].concat().join(" "));
    if run.ends_with(' ') && !last {
        text.push(' ');
    }
    text
}

/// A comparison line by line.
pub(super) struct Lines {
    /// Number of lines added.
    pub(super) added: usize,
    /// Number of lines removed.
    pub(super) removed: usize,
    /// The changes with some lines around them: a sign (`+`, `-` or blank) and the line.
    pub(super) shown: Vec<(char, String)>,
}

/// Compares two documents.
pub(super) fn lines(old: &[String], new: &[String], options: &TextOptions) -> Lines {
    let mut lines = Lines { added: new.len(), removed: old.len(), shown: Vec::new() };
    if old.len().saturating_mul(new.len()) > MOST_LINES {
        lines.shown.push((' ', format!("{} (too long to compare line by line)", options.ellipsis())));
        return lines;
    }
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    let diff = TextDiff::from_slices(&old, &new);
    (lines.added, lines.removed) = (0, 0);
    for (place, group) in diff.grouped_ops(CONTEXT_LINES).iter().enumerate() {
        if place > 0 {
            lines.shown.push((' ', options.ellipsis().to_owned()));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.added += usize::from(sign == '+');
            lines.removed += usize::from(sign == '-');
            lines.shown.push((sign, change.value().to_owned()));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(old: &str, new: &str) -> String {
        words(old, new, &TextOptions::default())
    }

    #[test]
    fn a_changed_word_stands_between_its_neighbours() {
        assert_eq!(
            diff(
                "root=live ip=dhcp console=ttyS0,115200 quiet selinux=0 ro nomodeset",
                "root=live ip=dhcp console=ttyS0,115200 loglevel=4 selinux=0 ro nomodeset"
            ),
            "… console=ttyS0,115200 [-quiet-]{+loglevel=4+} selinux=0 …"
        );
    }

    #[test]
    fn of_a_long_word_only_the_parts_around_the_change_are_shown() {
        let url = |image: &str| format!("http://172.16.0.254:8080/openchami/compute-slurm/{image}/boot/rootfs-4.18");
        assert_eq!(
            diff(&format!("root=live:{} ro", url("latest")), &format!("root=live:{} ro", url("2026"))),
            "…/compute-slurm/[-latest-]{+2026+}/boot/… ro"
        );
        assert_eq!(diff(&url("a"), &url("a/b")), "…/a/{+b/+}boot/rootfs-4.18");
        let (one, other) = ("a".repeat(40), "b".repeat(40));
        assert_eq!(diff(&one, &other), format!("[-{one}-]{{+{other}+}}"), "nothing is the same");
    }

    #[test]
    fn short_texts_are_not_shortened() {
        assert_eq!(diff("a quiet", "a loud"), "a [-quiet-]{+loud+}");
        assert_eq!(diff("", "quiet"), "{+quiet+}");
        assert_eq!(diff("a b c d e f", "x b c d e y"), "[-a-]{+x+} b … e [-f-]{+y+}");
    }

    #[test]
    fn lines_are_counted_and_shown_with_their_surroundings() {
        let list = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let lines = lines(&list("a b c d e f g h i"), &list("a b c d x f g h"), &TextOptions::default());
        assert_eq!((lines.added, lines.removed), (1, 2));
        let shown: String = lines.shown.iter().map(|(sign, line)| format!("{sign}{line}")).collect();
        assert_eq!(shown, " c d-e+x f g h-i");
    }

    #[test]
    fn documents_too_long_to_compare_are_counted_only() {
        let long: Vec<String> = (0..2100).map(|n| n.to_string()).collect();
        let lines = lines(&long, &long, &TextOptions::default());
        assert_eq!((lines.added, lines.removed, lines.shown.len()), (2100, 2100, 1));
    }
}
