"""Limits per client: the rate, checks in flight, connections, and different targets in an hour."""

import json
import socket
import time
from contextlib import ExitStack

import pytest

from support import network as net
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_problem
from support.http_client import Client, check_request, tcp_connector
from support.waiting import wait_until

REFUSED = "tcp://127.0.0.1:9"


def limited(**limits) -> dict:
    return {**OPEN_CONFIGURATION, "limits": {f"per_client_{name}": value for name, value in limits.items()}}


def with_tokens(configuration: dict, *names: str) -> tuple[dict, dict[str, str]]:
    """The configuration with tokens, and the files that it needs."""
    lines = "".join(f"{name}:token-of-{name}-0123456789\n" for name in names)
    return {**configuration, "auth": {"tokens_file": "tokens"}}, {"tokens": lines}


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer token-of-{name}-0123456789"}


def refusals(connectd, limit: str, headers: dict | None = None) -> int:
    name = f'connectd_client_limit_refusals_total{{limit="{limit}"}} '.encode()
    [line] = [line for line in connectd.client.get("/metrics", headers).body.splitlines() if line.startswith(name)]
    return int(line.split()[-1])


def assert_limited(answer, words: str) -> None:
    problem = assert_problem(answer, 429)
    assert problem["type"].endswith("too_many_requests") and words in problem["detail"], problem
    assert int(answer.headers["retry-after"]) >= 1


# The rate


def test_a_client_over_its_rate_gets_429_and_others_do_not(loopback_only):
    configuration, files = with_tokens(limited(per_second=2), "ann", "bob")
    with Connectd(loopback_only, configuration, files=files) as connectd:
        statuses = [connectd.client.post("/v1/checks", {"target": REFUSED}, bearer("ann")).status for _ in range(12)]
        assert statuses[:2] == [200, 200] and 429 in statuses and set(statuses) == {200, 429}
        assert_limited(connectd.client.get(f"/v1/probe?target={REFUSED}", bearer("ann")), "2 checks per second")
        assert_limited(connectd.client.get("/probe?target=127.0.0.1:9", bearer("ann")), "limits.per_client_per_second")
        assert connectd.client.post("/v1/checks", {"target": REFUSED}, bearer("bob")).status == 200
        for path in ("/livez", "/readyz", "/metrics", "/v1/errors", "/v1/monitors"):
            assert connectd.client.get(path, bearer("ann")).status == 200, path
        assert refusals(connectd, "rate", bearer("bob")) >= 3
        assert "a client has reached its limit" in connectd.log
        line = json.loads(next(line for line in connectd.log.splitlines() if "reached its limit" in line))
        assert line["client"] == "ann" and line["limit"] == "rate" and line["refused"] == 1
        assert connectd.log.count("reached its limit") == 1, "one line in ten seconds"


def test_retry_after_says_when_the_client_may_ask_again(loopback_only):
    with Connectd(loopback_only, limited(per_second=1)) as connectd:
        assert connectd.client.check(REFUSED, count=3, interval_ms=0)["outcome"] == "refused"
        answer = connectd.client.post_check(REFUSED)
        assert_limited(answer, "1 checks per second")
        seconds = int(answer.headers["retry-after"])
        assert 2 <= seconds <= 3, "each round counts"
        time.sleep(seconds)
        assert connectd.client.post_check(REFUSED).status == 200


@pytest.mark.deadline
def test_a_batch_waits_for_its_rate_and_leaves_some_to_single_checks(loopback_only):
    with Connectd(loopback_only, limited(per_second=20)) as connectd:
        started = time.monotonic()
        answer = connectd.client.post("/v1/checks/batch", {"checks": [{"target": REFUSED}] * 50})
        took = time.monotonic() - started
        assert answer.status == 200 and answer.json["summary"]["by_outcome"] == {"refused": 50}
        # About ten start at once, and then twenty in a second.
        assert 1.8 <= took <= 4, took
        assert connectd.client.post_check(REFUSED).status == 200, "the batch leaves half of the burst"


def test_a_diagnosis_counts_as_ten_checks(loopback_only):
    with Connectd(loopback_only, limited(per_second=4)) as connectd:
        assert connectd.client.post("/v1/diagnoses", {"target": REFUSED, "timeout_ms": 2000}).status == 200
        assert int(connectd.client.post_check(REFUSED).headers.get("retry-after", 0)) >= 1


def test_a_reload_changes_the_limits(loopback_only):
    with Connectd(loopback_only, limited(per_second=1)) as connectd:
        assert 429 in [connectd.client.post_check(REFUSED).status for _ in range(3)]
        connectd.reload(OPEN_CONFIGURATION)
        assert {connectd.client.post_check(REFUSED).status for _ in range(20)} == {200}
        connectd.reload(limited(per_second=1))
        assert 429 in [connectd.client.post_check(REFUSED).status for _ in range(3)]


# Checks in flight


def test_checks_in_flight_are_limited_for_each_address(network):
    with Connectd(network.a, limited(in_flight=2)) as connectd, ExitStack() as stack:
        for port in (80, 81):
            connection = stack.enter_context(connectd.http.connect())
            connection.sendall(check_request(f"tcp://{net.DROPPED}:{port}", timeout_ms=20000))
        connectd.wait_until_connecting(2)
        assert_limited(connectd.http.post_check(REFUSED), "2 checks in flight")
        assert_limited(connectd.http.post("/v1/checks/batch", {"checks": [{"target": REFUSED}]}), "in flight")
        assert connectd.unix.post_check(REFUSED).status == 200, "another client"
        assert connectd.http.get("/readyz").status == 200
        assert refusals(connectd, "in_flight") == 2
        stack.close()
        wait_until(lambda: connectd.http.post_check(REFUSED).status == 200, 30, "the permits are back")


def test_a_batch_has_no_more_in_flight_than_its_client(network):
    with Connectd(network.a, limited(in_flight=3)) as connectd:
        checks = [{"target": f"tcp://{net.DROPPED}:{port}", "timeout_ms": 300} for port in range(80, 89)]
        started = time.monotonic()
        answer = connectd.client.post("/v1/checks/batch", {"checks": checks, "concurrency": 9})
        assert answer.json["summary"]["by_outcome"] == {"timeout": 9}
        assert time.monotonic() - started >= 0.85, "three rounds of three"
        wait_until(lambda: connectd.client.post_check(REFUSED).status == 200, 30, "its permits are back")


# Targets


def test_a_scan_of_many_targets_ends_with_429(loopback_only):
    with Connectd(loopback_only, limited(targets_per_hour=5)) as connectd:
        statuses = [connectd.client.post_check(f"tcp://127.0.0.1:{port}").status for port in range(9, 19)]
        assert statuses == [200] * 5 + [429] * 5
        answer = connectd.client.post_check("tcp://127.0.0.1:99")
        assert_limited(answer, "5 different targets in an hour")
        assert 3500 <= int(answer.headers["retry-after"]) <= 3600
        assert connectd.client.post_check("tcp://127.0.0.1:9").status == 200, "a known target"
        assert connectd.client.post_check("udp://127.0.0.1:9").status == 200, "the same address and port"
        assert refusals(connectd, "targets") == 6


def test_a_batch_of_many_targets_names_the_limit(loopback_only):
    with Connectd(loopback_only, limited(targets_per_hour=3)) as connectd:
        checks = [{"target": f"tcp://127.0.0.1:{port}"} for port in (9, 10, 11, 12, 13, 9)]
        batch = connectd.client.post("/v1/checks/batch", {"checks": checks, "concurrency": 1}).json
        assert [item["outcome"] for item in batch["results"]] == ["refused"] * 3 + ["denied"] * 2 + ["refused"]
        error = batch["results"][3]["error"]
        assert error["name"] == "CLIENT_LIMIT" and error["fault"] == "request"
        assert "limits.per_client_targets_per_hour" in error["hint"]


def test_a_name_that_leads_elsewhere_each_time_is_a_new_target(loopback_only):
    loopback_only.write_etc("hosts", "127.0.0.1 moving.test\n")
    with Connectd(loopback_only, limited(targets_per_hour=4)) as connectd:
        # The name and each of its addresses count. The check that is one address too many has already run.
        statuses = [check_moved_name(loopback_only, connectd, f"127.0.0.{last}") for last in range(1, 8)]
        assert statuses == [200] * 4 + [429] * 3, statuses
        assert_limited(connectd.client.post_check("tcp://127.0.0.77:9"), "4 different targets")
    loopback_only.write_etc("hosts", "127.0.0.1 localhost\n")


def check_moved_name(namespace, connectd, address: str) -> int:
    """Moves the name to an address, and checks it until the check goes there or is refused."""
    namespace.write_etc("hosts", f"{address} moving.test\n")
    answers = []

    def has_moved() -> bool:
        answers.append(connectd.client.post_check("tcp://moving.test:9"))
        return answers[-1].status == 429 or answers[-1].json["attempts"][0]["address"] == address

    wait_until(has_moved, 30, "the new address is used")
    return answers[-1].status


# Connections


def hold(connectd, count: int, stack: ExitStack) -> list[socket.socket]:
    return [stack.enter_context(connectd.http.connect()) for _ in range(count)]


def test_one_address_has_so_many_connections(loopback_only):
    with Connectd(loopback_only, limited(connections=5)) as connectd, ExitStack() as stack:
        held = hold(connectd, 5, stack)
        for connection in held:
            connectd.wait_until_accepted(connection)
        assert_limited(connectd.http.get("/livez"), "too many open connections")
        other = Client(from_address(loopback_only, "127.0.0.2", connectd.port), host=f"127.0.0.1:{connectd.port}")
        assert other.get("/livez").status == 200, "another address"
        assert connectd.unix.get("/livez").status == 200
        assert refusals(connectd, "connections") == 1
        held[0].close()
        wait_until(lambda: connectd.http.get("/livez").status == 200, 30, "a connection is free")


def from_address(namespace, address: str, port: int):
    def connect() -> socket.socket:
        connection = namespace.socket(socket.AF_INET)
        connection.bind((address, 0))
        connection.connect(("127.0.0.1", port))
        return connection

    return connect


def test_a_client_with_two_thousand_connections_affects_no_other(loopback_only):
    with Connectd(loopback_only, descriptors=1500) as connectd, ExitStack() as stack:
        head = b"POST /v1/checks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        for _ in range(2000):
            connection = loopback_only.socket(socket.AF_INET)
            stack.enter_context(connection)
            connection.settimeout(30)
            connection.bind(("127.0.0.9", 0))
            connection.connect(("127.0.0.1", connectd.port))
            connection.sendall(head)
        other = Client(tcp_connector(loopback_only, "127.0.0.1", connectd.port), host=f"127.0.0.1:{connectd.port}")
        for _ in range(20):
            assert other.get("/livez").status == 200
            assert other.post_check(REFUSED).status == 200
