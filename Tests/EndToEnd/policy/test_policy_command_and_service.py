"""`connectd policy` and a running service decide the same about each target: addresses, embedded addresses, names and paths."""

import json
import random
import subprocess

import pytest

from support.connectd_process import Connectd, binary

PORT = 8176
NUMBER = 400
POLICIES = {
    "internal": [
        {"action": "deny", "cidr": "10.1.0.0/16"}, {"action": "allow", "cidr": "169.254.169.254/32", "ports": [80]},
        {"action": "allow", "path": "/tmp/allowed/*.sock"}, {"action": "deny", "host": "*.bad.example"}, {"action": "allow", "path": "@app*"},
        {"action": "deny", "cidr": "fd00::/8", "ports": ["1-100"], "transports": ["udp"]},
    ],
    "public": [
        {"action": "allow", "cidr": "10.2.0.0/16", "ports": [443, "8000-8010"], "transports": ["tcp"]},
        {"action": "deny", "cidr": "8.8.0.0/16"},
    ],
    "rules": [
        {"action": "deny", "cidr": "127.0.0.2/32"}, {"action": "allow", "cidr": "127.0.0.0/8", "ports": ["1-5000", PORT]},
        {"action": "allow", "cidr": "::1/128"},
    ],
    "sidecar": [{"action": "allow", "cidr": "224.0.0.1/32", "transports": ["udp"]}, {"action": "allow", "cidr": "64:ff9b::/96"}],
}  # fmt: skip
IPV4 = [
    "127.0.0.1", "127.0.0.2", "10.1.2.3", "10.2.3.4", "8.8.8.8", "9.9.9.9", "169.254.169.254", "169.254.1.1", "224.0.0.1", "255.255.255.255",
    "0.0.0.0", "0.1.2.3", "100.100.100.200", "192.0.0.192", "168.63.129.16", "240.0.0.1", "192.168.1.1", "100.64.0.1", "192.88.99.1",
    "198.18.0.1", "192.0.2.1",
]  # fmt: skip
IPV6 = ["::1", "::", "fe80::1", "ff02::1", "fd00:ec2::254", "fd00::1", "2001:db8::1", "2606:4700::1", "64:ff9b:1::1", "2001::1", "fec0::1"]
EMBEDDED = ["::ffff:{quad}", "::{quad}", "64:ff9b::{words}", "2002:{words}::1", "fe80::5efe:{words}", "2606:4700::5efe:{words}"]
NAMES = ["localhost", "LOCALHOST.", "a.bad.example", "bad.example", "good.example"]
HOSTS = "127.0.0.1 localhost\n::1 localhost\n10.1.1.1 a.bad.example good.example\n9.9.9.9 good.example\n127.0.0.1 bad.example\n"
PATHS = [
    "/tmp/allowed/a.sock", "/tmp/allowed/x/../a.sock", "/tmp/allowed/b", "/etc/passwd", "@app", "@apple", "@ap", "/tmp/allowed/d/a.sock",
    "/tmp/allowed//a.sock",
]  # fmt: skip
PORTS = [1, 22, 53, 80, 100, 101, 443, 5000, 5001, 8000, 8010, 8011, 65535, PORT]


def target(chance: random.Random) -> str:
    if chance.random() < 0.1:
        return chance.choice(["unix:", "unix+dgram:"]) + chance.choice(PATHS)
    quad = chance.choice([*IPV4, ".".join(str(chance.randrange(256)) for _ in range(4))])
    numbers = [int(part) for part in quad.split(".")]
    words = "{:02x}{:02x}:{:02x}{:02x}".format(*numbers)
    embedded = chance.choice(EMBEDDED).format(quad=quad, words=words)
    host = chance.choice([quad, quad, f"[{chance.choice(IPV6)}]", f"[{embedded}]", chance.choice(NAMES)])
    return f"{chance.choice(['', 'tcp://', 'udp://', 'tls://'])}{host}:{chance.choice(PORTS)}"


@pytest.mark.parametrize("profile", POLICIES)
def test_the_command_and_the_service_agree(loopback_only, profile):
    chance = random.Random(profile)
    targets = [target(chance) for _ in range(NUMBER)]
    loopback_only.write_etc("hosts", HOSTS)
    # The command knows the listeners of the configuration, not those of flags.
    configuration = {"listen": [f"127.0.0.1:{PORT}"], "policy": {"profile": profile, "rules": POLICIES[profile]}}
    with Connectd(loopback_only, configuration, port=PORT) as connectd:
        command = [str(binary()), "policy", *targets, "--config", str(connectd.configuration_path), "--json"]
        said = subprocess.run(loopback_only.command(*command), capture_output=True, text=True, timeout=120)
        states = [entry["state"] for entry in json.loads(said.stdout)]
        body = {"defaults": {"timeout_ms": 200}, "checks": [{"target": target} for target in targets]}
        outcomes = [result["outcome"] for result in connectd.http.post("/v1/checks/batch", body, timeout=120).json["results"]]
    decided = [("denied" if outcome == "denied" else "allowed") for outcome in outcomes]
    assert [(t, s, d) for t, s, d in zip(targets, states, decided, strict=True) if s != d] == []
    assert said.returncode == 1 and {"allowed", "denied"} <= set(states)
