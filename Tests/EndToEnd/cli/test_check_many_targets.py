"""`check` with many targets: how many run at once, and timeouts caused by a router's ICMP rate limit."""

import collections
import json
import re
import subprocess
import threading
import time

import pytest

from support import connectd_process, peers
from support import network as net

PROHIBITED = net.ROUTER_REJECTS["admin-prohibited"]
REJECTED = 10


def run(network, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess:
    command = network.a.command(str(connectd_process.binary()), "check", *arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds)


def targets() -> list[str]:
    """Closed ports, which answer themselves, and targets that the router rejects by ICMP."""
    return [f"{net.OPEN}:{9000 + n}" for n in range(40)] + [f"{PROHIBITED}:{port}" for port in range(1, REJECTED + 1)]


def test_the_summary_explains_rate_limited_icmp(limited):
    drain(limited)
    ran = run(limited, "--timeout", "300ms", *targets())
    (note,) = [line for line in ran.stdout.splitlines() if "--retry-timeouts" in line]
    assert re.match(r"\d+ timeouts: routers limit their ICMP errors \(Linux sends about one per second\)", note)


def test_repeated_timeouts_get_their_real_outcome(limited):
    drain(limited)
    started = time.monotonic()
    ran = run(limited, "--json", "--timeout", "1500ms", "--retry-timeouts", "2", "--stats-every", "500ms", *targets())
    outcomes = collections.Counter(result["outcome"] for result in json.loads(ran.stdout))
    assert outcomes == {"refused": 40, "unreachable": REJECTED}, ran.stderr
    assert "repeating timeouts: " in ran.stderr and "one per 1.1 s" in ran.stderr
    assert time.monotonic() - started > 3, "it was in no hurry"


def drain(network) -> None:
    """Uses up the router's token bucket, which allows a burst of six errors."""
    run(network, "--timeout", "300ms", *[f"{PROHIBITED}:{port}" for port in range(100, 120)])


def test_concurrency_limits_the_checks_in_flight(network):
    """A listener that answers slowly sees them all."""
    for flag, count, hosts in (("--concurrency", 3, 1), ("--parallel", 2, 1), ("--per-host", 2, 2)):
        open_now, most = collections.Counter(), collections.Counter()
        lock = threading.Lock()

        def hold(connection, place):
            with lock:
                open_now[place] += 1
                most[place] = max(most[place], open_now[place])
            time.sleep(0.1)  # Checks overlap.
            with lock:
                open_now[place] -= 1
            connection.sendall(b"done")

        listeners = [peers.tcp_listener(network.b, address) for address in (net.OPEN, net.SECOND)[:hosts]]
        stop = threading.Event()
        for listener in listeners:
            threading.Thread(target=accept, args=(listener, hold, stop), daemon=True).start()
        places = [f"{address}:{port}" for address, port in (listener.getsockname() for listener in listeners)]
        ran = run(network, flag, str(count), "--match", "done", *places * 6)
        stop.set()
        for listener in listeners:
            listener.close()
        assert ran.returncode == 0, ran.stdout
        assert all(value == count for value in most.values()) and len(most) == hosts, (flag, most)


def accept(listener, script, stop) -> None:
    place = listener.getsockname()

    def serve(connection):
        with connection:
            script(connection, place)

    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


@pytest.mark.deadline
def test_rate_limits_the_starts_per_second(network):
    started = time.monotonic()
    run(network, "--rate", "10", *[f"{net.OPEN}:9"] * 11)
    assert 0.95 < time.monotonic() - started < 3


def test_few_descriptors_only_slow_checks_down(network):
    command = " ".join([str(connectd_process.binary()), "check", "--json", *[f"{net.OPEN}:9"] * 300])
    ran = subprocess.run(
        network.a.command("sh", "-c", f"ulimit -n 64; exec {command}"), capture_output=True, text=True, timeout=60
    )
    assert {result["outcome"] for result in json.loads(ran.stdout)} == {"refused"}, ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--concurrency", "0"],
        ["--per-host", "-1"],
        ["--rate", "0"],
        ["--rate", "nan"],
        ["--retry-timeouts", "4"],
        ["--stats-every", "1ms"],
    ],
)
def test_invalid_pace_options_exit_with_2(network, arguments):
    ran = run(network, *arguments, f"{net.OPEN}:9")
    assert ran.returncode == 2 and arguments[0] in ran.stderr
