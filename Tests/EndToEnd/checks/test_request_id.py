"""X-Request-Id, traceparent and the token's name: in results and in each log line about a check."""

import json

import pytest

from support import network as net
from support.connectd_process import Connectd
from support.http_client import check_request
from support.waiting import wait_until

PORT = 8232
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ORIGIN = {"X-Request-Id": "req-17", "traceparent": TRACE}
MODULES = "modules: {m: {prober: tcp}}\n"
TOKEN = {"Authorization": "Bearer 0123456789abcdef0123"}


@pytest.fixture(scope="module")
def connectd(network):
    configuration = {
        "auth": {"tokens_file": "tokens"},
        "policy": {"profile": "internal"},
        "log": {"level": "debug"},
        "modules_file": "modules",
    }
    files = {"tokens": "ops:0123456789abcdef0123\n", "modules": MODULES}
    with Connectd(network.a, configuration, port=PORT, files=files) as running:
        yield running


def lines(connectd, message: str) -> list[dict]:
    return [line for line in map(json.loads, connectd.log.splitlines()) if line["message"].startswith(message)]


def test_a_result_and_its_log_line_name_the_request(connectd):
    answer = connectd.client.post("/v1/checks", {"target": "127.0.0.1:9", "id": "me"}, headers={**TOKEN, **ORIGIN})
    assert answer.status == 200
    assert (answer.json["request_id"], answer.json["traceparent"]) == ("req-17", TRACE)
    line = lines(connectd, "check")[-1]
    assert line["level"] == "debug" and line["target"] == "127.0.0.1:9" and line["id"] == "me"
    assert (line["request_id"], line["traceparent"], line["client"]) == ("req-17", TRACE, "ops")
    assert (line["outcome"], line["error"], line["fault"]) == ("refused", "ECONNREFUSED", "target")


def test_a_probe_and_its_log_line_name_the_request(connectd):
    answer = connectd.client.get("/v1/probe?target=127.0.0.1:9", headers={**TOKEN, **ORIGIN})
    assert answer.status == 502 and answer.json["request_id"] == "req-17"


def test_a_denial_is_one_line_at_info_with_the_request(connectd):
    before = len(lines(connectd, "denied by policy"))
    assert connectd.client.post("/v1/checks", {"target": "169.254.169.254:80"}, headers={**TOKEN, **ORIGIN}).status == 403
    line, = lines(connectd, "denied by policy")[before:]
    assert line["level"] == "info" and line["request_id"] == "req-17" and line["client"] == "ops"


def test_malformed_headers_are_ignored(connectd):
    headers = {**TOKEN, "X-Request-Id": "a b", "traceparent": "00-0-0-0"}
    answer = connectd.client.post("/v1/checks", {"target": "127.0.0.1:9"}, headers=headers)
    assert answer.status == 200 and "request_id" not in answer.json and "traceparent" not in answer.json


def metrics(connectd) -> bytes:
    return connectd.client.get("/metrics", headers=TOKEN).body


def checks_of_ops(connectd) -> float:
    text = metrics(connectd).decode()
    assert "0123456789abcdef0123" not in text and "0123456789abcdef0123" not in connectd.log
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines()
               if line.startswith('connectd_client_checks_total{client="ops"}'))


@pytest.mark.parametrize("target, status", [("127.0.0.1:9", 200), ("169.254.169.254:80", 403)])
def test_checks_and_denials_are_counted_by_token_name(connectd, target, status):
    before = checks_of_ops(connectd)
    assert connectd.client.post("/v1/checks", {"target": target}, headers=TOKEN).status == status
    assert checks_of_ops(connectd) == before + 1


def test_a_cancelled_check_is_counted_for_its_client(connectd):
    before = checks_of_ops(connectd)
    with connectd.client.connect() as client:
        client.sendall(check_request(f"tcp://{net.DROPPED}:80", headers=TOKEN))
        wait_until(lambda: b"connectd_in_flight 1\n" in metrics(connectd), 30, "the check is in flight")
    wait_until(lambda: checks_of_ops(connectd) == before + 1, 30, "the check is counted")


def test_probes_are_named_and_counted_too(connectd):
    before = checks_of_ops(connectd)
    assert connectd.client.get("/probe?module=m&target=127.0.0.1:9", headers={**TOKEN, **ORIGIN}).status == 200
    line = lines(connectd, "check")[-1]
    assert (line["request_id"], line["traceparent"], line["client"]) == ("req-17", TRACE, "ops")
    assert checks_of_ops(connectd) == before + 1
    denials = len(lines(connectd, "denied by policy"))
    assert connectd.client.get("/probe?module=m&target=169.254.169.254:80", headers={**TOKEN, **ORIGIN}).status == 200
    line, = lines(connectd, "denied by policy")[denials:]
    assert line["request_id"] == "req-17" and line["client"] == "ops"
    assert checks_of_ops(connectd) == before + 2


def test_a_target_cannot_end_its_quotation_marks_in_a_text_log(network):
    """A combining accent after a quotation mark is one character, but two for readers of bytes. C1 characters control terminals."""
    with Connectd(network.a, {"log": {"format": "text"}}, port=PORT + 1) as connectd:
        target = 'unix:/a"\u0301 client=root \u009b31m"'
        assert connectd.client.post("/v1/checks", {"target": target}).status == 403
        [line] = [line for line in connectd.log.splitlines() if "denied by policy" in line]
        assert 'target="unix:/a\\"\u0301 client=root \\u{9B}31m\\""' in line


def test_a_denied_dialog_of_a_module_is_counted_and_logged_as_a_denial(network):
    modules = "modules: {m: {prober: tcp, tcp: {query_response: [{expect: '^220 '}]}}}\n"
    own = {"modules_file": "modules", "policy": {"dialogs": "none"}}
    with Connectd(network.a, own, port=PORT + 1, files={"modules": modules}) as connectd:
        answer = connectd.client.get("/probe?module=m&target=127.0.0.1:9", headers=ORIGIN)
        assert answer.status == 200 and b'outcome="denied"' in answer.body
        [line] = lines(connectd, "denied by policy")
        assert line["level"] == "info" and line["request_id"] == "req-17" and line["target"] == "127.0.0.1:9"
        assert "connectd_policy_denials_total 1\n" in connectd.client.get("/metrics").body.decode()
