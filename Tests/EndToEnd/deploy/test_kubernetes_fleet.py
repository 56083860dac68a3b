"""deploy/kubernetes/fleet: its parts match each other, the configurations of connectd and the broker's names."""

import hashlib
import re
import subprocess

import pytest
import yaml

from support.connectd_process import Connectd, binary
from support.http_client import Client, tcp_connector
from support.manifests import FOLDER, rendered

BASE = FOLDER / "fleet"
TOKEN = "0123456789abcdef0123456789abcdef"
ROLES = ("hub", "place")


def found(kind: str, role: str) -> dict:
    [resource] = [
        item for item in yaml.safe_load_all(rendered("fleet"))
        if item["kind"] == kind and re.fullmatch(f"connectd-{role}(-[a-z0-9]+)?", item["metadata"]["name"])
    ]  # fmt: skip
    return resource


def workload(role: str) -> dict:
    return found("Deployment" if role == "hub" else "DaemonSet", role)


def configuration(role: str) -> dict:
    return yaml.safe_load(found("ConfigMap", role)["data"]["connectd.yaml"])


def port(listener: str) -> int:
    return int(listener.rpartition(":")[2])


@pytest.mark.parametrize("role", ROLES)
def test_selectors_match_the_pods_of_one_role(role):
    labels = workload(role)["spec"]["template"]["metadata"]["labels"]
    assert labels == {"app.kubernetes.io/name": "connectd", "app.kubernetes.io/component": role}
    assert labels == workload(role)["spec"]["selector"]["matchLabels"]
    assert labels == found("NetworkPolicy", role)["spec"]["podSelector"]["matchLabels"]
    if role == "hub":
        assert labels == found("Service", role)["spec"]["selector"]
        assert labels == found("PodDisruptionBudget", role)["spec"]["selector"]["matchLabels"]
        [spread] = workload(role)["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert labels == spread["labelSelector"]["matchLabels"]


@pytest.mark.parametrize("role", ROLES)
def test_ports_are_those_of_the_configuration(role):
    pod = workload(role)["spec"]["template"]["spec"]
    [container] = pod["containers"]
    ports = {item["name"]: item["containerPort"] for item in container["ports"]}
    settings = configuration(role)
    assert ports["health"] == port(settings["health_listen"][0])
    for probe, path in (("readinessProbe", "/readyz"), ("livenessProbe", "/livez")):
        assert container[probe]["httpGet"] == {"path": path, "port": "health"}
    policy = found("NetworkPolicy", role)["spec"]
    opened = [item["port"] for rule in policy["ingress"] for item in rule["ports"]]
    if role == "hub":
        assert ports["http"] == port(settings["listen"][0]) and opened == ["http", "health"]
        service = found("Service", role)["spec"]["ports"]
        assert {item["name"]: item["port"] for item in service} == ports
    else:
        assert list(ports) == opened == ["health"] and settings["listen"] == ["127.0.0.1:8080"]
    *_, broker, targets = policy["egress"]
    assert [item["port"] for item in broker["ports"]] == [port(server) for server in settings["fleet"]["servers"]]
    [rule] = settings["policy"]["rules"]
    assert targets["to"] == [{"ipBlock": {"cidr": rule["cidr"]}}]
    assert [item["port"] for item in targets["ports"]] == rule["ports"]
    drain = settings["drain"]
    assert pod["terminationGracePeriodSeconds"] * 1000 >= drain["delay_ms"] + drain["limit_ms"] + 3000


@pytest.mark.parametrize("role", ROLES)
def test_files_of_the_configuration_are_mounted(role):
    pod = workload(role)["spec"]["template"]["spec"]
    mounted = {mount["mountPath"]: mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert set(mounted.values()) == volumes.keys()
    assert volumes["connectd"]["configMap"]["name"] == found("ConfigMap", role)["metadata"]["name"]
    settings = configuration(role)
    files = {settings["authorities"]["nats"]["file"], settings["fleet"]["password_file"]}
    if role == "hub":
        files.add(settings["auth"]["tokens_file"])
    for file in files:
        volume = volumes[mounted[file.rpartition("/")[0]]]
        assert volume["secret"]["defaultMode"] == 0o440, file


def completed(role: str, folder, authorities) -> str:
    """The configuration of a role, with the files of its Secrets."""
    (folder / "tokens").write_text(f"app:sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
    (folder / "password").write_text("secret\n")
    (folder / "ca.pem").write_text(authorities.root_pem)
    for path in folder.iterdir():
        path.chmod(0o440)
    text = found("ConfigMap", role)["data"]["connectd.yaml"]
    return text.replace("/run/secrets/nats/", f"{folder}/").replace("/run/secrets/connectd/", f"{folder}/")


@pytest.mark.parametrize("role", ROLES)
def test_connectd_accepts_the_configuration(role, tmp_path, authorities):
    text = completed(role, tmp_path, authorities)
    (tmp_path / "connectd.yaml").write_text(text)
    done = subprocess.run(
        [binary(), "config", "check", tmp_path / "connectd.yaml"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and "warning" not in done.stderr.lower(), done.stdout + done.stderr


def place_of(node: str, folder) -> str:
    """What the command of the DaemonSet's pods makes of a node's name. A script prints the variable instead of connectd."""
    program = folder / "connectd"
    program.write_text('#!/bin/sh\necho "$CONNECTD_FLEET__PLACE" "$@"\n')
    program.chmod(0o755)
    [container] = workload("place")["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]
    done = subprocess.run(
        [*container["command"], *container["args"]], capture_output=True, text=True, timeout=20,
        env={"PATH": f"{folder}:/usr/bin:/bin", "NODE_NAME": node})
    place, *arguments = done.stdout.split()
    assert arguments == ["serve", "--config", "/etc/connectd/connectd.yaml"], done.stderr
    return place


@pytest.mark.parametrize(
    ("node", "place"),
    [("node-1", "node-1"), ("ip-10-0-0-1.ec2.internal", "ip-10-0-0-1-ec2-internal"), ("a" * 62 + ".example", "a" * 62 + "-")])
def test_the_place_is_the_name_of_the_node(node, place, loopback_only, tmp_path, authorities):
    """The command of the DaemonSet, with the configuration of its pods; without a broker, the pod is ready."""
    assert place_of(node, tmp_path) == place
    text = completed("place", tmp_path, authorities)
    assert "tls://nats.nats.svc:4222" in text
    text = text.replace("tls://nats.nats.svc:4222", "tls://127.0.0.1:9")
    listen = port(configuration("place")["listen"][0])
    with Connectd(loopback_only, text, port=listen, environment={"CONNECTD_FLEET__PLACE": place}) as it:
        health = Client(tcp_connector(loopback_only, "127.0.0.1", 8081))
        assert health.get("/readyz").status == 200
        # A check that asks its own place runs here: this is its name.
        answer = it.client.post("/v1/surveys", {"check": {"target": "10.0.0.1:443", "timeout_ms": 100}, "from": [place]})
        assert [vantage["place"] for vantage in answer.json["vantages"]] == [place]
        it.wait_for_log("fleet: not connected")


def test_the_autoscaler_reads_a_metric_of_connectd_through_the_adapter(loopback_only):
    specification = found("HorizontalPodAutoscaler", "hub")["spec"]
    assert specification["scaleTargetRef"]["name"] == workload("hub")["metadata"]["name"]
    [metric] = specification["metrics"]
    assert metric["type"] == "Pods"
    name = metric["pods"]["metric"]["name"]
    [rule] = yaml.safe_load((BASE / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    assert rule["seriesQuery"].startswith(name + "{") and rule["name"]["as"] == name
    with Connectd(loopback_only) as service:
        values = dict(line.split() for line in service.client.get("/metrics").body.decode().splitlines() if line.startswith(("connectd_in_flight ", "connectd_in_flight_limit ")))
    assert values[name] == "0"
    assert int(metric["pods"]["target"]["averageValue"]) * 2 == int(values[name + "_limit"])


def test_a_disruption_budget_keeps_one_pod():
    fewest = found("HorizontalPodAutoscaler", "hub")["spec"]["minReplicas"]
    assert fewest - found("PodDisruptionBudget", "hub")["spec"]["maxUnavailable"] >= 1
    assert "replicas" not in workload("hub")["spec"], "two would set it"
