"""Requests that connectd must refuse, with the status that each of them gets, over TCP."""

import json

HOST = "127.0.0.1:8080"
CHECK = json.dumps({"target": "tcp://127.0.0.1:7001"}).encode()


def post(body: bytes, path: str = "/v1/checks", method: str = "POST", host: str | None = HOST, **headers: str) -> bytes:
    """A request as bytes. An underscore in the name of a header is a hyphen."""
    lines = [f"{method} {path} HTTP/1.1"]
    if host is not None:
        lines.append(f"Host: {host}")
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _head(*lines: str) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


MALFORMED: dict[str, tuple[bytes, int]] = {
    "cut JSON": (post(b'{"target":'), 400),
    "no JSON": (post(b"tcp://127.0.0.1:80"), 400),
    "empty body": (post(b""), 400),
    "text after JSON": (post(CHECK + b"x"), 400),
    "a list": (post(b"[]"), 400),
    "duplicate key": (post(b'{"target":"tcp://127.0.0.1:1","target":"tcp://127.0.0.1:2"}'), 400),
    "unknown member": (post(b'{"target":"tcp://127.0.0.1:1","tarpit":1}'), 400),
    "wrong type": (post(b'{"target":7}'), 400),
    "no target": (post(b"{}"), 400),
    "deep JSON": (post(b"[" * 5000), 400),
    "not UTF-8": (post(b'{"target":"\xff"}'), 400),
    "timeout of 0": (post(b'{"target":"tcp://127.0.0.1:1","timeout_ms":0}'), 400),
    "empty batch item": (post(b'{"checks":7}', "/v1/checks/batch"), 400),
    "text/plain": (post(CHECK, Content_Type="text/plain"), 415),
    "too large": (post(b" " * 70000), 413),
    "no such path": (post(CHECK, "/v1/nothing"), 404),
    "wrong method": (post(CHECK, method="DELETE"), 405),
    "foreign host": (post(CHECK, host="evil.example"), 421),
    "foreign page": (post(CHECK, Sec_Fetch_Site="cross-site"), 403),
    "foreign origin": (post(CHECK, Origin="http://evil.example"), 403),
    "no host": (post(CHECK, host=None), 400),
    "two hosts": (_head("GET /livez HTTP/1.1", f"Host: {HOST}", "Host: b"), 400),
    "two lengths": (_head("POST /v1/checks HTTP/1.1", f"Host: {HOST}", "Content-Length: 2", "Content-Length: 3") + b"{}", 400),
    "length and chunks": (post(CHECK, Transfer_Encoding="chunked"), 400),
    "space before colon": (_head("GET /livez HTTP/1.1", f"Host: {HOST}", "X : y"), 400),
    "bad chunk": (_head("POST /v1/checks HTTP/1.1", f"Host: {HOST}", "Content-Type: application/json",
                        "Transfer-Encoding: chunked") + b"zz\r\n", 400),
    "TLS": (b"\x16\x03\x01\x00\x05hello\r\n\r\n", 400),
}  # fmt: skip
