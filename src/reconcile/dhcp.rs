//! What DHCP is told goes with an apply to our own store, whatever the target: our DHCP may stand beside a running
//! OpenCHAMI. It is a record and no object: SMD and its kin have nothing that it could be compared with, and nobody but an
//! apply writes it. A plan says in words what of it changes.
//!
//! With the built-in target the nodes themselves are in the store, and DHCP finds them there. With another SMD they are
//! not, so they go with the settings, and iPXE is sent to that installation's BSS. A store has the settings of one
//! cluster; an apply of another cluster to services elsewhere leaves them alone, and its plan says so.

mod machines;

use std::sync::Arc;

use super::{Request, TargetSpec};
use crate::desired::Desired;
use crate::model::{DhcpSettings, Record, Table};
use crate::plan::Plan;
use crate::snapshot::{Change, Snapshot};
use crate::store::{Author, Decision, Store, StoreError, WriteError};
use crate::target::{Endpoints, Services};

/// Puts the settings of the desired state in force, and takes away those of any other cluster. Equal ones are not
/// written.
pub(super) async fn put(store: &Store, request: &Request) -> Result<(), StoreError> {
    let snapshot = store.snapshot();
    let live = snapshot.boot.dhcp.as_ref();
    let Some(settings) = wanted(request).filter(|settings| live != Some(settings)) else { return Ok(()) };
    if another(request, live.map(|live| &**live)) {
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

/// What DHCP is to be told by this request; none from a version that did not know of it.
fn wanted(request: &Request) -> Option<Arc<DhcpSettings>> {
    let settings = request.desired.dhcp.clone()?;
    let TargetSpec::OpenChami(endpoints) = &request.target else { return Some(settings) };
    let theirs = || format!("{}/bootscript", endpoints.bss.trim_end_matches('/'));
    Some(Arc::new(DhcpSettings {
        machines: machines::of(&request.desired),
        boot_script_url: Some(settings.boot_script_url.clone().unwrap_or_else(theirs)),
        ..Arc::unwrap_or_clone(settings)
    }))
}

/// The state that an apply to services elsewhere leaves in our own store where nothing is yet: what DHCP is told, and no
/// nodes.
#[must_use]
pub fn from_nothing_beside(desired: Arc<Desired>, services: &Services) -> Snapshot {
    let Services { smd, bss, cloud_init, .. } = services.clone();
    let (token, token_variable, ca_pem) = (None, String::new(), None);
    let endpoints = Endpoints { smd, bss, cloud_init, token, token_variable, ca_pem };
    let mut snapshot = Snapshot::default();
    if let Some(settings) = wanted(&Request::new(desired, TargetSpec::OpenChami(endpoints), "serve")) {
        snapshot.apply(&Change::PutRecord(Record::DhcpSettings(settings)));
    }
    snapshot
}

/// True when what is in force is another cluster's and the request is about services elsewhere.
fn another(request: &Request, live: Option<&DhcpSettings>) -> bool {
    let elsewhere = matches!(request.target, TargetSpec::OpenChami(_));
    elsewhere && live.is_some_and(|live| live.cluster != request.desired.cluster_id)
}

/// Says in a plan what changes of what DHCP is told, and makes it part of the plan's identifier.
pub(super) fn show(plan: &mut Plan, request: &Request, live: Option<&DhcpSettings>) {
    let desired = wanted(request);
    let Some(desired) = desired.as_deref().filter(|desired| live != Some(*desired)) else { return };
    if let Some(live) = live.filter(|live| another(request, Some(live))) {
        plan.notes.push(format!("DHCP here serves cluster {} and goes on doing so", live.cluster));
        return;
    }
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
        (desired.machines == live.machines, "addresses of nodes"),
        (desired.boot_script_url == live.boot_script_url, "URL of boot scripts"),
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
    use crate::target::{Endpoints, Services};

    fn made(inventory: &Inventory) -> Desired {
        desired(inventory, &|_| Ok(serde_json::json!("x")))
    }

    fn request(inventory: &Inventory) -> Request {
        Request::new(made(inventory).into(), TargetSpec::Builtin, "test")
    }

    fn elsewhere(inventory: &Inventory) -> Request {
        let target = TargetSpec::OpenChami(Endpoints {
            smd: "http://127.0.0.1:1/hsm/v2".into(),
            bss: "http://127.0.0.1:1/boot/v1".into(),
            cloud_init: "http://127.0.0.1:1/cloud-init".into(),
            token: None,
            token_variable: String::new(),
            ca_pem: None,
        });
        Request { target, ..request(inventory) }
    }

    #[tokio::test]
    async fn with_services_elsewhere_nodes_and_their_bss_go_with_the_settings() {
        let store = Store::in_memory();
        let mut inventory = samples::inventory(2);
        super::put(&store, &elsewhere(&inventory)).await.unwrap();
        let settings = store.snapshot().boot.dhcp.clone().unwrap();
        assert_eq!(settings.machines.len(), 4);
        assert_eq!(settings.boot_script_url.as_deref(), Some("http://127.0.0.1:1/boot/v1/bootscript"));
        inventory.cluster.dhcp.boot_script_url = Some("http://head/script".into());
        super::put(&store, &elsewhere(&inventory)).await.unwrap();
        let settings = store.snapshot().boot.dhcp.clone().unwrap();
        assert_eq!(settings.boot_script_url.as_deref(), Some("http://head/script"));
        let mut nothing = plan(&Reconciler::new(Store::in_memory()), &inventory).await;
        nothing.dhcp.clear();
        super::show(&mut nothing, &elsewhere(&inventory), Some(&settings));
        assert!(nothing.dhcp.is_empty(), "{:?}", nothing.dhcp);
    }

    #[tokio::test]
    async fn without_a_store_dhcp_is_told_what_an_apply_to_services_elsewhere_would_have_told_it() {
        let (store, inventory) = (Store::in_memory(), samples::inventory(2));
        super::put(&store, &elsewhere(&inventory)).await.unwrap();
        let services = Services {
            smd: "http://127.0.0.1:1/hsm/v2".into(),
            bss: "http://127.0.0.1:1/boot/v1".into(),
            cloud_init: "http://127.0.0.1:1/cloud-init".into(),
            token_file: Some("/nonexistent".into()),
            ca_cert: None,
        };
        let snapshot = super::from_nothing_beside(made(&inventory).into(), &services);
        assert_eq!(snapshot.boot.dhcp, store.snapshot().boot.dhcp);
        assert!(snapshot.boot.components.is_empty() && snapshot.boot.boot_params.is_empty());
    }

    #[tokio::test]
    async fn the_settings_of_another_cluster_stay_when_services_elsewhere_are_applied_to() {
        let store = Store::in_memory();
        let mut inventory = samples::inventory(1);
        super::put(&store, &request(&inventory)).await.unwrap();
        let before = store.snapshot().boot.dhcp.clone();
        inventory.cluster.id = "other".into();
        super::put(&store, &elsewhere(&inventory)).await.unwrap();
        assert_eq!(store.snapshot().boot.dhcp, before);
        let mut shown = plan(&Reconciler::new(Store::in_memory()), &inventory).await;
        (shown.dhcp, shown.notes) = (Vec::new(), Vec::new());
        super::show(&mut shown, &elsewhere(&inventory), before.as_deref());
        assert_eq!((shown.dhcp.len(), shown.notes.len()), (0, 1));
        super::put(&store, &request(&inventory)).await.unwrap();
        assert_eq!(store.snapshot().boot.dhcp.as_ref().map(|settings| &*settings.cluster), Some("other"));
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
