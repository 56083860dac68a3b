"""Socket options, each observed from outside: by the peer, by a packet counter, by an error of the kernel."""

import errno
import socket
import struct
import threading

import pytest

from support import network as net
from support import peers
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_failure, assert_problem, assert_success

PORT = 8131


@pytest.fixture(scope="module")
def connectd(network):
    configuration = {**OPEN_CONFIGURATION, "md5_keys": {"bgp": {"file": "bgp.key"}, "wrong": {"file": "wrong.key"}}}
    files = {"bgp.key": "k3y-of-bgp\n", "wrong.key": "an0ther-key\n"}
    with Connectd(network.a, configuration, port=PORT, files=files) as running:
        yield running


@pytest.fixture(scope="module")
def listener(network):
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        yield listener


@pytest.fixture(scope="module")
def target(listener) -> str:
    return f"tcp://{net.OPEN}:{listener.getsockname()[1]}"


@pytest.mark.parametrize("options,seen", [({}, "fin"), ({"close": "fin"}, "fin"), ({"close": "rst"}, "rst")])
def test_the_peer_sees_fin_or_rst(api, network, options, seen):
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        ends = []
        watcher = threading.Thread(target=lambda: ends.append(peers.end_seen_by(listener)))
        watcher.start()
        assert_success(api.check(f"tcp://{net.OPEN}:{listener.getsockname()[1]}", socket=options))
        watcher.join()
    assert ends == [seen]


def test_a_reset_leaves_no_time_wait(connectd, network, listener, target):
    before = len(connectd.sockets("06"))
    for _ in range(10):
        assert_success(connectd.client.check(target, socket={"close": "rst"}))
    assert len(connectd.sockets("06")) <= before


def test_packets_have_the_mark(api, network, target):
    before = network.a.counter("mark")
    assert_success(api.check(target, socket={"mark": 7}))
    assert network.a.counter("mark") > before
    after = network.a.counter("mark")
    assert_success(api.check(target, socket={"mark": 8}))
    assert network.a.counter("mark") == after


def test_packets_have_the_dscp(api, network, target):
    before = network.a.counter("dscp")
    assert_success(api.check(target, socket={"dscp": 46}))
    assert network.a.counter("dscp") >= before + 2


def test_ipv6_packets_have_the_dscp(api, network):
    before = network.a.counter("dscp6")
    with peers.tcp_listener(network.b, net.OPEN6) as listener:
        assert_success(api.check(f"tcp://[{net.OPEN6}]:{listener.getsockname()[1]}", socket={"dscp": 46}))
    assert network.a.counter("dscp6") >= before + 2


def test_a_udp_peer_receives_dscp_and_ttl(api, network):
    with peers.udp_socket(network.b, net.OPEN) as peer:
        peer.setsockopt(socket.IPPROTO_IP, 13, 1)  # IP_RECVTOS
        peer.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
        peer.settimeout(3)
        api.check(
            f"udp://{net.OPEN}:{peer.getsockname()[1]}",
            socket={"dscp": 10, "ttl": 33},
            timeout_ms=100,
            dialog=[{"send": "x"}, {"expect": "y"}],
        )
        _, ancillary, _, _ = peer.recvmsg(100, 200)
    values = {kind: data for _, kind, data in ancillary}
    assert values[1][0] == 10 << 2
    assert struct.unpack("i", values[2])[0] == 33


def test_packets_have_the_ttl(api, network, target):
    before = network.a.counter("ttl")
    assert_success(api.check(target, socket={"ttl": 33}))
    assert network.a.counter("ttl") >= before + 2


def test_ipv6_packets_have_the_hop_limit(api):
    target = "tcp://[fd00:88:3::1]:80"
    result = api.check(target, socket={"ttl": 1})
    attempt = assert_failure(result, errno.EHOSTUNREACH, "unreachable", "network")
    assert (attempt["icmp"]["type"], attempt["icmp"]["code"], attempt["icmp"]["from"]) == (3, 0, net.PEER6)


@pytest.fixture(scope="module")
def md5_listener(network):
    with peers.tcp_listener(network.b, net.MD5, 179) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, peers.TCP_MD5SIG, peers.md5_signature(net.PROBER, b"k3y-of-bgp"))
        yield f"tcp://{net.MD5}:179"


def test_md5_with_the_right_key_connects(api, md5_listener):
    assert_success(api.check(md5_listener, socket={"tcp_md5": "bgp"}))


@pytest.mark.parametrize("options", [{"tcp_md5": "wrong"}, {}])
def test_md5_with_a_wrong_key_or_none_times_out(api, md5_listener, options):
    result = api.check(md5_listener, socket=options, timeout_ms=400)
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")


def test_md5_names_only_configured_keys(api, md5_listener):
    for name in ("nobody", "", "bgp.key", "../bgp.key"):
        answer = api.post_check(md5_listener, socket={"tcp_md5": name})
        assert answer.status in (400, 403), answer.body


def test_the_key_is_never_shown(api, connectd, md5_listener):
    answer = api.post_check(md5_listener, socket={"tcp_md5": "wrong"}, timeout_ms=100)
    assert b"an0ther-key" not in answer.body
    assert "an0ther-key" not in connectd.log and "k3y-of-bgp" not in connectd.log


def test_mptcp_falls_back_to_tcp(api, target):
    assert_success(api.check(target, socket={"mptcp": True}))


def test_mptcp_to_a_closed_port_is_refused(api):
    assert_failure(api.check(f"tcp://{net.OPEN}:9", socket={"mptcp": True}), 111, "refused", "target")


def test_fast_open_without_first_bytes_is_a_bad_request(api, target):
    assert_problem(api.post_check(target, socket={"tcp_fast_open": True}), 400, "/socket/tcp_fast_open")
    for dialog in ([], [{"expect": "x"}]):
        assert_problem(api.post_check(target, socket={"tcp_fast_open": True}, dialog=dialog), 400)


def test_disabled_fast_open_has_no_effect(api, target):
    assert_success(api.check(target, socket={"tcp_fast_open": False}))


@pytest.mark.parametrize(
    "options,pointer",
    [
        ({"close": "FIN"}, "/socket/close"),
        ({"close": None}, "/socket/close"),
        ({"ttl": 0}, "/socket/ttl"),
        ({"ttl": 256}, "/socket/ttl"),
        ({"ttl": -1}, "/socket/ttl"),
        ({"ttl": 1.5}, "/socket/ttl"),
        ({"ttl": "64"}, "/socket/ttl"),
        ({"dscp": 64}, "/socket/dscp"),
        ({"dscp": -1}, "/socket/dscp"),
        ({"mark": -1}, "/socket/mark"),
        ({"mark": 4294967296}, "/socket/mark"),
        ({"tcp_md5": 1}, "/socket/tcp_md5"),
        ({"tcp_syn_retries": 0}, "/socket/tcp_syn_retries"),
        ({"tcp_syn_retries": 256}, "/socket/tcp_syn_retries"),
        ({"mptcp": "true"}, "/socket/mptcp"),
        ({"mptcp": 1}, "/socket/mptcp"),
        ({"nodelay": True}, "/socket/nodelay"),
    ],
)
def test_a_value_out_of_range_is_refused(api, target, options, pointer):
    assert_problem(api.post_check(target, socket=options), 400, pointer)
