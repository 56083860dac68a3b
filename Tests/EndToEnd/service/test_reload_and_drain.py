"""SIGHUP applies a changed configuration or changes nothing. SIGTERM drains: first /readyz, then new work, then exit."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest
import yaml

from support import network as net
from support.connectd_process import OPEN_CONFIGURATION, REPOSITORY, Connectd, binary, clean_environment
from support.expectations import assert_failure, assert_problem
from support.http_client import Client, check_request, read_answer, tcp_connector
from support.waiting import wait_until

PORT = 8201
DENYING = {"policy": {"profile": "internal", "rules": [{"action": "deny", "cidr": f"{net.OPEN}/32"}]}}
TARGET = f"tcp://{net.OPEN}:9"


@pytest.fixture
def connectd(network):
    with Connectd(network.a, OPEN_CONFIGURATION, port=PORT) as running:
        yield running


def status(connectd, **members) -> int:
    return connectd.client.post_check(TARGET, **members).status


def test_a_changed_policy_applies_to_the_next_request(connectd):
    assert status(connectd) == 200
    connectd.reload(DENYING)
    assert_problem(connectd.client.post_check(TARGET), 403)
    assert connectd.client.check(f"tcp://{net.SECOND}:9")["outcome"] == "refused"
    connectd.reload(OPEN_CONFIGURATION)
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
def test_an_invalid_configuration_changes_nothing_and_is_reported(connectd, broken, word):
    connectd.reload(DENYING)
    connectd.reload(broken, "reload rejected")
    refusal = next(line for line in connectd.log.splitlines() if "reload rejected" in line)
    assert word in refusal and json.loads(refusal)["level"] == "error"
    assert status(connectd) == 403, "the old configuration still applies"
    assert connectd.client.get("/readyz").status == 200


def test_a_missing_configuration_file_changes_nothing_on_reload(connectd):
    connectd.reload(DENYING)
    connectd.configuration_path.unlink()
    before = len(connectd.log)
    connectd.process.send_signal(signal.SIGHUP)
    connectd.wait_for_log("reload rejected", before)
    assert status(connectd) == 403


def test_a_reload_changes_the_tokens(connectd):
    (connectd.folder / "tokens").write_text("alice:s3cret-of-alice\n")
    with_tokens = {**OPEN_CONFIGURATION, "auth": {"tokens_file": "tokens"}}
    connectd.reload(with_tokens)
    alice, bob = ({"Authorization": f"Bearer s3cret-of-{name}"} for name in ("alice", "bob"))
    body = {"target": TARGET}
    assert connectd.client.post("/v1/checks", body).status == 401
    assert connectd.client.post("/v1/checks", body, alice).status == 200
    (connectd.folder / "tokens").write_text("bob:s3cret-of-bob\n")
    connectd.reload(with_tokens)
    assert connectd.client.post("/v1/checks", body, alice).status == 401
    assert connectd.client.post("/v1/checks", body, bob).status == 200
    assert "s3cret" not in connectd.log


def test_a_reload_changes_options_dialogs_and_hosts(connectd):
    assert status(connectd, dialog=[{"send": "x"}], socket={"mark": 1}) == 200
    assert connectd.http.get("/v1/errors", {"Host": "later.example"}).status == 421
    changed = {"policy": {"profile": "internal", "dialogs": "none", "options": []}, "hosts": ["later.example"]}
    connectd.reload(changed)
    assert status(connectd, dialog=[{"send": "x"}]) == 403
    assert status(connectd, socket={"mark": 1}) == 403
    assert connectd.http.get("/v1/errors", {"Host": "later.example"}).status == 200


def test_a_reload_changes_the_log_level_and_format(connectd):
    """An operator can log each check without a restart."""
    before = len(connectd.log)
    connectd.client.check(TARGET)
    assert '"message":"check"' not in connectd.log[before:]
    connectd.reload({**OPEN_CONFIGURATION, "log": {"level": "debug"}})
    connectd.client.check(TARGET)
    connectd.wait_for_log('"message":"check"', before)
    connectd.reload({**OPEN_CONFIGURATION, "log": {"level": "debug", "format": "text"}})
    before = len(connectd.log)
    connectd.client.check(TARGET)
    connectd.wait_for_log(" debug check ", before)
    connectd.reload(OPEN_CONFIGURATION)
    before = len(connectd.log)
    connectd.client.check(TARGET)
    assert connectd.log[before:] == ""


def test_the_page_names_the_keys_that_need_a_restart():
    """The message of a reload and docs/graceful-shutdown.md name the same keys."""
    said = re.search(r'"(listen, .*) take effect only', (REPOSITORY / "Sources/connectd/Serve/Reloader.swift").read_text())
    page = (REPOSITORY / "docs/graceful-shutdown.md").read_text()
    paragraph = next(part for part in page.split("\n\n") if "takes a restart" in part)
    for key in re.findall(r"[a-z_]+(?:\.[a-z_]+)?", said[1].replace(" on or off", "").replace(" and ", ", ")):
        assert f"`{key}`" in paragraph, key


def test_a_check_in_flight_keeps_its_configuration(connectd):
    with connectd.unix.connect() as connection:
        connection.sendall(check_request(f"tcp://{net.DROPPED}:80", timeout_ms=700))
        connectd.wait_until_connecting()
        connectd.reload({"policy": {"profile": "rules"}})
        connection.settimeout(5)
        answer = read_answer(connection.makefile("rb"))
    assert answer.status == 200 and answer.json["outcome"] == "timeout"


def test_a_key_that_needs_a_restart_is_logged(connectd):
    connectd.reload({**OPEN_CONFIGURATION, "limits": {"queue": 7}}, "only after a restart")


def test_a_keep_alive_connection_survives_a_reload(connectd):
    with connectd.unix.connect() as connection:
        connection.settimeout(5)
        stream = connection.makefile("rb")
        connection.sendall(check_request(TARGET))
        assert read_answer(stream).status == 200
        connectd.reload(DENYING)
        connection.sendall(check_request(TARGET))
        assert read_answer(stream).status == 403


# The drain.


@contextlib.contextmanager
def draining(network, delay_ms: int, limit_ms: int = 5000, before=lambda connectd: None):
    """A service that has just received SIGTERM; it must exit with 0."""
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


def wait_until_draining(connectd: Connectd, timeout: float) -> None:
    wait_until(lambda: connectd.client.get("/readyz").status == 503, timeout, "/readyz says that the service drains")


@pytest.mark.deadline
def test_during_the_drain_delay_only_readyz_changes(network):
    with draining(network, delay_ms=1200) as (connectd, _):
        started = time.monotonic()
        wait_until_draining(connectd, 1)
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


def test_a_check_in_flight_is_answered(network):
    def hang(connectd):
        connection = connectd.unix.connect()
        connection.settimeout(10)
        connection.sendall(check_request(f"tcp://{net.DROPPED}:80", timeout_ms=900))
        connectd.wait_until_connecting()
        return connection

    with draining(network, delay_ms=0, before=hang) as (_, connection), connection:
        answer = read_answer(connection.makefile("rb"))
    assert answer.status == 200
    assert_failure(answer.json, None, "timeout", "network", source="deadline", name="DEADLINE")
    assert answer.headers.get("connection", "").lower() == "close"


@pytest.mark.deadline
def test_new_work_after_the_drain_delay_is_refused(network):
    def hang(connectd):
        held, idle = connectd.unix.connect(), connectd.unix.connect()
        held.sendall(check_request(f"tcp://{net.DROPPED}:80", timeout_ms=1500))
        idle.settimeout(5)
        idle.sendall(check_request(TARGET))
        stream = idle.makefile("rb")
        assert read_answer(stream).status == 200
        connectd.wait_until_connecting()
        return held, idle, stream

    with draining(network, delay_ms=100, before=hang) as (connectd, (held, idle, stream)):
        wait_until(lambda: connectd.client.post_check(TARGET).status == 503, 1, "no new check is taken")
        with held, idle:
            idle.sendall(check_request(TARGET))
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


def test_the_drain_limit_cancels_longer_checks(network):
    def hang(connectd):
        connection = connectd.unix.connect()
        connection.sendall(check_request(f"tcp://{net.DROPPED}:80", timeout_ms=30000))
        connectd.wait_until_connecting()
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


@pytest.mark.deadline
def test_an_idle_service_ends_at_once(network):
    started = time.monotonic()
    with draining(network, delay_ms=0, before=lambda connectd: connectd.unix.connect()):
        started = time.monotonic()
    assert time.monotonic() - started < 1.5, "a client that is connected and idle holds nothing up"


def test_the_socket_file_is_removed(network):
    with draining(network, delay_ms=0) as (connectd, _):
        connectd.process.wait(10)
        with socket.socket(socket.AF_UNIX) as client, pytest.raises(OSError):
            client.connect(connectd.socket_path)


def test_a_second_signal_changes_nothing(network):
    def hang(connectd):
        connection = connectd.unix.connect()
        connection.sendall(check_request(f"tcp://{net.DROPPED}:80", timeout_ms=600))
        connectd.wait_until_connecting()
        return connection

    with draining(network, delay_ms=100, before=hang) as (connectd, connection), connection:
        connectd.process.send_signal(signal.SIGHUP)
        connectd.process.send_signal(signal.SIGTERM)
        connection.settimeout(5)
        assert read_answer(connection.makefile("rb")).status == 200


def test_a_reload_cannot_open_a_listener_that_needs_authentication(loopback_only, folder):
    """Listeners stay open until a restart, so a reload must not remove the tokens that an open one needs."""
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
        wait_until(lambda: "listening" in open(log).read(), 30, lambda: "listening" + f" in {open(log).read()}")
        assert client.post_check(TARGET).status == 401
        with open(path, "w") as file:
            yaml.safe_dump({**configuration, "listen": ["127.0.0.1:1"]}, file)
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reload rejected" in open(log).read(), 30, lambda: "reload rejected" + f" in {open(log).read()}")
        assert client.post_check(TARGET).status == 401
    finally:
        process.terminate()
        assert process.wait(10) == 0


# Further settings of a reload, and unreadable files.


def test_a_reload_changes_the_log(connectd):
    assert status(connectd) == 200 and '"check"' not in connectd.log
    connectd.reload({**OPEN_CONFIGURATION, "log": {"level": "debug"}})
    assert status(connectd) == 200
    connectd.wait_for_log('"message":"check"')
    connectd.reload({**OPEN_CONFIGURATION, "log": {"level": "notice", "format": "text"}}, "Z notice configuration reloaded")


@pytest.mark.deadline
def test_a_reload_changes_the_drain(network):
    def change(connectd):
        connectd.reload({**OPEN_CONFIGURATION, "drain": {"delay_ms": 700}})

    with draining(network, delay_ms=0, before=change) as (connectd, _):
        wait_until_draining(connectd, 0.5)
        assert status(connectd) == 200


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n"], ids=["nothing", "a line end", "a comment"])
def test_a_partially_written_file_does_not_remove_tokens(connectd, text):
    (connectd.folder / "tokens").write_text("alice:s3cret-of-alice\n")
    connectd.reload({**OPEN_CONFIGURATION, "auth": {"tokens_file": "tokens"}})
    connectd.reload(text, "reload rejected")
    assert "is empty" in connectd.log and status(connectd) == 401
    (connectd.folder / "tokens").write_text("")
    connectd.reload({**OPEN_CONFIGURATION, "auth": {"tokens_file": "tokens"}}, "contains no token")
    assert status(connectd) == 401
    connectd.reload("{}\n")
    assert status(connectd) == 200, "defaults, where they are meant"


def test_an_empty_file_can_stay_empty(network):
    """As in a new installation and in the image."""
    with Connectd(network.a, "# nothing yet\n", port=PORT) as connectd:
        connectd.reload("")
        connectd.reload({"hosts": ["a.example"]})
        connectd.reload("", "reload rejected")


def test_a_directory_instead_of_the_configuration_changes_nothing(connectd):
    connectd.reload(DENYING)
    connectd.configuration_path.unlink()
    connectd.configuration_path.mkdir()
    connectd.process.send_signal(signal.SIGHUP)
    connectd.wait_for_log("Is a directory")
    assert status(connectd) == 403


def test_swapped_links_of_kubernetes_are_followed(connectd):
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
    wait_until(lambda: status(connectd) == 403, 30, lambda: f"checks are answered with 403:\n{connectd.log}")
    swap("..2", "policy: [\n")
    connectd.wait_for_log("reload rejected")
    assert status(connectd) == 403
    swap("..3", yaml.safe_dump(OPEN_CONFIGURATION))
    wait_until(lambda: status(connectd) == 200, 30, lambda: f"checks are answered with 200:\n{connectd.log}")


def test_an_empty_pipe_as_configuration_does_not_block_shutdown(network, folder):
    os.mkfifo(f"{folder}/pipe")
    connectd = Connectd(network.a, OPEN_CONFIGURATION, port=PORT).wait_until_live()
    try:
        connectd.configuration_path.unlink()
        connectd.configuration_path.symlink_to(f"{folder}/pipe")
        connectd.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)  # There is nothing to wait for: the pipe stays empty, and the service continues.
        assert status(connectd) == 200
        connectd.process.send_signal(signal.SIGTERM)
        assert connectd.process.wait(12) == 0
        assert "is a pipe" in connectd.log
    finally:
        connectd.process.kill()
        connectd.stop()


def test_a_pipe_is_read_until_eof(network, folder):
    """As with `--config <(…)` in a shell."""
    os.mkfifo(f"{folder}/pipe")
    connectd = Connectd(network.a, port=PORT, arguments=("--config", f"{folder}/pipe"))
    try:
        with open(f"{folder}/pipe", "w") as file:
            file.write("hosts: [one.example]\n")
            file.flush()
            time.sleep(0.3)  # Until the first part has been read: no condition shows that.
            file.write("policy: {profile: rules}\n")
        connectd.wait_until_live()
        assert status(connectd) == 403
    finally:
        connectd.stop()


def test_a_hundred_signals_at_once_cause_few_reloads(connectd):
    (connectd.folder / "connectd.yaml").write_text(yaml.safe_dump(DENYING))
    for _ in range(100):
        connectd.process.send_signal(signal.SIGHUP)
    wait_until(lambda: status(connectd) == 403, 30, lambda: f"checks are answered with 403:\n{connectd.log}")
    assert connectd.client.get("/livez").status == 200
    (connectd.folder / "connectd.yaml").write_text(yaml.safe_dump(OPEN_CONFIGURATION))
    connectd.process.send_signal(signal.SIGHUP)
    wait_until(lambda: status(connectd) == 200, 30, lambda: f"checks are answered with 200:\n{connectd.log}")
