"""A network in which every address answers, so that a packet that should not be sent would be sent."""

import ipaddress

from support.namespace import Namespace
from support.network import new_name

# Of the prober. Both are global unicast, so that no profile treats them specially.
PROBER, PROBER6 = "45.45.45.45", "2a01:45::1"
LOCAL_ADDRESSES = frozenset(ipaddress.ip_address(text) for text in (PROBER, PROBER6, "127.0.0.1", "::1"))
NAME_SERVER = "127.0.0.53"
_MAC = "02:00:00:00:00:01"


class AnsweringInternet:
    """The prober's namespace with default routes, and a namespace in which every address is local.

    There is no neighbor discovery: both ends of the link have the same hardware address. So every packet that connectd
    causes has its real destination.
    """

    def __init__(self):
        self.prober, self.world = Namespace(new_name("p")), Namespace(new_name("w"))
        try:
            self._link()
            self._route()
            self.prober.write_etc("resolv.conf", f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:1\n")
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        self.prober.remove()
        self.world.remove()

    def _link(self) -> None:
        self.prober.ip(f"link add out0 address {_MAC} type veth peer name in0 address {_MAC} netns {self.world.name}")
        for space, device in ((self.prober, "out0"), (self.world, "in0")):
            space.set(f"net.ipv6.conf.{device}.addr_gen_mode", 1)
            space.set(f"net.ipv6.conf.{device}.router_solicitations", 0)
            space.set("net.ipv4.conf.all.rp_filter", 0)
            space.set(f"net.ipv4.conf.{device}.rp_filter", 0)
            space.ip(f"link set {device} arp off multicast off up")

    def _route(self) -> None:
        self.prober.ip(f"addr add {PROBER}/32 dev out0")
        self.prober.ip(f"addr add {PROBER6}/128 dev out0 nodad")
        self.prober.ip(f"route add default dev out0 src {PROBER}")
        self.prober.ip("-6 route add default dev out0")
        self.world.ip("route add local default dev lo table main")
        self.world.ip("-6 route add local default dev lo table main")
        self.world.ip(f"route add {PROBER}/32 dev in0")
        self.world.ip(f"-6 route add {PROBER6}/128 dev in0")
