"""Instances that find and ask each other over a real nats-server, and clients of the broker that ask them."""

import asyncio
import contextlib
import json
import pathlib
import signal
import time

import nats
import pytest

from support import peers
from support.connectd_process import Connectd
from support.fleet import in_background, member, statuses, survey, vantages, wait_for_places
from support.nats_server import ADDRESS, NatsPeer, NatsServer
from support.waiting import wait_until


@pytest.fixture(scope="module")
def broker(loopback_only):
    with NatsServer(loopback_only) as running:
        yield running


@pytest.fixture(scope="module")
def fleet(loopback_only, broker):
    """A hub that only asks, and two places."""
    with contextlib.ExitStack() as stack:
        places = {
            "fra1": stack.enter_context(member(loopback_only, broker, "fra1", fleet={"labels": {"region": "eu"}})),
            "nyc1": stack.enter_context(member(loopback_only, broker, "nyc1", fleet={"labels": {"region": "us"}})),
        }
        hub = stack.enter_context(member(loopback_only, broker, "hub", answers=False))
        wait_for_places(hub, "fra1", "nyc1")
        yield {"hub": hub, **places}


@pytest.fixture(scope="module")
def target(loopback_only):
    listener = peers.tcp_listener(loopback_only, ADDRESS, backlog=64)
    with peers.serving(listener, peers.on_each_connection(lambda connection: None)):
        yield f"tcp://{ADDRESS}:{listener.getsockname()[1]}"


def body(target: str, **members) -> bytes:
    return json.dumps({"target": target, **members}).encode()


def test_the_places_are_listed(fleet):
    known = vantages(fleet["hub"])
    assert list(known) == ["fra1", "nyc1"], "a hub that only asks is not a place"
    place = known["fra1"]
    assert list(place) == ["place", "labels", "instances", "state", "since", "rtt_ms", "version"]
    assert place["labels"] == {"region": "eu"} and place["instances"] == 1 and place["state"] == "up"
    assert 0 < place["rtt_ms"] < 5000 and place["version"]


def test_a_survey_asks_them(fleet, target):
    document = survey(fleet["hub"], target, "fra1", "nyc1")
    assert document["verdict"] == "up" and statuses(document) == {"fra1": "finished", "nyc1": "finished"}
    for vantage in document["vantages"]:
        assert vantage["result"]["target"] == target and vantage["result"]["ok"]


def test_the_answering_place_logs_and_counts_the_asker(fleet):
    before = len(fleet["fra1"].log)
    document = survey(fleet["hub"], "tcp://169.254.169.254:80", "fra1")
    assert statuses(document) == {"fra1": "forbidden"}
    line = fleet["fra1"].wait_for_log("denied by policy", before)
    assert '"client":"fleet:hub' in line
    metrics = fleet["fra1"].client.get("/metrics").body.decode()
    assert 'connectd_fleet_answers_total{code="403"} ' in metrics and "connectd_fleet_connected 1" in metrics


def test_nats_py_finds_and_asks_the_service(loopback_only, broker, fleet, target):
    async def talk() -> dict:
        client = await nats.connect(broker.url)
        found = {}
        for verb in ("PING", "INFO", "STATS"):
            inbox = client.new_inbox()
            answers = await client.subscribe(inbox)
            await client.publish(f"$SRV.{verb}.connectd", reply=inbox)
            found[verb] = [json.loads((await answers.next_msg(5)).data) for _ in range(2)]
        found["any"] = await client.request("connectd.check", body(target), timeout=10)
        found["place"] = await client.request("connectd.check.nyc1", body(target), timeout=10)
        found["one"] = json.loads((await client.request(f"$SRV.PING.connectd.{found['PING'][0]['id']}", timeout=5)).data)
        with pytest.raises(nats.errors.NoRespondersError):
            await client.request("connectd.check.other", body(target), timeout=5)
        await client.close()
        return found

    with loopback_only.entered():
        found = asyncio.run(talk())
    for verb, answers in found.items():
        if verb in ("PING", "INFO", "STATS"):
            assert {answer["type"] for answer in answers} == {f"io.nats.micro.v1.{verb.lower()}_response"}
            assert {answer["name"] for answer in answers} == {"connectd"}
            assert sorted(answer["metadata"]["region"] for answer in answers) == ["eu", "us"]
            assert sorted(answer["metadata"]["place"] for answer in answers) == ["fra1", "nyc1"]
    assert found["one"]["id"] == found["PING"][0]["id"]
    endpoint = found["STATS"][0]["endpoints"][0]
    assert endpoint["subject"] == "connectd.check" and endpoint["num_requests"] >= 0 and "processing_time" in endpoint
    for name in ("any", "place"):
        result = json.loads(found[name].data)
        assert result["ok"] and result["outcome"] == "connected" and result["target"] == target
    assert found["place"].headers["Connectd-Place"] == "nyc1"


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (b"", "400"), (b"no", "400"), (b"[]", "400"), (b'{"target":1}', "400"), (b"\xff\xfe", "400"),
        (b'{"target":"tcp://127.0.0.1:1","target":"tcp://127.0.0.1:2"}', "400"),
        (b'{"target":"tcp://127.0.0.1:1","from":["nyc1"]}', "400"),
        (b"[" * 60_000, "400"), (b" " * 65_537, "413"), (b" " * 1_000_000, "413"),
        (b'{"target":"tcp://169.254.169.254:80"}', "403"),
    ],
)  # fmt: skip
def test_a_request_that_is_refused(fleet, broker, payload, status):
    with NatsPeer(broker) as peer:
        answer = peer.request("connectd.check.fra1", payload)
    assert f"Nats-Service-Error-Code: {status}\r\n" in answer["headers"] or f"Nats-Service-Error-Code:{status}" in answer["headers"]
    problem = json.loads(answer["payload"])
    assert problem["status"] == int(status) and problem["type"].startswith("urn:connectd:problem:")


@pytest.mark.parametrize("headers", [b"Connectd-Deadline: 1000\r\n", b"Connectd-Deadline: x\r\n", b"Connectd-Deadline: -1\r\n"])
def test_a_request_that_is_too_late_is_not_run(fleet, broker, loopback_only, headers):
    with peers.tcp_listener(loopback_only, ADDRESS) as listener, NatsPeer(broker) as peer:
        answer = peer.request("connectd.check.fra1", body(f"tcp://{ADDRESS}:{listener.getsockname()[1]}"), headers)
        assert json.loads(answer["payload"])["status"] in (400, 408)
        assert_not_connected(listener)


@pytest.mark.parametrize("reply", ["", "connectd.check", "connectd.check.nyc1", "$SRV.PING"])
def test_a_request_without_a_place_for_its_answer_is_not_run(fleet, broker, loopback_only, reply):
    with peers.tcp_listener(loopback_only, ADDRESS) as listener, NatsPeer(broker) as peer:
        peer.publish("connectd.check.fra1", body(f"tcp://{ADDRESS}:{listener.getsockname()[1]}"), reply)
        # Messages of one connection are handled in their order: this answer comes after the first request was read.
        peer.request("connectd.check.fra1", b"{}")
        assert_not_connected(listener)


def assert_not_connected(listener) -> None:
    listener.settimeout(0.3)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_hostile_messages_do_no_harm(fleet, broker, target):
    with NatsPeer(broker) as peer:
        for subject in ("connectd.check", "connectd.check.fra1", "$SRV.PING", "$SRV.INFO.connectd", "_INBOX.connectd.hub.x.check.1"):
            for payload in (b"", b"\x00" * 1000, b"{" * 5000, b'{"place":"x"}'):
                peer.publish(subject, payload, "_INBOX.nowhere", b"Connectd-Asker: \xff\xfe\r\nConnectd-Place: *\r\n")
    assert survey(fleet["hub"], target, "fra1", "nyc1")["verdict"] == "up"


def test_an_overloaded_place_answers_at_once(loopback_only, broker, fleet):
    settings = {"limits": {"in_flight": 1, "queue": 1}}
    listener = peers.tcp_listener(loopback_only, ADDRESS, backlog=0)
    silent = f"tls://{ADDRESS}:{listener.getsockname()[1]}"
    with listener, member(loopback_only, broker, "busy", **settings) as busy, NatsPeer(broker) as peer:
        busy.wait_for_log("fleet: connected")
        peer.subscribe("_INBOX.busy.*")
        for number in range(8):
            peer.publish("connectd.check.busy", body(silent, timeout_ms=3000), f"_INBOX.busy.{number}")
        begin = time.monotonic()
        refusals = [peer.receive() for _ in range(6)]
        assert time.monotonic() - begin < 2.5, "before a check ends"
        assert all('"status":503' in answer["payload"].decode() for answer in refusals)


class Liar:
    """A member of the group of a place that does not exist, and answers what it likes."""

    def __init__(self, broker: NatsServer, place: str):
        self.peer = NatsPeer(broker)
        self.peer.subscribe(f"connectd.check.{place}", "connectd")

    def answer_next(self, answer: dict | bytes, headers: bytes) -> None:
        request = self.peer.receive(20)
        payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.peer.publish(request["reply"], payload, headers=headers)


OK = {"target": "tcp://127.0.0.1:1", "ok": True, "outcome": "connected"}


@pytest.mark.parametrize(
    ("answer", "headers"),
    [
        (OK, b"Connectd-Place: nyc1\r\n"), (OK, b""), ({**OK, "target": "tcp://127.0.0.1:2"}, b"Connectd-Place: liar\r\n"),
        ({**OK, "id": "x"}, b"Connectd-Place: liar\r\n"), ({**OK, "ok": 1}, b"Connectd-Place: liar\r\n"),
        (b"", b"Connectd-Place: liar\r\n"), (b"\xff", b"Connectd-Place: liar\r\n"),
        (b"{}", b"Connectd-Place: liar\r\nNats-Service-Error-Code: 500\r\nNats-Service-Error: no\r\n"),
    ],
)  # fmt: skip
def test_a_place_that_lies_is_unavailable(fleet, broker, answer, headers):
    liar = Liar(broker, "liar")
    with in_background(lambda: liar.answer_next(answer, headers)):
        document = survey(fleet["hub"], "tcp://127.0.0.1:1", "liar")
    assert statuses(document) == {"liar": "unavailable"}, document
    assert document["verdict"] == "undetermined" and document["summary"]["failed"] == 0
    assert document["vantages"][0]["detail"]


def test_a_place_that_hangs_is_unavailable_in_time(fleet, broker, target):
    with NatsPeer(broker) as peer:
        peer.subscribe("connectd.check.hung", "connectd")
        begin = time.monotonic()
        document = survey(fleet["hub"], target, "hung", "fra1", check={"timeout_ms": 500}, grace_ms=500)
        assert time.monotonic() - begin < 3
    assert statuses(document) == {"hung": "unavailable", "fra1": "finished"} and document["verdict"] == "up"


def test_a_place_that_does_not_exist_is_unavailable(fleet, target):
    begin = time.monotonic()
    document = survey(fleet["hub"], target, "nowhere", "fra1")
    assert statuses(document) == {"nowhere": "unavailable", "fra1": "finished"}
    assert time.monotonic() - begin < 4


def test_instances_of_one_place_share_its_load(loopback_only, broker, fleet, target):
    with member(loopback_only, broker, "twin") as one, member(loopback_only, broker, "twin") as other:
        for instance in (one, other):
            wait_for_places(instance, "twin")
        for _ in range(30):
            assert survey(fleet["hub"], target, "twin")["verdict"] == "up"
        for instance in (one, other):
            assert 'connectd_fleet_answers_total{code="200"}' in instance.client.get("/metrics").body.decode()


def test_a_stopping_instance_loses_no_question(loopback_only, broker, fleet, target):
    with member(loopback_only, broker, "pair") as staying:
        leaving = member(loopback_only, broker, "pair").wait_until_live()
        for instance in (staying, leaving):
            instance.wait_for_log("fleet: connected")
        verdicts = []

        def ask() -> None:
            for _ in range(60):
                verdicts.append(survey(fleet["hub"], target, "pair")["verdict"])

        with in_background(ask):
            wait_until(lambda: len(verdicts) > 10, 20, "surveys run")
            leaving.process.send_signal(signal.SIGTERM)
            leaving.wait_for_log('"message":"stopped"')
            leaving.process.wait(10)
            assert "connection lost" not in leaving.log
            leaving.stop()
        assert verdicts == ["up"] * 60


def test_without_a_fleet_the_library_is_not_loaded(api, connectd):
    assert api.get("/v1/vantages").json == {"vantages": []}
    assert "libnats" not in pathlib.Path(f"/proc/{connectd.pid}/maps").read_text()


def test_the_library_is_loaded_for_a_fleet(fleet):
    assert "libnats" in pathlib.Path(f"/proc/{fleet['hub'].pid}/maps").read_text()


@pytest.mark.parametrize("policy", [{}, {"policy": {"profile": "internal"}}])
def test_answering_needs_a_policy_and_credentials(loopback_only, broker, policy):
    configuration = {**policy, "fleet": {"servers": [broker.url], "place": "open"}}
    instance = Connectd(loopback_only, configuration, port=0, unix=True)
    assert instance.process.wait(20) != 0
    assert "fleet.answers" in instance.log, instance.log
