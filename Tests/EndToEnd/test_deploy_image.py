"""The image as its user runs it: not root, read-only, 64 MiB, no capability, and nothing but the program in use."""

import json
import os
import re
import select
import signal
import time

import pytest

import containers
from client import Client, tcp_connector
from containers import Container, podman

BASE = "docker.io/library/debian:bookworm-slim"
# Goals of the project: what the image adds to its base, what an idle one takes, how soon it answers.
ADDED_MEGABYTES, RESIDENT_MEGABYTES, ANSWER_MILLISECONDS = 60, 16, 100


@pytest.fixture(scope="module")
def image():
    return containers.image()


@pytest.fixture
def running(image, loopback_only):
    container = Container(loopback_only)
    try:
        yield container
    finally:
        container.remove()


@pytest.fixture
def api(running, loopback_only):
    client = Client(tcp_connector(loopback_only, "127.0.0.1", 8080), host="127.0.0.1:8080")
    wait_for_answer(running, client)
    return client


@pytest.fixture(scope="module")
def measured():
    """What the README shows, printed when all is done."""
    numbers: dict[str, str] = {}
    yield numbers
    print("\n" + "\n".join(f"| {what} | {value} |" for what, value in numbers.items()))


def test_it_runs_without_rights(running, api):
    status = running.status()
    assert status["Uid"].split() == ["65532"] * 4 and status["Gid"].split() == ["65532"] * 4
    assert int(status["CapEff"], 16) == 0 and int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert running.inspect()["HostConfig"]["ReadonlyRootfs"]
    # Its first process is the program: no shell and no init stand between it and signals.
    assert os.readlink(f"/proc/{running.pid}/exe").endswith("/usr/local/bin/connectd")


def test_it_answers_a_check(running, api, loopback_only):
    with loopback_only.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert api.check(f"tcp://127.0.0.1:{port}")["outcome"] == "connected"
    refused = api.check(f"tcp://127.0.0.1:{port}")
    assert refused["error"]["name"] == "ECONNREFUSED"


def test_its_health_check_follows_the_service(running, api):
    assert podman("healthcheck", "run", running.name).stdout.strip() in ("", "healthy")
    assert running.inspect()["State"]["Health"]["Status"] == "healthy"
    # The same question where nothing listens: what says yes to everything would not be noticed otherwise.
    asked = podman("exec", running.name, "connectd", "healthcheck", "http://127.0.0.1:1/livez", check=False)
    assert asked.returncode == 1


def test_it_writes_nothing(running, api):
    # Mount points of podman's own are all that differs from the image.
    changed = set(podman("diff", running.name).stdout.split()[1::2])
    assert not changed - {"/etc", "/etc/mtab", "/run", "/run/secrets", "/run/.containerenv"}, changed


def test_a_mounted_configuration_counts(image, loopback_only, folder):
    path = os.path.join(folder, "connectd.yaml")
    with open(path, "w") as file:
        file.write('listen: ["127.0.0.1:8089"]\n')
    mount = f"{path}:/etc/connectd/connectd.yaml:ro"
    container = Container(loopback_only, options=("-v", mount, "-e", "CONNECTD_LISTEN=127.0.0.1:8090"))
    try:
        limit = time.monotonic() + 10
        while podman("healthcheck", "run", container.name, check=False).returncode != 0:
            assert time.monotonic() < limit, container.log
        # The environment stands over the file, and the health check knows it.
        assert "127.0.0.1:8090" in container.log and "8089" not in container.log
    finally:
        container.remove()


def test_its_labels_say_what_the_program_says(image):
    labels = json.loads(podman("inspect", "--type", "image", image).stdout)[0]["Labels"]
    said = podman("run", "--rm", "--network=none", image, "--version").stdout
    assert re.match(rf"connectd {re.escape(labels['org.opencontainers.image.version'])} \(", said)
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_size_above_the_base(image, measured):
    def size(name: str) -> float:
        return json.loads(podman("inspect", "--type", "image", name).stdout)[0]["Size"] / 1e6

    added = size(image) - size(BASE)
    measured["size above its base image"] = f"{added:.1f} MB (goal: {ADDED_MEGABYTES})"
    assert 5 < added <= ADDED_MEGABYTES


def test_idle_memory(running, api, measured):
    time.sleep(1.5)
    resident = running.resident_kilobytes() / 1024
    measured["resident memory when idle"] = f"{resident:.1f} MiB (goal: {RESIDENT_MEGABYTES})"
    assert resident <= RESIDENT_MEGABYTES


def test_first_answer(image, loopback_only, measured):
    """From the moment that the container's first process becomes the program to the first 200."""
    times = []
    for _ in range(5):
        container = Container(loopback_only, start=False)
        client = Client(tcp_connector(loopback_only, "127.0.0.1", 8080), host="127.0.0.1:8080")
        try:
            pid = container.initialize()
            with container.starting():
                while not os.readlink(f"/proc/{pid}/exe").endswith("/connectd"):
                    time.sleep(0.0005)
                begun = time.monotonic()
                wait_for_answer(container, client)
                times.append(time.monotonic() - begun)
        finally:
            container.remove()
    median = sorted(times)[len(times) // 2] * 1000
    measured["program's start to first answer"] = f"{median:.0f} ms (goal: {ANSWER_MILLISECONDS})"
    assert median <= ANSWER_MILLISECONDS


def wait_for_answer(container: Container, client: Client) -> None:
    limit = time.monotonic() + 10
    while True:
        try:
            assert client.get("/livez").status == 200
            return
        except (OSError, EOFError):
            assert time.monotonic() < limit, container.log
            time.sleep(0.001)


def test_sigterm_drains_and_ends_with_0(running, api, loopback_only):
    """As the first process of its container; a check under way is answered."""
    with loopback_only.socket() as silent, loopback_only.socket() as connection:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        target = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        body = json.dumps({"target": target, "timeout_ms": 700, "dialog": [{"expect": "never"}]}).encode()
        connection.settimeout(10)
        connection.connect(("127.0.0.1", 8080))
        connection.sendall(
            b"POST /v1/checks HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        accepted, _ = silent.accept()
        podman("kill", "--signal", "TERM", running.name)
        answer = connection.recv(65536)
        accepted.close()
        assert answer.startswith(b"HTTP/1.1 200 ") and b'"DEADLINE"' in answer
    assert podman("wait", running.name).stdout.strip() == "0"


def test_an_idle_one_ends_at_once(running, api, measured):
    watched = os.pidfd_open(running.pid)
    begun = time.monotonic()
    os.kill(running.pid, signal.SIGTERM)
    assert select.select([watched], [], [], 10)[0]
    took = (time.monotonic() - begun) * 1000
    os.close(watched)
    measured["SIGTERM to exit, idle"] = f"{took:.0f} ms"
    assert podman("wait", running.name).stdout.strip() == "0"
    assert took < 1000
