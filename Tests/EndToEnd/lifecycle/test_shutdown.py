"""SIGTERM and SIGKILL under load, many times: nothing that was accepted is lost, and the next start finds everything free."""

import os
import random
import signal
import threading
import time

import pytest

from support.batches import LineStream
from support.connectd_process import Connectd
from support.known_load import KnownLoad
from support.long_form import figure
from support.soak.cases import Mixture
from support.waiting import wait_until

CLIENTS = 12
BATCH = 400


def is_cancelled(result: dict) -> bool:
    return result["outcome"] == "cancelled" and result["error"]["fault"] == "request"


class RunningBatch:
    """A batch that is read in a thread, however it ends."""

    def __init__(self, connectd: Connectd, folder, seed: int):
        self.drawn = Mixture(folder, seed).draw(BATCH)
        self.lines: list[dict] = []
        self.problem: Exception | None = None
        self.is_refused = False
        self._thread = threading.Thread(target=self._read, args=(connectd.unix.connect(),), daemon=True)
        self._thread.start()

    def _read(self, connection) -> None:
        body = {"checks": [request for _, request in self.drawn], "concurrency": 40}
        with connection:
            try:
                stream = LineStream(connection, body, timeout=60)
                while (line := stream.next()) is not None:
                    self.lines.append(line)
            except AssertionError as error:
                self.is_refused = b"503" in str(error).encode()
                self.problem = error
            except OSError as error:
                self.problem = error

    def faults(self) -> list[str]:
        """What is wrong with its answer: each check has one line with its verdict, or was cancelled."""
        self._thread.join(60)
        if self.is_refused:
            return []
        if self.problem is not None:
            return [f"the batch ended after {len(self.lines)} lines: {self.problem!r}"]
        *lines, summary = self.lines
        found = [] if summary["summary"]["total"] == BATCH else [f"the summary is {summary}"]
        if sorted(line["index"] for line in lines) != list(range(BATCH)):
            found.append("the batch does not have each check once")
        for line in lines:
            fault = self.drawn[line["index"]][0].fault_of(line)
            if fault is not None and not is_cancelled(line):
                found.append(f"{fault}: {line}")
        return found


@pytest.fixture
def place(known, settings):
    """A configuration whose UNIX listener keeps its path over restarts."""
    configuration, files = settings
    path = f"{known.folder}/http.sock"
    limits = {"drain": {"delay_ms": 50, "limit_ms": 1500}, "log": {"level": "info"}}
    return {**configuration, **limits}, files, path


def started(known, place) -> Connectd:
    configuration, files, path = place
    return Connectd(known.namespace, configuration, files=files, listen=(f"unix:{path}",)).wait_until_live()


def test_sigterm_loses_nothing(known, place):
    chance = random.Random(1)
    for number in range(figure(4, 100)):
        connectd = started(known, place)
        with KnownLoad([connectd.http.connect, connectd.unix.connect], known.folder, CLIENTS, number, is_cancelled) as load:
            batch = RunningBatch(connectd, known.folder, number)
            wait_until(lambda load=load: load.answers["right"] >= 20, 60, "the load is answered")
            time.sleep(chance.random() * 0.2)  # At any moment of the load.
            load.may_be_refused.set()
            connectd.process.send_signal(signal.SIGTERM)
            assert connectd.process.wait(20) == 0, connectd.log
            load.ending.set()
        faults = batch.faults()
        assert not faults, f"round {number}: {faults[:5]}"
        load.assert_right()
        assert not os.path.exists(place[2]), "the file of the UNIX listener is removed"
        connectd.stop()


def test_sigkill_leaves_nothing_that_a_start_needs(known, place):
    """The port is free, the file of the UNIX listener is taken over, and no other file was written."""
    chance = random.Random(2)
    for number in range(figure(5, 100)):
        begin = time.monotonic()
        connectd = started(known, place)
        with KnownLoad([connectd.http.connect, connectd.unix.connect], known.folder, CLIENTS, number) as load:
            wait_until(lambda load=load: load.answers["right"] >= 20 or load.faults, 60, "the load is answered")
            load.assert_right()
            time.sleep(chance.random() * 0.1)  # At any moment of the load.
            load.ending.set()
            files = sorted(os.listdir(connectd.folder))
            connectd.process.kill()
            connectd.process.wait()
        assert files == ["connectd.yaml", "http.sock", "log", "tests.pem"], files
        assert os.path.exists(place[2]), "nothing removed the file of the UNIX listener"
        assert time.monotonic() - begin < 60
        connectd.stop()
    with started(known, place) as last:
        assert last.client.get("/readyz").status == 200
