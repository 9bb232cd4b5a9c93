//! Stored objects that nobody can read any more, as after the loss of the key for secrets, and what becomes of them.
//!
//! | in the inventory | ours by the ledger | without a flag | with `--give-up-unreadable` |
//! |---|---|---|---|
//! | yes | yes, and secret | written anew: only the inventory ever said what it holds | the same |
//! | yes | otherwise | refused: it may hold what others wrote | written anew |
//! | no | yes or no | refused: what it held is lost for good | deleted, if it is a secret |
//!
//! A plan can only show what it is given. So an entry that is given up is put into the live state as an empty one, and into
//! the ledger where it is not: it is then shown, named and counted like every other deletion.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::desired::Desired;
use crate::model::{CloudInitEntry, Kind, Object, ObjectKey};
use crate::plan::Computed;
use crate::snapshot::{Change, Snapshot};
use crate::store::{Ledger, LedgerEntry};

/// The most objects that one reason names.
const NAMED: usize = 10;

/// What becomes of each object that cannot be read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Lost {
    /// Deleted, each with the empty object that stands for it.
    given_up: BTreeMap<ObjectKey, Object>,
    /// In the way of every plan, by cause: those that the inventory holds, and those that are lost for good.
    blocking: BTreeMap<(String, bool), Vec<ObjectKey>>,
    /// Written anew.
    healed: BTreeSet<ObjectKey>,
}

impl Lost {
    pub(super) fn judge(lost: &BTreeMap<ObjectKey, String>, desired: &Desired, ledger: &Ledger, give_up: bool) -> Self {
        let mut judged = Self::default();
        for (key, cause) in lost {
            // What waits for a secret is wanted, and is not given up because of it.
            let wanted = desired.objects.contains_key(key) || desired.waiting.contains_key(key);
            let ours = key.kind.is_secret() && ledger.entries.contains_key(key);
            match (wanted, stand_in(key)) {
                (true, _) if give_up || ours => drop(judged.healed.insert(key.clone())),
                (false, Some(object)) if give_up => drop(judged.given_up.insert(key.clone(), object)),
                _ => judged.blocking.entry((cause.clone(), wanted)).or_default().push(key.clone()),
            }
        }
        judged
    }

    /// Why nothing can be planned, and the way out, one sentence for each cause.
    pub(super) fn reasons(&self) -> Vec<String> {
        let reason = |((cause, wanted), keys): (&(String, bool), &Vec<ObjectKey>)| {
            let names: Vec<String> = keys.iter().take(NAMED).map(ToString::to_string).collect();
            let more = match keys.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let way_out = match wanted {
                true => "mend that, or write what the inventory holds over it with `apply --give-up-unreadable`",
                false => {
                    "mend that, write it into the inventory, or give it up: `apply --give-up-unreadable` deletes what is not \
                     in the inventory"
                }
            };
            format!("{}{more} cannot be read: {cause}; {way_out}", names.join(", "))
        };
        self.blocking.iter().map(reason).collect()
    }

    /// True when some are written anew. They are then missing from the live state because they cannot be read, and not
    /// because somebody emptied it.
    pub(super) fn heals(&self) -> bool {
        !self.healed.is_empty()
    }

    /// The live state with what is given up in it.
    pub(super) fn in_live(&self, live: &Arc<Snapshot>) -> Arc<Snapshot> {
        if self.given_up.is_empty() {
            return live.clone();
        }
        let mut whole = Snapshot::clone(live);
        self.given_up.values().for_each(|object| whole.apply(&Change::Put(object.clone())));
        Arc::new(whole)
    }

    /// The ledger, owning what is given up.
    pub(super) fn in_ledger<'a>(&self, ledger: Cow<'a, Ledger>) -> Cow<'a, Ledger> {
        if self.given_up.keys().all(|key| ledger.entries.contains_key(key)) {
            return ledger;
        }
        let mut ledger = ledger.into_owned();
        for key in self.given_up.keys() {
            ledger.entries.entry(key.clone()).or_insert_with(|| LedgerEntry {
                doc: "{}".into(),
                owner: None,
                name: key.id.clone(),
                origin: "".into(),
                apply: 0,
            });
        }
        Cow::Owned(ledger)
    }

    /// Takes the empty objects out of the writes again, as the store knows of none, and says which lines of the plan are about
    /// something that cannot be read.
    pub(super) fn correct(&self, computed: &mut Computed) {
        for write in computed.writes.iter_mut().filter(|write| self.given_up.contains_key(&write.key)) {
            write.before = None;
        }
        let unread: BTreeSet<String> = self.given_up.keys().chain(&self.healed).map(ToString::to_string).collect();
        for change in computed.plan.changes.iter_mut().chain(&mut computed.plan.drift) {
            change.live_readable = !unread.contains(&change.address);
        }
    }
}

/// The empty object that stands for one of a secret kind.
fn stand_in(key: &ObjectKey) -> Option<Object> {
    let (Kind::CloudInitSecure, Ok(name)) = (key.kind, key.id.parse()) else { return None };
    let (userdata, metadata, vendordata) = (Value::Null, Value::Null, Value::Null);
    Some(Object::CloudInitSecure(Arc::new(CloudInitEntry { name, userdata, metadata, vendordata, jinja: false })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::samples;

    const CAUSE: &str = "it was encrypted with another key";

    fn secure(name: &str) -> ObjectKey {
        ObjectKey::new(Kind::CloudInitSecure, name)
    }

    fn entry() -> LedgerEntry {
        LedgerEntry { doc: "{}".into(), owner: None, name: "x".into(), origin: "".into(), apply: 1 }
    }

    /// A cluster whose inventory holds the secure entry `wanted`, and whose ledger owns these.
    fn sides(owned: &[ObjectKey]) -> (Desired, Ledger) {
        let mut desired = samples::desire(&samples::inventory(2));
        let any = desired.objects.values().next().unwrap().clone();
        desired.objects.insert(secure("wanted"), any);
        let entries = owned.iter().map(|key| (key.clone(), entry())).collect();
        (desired, Ledger { entries, last_apply: None })
    }

    fn judge(lost: &[ObjectKey], owned: &[ObjectKey], give_up: bool) -> Lost {
        let (desired, ledger) = sides(owned);
        let lost = lost.iter().map(|key| (key.clone(), CAUSE.to_owned())).collect();
        Lost::judge(&lost, &desired, &ledger, give_up)
    }

    #[test]
    fn an_own_secret_that_the_inventory_holds_is_in_nobodys_way() {
        for give_up in [false, true] {
            let judged = judge(&[secure("wanted")], &[secure("wanted")], give_up);
            assert!(judged.heals() && judged.reasons().is_empty() && judged.given_up.is_empty());
        }
    }

    #[test]
    fn what_others_wrote_and_what_the_inventory_lacks_takes_the_flag() {
        for (key, owned) in [(secure("wanted"), false), (secure("gone"), false), (secure("gone"), true)] {
            let owned: Vec<ObjectKey> = owned.then(|| key.clone()).into_iter().collect();
            let [reason] = judge(std::slice::from_ref(&key), &owned, false).reasons().try_into().unwrap();
            assert!(reason.starts_with(&format!("{key} cannot be read: {CAUSE}")), "{reason}");
            assert!(reason.contains("apply --give-up-unreadable"), "{reason}");
            let judged = judge(std::slice::from_ref(&key), &owned, true);
            assert_eq!(judged.reasons(), Vec::<String>::new());
            assert_eq!(judged.given_up.contains_key(&key), &*key.id == "gone");
        }
    }

    #[test]
    fn what_is_no_secret_and_not_in_the_inventory_stays_whatever_the_flag_says() {
        let group = ObjectKey::new(Kind::Group, "odd");
        let judged = judge(std::slice::from_ref(&group), std::slice::from_ref(&group), true);
        assert_eq!(judged.reasons().len(), 1);
        assert!(judged.given_up.is_empty());
    }

    #[test]
    fn reasons_are_folded_by_cause_and_name_a_few_objects() {
        let keys: Vec<ObjectKey> = (10..25).map(|number| secure(&format!("e{number}"))).collect();
        let [reason] = judge(&keys, &[], false).reasons().try_into().unwrap();
        assert!(reason.contains("cloud-init-secure/e19 and 5 more cannot be read"), "{reason}");
    }

    #[test]
    fn a_plan_shows_what_is_given_up_as_a_delete_and_the_store_is_told_of_no_state_before() {
        let judged = judge(&[secure("gone")], &[], true);
        let (live, ledger) = (Arc::new(Snapshot::default()), Cow::Owned(Ledger::default()));
        let (whole, owning) = (judged.in_live(&live), judged.in_ledger(ledger));
        assert!(whole.object(&secure("gone")).is_some() && owning.entries.contains_key(&secure("gone")));
        assert!(live.object(&secure("gone")).is_none(), "the snapshot that is served is left alone");
        let (desired, _) = sides(&[]);
        let mut computed =
            crate::plan::compute(&desired, &owning, &whole, &crate::plan::Options::new("", crate::clock::now()));
        judged.correct(&mut computed);
        let write = computed.writes.iter().find(|write| write.key == secure("gone")).unwrap();
        assert!(write.object.is_none() && write.before.is_none());
        assert_eq!(unreadable(&computed), ["cloud-init-secure/gone"]);
    }

    /// The lines of a plan that say of themselves that what is there cannot be read.
    fn unreadable(computed: &Computed) -> Vec<&str> {
        let lines = computed.plan.changes.iter().chain(&computed.plan.drift);
        lines.filter(|line| !line.live_readable).map(|line| line.address.as_str()).collect()
    }

    #[test]
    fn what_is_written_anew_is_told_as_something_that_cannot_be_read() {
        for owned in [vec![secure("wanted")], Vec::new()] {
            let judged = judge(&[secure("wanted")], &owned, true);
            let (mut desired, ledger) = sides(&owned);
            let object = desired.objects[&secure("compute")].clone();
            desired.objects.insert(secure("wanted"), object);
            let options = crate::plan::Options::new("", crate::clock::now());
            let mut computed = crate::plan::compute(&desired, &ledger, &Snapshot::default(), &options);
            assert_eq!(unreadable(&computed), Vec::<&str>::new(), "everything else is new");
            judged.correct(&mut computed);
            assert_eq!(unreadable(&computed), ["cloud-init-secure/wanted"]);
        }
    }

    #[test]
    fn what_waits_for_a_secret_is_wanted_and_not_given_up() {
        let (mut desired, ledger) = sides(&[secure("wanted")]);
        let object = desired.objects.remove(&secure("wanted")).unwrap();
        desired.waiting.insert(secure("wanted"), object);
        let lost = BTreeMap::from([(secure("wanted"), CAUSE.to_owned())]);
        for give_up in [false, true] {
            let judged = Lost::judge(&lost, &desired, &ledger, give_up);
            assert!(judged.given_up.is_empty() && judged.reasons().is_empty());
        }
        let [reason] = Lost::judge(&lost, &desired, &Ledger::default(), false).reasons().try_into().unwrap();
        assert!(reason.contains("cannot be read"), "{reason}");
    }
}
