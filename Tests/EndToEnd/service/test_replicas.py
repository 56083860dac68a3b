"""Three instances that get requests from Debian's haproxy or nginx, with the files of deploy/: one is killed, one drained.

Clients send checks all the time, and none of their requests fails.
"""

import contextlib
import signal

import pytest
import yaml

from support import peers
from support.connectd_process import Connectd
from support.deploy_examples import DEPLOY, copy_of, needs, replaced, run, running
from support.http_client import Client, tcp_connector
from support.http_load import http_load
from support.namespace import Namespace
from support.network import new_name
from support.waiting import wait_until

PROXY, PORTS = 8090, (8091, 8092, 8093)
TOKEN = "0123456789abcdef0123456789abcdef"
HOST = "connectd.internal"
pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def namespace(root_and_namespaces):
    made = Namespace(new_name("r"))
    yield made
    made.remove()


@contextlib.contextmanager
def haproxy(namespace, folder):
    copied = copy_of("haproxy", folder) / "haproxy.cfg"
    replaced(copied, *((f"10.0.0.1{number}:8080", f"127.0.0.1:{port}") for number, port in enumerate(PORTS, 1)))
    checked = run("haproxy", "-c", "-f", copied)
    assert checked.returncode == 0 and "warning" not in checked.stderr.lower(), checked.stderr
    with running(namespace, folder / "log", "haproxy", "-db", "-f", copied):
        yield


@contextlib.contextmanager
def nginx(namespace, folder):
    copied = copy_of("nginx", folder)
    replaced(
        copied / "nginx.conf", ("/etc/nginx/connectd/", f"{copied}/"), ("/run/nginx-connectd.pid", f"{folder}/pid"),
        ("/var/log/nginx/connectd.log", f"{folder}/error.log"),
    )  # fmt: skip
    reload = f"nginx -c {copied}/nginx.conf -s reload"
    script = [copied / "connectd-upstream", copied / "upstream.conf"]
    instances = [f"127.0.0.1:{port}" for port in PORTS]
    once = run(*script, "0", reload, *instances, namespace=namespace)
    assert once.returncode == 0, once.stderr
    checked = run("nginx", "-t", "-c", copied / "nginx.conf")
    assert checked.returncode == 0 and "[warn]" not in checked.stderr, checked.stderr
    with running(namespace, folder / "log", "nginx", "-c", copied / "nginx.conf", "-g", "daemon off;"):
        namespace.wait_for_listener("127.0.0.1", PROXY)
        with running(namespace, folder / "script.log", *script, "0.5", reload, *instances):
            yield


@contextlib.contextmanager
def instances(namespace):
    """Three instances with the configuration of deploy/haproxy."""
    configuration = yaml.safe_load((DEPLOY / "haproxy/connectd.yaml").read_text())
    del configuration["listen"]  # the ports are arguments
    configuration["auth"] = {"tokens_file": "tokens"}
    files = {"tokens": f"load:{TOKEN}\n"}
    with contextlib.ExitStack() as stack:
        started = []
        for port in PORTS:
            one = Connectd(namespace, configuration, port=port, files=files)
            stack.callback(one.process.kill)
            started.append(one)
        yield [one.wait_until_live() for one in started]


@needs("shellcheck")
def test_shellcheck_finds_nothing():
    ran = run("shellcheck", DEPLOY / "nginx/connectd-upstream")
    assert ran.returncode == 0, ran.stdout


def metric(one: Connectd, name: str) -> float:
    text = one.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).body.decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)


def wait_for_more(load, count: int) -> None:
    """Waits until the clients have this many more answers, or a failure."""
    before = load.answered
    wait_until(lambda: load.failures or load.answered >= before + count, 20, f"{count} more answers")


@pytest.mark.parametrize("proxy", [pytest.param(haproxy, marks=needs("haproxy")), pytest.param(nginx, marks=needs("nginx"))])
def test_no_request_fails_when_one_is_killed_and_one_is_drained(proxy, namespace, tmp_path):
    with contextlib.ExitStack() as stack:
        first, second, third = stack.enter_context(instances(namespace))
        stack.enter_context(proxy(namespace, tmp_path))
        # The backlog of the silent listener accepts connections, and never closes them.
        silent = stack.enter_context(peers.tcp_listener(namespace, "127.0.0.1", backlog=1024))
        target = peers.tcp_listener(namespace, "127.0.0.1")
        stack.enter_context(peers.serving(target, peers.on_each_connection(lambda connection: None)))
        quick = ({"target": f"tcp://127.0.0.1:{target.getsockname()[1]}"}, "connected")
        slow = ({"target": f"tcp://127.0.0.1:{silent.getsockname()[1]}", "hold_ms": 300}, "connected")
        connect = tcp_connector(namespace, "127.0.0.1", PROXY)
        wait_until(lambda: Client(connect).get("/livez").status == 200, 20, "the proxy forwards requests")
        with http_load(connect, HOST, [quick, slow], clients=12, token=TOKEN) as load:
            wait_until(lambda: load.failures or all(metric(one, "connectd_checks_total") >= 20 for one in (first, second, third)),
                       20, "each instance runs checks")  # fmt: skip
            wait_until(lambda: metric(first, "connectd_in_flight") > 0, 10, "a check is in flight at the first")
            first.process.kill()
            wait_for_more(load, 100)
            wait_until(lambda: metric(second, "connectd_in_flight") > 0, 10, "a check is in flight at the second")
            second.process.send_signal(signal.SIGTERM)
            assert second.process.wait(20) == 0, second.log
            wait_for_more(load, 100)
        assert not load.failures, f"{len(load.failures)} of {load.answered} failed: {load.failures[:5]}"
