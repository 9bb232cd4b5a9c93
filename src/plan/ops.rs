//! The writes of a plan in their order, as the services see them.

use std::collections::HashMap;
use std::sync::Arc;

use super::document::{Action, Op};
use super::fingerprint;
use super::judge::{Outcome, Verdict};
use crate::model::{BootKey, Kind, MacAddr, ObjectKey};

/// Numbers the writes, from 1: what is made or changed goes kind by kind, deletes follow the other way round. A node
/// can then neither boot a kernel whose configuration does not exist yet nor one that is half deleted.
///
/// Answers the outcomes' places in that order.
pub(super) fn number(outcomes: &mut [Outcome<'_>]) -> Vec<usize> {
    let is_delete = |outcome: &Outcome<'_>| outcome.verdict == Verdict::Delete;
    let writing = |delete: bool| {
        let outcomes = outcomes.iter().enumerate();
        outcomes.filter(move |(_, o)| o.writes() && is_delete(o) == delete).map(|(place, _)| place)
    };
    let mut order: Vec<usize> = writing(false).collect();
    let mut deletes: Vec<usize> = writing(true).collect();
    deletes.reverse();
    order.extend(deletes);
    for (number, place) in order.iter().enumerate() {
        outcomes[*place].op = Some(number + 1);
    }
    order
}

/// The identifier of a write.
pub(super) fn id(number: usize) -> String {
    format!("o{number}")
}

/// Describes the writes. Each waits for the one before it that belongs to the same node, so that one failure stops
/// that node's later phases and nobody else's.
pub(super) fn describe(outcomes: &[Outcome<'_>], order: &[usize]) -> Vec<Op> {
    let mut last_of: HashMap<&str, usize> = HashMap::new();
    let mut ops = Vec::with_capacity(order.len());
    for (before, place) in order.iter().enumerate() {
        let outcome = &outcomes[*place];
        let key = outcome.sides.key;
        let previous = owner(outcome).and_then(|owner| last_of.insert(owner, before + 1));
        let action = action(outcome);
        ops.push(Op {
            id: id(before + 1),
            phase: match action {
                Action::Delete => format!("delete {}", key.kind).into(),
                Action::Create | Action::Update => key.kind.as_str().into(),
            },
            service: service(key.kind).into(),
            action,
            method: method(key.kind, action).into(),
            path: path(key),
            object: [key.kind.as_str(), "/", &key.id].concat(),
            after: previous.map(id).into_iter().collect(),
            body_hash: fingerprint::of_all(outcome.digests.after.iter()),
        });
    }
    ops
}

/// The method with which a service is asked for a write.
fn method(kind: Kind, action: Action) -> &'static str {
    match (action, kind) {
        (Action::Delete, _) => "DELETE",
        (Action::Create | Action::Update, Kind::BootParams | Kind::InstanceInfo) => "PUT",
        (Action::Create, _) | (Action::Update, Kind::ClusterDefaults) => "POST",
        (Action::Update, Kind::CloudInit | Kind::CloudInitSecure | Kind::CloudInitGroup) => "PUT",
        (Action::Update, _) => "PATCH",
    }
}

/// What the write of an outcome does.
pub(super) fn action(outcome: &Outcome<'_>) -> Action {
    match (outcome.verdict, outcome.sides.live) {
        (Verdict::Delete, _) => Action::Delete,
        (_, None) => Action::Create,
        (_, Some(_)) => Action::Update,
    }
}

/// The node that an object belongs to, by xname.
pub(super) fn owner<'a>(outcome: &Outcome<'a>) -> Option<&'a Arc<str>> {
    let desired = outcome.sides.desired.and_then(|desired| desired.owner.as_ref());
    desired.or_else(|| outcome.sides.entry.and_then(|entry| entry.owner.as_ref()))
}

/// The service that holds objects of a kind.
pub(super) fn service(kind: Kind) -> &'static str {
    match kind {
        Kind::Component | Kind::RedfishEndpoint | Kind::ComponentEndpoint | Kind::EthernetInterface | Kind::Group => {
            "smd"
        }
        Kind::CloudInit | Kind::CloudInitSecure | Kind::ClusterDefaults | Kind::CloudInitGroup | Kind::InstanceInfo => {
            "cloud-init"
        }
        Kind::BootParams => "bss",
    }
}

fn path(key: &ObjectKey) -> String {
    let id = &key.id;
    match key.kind {
        Kind::Component => format!("/State/Components/{id}"),
        Kind::RedfishEndpoint => format!("/Inventory/RedfishEndpoints/{id}"),
        Kind::ComponentEndpoint => format!("/Inventory/ComponentEndpoints/{id}"),
        Kind::EthernetInterface => {
            let id = id.parse::<MacAddr>().map_or_else(|_| id.to_string(), MacAddr::id);
            format!("/Inventory/EthernetInterfaces/{id}")
        }
        Kind::Group => format!("/groups/{id}"),
        Kind::CloudInit => format!("/cloud-init/{id}"),
        Kind::CloudInitSecure => format!("/cloud-init-secure/{id}"),
        Kind::ClusterDefaults => "/cloud-init/admin/cluster-defaults".to_owned(),
        Kind::CloudInitGroup => format!("/cloud-init/admin/groups/{id}"),
        Kind::InstanceInfo => format!("/cloud-init/admin/instance-info/{id}"),
        Kind::BootParams => match id.parse::<BootKey>() {
            Ok(BootKey::Mac(mac)) => format!("/bootparameters?mac={mac}"),
            Ok(BootKey::Host(host)) => format!("/bootparameters?name={host}"),
            Ok(BootKey::Nid(nid)) => format!("/bootparameters?nid={nid}"),
            Err(_) => "/bootparameters".to_owned(),
        },
    }
}
