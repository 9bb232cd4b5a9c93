//! The filters of `GET Inventory/EthernetInterfaces`. Values are not negated.

use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{EthernetInterface, IpAddress, Timestamp, Xname, XnameType};
use crate::server::common::Problem;
use crate::server::smd::query::{Pairs, xname_or_none};
use crate::snapshot::BootView;
use crate::wire::smd::parse_time;

/// What `IPAddress` asks for.
#[derive(Debug, PartialEq)]
enum Ip {
    /// Interfaces with this address.
    Is(IpAddr),
    /// Interfaces without any; the empty text asks for them.
    None,
    /// Nothing: the text is no address.
    Unknown,
}

impl Ip {
    fn read(text: &str) -> Self {
        match text.parse() {
            Ok(ip) => Self::Is(ip),
            Err(_) if text.is_empty() => Self::None,
            Err(_) => Self::Unknown,
        }
    }
}

/// A compiled query; an empty list restricts nothing.
#[derive(Debug)]
pub(super) struct InterfaceFilter {
    ids: Vec<String>,
    /// In lower case with colons; another spelling of a MAC address is equal to none, as in SMD.
    macs: Vec<String>,
    ips: Vec<Ip>,
    networks: Vec<String>,
    /// An empty one stands for interfaces of no component.
    components: Vec<String>,
    kinds: Vec<XnameType>,
    older_than: Option<Timestamp>,
    newer_than: Option<Timestamp>,
}

fn checked<T>(pairs: &Pairs, key: &str, problem: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Problem> {
    pairs.all(key).map(|value| read(value).ok_or_else(|| Problem::bad_request(problem))).collect()
}

fn time(pairs: &Pairs, key: &str) -> Result<Option<Timestamp>, Problem> {
    let read = |text: &str| parse_time(text).map_err(|error| Problem::bad_request(format!("bad query param: {error}")));
    // An empty time restricts nothing.
    pairs.first(key).filter(|text| !text.is_empty()).map(read).transpose()
}

impl InterfaceFilter {
    /// Compiles the query; keys that mean nothing here are ignored.
    ///
    /// # Errors
    ///
    /// 400 for a value that its key does not take.
    pub(super) fn read(pairs: &Pairs) -> Result<Self, Problem> {
        let lower = |text: &str| (!text.is_empty()).then(|| text.to_ascii_lowercase());
        Ok(Self {
            ids: checked(pairs, "ID", "Invalid component ethernet interface ID.", lower)?,
            macs: checked(pairs, "MACAddress", "Invalid component ethernet interface MAC address.", lower)?,
            ips: pairs.all("IPAddress").map(Ip::read).collect(),
            networks: pairs.all("Network").map(str::to_owned).collect(),
            components: checked(pairs, "ComponentID", "Invalid CompID.", xname_or_none)?,
            kinds: checked(pairs, "Type", "Invalid HMS type.", |text| text.parse().ok())?,
            older_than: time(pairs, "OlderThan")?,
            newer_than: time(pairs, "NewerThan")?,
        })
    }

    /// The interfaces that pass, in the order of their MAC addresses.
    pub(super) fn select<'a>(&'a self, view: &'a BootView) -> impl Iterator<Item = &'a Arc<EthernetInterface>> + 'a {
        view.interfaces.values().filter(|interface| self.passes(interface))
    }

    fn passes(&self, interface: &EthernetInterface) -> bool {
        let addresses = &interface.ip_addresses;
        (self.ids.is_empty() || self.ids.contains(&interface.mac.id()))
            && (self.macs.is_empty() || self.macs.contains(&interface.mac.to_string()))
            && (self.ips.is_empty() || self.has_ip(addresses))
            && (self.networks.is_empty() || self.is_in_network(addresses))
            && (self.components.is_empty() || self.is_of_component(interface.component_id.as_ref()))
            && (self.kinds.is_empty() || interface.kind().is_some_and(|kind| self.kinds.contains(&kind)))
            && self.older_than.is_none_or(|moment| interface.last_update < moment)
            && self.newer_than.is_none_or(|moment| interface.last_update > moment)
    }

    fn is_of_component(&self, id: Option<&Xname>) -> bool {
        let id = id.map_or("", Xname::as_str);
        self.components.iter().any(|one| one == id)
    }

    fn has_ip(&self, addresses: &[IpAddress]) -> bool {
        addresses.iter().any(|address| self.ips.contains(&Ip::Is(address.ip)))
            || (addresses.is_empty() && self.ips.contains(&Ip::None))
    }

    /// An interface without addresses is in the network of no name, as one with an address in none is.
    fn is_in_network(&self, addresses: &[IpAddress]) -> bool {
        let wanted = |network: &str| self.networks.iter().any(|one| one == network);
        addresses.iter().any(|address| wanted(&address.network)) || (addresses.is_empty() && wanted(""))
    }
}
