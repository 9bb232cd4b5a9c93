//! A site's own DHCP server on the boot network: dnsmasq, which knows the nodes and gives them their addresses.

use std::process::Stdio;

use super::NODES;
use super::lab::{HEAD, Lab, Neighbour};
use crate::support::Killed;

/// The server, stopped when the test ends.
pub(super) struct Site {
    _server: Killed,
    _place: Neighbour,
}

impl Site {
    /// Starts it. Nothing that it tells is about booting; its leases and its domain are other than ours.
    pub(super) fn start(lab: &Lab) -> Self {
        let place = lab.neighbour("02:00:00:00:00:fd", "172.16.0.253");
        let mut server = lab.command("ip");
        server.args(["netns", "exec", &place.0, "dnsmasq", "-k", "-C", "/dev/null", "--port=0", "--user=root"]);
        server.args(["--pid-file=", "--interface=eth0", "--bind-interfaces", "--leasefile-ro", "--no-ping"]);
        server.args([
            "--dhcp-authoritative",
            "--dhcp-range=172.16.0.0,static,255.255.255.0,2h",
            "--domain=site.example",
        ]);
        server.args([format!("--dhcp-option=option:router,{HEAD}"), format!("--dhcp-option=option:dns-server,{HEAD}")]);
        for (place, (mac, _)) in NODES.iter().enumerate() {
            server.arg(format!("--dhcp-host={mac},172.16.0.{0},nid00{0}", place + 1));
        }
        let server = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { _server: Killed(server), _place: place }
    }
}
