"""A process that is started, measured through /proc, and ended by its ID."""

import os
import socket
import subprocess
import time

from bench.paths import built

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
START_LIMIT_SECONDS = 15


class Process:
    """A context manager: the process runs inside the `with`."""

    def __init__(self, name, command, environment=None):
        self.name = name
        self.command = command
        self.environment = {**os.environ, **(environment or {})}
        self.log_path = built(name + ".log")

    def __enter__(self):
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.begun = time.monotonic()
            self.popen = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.popen.poll() is not None:
            return
        self.popen.terminate()
        try:
            self.popen.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def wait_ready(self, port, path):
        """Seconds from exec until `path` first answers 200."""
        while not answers(port, path):
            if self.popen.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.popen.returncode}: {self.log()}")
            if time.monotonic() - self.begun > START_LIMIT_SECONDS:
                raise RuntimeError(f"{self.name} does not answer {path}: {self.log()}")
            time.sleep(0.0002)
        return time.monotonic() - self.begun

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def cpu_seconds(self):
        """User and system time of all threads (proc(5), stat 14 and 15)."""
        with open(f"/proc/{self.popen.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def resident_bytes(self):
        """Rss of smaps_rollup, which is exact. VmRSS may miss up to 64 pages per thread."""
        with open(f"/proc/{self.popen.pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Rss:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError("no Rss in smaps_rollup")


def answers(port, path):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
