"""How each server is set up and started: ours from its release build, the others from Debian's packages as they are."""

import ipaddress
import json
import os
import pathlib
import subprocess

from lab import FIRST_NODE, INTERFACE, POOL, SERVER, SUBNET

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target/release/ochami-sync"
PEERS = ROOT / "target/peers"
PACKAGES = ["kea-dhcp4-server", "kea-common", "dnsmasq-base", "tftpd-hpa", "atftpd", "libwrap0", "nginx"]


def fetch():
    """Unpacks the peers, each below a directory of its own: two of them own files of the same name."""
    for package in PACKAGES:
        directory = PEERS / package
        if directory.exists():
            continue
        download = PEERS / "deb" / package
        download.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", package], cwd=download, check=True, stderr=subprocess.DEVNULL)
        (archive,) = download.glob("*.deb")
        subprocess.run(["dpkg", "-x", archive, directory], check=True)


def libraries():
    """Where the peers' shared libraries were unpacked."""
    places = [str(PEERS / package / "usr/lib/x86_64-linux-gnu") for package in PACKAGES]
    return {"LD_LIBRARY_PATH": ":".join(places)}


def mac(number):
    return f"a4:bf:01:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def address(number):
    return str(ipaddress.ip_address(FIRST_NODE) + number)


def inventory(directory, nodes):
    """An inventory of so many nodes, with a pool for unknown machines."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "cluster.yaml").write_text(
        f"""cluster_name: bench
cluster_shortname: nid
cluster_nidlength: 6
cluster_domain: openchami.cluster
cluster_boot_ip: {SERVER}
bss_kernel_version: 4.18.0-553.27.1.el8_10.x86_64
bss_image_version: compute-slurm/latest
networks:
- {{name: management, subnet: {SUBNET}, router: {SERVER}, dns: {SERVER}, pool: {POOL[0]}-{POOL[1]}}}
""",
        "utf-8",
    )
    # Eight chassis of 64 slots of one node, in as many cabinets as it takes.
    lines = ["nodes:"] + [
        f"- {{name: nid{n + 1:06}, xname: x{1000 + n // 512}c{n // 64 % 8}s{n % 64}b0n0, nid: {n + 1}, group: compute, "
        f"interfaces: [{{mac_addr: '{mac(n)}', ip_addrs: [{{name: management, ip_addr: {address(n)}}}]}}]}}"
        for n in range(nodes)
    ]
    (directory / "nodes.yaml").write_text("\n".join(lines) + "\n", "utf-8")


def ours(lab, nodes, *flags, ports):
    """Our server with the state of an inventory of so many nodes, applied before where it is not yet."""
    place = lab.work / f"ours-{nodes}"
    environment = {"OCHAMI_SYNC_STATE": str(place / "state")}
    if not (place / "applied").exists():
        inventory(place / "inventory", nodes)
        command = [PROGRAM, "apply", "--yes", "--quiet", "-i", "inventory"]
        subprocess.run(command, cwd=place, check=True, env={**os.environ, **environment})
        (place / "applied").touch()
    command = [PROGRAM, "serve", "--api", "http://127.0.0.1:0", "--boot", f"{SERVER}:8081", *flags]
    return lab.serve(f"ours-{nodes}", command, ports, environment)


def ours_dhcp(nodes):
    return lambda lab: ours(lab, nodes, "--dhcp", INTERFACE, ports=[("udp", 67), ("tcp", 8081)])


def ours_tftp(lab):
    flags = ["--tftp", f"{SERVER}:69", "--loaders", lab.work / "files"]
    return ours(lab, 10, *flags, ports=[("udp", 69)])


def ours_http(lab):
    flags = ["--images", lab.work / "files", "--image-listen", f"{SERVER}:8080"]
    return ours(lab, 10, *flags, ports=[("tcp", 8080)])


def ours_storm(*flags):
    ports = [("udp", 67), ("tcp", 8080)]

    def start(lab):
        images = ["--images", lab.work / "files", "--image-listen", f"{SERVER}:8080"]
        return ours(lab, 10_000, "--dhcp", INTERFACE, *images, *flags, ports=ports)

    return start


def kea(reservations):
    """Kea with its leases in a file, as its documentation recommends for speed, and two threads."""

    def start(lab):
        place = lab.work / "kea"
        place.mkdir(exist_ok=True)
        subnet = {"id": 1, "subnet": SUBNET, "pools": [{"pool": f"{POOL[0]} - {POOL[1]}"}], "boot-file-name": "undionly.kpxe"}
        subnet["reservations"] = [{"hw-address": mac(n), "ip-address": address(n)} for n in range(reservations)]
        database = {"type": "memfile", "persist": True, "name": str(place / f"{reservations}.csv"), "lfc-interval": 0}
        settings = {
            "interfaces-config": {"interfaces": [INTERFACE]},
            "valid-lifetime": 3600,
            "lease-database": database,
            "multi-threading": {"enable-multi-threading": True, "thread-pool-size": 2, "packet-queue-size": 64},
            "subnet4": [subnet],
            "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": "stderr"}]}],
        }
        (place / "kea.json").write_text(json.dumps({"Dhcp4": settings}))
        environment = {**libraries(), "KEA_PIDFILE_DIR": str(place), "KEA_LOCKFILE_DIR": str(place)}
        command = [PEERS / "kea-dhcp4-server/usr/sbin/kea-dhcp4", "-c", place / "kea.json"]
        return lab.serve("kea", command, [("udp", 67)], environment)

    return start


DNSMASQ = [PEERS / "dnsmasq-base/usr/sbin/dnsmasq", "-k", "-C", "/dev/null", "--port=0", "--user=root", "--pid-file="]


def dnsmasq_dhcp(lab):
    leases = f"--dhcp-leasefile={lab.work}/dnsmasq.leases"
    command = [*DNSMASQ, f"--interface={INTERFACE}", "--bind-interfaces", "--no-ping", leases, "--dhcp-authoritative"]
    command += ["--quiet-dhcp", "--dhcp-lease-max=100000", f"--log-facility={lab.work}/dnsmasq.log"]
    command += [f"--dhcp-range={POOL[0]},{POOL[1]},255.254.0.0,1h", "--dhcp-boot=undionly.kpxe"]
    return lab.serve("dnsmasq", command, [("udp", 67)])


def dnsmasq_tftp(lab):
    command = [*DNSMASQ, f"--listen-address={SERVER}", "--bind-interfaces", "--enable-tftp", "--quiet-tftp"]
    command += [f"--tftp-root={lab.work}/files", "--tftp-max=2000", f"--log-facility={lab.work}/dnsmasq.log"]
    return lab.serve("dnsmasq", command, [("udp", 69)])


def tftpd_hpa(lab):
    command = [PEERS / "tftpd-hpa/usr/sbin/in.tftpd", "-L", "-u", "root", "-a", f"{SERVER}:69", "-s", lab.work / "files"]
    return lab.serve("tftpd-hpa", command, [("udp", 69)], libraries())


def atftpd(lab):
    command = [PEERS / "atftpd/usr/sbin/atftpd", "--daemon", "--no-fork", "--maxthread", "2000", "--user", "root.root"]
    command += ["--bind-address", SERVER, "--verbose=1", "--logfile", "-", lab.work / "files"]
    return lab.serve("atftpd", command, [("udp", 69)], libraries())


def nginx(lab):
    place = lab.work / "nginx"
    place.mkdir(exist_ok=True)
    temporary = "".join(f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (place / "nginx.conf").write_text(
        f"""worker_processes 2; daemon off; pid {place}/pid; error_log {place}/error.log; user root;
events {{ worker_connections 4096; }}
http {{ sendfile on; tcp_nopush on; access_log off; {temporary}
server {{ listen {SERVER}:8080; root {lab.work}/files; }} }}
"""
    )
    command = [PEERS / "nginx/usr/sbin/nginx", "-c", place / "nginx.conf", "-p", place]
    return lab.serve("nginx", command, [("tcp", 8080)])
