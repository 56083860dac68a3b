"""The functions of a plain check in the order of their calls, as the linker takes it (`--symbol-ordering-file`)."""

import collections
import glob
import os
import re
import subprocess
import time

from bench.contenders import REFUSING_PORT, TARGET_PORT, contenders
from bench.instructions import COUNTED, switch
from bench.paths import CONNECTD, built
from bench.process import Process
from bench.rate import load_command, target

PORTS = [TARGET_PORT, REFUSING_PORT]
LOAD_SECONDS = 9
SETTLE_SECONDS = 3
COUNT_SECONDS = 5
# The share of responses that call a function: others are rare, and stay where they are.
SHARE = 0.3


def measure(port):
    """The path of a callgrind profile of checks on one connection."""
    connectd = contenders()[0]
    output = built(f"callgrind.order.{port}")
    stripped = built("connectd.stripped")
    # Valgrind of Debian 12 cannot read the debugging information of Swift.
    subprocess.run(["objcopy", "--strip-debug", CONNECTD, stripped], check=True)
    command = connectd.command(connectd.port)
    command[0] = stripped
    valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--dump-instr=yes", "--demangle=no",
                f"--callgrind-out-file={output}"]
    with target(), Process("callgrind", valgrind + command) as process:
        process.wait_ready(connectd.port, connectd.ready_path)
        load = load_command(connectd, connectd.port, LOAD_SECONDS, 1, port)
        with subprocess.Popen(load, stdout=subprocess.DEVNULL) as client:
            time.sleep(SETTLE_SECONDS)
            switch("on", process.popen.pid)
            time.sleep(COUNT_SECONDS)
            switch("off", process.popen.pid)
            client.wait(timeout=60)
        process.stop()
    return output


class Profile:
    """The calls of a callgrind file with instruction addresses. Names are written once, and are numbers from then on."""

    def __init__(self, path):
        self.callees = collections.defaultdict(collections.Counter)  # by caller: (address, callee)
        self.calls = collections.Counter()
        names, address, caller, callee, count = {}, 0, None, None, None
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if found := re.match(r"(c?)fn=\((\d+)\)(?: (.*))?", line):
                    if found.group(3):
                        # The part after an apostrophe is a level of recursion.
                        names[found.group(2)] = found.group(3).split("'")[0]
                    if found.group(1):
                        callee = names[found.group(2)]
                    else:
                        caller = names[found.group(2)]
                elif line.startswith("calls="):
                    count = int(line[6:].split()[0])
                elif line[:1] in "0+-*":
                    address = moved(address, line.split()[0])
                    if count is not None:
                        self.callees[caller][address, callee] += count
                        self.calls[callee] += count
                        count = None
        os.unlink(path)

    def order(self):
        """Depth first, from callers to callees in the order of their calls."""
        least = self.calls[COUNTED] * SHARE
        frequent = {name for name, count in self.calls.items() if count >= least}
        seen = {}
        # A function that resumes a task is called by the runtime, which calls many: these come after the loop's own.
        for root in sorted(frequent, key=lambda name: (not re.search("Reactor.*turn", name), -self.calls[name])):
            pending = [root]
            while pending:
                name = pending.pop()
                if name in seen:
                    continue
                seen[name] = None
                calls = sorted(call for call, count in self.callees[name].items() if count >= least)
                pending += [callee for _, callee in reversed(calls)]
        return list(seen)


def moved(address, text):
    """The address of a line: `*` repeats the previous one, and a sign makes it relative to that."""
    if text == "*":
        return address
    return address + int(text, 0) if text[0] in "+-" else int(text, 16)


def movable(names):
    """Those that can be placed alone: the runtime's functions in C++, and those with a section in the build's objects.

    The standard library is one section.
    """
    objects = glob.glob(os.path.join(os.path.dirname(CONNECTD), "*.build", "*.swift.o"))
    if not objects:
        raise RuntimeError(f"no objects of the release build next to {CONNECTD}")
    own = set(re.findall(r"\] \.text\.(\S+) ", printed("readelf", "-SW", *objects)))
    defined = {line.split()[-1] for line in printed("nm", "--defined-only", CONNECTD).splitlines()}
    return [name for name in names if name in (own if name.startswith("$") else defined)]


def printed(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def write(path):
    """Measures, and writes the list: one name on each line."""
    order = {}
    for port in PORTS:
        order.update(dict.fromkeys(Profile(measure(port)).order()))
    names = movable(order)
    with open(path, "w", encoding="ascii") as file:
        file.writelines(name + "\n" for name in names)
    return len(names)
