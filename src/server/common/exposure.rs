//! Which listeners may be opened at all.

use std::net::{IpAddr, SocketAddr};

use super::listener::{Address, Listener};
use super::role::Role;

/// Who may use the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Whoever has a good token.
    Jwt,
    /// Everybody who reaches it.
    None,
}

/// Why a set of listeners would expose the API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExposureError {
    /// Tokens would cross a network in the clear.
    #[error(
        "the API at {0} would be reachable without TLS; give it a certificate (--tls-cert, --tls-key) or a loopback address"
    )]
    PlainApi(SocketAddr),
    /// Everybody on a network could write.
    #[error("the API at {0} would be open to everybody; without authentication it has to be on a loopback address")]
    OpenApi(SocketAddr),
    /// Every user of this machine could write, which has to be said twice.
    #[error(
        "without authentication every user of this machine may change the cluster; set OCHAMI_SYNC_INSECURE=1 if that is meant"
    )]
    NotConfirmed,
    /// The local API trusts whoever connects, so it is never on a network.
    #[error("the local API is offered on a Unix socket only, not at {0}")]
    LocalOnNetwork(SocketAddr),
}

/// Whether these listeners may be opened: plain HTTP for the API only on loopback; no authentication only there and
/// only when the environment says so as well (`insecure_env`: `OCHAMI_SYNC_INSECURE` is `1`). What nodes boot from may
/// be plain anywhere, as firmware speaks nothing else.
///
/// # Errors
///
/// The first listener that breaks a rule.
pub fn check_exposure(listeners: &[Listener], auth: AuthMode, insecure_env: bool) -> Result<(), ExposureError> {
    for listener in listeners {
        let Address::Tcp(addr) = listener.address else { continue };
        match listener.role {
            Role::Local => return Err(ExposureError::LocalOnNetwork(addr)),
            Role::Api => check_api(addr, listener.tls.is_some(), auth)?,
            Role::Boot | Role::Metrics | Role::Images | Role::Tftp => {}
        }
    }
    let has_api = listeners.iter().any(|listener| listener.role == Role::Api);
    if has_api && auth == AuthMode::None && !insecure_env { Err(ExposureError::NotConfirmed) } else { Ok(()) }
}

/// Whether the API may be at an address; `encrypted` when it is in TLS there.
///
/// # Errors
///
/// [`ExposureError::OpenApi`] and [`ExposureError::PlainApi`].
pub fn check_api(addr: SocketAddr, encrypted: bool, auth: AuthMode) -> Result<(), ExposureError> {
    match auth {
        _ if is_loopback(addr.ip()) => Ok(()),
        AuthMode::None => Err(ExposureError::OpenApi(addr)),
        AuthMode::Jwt if !encrypted => Err(ExposureError::PlainApi(addr)),
        AuthMode::Jwt => Ok(()),
    }
}

/// An IPv4 address may be written as an IPv6 one (`::ffff:127.0.0.1`).
fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::super::tls::tests::{certificate, loaded};
    use super::*;

    fn listener(role: Role, addr: &str) -> Listener {
        Listener::tcp(role, addr.parse().unwrap())
    }

    #[test]
    fn plain_http_for_the_api_is_for_loopback_only() {
        for addr in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert_eq!(check_exposure(&[listener(Role::Api, addr)], AuthMode::Jwt, false), Ok(()), "{addr}");
        }
        for addr in ["0.0.0.0:80", "[::]:80", "172.16.0.254:80", "[2001:db8::1]:80", "[::ffff:10.0.0.1]:80"] {
            let refused = check_exposure(&[listener(Role::Api, addr)], AuthMode::Jwt, true);
            assert_eq!(refused, Err(ExposureError::PlainApi(addr.parse().unwrap())), "{addr}");
        }
    }

    #[test]
    fn with_tls_the_api_may_be_anywhere_but_not_without_authentication() {
        let directory = tempfile::tempdir().unwrap();
        let (cert, key) = certificate(directory.path(), "demo.example");
        let mut api = listener(Role::Api, "0.0.0.0:443");
        api.tls = Some(loaded(&cert, &key).unwrap());
        let listeners = [listener(Role::Api, "127.0.0.1:80"), api];
        assert_eq!(check_exposure(&listeners, AuthMode::Jwt, false), Ok(()));
        let refused = check_exposure(&listeners, AuthMode::None, true);
        assert_eq!(refused, Err(ExposureError::OpenApi("0.0.0.0:443".parse().unwrap())));
    }

    #[test]
    fn no_authentication_needs_loopback_and_the_environment() {
        let api = listener(Role::Api, "127.0.0.1:80");
        let both = [api.clone(), listener(Role::Api, "[::1]:80")];
        assert_eq!(check_exposure(&both, AuthMode::None, true), Ok(()));
        assert_eq!(check_exposure(&both, AuthMode::None, false), Err(ExposureError::NotConfirmed));
        let mixed = [api, listener(Role::Api, "10.0.0.1:80")];
        let refused = check_exposure(&mixed, AuthMode::None, true);
        assert_eq!(refused, Err(ExposureError::OpenApi("10.0.0.1:80".parse().unwrap())));
    }

    #[test]
    fn boot_and_metrics_may_be_plain_anywhere_and_need_no_confirmation() {
        let listeners = [listener(Role::Boot, "0.0.0.0:80"), listener(Role::Metrics, "10.0.0.1:9100")];
        assert_eq!(check_exposure(&listeners, AuthMode::Jwt, false), Ok(()));
        assert_eq!(check_exposure(&listeners, AuthMode::None, false), Ok(()));
    }

    #[test]
    fn the_local_api_is_never_on_a_network() {
        let refused = check_exposure(&[listener(Role::Local, "127.0.0.1:80")], AuthMode::Jwt, false);
        assert_eq!(refused, Err(ExposureError::LocalOnNetwork("127.0.0.1:80".parse().unwrap())));
        let unix = Listener::unix(Role::Local, "/run/ochami-sync/api.sock");
        assert_eq!(check_exposure(&[unix], AuthMode::None, false), Ok(()));
    }
}
