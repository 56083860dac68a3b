"""`POST /v1/diagnoses`: its request, the policy as the kernel sees it, and the service's limits."""

import json
import threading

import pytest

from support import network as net
from support import peers
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.diagnosis import DOCUMENTATION, names, routed, rule
from support.dns_server import DNSServer, zone
from support.specification import complaints, undocumented
from support.waiting import wait_until

OWN_PORT = 8093
A = net.OPEN
FILTERED = 4030
SCHEMA = {"$ref": "#/components/schemas/Diagnosis"}


def diagnosis(client, target: str, **members) -> dict:
    answer = client.post("/v1/diagnoses", {"target": target, "timeout_ms": 3000, **members}, timeout=30)
    assert answer.status == 200, answer.body
    assert complaints(SCHEMA, answer.json) == []
    assert undocumented(SCHEMA, answer.json | {"checks": []}) == []
    return answer.json


@pytest.mark.parametrize(
    "body,pointer",
    [
        ({}, "/target"),
        ({"target": 1}, "/target"),
        ({"target": "10.0.0.7:80", "timeout": 5}, "/timeout"),
        ({"target": "10.0.0.7:80", "dialog": [{"send": "x"}]}, "/dialog"),
        ({"target": "10.0.0.7:80", "expect": "refused"}, "/expect"),
        ({"target": "10.0.0.7:80", "timeout_ms": 0}, "/timeout_ms"),
        ({"target": "10.0.0.7:80", "timeout_ms": 60001}, "/timeout_ms"),
        ({"target": "10.0.0.7:80", "control": "nonsense"}, "/control"),
        ({"target": "10.0.0.7:80", "tls": {"x": 1}}, "/tls/x"),
        ({"target": "udp://10.0.0.7:80", "tls": True}, "/tls"),
        ({"target": "10.0.0.7:80", "preset": "dns"}, "/preset"),
        ({"target": "10.0.0.7:80", "trace": "always"}, "/trace"),
        ({"target": "10.0.0.7:80", "hold_ms": 5}, "/hold_ms"),
        ({"target": "10.0.0.7:80", "resolve": {"server": "x"}}, "/resolve/server"),
    ],
)
def test_a_wrong_request_is_a_400(api, body, pointer):
    answer = api.post("/v1/diagnoses", body)
    assert (answer.status, answer.pointers) == (400, [pointer])


def test_a_document_follows_the_specification(api, target):
    answer = diagnosis(api, target, control=target)
    assert answer["verdict"] == "ok"
    assert answer["checks"][0]["ok"] is True
    refused = diagnosis(api, f"tcp://{A}:9", control=target)
    assert refused["causes"] == ["service_down", "wrong_port"]
    assert "prober_offline" in [entry["cause"] for entry in refused["ruled_out"]]


def test_the_checks_are_counted(api, connectd):
    def count() -> int:
        lines = connectd.client.get("/metrics").body.decode().splitlines()
        return sum(int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith('connectd_checks_total{'))

    before = count()
    answer = diagnosis(api, f"tcp://{A}:9")
    wait_until(lambda: count() == before + len(answer["checks"]), 5, "each check is counted")


def test_a_control_that_fails_too(api):
    answer = diagnosis(api, net.SILENT, control=f"tcp://{net.DROPPED}:81")
    assert "prober_offline" in answer["causes"]
    assert answer["confidence"] == "possible"


def test_several_at_once(api):
    """Each experiment has a permit and a socket of its own; none is lost."""
    answers = []

    def ask() -> None:
        answers.append(diagnosis(api, net.SILENT))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert {tuple(answer["causes"]) for answer in answers} == {("packets_dropped", "target_down")}


# The policy.


@pytest.fixture(scope="module")
def restricted(own_network):
    """Only one port of one address, and no name server."""
    policy = {"profile": "rules", "rules": [{"action": "allow", "cidr": f"{A}/32", "ports": [FILTERED]}]}
    with Connectd(own_network.a, {"policy": policy}, port=OWN_PORT) as running:
        yield running


def test_nothing_goes_to_a_denied_port_or_host(own_network, restricted):
    """The kernel of the router counts every packet to it, and those that the policy allows."""
    with (
        rule(own_network.b, "input", f"ip daddr {A} tcp dport {FILTERED} drop"),
        rule(
            own_network.b, "prerouting",
            f'iifname link0 ip daddr {A} tcp dport {FILTERED} counter accept comment "allowed"\n'
            'iifname link0 meta l4proto tcp counter comment "denied tcp"\n'
            'iifname link0 meta l4proto udp counter comment "denied udp"', priority=-300,
        ),  # fmt: skip
        routed(own_network, *DOCUMENTATION),
        DNSServer(own_network.a, "127.0.0.1", zone({"db.example.test": [A, net.SECOND]})),
    ):
        silent = diagnosis(restricted.client, f"tcp://{A}:{FILTERED}", control=f"tcp://{net.SECOND}:80")
        by_name = diagnosis(restricted.client, f"tcp://db.example.test:{FILTERED}")
        assert own_network.b.counter("allowed") > 0
        assert (own_network.b.counter("denied tcp"), own_network.b.counter("denied udp")) == (0, 0)
    for answer in (silent, by_name):
        assert {check["target"] for check in answer["checks"]} <= {
            f"tcp://{A}:{FILTERED}", f"tcp://db.example.test:{FILTERED}",
        }  # fmt: skip
        assert not {"other_port_answers", "other_ports_silent", "control_failed"} & {
            finding["id"] for finding in answer["findings"]
        }
    # Without another port it cannot know that the host is up.
    assert silent["causes"] == ["packets_dropped", "target_down"]


def test_an_open_target_is_not_compared_with_denied_addresses(own_network, restricted):
    with (
        peers.tcp_listener(own_network.b, A, FILTERED),
        routed(own_network, *DOCUMENTATION),
        rule(own_network.b, "prerouting", f'iifname link0 ip daddr != {A} counter comment "denied"', priority=-300),
    ):
        answer = diagnosis(restricted.client, f"tcp://{A}:{FILTERED}")
        assert own_network.b.counter("denied") == 0
    assert answer["verdict"] == "ok"
    assert "path_proxy" not in [entry["cause"] for entry in answer["ruled_out"]]


def test_a_denied_target_is_a_403(restricted):
    answer = restricted.client.post("/v1/diagnoses", {"target": f"tcp://{A}:22"})
    assert answer.status == 403
    assert A.encode() not in answer.body


def test_an_option_that_is_not_allowed_is_a_403(network):
    configuration = {"policy": {"profile": "internal", "options": []}}
    with Connectd(network.a, configuration, port=OWN_PORT + 1) as running:
        answer = running.client.post("/v1/diagnoses", {"target": f"tcp://{A}:9", "bind": {"address": net.PROBER}})
    assert (answer.status, answer.pointers) == (403, ["/bind/address"])


def test_the_profile_public_hides_the_prober(own_network):
    rules = [{"action": "allow", "cidr": "10.88.0.0/16"}]
    with (
        Connectd(own_network.a, {"policy": {"profile": "public", "rules": rules}}, port=OWN_PORT + 1) as running,
        names(own_network, f"{net.SECOND} db.example.test\n"),
        routed(own_network, *DOCUMENTATION),
        rule(own_network.b, "prerouting", 'iifname link0 ip daddr != 10.88.0.0/16 counter comment "denied"', priority=-300),
        DNSServer(own_network.a, "127.0.0.1", zone({"db.example.test": [A]})),
    ):
        answers = [
            diagnosis(running.client, target)
            for target in (
                f"tcp://{A}:9", net.SILENT, f"tcp://{net.ROUTER_REJECTS['admin-prohibited']}:80",
                f"tcp://{A}:{net.OWN_DROP}", "tcp://db.example.test:9", f"tcp://{A}:{net.OWN_REJECTS['port-unreachable']}",
            )  # fmt: skip
        ]
        assert own_network.b.counter("denied") == 0
    text = json.dumps(answers)
    for secret in (net.PROBER, net.PEER, "127.0.0.1", '"local"', '"prober":"', "hosts_file"):
        assert secret not in text
    assert answers[2]["sentence"].endswith(": a router rejects it (administratively prohibited).")


def test_presets_are_asked_only_where_dialogs_are_allowed(network):
    configuration = {"policy": {"profile": "internal", "dialogs": "none"}}
    with (
        Connectd(network.a, configuration, port=OWN_PORT + 1) as running,
        DNSServer(network.b, A, zone({})) as server,
    ):
        answer = diagnosis(running.client, f"udp://{A}:53")
        assert server.questions == []
    assert answer["causes"] == ["udp_unverified"]


# Limits and shutdown.


def test_a_full_service_answers_with_less(network):
    configuration = {**OPEN_CONFIGURATION, "limits": {"in_flight": 1, "queue": 0}}
    with Connectd(network.a, configuration, port=OWN_PORT + 1) as running:
        answer = diagnosis(running.client, net.SILENT)
    assert answer["causes"] == ["packets_dropped", "target_down"]
    assert len(answer["checks"]) >= 1


def test_a_client_that_leaves_cancels_the_diagnosis(network):
    with Connectd(network.a, port=OWN_PORT + 1) as running:
        with running.unix.connect() as connection:
            body = json.dumps({"target": net.SILENT}).encode()
            connection.sendall(
                b"POST /v1/diagnoses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body) + body
            )
            running.wait_until_connecting()
        running.wait_until_none_connects(5)


def test_descriptors_do_not_leak(connectd, api):
    diagnosis(api, f"tcp://{A}:9")
    before = len(connectd.open_descriptors())
    for _ in range(3):
        diagnosis(api, f"tcp://{A}:9")
        diagnosis(api, net.SILENT, timeout_ms=500)
    connectd.wait_for_descriptors(before)
