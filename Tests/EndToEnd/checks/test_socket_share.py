"""Checks of many addresses have a limited share of the sockets, so that other checks still get theirs."""

import collections
import concurrent.futures
import time

import pytest

from support import network as net
from support import peers
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_success
from support.http_client import check_request
from support.waiting import wait_until

OWN_PORT = 8093
SILENT_NETWORK = "10.88.9"
COUNT = 128


@pytest.fixture(scope="module")
def listener(network):
    """Names with many silent addresses, a name with a silent and an open address, and a listener at the open one."""
    network.b.ip(f"route add blackhole {SILENT_NETWORK}.0/24")
    silent = [f"{SILENT_NETWORK}.{number} silent.example" for number in range(1, COUNT + 1)]
    hosts = ["127.0.0.1 localhost", *silent, f"{SILENT_NETWORK}.200 mixed.example", f"{net.OPEN} mixed.example"]
    network.a.write_etc("hosts", "\n".join(hosts) + "\n")
    with peers.tcp_listener(network.b, net.OPEN) as made:
        made.listen(1024)
        yield made
    network.a.write_etc("hosts", "127.0.0.1 localhost\n")
    network.b.ip(f"route del blackhole {SILENT_NETWORK}.0/24")


def serve(network, descriptors: int, **members) -> Connectd:
    return Connectd(network.a, {**OPEN_CONFIGURATION, **members}, port=OWN_PORT, descriptors=descriptors)


def flood(pool, connectd, count: int, timeout_ms: int, addresses: str = "all") -> list:
    return [
        pool.submit(
            connectd.client.post_check, "silent.example:80", resolve={"addresses": addresses}, timeout_ms=timeout_ms
        )
        for _ in range(count)
    ]


def assert_no_lie(answer) -> collections.Counter:
    """Accepts 503, or a result in which each address timed out or connectd was busy."""
    if answer.status == 503:
        return collections.Counter()
    assert answer.status == 200
    names = collections.Counter()
    for attempt in answer.json["attempts"]:
        error = attempt["error"]
        names[error["name"]] += 1
        assert (error["name"], error["fault"]) in [("DEADLINE", "network"), ("PROBER_BUSY", "prober")], error
        assert error["class"] == {"DEADLINE": "timeout", "PROBER_BUSY": "prober_exhausted"}[error["name"]]
    return names


@pytest.mark.deadline
def test_a_flood_of_many_addresses_leaves_sockets_for_others(network, listener):
    target = f"tcp://{net.OPEN}:{listener.getsockname()[1]}"
    with serve(network, 4096) as connectd, concurrent.futures.ThreadPoolExecutor(140) as pool:
        answers = flood(pool, connectd, 120, timeout_ms=6000)
        time.sleep(1.5)  # By then the share is used up, and must not grow.
        assert len(connectd.open_descriptors()) < 2500
        waits = []
        for _ in range(20):
            begin = time.monotonic()
            assert connectd.client.get("/livez").status == 200
            waits.append(time.monotonic() - begin)
        assert sorted(waits)[10] < 0.1, waits
        honest = [pool.submit(connectd.client.check, target, timeout_ms=3000) for _ in range(100)]
        for item in honest:
            assert_success(item.result())
        assert not any(item.done() for item in answers), "the flood is over: nothing was shown"
        names = sum((assert_no_lie(item.result()) for item in answers), collections.Counter())
        assert names["PROBER_BUSY"] > 0 and names["DEADLINE"] > 0
        assert sum(names.values()) == 120 * COUNT
        # The sockets are available again.
        result = connectd.client.check("silent.example:80", resolve={"addresses": "all"}, timeout_ms=500)
        assert {attempt["error"]["name"] for attempt in result["attempts"]} == {"DEADLINE"}


@pytest.mark.parametrize("addresses", ["all", "race"])
def test_a_check_of_two_addresses_gets_a_socket_during_a_flood(network, listener, addresses):
    with serve(network, 4096) as connectd, concurrent.futures.ThreadPoolExecutor(120) as pool:
        answers = flood(pool, connectd, 60, timeout_ms=3000)
        time.sleep(1)  # By then the flood uses its whole share.
        result = connectd.client.check(
            f"mixed.example:{listener.getsockname()[1]}", resolve={"addresses": addresses}, timeout_ms=1500
        )
        assert "connected" in {attempt["outcome"] for attempt in result["attempts"]}, result
        assert result["ok"] is (addresses == "race")
        for item in answers:
            assert_no_lie(item.result())


def test_a_race_has_a_limited_share(network, listener):
    with serve(network, 256) as connectd, concurrent.futures.ThreadPoolExecutor(60) as pool:
        answers = flood(pool, connectd, 30, timeout_ms=3000, addresses="race")
        time.sleep(2.5)  # A race starts one attempt after another. By then many are in progress.
        assert connectd.client.get("/livez").status == 200
        assert_success(connectd.client.check(f"tcp://{net.OPEN}:{listener.getsockname()[1]}", timeout_ms=2000))
        for item in answers:
            assert_no_lie(item.result())


def test_with_few_descriptors_addresses_are_tried_in_turn(network, listener):
    """A check with fewer sockets than addresses tries the rest as attempts end, and does not blame the target."""
    with serve(network, 256) as connectd:
        result = connectd.client.check("silent.example:80", resolve={"addresses": "all"}, timeout_ms=1000)
        names = collections.Counter(attempt["error"]["name"] for attempt in result["attempts"])
        assert set(names) == {"DEADLINE", "PROBER_BUSY"} and sum(names.values()) == COUNT
        assert result["error"]["name"] == "DEADLINE", "the addresses that were tried were silent"


def test_monitors_of_many_addresses_have_the_same_share(network, listener):
    monitors = [
        {
            "name": f"m{number}",
            "interval_ms": 1000,
            "check": {"target": "silent.example:80", "resolve": {"addresses": "all"}, "timeout_ms": 3000},
        }
        for number in range(30)
    ]
    with serve(network, 1024, monitors=monitors) as connectd:
        time.sleep(2)  # Two rounds.
        for _ in range(20):
            assert_success(connectd.client.check(f"tcp://{net.OPEN}:{listener.getsockname()[1]}", timeout_ms=2000))
        assert connectd.client.get("/livez").status == 200


@pytest.mark.parametrize("addresses", ["all", "race"])
def test_cancelled_checks_release_their_sockets(network, listener, addresses):
    request = check_request("silent.example:80", resolve={"addresses": addresses}, timeout_ms=20000)
    with serve(network, 1024) as connectd:
        before = len(connectd.open_descriptors())
        clients = []
        for _ in range(40):
            connection = connectd.unix.connect()
            connection.sendall(request)
            clients.append(connection)
        wait_until(lambda: len(connectd.open_descriptors()) > before + 60, 30, "the checks have sockets open")
        for connection in clients:
            connection.close()
        connectd.wait_for_descriptors(before + 5)
        result = connectd.client.check("silent.example:80", resolve={"addresses": "all"}, timeout_ms=800)
        tried = [attempt for attempt in result["attempts"] if attempt["error"]["name"] == "DEADLINE"]
        assert len(tried) >= 80, "sockets that were held are not there again"
