//! `nid`, `nid_start` and `nid_end` together: any of the numbers, or within any of the ranges.

use crate::model::Nid;
use crate::server::common::Problem;
use crate::server::smd::query::{Filter, Pairs};

/// A compiled filter. A component without a NID counts as one with -1, which is how SMD stores it: it is why an empty
/// value asks for those.
#[derive(Debug)]
pub(super) struct NidFilter {
    numbers: Filter<i64>,
    /// First and last; no restriction where there is none.
    ranges: Vec<(i64, i64)>,
}

const NOT_A_NUMBER: &str = "a required argument was not an integer";
const NONE: i64 = -1;

impl NidFilter {
    /// # Errors
    ///
    /// 400 for what is no number, and for what is negated and cannot be.
    pub(super) fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let numbers = pairs.filter("nid", NOT_A_NUMBER, number)?;
        let (starts, ends) = (bounds(pairs, "nid_start")?, bounds(pairs, "nid_end")?);
        // Starts and ends belong together in the order in which they are given; the last ones may stand alone. An end
        // without a start does not reach down to those without a number unless there is another start.
        let least = if starts.is_empty() { 0 } else { i64::MIN };
        let ranges: Vec<(i64, i64)> = (0..starts.len().max(ends.len()))
            .map(|at| (starts.get(at).copied().unwrap_or(least), ends.get(at).copied().unwrap_or(i64::MAX)))
            .collect();
        if !ranges.is_empty() && !numbers.excluded.is_empty() {
            return Err(Problem::bad_request(format!("bad query param: {NOT_A_NUMBER}")));
        }
        Ok(Self { numbers, ranges })
    }

    pub(super) fn passes(&self, nid: Option<Nid>) -> bool {
        let nid = nid.map_or(NONE, |nid| i64::try_from(nid.0).unwrap_or(i64::MAX));
        if self.ranges.is_empty() {
            return self.numbers.passes(&nid);
        }
        self.ranges.iter().any(|&(start, end)| (start..=end).contains(&nid)) || self.numbers.wanted.contains(&nid)
    }
}

fn bounds(pairs: &Pairs, key: &str) -> Result<Vec<i64>, Problem> {
    let bounds = pairs.filter(key, NOT_A_NUMBER, number)?;
    if bounds.excluded.is_empty() {
        Ok(bounds.wanted)
    } else {
        Err(Problem::bad_request(format!("bad query param: {NOT_A_NUMBER}")))
    }
}

/// Digits, and nothing else: SMD takes no sign here.
fn number(text: &str) -> Option<i64> {
    match text {
        "" => Some(NONE),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}
