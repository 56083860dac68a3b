"""HTTP: statuses, headers, methods, keep-alive, pipelining, sizes."""

import json
import socket
import time

import pytest

from support.connectd_process import PORT, Connectd
from support.expectations import assert_problem
from support.http_client import read_answer

GOOD = '{"target":"127.0.0.1:9"}'
READABLE = [
    "/livez",
    "/readyz",
    "/v1/errors",
    "/v1/errors/ECONNREFUSED",
    "/openapi.yaml",
    "/openapi.json",
    "/v1/probe?target=127.0.0.1:9",
]


@pytest.fixture(scope="module")
def connectd(loopback_only):
    with Connectd(loopback_only) as running:
        yield running


@pytest.fixture(scope="module")
def http(connectd):
    return connectd.http


def head_of(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{PORT}", *lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize("path", READABLE)
def test_head_returns_get_without_the_body(http, path):
    got, head = http.get(path), http.request("HEAD", path)
    assert head.status == got.status
    assert head.body == b""
    assert head.headers["content-type"] == got.headers["content-type"]
    # One after the other: bodies with times may differ by some bytes.
    if "probe" not in path:
        assert head.headers.get("content-length") == got.headers["content-length"]


def test_a_head_response_has_no_body(connectd):
    with connectd.http.connect() as connection:
        connection.settimeout(5)
        connection.sendall(head_of("HEAD", "/v1/errors") + head_of("GET", "/livez", "Connection: close"))
        stream = connection.makefile("rb")
        assert read_answer(stream, "HEAD").status == 200
        assert read_answer(stream).status == 200
        assert stream.read() == b""


@pytest.mark.parametrize(
    "method,path",
    [("GET", path) for path in READABLE]
    + [
        ("GET", "/nothing"),
        ("PUT", "/livez"),
        ("POST", "/v1/checks"),
        ("GET", "/v1/probe?target=127.0.0.1"),
        ("HEAD", "/nothing"),
    ],
)
def test_every_response_has_its_headers(http, method, path):
    answer = http.request(method, path, GOOD if method == "POST" else None)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert not any(name.startswith("access-control-") for name in answer.headers)
    assert len([name for name, _ in answer.header_list if name in ("content-length", "content-type")]) == 2
    if method != "HEAD" and "json" in answer.headers["content-type"]:
        assert answer.body.endswith(b"\n")
        assert json.loads(answer.body) is not None


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v1/check",
        "/v1/checks/",
        "/v1/checks/x",
        "/V1/checks",
        "/v2/checks",
        "//v1/checks",
        "/v1//checks",
        "/v1/checks/../checks",
        "/livez/",
        "/%6civez",
        "/livez%00",
        "/v1/errors/",
        "/v1/errors/NOSUCH",
        "/v1/errors/econnrefused",
        "/.git/config",
        "/openapi.yaml/",
        "/v1/errors/%2e%2e",
        "/metrics.json",
    ],
)
def test_paths_that_do_not_exist_are_404(http, path):
    answer = http.get(path)
    if path in ("/v1/errors/econnrefused", "/%6civez", "/"):
        assert answer.status in (200, 404), "an equivalent spelling, or the console of a later version"
    else:
        assert_problem(answer, 404)


@pytest.mark.parametrize(
    "path,allowed",
    [
        ("/v1/checks", {"POST"}),
        ("/v1/routes", {"POST"}),
        ("/v1/probe?target=127.0.0.1:9", {"GET", "HEAD"}),
        ("/v1/errors", {"GET", "HEAD"}),
        ("/v1/errors/EPERM", {"GET", "HEAD"}),
        ("/livez", {"GET", "HEAD"}),
        ("/readyz", {"GET", "HEAD"}),
        ("/openapi.yaml", {"GET", "HEAD"}),
        ("/openapi.json", {"GET", "HEAD"}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_a_method_that_is_not_allowed_is_405(http, path, allowed, method):
    if method in allowed:
        return
    answer = http.request(method, path, GOOD if method in ("POST", "PUT", "PATCH") else None)
    assert answer.status == 405, answer.body
    assert {item.strip() for item in answer.headers["allow"].split(",")} - {"OPTIONS"} == allowed
    if method != "HEAD":
        assert_problem(answer, 405)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonx",
        "application/json-patch+json",
        "json",
        "text/json",
        "application/xml",
        "text/plain; application/json",
    ],
)
@pytest.mark.parametrize("path", ["/v1/checks", "/v1/routes"])
def test_another_content_type_is_415(http, path, content_type):
    answer = http.request("POST", path, GOOD, {"Content-Type": content_type})
    assert_problem(answer, 415)
    assert b"curl --json" in answer.body


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/json ; x=y",
    ],
)
def test_each_spelling_of_json_is_accepted(http, content_type):
    assert http.request("POST", "/v1/checks", GOOD, {"Content-Type": content_type}).status == 200


def padded(size: int) -> bytes:
    return GOOD.encode() + b" " * (size - len(GOOD))


def test_64_kib_are_accepted_and_one_byte_more_is_not(http):
    assert http.post("/v1/checks", padded(65536)).status == 200
    assert_problem(http.post("/v1/checks", padded(65537)), 413)


def test_a_chunked_body_over_the_limit_is_413(connectd):
    def chunked(body: bytes) -> bytes:
        parts = [body[start : start + 8000] for start in range(0, len(body), 8000)]
        return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"

    head = head_of(
        "POST", "/v1/checks", "Content-Type: application/json", "Transfer-Encoding: chunked", "Connection: close"
    )
    assert connectd.http.raw(head + chunked(GOOD.encode())).status == 200
    assert connectd.http.raw(head + chunked(padded(65536))).status == 200
    assert_problem(connectd.http.raw(head + chunked(padded(65537))), 413)


@pytest.mark.parametrize("size", [100_000, 1_000_000, 4_000_000])
def test_an_early_413_is_readable_while_the_body_is_sent(connectd, size):
    with connectd.http.connect() as connection:
        connection.settimeout(10)
        connection.sendall(head_of("POST", "/v1/checks", "Content-Type: application/json", f"Content-Length: {size}"))
        sent = 0
        while sent < size:
            sent += connection.send(b" " * min(65536, size - sent))
        assert_problem(read_answer(connection.makefile("rb")), 413)


@pytest.mark.parametrize(
    "path,content_type,status",
    [("/nothing", "application/json", 404), ("/livez", "application/json", 405), ("/v1/checks", "text/plain", 415)],
)
def test_other_early_responses_are_readable(connectd, path, content_type, status):
    with connectd.http.connect() as connection:
        connection.settimeout(10)
        connection.sendall(head_of("POST", path, f"Content-Type: {content_type}", "Content-Length: 1000000"))
        time.sleep(0.1)  # The early response is sent before the body arrives.
        for _ in range(10):
            connection.sendall(b"x" * 100_000)
            time.sleep(0.01)  # Each part is a packet of its own.
        assert_problem(read_answer(connection.makefile("rb")), status)


def test_expect_100_continue_is_answered(connectd):
    with connectd.http.connect() as connection:
        connection.settimeout(5)
        connection.sendall(
            head_of(
                "POST",
                "/v1/checks",
                "Content-Type: application/json",
                f"Content-Length: {len(GOOD)}",
                "Expect: 100-continue",
            )
        )
        stream = connection.makefile("rb")
        first = read_answer(stream)
        assert first.status == 100
        connection.sendall(GOOD.encode())
        assert read_answer(stream).status == 200


def test_expect_100_continue_with_a_large_body_is_413(connectd):
    head = head_of(
        "POST", "/v1/checks", "Content-Type: application/json", "Content-Length: 100000000", "Expect: 100-continue"
    )
    assert_problem(connectd.http.raw(head), 413)


def test_connections_are_kept_alive(connectd):
    with connectd.http.connect() as connection:
        connection.settimeout(5)
        stream = connection.makefile("rb")
        for _ in range(20):
            connection.sendall(
                head_of("POST", "/v1/checks", "Content-Type: application/json", f"Content-Length: {len(GOOD)}")
                + GOOD.encode()
            )
            answer = read_answer(stream)
            assert answer.status == 200
            assert answer.headers.get("connection", "keep-alive").lower() == "keep-alive"
            connection.sendall(head_of("GET", "/livez"))
            assert read_answer(stream).status == 200


def test_an_invalid_body_does_not_close_the_connection(connectd):
    with connectd.http.connect() as connection:
        connection.settimeout(5)
        stream = connection.makefile("rb")
        for body, status in (("{}", 400), (GOOD, 200), ("nonsense", 400), (GOOD, 200)):
            connection.sendall(
                head_of("POST", "/v1/checks", "Content-Type: application/json", f"Content-Length: {len(body)}")
                + body.encode()
            )
            assert read_answer(stream).status == status


def test_a_pipeline_is_answered_in_order(connectd):
    checks = [json.dumps({"target": "127.0.0.1:9", "id": str(number)}) for number in range(20)]
    data = b"".join(
        head_of("POST", "/v1/checks", "Content-Type: application/json", f"Content-Length: {len(body)}") + body.encode()
        for body in checks
    )
    with connectd.http.connect() as connection:
        connection.settimeout(10)
        connection.sendall(data)
        stream = connection.makefile("rb")
        assert [read_answer(stream).json["id"] for _ in checks] == [str(number) for number in range(20)]


def test_short_and_long_responses_alternate_on_a_connection(connectd):
    """connectd sets after each response how libmicrohttpd treats the connection, because the next response may be longer."""
    check = head_of("POST", "/v1/checks", "Content-Type: application/json", f"Content-Length: {len(GOOD)}")
    check += GOOD.encode()
    page, missing = head_of("GET", "/docs"), head_of("GET", "/none")
    with connectd.http.connect() as connection:
        connection.settimeout(10)
        stream = connection.makefile("rb")
        for _ in range(3):
            for request, status, times in (
                (check, 200, 1),
                (page, 200, 1),
                (missing, 404, 1),
                (check, 200, 3),
                (page, 200, 2),
            ):
                connection.sendall(request * times)
                assert [read_answer(stream).status for _ in range(times)] == [status] * times


def test_connection_close_closes_the_connection(connectd):
    with connectd.http.connect() as connection:
        connection.settimeout(5)
        connection.sendall(head_of("GET", "/livez", "Connection: close"))
        stream = connection.makefile("rb")
        assert read_answer(stream).headers["connection"].lower() == "close"
        assert stream.read() == b""


def test_http_1_0_is_answered_and_closed(connectd):
    with connectd.http.connect() as connection:
        connection.settimeout(5)
        connection.sendall(f"GET /livez HTTP/1.0\r\nHost: 127.0.0.1:{PORT}\r\n\r\n".encode())
        stream = connection.makefile("rb")
        assert read_answer(stream).status == 200
        assert stream.read() == b""


def test_a_long_uri_and_long_headers_are_client_errors(connectd):
    for head in (
        head_of("GET", "/v1/probe?target=" + "a" * 100_000),
        head_of("GET", "/livez", "X-Long: " + "a" * 100_000),
        head_of("GET", "/livez", *[f"X-{number}: y" for number in range(5000)]),
    ):
        with connectd.http.connect() as connection:
            connection.settimeout(10)
            try:
                connection.sendall(head)
                status = read_answer(connection.makefile("rb")).status
            except (ConnectionResetError, BrokenPipeError, EOFError):
                continue
            assert status in (400, 414, 431)
    assert connectd.http.get("/livez").status == 200


def test_bytes_that_are_not_http_are_refused(connectd):
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
        b"\r\n" * 50,
        b"SSH-2.0-x\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /livez\r\n\r\n",
        b"\xff" * 1000,
    ):
        with connectd.http.connect() as connection:
            connection.settimeout(2)
            connection.sendall(data)
            try:
                answered = connection.recv(100)
            except (TimeoutError, ConnectionResetError):
                answered = b""
        assert not answered.startswith(b"HTTP/1.1 200"), data
    assert connectd.http.get("/livez").status == 200


@pytest.mark.deadline
def test_a_silent_connection_blocks_no_other(connectd):
    silent = [connectd.http.connect() for _ in range(200)]
    started = time.monotonic()
    assert connectd.http.get("/livez").status == 200
    assert time.monotonic() - started < 1
    for connection in silent:
        connection.close()


@pytest.mark.deadline
def test_a_client_that_never_reads_blocks_no_other(connectd):
    with connectd.http.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.setblocking(False)
        try:
            for _ in range(2000):
                connection.send(head_of("GET", "/openapi.json"))
        except BlockingIOError:
            pass
        started = time.monotonic()
        assert connectd.http.get("/livez").status == 200
        assert time.monotonic() - started < 1
