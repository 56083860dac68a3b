"""SIGSTOP and SIGCONT: while the service does not run, time passes, but nothing is learned about the peer."""

import contextlib
import signal
import socket
import threading
import time

import pytest

from support import tls_peers
from support.certificates import HOST
from support.connectd_process import Connectd
from support.dns_server import A, DNSServer, address_record
from support.http_client import Client
from support.https_peers import PORT as HTTPS_PORT
from support.https_peers import certify, connector, https
from support.known_load import KnownLoad
from support.long_form import figure
from support.soak.cases import is_prober_busy
from support.soak.peers import DROPPED, OPEN
from support.waiting import wait_until

ADDRESS = "127.0.0.1"
TIMEOUT = 1000
# How long the service is stopped, in seconds: longer than the check may take.
STOPPED = 2


@pytest.fixture(scope="module")
def connectd(known, settings):
    configuration, files = settings
    monitors = [{"name": "open", "interval_ms": 200, "check": {"target": f"tcp://{ADDRESS}:{OPEN}", "timeout_ms": 500}}]
    with Connectd(known.namespace, {**configuration, "monitors": monitors}, files=files) as running:
        yield running


@contextlib.contextmanager
def stopped(connectd, seconds: float = STOPPED):
    """The process does not run within the block, and for at least these seconds."""
    begin = time.monotonic()
    connectd.process.send_signal(signal.SIGSTOP)
    try:
        yield
        time.sleep(max(0, begin + seconds - time.monotonic()))  # The test is about this time.
    finally:
        connectd.process.send_signal(signal.SIGCONT)


class RunningCheck:
    """A check in a thread."""

    def __init__(self, connectd, target: str, **members):
        self.result: dict = {}
        self._thread = threading.Thread(target=self._run, args=(connectd, target, members))
        self._thread.start()

    def _run(self, connectd, target: str, members: dict) -> None:
        self.result = connectd.client.check(target, timeout_ms=TIMEOUT, **members)

    def end(self) -> dict:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.result


class PausedPeer:
    """A peer that has got the first bytes of a client, and continues when the test allows it."""

    def __init__(self, script):
        self.is_asked, self.may_continue = threading.Event(), threading.Event()
        self._script = script

    def __call__(self, connection: socket.socket) -> None:
        connection.recv(1, socket.MSG_PEEK)
        self.is_asked.set()
        self.may_continue.wait(30)
        self._script(connection)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_handshake_that_is_answered_meanwhile_is_not_the_targets_failure(connectd, known, version):
    context = tls_peers.server_context(known.authorities.good, highest=version)
    peer = PausedPeer(tls_peers.tls(context))
    with tls_peers.listening(known.namespace, peer, ADDRESS) as port:
        check = RunningCheck(connectd, f"tcp://{ADDRESS}:{port}", tls={"server_name": HOST, "ca": "tests"})
        assert peer.is_asked.wait(10)
        with stopped(connectd):
            peer.may_continue.set()
        result = check.end()
    assert result["outcome"] == "connected" or is_prober_busy(result), result


def test_a_handshake_without_an_answer_is_unknown(connectd, known):
    """The peer may have been about to answer: its fault is not known."""
    peer = PausedPeer(tls_peers.until_the_end)
    with tls_peers.listening(known.namespace, peer, ADDRESS) as port:
        check = RunningCheck(connectd, f"tls://{ADDRESS}:{port}")
        assert peer.is_asked.wait(10)
        with stopped(connectd):
            peer.may_continue.set()
        result = check.end()
    assert is_prober_busy(result) and result["phase"] == "tls", result
    assert result["error"]["retryable"] is True


def test_a_dialog_that_is_answered_meanwhile_is_not_the_targets_failure(connectd, known):
    def answers(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := connection.recv(100):
                connection.sendall(data)

    peer = PausedPeer(answers)
    steps = [{"send": "one\n"}, {"expect": "^one"}, {"send": "two\n"}, {"expect": "^two"}, {"send": "three\n"}, {"expect": "^three"}]
    with tls_peers.listening(known.namespace, peer, ADDRESS) as port:
        check = RunningCheck(connectd, f"tcp://{ADDRESS}:{port}", dialog=steps)
        assert peer.is_asked.wait(10)
        with stopped(connectd):
            peer.may_continue.set()
        result = check.end()
    assert result["outcome"] == "connected" or is_prober_busy(result), result


def test_a_connect_that_the_kernel_completes_meanwhile_is_connected(connectd, known):
    """The listener's packets are dropped until the service is stopped. The kernel repeats the SYN."""
    space = known.namespace
    address = f"{DROPPED}.77.1"
    check = RunningCheck(connectd, f"tcp://{address}:{OPEN}")
    connectd.wait_until_connecting()
    with stopped(connectd, 3):
        space.nft(f"insert rule inet t i ip daddr {address} accept")
    assert check.end()["outcome"] == "connected"


def test_a_connect_without_an_answer_is_a_timeout(connectd):
    """The kernel repeated the SYN meanwhile, so it is known that nothing answered."""
    check = RunningCheck(connectd, f"tcp://{DROPPED}.78.1:80")
    connectd.wait_until_connecting()
    with stopped(connectd):
        pass
    result = check.end()
    assert (result["outcome"], result["error"]["name"], result["error"]["fault"]) == ("timeout", "DEADLINE", "network"), result


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "silent"])
def test_a_name_that_is_answered_meanwhile_is_not_the_name_servers_failure(connectd, known, is_answered):
    asked, may_answer = threading.Event(), threading.Event()

    def answer(question):
        asked.set()
        may_answer.wait(30)
        return question.reply([address_record(question.name, ADDRESS)] if question.kind == A else []) if is_answered else None

    with DNSServer(known.namespace, "127.0.0.54", answer):
        check = RunningCheck(connectd, f"tcp://slow.test:{OPEN}", resolve={"server": "127.0.0.54:53"})
        assert asked.wait(10)
        with stopped(connectd):
            may_answer.set()
        result = check.end()
    assert is_prober_busy(result) or is_answered and result["outcome"] == "connected", result


def test_many_stops_give_no_wrong_verdict(connectd, known):
    with KnownLoad([connectd.http.connect, connectd.unix.connect], known.folder, 12, is_expected=is_prober_busy) as load:
        for number in range(figure(4, 40)):
            before = load.answers.total()
            with stopped(connectd, 0.3 + number % 4 * 0.5):
                pass
            wait_until(lambda before=before: load.answers.total() > before + 24 or load.faults, 60, "the load is answered again")
    load.assert_right(24)
    assert "monitor is down" not in connectd.log, "the target of the monitor was up all the time"
    assert connectd.monitor("open")["state"] == "up"


def test_clients_of_https_are_served_after_a_stop(known, tmp_path):
    certify(tmp_path, "server")
    configuration = {"listen": [f"{ADDRESS}:{HTTPS_PORT}"], "https": https(tmp_path)}
    with Connectd(known.namespace, configuration, port=HTTPS_PORT, listen=()) as connectd:
        client = Client(connector(known.namespace, tmp_path))
        answers: list[int] = []

        def ask() -> None:
            answers.append(client.get("/livez").status)

        with stopped(connectd):
            threads = [threading.Thread(target=ask) for _ in range(20)]
            for thread in threads:
                thread.start()
        for thread in threads:
            thread.join(30)
    assert answers == [200] * 20
