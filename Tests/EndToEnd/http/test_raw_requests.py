"""Requests as bytes over each kind of listener: what is answered, and what follows on the connection."""

import socket
import ssl

import pytest

from support.connectd_process import Connectd
from support.http_client import Client, read_answer
from support.https_peers import certify, connector, https
from support.raw_connection import verdict_of
from support.raw_requests import LIVE, RawRequest, cases, check, get

TLS_PORT = 8261
REQUESTS = cases()
CONFIGURATION = {"hosts": ["connectd.internal"], "policy": {"profile": "internal"}}
LISTENERS = ("plain", "https", "unix")


@pytest.fixture(scope="module")
def plain(loopback_only):
    with Connectd(loopback_only, CONFIGURATION, port=TLS_PORT - 1) as running:
        yield running


@pytest.fixture(scope="module")
def encrypted(loopback_only, module_folder):
    certify(module_folder, "server")
    with Connectd(loopback_only, {**CONFIGURATION, "https": https(module_folder)}, port=TLS_PORT, unix=True) as running:
        yield running


@pytest.fixture(scope="module")
def connectors(plain, encrypted, loopback_only, module_folder) -> dict:
    return {
        "plain": plain.http.connect,
        "https": connector(loopback_only, module_folder, port=TLS_PORT),
        "unix": plain.unix.connect,
    }


def settled(expected: str) -> str:
    """A verdict with its ending."""
    return expected if expected.split()[-1] in ("open", "closed", "waiting") else expected + " open"


def test_there_are_as_many_requests_as_documented():
    assert len(REQUESTS) >= 600


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.name)
def test_each_request_has_its_verdict(connectors, request_: RawRequest, listener):
    expected = settled(request_.expected(listener))
    assert verdict_of(connectors[listener], request_.data, expected, request_.is_head) == expected


@pytest.mark.parametrize("listener", LISTENERS)
def test_the_scheme_of_an_absolute_target_is_that_of_the_connection(connectors, listener):
    """9112, 3.2.2: a server must accept the absolute form. 9110, 7.4: a request for another scheme is misdirected."""
    own, other = (b"https", b"http") if listener == "https" else (b"http", b"https")
    for target, expected in ((own + b"://localhost/livez", "200 open"), (own.upper() + b"://LocalHost/livez", "200 open"),
                             (other + b"://localhost/livez", "400 closed"), (own + b"://other.example/livez", "400 closed")):  # fmt: skip
        assert verdict_of(connectors[listener], get(target=target), expected) == expected, target


# Heads, bodies and chunks that arrive in pieces are judged like those that arrive at once.
IN_PIECES = [request for request in REQUESTS if len(request.data) < 400 and "waiting" not in request.verdict][::6]


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("request_", IN_PIECES, ids=lambda request: request.name)
def test_a_request_in_pieces_is_not_accepted_sooner(connectors, request_: RawRequest, listener):
    """A refusal may come before the rest, which the kernel then answers with a reset."""
    expected = settled(request_.expected(listener))
    # The buffer of a UNIX socket has room for some 270 writes of any size, and connectd reads a head when it is complete.
    smallest = 2 if listener == "unix" else 1
    for piece in (smallest, 7, max(len(request_.data) // 2, 1)):
        found = verdict_of(connectors[listener], request_.data, expected, request_.is_head, piece)
        assert found == expected or (found.split()[-1] == "closed" and expected.endswith(f"{found}")), (piece, found)


@pytest.mark.parametrize("listener", ("plain", "unix"))
@pytest.mark.parametrize("data,answers", [
    (LIVE, ["200"]), (check(), ["200"]), (LIVE + LIVE, ["200", "200"]), (LIVE[:-2], []), (check()[:-3], ["400"]), (b"G", []), (b"", []),
], ids=["a request", "a check", "two requests", "half of a head", "half of a body", "a letter", "nothing"])  # fmt: skip
def test_what_was_sent_before_a_half_close_is_answered(connectors, listener, data, answers):
    """A client that ends its side still reads. What is incomplete then can never be answered, and the connection ends."""
    with connectors[listener]() as connection:
        connection.settimeout(10)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        stream = connection.makefile("rb")
        statuses = [str(read_answer(stream).status) for _ in answers]
        rest = stream.read()
    assert statuses == answers
    assert not rest or rest.startswith((b"HTTP/1.1 400", b"HTTP/1.1 408")), rest


def test_tls_to_the_plain_port_is_refused(plain):
    for first in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 500, b"\x80\x2e\x01\x00\x02" + b"\x01" * 41):
        assert verdict_of(plain.http.connect, first, "400 closed") == "400 closed"
    context = ssl.create_default_context()
    with plain.http.connect() as connection, pytest.raises((ssl.SSLError, ConnectionResetError)):
        connection.settimeout(10)
        context.wrap_socket(connection, server_hostname="localhost")


@pytest.mark.parametrize("data", [LIVE, check(), b"SSH-2.0-x\r\n", b"\0" * 64, b"\x16\x03\x01\x00\x05hello", b"\xff" * 200, b"\x17\x03\x03\x00\x01x"],
                         ids=["HTTP", "a check", "SSH", "nulls", "a record of another kind", "high bytes", "data without a handshake"])  # fmt: skip
def test_plain_bytes_to_the_tls_port_end_the_connection(encrypted, data):
    """At most a TLS alert comes back, or plain advice; never the resource."""
    with encrypted.http.connect() as connection:
        connection.settimeout(10)
        connection.sendall(data)
        received = b""
        try:
            while part := connection.recv(4096):
                received += part
        except ConnectionResetError:
            pass
    assert not received.startswith(b"HTTP/1.1 200") and b"outcome" not in received, received
    assert not received or received[0] == 0x15 or received.startswith(b"HTTP/1.1 400"), received


def test_the_services_still_answer(plain, connectors):
    assert plain.client.get("/livez").status == 200
    assert Client(connectors["https"]).get("/livez").status == 200
