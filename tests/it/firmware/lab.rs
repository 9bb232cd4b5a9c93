//! A boot network in a network namespace of the test's own: a bridge with the head node's address, a port for each
//! machine, and `ochami-sync serve` with every boot server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Cluster, PROGRAM, Serving, repository, skipped, tool, until};

/// The head node's address, as in the example cluster.
pub(super) const HEAD: &str = "172.16.0.254";

/// Where nodes of the example cluster find their image.
const IMAGE: &str = "openchami/compute-slurm/latest";

/// The kernel version that the example cluster names.
const VERSION: &str = "4.18.0-553.27.1.el8_10.x86_64";

/// What a guest needs beyond the parameters of the example cluster: to end when its kernel fails, and to trust the
/// timer although an emulated one is late on a busy machine.
const EMULATED: &str = " panic=1 no_timer_check";

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The network; removed with everything in it when the test ends.
pub(super) struct Lab {
    pub(super) cluster: Cluster,
    pub(super) payload: PathBuf,
    name: String,
}

impl Lab {
    /// The example cluster with images in place; none where the test, which needs these programs, has to be skipped.
    pub(super) fn new(programs: &[&str]) -> Option<Self> {
        let payload = payload()?;
        let has = |program| tool("sh", &["-c", &format!("command -v {program} # {program} has to be installed")]);
        if !["ip", "setpriv", "curl"].iter().chain(programs).all(has) {
            return None;
        }
        let name = format!("osync-lab-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        ip(&format!("netns add {name}"));
        let lab = Self { cluster: Cluster::demo(), payload, name };
        lab.ip("link set lo up");
        lab.ip("link add boot0 type bridge stp_state 0 forward_delay 0");
        lab.ip(&format!("addr add {HEAD}/24 dev boot0"));
        lab.ip("link set boot0 up");
        lab.install_images();
        Some(lab)
    }

    /// Puts kernel, initrd and a root file system where the inventory says, and those for ARM64 beside them.
    fn install_images(&self) {
        let image = self.cluster.path("images").join(IMAGE);
        std::fs::create_dir_all(&image).unwrap();
        let install = |from: &str, to: &str| {
            std::fs::copy(self.payload.join("images").join(from), image.join(to)).unwrap();
        };
        install("vmlinuz-amd64", &format!("vmlinuz-{VERSION}"));
        install("initrd-amd64", &format!("initramfs-{VERSION}.img"));
        install("vmlinuz-arm64", "vmlinuz-arm64");
        install("initrd-arm64", "initramfs-arm64.img");
        let rootfs: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 251 + at) as u8).collect();
        std::fs::write(self.rootfs(), rootfs).unwrap();
        self.cluster.edit("cluster.yaml", " rd.shell'", &format!(" rd.shell{EMULATED}'"));
    }

    /// The file that stands for a root file system.
    pub(super) fn rootfs(&self) -> PathBuf {
        self.cluster.path("images").join(IMAGE).join(format!("rootfs-{VERSION}"))
    }

    /// Lets a node boot the kernel for ARM64.
    pub(super) fn boots_arm64(&self, node: &str) {
        let (images, ours) = (format!("http://{HEAD}:8080/{IMAGE}"), format!("http://{HEAD}:8081/cloud-init/"));
        let profile = format!(
            "\nboot:\n  nodes:\n    {node}:\n      kernel: {images}/vmlinuz-arm64\n      initrd: {images}/initramfs-arm64.img\n      \
             params: 'root=live:{images}/rootfs-{VERSION} ochami_ci_url={ours} console=ttyAMA0,115200{EMULATED}'\n"
        );
        let path = self.cluster.inventory().join("cluster.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, text + &profile).unwrap();
    }

    /// `ip -n NAMESPACE …`.
    pub(super) fn ip(&self, args: &str) {
        ip(&format!("-n {} {args}", self.name));
    }

    /// A port of the bridge that a machine can be plugged into.
    pub(super) fn port(&self) -> String {
        let port = format!("port{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        self.ip(&format!("tuntap add dev {port} mode tap"));
        self.ip(&format!("link set {port} master boot0 up"));
        port
    }

    /// A namespace of its own for a client that is no virtual machine, with one interface, `eth0`, on the bridge.
    pub(super) fn neighbour(&self, mac: &str, address: &str) -> Neighbour {
        let name = format!("{}-{}", self.name, NUMBER.fetch_add(1, Ordering::SeqCst));
        ip(&format!("netns add {name}"));
        let neighbour = Neighbour(name);
        let name = &neighbour.0;
        let port = format!("port{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        self.ip(&format!("link add {port} type veth peer name eth0 netns {name}"));
        self.ip(&format!("link set {port} master boot0 up"));
        ip(&format!("-n {name} link set lo up"));
        ip(&format!("-n {name} link set eth0 address {mac} up"));
        ip(&format!("-n {name} addr add {address}/24 dev eth0"));
        neighbour
    }

    /// A command in the namespace. It gives way to the other tests, which count in seconds what this one has minutes
    /// for, and ends with the thread that starts it, however that ends.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "ip", "netns", "exec", &self.name, "nice", "-n", "5", program]);
        command
    }

    /// Starts every boot server at the ports that nodes know, and waits until the inventory is applied.
    pub(super) fn serve(&self) -> Serving {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, PROGRAM, "serve", "-i", "inventory", "--apply", "-v"]);
        command.args(["--api", "http://127.0.0.1:8082", "--boot", &format!("{HEAD}:8081")]);
        command.args(["--dhcp", "boot0", "--router-advertisements", "--tftp", &format!("{HEAD}:69")]);
        command.arg("--loaders").arg(self.payload.join("loaders"));
        command.args(["--images", "images", "--image-listen", &format!("{HEAD}:8080")]);
        command
            .current_dir(self.cluster.dir.path())
            .env("OCHAMI_SYNC_STATE", self.cluster.state())
            .env_remove("RUST_LOG");
        let serving = Serving::start(command);
        until("the inventory is applied", || serving.log().contains("applied:").then_some(()));
        until("DHCP is served", || serving.log().contains("serving DHCP").then_some(()));
        serving
    }

    /// Fails unless our side has on record that the node was given its address, asked for its boot script, and phoned
    /// home, as BSS's endpoint history has it.
    #[track_caller]
    pub(super) fn saw(&self, serving: &Serving, mac: &str, xname: &str) {
        let acknowledged = |line: &str| line.contains(&format!("client.mac={mac}")) && line.contains("answer=\"ack\"");
        assert!(serving.log().lines().any(acknowledged), "no address was given to {mac}:\n{}", serving.log());
        self.knows(xname);
    }

    /// Fails unless the endpoint history says that the node asked for its boot script and phoned home.
    #[track_caller]
    pub(super) fn knows(&self, xname: &str) {
        let token = self.cluster.run(&["token"]).expect(0).stdout;
        let bearer = format!("Authorization: Bearer {}", token.trim());
        until(&format!("the endpoint history knows {xname}"), || {
            let mut curl = self.command("curl");
            curl.args(["-sS", "-H", &bearer, "http://127.0.0.1:8082/boot/v1/endpoint-history"]);
            let history: Vec<serde_json::Value> = serde_json::from_slice(&curl.output().unwrap().stdout).unwrap();
            let of = |endpoint: &str| history.iter().any(|line| line["name"] == xname && line["endpoint"] == endpoint);
            (of("bootscript") && of("phone-home")).then_some(())
        });
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// A namespace on the boot network.
pub(super) struct Neighbour(pub(super) String);

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

fn ip(args: &str) {
    let output = Command::new("ip").args(args.split(' ')).output().unwrap();
    assert!(output.status.success(), "ip {args}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What `scripts/boot-payload` gathered. Without it, or without root, the test says that it was skipped, unless the
/// tools are promised, when it fails for want of the former.
fn payload() -> Option<PathBuf> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0"));
    if !root {
        skipped("network namespaces need root");
        return None;
    }
    let payload = repository().join("target/boot-payload");
    let complete = payload.join("complete").exists();
    assert!(
        complete || std::env::var_os("OCHAMI_SYNC_TEST_TOOLS").is_none(),
        "{} is not complete; scripts/boot-payload gathers it",
        payload.display()
    );
    if !complete {
        skipped("there is nothing to boot; scripts/boot-payload gathers it");
    }
    complete.then_some(payload)
}

/// Waits until the question has an answer, and fails with its last word when it has none in time.
#[track_caller]
pub(super) fn within<T>(seconds: u64, what: &str, mut question: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match question() {
            Ok(answer) => return answer,
            Err(said) => {
                assert!(start.elapsed().as_secs() < seconds, "waited {seconds} s in vain until {what}:\n{said}");
            }
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// The SHA-256 of a file, as the machine tells it.
pub(super) fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}
