"""deploy/prometheus, deploy/alertmanager and deploy/grafana with Debian's Prometheus and Alertmanager.

The examples keep their addresses, in their own namespace. Intervals of minutes become a second.
"""

import collections
import email
import email.policy
import json
import re
import urllib.parse

import pytest
import yaml

from support import peers
from support.connectd_process import Connectd
from support.deploy_examples import DEPLOY, copy_of, mailbox, needs, replaced, run, running, webhook
from support.http_client import Client, tcp_connector
from support.namespace import Namespace
from support.network import new_name
from support.waiting import wait_until

PROMETHEUS = DEPLOY / "prometheus"
TARGET = "127.0.0.1:7391"
pytestmark = needs("promtool")


def test_promtool_accepts_the_configuration_and_the_rules(tmp_path):
    folder = copy_of("prometheus", tmp_path)
    (folder / "connectd.token").write_text("token")
    rules = sorted(map(str, folder.glob("rules/*.yml")))
    for command in (["config", "prometheus.yml"], ["config", "prometheus.places.yml"], ["rules", *rules]):
        ran = run("promtool", "check", *command, cwd=folder)
        assert ran.returncode == 0 and ran.stderr == "" and "SUCCESS" in ran.stdout, ran.stdout + ran.stderr


@pytest.mark.parametrize("file", ["connectd.test.yml", "connectd.places.test.yml"])
def test_the_rules_pass_their_unit_tests(file):
    ran = run("promtool", "test", "rules", file, cwd=PROMETHEUS / "tests", timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(("file", "test"), [("connectd.alerts", "connectd.test"), ("connectd.places", "connectd.places.test")])
def test_every_alert_has_a_unit_test(file, test):
    rules = yaml.safe_load((PROMETHEUS / f"rules/{file}.yml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
    tests = yaml.safe_load((PROMETHEUS / f"tests/{test}.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test.get("alert_rule_test", []) if case.get("exp_alerts")}
    assert fired == alerts


@needs("amtool")
def test_amtool_accepts_the_alertmanager_configuration():
    ran = run("amtool", "check-config", "alertmanager.yml", cwd=DEPLOY / "alertmanager")
    assert ran.returncode == 0 and "1 templates" in ran.stdout, ran.stdout + ran.stderr


@needs("amtool")
@pytest.mark.parametrize(
    "alert,receiver",
    [
        ("ConnectdTargetDown", "operators"),
        ("ConnectdMonitorDown", "operators"),
        ("ConnectdCertificateExpiresSoon", "operators"),
        ("ConnectdProbeWithoutResult", "prober"),
        ("ConnectdProberFault", "prober"),
        ("ConnectdDown", "prober"),
        ("ConnectdPolicyDenialsRise", "prober"),
        ("ConnectdTargetDownEverywhere", "operators"),
        ("ConnectdPathDown", "operators"),
        ("ConnectdProbePlacesMissing", "prober"),
    ],
)
def test_alerts_are_routed_by_fault(alert, receiver):
    configuration = DEPLOY / "alertmanager/alertmanager.yml"
    ran = run("amtool", "config", "routes", "test", f"--config.file={configuration}", f"alertname={alert}")
    assert ran.stdout.strip() == receiver, ran.stdout + ran.stderr


# --- from a closed port to a message


@pytest.fixture(scope="module")
def namespace(root_and_namespaces):
    made = Namespace(new_name("p"))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def prober(namespace, tmp_path_factory):
    """connectd as deploy/prometheus configures it."""
    configuration = yaml.safe_load((PROMETHEUS / "connectd.yaml").read_text())
    files = {"blackbox.yml": (PROMETHEUS / "blackbox.yml").read_text()}
    monitors = [{**entry, "interval_ms": 500} for entry in configuration["monitors"]]
    monitors.append({"name": "shut", "interval_ms": 500, "check": {"target": "tcp://localhost:9"}})
    with Connectd(namespace, {**configuration, "monitors": monitors}, files=files) as connectd:
        yield connectd


def hurry(folder) -> None:
    """Scrapes and evaluates every second, and shortens the waits of alerts to that."""
    replaced(folder / "prometheus.yml", ("scrape_interval: 15s", "scrape_interval: 1s"),
             ("evaluation_interval: 15s", "evaluation_interval: 1s"))
    alerts = folder / "rules/connectd.alerts.yml"
    alerts.write_text(re.sub(r"(?m)^( +for: )\d+m$", r"\g<1>1s", alerts.read_text()))
    (folder / "targets/example.yml").write_text(
        yaml.safe_dump([{"labels": {"module": "tcp_connect"}, "targets": [TARGET, "127.0.0.1:9090"]}]))


def result_of(query, expression: str) -> list[dict]:
    return wait_until(lambda: query(expression), 30, f"a result of {expression}", 0.1)


@pytest.fixture(scope="module")
def query(namespace, prober, tmp_path_factory):
    """Starts Debian's Prometheus; returns a function that queries its API."""
    folder = tmp_path_factory.mktemp("prometheus")
    copied = copy_of("prometheus", folder)
    hurry(copied)
    command = ["prometheus", f"--config.file={copied}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
               "--web.listen-address=127.0.0.1:9090"]
    api = Client(tcp_connector(namespace, "127.0.0.1", 9090))

    def ask(expression: str) -> list[dict]:
        try:
            answer = api.get("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        except OSError:
            return []
        if answer.status != 200:
            assert answer.status == 503, answer.body
            return []
        return answer.json["data"]["result"]

    with running(namespace, folder / "log", *command):
        yield ask


@needs("prometheus")
def test_prometheus_probes_through_relabeling(query):
    found = result_of(query, 'probe_success{job="connectd-probe"} == 1')
    labels = found[0]["metric"]
    assert (labels["instance"], labels["module"]) == ("127.0.0.1:9090", "tcp_connect")
    failure = result_of(query, f'probe_failure_info{{instance="{TARGET}"}}')[0]["metric"]
    assert (failure["errno"], failure["fault"], failure["phase"]) == ("ECONNREFUSED", "target", "connect")


@needs("prometheus", "prometheus-alertmanager")
def test_an_alert_fires_names_the_errno_and_is_resolved(namespace, query, tmp_path):
    copied = copy_of("alertmanager", tmp_path)
    replaced(copied / "alertmanager.yml", ("group_wait: 10s", "group_wait: 100ms"), ("group_interval: 1m", "group_interval: 1s"))
    command = ["prometheus-alertmanager", f"--config.file={copied}/alertmanager.yml", f"--storage.path={tmp_path}/data",
               "--web.listen-address=127.0.0.1:9093", "--cluster.listen-address="]

    def alerts(status: str):
        return [
            alert for path, message in received if path == "/operators"
            for alert in message["alerts"]
            if alert["status"] == status and alert["labels"]["alertname"] == "ConnectdTargetDown"]

    with webhook(namespace, 5001) as received, mailbox(namespace, 25) as mails, running(namespace, tmp_path / "log", *command):
        alert = wait_until(lambda: alerts("firing"), 60, "an alert fires", 0.1)[0]
        assert alert["labels"]["instance"] == TARGET and alert["labels"]["module"] == "tcp_connect"
        assert alert["annotations"] == {
            "summary": f"{TARGET} does not answer: ECONNREFUSED",
            "errno": "ECONNREFUSED", "outcome": "refused", "phase": "connect", "fault": "target"}
        down = f"[FIRING] ConnectdTargetDown {TARGET} ECONNREFUSED"
        mail = wait_until(lambda: [m for m in map(read_mail, mails) if m["Subject"] == down], 30, f"a mail: {down}", 0.1)[0]
        body = mail.get_body(("plain",)).get_content()
        for line in (f"{TARGET} does not answer: ECONNREFUSED", "  outcome  refused", "  errno    ECONNREFUSED",
                     "  fault    target: the target's machine or service",
                     "  hint     start the listener; check its address and port; check firewalls",
                     "  more     connectd errors ECONNREFUSED"):
            assert line in body.splitlines(), body
        host, port = TARGET.split(":")
        with peers.tcp_listener(namespace, host, int(port)):
            wait_until(lambda: alerts("resolved"), 60, "the alert is resolved", 0.1)


def read_mail(text: str):
    return email.message_from_string(text, policy=email.policy.default)


@needs("prometheus")
def test_each_recording_rule_has_a_result(query):
    result_of(query, 'instance_outcome_fault:connectd_checks:rate5m{outcome="connected"} > 0')
    result_of(query, "instance:connectd_check_failures:ratio_rate5m > 0 < 1")
    result_of(query, "instance:connectd_in_flight:ratio >= 0")
    result_of(query, "instance:connectd_queue_length:ratio == 0")
    result_of(query, 'instance_phase:connectd_check_duration_seconds:p99_rate5m{phase="total"} > 0')
    result_of(query, "instance_module:probe_success:avg1h >= 0")


@needs("prometheus")
def test_each_target_is_probed_from_three_places(root_and_namespaces, tmp_path):
    """Debian's Prometheus applies hashmod: no target is lost, and each place has about the same number."""
    folder = copy_of("prometheus", tmp_path)
    targets = [f"host{number}.internal:443" for number in range(400)]
    (folder / "targets/example.yml").write_text(yaml.safe_dump([{"labels": {"module": "tls_connect"}, "targets": targets}]))
    # No probe is sent: the first scrape of an interval of a day is spread over the day.
    replaced(folder / "prometheus.places.yml", ("scrape_interval: 15s", "scrape_interval: 1d\n  scrape_timeout: 10s"))
    made = Namespace(new_name("h"))
    try:
        command = ["prometheus", f"--config.file={folder}/prometheus.places.yml", f"--storage.tsdb.path={tmp_path}/data",
                   "--web.listen-address=127.0.0.1:9090"]
        with running(made, tmp_path / "log", *command):
            made.wait_for_listener("127.0.0.1", 9090)
            api = Client(tcp_connector(made, "127.0.0.1", 9090))

            def active() -> list[dict]:
                answer = api.get("/api/v1/targets?state=active")
                found = answer.json["data"]["activeTargets"] if answer.status == 200 else []
                return found if len(found) >= 3 * len(targets) else []

            found = wait_until(active, 30, "all targets are active", 0.1)
    finally:
        made.remove()
    addresses = {"fra1": "10.0.0.11", "nyc1": "10.1.0.11", "sin1": "10.2.0.11", "lon1": "10.3.0.11"}
    places = collections.defaultdict(set)
    for entry in found:
        labels = entry["labels"]
        assert labels["job"] == "connectd-places" and labels["module"] == "tls_connect"
        url = urllib.parse.urlsplit(entry["scrapeUrl"])
        assert url.netloc == f"{addresses[labels['place']]}:8080" and url.path == "/probe"
        assert urllib.parse.parse_qs(url.query) == {"module": ["tls_connect"], "target": [labels["instance"]]}
        places[labels["instance"]].add(labels["place"])
    assert places.keys() == set(targets) and {len(names) for names in places.values()} == {3}
    assert len(found) == 3 * len(targets)
    for place in addresses:
        assert 240 <= sum(place in names for names in places.values()) <= 360


# --- the dashboard


def dashboard() -> dict:
    return json.loads((DEPLOY / "grafana/connectd.json").read_text())


def queries() -> list[str]:
    """Every expression, of panels and of variables, with Grafana's own variables filled in."""
    found = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", [])]
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            text = variable["query"]["query"]
            found.append(re.fullmatch(r"label_values\((.*), \w+\)", text)[1])
    fill = {"$__rate_interval": "10s", "$job": "connectd.*", "$instance": ".*", "$prober": ".*"}
    for name, value in fill.items():
        found = [expression.replace(name, value) for expression in found]
    assert not any("$" in expression for expression in found), found
    return sorted(set(found))


def test_the_dashboard_is_complete():
    board = dashboard()
    assert board["id"] is None and board["uid"] and board["title"] and board["schemaVersion"] >= 36
    identifiers = [panel["id"] for panel in board["panels"]]
    assert len(set(identifiers)) == len(identifiers)
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"} and panel["targets"], panel["title"]
            references = [target["refId"] for target in panel["targets"]]
            assert len(set(references)) == len(references)
    names = {variable["name"] for variable in board["templating"]["list"]}
    assert set(re.findall(r"\$\{?(?!__)(\w+)", json.dumps(board["panels"]))) <= names


def test_the_queries_of_the_dashboard_are_valid(tmp_path):
    rules = [{"record": f"dashboard:query{index}", "expr": expression} for index, expression in enumerate(queries())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    ran = run("promtool", "check", "rules", tmp_path / "rules.yml")
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs("prometheus")
@pytest.mark.parametrize("expression", queries())
def test_every_query_of_the_dashboard_has_a_result(query, expression):
    result_of(query, expression)
