"""ICMP as the cause of an error: the kernel's errno, the sender, and the fault that follows."""

import pytest

from support import icmp_forger
from support import network as net
from support.expectations import assert_failure, assert_icmp

ROUTER = "10.99.9.9"
ROUTER6 = "fd00:99::9"


def url(address: str, port: int = 80) -> str:
    return f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"


@pytest.mark.parametrize(
    "kind,number,outcome,code",
    [
        ("port-unreachable", 111, "refused", 3),
        ("admin-prohibited", 113, "unreachable", 13),
        ("host-unreachable", 113, "unreachable", 1),
        ("net-unreachable", 101, "unreachable", 0),
        ("prot-unreachable", 92, "unreachable", 2),
        ("host-prohibited", 113, "unreachable", 10),
        ("net-prohibited", 101, "unreachable", 9),
    ],
)
def test_a_rejecting_router_is_the_networks_fault(api, kind, number, outcome, code):
    attempt = assert_failure(api.check(url(net.ROUTER_REJECTS[kind])), number, outcome, "network")
    assert_icmp(attempt, 3, code, net.PEER)


@pytest.mark.parametrize(
    "kind,number,outcome,code",
    [
        ("port-unreachable", 111, "refused", 4),
        ("admin-prohibited", 13, "unreachable", 1),
        ("addr-unreachable", 113, "unreachable", 3),
        ("no-route", 101, "unreachable", 0),
    ],
)
def test_a_rejecting_router_over_ipv6_is_the_networks_fault(api, kind, number, outcome, code):
    attempt = assert_failure(api.check(url(net.ROUTER_REJECTS6[kind])), number, outcome, "network")
    assert_icmp(attempt, 1, code, net.PEER6)


@pytest.mark.parametrize(
    "kind,number,outcome,code",
    [
        ("port-unreachable", 111, "refused", 3),
        ("admin-prohibited", 113, "unreachable", 13),
        ("host-unreachable", 113, "unreachable", 1),
        ("prot-unreachable", 92, "unreachable", 2),
    ],
)
def test_a_rejecting_target_is_its_own_fault(api, kind, number, outcome, code):
    attempt = assert_failure(api.check(url(net.OPEN, net.TARGET_REJECTS[kind])), number, outcome, "target")
    assert_icmp(attempt, 3, code, net.OPEN)


@pytest.mark.parametrize(
    "kind,number,outcome,code", [("port-unreachable", 111, "refused", 3), ("admin-prohibited", 113, "unreachable", 13)]
)
def test_a_rejecting_local_firewall_is_the_probers_fault(api, kind, number, outcome, code):
    attempt = assert_failure(api.check(url(net.OPEN, net.OWN_REJECTS[kind])), number, outcome, "prober")
    assert_icmp(attempt, 3, code, net.PROBER)


@pytest.mark.parametrize(
    "kind,code,number,outcome",
    [
        (3, 0, 101, "unreachable"),
        (3, 1, 113, "unreachable"),
        (3, 2, 92, "unreachable"),
        (3, 3, 111, "refused"),
        (3, 5, 95, "unreachable"),
        (3, 6, 101, "unreachable"),
        (3, 7, 112, "unreachable"),
        (3, 8, 64, "unreachable"),
        (3, 9, 101, "unreachable"),
        (3, 10, 113, "unreachable"),
        (3, 11, 101, "unreachable"),
        (3, 12, 113, "unreachable"),
        (3, 13, 113, "unreachable"),
        (3, 14, 113, "unreachable"),
        (3, 15, 113, "unreachable"),
        (11, 0, 113, "unreachable"),
        (12, 0, 71, "unreachable"),
    ],
)
def test_each_fatal_message_has_its_errno(api, network, kind, code, number, outcome):
    with icmp_forger.forging(network.b, net.FORGED, kind, code, ROUTER):
        attempt = assert_failure(api.check(url(net.FORGED), timeout_ms=2000), number, outcome, "network")
    assert_icmp(attempt, kind, code, ROUTER)


@pytest.mark.parametrize(
    "kind,code,number,outcome",
    [
        (1, 0, 101, "unreachable"),
        (1, 1, 13, "unreachable"),
        (1, 2, 113, "unreachable"),
        (1, 3, 113, "unreachable"),
        (1, 4, 111, "refused"),
        (1, 5, 13, "unreachable"),
        (1, 6, 13, "unreachable"),
        (3, 0, 113, "unreachable"),
        (4, 0, 71, "unreachable"),
        (4, 1, 71, "unreachable"),
        (4, 2, 71, "unreachable"),
    ],
)
def test_each_fatal_message_over_ipv6_has_its_errno(api, network, kind, code, number, outcome):
    with icmp_forger.forging(network.b, net.FORGED6, kind, code, ROUTER6):
        attempt = assert_failure(api.check(url(net.FORGED6), timeout_ms=2000), number, outcome, "network")
    assert_icmp(attempt, kind, code, ROUTER6)


@pytest.mark.parametrize("kind,code", [(3, 4), (4, 0)])
def test_a_message_that_is_not_fatal_does_not_end_the_check(api, network, kind, code):
    with icmp_forger.forging(network.b, net.FORGED, kind, code, ROUTER, extra=1400 if (kind, code) == (3, 4) else 0):
        result = api.check(url(net.FORGED), timeout_ms=300)
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")


def test_a_reset_before_established_is_reset(api, network):
    with icmp_forger.answering(network.b, net.FORGED, icmp_forger.reset_in_simultaneous_open):
        attempt = assert_failure(api.check(url(net.FORGED), timeout_ms=2000), 104, "reset", "target")
    assert "icmp" not in attempt


def test_a_ttl_of_one_ends_at_the_first_router(api):
    attempt = assert_failure(api.check(url(net.UNTTL), socket={"ttl": 1}), 113, "unreachable", "network")
    assert_icmp(attempt, 11, 0, net.PEER)
