"""A network namespace that a test creates and removes."""

import contextlib
import ctypes
import os
import pathlib
import shutil
import socket
import subprocess
from collections.abc import Callable

from support.waiting import wait_until

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_TOOLS = ("ip", "nft", "tc", "sysctl")


def missing() -> str | None:
    """Why namespaces cannot be created here; None if they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    absent = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    name = f"cd{os.getpid()}probe"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode != 0:
        return f"network namespaces cannot be made: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=False)
    return None


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Namespace:
    """One namespace with loopback up, no ICMP rate limit, and its own files under /etc/netns."""

    def __init__(self, name: str):
        self.name = name
        self.etc = pathlib.Path("/etc/netns") / name
        self.etc.mkdir(parents=True)
        self.write_etc("resolv.conf", "nameserver 127.0.0.1\n")
        self.write_etc("hosts", "127.0.0.1 localhost\n::1 localhost ip6-localhost\n")
        subprocess.run(["ip", "netns", "add", name], check=True)
        self._descriptor = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self.ip("link set lo up")
        self.set("net.ipv4.icmp_ratelimit", 0)
        self.set("net.ipv6.icmp.ratelimit", 0)
        self.set("net.ipv6.conf.all.accept_dad", 0)

    def remove(self) -> None:
        os.close(self._descriptor)
        subprocess.run(["ip", "netns", "del", self.name], check=False)
        shutil.rmtree(self.etc, ignore_errors=True)

    def write_etc(self, file: str, text: str) -> None:
        """Writes in place: a running process sees the same file through its bind mount."""
        (self.etc / file).write_text(text)

    @contextlib.contextmanager
    def entered(self):
        """Moves the calling thread into the namespace until the block ends. Sockets created in it stay in it."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(self._descriptor)
            try:
                yield
            finally:
                _setns(home)
        finally:
            os.close(home)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0) -> socket.socket:
        with self.entered():
            return socket.socket(family, kind, protocol)

    def wait_for_listener(self, address: str, port: int, timeout: float = 10, what: str | Callable[[], str] = "") -> None:
        """Waits until a listener accepts TCP connections at the address and port."""

        def is_there() -> bool:
            with self.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as client:
                client.settimeout(1)
                client.connect((address, port))
                return True

        wait_until(is_there, timeout, what or f"something listens on {address}, port {port}", 0.02)

    def command(self, *arguments: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *arguments]

    def run(self, *arguments: str, **options) -> str:
        return subprocess.run(self.command(*arguments), check=True, text=True, stdout=subprocess.PIPE, **options).stdout

    def ip(self, line: str) -> None:
        subprocess.run(["ip", "-n", self.name, *line.split()], check=True)

    def nft(self, script: str) -> str:
        return self.run("nft", "-f", "-", input=script)

    def set(self, name: str, value) -> None:
        path = pathlib.Path("/proc/sys", *name.split("."))
        with self.entered():
            path.write_text(f"{value}\n")

    def get(self, name: str) -> str:
        path = pathlib.Path("/proc/sys", *name.split("."))
        with self.entered():
            return path.read_text().strip()

    @contextlib.contextmanager
    def setting(self, name: str, value):
        before = self.get(name)
        self.set(name, value)
        try:
            yield
        finally:
            self.set(name, before)

    def counter(self, rule_comment: str) -> int:
        """Packets counted by the rule that carries this comment."""
        for line in self.run("nft", "list", "ruleset").splitlines():
            if f'comment "{rule_comment}"' in line:
                words = line.split()
                return int(words[words.index("packets") + 1])
        raise LookupError(rule_comment)
