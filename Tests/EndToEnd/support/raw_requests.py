"""Requests as bytes, each with one verdict: the statuses of the answers, and whether the connection stays open.

The verdict is a text such as `200 open`, `400 closed`, `200 200 open`, `closed` (without an answer) or `waiting` (for the
rest of the request). A status alone is followed by `open`.
The sections are those of RFC 9112 (HTTP/1.1) and RFC 9110 (HTTP semantics), where they decide.
"""

import collections
from collections.abc import Iterator
from dataclasses import dataclass

HOST = b"Host: localhost"
JSON = b"Content-Type: application/json"
BODY = b'{"target":"127.0.0.1:9"}'
LENGTH = b"Content-Length: %d" % len(BODY)
TE = b"Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True)
class RawRequest:
    name: str
    data: bytes
    verdict: str
    # Of a UNIX listener, where the rules for Host and for browsers do not apply.
    unix: str = ""
    # Whether an answer belongs to HEAD, and so has no body.
    is_head: bool = False

    def expected(self, listener: str) -> str:
        return self.unix if listener == "unix" and self.unix else self.verdict


def lines(*parts: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([*parts, b"", b""]) + body


def get(*fields: bytes, target: bytes = b"/livez", method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    return lines(method + b" " + target + b" " + version, *(fields or (HOST,)))


def post(*fields: bytes, body: bytes = BODY, version: bytes = b"HTTP/1.1", target: bytes = b"/v1/checks") -> bytes:
    return lines(b"POST " + target + b" " + version, *fields, body=body)


def check(*fields: bytes, body: bytes = BODY) -> bytes:
    """A valid check with further fields."""
    return post(HOST, JSON, LENGTH, *fields, body=body)


def chunked(body: bytes, *fields: bytes) -> bytes:
    return post(HOST, JSON, TE, *fields, body=body)


def cases() -> list[RawRequest]:
    """All requests of this module."""
    groups = (_request_lines, _methods, _targets, _hosts, _field_lines, _lengths, _codings, _chunks, _bodies, _connection_fields,
              _expectations, _pipelines, _other_protocols, _media, _browsers, _incomplete, _sizes)  # fmt: skip
    found = [request for group in groups for request in group()]
    twice = [name for name, count in collections.Counter(request.name for request in found).items() if count > 1]
    assert not twice, twice
    return found


def _table(prefix: str, verdict: str, table: dict[str, bytes], **more) -> Iterator[RawRequest]:
    for name, data in table.items():
        yield RawRequest(f"{prefix}: {name}", data, verdict, **more)


def _request_lines() -> Iterator[RawRequest]:
    def line(text: bytes) -> bytes:
        return lines(text, HOST)

    yield from _table("request line", "200", {
        "HTTP/1.1": line(b"GET /livez HTTP/1.1"),
        # 2.2: a server SHOULD ignore at least one empty line before the request line.
        "an empty line before it": b"\r\n" + LIVE,
    })  # fmt: skip
    yield from _table("request line", "200 closed", {
        "HTTP/1.0 without Host": b"GET /livez HTTP/1.0\r\n\r\n",
        "HTTP/1.0 with Host": get(version=b"HTTP/1.0"),
    })  # fmt: skip
    # 9110, 6.2: a higher minor version SHOULD be processed as 1.1. There is none, and a client that sends one is broken.
    yield from _table("version", "505 closed", {
        version: line(b"GET /livez " + version.encode())
        for version in ("HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9", "HTTP/0.0")
    })  # fmt: skip
    yield from _table("version", "400 closed", {
        name: line(b"GET /livez " + text)
        for name, text in {
            "lower case": b"http/1.1", "mixed case": b"Http/1.1", "two digits": b"HTTP/1.11", "two major digits": b"HTTP/11.1",
            "leading zero": b"HTTP/01.1", "no minor": b"HTTP/1", "no minor digit": b"HTTP/1.", "no major digit": b"HTTP/.1",
            "no slash": b"HTTP1.1", "a space": b"HTTP /1.1", "a space after the slash": b"HTTP/ 1.1", "a comma": b"HTTP/1,1",
            "a letter": b"HTTP/1.x", "a suffix": b"HTTP/1.1x", "a sign": b"HTTP/+1.1", "another protocol": b"ICAP/1.0",
            "HTTPS": b"HTTPS/1.1", "a trailing space": b"HTTP/1.1 ", "a trailing tab": b"HTTP/1.1\t", "NUL": b"HTTP/1.1\0",
            "a fullwidth digit": "HTTP/1.１".encode(), "three parts": b"HTTP/1.1.1", "empty": b"", "a form feed": b"HTTP/1.1\x0c",
        }.items()
    })  # fmt: skip
    yield from _table("request line", "400 closed", {
        "no version": lines(b"GET /livez", HOST),
        "only a method": lines(b"GET", HOST),
        "a method and a space": lines(b"GET ", HOST),
        "two spaces before the target": line(b"GET  /livez HTTP/1.1"),
        "two spaces before the version": line(b"GET /livez  HTTP/1.1"),
        "a tab before the target": line(b"GET\t/livez HTTP/1.1"),
        "a tab before the version": line(b"GET /livez\tHTTP/1.1"),
        "a vertical tab for a space": line(b"GET\x0b/livez HTTP/1.1"),
        "a space before the method": line(b" GET /livez HTTP/1.1"),
        "a tab before the method": line(b"\tGET /livez HTTP/1.1"),
        "four words": line(b"GET /livez x HTTP/1.1"),
        "a no-break space": line("GET\u00a0/livez HTTP/1.1".encode("latin-1")),
        "bare LF": b"GET /livez HTTP/1.1\n" + HOST + b"\r\n\r\n",
        "bare LF everywhere": LIVE.replace(b"\r\n", b"\n"),
        "bare CR": b"GET /livez HTTP/1.1\r" + HOST + b"\r\n\r\n",
        "CR CR LF": b"GET /livez HTTP/1.1\r\r\n" + HOST + b"\r\n\r\n",
        "NUL before it": b"\0" + LIVE,
        "a byte order mark": b"\xef\xbb\xbf" + LIVE,
        "two empty lines before it": b"\r\n\r\n" + LIVE,
        "bare LF before it": b"\n" + LIVE,
        "no target": line(b"GET HTTP/1.1"),
        "two request lines": lines(b"GET /livez HTTP/1.1", b"GET /livez HTTP/1.1", HOST),
        "a status line": line(b"HTTP/1.1 200 OK"),
        "a header first": lines(HOST, b"GET /livez HTTP/1.1"),
    })  # fmt: skip


def _methods() -> Iterator[RawRequest]:
    yield from _table("method", "400 closed", {
        name: lines(text + b" /livez HTTP/1.1", HOST)
        for name, text in {
            "parentheses": b"GE(T)", "a comma": b"GET,POST", "a colon": b"GET:", "a slash": b"GET/", "an at sign": b"G@T",
            "quotes": b'"GET"', "brackets": b"[GET]", "braces": b"{GET}", "a control character": b"GE\x01T", "DEL": b"GET\x7f",
            "a high byte": b"GET\xff", "NUL": b"GE\0T", "an equals sign": b"GET=", "a question mark": b"GET?", "an escape": b"\x1bGET",
            "a semicolon": b"GET;", "a backslash": b"GET\\", "angle brackets": b"<GET>",
        }.items()
    })  # fmt: skip
    # 9110, 9.1: methods are case-sensitive, and an unknown one is not this resource's.
    yield from _table("method", "405", {
        name: lines(name.encode() + b" /livez HTTP/1.1", HOST)
        for name in ("get", "Get", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "BREW", "GETT", "G", "M-SEARCH",
                     "X" * 100, "!#$%&'*+-.^_`|~", "0", "QUERY", "POST")
    })  # fmt: skip
    yield from _table("method", "404", {"PUT of no resource": lines(b"PUT /nowhere HTTP/1.1", HOST)})
    yield RawRequest("method: HEAD", get(method=b"HEAD"), "200", is_head=True)
    yield RawRequest("method: HEAD of no resource", get(method=b"HEAD", target=b"/nowhere"), "404", is_head=True)


def _targets() -> Iterator[RawRequest]:
    yield from _table("target", "200", {
        name: get(target=target)
        for name, target in {
            "origin form": b"/livez", "an empty query": b"/livez?", "absolute form": b"http://localhost/livez",
            # 9110, 4.2.3: scheme and host are case-insensitive.
            "absolute form in capital letters": b"HTTP://LOCALHOST/livez",
        }.items()
    })  # fmt: skip
    # 3986, 6.2.2.2: an encoded letter is an equivalent spelling. It has no resource, so that a proxy's rules for paths need not know it.
    yield from _table("target", "404", {
        name: get(target=target)
        for name, target in {
            "an encoded letter": b"/%6civez",
            "the root": b"/nowhere", "dots": b"/x/../livez", "encoded dots": b"/x/%2e%2e/livez", "an encoded slash": b"/v1%2ferrors",
            "two slashes": b"//livez", "a slash at the end": b"/livez/", "three dots": b"/.../livez", "one dot": b"/./livez",
            "encoded NUL": b"/livez%00", "encoded CR LF": b"/livez%0d%0aX:y", "a semicolon": b"/livez;x=1", "a backslash": b"/\\livez",
            "encoded twice": b"/%256civez", "not UTF-8 in percent": b"/livez%ff", "a broken percent": b"/livez%", "half a percent": b"/livez%6",
            "letters after a percent": b"/%zzlivez", "a path that ends in .json": b"/livez.json", "capital letters": b"/LIVEZ",
            "overlong percent": b"/%c0%afetc/passwd", "a colon": b"/livez:80", "an at sign": b"/@livez", "a pipe": b"/|",
            "braces": b"/{}", "a caret": b"/^", "quotes": b'/"', "a plus": b"/livez+", "Windows path": b"/c:/windows",
            "absolute form of no resource": b"http://localhost/nowhere", "absolute form of the root path": b"http://localhost/none/",
        }.items()
    })  # fmt: skip
    # An empty path is the root: 9110, 4.2.3.
    yield from _table("target", "400 closed", {
        name: get(target=target)
        for name, target in {
            "no slash": b"livez", "a fragment": b"/livez#x", "a fragment alone": b"#", "a query alone": b"?x", "authority form": b"localhost:80",
            "asterisk with GET": b"*", "two asterisks": b"**", "an asterisk and a path": b"*/livez", "another scheme": b"ftp://localhost/livez",
            "gopher": b"gopher://localhost/livez", "no authority": b"http:///livez", "one slash": b"http:/livez",
            "another authority": b"http://other.example/livez", "another port": b"http://localhost:81/livez", "userinfo": b"http://u@localhost/livez",
            "a query as the authority": b"http://?x", "scheme alone": b"http://", "high bytes": b"/l\xc3\xafvez", "NUL": b"/livez\0", "NUL in the middle": b"/li\0vez",
            "a control character": b"/li\x01vez", "DEL": b"/li\x7fvez", "a tab": b"/li\tvez", "CR": b"/li\rvez", "Latin-1": b"/l\xefvez",
            "a comma before the scheme": b",http://localhost/livez", "javascript": b"javascript:alert(1)", "data": b"data:,x", "an equals sign": b"=",
            "a dot": b".", "two dots": b"..", "a backslash first": b"\\livez", "encoded first slash": b"%2flivez", "a file": b"file:///etc/passwd",
            "a fragment in absolute form": b"http://localhost/livez#x", "a space in absolute form": b"http://local host/livez",
        }.items()
    })  # fmt: skip
    yield from _table("target", "405", {"asterisk with OPTIONS": get(method=b"OPTIONS", target=b"*")})
    yield from _table("target", "400 closed", {
        "CONNECT with an authority": get(method=b"CONNECT", target=b"localhost:443"),
        "CONNECT without a port": get(method=b"CONNECT", target=b"localhost"),
        "asterisk with POST": post(HOST, JSON, LENGTH, target=b"*"),
    })  # fmt: skip
    yield from _table("target", "405", {"CONNECT with a path": get(method=b"CONNECT", target=b"/livez")})


def _hosts() -> Iterator[RawRequest]:
    def host(value: bytes) -> bytes:
        return get(b"Host:" + value)

    yield from _table("Host", "200", {
        name: host(value)
        for name, value in {
            "localhost": b" localhost", "a port": b" localhost:8080", "another port": b" localhost:1", "an empty port": b" localhost:",
            "capital letters": b" LOCALHOST", "a dot at the end": b" localhost.", "an address": b" 127.0.0.1", "an address with a port": b" 127.0.0.1:80",
            "any address": b" 8.8.8.8", "IPv6": b" [::1]", "IPv6 with a port": b" [::1]:80", "no space": b"localhost", "spaces": b"   localhost   ",
            "tabs": b"\tlocalhost\t", "a configured name": b" connectd.internal", "a configured name in capitals": b" ConnectD.Internal:99",
            "a large port": b" localhost:99999",
        }.items()
    })  # fmt: skip
    # 9110, 15.5.20: misdirected. A page that uses DNS rebinding sends its own name.
    yield from _table("Host", "421", {
        name: host(b" " + value)
        for name, value in {
            "another name": b"evil.example", "another name with a port": b"evil.example:8080", "a name that starts like ours": b"localhost.evil.example",
            "a name that ends like ours": b"evil.localhost", "a number": b"2130706433", "a hexadecimal number": b"0x7f000001", "an octal address": b"0177.0.0.1",
            "a short address": b"127.1", "an underscore": b"_", "an encoded name": b"%6cocalhost", "two dots": b"localhost..", "a hyphen": b"-",
            "an address with a suffix": b"127.0.0.1.evil.example", "an address that overflows": b"256.0.0.1", "an international name": b"xn--bcher-kva.example",
            "IPv6 that is none": b"[::g]", "a version": b"[v1.x]", "sub-delims": b"a!$&'()*+;=b",
        }.items()
    }, unix="200")  # fmt: skip
    # 9112, 3.2: a 400 for a missing, repeated or invalid Host.
    yield from _table("Host", "400 closed", {
        **{
            name: host(b" " + value)
            for name, value in {
                "empty": b"", "a path": b"localhost/x", "userinfo": b"u@localhost", "two hosts": b"localhost, evil.example", "a space": b"local host",
                "a letter as a port": b"localhost:http", "two colons": b"localhost:80:81", "a scheme": b"http://localhost", "a query": b"localhost?x",
                "a fragment": b"localhost#x", "a backslash": b"localhost\\x", "only a port": b":80", "an open bracket": b"[::1", "empty brackets": b"[]",
                "text after the bracket": b"[::1]x", "a negative port": b"localhost:-1", "a broken percent": b"local%host", "a high byte": b"localh\xf6st",
                "a tab inside": b"local\thost", "quotes": b'"localhost"', "a comma": b"localhost,", "a pipe": b"a|b", "braces": b"{x}", "a caret": b"a^b",
                "a control character": b"localhost\x01", "a bare IPv6 address": b"::1", "NUL": b"localhost\0.evil.example",
            }.items()
        },
        "missing": lines(b"GET /livez HTTP/1.1", b"Accept: */*"),
        "no field at all": b"GET /livez HTTP/1.1\r\n\r\n",
        "twice": get(HOST, HOST),
        "twice, in other letters": get(HOST, b"hOsT: localhost"),
        "two values": get(HOST, b"Host: evil.example"),
        "the second is empty": get(HOST, b"Host:"),
        "three times": get(HOST, HOST, HOST),
        "on HTTP/1.0, twice": get(HOST, HOST, version=b"HTTP/1.0"),
        "folded": get(b"Host:", b" localhost"),
        "a space before the colon": get(b"Host : localhost"),
    })  # fmt: skip
    yield RawRequest("Host: another name on HTTP/1.0", get(b"Host: evil.example", version=b"HTTP/1.0"), "421 closed", "200 closed")
    yield RawRequest("Host: missing from an absolute form on HTTP/1.0",
                     b"GET http://localhost/livez HTTP/1.0\r\n\r\n", "400 closed")  # fmt: skip


def _field_lines() -> Iterator[RawRequest]:
    yield from _table("field", "200", {
        name: get(HOST, field)
        for name, field in {
            "an empty value": b"X-Empty:", "only blanks": b"X-Empty: \t ", "no space after the colon": b"X:y", "a tab after the colon": b"X:\ty",
            "blanks after the value": b"X: y \t", "a colon in the value": b"X: a:b", "all token characters": b"!#$%&'*+-.^_`|~09azAZ: x",
            # 9110, 5.5: obs-text is allowed, and opaque.
            "high bytes in the value": b"X: \x80\xff", "UTF-8 in the value": "X: é".encode(), "a quoted string": b'X: "a, b"', "one letter": b"X: y",
            "a comma list": b"X: a, b,, c", "a long name": b"X" * 200 + b": y", "an underscore": b"X_Y: z", "a number as a name": b"1: y",
            "a comment": b"X: (a (b) c)", "Cookie": b"Cookie: a=b; c=d", "a backslash": b"X: a\\b", "brackets": b"X: [1]{2}<3>",
        }.items()
    })  # fmt: skip
    # 9112, 5.1: no white space before the colon; 5.2: no folding; 9110, 5.5: no CR, LF or NUL.
    yield from _table("field", "400 closed", {
        name: get(HOST, field)
        for name, field in {
            "a space before the colon": b"X : y", "a tab before the colon": b"X\t: y", "no colon": b"nonsense", "no name": b": y", "only a colon": b":",
            "a space in the name": b"X Y: z", "a leading space": b" X: y", "a leading tab": b"\tX: y", "parentheses": b"X(Y): z", "a comma in the name": b"X,Y: z",
            "a slash in the name": b"X/Y: z", "an at sign": b"X@Y: z", "quotes in the name": b'"X": y', "brackets in the name": b"[X]: y", "braces in the name": b"{X}: y",
            "an equals sign": b"X=Y: z", "a question mark": b"X?: z", "a semicolon": b"X;Y: z", "angle brackets": b"<X>: y", "a backslash in the name": b"X\\Y: z",
            "a high byte in the name": b"X\xff: y", "UTF-8 in the name": "Xé: y".encode(), "NUL in the name": b"X\0: y", "a control character in the name": b"X\x01: y",
            "DEL in the name": b"X\x7f: y", "NUL in the value": b"X: a\0b", "NUL at the end": b"X: a\0", "a control character in the value": b"X: a\x01b",
            "a backspace": b"X: a\x08b", "an escape": b"X: a\x1bb", "DEL in the value": b"X: a\x7fb", "a vertical tab": b"X: a\x0bb", "a form feed": b"X: a\x0cb",
            "bare CR": b"X: a\rb", "bare CR at the end": b"X: a\r", "bare CR and a field": b"X: a\rContent-Length: 5", "bare LF": b"X: a\nY: b",
            "bare LF and a coding": b"X: a\nTransfer-Encoding: chunked", "folded with a space": b"X: a\r\n b", "folded with a tab": b"X: a\r\n\tb",
            "folded without a value": b"X:\r\n y", "a folded Content-Length": b"Content-Length:\r\n 5", "a blank line that is not empty": b" ",
            "only a tab": b"\t", "a fullwidth colon": "X：y".encode(), "two colons first": b"::x", "a request line": b"GET /livez HTTP/1.1",
        }.items()
    })  # fmt: skip
    yield from _table("field", "400 closed", {
        "a leading space on the first line": lines(b"GET /livez HTTP/1.1", b" " + HOST, HOST),
        "a leading space before the first field": lines(b"GET /livez HTTP/1.1", b" X: y", HOST),
        "the head ends with bare LF": LIVE[:-4] + b"\n\n",
        "the last line ends with bare LF": LIVE[:-4] + b"\n\r\n",
        "the empty line is bare LF": LIVE[:-2] + b"\n",
        "the empty line is CR CR LF": LIVE[:-2] + b"\r\r\n",
        "two Content-Types": post(HOST, JSON, JSON, LENGTH),
        "two different Content-Types": post(HOST, JSON, b"Content-Type: text/plain", LENGTH),
        "two Origins": get(HOST, b"Origin: http://localhost", b"Origin: http://localhost"),
        "two Sec-Fetch-Sites": get(HOST, b"Sec-Fetch-Site: none", b"Sec-Fetch-Site: none"),
    })  # fmt: skip


def _lengths() -> Iterator[RawRequest]:
    def length(value: bytes, body: bytes = BODY) -> bytes:
        return post(HOST, JSON, b"Content-Length:" + value, body=body)

    count = len(BODY)
    yield from _table("Content-Length", "200", {
        "exact": length(b" %d" % count),
        "no space": length(b"%d" % count),
        "leading zeros": length(b" 000%d" % count),
        "a tab before it": length(b"\t%d" % count),
        "in capital letters": post(HOST, JSON, b"CONTENT-LENGTH: %d" % count),
    })  # fmt: skip
    # 9112, 6.3: an invalid length is unrecoverable.
    yield from _table("Content-Length", "400 closed", {
        **{
            name: length(value)
            for name, value in {
                "empty": b"", "a blank": b" ", "a sign": b" +%d" % count, "negative": b" -%d" % count, "minus one": b" -1", "hexadecimal": b" 0x18",
                "a fraction": b" 24.0", "an exponent": b" 2e1", "letters": b" abc", "digits and letters": b" 24a", "a list": b" 24, 24", "a list of others": b" 24, 5",
                "a comma": b" 24,", "a comma first": b" ,24", "a space inside": b" 2 4", "a tab inside": b" 2\t4", "quoted": b' "24"', "a semicolon": b" 24;x",
                "20 digits": b" 18446744073709551640", "19 digits": b" 9223372036854775808", "64 bits and the length": b" 18446744073709551640", "100 digits": b" " + b"9" * 100,
                "fullwidth digits": " ２４".encode(), "an underscore": b" 2_4", "NUL": b" 24\0", "octal": b" 0o30", "a dot": b" 24.", "parentheses": b" (24)", "a vertical tab": b" \x0b24",
                # 9110, 5.5: blanks after a value are legal. The HTTP library would not recognize the length, so they are refused.
                "a space after it": b" %d " % count, "a tab after it": b" %d\t" % count,
            }.items()
        },
        "twice": post(HOST, JSON, LENGTH, LENGTH),
        "twice, differing": post(HOST, JSON, LENGTH, b"Content-Length: 5"),
        "twice, the first is zero": post(HOST, JSON, b"Content-Length: 0", LENGTH),
        "twice, other letters": post(HOST, JSON, LENGTH, b"content-length: %d" % count),
        "three times": post(HOST, JSON, LENGTH, LENGTH, LENGTH),
        "twice with GET": get(HOST, b"Content-Length: 0", b"Content-Length: 0"),
        "malformed with GET": get(HOST, b"Content-Length: x"),
        "a space before the colon": post(HOST, JSON, b"Content-Length : %d" % count),
        "with an underscore and a real one": post(HOST, JSON, LENGTH, b"Content-Length\xff: 5"),
    })  # fmt: skip
    yield from _table("Content-Length", "200", {
        "a field with an underscore is another field": post(HOST, JSON, LENGTH, b"Content_Length: 5"),
        "zero with GET": get(HOST, b"Content-Length: 0"),
    })  # fmt: skip
    yield from _table("Content-Length", "413 closed", {
        "far over the limit": length(b" 100000000"),
        "18 digits": length(b" 999999999999999999"),
    })  # fmt: skip


def _codings() -> Iterator[RawRequest]:
    def coding(*values: bytes, body: bytes = CHUNKS) -> bytes:
        return post(HOST, JSON, *(b"Transfer-Encoding:" + value for value in values), body=body)

    # 9112, 7: names of codings are case-insensitive. The connection is closed after chunks (9112, 9.6 allows that at any time):
    # the HTTP library accepts some malformed chunks, so nothing after them is read as a request.
    yield from _table("Transfer-Encoding", "200 closed", {
        "chunked": coding(b" chunked"), "in capital letters": coding(b" CHUNKED"), "mixed letters": coding(b" Chunked"), "no space": coding(b"chunked"),
        "a tab before it": coding(b"\tchunked"),
    })  # fmt: skip
    # 9112, 6.1: a server that does not understand a coding answers 501; without a final chunked it answers 400.
    yield from _table("Transfer-Encoding", "400 closed", {
        name: coding(*values)
        for name, values in {
            "identity": (b" identity",), "gzip": (b" gzip",), "gzip, chunked": (b" gzip, chunked",), "chunked, gzip": (b" chunked, gzip",), "twice in a list": (b" chunked, chunked",),
            "two fields": (b" chunked", b" chunked"), "two differing fields": (b" chunked", b" identity"), "identity, chunked": (b" identity, chunked",), "misspelled": (b" xchunked",),
            "quoted": (b' "chunked"',), "a parameter": (b" chunked;q=1",), "a comma": (b" chunked,",), "a comma first": (b" ,chunked",), "empty": (b"",), "a blank": (b" ",),
            "a vertical tab": (b" \x0bchunked",), "NUL": (b" chunked\0",), "a high byte": (b" chunked\xff",), "a hyphen": (b" chun-ked",), "a space inside": (b" chun ked",), "cow": (b" cow",),
            "folded": (b"\r\n chunked",), "a space after it": (b" chunked ",), "a tab after it": (b" chunked\t",), "compress": (b" compress",), "trailers": (b" trailers",), "a dot": (b" chunked.",),
        }.items()
    })  # fmt: skip
    # 9112, 6.3: both together are an attempt at smuggling.
    yield from _table("Transfer-Encoding", "400 closed", {
        "after Content-Length": post(HOST, JSON, LENGTH, TE, body=CHUNKS), "before Content-Length": post(HOST, JSON, TE, LENGTH, body=CHUNKS),
        "with a length of zero": post(HOST, JSON, TE, b"Content-Length: 0", body=CHUNKS), "identity and a length": post(HOST, JSON, b"Transfer-Encoding: identity", LENGTH),
        "on HTTP/1.0": post(HOST, JSON, TE, body=CHUNKS, version=b"HTTP/1.0"), "on HTTP/1.0 with keep-alive": post(HOST, JSON, TE, b"Connection: keep-alive", body=CHUNKS, version=b"HTTP/1.0"),
        "a space before the colon": post(HOST, JSON, b"Transfer-Encoding : chunked", body=CHUNKS), "a tab before the colon": post(HOST, JSON, b"Transfer-Encoding\t: chunked", body=CHUNKS),
        "a leading space": post(HOST, JSON, LENGTH, b" Transfer-Encoding: chunked", body=CHUNKS), "after a bare LF": post(HOST, JSON, LENGTH, b"X: y\nTransfer-Encoding: chunked", body=CHUNKS),
    })  # fmt: skip
    yield from _table("Transfer-Encoding", "200", {"a field with an underscore is another field": check(b"Transfer_Encoding: chunked")})


def _chunks() -> Iterator[RawRequest]:
    size, half = b"%x" % len(BODY), len(BODY) // 2
    end = b"\r\n0\r\n\r\n"
    yield from _table("chunk", "200 closed", {
        name: chunked(body)
        for name, body in {
            "one": size + b"\r\n" + BODY + end, "two": b"%x\r\n%s\r\n%x\r\n%s" % (half, BODY[:half], len(BODY) - half, BODY[half:]) + end,
            "one byte each": b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n", "leading zeros": b"000" + size + b"\r\n" + BODY + end,
            "capital digits": b"1A\r\n" + BODY + b"  " + end, "small digits": b"1a\r\n" + BODY + b"  " + end, "zeros at the end": size + b"\r\n" + BODY + b"\r\n000\r\n\r\n",
            # 9112, 7.1.1: unknown extensions are ignored.
            "an extension": size + b";a=b\r\n" + BODY + end, "an extension without a value": size + b";a\r\n" + BODY + end, "a quoted extension": size + b';a="b;c"\r\n' + BODY + end,
            "an extension at the end": size + b"\r\n" + BODY + b"\r\n0;a=b\r\n\r\n",
            # 9112, 7.1.2: trailers are ignored, also those that would change the framing.
            "a trailer": size + b"\r\n" + BODY + b"\r\n0\r\nX: y\r\n\r\n", "a trailer with a length": size + b"\r\n" + BODY + b"\r\n0\r\nContent-Length: 99\r\n\r\n",
            "a trailer with a Host": size + b"\r\n" + BODY + b"\r\n0\r\nHost: evil.example\r\n\r\n", "two trailers": size + b"\r\n" + BODY + b"\r\n0\r\nX: y\r\nZ: w\r\n\r\n",
        }.items()
    })  # fmt: skip
    yield from _table("chunk", "400 closed", {
        name: chunked(body)
        for name, body in {
            "no digits": b"\r\n" + BODY + end, "letters": b"zz\r\n" + BODY + end, "a sign": b"+18\r\n" + BODY + end, "negative": b"-1\r\n" + BODY + end, "a prefix": b"0x18\r\n" + BODY + end,
            "an underscore": b"1_8\r\n" + BODY + end, "a space first": b" 18\r\n" + BODY + end, "a comma": b"18,\r\n" + BODY + end, "data longer than the size": b"5\r\n" + BODY + end,
            "no CR LF after the data": size + b"\r\n" + BODY + b"0\r\n\r\n", "text after the data": size + b"\r\n" + BODY + b"xx\r\n0\r\n\r\n", "only CR after the size": size + b"\r" + BODY + end,
            "NUL in the size": b"1\x008\r\n" + BODY + end,
            "fullwidth digits": "１８\r\n".encode() + BODY + end, "a fraction": b"18.0\r\n" + BODY + end, "a space inside": b"1 8\r\n" + BODY + end,
            "only a semicolon": b";\r\n" + BODY + end, "a high byte": b"18\xff\r\n" + BODY + end,
        }.items()
    })  # fmt: skip
    yield from _table("chunk", "413 closed", {
        "over the limit of a check": chunked(b"20000\r\n" + b" " * 0x20000 + end),
        # 9112, 7.1: large numbers must not overflow.
        "a size over 64 bits": chunked(b"10000000000000018\r\n" + BODY + end), "many digits": chunked(b"f" * 40 + b"\r\n" + BODY + end),
    })  # fmt: skip
    # The limit applies to the bytes that arrive.
    yield from _table("chunk", "waiting", {
        "the largest size": chunked(b"ffffffffffffffff\r\n" + BODY), "the largest signed size": chunked(b"7fffffffffffffff\r\n" + BODY),
    })  # fmt: skip


def _bodies() -> Iterator[RawRequest]:
    yield from _table("body", "200", {
        "of a check": check(),
        "ignored by GET": get(HOST, b"Content-Length: 5") + b"hello",
        "with white space": post(HOST, JSON, b"Content-Length: %d" % (len(BODY) + 4), body=b"\r\n" + BODY + b"\r\n"),
    })  # fmt: skip
    yield from _table("body", "400", {
        "empty": post(HOST, JSON, b"Content-Length: 0", body=b""),
        "missing": post(HOST, JSON, body=b""),
        "not JSON": post(HOST, JSON, b"Content-Length: 5", body=b"hello"),
        "shorter than the JSON": post(HOST, JSON, b"Content-Length: 10", body=BODY[:10]),
    })  # fmt: skip
    yield from _table("body", "200 closed", {
        "ignored by GET, in chunks": get(HOST, TE) + b"5\r\nhello\r\n0\r\n\r\n",
        # The bytes after the body would be another request, and are not one. 9112, 3: a 400 SHOULD be sent. The HTTP library has
        # read these bytes already, and closes the connection without one.
        "longer than its length": check(body=BODY + b"{}\r\n\r\n"),
        "longer than its chunks": chunked(CHUNKS + b"{}\r\n\r\n"),
    })  # fmt: skip
    yield from _table("body", "400 closed", {"empty in chunks": chunked(b"0\r\n\r\n")})
    # A short body is read before an early answer, so the connection stays.
    yield from _table("body", "404", {"for no resource": post(HOST, JSON, LENGTH, target=b"/nowhere")})
    yield from _table("body", "405", {"for a resource without POST": post(HOST, JSON, LENGTH, target=b"/livez")})
    yield from _table("body", "415", {"of another type": post(HOST, b"Content-Type: text/plain", LENGTH)})


def _connection_fields() -> Iterator[RawRequest]:
    # 9112, 9.6: after `close` no further request is read.
    yield from _table("Connection", "200 closed", {
        name: get(HOST, *fields)
        for name, fields in {
            "close": (b"Connection: close",), "in capital letters": (b"Connection: CLOSE",), "in a list": (b"Connection: x, close",), "first in a list": (b"Connection: close, x",),
            "after keep-alive": (b"Connection: keep-alive, close",), "in a second field": (b"Connection: keep-alive", b"Connection: close"), "without spaces": (b"Connection:keep-alive,close",),
            "blanks around it": (b"Connection:  close \t",), "in a third field": (b"Connection: a", b"Connection: b", b"Connection: close"), "after empty elements": (b"Connection: ,, close",),
        }.items()
    })  # fmt: skip
    yield from _table("Connection", "200", {
        name: get(HOST, b"Connection: " + value)
        for name, value in {
            "keep-alive": b"keep-alive", "unknown": b"x", "a word that ends in close": b"not-close", "a word that starts with close": b"closed", "upgrade": b"upgrade", "Host": b"Host",
            "Content-Length": b"Content-Length", "empty": b"", "TE": b"TE", "a comma": b",",
        }.items()
    })  # fmt: skip
    yield from _table("Connection", "200 closed", {
        "close with another request": get(HOST, b"Connection: close") + LIVE,
        "close with a body": check(b"Connection: close"),
        "HTTP/1.0 with another request": get(HOST, version=b"HTTP/1.0") + LIVE,
    })  # fmt: skip
    yield from _table("Connection", "200", {"keep-alive on HTTP/1.0": get(HOST, b"Connection: Keep-Alive", version=b"HTTP/1.0")})
    # 9110, 7.8: a server may ignore Upgrade.
    yield from _table("Upgrade", "200", {
        "h2c": get(HOST, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
        "websocket": get(HOST, b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Version: 13"),
        "TLS": get(HOST, b"Connection: Upgrade", b"Upgrade: TLS/1.0"), "without Connection": get(HOST, b"Upgrade: h2c"), "with a body": check(b"Connection: Upgrade", b"Upgrade: x"),
    })  # fmt: skip


def _expectations() -> Iterator[RawRequest]:
    wait = b"Expect: 100-continue"
    # 9110, 10.1.1: a client must not expect 100 without a body. It gets its answer, and must connect again.
    yield from _table("Expect", "200 closed", {
        "without a body": get(HOST, wait), "in capital letters without a body": get(HOST, b"EXPECT: 100-CONTINUE"),
        "of zero bytes": get(HOST, wait, b"Content-Length: 0"),
    })  # fmt: skip
    yield from _table("Expect", "100 waiting", {
        "before the body": check(wait, body=b""), "in capital letters": check(b"Expect: 100-CONTINUE", body=b""), "before chunks": chunked(b"", wait),
    })  # fmt: skip
    yield from _table("Expect", "413 closed", {"before a body over the limit": post(HOST, JSON, b"Content-Length: 99999999", wait, body=b"")})
    yield from _table("Expect", "415 closed", {"before another type": post(HOST, b"Content-Type: text/plain", LENGTH, wait, body=b"")})
    yield from _table("Expect", "404 closed", {"for no resource": post(HOST, JSON, LENGTH, wait, body=b"", target=b"/nowhere")})
    # An HTTP/1.0 client does not know the status 100: the expectation is ignored.
    yield RawRequest("Expect: on HTTP/1.0", post(HOST, JSON, LENGTH, wait, version=b"HTTP/1.0"), "200 closed")


def _pipelines() -> Iterator[RawRequest]:
    yield from _table("pipeline", "200 200", {
        "two": LIVE * 2, "a check and a GET": check() + LIVE, "an empty line between them": LIVE + b"\r\n" + LIVE,
    })  # fmt: skip
    yield from _table("pipeline", " ".join(["200"] * 10), {"ten": LIVE * 10, "five pairs": (LIVE + check()) * 5})
    yield from _table("pipeline", "200 closed", {
        "chunks and a GET": chunked(CHUNKS) + LIVE,
        # 9112, 3: a 400 SHOULD be sent. The HTTP library has read these bytes already, and closes the connection without one.
        "a good and a bad one": LIVE + b"BAD\r\n\r\n" + LIVE, "a space before the second": LIVE + b" " + LIVE,
    })  # fmt: skip
    # 9112, 2.2: at least one empty line SHOULD be ignored. Before a later request, the HTTP library ignores several, also with bare LF.
    yield from _table("pipeline", "200 200", {
        "two empty lines between them": LIVE + b"\r\n\r\n" + LIVE, "bare LF between them": LIVE + b"\n" + LIVE,
    })  # fmt: skip
    yield from _table("pipeline", "200 400 closed", {
        "NUL before the second": LIVE + b"\0" + LIVE, "NUL in the second": LIVE + LIVE.replace(b"localhost", b"local\0host"), "a good one and a bad version": LIVE + b"GET / HTTP/x\r\n\r\n" + LIVE, "a good one without a Host next": LIVE + b"GET /livez HTTP/1.1\r\n\r\n" + LIVE,
    })  # fmt: skip
    yield from _table("pipeline", "400 closed", {
        "a bad and a good one": b"GET /livez HTTP/1.1\r\nX\r\n\r\n" + LIVE, "hidden after two lengths": post(HOST, JSON, LENGTH, b"Content-Length: 5") + LIVE, "hidden after both framings": post(HOST, JSON, TE, LENGTH, body=CHUNKS) + LIVE,
        "hidden in a length": post(HOST, JSON, b"Content-Length: 0", TE, body=b"0\r\n\r\n" + LIVE),
    })  # fmt: skip
    yield from _table("pipeline", "404 200", {"of no resource": get(target=b"/nowhere") + LIVE})
    yield from _table("pipeline", "400 200", {"after a body that is not JSON": post(HOST, JSON, b"Content-Length: 2", body=b"xx") + LIVE})
    yield from _table("pipeline", "404 200", {"after a body for no resource": post(HOST, JSON, LENGTH, target=b"/nowhere") + LIVE})
    # The hidden request is the body of the first one.
    yield from _table("pipeline", "400", {"a request as a body": post(HOST, JSON, b"Content-Length: %d" % len(LIVE), body=LIVE)})


def _other_protocols() -> Iterator[RawRequest]:
    yield from _table("protocol", "400 closed", {
        "SSH": b"SSH-2.0-x\r\n\r\n", "SMTP": b"EHLO x\r\n\r\n", "a null": b"\0\0\0\0", "RDP": b"\x03\x00\x00\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
        "PROXY protocol 1": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + LIVE, "PROXY protocol 2": b"\r\n\r\n\0\r\nQUIT\n" + b"\x21\x11\0\x0c" + b"\0" * 12 + LIVE,
        "HTTP/0.9": b"GET /livez\r\n", "HTTP/0.9 with an empty line": b"GET /livez\r\n\r\n", "a JSON document": BODY + b"\r\n", "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x28",
        "SIP": b"OPTIONS sip:x SIP/2.0\r\n\r\n", "RTSP": b"OPTIONS * RTSP/1.0\r\n\r\n", "redis": b"*1\r\n$4\r\nPING\r\n", "memcached": b"stats\r\n", "LDAP": b"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0", "high bytes": b"\xff" * 100,
    })  # fmt: skip
    # 9113, 3.4: the preface is made to be refused by servers of HTTP/1.1.
    yield from _table("protocol", "505 closed", {"the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"})


def _media() -> Iterator[RawRequest]:
    def typed(value: bytes, *fields: bytes) -> bytes:
        return post(HOST, b"Content-Type:" + value, LENGTH, *fields)

    yield from _table("Content-Type", "200", {
        name: typed(value)
        for name, value in {
            "JSON": b" application/json", "in capital letters": b" APPLICATION/JSON", "UTF-8": b" application/json; charset=utf-8", "UTF-8 in quotes": b' application/json; charset="utf-8"',
            "UTF-8 in capital letters": b" application/json;charset=UTF-8", "a parameter": b" application/json; x=y", "a space before the semicolon": b" application/json ; x=y",
        }.items()
    })  # fmt: skip
    yield from _table("Content-Type", "415", {
        **{
            name: typed(value)
            for name, value in {
                "text": b" text/plain", "a form": b" application/x-www-form-urlencoded", "multipart": b" multipart/form-data; boundary=x", "a suffix": b" application/problem+json", "a prefix": b" xapplication/json",
                "empty": b"", "two types": b" text/plain, application/json", "JSON second": b" text/plain; application/json", "UTF-16": b" application/json; charset=utf-16", "Latin-1": b" application/json; charset=iso-8859-1",
                "no slash": b" json", "a slash alone": b" /", "a wildcard": b" */*", "letters after it": b" application/jsonx", "a comma": b" application/json, text/plain",
            }.items()
        },
        "missing": post(HOST, LENGTH),
        "gzip": check(b"Content-Encoding: gzip"),
        "an unknown encoding": check(b"Content-Encoding: x"),
    })  # fmt: skip
    yield from _table("Content-Encoding", "200", {"identity": check(b"Content-Encoding: identity")})


def _browsers() -> Iterator[RawRequest]:
    def browser(*fields: bytes) -> bytes:
        return get(HOST, *fields, target=b"/v1/errors")

    yield from _table("browser", "200", {
        name: browser(*fields)
        for name, fields in {
            "same origin": (b"Sec-Fetch-Site: same-origin",), "typed by the user": (b"Sec-Fetch-Site: none",), "a mode without a site": (b"Sec-Fetch-Mode: navigate",), "a foreign Referer": (b"Referer: http://evil.example/",),
        }.items()
    })  # fmt: skip
    yield from _table("browser", "403", {
        name: browser(*fields)
        for name, fields in {
            "cross-site": (b"Sec-Fetch-Site: cross-site",), "same site": (b"Sec-Fetch-Site: same-site",), "an unknown site": (b"Sec-Fetch-Site: x",), "an empty site": (b"Sec-Fetch-Site:",), "capital letters": (b"Sec-Fetch-Site: NONE",),
            "a foreign Origin": (b"Origin: http://evil.example",), "a null Origin": (b"Origin: null",), "an Origin with another port": (b"Origin: http://localhost:1",), "an Origin that starts like ours": (b"Origin: http://localhost.evil.example",),
            "same origin from a foreign Origin": (b"Sec-Fetch-Site: same-origin", b"Origin: http://evil.example"), "an Origin without a scheme": (b"Origin: localhost",), "an empty Origin": (b"Origin:",), "an Origin of another scheme": (b"Origin: ftp://localhost",),
            "two Origins in one": (b"Origin: http://localhost http://evil.example",),
        }.items()
    }, unix="200")  # fmt: skip
    yield RawRequest("browser: a preflight", lines(b"OPTIONS /v1/checks HTTP/1.1", HOST, b"Origin: http://evil.example", b"Access-Control-Request-Method: POST"), "403", "405")


def _incomplete() -> Iterator[RawRequest]:
    yield from _table("incomplete", "waiting", {
        "nothing": b"", "a letter": b"G", "a method": b"GET ", "a request line": b"GET /livez HTTP/1.1\r\n", "no empty line": LIVE[:-2], "half of the empty line": LIVE[:-1], "an empty line": b"\r\n",
        "a field": LIVE[:-6], "no body": check(body=b""), "half of a body": check(body=BODY[:9]), "all but a byte of a body": check(body=BODY[:-1]), "no chunk": chunked(b""), "a chunk size": chunked(b"18\r\n"),
        "half of a chunk": chunked(b"18\r\n" + BODY[:9]), "no last chunk": chunked(b"18\r\n" + BODY + b"\r\n"), "no end of the trailers": chunked(b"18\r\n" + BODY + b"\r\n0\r\n"),
        "half of a chunk size": chunked(b"1"),
    })  # fmt: skip
    yield from _table("incomplete", "200 waiting", {"a letter after a good one": LIVE + b"G", "after a good one": LIVE + LIVE[:20], "after a check": check() + b"POST"})


def _sizes() -> Iterator[RawRequest]:
    limit = 16 << 10
    yield from _table("size", "200", {
        "a field of 8 KiB": get(HOST, b"X: " + b"y" * 8192), "100 fields": get(HOST, *[b"X-%d: y" % n for n in range(100)]), 
        "1,000 fields": get(HOST, *[b"X: y"] * 1000),
    })  # fmt: skip
    yield from _table("size", "404", {"a query of 8 KiB": get(target=b"/nowhere?" + b"x" * 8192)})
    # 9110, 15.5.15 and 6585, 5.
    yield from _table("size", "414 closed", {
        "a long target": get(target=b"/" + b"a" * (limit + 10)), "a long query": get(target=b"/livez?" + b"a" * (limit + 10)), "a target of 100 KiB": get(target=b"/" + b"a" * 100_000), "2,000 arguments": get(target=b"/livez?" + b"a&" * 2000),
    })  # fmt: skip
    yield from _table("size", "431 closed", {
        "a long field": get(HOST, b"X: " + b"y" * (limit + 10)), "a long name": get(HOST, b"X" * (limit + 10) + b": y"), "many fields": get(HOST, *[b"X-%d: y" % n for n in range(2000)]), "a field of 100 KiB": get(HOST, b"X: " + b"y" * 100_000),
        "5,000 fields": get(HOST, *[b"X: y"] * 5000), "a Cookie of 64 KiB": get(HOST, b"Cookie: " + b"a=b;" * 16_384),
    })  # fmt: skip
    yield from _table("size", "413 closed", {"one byte over the limit": post(HOST, JSON, b"Content-Length: 65537", body=BODY + b" " * (65537 - len(BODY)))})
    yield from _table("size", "200", {"exactly the limit": post(HOST, JSON, b"Content-Length: 65536", body=BODY + b" " * (65536 - len(BODY)))})
