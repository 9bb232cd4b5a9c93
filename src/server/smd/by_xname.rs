//! Deleting from the collections whose records are kept by xname.

use imbl::OrdMap;

use super::answer;
use super::components::missing;
use crate::model::{Table, Xname};
use crate::server::common::Problem;
use crate::snapshot::Change;
use crate::store::Decision;

/// Deletes one record of a table; 404 where it is not among those kept.
pub(super) fn remove<V>(table: Table, kept: &OrdMap<Xname, V>, id: &Xname) -> Result<Decision<()>, Problem>
where
    V: Clone,
{
    match kept.contains_key(id) {
        true => Ok(Decision::new((), vec![delete(table, id)])),
        false => Err(missing()),
    }
}

/// Deletes all records of a table and answers how many there were; 404 where there are none.
pub(super) fn clear<V>(table: Table, kept: &OrdMap<Xname, V>) -> Result<Decision<usize>, Problem>
where
    V: Clone,
{
    all(kept.keys().map(|id| delete(table, id)).collect())
}

/// The decision that makes these changes, which are all that a collection holds; 404 where it holds nothing.
pub(super) fn all(changes: Vec<Change>) -> Result<Decision<usize>, Problem> {
    match changes.len() {
        0 => Err(answer::nothing_to_delete()),
        count => Ok(Decision::new(count, changes)),
    }
}

fn delete(table: Table, id: &Xname) -> Change {
    Change::DeleteRecord(table, id.as_str().into())
}
