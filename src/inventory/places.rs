//! Where things are said: the lines of keys and items, and the lines that a value is put together from.
//!
//! A plan names the line that causes a change. A whole node or profile is too coarse for that: the line to name is the
//! one that somebody edited, which may be that of a variable used by another.

use std::borrow::Cow;
use std::ops::Add;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::source::Sheet;
use super::span::Span;
use super::walker::Fields;
use super::yaml::{Data, Pair, Scalar, Yaml};

/// The lines of the keys and items of one thing, by their JSON pointers within it: `/nid`, `/userdata/runcmd/2`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lines(Vec<(Cow<'static, str>, u32)>);

impl Lines {
    /// The line of a place; where it has none of its own, that of the nearest thing around it. Lines of a text are
    /// pointed at with [`text_line`].
    #[must_use]
    pub fn line(&self, pointer: &str) -> Option<u32> {
        let known = |pointer: &str| self.0.iter().find(|(known, _)| known == pointer).map(|(_, line)| *line);
        if let Some((text, number)) = pointer.rsplit_once("/|/")
            && let (Some(first), Ok(number)) = (known(&format!("{text}/|")), number.parse::<u32>())
        {
            return Some(first + number);
        }
        let mut pointer = pointer;
        loop {
            if let Some(line) = known(pointer) {
                return Some(line);
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }

    /// What begins on a line.
    #[must_use]
    pub fn at(&self, line: u32) -> Option<&str> {
        self.0.iter().find(|(_, known)| *known == line).map(|(pointer, _)| &**pointer)
    }

    /// True when nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lines that a change of a node may come from.
    pub(super) fn of_node(fields: &Fields<'_>) -> Self {
        let line = |span| fields.sheet.origin(span).line;
        let mut lines = Self::default();
        for (pointer, key) in POINTERS {
            if let Some(pair) = fields.pairs().iter().find(|pair| pair.key.text == *key) {
                lines.push(*pointer, line(pair.key.span));
            }
        }
        for (number, interface) in items(fields.get("interfaces")).iter().enumerate() {
            let mac = key(interface, "mac_addr").map_or(interface.span, |pair| pair.key.span);
            lines.push(format!("/interfaces/{number}"), line(mac));
            for (place, address) in items(key(interface, "ip_addrs").map(|pair| &pair.value)).iter().enumerate() {
                let ip = key(address, "ip_addr").map_or(address.span, |pair| pair.key.span);
                lines.push(format!("/interfaces/{number}/ip_addrs/{place}"), line(ip));
            }
        }
        lines
    }

    pub(super) fn push(&mut self, pointer: impl Into<Cow<'static, str>>, line: u32) {
        self.0.push((pointer.into(), line));
    }

    /// Adds the key that leads to a tree, and every key and item in it. The depth of the recursion is the depth of the
    /// tree, which is bounded.
    pub(super) fn push_tree(&mut self, sheet: Sheet<'_>, pointer: &str, key: Span, yaml: &Yaml<'_>) {
        self.push(pointer.to_owned(), sheet.origin(key).line);
        match &yaml.data {
            Data::Map(pairs) => {
                for pair in pairs.iter() {
                    self.push_tree(sheet, &step(pointer, &pair.key.text), pair.key.span, &pair.value);
                }
            }
            Data::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.push_tree(sheet, &step(pointer, &number.to_string()), item.span, item);
                }
            }
            Data::Scalar(scalar) => {
                if let Some(line) = block(sheet, scalar) {
                    self.push(format!("{pointer}/|"), line);
                }
            }
            Data::Bad => {}
        }
    }
}

/// The items of a list; none of anything else, which is reported where it is read.
fn items<'y>(yaml: Option<&'y Yaml<'y>>) -> &'y [Yaml<'y>] {
    match yaml.map(|yaml| &yaml.data) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

fn key<'y>(yaml: &'y Yaml<'y>, name: &str) -> Option<&'y Pair<'y>> {
    match &yaml.data {
        Data::Map(pairs) => pairs.iter().find(|pair| pair.key.text == name),
        _ => None,
    }
}

/// The keys of a node that hold one value, and how they are pointed at.
const POINTERS: &[(&str, &str)] = &[
    ("/name", "name"),
    ("/xname", "xname"),
    ("/nid", "nid"),
    ("/group", "group"),
    ("/groups", "groups"),
    ("/role", "role"),
    ("/subrole", "subrole"),
    ("/arch", "arch"),
    ("/class", "class"),
    ("/bmc_mac", "bmc_mac"),
    ("/bmc_ip", "bmc_ip"),
    ("/bmc_fqdn", "bmc_fqdn"),
];

/// The first line of a text of several lines that stands in the file as it is, below `|`.
pub(super) fn block(sheet: Sheet<'_>, scalar: &Scalar<'_>) -> Option<u32> {
    let mut lines = scalar.text.lines().filter(|_| !scalar.plain && scalar.text.contains('\n')).peekable();
    lines.peek()?;
    let first = sheet.origin(scalar.span).line;
    let at = |line: u32| sheet.source.line(usize::try_from(line - 1).unwrap_or(usize::MAX)).trim();
    let text: Vec<&str> = lines.map(str::trim).collect();
    // The parser says of a block either the line of its `|` or the one below it.
    [first, first + 1].into_iter().find(|first| (*first..).zip(&text).all(|(line, text)| at(line) == *text))
}

/// The pointer of a line of a text, counted from 0.
#[must_use]
pub fn text_line(pointer: &str, number: usize) -> String {
    format!("{pointer}/|/{number}")
}

/// A JSON pointer one step further.
#[must_use]
pub fn step(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A stretch of a value, and the line that says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The text.
    pub text: String,
    /// The line; none for what no file says, such as the path of a kernel on the head node.
    pub line: Option<u32>,
}

/// What the values of a boot profile are put together from. All lines are those of `cluster.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootStretches {
    /// Of the kernel's URL.
    pub kernel: Arc<[Stretch]>,
    /// Of the initrd's URL.
    pub initrd: Arc<[Stretch]>,
    /// Of the kernel command line.
    pub params: Arc<[Stretch]>,
}

/// A text and what it is put together from. Two are put together with `+`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Traced(Vec<Stretch>);

impl Traced {
    /// A text that one line says.
    pub(super) fn said(text: impl Into<String>, line: u32) -> Self {
        Self(vec![Stretch { text: text.into(), line: Some(line) }])
    }

    /// A text that no file says.
    pub(super) fn fixed(text: &str) -> Self {
        Self(vec![Stretch { text: text.to_owned(), line: None }])
    }

    /// How many parts it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The whole text.
    pub(super) fn text(&self) -> String {
        self.0.iter().map(|stretch| stretch.text.as_str()).collect()
    }

    /// The same without some characters at both ends.
    pub(super) fn trimmed(mut self, unwanted: impl Fn(char) -> bool) -> Self {
        while let Some(first) = self.0.first_mut() {
            first.text = first.text.trim_start_matches(&unwanted).to_owned();
            if !first.text.is_empty() {
                break;
            }
            self.0.remove(0);
        }
        while let Some(last) = self.0.last_mut() {
            last.text.truncate(last.text.trim_end_matches(&unwanted).len());
            if !last.text.is_empty() {
                break;
            }
            self.0.pop();
        }
        self
    }

    /// Its parts.
    pub(super) fn stretches(&self) -> Arc<[Stretch]> {
        self.0.as_slice().into()
    }
}

impl Add for Traced {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_without_a_line_has_that_of_what_is_around_it() {
        let mut lines = Lines::default();
        lines.push("/userdata", 3);
        lines.push(step("/userdata", "a/b"), 4);
        assert_eq!(lines.line("/userdata/a~1b/7"), Some(4));
        assert_eq!(lines.line("/userdata/runcmd/0"), Some(3));
        assert_eq!(lines.line("/metadata"), None);
    }

    #[test]
    fn trimming_takes_stretches_away_that_have_nothing_else() {
        let text = Traced::said(" ", 1) + Traced::said(" a b", 2) + Traced::said("\n", 3);
        assert_eq!(text.trimmed(char::is_whitespace), Traced::said("a b", 2));
    }
}
