//! What a YAML parser's complaint means to the person who wrote the file.
//!
//! A parser complains where it gives up, which is often lines behind the mistake. This looks at the text around that
//! point for the usual mistakes: a quote or bracket left open, a tab, a line indented wrongly, a key without its colon.

mod characters;
mod indentation;

use super::Code;
use super::diagnostic::Diagnostic;
use super::source::Sheet;
use super::span::Span;

pub(super) use self::characters::{merge_conflict, unquoted_expression};

/// The problem behind a parser's message.
///
/// `offset` is where the parser gave up, `open` are the offsets of the collections it was in, and `last` is where the
/// last thing that it understood ended.
pub(super) fn explain(sheet: Sheet<'_>, info: &str, offset: usize, open: &[usize], last: usize) -> Diagnostic {
    let text = sheet.source.text();
    let offset = text.floor_char_boundary(offset);
    let tokens = Tokens::scan(text, text.floor_char_boundary(last), offset);
    let flow = open.iter().copied().rfind(|at| matches!(text.as_bytes().get(*at), Some(b'[' | b'{')));

    if let Some(start) = open_quote(text, info, offset, &tokens) {
        return quote(sheet, start);
    }
    let expression = open.iter().copied().find(|at| text[*at..].starts_with("{{"));
    let special = expression.and_then(|at| unquoted_expression(sheet, at));
    let special = special.or_else(|| characters::odd_blank(sheet, offset));
    if let Some(problem) = special.or_else(|| characters::reserved_start(sheet, info, offset)) {
        return problem;
    }
    if let Some(tab) = indenting_tab(sheet, info, offset) {
        return self::tab(sheet, tab);
    }
    // An innermost bracket that is closed further down is not the mistake.
    if let Some(start) = tokens.brackets.last().copied().or(flow)
        && Tokens::scan(text, start, text.len()).brackets.contains(&start)
    {
        let bracket = &text[start..=start];
        let closing = if bracket == "[" { "]" } else { "}" };
        return sheet
            .problem(Code::UnclosedBracket, Span::new(start, start + 1), format!("this `{bracket}` is not closed"))
            .label(format!("no `{closing}` belongs to it"))
            .help(format!("write `{closing}` behind the last item"));
    }
    if info.contains("escape") {
        let problem =
            sheet.problem(Code::Syntax, characters::escape(text, offset), "a `\\` that starts no known escape");
        return problem
            .label("within double quotes `\\` is special")
            .help("write `\\\\` for one `\\`, or put the text in single quotes");
    }
    if info.contains("simple key") {
        let end = text[..offset].trim_end().len().saturating_sub(1);
        // A text without a colon takes the lines below it in; the first of them is the mistake.
        let start = last + text.get(last..end).map_or(0, |rest| rest.len() - rest.trim_start().len());
        let first = sheet.source.line_at(start).min(sheet.source.line_at(end));
        let behind = sheet.source.line_range(first).start >= last;
        let line = if behind { first } else { sheet.source.line_at(end) };
        return indentation::end_of_block(sheet, line).unwrap_or_else(|| missing_colon(sheet, line));
    }
    if info.contains("must be followed by a valid YAML whitespace")
        && let Some(at) = text[..offset + 1].rfind('\t').filter(|at| text[*at..offset].trim().is_empty())
    {
        let problem = sheet.problem(Code::Tab, Span::new(at, at + 1), "a tab stands behind the `:`");
        return problem.label("a tab").help("write a blank; YAML does not allow a tab here");
    }
    if info.contains("trailing content") {
        return sheet
            .problem(Code::Syntax, token(text, offset), "text behind the closing quote")
            .label("the quoted text ended before this")
            .help("write a quote within single quotes twice: `'it''s'`; within double quotes as `\\\"`");
    }
    if info.contains("mapping values are not allowed") && colon_in_value(sheet, offset) {
        return sheet
            .problem(Code::Syntax, Span::new(offset, offset + 1), "a second `: ` in this line")
            .label("a plain text cannot contain `: `")
            .help("put the value in quotes");
    }
    if info.contains("mapping values are not allowed")
        && let Some(line) = line_without_colon(sheet, offset)
    {
        return missing_colon(sheet, line);
    }
    if is_structural(info)
        && flow.is_none()
        && let Some(problem) = indentation::explain(sheet, sheet.source.line_at(offset))
    {
        return problem;
    }
    if flow.is_some() && text[offset..].starts_with(',') {
        let problem =
            sheet.problem(Code::Syntax, Span::new(offset, offset + 1), "a `,` without a value in front of it");
        return problem.label("nothing to separate").help("remove it, or write the value in front of it");
    }
    sheet
        .problem(Code::Syntax, token(text, offset), format!("this is not YAML: {}", plain_words(info)))
        .label("reading had to stop here")
        .help("look at this line and the one above it; a text with special characters belongs in quotes")
}

/// What stands between two offsets: quoted texts and brackets that are open at the end.
struct Tokens {
    /// The first quoted text that spans lines, and where it ends.
    long_quote: Option<(usize, usize)>,
    /// The brackets left open, outermost first.
    brackets: Vec<usize>,
}

impl Tokens {
    fn scan(text: &str, from: usize, to: usize) -> Self {
        let bytes = text.as_bytes();
        let mut found = Self { long_quote: None, brackets: Vec::new() };
        let mut at = from;
        // A token starts behind a blank, a bracket or a comma; a quote anywhere else is an ordinary character.
        let mut fresh = true;
        while at < to {
            match bytes[at] {
                b'#' if fresh => at = line_end(bytes, at),
                quote @ (b'"' | b'\'') if fresh => {
                    let end = closing_quote(bytes, at, quote);
                    if found.long_quote.is_none() && bytes[at..end].contains(&b'\n') {
                        found.long_quote = Some((at, end));
                    }
                    at = end.max(at + 1);
                    fresh = false;
                    continue;
                }
                b'[' | b'{' if fresh => found.brackets.push(at),
                b']' | b'}' => {
                    found.brackets.pop();
                }
                _ => {}
            }
            fresh = matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n' | b'[' | b'{' | b',' | b':' | b'-'));
            at += 1;
        }
        found
    }
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |step| at + step)
}

/// Where a quoted text ends: behind its closing quote, or at the end of the file.
fn closing_quote(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => at += 1,
            byte if *byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The quote that was forgotten to be closed, if that is the mistake.
///
/// A quoted text may span lines, so the next quote below closes it, and the parser complains about what follows that.
fn open_quote(text: &str, info: &str, offset: usize, tokens: &Tokens) -> Option<usize> {
    if let Some((start, end)) = tokens.long_quote {
        let complaint_about_it = end <= offset && text[end..offset].trim().is_empty();
        if complaint_about_it || end >= offset || text[start..end].contains(": ") {
            return Some(start);
        }
    }
    (info.contains("quoted scalar") && info.contains("scanning") && text[offset..].starts_with(['"', '\'']))
        .then_some(offset)
        .or_else(|| info.contains("indentation in quoted").then_some(offset))
}

fn quote(sheet: Sheet<'_>, start: usize) -> Diagnostic {
    let end = sheet.source.line_range(sheet.source.line_at(start)).end;
    let quote = sheet.source.text()[start..].chars().next().unwrap_or('"');
    sheet
        .problem(Code::UnclosedQuote, Span::new(start, end), format!("this `{quote}` is not closed"))
        .label("the quote opens here and does not close in this line")
        .help(format!("write `{quote}` at the end of the text, or remove this one"))
}

/// The tab that indents the line at which the parser gave up, or one beside it.
fn indenting_tab(sheet: Sheet<'_>, info: &str, offset: usize) -> Option<usize> {
    let line = sheet.source.line_at(offset);
    let find = |line: usize| {
        let range = sheet.source.line_range(line);
        let text = sheet.source.line(line);
        let blanks = text.len() - text.trim_start_matches([' ', '\t']).len();
        text[..blanks].find('\t').map(|at| range.start + at)
    };
    find(line)
        .or_else(|| line.checked_sub(1).and_then(find))
        .or_else(|| find(line + 1))
        .or_else(|| (info.contains("tab") && sheet.source.text()[offset..].starts_with('\t')).then_some(offset))
}

/// The line above, if it is as deep as the one at which the parser gave up, and has a text where a key should be.
fn line_without_colon(sheet: Sheet<'_>, offset: usize) -> Option<usize> {
    let line = sheet.source.line_at(offset);
    let body = |line: usize| {
        let text = sheet.source.line(line);
        let body = text.trim_start().trim_start_matches("- ").trim_start();
        (text.len() - body.len(), body.trim_end())
    };
    let (column, _) = body(line);
    let (above, words) = body(line.checked_sub(1)?);
    let key = words.contains(": ") || words.ends_with(':') || words.starts_with('#') || words.is_empty();
    (above == column && !key).then_some(line - 1)
}

/// A tab that indents a line.
pub(super) fn tab(sheet: Sheet<'_>, at: usize) -> Diagnostic {
    sheet
        .problem(Code::Tab, Span::new(at, at + 1), "a tab indents this line")
        .label("a tab")
        .help("indent with blanks; YAML does not allow tabs here")
}

/// A text that stands where a key should, as the last line of a file that was cut off does.
fn missing_colon(sheet: Sheet<'_>, line: usize) -> Diagnostic {
    let range = sheet.source.line_range(line);
    let body = sheet.source.line(line);
    let start = range.start + body.len() - body.trim_start().trim_start_matches("- ").trim_start().len();
    let end = range.start + body.trim_end().len();
    let words = &sheet.source.text()[start.min(end)..end];
    let message = match sheet.source.is_private() {
        true => "no `:` follows this text".to_owned(),
        false => format!("no `:` follows `{}`", shorten(words)),
    };
    let problem = sheet
        .problem(Code::MissingColon, Span::new(start.min(end), end), message)
        .label("a key and its value are meant here: `key: value`");
    match words.find(':') {
        Some(at) if !words[at + 1..].starts_with(' ') => problem.help("a blank has to follow the colon"),
        None if words.contains(" = ") => problem.help("write `: ` in place of ` = `"),
        _ if sheet.source.text()[range.end..].trim().is_empty() => {
            problem.help("write `: ` and a value behind it; the file may have been cut off here")
        }
        _ => problem.help("write `: ` and a value behind it, or indent it as the text that it belongs to"),
    }
}

/// True when a key and a colon stand before this colon in the same line.
fn colon_in_value(sheet: Sheet<'_>, offset: usize) -> bool {
    let range = sheet.source.line_range(sheet.source.line_at(offset));
    sheet.source.text().get(range.start..offset).is_some_and(|before| before.contains(": "))
}

/// True for complaints that a line in the wrong column leads to.
fn is_structural(info: &str) -> bool {
    [
        "'-' indicator",
        "expected key",
        "mapping values are not allowed",
        "sequence entries are not allowed",
        "invalid indentation",
        "wrongly indented",
        "expected node content",
        "mapping keys are not allowed",
    ]
    .iter()
    .any(|words| info.contains(words))
}

/// The word at an offset.
fn token(text: &str, offset: usize) -> Span {
    let rest = &text[offset..];
    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let one = rest.chars().next().map_or(0, char::len_utf8);
    Span::new(offset, offset + length.max(if rest.starts_with(['\r', '\n']) { 0 } else { one }))
}

/// The parser's message without its stock phrases.
fn plain_words(info: &str) -> &str {
    info.rsplit(", ").next().unwrap_or(info)
}

fn shorten(words: &str) -> String {
    if words.chars().count() <= 40 { words.to_owned() } else { words.chars().take(39).chain(['…']).collect() }
}
