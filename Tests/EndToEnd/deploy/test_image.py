"""The image as users run it: not root, read-only, 64 MiB, no capability, and only the program in use."""

import contextlib
import json
import os
import pathlib
import select
import signal
import subprocess
import time

import pytest

from support import containers, tls_peers
from support.containers import Container, podman
from support.dns_server import DNSServer, zone
from support.http_client import Client, check_request, tcp_connector
from support.waiting import wait_until

BASE = "docker.io/library/debian:bookworm-slim"
# Goals of the project: added size, idle memory, time to the first answer.
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
    """The figures of docs/performance.md, printed at the end."""
    numbers: dict[str, str] = {}
    yield numbers
    print("\n" + "\n".join(f"| {what} | {value} |" for what, value in numbers.items()))


def test_it_runs_without_capabilities(running, api):
    status = running.status()
    assert status["Uid"].split() == ["65532"] * 4 and status["Gid"].split() == ["65532"] * 4
    assert int(status["CapEff"], 16) == 0 and int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert running.inspect()["HostConfig"]["ReadonlyRootfs"]
    # Its first process is the program: no shell and no init is between it and signals.
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
    # The same check without a listener, because a health check that always succeeds would pass above.
    asked = podman("exec", running.name, "connectd", "healthcheck", "http://127.0.0.1:1/livez", check=False)
    assert asked.returncode == 1


def test_its_health_check_fails_when_the_service_does(running, api):
    """A service that hangs: its socket accepts connections, and never answers."""
    assert podman("healthcheck", "run", running.name).returncode == 0
    os.kill(running.pid, signal.SIGSTOP)
    limit, failures = time.monotonic() + 60, 0
    # The image's --start-period and --retries: three failures in a row after the start period.
    while running.inspect()["State"]["Health"]["Status"] != "unhealthy":
        assert time.monotonic() < limit, failures
        failures += podman("healthcheck", "run", running.name, check=False).returncode != 0
    assert failures >= 3
    os.kill(running.pid, signal.SIGCONT)
    assert podman("healthcheck", "run", running.name).returncode == 0
    assert running.inspect()["State"]["Health"]["Status"] == "healthy"


def test_it_logs_its_listeners_and_has_no_others(running, api, loopback_only):
    """Without configuration it listens on the container's loopback."""
    assert "127.0.0.1:8080" in running.log and "published ports do not reach" in running.log
    tables = [pathlib.Path(f"/proc/{running.pid}/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    listening = [line.split()[1] for table in tables for line in table if line.split()[3] == "0A"]
    assert listening == ["0100007F:1F90"]


def test_an_open_listener_needs_authentication_and_a_policy(image):
    """`docker run -e CONNECTD_LISTEN=0.0.0.0:8080 -p 8080:8080`: it says what is missing."""
    done = podman(
        "run", "--rm", "--network=none", "-e", "CONNECTD_LISTEN=0.0.0.0:8080", image, check=False
    )  # fmt: skip
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "auth.tokens_file" in said and "policy.profile" in said


def test_it_resolves_names_and_knows_authorities(image, loopback_only, authorities):
    """One check as the container's command: with a name server, and the certificates in the image."""
    identity, name = authorities.good, "good.example.test"
    root = authorities.folder / "root-of-the-image.pem"
    root.write_text(authorities.root_pem)
    root.chmod(0o644)
    link = subprocess.run(
        ["openssl", "x509", "-in", root, "-noout", "-hash"], capture_output=True, text=True, check=True
    ).stdout.strip()
    script = tls_peers.tls(tls_peers.server_context(identity), tls_peers.until_the_end)
    common = ("run", "--rm", "--read-only", "--cap-drop=ALL", f"--network=ns:/run/netns/{loopback_only.name}")
    with (
        tls_peers.listening(loopback_only, script, "127.0.0.1", 0) as port,
        DNSServer(loopback_only, "127.0.0.1", zone({name: ["127.0.0.1"]})),
    ):
        check = (image, "check", "--json", f"tls://{name}:{port}")
        known = podman(*common, "--dns=127.0.0.1", "-v", f"{root}:/etc/ssl/certs/{link}.0:ro", *check, check=False)
        result = json.loads(known.stdout)[0]
        assert known.returncode == 0 and result["tls"]["verified"] and result["resolution"]["source"] == "dns", result
        unknown = podman(*common, "--dns=127.0.0.1", *check, check=False)
        assert unknown.returncode == 1
        assert json.loads(unknown.stdout)[0]["error"]["name"] == "CERT_UNKNOWN_AUTHORITY"
    bundle = podman("run", "--rm", "--network=none", "--entrypoint", "cat", image, "/etc/ssl/certs/ca-certificates.crt")
    assert bundle.stdout.count("BEGIN CERTIFICATE") > 100


def test_wait_is_replaced_by_its_command(image, loopback_only):
    """`wait -- COMMAND` as the first process: the command replaces it, with its own status and signals."""
    with loopback_only.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        target = f"127.0.0.1:{listener.getsockname()[1]}"
        network = f"--network=ns:/run/netns/{loopback_only.name}"
        wait = ("run", "--rm", "--read-only", "--cap-drop=ALL", network, image, "wait", target, "--")
        assert podman(*wait, "sh", "-c", "exit 7", check=False).returncode == 7
        assert podman(*wait, "no-such-program", check=False).returncode == 127
        assert podman(*wait, "readlink", "/proc/1/exe").stdout.strip().endswith("/readlink")
    gone = podman("run", "--rm", network, image, "wait", "--timeout", "300ms", target, check=False)
    assert gone.returncode == 1 and "ECONNREFUSED" in gone.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_two_signals_stop_it_too(running, api, number):
    watched = os.pidfd_open(running.pid)
    for _ in range(2):
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(watched, number)
    assert select.select([watched], [], [], 10)[0], running.log
    os.close(watched)
    assert podman("wait", running.name).stdout.strip() == "0"


def test_a_changed_config_map_applies_after_sighup(image, loopback_only, folder):
    """As a kubelet does it: the files are links through `..data`, which is replaced by a rename."""
    made = pathlib.Path(folder)
    made.chmod(0o755)

    def publish(number: int, text: str) -> None:
        (made / f"..{number}").mkdir(mode=0o755)
        (made / f"..{number}" / "connectd.yaml").write_text(text)
        os.symlink(f"..{number}", made / "..data_tmp")
        os.rename(made / "..data_tmp", made / "..data")

    publish(1, "log: {format: text}\n")
    os.symlink("..data/connectd.yaml", made / "connectd.yaml")
    container = Container(loopback_only, options=("-v", f"{folder}:/etc/connectd:ro"))
    client = Client(tcp_connector(loopback_only, "127.0.0.1", 8080), host="127.0.0.1:8080")
    denied = {"target": "tcp://127.0.0.1:9"}
    try:
        wait_for_answer(container, client)
        assert client.post("/v1/checks", denied).status == 200
        publish(2, "log: {format: text}\npolicy: {rules: [{action: deny, cidr: 127.0.0.0/8}]}\n")
        assert client.post("/v1/checks", denied).status == 200, "read without being asked to"
        podman("kill", "--signal", "HUP", container.name)
        wait_until(
            lambda: client.post("/v1/checks", denied).status == 403, 30, lambda: f"the new policy applies: {container.log}"
        )
        # A broken configuration changes nothing.
        publish(3, "polcy: {}\n")
        podman("kill", "--signal", "HUP", container.name)
        wait_until(lambda: "polcy" in container.log, 30, lambda: f"polcy in the log: {container.log}", 0.05)
        assert client.post("/v1/checks", denied).status == 403
    finally:
        container.remove()


def test_the_prober_is_the_host_name(image, loopback_only):
    """`prober` tells the pods of a Deployment apart."""
    container = Container(loopback_only, options=("--hostname", "connectd-7d4b9-x2x4z"))
    client = Client(tcp_connector(loopback_only, "127.0.0.1", 8080), host="127.0.0.1:8080")
    try:
        wait_for_answer(container, client)
        result = client.check("tcp://127.0.0.1:9")
        assert result["prober"] == "connectd-7d4b9-x2x4z" and result["started_at"].endswith("Z")
    finally:
        container.remove()


def test_the_container_writes_nothing(running, api):
    # Only podman's mount points differ from the image.
    changed = set(podman("diff", running.name).stdout.split()[1::2])
    assert not changed - {"/etc", "/etc/mtab", "/run", "/run/secrets", "/run/.containerenv"}, changed


def test_a_mounted_configuration_applies(image, loopback_only, folder):
    path = os.path.join(folder, "connectd.yaml")
    with open(path, "w") as file:
        file.write('listen: ["127.0.0.1:8089"]\n')
    mount = f"{path}:/etc/connectd/connectd.yaml:ro"
    container = Container(loopback_only, options=("-v", mount, "-e", "CONNECTD_LISTEN=127.0.0.1:8090"))
    try:
        limit = time.monotonic() + 10
        while podman("healthcheck", "run", container.name, check=False).returncode != 0:
            assert time.monotonic() < limit, container.log
        # The environment overrides the file, and the health check knows it.
        assert "127.0.0.1:8090" in container.log and "8089" not in container.log
    finally:
        container.remove()


def test_the_size_above_the_base_is_within_its_goal(image, measured):
    def size(name: str) -> float:
        return json.loads(podman("inspect", "--type", "image", name).stdout)[0]["Size"] / 1e6

    added = size(image) - size(BASE)
    measured["size above its base image"] = f"{added:.1f} MB (goal: {ADDED_MEGABYTES})"
    assert 5 < added <= ADDED_MEGABYTES


def test_idle_memory_is_within_its_goal(running, api, measured):
    time.sleep(1.5)  # Until it is idle: no condition shows that.
    resident = running.resident_kilobytes() / 1024
    measured["resident memory when idle"] = f"{resident:.1f} MiB (goal: {RESIDENT_MEGABYTES})"
    assert resident <= RESIDENT_MEGABYTES


def test_the_time_to_the_first_answer_is_within_its_goal(image, loopback_only, measured):
    """From the moment that the container's first process becomes the program to the first 200."""
    times = []
    for _ in range(5):
        container = Container(loopback_only, start=False)
        client = Client(tcp_connector(loopback_only, "127.0.0.1", 8080), host="127.0.0.1:8080")
        try:
            pid = container.initialize()
            with container.starting():
                wait_until(lambda: os.readlink(f"/proc/{pid}/exe").endswith("/connectd"), 30, "the program runs", 0.0005)
                begun = time.monotonic()
                wait_for_answer(container, client)
                times.append(time.monotonic() - begun)
        finally:
            container.remove()
    median = sorted(times)[len(times) // 2] * 1000
    measured["program's start to first answer"] = f"{median:.0f} ms (goal: {ANSWER_MILLISECONDS})"
    assert median <= ANSWER_MILLISECONDS


def wait_for_answer(container: Container, client: Client) -> None:
    wait_until(lambda: client.get("/livez").status == 200, 30, lambda: f"the service is live: {container.log}", 0.001)


def test_sigterm_drains_and_exits_with_0(running, api, loopback_only):
    """As the first process of its container. A check in flight gets its response."""
    with loopback_only.socket() as silent, loopback_only.socket() as connection:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        target = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        connection.settimeout(10)
        connection.connect(("127.0.0.1", 8080))
        connection.sendall(check_request(target, "127.0.0.1:8080", timeout_ms=700, dialog=[{"expect": "never"}]))
        accepted, _ = silent.accept()
        podman("kill", "--signal", "TERM", running.name)
        answer = connection.recv(65536)
        accepted.close()
        assert answer.startswith(b"HTTP/1.1 200 ") and b'"DEADLINE"' in answer
    assert podman("wait", running.name).stdout.strip() == "0"


def test_an_idle_container_stops_at_once(running, api, measured):
    watched = os.pidfd_open(running.pid)
    begun = time.monotonic()
    os.kill(running.pid, signal.SIGTERM)
    assert select.select([watched], [], [], 10)[0]
    took = (time.monotonic() - begun) * 1000
    os.close(watched)
    measured["SIGTERM to exit, idle"] = f"{took:.0f} ms"
    assert podman("wait", running.name).stdout.strip() == "0"
    assert took < 1000
