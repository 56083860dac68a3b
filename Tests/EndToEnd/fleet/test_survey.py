"""Surveys from this instance only: what needs no other place."""

import json

import pytest

from support import network as net
from support import peers
from support.connectd_process import OPEN_CONFIGURATION, Connectd, run
from support.expectations import assert_problem, assert_shape

NDJSON = {"Accept": "application/x-ndjson"}
PATH = "/v1/surveys"


@pytest.fixture(scope="module")
def open_target(network):
    listener = peers.tcp_listener(network.b, net.OPEN, backlog=64)
    with peers.serving(listener, peers.on_each_connection(lambda connection: None)):
        yield f"tcp://{net.OPEN}:{listener.getsockname()[1]}"


def survey(client, check, **members) -> dict:
    answer = client.post(PATH, {"check": check, **members})
    assert answer.status == 200, answer.body[:2000]
    return answer.json


def test_one_place_that_connects(api, open_target):
    document = survey(api, {"target": open_target, "id": "a"}, **{"from": ["here", "here"]})
    assert list(document) == ["verdict", "where", "sentence", "summary", "vantages", "differences"]
    assert (document["verdict"], document["where"]) == ("up", None)
    assert document["sentence"] == "Reachable from here."
    assert document["summary"] == {"asked": 1, "counted": 1, "ok": 1, "failed": 0, "by_outcome": {"connected": 1}}
    [vantage] = document["vantages"]
    assert list(vantage) == ["place", "status", "result"]
    assert (vantage["place"], vantage["status"]) == ("here", "finished")
    assert_shape(vantage["result"])
    assert vantage["result"]["id"] == "a" and document["differences"] == []


def test_without_from_it_asks_this_instance(api, open_target):
    assert survey(api, {"target": open_target})["vantages"][0]["place"] == "here"


def test_a_refused_connection_is_the_targets_fault(api):
    document = survey(api, {"target": net.REFUSED})
    assert (document["verdict"], document["where"]) == ("down", "target")
    assert document["sentence"] == "Refused from here: the target is down."


def test_silence_may_be_the_path(api):
    document = survey(api, {"target": net.SILENT, "timeout_ms": 300})
    assert (document["verdict"], document["where"]) == ("down", "unknown")


def test_too_few_results(api, open_target):
    document = survey(api, {"target": open_target}, quorum=2)
    assert (document["verdict"], document["where"]) == ("undetermined", None)
    assert document["sentence"] == "No verdict: 1 result counts, and the quorum is 2."


def test_a_denied_check_is_forbidden_and_not_a_failure(api):
    document = survey(api, {"target": "169.254.169.254:80"})
    assert document["verdict"] == "undetermined"
    [vantage] = document["vantages"]
    assert list(vantage) == ["place", "status", "detail"] and vantage["status"] == "forbidden"
    assert document["summary"] == {"asked": 1, "counted": 0, "ok": 0, "failed": 0, "by_outcome": {}}


def test_a_missing_entry_of_the_configuration_is_unsupported(api):
    document = survey(api, {"target": "tls://127.0.0.1:1", "tls": {"ca": "missing"}})
    [vantage] = document["vantages"]
    assert vantage["status"] == "unsupported" and "/tls/ca" in vantage["detail"]


def test_lines(api):
    answer = api.post(PATH, {"check": {"target": net.REFUSED}}, NDJSON)
    assert answer.status == 200 and answer.headers["content-type"] == "application/x-ndjson"
    vantage, verdict = [json.loads(line) for line in answer.body.splitlines()]
    assert list(vantage) == ["place", "status", "result"] and vantage["result"]["outcome"] == "refused"
    assert list(verdict) == ["verdict", "where", "sentence", "summary", "differences"]
    assert verdict["verdict"] == "down"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/check"]),
        ({"check": {"target": "127.1:80"}}, ["/check/target"]),
        ({"check": {"target": "a:1", "hold": 1}, "x": 1}, ["/check/hold", "/x"]),
        ({"check": {"target": "a:1"}, "from": []}, ["/from"]),
        ({"check": {"target": "a:1"}, "from": ["any", "a.b", {"labels": {}, "limit": 0}]}, ["/from/0", "/from/1", "/from/2/limit"]),
        ({"check": {"target": "a:1"}, "from": ["here", "fra1", {"labels": {"a": "b"}}]}, ["/from/1", "/from/2"]),
        ({"check": {"target": "a:1"}, "quorum": 0, "grace_ms": 60001}, ["/quorum", "/grace_ms"]),
        ({"check": {"target": "a:1", "id": "x" * 1025}}, ["/check/id"]),
    ],
)  # fmt: skip
def test_bad_requests(api, body, pointers):
    answer = api.post(PATH, body)
    assert_problem(answer, 400)
    assert answer.pointers == pointers


def test_a_place_without_a_fleet_says_what_to_configure(api):
    answer = api.post(PATH, {"check": {"target": "a:1"}, "from": ["fra1"]})
    assert "add the key fleet to" in answer.json["errors"][0]["detail"]


def test_it_counts_for_the_limits_of_its_client(loopback_only):
    with Connectd(loopback_only, OPEN_CONFIGURATION | {"limits": {"per_client_targets_per_hour": 1}}) as service:
        assert survey(service.client, {"target": "127.0.0.1:1"})["verdict"] == "down"
        assert_problem(service.client.post(PATH, {"check": {"target": "127.0.0.1:2"}}), 429)


@pytest.mark.parametrize("headers", [{}, NDJSON], ids=["document", "lines"])
def test_a_client_that_leaves_cancels_it(connectd, headers):
    body = json.dumps({"check": {"target": net.SILENT, "timeout_ms": 20000}})
    lines = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    head = f"POST {PATH} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    with connectd.unix.connect() as connection:
        connection.sendall((head + body).encode())
        connectd.wait_until_connecting()
    connectd.wait_until_none_connects()


def test_the_command(network):
    ran = run("survey", net.REFUSED, "--expect", "refused", namespace=network.a)
    assert (ran.returncode, ran.stderr) == (0, "")
    place, sentence = ran.stdout.splitlines()
    assert place.split()[:3] == ["ok", "here", "refused"] and sentence == "As expected from here."
    down = run("survey", net.REFUSED, "--json", namespace=network.a)
    assert down.returncode == 1 and json.loads(down.stdout)["where"] == "target"
    assert run("survey", net.REFUSED, "--quorum", "2", namespace=network.a).returncode == 3
    for wrong in (["--from", "fra1"], ["--from", "any"], ["--quorum", "0"], ["--grace", "2m"], ["--ca", "none.pem"]):
        assert run("survey", net.REFUSED, *wrong, namespace=network.a).returncode == 2, wrong


def test_checks_in_places_refuse_what_they_do_not_do(network):
    for wrong in (["--from", "fra1"], ["--from", "any,fra1"], ["--from", "here", "--rate", "5"], ["--from", "here", "--nagios"]):
        assert run("check", net.REFUSED, *wrong, namespace=network.a).returncode == 2, wrong
    ran = run("check", net.REFUSED, net.REFUSED, "--from", "here", "--expect", "refused", "--json", namespace=network.a)
    assert ran.returncode == 0 and [result["place"] for result in json.loads(ran.stdout)] == ["here", "here"]
