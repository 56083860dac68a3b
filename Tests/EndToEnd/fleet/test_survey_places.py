"""Surveys over a real broker: several instances on one machine are the places."""

import concurrent.futures
import contextlib
import json
import pathlib
import time

import pytest
import yaml

from support import peers
from support.connectd_process import Connectd, run
from support.nats_server import NatsPeer, NatsServer
from support.waiting import wait_until

PATH = "/v1/surveys"
# In the order of their start: the last one finds the others at once.
LABELS = {"ams1": "eu", "iad1": "us", "fra1": "eu"}
# What the place iad1 must not reach.
CLOSED_THERE = "127.0.0.66"


@contextlib.contextmanager
def listening(namespace, address: str):
    listener = peers.tcp_listener(namespace, address)
    with peers.serving(listener, peers.on_each_connection(lambda connection: None)):
        yield f"tcp://{address}:{listener.getsockname()[1]}"


def configuration(broker: NatsServer, place: str, **members) -> dict:
    fleet = {"servers": [broker.url], "place": place, **members}
    return {"policy": {"profile": "internal"}, "fleet": fleet}


@pytest.fixture(scope="module")
def broker(loopback_only):
    with NatsServer(loopback_only) as server:
        yield server


@pytest.fixture(scope="module")
def hub(loopback_only, broker):
    """The instance that is asked over HTTP. It is the place fra1; ams1 and iad1 are two others."""
    with contextlib.ExitStack() as stack:
        for port, (place, region) in enumerate(LABELS.items(), 8191):
            options = configuration(broker, place, labels={"region": region})
            if place == "iad1":
                options["policy"]["rules"] = [{"action": "deny", "cidr": f"{CLOSED_THERE}/32"}]
            service = Connectd(loopback_only, options, port=port, arguments=("--allow-anonymous",))
            hub = stack.enter_context(service)
            hub.wait_for_log("fleet: connected")
        wait_until(lambda: [v["place"] for v in vantages(hub)] == sorted(LABELS), 15, lambda: f"all places:\n{hub.log}")
        yield hub


def vantages(service) -> list[dict]:
    return service.client.get("/v1/vantages").json["vantages"]


def survey(service, target: str, places: list, **members) -> dict:
    answer = service.client.post(PATH, {"check": {"target": target, "timeout_ms": 500}, "from": places, **members})
    assert answer.status == 200, answer.body[:2000]
    return answer.json


def statuses(document: dict) -> dict[str, str]:
    return {vantage["place"]: vantage["status"] for vantage in document["vantages"]}


def test_all_places_reach_the_target(hub, loopback_only):
    with listening(loopback_only, "127.0.0.1") as target:
        document = survey(hub, target, ["here", "ams1", {"labels": {"region": "us"}}, "fra1"], quorum=3)
    assert (document["verdict"], document["where"]) == ("up", None)
    assert statuses(document) == {"fra1": "finished", "ams1": "finished", "iad1": "finished"}
    assert document["sentence"] == "Reachable from all 3 places that answered."
    assert document["summary"] == {"asked": 3, "counted": 3, "ok": 3, "failed": 0, "by_outcome": {"connected": 3}}
    assert all(vantage["result"]["target"] == target for vantage in document["vantages"])


def test_all_places_are_refused(hub):
    document = survey(hub, "tcp://127.0.0.1:1", ["ams1", "iad1"])
    assert (document["verdict"], document["where"]) == ("down", "target")


def test_a_policy_of_a_place_is_forbidden_there_only(hub, loopback_only):
    with listening(loopback_only, CLOSED_THERE) as target:
        document = survey(hub, target, ["ams1", "iad1"])
    assert statuses(document) == {"ams1": "finished", "iad1": "forbidden"}
    assert document["verdict"] == "up" and document["summary"]["counted"] == 1


def test_a_place_that_is_away_is_unavailable_in_time(hub, loopback_only):
    begin = time.monotonic()
    with listening(loopback_only, "127.0.0.1") as target:
        document = survey(hub, target, ["ams1", "lon1"], grace_ms=500)
    assert time.monotonic() - begin < 5
    assert statuses(document) == {"ams1": "finished", "lon1": "unavailable"}
    assert document["verdict"] == "up" and document["sentence"].endswith("lon1 did not answer.")


def test_a_place_that_lies_is_not_believed(hub, broker):
    """It answers for another target."""
    liar = NatsPeer(broker)
    with contextlib.closing(liar.socket), concurrent.futures.ThreadPoolExecutor(1) as pool:
        liar.subscribe("connectd.check.liar")
        surveyed = pool.submit(survey, hub, "tcp://127.0.0.1:1", ["liar"])
        question = liar.receive()
        document = {"target": "tcp://10.0.0.1:1", "ok": False, "outcome": "refused", "error": {"fault": "target"}}
        liar.publish(question["reply"], json.dumps(document).encode(), headers=b"Connectd-Place: liar\r\n")
        document = surveyed.result(15)
    assert statuses(document) == {"liar": "unavailable"} and "another target" in document["vantages"][0]["detail"]
    assert document["verdict"] == "undetermined"


def test_labels_that_no_place_has(hub):
    document = survey(hub, "tcp://127.0.0.1:1", [{"labels": {"region": "mars"}}])
    assert document["verdict"] == "undetermined" and document["vantages"] == []
    assert document["sentence"] == "No place has the labels region=mars."


def test_the_command_asks_the_fleet_itself(hub, broker, loopback_only, folder):
    # Without a policy, which an instance that answers would need.
    path = pathlib.Path(folder, "ask.yaml")
    path.write_text(yaml.safe_dump({"fleet": {"servers": [broker.url], "place": "cli"}}))
    ask = ["survey", "127.0.0.1:1", "--config", str(path), "--from"]
    ran = run(*ask, "here,ams1,region=us:1", namespace=loopback_only)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert sorted(line.split()[1] for line in ran.stdout.splitlines()[:3]) == ["ams1", "here", "iad1"]
    assert ran.stdout.splitlines()[-1] == "Refused from all 3 places that answered: the target is down."
    assert run(*ask, "lon1", namespace=loopback_only).returncode == 3
    document = json.loads(run(*ask, "ams1", "--json", namespace=loopback_only).stdout)
    assert document["verdict"] == "down" and statuses(document) == {"ams1": "finished"}
    assert "cli" not in [vantage["place"] for vantage in vantages(hub)]


def test_checks_in_places(hub, broker, loopback_only, folder):
    path = pathlib.Path(folder, "ask.yaml")
    path.write_text(yaml.safe_dump({"fleet": {"servers": [broker.url], "place": "cli"}}))
    command = ["check", "--config", str(path), "--expect", "refused", *["127.0.0.1:1"] * 4]
    ran = run(*command, "--from", "ams1,iad1", "--json", namespace=loopback_only)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [result["place"] for result in json.loads(ran.stdout)] == ["ams1", "iad1", "ams1", "iad1"]
    anywhere = run(*command, "--from", "any", namespace=loopback_only)
    assert anywhere.returncode == 0, anywhere.stdout
    assert {line.split()[2] for line in anywhere.stdout.splitlines()[:4]} <= set(LABELS)
    away = run("check", "127.0.0.1:1", "--config", str(path), "--from", "lon1", "--json", namespace=loopback_only)
    [result] = json.loads(away.stdout)
    assert away.returncode == 1 and result["place"] == "lon1" and result["error"]["name"] == "PLACE_UNAVAILABLE"
    # Nothing is known about the target.
    assert result["error"]["fault"] == "prober"
