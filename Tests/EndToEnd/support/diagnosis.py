"""Runs `connectd diagnose` in the prober's namespace, and stages faults that need more than one command."""

import contextlib
import json
import subprocess

from support import connectd_process
from support import network as net

# Shorter than a user waits: the first check has two fifths of it, which includes one SYN retransmission.
TIMEOUT = "4s"
# A second link between the prober and the router.
ALT_PROBER, ALT_PEER = "10.79.0.1", "10.79.0.2"
# The documentation networks, which no machine has.
DOCUMENTATION = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")


class Diagnosis:
    """The JSON of one run, and its exit status."""

    def __init__(self, ran: subprocess.CompletedProcess):
        assert ran.stdout, ran.stderr
        self.status = ran.returncode
        self.json = json.loads(ran.stdout)
        self.sentence = self.json["sentence"]
        self.verdict, self.confidence, self.causes = (self.json[name] for name in ("verdict", "confidence", "causes"))
        self.findings = {finding["id"]: finding for finding in self.json["findings"]}
        self.ruled_out = {entry["cause"] for entry in self.json["ruled_out"]}

    def must_be(self, verdict: str, confidence: str, sentence: str) -> "Diagnosis":
        shown = json.dumps({**self.json, "checks": len(self.json["checks"])}, indent=1)
        assert (self.sentence, self.verdict, self.confidence) == (sentence, verdict, confidence), shown
        assert self.status == (0 if verdict == "ok" else 1)
        assert bool(self.json["next"]) == (verdict != "ok"), "a fault has a next command"
        return self


def start(namespace, target: str, *arguments: str, timeout: str = TIMEOUT) -> subprocess.Popen:
    command = [str(connectd_process.binary()), "diagnose", "--json", "--timeout", timeout, target, *arguments]
    return subprocess.Popen(
        namespace.command(*command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL, env=connectd_process.clean_environment(),
    )  # fmt: skip


def finished(process: subprocess.Popen) -> Diagnosis:
    out, error = process.communicate(timeout=60)
    return Diagnosis(subprocess.CompletedProcess(process.args, process.returncode, out, error))


def diagnose(namespace, target: str, *arguments: str, timeout: str = TIMEOUT) -> Diagnosis:
    return finished(start(namespace, target, *arguments, timeout=timeout))


@contextlib.contextmanager
def rule(namespace, hook: str, text: str, kind: str = "filter", priority: int = 0):
    """A rule of a chain of its own, as long as the block lasts."""
    name = net.new_name("t")
    namespace.nft(
        f"table inet {name} {{ chain c {{ type {kind} hook {hook} priority {priority};\n{text}\n}}\n}}"
    )
    try:
        yield
    finally:
        namespace.nft(f"delete table inet {name}")


@contextlib.contextmanager
def names(network, hosts: str = "", servers: tuple[str, ...] = ()):
    """Entries of the prober's hosts file, and its name servers."""
    a = network.a
    before = {name: (a.etc / name).read_text() for name in ("hosts", "resolv.conf")}
    a.write_etc("hosts", before["hosts"] + hosts)
    if servers:
        a.write_etc("resolv.conf", "".join(f"nameserver {server}\n" for server in servers))
    try:
        yield
    finally:
        for name, text in before.items():
            a.write_etc(name, text)


@contextlib.contextmanager
def second_link(network):
    """A link over which the router answers what comes from its address SECOND."""
    a, b = network.a, network.b
    a.ip(f"link add alt0 type veth peer name alt0 netns {b.name}")
    try:
        for space, address in ((a, ALT_PROBER), (b, ALT_PEER)):
            space.ip(f"addr add {address}/24 dev alt0")
            space.ip("link set alt0 up")
        a.set("net.ipv4.conf.alt0.rp_filter", 1)
        b.set("net.ipv4.conf.alt0.rp_filter", 0)
        # Otherwise the reverse path filter drops its ARP requests, too.
        b.set("net.ipv4.conf.alt0.arp_announce", 2)
        b.ip(f"rule add from {net.SECOND} lookup 100")
        b.ip(f"route add {net.PROBER}/32 via {ALT_PROBER} dev alt0 table 100")
        yield
    finally:
        b.ip(f"rule del from {net.SECOND} lookup 100")
        a.ip("link del alt0")


@contextlib.contextmanager
def black_hole(network, port: int):
    """Packets over 700 bytes from this port are lost without a message, as behind a tunnel that drops ICMP."""
    b = network.b
    # Otherwise the output hook sees packets before they are cut into segments.
    b.ip("link set link0 gso_max_segs 1")
    try:
        with rule(b, "output", f"tcp sport {port} meta length > 700 drop"):
            yield
    finally:
        b.ip("link set link0 gso_max_segs 65535")


@contextlib.contextmanager
def routed(network, *destinations: str):
    """The prober sends these networks to the router."""
    for destination in destinations:
        network.a.ip(f"route add {destination} via {net.PEER}")
    try:
        yield
    finally:
        for destination in destinations:
            network.a.ip(f"route del {destination}")
