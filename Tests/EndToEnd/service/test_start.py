"""`connectd serve`: configurations that it refuses to start with, and how it starts and stops."""

import os
import signal
import socket
import subprocess
import time

import pytest

from support import connectd_process, peers
from support.connectd_process import OPEN_CONFIGURATION, PORT, Connectd, binary, run
from support.http_client import unix_connector
from support.waiting import wait_until


@pytest.fixture
def serve(loopback_only, folder):
    """Runs `serve` with a configuration that must make it exit."""

    def start(configuration: str | None, *arguments: str, environment: dict | None = None):
        extra = ()
        if configuration is not None:
            with open(f"{folder}/connectd.yaml", "w") as file:
                file.write(configuration)
            extra = ("--config", f"{folder}/connectd.yaml")
        try:
            return run("serve", *extra, *arguments, namespace=loopback_only, timeout=5, environment=environment)
        except subprocess.TimeoutExpired:
            pytest.fail("it started")

    return start


@pytest.mark.parametrize("address", ["0.0.0.0:8099", "[::]:8099", "10.1.2.3:8099", "[::ffff:10.1.2.3]:8099"])
def test_an_open_listener_without_authentication_and_policy_is_refused(serve, address):
    ran = serve(None, "--listen", address)
    assert ran.returncode not in (0, -signal.SIGTERM)
    for missing in ("tokens", "--allow-anonymous", "policy"):
        assert missing in ran.stderr + ran.stdout, f"the message does not name {missing}"


def test_authentication_or_a_policy_alone_is_not_enough(serve, folder):
    ran = serve("policy: {profile: internal}\n", "--listen", "0.0.0.0:8099")
    assert ran.returncode != 0
    assert "--allow-anonymous" in ran.stderr
    ran = serve(None, "--listen", "0.0.0.0:8099", "--allow-anonymous")
    assert ran.returncode != 0
    assert "policy" in ran.stderr
    with open(f"{folder}/tokens", "w") as file:
        file.write("a:token-of-a\n")
    ran = serve("auth: {tokens_file: tokens}\n", "--listen", "0.0.0.0:8099")
    assert ran.returncode != 0
    assert "policy" in ran.stderr


def test_one_open_listener_among_several_is_refused(serve):
    assert serve(None, "--listen", "127.0.0.1:8099", "--listen", "0.0.0.0:8098").returncode != 0


def test_an_open_listener_with_authentication_and_a_policy_starts(loopback_only):
    configuration = {"policy": {"profile": "internal"}}
    with Connectd(
        loopback_only, configuration, port=8097, listen=("0.0.0.0:8096",), arguments=("--allow-anonymous",)
    ) as it:
        assert it.http.get("/livez").status == 200
    configuration["auth"] = {"tokens_file": "tokens"}
    with Connectd(
        loopback_only, configuration, port=8097, listen=("0.0.0.0:8096",), files={"tokens": "a:token-of-a\n"}
    ) as it:
        assert it.http.get("/livez").status == 200


BAD = [
    ("listn: []\n", 1, "listn"),
    ("policy:\n  profil: internal\n", 2, "profil"),
    ("limits:\n  queue: many\n", 2, "queue"),
    ("limits: {queue: 1}\nlimits: {queue: 2}\n", 2, "limits"),
    ("limits:\n  queue: 1\n  queue: 2\n", 3, "queue"),
    ("policy: {profile: open}\n", 1, "profile"),
    ("listen: 8080\n", 1, "listen"),
    ("listen: ['nonsense']\n", 1, "listen"),
    ("\n\nworkers: -1\n", 3, "workers"),
    ("workers: 1.5\n", 1, "workers"),
    ("limits: {timeout_ms: 0}\n", 1, "timeout_ms"),
    ("policy:\n  rules:\n    - {action: allow, host: x.example}\n", 3, "host"),
    ("policy:\n  rules:\n    - {action: permit, cidr: 10.0.0.0/8}\n", 3, "action"),
    ("policy:\n  rules:\n    - {action: allow, cidr: 10.0.0.0/33}\n", 3, "cidr"),
    ("policy:\n  rules:\n    - {action: allow, cidr: 10.0.0.1/8}\n", 3, "cidr"),
    ("policy:\n  rules:\n    - {action: allow, cidr: nonsense}\n", 3, "cidr"),
    ("policy:\n  rules:\n    - {action: allow, cidr: 10.0.0.0/8, ports: [70000]}\n", 3, "ports"),
    ("policy:\n  rules:\n    - {action: allow, cidr: 10.0.0.0/8, ports: ['9-8']}\n", 3, "ports"),
    ("policy:\n  rules:\n    - {action: allow, cidr: 10.0.0.0/8, transports: [sctp]}\n", 3, "transports"),
    ("policy:\n  rules:\n    - {action: allow}\n", 3, ""),
    ("policy:\n  rules:\n    - {cidr: 10.0.0.0/8}\n", 3, "action"),
    ("policy: {options: [everything]}\n", 1, "options"),
    ("policy: {dialogs: sometimes}\n", 1, "dialogs"),
    ("auth: {tokens_file: no-such-file}\n", 1, "tokens_file"),
    ("md5_keys: {k: {file: no-such-file}}\n", 1, "file"),
    ("log: {level: loud}\n", 1, "level"),
    ("a: [\n", None, ""),
    ("- a\n- b\n", 1, ""),
    ("\tx: 1\n", 1, ""),
    ("limits: {queue: 1, unknown_limit: 2}\n", 1, "unknown_limit"),
]


@pytest.mark.parametrize("text,line,word", BAD, ids=lambda value: repr(value)[:40])
def test_an_invalid_configuration_is_reported_with_line_and_reason(serve, text, line, word):
    ran = serve(text)
    assert ran.returncode not in (0, -signal.SIGSEGV, -signal.SIGILL, -signal.SIGTRAP), ran.stderr
    assert word in ran.stderr
    assert "connectd.yaml" in ran.stderr
    if line is not None:
        assert f"{line}" in ran.stderr


def test_a_missing_configuration_file_is_reported(serve):
    ran = serve(None, "--config", "/no/such/connectd.yaml")
    assert ran.returncode != 0
    assert "/no/such/connectd.yaml" in ran.stderr


def test_secrets_in_an_invalid_file_are_not_printed(serve, folder):
    with open(f"{folder}/tokens", "w") as file:
        file.write("this line has no colon but s3cret\n")
    ran = serve("auth: {tokens_file: tokens}\n")
    assert ran.returncode != 0
    assert "s3cret" not in ran.stderr + ran.stdout


@pytest.mark.parametrize(
    "address", ["nonsense", "127.0.0.1", "127.0.0.1:0x50", "127.0.0.1:70000", "unix:", "localhost", ""]
)
def test_an_invalid_listener_is_reported(serve, address):
    ran = serve(None, "--listen", address)
    assert ran.returncode != 0
    assert ran.stderr.strip()


def test_a_port_in_use_is_reported(serve, loopback_only):
    with peers.tcp_listener(loopback_only, "127.0.0.1", 8095):
        ran = serve(None, "--listen", "127.0.0.1:8095")
    assert ran.returncode != 0
    assert "8095" in ran.stderr and "in use" in ran.stderr.lower()
    assert "--listen" in ran.stderr and "LISTEN=" in ran.stderr, "what to do about it"


def test_a_privileged_port_error_names_the_capability(loopback_only):
    ran = subprocess.run(
        loopback_only.command(
            "setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-net_bind_service",
            str(binary()), "serve", "--listen", "127.0.0.1:80"),
        capture_output=True, text=True, timeout=20)
    assert ran.returncode == 1 and "EACCES" in ran.stderr
    assert "CAP_NET_BIND_SERVICE" in ran.stderr and "1024" in ran.stderr


def test_two_services_do_not_share_a_port(serve, loopback_only):
    with Connectd(loopback_only, port=8095) as first:
        ran = serve(None, "--listen", "127.0.0.1:8095")
        assert ran.returncode != 0
        assert "8095" in ran.stderr
        assert first.http.get("/livez").status == 200


def test_a_port_is_free_at_once_after_the_exit(loopback_only):
    for _ in range(3):
        with Connectd(loopback_only, port=8094) as connectd:
            with connectd.http.connect() as connection:
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert connection.recv(10).startswith(b"HTTP/1.1")


def test_only_a_stale_socket_file_is_replaced(serve, folder, loopback_only):
    peers.unix_listener(f"{folder}/http.sock").close()
    with Connectd(loopback_only, port=8093, listen=(f"unix:{folder}/http.sock",)) as connectd:
        assert connectd.http.get("/livez").status == 200
        ran = serve(None, "--listen", f"unix:{folder}/http.sock")
        assert ran.returncode != 0
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{folder}/http.sock")


def test_a_file_that_is_not_a_socket_is_not_removed(serve, folder):
    with open(f"{folder}/precious", "w") as file:
        file.write("data")
    assert serve(None, "--listen", f"unix:{folder}/precious").returncode != 0
    assert open(f"{folder}/precious").read() == "data"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sigterm_and_sigint_exit_with_0(loopback_only, number):
    connectd = Connectd(loopback_only, port=8092).wait_until_live()
    connectd.process.send_signal(number)
    try:
        assert connectd.process.wait(10) == 0, connectd.log
    finally:
        connectd.stop()


def test_closed_standard_descriptors_are_not_reused():
    """Log lines would go to the descriptor that got standard error's number."""
    with Connectd(prepare=lambda: [os.close(number) for number in range(3)]) as it:
        it.process.send_signal(signal.SIGHUP)
        assert {os.readlink(f"/proc/{it.pid}/fd/{number}") for number in range(3)} == {"/dev/null"}
        assert it.client.get("/livez").status == 200


@pytest.mark.deadline
def test_the_service_is_live_soon(loopback_only):
    started = time.monotonic()
    with Connectd(loopback_only, port=8092):
        assert time.monotonic() - started < 2


def test_flags_override_the_environment_which_overrides_the_file(loopback_only):
    environment = {
        "CONNECTD_LIMITS__QUEUE": "7",
        "CONNECTD_PORT": "tcp://10.0.0.1:80",
        "CONNECTD_SERVICE_HOST": "10.0.0.1",
        "CONNECTD_NONSENSE": "1",
    }
    with Connectd(loopback_only, port=8091, environment=environment) as connectd:
        assert connectd.client.get("/livez").status == 200
        assert "CONNECTD_NONSENSE" in connectd.log, "an unknown setting warns"
        assert "CONNECTD_SERVICE_HOST" not in connectd.log


def test_an_invalid_variable_is_reported(serve):
    ran = serve(None, environment={"CONNECTD_LIMITS__QUEUE": "many"})
    assert ran.returncode != 0
    assert "CONNECTD_LIMITS__QUEUE" in ran.stderr


def test_the_environment_sets_listen(loopback_only, folder):
    path = f"{folder}/env.sock"
    process = subprocess.Popen(
        loopback_only.command(str(connectd_process.binary()), "serve"),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**connectd_process.clean_environment(), "CONNECTD_LISTEN": f"unix:{path}"},
    )
    try:
        wait_until(lambda: unix_connector(path)().close() is None, 30, f"a listener on {path}")
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_the_default_is_loopback_8080(loopback_only):
    process = subprocess.Popen(
        loopback_only.command(str(connectd_process.binary()), "serve"),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=connectd_process.clean_environment(),
    )
    try:
        loopback_only.wait_for_listener("127.0.0.1", PORT, 5)
        with loopback_only.socket() as client:
            assert client.connect_ex(("127.0.0.2", PORT)) != 0, "it listens on more than 127.0.0.1"
    finally:
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("as_first", "arguments", "is_told"),
    [(True, [], True), (True, ["--listen", "127.0.0.1:8097"], False), (False, [], False)],
)
def test_a_container_with_an_unreachable_listener_logs_a_warning(loopback_only, as_first, arguments, is_told):
    """`docker run -p 8080:8080 connectd`: as process 1, without a configured address."""
    first = ["unshare", "--pid", "--fork", "--kill-child"] if as_first else []
    process = subprocess.Popen(
        loopback_only.command(*first, str(connectd_process.binary()), "serve", *arguments),
        stderr=subprocess.PIPE, text=True, env=connectd_process.clean_environment(),
    )  # fmt: skip
    try:
        assert "listening" in process.stderr.readline()
        time.sleep(0.3)  # A line that does not come cannot be waited for.
    finally:
        process.kill()
    assert ("published ports do not reach" in process.communicate()[1]) is is_told


def test_the_configuration_of_the_other_tests_is_valid(loopback_only):
    with Connectd(loopback_only, OPEN_CONFIGURATION, port=8091) as connectd:
        assert "warning" not in connectd.log.lower()
