//! From flags to listeners.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{AppError, Config};
use crate::server::common::role::Proto;
use crate::server::common::{Listener, Role, Tls};

/// The name of the socket of the local API, in the state directory.
pub(crate) const SOCKET: &str = "ochami-sync.sock";

/// Every listener that the configuration asks for, in the order of the ready line.
pub(super) fn configured(config: &Config, tls: Option<&Arc<Tls>>) -> Result<Vec<Listener>, AppError> {
    let api = config.api.iter().map(|url| api(url, tls));
    let boot = config.boot.iter().map(|addr| Ok(Listener::tcp(Role::Boot, *addr)));
    let metrics = config.metrics.iter().map(|addr| Ok(Listener::tcp(Role::Metrics, *addr)));
    let local = std::iter::once(Ok(Listener::unix(Role::Local, config.state.join(SOCKET))));
    api.chain(boot).chain(metrics).chain(local).collect()
}

fn api(url: &str, tls: Option<&Arc<Tls>>) -> Result<Listener, AppError> {
    let (proto, addr) = api_address(url, tls.is_some())?;
    let mut listener = Listener::tcp(Role::Api, addr);
    listener.tls = tls.filter(|_| proto == Proto::Https).cloned();
    Ok(listener)
}

/// What a value of `--api` says; `certified` when there is a certificate.
pub(crate) fn api_address(url: &str, certified: bool) -> Result<(Proto, SocketAddr), AppError> {
    let error = |reason: &str| AppError::Api { url: url.to_owned(), reason: reason.to_owned() };
    let (scheme, rest) =
        url.split_once("://").ok_or_else(|| error("it has to be http://IP:PORT or https://IP:PORT"))?;
    let rest = rest.trim_end_matches('/');
    // The one name that means an address without anybody being asked.
    let loopback = rest.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let addr: SocketAddr = loopback
        .as_deref()
        .unwrap_or(rest)
        .parse()
        .map_err(|_| error("behind the scheme goes an address to listen on, IP:PORT"))?;
    match scheme {
        "http" => Ok((Proto::Http, addr)),
        "https" if certified => Ok((Proto::Https, addr)),
        "https" => Err(error("https needs --tls-cert and --tls-key")),
        other => Err(error(&format!("`{other}` is neither http nor https"))),
    }
}
