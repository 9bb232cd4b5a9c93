//! Data as YAML, for the cloud-init of a node.
//!
//! The reader there is PyYAML, which follows YAML 1.1: it takes `yes`, `0400`, `1:30` and `2024-01-01` for something
//! else than texts, and knows floating point numbers by their dot. So a text stands without quotes only when it cannot
//! be anything else in either version of YAML; a text of several lines stands as a literal block where a block can hold
//! it; everything else is quoted, and a long text goes on in the next line. Quotes, the places at which long texts are
//! broken and sequences that are not indented under their key are those of the originals' writer, go-yaml, wherever PyYAML
//! reads the same from them.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use serde_json::{Number, Value};

/// The longest key that may stand before its colon. YAML allows 1,024 characters there; longer ones take the explicit
/// form `? key`.
const LONGEST_SIMPLE_KEY: usize = 512;

/// The column behind which a text goes on in the next line, at its next single blank.
const WIDTH: usize = 80;

/// Writes a mapping, its keys in the order in which they come; `{}` when there are none. Ends in a line break.
pub fn mapping<'a>(members: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let out = members_at(0, members);
    if out.is_empty() { "{}\n".to_owned() } else { out }
}

/// Writes the members of a mapping that stands `indent` blanks from the margin, in the order in which they come.
pub fn members_at<'a>(indent: usize, members: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let mut out = String::new();
    for (key, value) in members {
        push_indent(&mut out, indent);
        write_member(&mut out, key, value, indent);
    }
    out
}

/// Writes `key: value` and its line breaks; the first line is already indented.
fn write_member(out: &mut String, key: &str, value: &Value, indent: usize) {
    let start = out.len();
    write_text(out, key, None);
    let explicit = out.len() - start > LONGEST_SIMPLE_KEY;
    if explicit {
        out.insert_str(start, "? ");
        out.push('\n');
        push_indent(out, indent);
    }
    out.push(':');
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            push_indent(out, indent + 2);
            write_members(out, members.iter(), indent + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            // Readers differ over an unindented sequence behind an explicit key.
            let indent = if explicit { indent + 2 } else { indent };
            out.push('\n');
            push_indent(out, indent);
            write_items(out, items, indent);
        }
        scalar => {
            out.push(' ');
            write_scalar(out, scalar, indent);
        }
    }
}

fn write_members<'a>(out: &mut String, members: impl Iterator<Item = (&'a String, &'a Value)>, indent: usize) {
    for (number, (key, value)) in members.enumerate() {
        if number > 0 {
            push_indent(out, indent);
        }
        write_member(out, key, value, indent);
    }
}

/// Writes the items of a sequence that is not empty; the first line is already indented.
fn write_items(out: &mut String, items: &[Value], indent: usize) {
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            push_indent(out, indent);
        }
        out.push_str("- ");
        match item {
            Value::Object(members) if !members.is_empty() => write_members(out, members.iter(), indent + 2),
            Value::Array(items) if !items.is_empty() => write_items(out, items, indent + 2),
            scalar => write_scalar(out, scalar, indent),
        }
    }
}

/// Writes what stands on the line of its key or dash, and the line break. `indent` is that of the key or dash.
fn write_scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(out, number),
        Value::String(text) if fits_block(text) => return write_block(out, text, indent),
        Value::String(text) => write_text(out, text, Some(indent + 2)),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
    out.push('\n');
}

/// Writes a number so that YAML 1.1 knows it: a floating point number needs a dot and a signed exponent.
fn write_number(out: &mut String, number: &Number) {
    let text = number.to_string();
    if !number.is_f64() {
        out.push_str(&text);
        return;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, ""));
    out.push_str(mantissa);
    if !mantissa.contains('.') {
        out.push_str(".0");
    }
    if !exponent.is_empty() {
        out.push('e');
        if !exponent.starts_with(['-', '+']) {
            out.push('+');
        }
        out.push_str(exponent);
    }
}

/// Writes a text: as it is, within single quotes, or within double quotes, where what would be read as something else
/// than a text stands, too. One that may be broken goes on with `broken` blanks in the next line.
fn write_text(out: &mut String, text: &str, broken: Option<usize>) {
    let quote = match text {
        text if is_plain(text) => None,
        text if text.chars().all(is_printable) && !may_be_no_text(text) => Some('\''),
        _ => Some('"'),
    };
    let mut column = out.rsplit('\n').next().unwrap_or_default().chars().count();
    let start = out.len();
    out.extend(quote);
    let mut written = start;
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        column += out[written..].chars().count();
        written = out.len();
        let next = rest.peek().copied();
        // Within quotes the first and the last character stay where they are: blanks around a break are not read.
        let breaks = c == ' '
            && before.is_some()
            && column > WIDTH
            && !matches!((before, next), (Some(' '), _) | (_, None | Some(' ')));
        match (broken, quote) {
            (Some(indent), _) if breaks => {
                out.push('\n');
                push_indent(out, indent);
                (column, written) = (indent, out.len());
            }
            (_, Some('"')) => push_escaped(out, c),
            (_, Some('\'')) if c == '\'' => out.push_str("\'\'"),
            _ => out.push(c),
        }
        before = Some(c);
    }
    out.extend(quote);
}

/// True for what some version of YAML may read as a number, a time, a truth value or nothing.
fn may_be_no_text(text: &str) -> bool {
    let numeric = |byte: u8| byte.is_ascii_hexdigit() || b"xXoO_.:+-tTzZ ".contains(&byte);
    let number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.contains(|c: char| c.is_ascii_digit())
        && text.bytes().all(numeric);
    let infinite = [".inf", ".nan"].iter().any(|word| text.trim_start_matches(['+', '-']).eq_ignore_ascii_case(word));
    number || infinite || is_word_of_yaml(text) || matches!(text, "" | "~" | "=" | "<<")
}

/// True when a text can stand without quotes and be nothing else. Refuses more than it has to.
fn is_plain(text: &str) -> bool {
    // Whatever begins with a digit, a sign or a dot may be a number, a time or a date; the others begin some syntax.
    let starts = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '/' | '_' | '$'));
    let address = text.parse::<Ipv4Addr>().is_ok();
    (starts || address)
        && text.chars().all(|c| matches!(c, ' '..='~') || c.is_alphanumeric() && is_printable(c))
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_word_of_yaml(text)
}

/// The words that one version of YAML or the other takes for a truth value or for nothing.
fn is_word_of_yaml(text: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "true", "false", "on", "off", "null"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Writes a character within double quotes.
fn push_escaped(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        c if is_printable(c) => out.push(c),
        c => {
            let code = u32::from(c);
            let written = match code {
                0..=0xff => write!(out, "\\x{code:02x}"),
                0x100..=0xffff => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
            written.expect("writing to a string does not fail");
        }
    }
}

/// True for a character that readers of both versions take as it is, within a line.
fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        // Line breaks of YAML 1.1 (its third, U+0085, is a control character), and the byte order mark.
        '\u{2028}' | '\u{2029}' | '\u{feff}' => false,
        '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}' => true,
        _ => false,
    }
}

/// True when a text has several lines and a literal block can hold it exactly.
fn fits_block(text: &str) -> bool {
    text.contains('\n')
        && text.contains(|c| c != '\n')
        && text.chars().all(|c| matches!(c, '\n' | '\t') || is_printable(c))
}

/// Writes a literal block, from its `|` to its last line break.
fn write_block(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    // Readers measure the indentation at the first line; where that begins with a blank, they have to be told.
    if text.starts_with([' ', '\n', '\t']) {
        out.push('2');
    }
    let ended = text.strip_suffix('\n');
    match ended {
        None => out.push('-'),
        Some(rest) if rest.ends_with('\n') => out.push('+'),
        Some(_) => {}
    }
    out.push('\n');
    for line in ended.unwrap_or(text).split('\n') {
        if !line.is_empty() {
            push_indent(out, indent + 2);
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn push_indent(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests;
