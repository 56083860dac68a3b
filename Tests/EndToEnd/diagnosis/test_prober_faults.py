"""Faults of the prober, and what only a service with its configuration can have."""

import contextlib
import resource
import socket

import pytest

from support import network as net
from support import peers
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.diagnosis import diagnose

OWN_PORT = 8092
A = net.OPEN


def test_no_ephemeral_port_is_free(network):
    with (
        peers.tcp_listener(network.b, A) as listener,
        network.a.setting("net.ipv4.ip_local_port_range", "41000 41001"),
        contextlib.ExitStack() as held,
    ):
        port = listener.getsockname()[1]
        for _ in range(2):
            client = held.enter_context(network.a.socket())
            client.connect((A, port))
        report = diagnose(network.a, f"{A}:{port}")
    report.must_be(
        "prober", "certain",
        f"This machine cannot connect to {A}:{port}: all ephemeral ports for this destination are in use.",
    )  # fmt: skip
    assert report.findings["ports_exhausted"]["evidence"]["ephemeral_ports"] == 2


def test_no_descriptor_is_free(network):
    """The client's connection exists; the check's socket is one descriptor too many."""
    with Connectd(network.a, port=OWN_PORT) as connectd, peers.tcp_listener(network.b, A) as listener:
        target = f"{A}:{listener.getsockname()[1]}"
        with connectd.unix.connect() as connection:
            connection.settimeout(10)
            assert ask(connection, target)["verdict"] == "ok"
            used = connectd.open_descriptors()
            first_free = next(number for number in range(len(used) + 1) if number not in used)
            before = resource.prlimit(connectd.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(connectd.pid, resource.RLIMIT_NOFILE, (first_free, before[1]))
            answer = ask(connection, target)
            resource.prlimit(connectd.pid, resource.RLIMIT_NOFILE, before)
            assert ask(connection, target)["verdict"] == "ok"
    assert (answer["verdict"], answer["confidence"]) == ("prober", "certain")
    assert answer["sentence"] == f"This machine cannot connect to {target}: no file descriptor is free (EMFILE)."


def ask(connection: socket.socket, target: str) -> dict:
    import json

    from support.http_client import read_answer

    body = json.dumps({"target": target, "timeout_ms": 3000}).encode()
    head = f"POST /v1/diagnoses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return read_answer(connection.makefile("rb")).json


@pytest.fixture(scope="module")
def signing(network):
    configuration = {**OPEN_CONFIGURATION, "md5_keys": {"bgp": {"file": "bgp.key"}}}
    with Connectd(network.a, configuration, port=OWN_PORT, files={"bgp.key": "secret\n"}) as running:
        yield running


def diagnosis(connectd, target: str, **members) -> dict:
    answer = connectd.client.post("/v1/diagnoses", {"target": target, "timeout_ms": 4000, **members}, timeout=30)
    assert answer.status == 200, answer.body
    return answer.json


def test_a_target_without_the_md5_key(network, signing):
    with peers.tcp_listener(network.b, net.MD5) as listener:
        target = f"{net.MD5}:{listener.getsockname()[1]}"
        answer = diagnosis(signing, target, socket={"tcp_md5": "bgp"})
    assert answer["sentence"] == (
        f"{target} does not answer, probably because the TCP MD5 keys of the two sides differ."
    )
    assert (answer["verdict"], answer["confidence"]) == ("request", "likely")


def test_a_target_with_another_md5_key(network, signing):
    """Both sides sign: a wrong key looks like a dropped port."""
    with peers.tcp_listener(network.b, net.MD5) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, peers.TCP_MD5SIG, peers.md5_signature(net.PROBER, b"another"))
        target = f"{net.MD5}:{listener.getsockname()[1]}"
        answer = diagnosis(signing, target, socket={"tcp_md5": "bgp"})
    assert answer["confidence"] == "possible"
    assert set(answer["causes"]) == {"port_dropped", "backlog_full", "md5_mismatch"}
    assert "the TCP MD5 keys of the two sides differ" in answer["sentence"]
