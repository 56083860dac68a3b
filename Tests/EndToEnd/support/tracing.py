"""strace on a running connectd: a log of its system calls, or errors injected into them."""

import contextlib
import pathlib
import shutil
import subprocess

import pytest

from support.waiting import wait_until


def needs_strace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("not installed: strace")


@contextlib.contextmanager
def traced(pid: int, *options: str):
    """Runs strace on every thread of a process until the block ends; `options` set its output."""
    needs_strace()
    tracer = subprocess.Popen(["strace", "-f", "-p", str(pid), *options], stderr=subprocess.PIPE, text=True)
    try:
        first = tracer.stderr.readline()
        if "attached" not in first:
            pytest.skip(f"strace cannot attach: {first.strip()}")
        wait_until(lambda: _is_traced(pid, tracer.pid), 30, "strace is attached to each thread")
        yield
    finally:
        tracer.terminate()
        tracer.communicate(timeout=10)


def _is_traced(pid: int, by: int) -> bool:
    files = pathlib.Path(f"/proc/{pid}/task").glob("*/status")
    return all(f"\nTracerPid:\t{by}\n" in file.read_text() for file in files)
