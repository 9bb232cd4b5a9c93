//! The file of a group: what it is, and whether the node could read it.
//!
//! A file is a text within a text. It is read as a file of its own, and its problems are told at the lines of the file
//! that it stands in, where it stands there as it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::Code;
use super::super::diagnostic::{Diagnostic, Place, Report};
use super::super::document::Store;
use super::super::source::{Sheet, Source};
use super::super::span::Span;
use super::super::yaml::{self, Parsed, Scalar};
use super::super::{document, module_checks, places};
use crate::template::check;

/// What cloud-init tells the sort of a file by: how it begins.
const BEGINNINGS: [&str; 8] = [
    "#cloud-config",
    "#!",
    "#include",
    "#cloud-boothook",
    "#part-handler",
    "## template: jinja",
    "Content-Type:",
    "MIME-Version:",
];
/// The beginning of a template that the node fills in.
const JINJA: &str = "## template: jinja";
/// The beginning of what gzip makes; cloud-init unpacks it.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Checks the content of a file.
pub(super) fn check(sheet: Sheet<'_>, content: &Scalar<'_>, base64: bool) {
    if !base64 {
        return text(sheet, content, &content.text, places::block(sheet, content));
    }
    // The real server skips the ends of lines, and nothing else.
    let bare: Vec<u8> = content.text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    match STANDARD.decode(bare) {
        Ok(bytes) if bytes.starts_with(&GZIP) => {}
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(decoded) => text(sheet, content, &decoded, None),
            Err(_) => no_header(sheet, content.span),
        },
        Err(_) => {
            let problem = sheet.problem(Code::Base64, first_line(sheet, content.span), "the file is not base64");
            sheet.push(
                problem
                    .label("does not decode")
                    .help("encode it again: `base64 < FILE`; or write it as it is, with `encoding: plain`"),
            );
        }
    }
}

/// Checks a file that is a text. `block` is the line on which it begins, where its lines are lines of the inventory.
fn text(sheet: Sheet<'_>, content: &Scalar<'_>, text: &str, block: Option<u32>) {
    let mut lines = text.lines();
    let Some(first) = lines.next().filter(|_| !text.trim().is_empty()) else { return };
    let known = |line: &str| BEGINNINGS.iter().any(|known| line.starts_with(known));
    let second = lines.next().unwrap_or_default();
    if !known(first) || (first.starts_with(JINJA) && !known(second)) {
        return no_header(sheet, content.span);
    }
    let inner = Source::new(sheet.source.name(), text.to_owned());
    let window = Window { sheet, content: content.span, block, inner: &inner };
    if first.starts_with(JINJA) {
        if let Err(error) = check::syntax(text) {
            let line = inner.line_range(error.line.saturating_sub(1));
            let place = window.place(&inner.place(line.start, line.end));
            let message = format!("the template does not parse: {error}");
            let problem = Diagnostic::new(Code::Jinja, Some(place), message);
            sheet.push(problem.help("the node renders it with Jinja, as its first line says"));
        }
    } else if first.trim_end() == "#cloud-config" {
        cloud_config(&window);
    }
}

/// Checks a cloud-config as one of an entry is.
fn cloud_config(window: &Window<'_>) {
    let report = Report::default();
    let sheet = Sheet::new(window.inner, &report);
    if let Parsed::Tree(tree) = yaml::parse(sheet) {
        if !matches!(&tree.data, yaml::Data::Map(_)) {
            super::walker::wrong_type(sheet, &tree, "a cloud-config", "a mapping", None);
        }
        document::read(sheet, &tree, Store::Open, false);
        module_checks::check(sheet, &tree, false);
    }
    for mut problem in report.into_inner() {
        problem.place = problem.place.map(|place| window.place(&place));
        problem.related = problem.related.into_iter().map(|(place, words)| (window.place(&place), words)).collect();
        // A replacement has to hit what it replaces.
        problem.suggestion = problem.suggestion.filter(|_| window.block.is_some());
        if let Some(suggestion) = &mut problem.suggestion {
            suggestion.place = window.place(&suggestion.place);
        }
        window.sheet.push(problem);
    }
}

/// A file within a file of the inventory.
struct Window<'a> {
    sheet: Sheet<'a>,
    content: Span,
    /// The line on which it begins, where its lines are lines of the inventory.
    block: Option<u32>,
    inner: &'a Source,
}

impl Window<'_> {
    /// Where a place of the inner file is in the inventory; the beginning of the content where that cannot be told.
    fn place(&self, inner: &Place) -> Place {
        let last = inner.end.saturating_sub(1).max(inner.start);
        match (self.offset(inner.start), self.offset(last)) {
            (Some(start), Some(end)) => self.sheet.source.place(start, end + (inner.end - last)),
            _ => self.sheet.place(first_line(self.sheet, self.content)),
        }
    }

    fn offset(&self, at: usize) -> Option<usize> {
        let line = self.inner.line_at(at);
        let outer = self.sheet.source.line_range(usize::try_from(self.block?).ok()?.checked_sub(1)? + line);
        let inner = self.inner.line_range(line);
        let indent = outer.len().checked_sub(inner.len())?;
        Some(outer.start + indent + at.saturating_sub(inner.start).min(inner.len()))
    }
}

fn no_header(sheet: Sheet<'_>, content: Span) {
    let problem = sheet.problem(Code::NoHeader, first_line(sheet, content), "the node would ignore this file");
    sheet.push(
        problem
            .label("cloud-init tells a file by its first line")
            .help("begin it with `#cloud-config`; a template with `## template: jinja` above that"),
    );
}

/// The first line of a content: the whole of it is no help to the eye.
fn first_line(sheet: Sheet<'_>, content: Span) -> Span {
    let line = sheet.source.line_range(sheet.source.line_at(content.start()));
    Span::new(content.start(), content.end().min(line.end.max(content.start())))
}
