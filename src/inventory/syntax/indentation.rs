//! Lines that start in the wrong column: which column was meant is told by the lines above.

use super::super::diagnostic::Diagnostic;
use super::super::source::Sheet;
use super::super::span::Span;
use super::Code;

/// How many lines above a mistake are looked at; a node or a cloud-init entry has fewer.
const REACH: usize = 400;

/// Something that starts a line: the dash of a list item, or a key. Columns count from 0.
#[derive(Debug, Clone, Copy)]
struct Start {
    column: usize,
    line: usize,
    /// Where the token is in the text.
    at: usize,
    /// Behind its last byte.
    end: usize,
}

/// What the lines above a line belong to: the items and keys that a further line could stand beside.
#[derive(Debug, Default)]
struct Siblings {
    items: Vec<Start>,
    keys: Vec<Start>,
}

impl Siblings {
    /// Goes up from a line through ever shallower ones.
    fn above(sheet: Sheet<'_>, line: usize) -> Self {
        let mut found = Self::default();
        let mut limit = usize::MAX;
        for line in (line.saturating_sub(REACH)..line).rev() {
            let Some(tokens) = Tokens::of(sheet, line) else { continue };
            if tokens.column() >= limit {
                continue;
            }
            found.items.extend(tokens.items.iter().filter(|start| start.column < limit));
            found.keys.extend(tokens.key.filter(|start| start.column < limit));
            limit = tokens.column();
            if limit == 0 {
                break;
            }
        }
        found
    }
}

/// The dashes and the key with which a line starts.
struct Tokens {
    items: Vec<Start>,
    key: Option<Start>,
    indent: usize,
}

impl Tokens {
    /// None for a line of nothing but blanks or a comment.
    fn of(sheet: Sheet<'_>, line: usize) -> Option<Self> {
        let range = sheet.source.line_range(line);
        let text = sheet.source.line(line);
        let mut rest = text.trim_start_matches(' ');
        let indent = text.len() - rest.len();
        if rest.is_empty() || rest.starts_with('#') {
            return None;
        }
        let mut items = Vec::new();
        while rest == "-" || rest.starts_with("- ") {
            let column = text.len() - rest.len();
            items.push(Start { column, line, at: range.start + column, end: range.start + column + 1 });
            rest = rest[1..].trim_start_matches(' ');
        }
        let column = text.len() - rest.len();
        let key = key_length(rest).map(|length| {
            let at = range.start + column;
            Start { column, line, at, end: at + length }
        });
        Some(Self { items, key, indent })
    }

    fn column(&self) -> usize {
        self.indent
    }
}

/// The length of the key at the start of a text: up to a colon that a blank or the end of the line follows.
fn key_length(text: &str) -> Option<usize> {
    let end = match text.chars().next()? {
        quote @ ('"' | '\'') => text[1..].find(quote)? + 2,
        '[' | '{' | '#' | '&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' => return None,
        _ => text.find(": ").or_else(|| text.trim_end().ends_with(':').then(|| text.trim_end().len() - 1))?,
    };
    let rest = text.get(end..)?;
    (end > 0 && (rest.starts_with(": ") || rest.trim_end() == ":")).then_some(end)
}

/// The problem of the line at which the parser gave up, if it starts in a column where nothing can start.
pub(super) fn explain(sheet: Sheet<'_>, line: usize) -> Option<Diagnostic> {
    if let Some(problem) = block_text(sheet, line) {
        return Some(problem);
    }
    if let Some(problem) = dash_without_blank(sheet, line) {
        return Some(problem);
    }
    let tokens = Tokens::of(sheet, line)?;
    if tokens.key.is_none()
        && tokens.items.is_empty()
        && let Some(problem) = end_of_block(sheet, line)
    {
        return Some(problem);
    }
    if let Some(problem) = item_among_keys(sheet, line, &tokens) {
        return Some(problem);
    }
    if let Some(above) = line.checked_sub(1).and_then(|above| odd_one_out(sheet, above, &tokens)) {
        return Some(above);
    }
    let siblings = Siblings::above(sheet, line);
    let indent = tokens.column();
    let is_item = !tokens.items.is_empty();
    if !is_item && let Some(item) = siblings.items.iter().find(|item| item.column == indent) {
        // The first key of an item again: a further item was meant.
        let key = |start: Option<Start>| start.map(|start| &sheet.source.text()[start.at..start.end]);
        let of_item = siblings.keys.iter().copied().find(|key| key.line == item.line);
        if key(tokens.key).is_some() && key(tokens.key) == key(of_item.or_else(|| Tokens::of(sheet, item.line)?.key)) {
            return Some(missing_dash(sheet, line, indent, *item));
        }
    }
    let candidates = if is_item { &siblings.items } else { &siblings.keys };
    let nearest = candidates.iter().filter(|start| start.column != indent);
    let nearest = nearest.min_by_key(|start| (start.column.abs_diff(indent), usize::MAX - start.column));
    Some(misplaced(sheet, line, indent, nearest.copied()))
}

/// `-name: …`, which is a key that starts with a dash to YAML.
fn dash_without_blank(sheet: Sheet<'_>, line: usize) -> Option<Diagnostic> {
    let (_, span) = body(sheet, line);
    let rest = sheet.written(span).strip_prefix('-').filter(|rest| rest.starts_with(char::is_alphabetic))?;
    key_length(rest)?;
    let dash = Span::new(span.start(), span.start() + 1);
    let problem = sheet.problem(Code::Indentation, dash, "no blank follows this dash");
    Some(problem.label("an item of a list is meant").help("write `- ` with a blank behind the dash"))
}

/// A line with a dash among the keys of a mapping, in their column.
fn item_among_keys(sheet: Sheet<'_>, line: usize, tokens: &Tokens) -> Option<Diagnostic> {
    let above = line.checked_sub(1)?;
    let key = Tokens::of(sheet, above)?.key.filter(|key| key.column == tokens.column())?;
    let ends_open = sheet.source.line(above).trim_end().ends_with(':');
    if tokens.items.is_empty() || tokens.key.is_none() || ends_open {
        return None;
    }
    let (_, span) = body(sheet, line);
    let problem = sheet.problem(Code::Indentation, span, "a list item among the keys of a mapping");
    Some(
        problem
            .label("the dash starts an item")
            .related(sheet.place(Span::new(key.at, key.end)), "a key in the same column")
            .help("remove the `- `, or start it in the column of the items that it belongs to"),
    )
}

/// The problem of a line between two that belong together, when it is the one that starts elsewhere.
fn odd_one_out(sheet: Sheet<'_>, above: usize, below: &Tokens) -> Option<Diagnostic> {
    let odd = Tokens::of(sheet, above)?;
    let key = odd.key.filter(|_| odd.items.is_empty() && below.items.is_empty())?;
    let column = below.key?.column;
    // A key without a value may have deeper lines below it.
    if column <= key.column || sheet.source.line(above).trim_end().ends_with(':') {
        return None;
    }
    let siblings = Siblings::above(sheet, above);
    let sibling = siblings.keys.iter().copied().find(|start| start.column == column)?;
    let text = |start: Start| &sheet.source.text()[start.at..start.end];
    let begins = |item: &Start| {
        let first = Tokens::of(sheet, item.line).and_then(|tokens| tokens.key);
        first.is_some_and(|first| first.column == column && text(first) == text(key))
    };
    Some(match siblings.items.iter().copied().find(begins) {
        Some(item) => missing_dash(sheet, above, key.column, item),
        None => misplaced(sheet, above, key.column, Some(sibling)),
    })
}

/// A line of a text block (`|`, `>`) that is not deeper than the key of the block.
fn block_text(sheet: Sheet<'_>, line: usize) -> Option<Diagnostic> {
    let above = (line.saturating_sub(REACH)..line).rev().find(|above| !sheet.source.line(*above).trim().is_empty())?;
    let header = sheet.source.line(above).trim_end();
    let indicator = header.rsplit([' ', '\t']).next()?;
    let is_block = indicator.starts_with(['|', '>'])
        && indicator[1..].chars().all(|c| matches!(c, '+' | '-') || c.is_ascii_digit());
    let tokens = Tokens::of(sheet, above).filter(|_| is_block)?;
    let column = tokens.key?.column + 3;
    let (indent, span) = body(sheet, line);
    let problem = sheet.problem(Code::Indentation, span, "this line is not deep enough for the text of the block");
    Some(
        problem.label(format!("it starts in column {}", indent + 1)).help(format!(
            "start every line of the text in column {column}, deeper than the key in line {}",
            above + 1
        )),
    )
}

/// A line behind a text block that has no key: it was probably meant for the block, which it ends. `line` has no key.
pub(super) fn end_of_block(sheet: Sheet<'_>, line: usize) -> Option<Diagnostic> {
    let (indent, span) = body(sheet, line);
    let text = |line: usize| sheet.source.line(line);
    let depth = |line: usize| text(line).len() - text(line).trim_start_matches(' ').len();
    let lines = (line.saturating_sub(REACH)..line).rev().filter(|line| !text(*line).trim().is_empty());
    let mut column = None;
    for above in lines {
        if depth(above) > indent && column.is_none_or(|column| depth(above) >= column) {
            column = Some(column.map_or(depth(above), |column: usize| column.min(depth(above))));
            continue;
        }
        let indicator = text(above).trim_end().rsplit([' ', '\t']).next().unwrap_or("");
        let column = column.filter(|_| indicator.starts_with(['|', '>']) && indicator.len() <= 3)?;
        let problem = sheet.problem(Code::Indentation, span, "this line ends the text of the block above it");
        return Some(problem.label(format!("it starts in column {}", indent + 1)).help(format!(
            "start every line of the text in column {} at least, as the line below line {} does",
            column + 1,
            above + 1
        )));
    }
    None
}

fn missing_dash(sheet: Sheet<'_>, line: usize, indent: usize, item: Start) -> Diagnostic {
    let (_, span) = body(sheet, line);
    let problem = sheet.problem(Code::Indentation, span, "a list item without its `- `");
    let help = match indent == item.column {
        true => "write `- ` in front of it, and start the lines that belong to it below its key".to_owned(),
        false => format!("write `- ` in front of it, starting in column {}", item.column + 1),
    };
    problem
        .label("another item seems to start here")
        .related(sheet.place(Span::new(item.at, item.end)), "an item of the list")
        .help(help)
}

fn misplaced(sheet: Sheet<'_>, line: usize, indent: usize, sibling: Option<Start>) -> Diagnostic {
    let (_, span) = body(sheet, line);
    let problem = sheet.problem(Code::Indentation, span, "this line is indented wrongly");
    let problem = problem.label(format!("it starts in column {}", indent + 1));
    match sibling {
        None => problem.help("lines that belong together start in the same column"),
        Some(sibling) => problem
            .related(sheet.place(Span::new(sibling.at, sibling.end)), format!("column {}", sibling.column + 1))
            .help(format!("start it in column {}, as line {} does", sibling.column + 1, sibling.line + 1)),
    }
}

/// The column of the first character of a line, from 0, and the line without its indentation.
fn body(sheet: Sheet<'_>, line: usize) -> (usize, Span) {
    let (range, text) = (sheet.source.line_range(line), sheet.source.line(line));
    let indent = text.len() - text.trim_start().len();
    (indent, Span::new(range.start + indent, range.end))
}
