"""The budget of memory and descriptors: shown at the start and in /metrics."""

import contextlib
import re
import time

import pytest

from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.waiting import wait_until

PORT, HEALTH = 8471, 8472


@pytest.fixture(scope="module")
def service(loopback_only):
    configuration = {**OPEN_CONFIGURATION, "health_listen": [f"127.0.0.1:{HEALTH}"]}
    with Connectd(loopback_only, configuration, port=PORT, descriptors=1024) as it:
        yield it


def samples(service) -> dict[str, float]:
    lines = service.client.get("/metrics").body.decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def test_the_start_says_what_the_limits_are(service):
    found = re.search(
        r"budget: (\d+) MiB of memory \(limit of the (machine|control group)\), of it (\d+) MiB for clients and (\d+) MiB .*; "
        r"(\d+) file descriptors \(RLIMIT_NOFILE\), of them (\d+) for connections and (\d+) for sockets of checks; (\d+) checks",
        service.log)
    assert found, service.log
    memory, _, clients, checks, descriptors, connections, sockets, _ = found.groups()
    assert int(clients) + int(checks) < int(memory)
    assert int(descriptors) == 1024 and int(connections) + int(sockets) < 1024


def test_metrics_show_limits_use_and_refusals(service):
    before = samples(service)
    uses = {"handshakes", "sessions", "heads", "bodies", "answers", "checks"}
    for name in ("connectd_client_memory_bytes", "connectd_client_memory_refusals_total"):
        assert {use for use in uses if f'{name}{{use="{use}"}}' in before} == uses
    assert before["connectd_client_memory_limit_bytes"] > 0
    assert before["process_max_fds"] == 1024
    with service.http.connect(), service.http.connect():
        wait_until(lambda: samples(service)["connectd_connections"] >= before["connectd_connections"] + 2, 10, "both count")
    wait_until(lambda: samples(service)["connectd_connections"] <= before["connectd_connections"], 10, "neither counts")
    assert before["connectd_connections_limit"] < 1024


def test_a_check_with_tls_counts_while_it_waits_for_its_peer(service, loopback_only):
    use = 'connectd_client_memory_bytes{use="checks"}'
    assert samples(service)[use] == 0
    with loopback_only.socket() as silent, service.http.connect() as client:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        target = f"tls://127.0.0.1:{silent.getsockname()[1]}"
        request = f"GET /v1/probe?target={target} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n\r\n"
        client.sendall(request.encode())
        wait_until(lambda: samples(service)[use] > 0, 10, "the memory of the handshake counts")
    wait_until(lambda: samples(service)[use] == 0, 10, "and is returned when the client has left")


def test_a_flood_of_the_other_listener_does_not_stop_the_health_listener(service, loopback_only):
    """More clients than connectd may refuse at once: accepting pauses, but only there."""
    with contextlib.ExitStack() as held:
        for _ in range(900):
            client = held.enter_context(loopback_only.socket())
            client.settimeout(0.05)
            with contextlib.suppress(OSError):
                client.connect(("127.0.0.1", PORT))
                # Clients with a part of a head do not give way at once.
                client.sendall(b"GET /livez HTTP/1.1\r\nX: ")
        begun = time.monotonic()
        for _ in range(20):
            with loopback_only.socket() as health:
                health.settimeout(5)
                health.connect(("127.0.0.1", HEALTH))
                health.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert health.recv(15) == b"HTTP/1.1 200 OK"
        assert time.monotonic() - begun < 1
