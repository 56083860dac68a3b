"""A run of checks: two processes send batches, one over the UNIX socket and one over TCP, and a third single requests."""

import asyncio
import multiprocessing
import pathlib
import time
from collections.abc import Callable

from support.batches import results
from support.connectd_process import PORT
from support.soak import peers as soak
from support.soak import samples
from support.soak.batches import BatchDriver
from support.soak.cases import Mixture
from support.soak.malformed import HOST
from support.soak.singles import SingleDriver
from support.soak.tally import Tally

# The share of the checks that are single requests.
SINGLES = 0.15
SAY_EVERY = 30


def warm_up(connectd, folder: pathlib.Path) -> None:
    """Runs each kind of check, so that buffers, threads and the resolver's sockets exist before the first sample."""
    mixture = Mixture(folder, seed=0)
    requests = [case.request(number) for number in range(20) for case in mixture.cases]
    assert len(results(connectd.client, {"checks": requests})) == len(requests)


def _batches(connect, host: str, folder: pathlib.Path, seed: int, count: int, done, found) -> None:
    found.put(BatchDriver(connect, host, Mixture(folder, seed), seed, count, done).run())


def _singles(folder: pathlib.Path, seed: int, count: int, done, found) -> None:
    found.put(asyncio.run(SingleDriver(("127.0.0.1", PORT), Mixture(folder, seed), seed, count, done).run()))


class CheckRun:
    """The processes of the driver, and what they found."""

    def __init__(self, connectd, network: soak.SoakNetwork, count: int, seed: int):
        self.connectd, self.count, self.seed = connectd, count, seed
        self._before = samples.metrics(connectd.client)
        self._done, self._found = multiprocessing.Value("q", 0), multiprocessing.Queue()
        singles = int(count * SINGLES)
        each = (count - singles) // 2
        rest = self._done, self._found
        space, folder = network.namespace, network.folder
        self._processes = [
            soak.in_namespace(space, _batches, connectd.unix.connect, "localhost", folder, seed + 1, count - singles - each, *rest),
            soak.in_namespace(space, _batches, connectd.http.connect, HOST, folder, seed + 2, each, *rest),
            soak.in_namespace(space, _singles, folder, seed + 3, singles, *rest),
        ]

    def wait(self, say: Callable[[str], None]) -> Tally:
        """Waits for all processes; tells the progress every half minute."""
        started = told = time.monotonic()
        while any(process.is_alive() for process in self._processes) and self._found.qsize() < len(self._processes):
            time.sleep(0.2)
            if time.monotonic() > told + SAY_EVERY:
                told = time.monotonic()
                say(f"{self._done.value} of {self.count} after {told - started:.0f} s")
        assert self._found.qsize() == len(self._processes), "a process of the driver ended by itself"
        tally = sum((self._found.get(timeout=30) for _ in self._processes), Tally())
        say(f"{tally.total} answers after {time.monotonic() - started:.0f} s, seed {self.seed}")
        return tally

    def faults(self, tally: Tally) -> list[str]:
        return tally.faults(self._before, samples.metrics(self.connectd.client))
