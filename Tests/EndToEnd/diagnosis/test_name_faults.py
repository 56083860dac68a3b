"""Faults of names: name servers that are silent, wrong or at odds, and the hosts file."""

import pytest

from support import network as net
from support import peers
from support.diagnosis import diagnose, names
from support.dns_server import SERVFAIL, DNSServer, zone

NAME = "db.example.test"
FIRST, SECOND = "127.0.0.1", "127.0.0.53"


@pytest.fixture
def port(network):
    """A port of OPEN with a listener; SECOND has none there."""
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        yield listener.getsockname()[1]


def test_name_servers_that_do_not_answer(network):
    with names(network, servers=(net.DROPPED, "10.88.2.2")):
        report = diagnose(network.a, f"{NAME}:80")
    report.must_be("resolver", "certain", f"The name {NAME} does not resolve: no name server answers.")
    assert report.findings["name_servers_silent"]["evidence"]["servers"] == [net.DROPPED, "10.88.2.2"]


def test_a_name_that_does_not_exist(network):
    with DNSServer(network.a, FIRST, zone({})), names(network, servers=(FIRST,)):
        report = diagnose(network.a, f"{NAME}:80")
    report.must_be("resolver", "certain", f"The name {NAME} does not resolve: DNS has no address for it (NXDOMAIN).")
    assert report.json["next"][0]["command"] == f"dig @{FIRST} {NAME}"


def test_name_servers_that_fail(network):
    with DNSServer(network.a, FIRST, lambda question: question.reply(code=SERVFAIL)), names(network, servers=(FIRST,)):
        report = diagnose(network.a, f"{NAME}:80")
    report.must_be(
        "resolver", "certain",
        f"The name {NAME} does not resolve: the name servers answer with the error SERVFAIL.",
    )  # fmt: skip


def test_a_name_that_only_one_server_knows(network, port):
    with (
        DNSServer(network.a, FIRST, zone({})),
        DNSServer(network.a, SECOND, zone({NAME: [net.OPEN]})),
        names(network, servers=(FIRST, SECOND)),
    ):
        report = diagnose(network.a, f"{NAME}:{port}")
    report.must_be(
        "resolver", "certain",
        f"The name {NAME} does not resolve: the name servers disagree: {SECOND} answers {net.OPEN}.",
    )  # fmt: skip


def test_a_name_server_with_a_wrong_address(network, port):
    with (
        DNSServer(network.a, FIRST, zone({NAME: [net.SECOND]})),
        DNSServer(network.a, SECOND, zone({NAME: [net.OPEN]})),
        names(network, servers=(FIRST, SECOND)),
    ):
        report = diagnose(network.a, f"{NAME}:{port}")
    report.must_be(
        "resolver", "certain",
        f"{NAME}:{port} refuses connections: the name servers disagree: {SECOND} answers {net.OPEN}.",
    )  # fmt: skip


def test_a_wrong_entry_in_the_hosts_file(network, port):
    with (
        DNSServer(network.a, FIRST, zone({NAME: [net.OPEN]})),
        names(network, f"{net.SECOND} {NAME}\n", servers=(FIRST,)),
    ):
        report = diagnose(network.a, f"{NAME}:{port}")
    report.must_be(
        "resolver", "certain",
        f"{NAME}:{port} refuses connections: /etc/hosts has {net.SECOND}, but DNS has {net.OPEN}.",
    )  # fmt: skip


def test_name_servers_that_agree_rule_themselves_out(network):
    with DNSServer(network.a, FIRST, zone({NAME: [net.OPEN]})), names(network, servers=(FIRST,)):
        report = diagnose(network.a, f"{NAME}:9")
    report.must_be(
        "target", "possible",
        f"{NAME}:9 refuses connections: either the service is not running, or the port is wrong.",
    )  # fmt: skip
    assert {"name_servers_differ", "hosts_file_wrong"} <= report.ruled_out


def test_a_silent_name_server_is_found_although_another_answers(network, port):
    with (
        DNSServer(network.a, FIRST, zone({NAME: [net.OPEN]})),
        names(network, servers=(net.DROPPED, FIRST)),
    ):
        report = diagnose(network.a, f"{NAME}:{port}", timeout="6s")
    assert report.verdict == "ok"
    if "name_server_silent" in report.findings:
        assert report.findings["name_server_silent"]["evidence"]["server"] == net.DROPPED
