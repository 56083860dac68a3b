"""Limits: checks in flight, the queue, slow clients, clients that leave, descriptors."""

import json
import resource
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import network as net
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_failure, assert_problem
from support.http_client import check_request, read_answer
from support.waiting import wait_until

PORT = 8161
SYN_SENT = "02"


def tight(in_flight: int = 1, queue: int = 1) -> dict:
    return {**OPEN_CONFIGURATION, "limits": {"in_flight": in_flight, "queue": queue}, "workers": 1}


def hanging_request(timeout_ms: int = 20000, host: str = "localhost") -> bytes:
    return check_request(f"tcp://{net.DROPPED}:80", host, timeout_ms=timeout_ms)


def queue_length(connectd) -> int:
    [line] = [line for line in connectd.client.get("/metrics").body.splitlines() if line.startswith(b"connectd_queue_length ")]
    return int(line.split()[1])


@pytest.mark.deadline
def test_a_full_queue_is_503_with_retry_after(network):
    with Connectd(network.a, tight(), port=PORT) as connectd, ThreadPoolExecutor() as pool:
        first = pool.submit(connectd.client.check, f"tcp://{net.DROPPED}:80", timeout_ms=1000)
        connectd.wait_until_connecting()
        second = pool.submit(connectd.client.check, f"tcp://{net.DROPPED}:81", timeout_ms=700)
        wait_until(lambda: queue_length(connectd) == 1, 30, "the second check is queued")
        started = time.monotonic()
        for answer in (
            connectd.client.post_check("tcp://127.0.0.1:9"),
            connectd.client.get("/v1/probe?target=127.0.0.1:9"),
        ):
            assert_problem(answer, 503)
            assert int(answer.headers["retry-after"]) >= 1
        assert time.monotonic() - started < 0.3, "a refusal is quick"
        assert connectd.client.get("/livez").status == 200
        assert connectd.client.get("/readyz").status == 200, "a full queue does not change readiness"
        assert connectd.client.get("/v1/errors").status == 200
        assert_failure(first.result(), None, "timeout", "network", source="deadline", name="DEADLINE")
        queued = second.result()
        assert_failure(queued, None, "timeout", "network", source="deadline", name="DEADLINE")
        assert queued["timings_ms"]["queue"] > 400, "the wait is reported apart"
        assert 690 <= queued["timings_ms"]["total"] - queued["timings_ms"]["queue"] < 850, (
            "and eats no time of the check"
        )
        assert connectd.client.check("tcp://127.0.0.1:9")["outcome"] == "refused", "and afterwards there is room again"


def test_a_malformed_or_denied_check_needs_no_permit(network):
    with Connectd(network.a, tight(), port=PORT) as connectd:
        holders = []
        for _ in range(2):
            connection = connectd.unix.connect()
            connection.sendall(hanging_request())
            holders.append(connection)
        connectd.wait_until_connecting()
        assert_problem(connectd.client.post_check("nonsense"), 400)
        for connection in holders:
            connection.close()
        connectd.wait_until_none_connects()


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("listener", ["unix", "tcp"])
def test_a_client_that_disconnects_cancels_its_check(connectd, how, listener):
    connection = (connectd.unix if listener == "unix" else connectd.http).connect()
    connection.sendall(hanging_request(host=f"127.0.0.1:{connectd.port}"))
    connectd.wait_until_connecting()
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    connectd.wait_until_none_connects(10)


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/probe"])
@pytest.mark.parametrize("listener", ["unix", "tcp"])
def test_a_half_closed_client_gets_its_response(connectd, path, listener):
    """`printf … | nc -N`: shutdown(2) of the writing half ends the request, but the client still waits for its answer."""
    host = f"127.0.0.1:{connectd.port}"
    request = hanging_request(timeout_ms=700, host=host)
    if path == "/v1/probe":
        target = f"/v1/probe?target=tcp://{net.DROPPED}:80&timeout_ms=700"
        request = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    with (connectd.unix if listener == "unix" else connectd.http).connect() as connection:
        connection.settimeout(10)
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = read_answer(connection.makefile("rb"))
        assert answer.status == (504 if path == "/v1/probe" else 200), answer.body
        assert answer.json["outcome"] == "timeout"
        assert connection.recv(1) == b"", "and the connection ends after it"


@pytest.mark.parametrize("listener", ["unix", "tcp"])
def test_a_half_closed_client_that_closes_later_cancels_its_check(connectd, listener):
    connection = (connectd.unix if listener == "unix" else connectd.http).connect()
    connection.sendall(hanging_request(host=f"127.0.0.1:{connectd.port}"))
    connection.shutdown(socket.SHUT_WR)
    connectd.wait_until_connecting()
    time.sleep(0.2)  # Nothing must happen here, and only time shows that.
    assert connectd.sockets(SYN_SENT), "a half-closed client has not left"
    connection.close()
    connectd.wait_until_none_connects(10)


def test_many_cancelled_checks_leak_nothing(connectd):
    before = len(connectd.open_descriptors())
    connections = []
    for _ in range(100):
        connection = connectd.unix.connect()
        connection.sendall(hanging_request())
        connections.append(connection)
    connectd.wait_until_connecting(100)
    for connection in connections:
        connection.close()
    connectd.wait_until_none_connects()
    connectd.wait_for_descriptors(before + 2)


def test_a_cancelled_check_leaves_the_queue(network):
    with Connectd(network.a, tight(), port=PORT) as connectd:
        first, second = connectd.unix.connect(), connectd.unix.connect()
        first.sendall(hanging_request())
        connectd.wait_until_connecting()
        second.sendall(hanging_request())
        wait_until(lambda: queue_length(connectd) == 1, 30, "the second check is queued")
        assert connectd.client.post_check("tcp://127.0.0.1:9").status == 503
        second.close()
        with ThreadPoolExecutor() as pool:
            wait_until(lambda: queue_length(connectd) == 0, 30, "the check of the client that left is out of the queue")
            third = pool.submit(connectd.client.post_check, "tcp://127.0.0.1:9")
            wait_until(lambda: queue_length(connectd) == 1, 30, "the third check is queued")
            first.close()
            assert third.result().status == 200


def drip(connection, data: bytes, seconds: float) -> bytes | None:
    """Sends byte after byte; returns the bytes received until the peer closed the connection, or None if it did not."""
    started = time.monotonic()
    connection.settimeout(0.25)
    heard = b""
    for byte in data:
        try:
            connection.send(bytes([byte]))
            heard += (part := connection.recv(1000))
            if part == b"":
                return heard
        except TimeoutError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            return heard
        if time.monotonic() - started > seconds:
            return None
    return None


def test_a_slow_client_has_an_absolute_deadline(connectd):
    """For the header and for the body. Every byte is within an idle timeout."""
    limit = 40.0
    head = f"POST /v1/checks HTTP/1.1\r\nHost: 127.0.0.1:{connectd.port}\r\nContent-Type: application/json\r\n".encode()
    in_header, in_body, silent = (connectd.http.connect() for _ in range(3))
    in_body.sendall(head + b"Content-Length: 60000\r\n\r\n")
    with ThreadPoolExecutor() as pool:
        drips = [
            pool.submit(drip, in_header, head + b"X-Slow: " + b"a" * 1000, limit),
            pool.submit(drip, in_body, b" " * 1000, limit),
        ]
        assert connectd.client.get("/livez").status == 200
        for item in drips:
            heard = item.result()
            assert heard is not None, "a slow client may stay forever"
            assert heard.startswith(b"HTTP/1.1 408 "), heard
            assert b"urn:connectd:problem:request_timeout" in heard
        silent.settimeout(limit)
        try:
            silent.recv(1000)  # ends, or TimeoutError fails the test
        except ConnectionResetError:
            pass
    for connection in (in_header, in_body, silent):
        connection.close()


@pytest.mark.deadline
def test_without_a_free_descriptor_the_service_waits_and_recovers(network):
    with Connectd(network.a, port=PORT) as connectd:
        before = resource.prlimit(connectd.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(connectd.pid, resource.RLIMIT_NOFILE, (max(connectd.open_descriptors()) + 1, before[1]))
        waiting = [connectd.unix.connect() for _ in range(5)]
        used = connectd.processor_seconds()
        time.sleep(1)  # The test measures the processor time of one second.
        assert connectd.processor_seconds() - used < 0.5, "it spins"
        assert len(connectd.log) < 100_000, "it floods the log"
        resource.prlimit(connectd.pid, resource.RLIMIT_NOFILE, before)
        for connection in waiting:
            connection.close()
        wait_until(lambda: connectd.client.get("/livez").status == 200, 30, "the service has a free descriptor again")


def test_few_descriptors_limit_connections_without_failures(network):
    with Connectd(network.a, port=PORT, descriptors=128) as connectd, ThreadPoolExecutor(100) as pool:
        answers = list(
            pool.map(lambda _: connectd.client.post_check(f"tcp://{net.DROPPED}:80", timeout_ms=500), range(100))
        )
        assert {answer.status for answer in answers} <= {200, 503}
        for answer in answers:
            if answer.status == 200:
                assert answer.json["outcome"] == "timeout", "an overload is never reported as the target's failure"
        assert connectd.client.check("tcp://127.0.0.1:9")["outcome"] == "refused"


@pytest.mark.deadline
def test_the_configuration_sets_the_longest_timeout(network):
    with Connectd(network.a, {**OPEN_CONFIGURATION, "limits": {"timeout_ms": 300}}, port=PORT) as connectd:
        assert_problem(connectd.client.post_check("127.0.0.1:9", timeout_ms=301), 400, "/timeout_ms")
        assert_problem(connectd.client.get("/v1/probe?target=127.0.0.1:9&timeout_ms=301"), 400, "/timeout_ms")
        result = connectd.client.check(f"tcp://{net.DROPPED}:80")
        assert 299 <= result["timings_ms"]["total"] < 450, "the default is at most the limit"


def test_the_configuration_sets_the_longest_body_of_routes(network):
    body = json.dumps({"destinations": ["127.0.0.1"]})
    with Connectd(network.a, port=PORT) as connectd:
        assert connectd.client.post("/v1/routes", body + " " * 200_000).status == 200
    with Connectd(network.a, {"limits": {"body_bytes": 65536}}, port=PORT) as connectd:
        assert connectd.client.post("/v1/routes", body.ljust(65536)).status == 200
        assert_problem(connectd.client.post("/v1/routes", body.ljust(65537)), 413)


def test_each_log_line_is_json(connectd):
    connectd.client.post_check("nonsense")
    lines = [json.loads(line) for line in connectd.log.splitlines()]
    assert lines and all({"time", "level", "message"} <= set(line) for line in lines)


@pytest.mark.deadline
def test_an_idle_service_uses_no_processor_time(connectd):
    used = connectd.processor_seconds()
    time.sleep(1.5)  # The test measures its processor time.
    assert connectd.processor_seconds() - used < 0.1


def test_a_check_in_flight_is_answered_after_sigterm(network):
    """SIGTERM: accepted requests are answered, new work is refused, exit 0."""
    connectd = Connectd(network.a, port=PORT).wait_until_live()
    ended = []
    stopper = threading.Thread(target=lambda: ended.append(connectd.stop()))
    try:
        with connectd.unix.connect() as connection:
            connection.settimeout(15)
            connection.sendall(hanging_request(timeout_ms=1500))
            connectd.wait_until_connecting()
            stopper.start()
            answer = read_answer(connection.makefile("rb"))
        assert answer.status == 200, answer.body
        assert answer.json["outcome"] == "timeout"
    finally:
        if not stopper.is_alive() and not ended:
            stopper.run()
        else:
            stopper.join()
    assert ended == [0]


def test_a_check_with_a_head_of_any_size_is_answered(connectd):
    """The heads of request and response share the library's memory pool: no size loses the response."""
    host = f"127.0.0.1:{connectd.port}"
    for length in [*range(0, 4200, 60), 8000, 16_000, 16_500, 30_000]:
        request = f"GET /v1/probe?target=127.0.0.1:9 HTTP/1.1\r\nHost: {host}\r\nCookie: {'x' * length}\r\n\r\n"
        with connectd.http.connect() as connection:
            connection.settimeout(10)
            connection.sendall(request.encode())
            answer = read_answer(connection.makefile("rb"))
        assert answer.status == (502 if length <= 16_000 else 431), f"{length}: {answer.status}"
        assert answer.headers["content-type"].startswith("application/"), length
