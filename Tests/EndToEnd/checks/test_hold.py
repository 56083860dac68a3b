"""`hold_ms`: what the peer does with an established connection, and what that makes of the check."""

import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import batches, peers
from support import network as net
from support.connectd_process import ESTABLISHED, OPEN_CONFIGURATION, Connectd
from support.expectations import assert_failure, assert_problem, assert_success
from support.http_client import check_request
from support.waiting import wait_until


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, peers.RESET)


def serving(network, script, address: str = net.OPEN):
    return peers.serving(peers.tcp_listener(network.b, address), peers.on_each_connection(script))


def target_of(listener: socket.socket) -> str:
    address, port = listener.getsockname()[:2]
    return f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"


@pytest.mark.parametrize("address", [net.OPEN, net.OPEN6])
def test_a_peer_that_stays_open_is_connected(api, network, address):
    with peers.tcp_listener(network.b, address) as listener:
        result = api.check(target_of(listener), hold_ms=150)
    assert_success(result)
    assert result["after"]["event"] == "open"
    assert result["after"]["ms"] >= 150
    assert result["timings_ms"]["hold"] >= 150
    assert result["timings_ms"]["connect"] < 150
    assert result["attempts"][0]["duration_ms"] < 150


@pytest.mark.parametrize("address", [net.OPEN, net.OPEN6])
def test_a_peer_that_closes_at_once_is_closed_early(api, network, address):
    with serving(network, lambda connection: None, address) as listener:
        result = api.check(target_of(listener), hold_ms=2000)
    attempt = assert_failure(
        result, None, "closed_early", "target", phase="hold", name="CLOSED_EARLY"
    )
    assert result["after"]["event"] == "closed"
    assert result["after"]["ms"] < 2000
    assert attempt["peer"] is not None
    assert "load balancer" in result["error"]["hint"]


def test_a_peer_that_resets_is_closed_early(api, network):
    with serving(network, reset) as listener:
        # The reset may arrive before or after connectd sees that the connect succeeded.
        for _ in range(20):
            result = api.check(target_of(listener), hold_ms=2000)
            assert_failure(result, 104, "closed_early", "target", phase="hold")
            assert result["after"]["event"] == "reset"


def test_a_peer_that_closes_later_is_closed_early_at_that_time(api, network):
    with serving(network, lambda connection: time.sleep(0.2)) as listener:
        result = api.check(target_of(listener), hold_ms=3000)
    assert_failure(result, None, "closed_early", "target", phase="hold", name="CLOSED_EARLY")
    assert 150 < result["after"]["ms"] < 3000


def test_a_half_closed_peer_is_closed(api, network):
    released = threading.Event()

    def half_close(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)
        released.wait(10)

    with serving(network, half_close) as listener:
        result = api.check(target_of(listener), hold_ms=2000)
        released.set()
    assert_failure(result, None, "closed_early", "target", phase="hold", name="CLOSED_EARLY")
    assert result["after"]["event"] == "closed"


def test_data_is_reported_and_the_watch_continues(api, network):
    ends = threading.Event()

    def greet(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        ends.wait(10)

    with serving(network, greet) as listener:
        result = api.check(target_of(listener), hold_ms=200)
        assert_success(result)
        assert result["after"]["event"] == "data"
        assert result["after"]["ms"] < result["timings_ms"]["hold"]
        ends.set()
    with serving(network, lambda connection: connection.sendall(b"421 busy\r\n")) as listener:
        result = api.check(target_of(listener), hold_ms=2000)
    assert_failure(result, None, "closed_early", "target", phase="hold", name="CLOSED_EARLY")


def test_a_peer_that_sends_without_end_costs_little(connectd, network):
    def flood(connection: socket.socket) -> None:
        connection.settimeout(2)
        block = bytes(65536)
        while True:
            connection.sendall(block)

    with serving(network, flood) as listener:
        before = connectd.processor_seconds()
        result = connectd.client.check(target_of(listener), hold_ms=1000)
        used = connectd.processor_seconds() - before
    assert_success(result)
    assert result["after"]["event"] == "data"
    assert used < 0.3


def test_a_dialog_after_the_hold_reads_what_arrived_meanwhile(api, network):
    def greet(connection: socket.socket) -> None:
        connection.sendall(b"220 hello\r\n")
        connection.recv(1)

    with serving(network, greet) as listener:
        result = api.check(target_of(listener), hold_ms=150, dialog=[{"expect": "^220 (?<name>\\S+)"}])
    assert_success(result)
    assert result["after"]["event"] == "data"
    assert result["dialog"]["groups"] == {"name": "hello"}
    assert result["timings_ms"]["dialog"] < 150 <= result["timings_ms"]["hold"]


def test_a_closed_connection_has_no_dialog(api, network):
    with serving(network, lambda connection: None) as listener:
        result = api.check(target_of(listener), hold_ms=2000, dialog=[{"send": "x"}])
    assert_failure(result, None, "closed_early", "target", phase="hold", name="CLOSED_EARLY")
    assert "dialog" not in result


def test_a_tls_handshake_follows_the_hold(api, network):
    seen = []

    def read(connection: socket.socket) -> None:
        begin = time.monotonic()
        seen.append((connection.recv(1), time.monotonic() - begin))

    with serving(network, read) as listener:
        result = api.check(target_of(listener), hold_ms=300, tls={"verify": False})
    assert result["phase"] == "tls"
    assert result["after"]["event"] == "open"
    assert seen[0][0] == b"\x16" and seen[0][1] > 0.25


def test_closed_early_can_be_expected(api, network):
    with serving(network, lambda connection: None) as listener:
        result = api.check(target_of(listener), hold_ms=2000, expect="closed_early")
        assert (result["ok"], result["outcome"]) == (True, "closed_early")
        assert api.check(target_of(listener), hold_ms=2000, expect="!closed_early")["ok"] is False


def test_a_connect_that_fails_has_no_hold(api):
    result = api.check(net.REFUSED, hold_ms=1000)
    assert_failure(result, 111, "refused", "target")
    assert "after" not in result and "hold" not in result["timings_ms"]


@pytest.mark.deadline
def test_a_hold_that_the_deadline_cuts_short_is_a_timeout_of_the_target(api, network):
    with peers.tcp_listener(network.b, net.OPEN, 9701):
        network.b.nft(
            "table inet once { chain input { type filter hook input priority -10;\n"
            "tcp dport 9701 tcp flags syn / fin,syn,rst,ack limit rate over 1/hour burst 1 packets accept\n"
            "tcp dport 9701 drop\n}\n}"
        )
        try:
            # The SYN is sent again after a second, so 400 ms are left for the hold.
            result = api.check(f"tcp://{net.OPEN}:9701", timeout_ms=1500, hold_ms=1400)
        finally:
            network.b.run("nft", "delete", "table", "inet", "once")
    assert_failure(result, None, "timeout", "target", phase="hold", source="deadline", name="DEADLINE")
    assert result["after"]["event"] == "open"
    assert "hold_ms" in result["error"]["hint"]
    assert 1450 < result["timings_ms"]["total"] < 1700


def test_the_next_address_is_tried_if_the_first_closes_early(connectd, network):
    network.a.write_etc("hosts", f"127.0.0.1 localhost\n{net.OPEN} two.example\n{net.SECOND} two.example\n")
    script = peers.on_each_connection(lambda connection: None)
    with peers.serving(peers.tcp_listener(network.b, net.OPEN, 9702), script):
        with peers.tcp_listener(network.b, net.SECOND, 9702):

            def check() -> dict:
                return connectd.client.check("tcp://two.example:9702", hold_ms=700, timeout_ms=1500)

            wait_until(lambda: len(check()["attempts"]) == 2, 10, "connectd reads the new hosts file")
            result = check()
    assert_success(result)
    assert [attempt["outcome"] for attempt in result["attempts"]] == ["closed_early", "connected"]
    assert result["after"]["event"] == "open"


def test_all_holds_every_address(connectd, network):
    network.a.write_etc("hosts", f"127.0.0.1 localhost\n{net.OPEN} all.example\n{net.SECOND} all.example\n")
    script = peers.on_each_connection(lambda connection: None)
    with peers.serving(peers.tcp_listener(network.b, net.OPEN, 9703), script):
        with peers.tcp_listener(network.b, net.SECOND, 9703):

            def check() -> dict:
                return connectd.client.check("tcp://all.example:9703", hold_ms=300, resolve={"addresses": "all"})

            wait_until(lambda: len(check()["attempts"]) == 2, 10, "connectd reads the new hosts file")
            result = check()
    assert_failure(result, None, "closed_early", "target", phase="hold", name="CLOSED_EARLY")
    assert {attempt["outcome"] for attempt in result["attempts"]} == {"closed_early", "connected"}


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_a_unix_peer_is_held_too(folder, network, kind):
    scheme = "unix" if kind == socket.SOCK_STREAM else "unix+seqpacket"
    policy = {"policy": {"profile": "internal", "rules": [{"action": "allow", "path": f"{folder}/*"}]}}
    with Connectd(configuration=policy) as connectd:
        with peers.unix_listener(f"{folder}/open", kind):
            result = connectd.client.check(f"{scheme}:{folder}/open", hold_ms=100)
            assert_success(result)
            assert result["after"]["event"] == "open"
        script = peers.on_each_connection(lambda connection: None)
        with peers.serving(peers.unix_listener(f"{folder}/closing", kind), script):
            result = connectd.client.check(f"{scheme}:{folder}/closing", hold_ms=2000)
            assert_failure(result, None, "closed_early", "target", phase="hold", name="CLOSED_EARLY")


def test_an_icmp_refusal_while_held_is_refused(api):
    result = api.check(f"udp://{net.OPEN}:9", dialog=[{"send": "x"}], hold_ms=2000)
    attempt = assert_failure(result, 111, "refused", "target", phase="hold")
    assert (attempt["icmp"]["type"], attempt["icmp"]["code"]) == (3, 3)
    assert result["after"]["event"] == "reset"
    assert result["timings_ms"]["hold"] < 2000


def test_a_datagram_while_held_is_an_answer(api, network):
    with peers.serving(peers.udp_socket(network.b, net.OPEN), peers.echo_datagram) as peer:
        result = api.check(f"udp://{net.OPEN}:{peer.getsockname()[1]}", dialog=[{"send": "x"}], hold_ms=200)
    assert_success(result, "answered")
    assert result["after"]["event"] == "data"


def test_a_silent_udp_peer_stays_associated(api):
    result = api.check(f"udp://{net.DROPPED}:9", dialog=[{"send": "x"}], hold_ms=100)
    assert_success(result, "associated")
    assert result["verified"] is False
    assert result["after"]["event"] == "open"


def test_a_client_that_leaves_ends_the_hold(connectd, network):
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        port = f":{listener.getsockname()[1]:04X}"

        def held() -> bool:
            return any(remote.endswith(port) for remote in connectd.sockets(ESTABLISHED))

        with connectd.http.connect() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            host = f"127.0.0.1:{connectd.port}"
            client.sendall(check_request(target_of(listener), host, timeout_ms=50000, hold_ms=40000))
            wait_until(held, 10, "the check holds its connection")
        wait_until(lambda: not held(), 10, "the check has closed its connection")


def test_a_hold_keeps_its_permit(network):
    configuration = {**OPEN_CONFIGURATION, "limits": {"in_flight": 1, "queue": 4}}
    with Connectd(network.a, configuration, port=8132) as connectd, peers.tcp_listener(network.b, net.OPEN) as listener:
        with ThreadPoolExecutor() as pool:
            held = pool.submit(connectd.client.check, target_of(listener), hold_ms=500)
            wait_until(lambda: connectd.sockets(ESTABLISHED), 10, "the check holds its connection", 0.005)
            waiting = connectd.client.check(net.REFUSED)
            assert held.result()["outcome"] == "connected"
    assert waiting["timings_ms"]["queue"] > 100


def test_holds_in_a_batch_run_at_the_same_time(api, network):
    with peers.tcp_listener(network.b, net.OPEN, backlog=64) as listener:
        begin = time.monotonic()
        checks = [{"target": target_of(listener)}] * 20
        results = batches.results(api, {"checks": checks, "defaults": {"hold_ms": 400}})
        elapsed = time.monotonic() - begin
    assert [result["after"]["event"] for result in results] == ["open"] * 20
    assert elapsed < 4


def test_the_hold_has_a_histogram(api, network):
    def count() -> float:
        text = api.get("/metrics").body.decode()
        [line] = [line for line in text.splitlines() if line.startswith('connectd_check_duration_seconds_count{phase="hold"}')]
        return float(line.split()[-1])

    before = count()
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        assert_success(api.check(target_of(listener), hold_ms=50))
    assert count() == before + 1


@pytest.mark.parametrize(
    "members",
    [
        {"hold_ms": 5000}, {"hold_ms": 1000, "timeout_ms": 1000}, {"hold_ms": -1}, {"hold_ms": 60001}, {"hold_ms": "1s"},
        {"hold_ms": 10, "target": "unix+dgram:/run/x"},
    ],
)  # fmt: skip
def test_a_hold_that_makes_no_sense_is_a_bad_request(api, members):
    request = {"target": "tcp://127.0.0.1:9", **members}
    assert_problem(api.post("/v1/checks", request), 400, "/hold_ms")


def test_a_probe_holds_its_connection(api, network):
    with serving(network, lambda connection: None) as listener:
        address = target_of(listener)
        answer = api.get(f"/v1/probe?target={address}&hold_ms=2000")
        assert (answer.status, answer.headers["connectd-outcome"]) == (502, "closed_early")
        assert api.get(f"/v1/probe?target={address}&hold_ms=0&half_open=false").status == 200
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        answer = api.get(f"/v1/probe?target={target_of(listener)}&hold_ms=50")
        assert (answer.status, answer.json["after"]["event"]) == (200, "open")


@pytest.mark.parametrize(
    "query,pointer",
    [
        ("hold_ms=5000", "/hold_ms"), ("hold_ms=x", "/hold_ms"), ("hold_ms=100&half_open=true", "/half_open"),
        ("half_open=1", "/half_open"), ("half_open=true&verify=false", "/half_open"), ("count=2", "/count"),
    ],
)  # fmt: skip
def test_a_probe_with_a_wrong_hold_is_a_bad_request(api, query, pointer):
    assert_problem(api.get(f"/v1/probe?target=tcp://127.0.0.1:9&{query}"), 400, pointer)
