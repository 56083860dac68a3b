#!/usr/bin/env python3
"""Puts a mixed load on a connectd that was built with a sanitizer, and fails if the sanitizer reports anything.

    Tests/Sanitizers/load.py --seconds 60

CONNECTD names the program. The load has checks of every kind, batches, traces, diagnoses, HTTPS clients, clients that leave
early or send nonsense, and reloads; SIGTERM ends it. It needs root, for a network namespace.
"""

import argparse
import collections
import itertools
import json
import os
import pathlib
import random
import signal
import ssl
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests" / "EndToEnd"), str(ROOT / "Tests" / "Torture")]

from scenarios import REQUESTS  # noqa: E402
from stage import CERTIFICATES, LOCAL, PORT, Stage  # noqa: E402
from support import namespace as namespaces  # noqa: E402
from support.batches import batch_request  # noqa: E402
from support.connectd_process import Connectd  # noqa: E402
from support.http_client import check_request, tcp_connector  # noqa: E402

# Changes of the configuration, and what only a single client may do.
NOT_AT_ONCE = ("reload", "bad-reload", "tls-cold")
# With a sanitizer a check takes several times as long.
CLIENTS = 8
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:", "Fatal error")


class Load:
    """Clients that ask at random until `end`; their answers are counted by what they were."""

    def __init__(self, stage: Stage, service: Connectd, seed: int):
        self.stage, self.service = stage, service
        self.ending = threading.Event()
        # Whether SIGTERM was sent: requests may be refused from then on.
        self.is_draining = False
        self.answers: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []
        self.expected: dict[str, list] = {}
        self.requests = [request for request in REQUESTS if request.name not in NOT_AT_ONCE]
        self.threads = [threading.Thread(target=self._ask, args=(random.Random(seed + number),)) for number in range(CLIENTS)]
        self.threads.append(threading.Thread(target=self._reload))

    def learn(self) -> None:
        """What each request shows when it is alone."""
        for request in self.requests:
            self.expected[request.name] = request(self.stage, self.service)

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a client got no answer within 60 s"

    def _ask(self, chance: random.Random) -> None:
        disturbances = (self._leave_during_a_check, self._leave_during_a_batch, self._send_nonsense, self._half_a_handshake)
        while not self.ending.is_set():
            if chance.random() < 0.25:
                try:
                    chance.choice(disturbances)(chance)
                except OSError:
                    pass  # The service may end such a connection at any time.
                self.answers["disturbance"] += 1
                continue
            request = chance.choice(self.requests)
            seen = request(self.stage, self.service)
            self.answers[request.name] += 1
            if seen != self.expected[request.name] and not self.is_draining:
                self._note(request.name, seen)

    def _note(self, name: str, seen: list) -> None:
        # During a reload, the certificate of the listener changes: a client that expects the other one refuses it.
        if name.startswith("https") and any(finding.kind == "closed" for finding in seen):
            self.answers["refused certificate"] += 1
            return
        self.wrong.append(f"{name}: {', '.join(map(str, seen))}, and not {', '.join(map(str, self.expected[name]))}")

    def _leave_during_a_check(self, chance: random.Random) -> None:
        with self.service.unix.connect() as connection:
            connection.sendall(check_request(f"tcp://{LOCAL}:{self.stage.holding}", hold_ms=2000))
            time.sleep(chance.random() / 50)

    def _leave_during_a_batch(self, chance: random.Random) -> None:
        targets = [f"tcp://{LOCAL}:{self.stage.open}", f"tls://{LOCAL}:{self.stage.tls}", f"unix:{self.stage.stream}"] * 20
        with self.service.unix.connect() as connection:
            connection.sendall(batch_request({"checks": [{"target": target} for target in targets]}))
            time.sleep(chance.random() / 20)

    def _send_nonsense(self, chance: random.Random) -> None:
        request = bytearray(check_request(f"tcp://{LOCAL}:{self.stage.open}"))
        for _ in range(chance.randrange(1, 6)):
            request[chance.randrange(len(request))] = chance.randrange(256)
        with self.service.unix.connect() as connection:
            connection.settimeout(2)
            connection.sendall(request)
            connection.shutdown(1)
            while connection.recv(65536):
                pass

    def _half_a_handshake(self, chance: random.Random) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=LOCAL)
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = outgoing.read()
        with tcp_connector(self.stage.namespace, LOCAL, PORT)() as connection:
            connection.sendall(hello[: chance.randrange(1, len(hello) + 1)])
            time.sleep(chance.random() / 50)

    def _reload(self) -> None:
        """Two certificates in turn, and now and then a broken file."""
        for number in itertools.count():
            if self.ending.wait(1):
                return
            wanted = CERTIFICATES[number % 2]
            text = "policy: [broken\n" if number % 5 == 4 else json.dumps(self.stage.configuration(wanted)[0])
            self.service.configuration_path.write_text(text)
            before = self.service.log.count("reload")
            self.service.process.send_signal(signal.SIGHUP)
            while self.service.log.count("reload") == before and not self.ending.wait(0.02):
                pass
            if number % 5 != 4:
                self.stage.served = wanted
            self.answers["reload"] += 1


def run(seconds: float, seed: int) -> tuple[Load, str, int]:
    """The load, the log of the service, and its exit status after SIGTERM under load."""
    with Stage() as stage:
        stage.served = CERTIFICATES[0]
        service = stage.service(sanitizer_options())
        try:
            service.wait_until_live(120)
            load = Load(stage, service, seed)
            load.learn()
            load.start()
            load.ending.wait(seconds)
            ended_early = service.process.poll()
            load.is_draining = True
            service.process.send_signal(signal.SIGTERM)
            load.ending.wait(0.3)
            load.end()
            status = service.process.wait(120) if ended_early is None else ended_early
            return load, service.log, status
        finally:
            if service.process.poll() is None:
                service.process.kill()
                service.process.wait()
            service.stop()


def sanitizer_options() -> dict[str, str]:
    lists = ROOT / "Tests" / "Sanitizers"
    return {
        "SWIFT_BACKTRACE": "enable=no",
        "ASAN_OPTIONS": "detect_stack_use_after_return=0:detect_leaks=1",
        "LSAN_OPTIONS": f"suppressions={lists}/leak.txt:print_suppressions=0",
        "TSAN_OPTIONS": f"suppressions={lists}/thread.txt:halt_on_error=0:second_deadlock_stack=1:history_size=4",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="how long the load lasts")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the clients' choices")
    parser.add_argument("--report", type=pathlib.Path, help="write the log of the service here")
    given = parser.parse_args()
    if reason := namespaces.missing():
        print(f"load: {reason}", file=sys.stderr)
        return 2
    load, log, status = run(given.seconds, given.seed)
    if given.report:
        given.report.write_text(log)
    reports = sum(log.count(report) for report in REPORTS)
    print(f"seed {given.seed}: {sum(load.answers.values())} answers in {given.seconds:g} s, {len(load.wrong)} wrong, "
          f"{reports} reports, exit status {status}")  # fmt: skip
    print(", ".join(f"{count} {name}" for name, count in load.answers.most_common()))
    for wrong in load.wrong[:20]:
        print(f"wrong: {wrong}")
    if reports or status:
        print(log[-20000:])
    return 1 if reports or status or load.wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
