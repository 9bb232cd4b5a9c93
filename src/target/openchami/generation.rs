//! The two generations of cloud-init servers: which of them an inventory needs, and what stands for what a server of
//! today's generation cannot be asked.

use crate::desired::Desired;
use crate::model::{Kind, Object, ObjectKey};
use crate::snapshot::{Change, Snapshot};
use crate::store::Ledger;

/// A generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Generation {
    /// Entries by name, as in the tutorial.
    Tutorial,
    /// Groups, instances and defaults.
    Today,
}

/// What is told of instances in plans.
pub(super) const INSTANCES_NOTE: &str = "this cloud-init server cannot be asked what it holds of single nodes: what was \
     last applied is taken for it, so that drift of instances is not seen";

impl Generation {
    /// The generation that knows objects of a kind; none for kinds of other services.
    pub(super) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::CloudInit | Kind::CloudInitSecure => Some(Self::Tutorial),
            Kind::ClusterDefaults | Kind::CloudInitGroup | Kind::InstanceInfo => Some(Self::Today),
            _ => None,
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Tutorial => Self::Today,
            Self::Today => Self::Tutorial,
        }
    }

    /// The list that only servers of this generation have.
    pub(super) fn probe(self) -> (Kind, &'static str) {
        match self {
            Self::Tutorial => (Kind::CloudInit, ""),
            Self::Today => (Kind::CloudInitGroup, "/admin/groups"),
        }
    }

    /// True where the inventory or the ledger has anything of the generation. An inventory without cloud-init data goes
    /// with the tutorial's.
    pub(super) fn matters(self, desired: &Desired, ledger: &Ledger) -> bool {
        let has = |generation| {
            let mut keys = desired.objects.keys().chain(ledger.entries.keys());
            let waits = desired.unresolved.iter().any(|object| Self::of(object.key.kind) == Some(generation));
            waits || keys.any(|key| Self::of(key.kind) == Some(generation))
        };
        has(self) || (self == Self::Tutorial && !has(Self::Today))
    }

    /// Why a server of the other generation cannot take what the inventory holds of this one; none where it holds
    /// nothing of it.
    pub(super) fn misplaced(self, desired: &Desired, url: &str) -> Option<String> {
        let mut objects = desired.objects.iter().filter(|(key, _)| Self::of(key.kind) == Some(self));
        let first = objects.next().map(|(key, object)| (key, &object.origin)).or_else(|| {
            let mut waiting = desired.unresolved.iter();
            waiting.find(|object| Self::of(object.key.kind) == Some(self)).map(|object| (&object.key, &object.origin))
        });
        let (key, origin) = first?;
        let more = match objects.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(match self {
            Self::Tutorial => format!(
                "the cloud-init server at {url} is of today's generation and cannot take entries in the tutorial's form: \
                 {key}{more}, {origin}; write groups into cloud-init/groups/ instead, or apply to the built-in servers"
            ),
            Self::Today => format!(
                "the cloud-init server at {url} is of the tutorial's generation and cannot take data in today's form: \
                 {key}{more}, {origin}; write entries into cloud-init/ instead, or apply to the built-in servers"
            ),
        })
    }
}

/// Puts the instances that the ledger owns into the live state: their server writes them and never tells them.
///
/// A server that holds none of our groups and defaults started over with an empty memory; then nothing is left of the
/// instances, either.
pub(super) fn assume_instances(ledger: &Ledger, live: &mut Snapshot) -> bool {
    let settled = || ledger.entries.iter().filter(|(_, entry)| !entry.is_intended());
    let told = |key: &ObjectKey| matches!(key.kind, Kind::ClusterDefaults | Kind::CloudInitGroup);
    let mut witnesses = settled().filter(|(key, _)| told(key)).peekable();
    if witnesses.peek().is_some() && !witnesses.any(|(key, _)| live.object(key).is_some()) {
        return false;
    }
    let mut assumed = false;
    for (key, entry) in settled().filter(|(key, _)| key.kind == Kind::InstanceInfo) {
        let fields = serde_json::from_str(&entry.doc).unwrap_or_default();
        if let Ok(object @ Object::InstanceInfo(_)) = Object::from_fields(key, fields) {
            live.apply(&Change::Put(object));
            assumed = true;
        }
    }
    assumed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::samples::{desire, inventory};
    use crate::store::LedgerEntry;

    fn entry(doc: &str) -> LedgerEntry {
        LedgerEntry { doc: doc.into(), owner: None, name: "n".into(), origin: "f:1".into(), apply: 1 }
    }

    fn instance() -> ObjectKey {
        ObjectKey::new(Kind::InstanceInfo, "x1000c0s0b1n0")
    }

    #[test]
    fn an_inventory_asks_for_what_it_has_and_for_what_it_had() {
        let (tutorials, mut bare) = (desire(&inventory(1)), desire(&inventory(1)));
        bare.objects.retain(|key, _| Generation::of(key.kind).is_none());
        let (nothing, mut owned) = (Ledger::default(), Ledger::default());
        owned.entries.insert(instance(), entry("{}"));
        let matters = |desired: &Desired, ledger: &Ledger| {
            [Generation::Tutorial, Generation::Today].map(|generation| generation.matters(desired, ledger))
        };
        assert_eq!(matters(&tutorials, &nothing), [true, false]);
        assert_eq!(matters(&tutorials, &owned), [true, true]);
        assert_eq!(matters(&bare, &owned), [false, true]);
        assert_eq!(matters(&bare, &nothing), [true, false]);
        assert!(Generation::Today.misplaced(&tutorials, "u").is_none());
        let told = Generation::Tutorial.misplaced(&tutorials, "u").unwrap();
        assert!(told.contains("cloud-init/compute and 1 more, cloud-init/compute.yaml:1"), "{told}");
    }

    #[test]
    fn instances_are_taken_for_what_was_applied_until_the_server_lost_everything() {
        let mut ledger = Ledger::default();
        ledger.entries.insert(instance(), entry(r#"{"local_hostname":"first"}"#));
        let mut live = Snapshot::default();
        assert!(assume_instances(&ledger, &mut live));
        assert_eq!(live.object(&instance()).unwrap().fields()["local_hostname"], "first");
        // One that was only about to be written may not be there.
        ledger.entries.insert(instance(), entry("{}"));
        assert!(!assume_instances(&ledger, &mut Snapshot::default()));
        ledger.entries.insert(instance(), entry(r#"{"local_hostname":"first"}"#));
        let group = ObjectKey::new(Kind::CloudInitGroup, "compute");
        ledger.entries.insert(group.clone(), entry(r#"{"content":"a"}"#));
        let mut live = Snapshot::default();
        assert!(!assume_instances(&ledger, &mut live), "a server without our group has forgotten the rest, too");
        live.apply(&Change::Put(Object::from_fields(&group, serde_json::Map::new()).unwrap()));
        assert!(assume_instances(&ledger, &mut live));
    }
}
