"""`connectd check`: text for people, JSON for programs, exit status 0, 1 or 2 for scripts."""

import json
import signal
import subprocess
import time

import pytest

from support import connectd_process, peers
from support import network as net
from support.expectations import assert_shape
from support.network import REFUSED


def test_a_target_that_connects_exits_with_0(run, target):
    ran = run("check", target)
    assert ran.returncode == 0, ran.stderr
    assert target in ran.stdout and "connected" in ran.stdout


def test_a_target_that_fails_exits_with_1_and_the_reason(run):
    ran = run("check", REFUSED)
    assert ran.returncode == 1, ran.stderr
    assert REFUSED in ran.stdout
    assert "refused" in ran.stdout and "ECONNREFUSED" in ran.stdout


def test_one_failure_among_several_exits_with_1(run, target):
    ran = run("check", target, REFUSED)
    assert ran.returncode == 1
    assert target in ran.stdout and REFUSED in ran.stdout
    assert run("check", target, target).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["tcp://h"],
        ["http://h:80"],
        ["--timeout"],
        ["--timeout", "abc", REFUSED],
        ["--timeout", "-1s", REFUSED],
        ["--timeout", "0s", REFUSED],
        ["--no-such-flag", REFUSED],
        ["--file", "/no/such/file"],
        ["127.1:80"],
        ["tls://127.1:443"],
        ["--tls", "udp://127.0.0.1:9"],
        ["--server-name", "a b", REFUSED],
        ["--server-name", "[::1]", REFUSED],
        ["--starttls", "ssh", REFUSED],
        ["--alpn", "", REFUSED],
        ["--min-days-left", "36501", REFUSED],
        ["--min-days-left", "-1", REFUSED],
        ["--ca", "/no/such/file", REFUSED],
        ["--ca", "/dev/null", REFUSED],
        ["unix:relative"],
        ["", REFUSED],
        ["--json", "--ndjson", REFUSED],
        ["--family", "ipv5", REFUSED],
        ["--timeout", "61s", REFUSED],
        ["--timeout", "100", REFUSED],
        ["--config", "/no/such/file", REFUSED],
        [REFUSED, "tcp://h:0"],
    ],
)
def test_wrong_usage_exits_with_2(run, arguments):
    ran = run("check", *arguments)
    assert ran.returncode == 2, (ran.returncode, ran.stdout, ran.stderr)
    assert ran.stderr.strip()
    assert ran.stdout == ""


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["serve", "--nonsense"]])
def test_wrong_subcommands_exit_with_2(run, arguments):
    assert run(*arguments).returncode == 2


def test_json_is_always_an_array(run, target):
    for arguments, count in (([target], 1), ([target, REFUSED], 2)):
        ran = run("check", "--json", *arguments)
        results = json.loads(ran.stdout)
        assert isinstance(results, list) and len(results) == count
        for result in results:
            assert_shape(result)
        assert [result["target"] for result in results] == arguments
        assert ran.stdout.endswith("\n")
        assert ran.returncode == (0 if count == 1 else 1)


def test_a_file_of_targets_is_checked(run, target, folder):
    with open(f"{folder}/targets", "w") as file:
        file.write(f"{target}\n{REFUSED}\n")
    ran = run("check", "--json", "--file", f"{folder}/targets")
    assert [result["outcome"] for result in json.loads(ran.stdout)] == ["connected", "refused"]
    assert ran.returncode == 1


def test_an_invalid_line_of_a_file_is_wrong_usage(run, target, folder):
    with open(f"{folder}/targets", "w") as file:
        file.write(f"{target}\nnonsense\n")
    ran = run("check", "--file", f"{folder}/targets")
    assert ran.returncode == 2
    assert "2" in ran.stderr and "nonsense" in ran.stderr


@pytest.mark.deadline
@pytest.mark.parametrize("given,seconds", [("300ms", 0.3), ("1s", 1.0)])
def test_a_timeout_ends_at_its_deadline(run, given, seconds):
    started = time.monotonic()
    ran = run("check", "--json", "--timeout", given, f"tcp://{net.DROPPED}:80")
    assert seconds <= time.monotonic() - started < seconds + 1.5
    (result,) = json.loads(ran.stdout)
    assert (result["outcome"], result["error"]["name"]) == ("timeout", "DEADLINE")
    assert ran.returncode == 1


@pytest.mark.deadline
def test_several_targets_run_concurrently(run):
    started = time.monotonic()
    run("check", "--timeout", "1s", *[f"tcp://{net.DROPPED}:{port}" for port in range(80, 90)])
    assert time.monotonic() - started < 3


def test_all_tries_each_address(run, network):
    network.a.write_etc("hosts", f"127.0.0.1 localhost\n{net.OPEN} pair.example\n{net.SECOND} pair.example\n")
    ran = run("check", "--json", "--all", "tcp://pair.example:9")
    (result,) = json.loads(ran.stdout)
    assert {attempt["address"] for attempt in result["attempts"]} == {net.OPEN, net.SECOND}


def test_without_config_no_policy_applies(run, folder):
    """The command line needs no rule for UNIX paths or link-local addresses: the caller could connect anyway."""
    with peers.unix_listener(f"{folder}/s"):
        assert run("check", f"unix:{folder}/s").returncode == 0
    ran = run("check", "--json", "--timeout", "200ms", "tcp://169.254.169.254:80")
    assert json.loads(ran.stdout)[0]["outcome"] != "denied"


def test_config_applies_a_policy(run, folder, target):
    with open(f"{folder}/connectd.yaml", "w") as file:
        file.write("policy: {profile: rules}\n")
    ran = run("check", "--json", "--config", f"{folder}/connectd.yaml", target)
    assert ran.returncode == 1, ran.stderr
    assert json.loads(ran.stdout)[0]["outcome"] == "denied"


def test_a_configuration_is_checked_with_line_and_reason(run, folder, target):
    with open(f"{folder}/connectd.yaml", "w") as file:
        file.write("policy:\n  profil: rules\n")
    ran = run("check", "--config", f"{folder}/connectd.yaml", target)
    assert ran.returncode == 2 and ran.stdout == ""
    assert "connectd.yaml" in ran.stderr and "2" in ran.stderr and "profil" in ran.stderr


def test_rules_of_a_configuration_allow_and_deny(run, folder, target):
    with peers.unix_listener(f"{folder}/allowed.sock"), peers.unix_listener(f"{folder}/other.sock"):
        with open(f"{folder}/connectd.yaml", "w") as file:
            file.write(
                f"policy:\n  rules:\n    - {{action: allow, path: {folder}/allowed.sock}}\n"
                f"    - {{action: deny, cidr: {net.SECOND}/32}}\n"
            )
        targets = [
            target,
            f"unix:{folder}/allowed.sock",
            f"unix:{folder}/other.sock",
            f"tcp://{net.SECOND}:9",
            "tcp://169.254.169.254:80",
        ]
        ran = run("check", "--json", "--timeout", "1s", "--config", f"{folder}/connectd.yaml", *targets)
    outcomes = [result["outcome"] for result in json.loads(ran.stdout)]
    assert outcomes == ["connected", "connected", "denied", "denied", "denied"]
    assert ran.returncode == 1
    for result in json.loads(ran.stdout):
        assert_shape(result)
        if result["outcome"] == "denied":
            assert (result["error"]["source"], result["error"]["fault"]) == ("policy", "request")
            assert result["phase"] == "policy" and result["attempts"] == []


@pytest.mark.deadline
def test_json_lines_are_printed_as_checks_end(network, target):
    silent = f"tcp://{net.DROPPED}:80"
    command = [str(connectd_process.binary()), "check", "--ndjson", "--timeout", "1500ms", silent, target, REFUSED]
    started = time.monotonic()
    with subprocess.Popen(network.a.command(*command), stdout=subprocess.PIPE, text=True) as process:
        first, second = (json.loads(process.stdout.readline()) for _ in range(2))
        assert time.monotonic() - started < 1.2, "they waited for the slowest"
        last = json.loads(process.stdout.readline())
        assert process.stdout.readline() == ""
    assert {first["target"], second["target"]} == {target, REFUSED}
    assert (last["target"], last["outcome"]) == (silent, "timeout")
    assert process.returncode == 1
    for result in (first, second, last):
        assert_shape(result)


def test_json_results_have_the_order_of_the_arguments(run, target):
    targets = [f"tcp://{net.DROPPED}:80", target, REFUSED, f"udp://{net.OPEN}:9"]
    ran = run("check", "--json", "--timeout", "200ms", *targets)
    assert [result["target"] for result in json.loads(ran.stdout)] == targets


def test_datagrams_and_paths_are_targets_too(run, folder):
    with peers.unix_listener(f"{folder}/s"):
        ran = run("check", "--json", f"udp://{net.OPEN}:9", f"unix:{folder}/s", "unix:@missing", f"unix:{folder}/none")
    outcomes = [result["outcome"] for result in json.loads(ran.stdout)]
    assert outcomes == ["associated", "connected", "refused", "no_such_socket"]


def test_standard_input_can_have_targets_and_comments(run, target):
    text = f"# the database\n\n  {target}  \n\t# and a closed port\n{REFUSED}"
    ran = run("check", "--json", "--file", "-", input=text)
    assert [result["target"] for result in json.loads(ran.stdout)] == [target, REFUSED]
    assert run("check", "--file", "-", input="# nothing\n").returncode == 2


def test_family_selects_the_address(run, network):
    network.a.write_etc("hosts", f"127.0.0.1 localhost\n{net.OPEN} dual.example\n{net.OPEN6} dual.example\n")
    for family, address in (("ipv4", net.OPEN), ("ipv6", net.OPEN6)):
        ran = run("check", "--json", "--family", family, "tcp://dual.example:9")
        (result,) = json.loads(ran.stdout)
        assert [attempt["address"] for attempt in result["attempts"]] == [address]


def test_text_output_shows_each_attempt_and_the_fault(run, network):
    network.a.write_etc("hosts", f"127.0.0.1 localhost\n{net.OPEN} pair.example\n{net.SECOND} pair.example\n")
    ran = run("check", "tcp://pair.example:9", "tcp://nothing.invalid:9")
    assert net.OPEN in ran.stdout and net.SECOND in ran.stdout
    assert "fault: target" in ran.stdout and "fault: resolver" in ran.stdout
    assert "phase connect" in ran.stdout and "phase resolve" in ran.stdout


def test_hundreds_of_targets_are_checked(run):
    targets = [f"{scheme}://{net.OPEN}:9" for scheme in ("tcp", "udp")] * 300
    ran = run("check", "--json", *targets)
    assert [result["outcome"] for result in json.loads(ran.stdout)] == ["refused", "associated"] * 300


def test_sigint_ends_the_command(network):
    command = network.a.command(str(connectd_process.binary()), "check", "--timeout", "30s", f"tcp://{net.DROPPED}:80")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        connectd_process.wait_until_connecting(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(3) != 0


def test_help_and_version_exit_with_0(run):
    for arguments in (["--help"], ["check", "--help"], ["serve", "--help"]):
        ran = run(*arguments)
        assert ran.returncode == 0
        assert "connectd" in ran.stdout
    assert run("--version").returncode == 0


def test_a_closed_pipe_is_not_a_crash(network, target):
    command = network.a.command("sh", "-c", f"{connectd_process.binary()} check --json {target} | true")
    assert subprocess.run(command, capture_output=True).returncode == 0
