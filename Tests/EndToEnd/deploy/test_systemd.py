"""deploy/systemd under a real systemd: installed by its README, started, reloaded, stopped, broken and repaired."""

import hashlib
import re
import secrets
import time

import pytest
import yaml

from support.connectd_process import wait_until_connecting
from support.http_client import check_request
from support.network import DROPPED
from support.systemd_machine import CONFIGURATION, HEALTH, SERVICE, SOCKET, commands
from support.waiting import wait_until

DENYING = "policy: {rules: [{action: deny, cidr: 127.0.0.1/32}]}\n"
ALLOWING = "policy: {profile: internal}\n"
TARGET = "tcp://127.0.0.1:9"
EXPOSURE = 1.5


@pytest.fixture
def service(machine):
    machine.reset()
    return machine


def test_the_readme_installs_a_running_service(machine):
    """It runs first, before other tests change the installation."""
    for unit in (SERVICE, SOCKET):
        assert machine.sh(f"systemctl is-enabled {unit}; systemctl is-active {unit}").split() == ["enabled", "active"]
    assert machine.show("StatusText") == "listening on 127.0.0.1:8080, unix:/run/connectd/http.sock"
    assert machine.http.get("/v1/errors").status == 200 and machine.unix.get("/v1/errors").status == 200
    assert machine.show("NRestarts") == "0"
    machine.sh(f"printf '{ALLOWING}' >{CONFIGURATION}; cd /source && {commands('## Install')[3]}")
    assert machine.sh(f"cat {CONFIGURATION}") == ALLOWING, "a second installation keeps the configuration"


def test_the_readme_lists_all_linked_packages(machine):
    packages = commands("## Install")[0].split()[3:]
    for package in packages:
        assert machine.sh(f"dpkg-query -W -f '${{db:Status-Status}}' {package}") == "installed"
    assert "not found" not in machine.sh("ldd /usr/local/bin/connectd")


def test_start_returns_when_the_service_answers(service):
    for _ in range(5):
        service.sh(f"systemctl stop {SERVICE} {SOCKET}; systemctl reset-failed")
        service.sh(f"systemctl start {SERVICE} && connectd healthcheck http://127.0.0.1:8080/readyz")


def test_as_many_workers_as_a_large_machine_has_cores(machine):
    """A thread for each; not every container lets systemd count them, so they are counted here."""
    machine.reset("workers: 256\n")
    assert machine.http.get("/livez").status == 200
    threads = int(machine.sh(f"ls /proc/{machine.main_pid}/task | wc -l"))
    assert 256 < threads < int(machine.show("TasksMax"))


def test_systemd_analyze_security_of_the_units(service):
    said = service.sh(f"systemd-analyze verify {SERVICE} {SOCKET} {HEALTH}", check=False)
    # The image has no `man` to look the manual page up with.
    assert [line for line in said.splitlines() if "man connectd" not in line] == []
    exposure = re.search(r"Overall exposure level for connectd.service: ([0-9.]+)", service.sh(f"systemd-analyze security {SERVICE}"))
    assert float(exposure[1]) <= EXPOSURE


def test_the_journal_has_no_warnings(service):
    since = service.now()
    service.sh(f"systemctl restart {SERVICE}; systemctl reload {SERVICE}; systemctl stop {SERVICE} {SOCKET}")
    assert service.journal(since, "-p warning", f"-u {SOCKET}") == ""
    assert "thread priority" not in service.journal(since)


# Tokens.


def test_tokens_are_a_credential_and_appear_nowhere_else(service):
    since = service.now()
    token, *others = [service.sh(f"{line} 2>/dev/null").strip() for line in commands("## Tokens")]
    assert re.fullmatch("[0-9a-f]{64}", token) and others == ["", ""]
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert service.sh("cat /etc/connectd/tokens") == f"me:sha256:{digest}\n"
    assert service.sh("stat -c '%a %U' /etc/connectd/tokens").strip() == "600 root"
    body = {"target": TARGET}
    for client in (service.http, service.unix):
        assert client.post("/v1/checks", body).status == 401
        answer = client.post("/v1/checks", body, {"Authorization": f"Bearer {token}"})
        assert answer.status == 200 and answer.json["outcome"] == "refused"
    pid = service.main_pid
    seen = service.sh(
        f"systemctl show {SERVICE}; systemctl status {SERVICE}; cat /proc/{pid}/environ /proc/{pid}/cmdline"
    )
    assert token not in seen + service.journal(since) + service.sh("journalctl -q -o export", seconds=120)
    assert service.sh(f"stat -c %u /proc/{pid}").strip() != "0"
    service.sh(f"systemctl reload {SERVICE}")
    assert service.http.post("/v1/checks", body).status == 401


def test_without_tokens_there_is_an_empty_credential_and_no_401(service):
    assert service.sh("test -e /etc/connectd/tokens || echo none").strip() == "none"
    assert service.http.post("/v1/checks", {"target": TARGET}).status == 200


# Reload.


def test_reload_returns_when_the_new_configuration_applies(service):
    for index in range(10):
        service.write(CONFIGURATION, DENYING if index % 2 == 0 else ALLOWING)
        service.sh(f"systemctl reload {SERVICE}")
        assert service.http.post("/v1/checks", {"target": TARGET}).status == (403 if index % 2 == 0 else 200)
    assert service.show("NRestarts") == "0"


def test_a_broken_file_makes_the_reload_fail_and_changes_nothing(service):
    service.write(CONFIGURATION, DENYING)
    service.sh(f"systemctl reload {SERVICE}")
    pid, since = service.main_pid, service.now()
    service.write(CONFIGURATION, DENYING + "nonsense: 1\n")
    said = service.sh(f"systemctl reload {SERVICE}", check=False)
    assert f"Job for {SERVICE} failed" in said
    assert service.main_pid == pid and service.show("ActiveState") == "active"
    assert service.http.post("/v1/checks", {"target": TARGET}).status == 403
    assert "connectd.yaml:2:1: nonsense" in service.messages(since, "err")
    wait_until(lambda: "reload was rejected" in service.show("StatusText"), 60, "systemd shows the rejected reload", 0.2)
    service.write(CONFIGURATION, ALLOWING)
    service.sh(f"systemctl reload {SERVICE}")
    assert "rejected" not in service.show("StatusText") and service.main_pid == pid


def test_a_reload_rejected_by_the_service_appears_in_its_status(service):
    """An open listener of the socket unit. The configuration file alone does not show that it needs tokens."""
    service.edit(SOCKET, "Socket", "ListenStream=", "ListenStream=0.0.0.0:8080")
    token = secrets.token_hex(16)
    service.write("/etc/connectd/tokens", f"me:{token}\n", mode="600")
    tokens = "auth: {tokens_file: /run/credentials/connectd.service/tokens}\n"
    service.write(CONFIGURATION, ALLOWING + tokens)
    service.sh(f"systemctl stop {SERVICE} {SOCKET}; systemctl start {SOCKET} {SERVICE}")
    since = service.now()
    service.write(CONFIGURATION, ALLOWING)
    service.sh(f"systemctl reload {SERVICE}", check=False)
    wait_until(lambda: "reload was rejected" in service.show("StatusText"), 60, "systemd shows the rejected reload", 0.2)
    assert "reload rejected" in service.messages(since, "err")
    assert service.http.post("/v1/checks", {"target": TARGET}).status == 401


# The journal.


def test_journal_priorities_match_the_log_levels(service):
    since = service.now()
    # A token that is too short, or in plain text, is a warning; a denial is logged at level info.
    service.write("/etc/connectd/tokens", "me:short\n", mode="600")
    service.write(CONFIGURATION, DENYING + "auth: {tokens_file: /run/credentials/connectd.service/tokens}\n")
    service.sh(f"systemctl restart {SERVICE}")
    service.http.post("/v1/checks", {"target": TARGET}, {"Authorization": "Bearer short"})
    warnings = service.messages(since, "warning").splitlines()
    assert len(warnings) == 2 and "shorter than" in warnings[0] and "plain text" in warnings[1], warnings
    assert service.messages(since, "err") == ""
    everything = [yaml.safe_load(line) for line in service.messages(since, "debug").splitlines()]
    assert {"info", "notice", "warning"} <= {line["level"] for line in everything}, "JSON as it is elsewhere, without a prefix"
    notices = service.messages(since, "notice").splitlines()
    assert {yaml.safe_load(line)["level"] for line in notices} == {"notice", "warning"}


# Stop.


def test_stop_drains_and_exits_with_0(service):
    assert float(re.match(r"(\d+)s", service.show("TimeoutStopUSec"))[1]) > 20, "drain.limit_ms"
    with service.unix.connect() as held:
        held.settimeout(10)
        held.sendall(check_request(f"tcp://{DROPPED}:80", timeout_ms=2000))
        wait_until_connecting(service.pid)
        began = time.monotonic()
        service.sh(f"systemctl stop {SERVICE} {SOCKET}")
        assert time.monotonic() - began > 0.8, "it waits for what was accepted"
        assert held.makefile("rb").readline().split()[1] == b"200"
    shown = service.sh(f"systemctl show -p ActiveState,SubState,Result,ExecMainCode,ExecMainStatus {SERVICE}").split()
    assert set(shown) == {"ActiveState=inactive", "SubState=dead", "Result=success", "ExecMainCode=1", "ExecMainStatus=0"}
    assert "inactive (dead)" in service.sh(f"systemctl status {SERVICE}", check=False)


def wait_for_restart(service) -> None:
    wait_until(
        lambda: service.show("NRestarts") == "1" and service.show("ActiveState") == "active", 60,
        "systemd has started it again", 0.2,
    )  # fmt: skip


def test_a_hanging_service_is_killed_and_restarted(service):
    service.edit(SERVICE, "Service", "WatchdogSec=2s")
    service.sh(f"systemctl restart {SERVICE}")
    time.sleep(5)  # More than two intervals of the watchdog.
    assert service.show("NRestarts") == "0", "signs of life come"
    pid, since = service.main_pid, service.now()
    service.sh(f"kill -STOP {pid}")
    wait_for_restart(service)
    assert service.main_pid != pid and service.http.get("/livez").status == 200
    assert "Watchdog timeout" in service.journal(since)


@pytest.mark.parametrize("signal", ["SEGV", "KILL"])
def test_a_crashed_service_is_restarted(service, signal):
    service.sh(f"kill -{signal} {service.main_pid}")
    wait_for_restart(service)
    assert service.http.get("/livez").status == 200


def test_an_invalid_configuration_is_tried_once(service):
    service.write(CONFIGURATION, "nonsense: 1\n")
    since = service.now()
    assert "failed" in service.sh(f"systemctl restart {SERVICE}", check=False)
    time.sleep(3)  # Longer than RestartSec, because the test shows that no restart comes.
    assert service.show("NRestarts") == "0" and service.show("ActiveState") == "failed"
    errors = service.messages(since, "err").splitlines()
    assert len(errors) == 1 and "nonsense: is not a known key" in errors[0]


def test_socket_activation_stops_after_repeated_failures(service):
    service.write(CONFIGURATION, "nonsense: 1\n")
    service.sh(f"systemctl restart {SERVICE}", check=False)
    since = service.now()
    with pytest.raises((OSError, EOFError)):
        service.http.get("/livez", timeout=20)
    assert service.journal(since).count("nonsense") <= 5
    assert service.show("Result", SOCKET) == "service-start-limit-hit"
    service.write(CONFIGURATION, "")
    service.sh("systemctl reset-failed connectd && systemctl start connectd")
    assert service.http.get("/livez").status == 200 and service.show("ActiveState", SOCKET) == "active"
