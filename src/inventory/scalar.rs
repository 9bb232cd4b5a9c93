//! What a plain scalar means: to a YAML 1.2 reader (core schema), and to PyYAML, the YAML 1.1 reader on the nodes.
//!
//! Our own fields take every scalar as the text that is written. cloud-init documents were written for PyYAML, so there
//! its reading counts.

/// The value of a plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plain {
    /// `null`, `~` or nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number; none when it does not fit into 128 bits.
    Int(Option<i128>),
    /// A number with a fraction or exponent, an infinity or no number.
    Float(f64),
    /// A date or a time, which stays a text on the way to the node.
    Time,
    /// Anything else: the text itself.
    Text,
}

impl Plain {
    /// How a message calls it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".into(),
            Self::Bool(value) => format!("the truth value {value}"),
            Self::Int(Some(value)) => format!("the number {value}"),
            Self::Int(None) => "a number".into(),
            Self::Float(value) => format!("the number {value}"),
            Self::Time => "a date".into(),
            Self::Text => "a text".into(),
        }
    }
}

/// Reads a plain scalar by the core schema of YAML 1.2.2 (section 10.3).
pub(super) fn yaml_1_2(text: &str) -> Plain {
    if let Some(value) = common(text) {
        return value;
    }
    let (negative, digits) = sign(text);
    if all(digits, |b| b.is_ascii_digit()) {
        return integer(negative, digits, 10);
    }
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && all(digits, |b| char::from(b).is_digit(radix))
        {
            return integer(false, digits, radix);
        }
    }
    let (mantissa, exponent) = split_exponent(digits);
    let sound = exponent.is_none_or(|e| all(sign(e).1, |b| b.is_ascii_digit()));
    if sound && decimal(mantissa, |b| b.is_ascii_digit()) { float(text) } else { Plain::Text }
}

/// Reads a plain scalar as PyYAML does (YAML 1.1 with PyYAML's own patterns).
pub(super) fn yaml_1_1(text: &str) -> Plain {
    if let Some(value) = common(text) {
        return value;
    }
    match text {
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Plain::Bool(true),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Plain::Bool(false),
        _ => {}
    }
    let digit = |b: u8| b.is_ascii_digit() || b == b'_';
    let (negative, body) = sign(text);
    let first = body.bytes().next().unwrap_or(b' ');
    for (prefix, radix) in [("0b", 2), ("0x", 16), ("0", 8)] {
        if let Some(digits) = body.strip_prefix(prefix)
            && all(digits, |b| b == b'_' || char::from(b).is_digit(radix))
        {
            return integer(negative, digits, radix);
        }
    }
    if body == "0" || (first.is_ascii_digit() && first != b'0' && all(body, digit)) {
        return integer(negative, body, 10);
    }
    if let Some(value) = sexagesimal(negative, body) {
        return value;
    }
    let (mantissa, exponent) = split_exponent(body);
    let signed = |e: &str| e.starts_with(['+', '-']) && all(sign(e).1, |b| b.is_ascii_digit());
    let point = mantissa.contains('.') && exponent.is_none_or(signed);
    // PyYAML takes no sign before a number that starts with the point.
    let bare = first == b'.' && body.len() == text.len() && !body.starts_with("._");
    let placed = first.is_ascii_digit() || bare;
    if point && placed && decimal(mantissa, digit) {
        return float(&text.replace('_', ""));
    }
    if timestamp(text) { Plain::Time } else { Plain::Text }
}

/// What both readers agree on.
fn common(text: &str) -> Option<Plain> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" => Plain::Bool(true),
        "false" | "False" | "FALSE" => Plain::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Plain::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Plain::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => Plain::Float(f64::NAN),
        _ => return None,
    })
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}

fn split_exponent(text: &str) -> (&str, Option<&str>) {
    match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    }
}

/// Digits with at most one point, and at least one digit.
fn decimal(text: &str, digit: impl Fn(u8) -> bool + Copy) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(digit);
    digits(whole) && digits(fraction) && text.bytes().any(|b| b.is_ascii_digit())
}

fn integer(negative: bool, digits: &str, radix: u32) -> Plain {
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    if digits.is_empty() {
        // `0_` is an octal zero; `0x_` is no number.
        return if radix == 8 { Plain::Int(Some(0)) } else { Plain::Text };
    }
    let value = i128::from_str_radix(&digits, radix).ok();
    Plain::Int(value.map(|value| if negative { -value } else { value }))
}

fn float(text: &str) -> Plain {
    text.parse().map_or(Plain::Text, Plain::Float)
}

/// `1:30` is ninety: base 60, with a fraction in the last part at most.
fn sexagesimal(negative: bool, text: &str) -> Option<Plain> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut parts = whole.split(':');
    let first = parts.next()?;
    let leading = first.bytes().next()?;
    let sound = all(first, |b| b.is_ascii_digit() || b == b'_')
        && leading.is_ascii_digit()
        && (fraction.is_some() || leading != b'0')
        && fraction.is_none_or(|f| f.bytes().all(|b| b.is_ascii_digit() || b == b'_'));
    if !sound || !whole.contains(':') {
        return None;
    }
    let mut value: Option<i128> = first.replace('_', "").parse().ok();
    for part in parts {
        if part.len() > 2 || !all(part, |b| b.is_ascii_digit()) {
            return None;
        }
        let digits = part.parse::<i128>().ok().filter(|digits| *digits < 60)?;
        value = value.and_then(|v| v.checked_mul(60)?.checked_add(digits));
    }
    let value = value.map(|v| if negative { -v } else { v });
    match fraction {
        None => Some(Plain::Int(value)),
        // The exact fraction is of no use: the caller warns that the text is read as a number at all.
        Some(_) => Some(value.map_or(Plain::Int(None), |v| float(&format!("{v}.0")))),
    }
}

/// `2024-01-31`, or a date and a time of day.
fn timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|b| b.iter().all(u8::is_ascii_digit));
    if !(digits(0..4) && bytes.get(4) == Some(&b'-')) {
        return false;
    }
    if bytes.len() == 10 && digits(5..7) && bytes[7] == b'-' && digits(8..10) {
        return true;
    }
    let rest = &text[5..];
    let Some((month, rest)) = rest.split_once('-') else { return false };
    let Some(end) = rest.find(['T', 't', ' ', '\t']) else { return false };
    let (day, time) = rest.split_at(end);
    let short = |part: &str| part.len() <= 2 && all(part, |b| b.is_ascii_digit());
    let mut clock = time[1..].trim_start().split(':');
    short(month)
        && short(day)
        && clock.next().is_some_and(short)
        && clock.next().is_some_and(|minute| minute.len() == 2 && short(minute))
        && clock.next().is_some_and(|second| second.get(..2).is_some_and(short))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readers_follow_their_own_rules() {
        let text = Plain::Text;
        let int = |n| Plain::Int(Some(n));
        for (written, new, old) in [
            ("yes", text.clone(), Plain::Bool(true)),
            ("Off", text.clone(), Plain::Bool(false)),
            ("True", Plain::Bool(true), Plain::Bool(true)),
            ("y", text.clone(), text.clone()),
            ("0400", int(400), int(256)),
            ("08", int(8), text.clone()),
            ("0o17", int(15), text.clone()),
            ("0x1F", int(31), int(31)),
            ("0b101", text.clone(), int(5)),
            ("1_000", text.clone(), int(1000)),
            ("-12", int(-12), int(-12)),
            ("0", int(0), int(0)),
            ("1:30", text.clone(), int(90)),
            ("01:30", text.clone(), text.clone()),
            ("1:30.5", text.clone(), Plain::Float(90.0)),
            ("1:60", text.clone(), text.clone()),
            ("1:+5", text.clone(), text.clone()),
            ("._5", text.clone(), text.clone()),
            ("0_", text.clone(), int(0)),
            ("0x_", text.clone(), text.clone()),
            ("12:34:56:07:08:09", text.clone(), int(9_783_961_689)),
            ("1e3", Plain::Float(1000.0), text.clone()),
            ("1.5e+3", Plain::Float(1500.0), Plain::Float(1500.0)),
            ("1.5e3", Plain::Float(1500.0), text.clone()),
            ("-.5", Plain::Float(-0.5), text.clone()),
            (".5", Plain::Float(0.5), Plain::Float(0.5)),
            ("1.", Plain::Float(1.0), Plain::Float(1.0)),
            (".", text.clone(), text.clone()),
            ("-", text.clone(), text.clone()),
            ("+", text.clone(), text.clone()),
            ("1.2.3", text.clone(), text.clone()),
            ("172.16.0.1", text.clone(), text.clone()),
            ("~", Plain::Null, Plain::Null),
            ("2024-01-31", text.clone(), Plain::Time),
            ("2024-1-31 10:00:00", text.clone(), Plain::Time),
            ("2024-01", text.clone(), text.clone()),
            ("rw", text.clone(), text),
        ] {
            assert_eq!(yaml_1_2(written), new, "1.2: {written}");
            assert_eq!(yaml_1_1(written), old, "1.1: {written}");
        }
        assert_eq!(yaml_1_1(&"9".repeat(60)), Plain::Int(None));
    }
}
