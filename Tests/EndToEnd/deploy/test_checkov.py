"""The Dockerfile and the rendered manifests, checked by checkov for insecure settings."""

import functools
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from support.connectd_process import REPOSITORY
from support.manifests import BUILT_IN, rendered

SETTINGS = pathlib.Path(__file__).with_name("checkov.yaml")


@functools.cache
def checkov() -> str:
    """checkov needs versions of packages that other tools do not accept, so it has an environment of its own."""
    found = shutil.which("checkov") or shutil.which("checkov", path=str(REPOSITORY / ".venv-checkov" / "bin"))
    if found is None:
        pytest.skip("checkov is not installed: make deploy-test brings it")
    return found


def check(path: pathlib.Path, framework: str) -> dict:
    """The results for one file: the number of passed checks, and the failed ones."""
    done = subprocess.run(
        [checkov(), "--config-file", SETTINGS, "--framework", framework, "--file", path, "--output", "json"],
        capture_output=True, text=True, timeout=120, cwd=path.parent,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    result = json.loads(done.stdout)
    failed = [f"{entry['check_id']} {entry['check_name']}: {entry['resource']}" for entry in result["results"]["failed_checks"]]
    return {"passed": result["summary"]["passed"], "failed": failed}


def test_the_dockerfile_passes():
    result = check(REPOSITORY / "Dockerfile", "dockerfile")
    assert not result["failed"] and result["passed"] > 100, result


@pytest.mark.parametrize("base", BUILT_IN)
def test_the_rendered_manifests_pass(base, tmp_path):
    path = tmp_path / f"{base}.yaml"
    path.write_text(rendered(base))
    result = check(path, "kubernetes")
    assert not result["failed"] and result["passed"] > 50, result


def test_an_insecure_dockerfile_fails(tmp_path):
    path = tmp_path / "Dockerfile"
    path.write_text(re.sub(r"(?m)^(USER|HEALTHCHECK) .*\n", "", (REPOSITORY / "Dockerfile").read_text()))
    assert {text.split(" ")[0] for text in check(path, "dockerfile")["failed"]} == {"CKV_DOCKER_2", "CKV_DOCKER_3"}


def test_an_insecure_manifest_fails(tmp_path):
    path = tmp_path / "service.yaml"
    path.write_text(rendered("service").replace("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"))
    assert [text.split(" ")[0] for text in check(path, "kubernetes")["failed"]] == ["CKV_K8S_20"]


def test_each_skipped_check_is_needed_and_has_a_reason(tmp_path):
    """A check that passes anyway must not be skipped."""
    lines = SETTINGS.read_text().splitlines()
    skipped = [index for index, line in enumerate(lines) if line.startswith("  - ")]
    assert skipped and all(lines[index - 1].startswith("  #") for index in skipped)
    for base in BUILT_IN:
        (tmp_path / f"{base}.yaml").write_text(rendered(base))
    done = subprocess.run(
        [checkov(), "--skip-download", "--compact", "--framework", "kubernetes", "--directory", tmp_path, "--output", "json"],
        capture_output=True, text=True, timeout=120, cwd=tmp_path,
    )  # fmt: skip
    failed = {entry["check_id"] for entry in json.loads(done.stdout)["results"]["failed_checks"]}
    assert failed == {lines[index].removeprefix("  - ") for index in skipped}
