"""`connectd ping`: live lines, statistics, signals and formats, with real sockets and lost SYNs."""

import contextlib
import csv
import io
import json
import os
import re
import signal
import subprocess
import time

import pytest

from support import connectd_process, peers
from support import network as net
from support.network import REFUSED, SILENT

SUMMARY = r"--- .+ ---\n\d+ attempts?, .+, time \d+ ms\n(rtt|time) min/median/avg/p95/max/mdev = \S+ ms\n"


@pytest.fixture(scope="module")
def ping(network):
    """Runs `ping` until it ends."""

    def run(*arguments: str, seconds: float = 30) -> subprocess.CompletedProcess:
        return connectd_process.run("ping", *arguments, namespace=network.a, timeout=seconds)

    return run


@pytest.fixture(scope="module")
def open_port(network):
    """A port that accepts any number of connections."""
    listener = peers.tcp_listener(network.b, net.OPEN)
    with peers.serving(listener, peers.on_each_connection(lambda connection: None)):
        yield listener.getsockname()[1]


def default_signals() -> None:
    """make ignores signals in background jobs. The program must start with the usual dispositions."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def running(network, *arguments: str, stderr=subprocess.DEVNULL):
    """A `ping` whose output can be read while it runs."""
    command = network.a.command(str(connectd_process.binary()), "ping", *arguments)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=stderr, text=True, preexec_fn=default_signals
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def lost_syns(network, condition: str):
    """The router drops the SYNs that meet the condition."""
    network.b.nft(
        "table inet lost {\nchain input { type filter hook input priority -10;\n"
        f"tcp flags & (syn | ack) == syn {condition} drop\n}}\n}}"
    )
    try:
        yield
    finally:
        network.b.nft("delete table inet lost")


def test_each_round_is_a_line_and_the_summary_follows(ping, open_port):
    ran = ping("-c", "3", "-i", "0.05", f"{net.OPEN}:{open_port}")
    assert ran.returncode == 0 and ran.stderr == ""
    lines = ran.stdout.split("\n\n")[0].splitlines()
    for number, line in enumerate(lines, 1):
        place = f"{net.OPEN}:{open_port}"
        assert re.fullmatch(rf"seq={number}  {place}  connected  time=\d\S* ms  rtt=\d\S* ms", line), line
    assert len(lines) == 3
    assert "\n3 attempts, 3 connected, 0% failed, 3 SYNs sent, 0% lost, time 1" in ran.stdout
    [rtt] = re.findall(r"^rtt min/median/avg/p95/max/mdev = (.*) ms$", ran.stdout, re.M)
    values = [float(value) for value in rtt.split("/")]
    assert len(values) == 6 and 0 < values[0] <= values[1] <= values[3] <= values[4] < 1000
    assert "outage" not in ran.stdout and "addresses" not in ran.stdout


def test_a_refusal_is_an_answer(ping):
    ran = ping("-c", "2", "-i", "0.01", REFUSED)
    assert ran.returncode == 1
    assert "  refused  time=" in ran.stdout and "ECONNREFUSED (Connection refused)" in ran.stdout
    assert "2 attempts, 0 connected, 100% failed (2 refused), 2 SYNs sent, 0% lost, time " in ran.stdout
    assert ping("-c", "1", "--expect", "refused", REFUSED).returncode == 0


def test_total_loss_has_statistics_without_numbers(ping):
    ran = ping("-c", "3", "-i", "0.1", "-W", "0.2", SILENT)
    assert ran.returncode == 1
    assert ran.stdout.count("1 SYN sent, not answered  DEADLINE") == 3
    assert "3 attempts, 0 connected, 100% failed (3 timeout), 3 SYNs sent, 100% lost, time " in ran.stdout
    assert "rtt min/median/avg/p95/max/mdev = -/-/-/-/-/- ms" in ran.stdout
    assert re.search(r"^longest outage [345]\d\d ms$", ran.stdout, re.M), ran.stdout
    assert "nan" not in ran.stdout.lower()


def test_rounds_overlap_and_start_on_time(ping):
    """Each round takes a second, but ten of them start within a second."""
    began = time.monotonic()
    ran = ping("-c", "10", "-i", "0.1", "-W", "1", "--format", "ndjson", SILENT)
    assert time.monotonic() - began < 6
    rounds = [json.loads(line) for line in ran.stdout.splitlines()][:-1]
    starts = [float(re.search(r":(\d+\.\d+)Z", one["started_at"])[1]) for one in rounds]
    gaps = [(later - earlier) % 60 for earlier, later in zip(starts, starts[1:])]
    assert all(abs(gap - 0.1 * round(gap / 0.1)) < 0.05 for gap in gaps), gaps
    assert sum(gaps) < 2.5


def test_a_lost_syn_is_loss_and_not_a_slow_connect(ping, network, open_port):
    """Every second SYN is lost, so the kernel sends it again after a second."""
    with lost_syns(network, f"tcp dport {open_port} numgen inc mod 2 == 1"):
        ran = ping("-c", "4", "-i", "2.2", f"{net.OPEN}:{open_port}")
    assert ran.returncode == 0
    slow = [line for line in ran.stdout.splitlines() if line.endswith("2 SYNs sent")]
    assert slow and all(re.search(r"connected  time=1\d{3} ms ", line) for line in slow), ran.stdout
    sent = 4 + len(slow)
    loss = round(100 * len(slow) / sent)
    assert f"4 attempts, 4 connected, 0% failed, {sent} SYNs sent, {loss}% lost, time " in ran.stdout
    rounds = "1 round" if len(slow) == 1 else f"{len(slow)} rounds"
    assert re.search(rf"^{rounds} with a lost SYN, not in these times: time min/median/max = 1\d{{3}}\.", ran.stdout, re.M)
    [rtt] = re.findall(r"^rtt \S+ = (.*) ms$", ran.stdout, re.M)
    assert float(rtt.split("/")[4]) < 500


def test_an_outage_is_measured(ping, network, open_port):
    with lost_syns(network, f"tcp dport {open_port} limit rate over 1/second burst 2 packets"):
        ran = ping("-c", "10", "-i", "0.05", "-W", "0.2", f"{net.OPEN}:{open_port}")
    assert ran.returncode == 0
    assert re.search(r"10 attempts, [1-9] connected, \d+% failed \(\d timeout\)", ran.stdout), ran.stdout
    assert re.search(r"^longest outage \d+ ms$", ran.stdout, re.M)


def read_rounds(process, count: int) -> list[str]:
    """A pipe shows each line at once."""
    return [process.stdout.readline() for _ in range(count)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_prints_the_summary(network, open_port, number):
    with running(network, "-i", "0.05", f"{net.OPEN}:{open_port}") as process:
        read_rounds(process, 2)
        process.send_signal(number)
        rest = process.stdout.read()
        assert process.wait(10) == 0
    assert re.search(rf"\n\n{SUMMARY}$", "\n" + rest), rest


def test_an_interrupt_cancels_rounds_that_have_not_ended(network):
    with running(network, "-W", "60", SILENT) as process:
        connectd_process.wait_until_connecting(process.pid)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out = process.stdout.read()
        assert process.wait(10) == 1 and time.monotonic() - began < 5
    assert "0 attempts, 0 connected, 0% failed, 0 SYNs sent, time " in out


def test_quit_prints_an_interim_summary_and_continues(network, open_port):
    with running(network, "-i", "0.05", f"{net.OPEN}:{open_port}") as process:
        read_rounds(process, 2)
        process.send_signal(signal.SIGQUIT)
        text = ""
        while "\nrtt min" not in text:
            text += process.stdout.readline()
        after = read_rounds(process, 3)
        assert all(line.startswith("seq=") for line in after), after
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(10) == 0
    counts = [int(count) for count in re.findall(r"^(\d+) attempts", text + rest, re.M)]
    assert len(counts) == 2 and counts[0] < counts[1]


def test_quit_does_not_disturb_a_format_for_programs(network, open_port):
    arguments = ["-i", "0.05", "--format", "ndjson", f"{net.OPEN}:{open_port}"]
    with running(network, *arguments, stderr=subprocess.PIPE) as process:
        lines = read_rounds(process, 2)
        process.send_signal(signal.SIGQUIT)
        lines += read_rounds(process, 3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    documents = [json.loads(line) for line in [*lines, *out.splitlines()]]
    assert [document["round"] for document in documents[:-1]] == list(range(1, len(documents)))
    assert documents[-1]["rounds"]["sent"] == len(documents) - 1
    assert "attempts, " in err


def test_json_is_the_last_result_with_the_statistics(ping, open_port):
    ran = ping("-c", "3", "-i", "0.01", "--json", f"{net.OPEN}:{open_port}")
    document = json.loads(ran.stdout)
    assert ran.returncode == 0 and document["outcome"] == "connected"
    rounds = document["rounds"]
    assert (rounds["sent"], rounds["ok"], rounds["loss"], rounds["syn_sent"]) == (3, 3, 0, 3)
    assert rounds["addresses"] == [net.OPEN] and rounds["longest_outage_ms"] == 0
    assert rounds["min_ms"] > 0 and rounds["rtt_us"]["max"] > 0
    rounds = json.loads(ping("-c", "2", "-i", "0.01", "-W", "0.1", "--format", "json", SILENT).stdout)["rounds"]
    assert (rounds["loss"], rounds["min_ms"], rounds["rtt_us"]["median"]) == (1, None, None)


def test_json_without_a_round(network):
    with running(network, "--json", "-W", "60", SILENT) as process:
        connectd_process.wait_until_connecting(process.pid)
        process.send_signal(signal.SIGINT)
        document = json.loads(process.stdout.read())
        assert process.wait(10) == 1
    assert document["outcome"] == "cancelled" and document["rounds"]["sent"] == 0


def test_csv(ping, open_port):
    ran = ping("-c", "2", "-i", "0.01", "--format", "csv", f"{net.OPEN}:{open_port}")
    rows = list(csv.DictReader(io.StringIO(ran.stdout, newline=""), strict=True))
    assert [row["round"] for row in rows] == ["1", "2"]
    assert {row["outcome"] for row in rows} == {"connected"} and rows[0]["address"] == net.OPEN
    assert all(float(row["time_ms"]) > 0 and int(row["rtt_us"]) > 0 and row["syn_sent"] == "1" for row in rows)
    assert "2 attempts, 2 connected" in ran.stderr


def test_quiet_prints_only_the_summary(ping, open_port):
    ran = ping("-q", "-c", "2", "-i", "0.01", f"{net.OPEN}:{open_port}")
    assert re.fullmatch(rf"\n{SUMMARY}", ran.stdout), ran.stdout


def test_time_stamps(ping, open_port):
    ran = ping("-D", "-c", "1", f"{net.OPEN}:{open_port}")
    [stamp] = re.findall(r"^\[(\d+\.\d{6})\] seq=1 ", ran.stdout, re.M)
    assert abs(float(stamp) - time.time()) < 60


def test_udp_without_a_question_is_not_verified(ping):
    ran = ping("-c", "2", "-i", "0.01", f"udp://{net.OPEN}:9999", "--color", "always")
    assert ran.returncode == 1
    assert ran.stdout.count("associated (not verified)") == 3 and "\x1b[32m" not in ran.stdout
    assert "2 attempts, 2 associated (not verified), 0% failed, time " in ran.stdout
    assert ping("-c", "1", f"udp://{net.OPEN}:9999", "--expect", "associated").returncode == 0
    assert ",associated,not verified," in ping("-c", "1", f"udp://{net.OPEN}:9999", "--format", "csv").stdout


def test_udp_with_a_preset(ping, network):
    def answer(server) -> None:
        data, client = server.recvfrom(2000)
        server.sendto(data[:2] + b"\x81\x80" + data[4:], client)

    server = peers.udp_socket(network.b, net.OPEN)
    target = f"udp://{net.OPEN}:{server.getsockname()[1]}"
    with peers.serving(server, answer):
        ran = ping("-c", "3", "-i", "0.05", "--preset", "dns", target)
    assert ran.returncode == 0, ran.stdout
    assert "3 attempts, 3 answered, 0% failed, 0% lost, time " in ran.stdout
    assert re.search(r"^time min/median/avg/p95/max/mdev = \d", ran.stdout, re.M)
    ran = ping("-c", "1", "-W", "0.2", "--preset", "dns", f"udp://{net.DROPPED}:53")
    assert ran.returncode == 1 and "1 attempt, 0 answered, 100% failed (1 timeout), 100% lost, time " in ran.stdout


def test_the_name_is_resolved_in_each_round(network, open_port):
    usual = (network.a.etc / "hosts").read_text()
    network.a.write_etc("hosts", f"{usual}{net.SECOND} moving.example\n")
    try:
        with running(network, "-i", "0.05", f"moving.example:{open_port}") as process:
            assert net.SECOND in process.stdout.readline()
            network.a.write_etc("hosts", f"{usual}{net.OPEN} moving.example\n")
            while f"  {net.OPEN}:" not in process.stdout.readline():
                pass
            process.send_signal(signal.SIGINT)
            out = process.stdout.read()
            assert process.wait(10) == 0
    finally:
        network.a.write_etc("hosts", usual)
    assert f"2 addresses: {net.SECOND}, {net.OPEN}" in out


def test_a_name_that_does_not_resolve(ping):
    ran = ping("-c", "1", "-W", "0.5", "missing.example:80")
    assert ran.returncode == 1 and "  missing.example:80  resolve_failed  " in ran.stdout
    assert "1 attempt, 0 connected, 100% failed (1 resolve_failed), 0 SYNs sent, time " in ran.stdout


def test_a_unix_socket(ping, folder):
    with peers.unix_listener(f"{folder}/s"):
        ran = ping("-c", "2", "-i", "0.01", f"unix:{folder}/s")
    assert ran.returncode == 0 and "2 attempts, 2 connected, 0% failed, " in ran.stdout and "SYN" not in ran.stdout
    assert "lost" not in ran.stdout


def test_an_address_that_fails_before_another_connects_is_named(ping, network, open_port):
    usual = (network.a.etc / "hosts").read_text()
    network.a.write_etc("hosts", f"{usual}{net.SECOND} two.example\n{net.OPEN} two.example\n")
    try:
        ran = ping("-c", "1", f"two.example:{open_port}")
    finally:
        network.a.write_etc("hosts", usual)
    assert f"  after {net.SECOND}:{open_port} refused\n" in ran.stdout, ran.stdout
    assert ", 2 SYNs sent, 0% lost, " in ran.stdout


def test_a_dialog_is_part_of_the_time(ping, network):
    def greet(connection) -> None:
        connection.sendall(b"220 ready\r\n")

    listener = peers.tcp_listener(network.b, net.OPEN)
    with peers.serving(listener, peers.on_each_connection(greet)):
        ran = ping("-c", "2", "-i", "0.05", "--match", "^220", f"{net.OPEN}:{listener.getsockname()[1]}")
    assert ran.returncode == 0 and ran.stdout.count("min/median/avg/p95/max/mdev = ") == 2


def test_the_deadline_ends_the_session(ping, open_port):
    ran = ping("-w", "0.5", "-i", "0.1", "-W", "60", f"{net.OPEN}:{open_port}")
    assert ran.returncode == 0 and re.search(r"^[4-6] attempts, ", ran.stdout, re.M), ran.stdout
    assert ping("-w", "0.2", "-W", "60", SILENT).returncode == 1


def test_a_policy_applies(ping, folder):
    with open(f"{folder}/policy.yaml", "w") as file:
        file.write("policy: {profile: sidecar}\n")
    ran = ping("-c", "1", "--config", f"{folder}/policy.yaml", REFUSED)
    assert ran.returncode == 1 and "denied" in ran.stdout and "0 SYNs sent" in ran.stdout


@pytest.mark.parametrize(
    "arguments,says",
    [
        ([], "no target given"),
        ([net.OPEN], "port"),
        ([net.OPEN, "80"], f"as in {net.OPEN}:80"),
        ([REFUSED, SILENT], "ping takes one target, got 2"),
        (["-c", "0", REFUSED], "-c must be at least 1"),
        (["-i", "0.001", REFUSED], "from 0.01 to 3600 seconds"),
        (["-i", "x", REFUSED], '"x" is not a time'),
        (["-W", "61", REFUSED], "from 0.001 to 60 seconds"),
        (["--json", "--format", "csv", REFUSED], "use either --json or --format csv"),
        (["--format", "junit", REFUSED], "junit"),
        (["--preset", "dns", REFUSED], "--preset needs UDP"),
        (["--tls", f"udp://{net.OPEN}:9"], "TLS options need a TCP target"),
    ],
)
def test_wrong_usage(ping, arguments, says):
    ran = ping(*arguments)
    assert ran.returncode == 2 and ran.stdout == "" and says in ran.stderr, ran.stderr


def test_a_closed_pipe_ends_it_silently(network, open_port):
    script = '"$0" ping -i 0.01 "$1" | head -n 2'
    command = network.a.command("sh", "-c", script, str(connectd_process.binary()), f"{net.OPEN}:{open_port}")
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ran.stdout.count("seq=") == 2 and ran.stderr == ""


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_an_output_that_cannot_be_written_is_an_error(network, redirection):
    script = f'"$0" ping -c 1 "$1" {redirection}'
    command = network.a.command("sh", "-c", script, str(connectd_process.binary()), REFUSED)
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 2 and "cannot write to standard output: " in ran.stderr


def test_no_descriptor_leaks(network, open_port):
    with running(network, "-i", "0.01", f"{net.OPEN}:{open_port}") as process:
        read_rounds(process, 20)
        before = len(os.listdir(f"/proc/{process.pid}/fd"))
        read_rounds(process, 100)
        assert len(os.listdir(f"/proc/{process.pid}/fd")) <= before + 3
        process.send_signal(signal.SIGINT)
