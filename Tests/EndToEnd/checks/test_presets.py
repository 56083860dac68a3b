"""`preset` and `quic://` over HTTP: answers, and datagrams that are none."""

import contextlib
import json
import os
import random
import time

import pytest

from support import network as net
from support import peers, preset_peers
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_failure, assert_problem, assert_success
from support.preset_peers import ANSWERS, SAID

PORT = 8126


@contextlib.contextmanager
def server(network, act, address=net.OPEN):
    """A peer; gives the part of its URL after the scheme."""
    with peers.serving(peers.udp_socket(network.b, address), act) as peer:
        yield f"[{address}]:{peer.getsockname()[1]}" if ":" in address else f"{address}:{peer.getsockname()[1]}"


@pytest.mark.parametrize("address", [net.OPEN, net.OPEN6])
@pytest.mark.parametrize("preset", ANSWERS)
def test_an_answer_is_shown(api, network, preset, address):
    with server(network, preset_peers.answering(preset), address) as place:
        result = api.check(f"udp://{place}", preset=preset)
    assert_success(result, "answered")
    answer = result["answer"]
    assert answer.pop("preset") == preset and answer.pop("bytes") > 0
    assert answer == SAID[preset]
    assert "dialog" not in result and "verified" not in result
    assert result["timings_ms"]["dialog"] > 0


def test_a_quic_target_has_the_preset_quic(api, network):
    with server(network, preset_peers.answering("quic")) as place:
        for members in ({}, {"preset": "quic"}, {"id": "1"}):
            result = api.check(f"quic://{place}", **members)
            assert_success(result, "answered")
            assert result["target"] == f"quic://{place}" and result["answer"]["versions"] == ["0x00000001"]
        probe = api.get(f"/v1/probe?target=quic://{place}")
        assert probe.status == 200 and probe.json["answer"]["preset"] == "quic"


def test_each_question_has_new_numbers(api, network):
    questions = []

    def note(peer) -> None:
        question, client = peer.recvfrom(2000)
        questions.append(question)
        peer.sendto(ANSWERS["ntp"](question), client)

    with server(network, note) as place:
        for _ in range(5):
            assert_success(api.check(f"udp://{place}", preset="ntp"), "answered")
    assert len(set(questions)) == len(questions) == 5


@pytest.mark.parametrize("preset", ANSWERS)
def test_an_answer_to_another_question_is_a_mismatch(api, network, preset):
    def answer_wrongly(peer) -> None:
        question, client = peer.recvfrom(2000)
        answer = bytearray(ANSWERS[preset](question))
        # A number of the question, where the answer repeats it.
        answer[{"dns": 0, "ntp": 30, "stun": 12, "snmp": 10, "ike": 3, "quic": 8}[preset]] ^= 1
        peer.sendto(answer, client)

    with server(network, answer_wrongly) as place:
        result = api.check(f"udp://{place}", preset=preset, timeout_ms=200)
    assert_failure(result, None, "dialog_failed", "target", phase="dialog", source="dialog", name="DIALOG_MISMATCH")
    assert f"preset {preset}: its datagram has" in result["error"]["message"]
    assert result["error"]["received"] and "answer" not in result and "dialog" not in result


@pytest.mark.parametrize("preset", ANSWERS)
def test_an_echo_is_a_mismatch(api, network, preset):
    with server(network, peers.echo_datagram) as place:
        result = api.check(f"udp://{place}", preset=preset, timeout_ms=150)
    assert result["error"]["name"] == "DIALOG_MISMATCH"


def test_an_empty_datagram_is_a_mismatch(api, network):
    def empty(peer) -> None:
        peer.sendto(b"", peer.recvfrom(2000)[1])

    with server(network, empty) as place:
        result = api.check(f"udp://{place}", preset="dns", timeout_ms=150)
    assert result["error"]["name"] == "DIALOG_MISMATCH" and "ends too early" in result["error"]["message"]


@pytest.mark.parametrize("preset", ANSWERS)
def test_an_answer_after_other_datagrams_counts(api, network, preset):
    def babble_first(peer) -> None:
        question, client = peer.recvfrom(2000)
        for noise in (b"", b"x", question, os.urandom(1400), bytes(9000)):
            peer.sendto(noise, client)
        peer.sendto(ANSWERS[preset](question), client)

    with server(network, babble_first) as place:
        assert_success(api.check(f"udp://{place}", preset=preset), "answered")


def test_a_flood_ends_the_check(api, network):
    def flood(peer) -> None:
        _, client = peer.recvfrom(2000)
        for _ in range(200):
            peer.sendto(b"no", client)

    with server(network, flood) as place:
        result = api.check(f"udp://{place}", preset="stun", timeout_ms=20_000)
    assert result["error"]["name"] == "DIALOG_MISMATCH" and result["timings_ms"]["total"] < 10_000


@pytest.mark.parametrize("preset", ANSWERS)
def test_broken_answers_do_no_harm(connectd, network, preset):
    """Each datagram is an answer with some wrong bytes, a part of one, or noise after its beginning."""
    chance = random.Random(preset)

    def break_it(peer) -> None:
        question, client = peer.recvfrom(2000)
        for _ in range(60):
            answer = bytearray(ANSWERS[preset](question))
            for _ in range(chance.randrange(1, 4)):
                answer[chance.randrange(len(answer))] = chance.randrange(256)
            cut = chance.randrange(len(answer) + 1)
            rest = chance.randbytes(chance.randrange(2000))
            peer.sendto(chance.choice([answer, answer[:cut], answer[:cut] + rest]), client)

    with server(network, break_it) as place:
        checks = [{"target": f"udp://{place}", "preset": preset, "timeout_ms": 300}] * 40
        results = connectd.client.post("/v1/checks/batch", {"checks": checks}).json["results"]
    assert {result["outcome"] for result in results} <= {"answered", "dialog_failed"}
    assert connectd.process.poll() is None and len(results) == 40


def test_silence_is_a_timeout(api):
    result = api.check(f"udp://{net.DROPPED}:53", preset="dns", timeout_ms=150)
    assert_failure(result, None, "timeout", "target", phase="dialog", source="deadline", name="DEADLINE")
    assert "preset" in result["error"]["hint"]


@pytest.mark.parametrize("host", [net.OPEN, f"[{net.OPEN6}]"])
def test_a_closed_port_is_refused(api, host):
    assert_failure(api.check(f"quic://{host}:9"), 111, "refused", "target", phase="dialog")


def test_a_rejecting_router_is_the_networks_fault(api):
    result = api.check(f"quic://{net.ROUTER_REJECTS['admin-prohibited']}:443")
    assert_failure(result, 113, "unreachable", "network", phase="dialog")


def test_only_the_peer_can_answer(api, network):
    def answer_from_elsewhere(peer) -> None:
        question, client = peer.recvfrom(2000)
        with peers.udp_socket(network.b, net.SECOND) as stranger:
            stranger.sendto(ANSWERS["dns"](question), client)

    with server(network, answer_from_elsewhere) as place:
        assert api.check(f"udp://{place}", preset="dns", timeout_ms=150)["outcome"] == "timeout"


def test_one_datagram_is_sent_to_each_address(api, network):
    with peers.udp_socket(network.b, net.OPEN) as peer:
        target = f"udp://{net.OPEN}:{peer.getsockname()[1]}"
        assert api.check(target, preset="quic", timeout_ms=600)["outcome"] == "timeout"
        assert len(peer.recv(2000)) == 1200
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(1)


@pytest.mark.parametrize(
    "target,members,pointer,says",
    [
        ("tcp://10.88.1.1:53", {"preset": "dns"}, "/preset", "write udp://host:port"),
        ("tls://10.88.1.1:53", {"preset": "quic"}, "/preset", "write udp://host:port"),
        ("unix:/p", {"preset": "dns"}, "/preset", "write udp://host:port"),
        ("udp://10.88.1.1:53", {"preset": "DNS"}, "/preset", "must be one of: dns, ntp, stun, snmp, ike, quic"),
        ("udp://10.88.1.1:53", {"preset": "dns", "dialog": [{"send": "x"}]}, "/dialog", "omit one of them"),
        ("udp://10.88.1.1:53", {"preset": "dns", "tls": True}, "/tls", "byte stream"),
        ("quic://10.88.1.1:443", {"preset": "ntp"}, "/preset", "write udp:// for the preset ntp"),
        ("quic://10.88.1.1:443", {"dialog": [{"send": "x"}]}, "/dialog", "write udp://"),
        ("quic://10.88.1.1:443", {"tls": {}}, "/tls", "byte stream"),
        ("quic://10.88.1.1", {}, "/target", "did you mean quic://10.88.1.1:443?"),
        ({"transport": "quic", "host": "h", "port": 443}, {}, "/target/transport", "tcp, udp, unix"),
    ],
)
def test_what_does_not_fit_is_400(api, target, members, pointer, says):
    problem = assert_problem(api.post_check(target, **members), 400, pointer)
    assert says in json.dumps(problem), problem


def test_a_query_cannot_have_a_preset(api):
    assert_problem(api.get("/v1/probe?target=udp://127.0.0.1:53&preset=dns"), 400, "/preset")


def test_items_and_defaults_of_a_batch_have_presets(api, network):
    with server(network, preset_peers.answering("stun")) as stun, server(network, preset_peers.answering("quic")) as quic:
        checks = [
            {"target": f"udp://{stun}"},
            {"target": f"udp://{quic}", "preset": "quic"},
            {"target": f"tcp://{net.OPEN}:9"},
            {"target": f"quic://{quic}"},
        ]
        body = {"checks": checks, "defaults": {"preset": "stun", "timeout_ms": 2000}}
        results = api.post("/v1/checks/batch", body).json["results"]
    assert [result["outcome"] for result in results] == ["answered", "answered", "invalid", "invalid"]
    assert [result["answer"]["preset"] for result in results[:2]] == ["stun", "quic"]
    assert [result["error"]["errors"][0]["pointer"] for result in results[2:]] == ["/checks/2/preset", "/checks/3/preset"]


@pytest.mark.parametrize("dialogs,status", [("any", 200), ("configured", 200), ("none", 403)])
def test_presets_are_allowed_where_configured_dialogs_are(network, dialogs, status):
    configuration = {"policy": {"profile": "internal", "dialogs": dialogs}}
    with server(network, preset_peers.answering("quic")) as place, Connectd(network.a, configuration, port=PORT) as running:
        api = running.client
        for members, pointer in ({"preset": "quic"}, "/preset"), ({}, "/target"):
            scheme = "udp" if members else "quic"
            answer = api.post_check(f"{scheme}://{place}", **members)
            assert answer.status == status, answer.body
            if status == 403:
                assert_problem(answer, 403, pointer)
        assert api.get(f"/v1/probe?target=quic://{place}").status == status
        for body, pointer in (
            ({"target": f"quic://{place}"}, "/target"),
            ({"target": f"udp://{place}", "control": f"quic://{place}"}, "/control"),
        ):
            answer = api.post("/v1/diagnoses", body | {"timeout_ms": 3000})
            assert answer.status == status, answer.body
            if status == 403:
                assert_problem(answer, 403, pointer)
        assert_success(api.check(f"udp://{place}"), "associated")


def test_a_denied_address_gets_no_question(network):
    rules = [{"action": "deny", "cidr": f"{net.OPEN}/32"}]
    with peers.udp_socket(network.b, net.OPEN) as peer:
        with Connectd(network.a, {"policy": {"profile": "internal", "rules": rules}}, port=PORT + 1) as running:
            assert running.client.post_check(f"quic://{net.OPEN}:{peer.getsockname()[1]}").status == 403
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(1)


def test_the_profile_public_hides_the_probers_address(network):
    configuration = {"policy": {"profile": "public", "rules": [{"action": "allow", "cidr": f"{net.OPEN}/32"}]}}
    with server(network, preset_peers.answering("stun")) as place, Connectd(network.a, configuration, port=PORT + 2) as running:
        answer = running.client.check(f"udp://{place}", preset="stun")["answer"]
    assert answer["preset"] == "stun" and "mapped_address" not in answer


def test_a_monitor_asks_a_new_question_in_each_round(network):
    questions = set()

    def note(peer) -> None:
        question, client = peer.recvfrom(2000)
        questions.add(question)
        peer.sendto(ANSWERS["ntp"](question), client)

    with server(network, note) as place:
        check = {"target": f"udp://{place}", "preset": "ntp"}
        configuration = {**OPEN_CONFIGURATION, "monitors": [{"name": "time", "interval_ms": 100, "check": check}]}
        with Connectd(network.a, configuration, port=PORT + 3) as running:
            end = time.monotonic() + 20
            while len(questions) < 3 and time.monotonic() < end:
                time.sleep(0.02)
            monitor = running.client.get("/v1/monitors/time").json
    assert len(questions) >= 3
    assert monitor["state"] == "up" and monitor["last"]["answer"]["preset"] == "ntp"
