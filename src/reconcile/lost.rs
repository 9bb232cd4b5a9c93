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
use std::collections::BTreeMap;
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
    /// True when some are written anew.
    heals: bool,
}

impl Lost {
    pub(super) fn judge(lost: &BTreeMap<ObjectKey, String>, desired: &Desired, ledger: &Ledger, give_up: bool) -> Self {
        let mut judged = Self::default();
        // What waits for a secret is refused for that reason, and is not given up because of it.
        let waits = |key: &ObjectKey| desired.unresolved.iter().any(|unresolved| unresolved.key == *key);
        for (key, cause) in lost.iter().filter(|(key, _)| !waits(key)) {
            let wanted = desired.objects.contains_key(key);
            let ours = key.kind.is_secret() && ledger.entries.contains_key(key);
            match (wanted, stand_in(key)) {
                (true, _) if give_up || ours => judged.heals = true,
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
        self.heals
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

    /// Takes the empty objects out of the writes again: the store knows of none.
    pub(super) fn correct(&self, computed: &mut Computed) {
        for write in computed.writes.iter_mut().filter(|write| self.given_up.contains_key(&write.key)) {
            write.before = None;
        }
    }
}

/// The empty object that stands for one of a secret kind.
fn stand_in(key: &ObjectKey) -> Option<Object> {
    let (Kind::CloudInitSecure, Ok(name)) = (key.kind, key.id.parse()) else { return None };
    let (userdata, metadata, vendordata) = (Value::Null, Value::Null, Value::Null);
    Some(Object::CloudInitSecure(Arc::new(CloudInitEntry { name, userdata, metadata, vendordata, jinja: false })))
}
