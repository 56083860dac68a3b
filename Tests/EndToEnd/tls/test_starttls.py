"""STARTTLS in each protocol: peers that accept, refuse, have no TLS, close, speak something else, or inject."""

import contextlib
import socket
import time

import pytest

from support import network as net
from support import tls_peers
from support.certificates import HOST
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_failure, assert_problem, assert_success
from support.starttls_peers import REFUSALS, TALKS, mysql_greeting
from support.tls_expectations import assert_tls_failure, assert_verified

PORT = 8231
PROTOCOLS = list(TALKS)


@pytest.fixture(scope="module")
def connectd(network, authorities):
    configuration = {**OPEN_CONFIGURATION, "authorities": {"tests": {"file": "tests.pem"}}}
    with Connectd(network.a, configuration, port=PORT, files={"tests.pem": authorities.root_pem}) as running:
        yield running


@pytest.fixture
def meeting(network):
    """Starts a peer that runs a script on each connection; returns its port. An error in the script fails the test."""
    wrong = []
    with contextlib.ExitStack() as stack:

        def start(script) -> int:
            def watched(connection: socket.socket) -> None:
                try:
                    script(connection)
                except (AssertionError, UnicodeDecodeError) as error:
                    wrong.append(error)

            return stack.enter_context(tls_peers.listening(network.b, watched))

        yield start
    assert not wrong, wrong


def check(api, port: int, protocol: str, timeout_ms: int = 5000, dialog: list | None = None, **tls) -> dict:
    members = {} if dialog is None else {"dialog": dialog}
    options = {"server_name": HOST, "ca": "tests", "starttls": protocol, **tls}
    return api.check(f"tcp://{net.OPEN}:{port}", tls=options, timeout_ms=timeout_ms, **members)


def willing(protocol: str, context, script=tls_peers.until_the_end):
    def run(connection: socket.socket) -> None:
        TALKS[protocol](connection, "willing")
        tls_peers.tls(context, script)(connection)

    return run


def then_ends(protocol: str, mode: str):
    def run(connection: socket.socket) -> None:
        TALKS[protocol](connection, mode)
        tls_peers.end_in_good_order(connection)

    return run


def then_stays(protocol: str, mode: str):
    def run(connection: socket.socket) -> None:
        TALKS[protocol](connection, mode)
        tls_peers.until_the_end(connection)

    return run


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_accepting_peer_connects(api, authorities, meeting, protocol):
    port = meeting(willing(protocol, tls_peers.server_context(authorities.good)))
    result = check(api, port, protocol)
    report = assert_verified(result, authorities.good)
    assert (report["version"], report["server_name"]) == ("TLSv1.3", HOST)
    assert "received" not in result.get("error", {})
    assert result["timings_ms"]["dialog"] == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_accepting_peer_with_an_expired_certificate_fails(api, authorities, meeting, protocol):
    port = meeting(willing(protocol, tls_peers.server_context(authorities.expired)))
    assert_tls_failure(check(api, port, protocol), "CERT_EXPIRED")
    assert_success(check(api, port, protocol, verify=False))


class Drip:
    """A connection that sends everything byte by byte."""

    def __init__(self, connection: socket.socket):
        self.connection = connection

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def sendall(self, data: bytes) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            self.connection.sendall(bytes([byte]))
            time.sleep(0.0005)  # Each byte is a packet of its own.


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_accepting_peer_that_sends_single_bytes_connects(api, authorities, meeting, protocol):
    context = tls_peers.server_context(authorities.good)

    def script(connection: socket.socket) -> None:
        TALKS[protocol](Drip(connection), "willing")
        tls_peers.tls(context)(connection)

    assert_verified(check(api, meeting(script), protocol), authorities.good)


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refusing_peer_is_starttls_refused(api, meeting, protocol, stays):
    started = time.monotonic()
    result = check(api, meeting((then_stays if stays else then_ends)(protocol, "refusing")), protocol)
    assert time.monotonic() - started < 3
    error = assert_tls_failure(result, "STARTTLS_REFUSED")
    if (line := REFUSALS[protocol]) is not None:
        assert line in error["received"], error
    # RFC 5321, 4.2.1: a reply of 4yz may be another one later.
    # 454, LDAP's unavailable (52), MySQL's "Too many connections" (1040).
    assert error["retryable"] is (protocol in ("smtp", "ldap", "mysql"))


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name not in ("ldap",)])
def test_a_peer_without_tls_is_starttls_refused(api, meeting, protocol):
    result = check(api, meeting(then_stays(protocol, "without")), protocol, timeout_ms=3000)
    error = assert_tls_failure(result, "STARTTLS_REFUSED")
    assert error["received"], error


@pytest.mark.deadline
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_peer_that_closes_at_once_is_tls_closed(api, meeting, protocol):
    started = time.monotonic()
    result = check(api, meeting(tls_peers.end_in_good_order), protocol)
    assert_tls_failure(result, "TLS_CLOSED")
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_peer_that_closes_instead_of_the_handshake_is_tls_closed(api, meeting, protocol):
    result = check(api, meeting(then_ends(protocol, "willing")), protocol)
    assert_tls_failure(result, "TLS_CLOSED")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_peer_that_resets_is_reset(api, meeting, protocol):
    def script(connection: socket.socket) -> None:
        time.sleep(0.02)  # What was said before is read before the reset comes.
        tls_peers.end_with_a_reset(connection)

    assert_failure(check(api, meeting(script), protocol), 104, "reset", "target", phase="tls")


@pytest.mark.deadline
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_silent_peer_is_a_timeout(api, meeting, protocol):
    result = check(api, meeting(tls_peers.until_the_end), protocol, timeout_ms=300)
    assert_failure(result, None, "timeout", "target", phase="tls", source="deadline", name="DEADLINE")
    assert 299 <= result["timings_ms"]["total"] < 550
    assert "tls.starttls" in result["error"]["hint"]


HTTP = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
SSH = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
# Telnet begins with any text: it waits for more, and the end is what it sees. The answer of PostgreSQL is one byte, of
# which S means yes.
ELSEWHERE = {
    ("telnet", HTTP): "TLS_CLOSED",
    ("telnet", SSH): "TLS_CLOSED",
    ("postgres", SSH): "TLS_PROTOCOL",
}


@pytest.mark.parametrize("words", [HTTP, SSH])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_peer_with_another_protocol_fails(api, meeting, protocol, words):
    def script(connection: socket.socket) -> None:
        connection.sendall(words)
        tls_peers.end_in_good_order(connection)

    result = check(api, meeting(script), protocol, timeout_ms=3000)
    verdict = ELSEWHERE.get((protocol, words), "STARTTLS_REFUSED")
    error = assert_tls_failure(result, verdict)
    if verdict == "STARTTLS_REFUSED":
        assert error["received"].startswith(words[:1].decode()), error


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_port_for_implicit_tls_fails(api, authorities, meeting, protocol):
    """The port for implicit TLS: it sends nothing before a ClientHello, and an alert after anything else."""
    port = meeting(tls_peers.tls(tls_peers.server_context(authorities.good)))
    result = check(api, port, protocol, timeout_ms=400)
    assert result["outcome"] in ("timeout", "tls_failed"), result
    assert result["phase"] == "tls"


INJECTED = b"EVIL injected before TLS\r\n"


class Injecting:
    """A connection that adds text to the last plain-text answer, in the same segment."""

    def __init__(self, connection: socket.socket, last: bytes):
        self.connection = connection
        self.last = last

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def sendall(self, data: bytes) -> None:
        self.connection.sendall(data + INJECTED if self.last in data else data)


GO_AHEAD = {
    "smtp": b"go ahead",
    "lmtp": b"go ahead",
    "imap": b"begin TLS",
    "pop3": b"begin TLS",
    "ftp": b"234",
    "nntp": b"382",
    "sieve": b"begin TLS",
    "irc": b"670",
    "ldap": b"\x78\x07\x0a\x01\x00",
    "postgres": b"S",
    "mysql": b"mysql_native_password",
    "xmpp": b"<proceed",
    "xmpp-server": b"<proceed",
    "telnet": bytes([255, 250, 46, 1, 255, 240]),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_text_after_the_go_ahead_is_not_tls(api, authorities, meeting, protocol):
    """CVE-2011-0411 and similar: plain text must never be taken for data from TLS."""
    context = tls_peers.server_context(authorities.good)

    def script(connection: socket.socket) -> None:
        TALKS[protocol](Injecting(connection, GO_AHEAD[protocol]), "willing")
        tls_peers.tls(context)(connection)

    dialog = [{"expect": "EVIL"}]
    result = check(api, meeting(script), protocol, timeout_ms=1000, dialog=dialog)
    error = assert_tls_failure(result, "TLS_PROTOCOL")
    assert error["received"].startswith("EVIL injected"), error
    assert "dialog" not in result or not result["dialog"]["steps"]


@pytest.mark.deadline
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_flood_without_a_line_end_is_bounded(api, meeting, protocol):
    def script(connection: socket.socket) -> None:
        tls_peers.repeat(connection, b"2" * 1000)

    started = time.monotonic()
    result = check(api, meeting(script), protocol, timeout_ms=800)
    assert result["outcome"] in ("tls_failed", "timeout"), result
    assert result["phase"] == "tls"
    assert len(result["error"].get("received", "")) <= 1024
    assert time.monotonic() - started < 2


@pytest.mark.deadline
@pytest.mark.parametrize("protocol", ["smtp", "imap", "ftp", "nntp", "sieve"])
def test_a_flood_of_lines_is_bounded(api, meeting, protocol):
    lines = {
        "smtp": b"220-x\r\n",
        "imap": b"* NO x\r\n",
        "ftp": b"220-x\r\n",
        "nntp": b"200 x\r\n",
        "sieve": b'"X" "y"\r\n',
    }

    def script(connection: socket.socket) -> None:
        tls_peers.repeat(connection, lines[protocol])

    started = time.monotonic()
    result = check(api, meeting(script), protocol, timeout_ms=800)
    assert result["outcome"] in ("tls_failed", "timeout"), result
    assert time.monotonic() - started < 2


def test_a_long_refusal_is_truncated(api, meeting):
    def script(connection: socket.socket) -> None:
        connection.sendall(b"554 " + b"no " * 2000 + b"\r\n")
        tls_peers.end_in_good_order(connection)

    error = assert_tls_failure(check(api, meeting(script), "smtp"), "STARTTLS_REFUSED")
    assert error["received"].startswith("554 no no")
    assert len(error["received"]) <= 1024


def test_a_rejecting_greeting_is_starttls_refused(api, meeting):
    def script(connection: socket.socket) -> None:
        connection.sendall(b"421 4.3.2 too busy\r\n")
        tls_peers.end_in_good_order(connection)

    error = assert_tls_failure(check(api, meeting(script), "smtp"), "STARTTLS_REFUSED")
    assert (error["received"].removesuffix("\\r\\n"), error["retryable"]) == ("421 4.3.2 too busy", True)


@pytest.mark.parametrize("protocol,name", [("xmpp", HOST), ("xmpp-server", HOST)])
def test_xmpp_sends_the_server_name(api, authorities, meeting, protocol, name):
    heard = []

    class Listening(Drip):
        def recv(self, count: int) -> bytes:
            data = self.connection.recv(count)
            heard.append(data)
            return data

    context = tls_peers.server_context(authorities.good)

    def script(connection: socket.socket) -> None:
        TALKS[protocol](Listening(connection), "willing")
        tls_peers.tls(context)(connection)

    assert_verified(check(api, meeting(script), protocol), authorities.good)
    assert f"to='{name}'" in b"".join(heard).decode().replace('"', "'")


def test_a_dialog_continues_after_starttls(api, authorities, meeting):
    def script(inside) -> None:
        assert inside.recv(100) == b"EHLO me\r\n"
        inside.sendall(b"250 secret greeting\r\n")
        tls_peers.until_the_end(inside)

    port = meeting(willing("smtp", tls_peers.server_context(authorities.good), script))
    dialog = [{"send": "EHLO me\r\n"}, {"expect": r"^250 (?<what>\w+)"}]
    result = check(api, port, "smtp", dialog=dialog)
    assert_verified(result, authorities.good)
    assert result["dialog"]["groups"] == {"what": "secret"}


def test_a_probe_can_use_starttls(api, authorities, meeting):
    port = meeting(willing("imap", tls_peers.server_context(authorities.good)))
    answer = api.get(f"/v1/probe?target=tcp://{net.OPEN}:{port}&starttls=imap&verify=false")
    assert (answer.status, answer.json["outcome"]) == (200, "connected")
    assert answer.json["tls"]["chain"][0]["sans"] == [f"DNS:{HOST}"]


def test_starttls_and_fast_open_exclude_each_other(api):
    members = {"tls": {"starttls": "smtp", "verify": False}, "socket": {"tcp_fast_open": True}}
    assert_problem(api.post_check(f"tcp://{net.OPEN}:9", **members), 400, "/socket/tcp_fast_open")


def test_a_mysql_greeting_cut_off_is_tls_closed(api, meeting):
    def script(connection: socket.socket) -> None:
        connection.sendall(mysql_greeting(True)[:20])
        tls_peers.end_in_good_order(connection)

    assert_tls_failure(check(api, meeting(script), "mysql"), "TLS_CLOSED")
