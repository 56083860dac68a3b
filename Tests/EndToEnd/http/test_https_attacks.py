"""Attacks on the HTTPS listener: floods, silence, partial messages, and endless ones."""

import contextlib
import ctypes
import json
import os
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import time

import pytest

from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.http_client import Client, read_answer
from support.https_peers import HEALTH, PORT, certify, connector, https
from support.waiting import wait_until

LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def certificates(module_folder):
    certify(module_folder, "server")
    certify(module_folder, "ca")
    certify(module_folder, "client", "ca")
    return module_folder


def configuration(certificates, mutual: bool = False) -> dict:
    return {**OPEN_CONFIGURATION, "https": https(certificates, mutual=mutual), "health_listen": [f"127.0.0.1:{HEALTH}"],
            "workers": 2}


@pytest.fixture
def running(loopback_only, certificates):
    with Connectd(loopback_only, configuration(certificates), port=PORT) as it:
        yield it


@pytest.fixture
def small(loopback_only, certificates):
    """With room for about 18 handshakes and 36 connections."""
    with Connectd(loopback_only, configuration(certificates), port=PORT, descriptors=512) as it:
        yield it


def plain_socket(namespace, source: str | None = None) -> socket.socket:
    it = namespace.socket()
    it.settimeout(15)
    if source:
        it.bind((source, 0))
    it.connect(("127.0.0.1", PORT))
    return it


def client_hello() -> bytes:
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(received, sent, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def thread_seconds(pid: int) -> dict[str, tuple[int, float]]:
    """The nice value and CPU time of each thread."""
    found = {}
    for folder in pathlib.Path(f"/proc/{pid}/task").iterdir():
        words = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        found[folder.name] = int(words[16]), (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return found


def test_a_flood_of_handshakes_runs_at_low_priority(running, loopback_only):
    """Workers run no handshakes, so checks and health requests do not wait for them."""
    hello = client_hello()
    before = thread_seconds(running.pid)
    for _ in range(20):
        with contextlib.ExitStack() as held:
            clients = [held.enter_context(plain_socket(loopback_only)) for _ in range(40)]
            for client in clients:
                client.sendall(hello)
            for client in clients:
                assert client.recv(1) == b"\x16"
    assert running.unix.get("/livez").status == 200
    costs = {name: (nice, spent - before[name][1]) for name, (nice, spent) in thread_seconds(running.pid).items()}
    handshakes = [spent for nice, spent in costs.values() if nice > 0]
    assert len(handshakes) == 1 and handshakes[0] > 0.5 * sum(spent for _, spent in costs.values()), costs


def test_silent_clients_block_no_other_client(small, loopback_only, certificates):
    with contextlib.ExitStack() as held:
        for _ in range(150):
            held.enter_context(plain_socket(loopback_only))
        for connection in [held.enter_context(plain_socket(loopback_only)) for _ in range(30)]:
            connection.sendall(client_hello()[:100])
        for _ in range(5):
            assert Client(connector(loopback_only, certificates)).get("/livez").status == 200
        assert small.unix.get("/livez").status == 200
        assert len(small.open_descriptors()) < 100, "clients that gave way are closed"


def test_one_client_address_cannot_take_all_connections(small, loopback_only, certificates):
    """A new client replaces the oldest handshake of the address with the most, even if these wait only for the service."""
    hello = client_hello()
    with contextlib.ExitStack() as held:
        for _ in range(300):
            held.enter_context(plain_socket(loopback_only)).sendall(hello)
        assert Client(connector(loopback_only, certificates, source="127.0.0.2")).get("/livez").status == 200


def test_too_many_connections_are_refused_over_tls(small, loopback_only, certificates):
    connect = connector(loopback_only, certificates)
    with contextlib.ExitStack() as held:
        # The beginning of a body, for which there are 30 s: an idle connection would give way.
        head = b"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        for _ in range(50):
            held.enter_context(connect()).sendall(head)
        connection = held.enter_context(connect())
        connection.sendall(LIVE)
        refused = read_answer(connection.makefile("rb"))
        assert refused.status == 503 and refused.headers["retry-after"] == "1", refused
        assert "Too many connections" in refused.json["detail"]
        health = loopback_only.socket()
        with health:
            health.connect(("127.0.0.1", HEALTH))
            health.sendall(LIVE)
            assert health.recv(15) == b"HTTP/1.1 200 OK"
    wait_until(lambda: connect_and_ask(connect) == 200, 30, "closed connections make room for new ones")


def connect_and_ask(connect) -> int:
    with connect() as connection:
        connection.sendall(LIVE)
        return read_answer(connection.makefile("rb")).status


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_plain_http_gets_a_hint_to_use_https(running, loopback_only, method):
    body = json.dumps({"target": "tcp://127.0.0.1:9"}) if method == "POST" else None
    client = Client(lambda: plain_socket(loopback_only))
    answer = client.request(method, "/v1/checks", body)
    assert answer.status == 400 and "https://" in answer.json["detail"]
    assert answer.headers["connection"] == "close"


def hello_byte_by_byte(connection):
    for byte in client_hello():
        connection.sendall(bytes([byte]))


def half_a_hello(connection):
    connection.sendall(client_hello()[:50])
    connection.shutdown(socket.SHUT_WR)


def a_hello_and_a_reset(connection):
    connection.sendall(client_hello())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def a_record_too_large(connection):
    connection.sendall(b"\x16\x03\x01\xff\xff" + bytes(65535))


def a_hello_that_never_ends(connection):
    for _ in range(16):
        connection.sendall(b"\x16\x03\x03\x40\x00" + (b"\x01\x00\xff\xff" if _ == 0 else bytes(4)) + bytes(16380))


STRANGE = [
    hello_byte_by_byte, half_a_hello, a_hello_and_a_reset, a_record_too_large, a_hello_that_never_ends,
    lambda connection: connection.sendall(b"\x80\x2e\x01\x00\x02" + bytes(41)),
    lambda connection: connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28"),
    lambda connection: connection.sendall(b"SSH-2.0-x\r\n"),
    lambda connection: None,
]


def test_malformed_clients_leak_nothing(running, loopback_only, certificates):
    connect = connector(loopback_only, certificates)
    assert connect_and_ask(connect) == 200
    before = len(running.open_descriptors())
    for _ in range(8):
        for act in STRANGE:
            with contextlib.suppress(OSError), plain_socket(loopback_only) as connection:
                act(connection)
        with contextlib.suppress(OSError), connect() as connection:
            connection.sendall(LIVE * 3)
            connection.unwrap()
    assert connect_and_ask(connect) == 200
    running.wait_for_descriptors(before, 15)


def test_a_handshake_has_a_time_limit(running, loopback_only):
    """A byte now and then does not extend it."""
    with plain_socket(loopback_only) as connection:
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            for byte in client_hello():
                connection.sendall(bytes([byte]))
                connection.settimeout(0.5)
                with contextlib.suppress(TimeoutError):
                    assert connection.recv(1) == b""
                    break
        assert 5 < time.monotonic() - begin < 40


def ssl_pointer(connection) -> ctypes.c_void_p:
    """The SSL structure of a Python connection: the field after its weak reference."""
    return ctypes.c_void_p.from_address(id(connection._sslobj) + 24)


@pytest.mark.skipif(ssl.OPENSSL_VERSION_INFO[0] != 3, reason="Python's libssl is not the system's")
@pytest.mark.parametrize("reads", [True, False])
def test_a_flood_of_key_updates_ends_the_connection(running, loopback_only, certificates, reads):
    """Each asks for a response, and none carries application data."""
    library = ctypes.CDLL("libssl.so.3")
    before = running.resident_bytes()
    with connector(loopback_only, certificates)() as connection:
        # After one request, a client has more than a minute for the next.
        connection.sendall(LIVE)
        assert read_answer(connection.makefile("rb")).status == 200
        connection.setblocking(False)
        session, ended = ssl_pointer(connection), False

        def one_more() -> bool:
            nonlocal ended
            library.SSL_key_update(session, 1)
            if library.SSL_do_handshake(session) <= 0:
                ended = ended or library.SSL_get_error(session, -1) not in (2, 3)
                time.sleep(0.001)  # Others run, too.
            if reads:
                try:
                    ended = ended or connection.recv(1) == b""
                except ssl.SSLWantReadError:
                    pass
                except (ssl.SSLError, ConnectionError):
                    ended = True
            return ended

        wait_until(one_more, 60, "the service ends the connection", 0)
    assert running.resident_bytes() - before < 16 << 20
    assert connect_and_ask(connector(loopback_only, certificates)) == 200


def openssl_client(namespace, *arguments: str, input: str = "") -> str:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{PORT}", *arguments]
    ran = subprocess.run(namespace.command(*command), capture_output=True, text=True, input=input, timeout=30)
    return ran.stdout + ran.stderr


def test_renegotiation_is_refused(running, loopback_only):
    said = openssl_client(loopback_only, "-tls1_2", input="R\n")
    assert "no renegotiation" in said
    assert "Secure Renegotiation IS supported" in said


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_session_resumption_is_refused(running, loopback_only, module_folder, version):
    saved = f"{module_folder}/session{version}"
    openssl_client(loopback_only, version, "-sess_out", saved, input="Q\n")
    if pathlib.Path(saved).exists():
        assert "Reused, TLS" not in openssl_client(loopback_only, version, "-sess_in", saved, input="Q\n")
    said = openssl_client(loopback_only, version, "-reconnect", input="Q\n")
    assert said.count("New, TLS") > 1 and "Reused" not in said
    assert "TLS session ticket:" not in said


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256"])
def test_weak_ciphers_are_refused(running, loopback_only, cipher):
    said = openssl_client(loopback_only, "-tls1_2", "-cipher", f"{cipher}@SECLEVEL=0", input="Q\n")
    assert "handshake failure" in said


@pytest.mark.parametrize(
    "offer,chosen", [(["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), ([], None), (["h2"], "refused")]
)
def test_alpn_offers_only_http_1_1(running, loopback_only, certificates, offer, chosen):
    context = ssl.create_default_context(cafile=f"{certificates}/server.pem")
    if offer:
        context.set_alpn_protocols(offer)
    plain = plain_socket(loopback_only)
    if chosen == "refused":
        with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
            context.wrap_socket(plain, server_hostname="127.0.0.1")
        return
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        assert connection.selected_alpn_protocol() == chosen
        connection.sendall(LIVE)
        assert read_answer(connection.makefile("rb")).status == 200


def test_a_slow_https_response_is_complete_after_sigterm(loopback_only, certificates):
    """A slow reader gets its whole response and a close_notify, even if SIGTERM arrives in the meantime."""
    it = Connectd(loopback_only, configuration(certificates), port=PORT).wait_until_live()
    try:
        length = len(it.unix.get("/openapi.json").body)
        context = ssl.create_default_context(cafile=f"{certificates}/server.pem")
        plain = loopback_only.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(20)
        # A small kernel buffer: its content is sent even after the process has ended.
        with loopback_only.setting("net.ipv4.tcp_wmem", "4096 4096 4096"):
            plain.connect(("127.0.0.1", PORT))
            with context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as connection:
                connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
                time.sleep(0.3)  # Until the response fills the buffers: no condition shows that.
                it.process.send_signal(signal.SIGTERM)
                time.sleep(2.5)  # It reads slowly: that takes time.
                stream = connection.makefile("rb")
                assert len(read_answer(stream).body) == length
                assert stream.read() == b"", "an end without close_notify is an error here"
        assert it.process.wait(20) == 0
    finally:
        it.stop()
