"""A successful check over TCP, for both families, and connections that are not a success."""

import socket
import time
from datetime import datetime

import pytest

from support import network as net
from support import peers
from support.expectations import assert_failure, assert_shape, assert_success


@pytest.fixture(scope="module")
def listener(network):
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        yield listener


@pytest.fixture(scope="module")
def target(listener) -> str:
    return f"tcp://{net.OPEN}:{listener.getsockname()[1]}"


def test_an_accepting_peer_is_connected(api, listener, target):
    attempt = assert_success(api.check(target))
    port = listener.getsockname()[1]
    assert (attempt["address"], attempt["port"], attempt["family"]) == (net.OPEN, port, "ipv4")
    assert attempt["local"]["address"] == net.PROBER
    assert attempt["peer"] == {"address": net.OPEN, "port": port}
    assert attempt["tcp_info"]["snd_mss"] > 500
    assert attempt["tcp_info"]["syn_retransmits"] == 0
    assert {"rtt_us", "rttvar_us", "retransmits", "pmtu"} <= set(attempt["tcp_info"])
    assert "icmp" not in attempt


def test_ipv6_is_connected(api, network):
    with peers.tcp_listener(network.b, net.OPEN6) as listener:
        attempt = assert_success(api.check(f"tcp://[{net.OPEN6}]:{listener.getsockname()[1]}"))
    assert (attempt["address"], attempt["family"]) == (net.OPEN6, "ipv6")
    assert attempt["local"]["address"] == net.PROBER6


def test_a_bare_host_and_port_and_the_object_form_are_tcp(api, listener):
    port = listener.getsockname()[1]
    assert_success(api.check(f"{net.OPEN}:{port}"))
    assert_success(api.check({"transport": "tcp", "host": net.OPEN, "port": port}))


def test_a_port_can_be_a_name(api, network):
    with peers.tcp_listener(network.b, net.OPEN, 443):
        attempt = assert_success(api.check(f"tcp://{net.OPEN}:https"))
    assert attempt["port"] == 443


def test_id_labels_and_target_are_echoed(api, target):
    identity = 'a "b" \\ \u00e9\u4f60\U0001f600 </script>'
    labels = {"k": "v", "weird key \u00fc": ""}
    result = api.check(target, id=identity, labels=labels)
    assert (result["id"], result["labels"], result["target"]) == (identity, labels, target)


def test_absent_members_are_not_echoed(api, target):
    result = api.check(target)
    assert not {"id", "labels", "error", "dialog", "tls"} & set(result)
    assert api.check(target, id="", labels={})["id"] == ""


def test_times_are_consistent(api, target):
    before = time.time()
    result = api.check(target)
    after = time.time()
    timings = result["timings_ms"]
    assert timings["connect"] <= timings["total"]
    assert timings["tls"] == timings["dialog"] == 0
    started = datetime.fromisoformat(result["started_at"].replace("Z", "+00:00")).timestamp()
    assert before - 0.01 <= started <= after + 0.01
    assert result["prober"] == socket.gethostname()


def test_a_literal_is_reported_as_its_resolution(api, target):
    resolution = api.check(target)["resolution"]
    assert (resolution["source"], resolution["addresses"]) == ("literal", [net.OPEN])


@pytest.mark.parametrize(
    "expect,ok",
    [
        ("connected", True),
        (["refused", "connected"], True),
        ("!connected", False),
        ("refused", False),
        (["timeout"], False),
        ("!refused", True),
    ],
)
def test_expect_decides_what_is_ok(api, target, expect, ok):
    result = api.check(target, expect=expect)
    assert (result["outcome"], result["ok"]) == ("connected", ok)


@pytest.mark.parametrize(
    "expect,ok", [("refused", True), ("!connected", True), ("connected", False), ("timeout", False)]
)
def test_an_expected_failure_is_ok(api, expect, ok):
    result = api.check(f"tcp://{net.OPEN}:9", expect=expect)
    assert_shape(result)
    assert (result["outcome"], result["ok"]) == ("refused", ok)


def test_a_self_connection_is_not_a_success(api):
    result = api.check("tcp://127.0.0.1:47111", bind={"port": 47111})
    assert_shape(result)
    assert result["ok"] is False
    assert result["outcome"] not in ("connected", "associated")


def test_a_closed_port_is_refused_by_the_target(api):
    attempt = assert_failure(api.check(f"tcp://{net.OPEN}:9"), 111, "refused", "target")
    assert "icmp" not in attempt
    assert_failure(api.check(f"tcp://[{net.OPEN6}]:9"), 111, "refused", "target")


def test_a_closed_local_port_is_refused(api):
    assert_failure(api.check("tcp://127.0.0.1:9"), 111, "refused", None)


def test_an_ipv4_mapped_address_that_is_allowed_connects(api, listener):
    assert_success(api.check(f"tcp://[::ffff:{net.OPEN}]:{listener.getsockname()[1]}"))
