"""With 16 to 256 descriptors, the service says that it cannot start, or answers each request: with 503 if it must."""

import pytest

from support.connectd_process import Connectd
from support.http_client import read_answer
from support.known_load import KnownLoad
from support.long_form import figure
from support.waiting import wait_until

CLIENTS = 60
ANSWERS = figure(300, 1500)
# The least limit with which the service must start.
ENOUGH = 32


def is_exhausted(result: dict) -> bool:
    """Without a descriptor for a check, the result says so, and blames no peer."""
    return result["outcome"] == "prober_exhausted" and result["error"]["fault"] == "prober"


def ends_with_a_message(connectd: Connectd) -> None:
    try:
        assert connectd.process.wait(30) == 1, connectd.log
        assert "descriptors" in connectd.log and "ulimit -n" in connectd.log
    finally:
        connectd.stop()


@pytest.mark.parametrize("descriptors", figure((16, 31, 32, 36, 64, 128), (*range(16, 65, 2), 31, 33, *range(72, 257, 8))))
def test_every_request_is_answered(known, settings, descriptors):
    configuration, files = settings
    connectd = Connectd(known.namespace, configuration, files=files, descriptors=descriptors)
    if descriptors < ENOUGH:
        return ends_with_a_message(connectd)
    with connectd:
        connectors = [connectd.unix.connect, connectd.http.connect]
        with KnownLoad(connectors, known.folder, CLIENTS, seed=descriptors, is_expected=is_exhausted) as load:
            wait_until(lambda: load.answers.total() >= ANSWERS or load.faults, 120, lambda: f"{ANSWERS} answers: {load.answers}")
        load.assert_right()
        assert connectd.client.check("tcp://127.0.0.1:9")["outcome"] == "refused", "it recovers"


def test_a_new_client_that_gives_way_is_answered(known):
    """Its request may be on its way when its connection is needed for another client."""
    with Connectd(known.namespace, descriptors=64) as connectd:
        clients = []
        try:
            for _ in range(40):
                clients.append(connectd.http.connect())
                connectd.wait_until_accepted(clients[-1])
            for client in clients:
                client.settimeout(10)
                client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            statuses = [read_answer(client.makefile("rb")).status for client in clients]
        finally:
            for client in clients:
                client.close()
        assert set(statuses) == {200, 503}, statuses
