"""What a connect without an answer says about its SYNs: how many were sent, or that none left this machine."""

import re

import pytest

from support import network as net
from support import peers
from support.connectd_process import Connectd
from support.expectations import assert_failure, assert_success
from support.tracing import traced


@pytest.fixture(scope="module")
def connectd(network):
    """As a user without any capability."""
    with Connectd(network.a, port=8138, user="nobody") as running:
        yield running


def silent(result: dict, number: int | None = None) -> tuple[dict, str]:
    """The SYN evidence and the hint of a check without an answer."""
    if number is None:
        attempt = assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")
    else:
        attempt = assert_failure(result, number, "timeout", "network")
    return attempt["tcp_info"], result["error"]["hint"]


@pytest.mark.parametrize("target", [f"tcp://{net.DROPPED}:80", f"tcp://[{net.DROPPED6}]:80"])
def test_unanswered_syns_are_counted(api, target):
    info, hint = silent(api.check(target, timeout_ms=200))
    assert (info["syn_sent"], info["syn_retransmits"]) == (1, 0)
    assert "1 SYN sent" in hint and "unsent" not in info
    info, hint = silent(api.check(target, timeout_ms=1500))
    assert (info["syn_sent"], info["syn_retransmits"]) == (2, 1)
    assert "2 SYNs sent" in hint


def test_the_kernels_timeout_counts_them_too(api):
    info, hint = silent(api.check(f"tcp://{net.DROPPED}:80", timeout_ms=9000, socket={"tcp_syn_retries": 1}), 110)
    assert info["syn_sent"] == info["syn_retransmits"] + 1 >= 2
    assert f"{info['syn_sent']} SYNs sent" in hint


def test_a_full_backlog_is_a_sent_syn(api, network):
    with peers.full_tcp_listener(network.b, net.OPEN) as port:
        info, _ = silent(api.check(f"tcp://{net.OPEN}:{port}", timeout_ms=200))
    assert info["syn_sent"] == 1


@pytest.mark.parametrize("target", [f"tcp://{net.ABSENT}:80", f"tcp://[{net.ABSENT6}]:80"])
def test_a_syn_that_waits_for_a_neighbor_has_not_left(api, target):
    info, hint = silent(api.check(target, timeout_ms=300))
    assert (info["syn_sent"], info["unsent"]) == (0, "queued")
    assert "no SYN left this machine" in hint and "ip neigh" in hint


def test_after_the_neighbor_was_given_up_no_syn_has_left_either(api):
    result = api.check(f"tcp://{net.ABSENT}:80", timeout_ms=9000)
    attempt = assert_failure(result, 113, "unreachable", "network")
    assert (attempt["tcp_info"]["syn_sent"], attempt["tcp_info"]["unsent"]) == (0, "queued")


def test_a_syn_that_the_own_firewall_drops_has_not_left(api):
    info, hint = silent(api.check(f"tcp://{net.OPEN}:{net.OWN_DROP}", timeout_ms=1500))
    assert (info["syn_sent"], info["unsent"]) == (0, "dropped")
    assert "nft list ruleset" in hint and "did not leave" in hint


def test_before_a_retransmission_a_local_drop_looks_like_a_sent_syn(api):
    info, _ = silent(api.check(f"tcp://{net.OPEN}:{net.OWN_DROP}", timeout_ms=300))
    assert info["syn_sent"] == 1 and "unsent" not in info


def test_a_syn_that_the_own_firewall_rejects_has_not_left(api):
    result = api.check(f"tcp://{net.OPEN}:{next(iter(net.OWN_REJECTS.values()))}")
    info = result["attempts"][0]["tcp_info"]
    assert (result["error"]["fault"], info["syn_sent"], info["unsent"]) == ("prober", 0, "dropped")


def test_a_full_queue_of_the_interface_is_a_local_drop(api, network):
    network.a.run(*"tc qdisc add dev link0 root tbf rate 1kbit burst 20 limit 20".split())
    try:
        info, hint = silent(api.check(f"tcp://{net.OPEN}:9", timeout_ms=1700))
    finally:
        network.a.run(*"tc qdisc del dev link0 root".split())
    assert (info["syn_sent"], info["unsent"]) == (0, "dropped")
    assert "tc -s qdisc" in hint


def test_without_a_route_no_syn_was_sent(api):
    attempt = assert_failure(api.check(f"tcp://{net.NOWHERE}:80"), 101, "unreachable", None)
    assert attempt["tcp_info"]["syn_sent"] == 0 and "unsent" not in attempt["tcp_info"]


def test_a_refused_and_a_rejected_syn_were_sent(api):
    for target in (net.REFUSED, "tcp://127.0.0.1:9", f"tcp://{net.ROUTER_REJECTS['admin-prohibited']}:80"):
        info = api.check(target)["attempts"][0]["tcp_info"]
        assert info["syn_sent"] == 1 and "unsent" not in info


def test_a_success_shows_only_its_retransmissions(api, target):
    attempt = assert_success(api.check(target))
    assert set(attempt["tcp_info"]) == {"syn_retransmits", "rtt_us", "rttvar_us", "retransmits", "snd_mss", "pmtu"}


def test_a_success_makes_no_more_system_calls_than_a_connect_needs(connectd, api, target, tmp_path):
    log = tmp_path / "calls"
    with traced(connectd.pid, "-o", str(log), "-e", "trace=socket,setsockopt,getsockopt,connect,getsockname,getpeername"):
        assert_success(api.check(target))
    lines = [line.split(None, 1)[1] for line in log.read_text().splitlines() if "(" in line]
    opened = next(line for line in lines if line.startswith("socket(AF_INET"))
    number = opened.rpartition("= ")[2]
    # The library sets options of the client's socket meanwhile.
    calls = sorted(line.split("(")[0] for line in lines if line == opened or re.match(rf"\w+\({number},", line))
    wanted = ["connect", "getpeername", "getsockname", "getsockopt", "getsockopt", "setsockopt", "socket"]
    assert calls == wanted, "\n".join(lines)
