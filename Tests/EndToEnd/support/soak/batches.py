"""Batches of a soak run: most of its checks. Each item must get one line, with the verdict of its case."""

import collections
import contextlib
import random
from collections.abc import Callable

from support.batches import LineStream
from support.soak.cases import Case, Mixture
from support.soak.tally import Tally

SIZES = (500, 4000)
CONCURRENCY = (20, 400)
# One batch of this many is abandoned in the middle.
ABANDONED = 8


class BatchDriver:
    """Sends one batch after the other, and compares each line."""

    def __init__(self, connect: Callable, host: str, mixture: Mixture, seed: int, count: int, done):
        self.tally = Tally()
        self._connect, self._host, self._mixture, self._count, self._done = connect, host, mixture, count, done
        self._random = random.Random(seed)

    def run(self) -> Tally:
        left = self._count
        while left > 0:
            size = min(left, self._random.randint(*SIZES))
            if self._random.randrange(ABANDONED) == 0:
                self._abandon(self._mixture.draw(size))
                continue
            self._ask(self._mixture.draw(size))
            left -= size
        return self.tally

    def _body(self, drawn: list[tuple[Case, dict]]) -> dict:
        return {"checks": [request for _, request in drawn], "concurrency": self._random.randint(*CONCURRENCY)}

    def _ask(self, drawn: list[tuple[Case, dict]]) -> None:
        self.tally.batches += 1
        answered = [0] * len(drawn)
        outcomes = collections.Counter()
        try:
            with self._connect() as connection:
                stream = LineStream(connection, self._body(drawn), self._host, timeout=120)
                while (line := stream.next()) is not None:
                    if "summary" in line:
                        self._compare_summary(line["summary"], len(drawn), outcomes)
                    else:
                        answered[line["index"]] += 1
                        outcomes[line["outcome"]] += 1
                        self._compare(line, *drawn[line["index"]])
        except (OSError, AssertionError, EOFError) as error:
            self.tally.add_fault(f"a batch of {len(drawn)} ended after {sum(answered)} lines: {error!r}")
        if lost := answered.count(0):
            self.tally.add_fault(f"{lost} of {len(drawn)} items of a batch were not answered")
        if many := sum(count > 1 for count in answered):
            self.tally.add_fault(f"{many} of {len(drawn)} items of a batch were answered more than once")

    def _compare(self, line: dict, case: Case, request: dict) -> None:
        with self._done.get_lock():
            self._done.value += 1
        # An item that cannot be read may have no id.
        if line.get("id") != request["id"] and case.title != "invalid":
            self.tally.add_fault(f"{case.title}: the id is {line.get('id')} instead of {request['id']}")
        elif fault := case.fault_of(line):
            self.tally.add_fault(f"{fault} in a batch: {line}")
        else:
            self.tally.add_right(case, line)

    def _compare_summary(self, summary: dict, count: int, outcomes: collections.Counter) -> None:
        """The summary counts what the lines say. Each line was compared with its verdict."""
        if summary["total"] != count or summary["by_outcome"] != outcomes:
            self.tally.add_fault(f"the summary is {summary} instead of {count} and {dict(outcomes)}")

    def _abandon(self, drawn: list[tuple[Case, dict]]) -> None:
        """Reads the first lines, and disconnects: connectd must cancel the rest."""
        self.tally.cancelled_items += len(drawn)
        with self._connect() as connection, contextlib.suppress(EOFError):
            stream = LineStream(connection, self._body(drawn), self._host, timeout=120)
            for _ in range(self._random.randint(0, 50)):
                stream.next()
