"""Decides what a policy allows, from the registries and the documented rules, independently of connectd."""

import functools
import ipaddress
from dataclasses import dataclass, field

from support.address_registries import (
    METADATA,
    UNICAST_IPV6,
    IPAddress,
    IPNetwork,
    most_specific,
)

_block = functools.cache(ipaddress.ip_network)
LINK_LOCAL = [_block("169.254.0.0/16"), _block("fe80::/10")]
MULTICAST = [_block("224.0.0.0/4"), _block("ff00::/8")]
UNSPECIFIED = [_block("0.0.0.0/8"), _block("::/128")]
LOOPBACK = [_block("127.0.0.0/8"), _block("::1/128")]
AT_THE_END = [_block("::ffff:0:0/96"), _block("::ffff:0:0:0/96"), _block("64:ff9b::/96"), _block("::/96")]
LOCAL_TRANSLATION = _block("64:ff9b:1::/48")
TEREDO = _block("2001::/32")
SIX_TO_FOUR = _block("2002::/16")


def _is_in(address: IPAddress, blocks: list[IPNetwork]) -> bool:
    return any(address.version == block.version and address in block for block in blocks)


def _bits(address: IPAddress, first: int, count: int = 32) -> int:
    return int(address) >> (128 - first - count) & (1 << count) - 1


def translated(address: IPAddress, length: int) -> ipaddress.IPv4Address:
    """The IPv4 address after a translation prefix: RFC 6052, section 2.2. Bits 64 to 71 are skipped."""
    if length == 96:
        return ipaddress.IPv4Address(_bits(address, 96))
    text = f"{int(address):0128b}"
    return ipaddress.IPv4Address(int((text[:64] + text[72:])[length : length + 32], 2))


def embedded(address: IPAddress, prefixes: list[IPNetwork]) -> set[ipaddress.IPv4Address]:
    """Every IPv4 address that a router may find inside an IPv6 address."""
    if address.version == 4:
        return set()
    found = {translated(address, prefix.prefixlen) for prefix in prefixes if address in prefix}
    is_configured = bool(found)
    if _is_in(address, AT_THE_END) and int(address) > 1:
        found.add(ipaddress.IPv4Address(_bits(address, 96)))
    if _bits(address, 64) in (0x00005EFE, 0x02005EFE, 0x01005EFE, 0x03005EFE):  # ISATAP: RFC 5214, section 6.1
        found.add(ipaddress.IPv4Address(_bits(address, 96)))
    if address in SIX_TO_FOUR:
        found.add(ipaddress.IPv4Address(_bits(address, 16)))
    if address in TEREDO:  # RFC 4380, section 4: the server, and the client with its bits inverted
        found |= {ipaddress.IPv4Address(_bits(address, 32)), ipaddress.IPv4Address(_bits(address, 96) ^ 0xFFFFFFFF)}
    if address in LOCAL_TRANSLATION and not is_configured:
        # RFC 8215 lets each network choose the length. In the wrong layout, padding reads as 0.x.y.z.
        readings = {translated(address, length) for length in (48, 56, 64, 96)}
        found |= {reading for reading in readings if int(reading) >> 24} or readings
    return found


@dataclass(frozen=True)
class Rule:
    """A rule of the configuration for addresses."""

    action: str
    cidr: str
    ports: tuple[int, int] | None = None
    transport: str | None = None

    @property
    def block(self) -> IPNetwork:
        return _block(self.cidr)

    @property
    def is_exact(self) -> bool:
        return self.block.prefixlen == self.block.max_prefixlen

    def covers(self, address: IPAddress, port: int, transport: str) -> bool:
        is_inside = address.version == self.block.version and address in self.block
        has_port = self.ports is None or self.ports[0] <= port <= self.ports[1]
        return is_inside and has_port and self.transport in (None, transport)

    @property
    def configuration(self) -> dict:
        members: dict = {"action": self.action, "cidr": self.cidr}
        if self.ports:
            members["ports"] = [f"{self.ports[0]}-{self.ports[1]}"]
        if self.transport:
            members["transports"] = [self.transport]
        return members


@dataclass(frozen=True)
class PolicyOracle:
    """A policy, and the service's own listeners as pairs of local address and port."""

    profile: str
    rules: tuple[Rule, ...] = ()
    prefixes: tuple[str, ...] = ()
    own_port: int = 0
    local_addresses: frozenset[IPAddress] = field(default_factory=frozenset)

    @property
    def configuration(self) -> dict:
        return {
            "profile": self.profile,
            "rules": [rule.configuration for rule in self.rules],
            "nat64_prefixes": list(self.prefixes),
        }

    @property
    def _networks(self) -> list[IPNetwork]:
        return [_block(prefix) for prefix in self.prefixes]

    def allows(self, address: IPAddress, port: int, transport: str) -> bool:
        """Whether a connect to the address may happen."""
        inside = embedded(address, self._networks)
        is_allowed, opening = self._decide(address, port, transport)
        if not is_allowed:
            return False
        if opening is not None:
            # An exact rule opens what is inside too, unless an earlier rule denies it.
            earlier = [rule for rule in self.rules[:opening] if rule.action == "deny"]
            return not any(rule.covers(inner, port, transport) for rule in earlier for inner in inside)
        return all(self._decide(inner, port, transport)[0] for inner in inside)

    def _decide(self, address: IPAddress, port: int, transport: str) -> tuple[bool, int | None]:
        """The decision about an address by itself, and the index of the exact rule that allows it."""
        is_hard = self._is_hard_denial(address, port)
        for index, rule in enumerate(self.rules):
            if not rule.covers(address, port, transport):
                continue
            if rule.action == "deny":
                return False, None
            if rule.is_exact:
                return True, index
            if not is_hard:
                return True, None
        return not is_hard and self._profile_allows(address), None

    def _is_hard_denial(self, address: IPAddress, port: int) -> bool:
        if address in METADATA or _is_in(address, LINK_LOCAL + MULTICAST + UNSPECIFIED):
            return True
        if address.version == 4 and int(address) >> 28 == 15:
            return True
        if address.version == 6 and self._is_reserved(address):
            return True
        return port == self.own_port and (_is_in(address, LOOPBACK) or address in self.local_addresses)

    def _is_reserved(self, address: IPAddress) -> bool:
        """Outside of unicast space, only rows that are destinations are usable; a configured prefix is too."""
        if _is_in(address, UNICAST_IPV6 + LOOPBACK + self._networks):
            return False
        row = most_specific(address)
        return row is None or row.is_destination is False

    def _profile_allows(self, address: IPAddress) -> bool:
        if self.profile == "internal":
            return True
        if self.profile == "sidecar":
            return _is_in(address, LOOPBACK)
        if self.profile == "rules":
            return False
        if address.version == 6 and _is_in(address, self._networks):
            return True
        row = most_specific(address)
        if address.version == 4:
            return row is None or row.is_global is True
        if row is not None:
            # The address inside a 6to4 or well-known translated address is judged by itself. A mapped one never leaves as IPv6.
            is_judged_inside = row.is_global is None and row.block != _block("::ffff:0:0/96")
            return row.is_global is True or is_judged_inside
        return address in _block("2000::/3")
