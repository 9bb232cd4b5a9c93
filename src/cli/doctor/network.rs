//! Sockets, capabilities and interfaces.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::Finding;
use crate::app::listeners::api_address;
use crate::cli::args::{Auth, ServeArgs};
use crate::cli::local::socket;
use crate::server::common::exposure::{AuthMode, check_api};
use crate::server::common::role::Proto;

/// The port of DHCP servers, as `/proc/net/udp` writes it.
const DHCP_PORT: &str = ":0043";

/// Bits of capabilities (capabilities(7)).
const NET_BIND_SERVICE: u64 = 1 << 10;
const NET_RAW: u64 = 1 << 13;

/// Whether each socket can be had, or is had by the daemon of this state directory.
pub(super) fn sockets(args: &ServeArgs) -> Vec<Finding> {
    let ours = ours(&args.state.state);
    let served = &args.boot_servers;
    let images = served.images.iter().flat_map(|_| served.image_listen.iter().copied());
    let tcp = |addr: SocketAddr| judge(addr, "tcp", TcpListener::bind(addr).map(drop), &ours);
    let udp = |addr: SocketAddr| judge(addr, "udp", UdpSocket::bind(addr).map(drop), &ours);
    let auth = match args.auth {
        Auth::Jwt => AuthMode::Jwt,
        Auth::None => AuthMode::None,
    };
    let api = args.api.iter().map(|url| api(url, args.tls_cert.is_some(), auth).map_or_else(|refused| refused, tcp));
    let mut findings: Vec<Finding> = api.collect();
    findings.extend(args.boot.iter().copied().chain(args.metrics).chain(images).map(tcp));
    findings.extend(served.tftp.iter().copied().map(udp));
    findings
}

/// The address of an API listener, or why `serve` refuses it.
fn api(url: &str, certified: bool, auth: AuthMode) -> Result<SocketAddr, Finding> {
    let refused = |error: &dyn std::error::Error| {
        Finding::error("socket", error.to_string(), "`serve` does not start so; give both the same flags")
    };
    let (proto, addr) = api_address(url, certified).map_err(|error| refused(&error))?;
    check_api(addr, proto == Proto::Https, auth).map_err(|error| refused(&error))?;
    Ok(addr)
}

/// The addresses of a daemon that serves the state directory; none where nobody does.
fn ours(state: &Path) -> BTreeSet<SocketAddr> {
    if UnixStream::connect(socket(state)).is_err() {
        return BTreeSet::new();
    }
    let text = std::fs::read_to_string(state.join("listeners.json")).unwrap_or_default();
    let listeners: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap_or_default();
    listeners.iter().filter_map(|listener| listener["addr"].as_str()?.parse().ok()).collect()
}

fn judge(addr: SocketAddr, proto: &str, bound: std::io::Result<()>, ours: &BTreeSet<SocketAddr>) -> Finding {
    const CHECK: &str = "socket";
    let error = match bound {
        Ok(()) => return Finding::ok(CHECK, format!("{addr}/{proto} is free")),
        Err(_) if ours.contains(&addr) => {
            return Finding::ok(CHECK, format!("{addr}/{proto} is held by the daemon of this state directory"));
        }
        Err(error) => error,
    };
    let help = match error.kind() {
        ErrorKind::AddrInUse => format!("find who has it: ss -lnp 'sport = :{}'", addr.port()),
        ErrorKind::PermissionDenied => "run as root, or give CAP_NET_BIND_SERVICE".to_owned(),
        ErrorKind::AddrNotAvailable => {
            "this machine does not have that address; `ip addr` lists those that it has".to_owned()
        }
        _ => "choose another address".to_owned(),
    };
    Finding::error(CHECK, format!("{addr}/{proto} cannot be had: {error}"), help)
}

/// What DHCP needs: rights, interfaces that are up, and nobody else at its port.
pub(super) fn dhcp(args: &ServeArgs) -> Vec<Finding> {
    if args.dhcp.is_empty() {
        return Vec::new();
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut findings = vec![rights(&status)];
    findings.extend(args.dhcp.iter().map(|name| interface(name, Path::new("/sys/class/net"))));
    let table = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let served = UnixStream::connect(socket(&args.state.state)).is_ok();
    if at_dhcp_port(&table) && !served {
        let help = "find who has it: ss -lnup 'sport = :67'; two DHCP servers on one network disagree";
        findings.push(Finding::warning("socket", "somebody listens at port 67, where DHCP servers do", help));
    }
    findings
}

/// Whether this process may open the sockets of DHCP.
fn rights(status: &str) -> Finding {
    const CHECK: &str = "permissions";
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = line.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).unwrap_or(0);
    let lacking: Vec<&str> = [(NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE"), (NET_RAW, "CAP_NET_RAW")]
        .into_iter()
        .filter(|(bit, _)| held & bit == 0)
        .map(|(_, name)| name)
        .collect();
    if lacking.is_empty() {
        return Finding::ok(CHECK, "DHCP may open its sockets");
    }
    let message = format!("DHCP lacks {}", lacking.join(" and "));
    Finding::error(CHECK, message, "run as root, or name them in AmbientCapabilities= of the unit")
}

fn interface(name: &str, classes: &Path) -> Finding {
    const CHECK: &str = "interface";
    let place = classes.join(name);
    if !place.exists() {
        return Finding::error(CHECK, format!("there is no interface {name}"), "`ip link` lists those that are there");
    }
    let state = std::fs::read_to_string(place.join("operstate")).unwrap_or_default();
    match state.trim() {
        "down" | "lowerlayerdown" | "dormant" => {
            let message = format!("interface {name} is {}", state.trim());
            Finding::warning(CHECK, message, format!("bring it up: ip link set {name} up"))
        }
        _ => Finding::ok(CHECK, format!("interface {name} is there")),
    }
}

/// True when a socket of `/proc/net/udp` is bound to the port of DHCP servers.
fn at_dhcp_port(table: &str) -> bool {
    table.lines().skip(1).any(|line| line.split_whitespace().nth(1).is_some_and(|local| local.ends_with(DHCP_PORT)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Status;

    #[test]
    fn a_socket_that_somebody_has_is_an_error_unless_it_is_our_daemon() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = held.local_addr().unwrap();
        let nobody = BTreeSet::new();
        let found = judge(addr, "tcp", TcpListener::bind(addr).map(drop), &nobody);
        assert_eq!(found.status, Status::Error, "{found:?}");
        assert!(found.help.unwrap().contains(&addr.port().to_string()));
        let found = judge(addr, "tcp", TcpListener::bind(addr).map(drop), &BTreeSet::from([addr]));
        assert_eq!(found.status, Status::Ok);
        drop(held);
        assert_eq!(judge(addr, "tcp", TcpListener::bind(addr).map(drop), &nobody).status, Status::Ok);
    }

    #[test]
    fn an_address_of_another_machine_and_a_port_that_needs_rights_have_their_own_help() {
        let nobody = BTreeSet::new();
        let addr: SocketAddr = "192.0.2.1:8081".parse().unwrap();
        let found = judge(addr, "tcp", Err(ErrorKind::AddrNotAvailable.into()), &nobody);
        assert!(found.help.unwrap().contains("ip addr"));
        let found = judge(addr, "udp", Err(ErrorKind::PermissionDenied.into()), &nobody);
        assert!(found.help.unwrap().contains("CAP_NET_BIND_SERVICE"));
    }

    #[test]
    fn an_api_that_serve_refuses_is_an_error() {
        for (url, certified, words) in [
            ("https://127.0.0.1:8443", false, "https needs --tls-cert"),
            ("http://192.0.2.1:8082", true, "without TLS"),
            ("gopher://127.0.0.1:70", false, "neither http nor https"),
            ("127.0.0.1:8082", false, "http://IP:PORT"),
        ] {
            let found = api(url, certified, AuthMode::Jwt).unwrap_err();
            assert_eq!(found.status, Status::Error);
            assert!(found.message.contains(words), "{found:?}");
        }
        let open = api("https://192.0.2.1:8443", true, AuthMode::None).unwrap_err();
        assert!(open.message.contains("open to everybody"), "{open:?}");
        assert_eq!(api("https://192.0.2.1:8443", true, AuthMode::Jwt).unwrap(), "192.0.2.1:8443".parse().unwrap());
        assert_eq!(api("http://localhost:8082/", false, AuthMode::Jwt).unwrap(), "127.0.0.1:8082".parse().unwrap());
    }

    #[test]
    fn rights_are_read_from_the_kernels_list() {
        assert_eq!(rights("Name:\tx\nCapEff:\t0000000000002400\n").status, Status::Ok);
        let found = rights("CapEff:\t0000000000000400\n");
        assert_eq!((found.status, &*found.message), (Status::Error, "DHCP lacks CAP_NET_RAW"));
        assert!(rights("").message.contains("CAP_NET_BIND_SERVICE and CAP_NET_RAW"));
    }

    #[test]
    fn interfaces_are_looked_up_by_name() {
        let classes = tempfile::tempdir().unwrap();
        std::fs::create_dir(classes.path().join("eth0")).unwrap();
        std::fs::write(classes.path().join("eth0/operstate"), "up\n").unwrap();
        assert_eq!(interface("eth0", classes.path()).status, Status::Ok);
        std::fs::write(classes.path().join("eth0/operstate"), "down\n").unwrap();
        assert_eq!(interface("eth0", classes.path()).status, Status::Warning);
        assert_eq!(interface("eth1", classes.path()).status, Status::Error);
    }

    #[test]
    fn another_server_at_the_port_of_dhcp_is_seen() {
        let head = "   sl  local_address rem_address   st\n";
        assert!(at_dhcp_port(&format!("{head}  12: 00000000:0043 00000000:0000 07\n")));
        assert!(!at_dhcp_port(&format!("{head}  12: 00000000:0044 00000000:0043 07\n")));
    }
}
