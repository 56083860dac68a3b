"""Starts, watches and stops the connectd under test."""

import atexit
import fcntl
import functools
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios

import pytest
import yaml

from support.http_client import Client, tcp_connector, unix_connector
from support.waiting import wait_until

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
PORT = 8080
# States of a TCP socket, as /proc/net/tcp shows them.
ESTABLISHED, SYN_SENT = "01", "02"

# All permissions of a trusted local user; single tests have fewer.
OPEN_CONFIGURATION = {
    "policy": {"profile": "internal", "dialogs": "any", "options": ["bind", "interface", "mark", "md5"]},
}


def binary() -> pathlib.Path:
    """The program in CONNECTD, or the newest build. Without either, the test is skipped."""
    if named := os.environ.get("CONNECTD"):
        path = pathlib.Path(named).resolve()
        assert path.is_file(), f"CONNECTD names {path}, which is not there"
        return path
    built = [REPOSITORY / ".build" / kind / "connectd" for kind in ("debug", "release")]
    built = [path for path in built if path.is_file()]
    if not built:
        pytest.skip("no connectd binary: set CONNECTD or run swift build")
    return max(built, key=lambda path: path.stat().st_mtime)


def release_binary() -> pathlib.Path:
    """The program in CONNECTD_RELEASE, or that of `make release`. Without either, the test is skipped."""
    path = pathlib.Path(os.environ.get("CONNECTD_RELEASE", REPOSITORY / ".build" / "release" / "connectd")).resolve()
    if not path.is_file():
        pytest.skip(f"no release build at {path}: make release")
    return path


@functools.cache
def binary_for_everybody() -> pathlib.Path:
    """A copy that other users may execute: the repository may lie in a home folder that is closed to them."""
    folder = tempfile.mkdtemp(prefix="connectd-bin-", dir="/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o755)
    return pathlib.Path(shutil.copy(binary(), folder)).rename(pathlib.Path(folder, "connectd"))


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CONNECTD")}


class Connectd:
    """One running `connectd serve` with a UNIX listener, and with a TCP listener if it has a namespace."""

    def __init__(
        self,
        namespace=None,
        configuration: dict | str | None = None,
        port: int = PORT,
        user: str | None = None,
        wrapper: tuple[str, ...] = (),
        listen: tuple[str, ...] = (),
        arguments: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        unix: bool = True,
        descriptors: int | None = None,
        files: dict[str, str] | None = None,
        prepare=None,
    ):
        program = str(binary())
        self.namespace, self.port = namespace, port
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="connectd-e2e-"))
        self.folder.chmod(0o777)
        self.socket_path = str(self.folder / "http.sock")
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o644)
        configuration = OPEN_CONFIGURATION if configuration is None else configuration
        self.configuration_path = self.folder / "connectd.yaml"
        text = configuration if isinstance(configuration, str) else yaml.safe_dump(configuration)
        self.configuration_path.write_text(text)
        listeners = list(listen)
        if unix:
            listeners.append(f"unix:{self.socket_path}")
        if namespace is not None:
            listeners.insert(0, f"127.0.0.1:{port}")
        command = [program, "serve", "--config", str(self.configuration_path)]
        for item in listeners:
            command += ["--listen", item]
        command = [*wrapper, *command, *arguments]
        if user is not None:
            command = ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups", "--", *command]
        if namespace is not None:
            command = namespace.command(*command)
        self.log_path = self.folder / "log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**clean_environment(), **(environment or {})},
                preexec_fn=_preparation(descriptors, prepare),
            )
        self.unix = Client(unix_connector(self.socket_path))
        self.http = Client(tcp_connector(namespace, "127.0.0.1", port), host=f"127.0.0.1:{port}")
        self.client = self.unix if unix else self.http

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def wait_until_live(self, seconds: float = 60) -> "Connectd":
        def is_live() -> bool:
            assert self.process.poll() is None, f"connectd ended with {self.process.returncode}:\n{self.log}"
            return self.client.get("/livez", timeout=5).status == 200

        wait_until(is_live, seconds, lambda: f"connectd is live:\n{self.log}")
        return self

    def wait_for_log(self, text: str, after: int = 0, timeout: float = 30) -> str:
        """Waits for a text in the log after a position; returns the log from that position."""
        wait_until(lambda: text in self.log[after:], timeout, lambda: f"{text!r} in the log:\n{self.log[after:]}")
        return self.log[after:]

    def reload(self, configuration: dict | str, says: str = "configuration reloaded") -> str:
        """Writes the configuration, sends SIGHUP, waits for the result in the log, and returns it."""
        text = configuration if isinstance(configuration, str) else yaml.safe_dump(configuration)
        self.configuration_path.write_text(text)
        before = len(self.log)
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for_log(says, before)

    def wait_until_connecting(self, count: int = 1, timeout: float = 30) -> None:
        """Waits until this many checks wait for the answer to their SYN."""
        wait_until_connecting(self.pid, count, timeout)

    def wait_until_none_connects(self, timeout: float = 30) -> None:
        """Waits until no check waits for the answer to a SYN, for example because its client has disconnected."""
        wait_until(lambda: not self.sockets(SYN_SENT), timeout, "no socket of connectd is in SYN_SENT", 0.005)

    def wait_until_read(self, connection: socket.socket, timeout: float = 30) -> None:
        """Waits until connectd has read every byte that was sent on a connection to it."""
        wait_until(lambda: self._has_read(connection), timeout, "connectd has read what was sent", 0.002)
        # The bytes are handled in the turn of the event loop in which they are read, and so before any later request.
        self.client.get("/livez")

    def wait_until_accepted(self, connection: socket.socket, timeout: float = 30) -> None:
        """Waits until connectd has accepted a TCP connection."""
        wait_until(lambda: self._has_read(connection), timeout, "connectd has accepted the connection", 0.002)

    def _has_read(self, connection: socket.socket) -> bool:
        if connection.family == socket.AF_UNIX:
            unread = bytearray(4)
            fcntl.ioctl(connection, termios.TIOCOUTQ, unread)
            return int.from_bytes(unread, sys.byteorder) == 0
        own = f":{connection.getsockname()[1]:04X}"
        for line in pathlib.Path(f"/proc/{self.pid}/net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            # A connection that is not accepted yet has no inode.
            if words[2].endswith(own) and words[3] == ESTABLISHED:
                return words[9] != "0" and words[4].endswith(":00000000")
        return False

    def wait_for_descriptors(self, most: int, timeout: float = 30) -> None:
        """Waits until connectd has at most this many descriptors open."""
        wait_until(
            lambda: len(self.open_descriptors()) <= most, timeout,
            lambda: f"at most {most} descriptors are open: {sorted(self.open_descriptors())}",
        )  # fmt: skip

    def stop(self) -> int:
        """Sends SIGTERM; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"connectd did not end within 30 s of SIGTERM:\n{self.log}") from None
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Connectd":
        try:
            return self.wait_until_live()
        except BaseException:
            self.process.kill()
            self.process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __exit__(self, kind, error, trace) -> None:
        ended = self.process.poll()
        log = self.log
        status = self.stop()
        if kind is None:
            assert ended is None, f"connectd ended by itself with {ended}:\n{log}"
            assert status == 0, f"connectd ended with {status} after SIGTERM:\n{log}"

    def sockets(self, state: str, protocol: str = "tcp") -> list[str]:
        return sockets(self.pid, state, protocol)

    def monitor(self, name: str) -> dict:
        """The response of /v1/monitors/{name}. While the service starts, it is a problem without a state."""
        return self.client.get(f"/v1/monitors/{name}").json

    def wait_for_monitor(self, name: str, state: str, timeout: float = 30) -> None:
        wait_until(lambda: self.monitor(name).get("state") == state, timeout, f"the monitor {name} is {state}", 0.05)

    def open_descriptors(self) -> set[int]:
        return {int(entry) for entry in os.listdir(f"/proc/{self.pid}/fd")}

    def processor_seconds(self) -> float:
        """Its processor time, in user and in kernel mode."""
        words = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024


def sockets(pid: int, state: str, protocol: str = "tcp") -> list[str]:
    """Remote ends of the sockets in a process's network namespace that are in a state, as `hex address:port`."""
    found = []
    for name in (protocol, protocol + "6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == state:
                found.append(words[2])
    return found


def wait_until_connecting(pid: int, count: int = 1, timeout: float = 30) -> None:
    """Waits until this many sockets in a process's network namespace wait for the answer to their SYN."""
    wait_until(lambda: len(sockets(pid, SYN_SENT)) >= count, timeout, f"{count} sockets are in SYN_SENT", 0.005)


def _preparation(descriptors: int | None, prepare):
    if descriptors is None and prepare is None:
        return None

    def before_exec() -> None:
        if descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        if prepare is not None:
            prepare()

    return before_exec


def run(
    *arguments: str,
    namespace=None,
    timeout: float = 30,
    input: str | None = None,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess:
    """Runs a command of connectd to its end."""
    command = [str(binary()), *arguments]
    if namespace is not None:
        command = namespace.command(*command)
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=timeout,
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        env={**clean_environment(), **(environment or {})},
    )
