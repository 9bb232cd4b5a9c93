//! What our nodes are to have and an object that is not ours has already: a NID, an IP address.
//!
//! The inventory cannot see such a collision, and nothing here can mend it, because what is not ours is never touched.
//! Each is told in a warning that names both.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use super::address;
use super::document::{Remark, Severity};
use super::fields::Fields;
use super::judge::{Outcome, Verdict};
use crate::desired::{Desired, DesiredObject};
use crate::model::{Kind, Object, ObjectKey};

/// What objects that are not ours have, each with the words for who has it.
#[derive(Default)]
struct Taken {
    nids: BTreeMap<u64, String>,
    ips: BTreeMap<IpAddr, String>,
}

/// One warning for each number or address that an object of ours shares with one that is not.
pub(super) fn remarks(desired: &Desired, outcomes: &[Outcome<'_>]) -> Vec<Remark> {
    let taken = Taken::of(outcomes);
    let mut remarks = Vec::new();
    for (key, object) in &desired.objects {
        match key.kind {
            Kind::Component if !taken.nids.is_empty() => remarks.extend(taken.nid(key, object)),
            Kind::EthernetInterface if !taken.ips.is_empty() => remarks.extend(taken.ips(key, object)),
            _ => {}
        }
    }
    remarks
}

impl Taken {
    fn of(outcomes: &[Outcome<'_>]) -> Self {
        let mut taken = Self::default();
        for outcome in outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Unmanaged) {
            match outcome.sides.live {
                Some(Object::Component(component)) => {
                    // SMD counts nodes from 1; 0 stands for none.
                    if let Some(nid) = component.nid.filter(|nid| nid.0 != 0) {
                        taken.nids.entry(nid.0).or_insert_with(|| component.id.to_string());
                    }
                }
                Some(Object::EthernetInterface(interface)) => {
                    let of = interface.component_id.as_ref().map(|id| format!(" of {id}")).unwrap_or_default();
                    for address in &interface.ip_addresses {
                        let owner = || format!("interface {}{of}", outcome.sides.key.id);
                        taken.ips.entry(address.ip).or_insert_with(owner);
                    }
                }
                _ => {}
            }
        }
        taken
    }

    fn nid(&self, key: &ObjectKey, object: &DesiredObject) -> Option<Remark> {
        let nid: u64 = Fields::parse(&object.doc)?.get("nid")?.parse().ok()?;
        let owner = self.nids.get(&nid)?;
        Some(remark("nid.taken", key, object, &format!("NID {nid} of {}", object.name), owner))
    }

    fn ips(&self, key: &ObjectKey, object: &DesiredObject) -> Vec<Remark> {
        let fields = Fields::parse(&object.doc);
        let list = fields.and_then(|fields| serde_json::from_str(fields.get("ip_addresses")?).ok());
        let list: Vec<Value> = list.unwrap_or_default();
        let ips = list.iter().filter_map(|address| address.get("ip")?.as_str()?.parse::<IpAddr>().ok());
        let taken = ips.filter_map(|ip| {
            let owner = self.ips.get(&ip)?;
            Some(remark("ip.taken", key, object, &format!("IP address {ip} of {}", object.name), owner))
        });
        taken.collect()
    }
}

fn remark(code: &'static str, key: &ObjectKey, object: &DesiredObject, what: &str, owner: &str) -> Remark {
    Remark {
        severity: Severity::Warning,
        code: code.into(),
        object: key.to_string(),
        message: format!("{what} is taken by {owner}, which is not managed by this inventory and stays as it is"),
        origin: Some(address::place(&object.origin)),
    }
}
