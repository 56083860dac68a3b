"""The verdicts of `verify` on a real network: above all, `blocked` passes only if something on the way blocked it."""

import socket

import pytest

from support import peers, preset_peers
from support import network as net
from support.dns_server import SERVFAIL, DNSServer, zone
from support.verification import rules

CLOSED = 9
EXPECTATIONS = ("open", "allowed", "closed", "blocked")
FORGED_RESET = "10.88.20.1"
PASS, VIOLATION, ERROR, INCONCLUSIVE = "pass", "violation", "error", "inconclusive"


def judge(verify, address: str, port: int, *arguments: str, **options) -> tuple[list[str], dict]:
    """The verdict for each expectation, and the last case."""
    host = f'"[{address}]"' if ":" in address else address
    lines = [
        f"{{name: {expectation}, to: [{host}], ports: [{port}], expect: {expectation}}}" for expectation in EXPECTATIONS
    ]
    ran = verify(rules(lines, **options), *arguments)
    return [case["verdict"] for case in ran.cases], ran.cases[-1]


@pytest.fixture(scope="module")
def forged_reset(network):
    """The router answers for an address with a RST in its name."""
    network.b.nft(
        "table inet forged { chain forward { type filter hook forward priority -1;\n"
        f"ip daddr {FORGED_RESET} reject with tcp reset\n}}\n}}"
    )
    yield FORGED_RESET
    network.b.run("nft", "delete", "table", "inet", "forged")


def test_an_open_port(verify, open_port):
    verdicts, case = judge(verify, net.OPEN, open_port)
    assert verdicts == [PASS, PASS, VIOLATION, VIOLATION]
    assert case["reason"] == "expected blocked, got connected"
    assert case["outcome"] == "connected" and case["ok"] is False


def test_a_closed_port(verify):
    verdicts, case = judge(verify, net.OPEN, CLOSED)
    assert verdicts == [VIOLATION, PASS, PASS, VIOLATION]
    assert case["error"]["name"] == "ECONNREFUSED"


def test_a_closed_port_that_the_target_rejects_by_icmp(verify):
    verdicts, _ = judge(verify, net.OPEN, net.TARGET_REJECTS["port-unreachable"])
    assert verdicts == [VIOLATION, PASS, PASS, VIOLATION]


def test_a_dropped_packet(verify):
    verdicts, case = judge(verify, net.DROPPED, 80)
    assert verdicts == [VIOLATION, VIOLATION, VIOLATION, PASS]
    assert case["outcome"] == "timeout" and case["ok"] is True


@pytest.mark.parametrize("kind", net.ROUTER_REJECTS)
def test_a_router_that_rejects(verify, kind):
    verdicts, case = judge(verify, net.ROUTER_REJECTS[kind], 80)
    assert verdicts == [VIOLATION, VIOLATION, VIOLATION, PASS], case
    assert case["error"]["fault"] == "network"


@pytest.mark.parametrize("kind", net.ROUTER_REJECTS6)
def test_a_router_that_rejects_over_ipv6(verify, kind):
    verdicts, case = judge(verify, net.ROUTER_REJECTS6[kind], 80)
    assert verdicts == [VIOLATION, VIOLATION, VIOLATION, PASS], case


def test_a_router_that_resets(verify, forged_reset):
    verdicts, _ = judge(verify, forged_reset, 80)
    assert verdicts == [VIOLATION, PASS, PASS, VIOLATION], "it cannot be distinguished from the target's own"
    verdicts, _ = judge(verify, forged_reset, 80, rst_is_block=True)
    assert verdicts == [VIOLATION, VIOLATION, VIOLATION, PASS]


@pytest.mark.parametrize("address", [net.NOWHERE, net.NOWHERE6, *net.ROUTE_TYPES.values(), *net.ROUTE_TYPES6.values()])
def test_no_route_is_never_blocked(verify, address):
    verdicts, case = judge(verify, address, 80)
    assert verdicts == [ERROR] * 4, case
    assert "prober" in case["reason"]


@pytest.mark.parametrize("kind", net.OWN_REJECTS)
def test_the_probers_own_firewall_is_never_blocked(verify, kind):
    verdicts, case = judge(verify, net.OPEN, net.OWN_REJECTS[kind])
    assert verdicts == [ERROR] * 4, case


def test_an_absent_host_is_blocked_but_says_so(verify):
    verdicts, case = judge(verify, net.ABSENT, 80, timeout_ms=4000)
    assert verdicts[-1] == PASS
    assert case["outcome"] == "unreachable" and "may be down" in case["reason"]


@pytest.mark.parametrize("defaults", [{"timeout_ms": 4000}, {"timeout_ms": 1000}, {"timeout_ms": 1000, "retry_timeouts": 1}])
def test_a_dead_gateway_is_never_blocked(verify, network, defaults):
    """The kernel gives the gateway three seconds: longer than a short timeout."""
    network.a.ip(f"route add 10.91.0.0/16 via {net.ABSENT}")
    try:
        verdicts, case = judge(verify, "10.91.1.1", 80, **defaults)
    finally:
        network.a.ip("route del 10.91.0.0/16")
    assert verdicts == [ERROR] * 4, case
    assert "next hop" in case["reason"]


@pytest.mark.parametrize("answer", [None, lambda question: question.reply(code=SERVFAIL), zone({})])
def test_dead_dns_is_never_blocked(verify, network, answer):
    network.a.write_etc("resolv.conf", f"nameserver {net.PEER}\n")
    text = rules([f"{{name: {word}, to: [db.example.], ports: [22], expect: {word}}}" for word in EXPECTATIONS])
    if answer is None:
        ran = verify(text)
    else:
        with DNSServer(network.b, net.PEER, answer):
            ran = verify(text)
    assert [case["verdict"] for case in ran.cases] == [ERROR] * 4
    assert ran.status == 3


def test_a_name_with_several_addresses_is_blocked_only_if_each_is(verify, network):
    network.a.write_etc("resolv.conf", f"nameserver {net.PEER}\n")
    table = {"both.example": [net.DROPPED, net.OPEN], "dropped.example": [net.DROPPED, net.DROPPED6]}
    lines = [f"{{name: {name}, to: [{name}.example.], ports: [{CLOSED}], expect: blocked}}" for name in ("both", "dropped")]
    with DNSServer(network.b, net.PEER, zone(table)):
        ran = verify(rules(lines))
    assert ran.verdicts() == {"both": VIOLATION, "dropped": PASS}


@pytest.mark.parametrize("control,verdict", [(net.REFUSED, INCONCLUSIVE), (net.SILENT, INCONCLUSIVE), ("open", PASS)])
def test_a_control_that_is_not_open_makes_blocked_inconclusive(verify, open_port, control, verdict):
    control = f"tcp://{net.OPEN}:{open_port}" if control == "open" else control
    text = rules(
        [
            f'{{name: blocked, to: [{net.DROPPED}], ports: [22], expect: blocked, control: "{control}"}}',
            f'{{name: open, to: [{net.OPEN}], ports: [{open_port}], expect: open, control: "{control}"}}',
        ]
    )
    ran = verify(text)
    assert ran.verdicts() == {"blocked": verdict, "open": PASS}
    assert ran.cases[0]["control"] == {"target": control, "open": verdict == PASS}
    assert ran.status == (0 if verdict == PASS else 3)


def test_a_control_must_be_open_after_the_cases_too(verify, network):
    """The network fails while the cases run: the listener ends after its first connection."""
    listener = peers.tcp_listener(network.b, net.OPEN)
    port = listener.getsockname()[1]

    def accept_once(running) -> None:
        connection, _ = running.accept()
        connection.close()
        running.shutdown(socket.SHUT_RDWR)  # A socket that does not listen refuses.

    with listener, peers.serving(listener, accept_once):
        ran = verify(rules([f'{{to: [{net.DROPPED}], ports: [22], expect: blocked, control: "tcp://{net.OPEN}:{port}"}}']))
    assert [case["verdict"] for case in ran.cases] == [INCONCLUSIVE]
    assert "refused (ECONNREFUSED) after the cases" in ran.cases[0]["reason"]


def test_udp_without_a_question_is_inconclusive(verify, network):
    with peers.udp_socket(network.b, net.OPEN) as peer:
        port = peer.getsockname()[1]
        lines = [f'{{name: {word}, to: [{net.OPEN}], ports: ["u:{port}"], expect: {word}}}' for word in EXPECTATIONS]
        assert set(verify(rules(lines)).verdicts().values()) == {INCONCLUSIVE}


def test_udp_with_a_question(verify, network):
    question = "check: {dialog: [{send: ping}, {expect: pong}]}"
    with peers.udp_socket(network.b, net.OPEN) as peer:
        port = peer.getsockname()[1]

        def answer(running) -> None:
            _, sender = running.recvfrom(100)
            running.sendto(b"pong", sender)

        with peers.serving(peer, answer):
            lines = [
                f'{{name: answers, to: [{net.OPEN}], ports: ["u:{port}"], expect: open, {question}}}',
                f'{{name: closed, to: [{net.OPEN}], ports: ["u:9"], expect: closed, {question}}}',
                f'{{name: silent, to: [{net.DROPPED}], ports: ["u:9"], expect: blocked, {question}}}',
                f'{{name: rejected, to: [{net.ROUTER_REJECTS["admin-prohibited"]}], ports: ["u:9"], expect: blocked, {question}}}',
            ]
            ran = verify(rules(lines))
    assert ran.verdicts() == {"answers": PASS, "closed": PASS, "silent": INCONCLUSIVE, "rejected": PASS}


def test_a_preset_proves_that_udp_is_open(verify, network):
    with peers.udp_socket(network.b, net.OPEN) as dns, peers.udp_socket(network.b, net.OPEN) as quic:
        port, quic_port = dns.getsockname()[1], quic.getsockname()[1]
        echo = peers.udp_socket(network.b, net.OPEN)
        echo_port = echo.getsockname()[1]
        answers = peers.serving(dns, preset_peers.answering("dns")), peers.serving(quic, preset_peers.answering("quic"))
        with answers[0], answers[1], peers.serving(echo, peers.echo_datagram):
            preset, control = "check: {preset: dns}", f'control: "quic://{net.OPEN}:{quic_port}"'
            lines = [
                f'{{name: dns, to: [{net.OPEN}], ports: ["u:{port}"], expect: open, {preset}}}',
                f'{{name: quic, to: ["quic://{net.OPEN}:{quic_port}"], expect: open}}',
                f'{{name: other, to: [{net.OPEN}], ports: ["u:{echo_port}"], expect: open, {preset}}}',
                f'{{name: closed, to: [{net.OPEN}], ports: ["u:9"], expect: closed, {preset}}}',
                f'{{name: silent, to: [{net.DROPPED}], ports: ["u:53"], expect: blocked, {preset}}}',
                f'{{name: control, to: [{net.DROPPED}], ports: [22], expect: blocked, {control}}}',
            ]
            ran = verify(rules(lines))
    expected = {"dns": PASS, "quic": PASS, "other": VIOLATION, "closed": PASS, "silent": INCONCLUSIVE, "control": PASS}
    assert ran.verdicts() == expected


def test_a_preset_of_a_tcp_port_is_an_error_of_the_file(verify):
    ran = verify(rules([f"{{name: x, to: [{net.OPEN}], ports: [53], expect: open, check: {{preset: dns}}}}"]))
    assert ran.status == 2 and "check.preset: requires a UDP target: write udp://host:port" in ran.err, ran.err


def test_the_callers_policy_applies_only_with_config(verify, open_port, tmp_path):
    config = tmp_path / "connectd.yaml"
    config.write_text("policy: {profile: rules}\n")
    text = rules([f"{{name: db, to: [{net.OPEN}], ports: [{open_port}], expect: open}}"])
    assert verify(text).verdicts() == {"db": PASS}
    denied = verify(text, "--config", str(config))
    assert denied.verdicts() == {"db": ERROR}
    assert denied.cases[0]["outcome"] == "denied"


def test_outcomes_as_in_a_check(verify, open_port):
    lines = [
        f"{{name: refused, to: [{net.OPEN}], ports: [{CLOSED}], expect: refused}}",
        f"{{name: list, to: [{net.OPEN}], ports: [{CLOSED}], expect: [timeout, refused]}}",
        f'{{name: not, to: [{net.OPEN}], ports: [{CLOSED}], expect: "!connected"}}',
        f'{{name: wrong, to: [{net.OPEN}], ports: [{open_port}], expect: "!connected"}}',
    ]
    ran = verify(rules(lines))
    assert ran.verdicts() == {"refused": PASS, "list": PASS, "not": PASS, "wrong": VIOLATION}
    assert ran.status == 1


@pytest.fixture(scope="module")
def rejecting(limited) -> str:
    """A rule about ports that the target itself rejects. Beyond the first few, it stays silent."""
    limited.b.nft(
        "table inet limited { chain input { type filter hook input priority -1;\n"
        f"ip daddr {net.OPEN} tcp dport 6000-6009 reject with icmp port-unreachable\n}}\n}}"
    )
    return f'{{name: closed, to: [{net.OPEN}], ports: ["6000-6009"], expect: blocked}}'


def test_rate_limited_icmp_without_repetition_is_inconclusive(verify, limited, rejecting):
    ran = verify(rules([rejecting], retry_timeouts=0), space=limited.a)
    assert {case["verdict"] for case in ran.cases} == {VIOLATION, INCONCLUSIVE}
    assert "whose rate is limited" in next(case["reason"] for case in ran.cases if case["verdict"] == INCONCLUSIVE)


@pytest.mark.parametrize("retries", [None, 2])
def test_rate_limited_icmp_does_not_make_a_closed_port_blocked(verify, limited, rejecting, retries):
    text = rules([rejecting], **({} if retries is None else {"retry_timeouts": retries}))
    ran = verify(text, space=limited.a)
    assert ran.verdicts() == {"closed": VIOLATION}, ran.out


def test_rate_limited_icmp_of_a_router_is_blocked_either_way(verify, limited):
    """Whether its error arrives or not, the router blocked the connection."""
    address = net.ROUTER_REJECTS["admin-prohibited"]
    rule = f'{{name: ssh, to: [{address}], ports: ["1-12"], expect: blocked}}'
    ran = verify(rules([rule], retry_timeouts=0), space=limited.a)
    assert ran.verdicts() == {"ssh": PASS}
    assert "timeout" in {case["outcome"] for case in ran.cases} <= {"timeout", "unreachable"}
