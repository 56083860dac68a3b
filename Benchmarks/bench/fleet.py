"""What docs/scaling.md needs: connectd on one core, and nats-server as the broker of a fleet."""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys

from bench import namespace
from bench.contenders import TARGET_PORT, contenders
from bench.paths import BENCHMARKS, CONNECTD, built
from bench.places import SimulatedPlace, discovery
from bench.prepare import COMPILE, build, is_current
from bench.process import Process
from bench.rate import load, target

BROKER_PORT, MONITOR_PORT = 4222, 8222
# Bytes of a question and of an answer: the request and the result of a check.
QUESTION, ANSWER = 300, 1500
WINDOWS = (1, 64, 1024)


def measure_core(seconds, runs):
    """connectd with one worker on one core; the load and its target share the others."""
    [connectd] = [one for one in contenders() if one.name == "connectd"]
    command = ["taskset", "-c", "0", *connectd.command(connectd.port)]
    with target(), Process("connectd-core", command, {"CONNECTD_WORKERS": "1"}) as process:
        process.wait_ready(connectd.port, connectd.ready_path)
        idle = process.resident_bytes()
        load(connectd, connectd.port, 1, 64, TARGET_PORT)
        found = []
        for _ in range(runs):
            before = process.cpu_seconds()
            counted = load(connectd, connectd.port, seconds, 64, TARGET_PORT)
            used = process.cpu_seconds() - before
            assert counted["non_200"] + counted["unexpected"] == 0, counted
            found.append({"rate": counted["rate"], "cpu_us": used * 1e6 / counted["requests"],
                          "core_share": used / seconds})
        return {"runs": found, "cpu_us": statistics.median(run["cpu_us"] for run in found),
                "idle_bytes": idle, "after_load_bytes": process.resident_bytes()}


@contextlib.contextmanager
def broker():
    command = [shutil.which("nats-server", path="/usr/bin:/usr/sbin:/usr/local/bin"), "-a", "127.0.0.1",
               "-p", str(BROKER_PORT), "-m", str(MONITOR_PORT)]
    with Process("nats-server", command) as process:
        process.wait_ready(MONITOR_PORT, "/healthz")
        yield process


def measure_requests(seconds, runs):
    """Questions and answers between one asker and one answerer, with a number of questions in flight."""
    url, subject = f"nats://127.0.0.1:{BROKER_PORT}", "connectd.check.bench"
    found = []
    with broker() as process:
        answerer = subprocess.Popen([built("nats_rate"), "answer", url, subject, str(ANSWER)], stdout=subprocess.PIPE, text=True)
        try:
            assert answerer.stdout.readline() == "listening\n"
            for window in WINDOWS:
                for _ in range(runs):
                    before = process.cpu_seconds()
                    command = [built("nats_rate"), "ask", url, subject, str(QUESTION), str(window), str(seconds)]
                    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 30)
                    counted = json.loads(done.stdout)
                    used = process.cpu_seconds() - before
                    found.append({"in_flight": window, "rate": counted["rate"],
                                  "broker_cpu_us": used * 1e6 / counted["answers"]})
        finally:
            answerer.kill()
            answerer.wait()
        return {"runs": found, "resident_bytes": process.resident_bytes()}


async def simulate(process, counts, rounds):
    places, found = [], []
    for count in counts:
        while len(places) < count:
            batch = [SimulatedPlace(len(places) + offset) for offset in range(min(50, count - len(places)))]
            await asyncio.gather(*(place.connect(BROKER_PORT) for place in batch))
            places += batch
        resident = process.resident_bytes()
        await discovery(BROKER_PORT, count, 30)
        before = process.cpu_seconds()
        times = [await discovery(BROKER_PORT, count, 30) for _ in range(rounds)]
        used = process.cpu_seconds() - before
        found.append({"places": count, "resident_bytes": resident, "resident_bytes_after": process.resident_bytes(),
                      "discovery_seconds": statistics.median(seconds for seconds, _ in times),
                      "discovery_bytes": times[0][1], "broker_cpu_ms_per_discovery": used * 1000 / rounds})
    for place in places:
        place.task.cancel()
        place.writer.close()
    return found


def measure_places(most, rounds=20):
    """Memory of the broker, and one `$SRV.INFO` to all, with a growing number of simulated places."""
    with broker() as process:
        empty = process.resident_bytes()
        counts = sorted({1, 10, 100, most})
        return {"empty_bytes": empty, "steps": asyncio.run(simulate(process, counts, rounds))}


def compile_client():
    source, output = os.path.join(BENCHMARKS, "load/nats_rate.c"), built("nats_rate")
    if not is_current(output, [source]):
        subprocess.run(["cc", "-std=gnu11", *COMPILE[2:], source, "-o", output, "-lnats"], check=True, timeout=300)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--places", type=int, default=1000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.inside:
        if not os.path.exists(CONNECTD):
            sys.exit(f"no release build at {CONNECTD}: set CONNECTD, or run swift build -c release")
        os.makedirs(os.path.dirname(built("x")), exist_ok=True)
        build()
        compile_client()
        limit = 60 + arguments.runs * (1 + len(WINDOWS)) * (arguments.seconds + 10) + 120
        return namespace.run_inside([sys.executable, *sys.argv, "--inside"], limit)
    namespace.configure()
    results = {
        "core": measure_core(arguments.seconds, arguments.runs),
        "requests": measure_requests(arguments.seconds, arguments.runs),
        "places": measure_places(arguments.places),
    }
    print(json.dumps(results, indent=2))
    return 0
