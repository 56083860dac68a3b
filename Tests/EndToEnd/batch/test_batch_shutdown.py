"""Batches during a graceful shutdown: checks in flight are answered, the others are cancelled, the response is complete."""

import contextlib
import signal
import time

import pytest

from support import network as net
from support.batches import LineStream, assert_each_once, batch_request
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.http_client import read_answer
from support.waiting import wait_until

PORT = 8491


@contextlib.contextmanager
def service(namespace, limit_ms: int, delay_ms: int = 0):
    drain = {"delay_ms": delay_ms, "limit_ms": limit_ms}
    it = Connectd(namespace, {**OPEN_CONFIGURATION, "workers": 2, "drain": drain}, port=PORT).wait_until_live()
    try:
        yield it
        assert it.process.wait(20) == 0, it.log
    finally:
        it.process.kill()
        it.stop()


def hanging(timeout_ms: int) -> dict:
    return {"target": net.SILENT, "timeout_ms": timeout_ms}


@pytest.mark.parametrize("channel", ["tcp", "unix"])
def test_checks_in_flight_are_answered_and_the_rest_is_cancelled(network, channel):
    with service(network.a, limit_ms=15000) as it, (it.http if channel == "tcp" else it.unix).connect() as connection:
        stream = LineStream(connection, {"checks": [{}] + [hanging(1500)] * 5000, "concurrency": 10})
        assert stream.next()["outcome"] == "invalid"
        it.wait_until_connecting(10)
        it.process.send_signal(signal.SIGTERM)
        *lines, summary = stream.all()
        assert stream.is_complete and stream.is_closed, "the response and the connection end"
        assert_each_once([{"index": 0}, *lines], 5001)
        outcomes = summary["summary"]["by_outcome"]
        assert outcomes["invalid"] == 1 and outcomes["timeout"] >= 10 and sum(outcomes.values()) == 5001
        assert outcomes["cancelled"] >= 4900
        [cancelled, *_] = [line for line in lines if line["outcome"] == "cancelled"]
        assert cancelled["target"] == net.SILENT and cancelled["error"]["name"] == "CANCELLED"


def test_at_the_limit_checks_in_flight_are_cancelled_too(network):
    with service(network.a, limit_ms=1500) as it, it.http.connect() as connection:
        connection.settimeout(30)
        connection.sendall(batch_request({"checks": [hanging(60000)] * 300, "concurrency": 20}))
        it.wait_until_connecting(20)
        started = time.monotonic()
        it.process.send_signal(signal.SIGTERM)
        answer = read_answer(connection.makefile("rb"))
        assert time.monotonic() - started < 5
        assert answer.json["summary"]["by_outcome"] == {"cancelled": 300}
        assert len(answer.json["results"]) == 300


def test_a_batch_continues_during_the_delay(network):
    with service(network.a, limit_ms=10000, delay_ms=1500) as it, it.http.connect() as connection:
        stream = LineStream(connection, {"checks": [hanging(200)] * 8, "concurrency": 2})
        it.wait_until_connecting(2)
        it.process.send_signal(signal.SIGTERM)
        *_, summary = stream.all()
        assert summary["summary"]["by_outcome"] == {"timeout": 8}


def test_new_batches_are_refused(network):
    with service(network.a, limit_ms=10000) as it, it.http.connect() as connection:
        stream = LineStream(connection, {"checks": [hanging(3000)]})
        it.wait_until_connecting(1)
        it.process.send_signal(signal.SIGTERM)
        wait_until(lambda: it.http.post("/v1/checks/batch", {"checks": []}).status == 503, 10, "new batches get 503")
        assert [line.get("outcome") for line in stream.all()] == ["timeout", None]
