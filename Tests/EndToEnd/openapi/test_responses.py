"""Every operation documents every status that it returns, and each body and header field matches.

Each cause of a problem is tried with each operation.
"""

import json

import pytest

from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.specification import DOCUMENT, complaints, operations, resolved, undocumented

BODIES = {
    "/v1/checks": {"target": "127.0.0.1:1"}, "/v1/checks/batch": {"checks": [{"target": "127.0.0.1:1"}]},
    "/v1/diagnoses": {"target": "127.0.0.1:1"}, "/v1/routes": {"destinations": ["127.0.0.1"]},
    "/v1/surveys": {"check": {"target": "127.0.0.1:1"}},
}  # fmt: skip
QUERIES = {"/v1/probe": "?target=127.0.0.1:1", "/probe": "?target=127.0.0.1:1&module=tcp_connect"}
OPERATIONS = [(method.upper(), path) for path, method, _, _ in operations()]
# The routes that run checks.
CHECKS = [*BODIES, *QUERIES]
HEALTH = ("/livez", "/readyz")
# What a token with one scope opens. The rest is open to every token.
SCOPES = {
    "checks": ["/v1/checks", "/v1/checks/batch", "/v1/routes", "/v1/diagnoses", "/v1/surveys", "/v1/vantages"],
    "probe": ["/v1/probe", "/probe", "/", "/logs"],
    "metrics": ["/v1/monitors", "/v1/monitors/{name}", "/metrics"], "admin": ["/config", "/-/reload"],
}  # fmt: skip
TOKENS = "".join(f"{scope}:{scope}-token-0123456789 scope={scope}\n" for scope in SCOPES)
SCOPED = [(scope, method, path) for scope in SCOPES for method, path in OPERATIONS]


def send(client, method: str, path: str, headers: dict | None = None, query: str = "", body=None, **options):
    """One request to an operation, which is valid apart from what the caller adds."""
    where = path.replace("{name}", "ECONNREFUSED") + QUERIES.get(path, "")
    if query:
        where += ("&" if "?" in where else "?") + query
    if method == "GET":
        return client.request("GET", where, None, headers, **options)
    return client.request(method, where, json.dumps(BODIES.get(path, {})) if body is None else body, headers, **options)


def assert_matches(answer, method: str, path: str, status: int) -> None:
    """Asserts the status, and that status, media type, required header fields and body are as documented."""
    assert answer.status == status, answer.body[:500]
    responses = DOCUMENT["paths"][path][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {path}: {status} is not documented: {answer.body[:300]!r}"
    response = resolved(responses[str(status)])
    for name, header in response.get("headers", {}).items():
        header = resolved(header)
        if not header.get("required"):
            continue
        assert name.lower() in answer.headers, f"{method} {path}: {status} has no {name}"
        value = answer.headers[name.lower()]
        assert complaints(header["schema"], int(value) if header["schema"].get("type") == "integer" else value) == []
    kinds = {name.partition(";")[0]: media for name, media in response.get("content", {}).items()}
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if not kinds:
        return
    assert kind in kinds, f"{method} {path}: {status} is {kind!r}, documented: {sorted(kinds)}"
    if "json" in kind:
        assert undocumented(kinds[kind]["schema"], answer.json) == []


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_another_host(connectd, method, path):
    assert_matches(send(connectd.http, method, path, {"Host": "rebound.example"}), method, path, 421)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_page_of_another_site(connectd, method, path):
    for headers in ({"Origin": "https://other.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert_matches(send(connectd.http, method, path, headers), method, path, 403)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_large_head(connectd, method, path):
    assert_matches(send(connectd.http, method, path, {"X-Large": "x" * 30_000}), method, path, 431)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_long_query(connectd, method, path):
    answer = send(connectd.http, method, path, query="x=" + "x" * 30_000)
    assert answer.status in (414, 431), answer.body[:300]
    assert_matches(answer, method, path, answer.status)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_malformed_head(connectd, method, path):
    """The parser refuses it before a resource can."""
    line = f"{method} {path.replace('{name}', 'x')} HTTP/1.1\r\nHost: {connectd.http.host}\r\n"
    for rest in ("Host: a\r\n\r\n", "no colon\r\n\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"):
        answer = connectd.http.raw((line + rest).encode(), method)
        assert_matches(answer, method, path, 400)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_another_version_of_http(connectd, method, path):
    answer = connectd.http.raw(f"{method} {path.replace('{name}', 'x')} HTTP/3.7\r\nHost: localhost\r\n\r\n".encode(), method)
    assert answer.status in (400, 505), answer.body[:300]
    assert_matches(answer, method, path, answer.status)


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(("headers", "body", "status"), [
    ({"Content-Type": "text/plain"}, None, 415), ({"Content-Type": None}, None, 415), ({}, "{", 400), ({}, "", 400), ({}, "[]", 400),
    ({}, "{}", 400), ({}, '{"a":1,"a":2}', 400), ({}, '{"\ud800":1}'.encode("utf-8", "surrogatepass"), 400), ({}, "[" * 20, 400),
    ({"Content-Length": str(1 << 40)}, "{}", 413),
])  # fmt: skip
def test_a_wrong_body(connectd, path, headers, body, status):
    assert_matches(send(connectd.http, "POST", path, headers, body=body), "POST", path, status)


@pytest.mark.parametrize("path", BODIES)
def test_a_media_type_that_is_not_accepted(connectd, path):
    """Accept never makes a request fail."""
    for accept in ("text/html", "application/xml;q=1", "*/*;q=0", "", "x"):
        assert_matches(send(connectd.http, "POST", path, {"Accept": accept}), "POST", path, 200)


@pytest.fixture(scope="module")
def guarded(network):
    """A service that requires a token."""
    configuration = OPEN_CONFIGURATION | {"auth": {"tokens_file": "tokens"}}
    with Connectd(network.a, configuration, port=8172, files={"tokens": TOKENS}) as running:
        yield running


@pytest.mark.parametrize(("method", "path"), [item for item in OPERATIONS if item[1] not in HEALTH])
def test_a_missing_token(guarded, method, path):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic cmVhZGVyOg=="}):
        assert_matches(send(guarded.http, method, path, headers), method, path, 401)


@pytest.mark.parametrize(("scope", "method", "path"), SCOPED)
def test_a_token_opens_its_scope_alone(guarded, scope, method, path):
    answer = send(guarded.http, method, path, {"Authorization": f"Bearer {scope}-token-0123456789"})
    if path in SCOPES[scope] or not any(path in paths for paths in SCOPES.values()):
        assert answer.status not in (401, 403), answer.body[:300]
    else:
        assert_matches(answer, method, path, 403)
        assert answer.json["type"] == "urn:connectd:problem:insufficient_scope"


@pytest.fixture(scope="module")
def limited(network):
    """A service that starts one check in a second for a client."""
    limits = {"per_client_per_second": 1, "body_bytes": 1 << 20}
    with Connectd(network.a, OPEN_CONFIGURATION | {"limits": limits}, port=8173) as running:
        yield running


@pytest.mark.parametrize("path", [path for path in CHECKS if path not in ("/v1/routes", "/v1/checks/batch")])
def test_too_many_requests(limited, path):
    """Batches are not refused: their checks wait."""
    method = "POST" if path in BODIES else "GET"
    refused = [answer for answer in (send(limited.http, method, path) for _ in range(20)) if answer.status == 429]
    assert refused
    assert_matches(refused[0], method, path, 429)


def test_the_documented_statuses_occur():
    """Each status that an operation documents is one that a test here, or of the resource itself, can cause."""
    known = {"200", "400", "401", "403", "404", "405", "408", "413", "414", "415", "421", "429", "431", "500", "502", "503", "504", "505"}
    for path, method, operation, _ in operations():
        assert set(operation["responses"]) <= known, f"{method} {path}"
