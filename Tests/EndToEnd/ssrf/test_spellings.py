"""Spellings of addresses: a target is either an address in the one accepted form, or invalid. Nothing else is guessed."""

import ipaddress
from urllib.parse import quote

import pytest
from support.address_spellings import invalid_ipv4, invalid_ipv6, valid_ipv6
from support.answering_internet import LOCAL_ADDRESSES
from support.policy_oracle import PolicyOracle
from support.ssrf_judge import Vector, judged

ORACLE = PolicyOracle("public", own_port=8080, local_addresses=LOCAL_ADDRESSES)
IPV4 = [
    ipaddress.IPv4Address(text)
    for text in (
        "169.254.169.254", "127.0.0.1", "0.0.0.0", "10.0.0.1", "172.31.255.255", "192.168.1.1", "100.100.100.200",
        "224.0.0.1", "255.255.255.255", "8.8.8.8",
    )
]  # fmt: skip
IPV6 = [
    ipaddress.IPv6Address(text)
    for text in (
        "::1", "::", "fe80::1", "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::10.0.0.1",
        "2002:7f00:1::", "2001:db8::1", "2001:0:808:808:8000:0:f5ff:fffe", "2606:4700::1111", "::ffff:8.8.8.8",
    )
]  # fmt: skip


def statuses(client, host: str, transport: str = "tcp") -> dict[str, int]:
    """The answer to a check of the host in each form in which a request can have it."""
    target = f"{transport}://{host}:80"
    return {
        "check": client.post_check(target, timeout_ms=2000).status,
        "probe": client.get(f"/v1/probe?timeout_ms=2000&target={quote(target, safe='')}").status,
        "module": client.get(f"/probe?module=tcp_connect&target={quote(f'{host}:80', safe='')}").status,
    }


@pytest.fixture(scope="module")
def service(internet):
    with judged(internet, ORACLE) as running:
        yield running


@pytest.mark.parametrize("address", IPV4, ids=str)
def test_no_other_spelling_of_ipv4_is_read(service, address):
    for name, host in invalid_ipv4(address):
        got = statuses(service.client, host)
        assert got["check"] == got["probe"] == 400, (name, host, got)
        body = {"checks": [{"target": f"tcp://{host}:80"}]}
        [result] = service.client.post("/v1/checks/batch", body).json["results"]
        assert result["outcome"] == "invalid", (name, host, result)


@pytest.mark.parametrize("address", IPV6, ids=str)
def test_no_other_spelling_of_ipv6_is_read(service, address):
    for name, host in invalid_ipv6(address):
        got = statuses(service.client, host)
        assert got["check"] == got["probe"] == 400, (name, host, got)


@pytest.mark.parametrize("address", [*IPV4, *IPV6], ids=str)
def test_every_valid_spelling_is_judged_alike(service, address):
    spellings = valid_ipv6(address) if address.version == 6 else [("dotted quad", str(address))]
    expected = 200 if ORACLE.allows(address, 80, "tcp") else 403
    for name, host in spellings:
        assert service.client.post_check(f"tcp://{host}:80", timeout_ms=2000).status == expected, (name, host)
        member = {"transport": "tcp", "host": host.strip("[]"), "port": 80}
        assert service.client.post_check(member, timeout_ms=2000).status == expected, (name, host)
    if expected == 200:
        inner = getattr(address, "ipv4_mapped", None) or address
        assert {(item.address, item.port) for item in service.seen()} & {(inner, 80), (address, 80)}


@pytest.mark.parametrize("zone", ["lo", "out0", "1", "2", "99", "25lo", "nosuch"])
def test_a_zone_does_not_change_the_decision(service, zone):
    for address in ("fe80::1", "fe80::a9fe:a9fe", "ff02::1", "febf:ffff::1"):
        assert service.client.post_check(f"tcp://[{address}%{zone}]:80").status in (400, 403)
        assert service.client.post_check(f"udp://[{address}%{zone}]:80").status in (400, 403)


def test_the_judge_sees_the_allowed_spelling(service):
    """The positive control of this file."""
    vector = Vector(ipaddress.IPv4Address("8.8.8.8"), 80, "tcp")
    [result] = service.run_batches([vector])
    service.assert_decided_as_expected([vector], [result["outcome"]])
