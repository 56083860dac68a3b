"""deploy/kubernetes: each base renders, is valid and conforms to Pod Security "restricted"; podman plays the pods."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import warnings

import jsonschema
import pytest
import yaml

from support import containers
from support import namespace as namespaces
from support.connectd_process import REPOSITORY, binary
from support.http_client import Client, tcp_connector
from support.manifests import BASES, BUILT_IN, FOLDER, rendered, tool
from support.network import new_name
from support.pod_security import APPARMOR, containers_of, violations
from support.waiting import wait_until

VERSIONS = ("1.28", "1.30", "1.32", "1.34")
KINDS = {
    "sidecar": ["ConfigMap", "Pod"],
    "init": ["Pod"],
    "service": [
        "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service",
    ],
    "node": ["ConfigMap", "DaemonSet", "NetworkPolicy", "Service"],
    "fleet": [
        "ConfigMap", "ConfigMap", "DaemonSet", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "NetworkPolicy",
        "PodDisruptionBudget", "Service",
    ],
    "prometheus-operator": ["NetworkPolicy", "Probe", "ServiceMonitor"],
}  # fmt: skip
TOKEN = "0123456789abcdef0123456789abcdef"


def resources(base: str) -> list[dict]:
    return list(yaml.safe_load_all(rendered(base)))


def by_kind(base: str) -> dict[str, dict]:
    return {resource["kind"]: resource for resource in resources(base)}


def templates(base: str):
    """Metadata and specification of each pod, or of what makes pods."""
    for resource in resources(base):
        if resource["kind"] == "Pod":
            yield resource["metadata"], resource["spec"]
        elif "template" in resource.get("spec", {}):
            yield resource["spec"]["template"]["metadata"], resource["spec"]["template"]["spec"]


@pytest.mark.parametrize("base", BASES)
def test_a_base_has_the_expected_objects(base):
    assert sorted(resource["kind"] for resource in resources(base)) == KINDS[base]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("base", BUILT_IN)
def test_the_schemas_of_kubernetes_accept_each_base(base, version, tmp_path):
    path = tmp_path / "rendered.yaml"
    path.write_text(rendered(base))
    done = subprocess.run(
        [tool("kubernetes-validate"), "--strict", "-k", version, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def strict(schema):
    """A schema of a custom resource, in which a field that it does not have is an error instead of pruned."""
    if isinstance(schema, dict):
        made = {key: strict(value) for key, value in schema.items()}
        free = {"additionalProperties", "x-kubernetes-preserve-unknown-fields"} & made.keys()
        return made if "properties" not in made or free else {**made, "additionalProperties": False}
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


# Fields of the operator's version 0.93 that these manifests may use. Check there before you add another one.
SECRET_KEY = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "key": {"type": "string"}},
    "required": ["key"],
}
AUTHORIZATION = {"type": "object", "properties": {"type": {"type": "string"}, "credentials": SECRET_KEY}}
TEXT = {"type": "string"}
OPERATOR = {
    "Probe": {
        "prober": {"type": "object", "properties": {"url": TEXT, "path": TEXT, "scheme": TEXT}, "required": ["url"]},
        "module": TEXT,
        "authorization": AUTHORIZATION,
        "targets": {
            "type": "object",
            "properties": {
                "staticConfig": {"type": "object", "properties": {"static": {"type": "array", "items": TEXT}}}
            },
        },
    },
    "ServiceMonitor": {
        "selector": {
            "type": "object",
            "properties": {"matchLabels": {"type": "object", "additionalProperties": TEXT}},
        },
        "endpoints": {
            "type": "array",
            "items": {"type": "object", "properties": {"port": TEXT, "path": TEXT, "authorization": AUTHORIZATION}},
        },
    },
}


@pytest.mark.parametrize("kind", OPERATOR)
def test_the_prometheus_operator_knows_each_field(kind):
    resource = by_kind("prometheus-operator")[kind]
    assert resource["apiVersion"] == "monitoring.coreos.com/v1"
    schema = strict({"type": "object", "properties": OPERATOR[kind]})
    jsonschema.validate(resource["spec"], schema)
    # The line above finds mistakes.
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**resource["spec"], "modul": "tcp_connect"}, schema)


@pytest.mark.parametrize("kind", OPERATOR)
def test_the_schemas_of_the_prometheus_operator_accept_each_base(kind):
    """Needs PROMETHEUS_OPERATOR_CRDS, a folder with the operator's custom resource definitions."""
    folder = os.environ.get("PROMETHEUS_OPERATOR_CRDS")
    if not folder:
        pytest.skip(
            "PROMETHEUS_OPERATOR_CRDS names no folder: example/prometheus-operator-crd of the operator's sources"
        )
    resource = by_kind("prometheus-operator")[kind]
    definition = yaml.safe_load((pathlib.Path(folder) / f"monitoring.coreos.com_{kind.lower()}s.yaml").read_text())
    version = next(item for item in definition["spec"]["versions"] if item["name"] == "v1")
    jsonschema.validate(resource["spec"], strict(version["schema"]["openAPIV3Schema"]["properties"]["spec"]))


@pytest.mark.parametrize("base", BUILT_IN)
def test_pods_are_restricted(base):
    found = list(templates(base))
    assert found
    for metadata, pod in found:
        assert not violations(pod, metadata.get("annotations")), base


@pytest.mark.parametrize("base", BUILT_IN)
def test_pods_are_more_than_restricted(base):
    """Beyond "restricted": no access to the API server or to variables of other Services, nothing is writable, all is limited."""
    for _, pod in templates(base):
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        assert all({"configMap", "secret"} & volume.keys() for volume in pod.get("volumes", []))
        for container in containers_of(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            # Each is above 10000, so that none is a user of the node.
            assert container["securityContext"]["runAsUser"] == container["securityContext"]["runAsGroup"] == 65532
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]
            assert all(mount["readOnly"] is True for mount in container.get("volumeMounts", []))
            # A tag other than `latest`: each node runs the same image, and the default pull policy fits.
            assert container["image"] == f"connectd:{program_version()}" and "imagePullPolicy" not in container


def program_version() -> str:
    text = (REPOSITORY / "Sources" / "connectd" / "Connectd.swift").read_text()
    return re.search(r'number = "([^"]+)"', text)[1]


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("hostNetwork", True, "host namespaces: hostNetwork"),
        ("hostPID", True, "host namespaces: hostPID"),
        ("hostIPC", True, "host namespaces: hostIPC"),
        ("volumes.0", {"name": "x", "hostPath": {"path": "/"}}, "volume types: x"),
        ("securityContext.windowsOptions.hostProcess", True, "host process"),
        ("securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}], "sysctls: kernel.msgmax"),
        ("securityContext.appArmorProfile.type", "Unconfined", "AppArmor"),
        ("securityContext.seLinuxOptions.user", "system_u", "SELinux"),
        ("securityContext.seccompProfile", None, "seccomp"),
        ("securityContext.runAsNonRoot", None, "may run as root"),
        ("containers.0.securityContext.seccompProfile.type", "Unconfined", "seccomp"),
        ("containers.0.securityContext.seLinuxOptions.type", "spc_t", "SELinux"),
        ("containers.0.securityContext.runAsNonRoot", False, "may run as root"),
        ("containers.0.securityContext.runAsUser", 0, "runs as 0"),
        ("containers.0.securityContext.privileged", True, "privileged"),
        ("containers.0.securityContext.procMount", "Unmasked", "proc mount"),
        ("containers.0.securityContext.allowPrivilegeEscalation", None, "privilege escalation"),
        ("containers.0.securityContext.capabilities.drop", ["NET_RAW"], "capabilities"),
        ("containers.0.securityContext.capabilities.add", ["NET_ADMIN"], "capabilities"),
        ("containers.0.ports.0.hostPort", 8081, "host ports"),
        ("containers.0.livenessProbe.httpGet.host", "10.0.0.1", "host of a probe"),
    ],
)
def test_each_rule_is_checked(path, value, rule):
    """The checker of the two tests above works: a pod that breaks one rule fails that rule only."""
    pod = by_kind("sidecar")["Pod"]["spec"]
    holder = pod
    *way, last = [int(word) if word.isdigit() else word for word in path.split(".")]
    for step in way:
        holder = holder.setdefault(step, {}) if isinstance(holder, dict) else holder[step]
    if value is None:
        del holder[last]
    else:
        holder[last] = value
    assert violations(pod) == {rule}


def test_annotations_are_checked_too():
    pod = by_kind("sidecar")["Pod"]["spec"]
    assert violations(pod, {f"{APPARMOR}connectd": "unconfined"}) == {"AppArmor"}
    assert not violations(pod, {f"{APPARMOR}connectd": "runtime/default"})


@pytest.mark.parametrize("base", ["service", "node"])
def test_selectors_match_pods_and_network_policy_clients(base):
    found = by_kind(base)
    workload = found.get("Deployment") or found["DaemonSet"]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert labels == workload["spec"]["selector"]["matchLabels"] == found["Service"]["spec"]["selector"]
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    volumes = workload["spec"]["template"]["spec"]["volumes"]
    named = {volume["configMap"]["name"] for volume in volumes if "configMap" in volume}
    assert named == {found["ConfigMap"]["metadata"]["name"]}


@pytest.mark.parametrize("base", ["service", "node"])
def test_ports_are_those_of_the_configuration(base):
    """Each port is open to its clients: checks to pods with the label, health to Prometheus and kubelets."""
    found = by_kind(base)
    configuration = yaml.safe_load(found["ConfigMap"]["data"]["connectd.yaml"])
    said = {
        name: int(configuration[key][0].rpartition(":")[2])
        for name, key in (("http", "listen"), ("health", "health_listen"))
    }
    pod = (found.get("Deployment") or found["DaemonSet"])["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == said
    assert {port["name"]: port["port"] for port in found["Service"]["spec"]["ports"]} == said
    assert all(port["targetPort"] == port["name"] for port in found["Service"]["spec"]["ports"])
    for probe, path in (("readinessProbe", "/readyz"), ("livenessProbe", "/livez")):
        assert container[probe]["httpGet"] == {"path": path, "port": "health"}
    clients, monitoring = found["NetworkPolicy"]["spec"]["ingress"]
    assert clients["ports"] == [{"port": "http"}] and monitoring["ports"] == [{"port": "health"}]
    assert clients["from"] == [{"podSelector": {"matchLabels": {"connectd-client": "true"}}}]
    allowed = {port for rule in configuration["policy"]["rules"] for port in rule["ports"]}
    to_targets = found["NetworkPolicy"]["spec"]["egress"][-1]
    assert {port["port"] for port in to_targets["ports"]} == allowed
    assert to_targets["to"] == [{"ipBlock": {"cidr": rule["cidr"]}} for rule in configuration["policy"]["rules"]]
    # The kubelet waits until the drain is over.
    drain = configuration["drain"]
    assert pod["terminationGracePeriodSeconds"] * 1000 > drain["delay_ms"] + drain["limit_ms"]


def test_a_disruption_budget_keeps_one_pod():
    found = by_kind("service")
    fewest = found["HorizontalPodAutoscaler"]["spec"]["minReplicas"]
    assert fewest - found["PodDisruptionBudget"]["spec"]["maxUnavailable"] >= 1
    assert "replicas" not in found["Deployment"]["spec"], "two would set it"


def test_the_secret_is_a_file_not_a_variable():
    for base in ("service", "node"):
        for _, pod in templates(base):
            assert not any(name in item for item in containers_of(pod) for name in ("env", "envFrom"))
            secrets = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
            assert [(item["secretName"], item["defaultMode"]) for item in secrets] == [("connectd-tokens", 0o440)]
            assert pod["securityContext"]["fsGroup"] == 65532


@contextlib.contextmanager
def served(namespace, base: str, folder: pathlib.Path):
    """connectd with the files of a base, completed with its Secret and a target's address."""
    (folder / "tokens").write_text(f"prometheus:sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
    (folder / "tokens").chmod(0o440)
    for name, text in by_kind(base)["ConfigMap"]["data"].items():
        text = text.replace("/run/secrets/connectd/tokens", str(folder / "tokens"))
        (folder / name).write_text(text.replace("10.0.0.0/8, ports: [443,", "127.0.0.0/8, ports: [443, 18443,"))
    done = subprocess.run(
        [binary(), "config", "check", folder / "connectd.yaml"], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0 and "warning" not in done.stderr.lower(), done.stdout + done.stderr
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            namespace.command(str(binary()), "serve", "--config", str(folder / "connectd.yaml")), stderr=log
        )
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(40) == 0


@pytest.fixture(scope="module")
def service(loopback_only, tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    with served(loopback_only, "service", folder):
        health = Client(tcp_connector(loopback_only, "127.0.0.1", 8081))
        wait_until(lambda: health.get("/readyz").status == 200, 30, lambda: f"readiness: {(folder / 'log').read_text()}", 0.05)
        yield loopback_only


def test_the_service_monitor_scrapes_without_a_token(service):
    endpoint = by_kind("prometheus-operator")["ServiceMonitor"]["spec"]["endpoints"][0]
    port = next(item for item in by_kind("service")["Service"]["spec"]["ports"] if item["name"] == endpoint["port"])
    answer = Client(tcp_connector(service, "127.0.0.1", port["port"]), host="10.0.0.7:8081").get(endpoint["path"])
    assert answer.status == 200 and b"connectd_build_info" in answer.body
    # The port for checks always needs a token.
    assert Client(tcp_connector(service, "127.0.0.1", 8080), host="10.0.0.7").get("/metrics").status == 401


def test_the_request_of_the_operators_probe_succeeds(service):
    """The request that the operator makes Prometheus send: the Probe's module and Host, with the token of its Secret."""
    spec = by_kind("prometheus-operator")["Probe"]["spec"]
    host, _, port = spec["prober"]["url"].rpartition(":")
    client = Client(tcp_connector(service, "127.0.0.1", int(port)), host=spec["prober"]["url"])
    with service.socket() as listener:
        listener.bind(("127.0.0.1", 18443))
        listener.listen()
        path = f"{spec['prober']['path']}?module={spec['module']}&target=127.0.0.1:18443"
        assert client.get(path).status == 401
        answer = client.get(path, {"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 200, answer.body
    assert b"\nprobe_success 1\n" in answer.body


@pytest.mark.parametrize("name", ["connectd", "connectd.default", "connectd.default.svc"])
def test_it_accepts_the_names_of_its_service(service, name):
    client = Client(tcp_connector(service, "127.0.0.1", 8080), host=f"{name}:8080")
    assert client.get("/v1/errors/EACCES", {"Authorization": f"Bearer {TOKEN}"}).status == 200


def test_connectd_accepts_the_configuration_of_the_sidecar():
    done = subprocess.run(
        [binary(), "config", "check", FOLDER / "sidecar" / "connectd.yaml"], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def pod_network(root_and_namespaces):
    """A separate namespace, because the service of the tests above listens on the same ports."""
    made = namespaces.Namespace(new_name("p"))
    yield made
    made.remove()


class Pod:
    """`podman kube play` of what `kubectl kustomize` printed, in a network namespace."""

    def __init__(self, namespace, base: str, tmp_path: pathlib.Path, change=None):
        self.namespace = namespace
        found = resources(base)
        self.pod = next(item for item in found if item["kind"] == "Pod")
        for container in containers_of(self.pod["spec"]):
            container |= {"image": f"localhost/{containers.image()}", "imagePullPolicy": "Never"}
            # podman publishes no ports in a namespace's network, and would run probes with curl.
            self.ports = {port["name"]: port["containerPort"] for port in container.pop("ports", [])}
            self.probes = {name: container.pop(name, None) for name in ("readinessProbe", "livenessProbe")}
        # By itself podman removes an init container that has ended, and at times before it has.
        self.pod["metadata"]["annotations"] = {"io.podman.annotations.init.container.type": "always"}
        if change:
            change(self.pod["spec"])
        self.path = tmp_path / f"{base}.yaml"
        self.path.write_text(yaml.safe_dump_all(found))

    def podman(self, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess:
        # Not `ip netns exec`, whose /sys has no cgroups.
        return subprocess.run(
            ["nsenter", f"--net=/run/netns/{self.namespace.name}", "podman", *arguments],
            capture_output=True, text=True, timeout=seconds, env=containers.environment(),
        )  # fmt: skip

    def play(self, *arguments: str) -> None:
        done = self.podman("kube", "play", *arguments, str(self.path))
        assert done.returncode == 0, done.stdout + done.stderr

    def __enter__(self):
        self.play("--network=host")
        return self

    def __exit__(self, *_) -> None:
        self.play("--down")


def listening(namespace, port: int) -> socket.socket:
    listener = namespace.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(100)
    return listener


def test_the_pod_is_ready_while_its_dependency_is_up(pod_network, tmp_path):
    """The kubelet's request from the manifest: 503, 200, 503, 200."""
    containers.image()
    with Pod(pod_network, "sidecar", tmp_path) as played:
        probe = played.probes["readinessProbe"]["httpGet"]
        port = played.ports[probe["port"]]
        # A kubelet asks by the pod's address. The health port has no checks, for any client.
        client = Client(tcp_connector(pod_network, "127.0.0.1", port), host=f"10.0.0.7:{port}")
        statuses = []

        def becomes(expected: int, seconds: float) -> None:
            def asked() -> bool:
                status = client.get(probe["path"]).status
                if statuses[-1:] != [status]:
                    statuses.append(status)
                return status == expected

            wait_until(asked, seconds, lambda: f"readiness is {expected}, got {statuses}", 0.1)

        becomes(503, 15)
        with listening(pod_network, 15432):
            becomes(200, 15)
        becomes(503, 20)  # two rounds of five seconds
        with listening(pod_network, 15432):
            becomes(200, 15)
        assert statuses == [503, 200, 503, 200]
        assert client.get("/v1/probe?target=127.0.0.1:15432").status == 404


def state_of(pod: Pod) -> str:
    """What a failed test says about the machine: each container, with its log."""
    names = [f"application-{item['name']}" for item in containers_of(pod.pod["spec"])]
    said = [containers.podman("--version", check=False).stdout, pod.podman("ps", "--all").stdout]
    return "".join(said + [f"{name}: {pod.podman('logs', name).stderr}" for name in names])


def start_what_podman_left(pod: Pod, played: subprocess.Popen) -> None:
    """podman 4.3 at times waits for an init container that has ended. A kubelet would continue, and so does this."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        assert played.wait(45) == 0, played.stdout.read()
        return
    warnings.warn("podman does not notice that an init container has ended; the test starts the next one", stacklevel=2)
    played.kill()
    played.wait(10)
    exited = json.loads(pod.podman("inspect", "application-wait").stdout)[0]["State"]
    assert exited["ExitCode"] == 0, f"{exited}\n{state_of(pod)}"
    done = pod.podman("start", "application-application", seconds=120)
    assert done.returncode == 0, f"podman starts nothing after an init container on this machine\n{done.stderr}{state_of(pod)}"


def test_the_pod_starts_when_its_dependencies_are_up(pod_network, tmp_path):
    """The init container runs until both dependencies are there, and the application starts after it."""
    containers.image()

    def to_loopback(pod: dict) -> None:
        wait = pod["initContainers"][0]
        wait["args"] = [re.sub(r"//\w+:", "//127.0.0.1:", word) for word in wait["args"]]

    pod = Pod(pod_network, "init", tmp_path, to_loopback)
    played = subprocess.Popen(
        ["nsenter", f"--net=/run/netns/{pod_network.name}", "podman", "kube", "play", "--network=host", str(pod.path)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=containers.environment(),
    )  # fmt: skip
    client = Client(tcp_connector(pod_network, "127.0.0.1", 8080), host="127.0.0.1:8080")

    def answers() -> bool:
        with contextlib.suppress(OSError, EOFError):
            return client.get("/livez").status == 200
        return False

    def log() -> str:
        return pod.podman("logs", "application-wait").stderr

    def until(condition, seconds: float, what: str) -> None:
        wait_until(condition, seconds, lambda: f"{what}\n{state_of(pod)}", 0.2)

    try:
        with listening(pod_network, 5432):
            until(lambda: "tcp://127.0.0.1:5672" in log(), 120, "the init container names what is missing")
            process = json.loads(pod.podman("inspect", "application-wait").stdout)[0]["State"]["Pid"]
            assert played.poll() is None and not answers(), "one of two was there"
            with listening(pod_network, 5672):
                # The process itself, because podman may notice late.
                until(lambda: not pathlib.Path(f"/proc/{process}").exists(), 60, "the init container ends")
        assert re.search(r"^ok +tcp://127.0.0.1:5672 ", log(), re.MULTILINE), log()
        start_what_podman_left(pod, played)
        until(answers, 60, "the application answers")
    finally:
        played.kill()
        played.communicate()
        pod.play("--down")
