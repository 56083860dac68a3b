"""`half_open`: SYN, SYN-ACK, RST. What the peer's program sees, and what is on the wire."""

import socket
import struct
import threading

import pytest

from support import network as net
from support import peers
from support.connectd_process import Connectd
from support.expectations import assert_failure, assert_problem, assert_success
from support.waiting import wait_until

FIN, SYN, RST, ACK = 1, 2, 4, 16
TIME_WAIT = "06"  # as /proc/net/tcp shows it
ALL_PACKETS = 3  # ETH_P_ALL


class PacketLog:
    """The TCP flags of every segment to or from a port, in the order of the router's link."""

    def __init__(self, namespace, port: int):
        self.port, self.flags = port, []
        with namespace.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PACKETS))
        self._socket.bind(("link0", ALL_PACKETS))
        self._socket.settimeout(0.05)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "PacketLog":
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._ends.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._ends.is_set():
            try:
                packet = self._socket.recv(2048)
            except TimeoutError:
                continue
            start = {0x0800: 34, 0x86DD: 54}.get(int.from_bytes(packet[12:14], "big"))
            if start is None or len(packet) < start + 14:
                continue
            if self.port in struct.unpack("!HH", packet[start : start + 4]):
                self.flags.append(packet[start + 13] & (FIN | SYN | RST | ACK))


@pytest.fixture(scope="module")
def connectd(network):
    """As a user without any capability."""
    with Connectd(network.a, port=8133, user="nobody") as running:
        yield running


@pytest.mark.parametrize("address", [net.OPEN, net.OPEN6])
def test_the_last_ack_is_never_sent_and_no_program_sees_the_check(api, network, address):
    with peers.tcp_listener(network.b, address) as listener:
        port = listener.getsockname()[1]
        target = f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"
        with PacketLog(network.b, port) as log:
            for _ in range(10):
                attempt = assert_success(api.check(target, half_open=True))
                assert attempt["tcp_info"]["ack_sent"] is False
                assert attempt["tcp_info"]["rtt_us"] > 0
            wait_until(lambda: len(log.flags) >= 30, 10, lambda: f"30 segments: {log.flags}")
        assert log.flags == [SYN, SYN | ACK, RST | ACK] * 10
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_program_in_accept_sees_a_whole_check_and_no_half_open_one(api, network):
    accepted = []
    with peers.serving(peers.tcp_listener(network.b, net.OPEN), lambda listener: accepted.append(listener.accept())) as peer:
        target = f"tcp://{net.OPEN}:{peer.getsockname()[1]}"
        for _ in range(20):
            assert_success(api.check(target, half_open=True))
        assert_success(api.check(target))
        wait_until(lambda: accepted, 10, "the whole check is accepted")
    assert len(accepted) == 1
    for connection, _ in accepted:
        connection.close()


def test_a_half_open_check_leaves_no_time_wait(connectd, target):
    port = f":{int(target.rpartition(':')[2]):04X}"
    for _ in range(5):
        assert_success(connectd.client.check(target, half_open=True))
    assert not [remote for remote in connectd.sockets(TIME_WAIT) if remote.endswith(port)]


def test_failures_are_those_of_any_check(api):
    assert_failure(api.check(net.REFUSED, half_open=True), 111, "refused", "target")
    result = api.check(net.SILENT, half_open=True, timeout_ms=200)
    attempt = assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")
    assert "ack_sent" not in attempt["tcp_info"]


def test_options_of_the_socket_still_apply(api, network, target):
    before = network.a.counter("dscp")
    assert_success(api.check(target, half_open=True, socket={"dscp": 46, "close": "rst"}))
    assert network.a.counter("dscp") > before


def test_rounds_can_be_half_open(api, target):
    result = api.check(target, half_open=True, count=5, timeout_ms=1000)
    assert_success(result)
    assert (result["rounds"]["ok"], result["rounds"]["syn_sent"]) == (5, 5)


@pytest.mark.parametrize(
    "members",
    [
        {"tls": True}, {"target": "tls://127.0.0.1:443"}, {"dialog": [{"send": "x"}]}, {"hold_ms": 100},
        {"socket": {"tcp_fast_open": True}, "dialog": [{"send": "x"}]}, {"socket": {"mptcp": True}},
        {"target": "udp://127.0.0.1:53"}, {"target": "unix:/run/x.sock"}, {"dialog": [{"starttls": True}]},
    ],
)  # fmt: skip
def test_what_needs_an_established_connection_is_a_bad_request(api, members):
    request = {"target": "tcp://127.0.0.1:9", "half_open": True, **members}
    assert_problem(api.post("/v1/checks", request), 400, "/half_open")


def test_without_half_open_these_members_are_accepted(api):
    answer = api.post("/v1/checks", {"target": "tcp://127.0.0.1:9", "half_open": False, "hold_ms": 0, "count": 1, "interval_ms": 0})
    assert answer.status == 200
    assert not {"after", "rounds"} & set(answer.json)
