//! Who is in which partition. A component is in one at most.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Change, Snapshot};
use crate::model::{Partition, PartitionName, Record, Xname};

impl Snapshot {
    /// The partition of a component.
    #[must_use]
    pub fn partition_of(&self, id: &Xname) -> Option<&Arc<Partition>> {
        self.records.partitions.values().find(|partition| partition.members.contains(id))
    }

    /// Every component that is in a partition, with it: for whoever asks about many.
    #[must_use]
    pub fn partitions_of_all(&self) -> HashMap<&Xname, &PartitionName> {
        let partitions = self.records.partitions.values();
        partitions.flat_map(|partition| partition.members.iter().map(|id| (id, &partition.name))).collect()
    }

    /// The changes that take components out of their partitions, which has to follow whenever components are deleted.
    #[must_use]
    pub fn leave_partitions(&self, gone: impl Fn(&Xname) -> bool) -> Vec<Change> {
        let changed = |partition: &Arc<Partition>| {
            let left: Vec<&Xname> = partition.members.iter().filter(|id| gone(id)).collect();
            let members = left.iter().fold(partition.members.clone(), |members, id| members.without(*id));
            let without = Partition { members, ..Partition::clone(partition) };
            (!left.is_empty()).then(|| Change::PutRecord(Record::Partition(Arc::new(without))))
        };
        self.records.partitions.values().filter_map(changed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(partitions: &[(&str, &[&str])]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for (name, members) in partitions {
            let members = members.iter().map(|id| id.parse().unwrap()).collect();
            let partition =
                Partition { name: name.parse().unwrap(), description: String::new(), tags: Vec::new(), members };
            snapshot.apply(&Change::PutRecord(Record::Partition(Arc::new(partition))));
        }
        snapshot
    }

    #[test]
    fn a_component_is_found_in_its_partition() {
        let snapshot = snapshot(&[("p1", &["x1", "x2"]), ("p2", &["x3"])]);
        let name = |id: &str| snapshot.partition_of(&id.parse().unwrap()).map(|partition| partition.name.as_str());
        assert_eq!([name("x2"), name("x3"), name("x4")], [Some("p1"), Some("p2"), None]);
        let all = snapshot.partitions_of_all();
        assert_eq!((all.len(), all[&"x3".parse::<Xname>().unwrap()].as_str()), (3, "p2"));
    }

    #[test]
    fn those_that_go_leave_and_other_partitions_are_not_touched() {
        let before = snapshot(&[("p1", &["x1", "x2"]), ("p2", &["x3"])]);
        let changes = before.leave_partitions(|id| id.as_str() == "x2");
        assert_eq!(changes.len(), 1);
        let mut after = before.clone();
        changes.iter().for_each(|change| after.apply(change));
        assert_eq!(after, snapshot(&[("p1", &["x1"]), ("p2", &["x3"])]));
        assert!(before.leave_partitions(|_| false).is_empty());
    }
}
