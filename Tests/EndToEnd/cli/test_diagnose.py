"""`connectd diagnose` as a user sees it."""

import os
import signal
import subprocess

import pytest

from support import connectd_process
from support import network as net
from support.connectd_process import run
from support.diagnosis import start


def test_the_text_begins_with_the_sentence(network):
    ran = run("diagnose", f"{net.OPEN}:9", namespace=network.a)
    lines = ran.stdout.splitlines()
    assert ran.returncode == 1 and ran.stderr == ""
    assert lines[0] == f"{net.OPEN}:9 refuses connections: either the service is not running, or the port is wrong."
    assert lines[1] == "  verdict: target, possible"
    assert [line for line in lines if line.startswith("  ") and line.endswith(":")] == ["  findings:", "  ruled out:", "  next:"]
    assert "    - on the target: ss -tln 'sport = :9'   # shows whether a service listens on port 9" in lines


def test_a_target_that_works(network, target):
    ran = run("diagnose", target, namespace=network.a)
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[0].endswith(" accepts connections; the diagnosis found nothing wrong.")


def test_colors(network):
    assert "\x1b[" not in run("diagnose", f"{net.OPEN}:9", namespace=network.a).stdout
    assert run("diagnose", "--color", "always", f"{net.OPEN}:9", namespace=network.a).stdout.startswith("\x1b[1;31m")


@pytest.mark.parametrize(
    "arguments,complaint",
    [
        ([], "Missing expected argument"),
        (["10.0.0.7"], "port"),
        (["10.0.0.7:80", "--timeout", "2h"], "is not a duration"),
        (["10.0.0.7:80", "--control", "nonsense"], "nonsense"),
        (["udp://10.0.0.7:80", "--tls"], "need a TCP target"),
        (["10.0.0.7:80", "--config", "/nonexistent"], "/nonexistent"),
        (["10.0.0.7:80", "11.0.0.7:80"], "Unexpected argument"),
    ],
)
def test_wrong_usage(arguments, complaint):
    ran = run("diagnose", *arguments)
    assert ran.returncode == 2 and ran.stdout == ""
    assert complaint in ran.stderr


def test_a_policy_applies_only_with_config(network, folder):
    path = os.path.join(folder, "connectd.yaml")
    with open(path, "w") as file:
        file.write("policy: {profile: rules}\n")
    ran = run("diagnose", f"{net.OPEN}:9", "--config", path, namespace=network.a)
    assert ran.returncode == 1
    assert ran.stderr == f"connectd: the policy does not allow {net.OPEN}:9\n"


def test_ctrl_c_ends_it(network):
    process = start(network.a, net.SILENT, timeout="60s")
    connectd_process.wait_until_connecting(process.pid)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert process.returncode in (-signal.SIGINT, 130) and out == ""


def test_a_closed_standard_output_is_reported(network):
    command = network.a.command("sh", "-c", f"exec {connectd_process.binary()} diagnose {net.OPEN}:9 >/dev/full")
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 2
    assert "cannot write to standard output" in ran.stderr
