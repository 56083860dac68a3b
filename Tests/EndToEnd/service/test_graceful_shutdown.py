"""Graceful shutdown, in every phase of a request and with clients that continue: accepted requests are answered."""

import contextlib
import signal
import socket
import threading
import time

import pytest

from support import peers
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_problem
from support.http_client import Client, check_request, read_answer, tcp_connector
from support.https_peers import certify, connector, https
from support.waiting import wait_until

PORT, HEALTH = 8271, 8272
REQUEST = check_request("tcp://127.0.0.1:9")
HEAD = REQUEST[: REQUEST.index(b"\r\n\r\n") + 4]


def configuration(delay_ms: int = 0, limit_ms: int = 5000, **members) -> dict:
    drain = {"delay_ms": delay_ms, "limit_ms": limit_ms}
    return {**OPEN_CONFIGURATION, "health_listen": [f"127.0.0.1:{HEALTH}"], "workers": 2, "drain": drain, **members}


@contextlib.contextmanager
def service(namespace, files=None, **members):
    """A service that the test stops with SIGTERM; it must exit with 0."""
    it = Connectd(namespace, configuration(**members), port=PORT, files=files).wait_until_live()
    try:
        yield it
        assert it.process.wait(15) == 0, it.log
    finally:
        it.process.kill()
        it.stop()


def connect(it: Connectd, kind: str) -> socket.socket:
    connection = (it.http if kind == "tcp" else it.unix).connect()
    connection.settimeout(10)
    return connection


def wait_until_draining(it: Connectd) -> None:
    health = Client(tcp_connector(it.namespace, "127.0.0.1", HEALTH))
    wait_until(lambda: health.get("/readyz").status == 503, 30, "/readyz says that the service drains")
    time.sleep(0.2)  # Until every worker knows: no condition shows that.


def wait_for_long_list(it: Connectd) -> None:
    wait_until(lambda: len(it.unix.get("/v1/monitors").body) >= 400_000, 30, "every monitor has a result", 0.1)


KINDS = pytest.mark.parametrize("kind", ["tcp", "unix"])


@pytest.fixture(scope="module")
def certificates(module_folder):
    certify(module_folder, "server")
    return module_folder


@KINDS
@pytest.mark.parametrize("sent", [len("POST /v1/checks HTTP/1.1\r\nHost: lo"), len(HEAD) + 5], ids=["head", "body"])
def test_a_partial_request_is_answered_during_shutdown(loopback_only, kind, sent):
    with service(loopback_only) as it, connect(it, kind) as connection:
        connection.sendall(REQUEST[:sent])
        if sent > len(HEAD):
            it.wait_until_read(connection)
        else:
            time.sleep(0.2)  # An incomplete head stays in the socket: no condition shows that the service saw it.
        it.process.send_signal(signal.SIGTERM)
        wait_until_draining(it)
        connection.sendall(REQUEST[sent:])
        answer = read_answer(connection.makefile("rb"))
        assert answer.status == (200 if sent > len(HEAD) else 503), "accepted is what was judged before the end"
        assert answer.headers["connection"].lower() == "close"


@KINDS
def test_a_request_that_never_ends_gets_503_at_the_drain_limit(loopback_only, kind):
    began = time.monotonic()
    with service(loopback_only, limit_ms=500) as it, connect(it, kind) as connection:
        connection.sendall(REQUEST[:-1])
        it.wait_until_read(connection)
        it.process.send_signal(signal.SIGTERM)
        stream = connection.makefile("rb")
        problem = assert_problem(answer := read_answer(stream), 503)
        assert problem["type"] == "urn:connectd:problem:draining" and int(answer.headers["retry-after"]) >= 1
        assert stream.read() == b""
    assert time.monotonic() - began < 5


def test_a_check_cancelled_at_the_drain_limit_is_not_the_targets_failure(loopback_only):
    """A check's result says so. Probes, where the status or probe_success is the target's verdict, get 503."""
    with peers.full_tcp_listener(loopback_only, "127.0.0.1") as port, service(
        loopback_only, limit_ms=400, modules_file="modules.yml", files={"modules.yml": "modules: {tcp: {prober: tcp}}"}
    ) as it, contextlib.ExitStack() as held:
        target = f"tcp://127.0.0.1:{port}"
        asked = [
            check_request(target, timeout_ms=30000).decode(),
            f"GET /v1/probe?target={target}&timeout_ms=30000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            f"GET /probe?module=tcp&target={target.removeprefix('tcp://')} HTTP/1.1\r\nHost: localhost\r\n"
            "X-Prometheus-Scrape-Timeout-Seconds: 30\r\n\r\n",
        ]
        streams = []
        for text in asked:
            connection = held.enter_context(connect(it, "unix"))
            connection.sendall(text.encode())
            streams.append(connection.makefile("rb"))
        it.wait_until_connecting(len(asked))
        it.process.send_signal(signal.SIGTERM)
        answers = [read_answer(stream) for stream in streams]
        assert answers[0].status == 200 and answers[0].json["outcome"] == "cancelled"
        for answer in answers[1:]:
            problem = assert_problem(answer, 503)
            assert problem["type"] == "urn:connectd:problem:draining" and int(answer.headers["retry-after"]) >= 1


def many_monitors(count: int) -> list[dict]:
    """Enough of them for a long document."""
    return [
        {"name": f"m{number}", "interval_ms": 86_400_000, "check": {"target": "tcp://127.0.0.1:1"}}
        for number in range(count)
    ]


@KINDS
def test_a_slow_reader_gets_its_document_in_full(loopback_only, kind):
    with service(loopback_only, monitors=many_monitors(700), limit_ms=10_000) as it, connect(it, kind) as connection:
        wait_for_long_list(it)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        connection.sendall(b"GET /v1/monitors HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream = connection.makefile("rb")
        length = 0
        while (line := stream.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        it.process.send_signal(signal.SIGTERM)
        time.sleep(0.7)  # It reads slowly: that takes time.
        assert len(stream.read(length)) == length >= 400_000


@KINDS
def test_connections_in_the_backlog_get_a_response(loopback_only, kind):
    """Clients whose connect(2) succeeded, and that are not accepted yet at SIGTERM."""
    with service(loopback_only) as it, contextlib.ExitStack() as held:
        it.process.send_signal(signal.SIGSTOP)
        waiting = [held.enter_context(connect(it, kind)) for _ in range(100)]
        for connection in waiting:
            connection.sendall(REQUEST)
        it.process.send_signal(signal.SIGTERM)
        it.process.send_signal(signal.SIGCONT)
        statuses = [read_answer(connection.makefile("rb")).status for connection in waiting]
        assert set(statuses) <= {200, 503}


@pytest.mark.deadline
@KINDS
def test_responses_after_sigterm_close_their_connections(loopback_only, kind):
    """A load balancer reads /readyz for new connections. Kept connections move only when they are closed."""
    with service(loopback_only, delay_ms=800) as it, connect(it, kind) as connection:
        stream = connection.makefile("rb")
        connection.sendall(REQUEST)
        assert "connection" not in read_answer(stream).headers
        it.process.send_signal(signal.SIGTERM)
        wait_until_draining(it)
        # The second of two that come at once is not lost: a client that reads "close" sends it again on another connection.
        connection.sendall(REQUEST * 2)
        answer = read_answer(stream)
        assert answer.status == 200 and answer.headers["connection"].lower() == "close"
        assert stream.read() == b"", "an end, and no reset"


@pytest.mark.deadline
def test_monitors_run_during_the_drain_delay_and_stay_readable(loopback_only):
    """Otherwise each replaced instance would raise alerts about missing monitors."""
    monitors = [{"name": "m", "required": True, "interval_ms": 100, "check": {"target": "tcp://127.0.0.1:1"}}]
    with service(loopback_only, monitors=monitors, delay_ms=1000) as it, contextlib.ExitStack() as held:
        def rounds() -> int:
            return len(it.client.get("/v1/monitors/m").json["history"])

        it.process.send_signal(signal.SIGTERM)
        wait_until_draining(it)
        seen = rounds()
        wait_until(lambda: rounds() > seen, 0.7, "the monitor runs during drain.delay_ms")
        half = held.enter_context(connect(it, "unix"))
        half.sendall(REQUEST[:-1])
        it.wait_until_read(half)
        wait_until(lambda: it.client.post_check("tcp://127.0.0.1:9").status == 503, 30, "drain.delay_ms is over")
        assert len(it.client.get("/v1/monitors").json["monitors"]) == 1, "after the delay, too"
        assert b'connectd_monitor_up{monitor="m"} 0' in it.client.get("/metrics").body
        half.sendall(REQUEST[-1:])
        assert read_answer(half.makefile("rb")).status == 200


@pytest.mark.deadline
def test_https_clients_that_do_not_read_cannot_delay_shutdown(loopback_only, certificates):
    """All workers wait for them at the same time, so the exit stays within the limits of the unit and the pod."""
    with service(
        loopback_only, https=https(certificates), workers=8, monitors=many_monitors(700), limit_ms=300
    ) as it, contextlib.ExitStack() as held:
        wait_for_long_list(it)
        connect = connector(loopback_only, certificates, port=PORT)
        for _ in range(16):
            connection = held.enter_context(connect())
            for _ in range(10):
                connection.sendall(b"GET /v1/monitors HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.5)  # Until each response fills the buffers of its connection: no condition shows that.
        began = time.monotonic()
        it.process.send_signal(signal.SIGTERM)
        assert it.process.wait(30) == 0
        # The unit gives it 30 s. On an idle machine it takes less than one.
        assert time.monotonic() - began < 15


class Crowd:
    """Clients that send requests until connections are refused. Each new connection must get a response."""

    def __init__(self, connect, keep_alive: bool):
        self.connect, self.keep_alive = connect, keep_alive
        self.statuses: list[int] = []
        self.lost: list[str] = []
        self.made = self.cut = 0
        self.refused = threading.Event()

    def visit(self) -> None:
        try:
            connection = self.connect()
        except (ConnectionRefusedError, FileNotFoundError):
            return self.refused.set()
        except OSError as error:
            return self.lost.append(repr(error))
        self.made += 1
        with connection:
            connection.settimeout(20)
            self.converse(connection)

    def converse(self, connection) -> None:
        stream, fresh = connection.makefile("rb"), True
        while True:
            try:
                connection.sendall(REQUEST)
                answer = read_answer(stream)
            except (OSError, EOFError, ValueError) as error:
                # A kept connection without "close" may end between two requests: RFC 9112, 9.5.
                self.cut += not fresh
                return self.lost.append(repr(error)) if fresh else None
            self.statuses.append(answer.status)
            if answer.headers.get("connection", "").lower() == "close" or not self.keep_alive:
                return
            fresh = False
            time.sleep(0.02)  # The pace of a client.

    def stay(self) -> None:
        while not self.refused.is_set():
            self.visit()


def enough(crowd: Crowd, count: int) -> bool:
    return crowd.statuses.count(200) > count


# At its end the service waits 200 ms for the first request of a new connection: a TLS client on a busy machine needs longer.
@pytest.mark.parametrize("kind", ["tcp", "unix", pytest.param("https", marks=pytest.mark.deadline)])
@pytest.mark.parametrize("delay_ms", [0, 500])
def test_a_graceful_shutdown_under_load_loses_no_request(loopback_only, certificates, kind, delay_ms):
    """64 kept connections (16 with TLS) and 64 new ones a second, in bursts that use the backlog."""
    members = {"https": https(certificates)} if kind == "https" else {}
    with service(loopback_only, delay_ms=delay_ms, limit_ms=14_000, **members) as it:
        connect = {
            "tcp": it.http.connect, "unix": it.unix.connect, "https": connector(loopback_only, certificates, port=PORT),
        }[kind]
        kept, fresh = Crowd(connect, True), Crowd(connect, False)
        health = Client(tcp_connector(loopback_only, "127.0.0.1", HEALTH))
        threads = [threading.Thread(target=kept.stay) for _ in range(16 if kind == "https" else 64)]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        visitors = []
        told = False
        while not fresh.refused.is_set():
            for _ in range(4):
                visitors.append(threading.Thread(target=fresh.visit))
                visitors[-1].start()
            if not told and time.monotonic() - began > 1 and enough(kept, 100) and enough(fresh, 20):
                told = True
                it.process.send_signal(signal.SIGTERM)
            if told and it.process.poll() is None:
                with contextlib.suppress(OSError, EOFError):
                    assert health.get("/livez").status == 200, "it is live to the end"
            time.sleep(1 / 16)  # The pace of new clients.
            assert time.monotonic() - began < 60
        for thread in threads + visitors:
            thread.join(30)
            assert not thread.is_alive()
    assert kept.lost == [] and fresh.lost == []
    assert kept.cut == 0 or delay_ms == 0, "there was time to announce the close to each client"
    assert set(kept.statuses) | set(fresh.statuses) <= {200, 503}
