"""Monitors: checks that the service repeats, their state, their history, and their effect on readiness."""

import contextlib
import json
import socket
import time

import pytest

from support import network as net
from support import peers, tls_peers
from support.connectd_process import Connectd
from support.http_client import read_answer
from support.specification import assert_documented
from support.waiting import wait_until

PORT = 8230
TARGET_PORT = 7311
TARGET = f"tcp://127.0.0.1:{TARGET_PORT}"


def monitor(name: str, target: str = TARGET, **members) -> dict:
    return {"name": name, "interval_ms": 100, "check": {"target": target, "timeout_ms": 500}, **members}


def configuration(*monitors: dict, **more) -> dict:
    return {"monitors": list(monitors), **more}


@pytest.fixture
def listener(network):
    """A listener that the test opens and closes, as a dependency that is up or down."""

    class Dependency:
        socket = None

        def start(self) -> None:
            self.socket = network.a.socket(socket.AF_INET)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(("127.0.0.1", TARGET_PORT))
            self.socket.listen(1000)

        def stop(self) -> None:
            if self.socket is not None:
                self.socket.close()
            self.socket = None

    dependency = Dependency()
    yield dependency
    dependency.stop()


def test_a_monitor_follows_the_state_of_its_target(network, listener):
    with Connectd(network.a, configuration(monitor("db", required=True)), port=PORT) as connectd:
        connectd.wait_for_monitor("db", "down")
        listener.start()
        connectd.wait_for_monitor("db", "up")
        assert connectd.client.get("/readyz").status == 200
        listener.stop()
        connectd.wait_for_monitor("db", "down")
        answer = connectd.client.get("/v1/monitors/db")
        assert_documented(answer, "/v1/monitors/{name}")
        found = answer.json
        assert found["last"]["error"]["name"] == "ECONNREFUSED" and found["target"] == TARGET
        assert found["required"] is True and found["interval_ms"] == 100 and found["consecutive"] >= 1
        outcomes = [entry["outcome"] for entry in found["history"]]
        assert outcomes[0] == outcomes[-1] == "refused" and "connected" in outcomes
        assert {entry["error"] for entry in found["history"]} == {None, "ECONNREFUSED"}
        changes = [line for line in map(json.loads, connectd.log.splitlines()) if line["message"].startswith("monitor is")]
        assert [line["message"] for line in changes] == ["monitor is down", "monitor is up", "monitor is down"]
        assert changes[0]["monitor"] == "db" and changes[0]["error"] == "ECONNREFUSED"


def test_readiness_names_the_required_monitors_that_are_not_up(network):
    monitors = [monitor("db", required=True), monitor("cache", required=False)]
    with Connectd(network.a, configuration(*monitors), port=PORT) as connectd:
        connectd.wait_for_monitor("db", "down")
        answer = connectd.client.get("/readyz")
        assert_documented(answer, "/readyz")
        assert answer.status == 503
        assert answer.json["missing"] == [
            {"monitor": "db", "state": "down", "outcome": "refused", "error": "ECONNREFUSED"}]


def test_a_service_with_monitors_that_are_not_required_is_ready(network):
    with Connectd(network.a, configuration(monitor("cache")), port=PORT) as connectd:
        connectd.wait_for_monitor("cache", "down")
        assert connectd.client.get("/readyz").status == 200


def names_what_is_missing(answer):
    """The response, once it says more than that the service is starting."""
    return answer if "missing" in answer.json else None


def test_a_pending_required_monitor_is_not_ready(network):
    silent = monitor("far", target=f"tcp://{net.OPEN}:9", required=True, down_after=1000)
    silent["check"]["expect"] = "connected"
    with Connectd(network.a, configuration(silent), port=PORT) as connectd:
        answer = wait_until(lambda: names_what_is_missing(connectd.client.get("/readyz")), 30, "readiness names a monitor")
        assert answer.status == 503 and answer.json["missing"][0]["state"] == "pending"


def test_without_a_token_readiness_has_no_details(network):
    files = {"tokens": "ops:0123456789abcdef0123\n"}
    secured = configuration(monitor("db", required=True), auth={"tokens_file": "tokens"})
    with Connectd(network.a, secured, port=PORT, files=files) as connectd:
        answer = connectd.client.get("/readyz")
        assert answer.status == 503 and "missing" not in answer.json
        for path in ("/v1/monitors", "/v1/monitors/db", "/metrics"):
            assert connectd.client.get(path).status == 401
        token = {"Authorization": "Bearer 0123456789abcdef0123"}
        named = wait_until(
            lambda: names_what_is_missing(connectd.client.get("/readyz", headers=token)), 30, "readiness names a monitor"
        )
        assert named.json["missing"][0]["monitor"] == "db"
        assert connectd.client.get("/v1/monitors", headers=token).status == 200


def test_the_list_has_the_order_of_the_configuration(network, listener):
    listener.start()
    names = ["z", "a", "m"]
    with Connectd(network.a, configuration(*map(monitor, names)), port=PORT) as connectd:
        for name in names:
            connectd.wait_for_monitor(name, "up")
        answer = connectd.client.get("/v1/monitors")
        assert_documented(answer, "/v1/monitors")
        assert [entry["name"] for entry in answer.json["monitors"]] == names
        assert all("history" not in entry and entry["last"]["ok"] for entry in answer.json["monitors"])
        missing = connectd.client.get("/v1/monitors/nosuch")
        assert_documented(missing, "/v1/monitors/{name}")
        assert missing.status == 404


def test_up_after_and_down_after_count_successive_rounds(network, listener):
    with Connectd(network.a, configuration(monitor("db", up_after=3, down_after=5)), port=PORT) as connectd:
        connectd.wait_for_monitor("db", "down")
        history = connectd.client.get("/v1/monitors/db").json["history"]
        assert len(history) >= 5
        listener.start()
        connectd.wait_for_monitor("db", "up")
        history = connectd.client.get("/v1/monitors/db").json["history"]
        assert sum(entry["ok"] for entry in history) >= 3


def test_the_expectation_of_a_monitor_decides(network):
    watched = monitor("closed")
    watched["check"]["expect"] = "refused"
    with Connectd(network.a, configuration(watched), port=PORT) as connectd:
        connectd.wait_for_monitor("closed", "up")


def test_the_send_of_a_monitor_is_hidden_in_an_echo(loopback_only):
    def repeats(connection: socket.socket) -> None:
        while data := connection.recv(4096):
            connection.sendall(data)

    with tls_peers.listening(loopback_only, repeats, "127.0.0.1") as port:
        watched = monitor("secretive", f"tcp://127.0.0.1:{port}")
        watched["check"]["dialog"] = [{"send": "AUTH hunter2\r\n"}, {"expect": "(?<all>.*2)"}]
        with Connectd(loopback_only, configuration(watched), port=PORT) as connectd:
            connectd.wait_for_monitor("secretive", "up")
            for path in ("/v1/monitors", "/v1/monitors/secretive"):
                answer = connectd.client.get(path)
                assert b"hunter2" not in answer.body and b"<secret>" in answer.body
            assert "hunter2" not in connectd.log


def test_the_policy_applies_to_monitors(network, listener):
    listener.start()
    policy = {"policy": {"profile": "internal", "rules": [{"action": "deny", "cidr": "127.0.0.1/32"}]}}
    with Connectd(network.a, configuration(monitor("db"), **policy), port=PORT) as connectd:
        connectd.wait_for_monitor("db", "down")
        last = connectd.client.get("/v1/monitors/db").json["last"]
        assert last["outcome"] == "denied" and last["attempts"] == []
        text = connectd.client.get("/metrics").body.decode()
        denials = next(line for line in text.splitlines() if line.startswith("connectd_policy_denials_total "))
        assert int(denials.split()[1]) >= 1


def test_a_reload_keeps_the_state_of_unchanged_monitors(network, listener):
    listener.start()
    first = configuration(monitor("kept"), monitor("changed"), monitor("gone"))
    with Connectd(network.a, first, port=PORT) as connectd:
        wait_until(lambda: len(connectd.monitor("kept").get("history", [])) >= 5, 30, "five rounds of a monitor")
        connectd.wait_for_monitor("changed", "up")
        second = configuration(monitor("new"), monitor("changed", interval_ms=60_000, down_after=2), monitor("kept"))
        connectd.reload(second)
        names = [entry["name"] for entry in connectd.client.get("/v1/monitors").json["monitors"]]
        assert names == ["new", "changed", "kept"]
        assert len(connectd.client.get("/v1/monitors/kept").json["history"]) >= 5
        assert len(connectd.client.get("/v1/monitors/changed").json["history"]) <= 1


# How long one request may take on a machine that is busy with something else, in seconds.
PATIENCE = 300


def test_slow_readers_of_the_list_exhaust_neither_memory_nor_connections(network):
    """Two thousand monitors are a list of some 3 MB: forty clients that do not read it would hold 120 MB.

    A build for debugging takes half a second of a processor to write one list, and more on a busy machine. So one request
    may take long. What another client waits for is shorter than the time of a slow one: over 100 s for an answer of this size.
    """
    many = [monitor(f"m{number}", f"tcp://127.0.0.1:{number + 1}", interval_ms=60_000) for number in range(2000)]
    with Connectd(network.a, configuration(*many), port=PORT) as connectd, contextlib.ExitStack() as stack:
        wait_until(
            lambda: len(connectd.client.get("/v1/monitors", timeout=PATIENCE).body) > 2_500_000, PATIENCE,
            "every monitor has a result", 0.1,
        )  # fmt: skip
        before = connectd.resident_bytes()
        slow = [stack.enter_context(slow_reader(network)) for _ in range(40)]
        assert connectd.client.get("/v1/monitors/m0", timeout=PATIENCE).status == 200
        assert connectd.client.get("/readyz", timeout=PATIENCE).status == 200
        # A refused client may try again after a second. A slow client cannot block it until the slow one's own timeout.
        wait_until(lambda: answered(connectd, "/metrics"), 60, "/metrics is answered", 0.1)
        wait_until(lambda: answered(connectd, "/v1/monitors"), 60, "/v1/monitors is answered", 0.1)
        assert connectd.resident_bytes() - before < 100 * 2**20
        assert b"connectd_monitor_up{" in connectd.client.get("/metrics", timeout=PATIENCE).body
        assert any(ends_early(client) for client in slow)


@contextlib.contextmanager
def slow_reader(network):
    """Requests the list, and reads no more than its receive buffer holds."""
    with network.a.socket(socket.AF_INET) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", PORT))
        client.sendall(b"GET /v1/monitors HTTP/1.1\r\nHost: localhost\r\n\r\n")
        yield client


def answered(connectd, path: str) -> bool:
    answer = connectd.client.get(path, timeout=PATIENCE)
    if answer.status == 200:
        return True
    assert answer.status == 503 and answer.headers["retry-after"] == "1" and answer.json["type"].endswith(":overloaded")
    return False


def ends_early(client: socket.socket) -> bool:
    """Whether the response ends before its length."""
    client.settimeout(PATIENCE)
    # From now on the client reads fast.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    with contextlib.suppress(TimeoutError):
        try:
            answer = read_answer(client.makefile("rb"))
        except ConnectionResetError:
            return True
        return answer.status == 200 and len(answer.body) < int(answer.headers["content-length"])
    return False


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"name": "a", "check": {"target": "127.1:5"}}, "monitors[0].check.target"),
        ({"name": "a", "check": {"target": "h:5", "timeout": 5}}, "monitors[0].check.timeout: unknown member"),
        ({"name": "a", "check": {"target": "h:5", "dialog": [{"expect": "("}]}}, "monitors[0].check.dialog[0].expect"),
        ({"name": "a", "check": {"target": "tls://h:5", "tls": {"ca": "none"}}}, "is not an entry of authorities"),
        ({"name": "a", "check": {"target": "h:5", "socket": {"tcp_md5": "none"}}}, "is not an entry of md5_keys"),
        ({"name": "a", "interval_ms": 50, "check": {"target": "h:5"}}, "must be from"),
    ],
)
def test_an_invalid_monitor_prevents_the_start(network, entry, says):
    broken = Connectd(network.a, configuration(entry), port=PORT)
    assert broken.process.wait(10) == 1
    assert says in broken.log and "connectd.yaml:" in broken.log


@pytest.mark.deadline
def test_rounds_are_spread_over_the_interval(network):
    """Two hundred monitors of one listener: no tenth of the interval has many more rounds than another."""
    arrivals = []
    listener = peers.tcp_listener(network.a, "127.0.0.1", TARGET_PORT, backlog=1000)
    with peers.serving(listener, peers.on_each_connection(lambda _: arrivals.append(time.monotonic()))):
        many = [monitor(f"m{number}", interval_ms=2000) for number in range(200)]
        with Connectd(network.a, configuration(*many), port=PORT):
            time.sleep(7.5)  # The test counts the rounds in that time.
    begin = arrivals[0]
    # The first rounds come at once; the spread holds from the second on.
    late = [moment for moment in arrivals if 3.2 < moment - begin < 7.2]
    counts = [0] * 10
    for moment in late:
        counts[int((moment - begin) % 2 / 0.2)] += 1
    assert 330 <= len(late) <= 470, len(late)
    assert max(counts) <= 3 * min(counts) + 10, counts


def test_the_service_is_not_ready_before_its_monitors_start(loopback_only):
    """A thousand monitors take a moment to start. Until then the service is not ready."""
    monitors = [
        {"name": f"m{number}", "required": True, "interval_ms": 86_400_000, "check": {"target": "tcp://127.0.0.1:1"}}
        for number in range(1000)
    ]
    it = Connectd(loopback_only, {"monitors": monitors})
    try:
        statuses = []
        limit = time.monotonic() + 20
        while statuses.count(503) < 20:
            assert time.monotonic() < limit and it.process.poll() is None, it.log
            try:
                statuses.append(it.client.get("/readyz").status)
            except OSError:
                time.sleep(0.001)  # It does not listen yet.
        assert set(statuses) == {503}
    finally:
        assert it.stop() == 0
