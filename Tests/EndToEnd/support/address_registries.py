"""The special-purpose addresses of IANA, with the document that assigns each, and the addresses of cloud metadata.

Written from the registries, not from connectd's source, so that tests have an independent judge:
iana-ipv4-special-registry, iana-ipv6-special-registry, ipv4-address-space, ipv6-address-space, multicast-addresses.
"""

import functools
import ipaddress
from typing import NamedTuple

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class Row(NamedTuple):
    """A block. `is_destination` and `is_global` are the columns Destination and Globally Reachable.

    They are None if the registry says "N/A": then an address inside the block decides.
    """

    block: IPNetwork
    name: str
    document: str
    is_destination: bool | None
    is_global: bool | None


def _row(block: str, name: str, document: str, is_destination: bool | None, is_global: bool | None) -> Row:
    return Row(ipaddress.ip_network(block), name, document, is_destination, is_global)


IPV4 = [
    _row("0.0.0.0/8", "this network", "RFC 791", False, False),
    _row("0.0.0.0/32", "this host on this network", "RFC 1122", False, False),
    _row("10.0.0.0/8", "private use", "RFC 1918", True, False),
    _row("100.64.0.0/10", "shared address space", "RFC 6598", True, False),
    _row("127.0.0.0/8", "loopback", "RFC 1122", False, False),
    _row("169.254.0.0/16", "link local", "RFC 3927", True, False),
    _row("172.16.0.0/12", "private use", "RFC 1918", True, False),
    _row("192.0.0.0/24", "IETF protocol assignments", "RFC 6890", False, False),
    _row("192.0.0.0/29", "IPv4 service continuity", "RFC 7335", True, False),
    _row("192.0.0.8/32", "IPv4 dummy address", "RFC 7600", False, False),
    _row("192.0.0.9/32", "port control protocol anycast", "RFC 7723", True, True),
    _row("192.0.0.10/32", "TURN anycast", "RFC 8155", True, True),
    _row("192.0.0.170/32", "NAT64/DNS64 discovery", "RFC 8880", False, False),
    _row("192.0.0.171/32", "NAT64/DNS64 discovery", "RFC 8880", False, False),
    _row("192.0.2.0/24", "documentation (TEST-NET-1)", "RFC 5737", False, False),
    _row("192.31.196.0/24", "AS112-v4", "RFC 7535", True, True),
    _row("192.52.193.0/24", "AMT", "RFC 7450", True, True),
    _row("192.88.99.0/24", "deprecated 6to4 relay anycast", "RFC 7526", False, False),
    _row("192.88.99.2/32", "6a44 relay anycast", "RFC 6751", True, False),
    _row("192.168.0.0/16", "private use", "RFC 1918", True, False),
    _row("192.175.48.0/24", "direct delegation AS112", "RFC 7534", True, True),
    _row("198.18.0.0/15", "benchmarking", "RFC 2544", True, False),
    _row("198.51.100.0/24", "documentation (TEST-NET-2)", "RFC 5737", False, False),
    _row("203.0.113.0/24", "documentation (TEST-NET-3)", "RFC 5737", False, False),
    _row("224.0.0.0/4", "multicast", "RFC 5771", True, False),
    _row("240.0.0.0/4", "reserved", "RFC 1112", False, False),
    _row("255.255.255.255/32", "limited broadcast", "RFC 8190", True, False),
]

IPV6 = [
    _row("::1/128", "loopback", "RFC 4291", False, False),
    _row("::/128", "unspecified", "RFC 4291", False, False),
    _row("::ffff:0:0/96", "IPv4-mapped", "RFC 4291", None, None),
    _row("64:ff9b::/96", "IPv4-IPv6 translation", "RFC 6052", True, None),
    _row("64:ff9b:1::/48", "local IPv4-IPv6 translation", "RFC 8215", True, False),
    _row("100::/64", "discard-only", "RFC 6666", True, False),
    _row("100:0:0:1::/64", "dummy prefix", "RFC 9780", False, False),
    _row("2001::/23", "IETF protocol assignments", "RFC 2928", True, False),
    _row("2001::/32", "Teredo", "RFC 4380", True, False),
    _row("2001:1::1/128", "port control protocol anycast", "RFC 7723", True, True),
    _row("2001:1::2/128", "TURN anycast", "RFC 8155", True, True),
    _row("2001:1::3/128", "DNS-SD service registration anycast", "RFC 9665", True, True),
    _row("2001:2::/48", "benchmarking", "RFC 5180", True, False),
    _row("2001:3::/32", "AMT", "RFC 7450", True, True),
    _row("2001:4:112::/48", "AS112-v6", "RFC 7535", True, True),
    _row("2001:10::/28", "deprecated ORCHID", "RFC 4843", True, False),
    _row("2001:20::/28", "ORCHIDv2", "RFC 7343", True, True),
    _row("2001:30::/28", "drone remote identification", "RFC 9374", True, True),
    _row("2001:db8::/32", "documentation", "RFC 3849", True, False),
    _row("2002::/16", "6to4", "RFC 3056", True, None),
    _row("2620:4f:8000::/48", "direct delegation AS112", "RFC 7534", True, True),
    _row("3fff::/20", "documentation", "RFC 9637", True, False),
    _row("5f00::/16", "segment routing identifiers", "RFC 9602", True, False),
    _row("fc00::/7", "unique local", "RFC 4193", True, False),
    _row("fe80::/10", "link local", "RFC 4291", True, False),
    _row("fec0::/10", "deprecated site local", "RFC 3879", False, False),
    _row("ff00::/8", "multicast", "RFC 4291", True, False),
    _row("::/96", "deprecated IPv4-compatible", "RFC 4291", False, False),
    _row("::ffff:0:0:0/96", "deprecated IPv4-translated", "RFC 2765", False, False),
]

# What the registry of the IPv6 address space assigns to unicast; the rest is reserved by the IETF.
UNICAST_IPV6 = [ipaddress.ip_network(block) for block in ("2000::/3", "fc00::/7")]

METADATA = [
    ipaddress.ip_address(address)
    for address in (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192", "168.63.129.16",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
    )
]  # fmt: skip


@functools.lru_cache(maxsize=1 << 17)
def most_specific(address: IPAddress) -> Row | None:
    """The row of the smallest block with the address; None for an address of no special purpose."""
    rows = [row for row in (IPV4 if address.version == 4 else IPV6) if address in row.block]
    return max(rows, key=lambda row: row.block.prefixlen, default=None)
