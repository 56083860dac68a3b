"""The documents name files that exist, and the descriptions of the specification follow the rules for Markdown.

Tests/Tidy checks the documents themselves: links, headings, tables and sentences.
"""

import fnmatch
import pathlib
import re
import subprocess
from collections.abc import Iterator

import markdown_rules
import pytest
import yaml

from support.connectd_process import REPOSITORY


def test_the_files_that_the_architecture_names_exist():
    """The document leaves out the beginning of a path, so the ends are compared."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a checkout of git")
    files = ["/" + line for line in listed.stdout.splitlines() if (REPOSITORY / line).exists()]
    files += sorted({f"{folder}/" for file in files for folder in map(str, pathlib.PurePath(file).parents)})
    text = markdown_rules.without_code((REPOSITORY / "docs" / "architecture.md").read_text())
    words = set(re.findall(r"`([\w./+*-]+(?:\.(?:swift|py|yaml|c|md)|/))`", text))
    missing = [word for word in words if not any(fnmatch.fnmatch(file, f"*/{word.lstrip('/')}") for file in files)]
    assert len(words) > 80 and not missing, missing


def descriptions(node, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key in ("summary", "description"):
            if isinstance(node.get(key), str):
                yield f"{place}/{key}", node[key]
        for key, child in node.items():
            yield from descriptions(child, f"{place}/{key}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from descriptions(child, f"{place}/{number}")


def test_the_descriptions_of_the_specification_follow_the_rules():
    specification = yaml.safe_load((REPOSITORY / "openapi" / "openapi.yaml").read_text(encoding="utf-8"))
    texts = list(descriptions(specification, "openapi.yaml"))
    assert len(texts) > 300
    faults = [
        f"{place}, line {line}: {fault}"
        for place, text in texts
        for line, fault in (*markdown_rules.table_faults(text), *markdown_rules.long_sentence_faults(text))
    ]
    assert not faults, "\n".join(faults)
