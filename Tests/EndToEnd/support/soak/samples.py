"""What a run watches: memory, descriptors, threads and gauges of the service, once a second, and the bounds on them."""

import csv
import pathlib
import statistics
import threading
import time
from dataclasses import asdict, dataclass

MIB = 1 << 20
# How much the resident memory may grow in the second half of a run.
GROWTH = 2 * MIB
GAUGES = {"connectd_in_flight": "in_flight", "connectd_queue_length": "queued", "connectd_batches_running": "batches"}


@dataclass(frozen=True)
class Sample:
    seconds: float
    resident: int
    descriptors: int
    threads: int
    processor_seconds: float
    in_flight: int
    queued: int
    batches: int
    checks: int


def metrics(client) -> dict[str, float]:
    """The samples of /metrics by name with labels."""
    lines = client.get("/metrics", timeout=60).body.decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def checks_by_outcome(values: dict[str, float]) -> dict[str, int]:
    prefix = 'connectd_checks_total{outcome="'
    counts: dict[str, int] = {}
    for name, value in values.items():
        if name.startswith(prefix):
            outcome = name.removeprefix(prefix).split('"')[0]
            counts[outcome] = counts.get(outcome, 0) + int(value)
    return counts


def threads(pid: int) -> int:
    return len(list(pathlib.Path(f"/proc/{pid}/task").iterdir()))


def take(connectd, started: float) -> Sample:
    values = metrics(connectd.client)
    return Sample(
        round(time.monotonic() - started, 2), connectd.resident_bytes(), len(connectd.open_descriptors()),
        threads(connectd.pid), round(connectd.processor_seconds(), 2),
        *(int(values[name]) for name in GAUGES), sum(checks_by_outcome(values).values()),
    )  # fmt: skip


class Sampler:
    """Takes a sample each second in a thread, and writes it to a CSV file at once."""

    def __init__(self, connectd, path: pathlib.Path):
        self.samples: list[Sample] = []
        self._connectd, self._path = connectd, path
        self._ends = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        started = time.monotonic()
        with self._path.open("w", newline="") as file:
            writer = csv.DictWriter(file, Sample.__dataclass_fields__)
            writer.writeheader()
            while not self._ends.wait(1):
                try:
                    self.samples.append(take(self._connectd, started))
                except Exception as error:  # The run ends, and says so.
                    self._failure = error
                    return
                writer.writerow(asdict(self.samples[-1]))
                file.flush()

    def end(self) -> list[Sample]:
        self._ends.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return self.samples


def resident_growth(samples: list[Sample]) -> int:
    """The median of the last tenth minus the median of the tenth that follows the first half, in bytes."""
    tenth = max(1, len(samples) // 10)
    middle = len(samples) // 2
    return int(_resident(samples[-tenth:]) - _resident(samples[middle : middle + tenth]))


def _resident(samples: list[Sample]) -> float:
    return statistics.median(sample.resident for sample in samples)


def level(samples: list[Sample], member: str) -> tuple[int, int]:
    """The highest value of a member in each half of the run."""
    return tuple(max(getattr(sample, member) for sample in half) for half in _halves(samples))


def _halves(samples: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    middle = len(samples) // 2
    return samples[:middle] or samples, samples[middle:]


def broken_levels(samples: list[Sample]) -> list[str]:
    """Which bounds a run broke that does the same from its beginning to its end."""
    found = _broken_growth(samples)
    for member in ("descriptors", "threads", "in_flight", "queued"):
        # Not the highest ones: while the machine stalls, rounds of monitors meet.
        first, second = (statistics.median(getattr(sample, member) for sample in half) for half in _halves(samples))
        if second > first * 1.5 + 8:
            found.append(f"usually {second:g} {member} in the second half, and {first:g} in the first half")
    return found


def _broken_growth(samples: list[Sample]) -> list[str]:
    if (growth := resident_growth(samples)) <= GROWTH:
        return []
    return [f"the resident memory grew by {growth / MIB:.2f} MiB in the second half, and may grow by {GROWTH // MIB} MiB"]


# Threads for calls that may block are started on demand and kept, so that their number ends at the most that were needed.
THREADS = 2


def broken_bounds(samples: list[Sample], idle: Sample, after: Sample) -> list[str]:
    """Which bounds a run broke; `idle` is a sample before it, and `after` one after it."""
    found = _broken_growth(samples)
    first, second = level(samples, "threads")
    if second > first + THREADS:
        found.append(f"up to {second} threads in the second half, and {first} in the first half")
    if after.descriptors > idle.descriptors:
        found.append(f"{after.descriptors} descriptors after the run, and {idle.descriptors} before it")
    for member in ("in_flight", "queued", "batches"):
        if count := getattr(after, member):
            found.append(f"{member} is {count} after the run")
    return found


def table(samples: list[Sample], idle: Sample, after: Sample) -> str:
    """A plain table: before the run, the highest value in each half, and after the run."""
    rows = [("", "before", "1st half", "2nd half", "after")]
    rows.append(("resident MiB", *(f"{value / MIB:.1f}" for value in (idle.resident, *level(samples, "resident"), after.resident))))
    for member in ("descriptors", "threads", "in_flight", "queued", "batches"):
        values = (getattr(idle, member), *level(samples, member), getattr(after, member))
        rows.append((member, *map(str, values)))
    return "\n".join(f"{row[0]:<14}" + "".join(f"{cell:>10}" for cell in row[1:]) for row in rows)
