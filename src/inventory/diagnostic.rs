//! A problem in an inventory: what, where, and what to do about it.

use std::cell::RefCell;
use std::sync::Arc;

use super::code::{Code, Severity};

/// A stretch of a file. Lines and columns count from 1, columns in characters; the end is the first place behind it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Path below the inventory directory, with `/` between the parts.
    pub file: Arc<str>,
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column behind the last character.
    pub end_column: u32,
    /// Offset of the first byte in the text.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

/// A text that would mend the problem if it stood in place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Why, as `a field with a similar name exists`.
    pub message: String,
    /// What to replace.
    pub place: Place,
    /// What to write there.
    pub replacement: String,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of problem.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is; none when it is about the directory as a whole.
    pub place: Option<Place>,
    /// Name of the node concerned.
    pub node: Option<String>,
    /// What is wrong, in one line.
    pub message: String,
    /// A few words beside the place; may be empty.
    pub label: String,
    /// How to mend it.
    pub help: Option<String>,
    /// Other places that explain it, each with a few words.
    pub related: Vec<(Place, String)>,
    /// A replacement that mends it.
    pub suggestion: Option<Suggestion>,
}

impl Diagnostic {
    /// A problem with the usual severity of its code.
    pub(super) fn new(code: Code, place: Option<Place>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            place,
            node: None,
            message: message.into(),
            label: String::new(),
            help: None,
            related: Vec::new(),
            suggestion: None,
        }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn node(mut self, node: Option<&str>) -> Self {
        self.node = node.map(str::to_owned);
        self
    }

    pub(super) fn related(mut self, place: Place, words: impl Into<String>) -> Self {
        self.related.push((place, words.into()));
        self
    }

    pub(super) fn suggest(mut self, message: &str, place: Place, replacement: impl Into<String>) -> Self {
        self.suggestion = Some(Suggestion { message: message.to_owned(), place, replacement: replacement.into() });
        self
    }
}

/// Collects the problems of one load. Checks share it, and none of them needs to know about the others.
#[derive(Debug, Default)]
pub(super) struct Report(RefCell<Vec<Diagnostic>>);

impl Report {
    pub(super) fn push(&self, diagnostic: Diagnostic) {
        self.0.borrow_mut().push(diagnostic);
    }

    /// True when a file has an error.
    pub(super) fn has_error_in(&self, file: &str) -> bool {
        let problems = self.0.borrow();
        let of_file = |problem: &&Diagnostic| problem.place.as_ref().is_some_and(|place| &*place.file == file);
        problems.iter().filter(of_file).any(|problem| problem.severity == Severity::Error)
    }

    /// Names the node in every problem of a file that names none, where the offset at which it starts tells one.
    pub(super) fn name_nodes(&self, file: &str, node_at: impl Fn(usize) -> Option<Arc<str>>) {
        for problem in self.0.borrow_mut().iter_mut().filter(|problem| problem.node.is_none()) {
            let place = problem.place.as_ref().filter(|place| &*place.file == file);
            problem.node = place.and_then(|place| node_at(place.start)).map(|name| name.to_string());
        }
    }

    /// The problems so far, which are no longer in it.
    pub(super) fn take(&self) -> Vec<Diagnostic> {
        self.0.take()
    }

    pub(super) fn into_inner(self) -> Vec<Diagnostic> {
        self.0.into_inner()
    }
}
