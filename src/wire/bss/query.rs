//! The parameters of a query as BSS reads them.

/// The values of a parameter that may be repeated and may be a list with commas; none when nothing is given for it. An
/// empty item of a list is an item, as for BSS: it is nobody's name and no number.
#[must_use]
pub fn listed<'a>(query: &'a [(String, String)], name: &str) -> Option<Vec<&'a str>> {
    let values: Vec<&str> = query.iter().filter(|(key, _)| key == name).map(|(_, value)| &**value).collect();
    let nothing = matches!(values[..], [] | [""]);
    (!nothing).then(|| values.into_iter().flat_map(|value| value.split(',')).collect())
}

/// A whole number as Go's `strconv` reads one whose base is told by its prefix: `0x`, `0b`, `0o` or `0`, and with a prefix or
/// without one `_` between digits.
#[must_use]
pub fn whole_number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => ("-", &text[1..]),
        [b'+', ..] => ("", &text[1..]),
        _ => ("", text),
    };
    let prefixed = |base, prefix: &str| {
        let head = digits.get(..2).filter(|head| head.eq_ignore_ascii_case(prefix))?;
        Some((base, &digits[head.len()..]))
    };
    let octal = || digits.strip_prefix('0').filter(|rest| !rest.is_empty()).map(|rest| (8, rest));
    let told = prefixed(16, "0x").or_else(|| prefixed(8, "0o")).or_else(|| prefixed(2, "0b")).or_else(octal);
    let (base, number) = told.unwrap_or((10, digits));
    // An underscore may follow a prefix and stand between two digits, and nowhere else.
    let number = if told.is_some() { number.strip_prefix('_').unwrap_or(number) } else { number };
    if number.starts_with(['_', '+', '-']) || number.ends_with('_') || number.contains("__") {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{}", number.replace('_', "")), base).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_repeatable_and_a_list() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let query = [pair("mac", "a,b"), pair("name", ""), pair("mac", " c,"), pair("nid", ","), pair("x", "")];
        assert_eq!(listed(&query, "mac").unwrap(), ["a", "b", " c", ""]);
        assert_eq!(listed(&query, "nid").unwrap(), ["", ""]);
        assert_eq!(listed(&query, "name"), None);
        assert_eq!(listed(&query, "host"), None);
    }

    #[test]
    fn a_number_is_read_in_the_base_of_its_prefix() {
        for (text, number) in [
            ("0", 0),
            ("7", 7),
            ("-7", -7),
            ("+7", 7),
            ("0x1F", 31),
            ("0X1f", 31),
            ("-0x10", -16),
            ("010", 8),
            ("0o17", 15),
            ("0b101", 5),
            ("1_000", 1000),
            ("0x_1f", 31),
            ("0_7", 7),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(whole_number(text), Some(number), "{text}");
        }
        for text in [
            "",
            "-",
            "+",
            "abc",
            "1.5",
            " 1",
            "1 ",
            "09",
            "0x",
            "0b2",
            "_1",
            "1_",
            "1__0",
            "--1",
            "0x-1",
            "9223372036854775808",
            "ä1",
        ] {
            assert_eq!(whole_number(text), None, "{text}");
        }
    }
}
