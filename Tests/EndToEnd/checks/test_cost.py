"""The cost of a check, counted or compared, so that a busy machine does not change the result."""

import contextlib
import os
import pathlib
import re
import socket

import pytest

from support import peers
from support.connectd_process import PORT, Connectd
from support.http_client import check_request, read_answer

CHECKS = 400


def request_for(target: str) -> bytes:
    return check_request(target, f"127.0.0.1:{PORT}", socket={"close": "rst"})


def run_checks(connection: socket.socket, target: str) -> None:
    """One after another over one connection, as most clients do."""
    request = request_for(target)
    stream = connection.makefile("rb")
    for _ in range(CHECKS):
        connection.sendall(request)
        answer = read_answer(stream)
        assert (answer.status, answer.json["outcome"]) == (200, "connected")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_check_costs_two_enqueues(loopback_only, workers):
    connectd = Connectd(
        loopback_only, {"workers": workers}, environment={"CONNECTD_COUNT_ENQUEUES": "1"}, unix=False
    )
    try:
        connectd.wait_until_live()
        with peers.tcp_listener(loopback_only, "127.0.0.1", backlog=CHECKS) as listener:
            with connectd.http.connect() as connection:
                connection.settimeout(15)
                run_checks(connection, f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        connectd.process.terminate()
        connectd.process.wait(30)
        counted = re.search(r"enqueues per check: ([0-9.]+)", connectd.log)
    finally:
        connectd.stop()
    # A few more are for startup and shutdown.
    assert counted and 2 <= float(counted[1]) <= 2.1, counted


def seconds_of_threads(pid: int) -> list[float]:
    """Processor time of each thread, the busiest first: utime and stime of /proc/PID/task/TID/stat."""
    seconds = []
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        fields = path.read_text().rpartition(")")[2].split()
        seconds.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    return sorted(seconds, reverse=True)


def ask_on_each(connections: list[socket.socket]) -> None:
    """Sends more requests on each connection than are answered at once, so that the worker is always busy."""
    request = request_for("tcp://127.0.0.1:9")
    for connection in connections:
        connection.settimeout(60)
        connection.sendall(request * 250)
    for connection in connections:
        stream = connection.makefile("rb")
        for _ in range(250):
            assert read_answer(stream).json["outcome"] == "refused"


@pytest.mark.deadline
def test_an_idle_worker_takes_checks_of_a_busy_one(loopback_only):
    with Connectd(loopback_only, {"workers": 2}, unix=False) as connectd, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connectd.http.connect()) for _ in range(32)]
        for connection in connections:
            connectd.wait_until_accepted(connection)
        # The two workers got the connections in turn.
        for connection in connections[1::2]:
            connection.close()
        ask_on_each(connections[::2])  # the workers need a while to notice that the load is uneven
        before = seconds_of_threads(connectd.pid)
        ask_on_each(connections[::2])
        busiest, second = [after - then for after, then in zip(seconds_of_threads(connectd.pid), before)][:2]
    # Only the connect moves to the other worker. The connection's own worker reads requests and writes responses.
    assert second > busiest / 6, (busiest, second)
