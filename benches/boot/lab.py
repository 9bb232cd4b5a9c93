"""Two network namespaces joined by a pair of interfaces, and the servers that run in the first of them."""

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

SERVER, CLIENT = "10.42.0.1", "10.42.0.2"
# Nodes and pool share this subnet; the server and the relay have its first addresses.
SUBNET, FIRST_NODE, POOL = "10.42.0.0/15", "10.42.4.0", ("10.43.0.0", "10.43.255.250")
# Every TFTP client has an address of its own, as every node has.
CLIENTS, FIRST_CLIENT = "10.50.0.0/16", "10.50.0.1"
INTERFACE = "v0"
TICKS = os.sysconf("SC_CLK_TCK")


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


class Lab:
    """The namespaces, removed at the end with what runs in them."""

    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.server, self.client = (f"bench-{side}-{os.getpid()}" for side in ("server", "client"))

    def __enter__(self):
        for name in (self.server, self.client):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", self.server, "link", "add", INTERFACE, "type", "veth", "peer", "name", "v1", "netns", self.client)
        ip("-n", self.server, "addr", "add", f"{SERVER}/15", "dev", INTERFACE)
        ip("-n", self.client, "addr", "add", f"{CLIENT}/15", "dev", "v1")
        ip("-n", self.server, "link", "set", INTERFACE, "up")
        ip("-n", self.client, "link", "set", "v1", "up")
        ip("-n", self.client, "route", "add", "local", CLIENTS, "dev", "lo")
        ip("-n", self.server, "route", "add", CLIENTS, "via", CLIENT)
        return self

    def __exit__(self, *_):
        for name in (self.server, self.client):
            subprocess.run(["ip", "netns", "del", name], check=False)

    @contextlib.contextmanager
    def without_address(self):
        """Takes the client's address away, as of machines that just started."""
        ip("-n", self.client, "addr", "flush", "dev", "v1")
        yield
        ip("-n", self.client, "addr", "add", f"{CLIENT}/15", "dev", "v1")

    def run(self, *command, timeout=120):
        """Runs a client to its end and returns what it printed."""
        command = ["ip", "netns", "exec", self.client, *map(str, command)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        return done.stdout + done.stderr

    def spawn(self, *command, output=subprocess.DEVNULL):
        """Starts a client."""
        command = ["ip", "netns", "exec", self.client, *map(str, command)]
        return subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)

    def serve(self, name, command, ports, environment=None):
        """Starts a server and waits until its ports, as ("udp", 67), are bound."""
        log = open(self.work / f"{name}.log", "w", encoding="utf-8")
        command = ["ip", "netns", "exec", self.server, *map(str, command)]
        process = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
        )
        server = Server(name, process, self.server)
        for kind, port in ports:
            until(lambda: server.listens(kind, port), f"{name} at {kind} port {port} (see {log.name})")
        return server


class Server:
    """A server that runs, stopped at the end of a `with`."""

    def __init__(self, name, process, namespace):
        self.name, self.process, self.namespace = name, process, namespace

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def listens(self, kind, port):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}")
        # A UDP socket is unconnected in state 07, a TCP socket listens in state 0A.
        state = {"udp": "07", "tcp": "0A"}[kind]
        wanted = re.compile(rf"^\s*\d+: [0-9A-F]+:{port:04X} [0-9A-F]+:0000 {state} ", re.MULTILINE)
        tables = [f"/proc/{self.process.pid}/net/{kind}", f"/proc/{self.process.pid}/net/{kind}6"]
        return any(wanted.search(pathlib.Path(table).read_text("ascii")) for table in tables)

    def processes(self):
        """The server and what it started: nginx and in.tftpd do their work in processes of their own."""
        found, children = [self.process.pid], {}
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        for pid in found:
            found.extend(children.get(pid, []))
        return found

    def cpu(self):
        """Seconds of processor time so far, of its children that ended, too."""
        total = 0
        for pid in self.processes():
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            total += sum(int(field) for field in fields[11:15])
        return total / TICKS

    def resident(self):
        """Megabytes of memory."""
        total = 0
        for pid in self.processes():
            try:
                text = pathlib.Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            total += sum(int(found) for found in re.findall(r"^VmRSS:\s+(\d+)", text, re.MULTILINE))
        return total / 1000


def until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited too long for {what}")
        time.sleep(0.02)
