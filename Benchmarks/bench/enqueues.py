"""Jobs that connectd enqueues on its executors for one check, as connectd itself counts them.

With CONNECTD_COUNT_ENQUEUES=1 it prints a line with `enqueues per check: 2.00` at exit."""

import re

from bench.rate import load, target

LINE = re.compile(r'enqueues[ _]per[ _]check"?\s*[:=]\s*([0-9.]+)')


def measure(field, arguments):
    contender = next(contender for contender in field if contender.name == "connectd")
    with target(), contender.process(environment={"CONNECTD_COUNT_ENQUEUES": "1"}) as process:
        process.wait_ready(contender.port, contender.ready_path)
        load(contender, contender.port, 2, arguments.connections)
        process.stop()
        found = LINE.search(process.log())
    if found is None:
        return {"skipped": "the binary prints no `enqueues per check` when CONNECTD_COUNT_ENQUEUES is set"}
    return {"per_check": float(found.group(1))}
