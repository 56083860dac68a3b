"""Batches: open targets, compared with a bare epoll loop in C, and checks that hang: memory of each, and how late it ends."""

import contextlib
import http.client
import json
import os
import subprocess
import threading
import time
from statistics import median

from bench import namespace
from bench.contenders import DESTINATIONS, HANGING_PORT, TARGET_PORT
from bench.paths import built
from bench.rate import target

COUNTS = (10_000, 100_000)
HANGING = 10_000


def destination(index):
    """As in load/destinations.h."""
    return f"127.1.{index % DESTINATIONS // 250}.{index % DESTINATIONS % 250 + 1}"


def write_body(count):
    path = built(f"batch-{count}.json")
    checks = [{"target": f"tcp://{destination(index)}:{TARGET_PORT}"} for index in range(count)]
    with open(path, "w", encoding="ascii") as file:
        json.dump({"checks": checks}, file)
    return path


def write_configuration():
    path = built("batch.yaml")
    # Batches use 15/16 of in_flight.
    with open(path, "w", encoding="ascii") as file:
        file.write(f"limits: {{in_flight: {HANGING * 16 // 15 + 16}, batch: {max(COUNTS)}}}\n")
    return path


def batch_turn(contender, process, count, body):
    before = process.cpu_seconds()
    command = [built("batch"), "--port", str(contender.port), "--body", body, "--expect", '"ok":true']
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    counted = json.loads(done.stdout)
    cpu_seconds = process.cpu_seconds() - before
    return {"rate": count / counted["seconds"], "cpu_us": cpu_seconds * 1e6 / count,
            "first_ms": counted["first_seconds"] * 1000, "wrong": count - counted["found"] + (not counted["complete"])}


def loop_turn(count, threads):
    command = [built("epoll_loop"), "--port", str(TARGET_PORT), "--hosts", str(DESTINATIONS), "--count", str(count),
               "--threads", str(threads)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=120)
    counted = json.loads(done.stdout)
    return {"rate": counted["rate"], "cpu_us": counted["cpu_us"], "wrong": counted["failures"]}


def measure_open(contender, configuration, rounds):
    threads = len(os.sched_getaffinity(0))
    found = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(target())
        process = stack.enter_context(contender.process(configuration=configuration))
        process.wait_ready(contender.port, contender.ready_path)
        for count in COUNTS:
            body = write_body(count)
            batch_turn(contender, process, count, body)
            found[count] = [{"connectd": batch_turn(contender, process, count, body), "loop": loop_turn(count, threads)}
                            for _ in range(rounds)]
            found[f"{count}_bytes"] = process.resident_bytes()
    return found


def measure_hanging(contender, configuration, timeout_ms):
    """The lateness is by the service's own clock: `total` minus `timeout_ms`. Items wait for no permit here."""
    check = {"target": f"tcp://127.1.0.1:{HANGING_PORT}", "timeout_ms": timeout_ms}
    body = json.dumps({"defaults": check, "checks": [{}] * HANGING, "concurrency": HANGING})
    with namespace.dropping(HANGING_PORT), contender.process(configuration=configuration) as process:
        process.wait_ready(contender.port, contender.ready_path)
        time.sleep(0.5)
        idle = process.resident_bytes()
        full = []
        sampler = threading.Timer(timeout_ms * 0.6 / 1000, lambda: full.append(process.resident_bytes()))
        sampler.start()
        connection = http.client.HTTPConnection("127.0.0.1", contender.port, timeout=60)
        connection.request("POST", "/v1/checks/batch", body,
                           {"Content-Type": "application/json", "Accept": "application/x-ndjson"})
        lines = [json.loads(line) for line in connection.getresponse()]
        sampler.join()
    late = sorted(line["timings_ms"]["total"] - timeout_ms for line in lines[:-1])
    return {"bytes_each": (full[0] - idle) / HANGING, "late_p50_ms": median(late), "late_p99_ms": late[len(late) * 99 // 100],
            "late_max_ms": late[-1], "late_min_ms": late[0],
            "wrong": HANGING - lines[-1]["summary"]["by_outcome"].get("timeout", 0)}


def single_latencies(port, until):
    """Milliseconds of single checks on one connection, one after another, until a condition holds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"target": f"tcp://127.1.0.1:{TARGET_PORT}"})
    found = []
    while not until():
        begin = time.monotonic()
        connection.request("POST", "/v1/checks", body, {"Content-Type": "application/json"})
        connection.getresponse().read()
        found.append((time.monotonic() - begin) * 1000)
    return found


def measure_singles(contender, configuration):
    """Single checks before and next to a batch of 10,000, read by another process."""
    body = write_body(COUNTS[0])
    with target(), contender.process(configuration=configuration) as process:
        process.wait_ready(contender.port, contender.ready_path)
        end = time.monotonic() + 1
        quiet = single_latencies(contender.port, lambda: time.monotonic() > end)
        with subprocess.Popen([built("batch"), "--port", str(contender.port), "--body", body, "--expect", '"ok":true'],
                              stdout=subprocess.DEVNULL) as batch:
            busy = single_latencies(contender.port, lambda: batch.poll() is not None)
    return {"quiet_p50_ms": median(quiet), "busy_p50_ms": median(busy)}


def measure(field, arguments):
    contender = field[0]
    configuration = write_configuration()
    return {
        "open": measure_open(contender, configuration, arguments.rounds),
        "singles": [measure_singles(contender, configuration) for _ in range(arguments.rounds)],
        "hanging": [measure_hanging(contender, configuration, arguments.timeout_ms) for _ in range(3)],
    }
