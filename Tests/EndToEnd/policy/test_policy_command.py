"""`connectd policy`: which rule decides about a target, and why."""

import json
import os
import re
import socket

import pytest

from support.connectd_process import REPOSITORY, run

CONFIGURATION = """
listen: ["127.0.0.1:18080", "unix:{folder}/own.sock"]
policy:
  profile: {profile}
  rules:
    - {{action: allow, cidr: 10.0.0.0/8, ports: [5432, "8000-8999"], transports: [tcp]}}
    - {{action: allow, path: "{folder}/app/*.sock"}}
    - {{action: deny, host: "*.corp.example"}}
    - {{action: allow, cidr: 169.254.169.254/32}}
    - {{action: allow, cidr: 127.0.0.0/8}}
    - {{action: allow, cidr: "64:ff9b::/96"}}
"""


@pytest.fixture
def policy(tmp_path):
    def run_policy(*arguments, profile="rules"):
        file = tmp_path / "connectd.yaml"
        file.write_text(CONFIGURATION.format(folder=tmp_path, profile=profile))
        return run("policy", "--config", str(file), *arguments)

    run_policy.folder = tmp_path
    return run_policy


@pytest.mark.parametrize(
    "target,status,reason",
    [
        ("10.0.0.7:5432", 0, "policy.rules[0]: allow 10.0.0.0/8, ports 5432 and 8000-8999, tcp"),
        ("udp://10.0.0.7:5432", 1, "profile rules: no rule allows it"),
        ("10.0.0.7:22", 1, "profile rules: no rule allows it"),
        ("x.corp.example:443", 1, "policy.rules[2]: deny *.corp.example"),
        ("169.254.169.254:80", 0, "policy.rules[3]: allow 169.254.169.254/32"),
        ("169.254.1.1:80", 1, "hard denial: a link-local address; only an allow rule for exactly this address"),
        ("127.0.0.1:18080", 1, "hard denial: a listener of this service"),
        ("[64:ff9b::a00:7]:5432", 0, "policy.rules[5]: allow 64:ff9b::/96"),
        ("[64:ff9b::a00:7]:22", 1, "10.0.0.7, which is inside it, is denied: profile rules: no rule allows it"),
        ("unix:/nowhere/x.sock", 1, "no rule with path allows it"),
    ],
)
def test_what_decides_is_named(policy, target, status, reason):
    ran = policy(target)
    assert ran.returncode == status and ran.stderr == ""
    word = "denied" if status else "allowed"
    assert ran.stdout.startswith(f"{target}: {word}\n  {word}") and reason in ran.stdout


def test_each_address_of_a_name_is_judged(policy):
    ran = policy("localhost:80", "--json")
    assert ran.returncode == 0
    (judged,) = json.loads(ran.stdout)
    assert judged["target"] == "localhost:80" and judged["state"] == "allowed"
    assert judged["names"] == [
        {"name": "localhost", "allowed": True, "rule": None, "reason": "no rule denies the name"}
    ]
    addresses = {address["address"]: (address["allowed"], address["rule"]) for address in judged["addresses"]}
    assert addresses == {"[::1]:80": (False, None), "127.0.0.1:80": (True, 4)}
    assert "localhost:80: allowed at 1 of 2 addresses\n" in policy("localhost:80").stdout


def test_a_path_is_judged_by_what_it_opens(policy):
    (policy.folder / "app").mkdir()
    listeners = []
    for name in ("own.sock", "app/a.sock"):
        listeners.append(socket.socket(socket.AF_UNIX))
        listeners[-1].bind(str(policy.folder / name))
        listeners[-1].listen()
    os.symlink("a.sock", policy.folder / "app/link.sock")
    os.symlink("../own.sock", policy.folder / "app/out.sock")
    allowed = policy(f"unix:{policy.folder}/app/link.sock")
    assert allowed.returncode == 0 and f"  allowed  {policy.folder}/app/a.sock" in allowed.stdout
    denied = policy(f"unix:{policy.folder}/app/out.sock")
    assert denied.returncode == 1 and f"  denied   {policy.folder}/own.sock" in denied.stdout
    # Nothing connects: the listener has no connection to accept.
    for listener in listeners:
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
        listener.close()


def test_a_name_without_addresses_is_not_decided(policy):
    ran = policy("name.invalid:80")
    assert ran.returncode == 3 and ran.stdout.startswith("name.invalid:80: unresolved: ")
    hidden = policy("name.invalid:80", profile="public")
    assert hidden.returncode == 1 and "answers like a denial" in hidden.stdout


def test_a_denied_target_decides_the_exit_status(policy):
    assert policy("name.invalid:80", "10.0.0.7:22", "10.0.0.7:5432").returncode == 1


def test_the_order_of_the_rules(policy):
    lines = policy("--explain").stdout.splitlines()
    assert lines[1].split("  ", 2)[2] == "policy.rules[0]: allow 10.0.0.0/8, ports 5432 and 8000-8999, tcp"
    assert lines[3].endswith("deny *.corp.example (denies a name and its aliases, wherever the rule is)")
    assert lines[4].endswith("(also opens a hard denial)")
    assert "hard denials: cloud metadata" in lines[7] and "port 18080" in lines[7]
    assert lines[8].endswith("profile rules: allows only what rules allow")


def test_the_page_shows_what_it_prints(tmp_path):
    page = (REPOSITORY / "docs/security.md").read_text()
    shown = re.search(r"^\$ connectd policy (.*) --config \S+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    file = tmp_path / "connectd.yaml"
    file.write_text("policy: {profile: rules, rules: [{action: allow, cidr: 127.0.0.0/8, ports: [5432]}]}\n")
    assert run("policy", "--config", str(file), *shown[1].split()).stdout == shown[2]


@pytest.mark.parametrize(
    "arguments,said",
    [([], "no target"), (["http://x"], "did you mean tcp://x:80?"), (["--timeout", "0", "h:1"], "is not a duration")],
)
def test_wrong_usage(policy, arguments, said):
    ran = policy(*arguments)
    assert ran.returncode == 2 and said in ran.stderr and ran.stdout == ""


def test_the_configuration_is_required(tmp_path):
    assert run("policy", "127.0.0.1:1").returncode == 2
    broken = tmp_path / "broken.yaml"
    broken.write_text("policy: {profile: open}\n")
    ran = run("policy", "127.0.0.1:1", "--config", str(broken))
    assert ran.returncode == 2 and "policy.profile" in ran.stderr
