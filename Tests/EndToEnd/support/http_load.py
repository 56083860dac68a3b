"""Clients that send checks through a proxy until they are told to stop, and note each answer."""

import contextlib
import http.client
import json
import threading


class HTTPLoad:
    """The results of all clients: how many checks were answered, and each failure as a text."""

    def __init__(self):
        self.answered = 0
        self.failures: list[str] = []
        self.ends = threading.Event()
        self._lock = threading.Lock()

    def note(self, failure: str | None) -> None:
        with self._lock:
            self.answered += failure is None
            if failure is not None:
                self.failures.append(failure)


def _client(load: HTTPLoad, connect, host: str, token: str, check: dict, outcome: str) -> None:
    body = json.dumps(check)
    headers = {"Host": host, "Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    connection = http.client.HTTPConnection(host)
    while not load.ends.is_set():
        try:
            if connection.sock is None:
                connection.sock = connect()
                connection.sock.settimeout(20)
            connection.request("POST", "/v1/checks", body, headers)
            response = connection.getresponse()
            text = response.read()
            if response.status != 200 or json.loads(text)["outcome"] != outcome:
                load.note(f"{response.status}: {text[:300]!r}")
            else:
                load.note(None)
        except (OSError, http.client.HTTPException, ValueError) as error:
            load.note(repr(error))
            connection.close()
    connection.close()


@contextlib.contextmanager
def http_load(connect, host: str, checks: list[tuple[dict, str]], clients: int, token: str):
    """Runs clients until the block ends. Each sends one of the checks, which must have its outcome, over and over."""
    load = HTTPLoad()
    threads = [
        threading.Thread(target=_client, args=(load, connect, host, token, *checks[number % len(checks)]), daemon=True)
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.ends.set()
        for thread in threads:
            thread.join(30)
