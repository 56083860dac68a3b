"""Batches: each check gets exactly one result, and what is wrong with the batch itself is a problem."""

import json

import pytest

from support import network as net
from support.batches import NDJSON, assert_each_once, batch_request, parse_lines, post, results
from support.connectd_process import OPEN_CONFIGURATION, Connectd
from support.expectations import assert_problem, assert_shape, assert_success
from support.http_client import read_answer

PORT = 8471


def test_results_have_the_order_of_the_request(api, open_target):
    checks = [{"target": open_target, "id": "a"}, {"target": net.REFUSED, "labels": {"k": "v"}}, {"target": open_target}] * 20
    answer = post(api, {"checks": checks})
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    document = answer.json
    assert [result["target"] for result in document["results"]] == [check["target"] for check in checks]
    assert_success(document["results"][0])
    assert document["results"][0]["id"] == "a" and document["results"][1]["labels"] == {"k": "v"}
    assert all("index" not in result for result in document["results"])
    for result in document["results"]:
        assert_shape(result)
    summary = document["summary"]
    assert summary.pop("duration_ms") > 0
    assert summary == {"total": 60, "ok": 40, "by_outcome": {"connected": 40, "refused": 20}}
    assert answer.body.endswith(b"}\n")


def test_lines_have_an_index_and_end_with_the_summary(api, open_target):
    answer = post(api, {"checks": [{"target": open_target}, {"target": net.REFUSED}, {}]}, lines=True)
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines, summary = parse_lines(answer.body)
    assert_each_once(lines, 3)
    assert {line["index"]: line["outcome"] for line in lines} == {0: "connected", 1: "refused", 2: "invalid"}
    assert summary["total"] == 3 and summary["by_outcome"] == {"connected": 1, "refused": 1, "invalid": 1}


def test_an_empty_batch_has_a_summary(api):
    assert post(api, {"checks": []}).json["results"] == []
    lines, summary = parse_lines(post(api, {"checks": []}, lines=True).body)
    assert lines == [] and summary["total"] == 0 and summary["by_outcome"] == {}


BAD_CHECKS = [
    (7, ""), ("tcp://127.0.0.1:9", ""), (None, ""), ([], ""), ({}, "/target"), ({"target": "tcp://127.0.0.1"}, "/target"),
    ({"target": "127.1:80"}, "/target"), ({"target": 7}, "/target"), ({"target": "tcp://a:1", "hold": 1}, "/hold"),
    ({"target": "tcp://a:1", "timeout_ms": 0}, "/timeout_ms"), ({"target": "tcp://a:1", "tls": {"ca": "none"}}, "/tls/ca"),
    ({"target": "udp://a:1", "tls": True}, "/tls"), ({"target": "tcp://a:1", "dialog": [{"expect": "("}]}, "/dialog/0/expect"),
    ({"target": "tcp://a:1", "id": "x" * 65536}, ""),
]  # fmt: skip


@pytest.mark.parametrize("lines", [False, True], ids=["document", "lines"])
def test_a_bad_check_has_its_own_result_and_the_others_run(api, open_target, lines):
    checks = [check for bad, _ in BAD_CHECKS for check in (bad, {"target": open_target})]
    answer = post(api, {"checks": checks}, lines=lines)
    found = sorted(parse_lines(answer.body)[0], key=lambda line: line["index"]) if lines else answer.json["results"]
    assert len(found) == len(checks)
    for number, (bad, pointer) in enumerate(BAD_CHECKS):
        result = found[2 * number]
        assert (result["ok"], result["outcome"], result["phase"]) == (False, "invalid", "policy"), result
        assert result["attempts"] == [] and result["schema"] == 1
        error = result["error"]
        assert (error["errno"], error["name"], error["class"]) == (None, "INVALID", "invalid")
        assert (error["fault"], error["source"], error["retryable"]) == ("request", "policy", False)
        assert [item["pointer"] for item in error["errors"]] == [f"/checks/{2 * number}{pointer}"]
        assert f"/checks/{2 * number}{pointer} " in error["hint"], "people see it, too"
        assert_shape(result)
        assert_success(found[2 * number + 1])


def test_a_bad_check_is_echoed(api):
    check = {"id": "7", "labels": {"a": "b"}, "target": "oops", "x": 1}
    [result] = results(api, {"checks": [check]})
    assert (result["id"], result["labels"], result["target"]) == ("7", {"a": "b"}, "oops")
    assert len(result["error"]["errors"]) == 2
    [result] = results(api, {"checks": [{"id": 7, "labels": [], "target": {"host": "x"}}]})
    assert "id" not in result and "labels" not in result and result["target"] == ""


def test_what_concerns_only_one_check_is_not_a_problem_of_the_batch(api):
    deep = "[" * 40 + "]" * 40
    body = f'{{"checks":[{{"target":"tcp://a:1","target":"tcp://b:1"}},{{"timeout_ms":1e999}},{deep},{{"target":"unix:/\\u0000"}}]}}'
    found = results(api, body.encode())
    assert [result["outcome"] for result in found] == ["invalid"] * 4


BAD_BATCHES = [
    ({}, "/checks"), ({"checks": None}, "/checks"), ({"checks": {"target": "x"}}, "/checks"), ([], ""), ("x", ""),
    ({"checks": [], "concurrency": 0}, "/concurrency"), ({"checks": [], "concurrency": -1}, "/concurrency"),
    ({"checks": [], "concurrency": 1.5}, "/concurrency"), ({"checks": [], "rate_per_second": -1}, "/rate_per_second"),
    ({"checks": [], "per_host": -1}, "/per_host"), ({"checks": [], "retry_timeouts": 4}, "/retry_timeouts"),
    ({"checks": [], "from": "any"}, "/from"), ({"checks": [], "typo": 1}, "/typo"),
    ({"checks": [], "defaults": []}, "/defaults"), ({"checks": [], "defaults": {"x": 1}}, "/defaults/x"),
    ({"checks": [], "defaults": {"tls": {"ca": "none"}}}, "/defaults/tls/ca"),
    ({"checks": [], "defaults": {"timeout_ms": 60001}}, "/defaults/timeout_ms"),
]  # fmt: skip


@pytest.mark.parametrize(("batch", "pointer"), BAD_BATCHES, ids=lambda value: json.dumps(value)[:40])
def test_a_malformed_batch_is_a_problem(api, batch, pointer):
    assert_problem(post(api, json.dumps(batch)), 400, pointer)
    assert_problem(post(api, json.dumps(batch), lines=True), 400, pointer)


@pytest.mark.parametrize("body", [b"", b"{", b'{"checks":[{"target":]}', b'{"checks":[],"checks":[]}', b'{"checks":["\xff"]}'])
def test_a_body_that_is_not_json_is_a_problem(api, body):
    assert_problem(post(api, body), 400)


def test_defaults_fill_what_checks_do_not_have(api, open_target):
    refused = net.REFUSED
    value = {
        "defaults": {"target": refused, "labels": {"a": "1", "b": "2"}, "expect": "refused", "socket": {"ttl": 9}},
        "checks": [{}, {"target": open_target, "expect": "connected", "labels": {"b": "3"}, "socket": {"close": "rst"}}],
    }
    first, second = results(api, value)
    assert (first["target"], first["ok"], first["labels"]) == (refused, True, {"a": "1", "b": "2"})
    assert (second["target"], second["ok"], second["labels"]) == (open_target, True, {"a": "1", "b": "3"})


@pytest.mark.parametrize("concurrency", [1, 2, 10**9, 1e9])
def test_any_positive_concurrency_is_accepted(api, open_target, concurrency):
    found = results(api, {"checks": [{"target": open_target}] * 5, "concurrency": concurrency})
    assert [result["outcome"] for result in found] == ["connected"] * 5


def test_the_pace_is_kept(api, open_target):
    document = post(api, {"checks": [{"target": open_target}] * 6, "rate_per_second": 20}).json
    assert 250 <= document["summary"]["duration_ms"] < 2000


def test_timeouts_are_repeated_after_the_rest(api, open_target):
    checks = [{"target": net.SILENT, "timeout_ms": 100}, {"target": open_target}]
    document = post(api, {"checks": checks, "retry_timeouts": 1}).json
    assert [result["outcome"] for result in document["results"]] == ["timeout", "connected"]
    assert document["summary"]["total"] == 2 and document["summary"]["duration_ms"] >= 1300


def test_a_host_has_no_more_than_its_limit(api):
    checks = [{"target": f"tcp://{net.DROPPED}:{port}", "timeout_ms": 200} for port in range(1, 7)]
    document = post(api, {"checks": checks, "per_host": 2}).json
    assert document["summary"]["by_outcome"] == {"timeout": 6}
    assert 600 <= document["summary"]["duration_ms"] < 3000


def test_methods_and_content_types(api):
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = api.request(method, "/v1/checks/batch")
        assert answer.status == 405 and answer.headers["allow"] == "POST"
    assert_problem(api.request("POST", "/v1/checks/batch", b"{}", {"Content-Type": "text/plain"}), 415)
    assert_problem(api.post("/v1/checks/batch?x=1", {"checks": []}), 400)


@pytest.mark.parametrize(("accept", "expected"), [
    ("application/x-ndjson", "application/x-ndjson"), ("*/*", "application/json"), ("", "application/json"),
    ("application/json;q=0.5, application/x-ndjson", "application/x-ndjson"), ("text/html", "application/json"),
    ("application/x-ndjson;q=0.1, application/json", "application/json"), ("*/*, application/x-ndjson", "application/x-ndjson"),
])  # fmt: skip
def test_the_form_follows_accept(api, accept, expected):
    assert api.post("/v1/checks/batch", {"checks": []}, {"Accept": accept}).headers["content-type"] == expected


def test_a_request_may_follow_on_the_same_connection(api, open_target):
    value = {"checks": [{"target": open_target}] * 3}
    with api.connect() as connection:
        connection.settimeout(20)
        connection.sendall(batch_request(value) * 2 + batch_request(value, headers=NDJSON) + batch_request({}))
        stream = connection.makefile("rb")
        assert [read_answer(stream).json["summary"]["ok"] for _ in range(2)] == [3, 3]
        assert parse_lines(read_answer(stream).body)[1]["ok"] == 3
        assert read_answer(stream).status == 400


@pytest.mark.parametrize("headers", [{}, NDJSON], ids=["document", "lines"])
def test_an_old_client_reads_until_the_connection_closes(api, open_target, headers):
    answer = api.raw(batch_request({"checks": [{"target": open_target}] * 3}, headers=headers, version="1.0"))
    assert "transfer-encoding" not in answer.headers and answer.status == 200
    assert b'"summary"' in answer.body and answer.body.endswith(b"}\n")


def test_the_request_appears_in_every_result(api, open_target):
    answer = post(api, {"checks": [{"target": open_target}, {}]}, headers={"X-Request-Id": "r-1"})
    assert [result["request_id"] for result in answer.json["results"]] == ["r-1", "r-1"]


def counts(client, name: str) -> dict[str, int]:
    text = client.get("/metrics").body.decode()
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(name)]
    return {labels: int(float(value)) for labels, value in lines}


def test_limits_and_policy_apply_to_each_check(network):
    configuration = {
        "policy": {"profile": "rules", "dialogs": "none", "options": [], "rules": [
            {"action": "allow", "cidr": f"{net.OPEN}/32"}]},
        "limits": {"batch": 4},
    }  # fmt: skip
    with Connectd(network.a, configuration, port=PORT) as it:
        problem = assert_problem(post(it.unix, {"checks": [{}] * 5}), 400, "/checks")
        assert "4" in problem["errors"][0]["detail"] and "limits.batch" in problem["errors"][0]["detail"]
        checks = [
            {"target": net.REFUSED}, {"target": "tcp://127.0.0.1:9", "expect": "denied"},
            {"target": net.REFUSED, "dialog": [{"send": "x"}], "id": "d"},
            {"target": net.REFUSED, "bind": {"address": "10.0.0.1"}},
        ]  # fmt: skip
        found = results(it.unix, {"checks": checks})
        assert [result["outcome"] for result in found] == ["refused", "denied", "denied", "denied"]
        assert [result["ok"] for result in found] == [False, True, False, False]
        assert found[1]["attempts"] == [] and "resolution" not in found[1] and "errors" not in found[1]["error"]
        assert [item["pointer"] for item in found[2]["error"]["errors"]] == ["/checks/2/dialog"]
        assert [item["pointer"] for item in found[3]["error"]["errors"]] == ["/checks/3/bind/address"]
        assert found[2]["id"] == "d" and found[2]["error"]["name"] == "DENIED"
        assert results(it.unix, {"checks": [{}]})[0]["outcome"] == "invalid"
        total = counts(it.unix, "connectd_checks_total")
        assert sum(total.values()) == 5, "each check counts once"
        assert total['connectd_checks_total{outcome="denied",fault="request"}'] == 3
        assert total['connectd_checks_total{outcome="invalid",fault="request"}'] == 1
        assert counts(it.unix, "connectd_policy_denials_total") == {"connectd_policy_denials_total": 3}
        assert sum(counts(it.unix, "connectd_rejections_total").values()) == 1


def test_the_public_profile_hides_the_prober(network):
    configuration = {"policy": {"profile": "public", "rules": [{"action": "allow", "cidr": f"{net.OPEN}/32"}]}}
    with Connectd(network.a, configuration, port=PORT) as it:
        shown, hidden, bad = results(it.unix, {"checks": [{"target": net.REFUSED}, {"target": "tcp://no.such:1"}, {}]})
        assert [result["outcome"] for result in (shown, hidden, bad)] == ["refused", "denied", "invalid"]
        assert all("prober" not in result for result in (shown, hidden, bad))
        assert "local" not in shown["attempts"][0] and "resolution" not in hidden


def test_tokens_and_origins_are_those_of_single_checks(network):
    configuration = {**OPEN_CONFIGURATION, "auth": {"tokens_file": "tokens"}}
    with Connectd(network.a, configuration, port=PORT, files={"tokens": "ops:" + "s" * 32 + "\n"}) as it:
        assert_problem(post(it.http, {"checks": []}), 401)
        answer = post(it.http, {"checks": [{}, {}]}, headers={"Authorization": "Bearer " + "s" * 32})
        assert answer.status == 200
    with Connectd(network.a, OPEN_CONFIGURATION, port=PORT) as it:
        assert_problem(post(it.http, {"checks": []}, headers={"Sec-Fetch-Site": "cross-site"}), 403)
        assert_problem(post(it.http, {"checks": []}, headers={"Host": "evil.example"}), 421)
