"""Each malformed request gets a 400 that points at the mistake."""

import json

import pytest

from support.connectd_process import Connectd
from support.expectations import assert_problem

GOOD = "tcp://127.0.0.1:9"


@pytest.fixture(scope="module")
def connectd(loopback_only):
    with Connectd(loopback_only) as running:
        yield running


TARGETS = [
    # numbers that are not dotted quads
    "tcp://0177.0.0.1:80",
    "tcp://2130706433:80",
    "tcp://0x7f.1:80",
    "tcp://127.1:80",
    "tcp://999.1.1.1:80",
    "tcp://1.2.3.4.5:80",
    "tcp://127.0.0.1.:80",
    "tcp://1.2.3:80",
    "tcp://name.123:80",
    "tcp://0x7f000001:80",
    "tcp://127.0.0.01:80",
    "tcp://127.0.0.0x1:80",
    "tcp://256.1.1.1:80",
    "tcp://foo.0x1:80",
    # names
    f"tcp://{'a' * 64}.example:80",
    f"tcp://{'.'.join(['a' * 63] * 4)}:80",
    "tcp://a..b:80",
    "tcp://.a:80",
    "tcp://.:80",
    "tcp://bücher☃.example:80",
    "tcp://\u0430\u200bpple.com:80",
    "tcp://a b:80",
    "tcp://a\tb:80",
    "tcp://a\u0000b:80",
    "tcp://a\r\nb:80",
    " tcp://a:80",
    "tcp://a:80 ",
    "tcp://a\u200b:80",
    "tcp://１２７.0.0.1:80",
    "tcp://127。0。0。1:80",
    # what a URL may have and a target may not
    "tcp://user@h:80",
    "tcp://user:pass@h:80",
    "tcp://@h:80",
    "tcp://h:80/",
    "tcp://h:80/path",
    "tcp://h:80?q",
    "tcp://h:80#f",
    "tcp://h%2e:80",
    "tcp:\\\\h:80",
    "http://h:80",
    "sctp://h:80",
    "://h:80",
    "tcp:h:80",
    "tcp:/h:80",
    "file:///etc/passwd",
    "gopher://h:70",
    # ports
    "tcp://h",
    "h",
    "tcp://h:",
    "tcp://h:0",
    "tcp://h:65536",
    "tcp://h:-1",
    "tcp://h:+80",
    "tcp://h:80a",
    "tcp://h:0x50",
    "tcp://h:99999999999999999999",
    "tcp://h:nosuchport",
    "tcp://h:80:81",
    "tcp://:80",
    "tcp://",
    "",
    "udp://h",
    "tcp://h:８０",
    "tcp://h: 80",
    "tcp://h:1e2",
    # IPv6
    "tcp://::1:80",
    "tcp://[::1:80",
    "tcp://::1]:80",
    "tcp://[::1]80",
    "tcp://[::1]",
    "tcp://[]:80",
    "tcp://[:::]:80",
    "tcp://[1::2::3]:80",
    "tcp://[12345::]:80",
    "tcp://[::1.2.3]:80",
    "tcp://[::1.2.3.256]:80",
    "tcp://[127.0.0.1]:80",
    "tcp://[name]:80",
    "tcp://[::1%]:80",
    "tcp://[1:2:3:4:5:6:7]:80",
    "tcp://[1:2:3:4:5:6:7:8:9]:80",
    "tcp://[g::]:80",
    # UNIX
    "unix:",
    "unix://",
    "unix:relative",
    "unix:@",
    "unix+stream:/x",
    "unix+raw:/x",
    "unix:/a\u0000b",
    "unix://host/x",
    # other types
    None,
    1,
    True,
    [],
    {},
    ["tcp://h:80"],
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: json.dumps(target)[:40])
def test_an_invalid_target_is_400(api, target):
    answer = api.post_check(target)
    problem = assert_problem(answer, 400)
    assert any(pointer.startswith("/target") for pointer in answer.pointers), problem


@pytest.mark.parametrize(
    "target,pointer",
    [
        ({"transport": "tcp", "host": "h"}, "/target"),
        ({"transport": "tcp", "port": 1}, "/target"),
        ({"host": "h", "port": 1}, "/target"),
        ({"transport": "sctp", "host": "h", "port": 1}, "/target/transport"),
        ({"transport": "tcp", "host": "h", "port": 0}, "/target/port"),
        ({"transport": "tcp", "host": "h", "port": 65536}, "/target/port"),
        ({"transport": "tcp", "host": "h", "port": 1.5}, "/target/port"),
        ({"transport": "tcp", "host": 1, "port": 1}, "/target/host"),
        ({"transport": "tcp", "host": "127.1", "port": 1}, "/target/host"),
        ({"transport": "tcp", "host": "a\u0000b", "port": 1}, "/target/host"),
        ({"transport": "tcp", "host": "", "port": 1}, "/target/host"),
        ({"transport": "tcp", "host": "h", "port": 1, "path": "/x"}, "/target/path"),
        ({"transport": "tcp", "host": "h", "port": 1, "extra": 1}, "/target/extra"),
        ({"transport": "unix", "socket_type": "stream"}, "/target"),
        ({"transport": "unix", "socket_type": "raw", "path": "/x"}, "/target/socket_type"),
        ({"transport": "unix", "socket_type": "stream", "path": "a\u0000"}, "/target/path"),
        ({"transport": "unix", "socket_type": "stream", "path": ""}, "/target/path"),
        ({"transport": "unix", "socket_type": "stream", "path": "/x", "port": 1}, "/target/port"),
    ],
)
def test_an_invalid_object_target_is_400(api, target, pointer):
    answer = api.post_check(target)
    problem = assert_problem(answer, 400)
    assert any(item.startswith(pointer) for item in answer.pointers), problem


MEMBERS = [
    ({"timeout_ms": 0}, "/timeout_ms"),
    ({"timeout_ms": -1}, "/timeout_ms"),
    ({"timeout_ms": 60001}, "/timeout_ms"),
    ({"timeout_ms": 1.5}, "/timeout_ms"),
    ({"timeout_ms": "5000"}, "/timeout_ms"),
    ({"timeout_ms": None}, "/timeout_ms"),
    ({"timeout_ms": True}, "/timeout_ms"),
    ({"timeout_ms": 10**30}, "/timeout_ms"),
    ({"timeout_ms": [1]}, "/timeout_ms"),
    ({"id": 1}, "/id"),
    ({"id": None}, "/id"),
    ({"id": {}}, "/id"),
    ({"labels": []}, "/labels"),
    ({"labels": {"k": 1}}, "/labels/k"),
    ({"labels": {"a/b~c": 1}}, "/labels/a~1b~0c"),
    ({"labels": "x"}, "/labels"),
    ({"resolve": 1}, "/resolve"),
    ({"resolve": {"family": "ipv5"}}, "/resolve/family"),
    ({"resolve": {"family": "IPv4"}}, "/resolve/family"),
    ({"resolve": {"addresses": "some"}}, "/resolve/addresses"),
    ({"resolve": {"server": "dns.example:53"}}, "/resolve/server"),
    ({"resolve": {"server": "10.0.0.2:0"}}, "/resolve/server"),
    ({"resolve": {"server": 53}}, "/resolve/server"),
    ({"resolve": {"servers": []}}, "/resolve/servers"),
    ({"bind": {"address": "localhost"}}, "/bind/address"),
    ({"bind": {"address": "127.1"}}, "/bind/address"),
    ({"bind": {"address": 1}}, "/bind/address"),
    ({"bind": {"port": -1}}, "/bind/port"),
    ({"bind": {"port": 65536}}, "/bind/port"),
    ({"bind": {"port": "80"}}, "/bind/port"),
    ({"bind": {"interface": ""}}, "/bind/interface"),
    ({"bind": {"interface": "x" * 16}}, "/bind/interface"),
    ({"bind": {"interface": "a\u0000b"}}, "/bind/interface"),
    ({"bind": {"interface": "a/b"}}, "/bind/interface"),
    ({"bind": {"device": "x"}}, "/bind/device"),
    ({"bind": "127.0.0.1"}, "/bind"),
    ({"socket": []}, "/socket"),
    ({"socket": {"close": "half"}}, "/socket/close"),
    ({"tls": None}, "/tls"),
    ({"tls": 1}, "/tls"),
    ({"tls": "smtp"}, "/tls"),
    ({"tls": []}, "/tls"),
    ({"tls": {"sni": "h"}}, "/tls/sni"),
    ({"tls": {"server_name": ""}}, "/tls/server_name"),
    ({"tls": {"server_name": "a b"}}, "/tls/server_name"),
    ({"tls": {"server_name": "127.1"}}, "/tls/server_name"),
    ({"tls": {"server_name": "[::1]"}}, "/tls/server_name"),
    ({"tls": {"server_name": "fe80::1%lo"}}, "/tls/server_name"),
    ({"tls": {"server_name": "h:443"}}, "/tls/server_name"),
    ({"tls": {"server_name": "a\u0000b"}}, "/tls/server_name"),
    ({"tls": {"server_name": "b\u00fccher\u2603.example"}}, "/tls/server_name"),
    ({"tls": {"server_name": "a" * 64}}, "/tls/server_name"),
    ({"tls": {"server_name": ["h"]}}, "/tls/server_name"),
    ({"tls": {"verify": "false"}}, "/tls/verify"),
    ({"tls": {"ca": "nobody"}}, "/tls/ca"),
    ({"tls": {"ca": "/etc/ssl/certs/ca-certificates.crt"}}, "/tls/ca"),
    ({"tls": {"ca": {"file": "x"}}}, "/tls/ca"),
    ({"tls": {"client_certificate": "nobody"}}, "/tls/client_certificate"),
    ({"tls": {"alpn": []}}, "/tls/alpn"),
    ({"tls": {"alpn": ["h2"] * 17}}, "/tls/alpn"),
    ({"tls": {"alpn": ["h2", ""]}}, "/tls/alpn/1"),
    ({"tls": {"alpn": ["\u20ac" * 86]}}, "/tls/alpn/0"),
    ({"tls": {"alpn": "h2"}}, "/tls/alpn"),
    ({"tls": {"min_version": 1.2}}, "/tls/min_version"),
    ({"tls": {"min_version": "TLSv1.2"}}, "/tls/min_version"),
    ({"tls": {"min_version": "1.1", "max_version": "1.0"}}, "/tls/max_version"),
    ({"tls": {"min_version": "1.3", "max_version": "1.2"}}, "/tls/max_version"),
    ({"tls": {"ciphers": ""}}, "/tls/ciphers"),
    ({"tls": {"ciphers": "HIGH\u0000"}}, "/tls/ciphers"),
    ({"tls": {"ciphers": ["HIGH"]}}, "/tls/ciphers"),
    ({"tls": {"starttls": True}}, "/tls/starttls"),
    ({"tls": {"starttls": "SMTP"}}, "/tls/starttls"),
    ({"tls": {"expect_alert": "nosuch"}}, "/tls/expect_alert"),
    ({"tls": {"expect_alert": 40}}, "/tls/expect_alert"),
    ({"tls": {"min_days_left": -1}}, "/tls/min_days_left"),
    ({"tls": {"min_days_left": 36501}}, "/tls/min_days_left"),
    ({"tls": {"revocation": "crl"}}, "/tls/revocation"),
    ({"tls": {"starttls": "smtp"}, "dialog": [{"starttls": True}]}, "/dialog/0/starttls"),
    ({"tls": False, "dialog": [{"starttls": True}]}, "/tls"),
    ({"dialog": [{"starttls": True}, {"starttls": True}]}, "/dialog/1/starttls"),
    ({"dialog": [{"starttls": False}]}, "/dialog/0/starttls"),
    ({"dialog": [{"reject": "^5"}]}, "/dialog/0/reject"),
    ({"dialog": [{"expect": "^2"}, {"reject": "^5"}, {"send": "x"}]}, "/dialog/1/reject"),
    ({"dialog": [{"reject": "("}, {"expect": "x"}]}, "/dialog/0/reject"),
    ({"socket": {"tcp_fast_open": True}, "tls": {"starttls": "smtp"}}, "/socket/tcp_fast_open"),
    ({"expect": "success"}, "/expect"),
    ({"expect": []}, "/expect"),
    ({"expect": ["connected", "nope"]}, "/expect/1"),
    ({"expect": "!nope"}, "/expect"),
    ({"expect": ""}, "/expect"),
    ({"expect": 1}, "/expect"),
    ({"expect": "CONNECTED"}, "/expect"),
    ({"unknown": 1}, "/unknown"),
    ({"Timeout_ms": 1}, "/Timeout_ms"),
    ({"": 1}, "/"),
    ({"a/b": 1}, "/a~1b"),
    ({"timeout_ms ": 1}, "/timeout_ms "),
    ({"hold": 1}, "/hold"),
    ({"__proto__": {}}, "/__proto__"),
]


@pytest.mark.parametrize("members,pointer", MEMBERS, ids=lambda value: json.dumps(value)[:50])
def test_an_invalid_member_is_400(api, members, pointer):
    answer = api.post_check(GOOD, **members)
    problem = assert_problem(answer, 400)
    assert any(item == pointer or item.startswith(pointer + "/") for item in answer.pointers), problem


@pytest.mark.parametrize(
    "target,members,pointer",
    [
        ("udp://127.0.0.1:9", {"tls": True}, "/tls"),
        ("unix+dgram:/x", {"tls": {"server_name": "h"}}, "/tls"),
        ("unix+seqpacket:/x", {"tls": {"verify": False}}, "/tls"),
        ("udp://127.0.0.1:9", {"dialog": [{"starttls": True}]}, "/dialog/0/starttls"),
        ("unix:/x", {"tls": True}, "/tls/server_name"),
        ("unix:/x", {"dialog": [{"starttls": True}]}, "/tls/server_name"),
        ("tls://127.0.0.1:9", {"tls": False}, "/tls"),
        ("tls://127.0.0.1:9", {"dialog": [{"expect": "x"}, {"starttls": True}]}, "/dialog/1/starttls"),
    ],
)
def test_tls_that_does_not_fit_the_target_is_400(api, target, members, pointer):
    answer = api.post_check(target, **members)
    assert_problem(answer, 400)
    assert answer.pointers == [pointer]


BODIES = [
    b"",
    b" ",
    b"{",
    b"}",
    b"[]",
    b"null",
    b'"tcp://h:1"',
    b"1",
    b"{}",
    b"not json",
    b'\xef\xbb\xbf{"target":"h:1"}',
    b'{"target":"127.0.0.1:9",}',
    b'{"target":"127.0.0.1:9"}x',
    b'{"target":"127.0.0.1:9"}{}',
    b"{'target':'h:1'}",
    b'{"target":"127.0.0.1:9" "id":"x"}',
    b'{target:"h:1"}',
    b'{"target":"127.0.0.1:9","timeout_ms":01}',
    b'{"target":"127.0.0.1:9","timeout_ms":+1}',
    b'{"target":"127.0.0.1:9","timeout_ms":1.}',
    b'{"target":"127.0.0.1:9","timeout_ms":.5}',
    b'{"target":"127.0.0.1:9","timeout_ms":NaN}',
    b'{"target":"127.0.0.1:9","timeout_ms":Infinity}',
    b'{"target":"127.0.0.1:9","timeout_ms":0x10}',
    b'{"target":"127.0.0.1:9","timeout_ms":1e400}',
    b'{"target":"127.0.0.1:9","id":"\xff"}',
    b'{"target":"127.0.0.1:9","id":"\xc0\xaf"}',
    b'{"target":"127.0.0.1:9","id":"\xed\xa0\x80"}',
    b'{"target":"127.0.0.1:9","id":"\xf4\x90\x80\x80"}',
    b'{"target":"127.0.0.1:9","id":"\\ud800"}',
    b'{"target":"127.0.0.1:9","id":"\\udc00\\ud800"}',
    b'{"target":"127.0.0.1:9","id":"\\x41"}',
    b'{"target":"127.0.0.1:9","id":"\\u12"}',
    b'{"target":"127.0.0.1:9","id":"a\nb"}',
    b'{"target":"127.0.0.1:9","id":"a\x00b"}',
    b'{"target":"127.0.0.1:9","id":"',
    b'{"target":"127.0.0.1:9",/* */"id":"x"}',
    b'{"target":"127.0.0.1:9"} // x',
    b'{"target":"127.0.0.1:9","x":tru}',
    b'{"target":"127.0.0.1:9","x":TRUE}',
    b"\x00",
    b'{"target":"127.0.0.1:9"}\x00',
    b"\xff\xfe{\x00}\x00",
    b"[" * 100000,
    b'{"a":' * 5000,
    b'{"target":"127.0.0.1:9","labels":' + b"[" * 17 + b"]" * 17 + b"}",
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body)[:50])
def test_a_body_that_is_not_strict_json_is_400(api, body):
    answer = api.post("/v1/checks", body)
    if len(body) > 65536:
        assert_problem(answer, 413)
    else:
        assert_problem(answer, 400)


@pytest.mark.parametrize(
    "body,pointer",
    [
        (b'{"target":"127.0.0.1:9","target":"127.0.0.1:10"}', "/target"),
        (b'{"target":"127.0.0.1:9","id":"a","id":"a"}', "/id"),
        (b'{"target":"127.0.0.1:9","id":"a","\\u0069d":"b"}', "/id"),
        (b'{"target":"127.0.0.1:9","bind":{"port":0,"port":1}}', "/bind/port"),
        (b'{"target":"127.0.0.1:9","labels":{"k":"a","k":"b"}}', "/labels/k"),
        (b'{"id":"x"}', "/target"),
    ],
)
def test_a_duplicate_or_missing_member_is_reported(api, body, pointer):
    answer = api.post("/v1/checks", body)
    problem = assert_problem(answer, 400)
    assert pointer in answer.pointers or (pointer == "/target" and "" in answer.pointers), problem


@pytest.mark.parametrize(
    "body",
    [
        b'{"target":"127.0.0.1:9","timeout_ms":1000}',
        b' \t\r\n{ "target" : "127.0.0.1:9" } \n',
        b'{"\\u0074arget":"127.0.0.1:9"}',
        b'{"target":"127.0.0.1:9","id":"\\ud83d\\ude00"}',
        b'{"target":"127.0.0.1:9","labels":{}}',
        b'{"target":"127.0.0.1:9","resolve":{},"bind":{},"socket":{}}',
    ],
)
def test_strict_json_is_accepted(api, body):
    answer = api.post("/v1/checks", body)
    assert answer.status == 200, answer.body
    assert answer.json["outcome"] == "refused"


@pytest.mark.parametrize("members", [{"trace": "always"}])
def test_reserved_members_are_refused(api, members):
    """Later versions may have these members; until then ignoring them would mislead clients."""
    answer = api.post_check(GOOD, **members)
    if answer.status != 200:
        assert_problem(answer, 400, "/" + next(iter(members)))
    else:
        assert set(answer.json) & {"after", "rounds", "trace"}, answer.body


def test_several_mistakes_are_one_problem(api):
    problem = assert_problem(api.post_check("nonsense", timeout_ms=0, wrong=1), 400)
    assert problem["errors"]


def test_a_long_value_is_not_repeated_in_full(api):
    answer = api.post_check("tcp://" + "a" * 60000 + ":80")
    assert_problem(answer, 400, "/target")
    assert len(answer.body) < 8192
