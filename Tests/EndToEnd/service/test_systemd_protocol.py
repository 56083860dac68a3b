"""systemd's protocols: inherited sockets, notifications and the watchdog."""

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

import pytest

from support.connectd_process import OPEN_CONFIGURATION, Connectd, binary, clean_environment
from support.http_client import Client, check_request, read_answer, tcp_connector, unix_connector
from support.https_peers import certify, https
from support.waiting import wait_until

PORT = 8221
LAUNCH = "import os,sys\nos.environ['LISTEN_PID']=str(os.getpid())\nos.execv(sys.argv[1],sys.argv[1:])"


@contextlib.contextmanager
def activated(sockets, names, *arguments, environment=None, namespace=None, ends=False):
    """`serve` with these sockets as descriptors 3 and up, as systemd starts it."""

    def arrange() -> None:
        high = [os.dup2(item.fileno(), 100 + place, inheritable=False) for place, item in enumerate(sockets)]
        for place, number in enumerate(high):
            os.dup2(number, 3 + place, inheritable=True)

    variables = {**clean_environment(), "LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": names, **(environment or {})}
    process = subprocess.Popen(
        ["/usr/bin/python3", "-c", LAUNCH, str(binary()), "serve", *arguments],
        env=variables, preexec_fn=arrange, close_fds=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    try:
        yield process
    finally:
        if not ends:
            process.terminate()
        assert (process.wait(15) == 0) is not ends
        process.stdout.close()


def listening(address=("127.0.0.1", 0), family=socket.AF_INET) -> socket.socket:
    made = socket.socket(family)
    made.bind(address)
    made.listen(16)
    return made


def client_of(made: socket.socket) -> Client:
    return Client(tcp_connector(None, *made.getsockname()[:2]))


def listening_ports(pid: int) -> set[int]:
    """Of this process alone: another service may have port 8080, such as that of `make run`."""
    own = {os.readlink(entry) for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
    rows = [line.split() for line in pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}


def test_inherited_sockets_serve_by_their_names(folder):
    path = f"{folder}/handed.sock"
    sockets = [listening(), listening(path, socket.AF_UNIX), listening(("0.0.0.0", 0))]
    with activated(sockets, "http:connectd.socket:health") as process:
        # The backlog keeps connections that arrive before the start, so nothing is lost and no unit has to wait.
        assert client_of(sockets[0]).get("/v1/errors").status == 200
        assert Client(unix_connector(path)).get("/v1/errors").status == 200
        health = client_of(sockets[2])
        assert health.get("/livez").status == 200 and health.get("/v1/errors").status == 404
        own = sockets[2].getsockname()[1]
        assert own in listening_ports(process.pid)
        answer = client_of(sockets[0]).post_check(f"tcp://127.0.0.1:{own}")
        assert answer.status == 403, "a port that was handed over is our own, too"
        assert 8080 not in listening_ports(process.pid), "the default listener is open as well as the inherited ones"
    assert os.path.exists(path), "the file is systemd's"
    for item in sockets:
        item.close()


def test_inherited_sockets_are_added_to_listen_and_not_bound_twice(folder):
    made = listening()
    port = made.getsockname()[1]
    other = f"{folder}/other.sock"
    with activated([made], "http", "--listen", f"127.0.0.1:{port}", "--listen", f"unix:{other}"):
        assert client_of(made).get("/livez").status == 200
        assert Client(unix_connector(other)).get("/livez").status == 200
    made.close()


def test_after_shutdown_clients_of_a_socket_wait_for_the_next_process():
    """The service manager keeps the socket open: waiting clients are answered by the next process, instead of a 503."""
    made = listening()
    ask = b"GET /v1/errors HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with activated([made], "http", environment={"CONNECTD_DRAIN__DELAY_MS": "500"}) as process:
        with client_of(made).connect() as open_before:
            open_before.settimeout(10)
            stream = open_before.makefile("rb")
            open_before.sendall(ask)
            assert read_answer(stream).status == 200
            process.terminate()
            wait_until(lambda: client_of(made).get("/readyz").status != 200, 30, "/readyz says that the service drains")
            open_before.sendall(ask)
            answer = read_answer(stream)
            assert answer.status == 200, "within drain.delay_ms"
            assert answer.headers["connection"] == "close", "so that the next request goes to the next process"
        process.wait(15)
    waiting = client_of(made).connect()
    waiting.sendall(ask)
    with activated([made], "http"), waiting:
        waiting.settimeout(10)
        assert read_answer(waiting.makefile("rb")).status == 200
    made.close()


def test_a_drain_leaves_waiting_clients_to_the_next_process():
    """Each client gets an answer, from the end of one process over the start of the next."""
    made = listening()
    statuses, end = [], threading.Event()

    def ask() -> None:
        while not end.is_set():
            try:
                statuses.append(client_of(made).get("/v1/errors", timeout=20).status)
            except (OSError, EOFError) as error:
                statuses.append(repr(error))

    clients = [threading.Thread(target=ask) for _ in range(3)]
    for _ in range(2):
        with activated([made], "http"):
            assert client_of(made).get("/livez").status == 200
            if not clients[0].is_alive():
                for client in clients:
                    client.start()
            before = len(statuses)
            wait_until(lambda: len(statuses) > before + 20, 30, "the clients are answered")
    with activated([made], "http"):
        end.set()
        for client in clients:
            client.join()
    assert set(statuses) == {200}
    made.close()


def test_an_inherited_health_listener_answers_until_the_exit():
    made, health, silent = listening(), listening(), listening()
    with activated([made, health], "http:health", environment={"CONNECTD_DRAIN__LIMIT_MS": "3000"}) as process:
        assert client_of(health).get("/readyz").status == 200
        with client_of(made).connect() as held:
            port = silent.getsockname()[1]
            held.sendall(check_request(f"tcp://127.0.0.1:{port}", timeout_ms=1500, dialog=[{"expect": "x"}]))
            silent.accept()[0].detach()
            process.terminate()
            wait_until(lambda: client_of(health).get("/readyz").status == 503, 1, "/readyz says that the service drains")
            assert client_of(health).get("/livez").status == 200
    for item in (made, health, silent):
        item.close()


def test_an_open_socket_needs_authentication_and_a_policy():
    made = listening(("0.0.0.0", 0))
    with activated([made], "http", ends=True) as process:
        said = process.stdout.read()
    assert "--allow-anonymous" in said and "policy" in said
    made.close()


@pytest.mark.parametrize("kind", ["datagram", "connection", "file", "abstract"])
def test_sockets_that_are_not_listeners_are_refused(kind):
    one, other = socket.socketpair()
    made = {
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "connection": lambda: one,
        "file": lambda: open("/dev/null"),
        "abstract": lambda: listening("\0connectd-test", socket.AF_UNIX),
    }[kind]()
    with activated([made], "odd", ends=True) as process:
        said = process.stdout.read()
    assert "LISTEN_FDS" in said and "odd" in said
    for item in (one, other, made):
        item.close()


def test_two_sockets_for_one_address_are_refused():
    """With SO_REUSEPORT, the kernel would distribute clients over both."""
    made = [socket.socket() for _ in range(2)]
    for item in made:
        item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        item.bind(made[0].getsockname() if item is not made[0] else ("127.0.0.1", 0))
        item.listen()
    with activated(made, "one:other", ends=True) as process:
        said = process.stdout.read()
    assert "(other)" in said and "is a duplicate" in said
    for item in made:
        item.close()


def test_a_restart_with_socket_activation_loses_no_request(folder):
    """Under load, with checks in flight that delay the exit. Clients that connect in the meantime wait for the next process."""
    path = f"{folder}/http.sock"
    made = [listening(), listening(path, socket.AF_UNIX)]
    silent = listening()
    slow = {"timeout_ms": 700, "dialog": [{"expect": "x"}]}
    ending, statuses, lost = threading.Event(), [], []

    def visit(client: Client) -> None:
        while not ending.is_set():
            try:
                statuses.append(client.post_check("tcp://127.0.0.1:9").status)
            except (OSError, EOFError) as error:
                lost.append(repr(error))

    def hang() -> None:
        target = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        answer = client_of(made[0]).post_check(target, **slow)
        statuses.append(answer.status)
        lost.extend([] if answer.json["outcome"] == "timeout" else [answer.json])

    clients = [client_of(made[0]), Client(unix_connector(path))] * 4
    threads = [threading.Thread(target=visit, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for _ in range(4):
        with activated(made, "http:socket"):
            before = len(statuses)
            wait_until(lambda: len(statuses) >= before + 50, 30, "the clients are answered")
            threads.append(threading.Thread(target=hang))
            threads[-1].start()
            silent.accept()[0].detach()
    with activated(made, "http:socket"):
        ending.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
    assert lost == [] and set(statuses) == {200}
    for item in (*made, silent):
        item.close()


def test_sockets_of_another_process_are_ignored(folder):
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1"}
    with Connectd(environment=environment) as it:
        assert it.client.get("/livez").status == 200


class Manager:
    """A NOTIFY_SOCKET."""

    def __init__(self, name: str):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name)

    def next(self, timeout: float = 10) -> dict[str, str]:
        self.socket.settimeout(timeout)
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def until(self, key: str) -> dict[str, str]:
        limit = time.monotonic() + 10
        while key not in (state := self.next()):
            assert time.monotonic() < limit
        return state


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_it_notifies_systemd_when_it_is_ready_reloads_and_stops(folder, kind):
    name = f"{folder}/notify" if kind == "path" else "@connectd-test-notify"
    manager = Manager(name.replace("@", "\0"))
    it = Connectd(environment={"NOTIFY_SOCKET": name})
    try:
        state = manager.next()
        assert state["READY"] == "1" and it.socket_path in state["STATUS"]
        for text in ("{}\n", "nonsense: 1\n"):
            it.configuration_path.write_text(text)
            is_refused = "nonsense" in text
            before = time.monotonic_ns() // 1000
            it.process.send_signal(signal.SIGHUP)
            state = manager.next()
            assert state["RELOADING"] == "1"
            assert before <= int(state["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
            state = manager.next()
            assert state["READY"] == "1", "also after a rejected reload: the service continues"
            assert ("the last reload was rejected" in state["STATUS"]) is is_refused
        it.process.send_signal(signal.SIGTERM)
        assert manager.next()["STOPPING"] == "1"
        assert it.process.wait(10) == 0
    finally:
        it.stop()
    manager.socket.close()


def test_a_missing_service_manager_is_ignored(folder):
    with Connectd(environment={"NOTIFY_SOCKET": f"{folder}/missing", "WATCHDOG_USEC": "50000"}) as it:
        time.sleep(0.2)  # Several intervals of the watchdog.
        assert it.client.get("/livez").status == 200


PTRACE_ATTACH, PTRACE_DETACH, WALL = 16, 17, 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def niceness(thread: pathlib.Path) -> int:
    return int((thread / "stat").read_text().rsplit(")", 1)[1].split()[16])


def thread_of(pid: int, kind: str) -> int:
    """The last worker, or the thread of handshakes, which gives way to the others. Threads of the runtime have names of
    their own, and the main one waits for signals."""
    named = [it for it in pathlib.Path(f"/proc/{pid}/task").iterdir() if (it / "comm").read_text() == "connectd\n"]
    return max(int(thread.name) for thread in named if (niceness(thread) > 0) is (kind == "handshakes"))


@contextlib.contextmanager
def hanging(thread: int):
    """Stops one thread; the others continue."""
    if _libc.ptrace(PTRACE_ATTACH, thread, None, None) != 0:
        pytest.fail(os.strerror(ctypes.get_errno()))
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        _libc.ptrace(PTRACE_DETACH, thread, None, None)


@pytest.mark.deadline
@pytest.mark.parametrize("kind", ["worker", "handshakes"])
def test_watchdog_notifications_stop_when_a_worker_hangs(folder, kind):
    manager = Manager(f"{folder}/notify")
    certify(folder, "server")
    environment = {"NOTIFY_SOCKET": f"{folder}/notify", "WATCHDOG_USEC": "400000", "CONNECTD_WORKERS": "2"}
    with Connectd(configuration={**OPEN_CONFIGURATION, "https": https(folder)}, environment=environment) as it:
        manager.until("WATCHDOG")
        began = time.monotonic()
        for _ in range(5):
            manager.until("WATCHDOG")
        assert 0.7 < time.monotonic() - began < 2.5, "about twice in WATCHDOG_USEC"
        with hanging(thread_of(it.pid, kind)):
            with contextlib.suppress(TimeoutError):
                manager.next(0.35)
            with pytest.raises(TimeoutError):
                manager.next(1.2)
        assert manager.until("WATCHDOG")
    manager.socket.close()


def test_a_watchdog_of_another_process_is_ignored(folder):
    manager = Manager(f"{folder}/notify")
    environment = {"NOTIFY_SOCKET": f"{folder}/notify", "WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}
    with Connectd(environment=environment):
        assert "READY" in manager.next()
        with pytest.raises(TimeoutError):
            manager.next(0.5)
    manager.socket.close()


def in_the_journal(path, *arguments: str, environment: dict, claims: bool = True) -> list[str]:
    """The lines of a service whose standard error is this file, which JOURNAL_STREAM names, from start to exit."""
    with path.open("wb") as log:
        status = os.fstat(log.fileno())
        stream = f"{status.st_dev}:{status.st_ino if claims else status.st_ino + 1}"
        process = subprocess.Popen(
            [str(binary()), "serve", *arguments], stderr=log, stdout=subprocess.DEVNULL,
            env={**clean_environment(), **environment, "JOURNAL_STREAM": stream},
        )  # fmt: skip
        wait_until(
            lambda: process.poll() is not None or b"listening" in path.read_bytes(), 10,
            lambda: f'"listening" in the log: {path.read_text()}',
        )  # fmt: skip
        process.terminate()
        process.wait(15)
    return path.read_text().splitlines()


@pytest.mark.parametrize("format,begin", [("json", "{"), ("text", "2")])
def test_lines_for_the_journal_begin_with_their_priority(tmp_path, folder, format, begin):
    arguments = ("--listen", f"unix:{folder}/http.sock")
    environment = {"CONNECTD_LOG__FORMAT": format, "CONNECTD_UNKNOWN": "1"}
    lines = in_the_journal(tmp_path / "log", *arguments, environment=environment)
    priorities = {"warning": "<4>", "notice": "<5>"}
    for level, priority in priorities.items():
        assert any(line.startswith(priority + begin) and level in line for line in lines), lines
    assert all(line[:3] in priorities.values() for line in lines)
    elsewhere = in_the_journal(tmp_path / "other", *arguments, environment=environment, claims=False)
    assert all(line.startswith(begin) for line in elsewhere), "the variable is of a parent that writes elsewhere"


def test_each_line_of_a_start_that_fails_is_an_error_in_the_journal(tmp_path):
    (tmp_path / "connectd.yaml").write_text("nonsense: 1\nlimits: {queue: x}\n")
    lines = in_the_journal(tmp_path / "log", "--config", str(tmp_path / "connectd.yaml"), environment={})
    assert len(lines) >= 2 and all(line.startswith("<3>") for line in lines), lines
