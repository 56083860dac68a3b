"""Containers by podman for the tests of deploy/, if podman and the image are available."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from support.connectd_process import REPOSITORY


def environment() -> dict[str, str]:
    """Disables systemd's timers for health checks, and uses the runtime of scripts/container-runtime."""
    given = {**os.environ, "DISABLE_HC_SYSTEMD": "true"}
    configuration = REPOSITORY / ".build-image" / "containers.conf"
    if configuration.is_file():
        given.setdefault("CONTAINERS_CONF", str(configuration))
    return given


def podman(
    *arguments: str, check: bool = True, seconds: float = 60, binary: bool = False
) -> subprocess.CompletedProcess:
    done = subprocess.run(
        ["podman", *arguments], capture_output=True, text=not binary, timeout=seconds, env=environment()
    )
    if check and done.returncode != 0:
        raise AssertionError(f"podman {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def image() -> str:
    """The image in CONNECTD_IMAGE, which `make image-test` builds. Without one, the calling test is skipped."""
    name = os.environ.get("CONNECTD_IMAGE")
    if not name:
        pytest.skip("CONNECTD_IMAGE names no image: make image-test builds one")
    if os.geteuid() != 0 or shutil.which("podman") is None:
        pytest.skip("containers need root and podman")
    assert podman("image", "exists", name, check=False).returncode == 0, f"no such image: {name}"
    return name


class Container:
    """One container in a network namespace, run as every manifest of deploy/ runs it."""

    def __init__(self, namespace, *arguments: str, options: tuple[str, ...] = (), start: bool = True):
        self.name = f"{namespace.name}-connectd"
        podman(
            *(("run", "-d") if start else ("create",)), "--name", self.name, "--pull=never", "--read-only",
            "--cap-drop=ALL", "--security-opt", "no-new-privileges", "--memory=64m",
            f"--network=ns:/run/netns/{namespace.name}", *options, image(), *arguments,
        )  # fmt: skip

    def initialize(self) -> int:
        """Creates the first process, which becomes the program at the start; returns its process ID."""
        podman("init", self.name)
        return self.pid

    @contextlib.contextmanager
    def starting(self):
        """Runs an initialized container until the block ends."""
        process = subprocess.Popen(
            ["podman", "start", self.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
        )
        try:
            yield
        finally:
            process.wait(30)

    def inspect(self) -> dict:
        return json.loads(podman("inspect", self.name).stdout)[0]

    @property
    def pid(self) -> int:
        return self.inspect()["State"]["Pid"]

    @property
    def log(self) -> str:
        done = podman("logs", self.name, check=False)
        return done.stdout + done.stderr

    def status(self) -> dict[str, str]:
        lines = pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def resident_kilobytes(self) -> int:
        for line in pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                return int(line.split()[1])
        raise LookupError("Rss")

    def remove(self) -> None:
        podman("rm", "-f", "-t", "0", self.name, check=False)
