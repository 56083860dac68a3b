"""The HTTPS listener: versions, client certificates, misbehaving clients, certificates replaced by a reload."""

import contextlib
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_problem
from support.http_client import Client, check_request, read_answer
from support.https_peers import HEALTH, PORT, certify, connector, https
from support.waiting import wait_until

REFUSED = "tcp://127.0.0.1:9"


@pytest.fixture(scope="module")
def certificates(module_folder):
    for name in ("server", "later", "ca", "stranger"):
        certify(module_folder, name)
    certify(module_folder, "client", "ca")
    return module_folder


@pytest.fixture
def running(loopback_only, certificates):
    configuration = {
        **OPEN_CONFIGURATION, "https": https(certificates), "health_listen": [f"127.0.0.1:{HEALTH}"], "workers": 2
    }
    with Connectd(loopback_only, configuration, port=PORT) as it:
        yield it


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_answered(running, loopback_only, certificates, version):
    connect = connector(loopback_only, certificates, minimum_version=version, maximum_version=version)
    client = Client(connect, host=f"127.0.0.1:{PORT}")
    assert client.check(REFUSED)["outcome"] == "refused"
    assert len(client.get("/openapi.json").body) > 50_000
    assert_problem(client.get("/v1/errors", {"Host": "a.name.of.no.list"}), 421)


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_older_tls_versions_are_refused(running, loopback_only, version):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{PORT}", version, "-cipher", "DEFAULT@SECLEVEL=0"]
    ran = subprocess.run(loopback_only.command(*command), capture_output=True, text=True, input="", timeout=15)
    assert ran.returncode != 0 and "alert protocol version" in ran.stderr


def test_unix_and_health_listeners_use_plain_http(running, loopback_only):
    assert running.unix.get("/livez").status == 200
    with loopback_only.socket() as plain:
        plain.connect(("127.0.0.1", HEALTH))
        plain.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert plain.recv(15) == b"HTTP/1.1 200 OK"


def test_a_connection_is_kept_alive_and_pipelined(running, loopback_only, certificates):
    with connector(loopback_only, certificates)() as connection:
        connection.sendall(b"GET /v1/errors HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
        stream = connection.makefile("rb")
        for _ in range(20):
            assert read_answer(stream).status == 200


def test_an_early_response_is_readable(running, loopback_only, certificates):
    with connector(loopback_only, certificates)() as connection:
        connection.sendall(
            b"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 3000000\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            connection.sendall(b"x" * 1_000_000)
        assert read_answer(connection.makefile("rb")).status == 413


def test_a_client_that_disconnects_cancels_its_check(running, loopback_only, certificates):
    for _ in range(50):
        with connector(loopback_only, certificates)() as connection:
            connection.sendall(check_request(REFUSED))
    running.wait_for_descriptors(60)
    assert running.unix.get("/livez").status == 200


@pytest.mark.parametrize("bytes_", [b"\x16\x03\x01\xff\xff", b"\x00" * 5000], ids=["record", "zeros"])
def test_bytes_that_are_not_tls_close_the_connection(running, loopback_only, certificates, bytes_):
    with loopback_only.socket() as plain:
        plain.settimeout(15)
        plain.connect(("127.0.0.1", PORT))
        plain.sendall(bytes_)
        with contextlib.suppress(ConnectionError):
            assert not plain.recv(100_000).startswith(b"HTTP"), "an answer without TLS"
            while plain.recv(100_000):
                pass
    assert Client(connector(loopback_only, certificates)).get("/livez").status == 200


@pytest.mark.deadline
def test_idle_and_half_closed_clients_use_no_cpu(running, loopback_only, certificates):
    with contextlib.ExitStack() as held:
        for _ in range(20):
            held.enter_context(connector(loopback_only, certificates)())
            silent = held.enter_context(loopback_only.socket())
            silent.connect(("127.0.0.1", PORT))
            half = held.enter_context(connector(loopback_only, certificates)())
            half.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
        time.sleep(0.3)  # The handshakes are done by then.
        before = running.processor_seconds()
        time.sleep(1.5)  # The test measures its processor time.
        assert running.processor_seconds() - before < 0.3


@pytest.mark.deadline
def test_a_slow_reader_gets_everything_and_uses_no_cpu(running, loopback_only, certificates):
    """Bytes that the library wrote before it closed wait in the relay, without a busy loop."""
    length = len(running.unix.get("/openapi.json").body)
    context = ssl.create_default_context(cafile=f"{certificates}/server.pem")
    for count in (1, 2, 4, 40):
        plain = loopback_only.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(15)
        plain.connect(("127.0.0.1", PORT))
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n"
            connection.sendall((request + b"\r\n") * (count - 1) + request + b"Connection: close\r\n\r\n")
            time.sleep(0.2)  # The buffers are full by then.
            before = running.processor_seconds()
            time.sleep(0.7)  # The test measures its processor time.
            assert running.processor_seconds() - before < 0.2, count
            stream = connection.makefile("rb")
            for _ in range(count):
                assert len(read_answer(stream).body) == length
            assert stream.read() == b""


def test_clients_without_a_certificate_are_refused(loopback_only, certificates):
    configuration = {"https": https(certificates, mutual=True), "policy": {"profile": "internal"}}
    # Mutual TLS is authentication: with a policy, the service starts on an open address.
    with Connectd(loopback_only, configuration, port=PORT, listen=("0.0.0.0:8243",)):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            versions = {"minimum_version": version, "maximum_version": version}
            known = Client(connector(loopback_only, certificates, client="client", **versions))
            assert known.check(REFUSED)["outcome"] == "refused"
            for stranger in (None, "stranger"):
                with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
                    Client(connector(loopback_only, certificates, client=stranger, **versions)).get("/livez")


def test_after_a_reload_new_clients_get_the_new_certificate(running, loopback_only, certificates):
    with connector(loopback_only, certificates)() as kept:
        later = {**OPEN_CONFIGURATION, "https": https(certificates, "later"), "health_listen": [f"127.0.0.1:{HEALTH}"]}
        running.reload(later)
        assert Client(connector(loopback_only, certificates, "later")).get("/livez").status == 200
        with pytest.raises(ssl.SSLCertVerificationError):
            connector(loopback_only, certificates)()
        kept.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_answer(kept.makefile("rb")).status == 200, "open connections stay usable"
        wrong = {**later, "https": {"certificate": f"{certificates}/server.pem", "key": f"{certificates}/later.key"}}
        running.reload(wrong, "reload rejected")
        assert Client(connector(loopback_only, certificates, "later")).get("/livez").status == 200


def test_a_graceful_shutdown_loses_no_request(loopback_only, certificates):
    configuration = {**OPEN_CONFIGURATION, "https": https(certificates), "drain": {"delay_ms": 300, "limit_ms": 5000}}
    it = Connectd(loopback_only, configuration, port=PORT).wait_until_live()
    ending, lost, statuses = threading.Event(), [], []
    connect = connector(loopback_only, certificates)

    def ask() -> None:
        while not ending.is_set():
            try:
                statuses.append(Client(connect).post_check(REFUSED).status)
            except (OSError, EOFError) as error:
                if not ending.is_set():
                    lost.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        wait_until(lambda: len(statuses) > 20, 30, lambda: f"20 checks are answered; lost: {lost}")
        it.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)  # Requests continue for a while after the signal.
        ending.set()
        assert it.process.wait(10) == 0, it.log
    finally:
        ending.set()
        for thread in threads:
            thread.join(20)
        it.stop()
    assert lost == [] and set(statuses) == {200} and len(statuses) > 20
