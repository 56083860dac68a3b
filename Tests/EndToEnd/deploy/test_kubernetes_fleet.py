"""deploy/kubernetes/fleet: the manifests fit each other and the broker; a hub and a place with these files find each other."""

import contextlib
import json
import subprocess

import pytest
import yaml

from support.connectd_process import REPOSITORY, Connectd, binary, clean_environment
from support.manifests import rendered
from support.nats_server import NatsServer
from support.waiting import wait_until

HUB, PLACES = "fleet/hub", "fleet/places"
SECRETS = "/run/secrets/connectd"
TOKEN = "0123456789abcdef0123456789abcdef"


def by_kind(base: str) -> dict[str, dict]:
    return {resource["kind"]: resource for resource in yaml.safe_load_all(rendered(base))}


def workload(base: str) -> dict:
    found = by_kind(base)
    return found.get("Deployment") or found["DaemonSet"]


def pod(base: str) -> dict:
    return workload(base)["spec"]["template"]["spec"]


def configuration(base: str) -> dict:
    return yaml.safe_load(by_kind(base)["ConfigMap"]["data"]["connectd.yaml"])


def test_both_bases_render_together():
    together = [(resource["kind"], resource["metadata"]["name"]) for resource in yaml.safe_load_all(rendered("fleet"))]
    single = [(kind, item["metadata"]["name"]) for base in (HUB, PLACES) for kind, item in by_kind(base).items()]
    assert sorted(together) == sorted(single) and len(set(together)) == len(together)


def test_a_hub_only_asks_and_a_place_has_no_open_port_for_checks():
    hub, place = configuration(HUB), configuration(PLACES)
    assert hub["fleet"]["answers"] is False and "answers" not in place["fleet"]
    assert place["listen"] == ["127.0.0.1:8080"]
    assert [port["name"] for port in pod(PLACES)["containers"][0]["ports"]] == ["health"]
    [ingress] = by_kind(PLACES)["NetworkPolicy"]["spec"]["ingress"]
    assert ingress["ports"] == [{"port": "health"}]


@pytest.mark.parametrize("base", [HUB, PLACES])
def test_the_network_policy_allows_the_broker_and_the_targets(base):
    settings, policy = configuration(base), by_kind(base)["NetworkPolicy"]["spec"]
    labels = workload(base)["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"] == labels == workload(base)["spec"]["selector"]["matchLabels"]
    broker, targets = policy["egress"][1:]
    assert {f":{port['port']}" for port in broker["ports"]} == {url[url.rindex(":") :] for url in settings["fleet"]["servers"]}
    assert {port["port"] for port in targets["ports"]} == {port for rule in settings["policy"]["rules"] for port in rule["ports"]}
    drain = settings["drain"]
    assert pod(base)["terminationGracePeriodSeconds"] * 1000 >= drain["delay_ms"] + drain["limit_ms"] + 3000


def test_hubs_and_places_have_different_labels():
    assert workload(HUB)["spec"]["selector"] != workload(PLACES)["spec"]["selector"]


@pytest.mark.parametrize("base", [HUB, PLACES])
def test_secrets_are_files(base):
    [secret] = [volume["secret"] for volume in pod(base)["volumes"] if "secret" in volume]
    assert secret == {"secretName": workload(base)["metadata"]["name"], "defaultMode": 0o440}
    assert pod(base)["securityContext"]["fsGroup"] == 65532
    text = by_kind(base)["ConfigMap"]["data"]["connectd.yaml"]
    assert configuration(base)["fleet"]["password_file"].startswith(SECRETS) and "password:" not in text
    entries = [entry for container in pod(base)["containers"] for entry in container.get("env", [])]
    assert all("fieldRef" in entry["valueFrom"] for entry in entries)


@pytest.mark.parametrize(
    ("node", "place"),
    [("node-1", "node-1"), ("ip-10-0-0-1.eu-central-1.compute.internal", "ip-10-0-0-1-eu-central-1-compute-internal"),
     ("a" * 80, "a" * 63)],
)  # fmt: skip
def test_a_place_has_the_name_of_its_node(node, place, tmp_path):
    """Runs the command of the DaemonSet, with a program instead of connectd that prints its arguments and the variable."""
    program = tmp_path / "connectd"
    program.write_text('#!/bin/sh\necho "$CONNECTD_FLEET__PLACE" "$@"\n')
    program.chmod(0o755)
    container = pod(PLACES)["containers"][0]
    [entry] = container["env"]
    assert (entry["name"], entry["valueFrom"]["fieldRef"]["fieldPath"]) == ("NODE_NAME", "spec.nodeName")
    done = subprocess.run(
        [*container["command"], *container["args"]], capture_output=True, text=True, timeout=10,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "NODE_NAME": node},
    )  # fmt: skip
    assert done.stdout == f"{place} serve --config /etc/connectd/connectd.yaml\n", done.stderr


def completed(base: str, folder, server_url: str | None = None) -> str:
    """The configuration in the ConfigMap, with the files of its Secret in a folder, and perhaps another broker."""
    (folder / "tokens").write_text(f"client:{TOKEN}\n")
    (folder / "fleet-password").write_text("secret\n")
    roots = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=broker",
         "-keyout", folder / "key.pem", "-out", folder / "nats-ca.pem"], capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert roots.returncode == 0, roots.stderr
    for path in folder.iterdir():
        path.chmod(0o600)
    text = by_kind(base)["ConfigMap"]["data"]["connectd.yaml"].replace(SECRETS, str(folder))
    return text if server_url is None else text.replace("tls://nats.default.svc:4222", server_url)


@pytest.mark.parametrize("base", [HUB, PLACES])
def test_connectd_accepts_the_configuration(base, tmp_path):
    path = tmp_path / "connectd.yaml"
    path.write_text(completed(base, tmp_path))
    done = subprocess.run(
        [binary(), "config", "check", path], capture_output=True, text=True, timeout=20, env=clean_environment()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("place hub, only asks" if base == HUB else "asks and answers") in done.stdout


def test_a_hub_finds_a_place_and_the_autoscaler_its_metric(loopback_only, tmp_path):
    users = (REPOSITORY / "deploy/nats/permissions.conf").read_text() + """
        accounts {FLEET {users: [
            {user: hub, password: secret, permissions: $HUB_PERMISSIONS}
            {user: cluster-a, password: secret, permissions: $FRA1_PERMISSIONS}
            {user: unused-1, password: secret, permissions: $HUB_2_PERMISSIONS}
            {user: unused-2, password: secret, permissions: $NYC1_PERMISSIONS}
        ]}}
    """  # fmt: skip
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(NatsServer(loopback_only, users.replace("connectd.check.fra1", "connectd.check.*")))
        started = []
        # The place first: a hub looks for places when it starts, and then every ten seconds.
        for base, port in ((PLACES, 8090), (HUB, 8080)):
            folder = tmp_path / base
            folder.mkdir(parents=True)
            text = completed(base, folder, broker.url).replace("authorities: nats\n", "\n", 1)
            text = text.replace("delay_ms: 5000", "delay_ms: 0").replace("0.0.0.0:8080", f"127.0.0.1:{port}").replace(":8081", f":{port + 1}")
            environment = {"CONNECTD_FLEET__PLACE": "node-1"} if base == PLACES else {}
            started.append(stack.enter_context(Connectd(loopback_only, text, port=port, environment=environment)))
        hub = started[1]
        authorization = {"Authorization": f"Bearer {TOKEN}"}

        def places() -> list[str]:
            return [entry["place"] for entry in hub.http.get("/v1/vantages", headers=authorization).json["vantages"]]

        wait_until(lambda: places() == ["node-1"], 20, lambda: f"the hub finds the place: {places()}\n{hub.log}", 0.1)
        survey = {"check": {"target": "tcp://10.0.0.1:443", "timeout_ms": 200}, "from": ["node-1"]}
        answer = hub.http.request("POST", "/v1/surveys", json.dumps(survey), authorization)
        [vantage] = answer.json["vantages"]
        assert (vantage["place"], vantage["status"]) == ("node-1", "finished"), answer.body
        [metric] = by_kind(HUB)["HorizontalPodAutoscaler"]["spec"]["metrics"]
        name = metric["pods"]["metric"]["name"]
        assert f"\n{name} " in hub.http.get("/metrics", headers=authorization).body.decode()
