"""The specification is consistent, up to date, and describes the running service."""

import json
import subprocess
import sys
from urllib.parse import urlencode

import pytest

from support import network as net
from support import peers
from support.dns_server import DNSServer, zone
from support.specification import (
    DOCUMENT,
    FOLDER,
    METHODS,
    SCHEMAS,
    SUCCESSES,
    TEXT,
    assert_documented,
    complaints,
    examples,
    media_types,
    operations,
    request_examples,
    resolved,
    undocumented,
)

# The document by itself.


def test_the_document_is_openapi_3_1():
    assert DOCUMENT["openapi"] == "3.1.0"


def test_the_json_form_is_up_to_date():
    run = subprocess.run([sys.executable, FOLDER / "generate", "--check"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_document_is_small_enough_to_embed():
    assert len(TEXT.encode()) < 240_000


@pytest.mark.parametrize(("schema", "value"), [pytest.param(s, v, id=place) for place, s, v in examples()])
def test_each_example_matches_its_schema(schema, value):
    assert complaints(schema, value) == []
    assert undocumented(schema, value) == []


@pytest.mark.parametrize("name", ["connected", "refused", "tls", "tls_expired", "answered", "unix"])
def test_responses_can_get_new_members(name):
    """A later version may add a member anywhere, and the document says so. Only our own tests are stricter."""
    result = DOCUMENT["components"]["examples"][name]["value"]
    schema = {"$ref": "#/components/schemas/CheckResult"}
    for extended in with_a_new_member(result):
        assert complaints(schema, extended) == []
        assert undocumented(schema, extended) != [] or extended.get("labels", {}).get("new_member"), extended


def with_a_new_member(value):
    """Copies of a value; in each, another object has one member more."""
    if isinstance(value, dict):
        yield value | {"new_member": "1"}
        for key, child in value.items():
            if key != "groups":
                yield from (value | {key: changed} for changed in with_a_new_member(child))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from (value[:number] + [changed] + value[number + 1 :] for changed in with_a_new_member(child))


def test_each_operation_has_a_response_and_a_unique_name():
    names = [operation["operationId"] for _, _, operation, _ in operations()]
    assert len(set(names)) == len(names)
    for path, method, operation, _ in operations():
        assert "200" in operation["responses"], f"{method} {path}"


def test_head_is_described_once():
    """A separate operation for each HEAD would double the size of generated clients."""
    assert "`HEAD` works wherever `GET` does" in DOCUMENT["info"]["description"]
    assert [path for path, item in DOCUMENT["paths"].items() if "head" in item] == []


def test_an_outcome_is_a_success_or_a_class():
    outcomes = SCHEMAS["Outcome"]["enum"]
    assert outcomes == SUCCESSES + SCHEMAS["ErrorClass"]["enum"]
    assert SCHEMAS["NegatedOutcome"]["enum"] == ["!" + outcome for outcome in outcomes]
    [expect] = [p for p in DOCUMENT["paths"]["/v1/probe"]["parameters"] if p["name"] == "expect"]
    one = "|".join(outcomes)
    assert expect["schema"]["pattern"] == f"^(!({one})|({one})(,({one}))*)$"


def test_the_port_names_are_the_same_everywhere():
    ports = DOCUMENT["x-port-names"]
    assert SCHEMAS["PortName"]["enum"] == list(ports)
    rows = DOCUMENT["info"]["description"].partition("### Port names")[2]
    cells = [cell.split() for row in rows.splitlines() if row.startswith("|") for cell in row.strip("|").split("|")]
    assert {name: int(number) for name, number in (cell for cell in cells if len(cell) == 2)} == ports
    for schema in ("TCPNameURL", "TCPAddressURL", "UDPNameURL", "UDPAddressURL"):
        assert SCHEMAS[schema]["pattern"].endswith("|" + "|".join(ports) + ")$"), schema


def test_each_problem_has_the_title_of_its_type():
    titles: dict[str, set] = {}
    for _, media in media_types():
        for example in media.get("examples", {}).values():
            value = resolved(example)["value"]
            if isinstance(value, dict) and str(value.get("type", "")).startswith("urn:connectd:problem:"):
                titles.setdefault(value["type"], set()).add((value["title"], value["status"]))
    assert titles and all(len(found) == 1 for found in titles.values()), titles


# Texts, and whether they are valid targets. The schema and the service must agree on each.
TARGETS = {
    **dict.fromkeys([
        "tcp://127.0.0.1:1", "127.0.0.1:1", "TCP://127.0.0.1:1", "127.0.0.1:https", "127.0.0.1:65535", "[::1]:1",
        "tcp://[::1]:1", "[::ffff:127.0.0.1]:1", "udp://127.0.0.1:53", "udp://[::1]:domain", "localhost:1",
        "quic://127.0.0.1:443", "QUIC://[::1]:https", "quic://localhost:1",
        "localhost.:1", "tcp:1", "tls://localhost:1", "TLS://127.0.0.1:https", "tls://[::1]:1", "tls:1", "[fe80::1%lo]:1", "[FE80:0::0:1%1]:1",
        "[fe80::1%R*]:1", "[fe80::1%.a]:1", "[fe80::1%...]:1", "[fe80::1%a\\^b]:1", "[fe80::1%-]:1", "[ff02::1%eth0.1]:1",
        "udp://[fe80::1%~x]:1", "unix:/p", "unix:///p", "unix:/", "unix:@n",
        "unix:/a b", "unix:////p", "unix+dgram:/p", "unix+seqpacket:@n", "UNIX:/p",
        "l\u00f6calhost:1", "tls://M\u00dcNCHEN.example:https", "udp://\u65e5\u672c\u8a9e\u3002jp:53",
    ], True),
    **dict.fromkeys([
        "", "127.0.0.1", "tcp://127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:080", ":1",
        "127.0.0.1:+1", "127.0.0.1:HTTPS", "127.0.0.1:nosuch", "tcp://", "tcp://:1", "0177.0.0.1:1", "2130706433:1",
        "0x7f.1:1", "0x7f000001:1", "127.1:1", "999.1.1.1:1", "127.0.0.1.:1", "a.0:1", "a.0x:1", "a..b:1", ".a:1",
        "::1:1", "[127.0.0.1]:1", "[::1]", "[::1]1", "[::1:1", "[::1%lo]:1", "[:::1]:1", "[fe80::1%.]:1", "[fe80::1%..]:1",
        "[fe80::1%a%b]:1", "[fe80::1%a/b]:1", "[fe80::1%a[]:1", "[fe80::1%]:1", "[fe80::1%a:b]:1", "[fe80::1%1234567890123456]:1",
        "[fe80::1%a b]:1", "[1::2::3]:1", "u@localhost:1",
        "tcp://localhost:1/", "tcp://localhost:1?a", "tcp://localhost:1#a", "http://localhost:1", "tls://localhost", "tls://127.1:1",
        "unix:p", "unix:", "unix:@", "unix://p", "unix:80", "unix+stream:/p", "unix:/a\0b", " localhost:1",
        "localhost :1", "localhost:1 ", "a.\uff11:1", "\uff11\uff12\uff17.0.0.1:1", "a\u3002\u3002b:1", "local*host:1", "a" * 64 + ":1", "%6c:1", "local\0host:1",
    ], False),
}


@pytest.mark.parametrize(("target", "is_target"), [pytest.param(t, v, id=ascii(t)[:40]) for t, v in TARGETS.items()])
def test_the_schema_distinguishes_targets_from_other_strings(target, is_target):
    assert (complaints(SCHEMAS["TargetURL"], target) == []) == is_target


# The document and the service.


@pytest.mark.parametrize(("target", "is_target"), [pytest.param(t, v, id=ascii(t)[:40]) for t, v in TARGETS.items()])
def test_the_service_accepts_the_targets_that_the_schema_accepts(api, target, is_target):
    answer = api.post_check(target, timeout_ms=200)
    assert_documented(answer, "/v1/checks", "POST")
    if is_target:
        assert answer.status in (200, 403), answer.body
    else:
        assert answer.status == 400 and answer.pointers == ["/target"], answer.body


@pytest.mark.parametrize(("method", "path", "value"), list(request_examples()))
def test_each_example_of_a_request_is_answered_as_documented(api, method, path, value):
    answer = api.request(method, path, json.dumps(value))
    assert_documented(answer, path, method)
    assert answer.status in (200, 403), answer.body


@pytest.mark.parametrize("members", [
    {"target": example["value"], **extra}
    for parameter in DOCUMENT["paths"]["/v1/probe"]["parameters"] if parameter["name"] == "target"
    for example in parameter["examples"].values()
    for extra in ({}, {"timeout_ms": 500, "family": "ipv4", "addresses": "race", "expect": "connected,refused"})
], ids=lambda members: urlencode(members)[:60])
def test_each_example_of_a_probe_is_answered_as_documented(api, members):
    answer = api.get("/v1/probe?" + urlencode({"timeout_ms": 500} | members))
    assert_documented(answer, "/v1/probe")
    assert answer.status in (200, 403, 502, 504), answer.body
    if answer.status != 403:
        assert answer.headers["connectd-outcome"] == answer.json["outcome"]
        assert (answer.status == 200) == answer.json["ok"]


@pytest.mark.parametrize("path", ["/v1/errors", "/livez", "/readyz"])
def test_each_plain_resource_is_answered_as_documented(api, path):
    answer = api.get(path)
    assert_documented(answer, path)
    assert answer.status == 200


def test_each_entry_of_the_catalogue_is_found_by_its_name_and_number(api):
    for entry in api.get("/v1/errors").json["errors"]:
        for key in (entry["name"], entry["name"].lower(), entry["errno"]):
            if key is not None:
                answer = api.get(f"/v1/errors/{key}")
                assert_documented(answer, "/v1/errors/{name}")
                assert answer.json == entry


@pytest.mark.parametrize("name", ["NOSUCH", "0", "99999", "ECONNREFUSED2"])
def test_an_unknown_error_is_a_documented_404(api, name):
    answer = api.get(f"/v1/errors/{name}")
    assert_documented(answer, "/v1/errors/{name}")
    assert answer.status == 404


@pytest.mark.parametrize(("path", "name", "media_type"), [
    ("/openapi.yaml", "openapi.yaml", "application/yaml"), ("/openapi.json", "openapi.json", "application/json"),
])
def test_the_service_serves_the_document_unchanged(api, path, name, media_type):
    answer = api.get(path)
    assert answer.status == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.body == (FOLDER / name).read_bytes()


@pytest.mark.parametrize(("name", "number"), DOCUMENT["x-port-names"].items())
def test_a_port_name_means_its_number(api, name, number):
    [attempt] = api.check(f"tcp://127.0.0.1:{name}")["attempts"]
    assert attempt["port"] == number


QUERIES = {
    "/v1/probe": {"target": "127.0.0.1:1"}, "/probe": {"target": "127.0.0.1:1", "module": "tcp_connect"},
}  # fmt: skip


@pytest.mark.parametrize("path", [path for path, item in DOCUMENT["paths"].items() if "get" in item])
def test_head_returns_get_without_the_body(api, path):
    concrete = path.replace("{name}", "ECONNREFUSED") + "?" + urlencode(QUERIES.get(path, {}))
    answers = [api.request(method, concrete) for method in ("GET", "HEAD")]
    assert answers[0].status == answers[1].status
    assert not answers[1].body
    names = [set(answer.headers) - {"content-length", "date"} for answer in answers]
    assert names[0] == names[1]


def methods(item: dict) -> set[str]:
    """HEAD works wherever GET does."""
    return {name.upper() for name in METHODS if name in item} | ({"HEAD"} if "get" in item else set())


@pytest.mark.parametrize(("method", "path"), [
    (method, path) for path, item in DOCUMENT["paths"].items()
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE") if method not in methods(item)
])
def test_allow_lists_the_documented_methods(api, method, path):
    answer = api.request(method, path.replace("{name}", "ECONNREFUSED"))
    assert answer.status == 405
    assert {name.strip() for name in answer.headers["allow"].split(",")} == methods(DOCUMENT["paths"][path])
    if method != "HEAD":
        problem = resolved(DOCUMENT["components"]["responses"]["MethodNotAllowed"])["content"]
        assert complaints(problem["application/problem+json"]["schema"], answer.json) == []


@pytest.mark.parametrize("path", [
    p for p, item in DOCUMENT["paths"].items() if "get" in item and item["get"]["tags"] != ["prometheus"]
])
def test_an_unknown_query_parameter_is_refused(api, path):
    query = {"nosuch": "1"} if path != "/v1/probe" else {"target": "127.0.0.1:1", "nosuch": "1"}
    answer = api.get(path.replace("{name}", "ECONNREFUSED") + "?" + urlencode(query))
    assert_documented(answer, path)
    assert answer.status == 400 and answer.pointers == ["/nosuch"]


@pytest.mark.parametrize("member", ["trace"])
def test_a_member_of_a_later_version_is_refused(api, member):
    answer = api.post_check("127.0.0.1:1", **{member: 1})
    assert_documented(answer, "/v1/checks", "POST")
    assert answer.status == 400 and answer.pointers == ["/" + member]


def defaults(path: str) -> dict:
    schemas = {parameter["name"]: resolved(parameter["schema"]) for parameter in DOCUMENT["paths"][path]["parameters"]}
    return {name: schema["default"] for name, schema in schemas.items() if "default" in schema}


def test_a_default_of_a_parameter_means_the_same_as_its_absence(api, network):
    """Generated clients send the defaults of the document."""
    with peers.serving(peers.tcp_listener(network.b, net.OPEN), peers.on_each_connection(lambda _: None)) as listener:
        query = {"target": f"{net.OPEN}:{listener.getsockname()[1]}"}
        bare, full = (api.get("/v1/probe?" + urlencode(sent)) for sent in (query, query | defaults("/v1/probe")))
    assert bare.status == full.status == 200, full.body
    assert set(bare.json) == set(full.json)
    # Here each of them would override the module.
    assert set(defaults("/probe")) == {"module"}


# Borderline bodies, and whether they are valid checks. The schema and the service must agree on each.
GOOD = {"target": "127.0.0.1:1", "timeout_ms": 100}
SENDS = [{"send": "x"}]
STARTS = [{"expect": "^220"}, {"starttls": True}]
TLS_TARGET = {"target": "tls://127.0.0.1:1"}
UNIX = {"target": "unix:/p"}
FAST = {"tcp_fast_open": True}
BODIES = [
    ({"id": "x" * 1024}, True),
    ({"id": "\u20ac\U0001f600" * 512}, True),
    ({"id": "x" * 1025}, False),
    ({"labels": {f"{number}": "" for number in range(64)}}, True),
    ({"labels": {f"{number}": "" for number in range(65)}}, False),
    ({"labels": {"k": "\u20ac" * 1024}}, True),
    ({"labels": {"k": "x" * 1025}}, False),
    ({"labels": {"k" * 2000: "", "": ""}}, True),
    ({"expect": ["connected"] * 23}, True),
    ({"expect": ["connected"] * 24}, False),
    ({"expect": []}, False),
    ({"expect": ""}, False),
    ({"dialog": []}, False),
    ({"dialog": SENDS * 64}, True),
    ({"dialog": SENDS * 65}, False),
    ({"dialog": [{"send": ""}]}, True),
    ({"dialog": [{"send_hex": ""}]}, True),
    ({"dialog": [{"expect": "x" * 4096}]}, True),
    ({"dialog": [{"expect": ""}]}, False),
    ({"dialog": [{"expect_hex": "ab" * 4096}]}, True),
    ({"dialog": [{"expect_hex": ""}]}, False),
    ({"socket": {"tcp_fast_open": False}}, True),
    ({"socket": {"tcp_fast_open": False}, "dialog": [{"expect": "x"}]}, True),
    ({"socket": FAST}, False),
    ({"socket": FAST, "dialog": SENDS}, True),
    ({"socket": FAST, "dialog": [{"send_hex": "00"}, {"expect": "x"}]}, True),
    ({"socket": FAST, "dialog": [{"send": ""}]}, False),
    ({"socket": FAST, "dialog": [{"send_hex": ""}]}, False),
    ({"socket": FAST, "dialog": [{"expect": "x"}, *SENDS]}, False),
    ({"socket": FAST, "target": "udp://127.0.0.1:1"}, False),
    ({"socket": FAST, "target": "quic://127.0.0.1:1"}, False),
    ({"target": "udp://127.0.0.1:1", "preset": "dns"}, True),
    ({"target": "udp://127.0.0.1:1", "preset": "http"}, False),
    ({"target": "udp://127.0.0.1:1", "preset": "dns", "tls": False}, True),
    ({"target": "udp://127.0.0.1:1", "preset": "dns", "tls": True}, False),
    ({"target": "udp://127.0.0.1:1", "preset": "dns", "dialog": SENDS}, False),
    ({"target": {"transport": "udp", "host": "127.0.0.1", "port": 1}, "preset": "quic"}, True),
    ({"target": {"transport": "tcp", "host": "127.0.0.1", "port": 1}, "preset": "quic"}, False),
    ({"preset": "dns"}, False),
    (TLS_TARGET | {"preset": "quic"}, False),
    (UNIX | {"preset": "dns"}, False),
    ({"target": "quic://127.0.0.1:1"}, True),
    ({"target": "Quic://127.0.0.1:1", "preset": "quic"}, True),
    ({"target": "quic://127.0.0.1:1", "preset": "ntp"}, False),
    ({"target": "quic://127.0.0.1:1", "dialog": SENDS}, False),
    ({"target": "quic://127.0.0.1:1", "tls": {}}, False),
    ({"socket": FAST, "target": "udp://127.0.0.1:1", "dialog": SENDS}, True),
    ({"socket": FAST, "target": "unix:/p"}, False),
    ({"socket": {"tcp_md5": "nobody"}}, True),
    ({"tls": True}, True),
    ({"tls": False}, True),
    ({"tls": {}}, True),
    ({"tls": None}, False),
    ({"tls": 1}, False),
    (TLS_TARGET, True),
    (TLS_TARGET | {"tls": {"verify": False, "starttls": "smtp"}}, True),
    (TLS_TARGET | {"tls": False}, False),
    (TLS_TARGET | {"dialog": STARTS}, False),
    (TLS_TARGET | {"dialog": SENDS, "socket": FAST}, True),
    ({"tls": {"server_name": "a.example."}}, True),
    ({"tls": {"server_name": "2001:db8::1"}}, True),
    ({"tls": {"server_name": "fe80::1%lo"}}, False),
    ({"tls": {"server_name": "[::1]"}}, False),
    ({"tls": {"server_name": "*.example"}}, False),
    ({"tls": {"server_name": ""}}, False),
    ({"tls": {"alpn": ["h2"] * 16}}, True),
    ({"tls": {"alpn": ["h2"] * 17}}, False),
    ({"tls": {"alpn": []}}, False),
    ({"tls": {"alpn": ["x" * 255]}}, True),
    ({"tls": {"alpn": ["x" * 256]}}, False),
    ({"tls": {"alpn": [""]}}, False),
    ({"tls": {"max_version": "1.1"}}, True),
    ({"tls": {"min_version": "1.0", "max_version": "1.1"}}, True),
    ({"tls": {"min_version": "1.1", "max_version": "1.0"}}, False),
    ({"tls": {"min_version": "1.3"}}, True),
    ({"tls": {"min_version": "1.3", "max_version": "1.2"}}, False),
    ({"tls": {"max_version": "1.2"}}, True),
    ({"tls": {"min_days_left": 36500}}, True),
    ({"tls": {"min_days_left": 36501}}, False),
    ({"tls": {"ciphers": ""}}, False),
    ({"tls": {"ciphers": "HIGH\t"}}, False),
    ({"tls": {"revocation": "ocsp"}}, False),
    ({"target": "udp://127.0.0.1:1", "tls": True}, False),
    ({"target": "udp://127.0.0.1:1", "tls": False}, True),
    ({"target": {"transport": "udp", "host": "127.0.0.1", "port": 1}, "tls": {}}, False),
    ({"target": "unix+dgram:/p", "tls": {"verify": False}}, False),
    ({"target": "UNIX+seqpacket:/p", "dialog": STARTS}, False),
    (UNIX | {"tls": True}, False),
    (UNIX | {"tls": {"verify": True}}, False),
    (UNIX | {"tls": {"verify": False}}, True),
    (UNIX | {"tls": {"server_name": "db"}, "dialog": STARTS}, True),
    (UNIX | {"dialog": STARTS}, False),
    ({"target": {"transport": "unix", "path": "/p"}, "tls": {"server_name": "db"}}, True),
    ({"target": {"transport": "unix", "path": "/p", "socket_type": "dgram"}, "tls": {"server_name": "db"}}, False),
    ({"dialog": STARTS}, True),
    ({"dialog": STARTS, "tls": {"verify": False}}, True),
    ({"dialog": STARTS, "tls": False}, False),
    ({"dialog": STARTS, "tls": {"starttls": "smtp"}}, False),
    ({"dialog": [*STARTS, {"starttls": True}]}, False),
    ({"dialog": [{"starttls": False}]}, False),
    ({"dialog": [{"reject": "^5"}, {"expect": "x"}]}, True),
    ({"dialog": [{"reject": ""}, {"expect": "x"}]}, False),
    ({"socket": FAST, "tls": True}, True),
    ({"socket": FAST, "tls": {"verify": False}, "dialog": [{"expect": "x"}]}, True),
    ({"socket": FAST, "tls": {"starttls": "smtp"}}, False),
    ({"socket": FAST, "tls": {"starttls": "smtp"}, "dialog": SENDS}, False),
    ({"socket": FAST, "tls": False}, False),
    ({"socket": FAST, "dialog": STARTS}, False),
    ({"socket": FAST, "dialog": SENDS + STARTS}, True),
    ({"timeout_ms": 60000}, True),
    ({"timeout_ms": 60001}, False),
    ({"timeout_ms": 100.0}, True),
    ({"timeout_ms": 100.5}, False),
    ({"target": {"transport": "tcp", "host": "127.0.0.1", "port": 1.0}}, True),
    ({"target": {"transport": "tcp", "host": "127.0.0.1", "port": 1.5}}, False),
    ({"bind": {"interface": "a" * 15}}, True),
    ({"bind": {"interface": "a" * 16}}, False),
    ({"bind": {"interface": "eth0:1"}}, False),
]


# Limits in bytes are in the descriptions only.
@pytest.mark.parametrize(
    ("step", "pointer"),
    [
        ({"expect": "x" * 4097}, "/dialog/0/expect"),
        ({"expect": "\u20ac" * 1366}, "/dialog/0/expect"),
        ({"expect": "("}, "/dialog/0/expect"),
        ({"expect_hex": "ab" * 4097}, "/dialog/0/expect_hex"),
        ({"send": "${1}"}, "/dialog/0/send"),
        ({"send": "${"}, "/dialog/0/send"),
        ({"reject": "^5"}, "/dialog/0/reject"),
    ],
)
def test_a_step_that_the_schema_cannot_judge_is_refused(api, step, pointer):
    answer = api.post("/v1/checks", GOOD | {"dialog": [step]})
    assert_documented(answer, "/v1/checks", "POST")
    assert answer.status == 400 and answer.pointers == [pointer]


@pytest.mark.parametrize(
    ("tls", "status", "pointer"),
    [
        ({"alpn": ["\u20ac" * 86]}, 400, "/tls/alpn/0"),
        ({"ca": "nobody"}, 400, "/tls/ca"),
        ({"client_certificate": "nobody"}, 400, "/tls/client_certificate"),
    ],
)
def test_a_tls_member_that_the_schema_cannot_judge_is_refused(api, tls, status, pointer):
    answer = api.post("/v1/checks", GOOD | {"tls": tls})
    assert_documented(answer, "/v1/checks", "POST")
    assert answer.status == status and answer.pointers == [pointer]


@pytest.mark.parametrize(
    ("member", "schema"),
    [("starttls", "StartTLS"), ("expect_alert", "ExpectedAlert"), ("min_version", None), ("revocation", None)],
)
def test_tls_names_match_the_service(api, member, schema):
    answer = api.post("/v1/checks", GOOD | {"tls": {member: "nosuch"}})
    [error] = answer.json["errors"]
    known = SCHEMAS[schema] if schema else SCHEMAS["TLSOptions"]["properties"][member]
    assert error == {"pointer": f"/tls/{member}", "detail": "must be one of: " + ", ".join(known["enum"])}


def test_each_tls_error_is_in_the_catalogue_and_the_table(api):
    row = next(row for row in SCHEMAS["ErrorClass"]["description"].splitlines() if row.startswith("| `tls_failed`"))
    names = row.partition(": ")[2].partition(";")[0].split(", ")
    entries = api.get("/v1/errors").json["errors"]
    assert [entry["name"] for entry in entries if entry["class"] == "tls_failed"] == names


@pytest.mark.parametrize(("members", "is_check"), BODIES, ids=lambda value: json.dumps(value)[:60])
def test_the_schema_and_the_service_agree_on_valid_checks(api, members, is_check):
    assert (complaints(SCHEMAS["CheckRequest"], GOOD | members) == []) == is_check
    answer = api.post("/v1/checks", GOOD | members)
    assert_documented(answer, "/v1/checks", "POST")
    assert (answer.status in (200, 403)) == is_check, answer.body[:500]
    assert is_check or answer.pointers


# The texts in the examples match those of the service.


@pytest.mark.parametrize(
    ("example", "target"),
    [
        ("refused", f"tcp://{net.OPEN}:9"),
        ("prohibited", f"tcp://{net.ROUTER_REJECTS['admin-prohibited']}:9"),
        ("deadline", f"tcp://{net.DROPPED}:9"),
        ("name_unknown", "tcp://nothing.example:9"),
    ],
)
def test_the_error_of_an_example_matches_the_service(api, network, example, target):
    shown = DOCUMENT["components"]["examples"][example]["value"]
    with DNSServer(network.b, net.SECOND, zone({}), port=5399):
        # The hint of a deadline says how many SYNs were sent until then.
        result = api.check(target, timeout_ms=max(300, round(shown["timings_ms"]["total"])), resolve={"server": f"{net.SECOND}:5399"})
    assert (result["outcome"], result["phase"], result["error"]) == (shown["outcome"], shown["phase"], shown["error"])
    assert set(result) == set(shown) - {"id", "labels"}
    assert [set(attempt) for attempt in result["attempts"]] == [set(attempt) for attempt in shown["attempts"]]


def test_the_route_of_an_example_matches_the_service(api):
    answer = DOCUMENT["paths"]["/v1/routes"]["post"]["responses"]["200"]["content"]["application/json"]
    shown = answer["examples"]["routed_and_not"]["value"]["routes"]
    answer = api.post("/v1/routes", {"destinations": ["127.0.0.1", net.NOWHERE]})
    assert answer.json["routes"][0] == shown[0]
    assert answer.json["routes"][1] == shown[1] | {"destination": net.NOWHERE}


@pytest.mark.parametrize("name", ["ECONNREFUSED", "DEADLINE"])
def test_the_entry_of_an_example_matches_the_service(api, name):
    assert api.get(f"/v1/errors/{name}").json == DOCUMENT["components"]["examples"][name]["value"]


PROBLEMS = {
    "BadRequest range": ("POST", "/v1/checks", {"target": "127.0.0.1:1", "timeout_ms": 0}),
    "BadRequest unknown_member": ("POST", "/v1/checks", {"target": "127.0.0.1:1", "timeout": 0}),
    "BadRequest syntax": ("POST", "/v1/checks", '{"target":"127.0.0.1:9",}'),
    "Forbidden denied": ("POST", "/v1/checks", {"target": "169.254.169.254:80"}),
    "NotFound unknown": ("GET", "/v1/errors/NOSUCH", None),
    "MethodNotAllowed method": ("GET", "/v1/checks", None),
    "ContentTooLarge large": ("POST", "/v1/checks", " " * 65537),
}


@pytest.mark.parametrize("example", PROBLEMS)
def test_the_problem_of_an_example_matches_the_service(api, example):
    response, name = example.split()
    media = DOCUMENT["components"]["responses"][response]["content"]["application/problem+json"]
    method, path, body = PROBLEMS[example]
    answer = api.request(method, path, json.dumps(body) if isinstance(body, dict) else body)
    assert answer.json == media["examples"][name]["value"]


@pytest.mark.parametrize(
    ("example", "headers"),
    [
        ("UnsupportedMediaType form", {"Content-Type": "text/plain"}),
        ("MisdirectedRequest host", {"Host": "rebound.example"}),
        ("Forbidden browser", {"Host": "localhost", "Origin": "https://other.example"}),
    ],
)
def test_the_problem_of_a_client_matches_the_service(connectd, example, headers):
    response, name = example.split()
    media = DOCUMENT["components"]["responses"][response]["content"]["application/problem+json"]
    answer = connectd.http.post("/v1/checks", {"target": "127.0.0.1:1"}, headers)
    assert answer.json == media["examples"][name]["value"]
