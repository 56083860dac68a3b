"""`--preset`: a request that a server of the protocol answers, and a pattern that only such an answer matches."""

import json
import shutil
import socket
import subprocess

import pytest

from support import connectd_process, peers, preset_peers
from support import network as net


# What the text shows of each answer.
SAID = {
    "dns": "REFUSED, 0 answers, recursion available",
    "ntp": "stratum 2, reference 0.0.0.0",
    "stun": "this prober is 192.0.2.1:32853",
    "snmp": "engine 8000000001, 3 boots, up less than a minute",
    "ike": "NO_PROPOSAL_CHOSEN",
    "quic": "versions 0x00000001",
}


@pytest.fixture(scope="module")
def run(network):
    return lambda *arguments: connectd_process.run("check", *arguments, namespace=network.a)


@pytest.mark.parametrize("preset", preset_peers.ANSWERS)
def test_an_answer_of_the_protocol_is_verified(run, network, preset):
    with peers.udp_socket(network.b, net.OPEN) as server, peers.serving(server, preset_peers.answering(preset)):
        place = f"udp://{net.OPEN}:{server.getsockname()[1]}"
        ran = run("--preset", preset, place)
        assert ran.returncode == 0 and "answered" in ran.stdout, ran.stdout
        assert f"{preset}: {SAID[preset]}" in ran.stdout
        result = json.loads(run("--json", "--preset", preset, place).stdout)[0]
        assert result["answer"]["preset"] == preset and "dialog" not in result
        assert run("--nagios", "--preset", preset, place, place).returncode == 0


@pytest.mark.parametrize("preset", preset_peers.ANSWERS)
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


def test_quic_targets_need_no_option(run, network):
    with peers.udp_socket(network.b, net.OPEN) as server, peers.serving(server, preset_peers.answering("quic")):
        place = f"quic://{net.OPEN}:{server.getsockname()[1]}"
        for options in ([], ["--preset", "quic"]):
            ran = run(*options, place)
            assert ran.returncode == 0 and place in ran.stdout and "quic: versions" in ran.stdout, ran.stdout
        waited = connectd_process.run("wait", "--timeout", "5s", place, namespace=network.a)
        assert waited.returncode == 0, waited.stdout


@pytest.mark.parametrize(
    "arguments,says",
    [
        (["--preset", "dns", "tcp://a:53"], "write udp://host:port instead of tcp://a:53"),
        (["--preset", "dns", "quic://a:443"], "write udp://host:port for this preset"),
        (["--match", "x", "quic://a:443"], "which has the preset quic: write udp://host:port"),
        (["quic://a"], "did you mean quic://a:443?"),
    ],
)
def test_usage_errors_say_what_to_write(run, arguments, says):
    ran = run(*arguments)
    assert ran.returncode == 2 and says in ran.stderr, ran.stderr


def test_lines_of_a_file_have_presets(run, network, tmp_path):
    with peers.udp_socket(network.b, net.OPEN) as server, peers.serving(server, preset_peers.answering("stun")):
        place = f"udp://{net.OPEN}:{server.getsockname()[1]}"
        lines = tmp_path / "targets"
        lines.write_text(json.dumps({"target": place, "preset": "stun"}) + "\n")
        assert run("--file", str(lines)).returncode == 0
        lines.write_text(place + "\n")
        assert run("--preset", "stun", "--file", str(lines)).returncode == 0
        lines.write_text(json.dumps({"target": "tcp://a:1", "preset": "stun"}) + "\n")
        ran = run("--file", str(lines))
        assert ran.returncode == 2 and "/preset requires a UDP target" in ran.stderr, ran.stderr
