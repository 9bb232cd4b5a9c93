//! What DHCP is told goes with an apply to our own store. It is a record and no object: SMD and its kin have nothing
//! that it could be compared with, and nobody but an apply writes it. A plan says in words what of it changes.

use std::sync::Arc;

use super::Request;
use crate::model::{DhcpSettings, Record, Table};
use crate::plan::Plan;
use crate::snapshot::{Change, Snapshot};
use crate::store::{Author, Decision, Store, StoreError, WriteError};

/// Puts the settings of the desired state in force, and takes away those of any other cluster. Equal ones are not
/// written.
pub(super) async fn put(store: &Store, request: &Request) -> Result<(), StoreError> {
    let Some(settings) = request.desired.dhcp.clone() else { return Ok(()) };
    if store.snapshot().boot.dhcp.as_ref() == Some(&settings) {
        return Ok(());
    }
    let author = Author(format!("ochami-sync apply ({})", request.author).into());
    let decide = move |snapshot: &Snapshot| {
        let others = snapshot.records.dhcp_settings.keys().filter(|id| **id != settings.cluster);
        let mut changes: Vec<Change> = others.map(|id| Change::DeleteRecord(Table::DhcpSettings, id.clone())).collect();
        changes.push(Change::PutRecord(Record::DhcpSettings(Arc::clone(&settings))));
        Ok::<_, std::convert::Infallible>(Decision::new((), changes))
    };
    match store.write(author, decide).await {
        Ok(()) => Ok(()),
        Err(WriteError::Refused(never)) => match never {},
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}

/// Says in a plan what changes of what DHCP is told, and makes it part of the plan's identifier.
pub(super) fn show(plan: &mut Plan, desired: Option<&DhcpSettings>, live: Option<&DhcpSettings>) {
    let Some(desired) = desired.filter(|desired| live != Some(*desired)) else { return };
    let nothing = DhcpSettings::default();
    let live = live.unwrap_or(&nothing);
    for network in &desired.networks {
        match live.networks.iter().find(|known| known.name == network.name) {
            None => plan.dhcp.push(format!("network {} new", network.name)),
            Some(known) if known != network => plan.dhcp.push(format!("network {} changed", network.name)),
            Some(_) => {}
        }
    }
    for network in live.networks.iter().filter(|known| desired.networks.iter().all(|one| one.name != known.name)) {
        plan.dhcp.push(format!("network {} gone", network.name));
    }
    for (mac, host) in &desired.hosts {
        match live.hosts.get(mac) {
            None => plan.dhcp.push(format!("host {} new", host.name)),
            Some(known) if known != host => plan.dhcp.push(format!("host {} changed", host.name)),
            Some(_) => {}
        }
    }
    let gone = live.hosts.iter().filter(|(mac, _)| !desired.hosts.contains_key(mac));
    plan.dhcp.extend(gone.map(|(_, host)| format!("host {} gone", host.name)));
    let same = [
        (desired.names == live.names, "node names"),
        (desired.loaders == live.loaders, "loaders"),
        (desired.groups == live.groups, "options of groups"),
        (desired.nodes == live.nodes, "options of nodes"),
    ];
    plan.dhcp.extend(same.iter().filter(|(same, _)| !same).map(|(_, what)| format!("{what} changed")));
    if plan.dhcp.is_empty() {
        plan.dhcp.push("settings of the cluster changed".to_owned());
    }
    let content = serde_json::to_vec(desired).unwrap_or_default();
    let digest = blake3::Hasher::new().update(plan.id.as_bytes()).update(&content).finalize().to_hex();
    plan.id = format!("p-{}", &digest[..12]);
}

#[cfg(test)]
mod tests {
    use crate::desired::{Desired, desired, samples};
    use crate::inventory::serving::{Host, NetworkDhcp};
    use crate::inventory::{Inventory, Network};
    use crate::plan::Plan;
    use crate::reconcile::{Reconciler, Request, TargetSpec};
    use crate::store::Store;

    fn made(inventory: &Inventory) -> Desired {
        desired(inventory, &|_| Ok(serde_json::json!("x")))
    }

    fn request(inventory: &Inventory) -> Request {
        Request::new(made(inventory).into(), TargetSpec::Builtin, "test")
    }

    async fn plan(reconciler: &Reconciler, inventory: &Inventory) -> Plan {
        reconciler.plan(&request(inventory)).await.unwrap()
    }

    #[tokio::test]
    async fn a_plan_shows_what_dhcp_is_told_and_an_apply_puts_it_in_force_once() {
        let store = Store::in_memory();
        let reconciler = Reconciler::new(store.clone());
        let mut inventory = samples::inventory(1);
        inventory.cluster.networks.push(Network {
            name: "boot".into(),
            subnet: "172.16.0.0/24".parse().unwrap(),
            router: None,
            dns: Vec::new(),
            pool: None,
            dhcp: NetworkDhcp::default(),
            origin: inventory.nodes[0].origin.clone(),
        });
        assert_eq!(plan(&reconciler, &inventory).await.dhcp, ["network boot new"]);
        reconciler.apply(&request(&inventory)).await.unwrap();
        assert_eq!(store.snapshot().boot.dhcp, made(&inventory).dhcp);
        let revision = store.snapshot().revision;
        let again = reconciler.apply(&request(&inventory)).await.unwrap();
        assert!(!again.plan.has_changes() && store.snapshot().revision == revision, "a second apply writes nothing");

        let before = plan(&reconciler, &inventory).await.id;
        inventory.cluster.networks[0].dhcp.unknown_lease = 60;
        let host = Host {
            name: "switch1".into(),
            mac: "ec:e7:a7:0f:00:09".parse().unwrap(),
            ip: [172, 16, 0, 90].into(),
            options: crate::model::DhcpOptions::default(),
        };
        inventory.cluster.dhcp.hosts.push(host);
        let changed = plan(&reconciler, &inventory).await;
        assert_eq!(changed.dhcp, ["network boot changed", "host switch1 new"]);
        assert!(changed.has_changes() && changed.id != before);
        let text = crate::plan::text::render(&changed, &crate::plan::text::TextOptions::default());
        assert!(text.contains("DHCP          network boot changed   host switch1 new\n"), "{text}");
        reconciler.apply(&request(&inventory)).await.unwrap();
        assert_eq!(store.snapshot().boot.dhcp, made(&inventory).dhcp);
    }
}
