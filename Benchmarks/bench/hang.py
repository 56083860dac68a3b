"""Thousands of checks that hang at once: memory of each, and how late its deadline is met."""

import json
import subprocess
import time

from bench import namespace
from bench.contenders import DESTINATIONS, HANGING_PORT
from bench.paths import built
from bench.rate import load, target

ROUNDS = 3
# In addition to two for each check: its socket and its client connection.
SPARE_DESCRIPTORS = 500
NEIGHBOR_CONNECTIONS = 64


def write_configuration(hanging):
    """Raises only connectd's limit of checks in flight, whose default is too low for this test."""
    path = built("hang.yaml")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"limits: {{in_flight: {hanging + 100}, queue: 1024}}\n")
    return path


def start_burst(contender, timeout_ms, hanging, spread_ms=0):
    command = [built("burst"), "--port", str(contender.port), "--connections", str(hanging),
               "--timeout-ms", str(timeout_ms), "--spread-ms", str(spread_ms), "--hosts", str(DESTINATIONS),
               "--expect", '"outcome":"timeout"', *contender.request(HANGING_PORT, timeout_ms)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)


def expect_line(burst, word):
    line = burst.stdout.readline()
    if line != word + "\n":
        raise RuntimeError(f"the burst said {line!r} where {word} was due")


def with_wrong(counted):
    return {**counted, "wrong": sum(counted[name] for name in ("missing", "broken", "non_200", "unexpected"))}


def measure_once(contender, arguments, hanging, configuration):
    with contender.process(configuration=configuration) as process:
        process.wait_ready(contender.port, contender.ready_path)
        time.sleep(0.5)
        idle = process.resident_bytes()
        with start_burst(contender, arguments.timeout_ms, hanging) as burst:
            try:
                expect_line(burst, "connected")
                time.sleep(1)  # Until the acceptor has passed all of them to the workers.
                connected = process.resident_bytes()
                before = process.cpu_seconds()
                burst.stdin.write("go\n")
                expect_line(burst, "sent")
                time.sleep(arguments.timeout_ms * 0.6 / 1000)
                full = process.resident_bytes()
                counted = json.loads(burst.stdout.readline())
            finally:
                burst.kill()
        cpu_seconds = process.cpu_seconds() - before
    return {
        **with_wrong(counted),
        "idle_bytes": idle,
        "connection_bytes_each": (connected - idle) / hanging,
        "bytes_each": (full - idle) / hanging,
        "cpu_us": cpu_seconds * 1e6 / hanging,
    }


def measure(field, arguments):
    """Measures the first two contenders only, because the scraper sets blackbox_exporter's deadlines."""
    hanging = min(arguments.hanging, (namespace.descriptor_limit() - SPARE_DESCRIPTORS) // 2)
    configuration = write_configuration(hanging)
    pair = [contender for contender in field if contender.speaks_checks]
    with namespace.dropping(HANGING_PORT):
        rounds = [
            {contender.name: measure_once(contender, arguments, hanging, configuration) for contender in pair}
            for _ in range(ROUNDS)
        ]
    return {"hanging": hanging, "timeout_ms": arguments.timeout_ms, "rounds": rounds}


NEIGHBOR_SECONDS = 3
NEIGHBOR_TIMEOUT_MS = 20_000


def measure_neighbors(field, arguments):
    """The rate of single checks of open targets before, and while other checks hang."""
    hanging = min(arguments.hanging, (namespace.descriptor_limit() - SPARE_DESCRIPTORS) // 2)
    configuration = write_configuration(hanging + 200)
    pair = [contender for contender in field if contender.speaks_checks]
    with namespace.dropping(HANGING_PORT), target():
        rounds = [{contender.name: measure_neighbor(contender, hanging, configuration) for contender in pair}
                  for _ in range(ROUNDS)]
    return {"hanging": hanging, "rounds": rounds}


def measure_neighbor(contender, hanging, configuration):
    with contender.process(configuration=configuration) as process:
        process.wait_ready(contender.port, contender.ready_path)
        load(contender, contender.port, 1, NEIGHBOR_CONNECTIONS)
        quiet = load(contender, contender.port, NEIGHBOR_SECONDS, NEIGHBOR_CONNECTIONS)
        with start_burst(contender, NEIGHBOR_TIMEOUT_MS, hanging) as burst:
            try:
                expect_line(burst, "connected")
                burst.stdin.write("go\n")
                expect_line(burst, "sent")
                # The kernel repeats lost SYNs after 1, 3 and 7 s: this is between them.
                time.sleep(4)
                busy = load(contender, contender.port, NEIGHBOR_SECONDS, NEIGHBOR_CONNECTIONS)
            finally:
                burst.kill()
    return {"quiet": quiet["rate"], "busy": busy["rate"], "ratio": busy["rate"] / quiet["rate"],
            "wrong": sum(turn[name] for turn in (quiet, busy) for name in ("non_200", "unexpected", "reconnects"))}
