"""The floods: each is one or more swarms, at twice the size in which an attack found it."""

import base64
import contextlib
import dataclasses
import json
import ssl
from collections.abc import Callable

from attack.service import BLACK_HOLE, CHATTY_PORT, OPEN_PORT, PORT, SILENT_PORT
from attack.swarm import Plan


@dataclasses.dataclass(frozen=True)
class Flood:
    name: str
    # What clients do, for the table.
    text: str
    plans: Callable[[float], list[Plan]]
    https: bool = False
    # Members of the configuration.
    settings: dict = dataclasses.field(default_factory=dict)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def request(method: str, path: str, body: bytes = b"", length: int | None = None, *fields: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{PORT}", *fields]
    if body or length:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body) if length is None else length}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def check(target: str, **members) -> bytes:
    return request("POST", "/v1/checks", json.dumps({"target": target, "timeout_ms": 60_000, **members}).encode())


def client_hello() -> bytes:
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(received, sent, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


def one(count: int, first: bytes, **options) -> Callable[[float], list[Plan]]:
    return lambda size: [Plan(PORT, max(int(count * size), 1), encoded(first), **options)]


LONG_HEAD = f"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nX-A: ".encode() + b"a" * 15_000
BODY_BYTES = 65_536
MANY_VALUES = json.dumps(
    {"target": f"tcp://{BLACK_HOLE}:9", "timeout_ms": 60_000, "labels": {f"k{n}": "v" for n in range(4_500)}}
).encode()
BATCH = json.dumps({"defaults": {"target": f"tcp://127.0.0.1:{OPEN_PORT + 100}"}, "checks": [{}] * 10_000}).encode()
HANGING_BATCH = json.dumps(
    {"defaults": {"target": f"tcp://{BLACK_HOLE}:9", "timeout_ms": 1000}, "retry_timeouts": 3, "concurrency": 4096,
     "checks": [{}] * 10_000}).encode()
TLS_RECORD = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + bytes(16_000)
ENDLESS = [{"expect": "never comes"}]

FLOODS = [
    Flood("tls-records", "2,000 HTTPS connections, each with 16 KB of an unfinished record",
          one(2000, TLS_RECORD), https=True),
    Flood("half-handshakes", "2,000 handshakes that stop after the ClientHello", one(2000, client_hello()), https=True),
    Flood("tls-sessions", "2,000 handshakes, then silence", one(2000, b"GET /livez HTTP/1.1\r\n", tls=True), https=True),
    Flood("slow-heads", "2,000 heads, a byte a second",
          one(2000, b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", drip=encoded(b"a"))),
    Flood("long-heads", "2,000 unfinished heads of 15 KB", one(2000, LONG_HEAD)),
    Flood("bodies", "3,000 unfinished bodies of 64 KiB",
          one(3000, request("POST", "/v1/checks", b" " * (BODY_BYTES - 1), BODY_BYTES))),
    Flood("many-values", "3,000 checks of a black hole, each with 4,500 labels",
          one(3000, request("POST", "/v1/checks", MANY_VALUES), reads=True)),
    Flood("batch-bodies", "48 unfinished batches of 16 MiB",
          one(48, request("POST", "/v1/checks/batch", b" " * (1 << 20), 16 << 20), drip=encoded(b" "))),
    Flood("unread-batches", "48 batches of 10,000 checks whose results are not read",
          one(48, request("POST", "/v1/checks/batch", BATCH), receive_buffer=4096)),
    Flood("repeated-timeouts", "16 batches of 10,000 timeouts that are to be repeated",
          one(16, request("POST", "/v1/checks/batch", HANGING_BATCH), reads=True)),
    Flood("slow-readers", "2,000 readers of /openapi.json that do not read",
          one(2000, request("GET", "/openapi.json") * 4, receive_buffer=4096)),
    Flood("slow-metrics", "2,000 readers of /metrics that do not read",
          one(2000, request("GET", "/metrics") * 16, receive_buffer=4096)),
    Flood("hanging-checks", "8,192 checks of a black hole", one(8192, check(f"tcp://{BLACK_HOLE}:9"), reads=True)),
    Flood("many-addresses", "120 checks of a name with 128 silent addresses",
          one(120, check("tcp://many.test:9", resolve={"addresses": "all"}), reads=True)),
    Flood("more-addresses", "2,000 checks of a name with 128 silent addresses, for two seconds each",
          one(2000, check("tcp://many.test:9", resolve={"addresses": "all"}, timeout_ms=2000), reads=True, repeats=True)),
    Flood("tls-addresses", "500 TLS checks of a name with 128 addresses that do not answer",
          one(500, check(f"tls://silent.test:{SILENT_PORT}", resolve={"addresses": "all"}, timeout_ms=20_000), reads=True)),
    Flood("tls-checks", "4,096 checks of a TLS server that does not answer",
          one(4096, check(f"tls://127.0.0.1:{SILENT_PORT}"), reads=True)),
    Flood("dialogs", "4,096 dialogs with a peer that sends 64 KiB",
          one(4096, check(f"tcp://127.0.0.1:{CHATTY_PORT}", dialog=ENDLESS), reads=True)),
    Flood("diagnoses", "1,000 diagnoses of a black hole",
          one(1000, request("POST", "/v1/diagnoses", json.dumps({"target": f"tcp://{BLACK_HOLE}:9"}).encode()),
              reads=True, repeats=True)),
    Flood("traces", "1,000 traces to a black hole",
          one(1000, check(f"tcp://{BLACK_HOLE}:9", trace="always", timeout_ms=1000), reads=True, repeats=True)),
]
