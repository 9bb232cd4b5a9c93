//! Values that count up from node to node as one range: `172.16.4.[2-129]`, `nid[006-007]`, `ec:e7:a7:05:04:[0b-1f]`.

use std::net::Ipv4Addr;

use crate::model::MacAddr;

/// More runs than this say less than the values they stand for.
const MOST_RUNS: usize = 6;

/// Values that differ in one number.
pub(super) struct Series {
    /// The number of each value, in the order of the values.
    numbers: Vec<u64>,
    /// All of them in one word; none where they have too many gaps.
    pub(super) text: Option<String>,
}

impl Series {
    /// Reads values as a series; none where they differ in more than a number.
    pub(super) fn of(values: &[&str]) -> Option<Self> {
        macs(values).or_else(|| addresses(values)).or_else(|| counted(values))
    }

    /// True when every value of the other series is as far from the one here as every other.
    pub(super) fn is_shifted_to(&self, other: &Self) -> bool {
        let mut shifts = self.numbers.iter().zip(&other.numbers).map(|(a, b)| b.wrapping_sub(*a));
        let first = shifts.next();
        self.numbers.len() == other.numbers.len() && shifts.all(|shift| Some(shift) == first)
    }
}

fn macs(values: &[&str]) -> Option<Series> {
    let numbers = values.iter().map(|value| {
        let mac: MacAddr = value.parse().ok()?;
        // Only the canonical spelling can be put back together from its octets.
        (mac.to_string() == **value).then_some(())?;
        let octets: Result<Vec<u8>, _> = value.split(':').map(|octet| u8::from_str_radix(octet, 16)).collect();
        octets.ok()
    });
    octets(&numbers.collect::<Option<Vec<_>>>()?, ':', |octet| format!("{octet:02x}"))
}

fn addresses(values: &[&str]) -> Option<Series> {
    let octets_of = |value: &&str| Some(value.parse::<Ipv4Addr>().ok()?.octets().to_vec());
    octets(&values.iter().map(octets_of).collect::<Option<Vec<_>>>()?, '.', |octet| octet.to_string())
}

/// Numbers written as octets. What all have in common in front stands outside the brackets.
fn octets(values: &[Vec<u8>], separator: char, show: fn(u8) -> String) -> Option<Series> {
    let first = values.first()?;
    let common = |place: usize| values.iter().all(|value| value.get(place) == first.get(place));
    let same = (0..first.len()).take_while(|place| common(*place)).count().min(first.len() - 1);
    let head: String = first[..same].iter().map(|octet| format!("{}{separator}", show(*octet))).collect();
    let numbers: Vec<u64> =
        values.iter().map(|value| value.iter().fold(0, |number, octet| number << 8 | u64::from(*octet))).collect();
    let written = |number: u64| {
        let octets: Vec<String> = number.to_be_bytes()[8 - (first.len() - same)..].iter().map(|o| show(*o)).collect();
        octets.join(&separator.to_string())
    };
    let text = runs(&numbers, written).map(|runs| format!("{head}{runs}"));
    Some(Series { numbers, text })
}

/// Words with a number in them, padded with zeros or not.
fn counted(values: &[&str]) -> Option<Series> {
    let (first, rest) = values.split_first()?;
    let common = rest.iter().map(|value| first.bytes().zip(value.bytes()).take_while(|(a, b)| a == b).count()).min();
    let head = first.get(..common.unwrap_or(first.len()))?.trim_end_matches(|c: char| c.is_ascii_digit());
    let split = |value: &&'_ str| -> Option<(String, String)> {
        let rest = value.get(head.len()..)?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        Some((rest[..end].to_owned(), rest[end..].to_owned()))
    };
    let parts: Vec<(String, String)> = values.iter().map(split).collect::<Option<_>>()?;
    let (digits, tail) = parts.first()?;
    let padded = parts.iter().any(|(digits, _)| digits.len() > 1 && digits.starts_with('0'));
    let width = if padded { digits.len() } else { 0 };
    if parts.iter().any(|(digits, other)| other != tail || (padded && digits.len() != width)) {
        return None;
    }
    let numbers: Vec<u64> = parts.iter().map(|(digits, _)| digits.parse().ok()).collect::<Option<_>>()?;
    let text = runs(&numbers, |number| format!("{number:0width$}")).map(|runs| format!("{head}{runs}{tail}"));
    Some(Series { numbers, text })
}

/// `[1-4,7]`, the number alone where there is one; none for too many runs.
fn runs(numbers: &[u64], show: impl Fn(u64) -> String) -> Option<String> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in sorted {
        match runs.last_mut() {
            Some((_, last)) if number - 1 == *last => *last = number,
            _ => runs.push((number, number)),
        }
    }
    if let [(first, last)] = *runs
        && first == last
    {
        return Some(show(first));
    }
    let word = |(first, last): &(u64, u64)| {
        if first == last { show(*first) } else { format!("{}-{}", show(*first), show(*last)) }
    };
    (runs.len() <= MOST_RUNS).then(|| format!("[{}]", runs.iter().map(word).collect::<Vec<_>>().join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[&str]) -> Option<String> {
        Series::of(values)?.text
    }

    #[test]
    fn zeros_in_front_of_numbers_stay() {
        assert_eq!(text(&["nid007", "nid006"]).unwrap(), "nid[006-007]");
        assert_eq!(text(&["nid099", "nid100"]).unwrap(), "nid[099-100]");
        assert_eq!(text(&["nid9", "nid10"]).unwrap(), "nid[9-10]");
        assert_eq!(text(&["nid09", "nid010"]), None, "two widths are two series");
        assert_eq!(text(&["rack1-a", "rack2-a", "rack4-a"]).unwrap(), "rack[1-2,4]-a");
        assert_eq!(text(&["3", "1", "0"]).unwrap(), "[0-1,3]");
    }

    #[test]
    fn addresses_are_ranges_of_what_differs() {
        assert_eq!(text(&["172.16.4.9", "172.16.4.10"]).unwrap(), "172.16.4.[9-10]");
        assert_eq!(text(&["172.16.4.255", "172.16.5.0"]).unwrap(), "172.16.[4.255-5.0]");
        assert_eq!(text(&["02:00:00:04:00:0a", "02:00:00:04:00:09"]).unwrap(), "02:00:00:04:00:[09-0a]");
        assert_eq!(text(&["02:00:00:04:00:ff", "02:00:00:04:01:00"]).unwrap(), "02:00:00:04:[00:ff-01:00]");
        assert_eq!(text(&["02:00:00:04:00:ff"]).unwrap(), "02:00:00:04:00:ff");
    }

    #[test]
    fn what_differs_in_more_than_a_number_is_no_series() {
        assert!(Series::of(&["a1b", "a2c"]).is_none());
        assert!(Series::of(&["login", "gateway"]).is_none());
        assert!(Series::of(&["é1", "è2"]).is_none());
        assert!(Series::of(&["nid99999999999999999999", "nid1"]).is_none());
        assert!(Series::of(&[]).is_none());
        let odd: Vec<String> = (0..20).map(|n| format!("nid{}", 2 * n)).collect();
        assert_eq!(text(&odd.iter().map(String::as_str).collect::<Vec<_>>()), None, "too many gaps");
    }

    #[test]
    fn a_shift_is_told_from_a_swap() {
        let of = |values: &[&str]| Series::of(values).unwrap();
        assert!(of(&["nid006", "nid007"]).is_shifted_to(&of(&["nid016", "nid017"])));
        assert!(of(&["nid6", "nid7"]).is_shifted_to(&of(&["nid5", "nid6"])));
        assert!(!of(&["nid006", "nid007"]).is_shifted_to(&of(&["nid007", "nid006"])));
        assert!(!of(&["nid006", "nid007"]).is_shifted_to(&of(&["nid007"])));
    }
}
