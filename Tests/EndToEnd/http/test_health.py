"""/livez, /readyz and the specification: the same bytes as in the repository."""

import json

import pytest
import yaml

from support.connectd_process import REPOSITORY, Connectd


@pytest.fixture(scope="module")
def connectd(loopback_only):
    with Connectd(loopback_only) as running:
        yield running


def test_a_started_service_is_live_and_ready(api):
    assert api.get("/livez").status == 200
    assert api.get("/readyz").status == 200


@pytest.mark.parametrize("name", ["openapi.yaml", "openapi.json"])
def test_the_specification_is_served_byte_for_byte(api, name):
    answer = api.get(f"/{name}")
    assert answer.status == 200
    assert answer.body == (REPOSITORY / "openapi" / name).read_bytes()


def test_yaml_and_json_have_the_same_content(api):
    assert yaml.safe_load(api.get("/openapi.yaml").body) == json.loads(api.get("/openapi.json").body)


def test_every_path_of_the_specification_exists(api):
    specification = yaml.safe_load(api.get("/openapi.yaml").body)
    assert specification["openapi"].startswith("3.1")
    for path, operations in specification["paths"].items():
        concrete = path.replace("{name}", "ECONNREFUSED")
        method = "GET" if "get" in operations else "POST"
        answer = api.request(method, concrete, "{}" if method == "POST" else None)
        assert answer.status not in (405, 501), path
        # The entry may be missing, but not the resource.
        assert answer.status != 404 or "no such resource" not in answer.json["detail"], path


def test_the_specification_has_every_outcome(api):
    text = api.get("/openapi.yaml").body.decode()
    for outcome in (
        "connected associated answered refused reset timeout unreachable not_permitted no_such_socket backlog_full "
        "bad_path wrong_type prober_misconfigured prober_exhausted resolve_failed denied cancelled "
        "unclassified internal"
    ).split():
        assert outcome in text
