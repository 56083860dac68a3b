"""GET /v1/probe: the same result as a check, with the verdict as status."""

from urllib.parse import quote

import pytest

from support import network as net
from support.expectations import assert_problem, assert_shape

ABSENT_TARGET = f"tcp://{net.NOWHERE}:80"


def probe(api, target: str, **parameters):
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in {"target": target, **parameters}.items())
    return api.get(f"/v1/probe?{query}")


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


def test_head_returns_the_status_and_the_outcome(api, target):
    answer = api.request("HEAD", f"/v1/probe?target={quote(target, safe='')}")
    assert (answer.status, answer.headers["connectd-outcome"], answer.body) == (200, "connected", b"")
    answer = api.request("HEAD", f"/v1/probe?target=tcp://{net.OPEN}:9")
    assert (answer.status, answer.headers["connectd-outcome"], answer.body) == (502, "refused", b"")


def test_an_unescaped_target_is_accepted(api, target):
    assert api.get(f"/v1/probe?target={target}").status == 200
    assert api.get(f"/v1/probe?target={target.removeprefix('tcp://')}").status == 200
    assert api.get(f"/v1/probe?target=tcp://[{net.NOWHERE6}]:80").status == 502


@pytest.mark.deadline
def test_parameters_equal_their_members(api, target):
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
        "?target=tls://127.1:9",
        "?target=udp://127.0.0.1:9&verify=true",
        "?target=unix:/x&starttls=smtp",
        "?target=tls://127.0.0.1:9&server_name=",
        "?target=tls://127.0.0.1:9&server_name=a%20b",
        "?target=tls://127.0.0.1:9&verify=no",
        "?target=tls://127.0.0.1:9&verify=1",
        "?target=tls://127.0.0.1:9&starttls=ssh",
        "?target=tls://127.0.0.1:9&min_days_left=-1",
        "?target=tls://127.0.0.1:9&min_days_left=36501",
        "?target=tls://127.0.0.1:9&min_days_left=14d",
        "?target=tls://127.0.0.1:9&tls=true",
        "?target=tls://127.0.0.1:9&ca=internal",
    ],
)
def test_an_invalid_query_is_400(api, query):
    problem = assert_problem(api.get(f"/v1/probe{query}"), 400)
    assert problem["errors"]


@pytest.mark.parametrize(
    "query,pointer",
    [
        ("target=udp://127.0.0.1:9&min_days_left=1", "/target"),
        ("target=unix%2Bdgram:/x&verify=false", "/target"),
        ("target=unix:/x&verify=true", "/server_name"),
        ("target=127.0.0.1:9&server_name=127.1", "/server_name"),
    ],
)
def test_tls_parameters_that_do_not_fit_are_refused(api, query, pointer):
    answer = api.get(f"/v1/probe?{query}")
    assert_problem(answer, 400)
    assert answer.pointers == [pointer]


@pytest.mark.parametrize("parameters", ["", "&server_name=db.internal&verify=true&starttls=smtp&min_days_left=14"])
@pytest.mark.parametrize("scheme", ["tls", "tcp"])
def test_tls_parameters_are_accepted(api, scheme, parameters):
    answer = api.get(f"/v1/probe?target={scheme}://{net.OPEN}:9{parameters}")
    assert answer.status == 502, answer.body
    assert answer.json["outcome"] == "refused"
