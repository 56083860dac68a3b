"""Sockets of a real systemd: activation, a restart under load, modes and groups, the health listener."""

import socket
import threading

import pytest

from support.http_client import Client, check_request, tcp_connector
from support.systemd_machine import HEALTH, SERVICE, SOCKET
from support.waiting import wait_until

HEALTH_PORT = 8081


@pytest.fixture
def service(machine):
    machine.reset()
    return machine


def test_the_first_request_starts_the_service_and_is_answered(service):
    service.sh(f"systemctl stop {SERVICE}")
    assert service.show("ActiveState") == "inactive" and service.show("ActiveState", SOCKET) == "active"
    assert service.http.get("/v1/errors").status == 200
    assert service.show("ActiveState") == "active"
    service.sh(f"systemctl stop {SERVICE}")
    assert service.unix.get("/v1/errors").status == 200


class Load:
    """Clients that send one request after another, each on a new connection or all on one; records every response other than 200."""

    def __init__(self, connect, keep_alive: bool):
        self.answers, self.failures = 0, []
        self._connect, self._keep_alive = connect, keep_alive
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._loop, daemon=True) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _loop(self) -> None:
        connection = None
        while not self._end.is_set():
            try:
                connection = connection or self._connect()
                connection.settimeout(20)
                how = "keep-alive" if self._keep_alive else "close"
                connection.sendall(check_request("tcp://127.0.0.1:9", headers={"Connection": how}))
                connection = self._read(connection)
            except OSError as error:
                self.failures.append(repr(error))
                connection = None

    def _read(self, connection: socket.socket) -> socket.socket | None:
        """The connection, if it may be used again."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                self.failures.append(f"closed after {data!r}")
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += connection.recv(65536)
        if head.split()[1] == b"200":
            self.answers += 1
        else:
            self.failures.append(head.split(b"\r\n")[0].decode())
        if b"connection: close" in head.lower():
            connection.close()
            return None
        return connection


@pytest.mark.parametrize("keep_alive", [False, True])
def test_a_restart_under_load_loses_no_request(service, keep_alive):
    load = Load(service.http.connect, keep_alive)
    wait_until(lambda: load.answers > 50, 60, "the load is answered")
    for _ in range(3):
        pid, before = service.main_pid, load.answers
        service.sh(f"systemctl restart {SERVICE}")
        assert service.main_pid != pid
        wait_until(lambda: load.answers > before + 50, 60, "the load is answered")
    load.stop()
    assert load.failures == [] and load.answers > 150


def test_the_file_of_the_socket_has_the_mode_and_group_of_its_unit(service):
    look = "stat -c '%a %U %G' /run/connectd/http.sock"
    assert service.sh(look).strip() == "660 root root"
    service.edit(SOCKET, "Socket", "SocketGroup=users")
    service.sh(f"systemctl stop {SERVICE} {SOCKET}; systemctl start {SOCKET} {SERVICE}")
    assert service.sh(look).strip() == "660 root users"
    ask = "connectd check unix:/run/connectd/http.sock"
    assert service.status(f"setpriv --reuid=nobody --regid=nogroup --groups=users {ask}") == 0
    assert service.status(f"setpriv --reuid=nobody --regid=nogroup --clear-groups {ask}") == 1
    service.sh(f"systemctl restart {SERVICE}")
    assert service.sh(look).strip() == "660 root users", "the file is the socket unit's, and stays"


def test_the_health_listener_has_its_own_unit(service):
    service.sh(f"systemctl stop {SERVICE}; systemctl start {HEALTH} {SERVICE}")
    health = Client(tcp_connector(service.network.a, "127.0.0.1", HEALTH_PORT))
    assert health.get("/readyz").status == 200 and health.get("/livez").status == 200
    assert "process_start_time_seconds" in health.get("/metrics").body.decode()
    assert health.get("/v1/errors").status == 404
    assert service.http.get("/v1/errors").status == 200
    status = service.http.post("/v1/checks", {"target": f"tcp://127.0.0.1:{HEALTH_PORT}"}).status
    assert status == 403, "our own listener, too"
    assert f"127.0.0.1:{HEALTH_PORT}" in service.show("StatusText")


def test_a_configured_listener_of_the_same_address_is_not_bound_again(service):
    service.reset('listen: ["127.0.0.1:8080", "unix:/run/connectd/http.sock", "127.0.0.1:8090"]\n')
    assert service.http.get("/livez").status == 200
    assert Client(tcp_connector(service.network.a, "127.0.0.1", 8090)).get("/livez").status == 200
