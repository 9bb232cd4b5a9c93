//! DHCP: a task per interface, and one that stores leases.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::FutureExt as _;

use super::{AppError, Config};
use crate::server::advertise::Advertiser;
use crate::server::common::{Health, Metrics, Supervisor};
use crate::server::dhcp::{BootSettings, Dhcp, Interface, Keep};
use crate::snapshot::Snapshot;
use crate::store::{Author, Decision, Store, WriteError};

/// Binds every interface that is asked for, before anything is served.
pub(super) fn bind(config: &Config) -> Result<Vec<Interface>, AppError> {
    let bound = interfaces(config).into_iter().map(|name| Ok(Interface::bind(name)?));
    bound.collect()
}

/// The interfaces that are asked for, each once: two sets of sockets on one would answer every packet twice.
fn interfaces(config: &Config) -> BTreeSet<&str> {
    config.dhcp.iter().map(String::as_str).collect()
}

/// Serves DHCP on the interfaces; nothing, and no server, where there are none.
pub(super) fn spawn(
    tasks: &mut Supervisor,
    interfaces: Vec<Interface>,
    store: &Store,
    config: &Config,
    boot_port: u16,
    (health, metrics): (&Health, &Metrics),
) -> Option<Arc<Dhcp>> {
    if interfaces.is_empty() {
        return None;
    }
    let flags = BootSettings {
        boot_url: config.boot_url.clone(),
        boot_port,
        boot_reachable: config.boot_url.is_some()
            || config.boot.iter().any(|addr| !addr.ip().to_canonical().is_loopback()),
        tftp: !config.boot_servers.tftp.is_empty(),
    };
    let dhcp = Dhcp::new(store.boot_views(), flags, &store.snapshot().records, keep(store.clone()));
    metrics.show(dhcp.figures());
    for interface in interfaces {
        let (dhcp, name) = (dhcp.clone(), interface.name().to_owned());
        let mut bound = Some(interface);
        let health = health.clone();
        tasks.spawn(format!("dhcp {name}"), move |shutdown| {
            // After a failure the sockets are made anew: an interface that was replaced by one of the same name ends `run`,
            // and a bind finds the new one.
            let interface = bound.take().map_or_else(|| Interface::bind(&name), Ok);
            let (dhcp, health, component) = (dhcp.clone(), health.clone(), format!("dhcp-network {name}"));
            async move {
                let report = |reason: Option<String>| health.set(&component, reason);
                let failed = |error: &dyn std::error::Error| super::chain(error);
                let interface = interface.map_err(|error| failed(&error))?;
                interface.run(&dhcp, &report, &shutdown).await.map_err(|error| failed(&error))
            }
        });
    }
    let (served, health) = (dhcp.clone(), health.clone());
    tasks.spawn("dhcp-leases", move |shutdown| {
        let (dhcp, health) = (served.clone(), health.clone());
        async move {
            let report = |reason: Option<String>| {
                let reason = reason.map(|reason| format!("leases are in memory only: {reason}"));
                health.set("dhcp-journal", reason);
            };
            dhcp.run(report, &shutdown).await;
            shutdown.cancelled().await;
            Ok::<(), std::convert::Infallible>(())
        }
    });
    Some(dhcp)
}

/// Sends router advertisements on the interfaces, where that is asked for. Nodes boot without them, only later, so an
/// interface without IPv6 is degraded and ends no start.
pub(super) fn spawn_advertisers(tasks: &mut Supervisor, config: &Config) {
    for name in interfaces(config).into_iter().filter(|_| config.router_advertisements) {
        let name = name.to_owned();
        tasks.spawn(format!("router-advertisements {name}"), move |shutdown| {
            let name = name.clone();
            async move { Advertiser::bind(&name)?.run(&shutdown).await }
        });
    }
}

/// Stores what DHCP has to keep; it is given no store to look into.
fn keep(store: Store) -> Keep {
    Arc::new(move |changes| {
        let store = store.clone();
        async move {
            let decide = move |_: &Snapshot| Ok::<_, std::convert::Infallible>(Decision::new((), changes));
            match store.write(Author("dhcp".into()), decide).await {
                Ok(()) => Ok(()),
                Err(WriteError::Refused(never)) => match never {},
                Err(WriteError::Unavailable(error)) => Err(super::chain(&error)),
            }
        }
        .boxed()
    })
}
