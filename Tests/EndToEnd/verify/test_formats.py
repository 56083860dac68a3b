"""Every format of `verify`, read by a real parser, and the exit statuses."""

import csv
import io
import json
import re
import signal
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from support import connectd_process
from support import network as net
from support.verification import rules
from support.waiting import wait_until

NAME = 'no "ssh" <&> =1+1, \a'


@pytest.fixture
def mixed(open_port) -> str:
    """A case of each verdict; the rules are in the lines 4 to 7."""
    return rules(
        [
            f"{{name: reach, to: [{net.OPEN}], ports: [{open_port}, 9], expect: allowed, labels: {{ticket: FW-1}}}}",
            f'{{name: {json.dumps(NAME)}, to: [{net.OPEN}], ports: [{open_port}], expect: blocked}}',
            f"{{name: no route, to: [{net.NOWHERE}], ports: [22], expect: blocked}}",
            f'{{name: unsure, to: [{net.DROPPED}], ports: [22], expect: blocked, control: "{net.REFUSED}"}}',
        ]
    )


VERDICTS = ["pass", "pass", "violation", "error", "inconclusive"]


def test_text(verify, mixed):
    ran = verify(mixed, format=None)
    assert ran.status == 1
    lines = ran.out.splitlines()
    assert re.match(r"ok +reach +expect allowed: 2 pass  \(.*policy\.yaml:4\)", lines[0])
    assert lines[1].startswith('FAIL  no "ssh" <&> =1+1, \\u{7}')
    assert "violation  tcp://10.88.1.1:" in lines[2] and "expected blocked, got connected" in lines[2]
    assert f"The control {net.REFUSED} is not open: refused (ECONNREFUSED) before the cases." in ran.out
    assert re.match(r"4 rules, 5 cases in .* s: 2 pass, 1 violation, 1 error, 1 inconclusive", lines[-1])
    assert "pass  tcp://" not in ran.out and "pass  tcp://" in verify(mixed, "--verbose", format=None).out


def test_a_pass_without_a_control_says_so(verify):
    lines = [f"{{to: [{net.DROPPED}], ports: [22], expect: blocked}}"]
    ran = verify(rules(lines, retry_timeouts=0), format=None)
    assert ran.status == 0
    assert "1 rule expects blocked without a control" in ran.out
    assert "1 case counts as blocked because nothing answered, and was not repeated" in ran.out
    assert "was not repeated" not in verify(rules(lines), format=None).out


def test_json(verify, mixed):
    ran = verify(mixed, format="json")
    cases = json.loads(ran.out)
    assert [case["verdict"] for case in cases] == VERDICTS
    assert [case["line"] for case in cases] == [4, 4, 5, 6, 7]
    assert cases[0]["labels"] == {"ticket": "FW-1"} and cases[0]["rule"] == "reach"
    assert cases[2]["rule"] == NAME
    assert [case["ok"] for case in cases] == [True, True, False, False, False]
    assert cases[3]["destination"] == net.NOWHERE and cases[3]["port"] == "22"
    assert cases[3]["attempts"][0]["error"]["name"] == "ENETUNREACH"


def test_ndjson_is_one_case_in_a_line(verify, mixed):
    assert [case["verdict"] for case in verify(mixed).cases] == VERDICTS


def test_junit(verify, mixed, tmp_path):
    assert verify(mixed, "--output", str(tmp_path / "report.xml"), format="junit").status == 1
    root = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "1", "2")
    assert [suite.get("name") for suite in root] == ["reach", NAME.replace("\a", "\ufffd"), "no route", "unsure"]
    assert [len(suite.findall(".//failure")) for suite in root] == [0, 1, 0, 0]
    assert [len(suite.findall(".//error")) for suite in root] == [0, 0, 1, 1]


def test_csv(verify, mixed):
    rows = list(csv.DictReader(io.StringIO(verify(mixed, format="csv").out, newline=""), strict=True))
    assert [row["verdict"] for row in rows] == VERDICTS
    assert rows[0]["expect"] == "allowed" and rows[0]["labels"] == "ticket=FW-1"
    assert not any(cell[:1] in tuple("=+-@") for row in rows for cell in row.values())


def test_tap(verify, mixed):
    lines = verify(mixed, format="tap").out.splitlines()
    assert "1..5" in lines
    assert [line.split()[0] for line in lines if re.match(r"(not )?ok \d", line)] == ["ok", "ok", "not", "not", "not"]


def test_github_annotations_carry_the_line_of_the_rule(verify, mixed):
    lines = [line for line in verify(mixed, format="github").out.splitlines() if line.startswith("::")]
    found = [re.match(r"::(error|warning) file=([^,]*),line=(\d+),", line).groups() for line in lines]
    assert [(level, int(line)) for level, _, line in found] == [("error", 5), ("error", 6), ("warning", 7)]
    assert all(name.endswith("policy.yaml") for _, name, _ in found)


def test_markdown(verify, mixed):
    out = verify(mixed, format="markdown").out
    assert out.count("\n| ") >= 5 and "**violation**" in out and "**inconclusive**" in out


def test_the_matrix(verify, open_port):
    text = rules(
        [
            f"{{name: a, to: [{net.OPEN}], ports: [9, {open_port}], expect: allowed}}",
            f"{{name: b, to: [{net.DROPPED}, {net.NOWHERE}], ports: [9], expect: blocked}}",
            f"{{name: c, to: [{net.SECOND}], ports: [9], expect: blocked}}",
        ]
    )
    out = verify(text, format="matrix").out
    rows = {words[0]: words[1:] for words in map(str.split, out.splitlines()) if words}
    assert rows["9"] == [str(open_port)]
    assert rows[net.OPEN] == [".", "."]
    assert (rows[net.DROPPED], rows[net.NOWHERE], rows[net.SECOND]) == (["x"], ["?"], ["!"])
    assert ". open   x blocked   ! violation   ? unknown" in out


def test_exit_statuses(verify, open_port):
    allowed = f"{{name: a, to: [{net.OPEN}], ports: [{open_port}], expect: open}}"
    error = f"{{name: b, to: [{net.NOWHERE}], ports: [1], expect: blocked}}"
    violation = f"{{name: c, to: [{net.OPEN}], ports: [9], expect: open}}"
    statuses = [verify(rules(lines)).status for lines in ([allowed], [violation, error], [allowed, error])]
    assert statuses == [0, 1, 3]


@pytest.mark.parametrize(
    "arguments,says",
    [
        (["--format", "nagios"], "is not a format"),
        (["--learn", "--diff", "x"], "use either"),
        (["--diff", "missing.ndjson"], "No such file"),
        (["--output", "policy.yaml"], "is the policy itself"),
        (["--output", "missing/report"], "missing/report"),
        (["--retry-timeouts", "9"], "from 0 to 3"),
        (["--stats-every", "1ms"], "--stats-every"),
    ],
)
def test_wrong_usage(verify, arguments, says):
    ran = verify(rules([f"{{to: [{net.OPEN}], ports: [9], expect: closed}}"]), *arguments, format=None)
    assert ran.status == 2 and says in ran.err, ran.err


def test_an_invalid_file_names_line_and_column(verify):
    ran = verify("version: 1\nrules:\n  - {to: [db.internal], ports: [9-8], expect: open}\n")
    assert ran.status == 2 and ran.out == ""
    assert re.search(r'policy\.yaml:3:33: rules\[0\]\.ports\[0\]: "9-8" is a range that runs backward: write 8-9\n', ran.err)
    assert ran.err.endswith("policy.yaml: 1 problem\n")


def test_an_invalid_check_names_line_and_column(verify):
    lines = [
        f"{{to: [{net.OPEN}], ports: [9], expect: open, check: {{tls: {{min_days_left: soon}}}}}}",
        f'{{to: [{net.OPEN}], ports: ["u:9"], expect: open, check: {{tls: true}}}}',
        f"{{to: [{net.OPEN}], ports: [9], expect: open, check: {{tsl: true}}}}",
    ]
    ran = verify(rules(lines, timeout_ms=0))
    assert ran.status == 2
    places = re.findall(r"policy\.yaml:(\d+):\d+: (\S+): ", ran.err)
    assert places == [
        ("2", "defaults.timeout_ms"), ("4", "rules[0].check.tls.min_days_left"), ("5", "rules[1].check.tls"),
        ("6", "rules[2].check.tsl"),
    ]  # fmt: skip


def test_standard_input(network, open_port):
    text = rules([f"{{name: a, to: [{net.OPEN}], ports: [{open_port}], expect: open}}"])
    command = network.a.command(str(connectd_process.binary()), "verify", "-")
    ran = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0 and "standard input:4" in ran.stdout


def test_an_interrupt_prints_what_is_known(network, open_port, tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(
        rules(
            [
                f"{{name: a, to: [{net.OPEN}], ports: [{open_port}], expect: open}}",
                f"{{name: b, to: [{net.DROPPED}], ports: [1], expect: blocked}}",
            ],
            timeout_ms=60000,
        )
    )
    command = network.a.command(str(connectd_process.binary()), "verify", str(path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        connectd_process.wait_until_connecting(running.pid)
        wait_until(lambda: len(connectd_process.sockets(running.pid, "established")) == 0, 10, "the first case has ended")
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "1 not finished" in out and out.startswith("ok ")


@pytest.mark.parametrize("form", ["matrix", "tap"])
def test_an_interrupted_report_shows_each_case(network, open_port, tmp_path, form):
    path = tmp_path / "policy.yaml"
    control = f'control: "{net.DROPPED}:1"'
    path.write_text(rules([f"{{name: a, to: [{net.OPEN}], ports: [1, {open_port}], expect: blocked, {control}}}"]))
    path.write_text(path.read_text().replace('"timeout_ms": 400', '"timeout_ms": 60000'))
    command = network.a.command(str(connectd_process.binary()), "verify", str(path), "--format", form)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        connectd_process.wait_until_connecting(running.pid)
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=30)
    assert running.returncode == 130
    if form == "matrix":
        assert re.search(rf"^{re.escape(net.OPEN)} +\? +\?$", out, re.MULTILINE), out
    else:
        assert "1..2\nBail out! interrupted" in out and "SKIP" not in out


def test_the_progress_shows_controls(verify):
    text = rules([f'{{to: [{net.OPEN}], ports: [9], expect: blocked, control: "{net.DROPPED}:1"}}'])
    ran = verify(text, "--stats-every", "100ms", format=None)
    assert "0/1 done, controls before the cases: 0 of 1" in ran.err
    assert re.search(r"1/1 done, .*, controls after the cases: 0 of 1", ran.err), ran.err


def test_progress_is_printed_at_intervals(verify):
    text = rules([f'{{to: [{net.DROPPED}], ports: ["1-3"], expect: blocked}}'], retry_timeouts=1)
    ran = verify(text, "--stats-every", "200ms", format=None)
    assert ran.status == 0 and "repeating timeouts: " in ran.err and "of 3, one per 1.1 s" in ran.err
    # The next hop is asked once, with time for three ARP requests.
    asked = [line for line in ran.err.splitlines() if line.endswith("next hops: 0 of 1")]
    assert 10 <= len(asked) <= 20, ran.err


def test_a_value_of_the_file_is_overridden_by_a_flag(verify):
    text = rules([f"{{to: [{net.DROPPED}], ports: [1], expect: blocked}}"], retry_timeouts=0)
    ran = verify(text, "--stats-every", "200ms", "--retry-timeouts", "1", format=None)
    assert "repeating timeouts: " in ran.err
