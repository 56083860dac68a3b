"""deploy/kubernetes: each base renders, is valid, keeps to Pod Security "restricted"; and the sidecar's pod is played."""

import pathlib
import shutil
import socket
import subprocess
import sys
import time

import pytest
import yaml

import containers
from connectd_process import REPOSITORY, binary

FOLDER = REPOSITORY / "deploy" / "kubernetes"
BASES = ("sidecar", "init", "service", "node", "prometheus-operator")
# Those of the Prometheus operator are no resources of Kubernetes: its schemas do not know them.
BUILT_IN = BASES[:-1]
VERSIONS = ("1.28", "1.30", "1.32")
KINDS = {
    "sidecar": ["ConfigMap", "Pod"],
    "init": ["Pod"],
    "service": [
        "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service",
    ],
    "node": ["ConfigMap", "DaemonSet", "NetworkPolicy", "Service"],
    "prometheus-operator": ["Probe", "ServiceMonitor"],
}  # fmt: skip


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(pathlib.Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not installed: make deploy-test brings it")
    return found


def rendered(base: str) -> str:
    done = subprocess.run(
        [tool("kubectl"), "kustomize", str(FOLDER / base)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def resources(base: str) -> list[dict]:
    return list(yaml.safe_load_all(rendered(base)))


def pods(base: str):
    for resource in resources(base):
        if resource["kind"] == "Pod":
            yield resource["spec"]
        elif "template" in resource.get("spec", {}):
            yield resource["spec"]["template"]["spec"]


def containers_of(pod: dict) -> list[dict]:
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("base", BASES)
def test_a_base_has_what_it_says(base):
    assert sorted(resource["kind"] for resource in resources(base)) == KINDS[base]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("base", BUILT_IN)
def test_the_schemas_of_kubernetes_take_it(base, version, tmp_path):
    path = tmp_path / "rendered.yaml"
    path.write_text(rendered(base))
    done = subprocess.run(
        [tool("kubernetes-validate"), "--strict", "-k", version, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("base", BUILT_IN)
def test_pods_are_restricted(base):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/, profile "restricted", and what is ours."""
    found = list(pods(base))
    assert found
    for pod in found:
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert all({"configMap", "secret"} & volume.keys() for volume in pod.get("volumes", []))
        for container in containers_of(pod):
            context = container["securityContext"]
            assert context["runAsUser"] > 0
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]
            assert container["image"].startswith("connectd:")


@pytest.mark.parametrize("base", ["service", "node"])
def test_selectors_meet_the_pods_and_the_network_policy_its_clients(base):
    by_kind = {resource["kind"]: resource for resource in resources(base)}
    workload = by_kind.get("Deployment") or by_kind["DaemonSet"]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert labels == workload["spec"]["selector"]["matchLabels"] == by_kind["Service"]["spec"]["selector"]
    policy = by_kind["NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert policy["ingress"][0]["from"] == [{"podSelector": {"matchLabels": {"connectd-client": "true"}}}]
    volumes = workload["spec"]["template"]["spec"]["volumes"]
    named = {volume["configMap"]["name"] for volume in volumes if "configMap" in volume}
    assert named == {by_kind["ConfigMap"]["metadata"]["name"]}


@pytest.mark.parametrize("base", ["sidecar", "service"])
def test_connectd_takes_the_configuration(base, tmp_path):
    text = (FOLDER / base / "connectd.yaml").read_text()
    tokens = tmp_path / "tokens"
    tokens.write_text("monitoring:0123456789abcdef0123456789abcdef\n")
    tokens.chmod(0o640)
    path = tmp_path / "connectd.yaml"
    path.write_text(text.replace("/run/secrets/connectd/tokens", str(tokens)))
    done = subprocess.run([binary(), "config", "check", path], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_pod_is_ready_while_its_dependency_is_there(loopback_only, tmp_path):
    """`podman kube play` of what `kubectl kustomize` printed; the probe is the manifest's own command."""
    name = containers.image()
    text = rendered("sidecar").replace("image: connectd:0.1.0", f"image: localhost/{name}\n    imagePullPolicy: Never")
    path = tmp_path / "pod.yaml"
    path.write_text(text)
    pod = next(item for item in yaml.safe_load_all(text) if item["kind"] == "Pod")
    probe = pod["spec"]["containers"][0]["readinessProbe"]["exec"]["command"]

    def inside(*arguments: str) -> subprocess.CompletedProcess:
        # Not `ip netns exec`, whose /sys has no cgroups. What is executed in a container with the host's network is in
        # that of whoever asks for it.
        return subprocess.run(
            ["nsenter", f"--net=/run/netns/{loopback_only.name}", "podman", *arguments],
            capture_output=True, text=True, timeout=60, env=containers.environment(),
        )  # fmt: skip

    def play(*arguments: str) -> None:
        done = inside("kube", "play", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def ready() -> bool:
        return inside("exec", "application-connectd", *probe).returncode == 0

    def becomes(expected: bool, seconds: float) -> None:
        limit = time.monotonic() + seconds
        while ready() is not expected:
            assert time.monotonic() < limit, f"ready is not {expected} after {seconds} s"
            time.sleep(0.2)

    def database():
        listener = loopback_only.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 15432))
        listener.listen(100)
        return listener

    try:
        play("--network=host", str(path))
        time.sleep(0.5)
        assert not ready(), "ready without its dependency"
        with database():
            becomes(True, 15)
        becomes(False, 20)  # two rounds of five seconds
        with database():
            becomes(True, 15)
    finally:
        play("--down", str(path))
