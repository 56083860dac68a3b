"""Dialogs and TLS: after a handshake, around a `starttls` step, and `reject`."""

import contextlib
import socket
import time

import pytest

from support import network as net
from support import tls_peers
from support.certificates import HOST
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_failure, assert_success
from support.tls_expectations import assert_report, assert_tls_failure, assert_verified

PORT = 8241
TLS = {"server_name": HOST, "ca": "tests"}


@pytest.fixture(scope="module")
def connectd(network, authorities):
    configuration = {**OPEN_CONFIGURATION, "authorities": {"tests": {"file": "tests.pem"}}}
    with Connectd(network.a, configuration, port=PORT, files={"tests.pem": authorities.root_pem}) as running:
        yield running


@pytest.fixture
def talking(network):
    with contextlib.ExitStack() as stack:

        def start(script) -> str:
            return f"tcp://{net.OPEN}:{stack.enter_context(tls_peers.listening(network.b, script))}"

        yield start


@pytest.fixture
def context(authorities):
    return tls_peers.server_context(authorities.good)


def assert_dialog_failed(result: dict, name: str, step: int) -> dict:
    assert_failure(result, None, "dialog_failed", "target", phase="dialog", source="dialog", name=name)
    assert result["dialog"]["failed_step"] == step
    failed = next(item for item in result["dialog"]["steps"] if item["step"] == step)
    assert failed["ok"] is False
    return failed


def says(*parts: bytes, pause: float = 0.0):
    def script(inside) -> None:
        for number, part in enumerate(parts):
            if number:
                time.sleep(pause)  # Each part is a record and a packet of its own.
            inside.sendall(part)
        tls_peers.until_the_end(inside)

    return script


def shouts(inside) -> None:
    inside.sendall(b"220 mail.example ready\r\n")
    while data := inside.recv(4096):
        inside.sendall(data.upper())


# After a handshake.


def test_a_dialog_runs_inside_tls(api, authorities, talking, context):
    dialog = [
        {"expect": r"^220 (?<name>\S+)"},
        {"send": "ehlo ${name}\r\n"},
        {"expect": r"^EHLO MAIL\.EXAMPLE$"},
        {"send_hex": "717569740d0a"},
        {"expect_hex": "51554954"},
    ]
    result = api.check(talking(tls_peers.tls(context, shouts)), tls=TLS, dialog=dialog)
    assert_verified(result, authorities.good)
    report = result["dialog"]
    assert (report["failed_step"], report["groups"]) == (None, {"name": "mail.example"})
    assert [step["bytes"] for step in report["steps"]] == [24, 19, 19, 6, 6]
    assert report["steps"][0]["received"] == "220 mail.example ready\\r\\n"
    assert all(step["ok"] for step in report["steps"])
    assert result["timings_ms"]["tls"] > 0


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_lines_are_matched_across_records(api, authorities, talking, version):
    context = tls_peers.server_context(authorities.good, lowest=version, highest=version)
    bytewise = [bytes([byte]) for byte in b"250-one\r\n250 OK\r\n"]
    script = tls_peers.tls(context, says(*bytewise, pause=0.005))
    assert_success(api.check(talking(script), tls=TLS, dialog=[{"expect": "^250 OK$"}]))


def test_data_in_the_last_handshake_packet_is_read(api, talking, context):
    """Application data right after the server's Finished."""
    for _ in range(5):
        result = api.check(talking(tls_peers.tls(context, says(b"hello\n"))), tls=TLS, dialog=[{"expect": "^hello$"}])
        assert_success(result)


def test_a_large_send_arrives(api, talking, context):
    heard = []

    def script(inside) -> None:
        inside.sendall(b"x" * 16000 + b"\n")
        data = b""
        while len(data) < 256_000 and (part := inside.recv(65536)):
            data += part
            time.sleep(0.001)  # It reads slowly.
        heard.append(data)
        inside.sendall(b"done\n")

    dialog = [{"expect": "(x{16000})\n"}, {"send": "${1}" * 16}, {"expect": "^done$"}]
    result = api.check(talking(tls_peers.tls(context, script)), tls=TLS, dialog=dialog)
    assert_success(result)
    assert heard == [b"x" * 256_000]


def test_a_wrong_answer_is_a_mismatch_at_the_deadline(api, authorities, talking, context):
    result = api.check(
        talking(tls_peers.tls(context, says(b"500 no\r\n"))), tls=TLS, dialog=[{"expect": "^220"}], timeout_ms=400
    )
    step = assert_dialog_failed(result, "DIALOG_MISMATCH", 0)
    assert (step["bytes"], step["received"]) == (8, "500 no\\r\\n")
    assert assert_report(result, authorities.good)["verified"] is True


def test_no_answer_is_a_timeout_in_phase_dialog(api, talking, context):
    result = api.check(talking(tls_peers.tls(context)), tls=TLS, dialog=[{"expect": "x"}], timeout_ms=400)
    assert_failure(result, None, "timeout", "target", phase="dialog", source="deadline", name="DEADLINE")


@pytest.mark.deadline
def test_a_close_notify_is_dialog_closed(api, talking, context):
    def script(inside) -> None:
        inside.sendall(b"bye\n")
        inside.unwrap()

    result = api.check(
        talking(tls_peers.tls(context, script)), tls=TLS, dialog=[{"expect": "welcome"}], timeout_ms=3000
    )
    assert assert_dialog_failed(result, "DIALOG_CLOSED", 0)["received"] == "bye\\n"
    assert result["timings_ms"]["total"] < 1000


def test_eof_without_a_close_notify_is_dialog_closed(api, talking, context):
    def script(inside) -> None:
        inside.sendall(b"bye\n")
        tls_peers.end_in_good_order(inside)

    result = api.check(
        talking(tls_peers.tls(context, script)), tls=TLS, dialog=[{"expect": "welcome"}], timeout_ms=3000
    )
    assert assert_dialog_failed(result, "DIALOG_CLOSED", 0)["received"] == "bye\\n"


def test_a_failed_handshake_runs_no_dialog(api, authorities, talking):
    context = tls_peers.server_context(authorities.expired)
    result = api.check(talking(tls_peers.tls(context, shouts)), tls=TLS, dialog=[{"expect": "220"}])
    assert_tls_failure(result, "CERT_EXPIRED")
    assert not result.get("dialog", {}).get("groups")


# A step that begins with TLS.


def smtp(context, after=None, after_the_go_ahead: bytes = b""):
    """An SMTP server that shows its secrets only with TLS."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"220 mx1.example.test ESMTP\r\n")
        assert connection.recv(1000).startswith(b"EHLO")
        connection.sendall(b"250-mx1.example.test\r\n250 STARTTLS\r\n")
        assert connection.recv(1000) == b"STARTTLS\r\n"
        connection.sendall(b"220 go ahead\r\n" + after_the_go_ahead)
        tls_peers.tls(context, after or inside_of_smtp)(connection)

    return script


def inside_of_smtp(inside) -> None:
    words = inside.recv(1000)
    inside.sendall(b"250-you said " + words.strip() + b"\r\n250 AUTH PLAIN\r\n")
    tls_peers.until_the_end(inside)


CLEAR = [
    {"expect": r"^220 (?<host>\S+)"},
    {"send": "EHLO me\r\n"},
    {"expect": r"^250 (?<extension>STARTTLS)"},
    {"send": "${extension}\r\n"},
    {"expect": "^220"},
    {"starttls": True},
]


def test_a_starttls_step_starts_tls(api, authorities, talking, context):
    dialog = [
        *CLEAR,
        {"send": "EHLO ${host}\r\n"},
        {"expect": r"^250-you said EHLO (?<heard>\S+)$"},
        {"expect": "^250 AUTH"},
    ]
    result = api.check(talking(smtp(context)), tls=TLS, dialog=dialog)
    assert_verified(result, authorities.good)
    report = result["dialog"]
    groups = {"host": "mx1.example.test", "extension": "STARTTLS", "heard": "mx1.example.test"}
    assert (report["failed_step"], report["groups"]) == (None, groups)
    assert [step["kind"] for step in report["steps"]][5] == "starttls"
    assert report["steps"][5]["ok"] is True
    assert result["timings_ms"]["tls"] > 0 and result["timings_ms"]["dialog"] > 0


def test_a_starttls_step_without_options_uses_the_defaults(api, talking, context):
    result = api.check(talking(smtp(context)), dialog=CLEAR)
    assert_failure(result, None, "tls_failed", "target", phase="tls", source="tls", name="CERT_UNKNOWN_AUTHORITY")
    assert result["dialog"]["failed_step"] == 5
    assert result["dialog"]["groups"]["host"] == "mx1.example.test"


def test_a_failed_handshake_within_a_dialog_is_tls_failed(api, authorities, talking):
    result = api.check(talking(smtp(tls_peers.server_context(authorities.expired))), tls=TLS, dialog=CLEAR)
    assert_tls_failure(result, "CERT_EXPIRED")
    assert_report(result, authorities.expired)
    assert result["dialog"]["failed_step"] == 5
    assert result["dialog"]["steps"][-1]["kind"] == "starttls"
    assert result["dialog"]["steps"][-1]["ok"] is False


def test_text_after_the_go_ahead_ends_the_check(api, talking, context):
    """CVE-2011-0411, in the same packet: as with `tls.starttls`."""
    target = talking(smtp(context, says(b"nothing\r\n"), after_the_go_ahead=b"250 EVIL\r\n"))
    result = api.check(target, tls=TLS, dialog=[*CLEAR, {"expect": "EVIL"}], timeout_ms=3000)
    error = assert_tls_failure(result, "TLS_PROTOCOL")
    assert error["received"] == "250 EVIL\\r\\n"
    assert "CVE-2011-0411" in error["hint"]
    assert result["dialog"]["failed_step"] == 5


@pytest.mark.parametrize(
    "words,pattern,after",
    [
        (b"ready\nEVIL\n", "^ready\n", "EVIL\\n"),
        (b"ready to go\r\n", "^ready", None),
        (b"<proceed/>", "<proceed", None),
        (b"220-one\r\n220-two\r\n220 three\r\n", "^220", None),
        (b"220-one\r\n220-two\r\n220 three\r\n", "^220-two\r\n", None),
        (b"220-one\r\n220 two\r\n220 EVIL\r\n", "^220", "220 EVIL\\r\\n"),
        (b"220-one\r\n250 EVIL\r\n", "^220", "250 EVIL\\r\\n"),
    ],
)
def test_the_rest_of_the_reply_is_allowed_before_tls(api, talking, context, words, pattern, after):
    """The rest of its line, and of its reply of many lines."""

    def script(connection: socket.socket) -> None:
        connection.sendall(words)
        tls_peers.tls(context, says(b"good\n"))(connection)

    dialog = [{"expect": pattern}, {"starttls": True}, {"expect": "^(?<word>[a-zA-Z]+)$"}]
    result = api.check(talking(script), tls=TLS, dialog=dialog)
    if after is None:
        assert_success(result)
        assert result["dialog"]["groups"] == {"word": "good"}
    else:
        assert assert_tls_failure(result, "TLS_PROTOCOL")["received"] == after


@pytest.mark.parametrize(
    "parts,pattern",
    [
        ([b"220", b" 2.0.0", b" ready\r", b"\n"], "^220"),
        ([b"220", b"-one\r\n2", b"20-two\r\n", b"220 three", b"\r\n"], "^220"),
        ([b"220-one\r\n", b"220 two\r\n"], "^220-one\r\n"),
        ([b"a1 OK", b" begin\r\n"], "^a1 OK"),
        ([b"S"], "^S"),
        ([b"<proceed", b"/>"], "<proceed"),
    ],
)
def test_the_whole_go_ahead_is_read_before_tls_begins(api, talking, context, parts, pattern):
    """However it is split into packets. The peer checks that no ClientHello comes before its whole answer."""

    def script(connection: socket.socket) -> None:
        for number, part in enumerate(parts):
            if number:
                time.sleep(0.03)  # Each part is a packet of its own.
            connection.sendall(part)
            if part is not parts[-1]:
                connection.setblocking(False)
                with pytest.raises(BlockingIOError):
                    connection.recv(1)
                connection.setblocking(True)
        tls_peers.tls(context, says(b"good\n"))(connection)

    dialog = [{"expect": pattern}, {"starttls": True}, {"expect": "^(?<word>[a-z]+)$"}]
    result = api.check(talking(script), tls=TLS, dialog=dialog)
    assert_success(result)
    assert result["dialog"]["groups"] == {"word": "good"}
    assert result["dialog"]["steps"][2]["received"] == "good\\n"


@pytest.mark.parametrize("parts", [[b"220", b" ready\r\n250 EVIL\r\n"], [b"S", b"\n250 EVIL\r\n"]])
def test_text_after_the_rest_of_the_go_ahead_ends_the_check(api, talking, context, parts):
    """In the packet with its end. The rest of a line without an end is discarded."""
    target = talking(says(*parts, pause=0.03))
    result = api.check(target, tls=TLS, dialog=[{"expect": "^(220|S)"}, {"starttls": True}, {"expect": "EVIL"}])
    assert assert_tls_failure(result, "TLS_PROTOCOL")["received"] == "250 EVIL\\r\\n"


def test_a_reply_without_an_end_is_a_mismatch_at_the_deadline(api, talking):
    target = talking(says(b"220", b" never", pause=0.03))
    result = api.check(target, tls=TLS, dialog=[{"expect": "^220"}, {"starttls": True}], timeout_ms=500)
    failed = assert_dialog_failed(result, "DIALOG_MISMATCH", 1)
    assert failed["kind"] == "starttls" and failed["received"] == " never" and "no end" in failed["detail"]


def test_a_line_without_an_end_is_bounded(api, talking):
    def script(connection: socket.socket) -> None:
        connection.sendall(b"220")
        time.sleep(0.03)  # Each part is a packet of its own.
        tls_peers.repeat(connection, b"x" * 4096)

    result = api.check(talking(script), tls=TLS, dialog=[{"expect": "^220"}, {"starttls": True}], timeout_ms=5000)
    assert_dialog_failed(result, "DIALOG_MISMATCH", 1)
    assert result["timings_ms"]["total"] < 4000


# Text that the peer must not send.


@pytest.fixture(params=["clear", "tls"])
def way(request, talking, context):
    """The same peer in clear text and inside TLS: its target, and the members of the check."""

    def start(script):
        if request.param == "clear":
            return talking(script), {}
        return talking(tls_peers.tls(context, script)), {"tls": TLS}

    return start


@pytest.mark.deadline
def test_a_matching_reject_fails_at_once(api, way):
    target, members = way(says(b"554 go away\r\n"))
    dialog = [{"reject": "^5"}, {"expect": "^220"}]
    result = api.check(target, dialog=dialog, timeout_ms=3000, **members)
    step = assert_dialog_failed(result, "DIALOG_REJECTED", 0)
    assert step["kind"] == "reject"
    assert "554 go away" in step["received"]
    assert result["timings_ms"]["total"] < 1500


def test_a_reject_without_a_match_has_no_effect(api, way):
    target, members = way(says(b"220 welcome\r\n"))
    result = api.check(target, dialog=[{"reject": "^5"}, {"expect": "^220"}], **members)
    assert_success(result)
    assert [step["ok"] for step in result["dialog"]["steps"]] == [True, True]
    assert result["dialog"]["failed_step"] is None


def test_a_reject_after_the_last_expect_has_no_effect(api, way):
    target, members = way(says(b"220 welcome\r\n554 too late\r\nend\r\n"))
    assert_success(api.check(target, dialog=[{"reject": "^5"}, {"expect": "^220"}], **members))
    assert_success(api.check(target, dialog=[{"reject": "^5"}, {"expect": "^220"}, {"expect": "^end"}], **members))


@pytest.mark.deadline
def test_a_reject_is_armed_until_the_next_expect(api, way):
    def script(inside) -> None:
        inside.sendall(b"220 welcome\r\n")
        inside.recv(100)
        inside.sendall(b"554 no\r\n")
        tls_peers.until_the_end(inside)

    target, members = way(script)
    dialog = [{"expect": "^220"}, {"reject": "^5(?<code>..)"}, {"send": "x\r\n"}, {"expect": "^250"}]
    result = api.check(target, dialog=dialog, timeout_ms=3000, **members)
    assert_dialog_failed(result, "DIALOG_REJECTED", 1)
    assert result["timings_ms"]["total"] < 1500


def test_of_several_rejects_the_matching_one_is_reported(api, way):
    target, members = way(says(b"421 busy\r\n"))
    dialog = [{"reject": "^5"}, {"reject": "^4"}, {"expect": "^220"}]
    result = api.check(target, dialog=dialog, timeout_ms=3000, **members)
    assert_dialog_failed(result, "DIALOG_REJECTED", 1)


def test_the_first_match_of_reject_or_expect_decides(api, way):
    target, members = way(says(b"220 fine\r\n554 not fine\r\n"))
    assert_success(api.check(target, dialog=[{"reject": "fine"}, {"expect": "^220"}], **members))
    target, members = way(says(b"warning: 220 fine\r\n"))
    result = api.check(target, dialog=[{"reject": "warning"}, {"expect": "220"}], timeout_ms=3000, **members)
    assert_dialog_failed(result, "DIALOG_REJECTED", 0)


def test_a_reject_matches_across_packets(api, way):
    target, members = way(says(b"55", b"4 n", b"o\r\n", pause=0.02))
    result = api.check(target, dialog=[{"reject": "^554 no$"}, {"expect": "^220"}], timeout_ms=3000, **members)
    assert_dialog_failed(result, "DIALOG_REJECTED", 0)


def test_a_reject_armed_before_tls_matches_inside_tls(api, authorities, talking, context):
    """Armed in plain text, matched inside TLS."""
    dialog = [*CLEAR[:-1], {"reject": "AUTH"}, {"starttls": True}, {"send": "EHLO x\r\n"}, {"expect": "^nothing"}]
    result = api.check(talking(smtp(context)), tls=TLS, dialog=dialog, timeout_ms=3000)
    assert_dialog_failed(result, "DIALOG_REJECTED", 5)
    assert_report(result, authorities.good)
