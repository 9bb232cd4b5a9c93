//! Where a packet came from: the networks that its client may be on.

use std::collections::{BTreeSet, HashSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use super::link::{Link, Place, local, numbered};
use super::request::Request;
use crate::model::DhcpSettings;

/// The settings with what is looked up often.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    pub(super) settings: Arc<DhcpSettings>,
    /// Addresses that no pool hands out, beside those of known interfaces.
    taken: HashSet<Ipv4Addr>,
    /// The networks of which it was told that options do not fit.
    without_room: Mutex<BTreeSet<Arc<str>>>,
}

impl Prepared {
    pub(super) fn new(settings: Arc<DhcpSettings>) -> Self {
        let mut taken: HashSet<Ipv4Addr> = settings.reserved.iter().copied().collect();
        taken.extend(settings.hosts.values().map(|host| host.ip));
        taken.extend(settings.machines.values().flat_map(|machine| &machine.ips));
        for network in &settings.networks {
            let options = &network.options;
            taken.extend([network.subnet.network(), network.subnet.broadcast()]);
            taken.extend(options.next_server);
            let lists = [&options.router, &options.dns, &options.ntp];
            taken.extend(lists.into_iter().flatten().flatten());
        }
        Self { settings, taken, without_room: Mutex::default() }
    }

    /// True for each network once: what is told of its options holds as long as these settings do.
    pub(super) fn is_first_without_room(&self, network: &Arc<str>) -> bool {
        self.without_room.lock().unwrap_or_else(PoisonError::into_inner).insert(network.clone())
    }

    pub(super) fn is_taken(&self, ip: Ipv4Addr) -> bool {
        self.taken.contains(&ip)
    }
}

/// The networks that a client may be on: that of its relay, else that of the address it has, else those of the
/// interface. Several may share a wire; the first is where an unknown machine gets its address, and the one of the address
/// that a client has. The others of its wire come behind it, because its own address may be in one of them.
pub(super) fn places<'a>(settings: &'a DhcpSettings, link: &Link, request: &Request<'_>) -> Vec<Place<'a>> {
    let numbered = numbered(settings);
    let of = |ip: Ipv4Addr| {
        let found = numbered.clone().find(|(_, network)| network.subnet.contains(&ip));
        found.into_iter().filter_map(|(number, network)| Some(Place { network, server: link.server_for(number)? }))
    };
    if !request.giaddr.is_unspecified() {
        return of(request.selected_subnet().unwrap_or(request.giaddr)).collect();
    }
    // A client that renews asks us directly, past its relay: only its address tells where it is.
    if !request.ciaddr.is_unspecified() {
        let mut there: Vec<_> = of(request.ciaddr).collect();
        if let [place] = *there {
            let (shared, others): (Vec<_>, Vec<_>) =
                local(settings, link).partition(|one| std::ptr::eq(one.network, place.network));
            if !shared.is_empty() {
                there.extend(others);
            }
            return there;
        }
    }
    local(settings, link).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_options_do_not_fit_is_told_once_for_each_network_and_again_under_other_settings() {
        let (near, far) = (Arc::from("near"), Arc::from("far"));
        let prepared = Prepared::new(Arc::default());
        let told = [&near, &near, &far, &near, &far].map(|network| prepared.is_first_without_room(network));
        assert_eq!(told, [true, false, true, false, false]);
        assert!(Prepared::new(Arc::default()).is_first_without_room(&near));
    }
}
