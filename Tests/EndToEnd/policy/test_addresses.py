"""Addresses that the policy denies, in each notation. All in a namespace with loopback only."""

import time

import pytest

from support import peers
from support.connectd_process import PORT, Connectd
from support.expectations import assert_failure, assert_problem, assert_success

METADATA = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192", "168.63.129.16"]
METADATA6 = ["fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"]
NEVER = ["169.254.1.1", "224.0.0.1", "239.1.2.3", "255.255.255.255", "0.0.0.0", "0.1.2.3", "240.0.0.1", "250.1.1.1"]
NEVER6 = ["fe80::1", "febf::1", "ff02::1", "ff0e::1", "::"]
EMBEDDED = {
    "mapped": [
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "0:0:0:0:0:FFFF:A9FE:A9FE",
        "::ffff:0.0.0.0",
        "::ffff:224.0.0.1",
        "::ffff:255.255.255.255",
        "::ffff:168.63.129.16",
    ],
    "compatible": ["::169.254.169.254", "::a9fe:a9fe"],
    "translated": ["::ffff:0:169.254.169.254", "::ffff:0:a9fe:a9fe"],
    "NAT64": ["64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe", "64:FF9B:0:0:0:0:A9FE:A9FE"],
    "local NAT64 /96": ["64:ff9b:1::a9fe:a9fe", "64:ff9b:1::169.254.169.254"],
    "local NAT64 /48": ["64:ff9b:1:a9fe:a9:fe00::"],
    "6to4": ["2002:a9fe:a9fe::", "2002:a9fe:a9fe::1", "2002:a9fe:a9fe:ffff:ffff:ffff:ffff:ffff"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:5601:5601", "2001::4136:e378:8000:63bf:5601:5601"],
    "ISATAP": ["2001:db8::5efe:169.254.169.254", "2001:db8::5efe:a9fe:a9fe", "2001:db8::200:5efe:a9fe:a9fe"],
}


def host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@pytest.fixture(scope="module")
def connectd(loopback_only):
    with Connectd(loopback_only, configuration={}) as running:
        yield running


@pytest.fixture(scope="module")
def denial(api) -> bytes:
    return api.post_check("tcp://169.254.169.254:80").body


@pytest.mark.parametrize("address", METADATA + METADATA6 + NEVER + NEVER6)
@pytest.mark.parametrize("scheme", ["tcp", "udp"])
def test_hard_denied_addresses_are_403(api, denial, scheme, address):
    answer = api.post_check(f"{scheme}://{host(address)}:80")
    assert_problem(answer, 403)
    assert answer.body == denial, "one constant answer"


@pytest.mark.parametrize("address", [item for group in EMBEDDED.values() for item in group])
def test_an_embedded_address_is_judged_too(api, denial, address):
    for target in (f"tcp://[{address}]:80", {"transport": "tcp", "host": address, "port": 80}):
        answer = api.post_check(target)
        assert_problem(answer, 403)
        assert answer.body == denial


@pytest.mark.parametrize("address", ["fe80::1%lo", "fe80::a9fe:a9fe%1", "ff02::1%lo"])
def test_a_zone_does_not_bypass_a_denial(api, address):
    assert_problem(api.post_check(f"tcp://[{address}]:80"), 403)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.0.0.2",
        "127.255.255.254",
        "::1",
        "::ffff:127.0.0.1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "0.0.0.0",
        "::",
        "::ffff:7f00:1",
        "::127.0.0.1",
    ],
)
def test_our_own_listener_is_denied(api, denial, address):
    answer = api.post_check(f"tcp://{host(address)}:{PORT}")
    assert_problem(answer, 403)
    assert answer.body == denial


def test_another_port_of_loopback_is_allowed(api, loopback_only):
    with peers.tcp_listener(loopback_only, "127.0.0.1", 9001), peers.tcp_listener(loopback_only, "::1", 9002):
        for target in ("127.0.0.1:9001", "localhost:9001", "[::1]:9002", "[::ffff:127.0.0.1]:9001"):
            assert_success(api.check(target))
    assert_failure(api.check("127.0.0.3:9003"), 111, "refused", None)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "192.0.2.1",
        "8.8.8.8",
        "fd12:3456::1",
        "2001:db8::1",
        "2606:4700::1111",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "169.253.1.1",
        "170.254.169.254",
        "192.0.0.193",
        "100.100.100.201",
    ],
)
def test_every_other_unicast_address_is_tried(api, address):
    assert api.check(f"tcp://{host(address)}:80", timeout_ms=200)["outcome"] == "unreachable"


def test_a_name_server_is_a_target_too(api, denial):
    for server in ("169.254.169.254:53", "[fe80::1]:53", "[::ffff:169.254.169.254]:53", f"127.0.0.1:{PORT}"):
        answer = api.post_check("tcp://name.example:80", resolve={"server": server})
        assert_problem(answer, 403)


@pytest.mark.deadline
def test_a_denial_is_immediate_and_sends_nothing(api):
    started = time.monotonic()
    for address in METADATA:
        assert_problem(api.post_check(f"tcp://{address}:80"), 403)
    assert time.monotonic() - started < 1


def test_the_policy_applies_to_probes(api):
    for address in ("169.254.169.254", "[::ffff:169.254.169.254]"):
        assert_problem(api.get(f"/v1/probe?target=tcp://{address}:80"), 403)


@pytest.fixture(scope="module")
def with_rules(loopback_only):
    rules = [
        {"action": "allow", "cidr": "169.254.169.254/32"},
        {"action": "allow", "cidr": "fe80::7/128"},
        {"action": "allow", "cidr": "169.254.0.0/16"},
        {"action": "deny", "cidr": "10.0.0.0/8", "ports": [22, "8000-8999"], "transports": ["tcp"]},
        {"action": "allow", "cidr": "10.1.0.0/16"},
        {"action": "deny", "cidr": "10.0.0.0/8"},
        {"action": "deny", "cidr": "127.0.0.9/32"},
    ]
    with Connectd(loopback_only, {"policy": {"profile": "internal", "rules": rules}}, port=PORT + 1) as running:
        yield running.client


@pytest.mark.parametrize(
    "target,allowed",
    [
        ("tcp://169.254.169.254:80", True),
        ("tcp://169.254.169.253:80", False),
        ("tcp://[fe80::8]:80", False),
        ("tcp://[::ffff:169.254.169.253]:80", False),
        ("tcp://10.1.2.3:22", False),
        ("tcp://10.1.2.3:8000", False),
        ("tcp://10.1.2.3:8999", False),
        ("tcp://10.1.2.3:9000", True),
        ("tcp://10.1.2.3:7999", True),
        ("udp://10.1.2.3:22", True),
        ("tcp://10.2.2.3:9000", False),
        ("udp://10.2.2.3:53", False),
        ("tcp://11.2.2.3:22", True),
        ("tcp://127.0.0.9:1", False),
        ("tcp://[::ffff:127.0.0.9]:1", False),
        ("tcp://[::ffff:10.2.2.3]:9000", False),
        ("tcp://[2002:a02:203::1]:9000", False),
        ("tcp://127.0.0.10:1", True),
    ],
)
def test_the_first_matching_rule_decides(with_rules, target, allowed):
    answer = with_rules.post_check(target, timeout_ms=200)
    assert answer.status == (200 if allowed else 403), answer.body


@pytest.mark.parametrize(
    "profile,rules,target,allowed",
    [
        ("rules", [], "tcp://127.0.0.1:1", False),
        ("rules", [], "tcp://10.1.1.1:1", False),
        ("rules", [{"action": "allow", "cidr": "10.0.0.0/8"}], "tcp://10.1.1.1:1", True),
        ("rules", [{"action": "allow", "cidr": "0.0.0.0/0"}], "tcp://169.254.169.254:1", False),
        ("rules", [{"action": "allow", "cidr": "0.0.0.0/0"}], "tcp://[::ffff:224.0.0.1]:1", False),
        ("sidecar", [], "tcp://127.0.0.1:1", True),
        ("sidecar", [], "tcp://[::1]:1", True),
        ("sidecar", [], "tcp://10.1.1.1:1", False),
        ("sidecar", [{"action": "allow", "cidr": "10.0.0.0/8", "ports": [5432]}], "tcp://10.1.1.1:5432", True),
        ("sidecar", [{"action": "allow", "cidr": "10.0.0.0/8", "ports": [5432]}], "tcp://10.1.1.1:5433", False),
        ("public", [], "tcp://8.8.8.8:1", True),
        ("public", [], "tcp://[2606:4700::1111]:1", True),
        ("public", [], "tcp://10.1.1.1:1", False),
        ("public", [], "tcp://127.0.0.1:1", False),
        ("public", [], "tcp://192.168.1.1:1", False),
        ("public", [], "tcp://100.64.1.1:1", False),
        ("public", [], "tcp://192.0.2.1:1", False),
        ("public", [], "tcp://198.18.0.1:1", False),
        ("public", [], "tcp://198.51.100.1:1", False),
        ("public", [], "tcp://203.0.113.1:1", False),
        ("public", [], "tcp://[fd00::1]:1", False),
        ("public", [], "tcp://[2001:db8::1]:1", False),
        ("public", [], "tcp://[64:ff9b::a00:1]:1", False),
        ("public", [], "tcp://[::ffff:10.0.0.1]:1", False),
        ("public", [], "tcp://[2002:a00:1::1]:1", False),
        ("public", [], "tcp://[100::1]:1", False),
        ("public", [], "tcp://[3fff::1]:1", False),
        ("public", [], "tcp://[5f00::1]:1", False),
        ("public", [], "tcp://[2001:2::1]:1", False),
    ],
)
def test_each_profile_allows_its_addresses(profiles, profile, rules, target, allowed):
    answer = profiles(profile, rules).post_check(target, timeout_ms=200)
    assert answer.status == (200 if allowed else 403), answer.body


@pytest.fixture(scope="module")
def profiles(loopback_only):
    running: dict = {}

    def client(profile: str, rules: list):
        key = (profile, str(rules))
        if key not in running:
            policy = {"policy": {"profile": profile, "rules": rules}}
            running[key] = Connectd(loopback_only, policy, port=PORT + 2 + len(running)).__enter__()
        return running[key].client

    yield client
    for item in running.values():
        item.__exit__(None, None, None)


def test_the_public_profile_hides_the_prober(profiles):
    result = profiles("public", []).check("tcp://8.8.8.8:80", timeout_ms=200)
    assert "prober" not in result
    assert all("local" not in attempt for attempt in result["attempts"])
