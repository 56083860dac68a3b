"""What a check costs, counted where it can be counted: no clock is asked, so a busy machine changes nothing."""

import re
import socket

import pytest

import peers
from client import read_answer
from connectd_process import Connectd, PORT

CHECKS = 400


def run_checks(connection: socket.socket, target: str) -> None:
    """One after another over one connection, as most clients do."""
    body = b'{"target":"%s","socket":{"close":"rst"}}' % target.encode()
    head = (
        f"POST /v1/checks HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    stream = connection.makefile("rb")
    for _ in range(CHECKS):
        connection.sendall(head + body)
        answer = read_answer(stream)
        assert (answer.status, answer.json["outcome"]) == (200, "connected")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_check_is_enqueued_twice_for_its_begin_and_for_its_socket(loopback_only, workers):
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
    # A few more serve the start and the end.
    assert counted and 2 <= float(counted[1]) <= 2.1, counted
