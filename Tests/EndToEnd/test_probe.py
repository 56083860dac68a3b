"""GET /v1/probe: the same result, with the verdict as status."""

from urllib.parse import quote

import pytest

import network as net
import peers
from expectations import assert_problem, assert_shape

ABSENT_TARGET = f"tcp://{net.NOWHERE}:80"


def probe(api, target: str, **parameters):
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in {"target": target, **parameters}.items())
    return api.get(f"/v1/probe?{query}")


@pytest.fixture(scope="module")
def target(network):
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        yield f"tcp://{net.OPEN}:{listener.getsockname()[1]}"


def assert_verdict(answer, status: int, outcome: str) -> dict:
    assert (answer.status, answer.headers["connectd-outcome"]) == (status, outcome), answer.body
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    result = answer.json
    assert_shape(result)
    assert result["outcome"] == outcome
    assert result["ok"] == (status == 200)
    return result


def test_a_success_is_200(api, target):
    assert_verdict(probe(api, target), 200, "connected")


@pytest.mark.parametrize(
    "failing,outcome",
    [
        (f"tcp://{net.OPEN}:9", "refused"),
        (ABSENT_TARGET, "unreachable"),
        ("tcp://nothing.invalid:80", "resolve_failed"),
        (f"tcp://{net.ROUTE_TYPES['prohibit']}:80", "not_permitted"),
    ],
)
def test_a_failure_is_502(api, network, failing, outcome):
    network.a.write_etc("resolv.conf", "nameserver 127.0.0.1\n")
    assert_verdict(probe(api, failing), 502, outcome)


def test_a_timeout_is_504(api):
    assert_verdict(probe(api, f"tcp://{net.DROPPED}:80", timeout_ms=200), 504, "timeout")


def test_an_expected_failure_is_200_and_an_unexpected_success_502(api, target):
    answer = probe(api, f"tcp://{net.OPEN}:9", expect="refused")
    assert (answer.status, answer.headers["connectd-outcome"], answer.json["ok"]) == (200, "refused", True)
    answer = probe(api, target, expect="refused")
    assert (answer.status, answer.headers["connectd-outcome"], answer.json["ok"]) == (502, "connected", False)
    answer = probe(api, f"tcp://{net.DROPPED}:80", timeout_ms=100, expect="timeout")
    assert (answer.status, answer.json["ok"]) == (200, True)


def test_a_denied_target_is_403(api):
    assert_problem(probe(api, "tcp://169.254.169.254:80"), 403)


def test_head_has_the_status_and_the_outcome(api, target):
    answer = api.request("HEAD", f"/v1/probe?target={quote(target, safe='')}")
    assert (answer.status, answer.headers["connectd-outcome"], answer.body) == (200, "connected", b"")
    answer = api.request("HEAD", f"/v1/probe?target=tcp://{net.OPEN}:9")
    assert (answer.status, answer.headers["connectd-outcome"], answer.body) == (502, "refused", b"")


def test_a_target_need_not_be_escaped(api, target):
    assert api.get(f"/v1/probe?target={target}").status == 200
    assert api.get(f"/v1/probe?target={target.removeprefix('tcp://')}").status == 200
    assert api.get(f"/v1/probe?target=tcp://[{net.NOWHERE6}]:80").status == 502


def test_parameters_do_what_the_members_do(api, target):
    assert probe(api, target, timeout_ms=1000, family="ipv4", addresses="first").status == 200
    answer = probe(api, f"tcp://{net.DROPPED}:80", timeout_ms=150)
    assert 149 <= answer.json["timings_ms"]["total"] < 300


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "?target=",
        "?target=127.0.0.1",
        "?target=http://h:80",
        "?Target=127.0.0.1:9",
        "?target=127.0.0.1:9&target=127.0.0.1:9",
        "?target=127.0.0.1:9&timeout_ms=0",
        "?target=127.0.0.1:9&timeout_ms=60001",
        "?target=127.0.0.1:9&timeout_ms=1.5",
        "?target=127.0.0.1:9&timeout_ms=abc",
        "?target=127.0.0.1:9&timeout_ms=",
        "?target=127.0.0.1:9&timeout_ms=+5",
        "?target=127.0.0.1:9&timeout_ms=5s",
        "?target=127.0.0.1:9&timeout_ms=99999999999999999999",
        "?target=127.0.0.1:9&family=ipv5",
        "?target=127.0.0.1:9&addresses=none",
        "?target=127.0.0.1:9&expect=nope",
        "?target=127.0.0.1:9&unknown=1",
        "?target=127.0.0.1:9&module=tcp",
        "?target=%zz",
        "?target=127.0.0.1%00:9",
        "?target=%ff:9",
        "?target=127.0.0.1:9%20",
        "?target=127.0.0.1%0d%0a:9",
        "?target=tcp://user@127.0.0.1:9",
        "?target=0177.0.0.1:9",
        "?target=2130706433:9",
    ],
)
def test_a_bad_query(api, query):
    problem = assert_problem(api.get(f"/v1/probe{query}"), 400)
    assert problem["errors"]
