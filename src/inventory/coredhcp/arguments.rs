//! The arguments of plugins: words, comments, values by place or by key, durations of Go.

/// The words of an argument, without what stands between `/*` and `*/`. A word of two quotes is an empty one. The flag
/// says that a comment has no end, so that everything behind it is gone, as it is for coresmd.
pub(super) fn words(text: &str) -> (Vec<&str>, bool) {
    let mut words = Vec::new();
    let mut comment = false;
    for word in text.split_whitespace() {
        // A comment begins and ends with a word.
        comment |= word.starts_with("/*");
        if !comment {
            words.push(if matches!(word, "\"\"" | "''") { "" } else { word });
        }
        comment &= !word.ends_with("*/");
    }
    (words, comment)
}

/// A word of the form `key=value`.
pub(super) fn keyed(word: &str) -> Option<(&str, &str)> {
    let (key, value) = word.split_once('=')?;
    let plain =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'0'..=b'9'));
    plain.then_some((key, value))
}

/// The seconds of a duration as Go writes it: `1h30m`, `90s`, `1.5h`. Less than a second is none.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let unit = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit);
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            "us" | "µs" => 0.000_001,
            "ns" => 0.000_000_001,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = behind;
    }
    // Longer times than some hundred years are no leases.
    (1.0..1e10).contains(&total).then(|| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within the bounds above")]
        let whole = total as u64;
        whole
    })
}

/// A time as `cluster.yaml` has it, in the largest unit that fits.
pub(super) fn time(seconds: u64) -> String {
    match seconds {
        s if s.is_multiple_of(24 * 3600) => format!("{}d", s / (24 * 3600)),
        s if s.is_multiple_of(3600) => format!("{}h", s / 3600),
        s if s.is_multiple_of(60) => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_out_and_one_without_an_end_swallows_the_rest() {
        assert_eq!(words("a /* b c */ d \"\" e"), (vec!["a", "d", "", "e"], false));
        assert_eq!(words("a /*b*/ c"), (vec!["a", "c"], false));
        assert_eq!(words("a /* b\nlease_time=5m"), (vec!["a"], true));
    }

    #[test]
    fn keys_are_told_from_urls() {
        assert_eq!(keyed("lease_time=1h"), Some(("lease_time", "1h")));
        assert_eq!(keyed("rule=type:Node,hostname:n"), Some(("rule", "type:Node,hostname:n")));
        assert_eq!(keyed("https://smd/?a=b"), None);
        assert_eq!(keyed("=x"), None);
    }

    #[test]
    fn durations_of_go_are_seconds() {
        for (text, expected) in [
            ("1h30m", Some(5400)),
            ("90s", Some(90)),
            ("1.5h", Some(5400)),
            ("1h0m0s", Some(3600)),
            ("300ms", None),
            ("5", None),
            ("", None),
            ("1y", None),
            ("999999999999999h", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
        for (seconds, text) in [(86_400, "1d"), (7200, "2h"), (300, "5m"), (90, "90s")] {
            assert_eq!(time(seconds), text);
        }
    }
}
