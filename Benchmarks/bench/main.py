"""The command line: prepares, measures in a network namespace, and prints a report."""

import argparse
import json
import os
import subprocess
import sys

from bench import (
    batch,
    deadline,
    enqueues,
    footprint,
    hang,
    instructions,
    namespace,
    prepare,
    rate,
    report,
    ring,
    routes,
    targets,
    tls,
)
from bench.contenders import contenders
from bench.paths import CONNECTD, OUT, RESULTS

SUITES = {
    "http": rate.measure_http,
    "http-1": rate.measure_single,
    "http-refused": rate.measure_refused,
    "instructions": instructions.measure,
    "bare": rate.measure_bare,
    "idle": footprint.measure_idle,
    "start": footprint.measure_start,
    "enqueues": enqueues.measure,
    "deadline": deadline.measure,
    "hang": hang.measure,
    "neighbors": hang.measure_neighbors,
    "tls": tls.measure,
    "batch": batch.measure,
    "file": targets.measure,
    "growth": targets.measure_growth,
    "routes": routes.measure,
    "ring": ring.measure,
}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="Benchmarks/run", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}; default all")
    parser.add_argument("--rounds", type=int, default=5, help="times that http, http-1 and http-refused go round all contenders")
    parser.add_argument("--seconds", type=float, default=5, help="length of one contender's turn in these")
    parser.add_argument("--connections", type=int, default=64, help="of http")
    parser.add_argument("--hanging", type=int, default=9000, help="checks of hang")
    parser.add_argument("--timeout-ms", type=int, default=5000, help="of each hanging check")
    parser.add_argument("--markdown", action="store_true", help="print the report as Markdown")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    unknown = [name for name in arguments.suites if name not in SUITES]
    if unknown:
        parser.error(f"no such suite: {', '.join(unknown)}")
    return arguments


def limit_seconds(arguments):
    """More than any run should need. After that time everything is killed."""
    hang_seconds = 6 * (arguments.timeout_ms / 1000 + 40)
    return 400 + arguments.rounds * 6 * (arguments.seconds + 10) + hang_seconds


def measure_suite(name, field, arguments):
    """The results of one suite. A contender that fails does not affect later suites."""
    try:
        return SUITES[name](field, arguments)
    except (RuntimeError, OSError, ValueError, subprocess.SubprocessError) as error:
        return {"failed": str(error)}


def measure(arguments):
    namespace.configure()
    field = contenders()
    results = {"machine": report.describe_machine()}
    for name in arguments.suites or SUITES:
        print(f"{name} …", file=sys.stderr, flush=True)
        results[name] = measure_suite(name, field, arguments)
    with open(RESULTS, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
        file.write("\n")
    goals = report.goals(results)
    print(report.render(results, goals, markdown=arguments.markdown))
    failed = any("failed" in result for result in results.values())
    return 0 if not failed and all(goal.met for goal in goals) else 1


def main():
    arguments = parse_arguments()
    if arguments.inside:
        return measure(arguments)
    if not os.access(CONNECTD, os.X_OK):
        print(f"no {CONNECTD}: `swift build -c release` first, or set CONNECTD=/path/to/connectd", file=sys.stderr)
        return 2
    os.makedirs(OUT, exist_ok=True)
    prepare.install_packages()
    prepare.build()
    return namespace.run_inside([sys.executable, *sys.argv, "--inside"], limit_seconds(arguments))
