//! Keys of mappings.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Data, Pair, Scalar, Span, Yaml};
use crate::inventory::Code;
use crate::inventory::source::Sheet;

/// What the next value of a mapping is.
pub(super) enum Slot<'t> {
    Key,
    Value(Scalar<'t>),
    Merge,
    /// The value of a key that was reported.
    Dropped,
}

/// Reads the key of a mapping: a text that was not there before, or `<<`.
pub(super) fn read<'t>(
    sheet: Sheet<'t>,
    key: Yaml<'t>,
    pairs: &[Pair<'t>],
    seen: &mut HashSet<Cow<'t, str>>,
    bad: &mut bool,
) -> Slot<'t> {
    let Data::Scalar(scalar) = key.data else {
        *bad = true;
        if matches!(key.data, Data::Bad) {
            return Slot::Dropped;
        }
        let mut problem = sheet.problem(Code::ComplexKey, key.span, "a key has to be a text").label("not a text");
        if sheet.source.text()[..key.span.start()].ends_with('{') && sheet.written(key.span).starts_with('{') {
            problem = problem.help("put the value in quotes: YAML reads `{{` as a mapping within a mapping");
        }
        sheet.push(problem);
        return Slot::Dropped;
    };
    if scalar.plain && scalar.text == "<<" {
        return Slot::Merge;
    }
    if seen.insert(scalar.text.clone()) {
        return Slot::Value(scalar);
    }
    let mut problem = sheet
        .problem(Code::DuplicateKey, scalar.span, format!("the key `{}` is given twice", scalar.text))
        .label("given again");
    if let Some(first) = pairs.iter().find(|pair| pair.key.text == scalar.text) {
        problem = problem.related(sheet.place(first.key.span), "first given here");
    }
    sheet.push(problem);
    Slot::Dropped
}

/// Reports a tab that indents the line of a key. The parser takes one behind blanks; the reader on the nodes does not.
pub(super) fn check_indentation(sheet: Sheet<'_>, key: Span) {
    let before = &sheet.source.text()[..key.start()];
    let blanks = &before[before.trim_end_matches([' ', '\t']).len()..];
    if let Some(at) = blanks.find('\t').filter(|_| before[..before.len() - blanks.len()].ends_with(['\n', '\r'])) {
        let at = before.len() - blanks.len() + at;
        sheet.push(crate::inventory::syntax::tab(sheet, at));
    }
}
