//! Who is at the other end: of the connection, and of the request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// The other end of the connection; every request carries it as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// An address on a network. IPv4 addresses are IPv4 addresses on an IPv6 socket too.
    Tcp(SocketAddr),
    /// A process of this machine, by the user that it runs as.
    Unix {
        /// The user id, as the kernel gives it.
        uid: u32,
    },
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(addr) => addr.fmt(f),
            Self::Unix { uid } => write!(f, "uid={uid}"),
        }
    }
}

/// The address of whoever asks, which decides what a booting node is told; every request over a network carries it as
/// an extension. It is the peer's, unless the peer is a proxy that the administrator trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

/// Our own address on the connection, which the requester can evidently reach; every request over a network carries it
/// as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalAddr(pub IpAddr);

/// The proxies whose word about a requester's address is taken; none by default. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// The proxies in these networks.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }

    /// The requester's address. `X-Forwarded-For` counts only when the peer is a trusted proxy, and of it the last
    /// address that is not a trusted proxy itself: what stands before that was written by the requester. Other headers
    /// (`X-Real-IP`, `Forwarded`) never count.
    ///
    /// Where a trusted proxy passes on something that is no address, the requester is the proxy: that is no node, so
    /// nobody is told anything about a node.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddr {
        let peer = peer.to_canonical();
        if !self.contains(peer) {
            return ClientAddr(peer);
        }
        let mut client = peer;
        for line in headers.get_all("x-forwarded-for").iter().rev() {
            let Ok(line) = line.to_str() else { return ClientAddr(peer) };
            for hop in line.rsplit(',') {
                let Some(hop) = parse_hop(hop.trim()) else { return ClientAddr(peer) };
                client = hop.to_canonical();
                if !self.contains(client) {
                    return ClientAddr(client);
                }
            }
        }
        ClientAddr(client)
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address, bare or with a port: some proxies write `10.0.0.1:4711` and `[2001:db8::1]:4711`.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|addr| addr.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-real-ip", HeaderValue::from_static("172.16.0.9"));
        headers.insert("forwarded", HeaderValue::from_static("for=172.16.0.9"));
        for line in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let proxies = TrustedProxies::new(vec!["10.0.0.0/24".parse().unwrap(), "2001:db8::/64".parse().unwrap()]);
        proxies.client(peer.parse().unwrap(), &headers).0.to_string()
    }

    #[test]
    fn a_peer_that_is_no_trusted_proxy_speaks_only_for_itself() {
        assert_eq!(client("172.16.0.1", &["172.16.0.2"]), "172.16.0.1");
        assert_eq!(client("::ffff:172.16.0.1", &["172.16.0.2"]), "172.16.0.1");
        let nobody = TrustedProxies::default();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("172.16.0.2"));
        assert_eq!(nobody.client("127.0.0.1".parse().unwrap(), &headers).0.to_string(), "127.0.0.1");
    }

    #[test]
    fn a_trusted_proxy_names_the_requester() {
        assert_eq!(client(PROXY, &["172.16.0.2"]), "172.16.0.2");
        assert_eq!(client("::ffff:10.0.0.1", &["172.16.0.2"]), "172.16.0.2");
        assert_eq!(client("2001:db8::1", &["::ffff:172.16.0.2"]), "172.16.0.2");
        assert_eq!(client(PROXY, &[]), PROXY);
    }

    #[test]
    fn what_the_requester_wrote_itself_does_not_count() {
        assert_eq!(client(PROXY, &["172.16.0.9, 172.16.0.2"]), "172.16.0.2");
        assert_eq!(client(PROXY, &["172.16.0.9", "172.16.0.2"]), "172.16.0.2");
        assert_eq!(client(PROXY, &["10.0.0.9, 172.16.0.2"]), "172.16.0.2");
        assert_eq!(client(PROXY, &["nonsense, 172.16.0.2"]), "172.16.0.2");
    }

    #[test]
    fn a_chain_of_trusted_proxies_is_followed_to_its_end() {
        assert_eq!(client(PROXY, &["172.16.0.9, 172.16.0.2, 10.0.0.7", "10.0.0.8"]), "172.16.0.2");
        assert_eq!(client(PROXY, &["10.0.0.6, 10.0.0.7"]), "10.0.0.6");
    }

    #[test]
    fn a_proxy_that_passes_on_nonsense_is_itself_the_requester() {
        for nonsense in ["", "unknown", "172.16.0.2, ", "172.16.0.2, a b", "172.16.0.2, 172.16.0.300", "\u{e9}"] {
            assert_eq!(client(PROXY, &[nonsense]), PROXY, "{nonsense:?}");
        }
    }

    #[test]
    fn ports_are_taken_off() {
        assert_eq!(client(PROXY, &["172.16.0.2:4711"]), "172.16.0.2");
        assert_eq!(client(PROXY, &["[2001:db8:1::2]:4711"]), "2001:db8:1::2");
        assert_eq!(client(PROXY, &["[2001:db8:1::2]"]), "2001:db8:1::2");
    }
}
