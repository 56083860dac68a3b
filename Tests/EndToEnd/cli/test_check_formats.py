"""The formats of `check`, read by the parsers that their users have, with hostile texts from requests and peers."""

import csv
import io
import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time
import xml.etree.ElementTree

import cmarkgfm
import junitparser
import markdown_it
import pytest
import tap.parser
import yaml

from support import connectd_process, peers
from support import network as net
from support.network import REFUSED, SILENT
from support.waiting import wait_until

FORMATS = ["text", "json", "ndjson", "csv", "junit", "tap", "github", "markdown", "nagios"]
# Every character with a meaning in one of the formats.
HOSTILE = "=cmd|'/c calc'!A0,\"<b>`a`</b>&amp;]]>\r\n# SKIP\t\\ \x00\x1b[31m\u202e\ufffe ::error::x %0A | @all www.x.org\n...\nok 99"


def check(network, *arguments: str, standard_input: bytes = b"", seconds: float = 60) -> subprocess.CompletedProcess:
    """Runs `check` and returns its output as bytes."""
    command = network.a.command(str(connectd_process.binary()), "check", *arguments)
    return subprocess.run(
        command, capture_output=True, timeout=seconds, input=standard_input, env=connectd_process.clean_environment()
    )


@pytest.fixture(scope="module")
def cases(network):
    """A file with one target for each verdict, and an `id` full of characters with a meaning."""
    listener = peers.tcp_listener(network.b, net.OPEN)

    def speak(connection: socket.socket) -> None:
        connection.sendall(HOSTILE.encode() + b"\xff\xfe\r\n")
        connection.recv(1)

    with listener, peers.serving(listener, peers.on_each_connection(speak)):
        target = f"tcp://{net.OPEN}:{listener.getsockname()[1]}"
        bad_dialog = {"target": target, "id": HOSTILE, "dialog": [{"expect": "^never$"}], "timeout_ms": 300}
        lines = [
            f"# {HOSTILE.splitlines()[0]}",
            f"{target} # open",
            REFUSED,
            "tcp://name.invalid:1",
            f"udp://{net.OPEN}:9",
            json.dumps(bad_dialog),
            "unix:/nowhere/=1+1,|`<b>\"'",
        ]
        yield "\n".join(lines).encode()


def test_csv_has_one_row_per_target_and_no_formula(network, cases):
    ran = check(network, "--format", "csv", "--file", "-", standard_input=cases)
    assert ran.returncode == 1, ran.stderr
    assert ran.stdout.count(b"\r\n") == ran.stdout.count(b"\n") == 7, "one line for each row"
    rows = list(csv.DictReader(io.StringIO(ran.stdout.decode(), newline=""), strict=True))
    assert [row["line"] for row in sorted(rows, key=lambda row: row["line"])] == ["2", "3", "4", "5", "6", "7"]
    by_line = {row["line"]: row for row in rows}
    assert [by_line[str(line)]["verdict"] for line in range(2, 8)] == [
        "pass", "failure", "error", "inconclusive", "failure", "failure",
    ]  # fmt: skip
    assert by_line["3"]["error"] == "ECONNREFUSED" and by_line["3"]["errno"] == "111" and by_line["3"]["ok"] == "false"
    assert by_line["6"]["id"].startswith("'=cmd|"), "a formula is defused"
    for row in rows:
        assert set(row) and None not in row, row
        for cell in row.values():
            assert not re.match(r"""["'\s]*[=+\-@\t\r]""", cell) or cell.startswith("'"), cell
            assert not re.search(r"[\x00-\x1f\x7f]", cell), repr(cell)


def test_junit_is_read_by_its_parsers(network, cases, folder):
    path = f"{folder}/report.xml"
    ran = check(network, "--format", "junit", "--output", path, "--file", "-", standard_input=cases)
    assert ran.returncode == 1 and ran.stdout == b"", ran.stderr
    (suite,) = junitparser.JUnitXml.fromfile(path)
    assert (suite.name, suite.tests, suite.failures, suite.errors) == ("connectd check", 6, 3, 2)
    kinds = [[type(result).__name__ for result in case.result] for case in suite]
    assert kinds == [[], ["Failure"], ["Error"], ["Error"], ["Failure"], ["Failure"]], "in the order of the file"
    assert all(re.fullmatch(r"\d+\.\d{6}", case.get("time")) for case in xml.etree.ElementTree.parse(path).iter("testcase"))
    named = list(suite)[4]
    assert named.name.startswith(HOSTILE[:20]) and "\ufffd" in named.name and "\x1b" not in named.name
    assert "source: standard input:3" in list(suite)[1].result[0].text


def test_tap_is_read_by_its_parser(network, cases):
    ran = check(network, "--format", "tap", "--file", "-", standard_input=cases)
    lines = list(tap.parser.Parser().parse_text(ran.stdout.decode()))
    (plan,) = [line for line in lines if line.category == "plan"]
    results = [line for line in lines if line.category == "test"]
    assert plan.expected_tests == len(results) == 6 and not [line for line in lines if line.category == "unknown"]
    assert sum(result.ok for result in results) == 1
    assert not any(result.skip or result.todo for result in results), "no text becomes a directive"
    blocks = [result.yaml_block for result in results if not result.ok]
    assert {block["verdict"] for block in blocks} == {"failure", "error", "inconclusive"}
    (refused,) = [block for block in blocks if block["target"] == REFUSED]
    assert refused["error"] == "ECONNREFUSED" and refused["line"] == "3" and refused["severity"] == "fail"
    for text in re.findall(r"(?ms)^  ---\n(.*?)^  \.\.\.$", ran.stdout.decode()):
        assert isinstance(yaml.safe_load(text), dict)


def test_github_annotations(network, cases, folder):
    path = f"{folder}/targets,a:b"
    with open(path, "wb") as file:
        file.write(cases)
    ran = check(network, "--format", "github", "--file", path)
    lines = ran.stdout.decode().splitlines()
    command = re.compile(r"::(error|warning) file=([^,:]*),line=(\d+),title=([^,:]*)::(.*)")
    found = [command.fullmatch(line) for line in lines[:-1]]
    assert all(found), lines
    assert sorted((match[3], match[1]) for match in found) == [
        ("3", "error"), ("4", "error"), ("5", "warning"), ("6", "error"), ("7", "error"),
    ]  # fmt: skip
    assert {match[2] for match in found} == {path.replace(":", "%3A").replace(",", "%2C")}
    assert re.match(r"6 targets in .*: 1 ok, 4 failed", lines[-1])
    ran = check(network, "--format", "github", "--expect", "refused", REFUSED)
    assert re.fullmatch(rb"::notice title=connectd check::1 target in .*: 1 ok, 0 failed\n", ran.stdout)


def test_markdown_is_one_table_in_two_renderers(network, cases):
    ran = check(network, "--format", "markdown", "--file", "-", standard_input=cases)
    text = ran.stdout.decode()
    for html in (cmarkgfm.github_flavored_markdown_to_html(text), markdown_it.MarkdownIt("gfm-like", {"linkify": False}).render(text)):
        assert html.count("<table>") == 1 and html.count("<tr>") == 7 and html.count("<h2>") == 1
        assert html.count("<td") == 6 * 5, "no text adds a cell"
        assert "<b>" not in html and "<a " not in html
        assert html.index("inconclusive") < html.index(">pass<"), "problems come first"


def test_json_keeps_its_shape_and_order(network, cases):
    ran = check(network, "--json", "--file", "-", standard_input=cases)
    results = json.loads(ran.stdout)
    assert [result["target"] for result in results][1] == REFUSED and results[4]["id"] == HOSTILE
    lines = check(network, "--format", "ndjson", "--file", "-", standard_input=cases).stdout.splitlines()
    assert sorted(json.loads(line)["target"] for line in lines) == sorted(result["target"] for result in results)
    assert list(results[0]) == ["schema", "ok", "outcome", "phase", "attempts", "resolution", "timings_ms", "started_at", "prober"] or (
        set(results[0]) >= {"schema", "target", "ok", "outcome", "phase", "attempts", "timings_ms"}
    )


def test_shorthands_and_formats(network):
    for flag in ("json", "ndjson", "nagios"):
        both = check(network, f"--{flag}", "--format", flag, REFUSED)
        assert both.returncode in (1, 2) and both.stdout.count(b"ECONNREFUSED"), both.stderr
    ran = check(network, "--format", "nagios", "--warning", "1s", REFUSED)
    assert ran.returncode == 2 and ran.stdout.startswith(b"CONNECTD CRITICAL - ")
    for arguments, said in [
        (["--json", "--format", "csv"], b"use either --json or --format csv, not both"),
        (["--json", "--ndjson"], b"use either --json or --ndjson, not both"),
        (["--format", "matrix"], b"connectd verify"),
        (["--format", "junitt"], b"did you mean junit?"),
        (["--warning", "1s", "--format", "csv"], b"need --nagios"),
    ]:
        ran = check(network, *arguments, REFUSED)
        assert ran.returncode == 2 and said in ran.stderr and ran.stdout == b"", ran.stderr
    ran = check(network, "--format", "nagios", "nonsense")
    assert ran.returncode == 3 and ran.stdout.startswith(b"CONNECTD UNKNOWN - ")


@pytest.mark.parametrize("form", FORMATS)
def test_an_output_that_cannot_be_written_is_an_error(network, form, folder):
    for path, why in [
        ("/dev/full", b"No space left on device"),
        (f"{folder}/none/report", b"No such file or directory"),
        (folder, b"Is a directory"),
    ]:
        ran = check(network, "--format", form, "--output", path, REFUSED)
        # A successful annotation report and TAP have output too, so nothing is lost in silence.
        assert ran.returncode == 2 and ran.stdout == b"", (path, ran.stderr)
        assert b"cannot write to " + path.encode() + b": " + why in ran.stderr


@pytest.mark.parametrize("form", FORMATS)
def test_a_full_disk_is_an_error_and_keeps_the_old_report(network, form, folder):
    """The disk has room for one page; the report needs more."""
    script = 'mount -t tmpfs -o size=4k tmpfs "$1" && echo old >"$1/report"; shift; "$0" "$@"; echo "status $?" >&2; cat "$ROOM/report"'
    targets = [f"{net.OPEN}:{port}" for port in range(9000, 9100)]
    room = f"{folder}/room"
    os.mkdir(room)
    command = network.a.command(
        "unshare", "-m", "env", f"ROOM={room}", "sh", "-c", script, str(connectd_process.binary()), room, "check",
        "--format", form, "--output", f"{room}/report", *targets,
    )  # fmt: skip
    ran = subprocess.run(command, capture_output=True, timeout=60)
    assert b"status 2" in ran.stderr, ran.stderr
    assert b"No space left on device" in ran.stderr
    if form in ("json", "junit", "markdown", "nagios"):
        assert ran.stdout == b"old\n", "the old report is still there"


def test_a_report_appears_whole_and_keeps_its_mode(network, folder):
    path = f"{folder}/report.json"
    with open(path, "w") as file:
        file.write("old")
    os.chmod(path, 0o640)
    command = network.a.command(
        str(connectd_process.binary()), "check", "--json", "--output", path, "--timeout", "1s", SILENT, REFUSED
    )
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: len(os.listdir(folder)) == 2, 10, "a temporary file")
    assert open(path).read() == "old"
    _, said = process.communicate(timeout=30)
    assert len(json.load(open(path))) == 2 and os.listdir(folder) == ["report.json"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert re.search(rb"connectd: 2 targets in .*; results are in .*report\.json", said)


def test_a_stream_grows_with_the_results(network, folder):
    path = f"{folder}/results.ndjson"
    command = network.a.command(
        str(connectd_process.binary()), "check", "--ndjson", "--output", path, "--timeout", "20s", SILENT, REFUSED
    )
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    wait_until(lambda: os.path.exists(path) and open(path).read().count("\n") == 1, 10, "the first result")
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 143 and b"1 not finished" in said
    assert [json.loads(line)["outcome"] for line in open(path)] == ["refused"]


def test_an_output_in_place(network, folder):
    """A pipe, a link and standard output are not replaced by a file."""
    os.mkfifo(f"{folder}/pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append(open(f"{folder}/pipe").read()))
    reader.start()
    check(network, "--json", "--output", f"{folder}/pipe", REFUSED)
    reader.join(10)
    assert json.loads(read[0])[0]["outcome"] == "refused" and stat.S_ISFIFO(os.stat(f"{folder}/pipe").st_mode)
    os.symlink(f"{folder}/real", f"{folder}/link")
    check(network, "--json", "--output", f"{folder}/link", REFUSED)
    assert os.path.islink(f"{folder}/link") and json.load(open(f"{folder}/real"))
    for name in ("-", "/dev/stdout"):
        assert json.loads(check(network, "--json", "--output", name, REFUSED).stdout)


def test_an_output_never_overwrites_an_input(network, folder):
    for option, name in [("--file", "targets"), ("--skip-done", "old"), ("--exclude", "out")]:
        path = f"{folder}/{name}"
        with open(path, "w") as file:
            file.write(f"{net.OPEN}:9\n")
        value = f"@{path}" if option == "--exclude" else path
        os.link(path, f"{path}.link")
        ran = check(network, option, value, "--output", f"{path}.link", REFUSED)
        assert ran.returncode == 2 and f"is the file of {option}".encode() in ran.stderr
        assert open(path).read() == f"{net.OPEN}:9\n"


@pytest.mark.parametrize("form", ["junit", "tap", "github", "markdown", "csv"])
def test_an_interrupted_report_says_so(network, form):
    command = network.a.command(
        str(connectd_process.binary()), "check", "--format", form, "--timeout", "20s", "--stats-every", "100ms", SILENT,
        "--expect", "refused,timeout", REFUSED,
    )  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=default_interrupt)
    said = b""
    end = time.monotonic() + 10
    while b"1/2 done" not in said and time.monotonic() < end:
        said += os.read(process.stderr.fileno(), 4096)
    process.send_signal(signal.SIGINT)
    text, rest = process.communicate(timeout=10)
    assert process.returncode == 130 and b"1 not finished" in rest
    expected = {
        "junit": b'<error type="interrupted"', "tap": b"Bail out! interrupted", "markdown": b"interrupted after",
        "github": b"::error title=connectd check::interrupted", "csv": b"refused",
    }  # fmt: skip
    assert expected[form] in text


def default_interrupt():
    signal.signal(signal.SIGINT, signal.SIG_DFL)
