//! Characters that mean something else to YAML than to the person who wrote them, and the marks of a merge.

use super::super::diagnostic::Diagnostic;
use super::super::source::Sheet;
use super::super::span::Span;
use super::{Code, token};

/// Git's markers of a merge conflict, of which the first is shown; none unless there are a first and a last one.
pub(in crate::inventory) fn merge_conflict(sheet: Sheet<'_>) -> Option<Diagnostic> {
    let text = sheet.source.text();
    let line = |marker: &str| match text.starts_with(marker) {
        true => Some(0),
        false => text.find(&format!("\n{marker}")).map(|at| at + 1),
    };
    let (start, end) = (line("<<<<<<< ")?, line(">>>>>>> ")?);
    let of = |at: usize| Span::new(at, sheet.source.line_range(sheet.source.line_at(at)).end);
    let problem = sheet.problem(Code::MergeConflict, of(start), "a merge conflict is not resolved");
    Some(
        problem
            .label("one side starts here")
            .related(sheet.place(of(end)), "the other side ends here")
            .help("choose what is right and remove the lines with `<<<<<<<`, `=======` and `>>>>>>>`"),
    )
}

/// A value that starts with `{{` and is not in quotes, in the line of an offset or the one above.
pub(in crate::inventory) fn unquoted_expression(sheet: Sheet<'_>, offset: usize) -> Option<Diagnostic> {
    let here = sheet.source.line_at(offset);
    [Some(here), here.checked_sub(1)].into_iter().flatten().find_map(|line| {
        let (range, text) = (sheet.source.line_range(line), sheet.source.line(line));
        let at = [": {{", "- {{"].iter().filter_map(|start| text.find(start)).min()? + 2;
        let value = text[at..].split(" #").next().unwrap_or("").trim_end();
        let span = Span::new(range.start + at, range.start + at + value.len());
        let quote = if value.contains('"') { '\'' } else { '"' };
        let problem = sheet.problem(Code::ComplexKey, span, "a value that starts with `{{` has to be in quotes");
        let problem = problem.label("YAML reads `{` as the start of a mapping").help("put the whole value in quotes");
        if sheet.source.is_private() {
            return Some(problem);
        }
        Some(problem.suggest("the same in quotes", sheet.place(span), format!("{quote}{value}{quote}")))
    })
}

/// A blank that is none to YAML, as word processors and web pages have it, in front of a line.
pub(super) fn odd_blank(sheet: Sheet<'_>, offset: usize) -> Option<Diagnostic> {
    let here = sheet.source.line_at(offset);
    [Some(here), here.checked_sub(1)].into_iter().flatten().find_map(|line| {
        let (range, text) = (sheet.source.line_range(line), sheet.source.line(line));
        let blanks = text.len() - text.trim_start().len();
        let (at, blank) = text[..blanks].char_indices().find(|(_, c)| !c.is_ascii())?;
        let span = Span::new(range.start + at, range.start + at + blank.len_utf8());
        let problem = sheet.problem(Code::Indentation, span, "a blank that YAML does not know indents this line");
        let label = format!("the character U+{:04X}", u32::from(blank));
        Some(problem.label(label).help("write ordinary blanks; this one comes from a word processor or a web page"))
    })
}

/// A plain text that starts with a character that means something else to YAML.
pub(super) fn reserved_start(sheet: Sheet<'_>, info: &str, offset: usize) -> Option<Diagnostic> {
    let first = sheet.source.text()[offset..].chars().next()?;
    let label = match first {
        '*' if info.contains("unknown anchor") => "no value above has an anchor of this name",
        '%' | '@' | '`' if info.contains("unexpected character") => "the character is reserved",
        _ => return None,
    };
    let message = format!("a text that starts with `{first}` has to be in quotes");
    let problem = sheet.problem(Code::Syntax, token(sheet.source.text(), offset), message).label(label);
    Some(match first {
        '*' => problem.help("put it in quotes; if a value is to be repeated, write `&name` in front of the first"),
        _ => problem.help("put the whole value in quotes"),
    })
}

/// The unknown escape in a quoted text: the parser complains at its start or at the escape.
pub(super) fn escape(text: &str, offset: usize) -> Span {
    let line = &text[offset..offset + text[offset..].find(['\r', '\n']).unwrap_or(text.len() - offset)];
    let mut rest = line.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        if character == '\\'
            && let Some((_, next)) = rest.next()
            && !"0abtnvfre \"/\\N_LPxuU\t".contains(next)
        {
            return Span::new(offset + at, offset + at + 1 + next.len_utf8());
        }
    }
    token(text, offset)
}
