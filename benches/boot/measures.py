"""What is measured of each kind of server, in rounds in which all of them have their turn."""

import json
import re
import statistics
import sys
import time

import servers
from lab import CLIENT, FIRST_CLIENT, SERVER

# Exchanges a second that are offered, one rate after the other, until some are lost.
RATES = [1000, 4000, 8000, 10000, 15000, 20000, 25000]
KEA_RATES = [1000, 3000, 4000, 5000, 6000, 7000, 8000, 10000, 12000, 15000, 20000]
SLOW_RATES = [100, 250, 500, 1000, 2000]
BROADCAST_RATES = [1000, 5000, 10000, 20000]
# The rate of which latencies are shown, and the rate of perfdhcp.
SAMPLE = 4000
# Machines that nobody knows and that share the pool's 65,000 addresses.
LEASES = 20_000
KNOWN, UNKNOWN = "a4:bf:01:00:00:00", "02:00:00:00:00:00"

LOADER_SIZE, IMAGE_SIZE = 1 << 20, 256 << 20


def prepare(lab):
    """The files that are fetched; all servers send them from memory, which is what is compared."""
    files = lab.work / "files"
    files.mkdir(exist_ok=True)
    for name, size in (("loader.efi", LOADER_SIZE), ("image.squashfs", IMAGE_SIZE)):
        path = files / name
        if not path.exists() or path.stat().st_size != size:
            path.write_bytes(bytes(range(251)) * (size // 251) + bytes(size % 251))
        path.read_bytes()


def dhcp(lab, rounds, seconds, load):
    """The highest rate of four-way exchanges of which the server loses none, and how long its answers take."""
    ours, kea, dnsmasq = servers.ours_dhcp, servers.kea, servers.dnsmasq_dhcp
    contenders = [
        ("ochami-sync, 10,000 known nodes", ours(10_000), KNOWN, 10_000, RATES),
        ("ochami-sync, 50,000 known nodes", ours(50_000), KNOWN, 50_000, RATES),
        ("Kea, 10,000 reservations", kea(10_000), KNOWN, 10_000, KEA_RATES),
        ("ochami-sync, leases of the pool", ours(10_000), UNKNOWN, LEASES, RATES),
        ("Kea, leases of the pool", kea(0), UNKNOWN, LEASES, KEA_RATES),
        ("dnsmasq, leases of the pool", dnsmasq, UNKNOWN, LEASES, SLOW_RATES),
    ]
    seen, words = {}, []
    for number in range(rounds):
        for name, start, mac, clients, rates in contenders:
            with start(lab) as server:
                runs = []
                for rate in rates:
                    arguments = [load, rate, seconds, mac, clients, "relay", CLIENT, SERVER]
                    runs.append(exchange(lab, server, rate, arguments))
                    progress("dhcp", number, name, runs[-1])
                    if runs[-1]["done"] < runs[-1]["begun"]:
                        break
                seen.setdefault(name, []).append(best(runs))
                if number == 0:
                    words.append(f"- perfdhcp on {name}: {perfdhcp(lab, mac, clients, seconds, min(SAMPLE, rates[2]))}")
    rows = []
    for name, runs in seen.items():
        latencies = f"{middle(runs, 'offer_p99'):.2f} ms, {middle(runs, 'ack_p99'):.2f} ms"
        cost = [f"{middle(runs, 'cpu'):.0f} µs", f"{middle(runs, 'memory'):.0f} MB"]
        rows.append([name, f"{middle(runs, 'rate'):.0f}", f"{middle(runs, 'prompt'):.0f}", latencies, *cost])
    p99 = f"p99 of DISCOVER, REQUEST at {SAMPLE}/s"
    table([f"DHCP, {seconds} s a rate, relay", "exchanges/s without loss", "and p99 below 5 ms", p99, "CPU each", "memory"], rows)
    print("\n".join(words))
    broadcast(lab, ours(10_000), load, seconds)


def best(runs):
    """The highest rate without loss, and the highest of these at which the slowest hundredth takes less than 5 ms."""
    whole = [run for run in runs if run["done"] == run["begun"]]
    prompt = [run["rate"] for run in whole if max(run["offer_p99"], run["ack_p99"]) < 5]
    sample = next((run for run in runs if run["rate"] >= SAMPLE), runs[-1])
    fastest = whole[-1] if whole else {**runs[0], "rate": 0}
    latencies = {what: sample[what] for what in ("offer_p99", "ack_p99")}
    return {**fastest, **latencies, "prompt": max(prompt, default=0)}


def exchange(lab, server, rate, arguments):
    before = server.cpu()
    run = json.loads(lab.run(*arguments))
    cpu = (server.cpu() - before) / max(run["done"], 1) * 1e6
    return {"rate": rate, **run, "cpu": cpu, "memory": server.resident()}


def perfdhcp(lab, mac, clients, seconds, rate):
    """What ISC's own load sees, at a rate at which its socket loses nothing."""
    options = ["-r", rate, "-p", seconds, "-W", 500_000, "-b", f"mac={mac}", "-R", clients]
    said = lab.run("perfdhcp", "-4", *options, "-l", "v1", SERVER)
    numbers = lambda what: "+".join(re.findall(rf"^{what}: ([\d.]+)", said, re.MULTILINE))
    sent, got, delay = numbers("sent packets"), numbers("received packets"), numbers("avg delay")
    return f"{rate}/s offered, {sent} packets sent, {got} received, {delay} ms on average"


def broadcast(lab, start, load, seconds):
    """Clients without an address on the server's own wire."""
    with start(lab) as server, lab.without_address():
        fastest = None
        for rate in BROADCAST_RATES:
            run = exchange(lab, server, rate, [load, rate, seconds, KNOWN, 10_000, "broadcast", "v1"])
            progress("dhcp", 0, "broadcast", run)
            if run["done"] < run["begun"]:
                break
            fastest = run
    latencies = f"{fastest['offer_p99']:.2f} ms and {fastest['ack_p99']:.2f} ms"
    print(f"- broadcast, known nodes, ochami-sync: {fastest['rate']}/s without loss, p99 {latencies}\n")


def tftp(lab, rounds, load):
    """Bytes a second of all clients together."""
    contenders = {
        "ochami-sync": servers.ours_tftp,
        "tftpd-hpa": servers.tftpd_hpa,
        "dnsmasq": servers.dnsmasq_tftp,
        "atftpd": servers.atftpd,
    }
    # Clients, transfers of each, block size, window.
    one = [(1, 10, 512, 1), (1, 20, 1428, 1), (1, 20, 1428, 8)]
    cases = [*one, (50, 3, 1428, 1), (50, 3, 1428, 8), (200, 1, 1428, 1), (200, 1, 1428, 8)]
    seen = {}
    for number in range(rounds):
        for name, start in contenders.items():
            with start(lab) as server:
                for case in cases:
                    before = server.cpu()
                    clients, each, block, window = case
                    said = lab.run(load, f"{SERVER}:69", "loader.efi", clients, each, block, window, FIRST_CLIENT)
                    run = json.loads(said)
                    run |= {"rate": run["bytes"] / run["seconds"] / 1e6, "cpu": server.cpu() - before}
                    seen.setdefault((name, case), []).append(run)
                    progress("tftp", number, f"{name} {case}", run)
    rows = []
    for case in cases:
        clients, each, block, window = case
        what = f"{clients} client{'s at once' if clients > 1 else ''}, {each} × 1 MiB, blksize {block}"
        what += f", windowsize {window}" if window > 1 else ""
        rows.append([what, *(transfers(seen[name, case]) for name in contenders)])
    table(["TFTP", *contenders], rows)


def transfers(runs):
    said = f"{middle(runs, 'rate'):.0f} MB/s, longest {middle(runs, 'longest'):.2f} s"
    for fault in ("failed", "repeated"):
        count = sum(run[fault] for run in runs)
        said += f", {count} {fault}" if count else ""
    return said


def crowd(lab, load):
    """A thousand transfers at once: whether all are whole, and what they take of memory."""
    with servers.ours_tftp(lab) as server:
        before, output = server.resident(), lab.work / "crowd.json"
        with open(output, "w", encoding="ascii") as file:
            process = lab.spawn(load, f"{SERVER}:69", "loader.efi", 1000, 1, 1428, 8, FIRST_CLIENT, output=file)
            most = before
            while process.poll() is None:
                most = max(most, server.resident())
                time.sleep(0.05)
    run = json.loads(output.read_text("ascii"))
    print(f"- 1,000 TFTP transfers at once, windowsize 8: {transfers([run | {'rate': run['bytes'] / run['seconds'] / 1e6}])}")
    print(f"- {run['failed']} of them failed; resident memory {before:.0f} MB before, {most:.0f} MB at most\n")


def http(lab, rounds):
    """Images by curl: bytes a second of all clients together, and the server's processor time."""
    contenders = {"ochami-sync": servers.ours_http, "nginx, sendfile": servers.nginx}
    counts, seen = [1, 16], {}
    for number in range(rounds):
        for name, start in contenders.items():
            with start(lab) as server:
                for clients in counts:
                    run = images(lab, server, clients)
                    seen.setdefault((name, clients), []).append(run)
                    progress("http", number, f"{name} {clients}", run)
    rows = []
    for clients in counts:
        cells = [seen[name, clients] for name in contenders]
        shown = [f"{middle(runs, 'rate'):.2f} GB/s, {middle(runs, 'cpu'):.2f} CPU s/GiB" for runs in cells]
        rows.append([f"{clients} client{'s' if clients > 1 else ''}", *shown])
    table(["HTTP, an image of 256 MiB, curl", *contenders], rows)


def storm(lab, rounds, seconds, load):
    """DHCP of known nodes beside a hundred downloads of an image, without a ceiling and with one."""
    cases = {"alone": (0, []), "100 downloads": (100, []), "100 downloads, `--image-rate 500M`": (100, ["--image-rate", "500M"])}
    seen = {}
    for number in range(rounds):
        for name, (clients, flags) in cases.items():
            with servers.ours_storm(*flags)(lab) as server:
                urls = [f"http://{SERVER}:8080/image.squashfs"] * 100
                outputs = ["-o", "/dev/null"] * len(urls)
                # They give way to the load of DHCP, which runs on the same cores and is what is measured.
                fetching = [lab.spawn("nice", "-n", "19", "curl", "-sf", *outputs, *urls) for _ in range(clients)]
                time.sleep(1)
                run = exchange(lab, server, 4000, [load, 4000, seconds, KNOWN, 10_000, "relay", CLIENT, SERVER])
                ended = [process.poll() for process in fetching if process.poll() is not None]
                for process in fetching:
                    process.terminate()
                    process.wait()
                if ended:
                    raise RuntimeError(f"downloads ended before the load: {ended}")
                seen.setdefault(name, []).append(run)
                progress("storm", number, name, run)
    rows = []
    for name, runs in seen.items():
        done = f"{middle(runs, 'done'):.0f} of {middle(runs, 'begun'):.0f}"
        rows.append([name, done, f"{middle(runs, 'offer_p99'):.2f} ms, {middle(runs, 'ack_p99'):.2f} ms"])
    table(["DHCP of 10,000 known nodes at 4,000/s", "exchanges", "p99 of DISCOVER, REQUEST"], rows)


def images(lab, server, clients):
    urls = [f"http://{SERVER}:8080/image.squashfs"] * (8 if clients == 1 else 1)
    outputs = ["-o", "/dev/null"] * len(urls)
    before, begun = server.cpu(), time.monotonic()
    fetching = [lab.spawn("curl", "-sf", *outputs, *urls) for _ in range(clients)]
    if any([process.wait() for process in fetching]):
        raise RuntimeError(f"{server.name} did not send all")
    took, sent = time.monotonic() - begun, IMAGE_SIZE * len(urls) * clients
    return {"rate": sent / took / 1e9, "cpu": (server.cpu() - before) / (sent / 2**30)}


def middle(runs, what):
    return statistics.median(run[what] for run in runs)


def table(head, rows):
    for row in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def progress(kind, number, name, run):
    shown = {key: round(value, 3) if isinstance(value, float) else value for key, value in run.items()}
    print(f"{kind}, round {number + 1}: {name}: {shown}", file=sys.stderr, flush=True)
