"""A small HTTP client over raw sockets that changes neither requests nor responses."""

import json
import socket
from dataclasses import dataclass, field


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    version: str = "HTTP/1.1"
    header_list: list[tuple[str, str]] = field(default_factory=list)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def pointers(self) -> list[str]:
        return [item["pointer"] for item in self.json.get("errors", [])]


def read_answer(stream, method: str = "GET") -> Answer:
    """Reads one response from a buffered stream. Raises EOFError if the peer closed before the first byte."""
    status_line = stream.readline()
    if not status_line:
        raise EOFError("closed without an answer")
    version, status, *_ = status_line.decode("latin-1").rstrip("\r\n").split(" ", 2)
    header_list = []
    while (line := stream.readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        header_list.append((name.lower(), value.strip()))
    headers = dict(header_list)
    if method == "HEAD" or int(status) in (204, 304) or 100 <= int(status) < 200:
        body = b""
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int(stream.readline().split(b";")[0], 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
    elif "content-length" in headers:
        body = stream.read(int(headers["content-length"]))
    else:
        body = stream.read()
    return Answer(int(status), headers, body, version, header_list)


class Client:
    """Sends requests to a connectd through a connector that returns a new connected socket."""

    def __init__(self, connect, host: str = "localhost"):
        self.connect = connect
        self.host = host

    def raw(self, data: bytes, method: str = "GET", timeout: float = 15) -> Answer:
        with self.connect() as connection:
            connection.settimeout(timeout)
            connection.sendall(data)
            return read_answer(connection.makefile("rb"), method)

    def request(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict | None = None, timeout: float = 75
    ) -> Answer:
        if isinstance(body, str):
            body = body.encode()
        lines = {"Host": self.host, "Connection": "close"}
        if body is not None:
            lines["Content-Type"] = "application/json"
            lines["Content-Length"] = str(len(body))
        for name, value in (headers or {}).items():
            lines.pop(name, None)
            if value is not None:
                lines[name] = value
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items()) + "\r\n"
        return self.raw(head.encode("latin-1") + (body or b""), method, timeout)

    def get(self, path: str, headers: dict | None = None, **options) -> Answer:
        return self.request("GET", path, headers=headers, **options)

    def post(self, path: str, value, headers: dict | None = None, **options) -> Answer:
        body = value if isinstance(value, (bytes, str)) else json.dumps(value)
        return self.request("POST", path, body, headers, **options)

    def post_check(self, target, **members) -> Answer:
        return self.post("/v1/checks", {"target": target, **members})

    def check(self, target, **members) -> dict:
        """Runs a check, and returns its result. It must not be a problem."""
        answer = self.post_check(target, **members)
        assert answer.status == 200, f"{answer.status}: {answer.body.decode(errors='replace')}"
        return answer.json


def check_request(target: str, host: str = "localhost", headers: dict | None = None, **members) -> bytes:
    """POST /v1/checks as bytes, for a test that sends it in parts, pipelines it, or disconnects early."""
    body = json.dumps({"target": target, **members})
    lines = {"Host": host, **(headers or {}), "Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "POST /v1/checks HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    return (head + body).encode()


def unix_connector(path: str):
    def connect() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        return connection

    return connect


def tcp_connector(namespace, address: str, port: int):
    def connect() -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = namespace.socket(family) if namespace else socket.socket(family)
        connection.connect((address, port))
        return connection

    return connect
