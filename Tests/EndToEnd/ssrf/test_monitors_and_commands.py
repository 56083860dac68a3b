"""Denied addresses in monitors, and on a command line that has a policy."""

import ipaddress
import json
import os
import subprocess

import pytest
import yaml
from support.check_entries import ALLOWED, DENIED, ORACLE, PORT, host
from support.connectd_process import binary, clean_environment
from support.kernel_recorder import ConnectRecorder
from support.ssrf_judge import judged
from support.waiting import wait_until


def test_monitors_connect_to_no_denied_address(internet):
    def monitor(index: int, address: str) -> dict:
        check = {"target": f"tcp://{host(address)}:{PORT}", "timeout_ms": 500, "trace": "always"}
        return {"name": f"m{index}", "interval_ms": 100, "check": check}

    monitors = [monitor(index, address) for index, address in enumerate([*DENIED, *ALLOWED])]
    with judged(internet, ORACLE, {"monitors": monitors}) as service:
        def states() -> list[dict]:
            return service.client.get("/v1/monitors").json["monitors"]

        wait_until(lambda: all(item["state"] == "down" for item in states()), 30, lambda: f"each monitor is down: {states()}")
        for item, address in zip(states(), [*DENIED, *ALLOWED], strict=True):
            assert (item["last"]["outcome"] == "denied") == (address in DENIED), item
        assert {str(item.address) for item in service.seen()} == set(ALLOWED)


COMMANDS = {
    "check": ("check", "--timeout", "1s"),
    "check with a trace": ("check", "--timeout", "1s", "--trace"),
    "ping": ("ping", "-c", "2", "-i", "0.05", "-W", "1"),
    "trace": ("trace",),
    "diagnose": ("diagnose", "--timeout", "2s"),
    "wait": ("wait", "--timeout", "300ms", "--interval", "50ms"),
    "policy": ("policy",),
}


class PolicyCommand:
    """Runs a command of connectd with the policy of this file, and records what it does."""

    def __init__(self, internet, folder):
        self._internet = internet
        self._file = folder / "connectd.yaml"
        policy = yaml.safe_dump({"policy": ORACLE.configuration, "listen": ["127.0.0.1:8080"]})
        self._file.write_text(policy)
        self.recorder = ConnectRecorder(f"connectd-test-{os.getpid()}-command")

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        line = self._internet.prober.command(str(binary()), *arguments, "--config", str(self._file))
        return subprocess.run(
            line, capture_output=True, text=True, timeout=60, env=clean_environment(), preexec_fn=self.recorder.join)


@pytest.fixture
def command(internet, tmp_path):
    made = PolicyCommand(internet, tmp_path)
    yield made
    made.recorder.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_with_a_policy_connects_to_no_denied_address(command, name):
    first, *options = COMMANDS[name]
    for address in DENIED[::4]:
        ran = command.run(first, f"{host(address)}:{PORT}", *options)
        assert ran.returncode == 1, (address, ran.stdout, ran.stderr)
    assert not command.recorder.endpoints()
    command.run(first, f"{host(ALLOWED[0])}:{PORT}", *options)
    assert {str(item.address) for item in command.recorder.endpoints()} == (set() if first == "policy" else {ALLOWED[0]})


def test_an_expanded_network_connects_to_no_denied_address(command):
    """172.32.0.0 is the first address after a private block."""
    ran = command.run("check", "--expand", "--timeout", "1s", "--json", f"172.31.255.240/28:{PORT}", f"172.32.0.0/29:{PORT}")
    results = json.loads(ran.stdout)
    assert len(results) == 24 and ran.returncode == 1
    for result in results:
        address = result["target"].removeprefix("tcp://").rsplit(":", 1)[0]
        assert (result["outcome"] == "denied") == (address.startswith("172.31.")), result
    seen = {item.address for item in command.recorder.endpoints()}
    assert seen == {ipaddress.ip_address("172.32.0.0") + step for step in range(8)}


def test_a_verified_file_connects_to_no_denied_address(command, tmp_path):
    rules = [{"name": "all", "to": [*DENIED[:8], *ALLOWED], "ports": [PORT], "expect": "allowed"}]
    file = tmp_path / "reachability.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "rules": rules}))
    ran = command.run("verify", str(file), "--format", "json")
    assert ran.returncode in (1, 3), ran.stderr
    assert {str(item.address) for item in command.recorder.endpoints()} == set(ALLOWED)
