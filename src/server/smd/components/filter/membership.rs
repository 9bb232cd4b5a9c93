//! `group` and `partition` together.
//!
//! Several values of one of them mean any of these; one value of each means both. `NULL` means in none, and goes with
//! no other value of its own key nor with a name of the other key. Names are not negated, and are in lower case.

use std::collections::HashMap;

use imbl::OrdSet;

use crate::model::{GroupLabel, PartitionName, Xname};
use crate::server::common::Problem;
use crate::server::smd::query::Pairs;
use crate::snapshot::{BootView, Snapshot};

/// A compiled filter.
#[derive(Debug)]
pub(super) struct MembershipFilter {
    groups: Wanted,
    partitions: Wanted,
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// No restriction.
    Any,
    /// In none.
    None,
    /// In one of these. A partition may be asked for by any name that a group could have.
    OneOf(Vec<GroupLabel>),
}

impl MembershipFilter {
    /// # Errors
    ///
    /// 400 for names that cannot be, and for values that do not go together.
    pub(super) fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let (groups, partitions) = (pairs.all("group").count(), pairs.all("partition").count());
        if groups > 0 && partitions > 0 && groups + partitions > 2 {
            return Err(wrong("group and partition cannot both have more than one value"));
        }
        let filter = Self { groups: Wanted::read(pairs, "group")?, partitions: Wanted::read(pairs, "partition")? };
        match (&filter.groups, &filter.partitions) {
            (Wanted::None, Wanted::OneOf(_)) => Err(wrong("NULL group and non-NULL partition arg not permitted")),
            (Wanted::OneOf(_), Wanted::None) => Err(wrong("NULL partition and non-NULL group arg not permitted")),
            _ => Ok(filter),
        }
    }

    /// The filter over one state.
    pub(super) fn over<'a>(&'a self, snapshot: &'a Snapshot) -> Members<'a> {
        let partitions = match &self.partitions {
            Wanted::Any => Partitioned::Any,
            Wanted::None => Partitioned::None(snapshot.partitions_of_all()),
            Wanted::OneOf(names) => {
                let names = names.iter().filter_map(|name| name.as_str().parse::<PartitionName>().ok());
                let found = names.filter_map(|name| snapshot.records.partitions.get(&name));
                Partitioned::OneOf(found.map(|partition| &partition.members).collect())
            }
        };
        Members { groups: &self.groups, partitions, view: &snapshot.boot }
    }
}

impl Wanted {
    fn read(pairs: &Pairs, key: &str) -> Result<Self, Problem> {
        let names: Vec<&str> = pairs.all(key).collect();
        match names.as_slice() {
            [] => Ok(Self::Any),
            ["NULL"] => Ok(Self::None),
            names if names.contains(&"NULL") => Err(wrong(&format!("NULL and non-NULL {key} arguments not permitted"))),
            names => {
                let read = |name: &&str| {
                    let label: Option<GroupLabel> = name.parse().ok();
                    label.filter(|label| label.as_str() == *name).ok_or_else(|| wrong(&format!("no such {key}")))
                };
                names.iter().map(read).collect::<Result<_, _>>().map(Self::OneOf)
            }
        }
    }
}

fn wrong(what: &str) -> Problem {
    Problem::bad_request(format!("bad query param: {what}"))
}

/// A filter over one state.
pub(super) struct Members<'a> {
    groups: &'a Wanted,
    partitions: Partitioned<'a>,
    view: &'a BootView,
}

enum Partitioned<'a> {
    Any,
    None(HashMap<&'a Xname, &'a PartitionName>),
    OneOf(Vec<&'a OrdSet<Xname>>),
}

impl Members<'_> {
    pub(super) fn hold(&self, id: &Xname) -> bool {
        let groups = || self.view.index.groups_of.get(id);
        let grouped = match self.groups {
            Wanted::Any => true,
            Wanted::None => groups().is_none(),
            Wanted::OneOf(labels) => groups().is_some_and(|of| labels.iter().any(|label| of.contains(label))),
        };
        grouped
            && match &self.partitions {
                Partitioned::Any => true,
                Partitioned::None(of_all) => !of_all.contains_key(id),
                Partitioned::OneOf(sets) => sets.iter().any(|members| members.contains(id)),
            }
    }
}
