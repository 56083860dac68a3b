"""Every module that a Swift file imports is a dependency of its target.

SwiftPM does not check this: a build succeeds whenever the module happens to be compiled first."""

import json
import re
import subprocess

import pytest
import tidy

IMPORT = re.compile(r"^(?:@\w+ +)?(?:(?:public|package|internal|private) +)?import +(\w+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def targets() -> dict[str, dict]:
    dump = subprocess.run(["swift", "package", "dump-package"], cwd=tidy.ROOT, capture_output=True, text=True, check=True)
    return {target["name"]: target for target in json.loads(dump.stdout)["targets"]}


def dependencies(target: dict) -> set[str]:
    return {next(iter(entry.values()))[0] for entry in target["dependencies"]}


def folder(target: dict) -> str:
    return target.get("path") or f"{'Tests' if target['type'] == 'test' else 'Sources'}/{target['name']}"


def imports(text: str) -> set[str]:
    return set(IMPORT.findall(text))


def test_imports_are_dependencies(targets):
    known = set(targets).union(*map(dependencies, targets.values()))
    files = 0
    undeclared = []
    for target in targets.values():
        for path in sorted((tidy.ROOT / folder(target)).rglob("*.swift")):
            files += 1
            extra = (imports(path.read_text()) & known) - dependencies(target)
            undeclared += [f"{path.relative_to(tidy.ROOT)} imports {module}" for module in sorted(extra)]
    assert files > 300
    assert not undeclared, "\n".join(["add these to Package.swift, or remove the import:", *undeclared])


def test_every_dependency_is_imported(targets):
    unused = []
    for target in targets.values():
        paths = [*(tidy.ROOT / folder(target)).rglob("*.swift")]
        used = set().union(*(imports(path.read_text()) for path in paths))
        if paths:
            unused += [f"{target['name']} does not import {module}" for module in sorted(dependencies(target) - used)]
    assert not unused, "\n".join(["remove these from Package.swift:", *unused])


def test_imports_are_found():
    text = "internal import A\n@testable import B\nimport C\n// import D\nlet x = 1  // import E\npackage import F\n"
    assert imports(text) == {"A", "B", "C", "F"}
