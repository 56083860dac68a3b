"""`--preset`: a request that a server of the protocol answers, and a pattern that only such an answer matches."""

import shutil
import socket
import subprocess

import pytest

from support import connectd_process, peers
from support import network as net


def dns(question: bytes) -> bytes:
    return question[:2] + b"\x81\x85" + question[4:]


def ntp(question: bytes) -> bytes:
    assert len(question) == 48 and question[0] & 7 == 3
    return b"\x24" + bytes(23) + question[40:48] + bytes(16)


def stun(question: bytes) -> bytes:
    assert question[:2] == b"\0\x01" and question[4:8] == b"\x21\x12\xa4\x42"
    return b"\x01\x01\0\0" + question[4:20]


def snmp(question: bytes) -> bytes:
    """A report in the same form, as an agent sends it."""
    assert question[0] == 0x30 and question[1] == len(question) - 2
    return question


def ike(question: bytes) -> bytes:
    assert int.from_bytes(question[24:28], "big") == len(question)
    return question[:8] + bytes(range(8)) + b"\x29\x20\x22\x20" + bytes(4) + (36).to_bytes(4, "big") + bytes(8)


def quic(question: bytes) -> bytes:
    assert len(question) == 1200
    destination, source = question[6:14], question[15:23]
    return b"\xca" + bytes(4) + b"\x08" + source + b"\x08" + destination + b"\0\0\0\x01"


SERVERS = {"dns": dns, "ntp": ntp, "stun": stun, "snmp": snmp, "ike": ike, "quic": quic}


@pytest.fixture(scope="module")
def run(network):
    return lambda *arguments: connectd_process.run("check", *arguments, namespace=network.a)


@pytest.mark.parametrize("preset", SERVERS)
def test_an_answer_of_the_protocol_is_verified(run, network, preset):
    def answer(peer: socket.socket) -> None:
        question, client = peer.recvfrom(2000)
        peer.sendto(SERVERS[preset](question), client)

    with peers.udp_socket(network.b, net.OPEN) as server, peers.serving(server, answer):
        place = f"udp://{net.OPEN}:{server.getsockname()[1]}"
        ran = run("--preset", preset, place)
        assert ran.returncode == 0 and "answered" in ran.stdout, ran.stdout
        assert run("--nagios", "--preset", preset, place, place).returncode == 0


@pytest.mark.parametrize("preset", SERVERS)
def test_other_bytes_are_a_mismatch(run, network, preset):
    def babble(peer: socket.socket) -> None:
        _, client = peer.recvfrom(2000)
        peer.sendto(b"\x30" * 60, client)

    with peers.udp_socket(network.b, net.OPEN) as server, peers.serving(server, babble):
        place = f"udp://{net.OPEN}:{server.getsockname()[1]}"
        ran = run("--timeout", "400ms", "--preset", preset, place)
        assert ran.returncode == 1 and "DIALOG_MISMATCH" in ran.stdout
    ran = run("--timeout", "300ms", "--preset", preset, f"udp://{net.DROPPED}:53")
    assert ran.returncode == 1 and "timeout" in ran.stdout


def test_a_real_name_server_answers(network):
    program = shutil.which("dnsmasq") or shutil.which("unbound")
    if not program or not program.endswith("dnsmasq"):
        pytest.skip("dnsmasq is not installed")
    options = ["--keep-in-foreground", "--no-resolv", "--no-hosts", "--port=5300", "--listen-address=127.0.0.1"]
    server = subprocess.Popen(network.b.command(program, *options, "--bind-interfaces", "--conf-file=/dev/null"))
    try:
        network.b.wait_for_listener("127.0.0.1", 5300)
        ran = connectd_process.run(
            "check", "--timeout", "1s", "--preset", "dns", "udp://127.0.0.1:5300", namespace=network.b
        )
        assert ran.returncode == 0, ran.stdout
    finally:
        server.terminate()
        server.wait(5)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--preset", "dns", "tcp://a:53"],
        ["--preset", "http", "udp://a:80"],
        ["--preset", "dns", "--send", "x", "udp://a:53"],
        ["--preset", "dns", "unix+dgram:/s"],
    ],
)
def test_wrong_usage_exits_with_2(run, arguments):
    assert run(*arguments).returncode == 2
