"""Requests that two parsers may read differently: a client error, a closed connection, and no answer to later bytes."""

import pytest

from support.connectd_process import PORT, Connectd
from support.http_client import read_answer

BODY = b'{"target":"127.0.0.1:9"}'
HOST = f"Host: 127.0.0.1:{PORT}".encode()
JSON = b"Content-Type: application/json"
HIDDEN = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n\r\n"


@pytest.fixture(scope="module")
def connectd(loopback_only):
    with Connectd(loopback_only) as running:
        yield running


def post(*lines: bytes, body: bytes = BODY, version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join([b"POST /v1/checks " + version, *lines, b"", b""]) + body


LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
VECTORS = {
    "CL and TE": post(HOST, JSON, LENGTH, b"Transfer-Encoding: chunked", body=CHUNKED),
    "TE and CL": post(HOST, JSON, b"Transfer-Encoding: chunked", LENGTH, body=CHUNKED),
    "two differing CL": post(HOST, JSON, LENGTH, b"Content-Length: 5"),
    "two equal CL": post(HOST, JSON, LENGTH, LENGTH),
    "CL list": post(HOST, JSON, b"Content-Length: %d, %d" % (len(BODY), len(BODY))),
    "CL with a sign": post(HOST, JSON, b"Content-Length: +%d" % len(BODY)),
    "CL negative": post(HOST, JSON, b"Content-Length: -1"),
    "CL in hex": post(HOST, JSON, b"Content-Length: 0x18"),
    "CL with trailing text": post(HOST, JSON, b"Content-Length: %dabc" % len(BODY)),
    "CL empty": post(HOST, JSON, b"Content-Length: "),
    "CL over 64 bits": post(HOST, JSON, b"Content-Length: 18446744073709551640"),
    "TE identity": post(HOST, JSON, b"Transfer-Encoding: identity", body=CHUNKED),
    "TE unknown": post(HOST, JSON, b"Transfer-Encoding: gzip", body=CHUNKED),
    "TE not last": post(HOST, JSON, b"Transfer-Encoding: chunked, gzip", body=CHUNKED),
    "TE with another": post(HOST, JSON, b"Transfer-Encoding: gzip, chunked", body=CHUNKED),
    "TE twice": post(HOST, JSON, b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=CHUNKED),
    "TE misspelt": post(HOST, JSON, b"Transfer-Encoding: xchunked", body=CHUNKED),
    "TE quoted": post(HOST, JSON, b'Transfer-Encoding: "chunked"', body=CHUNKED),
    "TE with a vertical tab": post(HOST, JSON, b"Transfer-Encoding: \x0bchunked", body=CHUNKED),
    "TE on HTTP/1.0": post(HOST, JSON, b"Transfer-Encoding: chunked", body=CHUNKED, version=b"HTTP/1.0"),
    "two Hosts": post(HOST, HOST, JSON, LENGTH),
    "two differing Hosts": post(HOST, b"Host: evil.example", JSON, LENGTH),
    "no Host": post(JSON, LENGTH),
    "empty Host": post(b"Host:", JSON, LENGTH),
    "Host with a path": post(b"Host: 127.0.0.1/x", JSON, LENGTH),
    "Host with userinfo": post(b"Host: user@127.0.0.1", JSON, LENGTH),
    "space before the colon": post(HOST, JSON, b"Content-Length : %d" % len(BODY)),
    "space before the colon of Host": post(b"Host : 127.0.0.1", JSON, LENGTH),
    "tab before the colon of TE": post(HOST, JSON, b"Transfer-Encoding\t: chunked", body=CHUNKED),
    "empty header name": post(HOST, JSON, LENGTH, b": x"),
    "header without colon": post(HOST, JSON, LENGTH, b"nonsense"),
    "header name with a space": post(HOST, JSON, LENGTH, b"X Y: z"),
    "header name that is not a token": post(HOST, JSON, LENGTH, b"X(Y): z"),
    "header name with high bytes": post(HOST, JSON, LENGTH, b"X\xff: z"),
    "folded line": post(HOST, JSON, LENGTH, b"X-Folded: a", b" b"),
    "folded line with a tab": post(HOST, JSON, LENGTH, b"X-Folded: a", b"\tTransfer-Encoding: chunked"),
    "leading white space": post(b" " + HOST, HOST, JSON, LENGTH),
    "bare CR in a value": post(HOST, JSON, LENGTH, b"X: a\rContent-Length: 0"),
    "bare CR as a line end": b"POST /v1/checks HTTP/1.1\r"
    + HOST
    + b"\r"
    + JSON
    + b"\r"
    + LENGTH
    + b"\r\r\n\r\n"
    + BODY,
    "bare LF as a line end": b"POST /v1/checks HTTP/1.1\n" + HOST + b"\n" + JSON + b"\n" + LENGTH + b"\n\n" + BODY,
    "bare LF in the middle": post(HOST, JSON, LENGTH, b"X: a\nTransfer-Encoding: chunked"),
    "NUL in a value": post(HOST, JSON, LENGTH, b"X: a\x00b"),
    "NUL in Host": post(HOST + b"\x00.evil.example", JSON, LENGTH),
    "NUL in the URI": b"POST /v1/checks\x00x HTTP/1.1\r\n"
    + HOST
    + b"\r\n"
    + JSON
    + b"\r\n"
    + LENGTH
    + b"\r\n\r\n"
    + BODY,
    "control character in a value": post(HOST, JSON, LENGTH, b"X: a\x01b"),
    "HTTP/1.2": post(HOST, JSON, LENGTH, version=b"HTTP/1.2"),
    "HTTP/2.0": post(HOST, JSON, LENGTH, version=b"HTTP/2.0"),
    "HTTP/1.11": post(HOST, JSON, LENGTH, version=b"HTTP/1.11"),
    "http/1.1": post(HOST, JSON, LENGTH, version=b"http/1.1"),
    "no version": post(HOST, JSON, LENGTH, version=b""),
    "space in the URI": b"POST /v1/checks x HTTP/1.1\r\n"
    + HOST
    + b"\r\n"
    + JSON
    + b"\r\n"
    + LENGTH
    + b"\r\n\r\n"
    + BODY,
}


@pytest.mark.parametrize("data", VECTORS.values(), ids=VECTORS.keys())
def test_an_ambiguous_request_is_refused_and_closed(connectd, data):
    with connectd.http.connect() as connection:
        connection.settimeout(5)
        connection.sendall(data + HIDDEN)
        stream = connection.makefile("rb")
        try:
            answer = read_answer(stream)
            rest = stream.read()
        except (EOFError, ConnectionResetError):
            return
    assert answer.status in (400, 414, 421, 431, 501, 505), f"{answer.status} {answer.body[:300]!r}"
    assert b"HTTP/1." not in rest, "the later bytes were read as another request"


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n",
        b"-1\r\nx\r\n0\r\n\r\n",
        b"1\r\nxx\r\n0\r\n\r\n",
        b"ffffffffffffffff\r\n" + BODY,
        b"0x18\r\n" + BODY + b"\r\n0\r\n\r\n",
        b"18 \r\n" + BODY + b"\r\n0\r\n\r\nX",
        b"10000000000000018\r\n" + BODY + b"\r\n0\r\n\r\n",
    ],
)
def test_a_malformed_chunk_is_refused_and_closed(connectd, chunks):
    with connectd.http.connect() as connection:
        connection.settimeout(3)
        connection.sendall(post(HOST, JSON, b"Transfer-Encoding: chunked", body=chunks + HIDDEN))
        stream = connection.makefile("rb")
        try:
            answer = read_answer(stream)
        except (EOFError, ConnectionResetError, TimeoutError):
            return
    assert answer.status in (400, 413) or (b"18 " in chunks and answer.status == 200), answer.status


def test_the_same_request_in_valid_form_is_answered(connectd):
    assert connectd.http.raw(post(HOST, JSON, LENGTH, b"Connection: close")).status == 200
    assert (
        connectd.http.raw(post(HOST, JSON, b"Transfer-Encoding: chunked", b"Connection: close", body=CHUNKED)).status
        == 200
    )


def test_the_service_still_answers(connectd):
    assert connectd.http.get("/livez").status == 200
