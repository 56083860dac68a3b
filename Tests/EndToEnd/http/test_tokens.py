"""Tokens: digests in the file, expiry, scopes and policy profiles; `connectd token add`."""

import os
import stat

import pytest

from support.connectd_process import OPEN_CONFIGURATION, Connectd, run
from support.expectations import assert_problem

CHECK = {"target": "127.0.0.1:9"}


def add(file, name, *options, stdin=None):
    ran = run("token", "add", name, "--file", str(file), *options, **({"input": stdin} if stdin else {}))
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.fixture(scope="module")
def service(loopback_only, tmp_path_factory):
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens = {
        "all": add(file, "all"),
        "checks": add(file, "checks", "--scope", "checks"),
        "reader": add(file, "reader", "--scope", "metrics,probe"),
        "admin": add(file, "admin", "--scope", "admin"),
        "public": add(file, "public", "--profile", "public"),
        "old": add(file, "old", "--expires", "2020-01-01"),
        "later": add(file, "later", "--expires", "2999-01-01T00:00:00Z"),
    }
    with Connectd(loopback_only, {**OPEN_CONFIGURATION, "auth": {"tokens_file": str(file)}}) as running:
        running.headers = {name: {"Authorization": f"Bearer {token}"} for name, token in tokens.items()}
        running.tokens, running.tokens_file = tokens, file
        yield running


def test_the_file_has_digests_only(service):
    text = service.tokens_file.read_text()
    assert stat.S_IMODE(service.tokens_file.stat().st_mode) == 0o600
    for name, token in service.tokens.items():
        assert f"{name}:sha256:" in text and token not in text
    assert "plain text" not in service.log


@pytest.mark.parametrize("name", ["all", "checks", "later"])
def test_a_token_of_the_file_opens_checks(service, name):
    assert service.http.post("/v1/checks", CHECK, service.headers[name]).json["outcome"] == "refused"


@pytest.mark.parametrize(
    "name,path,status",
    [
        ("checks", "/v1/probe?target=127.0.0.1:9", 403),
        ("checks", "/metrics", 403),
        ("checks", "/v1/monitors", 403),
        ("checks", "/config", 403),
        ("checks", "/v1/errors", 200),
        ("reader", "/metrics", 200),
        ("reader", "/v1/monitors", 200),
        ("reader", "/v1/probe?target=127.0.0.1:9", 502),
        ("reader", "/config", 403),
        ("admin", "/config", 200),
        ("admin", "/metrics", 403),
        ("admin", "/nowhere", 404),
    ],
)
def test_a_scope_opens_its_resources(service, name, path, status):
    answer = service.http.get(path, service.headers[name])
    assert answer.status == status
    if status == 403:
        problem = assert_problem(answer, 403)
        assert problem["type"].endswith("insufficient_scope") and f"the token {name} " in problem["detail"]
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch", "/v1/routes"])
def test_without_the_scope_nothing_is_checked(service, path):
    assert_problem(service.http.post(path, {"target": "127.0.0.1:9"}, service.headers["reader"]), 403)


def test_a_reload_needs_the_scope_admin(service):
    assert_problem(service.http.request("POST", "/-/reload", headers=service.headers["checks"]), 403)


def test_an_expired_token_is_401(service):
    answer = service.http.get("/v1/errors", service.headers["old"])
    problem = assert_problem(answer, 401)
    assert problem["detail"] == "the token old has expired; ask for a new one"
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_profile_applies_to_the_token_alone(service):
    assert_problem(service.http.post("/v1/checks", CHECK, service.headers["public"]), 403)
    batch = service.http.post("/v1/checks/batch", {"checks": [CHECK]}, service.headers["public"]).json
    assert batch["results"][0]["outcome"] == "denied" and "prober" not in batch["results"][0]
    assert service.http.post("/v1/checks", CHECK, service.headers["all"]).json["prober"]


# connectd token add


def test_an_old_token_is_kept_as_its_digest(tmp_path):
    file = tmp_path / "tokens"
    file.write_text("ops:a-token-in-plain-text")
    said = add(file, "ci", "--from-stdin", stdin="another-token-0123456789\n")
    assert said == f"added ci to {file}"
    lines = file.read_text().splitlines()
    assert lines[0] == "ops:a-token-in-plain-text" and lines[1].startswith("ci:sha256:")
    twin = run("token", "add", "twin", "--file", str(file), "--from-stdin", input="a-token-in-plain-text")
    assert twin.returncode == 2 and "has the same token as ops" in twin.stderr


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["ops"], "has the same name as an earlier line"),
        (["a b"], "must start with a name of"),
        (["a:b"], "the token must have a name without a colon"),
        (["new", "--scope", "everything"], "a scope that is not one of checks, probe, metrics, admin"),
        (["new", "--expires", "tomorrow"], "not a date such as 2027-01-31"),
        (["new", "--profile", "open"], "not one of rules, sidecar, internal, public"),
    ],
)
def test_wrong_usage_leaves_the_file_alone(tmp_path, arguments, said):
    file = tmp_path / "tokens"
    add(file, "ops")
    before = file.read_bytes()
    ran = run("token", "add", *arguments, "--file", str(file))
    assert ran.returncode == 2 and said in ran.stderr and ran.stdout == ""
    assert file.read_bytes() == before


def test_a_broken_file_is_not_extended(tmp_path):
    file = tmp_path / "tokens"
    file.write_text("no colon\n")
    ran = run("token", "add", "ops", "--file", str(file))
    assert ran.returncode == 2 and "has a problem at line 1" in ran.stderr and file.read_text() == "no colon\n"


def test_a_file_that_cannot_be_written_exits_with_1(tmp_path):
    ran = run("token", "add", "ops", "--file", str(tmp_path / "missing/tokens"))
    assert ran.returncode == 1 and "No such file or directory" in ran.stderr and ran.stdout == ""
    assert not os.path.exists(tmp_path / "missing")
