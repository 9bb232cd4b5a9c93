//! What a client is told beside its address: options of the network, of the node's groups, of the node itself.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::code;
use super::reply::Reply;
use crate::model::{Component, DhcpMachine, DhcpNetwork, DhcpOptions, DhcpRoute, DhcpSettings};
use crate::snapshot::BootView;

/// The lease of a known machine, in seconds, unless something else is set.
const LEASE: u32 = 3600;

/// Sets of options, the narrowest first. What none of them sets is not sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers<'a>(Vec<&'a DhcpOptions>);

impl<'a> Layers<'a> {
    /// Those of a network alone.
    pub(super) fn of_network(network: &'a DhcpNetwork) -> Self {
        Self(vec![&network.options])
    }

    /// With those of a machine over them.
    pub(super) fn with(mut self, own: &'a DhcpOptions) -> Self {
        self.0.insert(0, own);
        self
    }

    /// As [`Self::of_component`], for a component that somebody else's SMD holds.
    pub(super) fn of_machine(mut self, settings: &'a DhcpSettings, machine: &DhcpMachine) -> Self {
        let groups: Vec<_> = machine.groups.iter().filter_map(|label| settings.groups.get(label)).collect();
        self.0.splice(0..0, groups);
        match machine.id.as_ref().and_then(|id| settings.nodes.get(id)) {
            Some(own) => self.with(own),
            None => self,
        }
    }

    /// With those of a component and its groups over them. Of several groups that set an option, the first by its label
    /// wins.
    pub(super) fn of_component(mut self, settings: &'a DhcpSettings, view: &BootView, component: &Component) -> Self {
        if !settings.groups.is_empty() {
            let groups = view.groups_of(&component.id).filter_map(|group| settings.groups.get(&group.label));
            let groups: Vec<_> = groups.collect();
            self.0.splice(0..0, groups);
        }
        match settings.nodes.get(&component.id) {
            Some(own) => self.with(own),
            None => self,
        }
    }

    fn first<T>(&self, pick: impl Fn(&'a DhcpOptions) -> Option<T>) -> Option<T> {
        self.0.iter().copied().find_map(pick)
    }

    /// The TFTP server, where it is not us.
    pub(super) fn next_server(&self) -> Option<Ipv4Addr> {
        self.first(|options| options.next_server)
    }

    /// The boot file, where one is set for every architecture.
    pub(super) fn boot_file(&self) -> Option<&'a str> {
        self.first(|options| options.boot_file.as_deref())
    }

    /// True when the root path is set, so that it need not be guessed.
    pub(super) fn sets_root_path(&self) -> bool {
        self.first(|options| options.root_path.as_ref()).is_some()
    }

    /// How long a known machine has its address, in seconds.
    pub(super) fn lease(&self) -> u32 {
        self.first(|options| options.lease).unwrap_or(LEASE)
    }

    /// Says how long the address is the client's, and when to renew it: at half of that time and at seven eighths of it
    /// (RFC 2131 section 4.4.5), unless set otherwise and in order.
    pub(super) fn set_times(&self, reply: &mut Reply, lease: u32) {
        let renew = self.first(|options| options.renew).unwrap_or(lease / 2);
        let rebind = self.first(|options| options.rebind).unwrap_or(lease - lease / 8);
        reply.set_seconds(code::LEASE_TIME, lease);
        if renew <= rebind && rebind <= lease {
            reply.set_seconds(code::RENEWAL_TIME, renew);
            reply.set_seconds(code::REBINDING_TIME, rebind);
        }
    }

    /// Routes with the one to everywhere else: a client that is told classless routes disregards the routers (RFC 3442),
    /// and would be left without a default gateway. An empty list of routers takes it away.
    fn with_default(&self, routes: &[DhcpRoute]) -> Vec<DhcpRoute> {
        let mut routes = routes.to_vec();
        let router = self.first(|options| options.router.as_ref()).and_then(|routers| routers.first());
        if let Some(via) = router
            && !routes.is_empty()
            && routes.iter().all(|route| route.to.prefix_len() != 0)
        {
            routes.push(DhcpRoute { to: Ipv4Net::default(), via: *via });
        }
        routes
    }

    /// Sets everything that concerns the network and not the boot.
    pub(super) fn set(&self, reply: &mut Reply, network: &DhcpNetwork) {
        reply.set_addresses(code::SUBNET_MASK, &[network.subnet.netmask()]);
        reply.set_addresses(code::BROADCAST, &[network.subnet.broadcast()]);
        let lists: [(u8, Option<&Vec<Ipv4Addr>>); 3] = [
            (code::ROUTER, self.first(|options| options.router.as_ref())),
            (code::NAME_SERVER, self.first(|options| options.dns.as_ref())),
            (code::TIME_SERVER, self.first(|options| options.ntp.as_ref())),
        ];
        for (code, addresses) in lists {
            reply.set_addresses(code, addresses.map(Vec::as_slice).unwrap_or_default());
        }
        if let Some(domain) = self.first(|options| options.domain.as_ref()) {
            reply.set(code::DOMAIN, domain.as_bytes());
        }
        if let Some(search) = self.first(|options| options.search.as_ref()) {
            reply.set(code::SEARCH, &domains(search));
        }
        if let Some(mtu) = self.first(|options| options.mtu) {
            reply.set(code::MTU, &mtu.to_be_bytes());
        }
        if let Some(routes) = self.first(|options| options.routes.as_ref()) {
            reply.set(code::CLASSLESS_ROUTES, &encoded(&self.with_default(routes)));
        }
        if let Some(path) = self.first(|options| options.root_path.as_ref()) {
            reply.set(code::ROOT_PATH, path.as_bytes());
        }
        for (code, data) in self.0.iter().rev().flat_map(|options| &options.other) {
            reply.set(*code, data);
        }
    }
}

/// Routes as RFC 3442 has them: the prefix length, the octets of the prefix that matter, the next hop.
fn encoded(routes: &[DhcpRoute]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for DhcpRoute { to, via } in routes {
        let significant = usize::from(to.prefix_len().div_ceil(8));
        bytes.push(to.prefix_len());
        bytes.extend(to.network().octets().iter().take(significant));
        bytes.extend(via.octets());
    }
    bytes
}

/// Domains in the form of RFC 1035, one behind the other; compression, which RFC 3397 allows, is not needed.
fn domains(names: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names {
        for label in name.trim_end_matches('.').split('.') {
            let Ok(length @ 1..=63) = u8::try_from(label.len()) else { continue };
            bytes.push(length);
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.push(0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_name_only_the_octets_that_matter() {
        let route = |to: &str| DhcpRoute { to: to.parse().unwrap(), via: [10, 0, 0, 1].into() };
        assert_eq!(encoded(&[route("0.0.0.0/0")]), [0, 10, 0, 0, 1]);
        assert_eq!(encoded(&[route("172.16.0.0/12")]), [12, 172, 16, 10, 0, 0, 1]);
        assert_eq!(encoded(&[route("10.1.2.3/32")]), [32, 10, 1, 2, 3, 10, 0, 0, 1]);
    }

    #[test]
    fn routes_do_not_take_the_default_gateway_away() {
        let route = |to: &str, last| DhcpRoute { to: to.parse().unwrap(), via: [10, 0, 0, last].into() };
        let router = |router: &[u8]| DhcpOptions {
            router: Some(router.iter().map(|last| [10, 0, 0, *last].into()).collect()),
            ..DhcpOptions::default()
        };
        let (near, everywhere) = (route("172.16.0.0/12", 2), route("0.0.0.0/0", 3));
        let two = router(&[8, 9]);
        let layers = Layers(vec![&two]);
        let only_near = [near.clone()];
        assert_eq!(layers.with_default(&only_near), [near.clone(), route("0.0.0.0/0", 8)]);
        let both = [near, everywhere];
        assert_eq!(layers.with_default(&both), both);
        assert_eq!(layers.with_default(&[]), [], "without routes the routers are heard");
        let none = router(&[]);
        assert_eq!(Layers(vec![&none, &two]).with_default(&only_near), only_near);
        assert_eq!(Layers::default().with_default(&only_near), only_near);
    }

    #[test]
    fn domains_are_written_label_by_label() {
        assert_eq!(domains(&["a.bc".into(), "d.".into()]), [1, b'a', 2, b'b', b'c', 0, 1, b'd', 0]);
    }

    #[test]
    fn what_is_narrower_wins_and_an_empty_list_takes_away() {
        let wide = DhcpOptions { mtu: Some(1500), router: Some(vec![[10, 0, 0, 1].into()]), ..DhcpOptions::default() };
        let own = DhcpOptions { router: Some(Vec::new()), lease: Some(60), ..DhcpOptions::default() };
        let layers = Layers(vec![&own, &wide]);
        assert_eq!(layers.first(|options| options.mtu), Some(1500));
        assert_eq!(layers.first(|options| options.router.as_ref()), Some(&Vec::new()));
        assert_eq!(layers.lease(), 60);
    }
}
