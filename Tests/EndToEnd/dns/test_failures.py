"""Name servers that fail: each failure has its own name, and the second server is queried within the deadline."""

import time

import pytest

from support import dns_server, peers
from support import network as net
from support.connectd_process import Connectd
from support.dns_server import DNSServer, zone
from support.expectations import assert_failure, assert_success
from support.waiting import wait_until

PORT = 9900
GOOD = {"good.example": [net.OPEN], "big.example": [net.OPEN]}


@pytest.fixture(scope="module")
def connectd(network):
    network.a.write_etc("resolv.conf", f"nameserver {net.PEER}\n")
    network.a.write_etc("hosts", "127.0.0.1 localhost\n")
    with Connectd(network.a, port=8151) as running, peers.tcp_listener(network.b, net.OPEN, PORT):
        yield running


def fails(api, name: str, host: str = "good.example", timeout_ms: int = 5000, **resolve) -> dict:
    result = api.check(f"tcp://{host}:{PORT}", timeout_ms=timeout_ms, resolve=resolve)
    assert_failure(result, None, "resolve_failed", "resolver", phase="resolve", source="resolver", name=name)
    assert result["attempts"] == []
    return result


@pytest.mark.parametrize(
    "code,name", [(dns_server.SERVFAIL, "SERVFAIL"), (dns_server.REFUSED, "REFUSED"), (dns_server.NXDOMAIN, "NXDOMAIN")]
)
def test_each_response_code_has_its_name(api, network, code, name):
    with DNSServer(network.b, net.PEER, lambda question: question.reply(code=code)):
        fails(api, name)


def test_an_empty_answer_is_nodata(api, network):
    with DNSServer(network.b, net.PEER, lambda question: question.reply()):
        fails(api, "NODATA")


def test_each_check_sends_its_own_query(api, network):
    """Since 1.31 c-ares has its own cache, which also stores that a name has no AAAA record."""
    with DNSServer(network.b, net.PEER, zone(GOOD)) as server:
        for _ in range(3):
            assert_success(api.check(f"tcp://good.example:{PORT}"))
    assert sorted(question.kind for question in server.questions) == [dns_server.A] * 3 + [dns_server.AAAA] * 3


@pytest.mark.deadline
def test_a_silent_server_is_a_timeout_at_the_deadline(api, network):
    with DNSServer(network.b, net.PEER, lambda question: None):
        result = fails(api, "DNS_TIMEOUT", timeout_ms=600)
    assert 590 <= result["timings_ms"]["total"] < 750


def test_a_closed_port_is_unreachable(api):
    result = fails(api, "DNS_UNREACHABLE")
    assert result["timings_ms"]["total"] < 4000


def test_a_server_without_a_route_is_unreachable(api):
    fails(api, "DNS_UNREACHABLE", server=f"{net.NOWHERE}:53")


def pointer_to_itself(question) -> bytes:
    """A compressed name where the first record of the reply begins."""
    return (0xC000 | 12 + len(question.section)).to_bytes(2, "big")


@pytest.mark.parametrize(
    "answer",
    [
        lambda question: question.reply([pointer_to_itself(question) + b"\0\1\0\1\0\0\0\0\0\4\1\2\3\4"]),
        lambda question: question.reply([b"\x03abc"]),
        lambda question: question.reply([dns_server.record(question.name, question.kind, b"\x01\x02")]),
    ],
    ids=["loops", "truncated record", "short address"],
)
def test_malformed_responses_are_bad_answers(api, network, answer):
    with DNSServer(network.b, net.PEER, answer):
        fails(api, "DNS_BAD_ANSWER", timeout_ms=3000)


def test_a_response_to_another_question_is_ignored(api, network):
    """An attacker who guesses identifiers would send such responses. They are ignored (RFC 5452)."""

    def answer(question):
        other = dns_server.encode_name("other.example") + question.section[-4:]
        return question.message[:2] + b"\x81\x80\0\1\0\0\0\0\0\0" + other

    with DNSServer(network.b, net.PEER, answer):
        fails(api, "DNS_TIMEOUT", timeout_ms=600)


def test_a_response_with_another_identifier_is_ignored(api, network):
    def answer(question):
        return question.reply([dns_server.address_record(question.name, net.OPEN)], identifier=1)

    with DNSServer(network.b, net.PEER, answer):
        fails(api, "DNS_TIMEOUT", timeout_ms=600)


def test_a_truncated_response_is_repeated_over_tcp(api, network):
    full = zone(GOOD)

    def answer(question):
        return full(question) if question.over_tcp else question.reply(truncated=True)

    with DNSServer(network.b, net.PEER, answer) as server:
        assert_success(api.check(f"tcp://big.example:{PORT}"))
        assert any(question.over_tcp for question in server.questions)


def test_a_cname_loop_fails_to_resolve(api, network):
    table = {"a.example": ["cname:b.example"], "b.example": ["cname:a.example"]}
    started = time.monotonic()
    with DNSServer(network.b, net.PEER, zone(table)):
        result = api.check(f"tcp://a.example:{PORT}", timeout_ms=2000)
    assert result["outcome"] == "resolve_failed"
    assert time.monotonic() - started < 3


def test_one_failing_family_does_not_affect_the_other(api, network):
    full = zone(GOOD)

    def answer(question):
        return question.reply(code=dns_server.SERVFAIL) if question.kind == dns_server.AAAA else full(question)

    with DNSServer(network.b, net.PEER, answer):
        assert_success(api.check(f"tcp://good.example:{PORT}"))


@pytest.fixture
def two_servers(network):
    network.a.write_etc("resolv.conf", f"nameserver {net.PEER}\nnameserver {net.SECOND}\n")
    yield
    network.a.write_etc("resolv.conf", f"nameserver {net.PEER}\n")


def eventually_connected(api, timeout_ms: int = 5000) -> dict:
    """The change of resolv.conf may take a moment to be noticed."""
    def connected() -> dict | None:
        result = api.check(f"tcp://good.example:{PORT}", timeout_ms=timeout_ms)
        return result if result["outcome"] == "connected" else None

    return wait_until(connected, 6, "a name server that works is asked")


@pytest.mark.parametrize(
    "first",
    [lambda question: None, lambda question: question.reply(code=dns_server.SERVFAIL)],
    ids=["silent", "SERVFAIL"],
)
def test_the_second_server_is_queried_within_the_deadline(api, network, two_servers, first):
    with DNSServer(network.b, net.PEER, first), DNSServer(network.b, net.SECOND, zone(GOOD)) as second:
        result = eventually_connected(api, 3000)
        assert second.questions
    assert result["timings_ms"]["resolve"] < 2900


def test_an_unreachable_first_server_is_skipped(api, network, two_servers):
    with DNSServer(network.b, net.SECOND, zone(GOOD)):
        eventually_connected(api)


@pytest.mark.deadline
def test_resolving_counts_toward_the_deadline(api, network):
    def slow(question):
        time.sleep(0.2)  # The test measures how long a slow answer takes.
        return zone({"slow.example": [net.DROPPED]})(question)

    with DNSServer(network.b, net.PEER, slow):
        result = api.check("tcp://slow.example:80", timeout_ms=900, resolve={"family": "ipv4"})
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")
    assert result["timings_ms"]["resolve"] >= 190
    assert 890 <= result["timings_ms"]["total"] < 1050


def test_a_check_resolves_its_name_once(api, network):
    with DNSServer(network.b, net.PEER, zone(GOOD)) as server:
        assert_success(api.check(f"tcp://good.example:{PORT}", resolve={"family": "ipv4"}))
        kinds = [question.kind for question in server.questions if question.name == "good.example"]
    assert kinds == [dns_server.A]


def test_dns_rebinding_is_denied(api, network):
    """The first response is harmless, each later one is the metadata service. The address that was judged is the one that is used."""
    answers = iter([net.OPEN])

    def answer(question):
        return question.reply([dns_server.address_record(question.name, next(answers, "169.254.169.254"))])

    with DNSServer(network.b, net.PEER, answer):
        result = api.check(f"tcp://rebind.example:{PORT}", resolve={"family": "ipv4"})
        assert assert_success(result)["address"] == net.OPEN
        assert api.post_check(f"tcp://rebind.example:{PORT}", resolve={"family": "ipv4"}).status == 403
