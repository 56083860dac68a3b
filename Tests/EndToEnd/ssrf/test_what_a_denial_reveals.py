"""What a client can learn about a target that its policy denies: nothing that depends on the target."""

import json
import re
import socket
import statistics
import time

import pytest

from support import dns_server
from support.answering_internet import NAME_SERVER
from support.check_entries import DENIED, ORACLE, host
from support.connectd_process import Connectd
from support.names_to_denied_addresses import HOST_RULES
from support.ssrf_judge import check_name, judged, seen_addresses

SECRET = "192.168.1.1"
PORTS = (22, 80, 443, 8080, 65535)


@pytest.fixture(scope="module")
def service(internet, names):
    rules = [*ORACLE.configuration["rules"], *HOST_RULES]
    with judged(internet, ORACLE, {"policy": {"rules": rules}}) as running:
        yield running


def headers_of(answer) -> dict:
    return {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}


def test_the_denial_is_one_constant_answer(service):
    """Whatever denies it, whatever the port, and whether or not something listens there."""
    answers = [service.client.post_check(f"{kind}://{host(address)}:{port}")
               for address in DENIED for port in PORTS for kind in ("tcp", "udp")]  # fmt: skip
    assert {(answer.status, answer.body, str(headers_of(answer))) for answer in answers} == {
        (403, answers[0].body, str(headers_of(answers[0])))
    }


def test_a_denied_name_looks_like_one_that_does_not_exist(service):
    """In the profile `public`: private zones must not be readable through it."""
    literal = service.client.post_check(f"tcp://{SECRET}:80")
    names = ("three.test", "all-bad.test", "none.test", "plain.corp.example", "circle.test", "localhost")
    answers = {check_name(service, name, resolve={"addresses": way}).body for name in names for way in ("first", "race", "all")}
    assert answers == {literal.body}


@pytest.mark.parametrize("entry", ["/v1/probe?target=tcp://{}:80", "/v1/probe?target=udp://{}:53"])
def test_a_probe_has_no_outcome_that_differs(service, entry):
    answers = {(a.status, a.body, a.headers.get("connectd-outcome")) for a in (
        service.client.get(entry.format(host(address))) for address in DENIED)}  # fmt: skip
    assert len(answers) == 1


def test_a_diagnosis_of_a_denied_target_says_nothing(service):
    bodies = {service.client.post("/v1/diagnoses", {"target": f"tcp://{host(address)}:80"}).body for address in DENIED}
    [body] = bodies
    assert not [word for word in (b"route", b"neighbor", b"interface") if word in body]


def test_routes_do_not_say_what_denies(service):
    destinations = [host(address).strip("[]") for address in DENIED]
    routes = service.client.post("/v1/routes", {"destinations": destinations}).json["routes"]
    assert {json.dumps({**route, "destination": ""}) for route in routes} == {json.dumps({**routes[0], "destination": ""})}
    assert routes[0]["local"] is None


def test_metrics_and_documents_have_no_denied_target(service):
    check_name(service, "plain.corp.example")
    service.client.post_check(f"tcp://{SECRET}:80")
    for path in ("/metrics", "/v1/monitors", "/readyz", "/openapi.json"):
        text = service.client.get(path).body.decode()
        assert SECRET not in text and "plain.corp.example" not in text, path
    denials = re.search(r"^connectd_policy_denials_total (\d+)", service.client.get("/metrics").body.decode(), re.MULTILINE)
    assert int(denials[1]) > 0


def test_the_log_has_the_reason_that_the_client_does_not_get(service):
    before = len(service.connectd.log)
    answer = service.client.post_check("tcp://169.254.169.254:80")
    text = service.connectd.wait_for_log("169.254.169.254", before)
    assert "metadata" in text and b"metadata" not in answer.body


def test_mixed_results_do_not_name_denied_addresses(service):
    answer = check_name(service, "two-good.test")
    text = answer.body.decode()
    assert answer.status == 200
    assert not [address for address in ("10.0.0.1", "169.254.169.254") if f'"{address}"' in text]
    assert "prober" not in answer.json


@pytest.mark.deadline
def test_the_time_of_a_denial_does_not_depend_on_the_target(service):
    """Medians of denials of an address with a listener, one without, and one that is nowhere."""
    def median(address: str) -> float:
        samples = []
        for _ in range(60):
            started = time.perf_counter()
            service.client.post_check(f"tcp://{address}:22")
            samples.append(time.perf_counter() - started)
        return statistics.median(samples)

    with service.connectd.namespace.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 22))
        listener.listen()
        medians = [median(address) for address in ("127.0.0.1", "127.0.0.2", "10.255.255.1", "127.0.0.1")]
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert max(medians) < 2 * min(medians) + 0.002, medians


def test_a_denied_name_server_gets_no_question(service):
    with dns_server.DNSServer(service.connectd.namespace, "127.0.0.99", lambda question: None, 5353) as other:
        answer = service.client.post_check("tcp://names.example:80", resolve={"server": "127.0.0.99:5353"})
        assert answer.status == 403
        assert not other.questions


@pytest.mark.parametrize("reply", [b"220 go\r\n", b"421 169.254.169.254\r\n"])
def test_a_peer_cannot_redirect_a_starttls_check(internet, service, reply):
    """An allowed peer that answers with an address, a referral or a redirection leads to no other connect."""
    referral = b"220 169.254.169.254\r\n250-STARTTLS\r\n250 REDIRECT 169.254.169.254\r\n"
    with internet.world.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        peer.bind(("8.8.4.4", 2525))
        peer.listen()
        peer.settimeout(10)
        before = {item for item in service.seen() if item.port != 2525}
        request = json.dumps({"target": "tcp://8.8.4.4:2525", "tls": {"starttls": "smtp"}, "timeout_ms": 1000})
        with service.connectd.unix.connect() as client:
            head = f"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(request)}\r\n\r\n"
            client.sendall((head + request).encode())
            connection, _ = peer.accept()
            with connection:
                connection.sendall(referral + reply)
                assert client.recv(65536).startswith(b"HTTP/1.1 200")
    assert {item for item in service.seen() if item.port != 2525} == before


def test_a_monitor_of_a_denied_target_shows_only_that(internet):
    check = {"target": f"tcp://{SECRET}:80", "timeout_ms": 300}
    monitors = [{"name": "secret", "interval_ms": 100, "check": check}, {"name": "none", "interval_ms": 100, "check": {
        "target": "tcp://192.168.1.2:80", "timeout_ms": 300}}]  # fmt: skip
    configuration = {"policy": ORACLE.configuration, "monitors": monitors}
    with Connectd(internet.prober, configuration, port=8093) as connectd:
        for name in ("secret", "none"):
            connectd.wait_for_monitor(name, "down")
        errors = [connectd.monitor(name)["last"]["error"] for name in ("secret", "none")]
    assert errors[0] == errors[1]
    assert errors[0]["class"] == "denied" and errors[0]["source"] == "policy"


def test_name_server_and_judge_are_alive(service):
    """The positive control of this file."""
    assert check_name(service, "good.test").status == 200
    assert "8.8.4.4" in seen_addresses(service)
    assert NAME_SERVER not in seen_addresses(service)
