//! `partition` in queries for groups: which of their members are shown.

use std::collections::HashMap;

use imbl::OrdSet;

use crate::model::{GroupLabel, PartitionName, Xname};
use crate::server::common::Problem;
use crate::server::smd::query::Pairs;
use crate::snapshot::Snapshot;

/// What a query asks for. Only the first value of `partition` counts.
#[derive(Debug)]
pub(super) enum Scope {
    /// All members.
    All,
    /// `partition=NULL`: members in no partition.
    Unpartitioned,
    /// Members in this one, which may have any name that a group could have.
    In(GroupLabel),
}

impl Scope {
    /// # Errors
    ///
    /// 400 for a text that names no partition.
    pub(super) fn read(pairs: &Pairs) -> Result<Self, Problem> {
        match pairs.first("partition") {
            None => Ok(Self::All),
            Some("NULL") => Ok(Self::Unpartitioned),
            Some(name) => name.parse().map(Self::In).map_err(|_| Problem::bad_request("Invalid partition name.")),
        }
    }

    /// The scope over one state.
    ///
    /// # Errors
    ///
    /// 400 for a partition that is not there.
    pub(super) fn over<'a>(&self, snapshot: &'a Snapshot) -> Result<Shown<'a>, Problem> {
        match self {
            Self::All => Ok(Shown::All),
            Self::Unpartitioned => Ok(Shown::Unpartitioned(snapshot.partitions_of_all())),
            Self::In(name) => {
                let name = name.as_str().parse::<PartitionName>().ok();
                let partition = name.and_then(|name| snapshot.records.partitions.get(&name));
                let partition = partition.ok_or_else(|| Problem::bad_request("bad query param: no such partition"))?;
                Ok(Shown::In(&partition.members))
            }
        }
    }
}

/// A scope over one state.
pub(super) enum Shown<'a> {
    All,
    Unpartitioned(HashMap<&'a Xname, &'a PartitionName>),
    In(&'a OrdSet<Xname>),
}

impl Shown<'_> {
    /// Those of the members that are shown.
    pub(super) fn of<'m>(&'m self, members: &'m OrdSet<Xname>) -> impl Iterator<Item = &'m Xname> {
        members.iter().filter(move |id| match self {
            Self::All => true,
            Self::Unpartitioned(of_all) => !of_all.contains_key(*id),
            Self::In(partition) => partition.contains(*id),
        })
    }
}
