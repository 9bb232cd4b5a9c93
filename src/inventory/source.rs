//! The texts of an inventory, and the way from a byte to its line and column.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Code;
use super::diagnostic::{Diagnostic, Place, Report};
use super::span::Span;

/// A place in an inventory file, for `FILE:LINE` in plans. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Path below the inventory directory, `nodes.yaml`.
    pub file: Arc<str>,
    /// First line.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The texts that were read, by path below the inventory directory. Diagnostics are rendered with them.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<Arc<str>, Source>);

impl Sources {
    /// The text at a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Source> {
        self.0.get(path)
    }

    /// How many files were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when no file could be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.values()
    }

    pub(super) fn insert(&mut self, source: Source) {
        self.0.insert(source.name.clone(), source);
    }
}

/// One file's text.
#[derive(Clone)]
pub struct Source {
    name: Arc<str>,
    text: String,
    /// Offsets of the first byte of each line.
    lines: Vec<usize>,
    /// False for a text that stands in for one that could not be read, which is reported.
    pub(super) sound: bool,
    /// True for what a link that leads out of the inventory leads to: somebody's file, which was never meant to be
    /// shown.
    pub(super) outside: bool,
}

impl fmt::Debug for Source {
    /// Leaves the text out: it may be private.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Source {
    /// A text under its path below the inventory directory. Line ends are LF, CRLF and CR, as in YAML.
    pub(super) fn new(name: &str, text: String) -> Self {
        let bytes = text.as_bytes();
        let mut lines = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                lines.push(at + 1);
            }
        }
        Self { name: name.into(), text, lines, sound: true, outside: false }
    }

    /// The path below the inventory directory.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// True for an entry of the secure store, into which somebody may have written a secret, and for a file outside of
    /// the inventory: no diagnostic shows its text.
    pub(super) fn is_private(&self) -> bool {
        self.outside || self.name.rsplit_once('/').is_some_and(|(folder, _)| folder == super::folders::SECURE)
    }

    /// The text itself, without a byte order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The index of the line that holds a byte, from 0.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The bytes of a line, by its index from 0, without its line end.
    pub(super) fn line_range(&self, line: usize) -> std::ops::Range<usize> {
        let start = self.lines.get(line).copied().unwrap_or(self.text.len());
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
        let body = self.text.get(start..end).unwrap_or("").trim_end_matches(['\r', '\n']);
        start..start + body.len()
    }

    /// A line by its index from 0, without its line end.
    pub(super) fn line(&self, line: usize) -> &str {
        self.text.get(self.line_range(line)).unwrap_or("")
    }

    /// The place of a stretch of bytes. Offsets that are no character boundaries move down to one.
    pub(super) fn place(&self, start: usize, end: usize) -> Place {
        let start = self.text.floor_char_boundary(start);
        let end = self.text.floor_char_boundary(end).max(start);
        let (line, column) = self.line_and_column(start);
        let (end_line, end_column) = self.line_and_column(end);
        Place { file: self.name.clone(), line, column, end_line, end_column, start, end }
    }

    fn line_and_column(&self, offset: usize) -> (u32, u32) {
        let line = self.line_at(offset);
        let column = self.text.get(self.lines[line]..offset).unwrap_or("").chars().count();
        (number(line + 1), number(column + 1))
    }
}

/// A count as the 32-bit number of a place; files are far too small to exceed it.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A file under examination: its text and where its problems go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sheet<'s> {
    pub(super) source: &'s Source,
    report: &'s Report,
}

impl<'s> Sheet<'s> {
    pub(super) fn new(source: &'s Source, report: &'s Report) -> Self {
        Self { source, report }
    }

    pub(super) fn place(&self, span: Span) -> Place {
        self.source.place(span.start(), span.end())
    }

    /// The first and last line of a stretch, for the plan.
    pub(super) fn origin(&self, span: Span) -> Origin {
        let last = span.end().saturating_sub(1).max(span.start());
        Origin {
            file: self.source.name.clone(),
            line: number(self.source.line_at(span.start()) + 1),
            end_line: number(self.source.line_at(last) + 1),
        }
    }

    /// The text as it is written, quotes and all.
    pub(super) fn written(&self, span: Span) -> &'s str {
        self.source.text.get(span.start()..span.end()).unwrap_or("")
    }

    pub(super) fn problem(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Some(self.place(span)), message)
    }

    pub(super) fn push(&self, diagnostic: Diagnostic) {
        self.report.push(diagnostic);
    }

    /// Names the node in every problem of this file that names none, where the offset at which it starts tells one.
    pub(super) fn name_nodes(&self, node_at: impl Fn(usize) -> Option<Arc<str>>) {
        self.report.name_nodes(self.source.name(), node_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_every_kind_of_line_end() {
        let source = Source::new("f", "a\nbü€d\r\nc\rd".into());
        let place = source.place(source.text.find('d').unwrap(), source.text.find('d').unwrap() + 1);
        assert_eq!((place.line, place.column, place.end_line, place.end_column), (2, 4, 2, 5));
        let end = source.text.len();
        assert_eq!(source.place(end, end).line, 4);
        assert_eq!((source.line(1), source.line(2), source.line(9)), ("bü€d", "c", ""));
    }

    #[test]
    fn an_offset_within_a_character_moves_to_its_start() {
        let source = Source::new("f", "€".into());
        assert_eq!(source.place(1, 2).column, 1);
    }
}
