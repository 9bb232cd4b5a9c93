//! Plans of whole clusters: both tables, the safety rules, and the promises.

mod document;
mod fields;
mod moves;
mod objects;
mod promises;
mod safety;
mod shared;
mod waiting;

use super::{Action, Computed, Options, Plan, PlanChange, compute};
use crate::desired::Desired;
use crate::desired::samples;
use crate::inventory::Inventory;
use crate::model::{Object, ObjectKey, Timestamp};
use crate::snapshot::{Change, Snapshot};
use crate::store::{ApplyRecord, Ledger, LedgerChange};

/// What an `apply` by hand asks for.
pub(in crate::plan) fn options() -> Options {
    Options {
        correct_drift: true,
        fingerprint_key: Some([7; 32]),
        ..Options::new("builtin", Timestamp(1_795_385_157_000_000))
    }
}

/// A cluster to which inventories are applied.
#[derive(Default, Clone)]
pub(in crate::plan) struct World {
    pub(in crate::plan) ledger: Ledger,
    pub(in crate::plan) live: Snapshot,
}

impl World {
    /// A cluster to which an inventory was applied.
    pub(in crate::plan) fn with(inventory: &Inventory) -> Self {
        let mut world = Self::default();
        world.apply(&samples::desire(inventory), &options());
        world
    }

    pub(in crate::plan) fn plan(&self, desired: &Desired, options: &Options) -> Computed {
        compute(desired, &self.ledger, &self.live, options)
    }

    /// Plans and applies.
    pub(in crate::plan) fn apply(&mut self, desired: &Desired, options: &Options) -> Computed {
        let computed = self.plan(desired, options);
        for write in &computed.writes {
            assert_eq!(write.action == Action::Delete, write.object.is_none(), "{}", write.key);
            self.change(match &write.object {
                Some(object) => Change::Put(object.clone()),
                None => Change::Delete(write.key.clone()),
            });
        }
        let ledger = computed.writes.iter().map(|write| &write.ledger).chain(&computed.ledger);
        for change in ledger {
            match change {
                LedgerChange::Own(key, entry) => drop(self.ledger.entries.insert(key.clone(), entry.clone())),
                LedgerChange::Forget(key) => drop(self.ledger.entries.remove(key)),
            }
        }
        self.ledger.last_apply = Some(ApplyRecord {
            number: self.ledger.last_apply.as_ref().map_or(0, |apply| apply.number) + 1,
            at: options.created,
            plan: computed.plan.id.clone(),
            author: "ada".into(),
            inventory: desired.inventory_hash.clone(),
            writes: computed.writes.len() as u64,
            result: "applied".into(),
        });
        computed
    }

    pub(in crate::plan) fn change(&mut self, change: Change) {
        self.live.apply(&change);
    }

    /// Somebody else changes a field of a live object.
    pub(in crate::plan) fn meddle(&mut self, key: &ObjectKey, field: &str, value: serde_json::Value) {
        let mut fields = self.live.object(key).unwrap_or_else(|| panic!("no {key}")).fields();
        fields.insert(field.to_owned(), value);
        self.change(Change::Put(Object::from_fields(key, fields).unwrap()));
    }
}

/// Plans an inventory as `apply` would.
pub(in crate::plan) fn plan(world: &World, inventory: &Inventory) -> Plan {
    world.plan(&samples::desire(inventory), &options()).plan
}

pub(in crate::plan) fn only(changes: &[PlanChange]) -> &PlanChange {
    assert_eq!(changes.len(), 1, "{changes:#?}");
    &changes[0]
}
