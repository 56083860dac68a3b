"""Clients that send checks with known verdicts all the time, and note each answer that is wrong or missing."""

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable

from support.http_client import read_answer
from support.soak.cases import Mixture
from support.soak.malformed import post

ANSWER_WITHIN = 60


class KnownLoad:
    """Threads that send one check after the other, in turn on a kept connection and on new ones.

    A request is lost if its connection was accepted and no complete answer came. One exception is in HTTP itself: a kept
    connection may close between two requests.
    """

    def __init__(self, connectors: list[Callable], folder, clients: int = 12, seed: int = 1, is_expected: Callable | None = None):
        self.connectors, self.folder, self.seed = connectors, folder, seed
        # Whether a result that is not the case's own is right in this test.
        self.is_expected = is_expected or (lambda result: False)
        self.answers: Counter = Counter()
        self.faults: list[str] = []
        self.may_be_refused = threading.Event()
        self.ending = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def _run(self, number: int) -> None:
        mixture = Mixture(self.folder, self.seed * 1000 + number)
        connect = self.connectors[number % len(self.connectors)]
        while not self.ending.is_set():
            try:
                connection = connect()
            except OSError as error:
                if not self.may_be_refused.is_set():
                    self._note_fault(f"cannot connect: {error!r}")
                # Without a connection, nothing was accepted.
                if self.ending.wait(0.05):
                    return
                continue
            with connection:
                connection.settimeout(ANSWER_WITHIN)
                self._converse(connection, mixture, keeps=number % 3 != 0)

    def _converse(self, connection, mixture: Mixture, keeps: bool) -> None:
        stream = connection.makefile("rb")
        is_first = True
        while is_first or keeps and not self.ending.is_set():
            [(case, request)] = mixture.draw(1)
            try:
                # A service without room for the connection may have answered and closed it before the request came.
                with contextlib.suppress(BrokenPipeError):
                    connection.sendall(post(json.dumps(request).encode()))
                answer = read_answer(stream)
            except (OSError, EOFError, ValueError, IndexError) as error:
                if is_first:
                    self._note_fault(f"{case.title}: no answer on a new connection: {error!r}")
                return
            self._compare(case, request, answer)
            if answer.headers.get("connection", "").lower() == "close":
                return
            is_first = False

    def _compare(self, case, request: dict, answer) -> None:
        value = answer.json
        if answer.status == 503:
            fault = None if "retry-after" in answer.headers else f"a 503 without Retry-After: {value}"
            return self._note("503", fault)
        if answer.status != case.status:
            return self._note("wrong", f"{case.title}: status {answer.status}: {value}")
        if answer.status != 200:
            return self._note("right")
        if value.get("id") != request["id"]:
            return self._note("wrong", f"{case.title}: the answer to another request: {value}")
        if (fault := case.fault_of(value)) is None:
            return self._note("right")
        if self.is_expected(value):
            return self._note(value["outcome"])
        return self._note("wrong", f"{fault}: {value}")

    def _note(self, kind: str, fault: str | None = None) -> None:
        with self._lock:
            self.answers[kind] += 1
            if fault is not None:
                self.faults.append(fault)

    def _note_fault(self, fault: str) -> None:
        self._note("lost", fault)

    def end(self) -> None:
        """Waits for the answers to all requests that were sent."""
        self.ending.set()
        for thread in self._threads:
            thread.join(ANSWER_WITHIN + 30)
            assert not thread.is_alive(), "a client still waits"

    def __enter__(self) -> "KnownLoad":
        return self

    def __exit__(self, *_) -> None:
        self.end()

    def assert_right(self, least: int = 1) -> None:
        assert not self.faults, f"{len(self.faults)} faults of {self.answers}:\n" + "\n".join(self.faults[:10])
        assert self.answers["right"] >= least, self.answers
