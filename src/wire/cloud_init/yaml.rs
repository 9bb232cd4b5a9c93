//! Data as YAML, for the cloud-init of a node.
//!
//! The reader there is PyYAML, which follows YAML 1.1: it takes `yes`, `0400`, `1:30` and `2024-01-01` for something
//! else than texts, and knows floating point numbers by their dot. So a text stands without quotes only when it cannot
//! be anything else in either version of YAML; a text of several lines stands as a literal block where a block can hold
//! it; everything else is quoted on one line. Sequences are not indented under their key, as the original writes them.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// The longest key that may stand before its colon. YAML allows 1,024 characters there; longer ones take the explicit
/// form `? key`.
const LONGEST_SIMPLE_KEY: usize = 512;

/// Writes a mapping, its keys in the order in which they come; `{}` when there are none. Ends in a line break.
pub fn mapping<'a>(members: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let mut out = String::new();
    members.into_iter().for_each(|(key, value)| write_member(&mut out, key, value, 0));
    if out.is_empty() {
        out.push_str("{}\n");
    }
    out
}

/// Writes `key: value` and its line breaks; the first line is already indented.
fn write_member(out: &mut String, key: &str, value: &Value, indent: usize) {
    let start = out.len();
    write_line_text(out, key);
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
        Value::String(text) => write_line_text(out, text),
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

/// Writes a text on one line: as it is, or in the quotes that need the fewest escapes.
fn write_line_text(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else if text.contains(['"', '\\']) && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    } else {
        out.push('"');
        text.chars().for_each(|c| push_escaped(out, c));
        out.push('"');
    }
}

/// True when a text can stand without quotes and be nothing else. Refuses more than it has to.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Whatever begins with a digit, a sign or a dot may be a number, a time or a date; the others begin some syntax.
    let starts = bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'_' | b'$'));
    starts
        && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
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
