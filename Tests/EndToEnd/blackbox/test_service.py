"""The service around /probe: logs, configuration, reload, access and policy, and Prometheus with relabeling."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest
import yaml

from support import tls_peers
from support.blackbox_exporter import (
    LOOPBACK,
    MODULES,
    NEWER,
    PORT,
    REFERENCE_PORT,
    answers,
    failure,
    parsed,
    repeats,
    says,
    started,
    tcp,
    value,
)
from support.http_client import Client, tcp_connector
from support.waiting import wait_until

# Logs, configuration, reload.


def test_debug_shows_the_requested_name(both):
    _, text = both.ask(target="127.0.0.1:1", module="tls", hostname="other.example.test", debug="true")
    shown = yaml.safe_load(text.partition("Module configuration:\n")[2])
    assert shown["tcp"]["tls_config"]["server_name"] == "other.example.test"
    _, text = both.ask(target="127.0.0.1:1", module="tls_named", hostname="other.example.test", debug="true")
    assert "server_name: good.example.test" in text and "other.example.test" not in text
    assert b"other.example.test" not in both.connectd.client.get("/config").body


def test_the_index_page_lists_recent_probes(both):
    evil = "<script>alert(1)</script>\u202e&\"'"
    both.ask(target=evil, module="connect")
    both.ask(target="127.0.0.1:1", module="connect")
    answer = both.connectd.client.get("/")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.body.decode()
    assert "<script" not in page and "\u202e" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;U+202E&amp;" in page
    newest = re.search('<td>127.0.0.1:1</td><td><strong>Failure</strong>: refused</td><td><a href="(logs[?]id=[0-9]+)">', page)
    assert newest is not None, page[:2000]
    assert b"ECONNREFUSED" in both.connectd.client.get("/" + newest[1]).body
    assert page.index(newest[0]) < page.index("&lt;script"), "the newest is first"


def test_metrics_count_unknown_modules_and_reloads(loopback_only, files):
    def metrics(connectd) -> dict:
        return parsed(connectd.client.get("/metrics").body.decode())

    with started(loopback_only, files, port=8254) as connectd:
        reloads = "blackbox_exporter_config_last_reload_success"
        before = metrics(connectd)
        assert value(before, "blackbox_module_unknown_total") == 0 and value(before, reloads + "ful") == 1
        assert value(before, reloads + "_timestamp_seconds") == pytest.approx(time.time(), abs=60)
        for module in ("nosuch", "web"):
            connectd.client.get(f"/probe?target=127.0.0.1:1&module={module}")
        connectd.client.get("/probe?module=connect")
        path = connectd.folder / "blackbox.yml"
        text = path.read_text()
        path.write_text("modules: [")
        assert connectd.client.request("POST", "/-/reload").status == 500
        failed = metrics(connectd)
        assert value(failed, "blackbox_module_unknown_total") == 2 and value(failed, reloads + "ful") == 0
        assert failed[reloads + "_timestamp_seconds"] == before[reloads + "_timestamp_seconds"]
        path.write_text(text)
        assert connectd.client.request("POST", "/-/reload").status == 200
        after = metrics(connectd)
        assert value(after, reloads + "ful") == 1
        assert value(after, reloads + "_timestamp_seconds") > value(before, reloads + "_timestamp_seconds")


def test_metrics_of_the_exporter_itself_have_the_same_help(both):
    ours, theirs = (parsed(client.get("/metrics").body.decode()) for client in (both.connectd.client, both.reference))
    for name in ("blackbox_module_unknown_total", "blackbox_exporter_config_last_reload_successful",
                 "blackbox_exporter_config_last_reload_success_timestamp_seconds"):
        assert ours[name][:2] == theirs[name][:2], name


def test_debug_shows_log_metrics_and_module(both):
    _, text = both.ask(target="127.0.0.1:1", module="connect", debug="true")
    _, theirs = both.probe(both.reference, target="127.0.0.1:1", module="connect", debug="true")
    heads = ["Logs for the probe:\n", "\n\n\n\nMetrics that would have been returned:\n", "\n\n\n\nModule configuration:\n"]
    for head in heads:
        assert text.count(head) == theirs.count(head) == 1
    assert 'msg="Probe failed"' in text and "errno=ECONNREFUSED" in text and "\nprober: tcp\n" in text
    assert "probe_success 0\n" in text


def test_recent_probes_can_be_opened(both):
    both.ask(target="127.0.0.1:1", module="connect")
    client = both.connectd.client
    newest = client.get("/logs").body.decode().splitlines()[0]
    number = next(word for word in newest.split() if word.startswith("id=")).removeprefix("id=")
    by_number = client.get(f"/logs?id={number}").body
    assert by_number.startswith(b"Logs for the probe:\n") and b"ECONNREFUSED" in by_number
    assert client.get("/logs?target=127.0.0.1:1&module=connect").body == by_number
    assert client.get("/logs?target=127.0.0.1:2").status == 404
    assert client.get("/logs?id=1&target=127.0.0.1:1").status == client.get("/logs?id=x").status == 400


def test_the_shown_configuration_is_valid(both):
    shown = yaml.safe_load(both.connectd.client.get("/config").body)
    assert shown["modules"].keys() == (MODULES | NEWER).keys() - {"web"}
    hidden = [entry | {"send": "<secret>"} for entry in MODULES["mail"]["tcp"]["query_response"]]
    assert shown["modules"]["mail"]["tcp"]["query_response"] == hidden
    assert shown["modules"]["tls_client"]["tcp"]["tls_config"] == MODULES["tls_client"]["tcp"]["tls_config"]


def test_a_key_in_the_file_is_never_shown(loopback_only, files):
    config = {"cert": files["client.pem"], "key": files["client.key"]}
    modules = yaml.safe_dump({"modules": {"m": tcp(tls=True, tls_config=config)}})
    own = {"modules_file": "own.yml"}
    with started(loopback_only, files | {"own.yml": modules}, own, port=8243) as connectd:
        shown = connectd.client.get("/config").body + connectd.client.get(
            "/probe?target=127.0.0.1:1&module=m&debug=true").body + connectd.client.get("/logs?id=0").body
        assert shown.count(b"<secret>") == 3 and b"PRIVATE KEY" not in shown
        assert "PRIVATE KEY" not in connectd.log


def test_text_that_a_module_sends_is_never_shown(loopback_only, files):
    """It is hidden also in the peer's echo, and in the answer that says why a reload failed."""
    modules = {"modules": {"m": answers({"send": "AUTH hunter2"}, {"expect": "^welcome"}) | {"timeout": "500ms"}}}
    own = {"modules_file": "own.yml"}
    with started(loopback_only, files | {"own.yml": yaml.safe_dump(modules)}, own, port=8250) as connectd:
        with tls_peers.listening(loopback_only, repeats, LOOPBACK) as port:
            path = f"/probe?target={LOOPBACK}:{port}&module=m"
            shown = [connectd.client.get(path + "&debug=true"), connectd.client.get(path)]
        shown += [connectd.client.get(other) for other in ("/config", "/logs?id=0", "/logs", "/metrics", "/")]
        (connectd.folder / "own.yml").write_text(yaml.safe_dump(modules) + "      sennd: AUTH hunter2\n")
        shown.append(connectd.client.request("POST", "/-/reload"))
        assert shown[-1].status == 500
        assert all(b"hunter2" not in answer.body for answer in shown)
        assert b"send: <secret>" in shown[0].body and b"received=" in shown[0].body
        assert "hunter2" not in connectd.log


def test_reload_applies_new_modules_or_reports_why_not(loopback_only, files):
    with started(loopback_only, files, port=8244) as connectd:
        path = connectd.folder / "blackbox.yml"
        path.write_text("modules: {fresh: {prober: tcp}}\n")
        assert connectd.client.get("/probe?target=127.0.0.1:1&module=fresh").status == 400
        for method in ("POST", "PUT"):
            answer = connectd.client.request(method, "/-/reload")
            assert answer.status == 200, answer.body
        assert connectd.client.get("/probe?target=127.0.0.1:1&module=fresh").status == 200
        path.write_text("modules: {fresh: {prober: tcp, tcp: {query_response: [{expect: '('}]}}}\n")
        answer = connectd.client.request("POST", "/-/reload")
        assert answer.status == 500
        assert b"failed to reload config: " in answer.body and b"blackbox.yml:1:" in answer.body
        assert connectd.client.get("/probe?target=127.0.0.1:1&module=fresh").status == 200
        assert connectd.client.get("/-/reload").status == 405


def test_an_invalid_modules_file_prevents_the_start(loopback_only, files):
    own = {"modules_file": "wrong.yml"}
    with pytest.raises(AssertionError, match="wrong.yml:1:34: modules.m.tcp.tsl: is not a known key"):
        with started(
            loopback_only, files | {"wrong.yml": "modules: {m: {prober: tcp, tcp: {tsl: true}}}"}, own, port=8245
        ):
            pass


# Access and policy.


def test_a_denied_target_is_a_failed_probe_without_details(loopback_only, files):
    rules = {"policy": {"profile": "internal", "rules": [{"action": "deny", "host": "*.corp.test"}]}}
    with started(loopback_only, files, rules, port=8246) as connectd:
        texts = []
        for target in ("169.254.169.254:80", "x.corp.test:80", "127.0.0.1:8246"):
            answer = connectd.client.get(f"/probe?target={target}&module=connect")
            assert answer.status == 200
            found = parsed(answer.body.decode())
            assert value(found, "probe_success") == 0 and 'outcome="denied"' in failure(found)
            texts.append(answer.body)
        assert len(set(texts)) == 1, "a denial tells nothing of the target"


def test_dialogs_of_modules_can_be_disabled(loopback_only, files):
    for word, outcome in (("none", "denied"), ("configured", "refused")):
        own = {"policy": {"profile": "internal", "dialogs": word, "options": []}}
        with started(loopback_only, files, own, port=8247) as connectd:
            text = connectd.client.get("/probe?target=127.0.0.1:1&module=banner").body.decode()
            assert f'outcome="{outcome}"' in failure(parsed(text))
            text = connectd.client.get("/probe?target=127.0.0.1:1&module=connect").body.decode()
            assert 'outcome="refused"' in failure(parsed(text))


def test_a_request_cannot_use_the_files_of_a_module(both):
    for member in ({"ca": "module:tls"}, {"client_certificate": "module:tls_client"}):
        answer = both.connectd.client.post_check("tls://127.0.0.1:1", tls=member)
        assert answer.status == 400, answer.body


def test_with_tokens_each_resource_needs_one(loopback_only, files):
    own = {"auth": {"tokens_file": "tokens"}}
    tokens = {"tokens": "prometheus:0123456789abcdef\n"}
    with started(loopback_only, files | tokens, own, port=8248) as connectd:
        requests = [("GET", "/probe?target=127.0.0.1:1&module=connect"), ("GET", "/config"), ("GET", "/logs"), ("GET", "/"),
                    ("GET", "/-/healthy"), ("POST", "/-/reload")]
        for method, path in requests:
            assert connectd.client.request(method, path).status == 401, path
            bearer = {"Authorization": "Bearer 0123456789abcdef"}
            assert connectd.client.request(method, path, headers=bearer).status == 200, path


def test_a_page_from_another_site_cannot_reload(both):
    headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert both.connectd.http.request("POST", "/-/reload", headers=headers).status == 403
    assert both.connectd.http.get("/probe?target=127.0.0.1:1&module=connect", headers=headers).status == 403


def test_an_overload_is_not_the_targets_failure(loopback_only, files):
    own = {"limits": {"in_flight": 1, "queue": 0}}
    with started(loopback_only, files, own, port=8249) as connectd, tls_peers.listening(
        loopback_only, says(stays=True), LOOPBACK
    ) as port:
        path = f"/probe?target={LOOPBACK}:{port}&module=banner"
        first = threading.Thread(target=connectd.client.get, args=(path,))
        first.start()
        wait_until(lambda: connectd.client.get("/metrics").body.count(b"connectd_in_flight 1\n"), 30, "a probe is in flight")
        answer = connectd.client.get(path)
        first.join()
        assert answer.status == 503 and answer.headers["retry-after"] == "1" and b"probe_success" not in answer.body


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (package prometheus) is not installed")
@pytest.mark.parametrize("query", [
    {"target": "127.0.0.1:1", "module": "connect"}, {"target": "noport", "module": "connect"},
    {"target": "127.0.0.1:1", "module": "connect", "addresses": "all"},
])
def test_promtool_accepts_the_metrics(both, query):
    _, text = both.ask(**query)
    run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_openmetrics_has_the_same_families(both):
    headers = {"Accept": "application/openmetrics-text"}
    _, text = both.ask(headers, target="127.0.0.1:1", module="connect")
    assert text.endswith("# EOF\n")
    plain = parsed(both.ask(target="127.0.0.1:1", module="connect")[1])
    assert parsed(text.removesuffix("# EOF\n")).keys() == plain.keys()


# Prometheus itself, with the relabeling that docs/migration-from-blackbox.md shows.

RULES = """
groups:
  - name: probes
    rules:
      - alert: ProbeFailedBecause
        expr: probe_failure_info
        annotations: {summary: "{{ $labels.instance }}: {{ $labels.errno }} in {{ $labels.phase }}, fault: {{ $labels.fault }}"}
"""


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="not installed: prometheus")
def test_prometheus_scrapes_by_relabeling_and_an_alert_names_the_errno(both, tmp_path):
    scrape = {
        "job_name": "tcp", "metrics_path": "/probe", "params": {"module": ["connect"]},
        "static_configs": [{"targets": ["127.0.0.1:1", f"{LOOPBACK}:{REFERENCE_PORT}"]}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": f"{LOOPBACK}:{PORT}"},
        ],
    }
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"], "scrape_configs": [scrape]}))
    subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], check=True, capture_output=True)
    command = both.namespace.command(
        shutil.which("prometheus"), f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address={LOOPBACK}:9090")
    with (tmp_path / "log").open("wb") as log:
        prometheus = subprocess.Popen(command, stdout=log, stderr=log)
    client = Client(tcp_connector(both.namespace, LOOPBACK, 9090))

    def ask(path: str) -> dict:
        return json.loads(client.get(path).body)["data"]

    try:
        def alerts() -> list:
            with contextlib.suppress(ValueError, KeyError):  # Prometheus is about to start.
                return ask("/api/v1/alerts")["alerts"]
            return []

        [alert] = wait_until(alerts, 30, lambda: f"an alert: {(tmp_path / 'log').read_text()}", 0.2)
        assert alert["annotations"]["summary"] == "127.0.0.1:1: ECONNREFUSED in connect, fault: target"
        # Each target is scraped at a moment of its own within the interval.
        wanted = {"127.0.0.1:1": "0", f"{LOOPBACK}:{REFERENCE_PORT}": "1"}

        def found() -> dict:
            result = ask("/api/v1/query?query=probe_success")["result"]
            return {item["metric"]["instance"]: item["value"][1] for item in result}

        wait_until(lambda: found() == wanted, 30, lambda: f"{wanted}, got {found()}", 0.2)
        assert {item["value"][1] for item in ask("/api/v1/query?query=up")["result"]} == {"1"}
    finally:
        prometheus.send_signal(signal.SIGTERM)
        prometheus.wait(20)
