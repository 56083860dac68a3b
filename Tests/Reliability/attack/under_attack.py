"""Everything at once: what honest clients notice of slow connections, black holes, half handshakes and rejected requests."""

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile

from attack.floods import check, client_hello, encoded, request
from attack.memory_group import MemoryGroup
from attack.service import (
    BLACK_HOLE, CONTROL, FOLDER, HEALTH, PORT, Helper, Observer, battlefield, configuration, metrics, refusals, started,
)
from attack.swarm import Plan
from support.connectd_process import REPOSITORY

HONEST_TOKEN, HOSTILE_TOKEN = "honest-token-0123456789", "hostile-token-0123456789"
TARGET_PORT = 9009
SLOW, HOLES, HALVES, REJECTING = 1000, 500, 2000, 64


def compiled(folder: str, name: str, source: pathlib.Path, *libraries: str) -> str:
    program = f"{folder}/{name}"
    subprocess.run(["cc", "-std=c11", "-O2", "-o", program, str(source), *libraries, "-lpthread"], check=True)
    return program


def plans(arguments) -> list[Plan]:
    """The attack. Each kind has addresses of its own."""
    with_token = f"Authorization: Bearer {HOSTILE_TOKEN}"
    hole = json.dumps({"target": f"tcp://{BLACK_HOLE}:9", "timeout_ms": 60_000}).encode()
    stranger = json.dumps({"target": f"tcp://{BLACK_HOLE}:9"}).encode()
    number = lambda count: max(int(count * arguments.size), 1)
    return [
        Plan(PORT, number(SLOW), encoded(b"GET /livez HTTP/1.1\r\nX-A: "), drip=encoded(b"a"), tls=True, source="127.0.1."),
        Plan(PORT, number(HOLES), encoded(request("POST", "/v1/checks", hole, None, with_token)), tls=True, reads=True,
             repeats=True, source="127.0.2."),
        Plan(PORT, number(HALVES), encoded(client_hello()), source="127.0.3."),
        Plan(PORT, number(REJECTING), encoded(request("POST", "/v1/checks", stranger)), tls=True, reads=True,
             repeats=True, rate=arguments.rejected, source="127.0.4."),
    ]


@dataclasses.dataclass
class Measurement:
    """One period: what honest clients got, and what it cost."""

    honest: dict
    service_cpu: float
    health: dict
    control: dict
    observer: Observer


class UnderAttack:
    def __init__(self, namespace, service, group, folder: str, arguments):
        self.namespace, self.service, self.group, self.arguments = namespace, service, group, arguments
        self.honest = compiled(folder, "honest", FOLDER / "honest.c", "-lssl", "-lcrypto")
        self.target = compiled(folder, "target", REPOSITORY / "Benchmarks" / "load" / "target.c")

    def measure(self, seconds: float) -> Measurement:
        """Runs the honest clients for that long."""
        with contextlib.ExitStack() as stack:
            observer = stack.enter_context(Observer(self.service, self.group))
            probe = stack.enter_context(Helper(self.namespace, "probe.py", HEALTH, CONTROL, niceness=-10)).wait_ready()
            cpu = self.service.processor_seconds()
            command = [self.honest, PORT, TARGET_PORT, self.arguments.clients, seconds, HONEST_TOKEN]
            done = subprocess.run(
                self.namespace.command(*map(str, command)), stdout=subprocess.PIPE, text=True, check=True,
                timeout=seconds + 60)
            cpu = self.service.processor_seconds() - cpu
            health = probe.finish()
            return Measurement(json.loads(done.stdout), cpu / seconds, health["service"], health["control"], observer)

    def run(self) -> "Report":
        seconds = self.arguments.seconds
        with contextlib.ExitStack() as stack:
            target = subprocess.Popen(
                self.namespace.command(self.target, "--port", str(TARGET_PORT)), stdout=subprocess.PIPE, text=True)
            stack.callback(lambda: (target.kill(), target.wait(), target.stdout.close()))
            assert target.stdout.readline() == "listening\n"
            stack.enter_context(Helper(self.namespace, "control_server.py", CONTROL, niceness=-10)).wait_ready()
            self.measure(1)
            quiet = [self.measure(seconds / 2)]
            before = metrics(self.service)
            swarms = [
                stack.enter_context(Helper(self.namespace, "swarm.py", first_line=plan.line()))
                for plan in plans(self.arguments)
            ]
            for swarm in swarms:
                swarm.wait_ready()
            attack = self.measure(seconds)
            counts = refusals(before, metrics(self.service))
            sent = [swarm.finish() for swarm in swarms]
            quiet.append(self.measure(seconds / 2))
            return Report(quiet, attack, counts, sent)


@dataclasses.dataclass
class Report:
    quiet: list[Measurement]
    attack: Measurement
    refusals: dict[str, int]
    swarms: list[dict]

    @property
    def quiet_rate(self) -> float:
        """The mean of before and after, so that a change of the machine's load does not look like the attack's."""
        return sum(it.honest["rate"] for it in self.quiet) / len(self.quiet)

    @property
    def ratio(self) -> float:
        return self.attack.honest["rate"] / self.quiet_rate

    def text(self) -> str:
        rows = [("quiet, before", self.quiet[0]), ("under attack", self.attack), ("quiet, after", self.quiet[1])]
        lines = [
            f"{'':14} {'checks/s':>9} {'failed':>6} {'p50':>9} {'p99':>9} {'max':>9} {'health max':>11} {'control':>9}"
            f" {'RSS':>9} {'fds':>5} {'CPU':>5} {'CPU of clients':>14}"
        ]
        for name, it in rows:
            honest = it.honest
            lines.append(
                f"{name:14} {honest['rate']:9.0f} {honest['failed']:6} {honest['p50_ms']:6.2f} ms {honest['p99_ms']:6.2f} ms"
                f" {honest['max_ms']:6.1f} ms {it.health['max_ms']:8.1f} ms {it.control['max_ms']:6.1f} ms"
                f" {it.observer.resident_bytes / (1 << 20):5.1f} MiB {it.observer.descriptors:5} {it.service_cpu:5.2f}"
                f" {honest['cpu_seconds']:12.2f} s"
            )
        names = ("slow connections", "black holes", "half handshakes", "rejected requests")
        lines.append(f"ratio {self.ratio:.2f}")
        for name, counts in zip(names, self.swarms):
            lines.append(f"  {name}: " + ", ".join(f"{key} {value:g}" for key, value in sorted(counts.items())))
        lines.append("refusals: " + (", ".join(f"{key} {value}" for key, value in sorted(self.refusals.items())) or "none"))
        return "\n".join(lines)

    def faults(self, goals) -> list[str]:
        found = []
        if self.ratio < goals.ratio:
            found.append(f"honest clients kept {self.ratio:.2f} of their rate; the goal is {goals.ratio}")
        if (p99 := self.attack.honest["p99_ms"]) > goals.p99:
            found.append(f"the 99th percentile is {p99:.1f} ms; the goal is {goals.p99:g} ms")
        if (failed := self.attack.honest["failed"]) > goals.failures:
            found.append(f"{failed} honest checks failed")
        if self.attack.health["failed"]:
            found.append(f"{self.attack.health['failed']} health checks failed")
        if (excess := self.attack.health["max_ms"] - self.attack.control["max_ms"]) > goals.health_goal:
            found.append(f"a health check took {excess:.1f} ms longer than the slowest of the control")
        return found


def run(arguments) -> int:
    with contextlib.ExitStack() as stack:
        namespace = stack.enter_context(battlefield())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="connectd-attack-"))
        (pathlib.Path(folder) / "tokens").write_text(f"honest:{HONEST_TOKEN}\nhostile:{HOSTILE_TOKEN}\n")
        group = stack.enter_context(MemoryGroup(namespace.name, arguments.memory << 20))
        settings = configuration(folder, True, auth={"tokens_file": f"{folder}/tokens"})
        service = stack.enter_context(started(namespace, settings, group, arguments.descriptors))
        print(f"{arguments.memory} MiB, {arguments.descriptors} file descriptors, {os.cpu_count()} processors,"
              f" {arguments.clients} honest HTTPS clients\n")
        report = UnderAttack(namespace, service, group, folder, arguments).run()
    print(report.text())
    faults = report.faults(arguments)
    for fault in faults:
        print(f"    FAILED: {fault}")
    return 1 if faults else 0
