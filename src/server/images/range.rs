//! The `Range` header: RFC 9110, section 14.

use std::ops::Range;

/// The most parts that are sent in one answer. Many small ones cost more than the whole, which is why RFC 9110 lets a
/// server pass over them.
const PARTS: usize = 16;

/// What a `Range` header asks of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ranges {
    /// All of it: the header is none that has to be followed.
    Whole,
    /// Nothing that the file has.
    Unsatisfiable,
    /// These parts, in the order in which they were asked for; at least one, none empty, none twice.
    Parts(Vec<Range<u64>>),
}

/// Reads the header's value for a file of this length.
pub(super) fn parse(value: &str, len: u64) -> Ranges {
    let specs = value.split_once('=').filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"));
    let Some((_, specs)) = specs else { return Ranges::Whole };
    let mut parts = Vec::new();
    let mut given = 0;
    // Empty elements of a list count for nothing (section 5.6.1).
    for spec in specs.split(',').map(|spec| spec.trim_matches([' ', '\t'])).filter(|spec| !spec.is_empty()) {
        given += 1;
        match one(spec, len) {
            _ if given > PARTS => return Ranges::Whole,
            None => return Ranges::Whole,
            Some(part) if part.is_empty() => {}
            Some(part) => parts.push(part),
        }
    }
    if given == 0 || overlap(&parts) {
        return Ranges::Whole;
    }
    if parts.is_empty() { Ranges::Unsatisfiable } else { Ranges::Parts(parts) }
}

/// One of `first-last`, `first-` and `-count`, cut to the file; empty when the file has none of it, none when it is
/// written wrongly.
fn one(spec: &str, len: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    match (number(first)?, number(last)?) {
        (Some(first), Some(last)) if last < first => None,
        (Some(first), last) => Some(first.min(len)..last.map_or(len, |last| last.saturating_add(1)).min(len)),
        (None, Some(count)) => Some(len.saturating_sub(count)..len),
        (None, None) => None,
    }
}

/// A number, which may be left out; none for anything else. One that is too large is as large as can be.
fn number(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

fn overlap(parts: &[Range<u64>]) -> bool {
    let mut sorted: Vec<_> = parts.iter().collect();
    sorted.sort_by_key(|part| part.start);
    sorted.windows(2).any(|pair| pair[1].start < pair[0].end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(ranges: &[(u64, u64)]) -> Ranges {
        Ranges::Parts(ranges.iter().map(|(start, end)| *start..*end).collect())
    }

    #[test]
    fn the_examples_of_the_standard_are_read_as_it_says() {
        for (value, expected) in [
            ("bytes=0-499", parts(&[(0, 500)])),
            ("bytes=500-999", parts(&[(500, 1000)])),
            ("bytes=-500", parts(&[(9500, 10_000)])),
            ("bytes=9500-", parts(&[(9500, 10_000)])),
            ("bytes=0-0,-1", parts(&[(0, 1), (9999, 10_000)])),
            ("bytes= 0-999, 4500-5499, -1000", parts(&[(0, 1000), (4500, 5500), (9000, 10_000)])),
            ("BYTES=500-600,601-999", parts(&[(500, 601), (601, 1000)])),
            ("bytes=,, 1-2 ,", parts(&[(1, 3)])),
            ("bytes=9990-99999999999999999999999", parts(&[(9990, 10_000)])),
            ("bytes=-99999", parts(&[(0, 10_000)])),
            ("bytes=5-6,20000-", parts(&[(5, 7)])),
        ] {
            assert_eq!(parse(value, 10_000), expected, "{value}");
        }
    }

    #[test]
    fn what_is_written_wrongly_or_in_another_unit_is_passed_over() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=2-1",
            "bytes=a-b",
            "bytes=1-2,x",
            "bytes=+1-2",
            "lines=1-2",
            "bytes=1--2",
            "bytes=1 - 2",
        ] {
            assert_eq!(parse(value, 10_000), Ranges::Whole, "{value}");
        }
    }

    #[test]
    fn parts_that_overlap_and_too_many_parts_are_passed_over() {
        assert_eq!(parse("bytes=0-500,400-600", 10_000), Ranges::Whole);
        let many: Vec<String> = (0..=PARTS).map(|at| format!("{at}-{at}")).collect();
        assert_eq!(parse(&format!("bytes={}", many.join(",")), 10_000), Ranges::Whole);
        assert!(matches!(parse(&format!("bytes={}", many[..PARTS].join(",")), 10_000), Ranges::Parts(_)));
    }

    #[test]
    fn what_the_file_does_not_have_cannot_be_satisfied() {
        for (value, len) in
            [("bytes=10000-", 10_000), ("bytes=-0", 10_000), ("bytes=0-", 0), ("bytes=-5", 0), ("bytes=20000-,-0", 9)]
        {
            assert_eq!(parse(value, len), Ranges::Unsatisfiable, "{value} of {len}");
        }
    }

    proptest! {
        #[test]
        fn any_value_gives_parts_of_the_file(value in "(bytes=)?[-0-9, a=]{0,60}|\\PC{0,40}", len in 0_u64..3000) {
            if let Ranges::Parts(parts) = parse(&value, len) {
                prop_assert!(!parts.is_empty() && parts.len() <= PARTS);
                prop_assert!(parts.iter().all(|part| part.start < part.end && part.end <= len));
                prop_assert!(parts.iter().map(|part| part.end - part.start).sum::<u64>() <= len);
            }
        }
    }
}
