"""SIGHUP puts a changed configuration in force or changes nothing; SIGTERM drains: /readyz first, then new work, then the end."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
import yaml

import network as net
import peers
from client import Client, read_answer, tcp_connector
from connectd_process import REPOSITORY, Connectd, OPEN_CONFIGURATION, binary, clean_environment
from expectations import assert_failure, assert_problem

PORT = 8201
SYN_SENT = "02"
DENYING = {"policy": {"profile": "internal", "rules": [{"action": "deny", "cidr": f"{net.OPEN}/32"}]}}
TARGET = f"tcp://{net.OPEN}:9"


def wait_for(condition, seconds: float = 5, what: str = "") -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, what
        time.sleep(0.005)


def reload(connectd: Connectd, configuration: dict | str, says: str) -> None:
    """Writes the file, sends SIGHUP, and waits for what the log says about it."""
    text = configuration if isinstance(configuration, str) else yaml.safe_dump(configuration)
    connectd.configuration_path.write_text(text)
    before = len(connectd.log)
    connectd.process.send_signal(signal.SIGHUP)
    wait_for(lambda: says in connectd.log[before:], what=connectd.log)


@pytest.fixture
def connectd(network):
    with Connectd(network.a, OPEN_CONFIGURATION, port=PORT) as running:
        yield running


def status(connectd, **members) -> int:
    return connectd.client.post_check(TARGET, **members).status


def test_a_changed_policy_is_in_force_from_the_next_request_on(connectd):
    assert status(connectd) == 200
    reload(connectd, DENYING, "configuration reloaded")
    assert_problem(connectd.client.post_check(TARGET), 403)
    assert connectd.client.check(f"tcp://{net.SECOND}:9")["outcome"] == "refused"
    reload(connectd, OPEN_CONFIGURATION, "configuration reloaded")
    assert status(connectd) == 200


@pytest.mark.parametrize(
    "broken,word",
    [
        ("policy: {profile: open}\n", "profile"),
        ("nonsense: 1\n", "nonsense"),
        ("policy:\n  rules:\n    - {action: deny, cidr: 10.0.0.0/33}\n", "cidr"),
        ("limits: {queue: 1}\nlimits: {queue: 2}\n", "limits"),
        ("a: [\n", "connectd.yaml"),
        ("auth: {tokens_file: no-such-file}\n", "tokens_file"),
    ],
)
def test_a_broken_configuration_changes_nothing_and_is_named(connectd, broken, word):
    reload(connectd, DENYING, "configuration reloaded")
    reload(connectd, broken, "reload refused")
    refusal = next(line for line in connectd.log.splitlines() if "reload refused" in line)
    assert word in refusal and json.loads(refusal)["level"] == "error"
    assert status(connectd) == 403, "the old configuration is in force"
    assert connectd.client.get("/readyz").status == 200


def test_a_configuration_that_is_gone_changes_nothing(connectd):
    reload(connectd, DENYING, "configuration reloaded")
    connectd.configuration_path.unlink()
    before = len(connectd.log)
    connectd.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "reload refused" in connectd.log[before:])
    assert status(connectd) == 403


def test_tokens_can_be_given_and_taken_away(connectd):
    (connectd.folder / "tokens").write_text("alice:s3cret-of-alice\n")
    with_tokens = {**OPEN_CONFIGURATION, "auth": {"tokens_file": "tokens"}}
    reload(connectd, with_tokens, "configuration reloaded")
    alice, bob = ({"Authorization": f"Bearer s3cret-of-{name}"} for name in ("alice", "bob"))
    body = {"target": TARGET}
    assert connectd.client.post("/v1/checks", body).status == 401
    assert connectd.client.post("/v1/checks", body, alice).status == 200
    (connectd.folder / "tokens").write_text("bob:s3cret-of-bob\n")
    reload(connectd, with_tokens, "configuration reloaded")
    assert connectd.client.post("/v1/checks", body, alice).status == 401
    assert connectd.client.post("/v1/checks", body, bob).status == 200
    assert "s3cret" not in connectd.log


def test_options_dialogs_and_hosts_follow(connectd):
    assert status(connectd, dialog=[{"send": "x"}], socket={"mark": 1}) == 200
    assert connectd.http.get("/v1/errors", {"Host": "later.example"}).status == 421
    changed = {"policy": {"profile": "internal", "dialogs": "none", "options": []}, "hosts": ["later.example"]}
    reload(connectd, changed, "configuration reloaded")
    assert status(connectd, dialog=[{"send": "x"}]) == 403
    assert status(connectd, socket={"mark": 1}) == 403
    assert connectd.http.get("/v1/errors", {"Host": "later.example"}).status == 200


def test_the_logs_level_and_format_follow(connectd):
    """For whoever is on call: every check is to be seen, without a restart."""
    before = len(connectd.log)
    connectd.client.check(TARGET)
    assert '"message":"check"' not in connectd.log[before:]
    reload(connectd, {**OPEN_CONFIGURATION, "log": {"level": "debug"}}, "configuration reloaded")
    connectd.client.check(TARGET)
    wait_for(lambda: '"message":"check"' in connectd.log[before:])
    reload(connectd, {**OPEN_CONFIGURATION, "log": {"level": "debug", "format": "text"}}, "configuration reloaded")
    before = len(connectd.log)
    connectd.client.check(TARGET)
    wait_for(lambda: " debug check " in connectd.log[before:])
    reload(connectd, OPEN_CONFIGURATION, "configuration reloaded")
    before = len(connectd.log)
    connectd.client.check(TARGET)
    assert connectd.log[before:] == ""


def test_the_page_names_what_takes_a_restart():
    """The message of a reload and docs/graceful-shutdown.md name the same settings."""
    said = re.search(r'"(listen, .*) are in force only', (REPOSITORY / "Sources/connectd/Reloader.swift").read_text())
    page = (REPOSITORY / "docs/graceful-shutdown.md").read_text()
    paragraph = next(part for part in page.split("\n\n") if "takes a restart" in part)
    for key in re.findall(r"[a-z_]+(?:\.[a-z_]+)?", said[1].replace(" on or off", "").replace(" and ", ", ")):
        assert f"`{key}`" in paragraph, key


def test_a_running_check_keeps_what_it_began_with(connectd):
    with connectd.unix.connect() as connection:
        connection.sendall(request({"target": f"tcp://{net.DROPPED}:80", "timeout_ms": 700}))
        wait_for(lambda: connectd.sockets(SYN_SENT))
        reload(connectd, {"policy": {"profile": "rules"}}, "configuration reloaded")
        connection.settimeout(5)
        answer = read_answer(connection.makefile("rb"))
    assert answer.status == 200 and answer.json["outcome"] == "timeout"


def test_what_needs_a_new_start_is_said(connectd):
    reload(connectd, {**OPEN_CONFIGURATION, "limits": {"queue": 7}}, "only from the next start")


def test_a_keep_alive_connection_lives_through_a_reload(connectd):
    with connectd.unix.connect() as connection:
        connection.settimeout(5)
        stream = connection.makefile("rb")
        connection.sendall(request({"target": TARGET}))
        assert read_answer(stream).status == 200
        reload(connectd, DENYING, "configuration reloaded")
        connection.sendall(request({"target": TARGET}))
        assert read_answer(stream).status == 403


def request(body: dict) -> bytes:
    text = json.dumps(body)
    return (
        f"POST /v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(text)}\r\n\r\n{text}"
    ).encode()


# The drain.


@contextlib.contextmanager
def draining(network, delay_ms: int, limit_ms: int = 5000, before=lambda connectd: None):
    """A service that has just been told to stop; it must end with 0."""
    configuration = {**OPEN_CONFIGURATION, "drain": {"delay_ms": delay_ms, "limit_ms": limit_ms}}
    connectd = Connectd(network.a, configuration, port=PORT).wait_until_live()
    try:
        prepared = before(connectd)
        connectd.process.send_signal(signal.SIGTERM)
        yield connectd, prepared
        assert connectd.process.wait(20) == 0, connectd.log
    finally:
        connectd.process.kill()
        connectd.stop()


def test_during_the_delay_only_readyz_changes(network):
    with draining(network, delay_ms=1200) as (connectd, _):
        started = time.monotonic()
        wait_for(lambda: connectd.client.get("/readyz").status == 503, seconds=1)
        answer = connectd.client.get("/readyz")
        assert answer.json["status"] == "draining" and answer.json["detail"]
        assert connectd.client.request("HEAD", "/readyz").status == 503
        assert connectd.client.get("/livez").status == 200
        assert connectd.client.check(TARGET)["outcome"] == "refused"
        assert connectd.client.get(f"/v1/probe?target={TARGET}").status == 502
        assert connectd.client.post("/v1/routes", {"destinations": ["127.0.0.1"]}).status == 200
        assert connectd.http.get("/v1/errors").status == 200, "new connections are taken, too"
        assert time.monotonic() - started < 1.1
        assert connectd.process.poll() is None


def test_what_was_accepted_is_answered(network):
    def hang(connectd):
        connection = connectd.unix.connect()
        connection.settimeout(10)
        connection.sendall(request({"target": f"tcp://{net.DROPPED}:80", "timeout_ms": 900}))
        wait_for(lambda: connectd.sockets(SYN_SENT))
        return connection

    with draining(network, delay_ms=0, before=hang) as (_, connection), connection:
        answer = read_answer(connection.makefile("rb"))
    assert answer.status == 200
    assert_failure(answer.json, None, "timeout", "network", source="deadline", name="DEADLINE")
    assert answer.headers.get("connection", "").lower() == "close"


def test_new_work_behind_the_delay_is_not_taken(network):
    def hang(connectd):
        held, idle = connectd.unix.connect(), connectd.unix.connect()
        held.sendall(request({"target": f"tcp://{net.DROPPED}:80", "timeout_ms": 1500}))
        idle.settimeout(5)
        idle.sendall(request({"target": TARGET}))
        stream = idle.makefile("rb")
        assert read_answer(stream).status == 200
        wait_for(lambda: connectd.sockets(SYN_SENT))
        return held, idle, stream

    with draining(network, delay_ms=100, before=hang) as (connectd, (held, idle, stream)):
        time.sleep(0.5)
        with held, idle:
            idle.sendall(request({"target": TARGET}))
            for answer in (
                read_answer(stream),
                connectd.client.post_check(TARGET),
                connectd.http.get(f"/v1/probe?target={TARGET}"),
                connectd.http.post("/v1/routes", {"destinations": ["127.0.0.1"]}),
            ):
                problem = assert_problem(answer, 503)
                assert problem["type"] == "urn:connectd:problem:draining"
                assert int(answer.headers["retry-after"]) >= 1
                assert answer.headers["connection"].lower() == "close"
            assert connectd.client.get("/readyz").status == 503
            assert connectd.client.get("/livez").status == 200
            held.settimeout(5)
            assert read_answer(held.makefile("rb")).status == 200


def test_the_limit_ends_what_takes_longer(network):
    def hang(connectd):
        connection = connectd.unix.connect()
        connection.sendall(request({"target": f"tcp://{net.DROPPED}:80", "timeout_ms": 30000}))
        wait_for(lambda: connectd.sockets(SYN_SENT))
        return connection

    started = time.monotonic()
    with draining(network, delay_ms=0, limit_ms=400, before=hang) as (_, connection), connection:
        connection.settimeout(5)
        try:
            answer = read_answer(connection.makefile("rb"))
        except (EOFError, ConnectionResetError):
            pass
        else:
            assert answer.status in (200, 503)
            assert answer.status == 503 or answer.json["outcome"] == "cancelled", "never the target's failure"
    assert time.monotonic() - started < 5


def test_an_idle_service_ends_at_once(network):
    started = time.monotonic()
    with draining(network, delay_ms=0, before=lambda connectd: connectd.unix.connect()):
        started = time.monotonic()
    assert time.monotonic() - started < 1.5, "a client that is connected and idle holds nothing up"


def test_the_socket_file_is_gone_afterwards(network):
    with draining(network, delay_ms=0) as (connectd, _):
        connectd.process.wait(10)
        with socket.socket(socket.AF_UNIX) as client, pytest.raises(OSError):
            client.connect(connectd.socket_path)


def test_a_second_signal_does_not_hurry_or_harm(network):
    def hang(connectd):
        connection = connectd.unix.connect()
        connection.sendall(request({"target": f"tcp://{net.DROPPED}:80", "timeout_ms": 600}))
        wait_for(lambda: connectd.sockets(SYN_SENT))
        return connection

    with draining(network, delay_ms=100, before=hang) as (connectd, connection), connection:
        connectd.process.send_signal(signal.SIGHUP)
        connectd.process.send_signal(signal.SIGTERM)
        connection.settimeout(5)
        assert read_answer(connection.makefile("rb")).status == 200


def test_what_listens_openly_still_is_not_opened_by_a_new_list_of_listeners(loopback_only, folder):
    """The listeners stay until the next start: without them, tokens and policy could be dropped under an open one."""
    path, log = f"{folder}/connectd.yaml", f"{folder}/log"
    with open(f"{folder}/tokens", "w") as file:
        file.write("a:token-of-a-0123456789\n")
    configuration = {"listen": [f"0.0.0.0:{PORT}"], "policy": {"profile": "internal"}}
    with open(path, "w") as file:
        yaml.safe_dump({**configuration, "auth": {"tokens_file": "tokens"}}, file)
    client = Client(tcp_connector(loopback_only, "127.0.0.1", PORT))
    with open(log, "wb") as output:
        process = subprocess.Popen(
            loopback_only.command(str(binary()), "serve", "--config", path),
            stdout=output, stderr=output, env=clean_environment(),
        )
    try:
        wait_for(lambda: "listening" in open(log).read())
        assert client.post_check(TARGET).status == 401
        with open(path, "w") as file:
            yaml.safe_dump({**configuration, "listen": ["127.0.0.1:1"]}, file)
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: "reload refused" in open(log).read())
        assert client.post_check(TARGET).status == 401
    finally:
        process.terminate()
        assert process.wait(10) == 0


# What else follows a reload, and what cannot be read.


def test_logs_follow(connectd):
    assert status(connectd) == 200 and '"check"' not in connectd.log
    reload(connectd, {**OPEN_CONFIGURATION, "log": {"level": "debug"}}, "configuration reloaded")
    assert status(connectd) == 200
    wait_for(lambda: '"message":"check"' in connectd.log, what=connectd.log)
    reload(connectd, {**OPEN_CONFIGURATION, "log": {"level": "notice", "format": "text"}}, "Z notice configuration reloaded")


def test_the_drain_that_was_reloaded_is_the_one_that_counts(network):
    def change(connectd):
        reload(connectd, {**OPEN_CONFIGURATION, "drain": {"delay_ms": 700}}, "configuration reloaded")

    with draining(network, delay_ms=0, before=change) as (connectd, _):
        time.sleep(0.3)
        assert connectd.client.get("/readyz").status == 503
        assert status(connectd) == 200


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n"], ids=["nothing", "a line end", "a comment"])
def test_a_file_that_is_being_written_does_not_take_tokens_away(connectd, text):
    (connectd.folder / "tokens").write_text("alice:s3cret-of-alice\n")
    reload(connectd, {**OPEN_CONFIGURATION, "auth": {"tokens_file": "tokens"}}, "configuration reloaded")
    reload(connectd, text, "reload refused")
    assert "is empty" in connectd.log and status(connectd) == 401
    (connectd.folder / "tokens").write_text("")
    reload(connectd, {**OPEN_CONFIGURATION, "auth": {"tokens_file": "tokens"}}, "holds no token")
    assert status(connectd) == 401
    reload(connectd, "{}\n", "configuration reloaded")
    assert status(connectd) == 200, "defaults, where they are meant"


def test_an_empty_file_may_stay_empty(network):
    """As a new installation has it, and the image."""
    with Connectd(network.a, "# nothing yet\n", port=PORT) as connectd:
        reload(connectd, "", "configuration reloaded")
        reload(connectd, {"hosts": ["a.example"]}, "configuration reloaded")
        reload(connectd, "", "reload refused")


def test_a_directory_in_the_place_of_the_file_changes_nothing(connectd):
    reload(connectd, DENYING, "configuration reloaded")
    connectd.configuration_path.unlink()
    connectd.configuration_path.mkdir()
    connectd.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "Is a directory" in connectd.log, what=connectd.log)
    assert status(connectd) == 403


def test_links_are_followed_as_kubernetes_swaps_them(connectd):
    """A ConfigMap's file is a link through `..data`, which is replaced as a whole."""
    def swap(name: str, text: str) -> None:
        (connectd.folder / name).mkdir()
        (connectd.folder / name / "connectd.yaml").write_text(text)
        (connectd.folder / "..data_tmp").symlink_to(name)
        (connectd.folder / "..data_tmp").rename(connectd.folder / "..data")
        connectd.process.send_signal(signal.SIGHUP)

    connectd.configuration_path.unlink()
    connectd.configuration_path.symlink_to("..data/connectd.yaml")
    swap("..1", yaml.safe_dump(DENYING))
    wait_for(lambda: status(connectd) == 403, what=connectd.log)
    swap("..2", "policy: [\n")
    wait_for(lambda: "reload refused" in connectd.log, what=connectd.log)
    assert status(connectd) == 403
    swap("..3", yaml.safe_dump(OPEN_CONFIGURATION))
    wait_for(lambda: status(connectd) == 200, what=connectd.log)


def test_a_pipe_that_nobody_writes_into_keeps_nobody_from_stopping(network, folder):
    os.mkfifo(f"{folder}/pipe")
    connectd = Connectd(network.a, OPEN_CONFIGURATION, port=PORT).wait_until_live()
    try:
        connectd.configuration_path.unlink()
        connectd.configuration_path.symlink_to(f"{folder}/pipe")
        connectd.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert status(connectd) == 200
        connectd.process.send_signal(signal.SIGTERM)
        assert connectd.process.wait(12) == 0
        assert "is a pipe" in connectd.log
    finally:
        connectd.process.kill()
        connectd.stop()


def test_a_pipe_is_read_to_its_end(network, folder):
    """As `--config <(…)` of a shell gives it."""
    os.mkfifo(f"{folder}/pipe")
    connectd = Connectd(network.a, port=PORT, arguments=("--config", f"{folder}/pipe"))
    try:
        with open(f"{folder}/pipe", "w") as file:
            file.write("hosts: [one.example]\n")
            file.flush()
            time.sleep(0.3)
            file.write("policy: {profile: rules}\n")
        connectd.wait_until_live()
        assert status(connectd) == 403
    finally:
        connectd.stop()


def test_a_hundred_signals_at_once_are_one_or_two_reloads(connectd):
    (connectd.folder / "connectd.yaml").write_text(yaml.safe_dump(DENYING))
    for _ in range(100):
        connectd.process.send_signal(signal.SIGHUP)
    wait_for(lambda: status(connectd) == 403, what=connectd.log)
    assert connectd.client.get("/livez").status == 200
    (connectd.folder / "connectd.yaml").write_text(yaml.safe_dump(OPEN_CONFIGURATION))
    connectd.process.send_signal(signal.SIGHUP)
    wait_for(lambda: status(connectd) == 200, what=connectd.log)
