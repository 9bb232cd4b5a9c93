//! The rows that could not be read when the store was loaded. They stay in the database as they are, and everything
//! else is served without them.

use std::collections::BTreeMap;

use crate::model::{ObjectKey, Table};

/// The most identifiers that one reason names.
const NAMED: usize = 5;

/// What could not be read, and why.
#[derive(Debug, Clone, Default)]
pub(super) struct Unreadable {
    objects: BTreeMap<ObjectKey, String>,
    /// The names of unreadable records, by cause.
    records: BTreeMap<String, Vec<String>>,
    /// Kinds that this version does not know, with the number of their rows.
    foreign: BTreeMap<String, u64>,
}

impl Unreadable {
    /// Remembers an object whose content cannot be read.
    pub(super) fn object(&mut self, key: ObjectKey, cause: String) {
        tracing::error!(object = %key, cause, "a stored object cannot be read");
        self.objects.insert(key, cause);
    }

    /// Remembers a record whose content cannot be read; the next write of it makes it good.
    pub(super) fn record(&mut self, table: Table, id: &str, cause: String) {
        tracing::error!(record = %format_args!("{table}/{id}"), cause, "a stored record cannot be read");
        self.records.entry(cause).or_default().push(format!("{table}/{id}"));
    }

    /// Remembers a row of an unknown kind.
    pub(super) fn foreign(&mut self, kind: String) {
        *self.foreign.entry(kind).or_default() += 1;
    }

    /// True for an object whose row is there and cannot be read.
    pub(super) fn contains(&self, key: &ObjectKey) -> bool {
        self.objects.contains_key(key)
    }

    /// Forgets an object that was written anew or deleted.
    pub(super) fn settle(&mut self, key: &ObjectKey) -> bool {
        self.objects.remove(key).is_some()
    }

    /// The objects that cannot be read, each with the cause.
    pub(super) fn objects(&self) -> &BTreeMap<ObjectKey, String> {
        &self.objects
    }

    /// One reason in words for each unknown kind.
    pub(super) fn foreign_kinds(&self) -> Vec<String> {
        let reason = |(kind, count)| {
            format!("{count} stored objects of kind `{kind}` are not served: a newer version of ochami-sync wrote them")
        };
        self.foreign.iter().map(reason).collect()
    }

    /// The reasons in words: one for each cause and one for each unknown kind.
    pub(super) fn reasons(&self) -> Vec<String> {
        let mut by_cause: BTreeMap<&str, Vec<&ObjectKey>> = BTreeMap::new();
        for (key, cause) in &self.objects {
            by_cause.entry(cause).or_default().push(key);
        }
        let objects = by_cause.into_iter().map(|(cause, keys)| format!("{} cannot be read: {cause}", named(&keys)));
        let records = self.records.iter().map(|(cause, names)| format!("{} cannot be read: {cause}", named(names)));
        objects.chain(records).chain(self.foreign_kinds()).collect()
    }
}

/// The keys, or the first few of them and how many follow.
pub(super) fn named<K: std::fmt::Display>(keys: &[K]) -> String {
    let first: Vec<String> = keys.iter().take(NAMED).map(ToString::to_string).collect();
    match keys.len().saturating_sub(NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;

    #[test]
    fn reasons_are_folded_by_cause_and_name_a_few_objects() {
        let mut unreadable = Unreadable::default();
        for number in 1..=7 {
            unreadable.object(ObjectKey::new(Kind::Group, format!("g{number}")), "broken".to_owned());
        }
        unreadable.foreign("lease".to_owned());
        unreadable.foreign("lease".to_owned());
        assert_eq!(
            unreadable.reasons(),
            [
                "group/g1, group/g2, group/g3, group/g4, group/g5 and 2 more cannot be read: broken",
                "2 stored objects of kind `lease` are not served: a newer version of ochami-sync wrote them",
            ]
        );
    }
}
