"""Under load, reloads, broken configurations and a graceful shutdown lose no accepted request."""

import signal
import threading

import pytest
import yaml

from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.http_client import Client, check_request, read_answer, tcp_connector
from support.waiting import wait_until

PORT, HEALTH = 8231, 8232
REQUEST = check_request("tcp://127.0.0.1:9")
CONFIGURATION = {**OPEN_CONFIGURATION, "health_listen": [f"127.0.0.1:{HEALTH}"], "workers": 2}


class Load:
    """Clients that send one request after the other, each on a kept connection or on a new one each time."""

    def __init__(self, connect, clients: int, keep_alive: bool):
        self.connect, self.keep_alive = connect, keep_alive
        self.ending = threading.Event()
        self.statuses: list[int] = []
        self.lost: list[str] = []
        self.threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self) -> None:
        while not self.ending.is_set():
            try:
                connection = self.connect()
            except OSError:
                return  # Connection refused: nothing was accepted.
            with connection:
                self._converse(connection)

    def _converse(self, connection) -> None:
        connection.settimeout(20)
        stream = connection.makefile("rb")
        fresh = True
        while fresh or (self.keep_alive and not self.ending.is_set()):
            try:
                connection.sendall(REQUEST)
                answer = read_answer(stream)
            except (OSError, EOFError) as error:
                # Only the first request of a connection, or one before `Connection: close`, must get an answer.
                if self.must_answer(fresh):
                    self.lost.append(repr(error))
                return
            self.statuses.append(answer.status)
            if answer.headers.get("connection", "").lower() == "close":
                return
            fresh = False

    def must_answer(self, fresh: bool) -> bool:
        return True

    def end(self) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


class LoadToTheEnd(Load):
    """At shutdown, a connection between two requests is closed; an accepted request is answered."""

    def must_answer(self, fresh: bool) -> bool:
        return fresh and not self.ending.is_set()


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept connections", "new connections"])
def test_two_hundred_reloads_lose_no_request(loopback_only, keep_alive):
    with Connectd(loopback_only, CONFIGURATION, port=PORT) as it:
        load = Load(tcp_connector(loopback_only, "127.0.0.1", PORT), 8, keep_alive)
        health = Client(tcp_connector(loopback_only, "127.0.0.1", HEALTH))
        texts = [
            yaml.safe_dump({**CONFIGURATION, "hosts": [f"h{number}.example"]}) if number % 4 else "policy: [broken\n"
            for number in range(200)
        ]
        try:
            for text in texts:
                seen = it.log.count("reload")
                it.configuration_path.write_text(text)
                it.process.send_signal(signal.SIGHUP)
                wait_until(lambda: it.log.count("reload") > seen, 30, lambda: f"a reload in the log: {it.log[-2000:]}", 0.001)
                assert health.get("/livez").status == 200
        finally:
            load.end()
        assert it.log.count("configuration reloaded") == 150 and it.log.count("reload rejected") == 50
        assert load.lost == [] and set(load.statuses) == {200}
        assert len(load.statuses) > 200


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept connections", "new connections"])
def test_a_graceful_shutdown_loses_no_request(loopback_only, keep_alive):
    configuration = {**CONFIGURATION, "drain": {"delay_ms": 400, "limit_ms": 5000}}
    it = Connectd(loopback_only, configuration, port=PORT).wait_until_live()
    load = LoadToTheEnd(tcp_connector(loopback_only, "127.0.0.1", PORT), 8, keep_alive)
    health = Client(tcp_connector(loopback_only, "127.0.0.1", HEALTH))
    try:
        wait_until(lambda: load.statuses.count(200) > 100, 30, "the load is answered")
        it.process.send_signal(signal.SIGTERM)
        wait_until(lambda: health.get("/readyz").status == 503, 1, "/readyz says that the service drains", 0.002)
        assert health.get("/livez").status == 200, "it drains, and lives"
        before = load.statuses.count(200)
        wait_until(lambda: load.statuses.count(200) > before, 1, "work is taken as long as drain.delay_ms says", 0.002)
        # The service exits while clients still send requests; new connections may be refused from here on.
        load.ending.set()
        assert it.process.wait(10) == 0, it.log
    finally:
        load.end()
        it.stop()
    assert load.lost == []
    assert set(load.statuses) <= {200, 503} and load.statuses.count(200) > 100
