"""deploy/compose, run by podman-compose in a network namespace: up, healthy, a check, down."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml

from support import containers
from support.connectd_process import REPOSITORY
from support.http_client import Client, tcp_connector
from support.waiting import wait_until

FOLDER = REPOSITORY / "deploy" / "compose"
# A listener that replaces the example's database.
DATABASE = {
    "command": ["serve", "--listen", "0.0.0.0:5432", "--allow-anonymous"],
    "environment": {"CONNECTD_POLICY__PROFILE": "sidecar"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("connectd")


@pytest.fixture(scope="module")
def token(folder) -> str:
    """Made as the README says."""
    (folder / "tokens").touch(mode=0o644)
    (folder / "tokens").chmod(0o644)
    add = (containers.image(), "token", "add", "me", "--file", "/compose/tokens")
    user = ("--user", str(os.getuid()), "-v", f"{folder}:/compose")
    made = containers.podman("run", "--rm", "--network=none", *user, *add).stdout.strip()
    assert made not in (folder / "tokens").read_text() and (folder / "tokens").stat().st_mode & 0o777 == 0o644
    return made


@pytest.fixture(scope="module")
def project(loopback_only, folder, token):
    """The example's files, with an image that is there and a database; and a function that calls podman-compose."""
    name = containers.image()
    program = pathlib.Path(sys.executable).with_name("podman-compose")
    found = shutil.which("podman-compose") or (str(program) if program.is_file() else None)
    if found is None:
        pytest.skip("podman-compose is not installed: make image-test brings it")
    shutil.copy(FOLDER / "connectd.yaml", folder)
    composed = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    services = composed["services"]
    for service in services.values():
        service.pop("build", None)
        service["image"] = f"localhost/{name}"
    services["database"] = {**DATABASE, "image": f"localhost/{name}"}
    (folder / "compose.yaml").write_text(yaml.safe_dump(composed))

    def compose(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["nsenter", f"--net=/run/netns/{loopback_only.name}", found, "--project-name", "cdcompose"]
            + ["--file", str(folder / "compose.yaml"), *arguments],
            capture_output=True, text=True, timeout=180, env=containers.environment(), cwd=folder,
        )  # fmt: skip

    try:
        up = compose("up", "--detach", "--no-build")
        assert up.returncode == 0, up.stdout + up.stderr
        yield compose
    finally:
        down = compose("down", "--timeout", "5")
    assert down.returncode == 0, down.stdout + down.stderr
    assert not containers.podman("ps", "-aq", "--filter", "name=cdcompose").stdout.strip()


@pytest.fixture(scope="module")
def client(project, loopback_only):
    """From the host, by the published port."""
    client = Client(tcp_connector(loopback_only, "127.0.0.1", 8080), host="127.0.0.1:8080")
    wait_until(lambda: client.get("/livez").status == 200, 20, lambda: f"the service is live: {project('logs').stdout}", 0.2)
    return client


def container_of(service: str) -> str:
    found = containers.podman("ps", "-aq", "--filter", f"label=com.docker.compose.service={service}").stdout.split()
    assert len(found) == 1, found
    return found[0]


def test_the_project_becomes_healthy(client):
    name = container_of("connectd")
    assert containers.podman("healthcheck", "run", name).returncode == 0
    state = json.loads(containers.podman("inspect", name).stdout)[0]
    assert state["State"]["Health"]["Status"] == "healthy"
    assert state["HostConfig"]["ReadonlyRootfs"] and state["HostConfig"]["Memory"] == 64 << 20


def test_the_request_of_the_readme_is_answered(client, token):
    """The database is checked by its name, with the token from the file. Targets outside of the project's network are denied."""
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.post("/v1/checks", {"target": "tcp://database:5432"}).status == 401
    answer = client.post("/v1/checks", {"target": "tcp://database:5432"}, bearer)
    assert answer.status == 200 and answer.json["outcome"] == "connected", answer.body
    assert answer.json["resolution"]["source"] == "dns"
    assert client.post("/v1/checks", {"target": "tcp://192.0.2.1:5432"}, bearer).status == 403
    assert client.post("/v1/checks", {"target": "tcp://database:22"}, bearer).status == 403


def test_the_container_that_waits_for_the_database_exits_with_0(client):
    assert containers.podman("wait", container_of("wait-for-database")).stdout.strip() == "0"


def test_its_port_is_published_on_loopback_only():
    composed = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    assert composed["services"]["connectd"]["ports"] == ["127.0.0.1:8080:8080"]
