"""Several addresses: first, race and all, with addresses that refuse, are silent, are denied or are forbidden."""

import contextlib
import errno

import pytest

from support import network as net
from support import peers
from support.connectd_process import SYN_SENT, Connectd
from support.dns_server import DNSServer, zone
from support.expectations import assert_failure, assert_problem, assert_shape
from support.http_client import check_request

PORT = 9950
SERVER = f"{net.PEER}:5355"
REFUSING = net.MD5  # an address of the router without a listener
PROHIBITED = net.ROUTER_REJECTS["admin-prohibited"]
METADATA = "169.254.169.254"
# RFC 6724 sorts these equally, so that the server's order stays.
TABLE = {
    "refusing-first.example": [REFUSING, net.OPEN],
    "silent-first.example": [net.DROPPED, net.OPEN],
    "silent-only.example": [net.DROPPED, net.FORGED],
    "refusing-only.example": [REFUSING, net.PEER],
    "denied-first.example": [METADATA, net.OPEN],
    "denied-and-refusing.example": [METADATA, REFUSING],
    "denied-only.example": [METADATA, "169.254.1.1"],
    "two.example": [net.OPEN, net.SECOND],
    "refused-after-silence.example": [net.DROPPED, REFUSING],
    "prohibited-and-refused.example": [PROHIBITED, REFUSING],
    "both.example": [net.OPEN, net.OPEN6],
    "many.example": [net.DROPPED] + [f"10.88.2.{number}" for number in range(2, 9)] + [net.OPEN],
}


@pytest.fixture(scope="module")
def connectd(network):
    with (
        Connectd(network.a, port=8191) as running,
        DNSServer(network.b, net.PEER, zone(TABLE), port=5355),
        peers.tcp_listener(network.b, net.OPEN, PORT),
        peers.tcp_listener(network.b, net.SECOND, PORT),
        peers.tcp_listener(network.b, net.OPEN6, PORT),
    ):
        yield running


@pytest.fixture
def check(api):
    def run(name: str, addresses: str, family: str = "ipv4", **members) -> dict:
        resolve = {"server": SERVER, "addresses": addresses, "family": family}
        result = api.check(f"tcp://{name}.example:{PORT}", resolve=resolve, **members)
        assert_shape(result)
        return result

    return run


def outcomes(result: dict) -> list[tuple[str, str]]:
    return [(attempt["address"], attempt["outcome"]) for attempt in result["attempts"]]


@pytest.mark.deadline
@pytest.mark.parametrize("addresses", ["first", "race"])
def test_a_refusing_first_address_is_skipped_at_once(check, addresses):
    result = check("refusing-first", addresses)
    assert (result["ok"], result["outcome"], result["phase"]) == (True, "connected", "done")
    assert outcomes(result) == [(REFUSING, "refused"), (net.OPEN, "connected")], "the loser is listed"
    assert result["attempts"][0]["error"]["errno"] == errno.ECONNREFUSED
    assert "error" not in result
    assert result["timings_ms"]["total"] < 200, "a failure does not wait for the delay of a race"
    assert result["resolution"]["addresses"] == [REFUSING, net.OPEN]


@pytest.mark.deadline
def test_a_race_with_a_dead_first_address_is_won_by_the_second_within_the_deadline(check):
    result = check("silent-first", "race", timeout_ms=1000)
    assert (result["ok"], result["outcome"]) == (True, "connected")
    loser, winner = result["attempts"]
    assert (loser["address"], winner["address"], winner["outcome"]) == (net.DROPPED, net.OPEN, "connected")
    assert loser["outcome"] == "cancelled"
    assert loser["error"]["class"] == "cancelled"
    assert 100 <= winner["start_ms"] - loser["start_ms"] < 500, "RFC 8305: 250 ms"
    assert loser["duration_ms"] >= winner["duration_ms"]
    assert result["timings_ms"]["total"] < 800


def test_a_race_cancels_the_other_attempts(connectd, check):
    check("silent-first", "race", timeout_ms=5000)
    assert not connectd.sockets(SYN_SENT), "a loser's SYN is still in flight"


def test_a_race_tries_every_silent_address_before_the_deadline(check):
    result = check("many", "race", timeout_ms=3000)
    assert (result["ok"], result["outcome"]) == (True, "connected")
    assert len(result["attempts"]) == len(TABLE["many.example"])
    starts = [attempt["start_ms"] for attempt in result["attempts"]]
    assert all(later - earlier >= 240 for earlier, later in zip(starts, starts[1:])), "RFC 8305: 250 ms"


def test_a_race_starts_no_attempt_at_the_deadline(check):
    result = check("many", "race", timeout_ms=600)
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")
    assert len(result["attempts"]) == 3


@pytest.mark.deadline
def test_a_race_of_silent_addresses_is_a_timeout(check):
    result = check("silent-only", "race", timeout_ms=600)
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")
    assert outcomes(result) == [(net.DROPPED, "timeout"), (net.FORGED, "timeout")]
    assert 590 <= result["timings_ms"]["total"] < 750


def test_a_race_over_both_families_starts_with_the_preferred_one(check):
    result = check("both", "race", family="any")
    assert result["outcome"] == "connected"
    assert result["attempts"][0]["address"] == result["resolution"]["addresses"][0]


@pytest.mark.parametrize("addresses", ["first", "race", "all"])
def test_if_every_address_refuses_it_is_refused(check, addresses):
    result = check("refusing-only", addresses)
    assert_failure(result, errno.ECONNREFUSED, "refused", "target")
    assert sorted(outcomes(result)) == [(net.PEER, "refused"), (REFUSING, "refused")]


@pytest.mark.deadline
def test_first_shares_the_remaining_time(check):
    result = check("silent-only", "first", timeout_ms=800)
    assert_failure(result, None, "timeout", "network", source="deadline", name="DEADLINE")
    first, second = result["attempts"]
    assert 340 < first["duration_ms"] < 460 and 340 < second["duration_ms"] < 460
    assert second["start_ms"] >= first["start_ms"] + first["duration_ms"] - 1
    assert 790 <= result["timings_ms"]["total"] < 900


@pytest.mark.deadline
def test_first_adds_unused_time_to_the_next_attempts(check):
    result = check("refused-after-silence", "first", timeout_ms=600)
    silent, refused = result["attempts"]
    assert 250 < silent["duration_ms"] < 400
    assert refused["outcome"] == "refused" and refused["duration_ms"] < 100
    assert result["timings_ms"]["total"] < 450


def test_all_needs_every_address(check):
    result = check("two", "all")
    assert (result["ok"], result["outcome"]) == (True, "connected")
    assert sorted(outcomes(result)) == [(net.OPEN, "connected"), (net.SECOND, "connected")]
    result = check("refusing-first", "all")
    assert (result["ok"], result["outcome"]) == (False, "refused")
    assert sorted(outcomes(result)) == [(net.OPEN, "connected"), (REFUSING, "refused")]


@pytest.mark.deadline
def test_all_starts_every_address_at_once_and_waits_for_each(check):
    result = check("many", "all", timeout_ms=400)
    assert (result["ok"], result["outcome"]) == (False, "timeout")
    assert len(result["attempts"]) == len(TABLE["many.example"])
    assert all(attempt["start_ms"] < 100 for attempt in result["attempts"])
    assert result["timings_ms"]["total"] < 600


def test_all_with_a_denied_address_reports_it(check):
    result = check("denied-first", "all")
    assert result["ok"] is False
    assert dict(outcomes(result)) == {METADATA: "denied", net.OPEN: "connected"}
    [denied] = [attempt for attempt in result["attempts"] if attempt["outcome"] == "denied"]
    assert (denied["phase"], denied["error"]["source"], denied["error"]["fault"]) == ("policy", "policy", "request")
    assert "local" not in denied and denied["peer"] is None and "tcp_info" not in denied


@pytest.mark.parametrize("addresses", ["first", "race"])
def test_denied_addresses_are_skipped(check, addresses):
    assert outcomes(check("denied-first", addresses)) == [(net.OPEN, "connected")]
    result = check("denied-and-refusing", addresses)
    assert_failure(result, errno.ECONNREFUSED, "refused", "target")
    assert outcomes(result) == [(REFUSING, "refused")]


@pytest.mark.parametrize("addresses", ["first", "race", "all"])
def test_a_name_with_only_denied_addresses_is_403(api, addresses):
    resolve = {"server": SERVER, "addresses": addresses, "family": "ipv4"}
    answer = api.post_check(f"tcp://denied-only.example:{PORT}", resolve=resolve)
    assert_problem(answer, 403)
    assert answer.json == api.post_check(f"tcp://{METADATA}:{PORT}").json, "one constant answer"


def test_the_error_is_from_the_attempt_in_the_latest_phase(check, api, network):
    def script(connection) -> None:
        connection.sendall(b"no\n")

    # The second address gets as far as the dialog.
    with contextlib.ExitStack() as stack:
        listener = peers.tcp_listener(network.b, net.PEER, PORT)
        stack.enter_context(peers.serving(listener, peers.on_each_connection(script)))
        for addresses in ("first", "all"):
            result = check("refusing-only", addresses, dialog=[{"expect": "yes"}], timeout_ms=1000)
            assert (result["outcome"], result["phase"]) == ("dialog_failed", "dialog")
            assert result["error"]["name"] == "DIALOG_CLOSED"
            assert dict(outcomes(result)) == {REFUSING: "refused", net.PEER: "dialog_failed"}


def test_the_first_of_equal_errors_is_reported(check):
    result = check("prohibited-and-refused", "first")
    assert_failure(result, errno.EHOSTUNREACH, "unreachable", "network")
    assert [attempt["outcome"] for attempt in result["attempts"]] == ["unreachable", "refused"]


@pytest.mark.parametrize("addresses", ["first", "race", "all"])
def test_a_dialog_uses_the_address_that_connects(check, network, addresses):
    def script(connection) -> None:
        connection.sendall(b"welcome\n")

    with contextlib.ExitStack() as stack:
        for address in (REFUSING, net.PEER):
            listener = peers.tcp_listener(network.b, address, PORT)
            stack.enter_context(peers.serving(listener, peers.on_each_connection(script)))
        result = check("refusing-only", addresses, dialog=[{"expect": "^welcome$"}])
    assert (result["ok"], result["outcome"]) == (True, "connected")
    assert result["dialog"]["failed_step"] is None


@pytest.mark.parametrize(
    "addresses,timeout", [("first", 300), ("race", 300), ("all", 300)]
)
def test_a_client_that_disconnects_cancels_every_attempt(connectd, addresses, timeout):
    resolve = {"server": SERVER, "addresses": addresses, "family": "ipv4"}
    with connectd.unix.connect() as connection:
        connection.sendall(check_request(f"tcp://many.example:{PORT}", timeout_ms=20000, resolve=resolve))
        connectd.wait_until_connecting()
    connectd.wait_until_none_connects()


# What makes `ok` true.


@pytest.mark.parametrize(
    "expect,ok",
    [
        (None, False),
        ("refused", True),
        ("timeout", False),
        ("!connected", True),
        ("!refused", False),
        (["refused"], True),
        (["connected", "timeout"], False),
        (["connected", "refused", "refused"], True),
    ],
)
@pytest.mark.parametrize("addresses", ["first", "all"])
def test_a_failure_is_ok_only_if_expected(check, expect, ok, addresses):
    members = {} if expect is None else {"expect": expect}
    result = check("refusing-only", addresses, **members)
    assert (result["outcome"], result["ok"]) == ("refused", ok)
    assert result["error"]["errno"] == errno.ECONNREFUSED, "expect changes neither outcome nor error"


@pytest.mark.parametrize(
    "target,expect,ok",
    [
        (f"udp://{net.OPEN}:9", None, True),
        (f"udp://{net.OPEN}:9", "associated", True),
        (f"udp://{net.OPEN}:9", "connected", False),
        (f"udp://{net.OPEN}:9", "!answered", True),
        (f"udp://{net.OPEN}:9", ["answered", "associated"], True),
        ("tcp://nothing.example:80", "resolve_failed", True),
        ("tcp://nothing.example:80", "!connected", False),
        (f"tcp://{net.DROPPED}:80", ["timeout", "refused"], True),
        (f"tcp://{net.NOWHERE}:80", "unreachable", True),
    ],
)
def test_expect_decides_ok_for_each_outcome(api, target, expect, ok):
    members = {} if expect is None else {"expect": expect}
    result = api.check(target, timeout_ms=300, resolve={"server": SERVER}, **members)
    assert result["ok"] is ok, result


def test_a_denied_target_is_403_with_any_expectation(api):
    assert_problem(api.post_check(f"tcp://{METADATA}:80", expect="denied"), 403)
