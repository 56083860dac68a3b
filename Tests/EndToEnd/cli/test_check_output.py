"""The output of `check` and `wait` for people: results as they arrive, progress on a terminal, the state at Ctrl-C."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import pytest

from support import connectd_process, peers
from support import network as net
from support.network import REFUSED, SILENT


class Terminal:
    """connectd with a terminal as its standard output and error."""

    def __init__(self, network, *arguments: str, stdout=None):
        self.master, slave = pty.openpty()
        command = network.a.command(str(connectd_process.binary()), *arguments)
        environment = {**connectd_process.clean_environment(), "TERM": "xterm"}
        # make ignores SIGINT in background jobs. The program must start with the usual disposition.
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave if stdout is None else stdout,
            stderr=slave,
            env=environment,
            preexec_fn=default_signals,
        )
        os.close(slave)
        self.text = ""

    def read_until(self, pattern: str, seconds: float) -> str:
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            left = end - time.monotonic()
            assert left > 0, f"{pattern!r} is not in {self.text!r}"
            ready, _, _ = select.select([self.master], [], [], left)
            if ready and not self.read():
                assert re.search(pattern, self.text), self.text
        return self.text

    def read(self) -> bool:
        try:
            piece = os.read(self.master, 65536).decode()
        except OSError:
            return False
        self.text += piece
        return bool(piece)

    def end(self) -> int:
        while self.read():
            pass
        status = self.process.wait(10)
        os.close(self.master)
        return status


def default_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def shown(text: str) -> list[str]:
    """The lines that remain on a terminal."""
    lines = [line.split("\r\x1b[K")[-1] for line in text.replace("\r\n", "\n").split("\n")]
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]


@pytest.mark.deadline
def test_one_slow_target_shows_progress_before_its_deadline(network):
    terminal = Terminal(network, "check", "--timeout", "3s", SILENT)
    started = time.monotonic()
    terminal.read_until(r"0/1 done, \d s left", 2)
    assert time.monotonic() - started < 2
    assert terminal.end() == 1
    lines = shown(terminal.text)
    assert lines[0].startswith(f"FAIL  {SILENT}  timeout  DEADLINE")
    assert not any("done" in line for line in lines), "the line of progress is taken away"


@pytest.mark.deadline
def test_progress_counts_outcomes(network, target):
    terminal = Terminal(network, "check", "--timeout", "2s", SILENT, target, REFUSED)
    terminal.read_until(r"2/3 done, [\d.]+/s, 1 connected, 1 refused, \d s left", 2)
    assert terminal.end() == 1


def test_progress_is_for_terminals_only(run, target):
    ran = run("check", "--timeout", "1s", SILENT, target)
    assert ran.stderr == ""


def test_progress_needs_a_terminal_only_on_stderr(network, folder):
    with open(f"{folder}/out", "w+") as out:
        terminal = Terminal(network, "check", "--json", "--timeout", "2s", SILENT, stdout=out)
        terminal.read_until("0/1 done", 2)
        assert terminal.end() == 1
        out.seek(0)
        assert len(json.load(out)) == 1


def test_stats_are_printed_anywhere(run):
    ran = run("check", "--timeout", "1s", "--stats-every", "300ms", SILENT)
    lines = ran.stderr.splitlines()
    assert 2 <= len(lines) <= 4 and all(line.startswith("0/1 done") for line in lines), ran.stderr


@pytest.mark.deadline
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_prints_the_results_so_far(network, target, number):
    terminal = Terminal(network, "check", "--timeout", "30s", SILENT, target, REFUSED)
    terminal.read_until("2/3 done", 5)
    terminal.process.send_signal(number)
    started = time.monotonic()
    assert terminal.end() == 128 + number
    assert time.monotonic() - started < 2
    text = "\n".join(shown(terminal.text))
    assert re.search(rf"--    {re.escape(SILENT)} +not finished", text)
    assert re.search(r"interrupted after [\d.]+ s, 2 of 3 targets finished: 1 ok, 1 failed \(1 refused\), 1 not finished", text)
    assert "1 target, ECONNREFUSED: fault: target. " in text


def interrupted(network, folder: str, *arguments: str) -> tuple[int, str, str]:
    """Interrupts a check of two targets when one of them is done; returns its status, output and errors."""
    with open(f"{folder}/out", "w+") as out:
        terminal = Terminal(network, "check", "--timeout", "30s", *arguments, stdout=out)
        terminal.read_until("1/2 done", 10)
        terminal.process.send_signal(signal.SIGINT)
        status = terminal.end()
        out.seek(0)
        return status, out.read(), terminal.text


def test_an_interrupt_leaves_valid_json(network, target, folder):
    status, out, errors = interrupted(network, folder, "--json", SILENT, target)
    assert status == 130
    assert [result["target"] for result in json.loads(out)] == [target]
    assert "1 of 2 targets finished" in errors and "1 not finished" in errors


def test_an_interrupt_is_unknown_to_nagios(network, target):
    command = network.a.command(str(connectd_process.binary()), "check", "--nagios", "--timeout", "30s", SILENT, target)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=default_signals)
    connectd_process.wait_until_connecting(process.pid)
    time.sleep(1)  # Until the other target is done: with --nagios, no condition shows that before the end.
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=5)
    assert (process.returncode, out) == (3, "CONNECTD UNKNOWN - interrupted, 1 of 2 targets not finished\n")


def test_an_ignored_signal_stays_ignored(network):
    """As `nohup` and scripts start their background jobs."""
    for command in ("check", "wait"):
        arguments = network.a.command(str(connectd_process.binary()), command, "--timeout", "1500ms", SILENT)
        process = subprocess.Popen(
            arguments,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
        connectd_process.wait_until_connecting(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 1, "it continued to its deadline"


def test_wait_shows_progress_and_the_missing_targets_at_an_interrupt(network, target):
    terminal = Terminal(network, "wait", "--timeout", "60s", SILENT, target)
    terminal.read_until(r"1 of 2 ready, \d s, 5\d s left", 5)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == -signal.SIGINT
    assert re.search(r"interrupted after [\d.]+ s: 1 of 2 targets is not ready", terminal.text)


@pytest.mark.deadline
def test_results_arrive_aligned_with_each_hint_once(network, target):
    targets = [target, REFUSED, f"tcp://{net.SECOND}:7", SILENT]
    command = network.a.command(str(connectd_process.binary()), "check", "--timeout", "2s", *targets)
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        first = [process.stdout.readline() for _ in range(3)]
        assert time.monotonic() - started < 1.5, "they waited for the slowest"
        rest = process.stdout.read()
    lines = first + [line for line in rest.splitlines() if line.startswith("FAIL")]
    columns = {re.match(r"(?:ok  |FAIL)  \S+ +", line).end() for line in lines}
    assert len(lines) == 4 and len(columns) == 1, lines
    assert rest.count("nothing listens on this port") == 1 and "2 targets, ECONNREFUSED: " in rest
    assert re.search(r"^4 targets in [\d.]+ s: 1 ok, 3 failed \(2 refused, 1 timeout\)$", rest, re.M)


def test_many_targets_end_with_a_table(run, target):
    ran = run("check", *[target] * 12, REFUSED)
    assert re.search(r"^OUTCOME +TARGETS\nconnected +12\nrefused +1$", ran.stdout, re.M)


# MARK: hints


def test_hints_name_flags_and_print_values(run, network):
    ran = run("check", "--timeout", "700ms", SILENT)
    assert "nothing answered within 700ms" in ran.stdout and "--timeout" in ran.stdout
    assert "timeout_ms" not in ran.stdout
    ran = run("check", "tcp://nothing.invalid:9")
    assert "the name server (127.0.0.1) cannot be reached" in ran.stdout


def test_the_sender_of_an_icmp_message_is_printed(run):
    address = net.ROUTER_REJECTS["admin-prohibited"]
    ran = run("check", f"tcp://{address}:5432")
    assert "icmp.from" not in ran.stdout
    assert re.search(
        r"fault: network\. Ask the owner of \d+\.\d+\.\d+\.\d+, a firewall or router on the path, .* prohibits this connection \(.*prohibited\)",
        ran.stdout,
    ), ran.stdout


# MARK: options


def test_expect_decides_the_exit_status(run, target):
    assert run("check", "--expect", "refused", REFUSED).returncode == 0
    assert run("check", "--expect", "refused,timeout", REFUSED).returncode == 0
    assert run("check", "--expect", "!connected", REFUSED).returncode == 0
    ran = run("check", "--expect", "refused", target)
    assert ran.returncode == 1 and "expected refused" in ran.stdout
    assert run("check", "--expect", "closed", target).returncode == 2


def test_each_line_can_have_an_expectation(run, target, folder):
    with open(f"{folder}/targets", "w") as file:
        file.write(f"{target}\n{REFUSED} expect=refused # closed on purpose\n")
    assert run("check", "--file", f"{folder}/targets").returncode == 0
    with open(f"{folder}/targets", "w") as file:
        file.write(f"{target} expect=refused\n")
    assert run("check", "--file", f"{folder}/targets").returncode == 1


def test_a_file_can_have_comments_and_any_line_ends(run, target, folder):
    request = json.dumps({"target": REFUSED, "expect": "refused", "id": "r"})
    text = f"\ufeff# all\r\n{target} # open\r\n\r\n{request}\r\n"
    with open(f"{folder}/targets", "wb") as file:
        file.write(text.encode())
    ran = run("check", "--json", "--file", f"{folder}/targets")
    assert ran.returncode == 0, ran.stderr
    assert [result.get("id") for result in json.loads(ran.stdout)] == [None, "r"]


def test_every_bad_line_is_reported(run, target, folder):
    with open(f"{folder}/targets", "w") as file:
        file.write(f'{target}\nh\nb:1 c:2\n{{"target":"a:1","timeout":5}}\n{{"target"\nd:1 expect=up\n')
    ran = run("check", "--file", f"{folder}/targets")
    assert ran.returncode == 2 and ran.stdout == ""
    for number in (2, 3, 4, 5, 6):
        assert f"targets:{number}: " in ran.stderr
    with open(f"{folder}/targets", "w") as file:
        file.write(f'{target}\n{{"target":"a:1","timeout":5}}\n{{"target":"a"}}\n')
    ran = run("check", "--file", f"{folder}/targets")
    assert ran.returncode == 2 and "targets:2: /timeout" in ran.stderr and "targets:3: /target" in ran.stderr


def test_match_and_send_run_a_dialog(run, network):
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"220 mx ESMTP\r\n")
        word = connection.recv(100)
        connection.sendall(b"250 " + word)

    listener = peers.tcp_listener(network.b, net.OPEN)
    with listener, peers.serving(listener, peers.on_each_connection(answer)):
        place = f"{net.OPEN}:{listener.getsockname()[1]}"
        steps = ["--match", r"^220 (?<name>\S+)", "--send", r"HELO ${name}\r\n"]
        assert run("check", place, *steps, "--match", "^250 HELO mx").returncode == 0
        assert run("wait", place, *steps, "--match", "^250 HELO mx").returncode == 0
        ran = run("check", place, *steps, "--reject", "^250", "--match", "^9")
        assert ran.returncode == 1 and "DIALOG_REJECTED" in ran.stdout and "--reject" in ran.stdout
        ran = run("check", "--timeout", "500ms", place, "--match", "^SSH")
        assert ran.returncode == 1 and 'it sent "220 mx ESMTP' in ran.stdout and "--match" in ran.stdout
    assert run("check", "--send", "a", "--reject", "b", place).returncode == 2
    assert run("check", "--send", r"\q", place).returncode == 2
    assert run("check", "--match", "(", place).returncode == 2


def test_errors_of_source_and_interface_have_hints(run, network, target):
    ran = run("check", "--json", "--interface", "lo", "--timeout", "300ms", target)
    assert json.loads(ran.stdout)[0]["outcome"] != "connected"
    ran = run("check", "--interface", "nope0", target)
    assert "no interface nope0" in ran.stdout and "--interface" in ran.stdout
    ran = run("check", "--source", "192.0.2.77", target)
    assert ran.returncode == 1 and "Set --source to an address of this machine" in ran.stdout
    ran = run("check", "--source", "127.0.0.1", target)
    assert ran.returncode == 1 and "bound to loopback (127.0.0.1)" in ran.stdout


def test_ipv4_and_ipv6_flags_select_the_address(run, network):
    network.a.write_etc("hosts", f"127.0.0.1 localhost\n{net.OPEN} dual.example\n{net.OPEN6} dual.example\n")
    for flag, address in (("-4", net.OPEN), ("-6", net.OPEN6)):
        (result,) = json.loads(run("check", "--json", flag, "dual.example:9").stdout)
        assert [attempt["address"] for attempt in result["attempts"]] == [address]


# MARK: datagrams


@contextlib.contextmanager
def datagram_socket(folder: str):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"{folder}/d")
        yield f"unix+dgram:{folder}/d"


def test_a_datagram_socket_without_an_answer_is_not_verified(run, folder):
    with datagram_socket(folder) as path:
        for place in (f"udp://{net.OPEN}:9", f"udp://{net.DROPPED}:53", path):
            ran = run("check", place)
            assert ran.returncode == 1 and "not verified: " in ran.stdout and "ok  " not in ran.stdout
            ran = run("check", "--nagios", place)
            assert ran.returncode == 3 and ran.stdout.startswith("CONNECTD UNKNOWN - ") and "not verified" in ran.stdout
            ran = run("check", "--json", place)
            assert ran.returncode == 1 and json.loads(ran.stdout)[0]["verified"] is False
            assert run("check", "--expect", "associated", place).returncode == 0
            assert run("check", "--nagios", "--expect", "associated", place).returncode == 0
            ran = run("wait", "--timeout", "300ms", place, "--", "echo", "started")
            assert (ran.returncode, ran.stdout) == (1, "") and "not verified" in ran.stderr
            assert run("wait", "--until", "associated", place).returncode == 0
    assert "UDP has no handshake" in run("check", f"udp://{net.OPEN}:9").stdout


def test_an_answered_datagram_is_verified(run, network):
    with peers.udp_socket(network.b, net.OPEN) as server:
        place = f"udp://{net.OPEN}:{server.getsockname()[1]}"

        def answer(peer: socket.socket) -> None:
            message, client = peer.recvfrom(100)
            peer.sendto(b"re: " + message, client)

        with peers.serving(server, answer):
            assert run("check", place, "--send", "ping", "--match", "^re: ping$").returncode == 0


def test_wait_down_ends_when_the_target_is_down(run, network, target):
    assert run("wait", "--until", "down", REFUSED).returncode == 0
    assert run("wait", "--until", "refused", REFUSED).returncode == 0
    ran = run("wait", "--until", "down", "--timeout", "500ms", target)
    assert ran.returncode == 1 and "1 of 1 targets is not down" in ran.stderr
    ran = run("wait", "--until", "down", "--timeout", "500ms", "nothing.invalid:1")
    assert ran.returncode == 1, "nothing is known about a target whose name has no address"
    assert run("wait", "--until", "dwn", target).returncode == 2


# MARK: output errors


@pytest.mark.parametrize(
    "arguments,status",
    [
        (["check", REFUSED], 2),
        (["check", "--json", REFUSED], 2),
        (["check", "--ndjson", REFUSED], 2),
        (["check", "--nagios", REFUSED], 2),
        (["errors"], 2),
        (["errors", "ECONNREFUSED"], 2),
        (["--help"], 2),
        (["--version"], 2),
        (["config", "check", "/dev/null"], 2),
    ],
)
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_output_that_cannot_be_written_is_an_error(network, arguments, status, redirection):
    command = network.a.command("sh", "-c", f'"$0" "$@" {redirection}', str(connectd_process.binary()), *arguments)
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ran.returncode == status, ran.stderr
    assert "cannot write to standard output: " in ran.stderr


def test_a_closed_output_pipe_is_not_an_error(network, target):
    script = '"$0" check "$@" | head -n 1'
    targets = [target] * 2000
    command = network.a.command("sh", "-c", script, str(connectd_process.binary()), *targets)
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.stdout.startswith("ok  ") and ran.stdout.count("\n") == 1 and ran.stderr == ""
