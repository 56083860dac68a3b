"""/metrics: the service's counters in the formats of Prometheus and OpenMetrics."""

import shutil
import subprocess

import pytest

from support import network as net
from support.connectd_process import Connectd

PORT = 8231
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}


@pytest.fixture(scope="module")
def connectd(network):
    configuration = {
        "policy": {"profile": "internal"},
        "monitors": [{"name": "shut", "interval_ms": 100, "check": {"target": "tcp://127.0.0.1:9"}}],
    }
    with Connectd(network.a, configuration, port=PORT) as running:
        yield running


def samples(connectd, headers: dict | None = None) -> dict[str, float]:
    answer = connectd.client.get("/metrics", headers=headers)
    assert answer.status == 200
    lines = answer.body.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_each_check_is_counted_by_its_outcome_and_fault(connectd):
    def counted(outcome: str, fault: str) -> float:
        return samples(connectd)[f'connectd_checks_total{{outcome="{outcome}",fault="{fault}"}}']

    before = {key: counted(*key) for key in [("denied", "request"), ("timeout", "network"), ("bad_path", "request")]}
    assert connectd.client.post_check("169.254.169.254:80").status == 403
    connectd.client.check(f"tcp://{net.OPEN}:{net.OWN_DROP}", timeout_ms=50)
    assert counted("denied", "request") == before["denied", "request"] + 1
    assert counted("timeout", "network") == before["timeout", "network"] + 1
    assert counted("bad_path", "request") == before["bad_path", "request"], "what has not happened is there as 0"


def test_the_duration_of_a_phase_is_counted_only_if_it_ran(connectd):
    def count(phase: str) -> float:
        return samples(connectd)[f'connectd_check_duration_seconds_count{{phase="{phase}"}}']

    dialogs, totals = count("dialog"), count("total")
    connectd.client.check("udp://127.0.0.1:9", timeout_ms=200, dialog=[{"send": "x"}, {"expect": "y"}])
    assert count("dialog") == dialogs + 1 and count("total") >= totals + 1
    buckets = [value for name, value in samples(connectd).items()
               if name.startswith('connectd_check_duration_seconds_bucket{phase="total"')]
    assert buckets == sorted(buckets) and buckets[-1] == samples_total(buckets)


def samples_total(buckets: list[float]) -> float:
    return max(buckets)


def test_refusals_and_denials_are_counted_by_reason(connectd):
    before = samples(connectd)
    connectd.client.get("/nosuch")
    connectd.client.post("/v1/checks", "{")
    connectd.client.post_check("169.254.169.254:80")
    after = samples(connectd)
    for reason in ("not_found", "bad_request", "denied"):
        name = f'connectd_rejections_total{{reason="{reason}"}}'
        assert after[name] == before[name] + 1, name
    assert after["connectd_policy_denials_total"] == before["connectd_policy_denials_total"] + 1


def test_checks_in_flight_and_limits_are_shown(connectd):
    found = samples(connectd)
    assert found["connectd_in_flight"] >= 0 and found["connectd_queue_length"] == 0
    assert found["connectd_in_flight_limit"] > 0 and found["connectd_queue_limit"] == 1024
    assert found["connectd_workers"] >= 1
    assert found['connectd_monitor_up{monitor="shut"}'] == 0


def test_process_metrics_have_the_usual_names(connectd):
    found = samples(connectd)
    with open(f"/proc/{connectd.pid}/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * 4096
    assert 0.5 * resident < found["process_resident_memory_bytes"] < 2 * resident
    assert abs(found["process_open_fds"] - len(connectd.open_descriptors())) <= 2
    assert found["process_cpu_seconds_total"] > 0 and found["process_start_time_seconds"] > 1.7e9
    assert found["process_max_fds"] > 0 and found["process_virtual_memory_bytes"] > resident


def test_client_input_never_becomes_a_label(connectd):
    connectd.client.check("tcp://localhost:9", id="secret-id", labels={"secret-label": "v"})
    connectd.client.get("/secret-path")
    text = connectd.client.get("/metrics").body.decode()
    assert "secret" not in text and "localhost" not in text


def test_both_formats_have_the_same_values(connectd):
    plain = connectd.client.get("/metrics")
    other = connectd.client.get("/metrics", headers=OPENMETRICS)
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert other.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert other.body.endswith(b"\n# EOF\n") and not plain.body.endswith(b"# EOF\n")
    assert b"# TYPE connectd_checks counter\n" in other.body and b"# TYPE connectd_checks_total counter\n" in plain.body
    assert samples(connectd).keys() == samples(connectd, OPENMETRICS).keys()


def test_head_returns_no_body(connectd):
    answer = connectd.client.request("HEAD", "/metrics")
    assert answer.status == 200 and answer.body == b"" and int(answer.headers["content-length"]) > 1000


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (package prometheus) is not installed")
def test_promtool_accepts_the_metrics(connectd):
    run = subprocess.run(
        ["promtool", "check", "metrics"], input=connectd.client.get("/metrics").body, capture_output=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == b"" and run.stdout == b""
