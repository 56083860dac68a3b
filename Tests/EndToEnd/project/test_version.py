"""One version: that of Connectd.swift, in the program, the image, the specification, the manifests and /metrics."""

import re
import runpy
import subprocess

import pytest

from support.connectd_process import REPOSITORY, Connectd, binary

SCRIPT = runpy.run_path(str(REPOSITORY / "scripts" / "set-version"), run_name="set-version")


@pytest.fixture(scope="module")
def version() -> str:
    said = subprocess.run([binary(), "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    return re.match(r"connectd (\d+\.\d+\.\d+) \(", said)[1]


@pytest.mark.parametrize("name", SCRIPT["PLACES"])
def test_each_file_shows_the_version(version, name):
    text = (REPOSITORY / name).read_text()
    found = {match[0][len(match[1]) :] for match in re.finditer(SCRIPT["PLACES"][name], text)}
    assert found == {version}


def test_the_changelog_begins_with_the_version(version):
    assert re.search(r"(?m)^## (?!Unreleased$)(\S+)", (REPOSITORY / "CHANGELOG.md").read_text())[1] == version


def test_metrics_show_the_version(version):
    with Connectd() as running:
        assert f'connectd_build_info{{version="{version}"' in running.client.get("/metrics").body.decode()
