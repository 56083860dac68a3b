"""How late a thousand checks in flight meet their deadlines, with an even load and in one burst."""

import json
import time

from bench import namespace
from bench.contenders import HANGING_PORT
from bench.hang import expect_line, start_burst, with_wrong

ROUNDS = 5
IN_FLIGHT = 1000
TIMEOUT_MS = 3000
# Less than TIMEOUT_MS, so that the last one starts before the first one ends.
SPREADS_MS = {"spread": 2000, "burst": 0}


def measure_once(contender, spread_ms):
    with contender.process() as process:
        process.wait_ready(contender.port, contender.ready_path)
        with start_burst(contender, TIMEOUT_MS, IN_FLIGHT, spread_ms) as burst:
            try:
                expect_line(burst, "connected")
                time.sleep(0.5)  # Until the acceptor has passed all of them to the workers.
                burst.stdin.write("go\n")
                expect_line(burst, "sent")
                return with_wrong(json.loads(burst.stdout.readline()))
            finally:
                burst.kill()


def measure(field, arguments):
    """connectd and the same service in C, defaults, a fresh process each time."""
    pair = [contender for contender in field if contender.speaks_checks]
    with namespace.dropping(HANGING_PORT):
        return {
            way: [{contender.name: measure_once(contender, spread_ms) for contender in pair} for _ in range(ROUNDS)]
            for way, spread_ms in SPREADS_MS.items()
        }
