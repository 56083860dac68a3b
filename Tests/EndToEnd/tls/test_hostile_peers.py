"""Peers that break TLS in every way: each check ends, at once or at its deadline, and delays no other."""

import contextlib
import socket
import threading
import time

import pytest

from support import network as net
from support import tls_peers as evil
from support.certificates import HOST
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_failure, assert_success
from support.http_client import check_request
from support.tls_expectations import assert_alert, assert_tls_failure, assert_verified

PORT = 8221
DEADLINE = 400  # milliseconds, for checks that only the deadline ends


@pytest.fixture(scope="module")
def connectd(network, authorities):
    configuration = {**OPEN_CONFIGURATION, "workers": 1, "authorities": {"tests": {"file": "tests.pem"}}}
    with Connectd(network.a, configuration, port=PORT, files={"tests.pem": authorities.root_pem}) as running:
        yield running


@pytest.fixture(autouse=True)
def no_descriptor_is_left(connectd):
    connectd.client.get("/livez")
    before = len(connectd.open_descriptors())
    yield
    connectd.wait_for_descriptors(before)


@pytest.fixture
def meeting(network):
    """Starts a peer that reads a ClientHello and then runs a script; gives its port."""
    with contextlib.ExitStack() as stack:

        def start(script) -> int:
            return stack.enter_context(evil.listening(network.b, script))

        yield start


def check(api, port: int, timeout_ms: int = 5000, dialog: list | None = None, **tls) -> dict:
    members = {} if dialog is None else {"dialog": dialog}
    options = {"server_name": HOST, "ca": "tests", **tls}
    return api.check(f"tcp://{net.OPEN}:{port}", tls=options, timeout_ms=timeout_ms, **members)


def after_the_hello(act):
    """A script that reads the ClientHello, acts, and waits for EOF."""

    def script(connection: socket.socket) -> None:
        evil.read_record(connection)
        act(connection)
        evil.end_in_good_order(connection)

    return script


def answers(data: bytes, stays: bool = True):
    """Sends this instead of a ServerHello; then waits for EOF, or closes."""

    def act(connection: socket.socket) -> None:
        connection.sendall(data)
        if stays:
            evil.until_the_end(connection)

    return after_the_hello(act)


# Peers that fail at once.

UNKNOWN_CIPHER = evil.record(evil.HANDSHAKE, evil.server_hello(cipher=0x1301))
RC4 = evil.record(evil.HANDSHAKE, evil.server_hello(cipher=0x0005))
NULL = evil.record(evil.HANDSHAKE, evil.server_hello(cipher=0x003B))
DOWNGRADE = evil.record(evil.HANDSHAKE, evil.server_hello(random=b"r" * 24 + b"DOWNGRD\x01"))
OLDER = evil.record(evil.HANDSHAKE, evil.server_hello(version=0x0302, cipher=0xC009))
GIANT_MESSAGE = evil.record(evil.HANDSHAKE, evil.message(2, b"", claimed=0xFFFFFF))
SECURE_HELLO = evil.server_hello(extensions=evil.SECURE_RENEGOTIATION)
INSECURE = evil.record(evil.HANDSHAKE, evil.server_hello())
GIANT_CERTIFICATE = evil.record(evil.HANDSHAKE, SECURE_HELLO) + evil.record(
    evil.HANDSHAKE, evil.message(11, b"\xff\xff\xff" + b"c" * 4096, claimed=0xFFFFFF)
)
TRUNCATED_HELLO = evil.record(evil.HANDSHAKE, evil.message(2, b"\x03\x03" + b"r" * 10))
BAD_EXTENSION = evil.record(evil.HANDSHAKE, evil.server_hello(extensions=b"\xff\x01\x00\x09\x00"))
UNASKED_EXTENSION = evil.record(
    evil.HANDSHAKE, evil.server_hello(extensions=b"\x00\x10\x00\x05\x00\x03\x02h2" + evil.SECURE_RENEGOTIATION)
)
HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
SSLV2 = b"\x80\x2e\x04\x00\x01\x00\x02\x00\x10\x00\x00\x00\x10" + b"s" * 40

BAD_MESSAGE = ("unexpected_message", "prober")
# name: (bytes that are sent, verdict, (alert, its sender) or None)
AT_ONCE = {
    "plain HTTP": (HTTP, "TLS_NOT_TLS", None),
    "SSH": (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "TLS_NOT_TLS", None),
    "SMTP": (b"220 mail.example.test ESMTP\r\n", "TLS_NOT_TLS", None),
    "garbage": (bytes(range(200, 256)) * 4, "TLS_NOT_TLS", None),
    "zeros": (bytes(64), "TLS_NOT_TLS", None),
    "SSLv2": (SSLV2, "TLS_NOT_TLS", None),
    "a record of version 5.5": (evil.record(evil.HANDSHAKE, b"\x02\0\0\0", 0x0505), "TLS_NOT_TLS", None),
    "a record too long": (b"\x16\x03\x03\xff\xff" + b"x" * 100, "TLS_PROTOCOL", ("record_overflow", "prober")),
    "a giant message": (GIANT_MESSAGE, "TLS_PROTOCOL", ("illegal_parameter", "prober")),
    "a giant certificate": (GIANT_CERTIFICATE, "TLS_PROTOCOL", ("illegal_parameter", "prober")),
    "a cipher that was not offered": (UNKNOWN_CIPHER, "TLS_NO_SHARED_CIPHER", ("illegal_parameter", "prober")),
    "RC4": (RC4, "TLS_NO_SHARED_CIPHER", ("illegal_parameter", "prober")),
    "a null cipher": (NULL, "TLS_NO_SHARED_CIPHER", ("illegal_parameter", "prober")),
    "no secure renegotiation": (INSECURE, "TLS_PROTOCOL", ("handshake_failure", "prober")),
    "a downgrade": (DOWNGRADE, "TLS_PROTOCOL", ("illegal_parameter", "prober")),
    "TLS 1.1": (OLDER, "TLS_VERSION", ("protocol_version", "prober")),
    "a ServerHello cut short": (TRUNCATED_HELLO, "TLS_PROTOCOL", ("decode_error", "prober")),
    "an extension cut short": (BAD_EXTENSION, "TLS_PROTOCOL", ("decode_error", "prober")),
    "an extension that was not requested": (UNASKED_EXTENSION, "TLS_PROTOCOL", ("unsupported_extension", "prober")),
    "application data": (evil.record(evil.APPLICATION_DATA, b"x" * 40), "TLS_PROTOCOL", BAD_MESSAGE),
    "a heartbeat": (evil.record(evil.HEARTBEAT, b"\x01\x40\x00"), "TLS_PROTOCOL", BAD_MESSAGE),
    "a Finished": (evil.record(evil.HANDSHAKE, evil.message(20, b"f" * 12)), "TLS_PROTOCOL", BAD_MESSAGE),
    "a ChangeCipherSpec": (evil.record(evil.CHANGE_CIPHER_SPEC, b"\x01"), "TLS_PROTOCOL", BAD_MESSAGE),
    "an alert of no meaning": (evil.record(evil.ALERT, b"\x02"), "TLS_PROTOCOL", None),
}


@pytest.mark.deadline
@pytest.mark.parametrize("mode", AT_ONCE)
def test_hostile_peers_fail_at_once(api, meeting, mode):
    said, verdict, alert = AT_ONCE[mode]
    started = time.monotonic()
    error = assert_tls_failure(check(api, meeting(answers(said))), verdict)
    assert time.monotonic() - started < 1
    if alert is not None:
        assert_alert(error, *alert)
    if verdict == "TLS_NOT_TLS":
        assert error["received"], error


def test_bytes_that_are_not_tls_are_shown_escaped(api, meeting):
    result = check(api, meeting(answers(HTTP)))
    assert result["error"]["received"] == "HTTP/1.1 400 Bad Request\\r\\nContent-Length: 0\\r\\n\\r\\n"
    result = check(api, meeting(answers(b'\x00\xff"\\ ' + b"z" * 5000)))
    assert result["error"]["received"].startswith('\\x00\\xFF"\\\\ zzz')
    assert len(result["error"]["received"]) < 1100


def test_bytes_that_are_not_tls_are_shown_from_the_first_byte(api, meeting):
    """The first byte came alone, and could have begun a record."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"\x16")
        time.sleep(0.1)  # Two packets.
        connection.sendall(b"no TLS")
        evil.until_the_end(connection)

    error = assert_tls_failure(check(api, meeting(script)), "TLS_NOT_TLS")
    assert error["received"] == "\\x16no TLS"


def test_a_peer_with_a_plain_greeting_is_not_tls(api, meeting):
    """Its greeting may be there before the ClientHello has left."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 ftp.example.test ready\r\n")
        evil.until_the_end(connection)

    error = assert_tls_failure(check(api, meeting(script)), "TLS_NOT_TLS")
    assert error["received"].startswith("220 ftp.example.test ready")


def test_an_echoing_peer_is_a_tls_failure(api, meeting):
    def script(connection: socket.socket) -> None:
        while data := connection.recv(4096):
            connection.sendall(data)

    error = assert_tls_failure(check(api, meeting(script)), "TLS_PROTOCOL")
    assert_alert(error, "unexpected_message", "prober")


@pytest.mark.parametrize(
    "code,name,verdict",
    [
        (0, "close_notify", "TLS_CLOSED"),
        (10, "unexpected_message", "TLS_ALERT"),
        (20, "bad_record_mac", "TLS_ALERT"),
        (22, "record_overflow", "TLS_ALERT"),
        (40, "handshake_failure", "TLS_NO_SHARED_CIPHER"),
        (42, "bad_certificate", "TLS_ALERT"),
        (47, "illegal_parameter", "TLS_ALERT"),
        (48, "unknown_ca", "TLS_ALERT"),
        (49, "access_denied", "TLS_ALERT"),
        (50, "decode_error", "TLS_ALERT"),
        (51, "decrypt_error", "TLS_ALERT"),
        (70, "protocol_version", "TLS_VERSION"),
        (71, "insufficient_security", "TLS_NO_SHARED_CIPHER"),
        (80, "internal_error", "TLS_ALERT"),
        (86, "inappropriate_fallback", "TLS_ALERT"),
        (90, "user_canceled", "TLS_ALERT"),
        (109, "missing_extension", "TLS_ALERT"),
        (110, "unsupported_extension", "TLS_ALERT"),
        (112, "unrecognized_name", "TLS_ALERT"),
        (116, "certificate_required", "TLS_CLIENT_CERT_REQUIRED"),
        (120, "no_application_protocol", "TLS_ALPN"),
        (255, "alert_255", "TLS_ALERT"),
    ],
)
def test_each_fatal_alert_is_reported(api, meeting, code, name, verdict):
    level = 1 if code == 0 else 2
    result = check(api, meeting(answers(evil.alert(level, code), stays=False)))
    fault = "request" if verdict == "TLS_CLIENT_CERT_REQUIRED" else "target"
    error = assert_tls_failure(result, verdict, fault)
    if code != 0:
        assert_alert(error, name, "peer")
        assert (result["tls"]["alert"], result["tls"]["alert_from"]) == (name, "peer")


def test_an_alert_followed_by_a_reset_is_tls_alert(api, meeting):
    def act(connection: socket.socket) -> None:
        connection.sendall(evil.alert(2, 112))
        time.sleep(0.1)  # The alert is read before the reset comes.
        evil.end_with_a_reset(connection)

    def script(connection: socket.socket) -> None:
        evil.read_record(connection)
        act(connection)

    error = assert_tls_failure(check(api, meeting(script)), "TLS_ALERT")
    assert_alert(error, "unrecognized_name", "peer")


def test_eof_after_the_hello_is_tls_closed(api, meeting):
    error = assert_tls_failure(check(api, meeting(after_the_hello(lambda connection: None))), "TLS_CLOSED")
    assert "alert" not in error


@pytest.mark.deadline
def test_a_half_close_is_tls_closed(api, meeting):
    def act(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)
        evil.until_the_end(connection)

    started = time.monotonic()
    assert_tls_failure(check(api, meeting(after_the_hello(act))), "TLS_CLOSED")
    assert time.monotonic() - started < 1


def test_a_reset_after_the_hello_is_reset(api, meeting):
    def script(connection: socket.socket) -> None:
        evil.read_record(connection)
        evil.end_with_a_reset(connection)

    result = check(api, meeting(script))
    assert_failure(result, 104, "reset", "target", phase="tls")


# Each byte of a real first flight.


def counts(length: int) -> list[int]:
    """Counted from the front; the last ones from the end, because the length of a signature varies by a few bytes."""
    return [*range(160), *range(160, length - 16, 37), -1]


@pytest.mark.deadline
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_eof_after_each_byte_of_the_first_flight_is_a_failure(api, authorities, meeting, version, end):
    context = evil.server_context(authorities.good, lowest=version, highest=version)
    state = {"count": 0, "length": 0}

    def script(connection: socket.socket) -> None:
        flight = evil.first_flight(context, connection)
        state["length"] = len(flight)
        connection.sendall(flight[: state["count"]])
        if end == "close":
            evil.end_in_good_order(connection)
        else:
            evil.end_with_a_reset(connection)

    port = meeting(script)
    check(api, port)
    assert state["length"] > 500
    for count in counts(state["length"]):
        state["count"] = count
        started = time.monotonic()
        result = check(api, port)
        assert time.monotonic() - started < 1, count
        try:
            if end == "close":
                assert_tls_failure(result, "TLS_CLOSED")
            else:
                assert_failure(result, 104, "reset", "target", phase="tls")
        except AssertionError as error:
            raise AssertionError(f"after {count} of {state['length']} bytes") from error


# Peers that end at the deadline.


def drips(context):
    def act(connection: socket.socket) -> None:
        for byte in evil.first_flight(context, connection):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)  # Each byte is a packet of its own, and each comes in time.

    return act


def stops_after(context, count: int):
    def act(connection: socket.socket) -> None:
        connection.sendall(evil.first_flight(context, connection)[:count])
        evil.until_the_end(connection)

    return act


def silent(connection: socket.socket) -> None:
    evil.until_the_end(connection)


@pytest.mark.deadline
@pytest.mark.parametrize("mode", ["silent", "drip", "one byte", "half a record", "one record", "all but one byte"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_silent_and_slow_peers_end_at_the_deadline(api, authorities, meeting, mode, version):
    context = evil.server_context(authorities.good, lowest=version, highest=version)
    script = {
        "silent": silent,
        "drip": drips(context),
        "one byte": stops_after(context, 1),
        "half a record": stops_after(context, 40),
        "one record": stops_after(context, {"1.2": 5 + 4, "1.3": 127}[version]),
        "all but one byte": stops_after(context, -1),
    }[mode]
    assert_deadline(check(api, meeting(script), timeout_ms=DEADLINE))


def assert_deadline(result: dict, phase: str = "tls") -> None:
    assert_failure(result, None, "timeout", "target", phase=phase, source="deadline", name="DEADLINE")
    assert DEADLINE - 1 <= result["timings_ms"]["total"] < DEADLINE + 250


@pytest.mark.deadline
def test_a_peer_that_never_accepts_is_a_timeout(api, network):
    """The kernel completes the TCP handshake; the peer never accepts the connection."""
    with evil.peers.tcp_listener(network.b, net.OPEN) as listener:
        assert_deadline(check(api, listener.getsockname()[1], timeout_ms=DEADLINE))


# Floods. Each continues as fast as it is read.

HELLO_REQUEST = evil.record(evil.HANDSHAKE, evil.message(0, b""))
# name: (what is repeated, verdict)
FLOODS = {
    "HelloRequests": (HELLO_REQUEST, "TLS_PROTOCOL"),
    "HelloRequests in one record": (evil.record(evil.HANDSHAKE, evil.message(0, b"") * 4000), "TLS_PROTOCOL"),
    "warning alerts": (evil.alert(1, 112), "TLS_PROTOCOL"),
    "user_canceled": (evil.alert(1, 90), "TLS_PROTOCOL"),
    "empty handshake records": (evil.record(evil.HANDSHAKE, b""), "TLS_PROTOCOL"),
    "empty alerts": (evil.record(evil.ALERT, b""), "TLS_PROTOCOL"),
    "ServerHellos": (UNKNOWN_CIPHER, "TLS_NO_SHARED_CIPHER"),
    "a message of 100 KB without an end": (
        evil.record(evil.HANDSHAKE, SECURE_HELLO + evil.message(11, b"", claimed=100_000)),
        "TLS_PROTOCOL",
    ),
}


def flood(data: bytes):
    def script(connection: socket.socket) -> None:
        evil.read_record(connection)
        evil.repeat(connection, data)

    return script


def latencies(connectd, until: threading.Event) -> list[float]:
    """The latency of other requests: a health check, and a check that is refused at once."""
    taken = []
    while not until.is_set() or len(taken) < 4:
        for ask in (lambda: connectd.client.get("/livez"), lambda: connectd.client.check(f"tcp://{net.OPEN}:9")):
            started = time.monotonic()
            ask()
            taken.append(time.monotonic() - started)
        time.sleep(0.005)  # The pace of the other requests.
    return sorted(taken)


def assert_others_are_served(connectd, run) -> dict:
    """Runs a check in a thread. The only worker must answer other requests in the meantime. Returns the check's result."""
    results, done = [], threading.Event()

    def check_it() -> None:
        try:
            results.append(run())
        finally:
            done.set()

    thread = threading.Thread(target=check_it)
    thread.start()
    taken = latencies(connectd, done)
    thread.join()
    assert taken[len(taken) // 2] < 0.2, taken
    assert taken[-1] < 0.4, taken
    return results[0]


@pytest.mark.deadline
@pytest.mark.parametrize("mode", FLOODS)
def test_a_flood_ends_and_delays_no_other_request(connectd, meeting, mode):
    data, verdict = FLOODS[mode]
    port = meeting(flood(data))
    before = connectd.processor_seconds()
    result = assert_others_are_served(connectd, lambda: check(connectd.client, port, timeout_ms=DEADLINE))
    if verdict == "DEADLINE":
        assert_deadline(result)
    else:
        assert_tls_failure(result, verdict)
        assert result["timings_ms"]["total"] < DEADLINE - 50
    assert connectd.processor_seconds() - before < 3


def test_handshake_records_of_one_byte_each_are_tls(api, authorities, meeting):
    """RFC 5246, 6.2.1 allows fragments of any size; the handshake succeeds."""
    context = evil.server_context(authorities.good, lowest="1.2", highest="1.2")

    def script(connection: socket.socket) -> None:
        server = evil.MemoryServer(context)
        connection.sendall(evil.one_byte_records(server.answer(evil.read_record(connection))))
        while True:
            connection.sendall(server.answer(evil.read_record(connection)))

    assert_verified(check(api, meeting(script)), authorities.good)


# After a successful handshake.

WAITS = [{"expect": "^never$"}]


@pytest.mark.deadline
def test_too_many_session_tickets_fail(connectd, authorities, meeting):
    port = meeting(evil.tls(evil.server_context(authorities.good, tickets=3000)))
    assert_verified(check(connectd.client, port), authorities.good)
    result = assert_others_are_served(connectd, lambda: check(connectd.client, port, timeout_ms=DEADLINE, dialog=WAITS))
    assert_failure(result, None, "tls_failed", "target", phase="dialog", source="tls", name="TLS_PROTOCOL")
    # Some more than usual are allowed.
    port = meeting(evil.tls(evil.server_context(authorities.good, tickets=20)))
    assert_deadline(check(connectd.client, port, timeout_ms=DEADLINE, dialog=WAITS), phase="dialog")


def command_flood(process, command: bytes, seconds: float = 3):
    """Writes an s_server command repeatedly, in a thread, starting after the handshake."""
    stop = threading.Event()

    def loop() -> None:
        time.sleep(0.1)  # Until the handshake is done: the server does not report it.
        limit = time.monotonic() + seconds
        while not stop.is_set() and time.monotonic() < limit:
            with contextlib.suppress(OSError):
                process.stdin.write(command)
            time.sleep(0.001)  # Others run, too.

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return stop, thread


@pytest.mark.deadline
@pytest.mark.parametrize(
    "version,command", [("-tls1_3", b"K\n"), ("-tls1_3", b"k\n"), ("-tls1_2", b"r\n"), ("-tls1_2", b"R\n")]
)
def test_endless_key_updates_and_renegotiations_end(connectd, authorities, network, version, command):
    """What s_server sends after the handshake: KeyUpdate, asking for one back or not; HelloRequest."""
    with evil.openssl_server(network.b, authorities.good, version) as (port, process):
        stop, thread = command_flood(process, command)
        try:
            result = assert_others_are_served(
                connectd, lambda: check(connectd.client, port, timeout_ms=DEADLINE, dialog=WAITS)
            )
        finally:
            stop.set()
            thread.join()
    assert result["tls"]["verified"] is True, result
    if version == "-tls1_3":
        assert_deadline(result, phase="dialog")
    else:
        # connectd sends no_renegotiation (RFC 5246, 7.4.1.1), and the server does not accept that.
        assert_failure(result, None, "tls_failed", "target", phase="dialog", source="tls", name="TLS_ALERT")
        assert_alert(result["error"], "handshake_failure", "peer")


@pytest.mark.deadline
def test_plaintext_after_the_handshake_fails(api, authorities, meeting):
    context = evil.server_context(authorities.good)

    def script(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            with socket.socket(fileno=socket.dup(inside.fileno())) as raw:
                raw.sendall(b"SSH-2.0-oops\r\n" * 4)
                raw.settimeout(2)
                with contextlib.suppress(OSError):
                    while raw.recv(4096):
                        pass

    result = check(api, meeting(script), timeout_ms=2000, dialog=WAITS)
    assert result["ok"] is False
    assert result["outcome"] in ("tls_failed", "dialog_failed"), result
    assert result["timings_ms"]["total"] < 1500


def test_a_close_notify_after_the_handshake_is_a_success(api, authorities, meeting):
    port = meeting(evil.tls(evil.server_context(authorities.good), lambda inside: inside.unwrap()))
    assert_verified(check(api, port), authorities.good)


@pytest.mark.deadline
def test_a_flood_of_application_data_is_a_mismatch(connectd, authorities, meeting):
    def script(inside) -> None:
        evil.repeat(inside, b"noise " * 1000)

    port = meeting(evil.tls(evil.server_context(authorities.good), script))
    result = assert_others_are_served(connectd, lambda: check(connectd.client, port, timeout_ms=DEADLINE, dialog=WAITS))
    assert_failure(result, None, "dialog_failed", "target", phase="dialog", source="dialog", name="DIALOG_MISMATCH")
    assert result["timings_ms"]["total"] < DEADLINE + 250


@pytest.mark.deadline
def test_many_silent_peers_delay_no_other_request(connectd, network, authorities):
    with evil.peers.tcp_listener(network.b, net.OPEN, backlog=200) as listener:
        port = listener.getsockname()[1]
        threads = [
            threading.Thread(target=check, args=(connectd.client, port), kwargs={"timeout_ms": 1500}) for _ in range(50)
        ]
        for thread in threads:
            thread.start()
        done = threading.Event()
        done.set()
        taken = latencies(connectd, done)
        for thread in threads:
            thread.join()
    assert taken[len(taken) // 2] < 0.3, taken


def test_a_client_that_disconnects_cancels_the_handshake(connectd, network):
    with evil.peers.tcp_listener(network.b, net.OPEN) as listener:
        port = listener.getsockname()[1]
        with connectd.unix.connect() as connection:
            connection.sendall(check_request(f"tls://{net.OPEN}:{port}", timeout_ms=20000))
            peer, _ = listener.accept()
            peer.settimeout(3)
            assert evil.read_record(peer)[0] == evil.HANDSHAKE
        with peer:
            # The check ends with its client, before its deadline.
            with contextlib.suppress(ConnectionResetError):
                assert peer.recv(100) == b""


def test_the_service_still_works(api, authorities, meeting):
    port = meeting(evil.tls(evil.server_context(authorities.good)))
    assert_verified(check(api, port), authorities.good)
    assert_success(api.check(f"tcp://{net.OPEN}:{port}"))
