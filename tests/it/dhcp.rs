//! DHCP against clients that others wrote: udhcpc, dhclient, dhcrelay and perfdhcp, in network namespaces of the test's
//! own. Needs root; elsewhere the tests say that they were skipped.

mod beside;
mod floods;
mod interfaces;

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::{Cluster, PROGRAM, Serving, skipped, tool, until};

/// Namespaces that are joined as server, then relay or client; removed with everything in them when the test ends.
pub(crate) struct Wires {
    names: Vec<String>,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

fn ip(args: &str) {
    let output = Command::new("ip").args(args.split(' ')).output().unwrap();
    assert!(output.status.success(), "ip {args}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Wires {
    /// Namespaces in a row, each joined to the next by a pair of interfaces: `right` here is `left` there.
    pub(crate) fn new(count: usize) -> Self {
        let mut wires = Self { names: Vec::new() };
        for _ in 0..count {
            let name = format!("osync-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
            ip(&format!("netns add {name}"));
            ip(&format!("-n {name} link set lo up"));
            wires.names.push(name);
        }
        for pair in wires.names.windows(2) {
            ip(&format!("-n {} link add right type veth peer name left netns {}", pair[0], pair[1]));
            ip(&format!("-n {} link set right up", pair[0]));
            ip(&format!("-n {} link set left up", pair[1]));
        }
        wires
    }

    /// `ip -n NAMESPACE …`.
    pub(crate) fn ip(&self, number: usize, args: &str) {
        ip(&format!("-n {} {args}", self.names[number]));
    }

    /// A daemon in a namespace, to be ended by whoever starts it.
    pub(crate) fn daemon(&self, number: usize, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[number], program]);
        command
    }

    /// A command in a namespace that is ended after a minute.
    fn command(&self, number: usize, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["-k", "1", "60", "ip", "netns", "exec", &self.names[number], program]).args(args);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command in a namespace to its end, and answers what it said.
    fn run(&self, number: usize, program: &str, args: &[&str]) -> String {
        let output = self.command(number, program, args).output().unwrap();
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
    }

    /// Has udhcpc ask for an address within ten seconds, and answers what it said.
    pub(crate) fn udhcpc(&self, number: usize, cluster: &Cluster, more: &[&str]) -> String {
        let base = ["-i", "left", "-n", "-q", "-f", "-t", "10", "-T", "1", "-s", &script(cluster)];
        self.run(number, "udhcpc", &[&base[..], more].concat())
    }

    /// Starts a relay in the second namespace, from its right to the server on its left.
    fn relay(&self, server: &str) -> Running {
        let mut relay = self.command(1, "dhcrelay", &["-d", "-4", "-a", "-id", "right", "-iu", "left", server]);
        Running(relay.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Starts `serve` in the first namespace, and waits until the inventory is applied.
    fn serve(&self, cluster: &Cluster) -> Serving {
        self.serve_with(cluster, &[])
    }

    /// As [`Self::serve`], with more flags.
    fn serve_with(&self, cluster: &Cluster, flags: &[&str]) -> Serving {
        self.serve_on(0, &["right"], cluster, flags)
    }

    /// As [`Self::serve_with`], in another namespace and on these interfaces.
    fn serve_on(&self, number: usize, interfaces: &[&str], cluster: &Cluster, flags: &[&str]) -> Serving {
        let serving = self.start(number, interfaces, cluster, flags);
        let applied = |log: String| log.contains("applied:") || log.contains("in sync");
        until("the inventory is applied", || applied(serving.log()).then_some(()));
        serving
    }

    /// As [`Self::serve_on`], without waiting for the inventory to be applied.
    fn start(&self, number: usize, interfaces: &[&str], cluster: &Cluster, flags: &[&str]) -> Serving {
        let mut command = self.daemon(number, PROGRAM);
        command.args(["serve", "-i", "inventory", "--apply"]);
        command.args(["--api", "http://127.0.0.1:0", "--boot", "0.0.0.0:0"]);
        for interface in interfaces {
            command.args(["--dhcp", interface]);
        }
        command
            .args(flags)
            .current_dir(cluster.dir.path())
            .env("OCHAMI_SYNC_STATE", cluster.state())
            .env_remove("RUST_LOG");
        let serving = Serving::start(command);
        let served = || serving.log().matches("serving DHCP").count();
        until("DHCP is served", || (served() >= interfaces.len()).then_some(()));
        serving
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

/// A client that runs until the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Killed outright, `timeout` would leave the client behind; asked to end, it ends the client first.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

/// True when this test can make namespaces; else it says so.
pub(crate) fn is_root() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"));
    if !root {
        skipped("network namespaces need root");
    }
    root
}

pub(crate) fn has(program: &str) -> bool {
    tool("sh", &["-c", &format!("command -v {program} # {program} has to be installed")])
}

/// The first node of the example cluster.
pub(crate) const NODE: &str = "ec:e7:a7:05:a1:fc";

/// A script for udhcpc that prints what it was told.
fn script(cluster: &Cluster) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = cluster.path("udhcpc.sh");
    let text = "#!/bin/sh\necho \"EVENT $1 ip=$ip lease=$lease hostname=$hostname router=$router domain=$domain bootfile=${bootfile:-$boot_file} \
                siaddr=$siaddr serverid=$serverid\"\n\
                [ -n \"$ip\" ] && ip addr flush dev $interface && ip addr add $ip/24 dev $interface\nexit 0\n";
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A script for dhclient that puts its address on the interface, says what came to pass, and refuses one address, if any,
/// as it would one that somebody else has.
fn dhclient_script(cluster: &Cluster, refused: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = cluster.path("dhclient.sh");
    let text = format!(
        "#!/bin/sh\necho \"EVENT $reason ip=$new_ip_address lease=$new_dhcp_lease_time\"\n\
         [ \"$reason\" = PREINIT ] && exit 0\n\
         [ \"$new_ip_address\" = \"{refused}\" ] && exit 1\n\
         [ \"$reason\" = RENEW ] || ip addr flush dev $interface\n\
         [ -n \"$new_ip_address\" ] && ip addr replace $new_ip_address/24 dev $interface\nexit 0\n"
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Starts dhclient in the second namespace; the second value is where it writes what it says.
fn dhclient(cluster: &Cluster, wires: &Wires, script: &str) -> (Running, std::path::PathBuf) {
    let log = cluster.path("dhclient.log");
    let sink = std::fs::File::create(&log).unwrap();
    let (leases, pid) = (cluster.path("dhclient.leases"), cluster.path("dhclient.pid"));
    let files = ["-lf", leases.to_str().unwrap(), "-pf", pid.to_str().unwrap()];
    let arguments = [&["-v", "-d", "-cf", "/dev/null", "-sf", script], &files[..], &["left"]].concat();
    let mut client = wires.command(1, "dhclient", &arguments);
    (Running(client.stdout(sink.try_clone().unwrap()).stderr(sink).spawn().unwrap()), log)
}

#[test]
fn dhclient_renews_a_short_lease_and_comes_to_its_own_address_in_another_subnet_of_the_wire() {
    if !is_root() || !has("dhclient") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    cluster.edit("cluster.yaml", "    pool: 172.16", "    unknown_lease: 10\n    pool: 172.16");
    let second = "  - {name: second, subnet: 10.81.0.0/24, router: 10.81.0.254}\n";
    cluster.edit("cluster.yaml", "172.16.0.200-172.16.0.250\n", &format!("172.16.0.200-172.16.0.250\n{second}"));
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    wires.ip(0, "addr add 10.81.0.254/24 dev right");
    wires.ip(1, "link set left address ec:e7:a7:0f:00:01");
    let _serving = wires.serve(&cluster);
    let (_client, log) = dhclient(&cluster, &wires, &dhclient_script(&cluster, "none"));
    let said = || std::fs::read_to_string(&log).unwrap();
    until("it has an address of the pool", || said().contains("EVENT BOUND ip=172.16.0.200 lease=10").then_some(()));
    until("it renews its lease", || said().contains("EVENT RENEW ip=172.16.0.200 lease=10").then_some(()));
    assert!(!said().contains("DHCPNAK"), "{}", said());

    let stanza = "  - name: nid099\n    xname: x1000c1s7b99n0\n    nid: 99\n    group: compute\n    interfaces:\n      \
                  - mac_addr: ec:e7:a7:0f:00:01\n        ip_addrs: [{name: second, ip_addr: 10.81.0.7}]\n";
    let nodes = std::fs::read_to_string(cluster.inventory().join("nodes.yaml")).unwrap();
    std::fs::write(cluster.inventory().join("nodes.yaml"), format!("{}\n{stanza}", nodes.trim_end())).unwrap();
    until("it has its own address", || said().contains("EVENT BOUND ip=10.81.0.7 lease=3600").then_some(()));
    let said = said();
    assert!(said.contains("DHCPNAK from 172.16.0.254"), "the server of the address that it had: {said}");
    assert!(said.contains("DHCPACK of 10.81.0.7 from 10.81.0.254"), "the answer comes from where it says: {said}");
}

#[test]
fn an_address_that_dhclient_declines_is_offered_to_nobody() {
    if !is_root() || !has("dhclient") || !has("udhcpc") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    wires.ip(1, "link set left address ec:e7:a7:0f:00:01");
    let serving = wires.serve(&cluster);
    let (client, log) = dhclient(&cluster, &wires, &dhclient_script(&cluster, "172.16.0.200"));
    let said = || std::fs::read_to_string(&log).unwrap();
    until("it has another address", || said().contains("EVENT BOUND ip=172.16.0.201").then_some(()));
    assert!(said().contains("DHCPDECLINE of 172.16.0.200"), "{}", said());
    assert!(serving.log().contains("found its address in use by somebody else"), "{}", serving.log());
    drop(client);
    wires.ip(1, "addr flush dev left");
    wires.ip(1, "link set left address ec:e7:a7:0f:00:02");
    let other = wires.udhcpc(1, &cluster, &["-r", "172.16.0.200"]);
    assert!(other.contains("EVENT bound ip=172.16.0.202 "), "not even to who asks for it: {other}");
}

#[test]
fn a_node_in_the_wrong_network_boots_its_own_script_and_is_listed() {
    if !is_root() || !has("udhcpc") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    let second = "  - {name: second, subnet: 10.81.0.0/24, pool: 10.81.0.50-10.81.0.60}\n";
    cluster.edit("cluster.yaml", "172.16.0.200-172.16.0.250\n", &format!("172.16.0.200-172.16.0.250\n{second}"));
    wires.ip(0, "addr add 10.81.0.254/24 dev right");
    wires.ip(1, &format!("link set left address {NODE}"));
    let serving = wires.serve(&cluster);
    let as_ipxe = ["-O", "bootfile", "-x", "0x4d:69505845", "-x", "0x5d:0007"];
    let said = wires.udhcpc(1, &cluster, &as_ipxe);
    assert!(said.contains("EVENT bound ip=10.81.0.50 lease=300 hostname=nid001"), "{said}");
    assert!(said.contains(&format!("/boot/v1/bootscript?mac={NODE}")), "{said}");
    let listed = until("it is listed", || {
        let listed = cluster.run(&["unknown"]).expect(0).stdout;
        listed.contains(NODE).then_some(listed)
    });
    let words = "# it is node nid001, which has 172.16.0.1 in network management but asks on second";
    assert!(listed.contains(words) && !listed.contains("mac_addr"), "{listed}");
    assert!(serving.log().contains("a known machine asks on a network where it has no address"), "{}", serving.log());
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    until("it has come to its own address", || {
        let said = wires.udhcpc(1, &cluster, &[]);
        said.contains("EVENT bound ip=172.16.0.1 ").then_some(())
    });
    until("it is listed no more", || cluster.run(&["unknown"]).expect(0).stdout.is_empty().then_some(()));
}

#[test]
fn clients_that_others_wrote_get_renew_and_release_their_addresses() {
    if !is_root() || !has("udhcpc") || !has("dhclient") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    wires.ip(1, &format!("link set left address {NODE}"));
    let _serving = wires.serve(&cluster);
    let said = wires.run(1, "udhcpc", &["-i", "left", "-n", "-q", "-f", "-s", &script(&cluster)]);
    assert!(said.contains("EVENT bound ip=172.16.0.1 lease=3600 hostname=nid001 router=172.16.0.254"), "{said}");
    assert!(said.contains("domain=openchami.cluster"), "{said}");

    let (leases, pid) = (cluster.path("dhclient.leases"), cluster.path("dhclient.pid"));
    let (leases, pid) = (leases.to_str().unwrap(), pid.to_str().unwrap());
    let base = ["-v", "-cf", "/dev/null", "-sf", "/bin/true", "-lf", leases, "-pf", pid];
    // The second run knows its address and asks for it (INIT-REBOOT).
    for message in ["DHCPACK of 172.16.0.1 from 172.16.0.254", "DHCPREQUEST for 172.16.0.1"] {
        // In the foreground it goes on for ever; what it said until then counts.
        let mut client = Command::new("timeout");
        client.args(["-k", "1", "4", "ip", "netns", "exec", &wires.names[1], "dhclient"]).args(base);
        let output = client.args(["-1", "-d", "left"]).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(message), "{said}");
    }
    let text = std::fs::read_to_string(leases).unwrap();
    assert!(text.contains("fixed-address 172.16.0.1") && text.contains("host-name \"nid001\""), "{text}");
    let said = wires.run(1, "dhclient", &[&base[..], &["-r", "left"]].concat());
    assert!(said.contains("DHCPRELEASE"), "{said}");
}

#[test]
fn an_unknown_machine_is_listed_and_gets_its_address_once_it_is_in_the_inventory() {
    if !is_root() || !has("udhcpc") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    let mac = "ec:e7:a7:0f:00:01";
    cluster.edit("cluster.yaml", "    pool: 172.16", "    unknown_lease: 60\n    pool: 172.16");
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    wires.ip(1, &format!("link set left address {mac}"));
    let _serving = wires.serve(&cluster);
    let log = cluster.path("udhcpc.log");
    let sink = std::fs::File::create(&log).unwrap();
    let mut client = wires.command(1, "udhcpc", &["-i", "left", "-f", "-s", &script(&cluster), "-t", "20"]);
    client.args(["-T", "1", "-p", cluster.path("udhcpc.pid").to_str().unwrap()]);
    let _client = Running(client.stdout(sink.try_clone().unwrap()).stderr(sink).spawn().unwrap());
    let said = || std::fs::read_to_string(&log).unwrap();
    until("it has an address of the pool", || said().contains("bound ip=172.16.0.200 lease=60").then_some(()));

    let listed = until("it is listed", || {
        let listed = cluster.run(&["unknown"]).expect(0).stdout;
        listed.contains(mac).then_some(listed)
    });
    assert!(listed.contains("was given 172.16.0.200"), "{listed}");
    let stanza: Vec<&str> = listed.lines().filter(|line| !line.starts_with('#')).collect();
    let stanza = stanza.join("\n").replace("xXcCsSbBnN", "x1000c1s7b99n0");
    let nodes = std::fs::read_to_string(cluster.inventory().join("nodes.yaml")).unwrap();
    std::fs::write(cluster.inventory().join("nodes.yaml"), format!("{}\n{stanza}\n", nodes.trim_end())).unwrap();
    until("it is known", || {
        let listed = cluster.run(&["unknown"]).expect(0).stdout;
        (!listed.contains(mac)).then_some(())
    });

    // A renewal is refused, the client starts over, and has the address of the inventory.
    let pid = std::fs::read_to_string(cluster.path("udhcpc.pid")).unwrap();
    assert!(Command::new("kill").args(["-USR1", pid.trim()]).status().unwrap().success());
    until("it has its own address", || said().contains("EVENT bound ip=172.16.0.10 lease=3600").then_some(()));
    assert!(said().contains("EVENT nak"), "{}", said());
}

#[test]
fn an_interface_that_is_replaced_under_its_name_is_served_again() {
    if !is_root() || !has("udhcpc") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    // Named twice, it is served once: two sets of sockets would answer every packet twice.
    let serving = wires.serve_with(&cluster, &["--dhcp", "right"]);
    assert_eq!(serving.log().matches("serving DHCP").count(), 1, "{}", serving.log());
    wires.ip(0, "link del right");
    wires.ip(0, &format!("link add right type veth peer name left netns {}", wires.names[1]));
    wires.ip(0, "link set right up");
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    wires.ip(1, &format!("link set left address {NODE}"));
    wires.ip(1, "link set left up");
    let arguments = ["-i", "left", "-n", "-q", "-f", "-t", "15", "-T", "1", "-s", &script(&cluster)];
    let said = wires.run(1, "udhcpc", &arguments);
    assert!(said.contains("EVENT bound ip=172.16.0.1 "), "{said}\n{}", serving.log());
}

#[test]
fn an_unknown_machine_that_is_to_have_a_shell_is_sent_to_a_script_that_is_there() {
    if !is_root() || !has("udhcpc") || !has("curl") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    cluster.edit("cluster.yaml", "    pool: 172.16", "    unknown: shell\n    pool: 172.16");
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    wires.ip(1, "link set left address ec:e7:a7:0f:00:01");
    let _serving = wires.serve_with(&cluster, &["--tftp", "172.16.0.254:69"]);
    let as_ipxe = ["-O", "bootfile", "-x", "0x4d:69505845", "-x", "0x5d:0007"];
    let said = wires.udhcpc(1, &cluster, &as_ipxe);
    let bound = said.lines().find(|line| line.starts_with("EVENT bound ")).unwrap_or_default();
    let file = bound.split("bootfile=").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap_or_default();
    assert_eq!(file, "shell.ipxe", "{said}");
    let fetched = wires.run(1, "curl", &["-sS", &format!("tftp://172.16.0.254/{file}")]);
    assert!(fetched.starts_with("#!ipxe\n") && fetched.contains("\nshell "), "{fetched}");
}

#[test]
fn a_lease_of_an_unknown_machine_outlives_a_restart() {
    if !is_root() || !has("udhcpc") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    let mut serving = wires.serve(&cluster);
    for (mac, address) in [("ec:e7:a7:0f:00:01", 200), ("ec:e7:a7:0f:00:02", 201), ("ec:e7:a7:0f:00:01", 200)] {
        wires.ip(1, "link set left down");
        wires.ip(1, &format!("link set left address {mac}"));
        wires.ip(1, "link set left up");
        let said = wires.udhcpc(1, &cluster, &[]);
        assert!(said.contains(&format!("EVENT bound ip=172.16.0.{address} ")), "{mac}: {said}");
        serving.stop();
        serving = wires.serve(&cluster);
    }
}

#[test]
fn leases_of_a_database_that_opens_late_are_kept_and_who_got_their_addresses_meanwhile_gets_others() {
    if !is_root() || !has("udhcpc") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    let ask = |mac: &str| {
        wires.ip(1, "link set left down");
        wires.ip(1, &format!("link set left address ec:e7:a7:0f:00:{mac}"));
        wires.ip(1, "link set left up");
        let said = wires.udhcpc(1, &cluster, &[]);
        said.split("EVENT bound ip=").nth(1).map(|said| said.split(' ').next().unwrap().to_owned()).expect(&said)
    };
    let serving = wires.serve(&cluster);
    assert_eq!(ask("01"), "172.16.0.200");
    serving.stop();
    let (database, away) = (cluster.state().join("state.db"), cluster.state().join("away.db"));
    std::fs::rename(&database, &away).unwrap();
    std::fs::write(&database, "no database").unwrap();
    let serving = wires.start(0, &["right"], &cluster, &[]);
    assert_eq!(ask("02"), "172.16.0.200", "nothing is known of the first one");
    std::fs::rename(&away, &database).unwrap();
    until("the database is served", || serving.log().contains("the database is open").then_some(()));
    assert_eq!(ask("02"), "172.16.0.201", "the other one is refused what is not its own");
    assert_eq!(ask("01"), "172.16.0.200");
    serving.stop();
    let _serving = wires.serve(&cluster);
    assert_eq!((ask("02"), ask("01")), ("172.16.0.201".to_owned(), "172.16.0.200".to_owned()), "and so it is stored");
}

#[test]
fn beside_services_elsewhere_nodes_have_their_addresses_and_the_boot_scripts_of_that_bss() {
    if !is_root() || !has("udhcpc") {
        return;
    }
    let (cluster, theirs, wires) = (Cluster::demo(), Cluster::demo(), Wires::new(2));
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    wires.ip(1, &format!("link set left address {NODE}"));
    let serve = |home: &Cluster, flags: &[&str]| {
        let mut command = wires.daemon(0, PROGRAM);
        command
            .args(["serve", "--api", "http://127.0.0.1:0", "--boot", "127.0.0.1:0"])
            .args(flags)
            .current_dir(home.dir.path());
        command.env("OCHAMI_SYNC_STATE", home.state()).env("OCHAMI_SYNC_INSECURE", "1").env_remove("RUST_LOG");
        Serving::start(command)
    };
    let services = serve(&theirs, &["--auth", "none"]);
    let ours = serve(&cluster, &["--dhcp", "right"]);
    let target = ["--base-uri", &services.api];
    let plan = cluster.run(&[&["plan"][..], &target].concat()).expect(0).stdout;
    assert!(plan.contains("network management new") && plan.contains("addresses of nodes changed"), "{plan}");
    cluster.run(&[&["apply", "--yes"][..], &target].concat()).expect(0);
    let again = cluster.run(&[&["plan"][..], &target].concat()).expect(0).stdout;
    assert!(again.contains("in sync"), "{again}");
    let as_ipxe = ["-x", "0x4d:69505845", "-x", "0x5d:0007"];
    let said = wires.udhcpc(1, &cluster, &as_ipxe);
    assert!(said.contains("EVENT bound ip=172.16.0.1 lease=3600 hostname=nid001 router=172.16.0.254"), "{said}");
    assert!(said.contains(&format!("bootfile={}/boot/v1/bootscript?mac={NODE}", services.api)), "{said}");
    let log = ours.log();
    assert!(log.contains("there is no --tftp") && log.contains("finds no loader on management"), "{log}");
    assert!(!log.contains("on loopback only"), "the boot scripts are elsewhere: {log}");
}

#[test]
fn a_machine_that_solicits_a_router_is_answered_where_that_is_asked_for() {
    if !is_root() {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    let _serving = wires.serve_with(&cluster, &["--router-advertisements"]);
    // The kernel asks when an interface comes up, and counts what it hears.
    wires.ip(1, "link set left down");
    wires.ip(1, "link set left up");
    let heard = || {
        let counters = wires.run(1, "cat", &["/proc/net/snmp6"]);
        let line = counters.lines().find(|line| line.starts_with("Icmp6InRouterAdvertisements")).unwrap().to_owned();
        line.split_whitespace().nth(1).and_then(|count| count.parse::<u32>().ok()).unwrap()
    };
    let before = heard();
    until("an advertisement came", || (heard() > before).then_some(()));
    let routes = wires.run(1, "ip", &["-6", "route"]);
    assert!(!routes.contains("default"), "nobody takes us for a router: {routes}");
}

#[test]
fn a_machine_behind_a_relay_is_served_by_the_network_of_the_relay() {
    if !is_root() || !has("udhcpc") || !has("dhcrelay") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(3));
    let far = "  - name: far\n    subnet: 10.77.0.0/24\n    router: 10.77.0.1\n    pool: 10.77.0.50-10.77.0.60\n";
    cluster.edit("cluster.yaml", "172.16.0.200-172.16.0.250\n", &format!("172.16.0.200-172.16.0.250\n{far}"));
    wires.ip(0, "addr add 172.16.0.254/24 dev right");
    wires.ip(0, "route add 10.77.0.0/24 via 172.16.0.253");
    wires.ip(1, "addr add 172.16.0.253/24 dev left");
    wires.ip(1, "addr add 10.77.0.1/24 dev right");
    let _serving = wires.serve(&cluster);
    let _relay = wires.relay("172.16.0.254");
    let said = wires.udhcpc(2, &cluster, &[]);
    assert!(said.contains("EVENT bound ip=10.77.0.50 lease=300") && said.contains("router=10.77.0.1"), "{said}");
}

#[test]
fn a_server_for_relays_alone_is_well_unless_its_own_wire_asks_and_nobody_is_answered() {
    if !is_root() || !has("udhcpc") || !has("dhcrelay") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(3));
    wires.ip(0, "addr add 10.66.0.254/24 dev right");
    wires.ip(0, "route add 172.16.0.0/24 via 10.66.0.1");
    wires.ip(1, "addr add 10.66.0.1/24 dev left");
    wires.ip(1, "addr add 172.16.0.253/24 dev right");
    let serving = wires.serve(&cluster);
    assert_eq!(serving.log().matches("serving DHCP for relays alone").count(), 1, "{}", serving.log());
    assert!(!serving.log().contains("dhcp-network"), "{}", serving.log());

    let arguments = ["-n", "-q", "-f", "-t", "2", "-T", "1", "-s", &script(&cluster)];
    let said = wires.run(1, "udhcpc", &[&["-i", "left"], &arguments[..]].concat());
    assert!(said.contains("EVENT leasefail"), "{said}");
    until("it is told", || serving.log().contains("so machines on its wire ask in vain").then_some(()));

    let _relay = wires.relay("10.66.0.254");
    let said = wires.udhcpc(2, &cluster, &[]);
    assert!(said.contains("EVENT bound ip=172.16.0.200 "), "{said}\n{}", serving.log());
    until("it is well again", || serving.log().contains("well again").then_some(()));
    assert_eq!(serving.log().matches("serving DHCP for relays alone").count(), 1, "{}", serving.log());
}

#[test]
fn hundreds_of_machines_at_once_are_all_served() {
    if !is_root() || !has("perfdhcp") {
        return;
    }
    let (cluster, wires) = (Cluster::demo(), Wires::new(2));
    cluster.edit("cluster.yaml", "172.16.0.0/24", "172.16.0.0/16");
    cluster.edit("cluster.yaml", "172.16.0.200-172.16.0.250", "172.16.8.0-172.16.200.250");
    wires.ip(0, "addr add 172.16.0.254/16 dev right");
    wires.ip(1, "addr add 172.16.0.99/16 dev left");
    let _serving = wires.serve(&cluster);
    let arguments = ["-4", "-r", "100", "-n", "300", "-R", "10000", "-W", "3000000", "-l", "left", "172.16.0.254"];
    let said = wires.run(1, "perfdhcp", &arguments);
    // The client does not ask twice, so a packet that a busy machine loses is lost: a tenth of them may be.
    let received: Vec<u32> =
        said.lines().filter_map(|line| line.strip_prefix("received packets: ")?.trim().parse().ok()).collect();
    assert!(received.len() == 2 && received.iter().all(|count| *count >= 270), "{said}");
    assert!(said.contains("non unique addresses: 0"), "{said}");
}

#[test]
fn an_interface_that_is_not_there_ends_the_start() {
    let cluster = Cluster::demo();
    let finished =
        cluster.run(&["serve", "--api", "http://127.0.0.1:0", "--boot", "127.0.0.1:0", "--dhcp", "nonesuch0"]);
    let finished = finished.expect(1);
    assert!(finished.stderr.contains("interface nonesuch0, port 67"), "{}", finished.stderr);
}
