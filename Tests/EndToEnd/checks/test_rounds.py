"""`count` and `interval_ms`: several rounds of one check, and their statistics."""

import contextlib
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import batches, peers
from support import network as net
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_failure, assert_problem, assert_success
from support.http_client import check_request
from support.waiting import wait_until

MEMBERS = {
    "sent", "ok", "loss", "by_outcome", "min_ms", "median_ms", "avg_ms", "p95_ms", "max_ms", "stddev_ms", "retransmitted",
    "syn_sent", "syn_retransmits", "rtt_us", "longest_outage_ms", "addresses",
}  # fmt: skip
TIMES = ("min_ms", "median_ms", "avg_ms", "p95_ms", "max_ms", "stddev_ms")


@contextlib.contextmanager
def every_second_syn_is_lost(network, port: int):
    """Drops the first SYN to the port, the third, and so on."""
    network.b.nft(
        "table inet lossy {\nchain prerouting {\ntype filter hook prerouting priority -300\n"
        f"tcp dport {port} tcp flags syn / syn,ack numgen inc mod 2 0 drop\n}}\n}}"
    )
    try:
        yield
    finally:
        network.b.run("nft", "delete", "table", "inet", "lossy")


@pytest.mark.parametrize("address", [net.OPEN, net.OPEN6])
def test_rounds_have_statistics(api, network, address):
    with peers.tcp_listener(network.b, address) as listener:
        port = listener.getsockname()[1]
        target = f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"
        result = api.check(target, count=10, timeout_ms=1000)
    assert_success(result)
    rounds = result["rounds"]
    assert set(rounds) == MEMBERS
    assert (rounds["sent"], rounds["ok"], rounds["loss"]) == (10, 10, 0)
    assert rounds["by_outcome"] == {"connected": 10}
    assert (rounds["syn_sent"], rounds["syn_retransmits"], rounds["retransmitted"]) == (10, 0, None)
    assert 0 < rounds["min_ms"] <= rounds["median_ms"] <= rounds["p95_ms"] <= rounds["max_ms"] < 1000
    assert rounds["min_ms"] <= rounds["avg_ms"] <= rounds["max_ms"] and rounds["stddev_ms"] >= 0
    assert 0 < rounds["rtt_us"]["min"] <= rounds["rtt_us"]["median"] <= rounds["rtt_us"]["max"]
    assert rounds["longest_outage_ms"] == 0
    assert rounds["addresses"] == [address]


def test_a_lost_syn_is_loss_and_not_a_slow_connect(api, network):
    with peers.tcp_listener(network.b, net.OPEN, 9710), every_second_syn_is_lost(network, 9710):
        result = api.check(f"tcp://{net.OPEN}:9710", count=3, timeout_ms=5000)
    assert_success(result)
    rounds = result["rounds"]
    assert (rounds["sent"], rounds["ok"]) == (3, 3)
    assert (rounds["syn_sent"], rounds["syn_retransmits"], rounds["loss"]) == (6, 3, 0.5)
    # Each round needed a second SYN, so none of them shows how fast the network is.
    assert [rounds[name] for name in TIMES] == [None] * 6
    assert rounds["rtt_us"] == {"min": None, "median": None, "max": None}
    assert rounds["retransmitted"]["rounds"] == 3
    assert rounds["retransmitted"]["min_ms"] > 900
    assert rounds["longest_outage_ms"] == 0


def test_if_no_round_succeeds_the_times_are_null(api):
    result = api.check(net.SILENT, count=4, timeout_ms=150, interval_ms=20)
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")
    rounds = result["rounds"]
    assert (rounds["sent"], rounds["ok"], rounds["loss"], rounds["by_outcome"]) == (4, 0, 1, {"timeout": 4})
    assert (rounds["syn_sent"], rounds["syn_retransmits"]) == (4, 0)
    assert [rounds[name] for name in TIMES] == [None] * 6
    assert rounds["rtt_us"] == {"min": None, "median": None, "max": None}
    assert rounds["longest_outage_ms"] >= 4 * 150 + 3 * 20
    assert rounds["addresses"] == [net.DROPPED]


def test_refused_rounds_are_no_loss(api):
    rounds = api.check(net.REFUSED, count=3, timeout_ms=1000)["rounds"]
    assert (rounds["ok"], rounds["loss"], rounds["by_outcome"], rounds["min_ms"]) == (0, 0, {"refused": 3}, None)
    expected = api.check(net.REFUSED, count=3, timeout_ms=1000, expect="refused")
    assert expected["ok"] is True
    assert expected["rounds"]["ok"] == 3 and expected["rounds"]["min_ms"] > 0


def test_an_outage_in_the_middle_is_measured(api, network):
    with peers.tcp_listener(network.b, net.OPEN, 9711):
        with ThreadPoolExecutor() as pool:
            pending = pool.submit(
                api.check, f"tcp://{net.OPEN}:9711", count=40, timeout_ms=100, interval_ms=50
            )
            time.sleep(0.4)
            network.b.nft("table inet outage {\nchain input {\ntype filter hook input priority -10\ntcp dport 9711 drop\n}\n}")
            time.sleep(0.6)
            network.b.run("nft", "delete", "table", "inet", "outage")
            rounds = pending.result()["rounds"]
    assert rounds["sent"] == 40
    assert set(rounds["by_outcome"]) == {"connected", "timeout"}
    assert rounds["ok"] == rounds["by_outcome"]["connected"] < 40
    assert 300 < rounds["longest_outage_ms"] < 1500
    assert 0 < rounds["loss"] < 1


def test_the_interval_is_between_rounds(api, target):
    begin = time.monotonic()
    result = api.check(target, count=4, timeout_ms=1000, interval_ms=150)
    assert_success(result)
    assert 0.45 <= time.monotonic() - begin < 1.5
    assert result["rounds"]["max_ms"] < 150


def test_the_timeout_applies_to_each_round(api):
    result = api.check(net.SILENT, count=3, timeout_ms=200)
    assert 199 <= result["timings_ms"]["total"] < 400
    assert result["rounds"]["sent"] == 3


def test_all_addresses_that_rounds_used_are_listed(connectd, network):
    network.a.write_etc("hosts", f"127.0.0.1 localhost\n{net.OPEN} rounds.example\n")
    with peers.tcp_listener(network.b, net.OPEN, 9712), peers.tcp_listener(network.b, net.SECOND, 9712):

        def check(count: int) -> dict:
            return connectd.client.check("tcp://rounds.example:9712", count=count, timeout_ms=500, interval_ms=300)

        wait_until(lambda: check(2)["outcome"] == "connected", 10, "connectd reads the new hosts file")
        with ThreadPoolExecutor() as pool:
            pending = pool.submit(check, 12)
            time.sleep(0.5)
            network.a.write_etc("hosts", f"127.0.0.1 localhost\n{net.SECOND} rounds.example\n")
            rounds = pending.result()["rounds"]
    assert rounds["ok"] == 12
    assert rounds["addresses"] == [net.OPEN, net.SECOND]


def test_a_round_includes_tls_and_the_dialog(api, network):
    def greet(connection: socket.socket) -> None:
        time.sleep(0.1)
        connection.sendall(b"220 hello\r\n")

    with peers.serving(peers.tcp_listener(network.b, net.OPEN), peers.on_each_connection(greet)) as listener:
        target = f"tcp://{net.OPEN}:{listener.getsockname()[1]}"
        result = api.check(target, count=2, timeout_ms=2000, dialog=[{"expect": "^220"}])
    assert_success(result)
    assert result["rounds"]["min_ms"] >= 100
    assert result["dialog"]["steps"][0]["ok"] is True


def test_silence_after_a_datagram_is_loss(api, network):
    with peers.udp_socket(network.b, net.OPEN) as silent:
        silent_target = f"udp://{net.OPEN}:{silent.getsockname()[1]}"
        dialog = [{"send": "x"}, {"expect": "x"}]
        rounds = api.check(silent_target, count=2, timeout_ms=100, dialog=dialog)["rounds"]
        assert (rounds["loss"], rounds["syn_sent"], rounds["min_ms"]) == (1, 0, None)
        with peers.serving(peers.udp_socket(network.b, net.OPEN), peers.echo_datagram) as echo:
            target = f"udp://{net.OPEN}:{echo.getsockname()[1]}"
            rounds = api.check(target, count=2, timeout_ms=1000, dialog=dialog)["rounds"]
        assert (rounds["loss"], rounds["by_outcome"]) == (0, {"answered": 2})


def test_rounds_over_a_unix_socket(folder):
    policy = {"policy": {"profile": "internal", "rules": [{"action": "allow", "path": f"{folder}/*"}]}}
    with Connectd(configuration=policy) as connectd, peers.unix_listener(f"{folder}/a"):
        rounds = connectd.client.check(f"unix:{folder}/a", count=3, timeout_ms=1000)["rounds"]
        assert (rounds["ok"], rounds["loss"], rounds["addresses"], rounds["syn_sent"]) == (3, 0, [], 0)
        assert rounds["min_ms"] > 0


def test_rounds_that_never_sent_anything_have_no_loss(connectd, network):
    result = connectd.client.check(f"tcp://{net.NOWHERE}:80", count=2, timeout_ms=500)
    rounds = result["rounds"]
    assert (rounds["syn_sent"], rounds["by_outcome"]) == (0, {"unreachable": 2})
    assert rounds["loss"] is None


def test_items_of_a_batch_have_rounds(api, target):
    checks = [{"target": target, "count": 3}, {"target": net.REFUSED}, {"target": target, "count": 1000}]
    first, second, third = batches.results(api, {"checks": checks, "defaults": {"count": 2, "timeout_ms": 1000}})
    assert (first["rounds"]["sent"], second["rounds"]["sent"]) == (3, 2)
    assert third["outcome"] == "invalid"
    assert third["error"]["errors"][0]["pointer"] == "/checks/2/count"


def test_all_rounds_share_one_permit(network, target):
    configuration = {**OPEN_CONFIGURATION, "limits": {"in_flight": 1, "queue": 4}}
    with Connectd(network.a, configuration, port=8134) as connectd, ThreadPoolExecutor() as pool:
        rounds = pool.submit(connectd.client.check, target, count=5, timeout_ms=1000, interval_ms=100)
        wait_until(lambda: b"connectd_in_flight 1" in connectd.client.get("/metrics").body, 10, "it runs", 0.005)
        waiting = connectd.client.check(net.REFUSED)
        assert rounds.result()["rounds"]["ok"] == 5
    assert waiting["timings_ms"]["queue"] > 100


def test_rounds_without_a_pause_let_other_checks_run(network):
    with Connectd(network.a, {**OPEN_CONFIGURATION, "workers": 1}, port=8135) as connectd:
        with peers.tcp_listener(network.b, net.OPEN, backlog=4096) as listener, ThreadPoolExecutor() as pool:
            target = f"tcp://{net.OPEN}:{listener.getsockname()[1]}"
            members = {"count": 1000, "timeout_ms": 60, "half_open": True}
            busy = [pool.submit(connectd.client.check, target, **members) for _ in range(4)]
            wait_until(lambda: b"connectd_in_flight 4" in connectd.client.get("/metrics").body, 10, "they run", 0.002)
            begin = time.monotonic()
            assert_failure(connectd.client.check(net.REFUSED), 111, "refused", "target")
            assert time.monotonic() - begin < 1
            assert all(check.result()["rounds"]["sent"] == 1000 for check in busy)


def test_a_client_that_leaves_ends_the_rounds(connectd):
    with connectd.http.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        host = f"127.0.0.1:{connectd.port}"
        client.sendall(check_request(net.SILENT, host, timeout_ms=5000, count=10, interval_ms=1000))
        connectd.wait_until_connecting()
    connectd.wait_until_none_connects()
    wait_until(lambda: b"connectd_in_flight 0" in connectd.client.get("/metrics").body, 10, "no check runs")


def test_a_check_of_several_rounds_counts_once(api, target):
    def count() -> float:
        lines = api.get("/metrics").body.decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("connectd_checks_total"))

    before = count()
    api.check(target, count=5, timeout_ms=1000)
    assert count() == before + 1


@pytest.mark.parametrize(
    "members,pointer",
    [
        ({"count": 13}, "/count"), ({"count": 60, "timeout_ms": 1001}, "/count"),
        ({"count": 2, "timeout_ms": 100, "interval_ms": 60000}, "/count"), ({"count": 0}, "/count"),
        ({"count": 1001, "timeout_ms": 1}, "/count"), ({"count": 1.5}, "/count"), ({"count": None}, "/count"),
        ({"interval_ms": 100}, "/interval_ms"), ({"count": 1, "interval_ms": 100}, "/interval_ms"),
        ({"count": 2, "interval_ms": -1}, "/interval_ms"),
        ({"count": 2, "bind": {"port": 40000}}, "/bind/port"),
    ],
)  # fmt: skip
def test_rounds_that_make_no_sense_are_a_bad_request(api, members, pointer):
    assert_problem(api.post("/v1/checks", {"target": "tcp://127.0.0.1:9", **members}), 400, pointer)


def test_sixty_seconds_are_accepted(api):
    for members in ({"count": 12}, {"count": 60, "timeout_ms": 1000}, {"count": 2, "timeout_ms": 100, "interval_ms": 500}):
        assert api.post("/v1/checks", {"target": "tcp://127.0.0.1:9", **members}).status == 200


def test_a_source_port_can_be_used_again_after_a_reset(api, target):
    # Not one of the ports that the kernel chooses for other connections.
    result = api.check(target, count=3, timeout_ms=1000, bind={"port": 21234}, socket={"close": "rst"})
    assert_success(result)
    assert result["rounds"]["ok"] == 3


def test_a_monitor_can_have_rounds_and_a_hold(network, target):
    monitor = {"name": "db", "check": {"target": target, "count": 3, "timeout_ms": 1000, "hold_ms": 20}}
    with Connectd(network.a, {**OPEN_CONFIGURATION, "monitors": [monitor]}, port=8136) as connectd:
        connectd.wait_for_monitor("db", "up")
        last = connectd.monitor("db")["last"]
    assert last["rounds"]["ok"] == 3
    assert last["after"]["event"] == "open"


def test_a_denied_target_is_denied_before_the_first_round(network):
    configuration = {"policy": {"profile": "rules"}}
    with Connectd(network.a, configuration, port=8137) as connectd:
        assert_problem(connectd.client.post("/v1/checks", {"target": "tcp://10.88.1.1:9", "count": 2}), 403)
