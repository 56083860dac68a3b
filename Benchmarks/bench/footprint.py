"""Resident memory of an idle service, and the time to its first answer."""

import time

IDLE_RUNS = 3
START_RUNS = 30
START_PORT = 9000
SETTLE_SECONDS = 1.5


def measure_idle(field, arguments):
    measured = {}
    for contender in field:
        measured[contender.name] = []
        for _ in range(IDLE_RUNS):
            with contender.process() as process:
                process.wait_ready(contender.port, contender.ready_path)
                time.sleep(SETTLE_SECONDS)
                measured[contender.name].append(process.resident_bytes())
    return measured


def measure_start(field, arguments):
    """Milliseconds from just before fork and exec to the first 200. The contenders alternate, and each start has its own port."""
    measured = {contender.name: [] for contender in field}
    for run in range(START_RUNS):
        for index, contender in enumerate(field):
            port = START_PORT + run * len(field) + index
            with contender.process(port=port) as process:
                measured[contender.name].append(process.wait_ready(port, contender.ready_path) * 1000)
    return measured
