"""A file of open targets: `connectd check --file`, the epoll loop, nmap, a Python client and check_tcp, one after another."""

import contextlib
import os
import resource
import subprocess
import threading
import time

from bench.contenders import TARGET_PORT
from bench.paths import BENCHMARKS, CONNECTD, built
from bench.rate import target

COUNT = 100_000
# check_tcp is a process for each target.
PROCESSES = 1000
CHECK_TCP = "/usr/lib/nagios/plugins/check_tcp"
LOOP_DESTINATIONS = 62_500
GROWTH = (1_000, 10_000, 100_000, 1_000_000)


def address(index):
    """A million different ones, in 127.1.0.0 and the networks after it."""
    number = index // 250
    return f"127.{1 + number // 256}.{number % 256}.{index % 250 + 1}"


def write_list(count, port):
    """One target a line, with the port or without it."""
    path = built(f"targets-{count}{'' if port else '-hosts'}.txt")
    with open(path, "w", encoding="ascii") as file:
        for index in range(count):
            file.write(f"{address(index)}:{port}\n" if port else f"{address(index)}\n")
    return path


def run(command, count, expected):
    """One run to the end: rate, CPU, memory, and how many targets were not found open."""
    output = built("targets.out")
    with open(output, "wb") as file:
        begun = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL) as process:
            resident_mb = []
            sampler = threading.Thread(target=sample_memory, args=(process.pid, resident_mb))
            sampler.start()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        sampler.join()
    with open(output, "rb") as file:
        found = sum(line.count(expected) for line in file) if expected else count
    return {"rate": count / seconds, "cpu_us": (usage.ru_utime + usage.ru_stime) * 1e6 / count,
            "resident_mb": resident_mb[-1] if resident_mb else 0, "wrong": count - found}


def sample_memory(pid, resident_mb):
    """VmHWM, until the process has ended. The kernel's ru_maxrss would include the memory of this one, before exec."""
    with contextlib.suppress(OSError):
        while True:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                values = [int(line.split()[1]) / 1000 for line in file if line.startswith("VmHWM")]
            if not values:
                return
            resident_mb.append(values[0])
            time.sleep(0.05)


def check_command(path):
    return [CONNECTD, "check", "--file", path, "--ndjson"]


def commands():
    threads = len(os.sched_getaffinity(0))
    with_ports, hosts = write_list(COUNT, TARGET_PORT), write_list(COUNT, None)
    return {
        "connectd": (check_command(with_ports), b'"ok":true'),
        "loop": ([built("epoll_loop"), "--port", str(TARGET_PORT), "--hosts", str(LOOP_DESTINATIONS), "--count", str(COUNT),
                  "--threads", str(threads)], None),
        "nmap": (["nmap", "-sT", "-Pn", "-n", "-T5", "-p", str(TARGET_PORT), "--max-retries", "0", "--min-hostgroup", "4096",
                  "--min-parallelism", "256", "-oG", "-", "-iL", hosts], b"/open/"),
        "asyncio": (["python3", os.path.join(BENCHMARKS, "reference", "asyncio_client.py"), with_ports], b" open"),
    }


def measure_processes():
    """check_tcp for some of the targets, as many at once as there are cores."""
    hosts = write_list(PROCESSES, None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = f"xargs -P {len(os.sched_getaffinity(0))} -I HOST {CHECK_TCP} -p {TARGET_PORT} -H HOST <{hosts}"
    begun = time.monotonic()
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, check=True, timeout=300)
    seconds = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"rate": PROCESSES / seconds, "cpu_us": cpu_seconds * 1e6 / PROCESSES, "resident_mb": after.ru_maxrss / 1000,
            "wrong": PROCESSES - done.stdout.count(b"TCP OK")}


def measure(_, arguments):
    with target():
        rounds = []
        for _ in range(min(arguments.rounds, 3)):
            turn = {name: run(command, COUNT, expected) for name, (command, expected) in commands().items()}
            rounds.append(turn)
        return {"count": COUNT, "rounds": rounds, "check_tcp": measure_processes()}


def measure_growth(*_):
    """Runs of 1,000 to 1,000,000 targets: whether cost grows in proportion, and how memory grows."""
    with target():
        return {str(count): run(check_command(write_list(count, TARGET_PORT)), count, b'"ok":true')
                for count in GROWTH}

