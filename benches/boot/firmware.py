"""Machines with real firmware, from power to the last word of their cloud-init, booted by us and by a reference.

Machines are emulated whole by QEMU. What they boot is what scripts/boot-payload gathers, the same from either side and at
the same addresses. The reference is dnsmasq for DHCP, TFTP and router advertisements, and `reference.py` for the rest.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

from lab import Server, ip, until
from servers import PEERS, PROGRAM, ROOT

HEAD, BRIDGE, DOMAIN = "172.16.0.254", "boot0", "openchami.cluster"
PREFIX = "fd42::"
PAYLOAD = ROOT / "target/boot-payload"
IMAGES = f"http://{HEAD}:8080/bench"
CLOUD_INIT = f"http://{HEAD}:8081/cloud-init/"
# A kernel that fails ends the machine, and an emulated timer may be late on a busy one.
EMULATED = "panic=1 no_timer_check"
PATIENCE = 600

# What is measured, in the order of the nodes: name, machine, whether firmware boots by HTTP. They are those of
# tests/it/firmware.rs.
KINDS = [
    ("BIOS, iPXE in the card", "bios", False),
    ("BIOS, undionly", "undionly", False),
    ("UEFI, PXE", "uefi", False),
    ("UEFI, HTTP", "uefi", True),
    ("ARM64, PXE", "arm64", False),
    ("ARM64, HTTP", "arm64", True),
]


def measure(work, rounds):
    """Prints the median of each kind of machine from either side; they take turns, and change who is first."""
    place = pathlib.Path(work) / "firmware"
    prepare(place)
    seconds = {}
    with Network(place) as network:
        for number in range(rounds):
            sides = [("ochami-sync", ours), ("reference", reference)]
            for kind in range(len(KINDS)):
                for name, serve in sides if (number + kind) % 2 == 0 else sides[::-1]:
                    with serve(network):
                        took = boot(network, kind)
                    seconds.setdefault((kind, name), []).append(took)
                    word = f"firmware, round {number + 1}: {KINDS[kind][0]} from {name}: {took:.1f} s"
                    print(word, file=sys.stderr, flush=True)
    print(f"Real firmware, from power to the last word, medians of {rounds} (least to most):\n")
    print("| machine | ochami-sync | dnsmasq and a small HTTP server |\n|---|---|---|")
    for kind, (what, _, _) in enumerate(KINDS):
        cells = [told(seconds[kind, name]) for name in ("ochami-sync", "reference")]
        print(f"| {what} | {cells[0]} | {cells[1]} |")
    print(flush=True)


def told(seconds):
    return f"{statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f})"


def node(kind):
    """The node of a kind: name, xname, MAC address, address."""
    return f"nid00{kind + 1}", f"x1000c0s{kind}b0n0", f"ec:e7:a7:05:a1:0{kind + 1}", f"172.16.0.{kind + 1}"


def kernel(kind):
    """What a machine of a kind boots: kernel, initrd and parameters."""
    architecture, console = ("arm64", "ttyAMA0") if KINDS[kind][1] == "arm64" else ("amd64", "ttyS0")
    params = f"root=live:{IMAGES}/rootfs ochami_ci_url={CLOUD_INIT} console={console},115200 {EMULATED}"
    return f"{IMAGES}/vmlinuz-{architecture}", f"{IMAGES}/initrd-{architecture}", params


def prepare(place):
    """Images, an inventory with a node for each kind, and the state that it makes."""
    shutil.rmtree(place, ignore_errors=True)
    image = place / "images/bench"
    image.mkdir(parents=True)
    for file in (PAYLOAD / "images").iterdir():
        shutil.copy(file, image)
    (image / "rootfs").write_bytes(bytes(range(256)) * 12_000)
    nodes, profiles = ["nodes:"], ["boot:", "  nodes:"]
    for kind in range(len(KINDS)):
        (name, xname, mac, address), (linux, initrd, params) = node(kind), kernel(kind)
        nodes.append(
            f"- {{name: {name}, xname: {xname}, nid: {kind + 1}, group: compute, interfaces: "
            f"[{{mac_addr: '{mac}', ip_addrs: [{{name: management, ip_addr: {address}}}]}}]}}"
        )
        profiles.append(f"    {name}: {{kernel: '{linux}', initrd: '{initrd}', params: '{params}'}}")
    inventory = place / "inventory"
    (inventory / "cloud-init").mkdir(parents=True)
    (inventory / "nodes.yaml").write_text("\n".join(nodes) + "\n", "utf-8")
    (inventory / "cluster.yaml").write_text(
        f"cluster_name: bench\ncluster_domain: {DOMAIN}\ncluster_boot_ip: {HEAD}\nnetworks:\n"
        f"- {{name: management, subnet: 172.16.0.0/24, router: {HEAD}, dns: {HEAD}}}\n" + "\n".join(profiles) + "\n",
        "utf-8",
    )
    (inventory / "cloud-init/compute.yaml").write_text(
        "- name: compute\n  cloud-init:\n    metadata: {instance-id: compute}\n    userdata: {runcmd: [[touch, /run/told]]}\n",
        "utf-8",
    )
    command = [PROGRAM, "apply", "--yes", "--quiet", "-i", "inventory"]
    subprocess.run(command, cwd=place, check=True, env=environment(place))


def environment(place):
    return {**os.environ, "OCHAMI_SYNC_STATE": str(place / "state")}


class Network:
    """A bridge with the head node's address in a namespace of its own, and a port for a machine."""

    def __init__(self, place):
        self.place, self.name = place, f"bench-firmware-{os.getpid()}"

    def __enter__(self):
        ip("netns", "add", self.name)
        for command in (
            "link set lo up",
            f"link add {BRIDGE} type bridge stp_state 0 forward_delay 0",
            f"addr add {HEAD}/24 dev {BRIDGE}",
            # dnsmasq advertises routers where it finds an address of the prefix only.
            f"addr add {PREFIX}1/64 dev {BRIDGE} nodad",
            f"link set {BRIDGE} up",
            "tuntap add dev port mode tap",
            f"link set port master {BRIDGE} up",
        ):
            ip("-n", self.name, *command.split())
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def start(self, name, command, ports=()):
        """Starts a program in the namespace and waits until its ports are bound."""
        log = open(self.place / f"{name}.log", "a", encoding="utf-8")
        command = ["ip", "netns", "exec", self.name, *map(str, command)]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.place, env=environment(self.place)
        )
        server = Server(name, process, self.name)
        for kind, port in ports:
            until(lambda: server.listens(kind, port), f"{name} at {kind} port {port} (see {log.name})")
        return server


class Together:
    """Servers that are stopped together."""

    def __init__(self, *servers):
        self.servers = servers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.__exit__()


def ours(network):
    command = [PROGRAM, "serve", "--api", "http://127.0.0.1:0", "--boot", f"{HEAD}:8081"]
    command += ["--dhcp", BRIDGE, "--router-advertisements", "--tftp", f"{HEAD}:69", "--loaders", PAYLOAD / "loaders"]
    command += ["--images", "images", "--image-listen", f"{HEAD}:8080"]
    return network.start("ochami-sync", command, [("udp", 67), ("udp", 69), ("tcp", 8081), ("tcp", 8080)])


def reference(network):
    """dnsmasq as it is set up beside iPXE, with the loaders that we hand out, and the small HTTP server."""
    script = f"http://{HEAD}:8081/boot/v1/bootscript?mac=${{netX/mac}}"
    lines = [
        "port=0", f"interface={BRIDGE}", "bind-interfaces", "leasefile-ro", "no-ping", "dhcp-authoritative",
        "dhcp-range=172.16.0.0,static,255.255.255.0,1h", f"dhcp-option=option:router,{HEAD}",
        f"dhcp-option=option:dns-server,{HEAD}", f"domain={DOMAIN}",
        "enable-tftp", f"tftp-root={PAYLOAD}/loaders",
        "enable-ra", f"dhcp-range={PREFIX},ra-only", f"ra-param={BRIDGE},10",
        "dhcp-match=set:ipxe,175", "dhcp-match=set:bios,option:client-arch,0",
        "dhcp-match=set:uefi,option:client-arch,7", "dhcp-match=set:uefi,option:client-arch,9",
        "dhcp-match=set:arm64,option:client-arch,11", "dhcp-match=set:http,option:client-arch,16",
        "dhcp-match=set:http-arm64,option:client-arch,19",
        "dhcp-option-force=tag:http,60,HTTPClient", "dhcp-option-force=tag:http-arm64,60,HTTPClient",
        f"dhcp-boot=tag:ipxe,{script}",
        "dhcp-boot=tag:!ipxe,tag:bios,undionly.kpxe",
        "dhcp-boot=tag:!ipxe,tag:uefi,ipxe-amd64.efi",
        "dhcp-boot=tag:!ipxe,tag:arm64,ipxe-arm64.efi",
        f"dhcp-boot=tag:!ipxe,tag:http,http://{HEAD}:8081/loaders/ipxe-amd64.efi",
        f"dhcp-boot=tag:!ipxe,tag:http-arm64,http://{HEAD}:8081/loaders/ipxe-arm64.efi",
    ]  # fmt: skip
    for kind in range(len(KINDS)):
        name, _, mac, address = node(kind)
        lines.append(f"dhcp-host={mac},{address},{name}")
        linux, initrd, params = kernel(kind)
        text = f"#!ipxe\nkernel --name kernel {linux} initrd=initrd {params} xname={node(kind)[1]} || goto failed\n"
        text += f"initrd --name initrd {initrd} || goto failed\nboot || goto failed\n:failed\nsleep 30\nreboot\n"
        (network.place / "scripts").mkdir(exist_ok=True)
        (network.place / "scripts" / mac.replace(":", "-")).write_text(text, "utf-8")
    (network.place / "dnsmasq.conf").write_text("\n".join(lines) + "\n", "utf-8")
    http = [sys.executable, ROOT / "benches/boot/reference.py", HEAD, network.place, PAYLOAD / "loaders"]
    dnsmasq = [PEERS / "dnsmasq-base/usr/sbin/dnsmasq", "-k", "-C", network.place / "dnsmasq.conf", "--user=root"]
    return Together(
        network.start("http", http, [("tcp", 8081), ("tcp", 8080)]),
        network.start("dnsmasq", [*dnsmasq, "--pid-file=", "--log-facility=-"], [("udp", 67), ("udp", 69)]),
    )


def boot(network, kind):
    """Turns a machine on, and answers the seconds until its last word."""
    what, machine, by_http = KINDS[kind]
    console = network.place / "console"
    console.unlink(missing_ok=True)
    arguments = qemu(network.place, machine, by_http, node(kind)[2], console)
    start = time.monotonic()
    with network.start("qemu", arguments) as running:
        while True:
            text = console.read_text("utf-8", "replace") if console.exists() else ""
            took = time.monotonic() - start
            if "\nVERDICT booted" in text:
                return took
            if "\nVERDICT " in text or running.process.poll() is not None or took > PATIENCE:
                sys.exit(f"{what} did not boot in {took:.0f} s; {console} says how far it came")
            time.sleep(0.02)


def qemu(place, machine, by_http, mac, console):
    """The command line of a machine, as in tests/it/firmware/machine.rs."""
    firmware = PAYLOAD / "firmware"
    arm64 = machine == "arm64"
    if arm64:
        command = ["qemu-system-aarch64", "-machine", "virt,accel=tcg", "-cpu", "cortex-a57", "-m", "384"]
    else:
        command = ["qemu-system-x86_64", "-machine", "q35,accel=tcg,graphics=off", "-cpu", "max", "-m", "320"]
    command += ["-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{console}"]
    # Firmware that finds no source of random numbers hides its network boot without a word.
    command += ["-object", "rng-random,id=random,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=random"]
    command += ["-netdev", "tap,id=net,ifname=port,script=no,downscript=no"]
    rom = "" if machine == "bios" else ",romfile="
    command += ["-device", f"virtio-net-pci,netdev=net,mac={mac},bootindex=1{rom}"]
    if machine == "undionly":
        # An iPXE that does what the ROM of a card would, whatever DHCP names for an iPXE.
        (place / "rom.ipxe").write_text("#!ipxe\ndhcp\nchain tftp://${next-server}/undionly.kpxe\n", "utf-8")
        command += ["-kernel", firmware / "ipxe.lkrn", "-initrd", place / "rom.ipxe"]
    elif machine != "bios":
        names = ("AAVMF_CODE.fd", "AAVMF_VARS.fd") if arm64 else ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd")
        shutil.copy(firmware / names[1], place / "variables")
        command += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={firmware / names[0]}"]
        command += ["-drive", f"if=pflash,format=raw,unit=1,file={place / 'variables'}"]
        for family in ["IPv6", "IPv4"] if by_http else ["IPv6"]:
            command += ["-fw_cfg", f"name=opt/org.tianocore/{family}PXESupport,string=n"]
    return command
