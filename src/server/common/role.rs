//! What a listener is for.

use std::net::SocketAddr;

use serde::Serialize;

/// What a listener is for. A route exists only on the roles that may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The APIs of SMD, BSS and cloud-init, for administrators and services.
    Api,
    /// Reads about the requester, for booting nodes.
    Boot,
    /// Figures for Prometheus.
    Metrics,
    /// Plan and apply for the command line, over a Unix socket.
    Local,
    /// Kernels, initrds and root file systems, for booting nodes.
    Images,
    /// What firmware fetches first, over TFTP.
    Tftp,
}

impl Role {
    /// The number of roles; [`Role::index`] is below it.
    pub const COUNT: usize = 6;

    /// A small number, for tables by role.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name in listener lists, logs and figures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Boot => "boot",
            Self::Metrics => "metrics",
            Self::Local => "local",
            Self::Images => "images",
            Self::Tftp => "tftp",
        }
    }
}

/// What is spoken on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proto {
    /// HTTP in the clear.
    Http,
    /// HTTP in TLS.
    Https,
    /// TFTP.
    Tftp,
}

impl Proto {
    /// The scheme of URLs.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tftp => "tftp",
        }
    }
}

/// A socket that is bound, as the ready line and `listeners.json` show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// What it is for.
    pub role: Role,
    /// What is spoken on it.
    pub proto: Proto,
    /// Its address with the port that it really has.
    pub addr: SocketAddr,
    /// Where a client on this machine, or one that knows the configured name, reaches it; without a trailing slash.
    pub url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_socket_is_shown_as_the_ready_line_promises() {
        let addr = "127.0.0.1:8443".parse().unwrap();
        let bound = Bound { role: Role::Api, proto: Proto::Https, addr, url: "https://127.0.0.1:8443".into() };
        assert_eq!(
            serde_json::to_string(&bound).unwrap(),
            r#"{"role":"api","proto":"https","addr":"127.0.0.1:8443","url":"https://127.0.0.1:8443"}"#
        );
        for role in [Role::Api, Role::Boot, Role::Metrics, Role::Local, Role::Images, Role::Tftp] {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
            assert!(role.index() < Role::COUNT);
        }
    }
}
