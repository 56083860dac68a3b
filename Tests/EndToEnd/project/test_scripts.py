"""Scripts and files of the workshop, as far as they run without a build."""

import json
import pathlib
import re
import subprocess

import pytest

from support.connectd_process import REPOSITORY


def run(*words) -> subprocess.CompletedProcess:
    return subprocess.run([*map(str, words)], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)


def entry(path: str, covered: int, count: int) -> dict:
    return {"filename": path, "summary": {"lines": {"covered": covered, "count": count}}}


@pytest.fixture
def report(tmp_path):
    files = [
        entry("/home/dev/connectd/Sources/DNS/Resolver.swift", 90, 100), entry("/home/dev/connectd/Sources/DNS/Try.swift", 0, 20),
        entry("/home/dev/connectd/Sources/StrictJSON/JSONParser.swift", 50, 50),
        entry("/home/dev/connectd/Sources/CLinux/shim.h", 0, 0),
        entry("/home/dev/connectd/Tests/DNSTests/ResolverTests.swift", 500, 500),
        entry("/home/dev/connectd/.build-coverage/checkouts/swift-log/Sources/Logging/Logging.swift", 0, 900),
    ]  # fmt: skip
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"data": [{"files": files}]}))
    return path


def test_coverage_is_summed_by_module_and_sorted(report):
    done = run("scripts/coverage", report)
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["DNS", "75.0%", "90", "of", "120", "lines"], ["CLinux", "100.0%", "0", "of", "0", "lines"],
        ["StrictJSON", "100.0%", "50", "of", "50", "lines"], ["all", "82.4%", "140", "of", "170", "lines"],
    ]  # fmt: skip


def test_coverage_lists_files_when_asked(report):
    lines = run("scripts/coverage", "--files", report).stdout.splitlines()
    assert lines[0].startswith("DNS/Try.swift ") and "0.0%" in lines[0]
    assert not any("Tests/" in line or "swift-log" in line for line in lines)


@pytest.mark.parametrize("words", [[], ["memory"], ["--help"]])
def test_sanitize_without_arguments_prints_its_usage(words):
    done = run("scripts/sanitize", *words)
    assert done.returncode == 2 and done.stderr.startswith("usage: scripts/sanitize address|thread"), done.stderr


@pytest.mark.parametrize("name", ["leak", "thread"])
def test_every_suppression_has_a_reason(name):
    lines = (REPOSITORY / "Tests" / "Sanitizers" / f"{name}.txt").read_text().splitlines()
    assert lines[0].startswith("# ")
    for above, line in zip(lines, lines[1:]):
        assert not line or line.startswith("#") or above.startswith("# "), f"{line}: write the reason above it"


def test_every_source_file_enters_the_image():
    """A file whose extension is missing in .dockerignore is missing in the build of the image only."""
    listed = run("git", "ls-files", "Sources")
    if listed.returncode != 0:
        pytest.skip("not a checkout of git")
    ignored = (REPOSITORY / ".dockerignore").read_text()
    suffixes = set(re.findall(r"(?m)^!Sources/\*\*/\*(\.\w+)$", ignored))
    names = re.findall(r"(?m)^!(Sources/[\w/.-]+)$", ignored)
    assert [name for name in listed.stdout.splitlines() if pathlib.PurePath(name).suffix not in suffixes] == names
