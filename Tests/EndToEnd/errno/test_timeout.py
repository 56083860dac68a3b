"""Two timeouts that are never confused: the kernel's ETIMEDOUT, and connectd's own deadline."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import network as net
from support import peers
from support.expectations import assert_failure


def test_the_kernels_timeout_is_etimedout(api):
    result = api.check(f"tcp://{net.DROPPED}:80", timeout_ms=10000, socket={"tcp_syn_retries": 1})
    attempt = assert_failure(result, 110, "timeout", "network")
    assert attempt["tcp_info"]["syn_retransmits"] >= 1
    assert 1000 < attempt["duration_ms"] < 9000


def test_the_kernels_timeout_over_ipv6_and_with_a_local_drop_is_etimedout(api):
    def check(target: str) -> dict:
        return api.check(target, timeout_ms=10000, socket={"tcp_syn_retries": 1})

    with ThreadPoolExecutor() as pool:
        for result in pool.map(check, [f"tcp://[{net.DROPPED6}]:80", f"tcp://{net.OPEN}:{net.OWN_DROP}"]):
            assert_failure(result, 110, "timeout", "network")


@pytest.mark.deadline
@pytest.mark.parametrize(
    "target", [f"tcp://{net.DROPPED}:80", f"tcp://[{net.DROPPED6}]:80", f"tcp://{net.OPEN}:{net.OWN_DROP}"]
)
def test_our_deadline_is_deadline(api, target):
    result = api.check(target, timeout_ms=300)
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")
    assert 299 <= result["timings_ms"]["total"] < 400
    assert result["error"]["retryable"] is True


@pytest.mark.deadline
def test_the_shortest_and_the_default_deadline_are_met(api):
    started = time.monotonic()
    result = api.check(f"tcp://{net.DROPPED}:80", timeout_ms=1)
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")
    assert time.monotonic() - started < 0.5
    started = time.monotonic()
    result = api.check(f"tcp://{net.DROPPED}:80")
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")
    assert 4.9 < time.monotonic() - started < 5.6


def test_a_full_tcp_backlog_is_a_timeout(api, network):
    with peers.full_tcp_listener(network.b, net.OPEN) as port:
        result = api.check(f"tcp://{net.OPEN}:{port}", timeout_ms=400)
        assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")


def test_a_peer_that_opens_after_the_first_syn_was_lost_is_connected_with_a_retransmit(api, network):
    with peers.tcp_listener(network.b, net.OPEN, 9700):
        network.b.nft(
            "table inet once { chain input { type filter hook input priority -10;\n"
            "tcp dport 9700 tcp flags syn / fin,syn,rst,ack limit rate over 1/hour burst 1 packets accept\n"
            "tcp dport 9700 drop\n}\n}"
        )
        try:
            result = api.check(f"tcp://{net.OPEN}:9700", timeout_ms=4000)
        finally:
            network.b.run("nft", "delete", "table", "inet", "once")
    assert result["outcome"] == "connected", result
    assert result["attempts"][0]["tcp_info"]["syn_retransmits"] >= 1


def test_an_aborted_connect_is_reset(connectd, network):
    with ThreadPoolExecutor() as pool:
        pending = pool.submit(connectd.client.check, f"tcp://{net.DROPPED}:4713", timeout_ms=5000)
        connectd.wait_until_connecting()
        network.a.run("ss", "-K", "dst", net.DROPPED, "dport", "=", "4713")
        assert_failure(pending.result(), 103, "reset", None)


@pytest.mark.deadline
def test_many_deadlines_at_once_are_met(connectd):
    def check(_: int) -> dict:
        return connectd.client.check(f"tcp://{net.DROPPED}:80", timeout_ms=700)

    with ThreadPoolExecutor(60) as pool:
        results = list(pool.map(check, range(300)))
    late = sorted(result["timings_ms"]["total"] - result["timings_ms"]["queue"] - 700 for result in results)
    assert late[0] >= -1
    assert late[int(len(late) * 0.95)] < 100, late[-20:]
