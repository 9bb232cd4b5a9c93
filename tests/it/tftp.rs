//! TFTP and images to clients that others wrote, in a network namespace of the test's own; and that what DHCP names is
//! there.

use std::net::UdpSocket;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ochami_sync::model::UnknownPolicy;

use crate::support::{Cluster, DEADLINE, PROGRAM, Serving, allow_files, get, skipped, tool, until};

/// The head node's address within the namespace.
const HEAD: &str = "172.16.0.254";

/// A namespace with the head node's address; removed with everything in it.
pub(crate) struct Namespace(String);

impl Namespace {
    /// One of this name, unless we may not make any.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let namespace = Self::empty(name)?;
        // As a real network has it, so that larger packets are cut.
        namespace.ip("link set lo up mtu 1500");
        namespace.ip(&format!("addr add {HEAD}/24 dev lo"));
        Some(namespace)
    }

    /// One without any address.
    fn empty(name: &str) -> Option<Self> {
        let name = format!("ochami-{name}-{}", std::process::id());
        if !Command::new("ip").args(["netns", "add", &name]).output().is_ok_and(|out| out.status.success()) {
            skipped("network namespaces need root and iproute2");
            return None;
        }
        Some(Self(name))
    }

    /// `ip` within it.
    fn ip(&self, args: &str) {
        let output = Command::new("ip").args(["-n", &self.0]).args(args.split(' ')).output().unwrap();
        assert!(output.status.success(), "ip {args}: {output:?}");
    }

    /// A command within it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]);
        command
    }

    /// Starts `serve` with TFTP and images at the ports that nodes know.
    pub(crate) fn serve(&self, cluster: &Cluster, args: &[&str]) -> Serving {
        let mut command = self.command(PROGRAM);
        let (boot, images) = (format!("{HEAD}:8081"), format!("{HEAD}:8080"));
        command.args(["serve", "--api", "http://127.0.0.1:0", "--boot", &boot, "--tftp", &format!("{HEAD}:69")]);
        command.args(["--loaders", "loaders", "--images", "images", "--image-listen", &images]).args(args);
        command.current_dir(cluster.dir.path()).env("OCHAMI_SYNC_STATE", cluster.state()).env_remove("RUST_LOG");
        Serving::start(command)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 249 + at) as u8).collect()
}

/// A cluster with a loader whose last block is short, one whose last block is empty, and a large image.
pub(crate) fn cluster() -> Cluster {
    let cluster = Cluster::demo();
    std::fs::create_dir(cluster.path("loaders")).unwrap();
    std::fs::create_dir_all(cluster.path("images/openchami/compute/latest")).unwrap();
    std::fs::write(cluster.path("loaders/undionly.kpxe"), content(74_213)).unwrap();
    std::fs::write(cluster.path("loaders/snponly.efi"), content(1428 * 100)).unwrap();
    std::fs::write(cluster.path("images/openchami/compute/latest/rootfs"), content(20_000_000)).unwrap();
    cluster
}

/// Runs a client in a directory of its own and compares what it fetched.
fn fetches(namespace: &Namespace, client: &[&str], name: &str, expected: &[u8]) {
    let here = tempfile::tempdir().unwrap();
    let output = namespace.command(client[0]).args(&client[1..]).current_dir(here.path()).output().unwrap();
    assert!(output.status.success(), "{client:?}: {output:?}");
    let fetched =
        std::fs::read(here.path().join(name)).unwrap_or_else(|error| panic!("{client:?}: {error}: {output:?}"));
    assert!(fetched == expected, "{client:?}: {} bytes of {}", fetched.len(), expected.len());
}

#[test]
fn real_tftp_clients_fetch_loaders_from_either_kind_of_port() {
    let tools = [("tftp", &["-V"][..]), ("atftp", &["--version"]), ("busybox", &["true"]), ("curl", &["--version"])];
    let installed: Vec<bool> = tools.iter().map(|(name, probe)| tool(name, probe)).collect();
    let Some(namespace) = Namespace::new("tftp") else { return };
    let cluster = cluster();
    for flags in [&[][..], &["--tftp-single-port"]] {
        let _serving = namespace.serve(&cluster, flags);
        for (file, len) in [("undionly.kpxe", 74_213), ("snponly.efi", 142_800)] {
            let expected = content(len);
            let fetch = |client: &[&str]| fetches(&namespace, client, file, &expected);
            if installed[0] {
                fetch(&["tftp", "-m", "octet", HEAD, "-c", "get", file]);
                fetch(&["tftp", "-m", "netascii", HEAD, "-c", "get", file]);
            }
            if installed[1] {
                fetch(&["atftp", "--get", "-r", file, "-l", file, HEAD]);
                for (block, window) in [("blksize 1428", "windowsize 8"), ("blksize 8192", "windowsize 4")] {
                    let options = ["--option", block, "--option", window, "--option", "tsize"];
                    fetch(&[&["atftp"][..], &options, &["--get", "-r", file, "-l", file, HEAD]].concat());
                }
            }
            if installed[2] {
                fetch(&["busybox", "tftp", "-g", "-r", file, "-l", file, "-b", "1428", HEAD]);
            }
            if installed[3] {
                let url = format!("tftp://{HEAD}/{file}");
                fetch(&["curl", "-sS", "-o", file, &url]);
                fetch(&["curl", "-sS", "-o", file, "--tftp-blksize", "1428", &url]);
            }
        }
    }
}

#[test]
fn real_tftp_clients_behind_a_narrower_network_fetch_loaders_in_blocks_that_do_not_fit_into_it() {
    let (curl, atftp) = (tool("curl", &["--version"]), tool("atftp", &["--version"]));
    let Some(head) = Namespace::new("wide") else { return };
    let (Some(router), Some(node)) = (Namespace::empty("router"), Namespace::empty("narrow")) else { return };
    head.ip(&format!("link add right address 02:00:00:00:00:01 type veth peer name left netns {}", router.0));
    router.ip(&format!("link add right mtu 1450 type veth peer name left netns {}", node.0));
    for (namespace, link, address) in [
        (&head, "right", "10.0.1.1/24"),
        (&router, "left", "10.0.1.2/24"),
        (&router, "right", "10.0.2.2/24"),
        (&node, "left", "10.0.2.1/24"),
    ] {
        namespace.ip(&format!("addr add {address} dev {link}"));
        namespace.ip(&format!("link set {link} up"));
    }
    head.ip("route add default via 10.0.1.2");
    router.ip(&format!("route add {HEAD}/32 via 10.0.1.1"));
    // Its questions for the address of the link are passed over, too.
    router.ip("neigh add 10.0.1.1 lladdr 02:00:00:00:00:01 dev left nud permanent");
    node.ip("route add default via 10.0.2.2");
    // The head node passes over what comes from an address to which it has no way.
    for (namespace, setting) in [(&router, "ip_forward"), (&head, "conf/all/rp_filter")] {
        let command = format!("echo 1 > /proc/sys/net/ipv4/{setting}");
        assert!(namespace.command("sh").args(["-c", &command]).status().unwrap().success(), "{setting}");
    }
    let (cluster, file) = (cluster(), "snponly.efi");
    for flags in [&[][..], &["--tftp-single-port"]] {
        let _serving = head.serve(&cluster, flags);
        // What the router reports of packets that are too large is lost while its address leads nowhere.
        for change in ["add", "del"] {
            head.ip(&format!("route {change} blackhole 10.0.1.2/32"));
            for windows in [true, false] {
                // Each time it is the first that is heard of the narrow network.
                head.ip("route flush cache");
                if windows && atftp {
                    let options = ["--option", "blksize 1468", "--option", "windowsize 8", "--option", "tsize"];
                    let client = [&["atftp"][..], &options, &["--get", "-r", file, "-l", file, HEAD]].concat();
                    fetches(&node, &client, file, &content(142_800));
                } else if !windows && curl {
                    let url = format!("tftp://{HEAD}/{file}");
                    let client = ["curl", "-sS", "-m", "20", "-o", file, "--tftp-blksize", "1468", &url];
                    fetches(&node, &client, file, &content(142_800));
                }
            }
        }
    }
}

#[test]
fn real_tftp_clients_are_told_what_is_not_there_without_a_path() {
    if !tool("curl", &["--version"]) {
        return;
    }
    let Some(namespace) = Namespace::new("tftp-none") else { return };
    let cluster = cluster();
    let _serving = namespace.serve(&cluster, &[]);
    let fails = |path: &str, code: i32| {
        let url = format!("tftp://{HEAD}/{path}");
        let output = namespace.command("curl").args(["-sS", "--path-as-is", &url]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{path}: {told}");
        assert!(!told.contains(&*cluster.dir.path().to_string_lossy()), "{told}");
    };
    // The exit codes with which curl says that a file was not found, and that access was denied.
    fails("none", 68);
    fails("../secrets/munge.key", 69);
    let script = namespace.command("curl").args(["-sS", &format!("tftp://{HEAD}/default")]).output().unwrap();
    assert!(script.stdout.starts_with(b"#!ipxe\n"), "{script:?}");
}

#[test]
fn curl_fetches_images_and_loaders_whole_in_parts_and_on_from_where_it_was() {
    if !tool("curl", &["--version"]) {
        return;
    }
    let Some(namespace) = Namespace::new("images") else { return };
    let cluster = cluster();
    let serving = namespace.serve(&cluster, &[]);
    let roles: Vec<_> = serving.ready.as_array().unwrap().iter().map(|bound| bound["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["api", "boot", "tftp", "images"]);
    let (image, whole) = (format!("http://{HEAD}:8080/openchami/compute/latest/rootfs"), content(20_000_000));
    fetches(&namespace, &["curl", "-sSf", "-o", "rootfs", &image], "rootfs", &whole);
    fetches(&namespace, &["curl", "-sSf", "-r", "5-999999", "-o", "rootfs", &image], "rootfs", &whole[5..1_000_000]);
    let here = tempfile::tempdir().unwrap();
    std::fs::write(here.path().join("rootfs"), &whole[..1_234_567]).unwrap();
    let mut resuming = namespace.command("curl");
    resuming.args(["-sSf", "-C", "-", "-o", "rootfs", &image]).current_dir(here.path());
    assert!(resuming.status().unwrap().success());
    assert!(std::fs::read(here.path().join("rootfs")).unwrap() == whole);
    let head = |url: &str| {
        let output = namespace.command("curl").args(["-sSfI", url]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().to_ascii_lowercase()
    };
    assert!(head(&image).contains("content-length: 20000000\r\n"), "{}", head(&image));
    let loader = format!("http://{HEAD}:8081/loaders/snponly.efi");
    assert!(head(&loader).contains("content-length: 142800\r\n"), "{}", head(&loader));
    fetches(&namespace, &["curl", "-sSf", "-o", "snponly.efi", &loader], "snponly.efi", &content(142_800));
    assert!(serving.stop().contains("shutting down"));
}

/// Where TFTP is served.
fn address(serving: &Serving) -> String {
    let listeners = serving.ready.as_array().unwrap();
    let tftp = listeners.iter().find(|listener| listener["role"] == "tftp").unwrap();
    tftp["url"].as_str().unwrap().trim_start_matches("tftp://").to_owned()
}

#[test]
fn a_flood_of_requests_from_one_address_keeps_no_other_from_its_files() {
    if !tool("curl", &["--version"]) {
        return;
    }
    // More than one address may have under way.
    const PORTS: usize = 1200;
    allow_files(3 * PORTS);
    let cluster = cluster();
    let serving = cluster.serve(&["--tftp", "127.0.0.1:0", "--loaders", "loaders"]);
    let server = address(&serving);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let sockets: Vec<UdpSocket> = (0..PORTS).map(|_| UdpSocket::bind("127.0.0.2:0").unwrap()).collect();
            let end = Instant::now() + Duration::from_secs(8);
            // Another file each time, which ends the transfer before and begins one; none is ever acknowledged.
            for file in ["undionly.kpxe", "snponly.efi"].into_iter().cycle() {
                let request = format!("\0\u{1}{file}\0octet\0blksize\01428\0windowsize\08\0");
                for sockets in sockets.chunks(20) {
                    if over.load(Ordering::Relaxed) || Instant::now() > end {
                        return;
                    }
                    sockets.iter().for_each(|socket| drop(socket.send_to(request.as_bytes(), &server)));
                    thread::park_timeout(Duration::from_millis(1));
                }
            }
        });
        let refused = "ochami_sync_tftp_requests_total{end=\"no-room\"}";
        let page = || get(&format!("{}/metrics", serving.metrics)).body;
        until("it has all that one address may have", || page().contains(refused).then_some(()));
        for (file, len) in [("undionly.kpxe", 74_213), ("snponly.efi", 142_800)] {
            let url = format!("tftp://{server}/{file}");
            let output = Command::new("curl").args(["-sS", "--tftp-blksize", "1428", &url]).output().unwrap();
            assert!(output.stdout == content(len), "{file}: {output:?}");
        }
        assert!(!flood.is_finished(), "the flood went on meanwhile");
        over.store(true, Ordering::Relaxed);
    });
}

/// What a TFTP server sends of a file that fits into one block; none where it sends an error.
fn fetch(server: &str, name: &str) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.send_to(format!("\0\u{1}{name}\0octet\0").as_bytes(), server).unwrap();
    let mut packet = [0; 600];
    let (length, from) = socket.recv_from(&mut packet).unwrap();
    assert!(length < 516, "one block is all of it");
    socket.send_to(&[0, 4, 0, 1], from).unwrap();
    packet[..length].strip_prefix(&[0, 3, 0, 1]).map(<[u8]>::to_vec)
}

#[test]
fn every_boot_file_that_dhcp_names_for_an_unknown_machine_is_served_over_tftp_and_http() {
    let cluster = Cluster::demo();
    std::fs::create_dir(cluster.path("loaders")).unwrap();
    std::fs::write(cluster.path("loaders/discover.ipxe"), "#!ipxe\necho mine\n").unwrap();
    let serving = cluster.serve(&["--tftp", "127.0.0.1:0", "--loaders", "loaders"]);
    let tftp = address(&serving);
    for (policy, command) in [("reboot", "reboot"), ("shell", "shell"), ("script:discover.ipxe", "echo mine")] {
        let policy: UnknownPolicy = policy.parse().unwrap();
        let name = policy.boot_file();
        let script = String::from_utf8(fetch(&tftp, name).unwrap_or_else(|| panic!("no {name} over TFTP"))).unwrap();
        assert!(script.starts_with("#!ipxe\n") && script.contains(&format!("\n{command}")), "{name}: {script}");
        let over_http = get(&format!("{}/loaders/{name}", serving.boot));
        assert_eq!((over_http.status, over_http.body), (200, script), "{name}");
    }
    assert_eq!(fetch(&tftp, "other.ipxe"), None);
}
