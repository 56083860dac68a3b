"""Each flood alone, at the documented memory: does the service survive, and does it answer health checks?"""

import contextlib
import dataclasses
import json
import tempfile

from attack.floods import FLOODS, Flood
from attack.memory_group import MemoryGroup
from attack.service import (
    CHATTY_PORT, CONTROL, HEALTH, OPEN_PORT, SILENT_PORT, Helper, Observer, battlefield, configuration, metrics,
    refusals, sleep_while_live, started,
)

MEBIBYTE = 1 << 20
HEALTH_GOAL_MS = 50
# The times of health checks are those of the machine too. What the control needs is not the service's.
HEADER = (
    f"{'flood':18} {'health p99':>10} {'max':>8} {'control':>8} {'failed':>6} {'group':>7} {'sockets':>8} {'RSS':>6}"
    f" {'fds':>5}  refusals"
)


@dataclasses.dataclass
class FloodResult:
    flood: Flood
    health: dict
    control: dict
    observer: Observer
    refusals: dict[str, int]
    # None if the service survived.
    fault: str | None

    def row(self) -> str:
        it = self.observer
        counts = ", ".join(f"{name} {count}" for name, count in sorted(self.refusals.items()))
        return (
            f"{self.flood.name:18} {self.health['p99_ms']:7.1f} ms {self.health['max_ms']:5.1f} ms"
            f" {self.control['max_ms']:5.1f} ms {self.health['failed']:6} {it.group_bytes / MEBIBYTE:4.1f} MiB"
            f" {it.socket_bytes / MEBIBYTE:4.1f} MiB {it.resident_bytes / MEBIBYTE:6.1f} {it.descriptors:5}  {counts}"
        )

    def faults(self, goal_ms: float) -> list[str]:
        """What does not hold. Time that the control needed as well is not the service's."""
        found = [] if self.fault is None else [self.fault]
        if self.health["failed"]:
            found.append(f"{self.health['failed']} of {self.health['count']} health checks failed")
        if (excess := self.health["max_ms"] - self.control["max_ms"]) > goal_ms:
            found.append(f"a health check took {excess:.1f} ms longer than the slowest of the control")
        return found


def run_flood(flood: Flood, namespace, arguments) -> FloodResult:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="connectd-attack-"))
        group = stack.enter_context(MemoryGroup(namespace.name, arguments.memory * MEBIBYTE))
        settings = configuration(folder, flood.https, **flood.settings)
        service = stack.enter_context(started(namespace, settings, group, arguments.descriptors))
        start = lambda *given, **options: stack.enter_context(Helper(namespace, *given, **options))
        start("control_server.py", CONTROL, niceness=-10).wait_ready()
        start("targets.py", OPEN_PORT, SILENT_PORT, CHATTY_PORT, niceness=10).wait_ready()
        before = metrics(service)
        observer = stack.enter_context(Observer(service, group))
        probe = start("probe.py", HEALTH, CONTROL, niceness=-10).wait_ready()
        swarms = [start("swarm.py", first_line=plan.line()) for plan in flood.plans(arguments.size)]
        for swarm in swarms:
            swarm.wait_ready()
        sleep_while_live(service, arguments.seconds)
        fault = ended(service, group)
        if arguments.verbose:
            print([swarm.finish() for swarm in swarms])
        else:
            for swarm in swarms:
                swarm.finish()
        found = probe.finish()
        fault = fault or ended(service, group)
        return FloodResult(
            flood, found["service"], found["control"], observer, {} if fault else refusals(before, metrics(service)),
            fault)


def ended(service, group: MemoryGroup) -> str | None:
    """Why the service no longer runs; None if it does."""
    if group.kills:
        return "the kernel has killed the service for lack of memory"
    if (status := service.process.poll()) is not None:
        return f"the service has ended with {status}: {service.log[-500:]}"
    return None


def run(arguments) -> int:
    """Returns the exit status: 1 if a flood does harm."""
    chosen = [flood for flood in FLOODS if not arguments.floods or flood.name in arguments.floods]
    print(f"{arguments.memory} MiB, {arguments.descriptors} file descriptors, floods of {arguments.seconds:g} s\n")
    print(HEADER)
    status = 0
    with battlefield() as namespace:
        for flood in chosen:
            result = run_flood(flood, namespace, arguments)
            print(result.row(), flush=True)
            for fault in result.faults(arguments.health_goal):
                print(f"    FAILED: {flood.text}: {fault}", flush=True)
                status = 1
    return status
