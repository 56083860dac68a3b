"""Fixtures: `connectd verify` in the prober's namespace."""

import subprocess

import pytest

from support import connectd_process, peers
from support import network as net
from support.verification import Verification


@pytest.fixture
def verify(network, tmp_path):
    """Runs `connectd verify` with a policy from text."""

    def run(text: str, *arguments: str, space=network.a, format: str | None = "ndjson") -> Verification:
        path = tmp_path / "policy.yaml"
        path.write_text(text)
        options = ["--format", format] if format else []
        command = space.command(str(connectd_process.binary()), "verify", str(path), *options, *arguments)
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
        return Verification(ran.returncode, ran.stdout, ran.stderr)

    return run


@pytest.fixture(scope="module")
def open_port(network):
    """A port of the router's own address with a listener."""
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        yield listener.getsockname()[1]
