"""The example policy and the jobs of deploy/reachability, and the snippets of the documentation."""

import json
import re

import jsonschema
import pytest
import yaml

from support import connectd_process
from support.connectd_process import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "reachability"
POLICY = (FOLDER / "policy.yaml").read_text()
PAGE = (REPOSITORY / "docs" / "reachability.md").read_text()


def test_the_example_is_a_valid_policy(loopback_only):
    """Without a network every case is an error, and nothing passes."""
    ran = connectd_process.run("verify", str(FOLDER / "policy.yaml"), namespace=loopback_only, timeout=60)
    assert ran.returncode == 3, ran.stderr
    assert re.search(r"3 rules, 61 cases in .* s: 61 errors", ran.stdout), ran.stdout


def snippets() -> list[str]:
    return [text for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if "version: 1" in text]


@pytest.mark.parametrize("text", snippets())
def test_the_policies_of_the_page_are_valid(loopback_only, tmp_path, text):
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    options = [] if "expect:" in text else ["--learn"]
    ran = connectd_process.run("verify", str(path), *options, namespace=loopback_only, timeout=60)
    assert ran.returncode == 3, ran.stderr


SCHEMA = json.loads((FOLDER / "policy.schema.json").read_text())


@pytest.mark.parametrize("text", [POLICY, *snippets()])
def test_the_schema_accepts_the_examples(text):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(yaml.safe_load(text), SCHEMA)


@pytest.mark.parametrize(
    "rule",
    [
        "{to: [a.b], ports: [0], expect: open}",
        "{to: [a.b], ports: [22], expect: block}",
        "{to: [a.b], ports: [22], expect: [open, refused]}",
        "{to: [a.b], ports: [22], expect: denied}",
        "{to: a.b, ports: [22], expect: open}",
        "{to: [], ports: [22], expect: open}",
        "{to: [a.b], port: [22], expect: open}",
        "{ports: [22], expect: open}",
    ],
)
def test_the_schema_and_the_program_refuse_the_same(loopback_only, tmp_path, rule):
    path = tmp_path / "policy.yaml"
    path.write_text(f"version: 1\nrules: [{rule}]\n")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(path.read_text()), SCHEMA)
    assert connectd_process.run("verify", str(path), namespace=loopback_only).returncode == 2


def test_the_page_shows_the_example():
    assert len(snippets()) == 2
    assert yaml.safe_load(snippets()[0])["rules"] == yaml.safe_load(POLICY)["rules"][:2]


@pytest.mark.parametrize("name", ["github-actions.yaml", "gitlab-ci.yml", "Jenkinsfile"])
def test_the_jobs_run_commands_that_exist(name):
    text = (FOLDER / name).read_text()
    if name != "Jenkinsfile":
        assert yaml.safe_load(text)
    known = connectd_process.run("verify", "--help").stdout
    options = set(re.findall(r"--[a-z-]+", " ".join(re.findall(r"connectd verify.*", text))))
    assert options and all(option in known for option in options)
