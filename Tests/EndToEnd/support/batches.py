"""Requests and responses of POST /v1/checks/batch."""

import json
import socket

NDJSON = {"Accept": "application/x-ndjson"}


def batch_request(value, host: str = "localhost", headers: dict | None = None, version: str = "1.1") -> bytes:
    """The request as bytes. `value` is the body: a value for JSON, or bytes."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    lines = {"Host": host, "Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    head = f"POST /v1/checks/batch HTTP/{version}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items()) + "\r\n"
    return head.encode() + body


def post(client, value, lines: bool = False, headers: dict | None = None, **options):
    """Sends a batch and reads the whole answer."""
    return client.post("/v1/checks/batch", value, {**(NDJSON if lines else {}), **(headers or {})}, **options)


def results(client, value, **options) -> list[dict]:
    """The results of a batch that must be accepted, in the order of the request."""
    answer = post(client, value, **options)
    assert answer.status == 200, f"{answer.status}: {answer.body[:2000]!r}"
    return answer.json["results"]


def parse_lines(body: bytes) -> tuple[list[dict], dict]:
    """The results and the summary of an answer in lines; each line must be complete."""
    assert body.endswith(b"\n")
    *lines, summary = [json.loads(line) for line in body.splitlines()]
    assert set(summary) == {"summary"}
    return lines, summary["summary"]


class LineStream:
    """An answer in lines that is read while it arrives. It has no file, which would keep a closed connection open."""

    def __init__(self, connection: socket.socket, value, host: str = "localhost", timeout: float = 30):
        self.connection = connection
        connection.settimeout(timeout)
        connection.sendall(batch_request(value, host, NDJSON))
        self.received = b""
        self.rest = b""
        self.is_complete = False
        status = self._line()
        assert status.startswith(b"HTTP/1.1 200 "), status
        self.headers = {}
        while line := self._line():
            name, _, text = line.decode().partition(":")
            self.headers[name.lower()] = text.strip()
        assert self.headers["transfer-encoding"] == "chunked"

    def _receive(self) -> None:
        received = self.connection.recv(65536)
        assert received, "the connection ended within the answer"
        self.received += received

    def _line(self) -> bytes:
        while b"\r\n" not in self.received:
            self._receive()
        line, _, self.received = self.received.partition(b"\r\n")
        return line

    def _bytes(self, count: int) -> bytes:
        while len(self.received) < count:
            self._receive()
        found, self.received = self.received[:count], self.received[count:]
        return found

    def next(self) -> dict | None:
        """The next line; None at the end of the answer."""
        while b"\n" not in self.rest:
            size = int(self._line(), 16)
            if size == 0:
                self._line()
                self.is_complete = True
                assert not self.rest
                return None
            self.rest += self._bytes(size)
            self._line()
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line)

    def all(self) -> list[dict]:
        return list(iter(self.next, None))

    @property
    def is_closed(self) -> bool:
        """Whether the service has closed the connection after the answer."""
        return not self.received and self.connection.recv(1) == b""


def assert_each_once(lines: list[dict], count: int) -> None:
    """Each check must have exactly one result."""
    assert sorted(line["index"] for line in lines) == list(range(count))
