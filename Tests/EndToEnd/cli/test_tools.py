"""`connectd errors`, `config check`, `reload`, `healthcheck`; colors, completions and the manual page."""

import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from support import connectd_process, peers
from support.connectd_process import REPOSITORY, Connectd, run

SUBCOMMANDS = [["serve"], ["check"], ["wait"], ["errors"], ["config"], ["config", "check"], ["healthcheck"], ["reload"], ["policy"], ["token"], ["token", "add"]]


@pytest.fixture(scope="module")
def api():
    with Connectd() as running:
        yield running


# errors


@pytest.mark.parametrize("name", ["ECONNREFUSED", "econnrefused", "111"])
def test_an_errno_is_explained(name):
    ran = run("errors", name)
    assert ran.returncode == 0 and ran.stdout.startswith("ECONNREFUSED (111): Connection refused\n")
    for row in ("class", "fault", "retryable", "when", "linux", "hint"):
        assert f"\n  {row} " in ran.stdout


@pytest.mark.parametrize("name", ["DEADLINE", "nxdomain", "CERT_EXPIRED", "EWOULDBLOCK"])
def test_connectd_names_and_other_errnos_are_explained(name):
    ran = run("errors", name)
    assert ran.returncode == 0 and name.upper() in ran.stdout.splitlines()[0]


def test_the_table_has_every_error(api):
    names = [entry["name"] for entry in api.client.get("/v1/errors").json["errors"]]
    lines = run("errors").stdout.splitlines()
    assert [line.split()[1] for line in lines[1:]] == names


def test_json_matches_the_response_of_the_service(api):
    assert run("errors", "--json").stdout.encode() == api.client.get("/v1/errors").body
    assert run("errors", "--json", "113").stdout.encode() == api.client.get("/v1/errors/EHOSTUNREACH").body


@pytest.mark.parametrize(
    "name,said", [("ECONREFUSED", "ECONNREFUSED"), ("unreach", "EHOSTUNREACH"), ("18", "EXDEV"), ("", ""), ("zzz", "")]
)
def test_an_unknown_name_exits_with_2(name, said):
    ran = run("errors", name)
    assert ran.returncode == 2 and ran.stdout == ""
    assert said in ran.stderr and "connectd errors" in ran.stderr


@pytest.mark.parametrize(
    "word,names",
    [
        ("refused", ["ECONNREFUSED", "REFUSED"]), ("REFUSED", ["REFUSED", "ECONNREFUSED"]),
        ("timeout", ["ETIMEDOUT", "DEADLINE"]), ("Connection refused", ["ECONNREFUSED"]),
        ("backlog_full", ["EAGAIN"]),
    ],
)
def test_an_outcome_explains_every_error_that_has_it(word, names):
    ran = run("errors", word)
    heads = [line.split(" ")[0].strip(":,") for line in ran.stdout.splitlines() if line and not line.startswith(" ")]
    assert ran.returncode == 0 and [head for head in heads if head in names] == names
    answered = json.loads(run("errors", "--json", word).stdout)
    assert {entry["name"] for entry in answered.get("errors", [answered])} >= set(names)


def test_many_errors_are_printed_as_a_table():
    lines = run("errors", "tls_failed").stdout.splitlines()
    assert lines[0].split() == ["NO", "NAME", "CLASS", "FAULT", "MESSAGE"]
    assert {line.split()[2] for line in lines[1:-2]} == {"tls_failed"} and "connectd errors NAME" in lines[-1]


def test_a_success_is_not_an_error():
    ran = run("errors", "connected")
    assert ran.returncode == 2 and "is a success" in ran.stderr


# few descriptors


@pytest.mark.parametrize("limit", [4, 5, 8])
@pytest.mark.parametrize(
    "command,status",
    [("check 127.0.0.1:1", 1), ("check --nagios 127.0.0.1:1", 3), ("wait --timeout 1s 127.0.0.1:1", 1),
     ("healthcheck http://127.0.0.1:1/livez", 1), ("serve --listen 127.0.0.1:0", 1)],
)
def test_too_few_descriptors_are_reported(limit, command, status):
    # A shell that calls exec keeps no descriptor open.
    ran = subprocess.run(
        ["sh", "-c", f"ulimit -n {limit}; exec {connectd_process.binary()} {command}"],
        capture_output=True, text=True, timeout=20, env=connectd_process.clean_environment())
    assert ran.returncode == status, ran
    printed = ran.stdout + ran.stderr
    # With eight a check may begin; what it then lacks is the prober's fault.
    expected = ["too few file descriptors"] + ["ECONNREFUSED", "no file descriptor left"] * (limit == 8)
    assert any(words in printed for words in expected), ran


# unknown commands


@pytest.mark.parametrize(
    "arguments,meant",
    [
        (["chek", "a:1"], "did you mean 'connectd check'?"), (["ngios", "x"], ""), (["frobnicate"], ""),
        (["localhost:80"], "did you mean 'connectd check localhost:80'?"),
        (["version"], "did you mean 'connectd --version'?"), (["verison"], "did you mean 'connectd --version'?"),
        (["https://example.com"], "did you mean 'connectd check https://example.com'?"),
        (["help", "chck"], "did you mean 'connectd check'?"), (["config", "chek"], "did you mean 'connectd config check'?"),
    ],
)
def test_an_unknown_command_lists_the_known_ones(arguments, meant):
    ran = run(*arguments)
    assert ran.returncode == 2 and ran.stdout == ""
    first, second, *_ = ran.stderr.splitlines()
    assert "has no command" in first and meant in first
    assert second.startswith("Commands: ") and "check" in second


# config check


def test_monitors_that_the_policy_denies_are_a_warning(folder):
    text = """
policy:
  profile: rules
  rules:
    - {action: deny, cidr: 10.0.0.0/8}
    - {action: allow, cidr: 127.0.0.0/8}
    - {action: deny, host: "*.corp.example"}
monitors:
  - {name: by-address, check: {target: "tcp://10.1.1.1:1"}}
  - {name: allowed, check: {target: "tcp://127.0.0.1:1"}}
  - {name: by-name, check: {target: "tcp://x.corp.example:1"}}
  - {name: by-path, check: {target: "unix:/run/x"}}
  - {name: by-profile, check: {target: "tcp://192.0.2.1:1"}}
  - {name: own, check: {target: "tcp://127.0.0.1:8080"}}
  - {name: metadata, check: {target: "udp://169.254.169.254:80"}}
"""
    ran = config_check(folder, text)
    warnings = {line.split('monitors "')[1].split('"')[0]: line for line in ran.stderr.splitlines()}
    assert ran.returncode == 0 and ran.stdout.startswith("ok")
    assert set(warnings) == {"by-address", "by-name", "by-path", "by-profile", "own", "metadata"}
    assert "policy.rules[0]" in warnings["by-address"] and "policy.rules[2]" in warnings["by-name"]
    assert "profile rules" in warnings["by-profile"] and "tcp://192.0.2.1:1" in warnings["by-profile"]


def config_check(folder: str, text: str, *arguments: str) -> subprocess.CompletedProcess:
    pathlib.Path(folder, "connectd.yaml").write_text(text)
    return run("config", "check", f"{folder}/connectd.yaml", *arguments)


def test_a_valid_configuration_is_summarized(folder):
    text = "listen: ['127.0.0.1:9', 'unix:/run/c.sock']\npolicy:\n  rules:\n    - {action: allow, cidr: 10.0.0.0/8}\n"
    ran = config_check(folder, text)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"ok    {folder}/connectd.yaml  listens on 127.0.0.1:9, unix:/run/c.sock; ")
    assert "policy internal with 1 rule" in ran.stdout


def test_every_problem_has_its_line_key_and_reason(folder):
    ran = config_check(folder, "policy:\n  profil: rules\nlimits: {queue: -1}\nworkers: many\n")
    assert ran.returncode == 1 and ran.stdout == ""
    lines = ran.stderr.splitlines()
    assert [line.removeprefix(f"{folder}/connectd.yaml:").split(": ")[:2] for line in lines[:3]] == [
        ["2:3", "policy.profil"],
        ["3:17", "limits.queue"],
        ["4:10", "workers"],
    ]
    assert lines[3] == f"{folder}/connectd.yaml: 3 problems"


def test_checks_of_monitors_are_validated_too(folder):
    monitor = "monitors:\n  - name: db\n    check:\n      target: %s\n"
    assert config_check(folder, monitor % '"tcp://127.0.0.1:5432"').stdout.endswith("; 1 monitor\n")
    ran = config_check(folder, monitor % '"tcp://127.0.0.1"')
    assert ran.returncode == 1 and "monitors[0].check" in ran.stderr and "port" in ran.stderr


def test_named_files_are_read_but_not_shown(folder):
    ran = config_check(folder, "auth: {tokens_file: tokens}\n")
    assert ran.returncode == 1 and "auth.tokens_file" in ran.stderr
    token = "x" * 40
    pathlib.Path(folder, "tokens").write_text(f"ops:{token}\n")
    os.chmod(f"{folder}/tokens", 0o600)
    ran = config_check(folder, "auth: {tokens_file: tokens}\n")
    assert ran.returncode == 0 and "authentication by 1 token" in ran.stdout
    assert token not in ran.stdout + ran.stderr


def test_a_configuration_that_cannot_start_exits_with_1(folder):
    open_to_all = "listen: ['0.0.0.0:8080']\npolicy: {profile: rules}\n"
    ran = config_check(folder, open_to_all)
    assert ran.returncode == 1 and "No authentication configured" in ran.stderr
    assert config_check(folder, open_to_all, "--allow-anonymous").returncode == 0


def test_the_environment_is_ignored(folder):
    pathlib.Path(folder, "connectd.yaml").write_text("{}\n")
    ran = run("config", "check", f"{folder}/connectd.yaml", environment={"CONNECTD_WORKERS": "many"})
    assert ran.returncode == 0


@pytest.mark.parametrize("arguments,status", [(["config"], 2), (["config", "check"], 2), (["config", "check", "/no/such"], 1)])
def test_a_missing_configuration_is_an_error(arguments, status):
    ran = run(*arguments)
    assert ran.returncode == status and ran.stderr and ran.stdout == ""


# reload


def test_reload_waits_and_reports_a_refusal():
    with Connectd() as service:
        for text, status in (("hosts: [one.example]\n", 0), ("nonsense: 1\n", 1), ("hosts: [two.example]\n", 0)) * 3:
            service.configuration_path.write_text(text)
            before = len(service.log)
            ran = run("reload", str(service.pid))
            assert ran.returncode == status, ran.stderr
            said = "configuration reloaded" if status == 0 else "reload rejected"
            assert said in service.log[before:], "it returns when that is done"
            assert ("rejected" in ran.stderr) is (status == 1)
            assert (ran.stdout != "") is (status == 0)


def test_reload_gets_its_result_among_other_signals():
    """SIGHUP and the signal of `connectd reload` differ, because the kernel merges equal pending signals."""
    with Connectd() as service:
        asking = [subprocess.Popen([str(connectd_process.binary()), "reload", str(service.pid)]) for _ in range(4)]
        for _ in range(200):
            service.process.send_signal(signal.SIGHUP)
        assert [process.wait(30) for process in asking] == [0] * 4


def test_reload_of_a_process_that_does_not_answer_exits_with_1():
    deaf = subprocess.Popen(["/bin/sh", "-c", "trap '' HUP; echo; exec sleep 30"], stdout=subprocess.PIPE)
    try:
        deaf.stdout.readline()
        ran = run("reload", "--timeout", "300ms", str(deaf.pid))
        assert ran.returncode == 1 and "no answer within 300ms" in ran.stderr
    finally:
        deaf.kill()
        deaf.wait()
        deaf.stdout.close()
    ran = run("reload", str(deaf.pid))
    assert ran.returncode == 1 and "ESRCH" in ran.stderr


def test_reload_does_not_end_other_processes():
    """A stale process id may belong to another process, and SIGHUP ends a process that does not handle it."""
    other = subprocess.Popen(["sleep", "30"])
    try:
        ran = run("reload", "--timeout", "300ms", str(other.pid))
        assert ran.returncode == 1 and "no answer within 300ms" in ran.stderr
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_reload_of_a_process_that_ends_exits_with_1():
    other = subprocess.Popen(["sleep", "0.5"])
    reaper = threading.Thread(target=other.wait)
    reaper.start()
    ran = run("reload", str(other.pid))
    reaper.join()
    assert ran.returncode == 1 and "ESRCH" in ran.stderr


@pytest.mark.parametrize("process", ["0", "-1", "x", "", "99999999999"])
def test_reload_without_a_valid_pid_exits_with_2(process):
    """For kill(2), 0 and negative numbers are process groups."""
    assert run("reload", "--", process).returncode == 2


# healthcheck


def test_a_healthy_service_exits_with_0(api):
    ran = run("healthcheck", f"unix:{api.socket_path}")
    assert ran.returncode == 0 and ran.stderr == ""
    assert ran.stdout.startswith(f"ok    unix:{api.socket_path}  200  ")


def test_the_environment_sets_the_address(loopback_only):
    with Connectd(loopback_only, port=8099):

        def check(**variables: str) -> int:
            return run("healthcheck", namespace=loopback_only, environment=variables).returncode

        assert check(CONNECTD_LISTEN="0.0.0.0:8099,unix:/nothing") == 0
        assert check(CONNECTD_LISTEN="127.0.0.1:9", CONNECTD_HEALTH_LISTEN="127.0.0.1:8099") == 0
        assert check(CONNECTD_LISTEN="127.0.0.1:9") == 1
        assert check() == 1
        for url in ("http://localhost:8099", "http://127.0.0.1:8099/readyz", "127.0.0.1:8099"):
            assert run("healthcheck", url, namespace=loopback_only).returncode == 0, url
        assert run("healthcheck", "http://127.0.0.1:8099/nothing", namespace=loopback_only).returncode == 1


@pytest.mark.deadline
def test_a_draining_service_is_live_but_not_ready(loopback_only):
    service = Connectd(loopback_only, configuration={"drain": {"delay_ms": 3000}}, port=8098).wait_until_live()
    try:
        ready, live = (
            lambda path=path: run("healthcheck", f"127.0.0.1:8098/{path}", namespace=loopback_only)
            for path in ("readyz", "livez")
        )
        assert ready().returncode == 0
        service.process.terminate()
        limit = time.monotonic() + 2
        while (ran := ready()).returncode == 0:
            assert time.monotonic() < limit
        assert "  503 Service Unavailable  " in ran.stdout and "drain" in ran.stdout
        assert live().returncode == 0
    finally:
        assert service.stop() == 0


ANSWERS = {
    b"HTTP/1.1 204 No Content\r\n\r\n": 0,
    b"HTTP/1.0 299 x\r\n\r\nbody": 0,
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n": 0,
    b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n": 1,
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nwhy\r\n": 1,
    b"SSH-2.0-OpenSSH\r\n": 1,
    b"HTTP/1.1 200": 1,
    b"": 1,
}


@pytest.mark.parametrize("answer", ANSWERS, ids=[repr(answer[:20]) for answer in ANSWERS])
def test_each_status_has_its_exit_status(folder, answer):
    def script(connection: socket.socket) -> None:
        request = connection.recv(4096)
        assert request.startswith(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n") and b"\r\nConnection: close\r\n" in request
        connection.sendall(answer)

    with peers.serving(peers.unix_listener(f"{folder}/s"), peers.on_each_connection(script)):
        ran = run("healthcheck", f"unix:{folder}/s")
    assert ran.returncode == ANSWERS[answer], ran.stdout
    assert ran.stdout.count("\n") == 1
    if b"why" in answer:
        assert "503 Service Unavailable" in ran.stdout and ran.stdout.endswith("  why\n")


@pytest.mark.deadline
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_hanging_service_exits_with_1_at_the_timeout(folder, sent):
    def script(connection: socket.socket) -> None:
        connection.sendall(sent)
        connection.recv(65536)  # The request.
        connection.recv(1)  # Nothing, until the client gives up.

    with peers.serving(peers.unix_listener(f"{folder}/s"), peers.on_each_connection(script)):
        started = time.monotonic()
        ran = run("healthcheck", "--timeout", "500ms", f"unix:{folder}/s")
        assert 0.5 <= time.monotonic() - started < 1.2
    assert ran.returncode == 1 and "no answer in time" in ran.stdout


def test_an_endless_response_is_truncated(folder):
    def script(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 500 x\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with peers.serving(peers.unix_listener(f"{folder}/s"), peers.on_each_connection(script)):
        ran = run("healthcheck", f"unix:{folder}/s")
    assert ran.returncode == 1 and len(ran.stdout) < 500


@pytest.mark.parametrize("arguments", [["https://a:1"], ["unix:x"], ["--timeout", "0s"], ["--nonsense"], ["unix:/no/such"], ["a", "b"]])
def test_other_failures_exit_with_1(arguments):
    ran = run("healthcheck", *arguments)
    assert ran.returncode == 1 and ran.stdout + ran.stderr


# colors


def on_a_terminal(*arguments: str, **environment: str) -> bytes:
    """What a command prints where its output is a terminal."""
    main, side = pty.openpty()
    with os.fdopen(main, "rb", buffering=0) as reader:
        variables = {**connectd_process.clean_environment(), "TERM": "xterm", **environment}
        subprocess.run(
            [str(connectd_process.binary()), *arguments], stdin=subprocess.DEVNULL, stdout=side, stderr=side, env=variables
        )
        os.close(side)
        shown = b""
        try:
            while more := reader.read(4096):
                shown += more
        except OSError:
            pass  # A terminal's EOF.
        return shown


CHECK = ("check", "unix:@connectd-missing")
WAIT = ("wait", "--timeout", "100ms", "unix:@connectd-missing")


@pytest.mark.parametrize("command", [CHECK, WAIT], ids=["check", "wait"])
def test_colors_need_a_terminal(command):
    assert b"\x1b[" in on_a_terminal(*command)
    assert b"\x1b[" not in on_a_terminal(*command, NO_COLOR="1")
    assert b"\x1b[" not in on_a_terminal(*command, TERM="dumb")
    assert b"\x1b[" not in on_a_terminal(command[0], "--color", "never", *command[1:])
    piped = run(*command)
    assert "\x1b[" not in piped.stdout + piped.stderr
    asked = run(command[0], "--color", "always", *command[1:])
    assert "\x1b[" in asked.stdout + asked.stderr


# help, completions, manual


@pytest.mark.parametrize("words", SUBCOMMANDS, ids=[" ".join(words) for words in SUBCOMMANDS])
def test_every_subcommand_has_help_with_examples(words):
    ran = run(*words, "--help")
    assert ran.returncode == 0 and ran.stderr == ""
    assert f"\n  connectd {' '.join(words)}" in ran.stdout.split("Examples:")[1]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_loads_the_completions(shell, folder):
    ran = run("--generate-completion-script", shell)
    assert ran.returncode == 0 and "connectd" in ran.stdout
    script = pathlib.Path(folder, "completions")
    script.write_text(ran.stdout)
    read = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True)
    assert (read.returncode, read.stderr) == (0, "")


def test_completions_offer_subcommands_and_flags(folder):
    script = pathlib.Path(folder, "completions")
    script.write_text(run("--generate-completion-script", "fish").stdout)
    os.symlink(connectd_process.binary(), f"{folder}/connectd")

    def offered(line: str) -> str:
        command = ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"]
        environment = {**connectd_process.clean_environment(), "PATH": f"{folder}:{os.environ['PATH']}", "HOME": folder}
        return subprocess.run(command, capture_output=True, text=True, env=environment).stdout

    assert offered("connectd he").startswith("healthcheck\t")
    assert "--nagios\t" in offered("connectd check --na")
    assert "ECONNREFUSED" in offered("connectd errors ECONNREF")


def test_the_manual_is_up_to_date(folder):
    made = pathlib.Path(folder, "connectd.1")
    subprocess.run([str(REPOSITORY / "scripts/generate-manual"), str(connectd_process.binary()), str(made)], check=True)
    kept = REPOSITORY / "docs/man/connectd.1"
    assert made.read_text() == kept.read_text(), "run scripts/generate-manual"
    checked = subprocess.run(["mandoc", "-Tlint", "-Wwarning", str(kept)], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, "")
    page = subprocess.run(["mandoc", "-Tascii", str(kept)], capture_output=True, text=True, check=True).stdout
    page = re.sub(".\b", "", page)
    assert all(text in page for text in ("connectd wait", "connectd config check", "ENVIRONMENT"))
