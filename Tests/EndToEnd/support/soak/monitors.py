"""A run of monitors: each has a known state and known results. States are compared every second, and each result once."""

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass

from support.certificates import HOST
from support.soak import peers as soak
from support.soak import samples

INTERVALS = (1, 1, 1, 2, 2, 2, 5, 5, 5, 10)
# How much later than its interval a round may begin on a busy machine, in seconds.
SLACK = 15
# How close to a change of the flapping listener, in seconds, a round may have either result: a stall of the machine may be
# between the listener's own clock and its system call.
NEAR = 1
# Monitors that a busy machine may leave without processor time until their deadline.
ENDS_AT_DEADLINE = ("tls-hangs", "silent-name")
# Histories have 500 results, and the shortest interval is a second.
READ_HISTORIES_EVERY = 240


@dataclass(frozen=True)
class Watched:
    """A monitor, its state, and the outcome and error name of each round. State None: it follows the flapping listener."""

    title: str
    check: dict
    state: str | None
    outcome: str = "connected"
    name: str | None = None


def _tls(port: int, **members) -> dict:
    return {"target": f"tcp://127.0.0.1:{port}", "tls": {"server_name": HOST, "ca": "tests"}, **members}


def kinds(folder) -> list[Watched]:
    echo = [{"send": "soak"}, {"expect": "^soak"}]
    return [
        Watched("open", {"target": f"tcp://127.0.0.1:{soak.OPEN}"}, "up"),
        Watched("refused", {"target": f"tcp://127.0.0.1:{soak.REFUSED}"}, "down", "refused", "ECONNREFUSED"),
        Watched("dropped", {"target": f"tcp://{soak.DROPPED}.1.1:80", "timeout_ms": 300}, "down", "timeout", "DEADLINE"),
        Watched("unreachable", {"target": f"tcp://{soak.UNREACHABLE}:80"}, "down", "unreachable", "EHOSTUNREACH"),
        Watched("flapping", {"target": f"tcp://127.0.0.1:{soak.FLAPPING}"}, None),
        Watched("tls-good", _tls(soak.TLS["good"]), "up"),
        Watched("tls-expired", _tls(soak.TLS["expired"]), "down", "tls_failed", "CERT_EXPIRED"),
        Watched("tls-wrong-name", _tls(soak.TLS["wrong_host"]), "down", "tls_failed", "CERT_NAME_MISMATCH"),
        Watched("tls-garbage", _tls(soak.GARBAGE), "down", "tls_failed", "TLS_NOT_TLS"),
        Watched("tls-closes", _tls(soak.CLOSES), "down", "tls_failed", "TLS_CLOSED"),
        Watched("tls-hangs", _tls(soak.HANGS, timeout_ms=300), "down", "timeout", "DEADLINE"),
        Watched("unix", {"target": f"unix:{folder}/stream"}, "up"),
        Watched("unix-missing", {"target": f"unix:{folder}/missing"}, "down", "no_such_socket", "ENOENT"),
        Watched("udp", {"target": f"udp://127.0.0.1:{soak.ECHO}", "dialog": echo}, "up", "answered"),
        Watched("dialog", {"target": f"tcp://127.0.0.1:{soak.BANNER}", "dialog": [{"expect": "^220"}]}, "up"),
        Watched("name", {"target": f"tcp://alias.soak.test:{soak.OPEN}"}, "up"),
        Watched("name-all", {"target": f"tcp://two.soak.test:{soak.OPEN}", "resolve": {"addresses": "all"}}, "up"),
        Watched("no-such-name", {"target": "tcp://nosuch.soak.test:80"}, "down", "resolve_failed", "NXDOMAIN"),
        Watched("silent-name", {"target": "tcp://silent.soak.test:80", "timeout_ms": 300}, "down", "resolve_failed", "DNS_TIMEOUT"),
        Watched("rounds", {"target": f"tcp://127.0.0.1:{soak.OPEN}", "count": 2}, "up"),
    ]  # fmt: skip


def configuration(folder) -> tuple[list[dict], dict[str, Watched]]:
    """The monitors of a configuration, one of each kind and interval, and what each of them must be."""
    entries, watched = [], {}
    for kind in kinds(folder):
        for index, seconds in enumerate(INTERVALS):
            name = f"{kind.title}-{index}-{seconds}s"
            watched[name] = kind
            entries.append({"name": name, "interval_ms": seconds * 1000, "check": {"timeout_ms": 20000, **kind.check}})
    return entries, watched


class Comparison:
    """Compares states and results with what is known."""

    def __init__(self, watched: dict[str, Watched]):
        self.watched = watched
        self.results = self.states = 0
        self.faults: list[str] = []
        self._newest: dict[str, datetime.datetime] = {}

    def add_states(self, monitors: list[dict]) -> None:
        if [monitor["name"] for monitor in monitors] != list(self.watched):
            self.faults.append("the list does not have each monitor once, in order")
        for monitor in monitors:
            wanted = self._state(monitor)
            self.states += 1
            if wanted is not None and monitor["state"] != wanted:
                self.faults.append(f"{monitor['name']} is {monitor['state']} instead of {wanted}: {monitor.get('last')}")

    def _state(self, monitor: dict) -> str | None:
        """The state that a monitor must have. That of the flapping listener follows from its last round, which is judged alone."""
        if state := self.watched[monitor["name"]].state:
            return state
        return ("up" if monitor["last"]["ok"] else "down") if monitor.get("last") else None

    def add_history(self, monitor: dict) -> None:
        """Compares the results that are new since the last history, and their distances."""
        name, interval = monitor["name"], monitor["interval_ms"] / 1000
        for entry in monitor["history"]:
            started, before = datetime.datetime.fromisoformat(entry["started_at"]), self._newest.get(name)
            if before is not None and started <= before:
                continue
            if before is not None and (started - before).total_seconds() > interval + SLACK:
                self.faults.append(f"{name} has no result between {before} and {started}")
            self._newest[name] = started
            self.results += 1
            self._compare(name, entry, started)

    def _compare(self, name: str, entry: dict, started: datetime.datetime) -> None:
        kind, seen = self.watched[name], (entry["outcome"], entry["error"])
        wanted = [(kind.outcome, kind.name)]
        if kind.state is None:
            wanted = self._flapping(started)
        if kind.title in ENDS_AT_DEADLINE:
            wanted.append(("prober_exhausted", "PROBER_BUSY"))
        if seen not in wanted:
            self.faults.append(f"{name} at {entry['started_at']}: {seen} instead of {wanted}")

    @staticmethod
    def _flapping(started: datetime.datetime) -> list[tuple]:
        is_open = soak.flapping.was_open(started.timestamp(), NEAR)
        up, down = ("connected", None), ("refused", "ECONNREFUSED")
        return [up, down] if is_open is None else [up if is_open else down]


def watch(connectd, watched: dict[str, Watched], seconds: float, say: Callable[[str], None]) -> Comparison:
    """Compares all states every second for this long, and each result once."""
    comparison, told = Comparison(watched), 0
    end = time.monotonic() + seconds
    next_histories = time.monotonic() + READ_HISTORIES_EVERY
    while (now := time.monotonic()) < end:
        comparison.add_states(connectd.client.get("/v1/monitors", timeout=60).json["monitors"])
        if now > next_histories:
            next_histories = now + READ_HISTORIES_EVERY
            _read_histories(connectd, comparison)
        for fault in comparison.faults[told:]:
            say(f"wrong: {fault}")
        told = len(comparison.faults)
        time.sleep(1)
    _read_histories(connectd, comparison)
    return comparison


def _read_histories(connectd, comparison: Comparison) -> None:
    for name in comparison.watched:
        comparison.add_history(connectd.monitor(name))


def expected_rounds(seconds: float) -> int:
    return int(len(kinds("")) * sum(seconds / interval for interval in INTERVALS))


def skipped(connectd) -> int:
    """Rounds that found no free slot. There are enough for all monitors."""
    return int(samples.metrics(connectd.client)["connectd_monitor_rounds_skipped_total"])
