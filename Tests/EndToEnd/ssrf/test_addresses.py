"""Every edge of every special-purpose block, embedded in every way, against policies of each profile.

The judge is what the kernel saw: each connect(2), each datagram and each packet must go where an independent oracle
allows it. CONNECTD_SSRF_VECTORS sets how many random addresses are tried in addition; `make ssrf` has a long run.
"""

import ipaddress
import os
import random

import pytest
from support.address_registries import IPV4, IPV6
from support.answering_internet import LOCAL_ADDRESSES
from support.connectd_process import run
from support.policy_oracle import PolicyOracle, Rule
from support.ssrf_judge import Vector, judged
from support.ssrf_vectors import (
    PREFIXES,
    addresses,
    embeddings,
    ipv4_addresses,
    ipv6_addresses,
)

OWN_PORT = 8080
RANDOM_VECTORS = int(os.environ.get("CONNECTD_SSRF_VECTORS", "3000"))
EVERYTHING = (Rule("allow", "0.0.0.0/0"), Rule("allow", "::/0"))


def oracle(profile: str, *rules: Rule, prefixes: tuple[str, ...] = ()) -> PolicyOracle:
    return PolicyOracle(profile, rules, prefixes, OWN_PORT, LOCAL_ADDRESSES)


POLICIES = {
    "internal": oracle("internal"),
    "public": oracle("public"),
    "sidecar": oracle("sidecar"),
    "rules, none": oracle("rules"),
    "internal with translators": oracle("internal", prefixes=PREFIXES),
    "public with translators": oracle("public", prefixes=PREFIXES),
    "a translator in the local prefix": oracle("public", prefixes=("64:ff9b:1::/96", "64:ff9b:1:808::/64")),
    "a translator in reserved space": oracle("internal", prefixes=("6400::/32", "200::/64")),
    "rules, everything": oracle("rules", *EVERYTHING),
    "rules, everything with translators": oracle("rules", *EVERYTHING, prefixes=PREFIXES),
    "exact rules open hard denials": oracle(
        "internal",
        Rule("deny", "169.254.170.0/24"),
        Rule("allow", "169.254.169.254/32"),
        Rule("allow", "::ffff:169.254.169.253/128"),
        Rule("allow", "::ffff:169.254.170.2/128"),
        Rule("allow", "fd00:ec2::254/128"),
        Rule("allow", "127.0.0.1/32"),
        Rule("allow", "169.254.0.0/16"),
    ),
    "ports and transports": oracle(
        "sidecar",
        Rule("deny", "127.0.0.0/9", transport="udp"),
        Rule("allow", "10.0.0.0/8", ports=(5000, 5999), transport="tcp"),
        Rule("deny", "64:ff9b::/96"),
        Rule("allow", "::/0", transport="tcp"),
    ),
    "public with exceptions": oracle(
        "public",
        Rule("deny", "8.8.8.8/32"),
        Rule("allow", "192.168.0.0/16"),
        Rule("allow", "fc00::/7", ports=(80, 80)),
        Rule("deny", "2002::/16", transport="udp"),
        Rule("deny", "::/3", ports=(5432, 5432)),
    ),
}


def vectors() -> list[Vector]:
    """All addresses with one port, and those that are not embedded with two more and over both transports."""
    plain = [*ipv4_addresses(), *ipv6_addresses(), *LOCAL_ADDRESSES]
    found = {Vector(address, 80, "udp" if index % 3 == 0 else "tcp") for index, address in enumerate(addresses())}
    found |= {
        Vector(address, port, transport) for address in plain for port in (80, 5432, OWN_PORT) for transport in ("tcp", "udp")
    }
    return sorted(found, key=lambda vector: vector.target)


def random_vectors(count: int, seed: str) -> list[Vector]:
    """Addresses within the special-purpose blocks, half of them embedded in another address."""
    numbers = random.Random(seed)
    found = []
    for _ in range(count):
        row = numbers.choice(IPV4 if numbers.random() < 0.7 else IPV6)
        address = row.block[numbers.randrange(row.block.num_addresses)]
        if isinstance(address, ipaddress.IPv4Address) and numbers.random() < 0.7:
            address = numbers.choice(list(embeddings(address)))[1]
        found.append(Vector(address, numbers.choice((80, 5432, OWN_PORT, 53)), numbers.choice(("tcp", "udp"))))
    return found


def test_there_are_at_least_ten_thousand_vectors():
    assert len(POLICIES) * len(vectors()) > 50_000


@pytest.mark.parametrize("name", POLICIES)
def test_only_allowed_addresses_are_reached(internet, name):
    with judged(internet, POLICIES[name]) as service:
        tried = vectors() + random_vectors(RANDOM_VECTORS // len(POLICIES), name)
        results = service.run_batches(tried)
        service.assert_decided_as_expected(tried, (result["outcome"] for result in results))


@pytest.mark.parametrize("base,own", [("internal", "public"), ("public", "sidecar"), ("rules", "internal"), ("internal", "rules")])
def test_a_token_has_the_profile_of_its_own(internet, tmp_path, base, own):
    file = str(tmp_path / "tokens")
    token = run("token", "add", "client", "--file", file, "--profile", own).stdout.strip()
    configuration = {"policy": {"profile": base}, "auth": {"tokens_file": file}}
    with judged(internet, oracle(own), configuration) as service:
        service.headers = {"Authorization": f"Bearer {token}"}
        tried = vectors()[::4]
        results = service.run_batches(tried)
        service.assert_decided_as_expected(tried, (result["outcome"] for result in results))


def test_the_judge_sees_an_escape(internet):
    """The positive control: to a judge of the profile `public`, what `internal` allows must be escapes, each of them."""
    wrong = POLICIES["public"]
    with judged(internet, POLICIES["internal"]) as service:
        tried = [Vector(address, 80, transport) for address in addresses() for transport in ("tcp", "udp")]
        service.run_batches(tried)
        service.oracle, right = wrong, service.oracle
        escapes = set(service.escapes())
        service.oracle = right
    expected = {v for v in tried if right.allows(v.address, 80, v.transport) and not wrong.allows(v.address, 80, v.transport)}
    assert len(expected) > 3000
    for vector in expected:
        address = getattr(vector.address, "ipv4_mapped", None) or vector.address
        name = f"{vector.transport} to {{}}, port 80"
        assert {f"connect of {name.format(each)}" for each in (address, vector.address)} & escapes, vector
