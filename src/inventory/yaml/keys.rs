//! Keys of mappings.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::span::Span;
use super::{Data, Pair, Scalar, Yaml};
use crate::inventory::Code;
use crate::inventory::source::Sheet;
use crate::inventory::syntax;

/// What the next value of a mapping is.
pub(super) enum Slot<'t> {
    Key,
    Value(Scalar<'t>),
    Merge,
    /// The value of a key that was reported.
    Dropped,
    /// The same, when the key is half of an unquoted `{{ … }}`.
    Expression,
}

/// Reads the key of a mapping: a text that was not there before, or `<<`.
///
/// `bad` is set when the mapping as a whole says nothing, `restarted` when its keys come again from the first on.
pub(super) fn read<'t>(
    sheet: Sheet<'t>,
    key: Yaml<'t>,
    pairs: &[Pair<'t>],
    seen: &mut HashSet<Cow<'t, str>>,
    (bad, restarted): (&mut bool, &mut bool),
) -> Slot<'t> {
    let Data::Scalar(scalar) = key.data else {
        *bad = true;
        if matches!(key.data, Data::Bad) {
            return Slot::Dropped;
        }
        let doubled =
            sheet.source.text()[..key.span.start()].ends_with('{') && sheet.written(key.span).starts_with('{');
        if doubled && let Some(problem) = syntax::unquoted_expression(sheet, key.span.start()) {
            sheet.push(problem);
            return Slot::Expression;
        }
        let problem = sheet.problem(Code::ComplexKey, key.span, "a key has to be a text").label("not a text");
        sheet.push(problem.help("write a single word; put a value that starts with `{`, `[` or `?` in quotes"));
        return Slot::Dropped;
    };
    if scalar.plain && scalar.text == "<<" {
        return Slot::Merge;
    }
    if seen.insert(scalar.text.clone()) {
        return Slot::Value(scalar);
    }
    let place = pairs.iter().position(|pair| pair.key.text == scalar.text);
    // When all keys come again from the first on, the first of them says why; the others would repeat it.
    let again = place.is_some_and(|at| at > 0) && *restarted;
    if again {
        return Slot::Dropped;
    }
    let mut problem = sheet
        .problem(Code::DuplicateKey, scalar.span, format!("the key `{}` is given twice", scalar.text))
        .label("given again")
        .help("remove one of the two");
    if let Some(first) = place.and_then(|at| pairs.get(at)) {
        problem = problem.related(sheet.place(first.key.span), "first given here");
        let before = &sheet.source.text()[..first.key.span.start()];
        if place == Some(0) && before.ends_with("- ") {
            *restarted = true;
            problem = problem.help("remove one of the two; if another item starts here, write `- ` in front of it");
        }
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
        sheet.push(syntax::tab(sheet, at));
    }
}
