"""Large batches: 10,000 checks, single checks at the same time, several batches, hostile bodies."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import network as net
from support.batches import LineStream, assert_each_once, batch_request, parse_lines, post
from support.connectd_process import OPEN_CONFIGURATION, SYN_SENT, Connectd
from support.expectations import assert_problem
from support.waiting import wait_until

PORT = 8501
MANY = 10_000


@pytest.fixture(scope="module")
def service(network):
    with Connectd(network.a, {**OPEN_CONFIGURATION, "workers": 2}, port=PORT) as it:
        yield it


@pytest.mark.parametrize("lines", [False, True], ids=["document", "lines"])
def test_ten_thousand_checks(service, lines):
    """Refused ones, so that no ports run out."""
    before = len(service.open_descriptors())
    answer = post(service.http, {"defaults": {"target": net.REFUSED}, "checks": [{}] * MANY}, lines=lines)
    if lines:
        found, summary = parse_lines(answer.body)
        assert_each_once(found, MANY)
    else:
        assert len(answer.json["results"]) == MANY
        summary = answer.json["summary"]
    assert summary["total"] == MANY and summary["by_outcome"] == {"refused": MANY}
    service.wait_for_descriptors(before)


def test_one_more_is_refused(service):
    problem = assert_problem(post(service.http, {"checks": [{}] * (MANY + 1)}), 400, "/checks")
    assert "10000" in problem["errors"][0]["detail"]


def test_defaults_have_the_limit_of_a_check(service):
    """Each check in flight has a copy of them."""
    labels = {f"name{index}": "x" * 1024 for index in range(64)}
    problem = assert_problem(post(service.http, {"checks": [{}], "defaults": {"labels": labels}}), 400, "/defaults")
    assert "65536 bytes" in problem["errors"][0]["detail"]


def test_single_checks_are_answered_while_a_batch_runs(service):
    """How long they take next to a batch is a matter of Benchmarks/."""
    answered = 0
    with service.http.connect() as connection:
        stream = LineStream(connection, {"defaults": {"target": net.REFUSED}, "checks": [{}] * MANY})
        reader = threading.Thread(target=stream.all)
        reader.start()
        while reader.is_alive():
            assert service.http.check(net.REFUSED)["outcome"] == "refused"
            answered += 1
        reader.join()
    assert answered >= 10


def test_items_wait_for_permits_and_single_checks_have_some(network):
    configuration = {**OPEN_CONFIGURATION, "limits": {"in_flight": 20, "queue": 5}}
    with Connectd(network.a, configuration, port=PORT + 1) as it, it.http.connect() as connection:
        value = {"defaults": {"target": net.SILENT, "timeout_ms": 400}, "checks": [{}] * 60, "concurrency": 1000}
        stream = LineStream(connection, value)
        it.wait_until_connecting(19)
        assert it.unix.check(net.REFUSED)["outcome"] == "refused"
        assert len(it.sockets(SYN_SENT)) <= 19
        *lines, summary = stream.all()
        assert_each_once(lines, 60)
        assert summary["summary"]["by_outcome"] == {"timeout": 60}
        for line in lines:
            timings = line["timings_ms"]
            assert timings["queue"] == 0 and timings["total"] >= 400, "the timeout begins with the check"


def test_two_batches_share_the_permits(network):
    configuration = {**OPEN_CONFIGURATION, "limits": {"in_flight": 34}}
    with Connectd(network.a, configuration, port=PORT + 1) as it, ThreadPoolExecutor() as pool:
        value = {"defaults": {"target": net.SILENT, "timeout_ms": 300}, "checks": [{}] * 160, "concurrency": 1000}
        first = pool.submit(post, it.http, value)
        it.wait_until_connecting(32)
        second = post(it.http, {**value, "checks": [{}] * 80}).json["summary"]["duration_ms"]
        # 80 checks take 5 rounds with half of the 32 permits, and one more until the first batch returns some.
        assert second < 300 * 9
        assert first.result().json["summary"]["by_outcome"] == {"timeout": 160}


def test_a_body_over_the_limit_is_refused(service):
    request = batch_request({"checks": [{"target": "tcp://a:1", "id": "x" * 64000}] * 300})
    assert_problem(service.http.raw(request[: 1 << 20]), 413)


@pytest.mark.parametrize("body", [
    b'{"checks":[' + b"[" * (8 << 20), b'{"checks":[' + b'{"a":' * (3 << 20), b'{"checks":[' + b"1," * (1 << 20) + b"1]}",
    b'{"defaults":' + b"[" * 1_000_000, b'{"x":[' + b"0," * 5_000_000 + b"0]}", b'{"checks":["' + b"\\u0041" * 200_000 + b'"',
], ids=["arrays", "objects", "numbers", "defaults", "values", "string"])  # fmt: skip
def test_garbage_is_refused_quickly(service, body):
    body = body[: (16 << 20) - 100]
    started = time.monotonic()
    assert_problem(post(service.unix, body), 400)
    assert time.monotonic() - started < 5
    assert service.unix.get("/livez").status == 200


def test_many_large_batches_do_not_exhaust_the_memory(service):
    """Each is refused with 503, or gets all of its results."""
    count = 1000
    body = json.dumps({"defaults": {"id": "x" * 1000}, "checks": [{"labels": dict.fromkeys("abcdefgh", "y" * 800)}] * count})

    def one(_: int) -> int:
        answer = post(service.http, body)
        if answer.status == 200:
            assert answer.json["summary"]["by_outcome"] == {"invalid": count}
        return answer.status

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(one, range(12))) <= {200, 503}
    assert service.resident_bytes() < 600 << 20


def test_memory_does_not_grow_with_the_answer(network):
    with Connectd(network.a, {**OPEN_CONFIGURATION, "workers": 2}, port=PORT + 1) as it, it.http.connect() as connection:
        post(it.http, {"checks": [{}] * 100})
        before = it.resident_bytes()
        value = {"defaults": {"labels": {f"l{n}": "x" * 1000 for n in range(20)}}, "checks": [{}] * MANY}
        stream = LineStream(connection, value)
        most = size = 0
        while (line := stream.next()) is not None:
            size += len(json.dumps(line))
            if line.get("index", 0) % 1000 == 0:
                most = max(most, it.resident_bytes())
        assert size > 150 << 20
        assert most - before < 48 << 20
        wait_until(lambda: it.resident_bytes() - before < 48 << 20, 10, "the memory is released")


def test_a_request_that_ends_within_its_body_leaves_nothing(service):
    before = len(service.open_descriptors())
    for _ in range(20):
        with service.http.connect() as connection:
            connection.sendall(batch_request({"checks": [{}] * 1000})[:-10])
    service.wait_for_descriptors(before)
