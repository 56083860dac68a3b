"""`expect` with "!": a check that has no result about its target did not end as expected."""


import pytest

from support import network as net
from support.connectd_process import Connectd
from support.waiting import wait_until

PORT = 8094


@pytest.fixture(scope="module")
def connectd(network):
    network.a.write_etc("hosts", "127.0.0.1 localhost\nfe80::1 linklocal.example\n")
    network.a.write_etc("resolv.conf", f"nameserver {net.PEER}\n")
    with Connectd(network.a, port=PORT) as running:
        yield running


NOTHING_FOUND_OUT = [
    # The name server is not there: the resolver's fault.
    ({"target": "tcp://nothing.example:80"}, "resolve_failed", "resolver"),
    ({"target": "tcp://127.0.0.1:9", "bind": {"address": "192.0.2.77"}}, "prober_misconfigured", "request"),
    ({"target": "tcp://127.0.0.1:9", "bind": {"interface": "none0"}}, "prober_misconfigured", "request"),
    ({"target": "tcp://[fe80::1]:443"}, "unreachable", "request"),
    ({"target": "udp://[fe80::1]:443"}, "unreachable", "request"),
    ({"target": "udp://[ff02::1]:443"}, "unreachable", "request"),
    ({"target": "tcp://[fe80::1%none0]:443"}, "prober_misconfigured", "request"),
    ({"target": "tcp://[fe80::1%0]:443"}, "prober_misconfigured", "request"),
    ({"target": "udp://[fe80::1%999999]:443"}, "prober_misconfigured", "request"),
    ({"target": "tcp://linklocal.example:443"}, "unreachable", "resolver"),
    ({"target": "tcp://[::1]:9", "bind": {"address": "fe80::1"}}, "prober_misconfigured", "request"),
]


@pytest.fixture(scope="module")
def open_api(network, connectd):
    """Link-local addresses need a rule for exactly that address."""
    rules = [{"action": "allow", "cidr": f"{address}/128"} for address in ("fe80::1", "ff02::1")]
    configuration = {"policy": {"rules": rules, "options": ["bind", "interface"]}}
    with Connectd(network.a, configuration, port=PORT + 1) as running:
        yield running.client


@pytest.mark.parametrize("check,outcome,fault", NOTHING_FOUND_OUT, ids=lambda value: str(value)[:60])
def test_a_check_without_a_verdict_is_unexpected_unless_named(open_api, check, outcome, fault):
    expectations = [("!connected", False), ("!timeout", False), (outcome, True), (["connected", outcome], True)]
    for expect, ok in expectations:
        result = open_api.check(**{"timeout_ms": 1500, **check, "expect": expect})
        assert (result["outcome"], result["error"]["fault"]) == (outcome, fault), result
        assert result["ok"] is ok, (expect, result)


def test_a_failure_of_the_target_or_network_can_be_expected(open_api):
    assert open_api.check("tcp://127.0.0.1:9", expect="!connected")["ok"] is True
    assert open_api.check("tcp://127.0.0.1:9", expect="!timeout")["ok"] is True
    assert open_api.check("tcp://127.0.0.1:9", expect="!refused")["ok"] is False
    assert open_api.check("udp://127.0.0.1:9", expect="!associated")["ok"] is False
    assert open_api.check("udp://127.0.0.1:9", expect="!connected")["ok"] is True
    assert open_api.check(f"tcp://{net.DROPPED}:9", expect="!connected", timeout_ms=300)["ok"] is True


def test_a_probe_has_the_same_verdict(open_api):
    assert open_api.get("/v1/probe?target=tcp://nothing.example:80&expect=!connected&timeout_ms=1500").status == 502
    assert open_api.get("/v1/probe?target=tcp://nothing.example:80&expect=resolve_failed&timeout_ms=1500").status == 200
    assert open_api.get("/v1/probe?target=tcp://127.0.0.1:9&expect=!connected").status == 200


@pytest.mark.parametrize("target", ["tcp://[fe80::1]:443", "udp://[fe80::1]:443", "udp://[ff02::1]:443"])
def test_the_hint_names_a_missing_zone(open_api, target):
    error = open_api.check(target, timeout_ms=500)["error"]
    assert (error["name"], error["errno"], error["retryable"]) == ("EINVAL", 22, False)
    assert error["hint"].startswith("Add the interface") and "%eth0" in error["hint"]


def test_a_link_local_record_without_a_zone_is_the_resolvers_fault(open_api):
    error = open_api.check("tcp://linklocal.example:443", timeout_ms=500)["error"]
    assert (error["name"], error["fault"]) == ("EINVAL", "resolver")
    assert "AAAA" in error["hint"]


def test_a_monitor_that_is_denied_is_not_up(network):
    check = {"target": "tcp://169.254.169.254:80", "expect": "!connected"}
    monitors = [{"name": "metadata", "interval_ms": 200, "check": check}]
    with Connectd(network.a, {"policy": {"profile": "internal"}, "monitors": monitors}, port=PORT + 2) as running:
        wait_until(lambda: running.monitor("metadata").get("state", "pending") != "pending", 30, "the monitor has a result")
        assert running.monitor("metadata")["state"] == "down"
