"""`connectd check --nagios`: output that Nagios and Icinga accept, parsed by their own Perl module."""

import json
import re
import subprocess
import time

import pytest

from support import connectd_process, tls_peers
from support import network as net
from support.network import REFUSED

READER = """
use Monitoring::Plugin::Performance; use JSON::PP; local $/;
my @read = Monitoring::Plugin::Performance->parse_perfstring(<STDIN>);
print encode_json([map { { label => $_->label, value => $_->value + 0, uom => $_->uom, min => $_->min, max => $_->max,
  warning => $_->warning, critical => $_->critical, alerts => $_->threshold->get_status($_->value) } } @read]);
"""


@pytest.fixture(scope="module")
def run(network):
    return lambda *arguments, **options: connectd_process.run(
        "check", "--nagios", *arguments, namespace=network.a, **options
    )


def performance(line: str) -> list[dict]:
    """What Monitoring::Plugin reads after the pipe sign."""
    ran = subprocess.run(["perl", "-e", READER], input=line.split("|")[1], capture_output=True, text=True)
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    return json.loads(ran.stdout)


def test_ok_exits_with_0_and_performance_data(run, target):
    ran = run("--warning", "200ms", "--critical", "1s", target)
    assert ran.returncode == 0 and ran.stderr == ""
    assert re.fullmatch(
        rf"CONNECTD OK - {re.escape(target)} connected \([\d.:]+\) in [\d.]+ ms \| time=0\.\d{{6}}s;0\.2;1;0;5\n", ran.stdout
    )
    (duration,) = performance(ran.stdout)
    assert (duration["label"], duration["uom"]) == ("time", "s")
    assert [duration[name] for name in ("warning", "critical", "min", "max")] == ["0.2", "1", "0", "5"]
    assert 0 < duration["value"] < 0.2


@pytest.mark.parametrize("limits,status,word", [(["--warning", "20ms"], 1, "WARNING"), (["--critical", "20ms"], 2, "CRITICAL")])
def test_a_slow_check_is_warning_or_critical(run, network, authorities, limits, status, word):
    """A peer that waits before the handshake."""
    handshake = tls_peers.tls(tls_peers.server_context(authorities.good))

    def script(connection) -> None:
        time.sleep(0.1)  # Longer than the limit of 20 ms.
        handshake(connection)

    with tls_peers.listening(network.b, script) as port:
        ran = run("--tls", "--no-verify", *limits, f"{net.OPEN}:{port}")
    assert ran.returncode == status, ran.stdout
    assert ran.stdout.startswith(f"CONNECTD {word} - ") and "slower than 20ms" in ran.stdout
    assert performance(ran.stdout)[0]["alerts"] == status


def test_a_failure_exits_with_2_and_one_line(run):
    ran = run(REFUSED)
    assert ran.returncode == 2 and ran.stdout.count("\n") == 1
    assert ran.stdout.startswith(f"CONNECTD CRITICAL - {REFUSED} refused: ECONNREFUSED (Connection refused)")
    assert "fault: target" in ran.stdout and "|" not in ran.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["--no-such-flag", REFUSED],
        ["--warning", "abc", REFUSED],
        ["--warning", "2s", "--critical", "1s", REFUSED],
        ["--warning-days", "10", "--critical-days", "30", f"tls://{net.OPEN}:9"],
        ["--warning-days", "-1", f"tls://{net.OPEN}:9"],
        ["--warning-days", "30", REFUSED],
        ["--json", REFUSED],
        ["--ndjson", REFUSED],
        ["--file", "/no/such/file"],
        ["--config", "/no/such/file", REFUSED],
    ],
)
def test_wrong_usage_exits_with_3_on_standard_output(run, arguments):
    ran = run(*arguments)
    assert ran.returncode == 3, (ran.returncode, ran.stdout, ran.stderr)
    assert ran.stdout.startswith("CONNECTD UNKNOWN - ") and ran.stdout.count("\n") == 1
    assert "connectd check" in ran.stderr


def test_a_fault_of_the_prober_exits_with_3(run, network):
    """A local firewall blocks it, so the target's state is unknown."""
    ran = run(f"tcp://{net.OPEN}:{net.OWN_REJECTS['admin-prohibited']}")
    assert ran.returncode == 3, ran.stdout
    assert ran.stdout.startswith("CONNECTD UNKNOWN - ") and "fault: prober" in ran.stdout


def test_a_denial_exits_with_3(run, target, folder):
    with open(f"{folder}/connectd.yaml", "w") as file:
        file.write("policy: {profile: rules}\n")
    ran = run("--config", f"{folder}/connectd.yaml", target)
    assert ran.returncode == 3 and "denied" in ran.stdout


def test_several_targets_have_the_worst_state(run, target):
    ran = run(target, REFUSED, f"udp://{net.OPEN}:9")
    first, *rest = ran.stdout.splitlines()
    assert ran.returncode == 2
    assert first.startswith(f"CONNECTD CRITICAL - 1 of 3 targets ok; {REFUSED} refused")
    assert [line.split("]")[0] for line in rest] == ["[OK", "[CRITICAL", "[UNKNOWN"]
    assert [item["label"] for item in performance(first)] == [f"{target} time"]


def test_limits_without_nagios_exit_with_2(network):
    ran = connectd_process.run("check", "--warning", "1s", REFUSED, namespace=network.a)
    assert ran.returncode == 2 and "--nagios" in ran.stderr


@pytest.mark.parametrize(
    "limits,status",
    [
        (["--warning-days", "30", "--critical-days", "14"], 0),
        (["--warning-days", "100", "--critical-days", "14"], 1),
        (["--warning-days", "100", "--critical-days", "95"], 2),
    ],
)
def test_an_expiring_certificate_is_warning_or_critical(run, network, authorities, limits, status):
    with tls_peers.listening(network.b, tls_peers.tls(tls_peers.server_context(authorities.good))) as port:
        ran = run("--no-verify", *limits, f"tls://{net.OPEN}:{port}")
    assert ran.returncode == status, ran.stdout
    duration, days = performance(ran.stdout)
    assert (duration["label"], days["label"], days["uom"]) == ("time", "days", "")
    assert days["value"] in (89, 90) and days["alerts"] == status


def test_an_expired_certificate_exits_with_2_and_its_days(run, network, authorities):
    with tls_peers.listening(network.b, tls_peers.tls(tls_peers.server_context(authorities.expired))) as port:
        ran = run("--warning-days", "30", f"tls://{net.OPEN}:{port}")
    assert ran.returncode == 2 and "CERT_" in ran.stdout
    (days,) = performance(ran.stdout)
    assert days["label"] == "days" and days["value"] < 0
