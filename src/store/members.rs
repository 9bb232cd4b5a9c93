//! The members of large groups, in rows of their own, so that to add one of 100,000 does not write all of them.
//!
//! The members are cut, in their order, before each one whose name says so, one of a hundred and some. What comes before the
//! first cut stays in the row of the group; each part that follows is a row of the kind [`KIND`] under the label and the
//! part's first member. Where the cuts are follows from the members alone, so one that comes or goes changes the part that
//! it is in, and at a cut the one before, whatever was written before and in which order.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdSet;
use imbl::ordset::DiffItem;

use crate::model::{Group, GroupLabel, Xname};

/// What such a row has in the column for the kind.
pub(super) const KIND: &str = "members";

/// Stands between label and member in a row's identifier. Neither has one.
const SEPARATOR: char = '/';

/// One name of so many is cut before, on average: a part is some kilobytes, and most groups have none but their own row.
const CUT_ONE_OF: u64 = 128;

/// True for a member that a part begins with. What is stored depends on it. FNV-1a, and what `MurmurHash3` ends with, because
/// the last letters alone would not reach every bit, and neighbours differ in nothing else.
pub(super) fn begins_part(member: &Xname) -> bool {
    let mut hash = member
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    (hash ^ (hash >> 33)).is_multiple_of(CUT_ONE_OF)
}

/// The identifier of a part.
pub(super) fn id(label: &str, first: &Xname) -> Arc<str> {
    format!("{label}{SEPARATOR}{first}").into()
}

/// The least identifier of a group's parts, and the least one behind them.
pub(super) fn ids(label: &str) -> (String, String) {
    const BEHIND: char = (SEPARATOR as u8 + 1) as char;
    (format!("{label}{SEPARATOR}"), format!("{label}{BEHIND}"))
}

/// The label in an identifier.
pub(super) fn label(id: &str) -> Option<GroupLabel> {
    id.split_once(SEPARATOR)?.0.parse().ok()
}

/// What a row of members holds.
///
/// # Panics
///
/// Never: it is a list of texts.
pub(super) fn body(members: &[Xname]) -> String {
    serde_json::to_string(members).expect("names are texts")
}

/// The group as its own row has it: with the members before the first cut.
pub(super) fn head(group: &Arc<Group>) -> Arc<Group> {
    let members: OrdSet<Xname> = group.members.iter().take_while(|member| !begins_part(member)).cloned().collect();
    if members.len() == group.members.len() {
        return group.clone();
    }
    let Group { label, description, tags, exclusive_group, members: _ } = &**group;
    Arc::new(Group {
        label: label.clone(),
        description: description.clone(),
        tags: tags.clone(),
        exclusive_group: exclusive_group.clone(),
        members,
    })
}

/// The parts by their first members, for the change from `old` to `new`: what those that changed hold now, and nothing for
/// those that are gone.
pub(super) fn changed(old: &OrdSet<Xname>, new: &OrdSet<Xname>) -> BTreeMap<Xname, Option<Vec<Xname>>> {
    let mut parts = BTreeMap::new();
    // The part that was looked at last ends here: who lies in it is in it already. Those that changed come in order.
    let mut known: Option<Reach> = None;
    for item in old.diff(new) {
        let (DiffItem::Add(member) | DiffItem::Remove(member)) = item;
        if known.as_ref().is_none_or(|known| !known.is_before(member)) {
            let first = new.range::<_, Xname>(..member).rev().find(|before| begins_part(before));
            known = Some(Reach::of(new, first, &mut parts));
        }
        if begins_part(member) {
            if new.contains(member) {
                known = Some(Reach::of(new, Some(member), &mut parts));
            } else {
                parts.insert(member.clone(), None);
            }
        }
    }
    parts
}

/// From where to where a part reaches; the first one has no first member, and the last one no end.
struct Reach {
    first: Option<Xname>,
    end: Option<Xname>,
}

impl Reach {
    /// Looks at the part with that first member, and keeps what it holds. The one without is in the row of the group.
    fn of(members: &OrdSet<Xname>, first: Option<&Xname>, parts: &mut BTreeMap<Xname, Option<Vec<Xname>>>) -> Self {
        let Some(first) = first else {
            return Self { first: None, end: members.iter().find(|member| begins_part(member)).cloned() };
        };
        let mut from = members.range::<_, Xname>(first..);
        let mut held: Vec<Xname> = from.next().into_iter().cloned().collect();
        let end = loop {
            match from.next() {
                Some(member) if !begins_part(member) => held.push(member.clone()),
                end => break end.cloned(),
            }
        };
        parts.insert(first.clone(), Some(held));
        Self { first: Some(first.clone()), end }
    }

    /// True when it is the part that comes before a member or that the member lies in.
    fn is_before(&self, member: &Xname) -> bool {
        self.first.as_ref().is_none_or(|first| first < member) && self.end.as_ref().is_none_or(|end| member <= end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    fn xname(number: usize) -> Xname {
        format!("x{}c{}s{}b0n{}", 1000 + number / 512, number / 64 % 8, number / 8 % 8, number % 8).parse().unwrap()
    }

    fn group(members: OrdSet<Xname>) -> Arc<Group> {
        let (description, tags) = ("all".to_owned(), vec!["a".to_owned()]);
        Arc::new(Group { label: "all".parse().unwrap(), description, tags, exclusive_group: None, members })
    }

    /// The rows of a group after a change of its members: what its own row has, and its parts.
    type Rows = (OrdSet<Xname>, BTreeMap<Xname, Vec<Xname>>);

    fn write(rows: &mut Rows, old: &OrdSet<Xname>, new: &OrdSet<Xname>) {
        rows.0 = head(&group(new.clone())).members.clone();
        for (first, members) in changed(old, new) {
            match members {
                Some(members) => rows.1.insert(first, members),
                None => rows.1.remove(&first),
            };
        }
    }

    fn read((head, parts): &Rows) -> Vec<Xname> {
        head.iter().chain(parts.values().flatten()).cloned().collect()
    }

    #[test]
    fn one_member_of_many_changes_one_small_part() {
        let all: OrdSet<Xname> = (0..100_000).map(xname).collect();
        let parts = changed(&OrdSet::new(), &all);
        assert!((600..1000).contains(&parts.len()), "{}", parts.len());
        let longest = parts.values().flatten().map(Vec::len).max();
        assert!(longest.is_some_and(|longest| longest < 2000), "{longest:?}");
        for number in (0..100_000).step_by(997) {
            let without = all.without(&xname(number));
            assert!(changed(&all, &without).len() <= 2);
            assert!(changed(&without, &all).len() <= 2);
        }
    }

    #[test]
    fn a_small_group_is_its_own_row() {
        let few = group((0..8).map(xname).collect());
        assert!(Arc::ptr_eq(&head(&few), &few));
        assert_eq!(changed(&OrdSet::new(), &few.members), BTreeMap::new());
    }

    #[test]
    fn the_row_of_a_large_group_has_everything_but_the_parts() {
        let many = group((0..5000).map(xname).collect());
        let head = head(&many);
        assert!(head.members.len() < 5000);
        assert_eq!(Group { members: many.members.clone(), ..(*head).clone() }, *many);
    }

    #[test]
    fn a_part_is_found_by_the_label_of_its_group() {
        let group: GroupLabel = "a.b_c:1".parse().unwrap();
        let id = id(group.as_str(), &xname(0));
        assert_eq!(&*id, "a.b_c:1/x1000c0s0b0n0");
        assert_eq!(label(&id), Some(group.clone()));
        assert_eq!(label("a.b_c:1"), None);
        let (least, behind) = ids(group.as_str());
        assert!(*least < *id && *id < *behind);
        assert!("a.b_c:10/x0" > &*behind && "a.b_c:1" < &*least);
    }

    proptest! {
        // Names that cut are made as likely as those that do not, so that every neighbourhood of them comes up.
        #[test]
        fn the_rows_hold_the_members_whatever_came_before(
            states in proptest::collection::vec(btree_set(0..40_usize, 0..40), 1..6)
        ) {
            let (cuts, others): (Vec<Xname>, Vec<Xname>) = (0..20_000).map(xname).partition(begins_part);
            let pool: Vec<Xname> = cuts.into_iter().take(20).chain(others.into_iter().step_by(450).take(20)).collect();
            let (mut rows, mut old) = (Rows::default(), OrdSet::new());
            for state in states {
                let new: OrdSet<Xname> = state.into_iter().filter_map(|at| pool.get(at)).cloned().collect();
                write(&mut rows, &old, &new);
                prop_assert_eq!(read(&rows), new.iter().cloned().collect::<Vec<_>>());
                let mut anew = Rows::default();
                write(&mut anew, &OrdSet::new(), &new);
                prop_assert_eq!(&rows, &anew);
                old = new;
            }
        }
    }
}
