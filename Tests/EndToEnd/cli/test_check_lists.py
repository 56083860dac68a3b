"""`check` with lists of targets: ports, networks, exclusions, earlier results, and files that other programs use."""

import collections
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time

import pytest

from support import connectd_process, peers
from support import network as net
from support.network import REFUSED, SILENT
from support.waiting import wait_until


@pytest.fixture(scope="module")
def check(network):
    """Runs `check` with an optional text as its standard input."""

    def run(*arguments: str, text: str | None = None, seconds: float = 60) -> subprocess.CompletedProcess:
        return connectd_process.run("check", *arguments, namespace=network.a, input=text, timeout=seconds)

    return run


def targets(ran: subprocess.CompletedProcess) -> list[str]:
    assert ran.stdout, ran.stderr
    return [result["target"] for result in json.loads(ran.stdout)]


def test_a_second_file_is_refused(check, folder):
    for name in ("a", "b"):
        with open(f"{folder}/{name}", "w") as file:
            file.write(f"{REFUSED}\n")
    ran = check("--file", f"{folder}/a", "--file", f"{folder}/b")
    assert ran.returncode == 2 and "--file can be used once" in ran.stderr


def test_nagios_shows_no_control_characters_of_a_target(check):
    ran = check("--nagios", "--file", "-", text='{"target":"unix:/a\\u001b[31mred"}\n{"target":"%s"}\n' % REFUSED)
    assert "\x1b" not in ran.stdout and "red" in ran.stdout


@pytest.fixture(scope="module")
def echo(network):
    """A server that sends back what it gets."""

    def script(connection: socket.socket) -> None:
        while data := connection.recv(100):
            connection.sendall(data)

    listener = peers.tcp_listener(network.b, net.OPEN)
    with peers.serving(listener, peers.on_each_connection(script)):
        yield f"{net.OPEN}:{listener.getsockname()[1]}"


def test_options_are_defaults_of_requests_in_a_file(check, echo, network):
    lines = [
        {"target": REFUSED, "id": "all"},
        {"target": REFUSED, "id": "own", "timeout_ms": 900, "expect": "connected"},
        {"target": "unix:/run/none.sock", "id": "unix"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    ran = check("--json", "-4", "--source", net.PROBER, "--expect", "refused,no_such_socket", "--file", "-", text=text)
    found = {result["id"]: (result["ok"], result["outcome"]) for result in json.loads(ran.stdout)}
    assert found == {"all": (True, "refused"), "own": (False, "refused"), "unix": (True, "no_such_socket")}
    # A dialog belongs to the request if it has one.
    lines = [{"target": echo}, {"target": echo, "dialog": [{"send": "a"}, {"expect": "a"}]}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    ran = check("--json", "--send", "x\\xff", "--match", "x", "--file", "-", text=text)
    assert [result["dialog"]["steps"][1]["received"] for result in json.loads(ran.stdout)] == ["x\\xFF", "a"], ran.stdout


def test_objects_of_options_and_of_a_request_are_merged(check):
    request = {"target": "tcp://localhost:9", "resolve": {"addresses": "all"}, "bind": {"port": 0}}
    ran = check("--json", "-4", "--source", "127.0.0.2", "--file", "-", text=json.dumps(request))
    [result] = json.loads(ran.stdout)
    assert [attempt["address"] for attempt in result["attempts"]] == ["127.0.0.1"]
    assert result["attempts"][0]["local"]["address"] == "127.0.0.2"


def test_tls_options_apply_to_tcp_requests(check, echo):
    lines = [{"target": echo}, {"target": echo, "tls": False}, {"target": f"udp://{net.OPEN}:9"}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    ran = check("--json", "--tls", "--file", "-", text=text)
    assert [result["outcome"] for result in json.loads(ran.stdout)] == ["tls_failed", "connected", "associated"], ran.stderr


def test_hold_rounds_and_traces_are_defaults_too(check, echo):
    lines = [{"target": echo, "id": "held"}, {"target": REFUSED, "id": "refused"}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    ran = check("--json", "--count", "2", "--hold", "100ms", "--trace-failures", "--file", "-", text=text)
    held, refused = json.loads(ran.stdout)
    assert held["after"]["event"] == "open" and held["rounds"]["sent"] == refused["rounds"]["sent"] == 2
    assert "trace" not in held and refused["trace"]["hops"]
    ran = check("--json", "--half-open", "--file", "-", text=json.dumps({"target": REFUSED}))
    assert json.loads(ran.stdout)[0]["outcome"] == "refused"


def test_a_preset_needs_udp_in_a_request_too(check):
    ran = check("--preset", "dns", "--file", "-", text=json.dumps({"target": REFUSED}))
    assert ran.returncode == 2 and "/preset " in ran.stderr, ran.stderr


@pytest.mark.parametrize("lines", [1, 2])
def test_a_file_ends_with_a_table(check, lines):
    ran = check("--file", "-", text=f"{REFUSED}\n" * lines)
    assert re.search(rf"\n\nOUTCOME  TARGETS\nrefused        {lines}\n\n{lines} targets? in ", ran.stdout), ran.stdout


def test_ports_and_networks(check):
    ran = check("--json", "--expect", "refused,associated", "--ports", "9,8000-8001,u:53", net.OPEN, f"{net.SECOND}:7")
    assert targets(ran) == [
        f"{net.OPEN}:9", f"{net.OPEN}:8000", f"{net.OPEN}:8001", f"udp://{net.OPEN}:53", f"{net.SECOND}:7",
    ]  # fmt: skip
    assert ran.returncode == 0
    lines = "10.88.1.0/30 expect=refused,timeout,unreachable # a comment\nfd00:88:1::/127\n"
    ran = check("--json", "--timeout", "200ms", "--expand", "--ports", "9", "--file", "-", text=lines)
    assert targets(ran) == [f"10.88.1.{n}:9" for n in range(4)] + [f"[fd00:88:1::{n}]:9".replace("::0]", "::]") for n in range(2)]
    ran = check("--tls", "--timeout", "100ms", "--ports", "https", net.OPEN)
    assert f"{net.OPEN}:443" in ran.stdout


def test_wrong_lists_start_nothing(check, network):
    with peers.tcp_listener(network.b, net.OPEN) as listener:
        place = f"{net.OPEN}:{listener.getsockname()[1]}"
        for arguments, text, said in [
            ([], f"{place}\n10.0.0.0/24\n", "standard input:2: \"10.0.0.0/24\" is a network: add --expand and --ports"),
            (["--expand", "--ports", "1"], f"{place}\n10.0.0.0/8\n", "standard input:2: "),
            (["--expand"], "10.0.0.0/24\n", "add --ports, or a port as in 10.0.0.0/24:443,"),
            (["--ports", "0"], f"{place}\n", "is not a port from 1 to 65535"),
            ([], f"{place}\nnonsense\n", "or give the ports of all hosts with --ports"),
            (["--exclude", "a b"], f"{place}\n", '--exclude "a b" is not a host'),
            (["--exclude", "@/none"], f"{place}\n", "cannot read /none"),
            (["--exclude", place], f"{place}\n", "excludes all 1 targets"),
            (["--skip-done", "/none"], f"{place}\n", "cannot read /none"),
            (["--file", "/"], "", "Is a directory"),
        ]:
            ran = check(*arguments, "--file", "-", text=text) if "--file" not in arguments else check(*arguments)
            assert ran.returncode == 2 and said in ran.stderr and ran.stdout == "", (arguments, ran.stderr)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_exclusions(check, folder):
    with open(f"{folder}/excluded", "w") as file:
        file.write(f"# not these\n{net.SECOND}\n{net.OPEN}:8000\n")
    ran = check(
        "--json", "--ports", "8000-8001", "--exclude", f"@{folder}/excluded", "--exclude", "NAME.invalid.",
        net.OPEN, net.SECOND, "name.invalid", "tcp://name.invalid:9",
    )  # fmt: skip
    assert targets(ran) == [f"{net.OPEN}:8001"]


def test_a_run_is_resumed(check, network, folder):
    """An interrupted run is appended to until every target has a result."""
    done = f"{folder}/done.ndjson"
    lines = f"{REFUSED}\n{REFUSED}\n{SILENT}\ntcp://{net.OPEN}:10\n"
    with open(f"{folder}/targets", "w") as file:
        file.write(lines)
    command = network.a.command(
        str(connectd_process.binary()), "check", "--ndjson", "--timeout", "20s", "--file", f"{folder}/targets",
        "--expect", "refused,timeout",
    )  # fmt: skip
    with open(done, "wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL)
        wait_until(lambda: os.path.getsize(done) and open(done).read().count("\n") == 3, 10, "three results")
        process.send_signal(signal.SIGKILL)
        process.wait()
    with open(done, "a") as file:
        file.write('{"schema":1,"target":"tc')  # Killed while it wrote.
    script = 'exec "$0" check --ndjson --timeout 200ms --file "$1" --skip-done "$2" >>"$2"'
    command = network.a.command("sh", "-c", script, str(connectd_process.binary()), f"{folder}/targets", done)
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 1 and "skipped 3 targets" in ran.stderr
    texts = open(done).read().splitlines()
    texts.remove('{"schema":1,"target":"tc')  # The next line is not appended to it.
    counts = collections.Counter(json.loads(text)["target"] for text in texts)
    assert counts == {REFUSED: 2, SILENT: 1, f"tcp://{net.OPEN}:10": 1}
    ran = check("--skip-done", done, "--file", f"{folder}/targets")
    assert ran.returncode == 1 and ran.stdout == "" and "skipped 4 targets" in ran.stderr, "old failures count"


def test_a_truncated_line_is_tolerated(check, folder):
    ran = check("--ndjson", "--expect", "refused", REFUSED, f"tcp://{net.OPEN}:10")
    with open(f"{folder}/old", "w") as file:
        file.write(ran.stdout[:-20])
    ran = check("--ndjson", "--expect", "refused", "--skip-done", f"{folder}/old", REFUSED, f"tcp://{net.OPEN}:10")
    assert ran.returncode == 0 and ran.stdout.count("\n") == 1
    assert "ignored 1 line that is not a result" in ran.stderr and "skipped 1 target " in ran.stderr


HOSTS = f"""\
127.0.0.1\tlocalhost
{net.OPEN}\trouter.example router # the router
"""
NMAP_LIST = f"{net.OPEN} {net.SECOND}\n\n# -iL file\n{net.OPEN}\n"
SHODAN = f"IP,Port,Hostnames\n{net.OPEN},9,router.example\n"


def test_files_of_other_programs_get_an_error_for_each_line(check):
    for text, count, said in [
        (HOSTS, 2, "write one target per line"),
        (NMAP_LIST, 1, "write one target per line"),
        (SHODAN, 2, "did you mean"),
    ]:
        ran = check("--ports", "9", "--file", "-", text=text)
        assert ran.returncode == 2 and len(re.findall(r"standard input:\d+: ", ran.stderr)) == count, ran.stderr


def test_a_list_of_fping_or_nmap_works_with_ports(check):
    ran = check("--json", "--ports", "9", "--expand", "--file", "-", text=f"{net.OPEN}\n{net.SECOND}/32\n\n#end\n")
    assert targets(ran) == [f"{net.OPEN}:9", f"{net.SECOND}:9"]


def test_a_slow_reader_holds_back_the_checks(network, folder):
    """Only as many checks start as the output can take, plus a bounded number; memory does not grow."""
    with open(f"{folder}/targets", "w") as file:
        for port in range(1, 30_001):
            file.write(f"{net.OPEN}:{20_000 + port % 40_000}\n")
    command = network.a.command(str(connectd_process.binary()), "check", "--ndjson", "--file", f"{folder}/targets")
    opened = lambda: int(re.search(r"Tcp:( -?\d+){5}", network_statistics(network))[1])
    before = opened()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_still(opened), 30, "no further check starts")
        assert opened() - before < 10_000
        lines = process.stdout.read().splitlines()
        assert len(lines) == 30_000 and all(json.loads(line)["outcome"] == "refused" for line in lines[::1000])
    finally:
        process.kill()
        process.wait()


def network_statistics(network) -> str:
    ran = subprocess.run(network.a.command("cat", "/proc/net/snmp"), capture_output=True, text=True)
    return ran.stdout


def is_still(value) -> bool:
    first = value()
    time.sleep(0.5)  # Long enough for a worker that is not held back.
    return value() == first


def peak_memory(network, path: str, *arguments: str) -> int:
    """The largest resident size of a run, in KiB."""
    command = network.a.command(str(connectd_process.binary()), "check", "--file", path, *arguments)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1)
    return usage.ru_maxrss


@pytest.mark.parametrize("form", ["text", "ndjson", "json", "junit"])
def test_memory_hardly_grows_with_the_list(network, folder, form):
    sizes = {}
    for count in (2_000, 20_000):
        path = f"{folder}/{count}"
        with open(path, "w") as file:
            for number in range(count):
                file.write(f"tcp://{net.OPEN}:{10_000 + number % 40_000} # {number}\n")
        sizes[count] = peak_memory(network, path, "--format", form)
    # The text and the index of a target, and the growth of buffers.
    assert (sizes[20_000] - sizes[2_000]) * 1024 / 18_000 < 600, sizes
