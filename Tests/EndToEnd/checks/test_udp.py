"""UDP: associated without a dialog, answered with one, refused or unreachable by ICMP, and timeouts."""

import pytest

from support import icmp_forger, peers
from support import network as net
from support.connectd_process import Connectd
from support.expectations import assert_failure, assert_icmp, assert_problem, assert_success


@pytest.fixture(scope="module")
def echo(network):
    with peers.serving(peers.udp_socket(network.b, net.OPEN), peers.echo_datagram) as peer:
        yield f"udp://{net.OPEN}:{peer.getsockname()[1]}"


def test_without_a_dialog_a_peer_is_only_associated(api):
    for target in (f"udp://{net.OPEN}:9", f"udp://{net.DROPPED}:9", f"udp://[{net.OPEN6}]:9"):
        attempt = assert_success(api.check(target), "associated")
        assert attempt["local"]["port"] > 0
        assert attempt["peer"]["port"] == 9


def test_nothing_is_sent_without_a_dialog(api, network):
    with peers.udp_socket(network.b, net.OPEN) as peer:
        assert_success(api.check(f"udp://{net.OPEN}:{peer.getsockname()[1]}"), "associated")
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(1)


def test_an_answer_is_answered(api, echo):
    result = api.check(echo, dialog=[{"send": "hello\r\n"}, {"expect": "^hel+o"}])
    assert_success(result, "answered")
    steps = result["dialog"]["steps"]
    assert [(step["step"], step["kind"], step["ok"]) for step in steps] == [(0, "send", True), (1, "expect", True)]
    assert result["dialog"]["failed_step"] is None
    assert "hello" in steps[1]["received"]
    assert result["timings_ms"]["dialog"] > 0


def test_an_answer_over_ipv6_is_answered(api, network):
    with peers.serving(peers.udp_socket(network.b, net.OPEN6), peers.echo_datagram) as peer:
        result = api.check(f"udp://[{net.OPEN6}]:{peer.getsockname()[1]}", dialog=[{"send": "x"}, {"expect": "x"}])
    assert_success(result, "answered")


def test_hex_bytes_are_sent_and_matched(api, echo):
    result = api.check(echo, dialog=[{"send_hex": "00ff0a80"}, {"expect_hex": "ff0a80"}])
    assert_success(result, "answered")


def test_bytes_arrive_as_they_were_sent(api, network):
    with peers.udp_socket(network.b, net.OPEN) as peer:
        peer.settimeout(3)
        target = f"udp://{net.OPEN}:{peer.getsockname()[1]}"
        api.check(target, dialog=[{"send": "a\u0000\u00e9\n"}, {"send_hex": "00FFfe"}, {"expect": "x"}], timeout_ms=100)
        assert peer.recv(100) == "a\0é\n".encode()
        assert peer.recv(100) == b"\x00\xff\xfe"


def test_groups_of_an_answer_are_reported(api, echo):
    result = api.check(echo, dialog=[{"send": "220 mail ready"}, {"expect": r"^220 (?<name>\S+)"}])
    assert_success(result, "answered")
    assert result["dialog"]["groups"]["name"] == "mail"


def test_the_wrong_answer_is_a_mismatch_at_the_deadline(api, echo):
    result = api.check(echo, dialog=[{"send": "a"}, {"expect": "b"}], timeout_ms=300)
    assert_failure(result, None, "dialog_failed", "target", phase="dialog", source="dialog", name="DIALOG_MISMATCH")
    assert result["dialog"]["failed_step"] == 1


def test_no_answer_is_a_timeout_of_the_target(api, network):
    with peers.udp_socket(network.b, net.OPEN) as peer:
        result = api.check(
            f"udp://{net.OPEN}:{peer.getsockname()[1]}", timeout_ms=300, dialog=[{"send": "x"}, {"expect": "y"}]
        )
    assert_failure(result, None, "timeout", "target", phase="dialog", source="deadline", name="DEADLINE")


@pytest.mark.deadline
@pytest.mark.parametrize("address,sender,kind,code", [(net.OPEN, net.OPEN, 3, 3), (net.OPEN6, net.OPEN6, 1, 4)])
def test_a_closed_port_is_refused_by_the_target(api, address, sender, kind, code):
    host = f"[{address}]" if ":" in address else address
    result = api.check(f"udp://{host}:9", dialog=[{"send": "x"}, {"expect": "y"}])
    attempt = assert_failure(result, 111, "refused", "target", phase="dialog")
    assert_icmp(attempt, kind, code, sender)
    assert result["timings_ms"]["total"] < 1000


@pytest.mark.parametrize(
    "reject,number,outcome,code",
    [
        ("port-unreachable", 111, "refused", 3),
        ("admin-prohibited", 113, "unreachable", 13),
        ("host-unreachable", 113, "unreachable", 1),
        ("net-unreachable", 101, "unreachable", 0),
        ("prot-unreachable", 92, "unreachable", 2),
    ],
)
def test_a_rejecting_router_is_the_networks_fault(api, reject, number, outcome, code):
    result = api.check(f"udp://{net.ROUTER_REJECTS[reject]}:9", dialog=[{"send": "x"}, {"expect": "y"}])
    attempt = assert_failure(result, number, outcome, "network", phase="dialog")
    assert_icmp(attempt, 3, code, net.PEER)


def test_a_rejecting_router_over_ipv6_is_the_networks_fault(api):
    target = f"udp://[{net.ROUTER_REJECTS6['admin-prohibited']}]:9"
    attempt = assert_failure(
        api.check(target, dialog=[{"send": "x"}, {"expect": "y"}]), 13, "unreachable", "network", phase="dialog"
    )
    assert_icmp(attempt, 1, 1, net.PEER6)


def test_a_rejecting_local_firewall_is_not_the_targets_fault(api):
    port = net.OWN_REJECTS["port-unreachable"]
    result = api.check(f"udp://{net.OPEN}:{port}", dialog=[{"send": "x"}, {"expect": "y"}])
    assert result["ok"] is False
    assert result["error"]["fault"] == "prober", result


def test_an_icmp_message_about_a_datagram_is_reported(api, network):
    with icmp_forger.forging(network.b, net.FORGED, 3, 8, "10.99.9.9"):
        result = api.check(f"udp://{net.FORGED}:9", dialog=[{"send": "x"}, {"expect": "y"}], timeout_ms=2000)
    attempt = assert_failure(result, 64, "unreachable", "network", phase="dialog")
    assert_icmp(attempt, 3, 8, "10.99.9.9")


def test_a_response_from_another_address_is_ignored(api, network):
    def reply(peer) -> None:
        _, sender = peer.recvfrom(100)
        with peers.udp_socket(network.b, net.SECOND) as stranger:
            stranger.sendto(b"y", sender)

    with peers.serving(peers.udp_socket(network.b, net.OPEN), reply) as peer:
        result = api.check(
            f"udp://{net.OPEN}:{peer.getsockname()[1]}", timeout_ms=300, dialog=[{"send": "x"}, {"expect": "y"}]
        )
    assert result["outcome"] == "timeout"


@pytest.mark.parametrize(
    "dialog,pointer",
    [
        ([{"expect": "("}], "/dialog/0/expect"),
        ([{"send_hex": "0"}], "/dialog/0/send_hex"),
        ([{"send_hex": "zz"}], "/dialog/0/send_hex"),
        ([{"shout": "x"}], "/dialog/0/shout"),
        ([{}], "/dialog/0"),
        ([{"send": "x", "expect": "y"}], "/dialog/0"),
        ([{"send": 1}], "/dialog/0/send"),
        ({}, "/dialog"),
        (["x"], "/dialog/0"),
    ],
)
def test_an_invalid_dialog_is_400(api, dialog, pointer):
    assert_problem(api.post_check(f"udp://{net.OPEN}:9", dialog=dialog), 400, pointer)


def test_a_dialog_needs_permission_from_the_policy(network):
    with Connectd(network.a, {"policy": {"profile": "internal", "dialogs": "none"}}, port=8121) as connectd:
        answer = connectd.client.post_check(f"udp://{net.OPEN}:9", dialog=[{"send": "x"}])
        assert_problem(answer, 403)
        assert_success(connectd.client.check(f"udp://{net.OPEN}:9"), "associated")
