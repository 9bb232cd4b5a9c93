//! Where a block of changes comes from, as `FILE:LINE`.

use std::collections::BTreeSet;

use super::super::document::{Place, PlanChange};
use super::{TextOptions, fold};

/// Lines that are told one by one; of more, the first and the last.
const MOST_LINES: usize = 3;

/// The places of all changes of a block.
pub(super) fn told(block: &[&PlanChange], options: &TextOptions) -> String {
    let places: BTreeSet<&Place> = block.iter().flat_map(|change| of(change)).collect();
    let Some(first) = places.first() else { return String::new() };
    let of_file: BTreeSet<u32> = places.iter().filter(|p| p.file == first.file).map(|place| place.line).collect();
    let lines: Vec<String> = of_file.iter().map(u32::to_string).collect();
    let lines = match lines.as_slice() {
        few if few.len() <= MOST_LINES => few.join(","),
        many => format!("{}-{}", many[0], many[many.len() - 1]),
    };
    let elsewhere = places.iter().any(|place| place.file != first.file);
    let more = if elsewhere { format!(" and {}", options.ellipsis()) } else { String::new() };
    let was = if places.iter().all(|place| place.removed) { "was " } else { "" };
    format!("{was}{}:{lines}{more}", fold::escape(&first.file))
}

/// All lines that cause a change.
fn of(change: &PlanChange) -> impl Iterator<Item = &Place> {
    let only = change.origin.as_ref().filter(|_| change.causes.is_empty());
    only.into_iter().chain(&change.causes)
}
