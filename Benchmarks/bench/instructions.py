"""Instructions in user space per check, counted by callgrind. A busy machine does not change them."""

import os
import re
import subprocess
import time

from bench.contenders import REFUSING_PORT, TARGET_PORT
from bench.paths import CONNECTD, built
from bench.process import Process
from bench.rate import load_command, target

WAYS = {"1 connection": (1, TARGET_PORT), "refused": (1, REFUSING_PORT), "64 connections": (64, TARGET_PORT)}
LOAD_SECONDS = 9
SETTLE_SECONDS = 3
COUNT_SECONDS = 5
# Both services call it once for each response.
COUNTED = "MHD_queue_response"


def measure(field, arguments):
    """connectd and the same service in C, after their connections have been opened."""
    pair = [contender for contender in field if contender.speaks_checks]
    # Valgrind of Debian 12 cannot read the debugging information of Swift.
    subprocess.run(["objcopy", "--strip-debug", CONNECTD, built("connectd.stripped")], check=True)
    return {way: {contender.name: measure_once(contender, *WAYS[way]) for contender in pair} for way in WAYS}


def measure_once(contender, connections, target_port):
    output = built(f"callgrind.{contender.name}")
    command = contender.command(contender.port)
    if contender.name == "connectd":
        command[0] = built("connectd.stripped")
    valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={output}"]
    with target(), Process("callgrind", valgrind + command) as process:
        process.wait_ready(contender.port, contender.ready_path)
        pid = process.popen.pid
        command = load_command(contender, contender.port, LOAD_SECONDS, connections, target_port)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as client:
            time.sleep(SETTLE_SECONDS)
            switch("on", pid)
            time.sleep(COUNT_SECONDS)
            switch("off", pid)
            client.wait(timeout=60)
        process.stop()
    return read(output)


def switch(state, pid):
    subprocess.run(["callgrind_control", "-i", state, str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=True)


def read(path):
    """The instructions per response. callgrind writes each name once, and later only its number."""
    names, callee, responses, total = {}, None, 0, 0
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if found := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
                names.setdefault(found.group(1), found.group(2))
                callee = names[found.group(1)] if line.startswith("cfn=") else None
            elif line.startswith("calls=") and callee == COUNTED:
                responses += int(line[6:].split()[0])
            elif line.startswith(("summary:", "totals:")):
                total = int(line.split()[1])
    os.unlink(path)
    if responses == 0:
        raise RuntimeError("no response was counted")
    return {"instructions": total / responses, "responses": responses}
