"""Dialogs over TCP and UNIX-domain sockets, with peers that a test scripts byte by byte."""

import contextlib
import errno
import os
import socket
import struct
import time

import pytest

from support import network as net
from support import peers
from support.connectd_process import ESTABLISHED, OPEN_CONFIGURATION, Connectd
from support.expectations import assert_failure, assert_problem, assert_success
from support.http_client import check_request, read_answer
from support.waiting import wait_until

PORT = 8181


@pytest.fixture(scope="module")
def connectd(network, module_folder):
    rules = [{"action": "allow", "path": f"{module_folder}/*"}]
    policy = {**OPEN_CONFIGURATION["policy"], "rules": rules}
    with Connectd(network.a, {"policy": policy}, port=PORT) as running:
        yield running


@pytest.fixture
def talking(network):
    """Starts a TCP peer that runs a script on each connection; returns its target."""
    with contextlib.ExitStack() as stack:

        def start(script, address: str = net.OPEN) -> str:
            listener = peers.tcp_listener(network.b, address)
            stack.enter_context(peers.serving(listener, peers.on_each_connection(script)))
            return f"tcp://{address}:{listener.getsockname()[1]}"

        yield start


def says(*parts: bytes, pause: float = 0, then_stays: float = 3):
    """A script: sends these parts, with a pause between them, then waits for EOF."""

    def script(connection) -> None:
        for number, part in enumerate(parts):
            if number:
                time.sleep(pause)  # Tests of deadlines and packets need data that arrives later.
            connection.sendall(part)
        connection.settimeout(then_stays)
        while connection.recv(65536):
            pass

    return script


def shouts(connection) -> None:
    """A script: a greeting, then each line in capitals."""
    stream = connection.makefile("rwb")
    stream.write(b"220 mail.example ready\r\n")
    stream.flush()
    for line in stream:
        stream.write(line.upper())
        stream.flush()


def assert_dialog_failed(result: dict, name: str, step: int) -> dict:
    assert_failure(result, None, "dialog_failed", "target", phase="dialog", source="dialog", name=name)
    assert result["dialog"]["failed_step"] == step
    assert result["dialog"]["steps"][-1]["ok"] is False
    return result["dialog"]["steps"][-1]


def test_a_dialog_over_tcp_is_reported(api, talking):
    dialog = [
        {"expect": r"^220 (?<name>\S+)"},
        {"send": "ehlo ${name}\r\n"},
        {"expect": r"^EHLO MAIL\.EXAMPLE$"},
        {"send_hex": "71756974 0d0a".replace(" ", "")},
        {"expect_hex": "51554954"},
    ]
    result = api.check(talking(shouts), dialog=dialog)
    attempt = assert_success(result, "connected")
    assert attempt["peer"]["address"] == net.OPEN
    report = result["dialog"]
    assert report["failed_step"] is None
    assert report["groups"] == {"name": "mail.example"}
    assert [step["kind"] for step in report["steps"]] == ["expect", "send", "expect", "send_hex", "expect_hex"]
    assert [step["step"] for step in report["steps"]] == [0, 1, 2, 3, 4]
    assert all(step["ok"] for step in report["steps"])
    assert [step["bytes"] for step in report["steps"]] == [24, 19, 19, 6, 6]
    assert report["steps"][0]["received"] == "220 mail.example ready\\r\\n"
    assert "received" not in report["steps"][1]
    assert all("detail" not in step for step in report["steps"])


def test_a_dialog_works_over_ipv6_and_by_name(api, network, talking):
    dialog = [{"expect": "ready"}]
    assert_success(api.check(talking(shouts, net.OPEN6).replace(net.OPEN6, f"[{net.OPEN6}]"), dialog=dialog))


@pytest.mark.deadline
def test_the_duration_of_a_dialog_is_reported_separately(api, talking):
    result = api.check(talking(says(b"", b"late\n", pause=0.2)), dialog=[{"expect": "late"}])
    attempt = assert_success(result)
    assert result["timings_ms"]["dialog"] >= 190
    assert result["timings_ms"]["connect"] < 150 and attempt["duration_ms"] < 150
    assert result["dialog"]["steps"][0]["duration_ms"] >= 190
    assert result["timings_ms"]["total"] >= result["timings_ms"]["dialog"] + result["timings_ms"]["connect"] - 0.1


@pytest.mark.parametrize("pattern", [r"^250 OK$", r"250 OK", r"(?m)^250 OK$"])
def test_lines_are_matched_across_packets(api, talking, pattern):
    bytewise = [bytes([byte]) for byte in b"250-one\r\n250 OK\r\n"]
    result = api.check(talking(says(*bytewise, pause=0.01)), dialog=[{"expect": pattern}])
    assert_success(result)


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_every_kind_of_line_end_is_matched(api, talking, end):
    text = f"first{end}second{end}third{end}".encode()
    result = api.check(talking(says(text)), dialog=[{"expect": "^second$"}, {"expect": "^third$"}])
    assert_success(result)


def test_each_expect_searches_after_the_previous_match(api, talking):
    target = talking(says(b"a1 a2 a3 "))
    steps = [{"expect": r"a(?<n>\d) "}] * 3
    result = api.check(target, dialog=steps)
    assert_success(result)
    assert result["dialog"]["groups"] == {"n": "3"}
    result = api.check(target, dialog=[*steps, steps[0]], timeout_ms=300)
    # All bytes arrived during the first step, and none during this one.
    assert result["error"]["name"] == "DEADLINE" and result["dialog"]["failed_step"] == 3


def test_a_peer_that_does_not_answer_the_next_step_is_a_timeout(api, talking):
    """The greeting belongs to the step before."""
    steps = [{"expect": "^220 "}, {"send": "EHLO me\r\n"}, {"expect": "^250 "}]
    result = api.check(talking(says(b"220 hello\r\n")), dialog=steps, timeout_ms=300)
    assert (result["outcome"], result["phase"], result["error"]["name"]) == ("timeout", "dialog", "DEADLINE")
    assert result["error"]["fault"] == "target" and result["dialog"]["steps"][2]["received"] == ""


@pytest.mark.parametrize("pause", [0, 0.02])
def test_a_reject_sees_what_the_expect_matches(api, talking, pause):
    target = talking(says(b"75%,ma", b"int,do", b"wn\n", pause=pause))
    result = api.check(target, dialog=[{"reject": "down"}, {"expect": "^.*\n"}])
    assert_dialog_failed(result, "DIALOG_REJECTED", 0)


def test_a_caret_matches_after_bytes(api, talking):
    target = talking(says(b"\x00\x01OK ready\n"))
    assert_success(api.check(target, dialog=[{"expect_hex": "0001"}, {"expect": "^OK ready$"}]))


def test_bytes_are_matched_across_packets(api, talking):
    target = talking(says(b"\x00\x01\xde\xad", b"\xbe", b"\xef\xff", pause=0.05))
    result = api.check(target, dialog=[{"expect_hex": "DEADBEEF"}, {"expect_hex": "ff"}])
    assert_success(result)
    assert result["dialog"]["steps"][0]["received"].startswith("\\x00\\x01\\xDE\\xAD\\xBE")


@pytest.mark.deadline
def test_a_match_at_the_last_byte_counts_once_the_stream_is_quiet(api, talking):
    target = talking(says(b"number 12", b"34", pause=0.03))
    result = api.check(target, dialog=[{"expect": r"number (?<n>\d+)"}])
    assert_success(result)
    assert result["dialog"]["groups"] == {"n": "1234"}
    assert 100 <= result["timings_ms"]["dialog"] < 600


@pytest.mark.deadline
def test_a_match_at_the_last_byte_counts_at_the_peers_end_and_at_the_deadline(api, talking):
    started = time.monotonic()
    result = api.check(talking(lambda peer: peer.sendall(b"n 1")), dialog=[{"expect": r"n \d+"}])
    assert_success(result)
    assert time.monotonic() - started < 0.1 + 1
    result = api.check(talking(says(b"n 1")), dialog=[{"expect": r"n \d+"}], timeout_ms=60)
    assert_success(result)


def test_groups_are_inserted_into_sends(api, talking):
    heard = []

    def script(connection) -> None:
        connection.sendall(b"key=value;\n")
        heard.append(connection.recv(1000))
        connection.sendall(b"done\n")

    dialog = [
        {"expect": r"(?<key>\w+)=(\w+);(x)?"},
        {"send": "${key} ${1} ${2} ${3} ${0} $${key} $5 $"},
        {"expect": "done"},
    ]
    assert_success(api.check(talking(script), dialog=dialog))
    assert heard == [b"key key value  key=value; ${key} $5 $"]


def test_a_reference_uses_the_nearest_expect(api, talking):
    heard = []

    def script(connection) -> None:
        connection.sendall(b"one\ntwo\n")
        heard.append(connection.recv(1000))
        connection.sendall(b".\n")

    dialog = [{"expect": r"(?<a>\w+)\n"}, {"expect": r"(?<b>\w+)\n"}, {"send": "${a} ${b} ${1}"}, {"expect": r"\."}]
    assert_success(api.check(talking(script), dialog=dialog))
    assert heard == [b"one two two"]


@pytest.mark.deadline
def test_a_wrong_answer_is_a_mismatch_at_the_deadline(api, talking):
    result = api.check(talking(says(b"500 no\r\n")), dialog=[{"expect": "^220"}], timeout_ms=250)
    step = assert_dialog_failed(result, "DIALOG_MISMATCH", 0)
    assert (step["bytes"], step["received"]) == (8, "500 no\\r\\n")
    assert 240 <= result["timings_ms"]["total"] < 450
    assert result["attempts"][0]["peer"]["address"] == net.OPEN


def test_no_answer_is_a_timeout_of_the_target(api, talking):
    result = api.check(talking(says()), dialog=[{"expect": "^220"}], timeout_ms=250)
    assert_failure(result, None, "timeout", "target", phase="dialog", source="deadline", name="DEADLINE")
    assert result["dialog"]["failed_step"] == 0


@pytest.mark.deadline
def test_eof_is_dialog_closed(api, talking):
    def script(connection) -> None:
        connection.sendall(b"bye\n")

    result = api.check(talking(script), dialog=[{"expect": "welcome"}], timeout_ms=3000)
    assert assert_dialog_failed(result, "DIALOG_CLOSED", 0)["received"] == "bye\\n"
    assert result["timings_ms"]["total"] < 1000


def test_a_reset_keeps_its_own_class(api, talking):
    def script(connection) -> None:
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, peers.RESET)

    result = api.check(talking(script), dialog=[{"send": "x"}, {"expect": "y"}], timeout_ms=3000)
    assert_failure(result, errno.ECONNRESET, "reset", "target", phase="dialog")
    assert result["dialog"]["failed_step"] == 1


def test_received_bytes_are_shown_escaped_up_to_1_kib(api, talking):
    target = talking(says(b'\x00\x7f\xff\t\\"' + b"x" * 5000))
    result = api.check(target, dialog=[{"expect": "y"}], timeout_ms=250)
    step = assert_dialog_failed(result, "DIALOG_MISMATCH", 0)
    assert step["bytes"] == 5006
    assert step["received"] == '\\x00\\x7F\\xFF\\t\\\\"' + "x" * (1024 - 17)


@pytest.mark.deadline
def test_a_flood_ends_at_its_limit(api, talking):
    def script(connection) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"noise " * 10000)

    started = time.monotonic()
    result = api.check(talking(script), dialog=[{"expect": "signal"}], timeout_ms=500)
    assert_dialog_failed(result, "DIALOG_MISMATCH", 0)
    assert time.monotonic() - started < 1.5


def test_a_hostile_pattern_is_bounded_and_reported(api, talking):
    target = talking(says(b"a" * 5000 + b"!\n"))
    started = time.monotonic()
    result = api.check(target, dialog=[{"expect": r"(a+)+\d"}], timeout_ms=2000)
    assert_dialog_failed(result, "DIALOG_MISMATCH", 0)
    assert result["dialog"]["steps"][0].get("detail") or time.monotonic() - started >= 2
    assert api.get("/livez").status == 200


@pytest.mark.deadline
def test_a_peer_that_never_reads_is_a_timeout(api, network):
    def script(connection) -> None:
        connection.sendall(b"x" * 60000)
        time.sleep(0.7)  # It does not read until after the deadline.

    listener = peers.tcp_listener(network.b, net.OPEN)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    target = f"tcp://{net.OPEN}:{listener.getsockname()[1]}"
    # A group of 60 KB, sent again and again: more than the buffers of both sides.
    dialog = [{"expect": "x{60000}"}] + [{"send": "${0}" * 16}] * 63
    with peers.serving(listener, peers.on_each_connection(script)):
        result = api.check(target, dialog=dialog, timeout_ms=500)
    assert (result["outcome"], result["error"]["name"]) == ("timeout", "DEADLINE")
    step = result["dialog"]["steps"][result["dialog"]["failed_step"]]
    assert step["kind"] == "send" and step["bytes"] < 960_000
    assert result["timings_ms"]["total"] < 800


def test_a_dialog_that_only_sends_is_done_at_once(api, network):
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        result = api.check(f"tcp://{net.OPEN}:{listener.getsockname()[1]}", dialog=[{"send": "hello"}])
        assert_success(result)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(3)
            assert connection.recv(100) == b"hello"
            assert connection.recv(100) == b"", "and then the end"


def test_closing_with_a_reset_works_after_a_dialog(api, network):
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        target = f"tcp://{net.OPEN}:{listener.getsockname()[1]}"
        assert_success(api.check(target, dialog=[{"send": ""}], socket={"close": "rst"}))
        assert peers.end_seen_by(listener) == "rst"


def test_without_a_connection_there_is_no_dialog(api):
    result = api.check(f"tcp://{net.OPEN}:9", dialog=[{"send": "x"}])
    assert_failure(result, 111, "refused", "target")
    assert "dialog" not in result
    assert result["timings_ms"]["dialog"] == 0


def test_a_client_that_disconnects_cancels_the_dialog(connectd, talking):
    target = talking(says())
    established = f"{struct.unpack('<I', socket.inet_aton(net.OPEN))[0]:08X}:{int(target.rsplit(':', 1)[1]):04X}"
    with connectd.unix.connect() as connection:
        connection.sendall(check_request(target, dialog=[{"expect": "x"}], timeout_ms=20000))
        wait_until(lambda: established in connectd.sockets(ESTABLISHED), 30, "the check is connected")
    wait_until(lambda: established not in connectd.sockets(ESTABLISHED), 30, "the check of the client that left is over")


# UNIX-domain sockets.


@pytest.mark.parametrize("kind,scheme", [(socket.SOCK_STREAM, "unix"), (socket.SOCK_SEQPACKET, "unix+seqpacket")])
def test_a_dialog_works_over_a_unix_socket(api, module_folder, kind, scheme):
    path = f"{module_folder}/{scheme}"

    def script(connection) -> None:
        connection.sendall(b"hello 7\n")
        connection.sendall(connection.recv(1000).upper())

    with peers.serving(peers.unix_listener(path, kind), peers.on_each_connection(script)):
        dialog = [{"expect": r"^hello (\d+)$"}, {"send": "bye ${1}\n"}, {"expect": "^BYE 7$"}]
        result = api.check(f"{scheme}:{path}", dialog=dialog)
    attempt = assert_success(result)
    assert attempt["peer_credentials"]["pid"] == os.getpid()
    assert result["dialog"]["failed_step"] is None


def test_seqpacket_messages_are_matched_separately(api, module_folder):
    path = f"{module_folder}/messages"
    heard = []

    def script(connection) -> None:
        heard.extend([connection.recv(1000), connection.recv(1000)])
        connection.sendall(b"ok")

    with peers.serving(peers.unix_listener(path, socket.SOCK_SEQPACKET), peers.on_each_connection(script)):
        dialog = [{"send": "one"}, {"send": "two"}, {"expect": "ok"}]
        assert_success(api.check(f"unix+seqpacket:{path}", dialog=dialog))
    assert heard == [b"one", b"two"]


def test_a_datagram_over_a_unix_socket_is_only_sent(api, module_folder):
    path = f"{module_folder}/datagrams"
    with peers.unix_listener(path, socket.SOCK_DGRAM) as peer:
        result = api.check(f"unix+dgram:{path}", dialog=[{"send": "one"}, {"send_hex": ""}, {"send": "three"}])
        assert_success(result, "associated")
        peer.settimeout(2)
        assert [peer.recv(100), peer.recv(100), peer.recv(100)] == [b"one", b"", b"three"]


def test_an_abstract_peer_that_closes_is_dialog_closed(api, network):
    name = f"connectd-e2e-{os.getpid()}"
    rules = [{"action": "allow", "path": f"@{name}"}]
    listener = network.a.socket(socket.AF_UNIX)
    listener.bind("\0" + name)
    listener.listen()
    with (
        Connectd(network.a, {"policy": {**OPEN_CONFIGURATION["policy"], "rules": rules}}, port=PORT + 1) as connectd,
        peers.serving(listener, peers.on_each_connection(lambda connection: None)),
    ):
        result = connectd.client.check(f"unix:@{name}", dialog=[{"expect": "x"}], timeout_ms=2000)
    assert_dialog_failed(result, "DIALOG_CLOSED", 0)


# The policy.


@pytest.mark.parametrize("dialogs", ["none", "configured"])
def test_a_dialog_over_tcp_needs_permission_from_the_policy(network, dialogs):
    policy = {"profile": "internal", "dialogs": dialogs}
    with Connectd(network.a, {"policy": policy}, port=PORT + 1) as connectd:
        answer = connectd.client.post_check(f"tcp://{net.OPEN}:9", dialog=[{"send": "x"}])
        assert_problem(answer, 403, "/dialog")
        assert connectd.client.check(f"tcp://{net.OPEN}:9")["outcome"] == "refused"


# TCP Fast Open.


@pytest.fixture
def fast_open(network):
    with network.a.setting("net.ipv4.tcp_fastopen", 1), network.b.setting("net.ipv4.tcp_fastopen", 3):
        yield


def test_the_first_bytes_are_sent_with_the_syn(api, network, fast_open):
    heard = []

    def script(connection) -> None:
        heard.append(connection.recv(100))
        connection.sendall(heard[-1].upper())

    listener = peers.tcp_listener(network.b, net.OPEN)
    listener.setsockopt(socket.IPPROTO_TCP, net.FASTOPEN, 16)
    target = f"tcp://{net.OPEN}:{listener.getsockname()[1]}"
    dialog = [{"send": "hello $${x}\n"}, {"expect": r"^HELLO \$\{X\}$"}]
    with peers.serving(listener, peers.on_each_connection(script)):
        before = net.counter(network.a, "TCPFastOpenActive")
        for _ in range(3):
            assert_success(api.check(target, dialog=dialog, socket={"tcp_fast_open": True}))
        assert net.counter(network.a, "TCPFastOpenActive") >= before + 2, "no SYN carried bytes"
    assert heard == [b"hello ${x}\n"] * 3, "each byte once"
    # With a cookie, the kernel reports success before it has sent the SYN. Nothing listens there.
    result = api.check(target, dialog=dialog, socket={"tcp_fast_open": True})
    assert_failure(result, 111, "refused", "target")


@pytest.mark.parametrize("close", ["fin", "rst"])
def test_fast_open_works_with_a_peer_without_it(api, network, talking, close):
    options = {"tcp_fast_open": True, "close": close}
    dialog = [{"send": "quiet\n"}, {"expect": "^QUIET$"}]
    for _ in range(2):
        assert_success(api.check(talking(shouts), dialog=dialog, socket=options))


def test_fast_open_to_a_silent_peer_is_a_timeout(api, fast_open):
    dialog = [{"send": "x"}, {"expect": "y"}]
    result = api.check(f"tcp://{net.DROPPED}:80", dialog=dialog, socket={"tcp_fast_open": True}, timeout_ms=250)
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")


@pytest.mark.parametrize("dialog", [[{"send": "x"}, {"expect": "x"}]])
def test_fast_open_is_ignored_for_udp(api, network, dialog):
    with peers.serving(peers.udp_socket(network.b, net.OPEN), peers.echo_datagram) as peer:
        target = f"udp://{net.OPEN}:{peer.getsockname()[1]}"
        result = api.check(target, dialog=dialog, socket={"tcp_fast_open": True})
    assert_success(result, "answered")
    assert [step["bytes"] for step in result["dialog"]["steps"]] == [1, 1]


def test_a_probe_has_no_dialog(api):
    assert_problem(api.get("/v1/probe?target=127.0.0.1:9&dialog=x"), 400, "/dialog")


@pytest.mark.deadline
def test_the_service_answers_others_while_dialogs_wait(connectd, talking):
    target = talking(says())
    waiting = []
    for _ in range(20):
        connection = connectd.unix.connect()
        connection.sendall(check_request(target, dialog=[{"expect": "x"}], timeout_ms=5000))
        waiting.append(connection)
    started = time.monotonic()
    assert connectd.client.check(f"tcp://{net.OPEN}:9")["outcome"] == "refused"
    assert time.monotonic() - started < 0.5
    for connection in waiting:
        connection.close()


def test_responses_of_one_connection_stay_in_order(connectd, talking):
    """A dialog that waits and a check that does not, pipelined on one connection."""
    target = talking(says(b"", b"late\n", pause=0.2))
    requests = [check_request(target, dialog=[{"expect": "late"}], id="1"), check_request("127.0.0.1:9", id="2")]
    with connectd.unix.connect() as connection:
        for request in requests:
            connection.sendall(request)
        connection.settimeout(5)
        stream = connection.makefile("rb")
        assert [read_answer(stream).json["id"] for _ in requests] == ["1", "2"]
