//! Creating, changing and deleting interfaces.

use std::collections::HashSet;
use std::sync::Arc;

use super::found;
use crate::model::{EthernetInterface, IpAddress, MacAddr, Object, ObjectKey, Timestamp, Xname};
use crate::server::common::Problem;
use crate::server::smd::answer;
use crate::snapshot::{Change, Snapshot};
use crate::store::Decision;
use crate::wire::smd::{FieldError, InterfaceBody, InterfacePatchBody, IpBody};

pub(super) fn wrong(error: &FieldError) -> Problem {
    Problem::bad_request(error.to_string())
}

/// The interface of a POST; the time of its last change is ours to tell.
///
/// # Errors
///
/// 400 naming what is wrong.
pub(super) fn checked(mut body: InterfaceBody, now: Timestamp) -> Result<EthernetInterface, Problem> {
    body.last_update = None;
    let interface = EthernetInterface::try_from(body).map_err(|error| wrong(&error))?;
    check_repetition(&interface.ip_addresses)?;
    Ok(EthernetInterface { last_update: now, ..interface })
}

fn check_repetition(addresses: &[IpAddress]) -> Result<(), Problem> {
    let mut seen = HashSet::new();
    match addresses.iter().find(|address| !seen.insert(address.ip)) {
        Some(twice) => Err(Problem::bad_request(format!("IP address '{}' is given twice", twice.ip))),
        None => Ok(()),
    }
}

/// What a PATCH sets.
#[derive(Debug)]
pub(super) struct Patch {
    description: Option<String>,
    component_id: Option<Xname>,
    ip_addresses: Option<Vec<IpAddress>>,
}

impl Patch {
    /// # Errors
    ///
    /// 400 when it sets nothing, or naming what is wrong.
    pub(super) fn checked(body: InterfacePatchBody) -> Result<Self, Problem> {
        // An empty text is no xname: an interface that has a component keeps one.
        let component = |text: String| text.parse::<Xname>().map_err(|_| wrong(&FieldError::Xname(text.clone())));
        let addresses = |bodies: Vec<IpBody>| bodies.into_iter().map(IpAddress::try_from).collect::<Result<_, _>>();
        let patch = Self {
            description: body.description,
            component_id: body.component_id.map(component).transpose()?,
            ip_addresses: body.ip_addresses.map(addresses).transpose().map_err(|error| wrong(&error))?,
        };
        if patch.description.is_none() && patch.component_id.is_none() && patch.ip_addresses.is_none() {
            return Err(answer::nothing_to_patch());
        }
        check_repetition(patch.ip_addresses.as_deref().unwrap_or_default())?;
        Ok(patch)
    }
}

/// The change that stores an interface.
pub(super) fn put(interface: EthernetInterface) -> Change {
    Change::Put(Object::EthernetInterface(Arc::new(interface)))
}

/// Creates one; 409 where its MAC address has one already.
pub(super) fn decide_create(snapshot: &Snapshot, interface: EthernetInterface) -> Result<Decision<()>, Problem> {
    if snapshot.boot.interfaces.contains_key(&interface.mac) {
        return Err(Problem::conflict(
            "operation would conflict with an existing component ethernet interface that has the same MAC address.",
        ));
    }
    Ok(Decision::new((), vec![put(interface)]))
}

/// Changes one and answers it. What is as the patch wants it is not written, and keeps its time.
pub(super) fn decide_change(
    snapshot: &Snapshot,
    mac: MacAddr,
    patch: Patch,
    now: Timestamp,
) -> Result<Decision<Arc<EthernetInterface>>, Problem> {
    let old = found(snapshot, mac)?;
    let mut new = EthernetInterface::clone(old);
    new.description = patch.description.unwrap_or(new.description);
    new.component_id = patch.component_id.or(new.component_id);
    new.ip_addresses = patch.ip_addresses.unwrap_or(new.ip_addresses);
    if new == **old {
        return Ok(Decision::new(old.clone(), Vec::new()));
    }
    new.last_update = now;
    let new = Arc::new(new);
    Ok(Decision::new(new.clone(), vec![Change::Put(Object::EthernetInterface(new))]))
}

/// Deletes one.
pub(super) fn decide_remove(snapshot: &Snapshot, mac: MacAddr) -> Result<Decision<()>, Problem> {
    found(snapshot, mac)?;
    Ok(Decision::new((), vec![Change::Delete(ObjectKey::ethernet_interface(&mac))]))
}

/// Deletes all, and answers how many there were.
pub(super) fn decide_clear(snapshot: &Snapshot) -> Result<Decision<usize>, Problem> {
    let interfaces = &snapshot.boot.interfaces;
    if interfaces.is_empty() {
        return Err(answer::nothing_to_delete());
    }
    let changes = interfaces.keys().map(|mac| Change::Delete(ObjectKey::ethernet_interface(mac))).collect();
    Ok(Decision::new(interfaces.len(), changes))
}
