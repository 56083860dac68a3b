"""Batches as streams: results arrive as they are known; slow readers, and readers that leave."""

import contextlib
import socket
import struct
import threading
import time

import pytest

from support import network as net
from support.batches import NDJSON, LineStream, assert_each_once, batch_request, parse_lines, post, results
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.http_client import Client
from support.https_peers import certify, connector, https
from support.waiting import wait_until

PORT = 8481
SILENT = {"target": net.SILENT, "timeout_ms": 60000}


@pytest.fixture(scope="module")
def service(network):
    with Connectd(network.a, {**OPEN_CONFIGURATION, "workers": 2}, port=PORT) as it:
        yield it


def channels(it: Connectd):
    return {"tcp": it.http.connect, "unix": it.unix.connect}


@pytest.mark.parametrize("channel", ["tcp", "unix"])
def test_a_result_arrives_while_a_slow_check_runs(service, open_target, channel):
    with channels(service)[channel]() as connection:
        stream = LineStream(connection, {"checks": [SILENT, {"target": open_target}, {}]})
        assert {stream.next()["index"], stream.next()["index"]} == {1, 2}
        service.wait_until_connecting()
    service.wait_until_none_connects()


def test_over_https_too(network, module_folder):
    certify(module_folder, "server")
    configuration = {**OPEN_CONFIGURATION, "https": https(module_folder), "workers": 2}
    with Connectd(network.a, configuration, port=PORT + 2) as it:
        connect = connector(network.a, module_folder, port=PORT + 2)
        client = Client(connect, host=f"127.0.0.1:{PORT + 2}")
        assert results(client, {"checks": [{"target": net.REFUSED}] * 30})[29]["outcome"] == "refused"
        with connect() as connection:
            stream = LineStream(connection, {"checks": [SILENT, {"target": net.REFUSED}]})
            assert stream.next()["index"] == 1
            it.wait_until_connecting()
        it.wait_until_none_connects()


def leave_by_reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("leave", [socket.socket.close, leave_by_reset, lambda it: it.shutdown(socket.SHUT_WR)],
                         ids=["close", "reset", "half-close"])
@pytest.mark.parametrize("lines", [False, True], ids=["document", "lines"])
def test_a_reader_that_leaves_cancels_the_rest(service, open_target, leave, lines):
    before = len(service.open_descriptors())
    with service.http.connect() as connection:
        checks = [SILENT] * 200 + [{"target": open_target}]
        connection.sendall(batch_request({"checks": checks, "concurrency": 100}, headers=NDJSON if lines else {}))
        service.wait_until_connecting(100)
        started = time.monotonic()
        leave(connection)
        service.wait_until_none_connects()
        assert time.monotonic() - started < 1, "the cancellation itself takes less than 0.1 s on an idle machine"
    service.wait_for_descriptors(before)
    assert service.client.get("/livez").status == 200


def test_every_check_counts_even_if_its_reader_leaves(network):
    with Connectd(network.a, {**OPEN_CONFIGURATION, "workers": 2}, port=PORT + 1) as it:
        with it.unix.connect() as connection:
            stream = LineStream(connection, {"checks": [{}] + [SILENT] * 20, "concurrency": 5})
            assert stream.next()["outcome"] == "invalid"
            it.wait_until_connecting(5)

        def counted() -> bool:
            text = it.client.get("/metrics").body.decode()
            return 'connectd_checks_total{outcome="cancelled",fault="request"} 20' in text

        wait_until(counted, 30, "the checks are counted as cancelled")


def test_a_reader_that_stops_holds_up_only_its_own_batch(service, open_target):
    """The slow reader's checks stop when its results fill the buffers; the memory stays bounded."""
    big = {"target": open_target, "labels": {f"label-{number}": "x" * 1000 for number in range(30)}}
    with service.http.connect() as connection:
        connection.sendall(batch_request({"defaults": big, "checks": [{}] * 3000}, headers=NDJSON))
        stopped = wait_until(lambda: waiting_count(service), 30, "the batch waits for its reader")
        assert stopped < 2500
        assert service.resident_bytes() < 200 << 20
        found = results(service.http, {"checks": [{"target": open_target}] * 500})
        assert [result["outcome"] for result in found] == ["connected"] * 500
        assert service.http.check(open_target)["ok"]
        # It reads on, and gets everything.
        body = read_all(connection)
        lines, summary = parse_lines(body)
        assert_each_once(lines, 3000)
        assert summary["by_outcome"] == {"connected": 3000}


def checks_counted(it: Connectd) -> int:
    text = it.unix.get("/metrics").body.decode()
    return sum(int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("connectd_checks_total{"))


def waiting_count(it: Connectd) -> int:
    before = checks_counted(it)
    time.sleep(0.3)
    return before if checks_counted(it) == before else 0


def read_all(connection: socket.socket) -> bytes:
    connection.settimeout(60)
    stream = connection.makefile("rb")
    while stream.readline() not in (b"\r\n", b""):
        pass
    pieces = []
    while size := int(stream.readline(), 16):
        pieces.append(stream.read(size))
        stream.readline()
    return b"".join(pieces)


def test_many_batches_at_once_all_end(service, open_target):
    failures = []

    def one(number: int) -> None:
        try:
            checks = [{"target": open_target}, {}, {"target": net.REFUSED}] * 20
            if number % 3 == 0:
                with contextlib.closing(service.http.connect()) as connection:
                    LineStream(connection, {"checks": checks}).next()
                return
            lines, summary = parse_lines(post(service.http, {"checks": checks}, lines=True).body)
            assert_each_once(lines, 60)
            assert summary["by_outcome"] == {"connected": 20, "refused": 20, "invalid": 20}
        except BaseException as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=one, args=[number]) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    wait_until(lambda: "connectd_in_flight 0\n" in service.unix.get("/metrics").body.decode(), 30, "nothing is in flight")
