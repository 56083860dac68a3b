"""Faults of the host and of the path, each with its sentence."""

import time

import pytest

from support import network as net
from support import peers, tls_peers
from support.diagnosis import (
    DOCUMENTATION, diagnose, finished, names, routed, rule, second_link, start,
)  # fmt: skip
from support.dns_server import DNSServer, zone

A = f"{net.OPEN}"
FILTERED = 4010


def test_nothing_is_wrong(network, target):
    port = target.rsplit(":", 1)[1]
    report = diagnose(network.a, target)
    report.must_be("ok", "certain", f"{A}:{port} accepts connections; the diagnosis found nothing wrong.")
    assert "path_proxy" in report.ruled_out


def test_a_udp_service_that_answers(network):
    with DNSServer(network.b, A, zone({})):
        report = diagnose(network.a, f"udp://{A}:53")
    report.must_be("ok", "certain", f"{A}:53 answers; the diagnosis found nothing wrong.")


def test_a_closed_udp_port(network):
    report = diagnose(network.a, f"udp://{A}:123")
    report.must_be(
        "target", "possible",
        f"{A}:123 is not verified: either the service is not running, or the port is wrong.",
    )  # fmt: skip


def test_a_silent_udp_port(network):
    report = diagnose(network.a, f"udp://{net.DROPPED}:53")
    report.must_be(
        "unknown", "possible",
        f"{net.DROPPED}:53 is not verified: either packets are lost on the path or at a firewall, or the service does not "
        "answer this question.",
    )  # fmt: skip


# A stopped service and a wrong port look the same from here.
@pytest.mark.parametrize("port", [9, 4321], ids=["service down", "wrong port"])
def test_a_closed_port(network, target, port):
    report = diagnose(network.a, f"{A}:{port}")
    report.must_be(
        "target", "possible",
        f"{A}:{port} refuses connections: either the service is not running, or the port is wrong.",
    )  # fmt: skip
    assert report.causes == ["service_down", "wrong_port"]
    assert {"target_down", "no_route"} <= report.ruled_out


@pytest.mark.parametrize("event", ["closed", "reset"])
def test_a_port_that_accepts_and_closes(network, event):
    def end(connection) -> None:
        if event == "reset":
            tls_peers.end_with_a_reset(connection)
        time.sleep(0.05)

    with tls_peers.listening(network.b, end) as port:
        report = diagnose(network.a, f"{A}:{port}")
    report.must_be(
        "target", "possible",
        f"{A}:{port} accepts connections and then closes them: either the peer is a load balancer without a backend, or "
        "the service itself ends the session.",
    )  # fmt: skip
    assert report.findings["closed_after_accept"]["evidence"]["event"] == event


def test_a_service_that_speaks_and_keeps_the_connection_is_ok(network):
    def greet(connection) -> None:
        connection.sendall(b"220 ready\r\n")
        tls_peers.until_the_end(connection)

    with tls_peers.listening(network.b, greet) as port:
        report = diagnose(network.a, f"{A}:{port}")
    assert report.verdict == "ok"
    assert report.findings["held_open"]["evidence"]["event"] == "data"


def test_a_full_backlog_of_this_machine(network):
    with peers.full_tcp_listener(network.a, net.PROBER) as port:
        report = diagnose(network.a, f"{net.PROBER}:{port}")
    report.must_be(
        "target", "likely",
        f"{net.PROBER}:{port} does not answer, probably because the service's backlog is full.",
    )  # fmt: skip


@pytest.fixture(scope="module")
def silent(network):
    """Diagnoses of silent targets, which take seconds: all at once."""
    with (
        peers.full_tcp_listener(network.b, A) as full,
        rule(network.b, "input", f"ip daddr {A} tcp dport {FILTERED} drop"),
    ):
        targets = {
            "backlog full": f"{A}:{full}",
            "target drops": f"{A}:{FILTERED}",
            "router drops": f"{net.DROPPED}:80",
            "router drops ipv6": f"[{net.DROPPED6}]:80",
        }
        started = {name: start(network.a, target) for name, target in targets.items()}
        yield {name: (targets[name], finished(process)) for name, process in started.items()}


# A full backlog and a firewall look the same from here: both drop SYNs to one port.
@pytest.mark.parametrize("name", ["backlog full", "target drops"])
def test_a_port_that_drops(silent, name):
    target, report = silent[name]
    report.must_be(
        "unknown", "possible",
        f"{target} does not answer: either a firewall drops packets to this port, or the service's backlog is full.",
    )  # fmt: skip
    assert report.causes == ["port_dropped", "backlog_full"]
    assert "target_down" in report.ruled_out
    assert report.findings["other_port_answers"]["evidence"]["outcome"] == "refused"


@pytest.mark.parametrize("name", ["router drops", "router drops ipv6"])
def test_a_router_that_drops(silent, name):
    target, report = silent[name]
    report.must_be(
        "unknown", "possible",
        f"{target} does not answer: either packets are lost on the path or at a firewall, or the target is down.",
    )  # fmt: skip
    assert report.findings["other_ports_silent"]["evidence"]["ports"] == ["22", "443", "9"]
    ends = report.findings["path_ends"]
    assert ends["evidence"]["last_answer_from"] == (net.PEER6 if "[" in target else net.PEER)
    assert "drop" not in ends["observation"]


@pytest.mark.parametrize(
    "kind,meaning",
    [
        ("port-unreachable", "port unreachable"),
        ("admin-prohibited", "administratively prohibited"),
        ("prot-unreachable", "protocol unreachable"),
    ],
)
def test_a_target_that_rejects(network, kind, meaning):
    port = net.TARGET_REJECTS[kind]
    report = diagnose(network.a, f"{A}:{port}")
    report.must_be("target", "certain", f"{A}:{port} is not reachable: the firewall of {A} rejects it.")
    assert report.findings["rejected_by_target"]["evidence"]["meaning"] == meaning


@pytest.mark.parametrize(
    "address,meaning",
    [
        (net.ROUTER_REJECTS["admin-prohibited"], "administratively prohibited"),
        (net.ROUTER_REJECTS["port-unreachable"], "port unreachable"),
        (net.ROUTER_REJECTS["net-prohibited"], "network administratively prohibited"),
    ],
)
def test_a_router_that_rejects(network, address, meaning):
    report = diagnose(network.a, f"{address}:80")
    report.must_be("network", "certain", f"{address}:80 is not reachable: {net.PEER} rejects it ({meaning}).")
    assert report.json["next"][0]["where"] == "path"


@pytest.mark.parametrize("kind,meaning", [("host-unreachable", "host unreachable"), ("net-unreachable", "network unreachable")])
def test_a_router_without_a_route(network, kind, meaning):
    address = net.ROUTER_REJECTS[kind]
    diagnose(network.a, f"{address}:80").must_be(
        "network", "likely",
        f"{address}:80 is not reachable, probably because {net.PEER} cannot forward to it ({meaning}).",
    )  # fmt: skip


@pytest.mark.parametrize("address", [net.NOWHERE, net.ROUTE_TYPES["unreachable"], net.ROUTE_TYPES["blackhole"]])
def test_no_route(network, address):
    report = diagnose(network.a, f"{address}:80")
    report.must_be(
        "prober", "certain",
        f"This machine cannot connect to {address}:80: its routing table has no route to {address}.",
    )  # fmt: skip
    assert report.json["next"][0] == {
        "command": f"ip route get {address}", "where": "here", "why": "shows the kernel's answer for this destination",
    }  # fmt: skip


def test_a_dead_neighbor(network):
    diagnose(network.a, f"{net.ABSENT}:80", timeout="10s").must_be(
        "network", "certain",
        f"{net.ABSENT}:80 is not reachable: {net.ABSENT} does not answer on the local network.",
    )  # fmt: skip


def test_a_neighbor_that_has_not_answered_yet(network):
    """Before the kernel gives up, the SYN waits in this machine."""
    report = diagnose(network.a, "10.77.0.98:80", timeout="4s")
    report.must_be(
        "network", "likely",
        "10.77.0.98:80 does not answer, probably because 10.77.0.98 does not answer on the local network.",
    )  # fmt: skip


def test_a_dead_gateway(network):
    network.a.ip(f"route add 10.91.0.0/16 via {net.ABSENT}")
    try:
        diagnose(network.a, "10.91.1.1:80", timeout="10s").must_be(
            "network", "certain",
            "10.91.1.1:80 is not reachable: the gateway toward 10.91.1.1 does not answer on the local network.",
        )  # fmt: skip
    finally:
        network.a.ip("route del 10.91.0.0/16")


def test_a_source_address_that_is_not_ours(network, target):
    port = target.rsplit(":", 1)[1]
    diagnose(network.a, target, "--source", "10.77.0.50").must_be(
        "request", "certain",
        f"This machine cannot connect to {A}:{port}: the source address 10.77.0.50 does not work here.",
    )  # fmt: skip


def test_a_source_address_without_a_way_back(network, target):
    port = target.rsplit(":", 1)[1]
    network.a.ip("addr add 10.66.0.1/32 dev lo")
    try:
        diagnose(network.a, target, "--source", "10.66.0.1").must_be(
            "request", "likely",
            f"{A}:{port} does not answer, probably because the source address 10.66.0.1 does not work here.",
        )  # fmt: skip
    finally:
        network.a.ip("addr del 10.66.0.1/32 dev lo")


@pytest.mark.parametrize("port", net.OWN_REJECTS.values())
def test_a_local_rule_that_rejects(network, port):
    diagnose(network.a, f"{A}:{port}").must_be(
        "prober", "certain", f"This machine cannot connect to {A}:{port}: its own firewall rejects the packets."
    )


def test_a_local_rule_that_drops(network):
    report = diagnose(network.a, f"{A}:{net.OWN_DROP}")
    report.must_be(
        "prober", "likely",
        f"{A}:{net.OWN_DROP} does not answer, probably because a firewall rule or a full queue of this "
        "machine drops the packets.",
    )  # fmt: skip
    assert "packets_dropped" in report.ruled_out


def test_answers_that_return_another_way(network):
    with second_link(network), peers.tcp_listener(network.b, net.SECOND) as listener:
        port = listener.getsockname()[1]
        report = diagnose(network.a, f"{net.SECOND}:{port}")
    report.must_be(
        "network", "likely",
        f"{net.SECOND}:{port} does not answer, probably because the answers return through another interface and are "
        "dropped there.",
    )  # fmt: skip
    assert report.findings["answers_dropped_here"]["evidence"]["dropped"] >= 1


def test_a_proxy_that_answers_for_every_address(network):
    with (
        routed(network, *DOCUMENTATION),
        peers.tcp_listener(network.b, net.PEER) as listener,
        rule(
            network.b, "prerouting", f"iifname link0 tcp dport 4020 redirect to :{listener.getsockname()[1]}", "nat", -100
        ),
    ):
        report = diagnose(network.a, "203.0.113.9:4020")
    report.must_be(
        "network", "likely",
        "203.0.113.9:4020 accepts connections, probably because a device on the path answers for every address.",
    )  # fmt: skip


def test_one_family_that_is_broken(network):
    server = DNSServer(network.a, "127.0.0.1", zone({"two.example.test": [net.OPEN, net.DROPPED6]}))
    with server, names(network), peers.tcp_listener(network.b, A) as listener:
        port = listener.getsockname()[1]
        report = diagnose(network.a, f"two.example.test:{port}")
    report.must_be(
        "network", "certain",
        f"two.example.test:{port} accepts connections only in part: it works over IPv4 but not over IPv6.",
    )  # fmt: skip


def test_one_address_that_is_broken(network):
    server = DNSServer(network.a, "127.0.0.1", zone({"two.example.test": [net.OPEN, net.SECOND]}))
    with server, names(network), peers.tcp_listener(network.b, A) as listener:
        port = listener.getsockname()[1]
        report = diagnose(network.a, f"two.example.test:{port}")
    report.must_be(
        "target", "certain", f"two.example.test:{port} accepts connections only in part: it fails at {net.SECOND}."
    )


def test_one_family_that_is_not_served(network):
    server = DNSServer(network.a, "127.0.0.1", zone({"two.example.test": [net.OPEN, net.OPEN6]}))
    with server, names(network), peers.tcp_listener(network.b, A) as listener:
        port = listener.getsockname()[1]
        report = diagnose(network.a, f"two.example.test:{port}")
    report.must_be(
        "target", "certain",
        f"two.example.test:{port} accepts connections only in part: it accepts them over IPv4 and refuses them over IPv6.",
    )  # fmt: skip


def test_one_address_that_is_silent(network):
    server = DNSServer(network.a, "127.0.0.1", zone({"two.example.test": [net.OPEN, net.DROPPED]}))
    with server, names(network), peers.tcp_listener(network.b, A) as listener:
        port = listener.getsockname()[1]
        report = diagnose(network.a, f"two.example.test:{port}")
    report.must_be(
        "network", "certain",
        f"two.example.test:{port} accepts connections only in part: it fails at {net.DROPPED}.",
    )  # fmt: skip
