"""Authentication on loopback too: browsers, foreign hosts, bearer tokens."""

import pytest

from support.connectd_process import OPEN_CONFIGURATION, PORT, Connectd
from support.expectations import assert_problem

CHECK = {"target": "127.0.0.1:9"}


@pytest.fixture(scope="module")
def connectd(loopback_only):
    configuration = {**OPEN_CONFIGURATION, "hosts": ["connectd.internal"]}
    with Connectd(loopback_only, configuration, listen=(f"[::1]:{PORT}",)) as running:
        yield running


@pytest.fixture(scope="module")
def http(connectd):
    return connectd.http


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        f"127.0.0.1:{PORT}",
        "localhost",
        f"localhost:{PORT}",
        "LocalHost",
        "[::1]",
        f"[::1]:{PORT}",
        "10.1.2.3:80",
        "connectd.internal",
        "CONNECTD.internal:8080",
        "[2001:db8::1]:99",
    ],
)
def test_our_own_host_is_accepted(http, host):
    assert http.get("/v1/errors", {"Host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "connectd.internal.evil.example",
        "xconnectd.internal",
        "2130706433",
        "0x7f.1",
        "127.1",
    ],
)
@pytest.mark.parametrize("path", ["/v1/errors", "/v1/probe?target=127.0.0.1:9", "/livez", "/openapi.yaml"])
def test_a_foreign_host_is_421(http, host, path):
    assert_problem(http.get(path, {"Host": host}), 421)


def test_a_foreign_host_is_421_for_a_check(http):
    assert_problem(http.post("/v1/checks", CHECK, {"Host": "rebound.example"}), 421)


def test_a_unix_listener_is_exempt_from_hosts(connectd):
    assert connectd.unix.get("/v1/errors", {"Host": "anything.example"}).status == 200
    assert connectd.unix.post("/v1/checks", CHECK, {"Host": "connectd"}).status == 200


@pytest.mark.parametrize(
    "site,status",
    [
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", 200),
        ("none", 200),
        ("", 403),
        ("nonsense", 403),
        ("Cross-Site", 403),
    ],
)
@pytest.mark.parametrize(
    "method,path",
    [("GET", "/v1/probe?target=127.0.0.1:9&expect=refused"), ("POST", "/v1/checks"), ("GET", "/v1/errors")],
)
def test_sec_fetch_site_of_other_sites_is_403(http, site, status, method, path):
    body = '{"target":"127.0.0.1:9"}' if method == "POST" else None
    assert http.request(method, path, body, {"Sec-Fetch-Site": site}).status == status


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://127.0.0.1.evil.example",
        "null",
        "http://localhost:1",
        "http://evil.example:8080",
        "file://",
        "http://127.0.0.1:80801",
        "",
    ],
)
def test_a_foreign_origin_is_403(http, origin):
    answer = http.post("/v1/checks", CHECK, {"Origin": origin})
    assert_problem(answer, 403)
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_our_own_origin_is_allowed(http):
    assert http.post("/v1/checks", CHECK, {"Origin": f"http://127.0.0.1:{PORT}"}).status == 200


def test_a_preflight_request_is_refused(http):
    answer = http.request(
        "OPTIONS",
        "/v1/checks",
        None,
        {
            "Origin": "https://evil.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert answer.status in (403, 405)
    assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.fixture(scope="module")
def guarded(loopback_only):
    configuration = {**OPEN_CONFIGURATION, "auth": {"tokens_file": "tokens"}}
    files = {"tokens": "alice:s3cret-of-alice\nbob:s3cret-of-bob\n"}
    with Connectd(loopback_only, configuration, port=PORT + 40, files=files) as running:
        yield running


def bearer(token: str) -> dict:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("wrong"),
        bearer(""),
        bearer("alice"),
        bearer("alice:s3cret-of-alice"),
        bearer("s3cret-of-alic"),
        bearer("s3cret-of-alicee"),
        bearer("S3CRET-OF-ALICE"),
        bearer("s3cret-of-alice s3cret-of-bob"),
        bearer("s3cret-of-alice\tx"),
        {"Authorization": "Basic YWxpY2U6czNjcmV0LW9mLWFsaWNl"},
        {"Authorization": "s3cret-of-alice"},
        {"Authorization": "Bearers3cret-of-alice"},
        {"X-Authorization": "Bearer s3cret-of-alice"},
    ],
)
def test_without_a_valid_token_a_request_is_401(guarded, headers):
    for answer in (guarded.http.post("/v1/checks", CHECK, headers), guarded.unix.post("/v1/checks", CHECK, headers)):
        assert_problem(answer, 401)
        assert answer.headers["www-authenticate"].lower().startswith("bearer")
        assert b"s3cret" not in answer.body


@pytest.mark.parametrize("token", ["s3cret-of-alice", "s3cret-of-bob"])
def test_with_a_valid_token_a_request_is_answered(guarded, token):
    assert guarded.http.post("/v1/checks", CHECK, bearer(token)).status == 200
    assert guarded.http.post("/v1/checks", CHECK, {"Authorization": f"bearer {token}"}).status == 200


def test_without_a_token_only_health_is_open(guarded):
    assert guarded.http.get("/livez").status == 200
    assert guarded.http.get("/readyz").status == 200
    for path in (
        "/v1/errors",
        "/v1/errors/EPERM",
        "/v1/probe?target=127.0.0.1:9",
        "/openapi.yaml",
        "/openapi.json",
        "/nothing",
    ):
        assert_problem(guarded.http.get(path), 401)


def test_two_authorization_headers_are_refused(guarded):
    head = (
        "GET /v1/errors HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret-of-alice\r\n"
        "Authorization: Bearer x\r\nConnection: close\r\n\r\n"
    )
    assert guarded.http.raw(head.encode()).status in (400, 401)


def test_no_body_is_read_without_authentication(guarded):
    assert_problem(guarded.http.request("POST", "/v1/checks", "nonsense"), 401)


def test_tokens_are_never_logged(guarded):
    guarded.http.post("/v1/checks", CHECK, bearer("s3cret-of-alice"))
    assert "s3cret" not in guarded.log
