"""Three replicas of connectd as backends of Debian's HAProxy and nginx, with the files of deploy/: no request fails while one is
killed, starts again, and another one shuts down gracefully.

The examples keep their addresses and ports, in their own namespace.
"""

import contextlib
import hashlib
import pathlib
import signal
import threading

import pytest

from support import peers
from support.connectd_process import Connectd
from support.deploy_examples import DEPLOY, copy_of, needs, run, running
from support.http_client import Client, check_request, read_answer, tcp_connector
from support.namespace import Namespace
from support.network import new_name
from support.waiting import wait_until

ADDRESSES = ("10.0.0.11", "10.0.0.12", "10.0.0.13")
TARGET = "10.0.0.20"
PROXY = ("127.0.0.1", 8000)
TOKEN = "0123456789abcdef0123456789abcdef"
# The connection stays open for 30 ms, so that each replica always has checks in flight.
REQUEST = check_request(
    f"{TARGET}:5432", "connectd.example", {"Authorization": f"Bearer {TOKEN}"}, timeout_ms=5000, hold_ms=30)


@pytest.fixture(scope="module")
def namespace(root_and_namespaces):
    made = Namespace(new_name("r"))
    for address in (*ADDRESSES, TARGET):
        made.ip(f"addr add {address}/32 dev lo")
    with peers.serving(
        peers.tcp_listener(made, TARGET, 5432, backlog=1024), peers.on_each_connection(lambda connection: connection.recv(1))
    ):
        yield made
    made.remove()


class Replica:
    """One connectd with the configuration of an example, at an address of its own."""

    def __init__(self, namespace, folder: pathlib.Path, number: int):
        self.address = ADDRESSES[number]
        text = (folder / "connectd.yaml").read_text().replace('"0.0.0.0:', f'"{self.address}:')
        self.process = Connectd(
            namespace, text, port=18081 + number, listen=(f"{self.address}:8080",),
            files={"tokens": f"app:sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()}\n"})
        self.health = Client(tcp_connector(namespace, self.address, 8081), host=f"{self.address}:8081")

    def wait_until_ready(self) -> "Replica":
        wait_until(lambda: self.health.get("/readyz").status == 200, 10, lambda: f"it is ready: {self.process.log}", 0.02)
        return self

    def kill(self) -> None:
        self.process.process.kill()
        self.process.stop()

    def checks(self) -> int:
        """How many checks it has run."""
        lines = self.health.get("/metrics").body.decode().splitlines()
        return sum(int(line.split()[-1]) for line in lines if line.startswith("connectd_checks_total{"))

    def wait_for_checks(self, count: int = 20) -> None:
        before = self.checks()
        wait_until(lambda: self.checks() >= before + count, 10, lambda: f"{self.address} runs checks", 0.02)


class Clients:
    """Eight clients of the proxy. Each sends one request after the other, on a new connection; no request is repeated."""

    def __init__(self, namespace):
        self.connect = tcp_connector(namespace, *PROXY)
        self.ending = threading.Event()
        self.outcomes: list[str] = []
        self.threads = [threading.Thread(target=self._ask) for _ in range(8)]
        for thread in self.threads:
            thread.start()

    def _ask(self) -> None:
        while not self.ending.is_set():
            try:
                with self.connect() as connection:
                    connection.settimeout(10)
                    connection.sendall(REQUEST)
                    answer = read_answer(connection.makefile("rb"))
                self.outcomes.append(answer.json["outcome"] if answer.status == 200 else f"{answer.status} {answer.body}")
            except (OSError, EOFError, ValueError) as error:
                self.outcomes.append(repr(error))

    def failures(self) -> list[str]:
        return [outcome for outcome in self.outcomes if outcome != "connected"]

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *_) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()


@contextlib.contextmanager
def haproxy(namespace, folder: pathlib.Path):
    command = ("haproxy", "-db", "-f", folder / "haproxy.cfg")
    with running(namespace, folder / "log", *command):
        namespace.wait_for_listener(*PROXY)
        yield


@contextlib.contextmanager
def nginx(namespace, folder: pathlib.Path):
    """nginx as Debian starts it, and the script that reads /readyz."""
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off; worker_processes 2; error_log stderr; pid {folder}/pid;\nevents {{}}\n"
        "http { access_log off; include connectd.conf; }\n")
    watcher = (folder / "replicas.sh", folder / "connectd-replicas.conf", "nginx", "-c", main, "-s", "reload")
    with running(namespace, folder / "log", "nginx", "-c", main):
        namespace.wait_for_listener(*PROXY)
        with running(namespace, folder / "watcher-log", *watcher, environment={"INTERVAL": "0.2"}):
            yield


@pytest.mark.parametrize(
    "proxy", [pytest.param(haproxy, marks=needs("haproxy")), pytest.param(nginx, marks=needs("nginx", "curl"))])
def test_no_request_fails_while_replicas_end(namespace, proxy, tmp_path):
    folder = copy_of(proxy.__name__, tmp_path)
    with contextlib.ExitStack() as stack:
        replicas = [Replica(namespace, folder, number) for number in range(3)]
        for replica in replicas:
            stack.callback(replica.kill)
            replica.wait_until_ready()
        stack.enter_context(proxy(namespace, folder))
        clients = stack.enter_context(Clients(namespace))
        first, second, third = replicas
        for replica in replicas:
            replica.wait_for_checks()

        first.kill()
        for replica in (second, third):
            replica.wait_for_checks()

        replicas[0] = first = Replica(namespace, folder, 0)
        stack.callback(first.kill)
        first.wait_until_ready().wait_for_checks()

        second.process.process.send_signal(signal.SIGTERM)
        assert second.process.process.wait(15) == 0
        assert "overloaded" not in second.process.log
        for replica in (first, third):
            replica.wait_for_checks()
        assert clients.failures() == [] and len(clients.outcomes) > 100


@needs("nginx", "curl")
def test_nginx_is_told_what_is_ready(namespace, tmp_path):
    """replicas.sh marks a replica that is not ready, and none if that would be all."""
    folder = copy_of("nginx", tmp_path)
    replicas = folder / "connectd-replicas.conf"
    before, reloads = replicas.read_text(), folder / "reloads"

    def marked() -> list[str]:
        return [line.split()[1] for line in replicas.read_text().splitlines() if line.endswith(" down;")]

    running_one = Replica(namespace, folder, 0)
    running_one.wait_until_ready()
    watcher = (folder / "replicas.sh", replicas, "sh", "-c", f"echo reload >> {reloads}")
    with running(namespace, folder / "log", *watcher, environment={"INTERVAL": "0.1"}):
        wait_until(lambda: marked() == ["10.0.0.12:8080", "10.0.0.13:8080"], 10, lambda: replicas.read_text(), 0.05)
        running_one.kill()
        wait_until(lambda: replicas.read_text() == before, 10, lambda: replicas.read_text(), 0.05)
        wait_until(lambda: reloads.read_text().count("reload") == 2, 10, lambda: reloads.read_text(), 0.05)


@needs("haproxy")
def test_haproxy_accepts_the_file_without_a_warning():
    ran = run("haproxy", "-c", "-dW", "-f", DEPLOY / "haproxy/haproxy.cfg")
    assert ran.returncode == 0, ran.stdout + ran.stderr


@needs("shellcheck")
def test_shellcheck_finds_nothing():
    ran = run("shellcheck", DEPLOY / "nginx/replicas.sh")
    assert ran.returncode == 0, ran.stdout
