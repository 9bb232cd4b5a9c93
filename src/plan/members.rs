//! Sets whose elements are owned one by one: members that somebody else added are not ours and stay.

use std::collections::BTreeSet;

use super::document::FieldClass;
use super::field_diff::FieldDiff;

type Set = BTreeSet<String>;

/// Compares three sets, given as JSON lists. At most one difference of each class comes out.
pub(super) fn owned(name: &str, want: &str, last: Option<&str>, live: Option<&str>) -> Vec<FieldDiff> {
    let (want, last, live) = (read(Some(want)), read(last), read(live));
    let new = |element: &&String| !last.contains(*element);
    let (wanted_new, wanted_old): (Set, Set) = want.iter().cloned().partition(|element| new(&element));
    let dropped: Set = last.difference(&want).cloned().collect();

    let absent = |set: &Set| -> Vec<String> { set.difference(&live).cloned().collect() };
    let present = |set: &Set| -> Vec<String> { set.intersection(&live).cloned().collect() };
    let diff = |class, added: Vec<String>, removed: Vec<String>| {
        (!added.is_empty() || !removed.is_empty()).then(|| FieldDiff {
            name: name.to_owned(),
            class,
            last: None,
            live: None,
            want: None,
            added,
            removed,
        })
    };
    let intent = diff(FieldClass::Intent, absent(&wanted_new), present(&dropped));
    let drift = diff(FieldClass::Drift, absent(&wanted_old), Vec::new());
    let recorded = diff(FieldClass::Recorded, present(&wanted_new), absent(&dropped));
    [intent, drift, recorded].into_iter().flatten().collect()
}

/// The elements of a live set that neither the inventory nor the ledger names.
pub(super) fn foreign(want: Option<&str>, last: Option<&str>, live: Option<&str>) -> Vec<String> {
    let (want, last) = (read(want), read(last));
    read(live).into_iter().filter(|element| !want.contains(element) && !last.contains(element)).collect()
}

/// The elements that two sets have in common, sorted.
pub(super) fn common(one: Option<&str>, other: Option<&str>) -> Vec<String> {
    read(one).intersection(&read(other)).cloned().collect()
}

fn read(text: Option<&str>) -> Set {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(want: &str, last: &str, live: &str) -> Vec<String> {
        let list = |text: &str| serde_json::to_string(&text.split_whitespace().collect::<Vec<_>>()).unwrap();
        owned("members", &list(want), Some(&list(last)), Some(&list(live)))
            .into_iter()
            .map(|diff| format!("{:?} +{} -{}", diff.class, diff.added.join(","), diff.removed.join(",")))
            .collect()
    }

    #[test]
    fn every_element_is_compared_three_ways() {
        assert_eq!(cases("a b", "a b", "a b"), Vec::<String>::new());
        assert_eq!(cases("a b", "a", "a"), ["Intent +b -"]);
        assert_eq!(cases("a", "a b", "a b"), ["Intent + -b"]);
        assert_eq!(cases("a b", "a b", "a"), ["Drift +b -"]);
        assert_eq!(cases("a b", "a", "a b"), ["Recorded +b -"]);
        assert_eq!(cases("a", "a b", "a"), ["Recorded + -b"]);
        assert_eq!(cases("a c", "a b", "b"), ["Intent +c -b", "Drift +a -"]);
    }

    #[test]
    fn elements_of_others_are_no_difference_and_are_told() {
        assert_eq!(cases("a", "a", "a x"), Vec::<String>::new());
        assert_eq!(foreign(Some(r#"["a"]"#), Some(r#"["b"]"#), Some(r#"["a","b","x"]"#)), ["x"]);
    }
}
