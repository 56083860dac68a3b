"""A container that systemd runs, in the prober's namespace, with the units of deploy/systemd."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import time

import pytest

from support.connectd_process import REPOSITORY, binary
from support.containers import podman
from support.http_client import Client, tcp_connector, unix_connector
from support.waiting import wait_until

SERVICE, SOCKET, HEALTH = "connectd.service", "connectd.socket", "connectd-health.socket"
CONFIGURATION = "/etc/connectd/connectd.yaml"
PORT = 8080
SYSTEM_FOLDERS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")


def image() -> str:
    """The image in CONNECTD_SYSTEMD_IMAGE, which `make deploy-test` builds. Without one, the calling test is skipped."""
    name = os.environ.get("CONNECTD_SYSTEMD_IMAGE")
    if not name:
        pytest.skip("CONNECTD_SYSTEMD_IMAGE names no image with systemd: make deploy-test makes one")
    if os.geteuid() != 0 or shutil.which("podman") is None or shutil.which("runc") is None:
        pytest.skip("a systemd of its own needs root, podman and runc")
    if podman("image", "exists", name, check=False).returncode != 0:
        pytest.skip(f"there is no image {name}: scripts/image-systemd makes it, by mmdebstrap")
    return name


def libraries() -> list[str]:
    """Directories of libraries outside of Debian's packages: Swift's, for a debug build."""
    said = subprocess.run(["ldd", str(binary())], capture_output=True, text=True, check=True).stdout
    paths = re.findall(r"=> (/\S+)", said)
    return sorted({str(pathlib.Path(path).parent) for path in paths if not path.startswith(SYSTEM_FOLDERS)})


def commands(heading: str) -> list[str]:
    """The lines of the first block of commands after a heading of the README."""
    text = (REPOSITORY / "deploy" / "systemd" / "README.md").read_text()
    _, _, rest = text.partition(f"{heading}\n")
    block = re.search(r"```sh\n(.*?)```", rest, re.S)
    assert block, f"no commands after {heading}"
    return [line for line in block[1].splitlines() if line.strip()]


class Machine:
    """systemd as the first process of a container."""

    def __init__(self, network):
        self.network = network
        self.name = f"{network.a.name}-systemd"
        # Under /run, with the same path on both sides, so that both can use its sockets.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cd", dir="/run"))
        self.folder.chmod(0o755)
        self.source = pathlib.Path(tempfile.mkdtemp(prefix="connectd-source-"))
        self._copy_source()
        volumes = [f"{self.source}:/source:ro", f"{self.folder}:{self.folder}"]
        volumes += [f"{network.a.etc / name}:/etc/{name}" for name in ("hosts", "resolv.conf")]
        volumes += [f"{folder}:{folder}:ro" for folder in libraries()]
        # systemd mounts credentials in its own namespace; others see them only if mounts are shared.
        podman(
            "run", "-d", "--name", self.name, "--pull=never", "--systemd=always", "--privileged",
            f"--network=ns:/run/netns/{network.a.name}", *(f"--volume={volume}" for volume in volumes), image(),
            "/bin/sh", "-c", "mount --make-rshared / && exec /sbin/init",
        )  # fmt: skip
        self.pid = int(podman("inspect", "--format", "{{.State.Pid}}", self.name).stdout)
        wait_until(
            lambda: self.sh("systemctl is-system-running", check=False).strip() in ("running", "degraded"), 60,
            "systemd has started", 0.2,
        )  # fmt: skip
        self.http = Client(tcp_connector(network.a, "127.0.0.1", PORT), host=f"127.0.0.1:{PORT}")
        self.unix = Client(unix_connector(f"/proc/{self.pid}/root/run/connectd/http.sock"))

    def _copy_source(self) -> None:
        """The files of a built checkout that the README's commands use."""
        for part in ("deploy/systemd", "docs/man"):
            shutil.copytree(REPOSITORY / part, self.source / part)
        program = self.source / ".build" / "release" / "connectd"
        program.parent.mkdir(parents=True)
        shutil.copy(binary(), program)

    def remove(self) -> None:
        podman("rm", "-f", "-t", "0", self.name, check=False)
        for folder in (self.folder, self.source):
            shutil.rmtree(folder, ignore_errors=True)

    def sh(self, script: str, check: bool = True, seconds: float = 60) -> str:
        """Output and errors of a script that root runs in the container."""
        done = self._enter(script, seconds)
        assert not check or done.returncode == 0, f"{script}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def status(self, script: str) -> int:
        return self._enter(script, 60).returncode

    def _enter(self, script: str, seconds: float) -> subprocess.CompletedProcess:
        """Uses nsenter, which is many times faster than `podman exec`."""
        return subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-i", "-u", "-C", "--", "/bin/sh", "-c", script],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_PAGER": "cat"},
        )  # fmt: skip

    # The service.

    def install(self) -> None:
        """Runs the README's commands line by line. The packages are already in the image, which has no network."""
        for line in commands("## Install"):
            if not line.startswith("apt-get"):
                self.sh(f"cd /source && {line}")

    def write(self, path: str, text: str, mode: str = "644") -> None:
        self.sh(f"mkdir -p {pathlib.PurePath(path).parent} && printf %s {shlex.quote(text)} >{path} && chmod {mode} {path}")

    def edit(self, unit: str, section: str, *lines: str) -> None:
        """Writes a drop-in, as `systemctl edit` does."""
        self.write(f"/etc/systemd/system/{unit}.d/override.conf", "\n".join((f"[{section}]", *lines, "")))
        self.sh("systemctl daemon-reload")

    def reset(self, configuration: str = "") -> None:
        """Restores the installed state with this configuration, and starts the service."""
        drop_ins = " ".join(f"/etc/systemd/system/{unit}.d" for unit in (SERVICE, SOCKET, HEALTH))
        self.sh(f"systemctl stop {SERVICE} {SOCKET} {HEALTH}; rm -rf {drop_ins} /etc/connectd/*", check=False)
        self.write(CONFIGURATION, configuration)
        self.sh(f"systemctl daemon-reload && systemctl reset-failed && systemctl start {SOCKET} {SERVICE}")

    def show(self, name: str, unit: str = SERVICE) -> str:
        return self.sh(f"systemctl show --value -p {name} {unit}").strip()

    @property
    def main_pid(self) -> int:
        """Within the container."""
        return int(self.show("MainPID"))

    def now(self) -> str:
        """For `journal`: with filters, --after-cursor of systemd 252 misses the first line."""
        return f"@{time.time():.6f}"

    def journal(self, since: str, *arguments: str) -> str:
        return self.sh(f"journalctl --sync; journalctl -q -u {SERVICE} --since={since} {' '.join(arguments)}")

    def messages(self, since: str, priority: str) -> str:
        """The service's own lines in the journal, of this priority and above."""
        return self.journal(since, "-o cat", f"-p {priority}", "-t connectd")
