"""`connectd wait`: waits for targets, then runs a command with its own signals and exit status."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from support import connectd_process, peers
from support import network as net
from support.network import REFUSED, SILENT
from support.waiting import wait_until


@pytest.fixture
def start(network):
    """Starts a wait in the prober's namespace, and kills it at the end of the test."""
    with contextlib.ExitStack() as stack:

        def begin(*arguments: str, wrapper: tuple[str, ...] = (), **options) -> subprocess.Popen:
            command = network.a.command(*wrapper, str(connectd_process.binary()), "wait", *arguments)
            options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
            process = stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.DEVNULL, env=connectd_process.clean_environment(), **options)
            )
            stack.callback(lambda: process.poll() is None and process.kill())
            return process

        yield begin


def free_port(network) -> int:
    with network.b.socket() as probe:
        probe.bind((net.OPEN, 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def listening_later(network, port: int, seconds: float):
    """A listener that comes up after a while."""
    made = []
    timer = threading.Timer(seconds, lambda: made.append(peers.tcp_listener(network.b, net.OPEN, port)))
    timer.start()
    try:
        yield
    finally:
        timer.join()
        made[0].close()


@pytest.mark.deadline
def test_a_target_that_is_up_is_not_waited_for(run, target):
    started = time.monotonic()
    ran = run("wait", target)
    assert ran.returncode == 0, ran.stderr
    assert time.monotonic() - started < 1
    assert ran.stdout == "" and f"ok    {target}  connected" in ran.stderr


def test_the_command_has_its_own_output_and_exit_status(run, target):
    ran = run("wait", target, "--", "sh", "-c", 'echo "$0 $1"; exit 7', "a b", "--", environment={"X": "1"})
    assert (ran.returncode, ran.stdout) == (7, "a b --\n")


@pytest.mark.deadline
def test_a_listener_that_comes_up_late_is_waited_for(run, network):
    port = free_port(network)
    with listening_later(network, port, 1.2):
        started = time.monotonic()
        ran = run("wait", "--interval", "100ms", f"{net.OPEN}:{port}", "--", "echo", "started")
        assert 1.1 < time.monotonic() - started < 4
    assert (ran.returncode, ran.stdout) == (0, "started\n")
    first, last = ran.stderr.splitlines()
    assert first.startswith("wait  ") and "ECONNREFUSED" in first
    assert last.startswith("ok    ") and "connected" in last


def test_a_unix_socket_that_comes_up_late_is_waited_for(start, folder):
    process = start("--interval", "50ms", f"unix:{folder}/s")
    assert "no_such_socket  ENOENT" in process.stderr.readline()
    with peers.unix_listener(f"{folder}/s"):
        assert process.wait(5) == 0


def test_a_target_needs_to_be_up_only_once(start, network, target):
    late = free_port(network)
    once = peers.tcp_listener(network.b, net.OPEN)
    process = start("--interval", "100ms", "--timeout", "20s", f"{net.OPEN}:{once.getsockname()[1]}", f"{net.OPEN}:{late}")
    assert {process.stderr.readline()[:4] for _ in range(2)} == {"ok  ", "wait"}
    once.close()
    with peers.tcp_listener(network.b, net.OPEN, late):
        assert process.wait(5) == 0


@pytest.mark.deadline
@pytest.mark.parametrize("given,seconds", [("300ms", 0.3), ("1s", 1.0)])
@pytest.mark.parametrize("missing", [REFUSED, SILENT])
def test_a_timeout_exits_with_1(run, target, missing, given, seconds):
    started = time.monotonic()
    ran = run("wait", "--timeout", given, target, missing, "--", "echo", "started")
    assert seconds <= time.monotonic() - started < seconds + 1.5
    assert (ran.returncode, ran.stdout) == (1, "")
    assert f"connectd: timed out after {given}: 1 of 2 targets is not ready" in ran.stderr
    assert f"FAIL  {missing}" in ran.stderr and "fault: " in ran.stderr


@pytest.mark.deadline
def test_more_targets_than_run_at_once_are_checked(run):
    started = time.monotonic()
    ran = run("wait", "--timeout", "1s", *[f"tcp://{net.DROPPED}:{port}" for port in range(1000, 1600)])
    assert time.monotonic() - started < 5
    assert ran.returncode == 1 and "600 of 600 targets are not ready" in ran.stderr


def test_timeout_zero_waits_forever(start, network):
    port = free_port(network)
    process = start("--timeout", "0", "--interval", "100ms", f"{net.OPEN}:{port}")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.5)
    with peers.tcp_listener(network.b, net.OPEN, port):
        assert process.wait(5) == 0


def test_an_unchanged_state_is_printed_once(run):
    ran = run("wait", "--timeout", "1s", "--interval", "10ms", REFUSED)
    assert sum(line.startswith("wait  ") for line in ran.stderr.splitlines()) == 1


def test_a_changed_state_is_printed_again(start, network):
    port = free_port(network)
    process = start("--interval", "200ms", "--timeout", "10s", f"{net.OPEN}:{port}")
    assert "ECONNREFUSED" in process.stderr.readline()
    network.a.ip(f"route add unreachable {net.OPEN}/32")
    try:
        assert "EHOSTUNREACH" in process.stderr.readline()
    finally:
        network.a.ip(f"route del unreachable {net.OPEN}/32")
    with peers.tcp_listener(network.b, net.OPEN, port):
        assert process.wait(5) == 0


@pytest.mark.parametrize("flag", ["--quiet", "-q"])
def test_quiet_prints_nothing(run, target, flag):
    ran = run("wait", flag, "--timeout", "300ms", target, REFUSED)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "")


def test_a_missing_command_exits_with_127(run, target):
    for command in ("no-such-command", "/no/such/command"):
        ran = run("wait", "-q", target, "--", command)
        assert ran.returncode == 127 and command in ran.stderr


def test_a_command_that_cannot_be_executed_exits_with_126(run, target, folder):
    with open(f"{folder}/text", "w") as file:
        file.write("text\n")
    for command in (f"{folder}/text", folder):
        ran = run("wait", "-q", target, "--", command)
        assert ran.returncode == 126 and command in ran.stderr


def test_a_failed_wait_ends_a_script_with_errexit(network, target):
    script = '"$0" wait -q --timeout 200ms "$1"; echo continued'
    for place, expected in ((target, (0, "continued\n")), (REFUSED, (1, ""))):
        command = network.a.command("sh", "-ec", script, str(connectd_process.binary()), place)
        ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert (ran.returncode, ran.stdout) == expected


@pytest.mark.deadline
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_at_once(start, number):
    process = start("--timeout", "0", SILENT, REFUSED, "--", "echo", "started")
    assert "ECONNREFUSED" in process.stderr.readline()
    started = time.monotonic()
    process.send_signal(number)
    assert process.wait(5) == -number
    assert time.monotonic() - started < 2
    assert process.stdout.read() == ""


def test_a_signal_exits_with_128_plus_its_number(network):
    script = f'"$0" wait -q {REFUSED} & sleep 0.5; kill -TERM $!; wait $!; echo $?'
    command = network.a.command("sh", "-c", script, str(connectd_process.binary()))
    assert subprocess.run(command, capture_output=True, text=True, timeout=30).stdout == "143\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_as_pid_1_it_stops_on_signals(start, number):
    process = start("--timeout", "0", REFUSED, wrapper=("unshare", "--pid", "--fork"))
    assert "ECONNREFUSED" in process.stderr.readline()
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as children:
        (child,) = map(int, children.read().split())
    os.kill(child, number)
    assert process.wait(5) == 128 + number


def test_the_command_receives_signals_directly(start, target):
    program = 'trap "echo caught; exit 42" TERM; echo $$; while :; do sleep 0.05; done'
    process = start(target, "--", "sh", "-c", program)
    assert int(process.stdout.readline()) == process.pid
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 42
    assert process.stdout.read() == "caught\n"
    process = start(target, "--", "sleep", "60")
    assert "ok  " in process.stderr.readline()
    wait_until(lambda: open(f"/proc/{process.pid}/comm").read() == "sleep\n", 30, "the command runs")
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize("before", ["", "trap '' PIPE HUP; "])
def test_the_command_inherits_signals_and_descriptors_unchanged(network, target, before):
    """It inherits the original signal mask and dispositions, and no descriptor of connectd."""
    look = 'grep -E "^Sig(Blk|Ign|Cgt)" /proc/self/status; ls /proc/self/fd'
    shown = []
    for wait in ((), (str(connectd_process.binary()), "wait", "-q", target, "--")):
        command = network.a.command("bash", "-c", f'{before}exec "$@"', "bash", *wait, "bash", "-c", look)
        shown.append(subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout)
    assert "SigIgn" in shown[0]
    assert shown[0] == shown[1]


def test_it_works_without_root(network, target):
    user = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--")
    command = network.a.command(*user, str(connectd_process.binary()), "wait", target, "--", "id", "-un")
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd="/")
    assert (ran.returncode, ran.stdout) == (0, "nobody\n"), ran.stderr


@pytest.mark.deadline
def test_a_denied_target_is_not_waited_for(run, target, folder):
    with open(f"{folder}/connectd.yaml", "w") as file:
        file.write("policy: {profile: rules}\n")
    started = time.monotonic()
    ran = run("wait", "--config", f"{folder}/connectd.yaml", "--timeout", "20s", target, "--", "echo", "started")
    assert time.monotonic() - started < 2
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "denied" in ran.stderr


@pytest.mark.deadline
def test_a_denial_does_not_wait_for_checks_in_flight(run, folder):
    with open(f"{folder}/connectd.yaml", "w") as file:
        file.write(f"policy: {{profile: rules, rules: [{{action: allow, cidr: {net.DROPPED}/32}}]}}\n")
    started = time.monotonic()
    ran = run("wait", "--config", f"{folder}/connectd.yaml", "--timeout", "20s", SILENT, REFUSED)
    assert time.monotonic() - started < 2
    assert ran.returncode == 1 and "denied by the policy" in ran.stderr


def test_a_file_of_targets_is_waited_for(run, target, folder):
    with open(f"{folder}/targets", "w") as file:
        file.write(f"# the first\n{target}\n{REFUSED}\n")
    ran = run("wait", "--timeout", "300ms", "--file", f"{folder}/targets")
    assert ran.returncode == 1 and "1 of 2 targets is not ready" in ran.stderr


def test_a_tls_target_needs_a_handshake(run, network):
    """A port that is open, but does not speak TLS yet."""
    listener = peers.tcp_listener(network.b, net.OPEN)
    with peers.serving(listener, peers.on_each_connection(lambda connection: connection.sendall(b"no TLS\r\n"))):
        place = f"{net.OPEN}:{listener.getsockname()[1]}"
        for arguments in ([f"tls://{place}"], ["--tls", place]):
            ran = run("wait", "--timeout", "2s", *arguments)
            assert ran.returncode == 1 and "tls_failed" in ran.stderr
        assert run("wait", "--timeout", "2s", place).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--", "true"],
        ["nonsense"],
        ["--timeout", "abc", REFUSED],
        ["--timeout", "25h", REFUSED],
        ["--timeout", "10", REFUSED],
        ["--interval", "0", REFUSED],
        ["--no-such-flag", REFUSED],
        ["--config", "/no/such/file", REFUSED],
        ["--color", "red", REFUSED],
        ["--ca", "/no/such/file", REFUSED],
        ["--tls", "udp://10.0.0.1:9"],
    ],
)
def test_wrong_usage_exits_with_2(run, arguments):
    ran = run("wait", *arguments)
    assert ran.returncode == 2, (ran.returncode, ran.stderr)
    assert ran.stdout == "" and "connectd wait" in ran.stderr


def test_a_closed_standard_error_does_not_end_the_wait(start, network):
    """A closed standard error does not end the wait, and the command does not inherit an ignored SIGPIPE."""
    port = free_port(network)
    process = start("--interval", "100ms", f"{net.OPEN}:{port}", "--", "echo", "started")
    process.stderr.close()
    process.stderr = None
    with listening_later(network, port, 0.5):
        assert process.wait(5) == 0
        assert process.stdout.read() == "started\n"


def test_each_interval_has_one_connect(start, network):
    """The load on the target is limited: no burst of connects, whatever it answers."""
    arrived = []
    listener = peers.tcp_listener(network.b, net.OPEN)

    def refuse(connection: socket.socket) -> None:
        arrived.append(time.monotonic())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, peers.RESET)

    with peers.serving(listener, peers.on_each_connection(refuse)):
        process = start("--tls", "--timeout", "1s", "--interval", "200ms", f"{net.OPEN}:{listener.getsockname()[1]}")
        assert process.wait(5) == 1
    assert 2 <= len(arrived) <= 6
