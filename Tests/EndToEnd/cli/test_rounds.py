"""`check --hold`, `--half-open`, `--count`, `--interval`, and `wait --hold`."""

import json
import threading
import time

import pytest

from support import network as net
from support import peers
from support.connectd_process import run


def check(network, *arguments: str):
    return run("check", *arguments, namespace=network.a)


@pytest.fixture
def closing(network):
    """The address of a peer that closes each connection at once."""
    script = peers.on_each_connection(lambda connection: None)
    with peers.serving(peers.tcp_listener(network.b, net.OPEN), script) as listener:
        yield f"{net.OPEN}:{listener.getsockname()[1]}"


@pytest.fixture
def staying(network):
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        yield f"{net.OPEN}:{listener.getsockname()[1]}"


def test_hold_tells_a_peer_that_closes_from_one_that_stays(network, closing, staying):
    ran = check(network, closing, "--hold", "2s")
    assert ran.returncode == 1
    assert "closed_early" in ran.stdout and "held: closed by the peer after" in ran.stdout
    assert "load balancer" in ran.stdout
    ran = check(network, staying, "--hold", "100ms")
    assert ran.returncode == 0 and "still open" in ran.stdout
    assert check(network, closing, "--hold", "2s", "--expect", "closed_early").returncode == 0


def test_without_timeout_the_hold_may_be_longer_than_the_usual_timeout(network, closing):
    ran = check(network, closing, "--hold", "10s")
    assert ran.returncode == 1 and "closed_early" in ran.stdout, ran.stderr


def test_half_open_connects(network, staying):
    ran = check(network, staying, "--half-open", "--json")
    [result] = json.loads(ran.stdout)
    assert ran.returncode == 0
    assert result["attempts"][0]["tcp_info"]["ack_sent"] is False


def test_count_prints_statistics(network, staying):
    ran = check(network, staying, "--count", "5", "--interval", "10ms", "--timeout", "1s")
    assert ran.returncode == 0
    assert "5 rounds, 5 ok, 0% lost, 5 SYNs sent" in ran.stdout
    assert "min/median/avg/p95/max/stddev" in ran.stdout
    ran = check(network, net.REFUSED, "--count", "2", "--timeout", "1s", "--ndjson")
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["rounds"]["by_outcome"] == {"refused": 2}


def test_count_in_a_file(network, staying, tmp_path):
    targets = tmp_path / "targets"
    targets.write_text(f'{staying}\n{{"target": "{staying}", "count": 3, "timeout_ms": 500, "half_open": true}}\n')
    ran = check(network, "--file", str(targets), "--json")
    first, second = json.loads(ran.stdout)
    assert "rounds" not in first and second["rounds"]["ok"] == 3


def test_the_hint_says_how_many_syns_were_sent(network):
    ran = check(network, net.SILENT, "--timeout", "300ms")
    assert "nothing answered within 300ms (1 SYN sent)" in ran.stdout
    ran = check(network, f"{net.ABSENT}:80", "--timeout", "300ms")
    assert "no SYN left this machine" in ran.stdout


@pytest.mark.parametrize(
    "arguments,text",
    [
        (["tcp://10.0.0.1:1", "--count", "13"], "set --timeout to 4615 or less"),
        (["tcp://10.0.0.1:1", "--interval", "1s"], "--interval needs --count"),
        (["tcp://10.0.0.1:1", "--count", "0"], "--count must be from 1 to 1000, got 0"),
        (["tcp://10.0.0.1:1", "--count", "2", "--interval", "2m"], "--interval must be from 0 to 60s"),
        (["tcp://10.0.0.1:1", "--hold", "5s", "--timeout", "5s"], "--hold must be less than --timeout"),
        (["tcp://10.0.0.1:1", "--hold", "1s", "--half-open"], "exclude each other"),
        (["udp://10.0.0.1:1", "--half-open"], "--half-open requires a TCP target"),
        (["tls://10.0.0.1:1", "--half-open"], "write tcp:// instead of tls://"),
        (["tcp://10.0.0.1:1", "--half-open", "--send", "x"], "--half-open excludes a dialog"),
        (["unix+dgram:/run/x", "--hold", "1s"], "--hold has no effect on a UNIX datagram socket"),
    ],
)
def test_wrong_usage_names_the_options(network, arguments, text):
    ran = check(network, *arguments)
    assert ran.returncode == 2, ran.stdout
    assert text in ran.stderr
    assert "_ms" not in ran.stderr and "half_open" not in ran.stderr


def test_wait_waits_until_a_peer_keeps_the_connection(network):
    stays = threading.Event()

    def script(connection) -> None:
        if stays.is_set():
            time.sleep(1)

    with peers.serving(peers.tcp_listener(network.b, net.OPEN), peers.on_each_connection(script)) as listener:
        target = f"{net.OPEN}:{listener.getsockname()[1]}"
        ran = run("wait", target, "--hold", "300ms", "--interval", "50ms", "--timeout", "700ms", namespace=network.a)
        assert ran.returncode == 1 and "closed_early" in ran.stderr
        stays.set()
        ran = run("wait", target, "--hold", "300ms", "--interval", "50ms", "--timeout", "10s", namespace=network.a)
        assert ran.returncode == 0, ran.stderr
