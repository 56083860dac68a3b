"""Errors of the prober's own routes, neighbors and address families, without or with a packet."""


import pytest

from support import network as net
from support import peers
from support.connectd_process import Connectd
from support.expectations import assert_failure, assert_icmp
from support.http_client import check_request
from support.namespace import Namespace


def url(address: str, port: int = 80, scheme: str = "tcp") -> str:
    return f"{scheme}://[{address}]:{port}" if ":" in address else f"{scheme}://{address}:{port}"


@pytest.mark.parametrize(
    "kind,number,outcome,fault",
    [
        ("unreachable", 113, "unreachable", "network"),
        ("prohibit", 13, "not_permitted", "prober"),
        ("blackhole", 22, "unreachable", "network"),
        ("throw", 101, "unreachable", "network"),
    ],
)
def test_each_route_type_has_its_errno(api, kind, number, outcome, fault):
    attempt = assert_failure(api.check(url(net.ROUTE_TYPES[kind])), number, outcome, fault)
    assert "icmp" not in attempt


@pytest.mark.parametrize(
    "kind,number,outcome,fault",
    [
        ("unreachable", 113, "unreachable", "network"),
        ("prohibit", 13, "not_permitted", "prober"),
        ("blackhole", 22, "unreachable", "network"),
    ],
)
def test_each_ipv6_route_type_has_its_errno(api, kind, number, outcome, fault):
    assert_failure(api.check(url(net.ROUTE_TYPES6[kind])), number, outcome, fault)


@pytest.mark.parametrize("address", [net.NOWHERE, net.NOWHERE6])
def test_a_missing_route_is_enetunreach(api, address):
    attempt = assert_failure(api.check(url(address)), 101, "unreachable", "network")
    assert attempt["peer"] is None
    assert "icmp" not in attempt


def test_a_missing_neighbor_is_the_networks_fault(api):
    attempt = assert_failure(api.check(url(net.ABSENT), timeout_ms=8000), 113, "unreachable", "network")
    assert_icmp(attempt, 3, 1, net.PROBER)


def test_udp_without_a_route_fails_at_once(api):
    assert_failure(api.check(url(net.NOWHERE, scheme="udp")), 101, "unreachable", "network")
    assert_failure(api.check(url(net.ROUTE_TYPES["prohibit"], scheme="udp")), 13, "not_permitted", "prober")
    assert_failure(api.check(url(net.ROUTE_TYPES["blackhole"], scheme="udp")), 22, "unreachable", "network")


def test_a_loopback_source_cannot_leave_the_machine(api):
    result = api.check(url(net.OPEN), bind={"address": "127.0.0.1"})
    assert_failure(result, 22, "prober_misconfigured", None)
    assert result["error"]["fault"] in ("prober", "request")


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_disabled_ipv6_is_a_misconfigured_prober(root_and_namespaces, scheme):
    space = Namespace(net.new_name("x"))
    try:
        space.set("net.ipv6.conf.all.disable_ipv6", 1)
        with Connectd(space) as connectd:
            result = connectd.client.check(url("fd00:99::1", scheme=scheme))
            assert_failure(result, 99, "prober_misconfigured", "prober")
    finally:
        space.remove()


def test_no_ephemeral_port_left_is_an_exhausted_prober(api, network):
    with (
        peers.tcp_listener(network.b, net.OPEN, 9600),
        network.a.setting("net.ipv4.ip_local_port_range", "40000\t40001"),
        peers.tcp_listener(network.a, net.PROBER, 40000),
        peers.tcp_listener(network.a, net.PROBER, 40001),
    ):
        result = api.check(url(net.OPEN, 9600))
        assert_failure(result, 99, "prober_exhausted", "prober")
        assert result["error"]["retryable"] is True


def test_checks_can_exhaust_the_ephemeral_ports(network):
    with Connectd(network.a, port=8099) as connectd, network.a.setting("net.ipv4.ip_local_port_range", "40010\t40011"):
        hanging = []
        for _ in range(2):
            connection = connectd.unix.connect()
            connection.sendall(check_request(f"tcp://{net.DROPPED}:4242", timeout_ms=3000))
            hanging.append(connection)
        connectd.wait_until_connecting(2)
        result = connectd.client.check(f"tcp://{net.DROPPED}:4242", timeout_ms=1000)
        assert_failure(result, 99, "prober_exhausted", "prober")
        for connection in hanging:
            connection.close()


def test_udp_without_a_free_port_is_eagain_and_an_exhausted_prober(api, network):
    with (
        network.a.setting("net.ipv4.ip_local_port_range", "40020\t40021"),
        peers.udp_socket(network.a, "0.0.0.0", 40020),
        peers.udp_socket(network.a, "0.0.0.0", 40021),
    ):
        assert_failure(api.check(url(net.OPEN, 53, "udp")), 11, "prober_exhausted", "prober")
