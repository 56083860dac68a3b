"""The bind step: an error of the kernel there is a result with phase `bind`, and the request's fault."""

import errno

import pytest

from support import network as net
from support import peers
from support.connectd_process import Connectd
from support.expectations import assert_failure, assert_problem, assert_success

PORT = 8101


@pytest.fixture
def more_addresses(network):
    network.a.ip("addr add 10.77.0.51/24 dev link0")
    network.a.ip("-6 addr add fd00:77::51/64 dev link0 nodad")
    yield
    network.a.ip("addr del 10.77.0.51/24 dev link0")
    network.a.ip("-6 addr del fd00:77::51/64 dev link0")


def test_a_source_address_is_used(api, target, more_addresses):
    attempt = assert_success(api.check(target, bind={"address": "10.77.0.51"}))
    assert attempt["local"]["address"] == "10.77.0.51"


def test_an_ipv6_source_address_is_used(api, network, more_addresses):
    with peers.tcp_listener(network.b, net.OPEN6) as listener:
        result = api.check(f"tcp://[{net.OPEN6}]:{listener.getsockname()[1]}", bind={"address": "fd00:77::51"})
    assert assert_success(result)["local"]["address"] == "fd00:77::51"


def test_a_source_port_is_used(api, target):
    attempt = assert_success(api.check(target, bind={"port": 33001}, socket={"close": "rst"}))
    assert attempt["local"]["port"] == 33001


def test_a_source_address_and_port_are_used(api, target):
    bind = {"address": net.PROBER, "port": 33002}
    attempt = assert_success(api.check(target, bind=bind, socket={"close": "rst"}))
    assert attempt["local"] == bind


def test_an_interface_is_used(api, target):
    assert_success(api.check(target, bind={"interface": "link0"}))


def test_the_wrong_interface_does_not_connect(api, target):
    result = api.check(target, bind={"interface": "lo"}, timeout_ms=500)
    assert result["ok"] is False


def test_a_foreign_address_is_eaddrnotavail(api, target):
    result = api.check(target, bind={"address": "10.66.6.6"})
    assert_failure(result, errno.EADDRNOTAVAIL, "prober_misconfigured", "request", phase="bind")


def test_a_foreign_ipv6_address_is_eaddrnotavail(api):
    result = api.check(f"tcp://[{net.OPEN6}]:80", bind={"address": "fd00:66::6"})
    assert_failure(result, errno.EADDRNOTAVAIL, "prober_misconfigured", "request", phase="bind")


def test_a_port_in_use_is_eaddrinuse(api, network, target):
    with peers.tcp_listener(network.a, net.PROBER, 33010):
        result = api.check(target, bind={"address": net.PROBER, "port": 33010})
    assert_failure(result, errno.EADDRINUSE, "prober_misconfigured", "request", phase="bind")


def test_a_udp_port_in_use_is_eaddrinuse(api, network):
    with peers.udp_socket(network.a, "0.0.0.0", 33011):
        result = api.check(f"udp://{net.OPEN}:9", bind={"port": 33011})
    assert_failure(result, errno.EADDRINUSE, "prober_misconfigured", "request", phase="bind")


def test_a_missing_interface_is_enodev(api, target):
    result = api.check(target, bind={"interface": "nope0"})
    assert_failure(result, errno.ENODEV, "prober_misconfigured", "request", phase="bind")


def test_a_source_address_of_the_other_family_cannot_connect(api):
    """Either the request is malformed or no address fits; it never connects from another source."""
    answer = api.post_check(f"tcp://{net.OPEN}:80", bind={"address": net.PROBER6})
    assert answer.status in (200, 400)
    if answer.status == 200:
        assert answer.json["ok"] is False
        assert answer.json["outcome"] == "prober_misconfigured"


def test_the_same_addresses_and_ports_fail(api, network):
    """Another socket uses the port while its packets are dropped, so the check cannot use it."""
    with network.a.socket() as holder:
        holder.setsockopt(1, 2, 1)
        holder.bind((net.PROBER, 33020))
        holder.setblocking(False)
        holder.connect_ex((net.DROPPED, 80))
        result = api.check(f"tcp://{net.DROPPED}:80", bind={"address": net.PROBER, "port": 33020}, timeout_ms=500)
    assert result["error"]["errno"] in (errno.EADDRNOTAVAIL, errno.EADDRINUSE), result
    assert result["ok"] is False


def test_a_check_can_be_repeated_from_the_same_port(api, target):
    for _ in range(5):
        assert_success(api.check(target, bind={"port": 33030}, socket={"close": "rst"}))


@pytest.mark.parametrize(
    "options,members,pointer",
    [
        ([], {"bind": {"address": net.PROBER}}, "/bind"),
        ([], {"bind": {"port": 33040}}, "/bind"),
        (["bind"], {"bind": {"interface": "link0"}}, "/bind/interface"),
        (["bind"], {"socket": {"mark": 7}}, "/socket/mark"),
        (["bind"], {"socket": {"tcp_md5": "bgp"}}, "/socket/tcp_md5"),
    ],
)
def test_an_option_without_permission_is_denied(network, options, members, pointer):
    configuration = {"policy": {"profile": "internal", "options": options}, "md5_keys": {"bgp": {"file": "bgp.key"}}}
    with Connectd(network.a, configuration, port=PORT, files={"bgp.key": "secret\n"}) as connectd:
        assert_problem(connectd.client.post_check(f"tcp://{net.OPEN}:9", **members), 403)
