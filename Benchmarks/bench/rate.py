"""Checks per second and CPU per check, with a listener that accepts."""

import contextlib
import json
import subprocess

from bench.contenders import DESTINATIONS, REFUSING_PORT, TARGET_PORT
from bench.paths import built

BARE_CONNECTS = 100000


def target():
    return listening([built("target"), "--port", str(TARGET_PORT)])


@contextlib.contextmanager
def listening(command):
    """Runs the target until the block ends. The block begins when the target listens."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as popen:
        try:
            if popen.stdout.readline() != "listening\n":
                raise RuntimeError(f"{command[0]} does not listen")
            yield
        finally:
            popen.kill()


def load_command(contender, port, seconds, connections, target_port=TARGET_PORT):
    expected = contender.success if target_port == TARGET_PORT else contender.refusal
    return [built("rate"), "--port", str(port), "--seconds", str(seconds), "--connections", str(connections),
            "--hosts", str(DESTINATIONS), "--expect", expected, *contender.request(target_port)]


def load(contender, port, seconds, connections, target_port=TARGET_PORT):
    command = load_command(contender, port, seconds, connections, target_port)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=seconds + 30)
    return json.loads(done.stdout)


def measure_turn(contender, process, seconds, connections, target_port):
    before = process.cpu_seconds()
    counted = load(contender, contender.port, seconds, connections, target_port)
    cpu_seconds = process.cpu_seconds() - before
    return {
        "rate": counted["rate"],
        "cpu_us": cpu_seconds * 1e6 / counted["requests"],
        "p50_us": counted["p50_us"],
        "p99_us": counted["p99_us"],
        "wrong": counted["non_200"] + counted["unexpected"] + counted["reconnects"],
    }


def measure_http(field, arguments):
    return measure_rounds(field, arguments, arguments.connections, TARGET_PORT)


def measure_single(field, arguments):
    """One connection: the cost of a check that shares no turn of the event loop with another one."""
    return measure_rounds(field, arguments, 1, TARGET_PORT)


def measure_refused(field, arguments):
    """One connection, to a port without a listener. The cost includes the classification and its evidence."""
    return measure_rounds(field, arguments, 1, REFUSING_PORT)


def measure_rounds(field, arguments, connections, target_port):
    """Rounds of one turn per contender. Ratios are taken within a round, so that a busy machine affects all sides."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(target())
        processes = {}
        for contender in field:
            process = stack.enter_context(contender.process())
            process.wait_ready(contender.port, contender.ready_path)
            processes[contender.name] = process
            load(contender, contender.port, 1, connections, target_port)
        return {
            "connections": connections,
            "seconds": arguments.seconds,
            "rounds": [
                {
                    contender.name: measure_turn(
                        contender, processes[contender.name], arguments.seconds, connections, target_port)
                    for contender in field
                }
                for _ in range(arguments.rounds)
            ],
        }


def measure_bare(field, arguments):
    command = [built("connect_loop"), "--port", str(TARGET_PORT), "--hosts", str(DESTINATIONS),
               "--count", str(BARE_CONNECTS)]
    with target():
        runs = [json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout)
                for _ in range(3)]
    return {"runs": runs}
