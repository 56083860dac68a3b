"""Two namespaces on a veth pair, IPv4 and IPv6: the prober, and a router with all its networks.

The prober reaches 10.77.0.0/24 on the link and 10.88.0.0/16 through the router, which answers for each /24 there in
one particular way. There are no other routes.
"""

import contextlib
import errno
import itertools
import os
import socket

from support.namespace import Namespace

PROBER, PEER, ABSENT = "10.77.0.1", "10.77.0.2", "10.77.0.99"
PROBER6, PEER6, ABSENT6 = "fd00:77::1", "fd00:77::2", "fd00:77::99"
OPEN = "10.88.1.1"  # addresses of the router itself
OPEN6 = "fd00:88:1::1"
SECOND, SECOND6 = "10.88.1.2", "fd00:88:1::2"
NOWHERE = "10.99.1.1"  # no route at all
NOWHERE6 = "fd00:99::1"
DROPPED, DROPPED6 = "10.88.2.1", "fd00:88:2::1"
UNTTL = "10.88.3.1"  # forwarded by the router, so that a TTL of 1 ends there
FORGED, FORGED6 = "10.88.4.1", "fd00:88:4::1"  # silent; the forger answers
MD5 = "10.88.1.7"
BROADCAST = "10.77.0.255"  # the link's broadcast address
FASTOPEN = 23  # TCP_FASTOPEN, of a listener

# Targets: a port without a listener, and an address whose packets are dropped.
REFUSED = f"tcp://{OPEN}:9"
SILENT = f"tcp://{DROPPED}:80"

# ICMP errors of the router for a destination: (nft reject, IPv4 destination)
ROUTER_REJECTS = {
    "port-unreachable": "10.88.10.1",
    "admin-prohibited": "10.88.11.1",
    "host-unreachable": "10.88.12.1",
    "net-unreachable": "10.88.13.1",
    "prot-unreachable": "10.88.14.1",
    "host-prohibited": "10.88.15.1",
    "net-prohibited": "10.88.16.1",
}
ROUTER_REJECTS6 = {
    "port-unreachable": "fd00:88:10::1",
    "admin-prohibited": "fd00:88:11::1",
    "addr-unreachable": "fd00:88:12::1",
    "no-route": "fd00:88:13::1",
}
# ICMP errors of the target itself, by port of OPEN
TARGET_REJECTS = {
    "port-unreachable": 4001,
    "admin-prohibited": 4002,
    "host-unreachable": 4003,
    "prot-unreachable": 4004,
}
# errors of the prober's own firewall, by port of OPEN
OWN_REJECTS = {"port-unreachable": 5001, "admin-prohibited": 5002}
OWN_DROP = 5009
# route types on the prober itself
ROUTE_TYPES = {"unreachable": "10.90.1.1", "prohibit": "10.90.2.1", "blackhole": "10.90.3.1", "throw": "10.90.4.1"}
ROUTE_TYPES6 = {"unreachable": "fd00:90:1::1", "prohibit": "fd00:90:2::1", "blackhole": "fd00:90:3::1"}

_serial = itertools.count(1)


def new_name(role: str) -> str:
    return f"cd{os.getpid()}{role}{next(_serial)}"


class Network:
    """The prober's namespace `a` and the router's `b`, with the routes and rules of the tables above."""

    def __init__(self):
        self.a = Namespace(new_name("a"))
        self.b = Namespace(new_name("b"))
        try:
            self._link()
            self._routes_of_prober()
            self._router()
            self._rules()
            self._wait_for_neighbor_discovery()
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        self.a.remove()
        self.b.remove()

    def _link(self) -> None:
        self.a.ip(f"link add link0 type veth peer name link0 netns {self.b.name}")
        for space, v4, v6 in ((self.a, PROBER, PROBER6), (self.b, PEER, PEER6)):
            space.set("net.ipv6.conf.default.accept_dad", 0)
            space.ip(f"addr add {v4}/24 brd + dev link0")
            space.ip(f"addr add {v6}/64 dev link0 nodad")
            space.ip("link set link0 up")
            space.set("net.ipv4.conf.all.rp_filter", 0)
            space.set("net.ipv4.conf.link0.rp_filter", 0)

    def _routes_of_prober(self) -> None:
        self.a.ip(f"route add 10.88.0.0/16 via {PEER}")
        self.a.ip(f"-6 route add fd00:88::/32 via {PEER6}")
        for kind, address in ROUTE_TYPES.items():
            self.a.ip(f"route add {kind} {address}/32")
        for kind, address in ROUTE_TYPES6.items():
            self.a.ip(f"-6 route add {kind} {address}/128")

    def _router(self) -> None:
        b = self.b
        b.set("net.ipv4.ip_forward", 1)
        b.set("net.ipv6.conf.all.forwarding", 1)
        b.set("net.ipv4.conf.all.send_redirects", 0)
        b.set("net.ipv4.conf.link0.send_redirects", 0)
        b.ip("link add stub0 type veth peer name stub1")
        b.ip("link set stub0 up")
        b.ip("link set stub1 up")
        b.ip("route add 10.88.0.0/16 dev stub0")
        b.ip("-6 route add fd00:88::/32 dev stub0")
        for address in (OPEN, SECOND, MD5):
            b.ip(f"addr add {address}/32 dev lo")
        for address in (OPEN6, SECOND6):
            b.ip(f"addr add {address}/128 dev lo nodad")

    def _rules(self) -> None:
        lines = ["table inet t {", "chain forward { type filter hook forward priority 0;"]
        lines += [f"ip daddr {{ {DROPPED}, {FORGED} }} drop", f"ip6 daddr {{ {DROPPED6}, {FORGED6} }} drop"]
        lines += [f"ip daddr {address} reject with icmp {kind}" for kind, address in ROUTER_REJECTS.items()]
        lines += [f"ip6 daddr {address} reject with icmpv6 {kind}" for kind, address in ROUTER_REJECTS6.items()]
        lines += ["}", "chain input { type filter hook input priority 0;"]
        lines += [
            f"ip daddr {OPEN} meta l4proto {{ tcp, udp }} th dport {port} reject with icmp {kind}"
            for kind, port in TARGET_REJECTS.items()
        ]
        lines += ["}", "}"]
        self.b.nft("\n".join(lines))
        own = [
            f"ip daddr {OPEN} meta l4proto {{ tcp, udp }} th dport {port} reject with icmp {kind}"
            for kind, port in OWN_REJECTS.items()
        ]
        own += [
            f"ip daddr {OPEN} meta l4proto {{ tcp, udp }} th dport {OWN_DROP} drop",
            'meta mark 7 counter comment "mark"',
            'ip dscp 46 counter comment "dscp"',
            'ip6 dscp 46 counter comment "dscp6"',
            'ip ttl 33 counter comment "ttl"',
        ]
        self.a.nft("table inet t { chain output { type filter hook output priority 0;\n" + "\n".join(own) + "\n}\n}")

    def _wait_for_neighbor_discovery(self) -> None:
        """The first neighbor discovery on a new link can lose a SYN, which costs a second."""
        for address in (OPEN, OPEN6):
            with self.a.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as client:
                client.settimeout(10)
                refused = client.connect_ex((address, 9))
                assert refused == errno.ECONNREFUSED, os.strerror(refused)

    @contextlib.contextmanager
    def shaper_that_drops(self):
        """The prober's own queue drops every packet over 500 bytes."""
        self.a.run(*"tc qdisc add dev link0 root tbf rate 1mbit burst 500 limit 500".split())
        try:
            yield
        finally:
            self.a.run(*"tc qdisc del dev link0 root".split())


def counter(space, name: str) -> int:
    """A counter of the kernel in a namespace, by its name in /proc/net/netstat."""
    rows = space.run("cat", "/proc/net/netstat").splitlines()
    for names, values in zip(rows[::2], rows[1::2]):
        if name in names.split():
            return int(values.split()[names.split().index(name)])
    raise LookupError(name)
