"""The audit log: each denied check has a line with the client, the target and the rule that decides."""

import json

import pytest

from support.connectd_process import Connectd

PORT = 8172
DENYING = {
    "policy": {
        "profile": "internal",
        "dialogs": "none",
        "options": [],
        "rules": [
            {"action": "allow", "path": "/run/app/*.sock"},
            {"action": "deny", "cidr": "10.1.0.0/16"},
            {"action": "deny", "host": "*.corp.example"},
        ],
    }
}


@pytest.fixture(scope="module")
def service(loopback_only):
    with Connectd(loopback_only, DENYING, port=PORT) as running:
        yield running


def denials(connectd) -> list[dict]:
    return [json.loads(line) for line in connectd.log.splitlines() if "denied by policy" in line]


CASES = [
    ({"target": "tcp://10.1.2.3:80"}, "policy.rules[1]"),
    ({"target": "tcp://db.corp.example:5432"}, "policy.rules[2]"),
    ({"target": "tcp://[::ffff:10.1.2.3]:80"}, "policy.rules[1]"),
    ({"target": "tcp://169.254.169.254:80"}, "hard denial"),
    ({"target": "udp://224.0.0.1:53"}, "hard denial"),
    ({"target": f"tcp://127.0.0.1:{PORT}"}, "hard denial"),
    ({"target": "unix:/etc/shadow"}, "policy.profile"),
    ({"target": "tcp://127.0.0.1:9", "dialog": [{"expect": "x"}]}, "policy.dialogs"),
    ({"target": "tcp://127.0.0.1:9", "bind": {"port": 4000}}, "policy.options"),
    ({"target": "tcp://127.0.0.1:9", "socket": {"mark": 1}}, "policy.options"),
]


@pytest.mark.parametrize("check,rule", CASES)
def test_a_denied_check_is_logged_with_client_target_and_rule(service, check, rule):
    before = len(denials(service))
    assert service.http.post("/v1/checks", check).status == 403
    [line] = denials(service)[before:]
    assert (line["level"], line["client"], line["target"]) == ("info", "127.0.0.1", check["target"])
    assert line["rule"] == rule and line["reason"]


def test_each_denied_item_of_a_batch_is_logged(service):
    before = len(denials(service))
    batch = service.unix.post("/v1/checks/batch", {"checks": [check for check, _ in CASES], "concurrency": 1})
    assert batch.json["summary"]["by_outcome"] == {"denied": len(CASES)}
    lines = denials(service)[before:]
    assert [(line["target"], line["rule"]) for line in lines] == [(check["target"], rule) for check, rule in CASES]
    assert {line["client"] for line in lines} == {"unix"}


@pytest.mark.parametrize("path", ["/v1/probe?target=10.1.2.3:80", "/probe?module=tcp_connect&target=10.1.2.3:80"])
def test_denied_probes_are_logged(service, path):
    before = len(denials(service))
    service.http.get(path)
    [line] = denials(service)[before:]
    assert line["rule"] == "policy.rules[1]" and line["client"] == "127.0.0.1"


def test_a_denied_diagnosis_is_logged(service):
    before = len(denials(service))
    assert service.http.post("/v1/diagnoses", {"target": "tcp://10.1.2.3:80"}).status == 403
    [line] = denials(service)[before:]
    assert line["rule"] == "policy.rules[1]" and line["target"] == "tcp://10.1.2.3:80"
