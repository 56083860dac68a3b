"""`health_listen`: /livez, /readyz and /metrics for kubelets, on any address, and no other resource."""

import contextlib
import os
import select
import socket

import pytest

from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_problem
from support.http_client import Client, read_answer, tcp_connector
from support.waiting import wait_until

PORT, HEALTH = 8211, 8212


@pytest.fixture(scope="module")
def running(loopback_only):
    configuration = {
        **OPEN_CONFIGURATION,
        "health_listen": [f"0.0.0.0:{HEALTH}"],
        "auth": {"tokens_file": "tokens"},
        "monitors": [{"name": "down", "required": True, "check": {"target": "tcp://127.0.0.1:1"}}],
    }
    with Connectd(loopback_only, configuration, port=PORT, files={"tokens": "a:token-of-a-0123456789\n"}) as it:
        yield it


@pytest.fixture
def health(running) -> Client:
    return Client(tcp_connector(running.namespace, "127.0.0.1", HEALTH), host="a.name.of.no.list")


def test_health_listeners_answer_any_client_and_any_host(health):
    assert health.get("/livez").status == 200
    metrics = health.get("/metrics")
    assert metrics.status == 200 and b"connectd_build_info" in metrics.body
    assert health.request("HEAD", "/livez").status == 200


def test_readiness_has_no_details_even_with_a_token(running, health):
    token = {"Authorization": "Bearer token-of-a-0123456789"}
    assert "missing" in running.client.get("/readyz", token).json
    answer = health.get("/readyz", token)
    assert answer.status == 503 and "missing" not in answer.json


@pytest.mark.parametrize(
    "path", ["/", "/v1/checks", "/v1/probe?target=tcp://127.0.0.1:1", "/v1/monitors", "/v1/errors", "/openapi.yaml"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_resources_are_404(health, method, path):
    body = '{"target":"tcp://127.0.0.1:1"}' if method == "POST" else None
    assert_problem(health.request(method, path, body), 404)


def test_other_methods_are_refused(health):
    assert assert_problem(health.request("POST", "/livez", "{}"), 405)


def test_the_port_of_a_health_listener_is_denied_as_a_target(running):
    token = {"Authorization": "Bearer token-of-a-0123456789"}
    answer = running.client.post("/v1/checks", {"target": f"tcp://127.0.0.1:{HEALTH}"}, token)
    assert_problem(answer, 403)


def test_the_environment_sets_the_address(loopback_only):
    with Connectd(
        loopback_only, port=PORT + 2, environment={"CONNECTD_HEALTH_LISTEN": f"127.0.0.1:{HEALTH + 2}"}
    ) as it:
        client = Client(tcp_connector(loopback_only, "127.0.0.1", HEALTH + 2))
        assert client.get("/livez").status == 200
        assert "CONNECTD_HEALTH_LISTEN" not in it.log


# A connection with the beginning of a request is not idle.
UNFINISHED = b"GET /livez HTTP/1.1\r\nHost: "


@pytest.mark.parametrize("kept", [False, True], ids=["silent", "kept"])
@pytest.mark.parametrize("purpose", ["service", "health"])
def test_idle_clients_give_way_to_a_health_check(loopback_only, purpose, kept):
    """Clients that hold every connection without a request cannot make a liveness check fail."""
    configuration = {**OPEN_CONFIGURATION, "limits": {"in_flight": 8}}
    health = Client(tcp_connector(loopback_only, "127.0.0.1", HEALTH + 9))
    if purpose == "health":
        configuration["health_listen"] = [f"127.0.0.1:{HEALTH + 9}"]
    with Connectd(loopback_only, configuration, port=PORT + 9, descriptors=256) as it, contextlib.ExitStack() as held:
        client = it.http if purpose == "service" else health
        for _ in range(300):
            connection = held.enter_context(client.connect())
            if kept:
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert read_answer(connection.makefile("rb")).status == 200
        for _ in range(50):
            assert client.get("/livez").status == 200
        assert len(it.open_descriptors()) < 256


def flood(client: Client, held: contextlib.ExitStack) -> list[socket.socket]:
    """More connections than the service has room for, each with an incomplete head."""
    clients = []
    for _ in range(1000):
        clients.append(held.enter_context(client.connect()))
        # The service may have refused it already.
        with contextlib.suppress(OSError):
            clients[-1].sendall(UNFINISHED)
    return clients


def assert_some_ended(clients: list[socket.socket]) -> None:
    # Not select(2): in a process with many open files, a descriptor may be over its 1024.
    poll = select.poll()
    for client in clients:
        poll.register(client, select.POLLIN)
    assert poll.poll(5000), "the limit of connections ends some"


def test_a_flood_of_other_listeners_leaves_room_for_health_checks(loopback_only):
    configuration = {
        **OPEN_CONFIGURATION,
        "health_listen": [f"127.0.0.1:{HEALTH + 4}"],
        "limits": {"in_flight": 8},
        "workers": 1,
    }
    with Connectd(loopback_only, configuration, port=PORT + 4, descriptors=1024) as it, contextlib.ExitStack() as held:
        clients = flood(it.http, held)
        assert_some_ended(clients)
        health = Client(tcp_connector(loopback_only, "127.0.0.1", HEALTH + 4))
        assert health.get("/livez").status == 200


def test_a_flood_of_health_checks_leaves_room_for_other_listeners(loopback_only):
    """Health listeners need no authentication, so their clients must not be able to block the service."""
    configuration = {
        **OPEN_CONFIGURATION,
        "health_listen": [f"127.0.0.1:{HEALTH + 6}"],
        "limits": {"in_flight": 8},
        "workers": 1,
    }
    with Connectd(loopback_only, configuration, port=PORT + 8, descriptors=1024) as it, contextlib.ExitStack() as held:
        health = Client(tcp_connector(loopback_only, "127.0.0.1", HEALTH + 6))
        clients = flood(health, held)
        assert_some_ended(clients)
        assert it.http.get("/livez").status == 200
        assert it.http.post_check("tcp://127.0.0.1:1").status == 200
        held.close()
        wait_until(lambda: health.get("/livez").status == 200, 30, "closed connections make room for new ones")


def test_a_socket_file_has_the_configured_mode(loopback_only, folder):
    for mode in ("0600", "0666"):
        path = f"{folder}/s{mode}"
        with Connectd(loopback_only, port=PORT + 6, listen=(f"unix:{path}?mode={mode}",)):
            assert os.stat(path).st_mode & 0o777 == int(mode, 8)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
