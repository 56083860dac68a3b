"""Addresses at the edges of every special-purpose block, and each IPv4 address embedded in IPv6 in every known way."""

import functools
import ipaddress
from collections.abc import Iterator

from support.address_registries import (
    IPV4,
    IPV6,
    METADATA,
    UNICAST_IPV6,
    IPAddress,
    IPNetwork,
)

# Translators that the policies of these tests know; 2a00::/12 is global unicast, and fd00::/8 is not.
PREFIXES = ("2a00:64:64::/48", "fd00:64::/32", "2a00:64:65:100::/56", "2a00:64:6600::/40", "2a00:64:67:1::/64", "2a00:64:68::/96")


def around(first: int, last: int, bits: int) -> set[int]:
    """Both ends of a range, and their neighbors outside and inside."""
    found = {end + step for end in (first, last) for step in (-1, 0, 1)}
    return {number for number in found if 0 <= number < 1 << bits}


def edges(block: IPNetwork) -> set[IPAddress]:
    kind = ipaddress.IPv4Address if block.version == 4 else ipaddress.IPv6Address
    return {kind(n) for n in around(int(block.network_address), int(block.broadcast_address), block.max_prefixlen)}


@functools.cache
def ipv4_addresses() -> list[ipaddress.IPv4Address]:
    found = {address for row in IPV4 for address in edges(row.block)}
    found |= {address for item in METADATA if item.version == 4 for address in edges(ipaddress.ip_network(item))}
    found |= {ipaddress.IPv4Address(text) for text in ("1.1.1.1", "8.8.8.8", "64.64.64.64", "191.255.0.1", "223.255.255.255")}
    return sorted(found)


@functools.cache
def ipv6_addresses() -> list[ipaddress.IPv6Address]:
    found = {address for row in IPV6 for address in edges(row.block)}
    found |= {address for item in METADATA if item.version == 6 for address in edges(ipaddress.ip_network(item))}
    found |= {address for block in UNICAST_IPV6 for address in edges(block)}
    # The first address of each sixteenth of the address space, and of each block that only starts like a special one.
    found |= {ipaddress.IPv6Address(top << 124 | 1) for top in range(16)}
    texts = ("2606:4700::1111", "2a00::1", "64:ff9a:ffff::1", "64:ff9b:0:1::1", "64:ff9b:2::1", "2003::1", "fe00::1", "::2:0:0")
    found |= {ipaddress.IPv6Address(text) for text in texts}
    return sorted(found)


def with_prefix(prefix: str, address: ipaddress.IPv4Address, suffix: int = 0) -> ipaddress.IPv6Address:
    """The address in a translation prefix, as RFC 6052, section 2.2 places it."""
    network = ipaddress.ip_network(prefix)
    if network.prefixlen == 96:
        return network.network_address + int(address)
    before = 64 - network.prefixlen
    if before >= 32:
        placed = int(address) << (128 - network.prefixlen - 32)
    else:
        head, tail = int(address) >> (32 - before), int(address) & (1 << (32 - before)) - 1
        placed = head << 64 | tail << (56 - (32 - before))
    return network.network_address + placed + suffix


def embeddings(address: ipaddress.IPv4Address) -> Iterator[tuple[str, ipaddress.IPv6Address]]:
    """The address inside IPv6 addresses, each with the name of the way."""
    bits, v6 = int(address), lambda number: ipaddress.IPv6Address(number)
    harmless = int(ipaddress.IPv4Address("8.8.8.8"))
    yield "mapped", v6(0xFFFF << 32 | bits)
    yield "compatible", v6(bits)
    yield "translated", v6(0xFFFF << 48 | bits)
    yield "NAT64", with_prefix("64:ff9b::/96", address)
    for length in (48, 56, 64, 96):
        yield f"local NAT64 /{length}", with_prefix(f"64:ff9b:1::/{length}", address)
    for length in (64, 96):
        yield f"local NAT64 /{length}, a later network", with_prefix(f"64:ff9b:1:808::/{length}", address)
    for prefix in PREFIXES:
        yield f"configured NAT64 {prefix}", with_prefix(prefix, address)
    yield "6to4", v6(0x2002 << 112 | bits << 80)
    yield "6to4 with a host", v6(0x2002 << 112 | bits << 80 | 0x1_0000_0000_0001)
    yield "Teredo server", v6(0x20010000 << 96 | bits << 64 | harmless ^ 0xFFFFFFFF)
    yield "Teredo client", v6(0x20010000 << 96 | harmless << 64 | 0x8000 << 48 | bits ^ 0xFFFFFFFF)
    for group in (0x0000, 0x0200, 0x0100, 0x0300):
        yield f"ISATAP {group:04x}", v6(0x2A000000_00000001 << 64 | group << 48 | 0x5EFE << 32 | bits)
    yield "ISATAP in unique local space", v6(0xFD000000_00000001 << 64 | 0x5EFE << 32 | bits)


@functools.cache
def addresses() -> list[IPAddress]:
    """Every address of this module once."""
    found: set[IPAddress] = {*ipv4_addresses(), *ipv6_addresses()}
    for address in ipv4_addresses():
        found |= {outer for _, outer in embeddings(address)}
    return sorted(found, key=lambda address: (address.version, int(address)))


def literal(address: IPAddress) -> str:
    return f"[{address}]" if address.version == 6 else str(address)
