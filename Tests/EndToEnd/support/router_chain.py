"""A chain of four routers between the prober and a target, IPv4 and IPv6, with a second way past the middle two.

    prober - r1 - a2 - a3 - r4 - target
               \\_ b2 - b3 _/

Packets go through a2 and a3, unless a test sets `two_paths`.
"""

import contextlib
import errno
import socket

from support.namespace import Namespace
from support.network import new_name

PROBER, PROBER6 = "10.70.1.1", "fd00:70:1::1"
TARGET, TARGET6 = "10.70.5.2", "fd00:70:5::2"
# The addresses that answer a probe to the target, by TTL.
HOPS = ["10.70.1.2", "10.70.2.2", "10.70.3.2", "10.70.4.2", TARGET]
HOPS6 = ["fd00:70:1::2", "fd00:70:2::2", "fd00:70:3::2", "fd00:70:4::2", TARGET6]
# The addresses on the other way.
OTHERS, OTHERS6 = {2: "10.70.12.2", 3: "10.70.13.2"}, {2: "fd00:70:12::2", 3: "fd00:70:13::2"}
LINKS = [
    ("p", "r1", 1), ("r1", "a2", 2), ("a2", "a3", 3), ("a3", "r4", 4), ("r4", "t", 5),
    ("r1", "b2", 12), ("b2", "b3", 13), ("b3", "r4", 14),
]  # fmt: skip
# Of each router: the link to the prober, and the link to the target.
WAYS = {
    "p": (None, 1), "r1": (None, 2), "a2": (2, 3), "a3": (3, 4), "b2": (12, 13), "b3": (13, 14), "r4": (4, None), "t": (5, None),
}  # fmt: skip


class RouterChain:
    def __init__(self):
        self.spaces = {name: Namespace(new_name(f"c{name}")) for name in ("p", "r1", "a2", "a3", "r4", "b2", "b3", "t")}
        try:
            for near, far, number in LINKS:
                self._link(near, far, number)
            for name, (back, forth) in WAYS.items():
                self._routes(name, back, forth)
            self._wait_for_neighbors()
        except BaseException:
            self.remove()
            raise

    def __getitem__(self, name: str) -> Namespace:
        return self.spaces[name]

    def remove(self) -> None:
        for space in self.spaces.values():
            space.remove()

    def _link(self, near: str, far: str, number: int) -> None:
        self[near].ip(f"link add l{number} type veth peer name l{number} netns {self[far].name}")
        for name, side in ((near, 1), (far, 2)):
            space = self[name]
            space.ip(f"addr add 10.70.{number}.{side}/24 dev l{number}")
            space.ip(f"addr add fd00:70:{number}::{side}/64 dev l{number} nodad")
            space.set(f"net.ipv4.conf.l{number}.rp_filter", 0)
            space.ip(f"link set l{number} up")

    def _routes(self, name: str, back: int | None, forth: int | None) -> None:
        space = self[name]
        space.set("net.ipv4.conf.all.rp_filter", 0)
        if name not in "pt":
            space.set("net.ipv4.ip_forward", 1)
            space.set("net.ipv6.conf.all.forwarding", 1)
        if back:
            space.ip(f"route add 10.70.1.0/24 via 10.70.{back}.1")
            space.ip(f"-6 route add fd00:70:1::/64 via fd00:70:{back}::1")
        if forth:
            space.ip(f"route add default via 10.70.{forth}.2")
            space.ip(f"-6 route add default via fd00:70:{forth}::2")

    def _wait_for_neighbors(self) -> None:
        """The first neighbor discovery on a new link can lose a packet."""
        for family, target in ((socket.AF_INET, TARGET), (socket.AF_INET6, TARGET6)):
            with self["p"].socket(family) as client:
                client.settimeout(10)
                assert client.connect_ex((target, 9)) == errno.ECONNREFUSED

    @contextlib.contextmanager
    def two_paths(self):
        """r1 chooses the way for each flow, by its addresses and ports."""
        r1 = self["r1"]
        with contextlib.ExitStack() as settings:
            for family in ("ipv4", "ipv6"):
                # With policy 1, the way of packets from the same machine depends on a random number of the sending socket.
                # Policy 3 looks at the packets, as a router on another machine does: addresses, protocol and ports.
                settings.enter_context(r1.setting(f"net.{family}.fib_multipath_hash_policy", 3))
                settings.enter_context(r1.setting(f"net.{family}.fib_multipath_hash_fields", 0x37))
            r1.ip("route replace default nexthop via 10.70.2.2 nexthop via 10.70.12.2")
            r1.ip("-6 route replace default nexthop via fd00:70:2::2 nexthop via fd00:70:12::2")
            try:
                yield
            finally:
                r1.ip("route replace default via 10.70.2.2")
                r1.ip("-6 route replace default via fd00:70:2::2")

    @contextlib.contextmanager
    def two_uplinks(self):
        """The prober itself chooses the way, with policy 1: to r1, or directly to b2, which is nearer to the target."""
        p = self["p"]
        self._link("p", "b2", 21)
        # Linux prefers the link that has the source address, so the second one has none.
        p.ip("addr flush dev l21")
        with p.setting("net.ipv4.fib_multipath_hash_policy", 1):
            ways = "nexthop via 10.70.1.2 dev l1 onlink nexthop via 10.70.21.2 dev l21 onlink"
            p.ip(f"route replace default src {PROBER} {ways}")
            try:
                yield
            finally:
                p.ip("route replace default via 10.70.1.2")
                p.ip("link del l21")

    @contextlib.contextmanager
    def rules(self, name: str, *rules: str, hook: str = "forward"):
        """Applies nftables rules at one node: the others see only what it lets through."""
        space = self[name]
        body = "\n".join(rules)
        space.nft(f"table inet t {{ chain c {{ type filter hook {hook} priority 0;\n{body}\n}}\n}}")
        try:
            yield
        finally:
            space.run("nft", "delete", "table", "inet", "t")

    @contextlib.contextmanager
    def link_mtu(self, near: str, far: str, number: int, mtu: int):
        """A smaller MTU on one link; the routers report it."""
        for name in (near, far):
            self[name].ip(f"link set l{number} mtu {mtu}")
        try:
            yield
        finally:
            for name in (near, far):
                self[name].ip(f"link set l{number} mtu 1500")
