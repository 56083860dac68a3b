"""The service under attack: its namespace, its limits, and what it uses meanwhile."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.http_client import Client, tcp_connector
from support.https_peers import certify, https
from support.namespace import Namespace
from support.network import new_name
from support.waiting import wait_until

from attack.memory_group import MemoryGroup

FOLDER = pathlib.Path(__file__).parent
PORT, HEALTH, CONTROL = 8080, 8081, 8090
# Targets. Nothing answers at BLACK_HOLE.
BLACK_HOLE, OPEN_PORT, SILENT_PORT, CHATTY_PORT = "127.9.0.1", 9000, 9001, 9002
MANY_ADDRESSES = 128


@contextlib.contextmanager
def battlefield():
    """A namespace with loopback only, in which a whole network is a black hole."""
    namespace = Namespace(new_name("f"))
    try:
        namespace.nft("table ip f { chain i { type filter hook input priority 0; ip daddr 127.9.0.0/16 drop; }; }")
        hosts = [f"127.9.1.{last} many.test\n127.10.1.{last} silent.test\n" for last in range(1, MANY_ADDRESSES + 1)]
        namespace.write_etc("hosts", "127.0.0.1 localhost\n" + "".join(hosts))
        namespace.set("net.core.somaxconn", 65535)
        namespace.set("net.ipv4.tcp_max_syn_backlog", 65535)
        yield namespace
    finally:
        namespace.remove()


def configuration(folder: str, with_https: bool, **members) -> dict:
    given = {**OPEN_CONFIGURATION, "health_listen": [f"127.0.0.1:{HEALTH}"], **members}
    if with_https:
        certify(folder, "server")
        given["https"] = https(folder)
    return given


@contextlib.contextmanager
def started(namespace: Namespace, settings: dict, group: MemoryGroup | None, descriptors: int):
    """The service in its group. It ends before the group is removed."""
    service = Connectd(
        namespace, settings, port=PORT, descriptors=descriptors, prepare=group.join, wrapper=group.wrapper)
    try:
        yield service.wait_until_live()
    finally:
        if service.process.poll() is None:
            service.stop()


class Helper:
    """A Python script of this folder, in the namespace. It prints `ready` when it is, and ends with its input."""

    def __init__(self, namespace: Namespace, script: str, *arguments, first_line: str = "", niceness: int = 0):
        command = [sys.executable, str(FOLDER / script), *map(str, arguments)]
        if niceness:
            command = ["nice", "-n", str(niceness), *command]
        self.process = subprocess.Popen(
            namespace.command(*command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(first_line)
        self.process.stdin.flush()

    def wait_ready(self) -> "Helper":
        line = self.process.stdout.readline()
        assert line == "ready\n", f"{self.process.args} printed {line!r} instead of ready"
        return self

    def finish(self) -> dict:
        """Ends it, and returns what it printed."""
        out, _ = self.process.communicate(timeout=120)
        return json.loads(out) if out.strip() else {}

    def __enter__(self) -> "Helper":
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Observer:
    """Samples what the service uses, in a thread, until the block ends."""

    PAUSE_SECONDS = 0.02

    def __init__(self, service: Connectd, group: MemoryGroup | None):
        self.service, self.group = service, group
        self.group_bytes = self.resident_bytes = self.socket_bytes = self.total_bytes = self.descriptors = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._ended.wait(self.PAUSE_SECONDS):
            with contextlib.suppress(OSError, ValueError):
                self._sample()

    def _sample(self) -> None:
        self.resident_bytes = max(self.resident_bytes, self.service.resident_bytes())
        self.descriptors = max(self.descriptors, len(os.listdir(f"/proc/{self.service.pid}/fd")))
        if self.group is None:
            return
        usage, sockets = self.group.usage_bytes, self.group.socket_bytes
        self.group_bytes = max(self.group_bytes, usage)
        self.socket_bytes = max(self.socket_bytes, sockets)
        self.total_bytes = max(self.total_bytes, usage if self.group.is_unified else usage + sockets)

    def __enter__(self) -> "Observer":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._thread.join()


def metrics(service: Connectd) -> dict[str, float]:
    """The samples of /metrics by their name with labels.

    The end of a flood may still hold the memory that the answer needs: then it is 503 for a moment.
    """
    # The health listener needs no token.
    client = Client(tcp_connector(service.namespace, "127.0.0.1", HEALTH), host=f"127.0.0.1:{HEALTH}")
    answers = []

    def is_answered() -> bool:
        answers.append(client.get("/metrics", timeout=30))
        return answers[-1].status == 200

    wait_until(is_answered, 30, lambda: f"status 200 for /metrics: {answers[-1:]}", pause=0.1)
    samples = {}
    for line in answers[-1].body.decode().splitlines():
        if line and not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            samples[name] = float(value)
    return samples


def refusals(before: dict[str, float], after: dict[str, float]) -> dict[str, int]:
    """The requests that the service has refused in between, by reason."""
    prefix = 'connectd_rejections_total{reason="'
    return {
        name[len(prefix):-2]: int(value - before.get(name, 0))
        for name, value in after.items() if name.startswith(prefix) and value > before.get(name, 0)
    }


def sleep_while_live(service: Connectd, seconds: float) -> None:
    """Waits, and ends early if the service has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and service.process.poll() is None:
        time.sleep(0.05)
